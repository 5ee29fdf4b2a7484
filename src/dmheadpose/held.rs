// SPDX-License-Identifier: MPL-2.0
//! The last result, for frames that are not looked at.

use crate::headposemeta::{HeadPoses, Source};

/// A result that is older is not held for lack of time: however late the stream is, a frame is looked at.
const LONGEST: gst::ClockTime = gst::ClockTime::SECOND;

/// The last result of a stream.
#[derive(Default)]
pub(super) struct Held {
    last: Option<(HeadPoses, Option<gst::ClockTime>)>,
    /// No buffer has carried it yet.
    fresh: bool,
    /// It lacks heads that were found, as they have no pose.
    lacks_heads: bool,
}

impl Held {
    /// Keeps what was found in a frame with this time. It is fresh if that frame does not carry it.
    pub fn keep(&mut self, poses: HeadPoses, pts: Option<gst::ClockTime>, fresh: bool) {
        self.last = Some((poses, pts));
        self.fresh = fresh;
    }

    /// Takes note that the result that is kept lacks heads that were found, or that it does not.
    pub fn set_lacks_heads(&mut self, lacks_heads: bool) {
        self.lacks_heads = lacks_heads;
    }

    /// The result that is kept lacks heads that were found.
    pub fn lacks_heads(&self) -> bool {
        self.lacks_heads
    }

    pub fn forget(&mut self) {
        self.last = None;
    }

    /// The last result as that of a frame with this time and size, and whether it is the first to carry it.
    /// `None` if there is none, or if it was that of frames of another size.
    pub fn at(
        &mut self,
        pts: Option<gst::ClockTime>,
        (width, height): (u32, u32),
    ) -> Option<(HeadPoses, bool)> {
        let (poses, found_at) = self.last.as_ref()?;
        if (poses.width, poses.height) != (width, height) {
            return None;
        }
        let poses = HeadPoses {
            source: Source::Held,
            age: Some(age(*found_at, pts)),
            ..poses.clone()
        };
        Some((poses, std::mem::take(&mut self.fresh)))
    }

    /// There is a result for frames of this size, and it is not too old to go on with, in either direction.
    pub fn suffices(&self, pts: Option<gst::ClockTime>, size: (u32, u32)) -> bool {
        self.last.as_ref().is_some_and(|(poses, found_at)| {
            let far = age(*found_at, pts).max(age(pts, *found_at));
            (poses.width, poses.height) == size && far < LONGEST
        })
    }
}

/// Zero where the times do not tell, or when time went back.
fn age(from: Option<gst::ClockTime>, to: Option<gst::ClockTime>) -> gst::ClockTime {
    let age = from.zip(to).map(|(from, to)| to.saturating_sub(from));
    age.unwrap_or(gst::ClockTime::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (32, 24);

    fn ms(ms: u64) -> Option<gst::ClockTime> {
        Some(gst::ClockTime::from_mseconds(ms))
    }

    fn poses() -> HeadPoses {
        HeadPoses {
            width: 32,
            height: 24,
            source: Source::Inferred,
            age: Some(gst::ClockTime::ZERO),
            inference_time: Some(gst::ClockTime::MSECOND),
            heads: Vec::new(),
        }
    }

    #[test]
    fn a_held_result_knows_its_age() {
        let mut held = Held::default();
        assert!(held.at(ms(0), SIZE).is_none());
        held.keep(poses(), ms(100), true);
        let (first, fresh) = held.at(ms(140), SIZE).unwrap();
        assert_eq!(
            (first.source, first.age, fresh),
            (Source::Held, ms(40), true)
        );
        let (second, fresh) = held.at(ms(180), SIZE).unwrap();
        assert_eq!((second.age, fresh), (ms(80), false));
        assert_eq!(held.at(ms(60), SIZE).unwrap().0.age, ms(0));
        assert_eq!(held.at(None, SIZE).unwrap().0.age, ms(0));
        assert!(held.at(ms(180), (64, 48)).is_none());
        assert!(held.suffices(ms(1000), SIZE));
        assert!(!held.suffices(ms(1000), (64, 48)));
        assert!(!held.suffices(ms(1100), SIZE));
        held.keep(poses(), ms(5000), false);
        assert!(held.suffices(ms(4500), SIZE));
        assert!(!held.suffices(ms(4000), SIZE));
        held.forget();
        assert!(!held.suffices(ms(100), SIZE));
    }
}

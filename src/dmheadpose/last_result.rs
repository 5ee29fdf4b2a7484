// SPDX-License-Identifier: MPL-2.0
//! The last result, for frames that go on without one of their own.

use crate::estimator::geometry::Size;
use crate::headposemeta::{HeadPoses, Source};

/// An older result is not reused for lack of time: however late the stream is, the frame is inferred.
const LONGEST: gst::ClockTime = gst::ClockTime::SECOND;

#[derive(Default)]
pub(super) struct LastResult {
    poses: Option<HeadPoses>,
    /// The time of the frame in which they were found.
    found_at: Option<gst::ClockTime>,
    /// No buffer has carried it yet.
    fresh: bool,
    /// It lacks heads that were found but have no pose.
    lacks_heads: bool,
}

impl LastResult {
    /// Keeps what was found in a frame with this time; `fresh`: that frame has gone on without it.
    pub fn keep(
        &mut self,
        poses: &HeadPoses,
        pts: Option<gst::ClockTime>,
        fresh: bool,
        lacks_heads: bool,
    ) {
        let last = self.poses.take();
        let mut heads = last.map_or_else(Vec::new, |last| last.heads);
        heads.clone_from(&poses.heads);
        *self = Self {
            poses: Some(HeadPoses { heads, ..*poses }),
            found_at: pts,
            fresh,
            lacks_heads,
        };
    }

    pub fn lacks_heads(&self) -> bool {
        self.lacks_heads
    }

    pub fn forget(&mut self) {
        self.poses = None;
    }

    /// The last result as that of a frame with this time and size, and whether it is the first to carry it.
    /// `None` if there is none, or if it was that of frames of another size.
    pub fn at(&mut self, pts: Option<gst::ClockTime>, size: Size) -> Option<(HeadPoses, bool)> {
        let poses = self.poses.as_ref().filter(|poses| poses.size() == size)?;
        let poses = HeadPoses {
            source: Source::Held,
            age: Some(age(self.found_at, pts)),
            ..poses.clone()
        };
        Some((poses, std::mem::take(&mut self.fresh)))
    }

    /// Whether there is a result for frames of this size that is not too far away in time, in either direction.
    pub fn suffices(&self, pts: Option<gst::ClockTime>, size: Size) -> bool {
        self.poses.as_ref().is_some_and(|poses| {
            let far = age(self.found_at, pts).max(age(pts, self.found_at));
            poses.size() == size && far < LONGEST
        })
    }
}

/// Zero where a time is missing, or when time went back.
fn age(from: Option<gst::ClockTime>, to: Option<gst::ClockTime>) -> gst::ClockTime {
    let age = from.zip(to).map(|(from, to)| to.saturating_sub(from));
    age.unwrap_or(gst::ClockTime::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(32, 24);
    const OTHER: Size = Size::new(64, 48);

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
        let mut last = LastResult::default();
        assert!(last.at(ms(0), SIZE).is_none());
        last.keep(&poses(), ms(100), true, false);
        let (first, fresh) = last.at(ms(140), SIZE).unwrap();
        assert_eq!(
            (first.source, first.age, fresh),
            (Source::Held, ms(40), true)
        );
        let (second, fresh) = last.at(ms(180), SIZE).unwrap();
        assert_eq!((second.age, fresh), (ms(80), false));
        assert_eq!(last.at(ms(60), SIZE).unwrap().0.age, ms(0));
        assert_eq!(last.at(None, SIZE).unwrap().0.age, ms(0));
        assert!(last.at(ms(180), OTHER).is_none());
        assert!(last.suffices(ms(1000), SIZE));
        assert!(!last.suffices(ms(1000), OTHER));
        assert!(!last.suffices(ms(1100), SIZE));
        last.keep(&poses(), ms(5000), false, false);
        assert!(last.suffices(ms(4500), SIZE));
        assert!(!last.suffices(ms(4000), SIZE));
        last.forget();
        assert!(!last.suffices(ms(100), SIZE));
    }
}

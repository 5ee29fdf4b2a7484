// SPDX-License-Identifier: MPL-2.0
//! The seam between a front and a rear model: whose answer counts for a head.
//!
//! The rear model knows all sides, so its yaw decides the side. The front model is better on faces, and answers
//! anything where there is none.

use super::super::angles::Angles;
use super::fusion::Pose;

/// A head that is followed changes from front to rear model, or back, only when its yaw is so many degrees
/// beyond the seam: there it would flicker.
const HYSTERESIS: f32 = 5.0;

/// Heads whose yaw is this close to the seam, in degrees, lie at it.
const WIDTH: f32 = 10.0;

/// Two answers agree where their yaws differ by no more than so many degrees.
const AGREEMENT: f32 = 40.0;

/// Where the seam lies, by the |yaw| of the rear model, and how it is crossed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Seam {
    /// Up to this angle the front model's answer counts, beyond it the rear model's: what DMHead's fusion
    /// means to do.
    Switch(f32),
    /// From the first angle to the second the front model's answer passes into the rear model's, where the two
    /// agree. Where they do not, it is a switch halfway.
    Blend(f32, f32),
}

impl Seam {
    /// Of DMHead's files, and of any pair that was not measured.
    pub const UPSTREAM: Self = Self::Switch(90.0);

    /// Of 3DDFA_V2 in front and WHENet at the rear, as measured: docs/accuracy.md.
    pub const TDDFA_WHENET: Self = Self::Blend(60.0, 100.0);

    fn middle(self) -> f32 {
        match self {
            Self::Switch(angle) => angle,
            Self::Blend(first, last) => (first + last) / 2.0,
        }
    }

    /// A head of this yaw lies at the seam.
    pub fn is_near(self, yaw: f32) -> bool {
        (yaw.abs() - self.middle()).abs() <= WIDTH
    }

    /// The front model's answer may count for a head that the rear model sees turned by `yaw`. `was_front`:
    /// which of them counted for it last.
    pub fn needs_front(self, yaw: f32, was_front: Option<bool>) -> bool {
        let blended = match self {
            Self::Switch(_) => false,
            Self::Blend(_, last) => yaw.abs() < last,
        };
        blended || self.is_in_front(yaw, was_front)
    }

    fn is_in_front(self, yaw: f32, was_front: Option<bool>) -> bool {
        let shift = match was_front {
            Some(true) => HYSTERESIS,
            Some(false) => -HYSTERESIS,
            None => 0.0,
        };
        yaw.abs() <= self.middle() + shift
    }

    /// The pose of a head that both models have seen.
    pub fn fuse(self, front: Angles, rear: Angles, was_front: Option<bool>) -> Pose {
        let (front, rear) = (front.wrapped(), rear.wrapped());
        let change = change(rear, front);
        let share = match self {
            Self::Blend(first, last) if change.yaw.abs() <= AGREEMENT => {
                ((last - rear.yaw.abs()) / (last - first)).clamp(0.0, 1.0)
            }
            _ if self.is_in_front(rear.yaw, was_front) => 1.0,
            _ => 0.0,
        };
        let between = |rear: f32, change: f32| rear + share * change;
        let angles = match share {
            0.0 => rear,
            1.0 => front,
            _ => Angles::new(
                between(rear.yaw, change.yaw),
                between(rear.pitch, change.pitch),
                between(rear.roll, change.roll),
            )
            .wrapped(),
        };
        Pose {
            angles,
            is_front: share >= 0.5,
            seam: self.is_near(rear.yaw),
        }
    }
}

/// From one pose to another, each angle the shorter way.
fn change(from: Angles, to: Angles) -> Angles {
    Angles::new(
        to.yaw - from.yaw,
        to.pitch - from.pitch,
        to.roll - from.roll,
    )
    .wrapped()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLEND: Seam = Seam::Blend(60.0, 100.0);

    fn fuse(seam: Seam, front: [f32; 3], rear: [f32; 3]) -> [f32; 3] {
        let angles = |[yaw, pitch, roll]: [f32; 3]| Angles::new(yaw, pitch, roll);
        let Angles { yaw, pitch, roll } = seam.fuse(angles(front), angles(rear), None).angles;
        [yaw, pitch, roll]
    }

    #[test]
    fn a_switch_takes_one_answer_whole() {
        let front = [70.0, 5.0, 6.0];
        for (rear, want) in [
            ([89.9, 1.0, 2.0], front),
            ([90.0, 1.0, 2.0], front),
            ([-90.0, 1.0, 2.0], front),
            ([90.1, 1.0, 2.0], [90.1, 1.0, 2.0]),
            ([180.0, 1.0, 2.0], [180.0, 1.0, 2.0]),
        ] {
            assert_eq!(fuse(Seam::UPSTREAM, front, rear), want, "{rear:?}");
        }
    }

    #[test]
    fn answers_that_agree_are_blended() {
        let front = [70.0, 10.0, -20.0];
        for (rear, want) in [
            ([60.0, 0.0, 0.0], front),
            // A quarter of the way from 60 to 100: three quarters front.
            ([70.0, 2.0, 0.0], [70.0, 8.0, -15.0]),
            ([80.0, 0.0, 0.0], [75.0, 5.0, -10.0]),
            ([90.0, 2.0, 4.0], [85.0, 4.0, -2.0]),
            ([100.0, 2.0, 4.0], [100.0, 2.0, 4.0]),
            // Each angle goes the shorter way: 170 and -20 are 170 apart, by way of 180.
            ([80.0, 0.0, 170.0], [75.0, 5.0, -105.0]),
        ] {
            assert_eq!(fuse(BLEND, front, rear), want, "{rear:?}");
        }
    }

    #[test]
    fn answers_that_differ_are_not_mixed() {
        // The front model often answers some turn to the other side where it sees no face.
        let front = [-30.0, 10.0, -20.0];
        for (rear, want) in [
            ([79.0, 2.0, 4.0], front),
            ([81.0, 2.0, 4.0], [81.0, 2.0, 4.0]),
            // Just 41 degrees from a front answer of -30, and just 40.
            ([-71.0, 2.0, 4.0], front),
            ([-70.0, 2.0, 0.0], [-40.0, 8.0, -15.0]),
        ] {
            assert_eq!(fuse(BLEND, front, rear), want, "{rear:?}");
        }
    }

    /// A head that turns at half a degree a step, seen by models that agree within 15 degrees.
    #[test]
    fn a_turn_through_the_seam_does_not_jump() {
        let mut last: Option<f32> = None;
        for step in 0..380 {
            let rear = step as f32 * 0.5 - 10.0;
            let front = if rear < 72.0 { rear * 0.9 } else { 64.8 };
            let pose = BLEND.fuse(
                Angles::new(front, 0.0, 0.0),
                Angles::new(rear, 0.0, 0.0),
                None,
            );
            if let Some(last) = last.replace(pose.angles.yaw) {
                let moved = pose.angles.yaw - last;
                assert!((0.0..=1.5).contains(&moved), "{rear}: moves by {moved}");
            }
        }
    }

    #[test]
    fn followed_heads_change_sides_late() {
        let apart = Angles::new(-30.0, 0.0, 0.0);
        for (seam, middle) in [(Seam::UPSTREAM, 90.0), (BLEND, 80.0)] {
            for (off, was_front, is_front) in [
                (4.9, Some(true), true),
                (5.1, Some(true), false),
                (-4.9, Some(false), false),
                (-5.1, Some(false), true),
                (0.1, None, false),
                (-0.1, None, true),
            ] {
                let rear = Angles::new(middle + off, 0.0, 0.0);
                let pose = seam.fuse(apart, rear, was_front);
                assert_eq!(pose.is_front, is_front, "{seam:?} {off} {was_front:?}");
            }
        }
    }

    #[test]
    fn the_front_model_looks_where_it_may_count() {
        for (seam, yaw, was_front, needs) in [
            (Seam::UPSTREAM, 90.0, None, true),
            (Seam::UPSTREAM, 90.1, None, false),
            (Seam::UPSTREAM, -94.0, Some(true), true),
            (Seam::UPSTREAM, 86.0, Some(false), false),
            (BLEND, -99.9, Some(false), true),
            (BLEND, 100.0, Some(true), false),
            (BLEND, f32::NAN, None, false),
        ] {
            assert_eq!(seam.needs_front(yaw, was_front), needs, "{seam:?} {yaw}");
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let good = Angles::new(80.0, 0.0, 0.0);
        for seam in [Seam::UPSTREAM, BLEND] {
            let nowhere = Angles::new(f32::NAN, 0.0, 0.0);
            assert!(!seam.fuse(nowhere, good, None).angles.is_finite());
            assert!(!seam.fuse(good, nowhere, None).angles.is_finite());
        }
    }
}

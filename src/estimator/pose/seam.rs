// SPDX-License-Identifier: MPL-2.0
//! The seam between a front and a rear model: which of them looks at a head, and whose answer counts.

use super::super::angles::Angles;
use super::super::track::side::Seen;
use super::blend::{self, Blend};

/// A head that is followed changes from front to rear model, or back, only when its yaw is so many degrees
/// beyond the switch: there it would flicker.
const HYSTERESIS: f32 = 5.0;

/// Heads whose yaw is this close to the switch, or to the profile, in degrees, lie at the seam.
const WIDTH: f32 = 10.0;

/// The pose of one head, perhaps not finite: networks answer what they like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    pub angles: Angles,
    /// The yaw that decided which model counts lies near the seam between the two.
    pub seam: bool,
    /// Standard deviation in degrees, as the model that counted most states it.
    pub uncertainty: Option<f32>,
    pub(in super::super) seen: Seen,
}

/// How two answers become one pose.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Seam {
    /// Up to this |yaw| of the rear model the front model's answer counts, beyond it the rear model's: what
    /// DMHead's fusion means to do. Of two models that were not measured together.
    Switch(f32),
    /// Weighed, see [`blend`].
    Blend(&'static Blend),
}

impl Seam {
    /// Of DMHead's files.
    pub const UPSTREAM: Self = Self::Switch(90.0);

    /// The |yaw| where the front ends.
    fn middle(self) -> f32 {
        match self {
            Self::Switch(angle) => angle,
            Self::Blend(_) => 90.0,
        }
    }

    fn is_near(self, yaw: f32) -> bool {
        (yaw.abs() - self.middle()).abs() <= WIDTH
    }

    /// This answer of the front model leaves no doubt that it sees a face, of a head that it has seen before.
    pub fn is_surely_front(self, front: Angles) -> bool {
        front.wrapped().yaw.abs() < self.middle() / 2.0
    }

    /// The front model's answer may count for a head that the rear model sees like this. `was_front`: which of
    /// them counted for it last.
    pub fn needs_front(self, rear: Angles, was_front: Option<bool>) -> bool {
        match self {
            Self::Switch(angle) => is_in_front(rear.wrapped().yaw, angle, was_front),
            Self::Blend(blend) => blend.needs_front(rear),
        }
    }

    /// The pose of a head that the front model alone has seen, or the only one.
    pub fn front_alone(self, front: Angles) -> Pose {
        let angles = match self {
            Self::Switch(_) => front,
            Self::Blend(_) => blend::front_pose(front),
        };
        self.alone(angles, true, None)
    }

    /// The pose of a head that the rear model alone has seen.
    pub fn rear_alone(self, rear: Angles) -> Pose {
        let angles = match self {
            Self::Switch(_) => rear,
            Self::Blend(blend) => blend.rear_pose(rear.wrapped()),
        };
        self.alone(angles, false, Some(false))
    }

    fn alone(self, angles: Angles, is_front: bool, is_sure: Option<bool>) -> Pose {
        Pose {
            angles,
            seam: self.is_near(angles.wrapped().yaw),
            uncertainty: None,
            seen: Seen { is_front, is_sure },
        }
    }

    /// The pose of a head that both models have seen.
    pub fn fuse(self, front: Angles, rear: Angles, was_front: Option<bool>) -> Pose {
        let (front, rear) = (front.wrapped(), rear.wrapped());
        let yaw = rear.yaw;
        let (angles, rear_share, seam) = match self {
            Self::Switch(angle) => {
                let in_front = is_in_front(yaw, angle, was_front);
                let (angles, share) = if in_front { (front, 0.0) } else { (rear, 1.0) };
                (angles, share, self.is_near(yaw))
            }
            Self::Blend(blend) => {
                let share = blend.rear_share(front, rear);
                let angles = blend.between(front, rear, share);
                let mixed = share > 0.0 && share < 1.0;
                (angles, share, mixed || self.is_near(angles.yaw))
            }
        };
        Pose {
            angles,
            seam,
            uncertainty: None,
            seen: Seen {
                is_front: rear_share < 0.5,
                is_sure: Some(rear_share == 0.0 && self.is_surely_front(front)),
            },
        }
    }
}

fn is_in_front(yaw: f32, angle: f32, was_front: Option<bool>) -> bool {
    let shift = match was_front {
        Some(true) => HYSTERESIS,
        Some(false) => -HYSTERESIS,
        None => 0.0,
    };
    yaw.abs() <= angle + shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(yaw: f32) -> Angles {
        Angles::new(yaw, 1.0, 2.0)
    }

    #[test]
    fn a_switch_takes_one_answer_whole() {
        let front = Angles::new(70.0, 5.0, 6.0);
        for (yaw, in_front) in [
            (89.9, true),
            (90.0, true),
            (-90.0, true),
            (90.1, false),
            (180.0, false),
        ] {
            let (rear, seam) = (turned(yaw), Seam::UPSTREAM);
            let pose = seam.fuse(front, rear, None);
            assert_eq!(pose.angles, if in_front { front } else { rear }, "{yaw}");
            assert_eq!(pose.seen.is_front, in_front, "{yaw}");
            assert_eq!(seam.needs_front(rear, None), in_front, "{yaw}");
            assert_eq!(pose.seam, yaw != 180.0, "{yaw}");
        }
    }

    #[test]
    fn followed_heads_change_sides_late() {
        for (off, was_front, is_front) in [
            (4.9, Some(true), true),
            (5.1, Some(true), false),
            (-4.9, Some(false), false),
            (-5.1, Some(false), true),
            (0.1, None, false),
            (-0.1, None, true),
        ] {
            let (seam, rear) = (Seam::Switch(60.0), turned(60.0 + off));
            let pose = seam.fuse(turned(-30.0), rear, was_front);
            assert_eq!(pose.seen.is_front, is_front, "{off} {was_front:?}");
            assert_eq!(seam.needs_front(rear, was_front), is_front);
        }
    }

    #[test]
    fn a_head_is_surely_in_front_when_both_say_so() {
        for (front, rear, sure) in [
            (44.9, 55.0, true),
            (-44.9, -60.0, true),
            (45.0, 55.0, false),
            (44.0, 85.0, false),
            // From behind the front model answers anything.
            (10.0, 150.0, false),
        ] {
            let pose = Seam::Blend(&blend::WHENET).fuse(turned(front), turned(rear), None);
            assert_eq!(pose.seen.is_sure, Some(sure), "{front} {rear}");
        }
        assert!(!Seam::UPSTREAM.is_surely_front(turned(f32::NAN)));
    }

    #[test]
    fn mixed_answers_and_profiles_lie_at_the_seam() {
        for (front, rear, seam) in [
            (50.0, 55.0, false),
            (64.0, 92.0, true),
            (0.0, 80.0, true),
            (0.0, 170.0, false),
        ] {
            let pose = Seam::Blend(&blend::WHENET).fuse(turned(front), turned(rear), None);
            assert_eq!(pose.seam, seam, "{front} {rear}: {pose:?}");
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let nowhere = turned(f32::NAN);
        for seam in [Seam::UPSTREAM, Seam::Blend(&blend::WHENET)] {
            for pose in [
                seam.fuse(nowhere, turned(80.0), None),
                seam.fuse(turned(80.0), nowhere, None),
                seam.front_alone(nowhere),
                seam.rear_alone(nowhere),
            ] {
                assert!(!pose.angles.is_finite(), "{seam:?} {pose:?}");
                assert_ne!(pose.seen.is_sure, Some(true));
            }
        }
    }
}

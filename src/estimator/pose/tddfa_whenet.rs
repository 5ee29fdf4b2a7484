// SPDX-License-Identifier: MPL-2.0
//! One pose of the answers of 3DDFA_V2 in front and WHENet at the rear.
//!
//! Of a head that both see from the front the front model knows more, up to 75 degrees where its answers end. From
//! behind it answers anything, mostly something far from what the rear model says. So the rear model counts the
//! more, the further behind it has the head and the less the front model agrees. Nothing jumps: both answers count
//! by a share of it that follows the yaws.
//!
//! The constants are fitted to rendered heads whose poses are known, and were judged on others and on Pointing'04:
//! docs/accuracy.md.

use super::super::angles::Angles;
use super::super::quaternion::Quaternion;

/// How far behind the head is, and how far apart the answers are, in degrees together: up to the first the front
/// answer counts alone, from the second on the rear answer.
const FRONT_UP_TO: f32 = 115.0;
const REAR_FROM: f32 = 140.0;

/// The front model answers within 90 degrees. From this yaw of the rear model on no such answer counts.
const NO_FRONT_FROM: f32 = (REAR_FROM + 90.0) / 2.0;

/// The front model's bias, taken back.
const FRONT_YAW: f32 = -1.0;
const FRONT_PITCH: f32 = 3.0;

/// Where the rear model says 90 and the front model does not agree, the head is turned further by so much; less,
/// down to none at 30 degrees from there.
const REAR_YAW: f32 = 15.0;
/// The rear model looks down by so much too far from behind.
const REAR_PITCH: f32 = 8.0;

/// From 0 at `first` to 1 at `last`.
fn ramp(value: f32, first: f32, last: f32) -> f32 {
    ((value - first) / (last - first)).clamp(0.0, 1.0)
}

/// The front model is to look at a head that the rear model sees turned by `yaw`.
pub(super) fn needs_front(yaw: f32) -> bool {
    yaw.abs() < NO_FRONT_FROM
}

/// How much the rear answer counts, of 1. Not a number if one of the yaws is none.
pub(super) fn rear_share(front: Angles, rear: Angles) -> f32 {
    let apart = Angles::new(rear.yaw - front.yaw, 0.0, 0.0).wrapped().yaw;
    ramp(rear.yaw.abs() + apart.abs(), FRONT_UP_TO, REAR_FROM)
}

/// The pose by the front model's answer.
pub(super) fn front_pose(front: Angles) -> Angles {
    Angles::new(front.yaw + FRONT_YAW, front.pitch + FRONT_PITCH, front.roll).wrapped()
}

/// The pose by the rear model's answer.
pub(super) fn rear_pose(rear: Angles) -> Angles {
    let off = rear.yaw.abs();
    let further = REAR_YAW * (1.0 - (off - 90.0).abs() / 30.0).max(0.0);
    let yaw = rear.yaw + further.copysign(rear.yaw);
    let pitch = rear.pitch + REAR_PITCH * ramp(off, 60.0, 120.0);
    Angles::new(yaw, pitch, rear.roll).wrapped()
}

/// The pose by both, the rear answer counting for `share`: so far from the one rotation to the other.
pub(super) fn between(front: Angles, rear: Angles, share: f32) -> Angles {
    let (front, rear) = (front_pose(front), rear_pose(rear));
    if share <= 0.0 {
        return front;
    }
    if share >= 1.0 {
        return rear;
    }
    let from = front.quaternion();
    let whole = from.vector_to(rear.quaternion());
    let part = Quaternion::from_vector(whole.map(|turn| turn * f64::from(share)));
    Angles::from_rotation(&from.then(part).matrix())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn front(yaw: f32) -> Angles {
        Angles::new(yaw, -5.0, 4.0)
    }

    const fn rear(yaw: f32) -> Angles {
        Angles::new(yaw, -10.0, 2.0)
    }

    #[test]
    fn two_answers_make_one_pose() {
        for (rear_yaw, front_yaw, share, want) in [
            (0.0, 0.0, 0.0, [-1.0, -2.0, 4.0]),
            (30.0, 28.0, 0.0, [27.0, -2.0, 4.0]),
            // 85 + 25; alone in front, though the rear model is near the profile.
            (85.0, 60.0, 0.0, [59.0, -2.0, 4.0]),
            // 85 + 55. Further by 15 * 25/30, and up by 8 * 25/60.
            (85.0, 30.0, 1.0, [97.5, -6.667, 2.0]),
            (92.0, 64.0, 0.2, [71.595, -1.668, 4.688]),
            (110.0, 90.0, 0.6, [104.6, -3.515, 2.089]),
            (120.0, 60.0, 1.0, [120.0, -2.0, 2.0]),
            (170.0, 0.0, 1.0, [170.0, -2.0, 2.0]),
            (60.0, -60.0, 1.0, [60.0, -10.0, 2.0]),
            (-90.0, -45.0, 0.8, [-93.203, -8.219, 5.381]),
            // Round the back 179 and -179 are 2 apart, here as well.
            (179.0, -179.0, 1.0, [179.0, -2.0, 2.0]),
        ] {
            let (front, rear) = (front(front_yaw), rear(rear_yaw));
            let found = rear_share(front, rear);
            assert!((found - share).abs() < 1e-5, "{rear:?} {front:?}: {found}");
            let Angles { yaw, pitch, roll } = between(front, rear, found);
            for (got, want) in [yaw, pitch, roll].into_iter().zip(want) {
                assert!(
                    (got - want).abs() < 0.002,
                    "{rear:?} {front:?}: {got} {want}"
                );
            }
        }
    }

    /// A head that turns by half a degree a step, as the two see it: the front model's answers end at 72.
    #[test]
    fn a_turn_through_the_seam_does_not_jump() {
        let mut last: Option<f32> = None;
        for step in 0..360 {
            let turn = step as f32 * 0.5;
            let (front, rear) = (front((turn * 0.9).min(72.0)), rear(turn));
            let pose = between(front, rear, rear_share(front, rear));
            if let Some(last) = last.replace(pose.yaw) {
                let moved = pose.yaw - last;
                assert!((0.0..2.5).contains(&moved), "{turn}: moves by {moved}");
            }
        }
    }

    #[test]
    fn the_front_model_looks_where_it_may_count() {
        for yaw in [-114.9, -60.0, 0.0, 90.0, 114.9, 115.0, -150.0, 180.0] {
            let counts = [-90.0, -45.0, 0.0, 45.0, 90.0]
                .map(|front_yaw| rear_share(front(front_yaw), rear(yaw)) < 1.0);
            assert_eq!(needs_front(yaw), counts.contains(&true), "{yaw}");
        }
        assert!(!needs_front(f32::NAN));
    }
}

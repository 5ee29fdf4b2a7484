// SPDX-License-Identifier: MPL-2.0
//! One pose of the answers of 3DDFA_V2 in front and WHENet at the rear.
//!
//! Of a head that both see from the front the front model knows more, up to 75 degrees where its answers end. From
//! behind it answers anything, mostly something far from what the rear model says. So the rear model counts the
//! more, the further behind it has the head and the less the front model agrees. Nothing jumps: both answers count
//! by a share of it that follows their azimuths.
//!
//! The constants are derived from rendered heads whose poses are known, with an eye on Pointing'04: docs/accuracy.md,
//! truth/README.md.

use super::super::angles::Angles;
use super::super::quaternion::Quaternion;

/// How far round the head is, by half, and how far apart the answers are, in degrees together: up to the first the
/// front answer counts alone, from the second on the rear answer.
const FRONT_UP_TO: f32 = 65.0;
const REAR_FROM: f32 = 85.0;

/// The front model answers within 90 degrees. From this azimuth of the rear model on no such answer counts.
const NO_FRONT_FROM: f32 = (REAR_FROM + 90.0) / 1.5;

/// The front model's bias, taken back: its yaw in full from 45 degrees on, and its pitch.
const FRONT_YAW: f32 = -1.5;
const FRONT_PITCH: f32 = 3.0;

/// Where the rear model says 90 and the front model does not agree, the head is turned further by so much; less,
/// down to none at 30 degrees from there.
const REAR_YAW: f32 = 8.0;
/// The rear model looks down by so much too far from behind.
const REAR_PITCH: f32 = 8.0;

/// From 0 at `first` to 1 at `last`.
fn ramp(value: f32, first: f32, last: f32) -> f32 {
    ((value - first) / (last - first)).clamp(0.0, 1.0)
}

/// Where the nose points about the vertical. Near the profile the yaw of a head that nods says less.
fn azimuth(angles: Angles) -> f32 {
    let (yaw, pitch) = (angles.yaw.to_radians(), angles.pitch.to_radians());
    yaw.sin().atan2(yaw.cos() * pitch.cos()).to_degrees()
}

/// The front model is to run on a head of which this is the rear model's answer.
pub(super) fn needs_front(rear: Angles) -> bool {
    azimuth(rear).abs() < NO_FRONT_FROM
}

/// How much the rear answer counts, of 1. Not a number if one of the answers is none.
pub(super) fn rear_share(front: Angles, rear: Angles) -> f32 {
    let (front, rear) = (azimuth(front), azimuth(rear));
    let apart = Angles::new(rear - front, 0.0, 0.0).wrapped().yaw;
    ramp(rear.abs() / 2.0 + apart.abs(), FRONT_UP_TO, REAR_FROM)
}

/// The pose by the front model's answer.
pub(super) fn front_pose(front: Angles) -> Angles {
    let yaw = front.yaw + FRONT_YAW * ramp(front.yaw.abs(), 0.0, 45.0);
    Angles::new(yaw, front.pitch + FRONT_PITCH, front.roll).wrapped()
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

    #[test]
    fn two_answers_make_one_pose() {
        let angles = |[yaw, pitch, roll]: [f32; 3]| Angles::new(yaw, pitch, roll);
        for (rear, front, share, want) in [
            ([0.0, -10.0, 2.0], [0.0, -5.0, 4.0], 0.0, [0.0, -2.0, 4.0]),
            // -1.5 * 28/45 of yaw.
            (
                [30.0, -10.0, 2.0],
                [28.0, -5.0, 4.0],
                0.0,
                [27.067, -2.0, 4.0],
            ),
            // 85/2 + 25 is an eighth of the way.
            (
                [85.0, 0.0, 2.0],
                [60.0, 0.0, 4.0],
                0.125,
                [62.645, 3.159, 3.854],
            ),
            // 85/2 + 55. Further by 8 * 25/30, and up by 8 * 25/60.
            (
                [85.0, 0.0, 2.0],
                [30.0, 0.0, 4.0],
                1.0,
                [91.667, 3.333, 2.0],
            ),
            (
                [92.0, 0.0, 0.0],
                [64.0, 0.0, 0.0],
                0.45,
                [79.135, 3.037, -0.541],
            ),
            (
                [92.0, -10.0, 2.0],
                [64.0, -5.0, 4.0],
                0.44342,
                [78.884, -1.292, 5.488],
            ),
            (
                [110.0, 0.0, 0.0],
                [90.0, 0.0, 0.0],
                0.5,
                [100.585, 5.872, 1.057],
            ),
            (
                [120.0, -10.0, 2.0],
                [60.0, -5.0, 4.0],
                1.0,
                [120.0, -2.0, 2.0],
            ),
            (
                [170.0, -10.0, 2.0],
                [0.0, -5.0, 4.0],
                1.0,
                [170.0, -2.0, 2.0],
            ),
            ([60.0, 0.0, 2.0], [-60.0, 0.0, 4.0], 1.0, [60.0, 0.0, 2.0]),
            (
                [-90.0, 0.0, 2.0],
                [-58.0, 0.0, 4.0],
                0.6,
                [-82.597, 1.712, 4.681],
            ),
            // Round the back 179 and -179 are 2 apart, here as well.
            (
                [179.0, 0.0, 2.0],
                [-179.0, 0.0, 4.0],
                1.0,
                [179.0, 8.0, 2.0],
            ),
        ] {
            let (front, rear) = (angles(front), angles(rear));
            let found = rear_share(front, rear);
            assert!((found - share).abs() < 1e-4, "{rear:?} {front:?}: {found}");
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
            let front = Angles::new((turn * 0.9).min(72.0), -5.0, 4.0);
            let rear = Angles::new(turn, -10.0, 2.0);
            let pose = between(front, rear, rear_share(front, rear));
            if let Some(last) = last.replace(pose.yaw) {
                let moved = pose.yaw - last;
                assert!((0.0..2.5).contains(&moved), "{turn}: moves by {moved}");
            }
        }
    }

    #[test]
    fn the_front_model_looks_where_it_may_count() {
        let level = |yaw| Angles::new(yaw, 0.0, 0.0);
        for yaw in [-116.6, -60.0, 0.0, 90.0, 116.6, 116.7, -150.0, 180.0] {
            let counts = [-90.0, -45.0, 0.0, 45.0, 90.0]
                .map(|front_yaw| rear_share(level(front_yaw), level(yaw)) < 1.0);
            assert_eq!(needs_front(level(yaw)), counts.contains(&true), "{yaw}");
        }
        assert!(!needs_front(level(f32::NAN)));
    }
}

// SPDX-License-Identifier: MPL-2.0
//! One pose from the answers of 3DDFA_V2 in front and of a rear model.
//!
//! For a head that both see from the front, the front model is more accurate, up to 75 degrees where its answers end.
//! From behind it answers anything, mostly something far from what the rear model says. So the rear model's share grows
//! the further behind it has the head, and the less the front model agrees. Nothing jumps: the share is a continuous
//! function of the azimuths of both answers.
//!
//! The constants are derived from rendered heads whose poses are known, with an eye on Pointing'04: docs/accuracy.md,
//! truth/README.md.

use glam::DMat3;

use super::super::angles::Angles;

/// How the answers of the front model and of one rear model become one.
#[derive(Debug)]
pub(in super::super) struct Blend {
    /// The measure of how little the front answer counts, from the magnitude of the rear model's azimuth and the
    /// distance of the two azimuths, in degrees.
    measure: fn(rear: f32, apart: f32) -> f32,
    /// Up to this measure the front answer counts alone, from the second one on the rear answer.
    front_up_to: f32,
    rear_from: f32,
    /// From this azimuth of the rear model on, no answer of the front model counts.
    no_front_from: f32,
    /// Where the rear model says 90 and the front model does not agree, the head is turned further by this; less,
    /// down to none at 30 degrees from there.
    rear_yaw: f32,
    /// The rear model's pitch is too low by this from behind.
    rear_pitch: f32,
}

/// With WHENet, which places heads near the profile on either side of it.
pub(super) const WHENET: Blend = Blend {
    measure: |rear, apart| rear / 2.0 + apart,
    front_up_to: 65.0,
    rear_from: 85.0,
    // The front model answers within 90 degrees.
    no_front_from: (85.0 + 90.0) / 1.5,
    rear_yaw: 8.0,
    rear_pitch: 8.0,
};

/// With TurnNet, whose azimuth is right within a few degrees: the front answer counts up to half a right angle, unless
/// it is elsewhere.
pub(super) const TURNNET: Blend = Blend {
    measure: |rear, apart| rear.max(2.0 * apart),
    front_up_to: 45.0,
    rear_from: 65.0,
    no_front_from: 65.0,
    rear_yaw: 0.0,
    rear_pitch: 0.0,
};

/// The front model's bias, removed: its yaw in full from 45 degrees on, and its pitch.
const FRONT_YAW: f32 = -1.5;
const FRONT_PITCH: f32 = 3.0;

impl Blend {
    /// The front model is to run on a head of which this is the rear model's answer.
    pub fn needs_front(&self, rear: Angles) -> bool {
        azimuth(rear).abs() < self.no_front_from
    }

    /// The share of the rear answer, 0 to 1. Not a number if one of the answers is none.
    pub fn rear_share(&self, front: Angles, rear: Angles) -> f32 {
        let (front, rear) = (azimuth(front), azimuth(rear));
        let apart = Angles::new(rear - front, 0.0, 0.0).wrapped().yaw.abs();
        if apart.is_nan() {
            // `max` would drop it.
            return apart;
        }
        ramp(
            (self.measure)(rear.abs(), apart),
            self.front_up_to,
            self.rear_from,
        )
    }

    /// The pose by the rear model's answer.
    pub fn rear_pose(&self, rear: Angles) -> Angles {
        let off = rear.yaw.abs();
        let further = self.rear_yaw * (1.0 - (off - 90.0).abs() / 30.0).max(0.0);
        let yaw = rear.yaw + further.copysign(rear.yaw);
        let pitch = rear.pitch + self.rear_pitch * ramp(off, 60.0, 120.0);
        Angles::new(yaw, pitch, rear.roll).wrapped()
    }

    /// The pose by both: the rotation `share` of the way from the front answer to the rear one.
    pub fn between(&self, front: Angles, rear: Angles, share: f32) -> Angles {
        let (front, rear) = (front_pose(front), self.rear_pose(rear));
        if share <= 0.0 {
            return front;
        }
        if share >= 1.0 {
            return rear;
        }
        let between = front.quaternion().slerp(rear.quaternion(), share.into());
        Angles::from_matrix(&DMat3::from_quat(between))
    }
}

/// The pose by the front model's answer.
pub(super) fn front_pose(front: Angles) -> Angles {
    let yaw = front.yaw + FRONT_YAW * ramp(front.yaw.abs(), 0.0, 45.0);
    Angles::new(yaw, front.pitch + FRONT_PITCH, front.roll).wrapped()
}

/// From 0 at `first` to 1 at `last`.
fn ramp(value: f32, first: f32, last: f32) -> f32 {
    ((value - first) / (last - first)).clamp(0.0, 1.0)
}

/// Where the nose points about the vertical. Near the profile the yaw of a head that nods says less.
fn azimuth(angles: Angles) -> f32 {
    let (yaw, pitch) = (angles.yaw.to_radians(), angles.pitch.to_radians());
    yaw.sin().atan2(yaw.cos() * pitch.cos()).to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_answers_make_one_pose() {
        for [yaw, pitch, roll, of_front @ .., share, x, y, z] in [
            // Yaw, pitch and roll of the rear and the front answer; the share, and the pose.
            [0.0, -10.0, 2.0, 0.0, -5.0, 4.0, 0.0, 0.0, -2.0, 4.0],
            // -1.5 * 28/45 of yaw.
            [30.0, -10.0, 2.0, 28.0, -5.0, 4.0, 0.0, 27.067, -2.0, 4.0],
            // 85/2 + 25 is an eighth of the way.
            [85.0, 0.0, 2.0, 60.0, 0.0, 4.0, 0.125, 62.645, 3.159, 3.854],
            // 85/2 + 55. Further by 8 * 25/30, and up by 8 * 25/60.
            [85.0, 0.0, 2.0, 30.0, 0.0, 4.0, 1.0, 91.667, 3.333, 2.0],
            [92.0, 0.0, 0.0, 64.0, 0.0, 0.0, 0.45, 79.135, 3.037, -0.541],
            [
                92.0, -10.0, 2.0, 64.0, -5.0, 4.0, 0.44342, 78.884, -1.292, 5.488,
            ],
            [110.0, 0.0, 0.0, 90.0, 0.0, 0.0, 0.5, 100.585, 5.872, 1.057],
            [120.0, -10.0, 2.0, 60.0, -5.0, 4.0, 1.0, 120.0, -2.0, 2.0],
            [170.0, -10.0, 2.0, 0.0, -5.0, 4.0, 1.0, 170.0, -2.0, 2.0],
            [60.0, 0.0, 2.0, -60.0, 0.0, 4.0, 1.0, 60.0, 0.0, 2.0],
            [-90.0, 0.0, 2.0, -58.0, 0.0, 4.0, 0.6, -82.597, 1.712, 4.681],
            // Round the back 179 and -179 are 2 apart, here as well.
            [179.0, 0.0, 2.0, -179.0, 0.0, 4.0, 1.0, 179.0, 8.0, 2.0],
        ] {
            let (rear, [a, b, c]) = (Angles::new(yaw, pitch, roll), of_front);
            let (front, want) = (Angles::new(a, b, c), [x, y, z]);
            let found = WHENET.rear_share(front, rear);
            assert!((found - share).abs() < 1e-4, "{rear:?} {front:?}: {found}");
            let Angles { yaw, pitch, roll } = WHENET.between(front, rear, found);
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
        for blend in [WHENET, TURNNET] {
            let mut last: Option<f32> = None;
            for step in 0..360 {
                let turn = step as f32 * 0.5;
                let front = Angles::new((turn * 0.9).min(72.0), -5.0, 4.0);
                let rear = Angles::new(turn, -10.0, 2.0);
                let pose = blend.between(front, rear, blend.rear_share(front, rear));
                if let Some(last) = last.replace(pose.yaw) {
                    let moved = pose.yaw - last;
                    assert!((0.0..2.5).contains(&moved), "{turn}: moves by {moved}");
                }
            }
        }
    }

    #[test]
    fn the_front_model_looks_where_it_may_count() {
        let level = |yaw| Angles::new(yaw, 0.0, 0.0);
        for (blend, yaws) in [
            (
                WHENET,
                [-116.6, -60.0, 0.0, 90.0, 116.6, 116.7, -150.0, 180.0],
            ),
            (
                TURNNET,
                [-64.9, -30.0, 0.0, 50.0, 64.9, 65.1, -150.0, 180.0],
            ),
        ] {
            for yaw in yaws {
                let counts = [-90.0, -64.0, -45.0, 0.0, 45.0, 64.0, 90.0]
                    .map(|front_yaw| blend.rear_share(level(front_yaw), level(yaw)) < 1.0);
                assert_eq!(
                    blend.needs_front(level(yaw)),
                    counts.contains(&true),
                    "{yaw}"
                );
            }
            assert!(!blend.needs_front(level(f32::NAN)));
        }
    }

    #[test]
    fn turnnet_takes_over_beyond_half_a_right_angle_or_where_the_front_is_elsewhere() {
        let level = |yaw| Angles::new(yaw, 0.0, 0.0);
        for (front, rear, share) in [
            (44.0, 45.0, 0.0),
            (55.0, 55.0, 0.5),
            (60.0, 65.0, 1.0),
            (-10.0, 20.0, 0.75),
            (20.0, 170.0, 1.0),
        ] {
            let found = TURNNET.rear_share(level(front), level(rear));
            assert!((found - share).abs() < 1e-4, "{front} {rear}: {found}");
        }
        assert!(TURNNET.rear_share(level(f32::NAN), level(20.0)).is_nan());
    }
}

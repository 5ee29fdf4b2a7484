// SPDX-License-Identifier: MPL-2.0
//! Yaw, pitch and roll: THE place where signs and axes are defined.
//!
//! Degrees, in the Hopenet / 300W-LP convention that DMHead and its parts use:
//! - **yaw** in (-180, 180]: 0 faces the camera, positive turns the face to the *image's left*, beyond
//!   90 in magnitude the head is seen from behind;
//! - **pitch** positive looks up;
//! - **roll** positive tilts clockwise in the image (the top of the head moves to the image's right).

use std::f64::consts::PI;

use glam::{DMat3, DQuat, DVec3};
use serde::Serialize;

/// A head's orientation in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Angles {
    pub yaw: f32,
    pub pitch: f32,
    pub roll: f32,
}

impl Angles {
    pub const fn new(yaw: f32, pitch: f32, roll: f32) -> Self {
        Self { yaw, pitch, roll }
    }

    pub fn is_finite(&self) -> bool {
        self.yaw.is_finite() && self.pitch.is_finite() && self.roll.is_finite()
    }

    /// The same orientation with each angle in (-180, 180].
    pub fn wrapped(&self) -> Self {
        Self::new(wrap(self.yaw), wrap(self.pitch), wrap(self.roll))
    }

    pub fn is_rear(&self) -> bool {
        self.yaw.abs() > 90.0
    }

    /// Rotation matrix that takes directions of the head to directions of the image (x right, y down, z towards
    /// the camera).
    ///
    /// Its columns are the head's axes as they are drawn: X leaves through the head's side that is on
    /// the image's right when it faces the camera, Y runs from crown to chin, Z leaves through the
    /// nose. `R = Rx(pitch) * Ry(-yaw) * Rz(roll)` with the textbook elementary rotations; the x and y
    /// of its columns are Hopenet's `draw_axis` formulas.
    pub fn matrix(&self) -> DMat3 {
        let (sy, cy) = (-f64::from(self.yaw)).to_radians().sin_cos();
        let (sp, cp) = f64::from(self.pitch).to_radians().sin_cos();
        let (sr, cr) = f64::from(self.roll).to_radians().sin_cos();
        let x = DVec3::new(cy * cr, cp * sr + cr * sp * sy, sp * sr - cp * sy * cr);
        let y = DVec3::new(-cy * sr, cp * cr - sp * sy * sr, sp * cr + cp * sy * sr);
        let z = DVec3::new(sy, -cy * sp, cp * cy);
        DMat3::from_cols(x, y, z)
    }

    /// The numbers of [`matrix`](Self::matrix), row by row.
    pub fn rotation(&self) -> [f64; 9] {
        self.matrix().transpose().to_cols_array()
    }

    /// The rotation of [`matrix`](Self::matrix).
    pub fn quaternion(&self) -> DQuat {
        let [yaw, pitch, roll] =
            [self.yaw, self.pitch, self.roll].map(|a| f64::from(a).to_radians());
        DQuat::from_rotation_x(pitch) * DQuat::from_rotation_y(-yaw) * DQuat::from_rotation_z(roll)
    }

    /// The angles whose [`matrix`](Self::matrix) is `r`.
    ///
    /// Every rotation has two such triples; this is the one whose pitch lies within +-90 degrees, so
    /// that a head seen from behind keeps |yaw| > 90. Where yaw is exactly +-90 pitch and roll turn
    /// about the same axis, and all of it is given to roll.
    pub fn from_matrix(r: &DMat3) -> Self {
        let pitch = if cos_yaw(r) < 1e-9 {
            0.0
        } else {
            pitch_near(r, 0.0)
        };
        Self::with_pitch(r, pitch)
    }

    /// The angles of the rotation `r` that follow on from a pose with this `pitch`.
    ///
    /// Of the two triples it is the one with the nearer pitch. And near yaw +-90, where pitch and roll turn
    /// about nearly the same axis, the least change of `r` would turn one far against the other; there
    /// pitch stays at what it was, more so the nearer the pole, and roll and yaw make up for it. The price
    /// is a small deviation from `r`, at most 4 degrees where pitch would have had to turn by 90.
    pub fn from_matrix_near(r: &DMat3, pitch: f32) -> Self {
        /// Cosine of the yaw at which pitch goes half the way: 5 degrees off the pole.
        const POLE: f64 = 0.087;
        let before = f64::from(pitch).to_radians();
        let trust = (cos_yaw(r) / POLE).powi(4);
        let trust = trust / (1.0 + trust);
        let change = pitch_near(r, before) - before;
        Self::with_pitch(r, before + trust * change)
    }

    /// The angles with `pitch`, in radians, whose rotation is the nearest to `r`; it is `r` if that has this
    /// pitch.
    fn with_pitch(r: &DMat3, pitch: f64) -> Self {
        // Without its pitch, `r` is Ry(-yaw) * Rz(roll).
        let (sp, cp) = pitch.sin_cos();
        let (x, y, z) = (r.x_axis, r.y_axis, r.z_axis);
        let roll = (cp * x.y + sp * x.z).atan2(cp * y.y + sp * y.z);
        let yaw = -z.x.atan2(cp * z.z - sp * z.y);
        let [yaw, pitch, roll] = [yaw, pitch, roll].map(|angle| wrap(angle.to_degrees() as f32));
        Self::new(yaw, pitch, roll)
    }
}

/// The rotation from one orientation to another: axis times angle in radians, of the two ways round the shorter one.
pub fn rotation_between(from: DQuat, to: DQuat) -> DVec3 {
    let between = to * from.conjugate();
    // `q` and `-q` are the same rotation; the shorter way is that of the one whose w is not negative.
    if between.w < 0.0 {
        (-between).to_scaled_axis()
    } else {
        between.to_scaled_axis()
    }
}

/// The magnitude of the cosine of `r`'s yaw.
fn cos_yaw(r: &DMat3) -> f64 {
    r.z_axis.y.hypot(r.z_axis.z)
}

/// The pitch of `r`, in radians, of its two the one that is nearer to `before`.
fn pitch_near(r: &DMat3, before: f64) -> f64 {
    let change = (-r.z_axis.y).atan2(r.z_axis.z) - before;
    before + change - PI * (change / PI).round()
}

/// An angle in degrees, brought into (-180, 180].
fn wrap(degrees: f32) -> f32 {
    if degrees > -180.0 && degrees <= 180.0 {
        return degrees;
    }
    let wrapped = degrees.rem_euclid(360.0);
    if wrapped > 180.0 {
        wrapped - 360.0
    } else {
        wrapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaw_wraps_at_180() {
        for (from, to) in [
            (0.0, 0.0),
            (180.0, 180.0),
            (-180.0, 180.0),
            (181.0, -179.0),
            (-190.0, 170.0),
            (540.0, 180.0),
        ] {
            assert_eq!(Angles::new(from, 0.0, 0.0).wrapped().yaw, to, "{from}");
        }
    }

    #[test]
    fn the_rear_begins_beyond_90() {
        for (yaw, rear) in [(90.0, false), (-90.0, false), (90.1, true), (-135.0, true)] {
            assert_eq!(Angles::new(yaw, 0.0, 0.0).is_rear(), rear);
        }
    }

    fn assert_rotation(angles: Angles, want: [f64; 9]) {
        let got = angles.rotation();
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-6, "{angles:?}: {got:?} {want}");
        }
    }

    #[test]
    fn rotations_follow_the_signs() {
        let identity = [1., 0., 0., 0., 1., 0., 0., 0., 1.];
        assert_rotation(Angles::default(), identity);
        // Yaw 90: the nose (third column) points to the image's left.
        assert_rotation(
            Angles::new(90.0, 0.0, 0.0),
            [0., 0., -1., 0., 1., 0., 1., 0., 0.],
        );
        // Pitch 90: the nose points up (y is down).
        assert_rotation(
            Angles::new(0.0, 90.0, 0.0),
            [1., 0., 0., 0., 0., -1., 0., 1., 0.],
        );
        // Roll 90: the X axis turns down.
        assert_rotation(
            Angles::new(0.0, 0.0, 90.0),
            [0., -1., 0., 1., 0., 0., 0., 0., 1.],
        );
    }

    #[test]
    fn rotation_gives_the_angles_back() {
        for yaw in [-179.0, -130.0, -91.0, -45.0, 0.0, 30.0, 89.0, 100.0, 180.0] {
            for pitch in [-80.0, -20.0, 0.0, 35.0] {
                for roll in [-170.0, -10.0, 0.0, 60.0, 180.0] {
                    let back = Angles::from_matrix(&Angles::new(yaw, pitch, roll).matrix());
                    let near = |a: f32, b: f32| wrap(a - b).abs() < 1e-3;
                    assert!(
                        near(back.yaw, yaw) && near(back.pitch, pitch) && near(back.roll, roll),
                        "{yaw} {pitch} {roll} came back as {back:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn quaternion_and_rotation_are_the_same() {
        for angles in [
            Angles::new(-32.0, 15.0, 20.0),
            Angles::new(179.0, -40.0, -100.0),
        ] {
            let (a, b) = (angles.matrix(), DMat3::from_quat(angles.quaternion()));
            assert!(a.abs_diff_eq(b, 1e-9), "{a:?} {b:?}");
        }
    }

    #[test]
    fn rotations_between_orientations_take_the_shorter_way() {
        let three_quarters = [0.0, 1.5 * PI, 0.0];
        for (turn, shorter) in [
            ([0.0; 3], [0.0; 3]),
            ([1e-12, 0.0, 0.0], [1e-12, 0.0, 0.0]),
            ([0.3, -1.0, 2.0], [0.3, -1.0, 2.0]),
            (three_quarters, [0.0, -PI / 2.0, 0.0]),
            ([0.0, 0.0, 2.0 * PI], [0.0; 3]),
        ] {
            let from = DQuat::from_scaled_axis(DVec3::new(0.4, 0.2, -0.7));
            let to = DQuat::from_scaled_axis(turn.into()) * from;
            let found = rotation_between(from, to);
            assert!(found.abs_diff_eq(shorter.into(), 1e-9), "{turn:?}: {found}");
        }
    }

    #[test]
    fn a_pitch_nearby_chooses_among_the_two_triples() {
        let angles = Angles::new(30.0, 20.0, 10.0);
        let near = |a: Angles, [yaw, pitch, roll]: [f32; 3]| {
            let off = [a.yaw - yaw, a.pitch - pitch, a.roll - roll];
            assert!(off.iter().all(|&off| wrap(off).abs() < 1.0), "{a:?}");
        };
        let r = angles.matrix();
        near(Angles::from_matrix_near(&r, 5.0), [30.0, 20.0, 10.0]);
        near(
            Angles::from_matrix_near(&r, -170.0),
            [150.0, -160.0, -170.0],
        );
    }

    /// A head that turns through the profile, and rocks a little: its exact pitch swings by 180 degrees.
    #[test]
    fn nothing_swings_at_the_pole() {
        let mut before = Angles::new(80.0, 10.0, 5.0);
        let (mut largest_off, mut largest_step, mut largest_swing) = (0.0f64, 0.0f32, 0.0f32);
        for n in 0..=400 {
            let yaw = 80.0 + n as f32 * 0.05;
            let rock = DVec3::new(0.0, 0.02 * (f64::from(n) * 0.3).sin(), 0.02);
            let r = DQuat::from_scaled_axis(rock) * Angles::new(yaw, 10.0, 5.0).quaternion();
            let angles = Angles::from_matrix_near(&DMat3::from_quat(r), 10.0);
            let off = rotation_between(angles.quaternion(), r).length();
            largest_off = largest_off.max(off.to_degrees());
            if n > 0 {
                largest_step = largest_step.max((angles.pitch - before.pitch).abs());
                largest_step = largest_step.max((angles.roll - before.roll).abs());
                largest_swing = largest_swing.max((angles.pitch - 10.0).abs());
            }
            before = angles;
        }
        assert!(largest_off < 1.5, "{largest_off} degrees off");
        assert!(largest_step < 1.5, "a step of {largest_step} degrees");
        assert!(
            largest_swing < 10.0,
            "pitch swings by {largest_swing} degrees"
        );
    }

    #[test]
    fn following_on_costs_little_anywhere() {
        for yaw in -1800..1800 {
            for (pitch, near) in [(0.0, 90.0), (0.0, -45.0), (-60.0, 20.0)] {
                let pose = Angles::new(yaw as f32 * 0.1, pitch, 30.0);
                let got = Angles::from_matrix_near(&pose.matrix(), near);
                let off = rotation_between(got.quaternion(), pose.quaternion());
                let off = off.length().to_degrees();
                assert!(off < 4.0, "{pose:?} near {near}: {off} degrees off");
            }
        }
    }

    #[test]
    fn rotation_at_the_pole_still_gives_the_same_rotation() {
        let r = Angles::new(90.0, 20.0, 5.0).matrix();
        let again = Angles::from_matrix(&r).matrix();
        assert!(r.abs_diff_eq(again, 1e-5), "{r:?} became {again:?}");
    }
}

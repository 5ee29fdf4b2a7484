// SPDX-License-Identifier: MPL-2.0
//! Yaw, pitch and roll: THE place where signs and axes are defined.
//!
//! Degrees, in the Hopenet / 300W-LP convention that DMHead and its parts use:
//! - **yaw** in (-180, 180]: 0 faces the camera, positive turns the face to the *image's left*, beyond
//!   90 in magnitude the head is seen from behind;
//! - **pitch** positive looks up;
//! - **roll** positive tilts clockwise in the image (the top of the head moves to the image's right).

/// A head's orientation in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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

    /// The head is seen from behind.
    pub fn is_rear(&self) -> bool {
        self.yaw.abs() > 90.0
    }

    /// Rotation matrix, row-major, that takes directions of the head to directions of the image
    /// (x right, y down, z towards the camera).
    ///
    /// Its columns are the head's axes as they are drawn: X leaves through the head's side that is on
    /// the image's right when it faces the camera, Y runs from crown to chin, Z leaves through the
    /// nose. `R = Rx(pitch) * Ry(-yaw) * Rz(roll)` with the textbook elementary rotations; the x and y
    /// of its columns are Hopenet's `draw_axis` formulas.
    pub fn rotation(&self) -> [f64; 9] {
        let (sy, cy) = (-f64::from(self.yaw)).to_radians().sin_cos();
        let (sp, cp) = f64::from(self.pitch).to_radians().sin_cos();
        let (sr, cr) = f64::from(self.roll).to_radians().sin_cos();
        [
            cy * cr,
            -cy * sr,
            sy,
            cp * sr + cr * sp * sy,
            cp * cr - sp * sy * sr,
            -cy * sp,
            sp * sr - cp * sy * cr,
            sp * cr + cp * sy * sr,
            cp * cy,
        ]
    }

    /// The angles whose [`rotation`](Self::rotation) is `r`.
    ///
    /// Every rotation has two such triples; this is the one whose pitch lies within +-90 degrees, so
    /// that a head seen from behind keeps |yaw| > 90. Where yaw is exactly +-90 pitch and roll turn
    /// about the same axis, and all of it is given to roll.
    pub fn from_rotation(r: &[f64; 9]) -> Self {
        use std::f64::consts::{FRAC_PI_2, PI};
        let cos_yaw = r[0].hypot(r[1]);
        let mut turn = r[2].atan2(cos_yaw);
        let (mut pitch, mut roll);
        if cos_yaw < 1e-9 {
            pitch = 0.0;
            roll = r[3].atan2(r[4]);
        } else {
            pitch = (-r[5]).atan2(r[8]);
            roll = (-r[1]).atan2(r[0]);
            if pitch.abs() > FRAC_PI_2 {
                turn = PI - turn;
                pitch -= PI.copysign(pitch);
                roll += PI;
            }
        }
        Self::new(
            wrap((-turn).to_degrees() as f32),
            pitch.to_degrees() as f32,
            wrap(roll.to_degrees() as f32),
        )
    }
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
    fn rotations_draw_hopenets_axes() {
        let angles = Angles::new(-32.0, 15.0, 20.0);
        let (p, y, r) = (15f64.to_radians(), 32f64.to_radians(), 20f64.to_radians());
        let m = angles.rotation();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        close(m[0], y.cos() * r.cos());
        close(m[3], p.cos() * r.sin() + r.cos() * p.sin() * y.sin());
        close(m[1], -y.cos() * r.sin());
        close(m[4], p.cos() * r.cos() - p.sin() * y.sin() * r.sin());
        close(m[2], y.sin());
        close(m[5], -y.cos() * p.sin());
    }

    #[test]
    fn rotation_gives_the_angles_back() {
        for yaw in [-179.0, -130.0, -91.0, -45.0, 0.0, 30.0, 89.0, 100.0, 180.0] {
            for pitch in [-80.0, -20.0, 0.0, 35.0] {
                for roll in [-170.0, -10.0, 0.0, 60.0, 180.0] {
                    let back = Angles::from_rotation(&Angles::new(yaw, pitch, roll).rotation());
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
    fn rotation_at_the_pole_still_gives_the_same_rotation() {
        let r = Angles::new(90.0, 20.0, 5.0).rotation();
        let again = Angles::from_rotation(&r).rotation();
        for (a, b) in r.iter().zip(again) {
            assert!((a - b).abs() < 1e-5, "{r:?} became {again:?}");
        }
    }
}

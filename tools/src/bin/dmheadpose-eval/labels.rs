// SPDX-License-Identifier: MPL-2.0
//! The meaning of a label's three numbers, and the difference of a result from them.
//!
//! Most sets label Euler angles: `Rx(pitch) Ry(-yaw) Rz(roll)`, as defined in src/estimator/angles.rs. Pointing'04
//! labels pan and tilt, the azimuth and the elevation of the nose: `Ry(-pan) Rx(tilt) Rz(roll)`. The two agree only
//! if one of the first two angles is 0.

use glam::{DMat3, DVec3};
use gstdmheadpose::estimator::angles::Angles;

/// The meaning of a label's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Scale {
    /// yaw, pitch and roll
    #[default]
    Euler,
    /// pan, tilt and roll: azimuth and elevation of the nose
    PanTilt,
}

/// A head's orientation: the three numbers in its convention, and the rotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Yaw, pitch and roll, or in their places pan, tilt and roll.
    pub angles: Angles,
    /// As [`Angles::matrix`].
    pub rotation: DMat3,
}

impl Scale {
    /// The names of the three angles.
    pub fn names(self) -> [&'static str; 3] {
        match self {
            Self::Euler => ["yaw", "pitch", "roll"],
            Self::PanTilt => ["pan", "tilt", "roll"],
        }
    }

    /// The pose that a label in this convention describes.
    pub fn labelled(self, angles: Angles) -> Pose {
        let rotation = match self {
            Self::Euler => angles.matrix(),
            Self::PanTilt => {
                let pan = Angles::new(angles.yaw, 0.0, 0.0).matrix();
                // Pitch before roll, as in Euler angles without yaw.
                pan * Angles::new(0.0, angles.pitch, angles.roll).matrix()
            }
        };
        let angles = angles.wrapped();
        Pose { angles, rotation }
    }

    /// The estimator's result in this convention.
    pub fn answered(self, euler: Angles) -> Pose {
        let rotation = euler.matrix();
        let angles = match self {
            Self::Euler => euler.wrapped(),
            Self::PanTilt => pan_and_tilt(&rotation),
        };
        Pose { angles, rotation }
    }
}

/// The pan, tilt and roll whose rotation is `r`.
fn pan_and_tilt(r: &DMat3) -> Angles {
    let nose = nose(r);
    let pan = (-nose.x).atan2(nose.z);
    let tilt = (-nose.y).clamp(-1.0, 1.0).asin();
    // Without pan and tilt `r` is a rotation about the line of sight: its X axis gives the angle.
    let x = (DMat3::from_rotation_x(-tilt) * DMat3::from_rotation_y(pan) * *r).x_axis;
    let [pan, tilt, roll] = [pan, tilt, x.y.atan2(x.x)].map(|angle| angle.to_degrees() as f32);
    Angles::new(pan, tilt, roll).wrapped()
}

/// The direction of the nose.
fn nose(r: &DMat3) -> DVec3 {
    r.z_axis
}

/// The difference between two poses, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Result minus truth in the convention of the labels, each the short way around the circle.
    pub angles: Angles,
    /// Angle of the single rotation from the truth to the result. Unlike the three angles it does not jump near
    /// the profile.
    pub rotation: f32,
    /// Angle between the directions of the nose.
    pub nose: f32,
}

impl Difference {
    pub fn between(answer: &Pose, truth: &Pose) -> Self {
        let (a, b) = (&answer.rotation, &truth.rotation);
        let trace = a.x_axis.dot(b.x_axis) + a.y_axis.dot(b.y_axis) + a.z_axis.dot(b.z_axis);
        let degrees = |cos: f64| cos.clamp(-1.0, 1.0).acos().to_degrees() as f32;
        Self {
            angles: short_way(&answer.angles, &truth.angles),
            rotation: degrees((trace - 1.0) / 2.0),
            nose: degrees(nose(a).dot(nose(b))),
        }
    }

    /// Between two triples of Euler angles.
    pub fn of_euler(answer: &Angles, truth: &Angles) -> Self {
        let scale = Scale::Euler;
        Self::between(&scale.answered(*answer), &scale.labelled(*truth))
    }
}

/// `a` minus `b`, each angle the short way around the circle.
fn short_way(a: &Angles, b: &Angles) -> Angles {
    Angles::new(a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll).wrapped()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(a: Angles, b: Angles) {
        let off = short_way(&a, &b);
        let off = [off.yaw, off.pitch, off.roll];
        assert!(off.iter().all(|off| off.abs() < 1e-3), "{a:?} {b:?}");
    }

    #[test]
    fn differences_take_the_short_way() {
        let error = Difference::of_euler(
            &Angles::new(-179.0, 5.0, 170.0),
            &Angles::new(179.0, 7.0, -170.0),
        );
        assert_near(error.angles, Angles::new(2.0, -2.0, -20.0));
    }

    #[test]
    fn pan_and_tilt_survive_the_way_through_a_rotation() {
        for pan in [-150.0, -90.0, -45.0, 0.0, 30.0, 90.0, 120.0] {
            for tilt in [-60.0, -15.0, 0.0, 30.0, 75.0] {
                for roll in [-40.0, 0.0, 10.0] {
                    let label = Angles::new(pan, tilt, roll);
                    let pose = Scale::PanTilt.labelled(label);
                    let euler = Angles::from_matrix(&pose.rotation);
                    assert_near(Scale::PanTilt.answered(euler).angles, label);
                }
            }
        }
    }

    #[test]
    fn pan_and_tilt_are_azimuth_and_elevation() {
        // Euler pitch rotates about the image's horizontal axis: at a yaw of 60 it lifts the nose by half its sine.
        let pose = Scale::PanTilt.answered(Angles::new(60.0, 30.0, 0.0));
        assert_near(
            Angles {
                roll: 0.0,
                ..pose.angles
            },
            Angles::new(63.4349, 14.4775, 0.0),
        );
        // If one of the two is 0, both conventions agree.
        for angles in [Angles::new(70.0, 0.0, 0.0), Angles::new(0.0, -40.0, 20.0)] {
            assert_near(Scale::PanTilt.answered(angles).angles, angles);
        }
    }

    #[test]
    fn the_rotation_and_the_nose_do_not_jump_at_the_profile() {
        let near = |a: f32, b: f32| assert!((a - b).abs() < 0.05, "{a} {b}");
        // Pitch and roll rotate about the same axis there: far apart as triples, less than a degree as rotations.
        let (a, b) = (Angles::new(89.5, 0.0, -40.0), Angles::new(89.5, 40.0, 0.0));
        let error = Difference::of_euler(&a, &b);
        near(error.angles.pitch, -40.0);
        assert!(error.rotation < 1.0, "{error:?}");
        // Roll alone does not move the nose.
        let error = Difference::of_euler(
            &Angles::new(30.0, 10.0, 25.0),
            &Angles::new(30.0, 10.0, 0.0),
        );
        near(error.nose, 0.0);
        near(error.rotation, 25.0);
    }
}

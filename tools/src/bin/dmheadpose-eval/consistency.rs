// SPDX-License-Identifier: MPL-2.0
//! How consistent a model is without ground truth: compares a head's pose in the picture with its poses in the
//! mirror image and in the picture rotated about the head.
//!
//! In the mirror image, yaw and roll change sign. Rotating the picture clockwise by `a` rotates the pose about the
//! line of sight, `Rz(a) R`: roll grows by `a` if the head faces the camera. The remaining difference is the model's
//! noise. An error that both pictures share does not show, so this does not measure accuracy. Near the profile, where
//! the single angles mean little, the angle of the rotation between the two poses is still meaningful.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use glam::DMat3;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::detector::Detection;
use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::estimator::{Head, HeadPoseEstimator, Settings};

use crate::labels::Difference;
use crate::picture::Picture;
use crate::score::median;

/// The remaining difference between a head's poses in two pictures.
#[derive(Default)]
pub struct Consistency {
    pub n_pictures: usize,
    /// Files that are not pictures, and why.
    pub unreadable: Vec<String>,
    pub turn: f32,
    mirror: Vec<Difference>,
    turned: Vec<Difference>,
    /// Heads whose pose in a changed picture was not finite.
    n_lost: usize,
}

impl Consistency {
    pub fn new(turn: f32) -> Self {
        Self {
            turn,
            ..Self::default()
        }
    }

    pub fn n_heads(&self) -> usize {
        self.mirror.len()
    }

    /// Compares all heads of a picture. A file that is not a picture is recorded.
    ///
    /// # Errors
    /// Errors of the models.
    pub fn add(
        &mut self,
        path: &Path,
        estimator: &mut HeadPoseEstimator,
        settings: &Settings,
    ) -> Result<(), Error> {
        let picture = match Picture::open(path) {
            Ok(picture) => picture,
            Err(reason) => {
                self.unreadable
                    .push(format!("{}: {reason}", path.display()));
                return Ok(());
            }
        };
        self.n_pictures += 1;
        let heads = estimator
            .process(&picture.view()?, None, settings)?
            .to_vec();
        let mirror = picture.mirrored();
        for head in heads {
            let mut pose = |picture: &Picture, rect: Rect| -> Result<Option<Angles>, Error> {
                let known = [Detection::known(rect)];
                let heads = estimator.estimate(&picture.view()?, &known, None, settings)?;
                Ok(heads.first().map(|head| head.angles))
            };
            let Head { rect, angles, .. } = head;
            let width = picture.size().width as f32;
            let mirrored = Rect {
                x: width - rect.right(),
                ..rect
            };
            let left = picture.turned(rect.center(), -self.turn);
            let right = picture.turned(rect.center(), self.turn);
            let poses = (
                pose(&mirror, mirrored)?,
                pose(&left, rect)?,
                pose(&right, rect)?,
            );
            let (Some(mirrored), Some(left), Some(right)) = poses else {
                self.n_lost += 1;
                continue;
            };
            let expected = Angles::new(-angles.yaw, angles.pitch, -angles.roll);
            self.mirror.push(Difference::of_euler(&mirrored, &expected));
            for (pose, degrees) in [(left, -self.turn), (right, self.turn)] {
                let expected = turned(&angles, degrees);
                self.turned.push(Difference::of_euler(&pose, &expected));
            }
        }
        Ok(())
    }
}

/// A pose after the picture was rotated clockwise.
fn turned(angles: &Angles, degrees: f32) -> Angles {
    let clockwise = DMat3::from_rotation_z(f64::from(degrees).to_radians());
    Angles::from_matrix(&(clockwise * angles.matrix()))
}

impl Display for Consistency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (n_heads, n_pictures) = (self.n_heads(), self.n_pictures);
        writeln!(
            f,
            "Heads: {n_heads} in {n_pictures} pictures, {} lost",
            self.n_lost
        )?;
        writeln!(f, "\nRemaining difference, degrees")?;
        let (mean, median, max) = ("mean", "median", "max");
        writeln!(f, "{:<34}{:>7}{mean:>10}{median:>10}{max:>10}", "", "pairs")?;
        rows(f, "mirrored", &self.mirror)?;
        rows(
            f,
            &format!("turned by {} and -{0}", self.turn),
            &self.turned,
        )?;
        for unreadable in &self.unreadable {
            writeln!(f, "not a picture: {unreadable}")?;
        }
        Ok(())
    }
}

fn rows(f: &mut Formatter<'_>, name: &str, left_over: &[Difference]) -> fmt::Result {
    for (index, angle) in ["yaw", "pitch", "roll", "rotation"].into_iter().enumerate() {
        let pick = |left_over: &Difference| {
            let Angles { yaw, pitch, roll } = left_over.angles;
            [yaw, pitch, roll, left_over.rotation][index].abs()
        };
        let values: Vec<f32> = left_over.iter().map(pick).collect();
        let n = values.len();
        let mean = values.iter().sum::<f32>() / n as f32;
        let max = values.iter().copied().fold(0.0, f32::max);
        let Some(median) = median(values) else {
            continue;
        };
        let name = format!("{name}, {angle}");
        writeln!(f, "{name:<34}{n:>7}{mean:>10.2}{median:>10.2}{max:>10.2}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_a_face_changes_its_roll_alone() {
        let after = turned(&Angles::new(0.0, 0.0, 20.0), 8.0);
        let left_over = Difference::of_euler(&after, &Angles::new(0.0, 0.0, 28.0)).angles;
        assert!(
            left_over.roll.abs() < 1e-4 && left_over.yaw.abs() < 1e-4,
            "{after:?}"
        );
    }

    #[test]
    fn turning_a_profile_by_a_quarter_turns_yaw_into_pitch() {
        // The nose points to the image's left; rotated clockwise by 90 degrees it points up.
        let after = turned(&Angles::new(60.0, 0.0, 0.0), 90.0);
        assert!(
            (after.pitch - 60.0).abs() < 1e-3 && after.yaw.abs() < 1e-3,
            "{after:?}"
        );
    }

    #[test]
    fn the_rotation_between_two_poses_is_one_angle() {
        let near = |a: f32, b: f32| assert!((a - b).abs() < 0.1, "{a} {b}");
        let pose = Angles::new(50.0, 30.0, -20.0);
        near(Difference::of_euler(&pose, &pose).rotation, 0.0);
        near(
            Difference::of_euler(&turned(&pose, 33.0), &pose).rotation,
            33.0,
        );
        // Across the pole pitch and roll jump, but the poses are only 2 degrees apart.
        let [before, beyond] = [89.0, 91.0].map(|yaw| Angles::new(yaw, 0.0, 0.0));
        near(Difference::of_euler(&beyond, &before).rotation, 2.0);
    }
}

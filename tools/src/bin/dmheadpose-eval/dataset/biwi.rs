// SPDX-License-Identifier: MPL-2.0
//! The BIWI Kinect head pose database: PNG frames, a pose file for each, a calibration per person.
//!
//! `frame_NNNNN_pose.txt` holds a 3x3 rotation from the head to the camera and the head's centre in
//! millimetres. The camera looks along z with x to the right and y down; ours has z towards the camera, so
//! the rotation is mirrored at the image plane (`D R D`, D = diag(1, 1, -1)). This gives yaw positive to
//! the image's left, pitch positive up and roll positive clockwise, with the signs of Hopenet's BIWI
//! script.
//!
//! The set has no boxes. Ours is a head of 160 x 220 mm, facing the camera, around the centre, projected into the
//! camera of `rgb.cal` (intrinsics, 4 distortion coefficients that are all 0, rotation, translation). If a
//! folder lacks that file, the nominal Kinect is used: 520 pixels focal length, centre at 320, 240, no
//! offset between the cameras.

use std::path::Path;

use glam::{DMat3, DVec3};
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;

use super::{Annotation, Tags, Unusable};

pub const SUFFIX: &str = "_pose.txt";

/// Width and height of a head in millimetres.
const HEAD: [f64; 2] = [160.0, 220.0];

/// Maps points of the depth camera to the colour camera.
struct Camera {
    intrinsics: [f64; 9],
    rotation: [f64; 9],
    translation: [f64; 3],
}

const NOMINAL: Camera = Camera {
    intrinsics: [520.0, 0.0, 320.0, 0.0, 520.0, 240.0, 0.0, 0.0, 1.0],
    rotation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
    translation: [0.0; 3],
};

/// Reads one head from its pose file.
///
/// # Errors
/// [`Unusable`] if it, or the calibration beside it, does not have this layout.
pub fn read(path: &Path) -> Result<Annotation, Unusable> {
    let numbers = numbers(path)?;
    let wrong = |found: String| {
        let expected = "a 3x3 rotation and the head's centre before the camera, 12 finite numbers";
        Unusable::new(path, expected, found)
    };
    let (Some((rotation, rest)), true) = (
        numbers.split_first_chunk::<9>(),
        numbers.iter().all(|v| v.is_finite()),
    ) else {
        return Err(wrong(format!("{} numbers", numbers.len())));
    };
    let Ok(center) = <[f64; 3]>::try_from(rest) else {
        return Err(wrong(format!("{} numbers", numbers.len())));
    };
    let calibration = path.with_file_name("rgb.cal");
    let camera = if calibration.is_file() {
        Camera::read(&calibration)?
    } else {
        NOMINAL
    };
    let rect = camera.head(center);
    let rect = rect.ok_or_else(|| wrong("a head behind the camera".into()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let frame = name.trim_end_matches(SUFFIX);
    Ok(Annotation {
        picture: path.with_file_name(format!("{frame}_rgb.png")),
        rect: Some(rect),
        label: angles(rotation),
        tags: Tags::default(),
    })
}

/// Our angles for a rotation of the data set.
fn angles(r: &[f64; 9]) -> Angles {
    let mirror = DMat3::from_diagonal(DVec3::new(1.0, 1.0, -1.0));
    Angles::from_matrix(&(mirror * DMat3::from_cols_array(r).transpose() * mirror))
}

impl Camera {
    fn read(path: &Path) -> Result<Self, Unusable> {
        let numbers = numbers(path)?;
        let part = |from: usize| numbers.get(from..).unwrap_or_default();
        let (intrinsics, rotation, translation) = (
            part(0).first_chunk(),
            part(13).first_chunk(),
            part(22).first_chunk(),
        );
        match (intrinsics, rotation, translation) {
            (Some(&intrinsics), Some(&rotation), Some(&translation)) => Ok(Self {
                intrinsics,
                rotation,
                translation,
            }),
            _ => {
                let expected = "intrinsics, distortion, rotation, translation: at least 25 numbers";
                let found = format!("{} numbers", numbers.len());
                Err(Unusable::new(path, expected, found))
            }
        }
    }

    /// The box of a head with this centre in the depth camera's space; `None` behind the camera.
    fn head(&self, center: [f64; 3]) -> Option<Rect> {
        let k = &self.intrinsics;
        let rotation = DMat3::from_cols_array(&self.rotation).transpose();
        let seen = rotation * DVec3::from(center) + DVec3::from(self.translation);
        let DVec3 { x, y, z } = seen;
        if z <= 0.0 {
            return None;
        }
        let (u, v) = (k[0] * x / z + k[2], k[4] * y / z + k[5]);
        let (w, h) = (k[0] * HEAD[0] / z, k[4] * HEAD[1] / z);
        let [x, y, w, h] = [u - w / 2.0, v - h / 2.0, w, h].map(|v| v as f32);
        Some(Rect::new(x, y, w, h))
    }
}

/// All numbers of a text file, regardless of line breaks.
fn numbers(path: &Path) -> Result<Vec<f64>, Unusable> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Unusable::new(path, "a readable text file", error.to_string()))?;
    let numbers = text.split_whitespace().map(|word| {
        let number = word.parse();
        number.map_err(|_| Unusable::new(path, "numbers", format!("{word:?}")))
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The angles by the published arithmetic for this set (from the transposed matrix), degrees.
    fn published(r: &[f64; 9]) -> [f64; 3] {
        let roll = -r[1].atan2(r[0]);
        let yaw = -(-r[2]).atan2(r[5].hypot(r[8]));
        let pitch = r[5].atan2(r[8]);
        [yaw, pitch, roll].map(f64::to_degrees)
    }

    #[test]
    fn angles_are_the_published_ones() {
        // Rx(-10) Ry(25) Rz(15) of the data set's axes, in degrees.
        let [(sx, cx), (sy, cy), (sz, cz)] =
            [-10f64, 25.0, 15.0].map(|degrees| degrees.to_radians().sin_cos());
        let r = [
            cy * cz,
            -cy * sz,
            sy,
            cx * sz + sx * sy * cz,
            cx * cz - sx * sy * sz,
            -sx * cy,
            sx * sz - cx * sy * cz,
            sx * cz + cx * sy * sz,
            cx * cy,
        ];
        let ours = angles(&r);
        let [yaw, pitch, roll] = published(&r);
        let pairs = [(ours.yaw, yaw), (ours.pitch, pitch), (ours.roll, roll)];
        for (ours, theirs) in pairs {
            assert!((f64::from(ours) - theirs).abs() < 1e-4, "{ours} {theirs}");
        }
        assert!((ours.yaw - 25.0).abs() < 1e-4, "{ours:?}");
    }

    #[test]
    fn the_nose_tells_the_signs() {
        // The head looks along its own -z, so the camera sees the nose at minus the third column.
        let left = angles(&[
            0.5,
            0.0,
            0.75f64.sqrt(),
            0.0,
            1.0,
            0.0,
            -0.75f64.sqrt(),
            0.0,
            0.5,
        ]);
        assert!((left.yaw - 60.0).abs() < 1e-3, "{left:?}");
        let up = angles(&[1.0, 0.0, 0.0, 0.0, 0.8, 0.6, 0.0, -0.6, 0.8]);
        assert!(up.pitch > 36.0, "{up:?}");
    }

    #[test]
    fn a_head_before_the_camera_has_a_box_around_its_centre() {
        let rect = NOMINAL.head([0.0, 0.0, 1040.0]).unwrap();
        assert_eq!(rect, Rect::new(280.0, 185.0, 80.0, 110.0));
        assert_eq!(NOMINAL.head([0.0, 0.0, -1.0]), None);
    }
}

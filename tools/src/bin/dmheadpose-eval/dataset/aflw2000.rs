// SPDX-License-Identifier: MPL-2.0
//! AFLW2000-3D, and 300W-LP with the same file format: MATLAB 5 files beside JPEG pictures.
//!
//! `Pose_Para` begins with pitch, yaw and roll in radians; signs and axes are those of
//! [`gstdmheadpose::estimator::angles`]. The box encloses the landmarks `pt2d` (2 rows, one column per
//! landmark); without them it is `roi` (left, top, right, bottom). Invisible landmarks are -1 and are
//! left out; the scripts of Hopenet and 6DRepNet include them, and so does `keep_invisible`.

use std::path::Path;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use matfile::{MatFile, NumericData};

use super::{Annotation, Tags, Unusable};

pub const SUFFIX: &str = ".mat";

/// Reads one head.
///
/// # Errors
/// [`Unusable`] if the file does not have this layout.
pub fn read(path: &Path, keep_invisible: bool) -> Result<Annotation, Unusable> {
    let file = std::fs::File::open(path)
        .map_err(|error| Unusable::new(path, "a readable file", error.to_string()))?;
    let file = MatFile::parse(std::io::BufReader::new(file))
        .map_err(|error| Unusable::new(path, "a MATLAB 5 file", error.to_string()))?;
    let pose = numbers(&file, "Pose_Para").unwrap_or_default();
    let [pitch, yaw, roll, ..] = pose[..] else {
        let found = format!("{} numbers", pose.len());
        let expected = "Pose_Para of at least 3 numbers: pitch, yaw, roll";
        return Err(Unusable::new(path, expected, found));
    };
    let degrees = |radians: f64| radians.to_degrees() as f32;
    let truth = Angles::new(degrees(yaw), degrees(pitch), degrees(roll));
    if !truth.is_finite() {
        let found = format!("{pitch}, {yaw}, {roll}");
        return Err(Unusable::new(path, "finite angles in Pose_Para", found));
    }
    let landmarks = numbers(&file, "pt2d").filter(|numbers| !numbers.is_empty());
    let rect = match landmarks {
        Some(landmarks) => around(&landmarks, keep_invisible),
        None => region(&numbers(&file, "roi").unwrap_or_default()),
    };
    let expected = "pt2d with visible landmarks, or roi of 4 numbers";
    let rect = rect.ok_or_else(|| Unusable::new(path, expected, "neither"))?;
    Ok(Annotation {
        picture: path.with_extension("jpg"),
        rect: Some(rect),
        label: truth,
        tags: Tags::default(),
    })
}

/// The box around landmarks x0, y0, x1, y1, ... (MATLAB stores columns first).
fn around(landmarks: &[f64], keep_invisible: bool) -> Option<Rect> {
    let (points, _) = landmarks.as_chunks::<2>();
    let visible = |[x, y]: &&[f64; 2]| keep_invisible || (*x >= 0.0 && *y >= 0.0);
    let mut points = points.iter().filter(visible);
    let first = *points.next()?;
    let (min, max) = points.fold((first, first), |(min, max), p| {
        (
            [min[0].min(p[0]), min[1].min(p[1])],
            [max[0].max(p[0]), max[1].max(p[1])],
        )
    });
    Some(corners(min, max))
}

fn region(roi: &[f64]) -> Option<Rect> {
    match *roi {
        [left, top, right, bottom] => Some(corners([left, top], [right, bottom])),
        _ => None,
    }
}

fn corners(min: [f64; 2], max: [f64; 2]) -> Rect {
    let [x0, y0, x1, y1] = [min[0], min[1], max[0], max[1]].map(|v| v as f32);
    Rect::from_corners(x0, y0, x1, y1)
}

/// The numbers of an array, column by column.
fn numbers(file: &MatFile, name: &str) -> Option<Vec<f64>> {
    Some(match file.find_by_name(name)?.data() {
        NumericData::Int8 { real, .. } => real.iter().map(|&v| v.into()).collect(),
        NumericData::UInt8 { real, .. } => real.iter().map(|&v| v.into()).collect(),
        NumericData::Int16 { real, .. } => real.iter().map(|&v| v.into()).collect(),
        NumericData::UInt16 { real, .. } => real.iter().map(|&v| v.into()).collect(),
        NumericData::Int32 { real, .. } => real.iter().map(|&v| v.into()).collect(),
        NumericData::UInt32 { real, .. } => real.iter().map(|&v| v.into()).collect(),
        NumericData::Int64 { real, .. } => real.iter().map(|&v| v as f64).collect(),
        NumericData::UInt64 { real, .. } => real.iter().map(|&v| v as f64).collect(),
        NumericData::Single { real, .. } => real.iter().map(|&v| v.into()).collect(),
        NumericData::Double { real, .. } => real.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_landmarks_do_not_count_unless_asked_for() {
        let landmarks = [30.0, 40.0, -1.0, -1.0, 90.0, 60.0, 50.0, 20.0];
        let seen = around(&landmarks, false);
        assert_eq!(seen, Some(Rect::from_corners(30.0, 20.0, 90.0, 60.0)));
        let all = around(&landmarks, true);
        assert_eq!(all, Some(Rect::from_corners(-1.0, -1.0, 90.0, 60.0)));
        assert_eq!(around(&[-1.0; 42], false), None);
    }
}

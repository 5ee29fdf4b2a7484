// SPDX-License-Identifier: MPL-2.0
//! Annotations of one's own: a CSV file with a header row that names the columns file, x, y, w, h (the
//! head's box in pixels, without margins), yaw, pitch and roll (degrees). `file` is relative to the CSV
//! file. Further columns are ignored.

use std::path::{Path, PathBuf};

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use serde::Deserialize;

use super::{Annotation, Unusable};

const EXPECTED: &str = "a CSV file with the columns file, x, y, w, h, yaw, pitch, roll";

#[derive(Deserialize)]
struct Row {
    file: PathBuf,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    yaw: f32,
    pitch: f32,
    roll: f32,
}

/// Reads all heads.
///
/// # Errors
/// [`Unusable`] when the file is none, or has no row.
pub fn read(path: &Path) -> Result<Vec<Result<Annotation, Unusable>>, Unusable> {
    let wrong = |found: String| Unusable::new(path, EXPECTED, found);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| wrong(error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let rows = reader.deserialize::<Row>().map(|row| {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let truth = Angles::new(row.yaw, row.pitch, row.roll);
        if !truth.is_finite() {
            return Err(wrong(format!("an angle that is not finite: {truth:?}")));
        }
        Ok(Annotation {
            picture: folder.join(row.file),
            rect: Rect::new(row.x, row.y, row.w, row.h),
            truth,
        })
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return Err(wrong("no row".into()));
    }
    Ok(rows)
}

// SPDX-License-Identifier: MPL-2.0
//! Custom annotations: a CSV file with a header row. The columns yaw, pitch and roll are in degrees; x, y, w
//! and h are the head's box in pixels, without margins, and are empty or missing if only a detector's boxes are
//! used; `file` is relative to the CSV file. All other columns are kept as tags.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;

use super::{Annotation, Tags, Unusable};

const EXPECTED: &str = "a CSV file with the columns file, x, y, w, h, yaw, pitch, roll";
/// The columns that are not tags.
const READ: [&str; 8] = ["file", "x", "y", "w", "h", "yaw", "pitch", "roll"];

/// Reads all heads.
///
/// # Errors
/// [`Unusable`] if the file is not such a table, or has no row.
pub fn read(path: &Path) -> Result<Vec<Result<Annotation, Unusable>>, Unusable> {
    let rows = Rows::read(path, EXPECTED)?;
    let annotation = |row: &StringRecord| {
        let [yaw, pitch, roll] = ["yaw", "pitch", "roll"].map(|name| rows.number(row, name));
        let (Some(yaw), Some(pitch), Some(roll)) = (yaw?, pitch?, roll?) else {
            return Err("a row without yaw, pitch or roll".into());
        };
        let label = Angles::new(yaw, pitch, roll);
        if !label.is_finite() {
            return Err(format!("an angle that is not finite: {label:?}"));
        }
        Ok(Annotation {
            picture: rows.picture(row)?,
            rect: rows.rect(row)?,
            label,
            tags: rows.tags(row),
        })
    };
    let annotations = rows
        .records
        .iter()
        .map(|row| annotation(row).map_err(|found| Unusable::new(path, EXPECTED, found)));
    Ok(annotations.collect())
}

/// A CSV file of heads with access to columns by name.
pub struct Rows {
    folder: PathBuf,
    names: StringRecord,
    pub records: Vec<StringRecord>,
}

impl Rows {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Unusable`], with what was `expected`, if it is not a CSV file, has no column `file`, or has no row.
    pub fn read(path: &Path, expected: &str) -> Result<Self, Unusable> {
        let wrong = |found: String| Unusable::new(path, expected, found);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|error| wrong(error.to_string()))?;
        let names = reader.headers().map_err(|error| wrong(error.to_string()))?;
        let names = names.clone();
        if !names.iter().any(|name| name == "file") {
            let names: Vec<_> = names.iter().collect();
            return Err(wrong(format!("the columns {}", names.join(", "))));
        }
        let records: Result<Vec<_>, _> = reader.records().collect();
        let records = records.map_err(|error| wrong(error.to_string()))?;
        if records.is_empty() {
            return Err(wrong("no row".into()));
        }
        Ok(Self {
            folder: path.parent().unwrap_or(Path::new("")).into(),
            names,
            records,
        })
    }

    /// The text in a column; the empty string if there is no such column.
    pub fn text<'r>(&self, row: &'r StringRecord, name: &str) -> &'r str {
        let column = self.names.iter().position(|have| have == name);
        column.and_then(|column| row.get(column)).unwrap_or("")
    }

    /// The number in a column; `None` if the cell is empty.
    pub fn number(&self, row: &StringRecord, name: &str) -> Result<Option<f32>, String> {
        match self.text(row, name) {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("{text:?} as {name}")),
            },
        }
    }

    pub fn picture(&self, row: &StringRecord) -> Result<PathBuf, String> {
        match self.text(row, "file") {
            "" => Err("a row without a file".into()),
            file => Ok(self.folder.join(file)),
        }
    }

    /// The box; `None` if all four cells are empty.
    pub fn rect(&self, row: &StringRecord) -> Result<Option<Rect>, String> {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| self.number(row, name));
        match (x?, y?, w?, h?) {
            (Some(x), Some(y), Some(w), Some(h)) => Ok(Some(Rect::new(x, y, w, h))),
            (None, None, None, None) => Ok(None),
            _ => Err("a box of fewer than four numbers".into()),
        }
    }

    /// The columns without a predefined meaning.
    pub fn tags(&self, row: &StringRecord) -> Tags {
        let mut tags = Tags::default();
        for (name, value) in self.names.iter().zip(row) {
            if !READ.contains(&name) {
                tags.set(name, value);
            }
        }
        tags
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Pointing'04 (Gourier, Hall and Crowley, 2004): 15 people, each twice in 93 poses of pan and tilt.
//!
//! The pose is in the picture's name: `person` PP S NN TILT PAN `.jpg`, for example `person01140+15-60.jpg` for
//! person 01, series 1, number 40, tilt 15, pan -60. Pan is positive to the image's left, tilt is positive up; roll
//! is not labelled and assumed to be 0. The boxes are read from a file `heads.csv` in the folder (file, x, y, w, h),
//! which is not part of the set.

use std::collections::HashMap;
use std::path::Path;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;

use super::table::Rows;
use super::{Annotation, Tags, Unusable, files_below};

const BOXES: &str = "heads.csv";

/// The contents of a picture's name.
#[derive(Debug, PartialEq)]
pub struct Name {
    pub person: String,
    pub series: char,
    pub pan: f32,
    pub tilt: f32,
}

impl Name {
    /// Parses it; `None` for a file that is not named like the set's pictures.
    pub fn of(file: &Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        let name = name.strip_prefix("person")?.strip_suffix(".jpg")?;
        let (number, pose) = name.split_at(name.find(['+', '-'])?);
        let (tilt, pan) = pose.split_at(1 + pose[1..].find(['+', '-'])?);
        let is_number = number.len() == 5 && number.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            person: number.get(..2).filter(|_| is_number)?.into(),
            series: number.chars().nth(2)?,
            pan: pan.parse().ok()?,
            tilt: tilt.parse().ok()?,
        })
    }
}

/// Reads all heads below a folder.
///
/// # Errors
/// [`Unusable`] if the folder cannot be listed, has no such picture, or has an invalid file of boxes.
pub fn read(folder: &Path) -> Result<Vec<Result<Annotation, Unusable>>, Unusable> {
    let boxes = boxes(&folder.join(BOXES))?;
    let files = files_below(folder)?;
    let annotation = |file: &std::path::PathBuf| {
        let name = Name::of(file)?;
        let rect = boxes.as_ref().map(|boxes| boxes.get(file).copied());
        if rect == Some(None) {
            let expected = format!("its box in {BOXES}");
            return Some(Err(Unusable::new(file, expected, "none")));
        }
        let mut tags = Tags::default();
        tags.set("person", name.person);
        tags.set("series", name.series);
        Some(Ok(Annotation {
            picture: file.clone(),
            rect: rect.flatten(),
            label: Angles::new(name.pan, name.tilt, 0.0),
            tags,
        }))
    };
    let annotations: Vec<_> = files.iter().filter_map(annotation).collect();
    if annotations.is_empty() {
        let expected = "pictures named like person01140+15-60.jpg";
        return Err(Unusable::new(folder, expected, "none"));
    }
    Ok(annotations)
}

/// The boxes by picture; empty if there is no such file.
fn boxes(file: &Path) -> Result<Option<HashMap<std::path::PathBuf, Rect>>, Unusable> {
    if !file.is_file() {
        return Ok(None);
    }
    let expected = "a CSV file with the columns file, x, y, w, h";
    let rows = Rows::read(file, expected)?;
    let boxes = rows.records.iter().map(|row| {
        let rect = rows.rect(row)?.ok_or("a row without a box")?;
        Ok((rows.picture(row)?, rect))
    });
    let boxes: Result<_, String> = boxes.collect();
    boxes
        .map(Some)
        .map_err(|found| Unusable::new(file, expected, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_the_pose() {
        let name = |name: &str| Name::of(Path::new(name));
        let want = |series, pan, tilt| {
            Some(Name {
                person: "07".into(),
                series,
                pan,
                tilt,
            })
        };
        assert_eq!(
            name("Person07/person07140+15-60.jpg"),
            want('1', -60.0, 15.0)
        );
        assert_eq!(name("person07292+90+0.jpg"), want('2', 0.0, 90.0));
        for other in [
            "person07292.jpg",
            "person0729+90+0.jpg",
            "person07292+90+0.txt",
            "heads.csv",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}

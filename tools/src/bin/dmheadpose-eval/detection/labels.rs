// SPDX-License-Identifier: MPL-2.0
//! Pictures with labelled boxes of heads, in one of three forms:
//!
//! - a CSV file with the columns file, x, y, w, h, and optionally side and ignore; a row without a box names a
//!   picture without heads;
//! - a JSON list of objects with `file` and `boxes`, a list of `[x, y, w, h]` or `[x, y, w, h, ignore]`; other
//!   strings in an object, for example `split`, are tags of the picture;
//! - a JSON object of lists of `[left, top, right, bottom, side]` by file.
//!
//! A side is `front`, `profile`, `rear` or `ignore`, or its first letter; `behind` and `b` are `rear` as well. If a
//! CSV file has no side, its column yaw decides: front up to 60 degrees, rear beyond 120.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gstdmheadpose::estimator::geometry::Rect;
use serde_json::Value;

use crate::dataset::table::Rows;
use crate::dataset::{Tags, Unusable};

const CSV: &str = "a CSV file with the columns file, x, y, w, h, and optionally side and ignore";
const JSON: &str = "a JSON list of {\"file\": ..., \"boxes\": [[x, y, w, h, ignore], ...]}, or an object \
                    {FILE: [[left, top, right, bottom, side], ...]}";

/// The side from which a head is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Front,
    Profile,
    Rear,
}

impl Side {
    pub const ALL: [Self; 3] = [Self::Front, Self::Profile, Self::Rear];

    pub fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Profile => "profile",
            Self::Rear => "rear",
        }
    }
}

/// One head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelledHead {
    pub rect: Rect,
    pub side: Option<Side>,
    /// Counts neither as missed nor, if it is detected, as a false box.
    pub ignore: bool,
}

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    pub picture: PathBuf,
    pub heads: Vec<LabelledHead>,
    pub tags: Tags,
}

/// Reads all labels. The pictures' names are relative to `folder`; without one, to the folder of the file.
///
/// # Errors
/// [`Unusable`] if it has none of the three forms.
pub fn read(path: &Path, folder: Option<&Path>) -> Result<Vec<Labelled>, Unusable> {
    let own = path.parent().unwrap_or(Path::new(""));
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    let (expected, labelled) = match is_json {
        true => (JSON, json(path)),
        false => (CSV, table(path)),
    };
    let mut labelled = labelled.map_err(|found| Unusable::new(path, expected, found))?;
    if labelled.is_empty() {
        return Err(Unusable::new(path, expected, "no picture"));
    }
    for labels in &mut labelled {
        labels.picture = folder.unwrap_or(own).join(&labels.picture);
    }
    Ok(labelled)
}

fn table(path: &Path) -> Result<Vec<Labelled>, String> {
    let rows = Rows::read(path, CSV).map_err(|unusable| unusable.found)?;
    let mut labelled: BTreeMap<&str, Labelled> = BTreeMap::new();
    for row in &rows.records {
        let file = rows.text(row, "file");
        let labels = labelled.entry(file).or_insert_with(|| Labelled {
            picture: file.into(),
            heads: Vec::new(),
            tags: rows.tags(row),
        });
        let Some(rect) = rows.rect(row)? else {
            continue;
        };
        let ignored = !matches!(rows.text(row, "ignore"), "" | "0");
        let (side, ignore) = match rows.text(row, "side") {
            "" => (rows.number(row, "yaw")?.map(side_of_yaw), false),
            side => side_of(side)?,
        };
        labels.heads.push(LabelledHead {
            rect,
            side,
            ignore: ignore || ignored,
        });
    }
    Ok(labelled.into_values().collect())
}

fn side_of_yaw(yaw: f32) -> Side {
    match yaw.abs() {
        yaw if yaw <= 60.0 => Side::Front,
        yaw if yaw <= 120.0 => Side::Profile,
        _ => Side::Rear,
    }
}

/// The side that a word names, and whether the head is to be ignored.
fn side_of(word: &str) -> Result<(Option<Side>, bool), String> {
    Ok(match word {
        "front" | "f" => (Some(Side::Front), false),
        "profile" | "p" => (Some(Side::Profile), false),
        "rear" | "r" | "behind" | "b" => (Some(Side::Rear), false),
        "ignore" | "i" => (None, true),
        _ => return Err(format!("the side {word:?}")),
    })
}

fn json(path: &Path) -> Result<Vec<Labelled>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    match serde_json::from_str(&text).map_err(|error| error.to_string())? {
        Value::Array(pictures) => pictures.iter().map(listed).collect(),
        Value::Object(pictures) => {
            let lists = pictures
                .iter()
                .filter_map(|(file, heads)| Some((file, heads.as_array()?)));
            lists.map(|(file, heads)| by_corners(file, heads)).collect()
        }
        other => Err(format!("{other}")),
    }
}

/// A picture of the list.
fn listed(picture: &Value) -> Result<Labelled, String> {
    let found = |what: &str| format!("a picture {what}: {picture}");
    let file = picture["file"]
        .as_str()
        .ok_or_else(|| found("without a file"))?;
    let boxes = picture["boxes"]
        .as_array()
        .ok_or_else(|| found("without boxes"))?;
    let head = |numbers: &Value| {
        let numbers: Option<Vec<f32>> = numbers.as_array()?.iter().map(number).collect();
        let (rect, ignore) = match *numbers? {
            [x, y, w, h] => (Rect::new(x, y, w, h), false),
            [x, y, w, h, ignore] => (Rect::new(x, y, w, h), ignore != 0.0),
            _ => return None,
        };
        Some(LabelledHead {
            rect,
            side: None,
            ignore,
        })
    };
    let heads: Option<Vec<_>> = boxes.iter().map(head).collect();
    let mut tags = Tags::default();
    for (name, value) in picture.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str().filter(|_| name != "file") {
            tags.set(name, text);
        }
    }
    Ok(Labelled {
        picture: file.into(),
        heads: heads.ok_or_else(|| found("with an invalid box"))?,
        tags,
    })
}

/// A picture of the object.
fn by_corners(file: &str, heads: &[Value]) -> Result<Labelled, String> {
    let head = |head: &Value| {
        let wrong = || format!("{head} in {file}");
        let parts = head.as_array().map(Vec::as_slice);
        let Some([left, top, right, bottom, side]) = parts else {
            return Err(wrong());
        };
        let corners = [left, top, right, bottom].map(number);
        let [Some(left), Some(top), Some(right), Some(bottom)] = corners else {
            return Err(wrong());
        };
        let (side, ignore) = side_of(side.as_str().ok_or_else(wrong)?)?;
        Ok(LabelledHead {
            rect: Rect::from_corners(left, top, right, bottom),
            side,
            ignore,
        })
    };
    Ok(Labelled {
        picture: file.into(),
        heads: heads.iter().map(head).collect::<Result<_, _>>()?,
        tags: Tags::default(),
    })
}

fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|number| number as f32)
}

// SPDX-License-Identifier: MPL-2.0
//! Annotated pictures: the heads in them and their true poses. One file per layout.

pub mod aflw2000;
pub mod biwi;
pub mod pointing04;
pub mod table;

use std::path::{Path, PathBuf};

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;

use crate::labels::Scale;

/// The layout of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// NAME.jpg beside NAME.mat, as in AFLW2000-3D and 300W-LP
    Aflw2000,
    /// frame_NNNNN_rgb.png, frame_NNNNN_pose.txt and rgb.cal, as in BIWI
    Biwi,
    /// personPPSNN+TILT+PAN.jpg, as in Pointing'04, and heads.csv with the boxes
    Pointing04,
    /// A CSV file with the columns file, x, y, w, h, yaw, pitch, roll
    Csv,
}

/// One head with its true pose.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    pub picture: PathBuf,
    /// The annotated box, in pixels; what it encloses depends on the layout. `None` if the set has no boxes:
    /// then the picture shows one head.
    pub rect: Option<Rect>,
    /// The label, in the convention of the set.
    pub label: Angles,
    /// Further attributes of the head, by name.
    pub tags: Tags,
}

/// Names and values, for example the additional columns of a CSV file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value; the empty string if there is none.
    pub fn get(&self, name: &str) -> &str {
        let tag = self.0.iter().find(|(have, _)| have == name);
        tag.map_or("", |(_, value)| value)
    }
}

/// A head that cannot be used, because its annotation cannot.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}: expected {expected}, found {found}", path.display())]
pub struct Unusable {
    pub path: PathBuf,
    pub expected: String,
    pub found: String,
}

impl Unusable {
    pub fn new(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl Layout {
    /// The layout that `path` looks like.
    ///
    /// # Errors
    /// [`Unusable`] if it matches no known layout.
    pub fn of(path: &Path) -> Result<Self, Unusable> {
        if path.is_file() {
            return Ok(Self::Csv);
        }
        let files = files_below(path)?;
        if files.iter().any(|file| has_suffix(file, aflw2000::SUFFIX)) {
            Ok(Self::Aflw2000)
        } else if files.iter().any(|file| has_suffix(file, biwi::SUFFIX)) {
            Ok(Self::Biwi)
        } else if files
            .iter()
            .any(|file| pointing04::Name::of(file).is_some())
        {
            Ok(Self::Pointing04)
        } else {
            let expected = "a CSV file, or a folder with .mat or _pose.txt files or the pictures of Pointing'04";
            Err(Unusable::new(path, expected, "a folder with none of them"))
        }
    }

    /// The convention of its labels.
    pub fn scale(self) -> Scale {
        match self {
            Self::Pointing04 => Scale::PanTilt,
            Self::Aflw2000 | Self::Biwi | Self::Csv => Scale::Euler,
        }
    }

    /// Every annotation below `path`, usable or not, in the order of the file names.
    ///
    /// # Errors
    /// [`Unusable`] if there is nothing to read.
    pub fn read(
        self,
        path: &Path,
        keep_invisible: bool,
    ) -> Result<Vec<Result<Annotation, Unusable>>, Unusable> {
        let suffix = match self {
            Self::Csv => return table::read(path),
            Self::Pointing04 => return pointing04::read(path),
            Self::Aflw2000 => aflw2000::SUFFIX,
            Self::Biwi => biwi::SUFFIX,
        };
        let files = files_below(path)?;
        let files = files.iter().filter(|file| has_suffix(file, suffix));
        let annotations: Vec<_> = match self {
            Self::Biwi => files.map(|file| biwi::read(file)).collect(),
            _ => files
                .map(|file| aflw2000::read(file, keep_invisible))
                .collect(),
        };
        if annotations.is_empty() {
            let expected = format!("files that end in {suffix}");
            return Err(Unusable::new(path, expected, "none"));
        }
        Ok(annotations)
    }
}

/// Whether the file's name has this ending.
pub fn has_suffix(file: &Path, suffix: &str) -> bool {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().ends_with(suffix)
}

/// All files in a folder and its subfolders, sorted.
///
/// # Errors
/// [`Unusable`] if a folder cannot be listed.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Unusable> {
    let unlisted = |error: std::io::Error| {
        Unusable::new(folder, "a folder that can be listed", error.to_string())
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unlisted)? {
        let path = entry.map_err(unlisted)?.path();
        if path.is_dir() {
            files.append(&mut files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

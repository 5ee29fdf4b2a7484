// SPDX-License-Identifier: MPL-2.0
//! The program `dmheadpose-eval` on data sets whose errors are known: a toy model computes the pose from the colour of
//! the crop (red - 100, green / 4 - 30, blue / 2 - 20 are yaw, roll and pitch).
//!
//! - [`table`]: CSV files, the rules, failures, and the written files.
//! - [`layouts`]: AFLW2000, BIWI and Pointing'04.
//! - [`steadiness`]: mirror and rotation consistency.
//! - [`detectors`]: labelled boxes, and a detector's score on them.

mod detectors;
mod layouts;
mod steadiness;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage};

use crate::common::onnxruntime_library;
use crate::common::toys::fixture;

/// The toy pose model, and its name in the report.
pub const TOY: &str = "pose_Nx3x32x32";

/// A temporary folder that is removed after the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let name = format!("dmheadpose-eval-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A picture of one colour.
    pub fn paint(&self, name: &str, color: [u8; 3]) {
        let picture = RgbImage::from_pixel(64, 64, Rgb(color));
        picture.save(self.path(name)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Runs the tool with the toy models.
pub fn tool(path: &Path, arguments: &[&str]) -> Output {
    tool_with(TOY, path, arguments)
}

/// Runs the tool with another toy pose model.
pub fn tool_with(pose: &str, path: &Path, arguments: &[&str]) -> Output {
    let model = fixture(pose);
    let models = ["--pose-model", &model];
    command(path, &[arguments, &models].concat())
        .output()
        .unwrap()
}

/// The tool with the toy detector.
pub fn command(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmheadpose-eval"));
    command.arg(path).args(arguments);
    command.args(["--detector-model", &fixture("rows_nhwc_32x32")]);
    if let Some(library) = onnxruntime_library() {
        command.arg("--onnxruntime-library").arg(library);
    }
    command
}

/// The output of a successful run.
pub fn report(path: &Path, arguments: &[&str]) -> String {
    printed(tool(path, arguments))
}

pub fn printed(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The cells of the rows of the report's tables that begin like this, without these first ones; `column` names the
/// first column of the table.
pub fn rows(report: &str, column: &str, first: &[&str]) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Option<Vec<String>> {
        let cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
        Some(cells.map(|cell| cell.trim().to_string()).collect())
    };
    let mut found = Vec::new();
    let mut here = false;
    let mut before: Option<Vec<String>> = None;
    for line in report.lines() {
        let Some(row) = cells(line) else {
            (here, before) = (false, None);
            continue;
        };
        if row[0].starts_with("--") {
            here = before.take().is_some_and(|header| header[0] == column);
        } else if here && row.iter().zip(first).all(|(cell, want)| cell == want) {
            found.push(row[first.len()..].to_vec());
        }
        before = Some(row);
    }
    found
}

/// The numbers of the only row of a table that begins like this.
#[track_caller]
pub fn numbers(report: &str, column: &str, first: &[&str]) -> Vec<f64> {
    let rows = rows(report, column, first);
    assert_eq!(rows.len(), 1, "{column}, {first:?} in {report}");
    let cells = rows[0].iter();
    let number = |cell: &String| cell.trim_end_matches(" %").parse().unwrap_or(f64::NAN);
    cells.map(number).collect()
}

/// The row of mean errors that begins like this, from the number of heads to the mean of the three: heads, yaw, pitch,
/// roll, mean.
#[track_caller]
pub fn assert_errors(report: &str, column: &str, name: &str, want: &[f64; 5], tolerance: f64) {
    let got = numbers(report, column, &[name, TOY]);
    assert_near(report, name, &got[..5], want, tolerance);
}

#[track_caller]
pub fn assert_near(report: &str, name: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{name} in {report}");
    let near = got
        .iter()
        .zip(want)
        .all(|(got, want)| (got - want).abs() <= tolerance);
    assert!(near, "{name}: expected {want:?}, found {got:?} in {report}");
}

/// A row of numbers after a name, in the report of --consistency.
#[track_caller]
pub fn assert_row(report: &str, name: &str, want: &[f64], tolerance: f64) {
    let rows: Vec<_> = report
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .collect();
    assert_eq!(rows.len(), 1, "{name} in {report}");
    let words = rows[0].split_whitespace();
    let got: Vec<f64> = words.map(|word| word.parse().unwrap_or(f64::NAN)).collect();
    assert_near(report, name, &got, want, tolerance);
}

// SPDX-License-Identifier: MPL-2.0
//! The program `dmheadpose-eval` on data sets whose errors are known: a toy model answers by the colour of
//! the crop (red - 100, green / 4 - 30, blue / 2 - 20 are yaw, roll and pitch).
//!
//! - [`table`]: CSV files, the rules, failures, what is written.
//! - [`layouts`]: AFLW2000 and BIWI.
//! - [`steadiness`]: mirror and rotation consistency.

#[path = "../../../tests/toys/mod.rs"]
mod toys;

mod layouts;
mod steadiness;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use toys::{fixture, onnxruntime_library};

/// A folder of its own that goes with the test.
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
    tool_with("pose_Nx3x32x32", path, arguments)
}

/// Runs the tool with another toy pose model.
pub fn tool_with(pose: &str, path: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmheadpose-eval"));
    command.arg(path).args(arguments);
    command.args(["--detector-model", &fixture("rows_nhwc_32x32")]);
    command.args(["--pose-model", &fixture(pose)]);
    if let Some(library) = onnxruntime_library() {
        command.arg("--onnxruntime-library").arg(library);
    }
    command.output().unwrap()
}

/// What a successful run prints.
pub fn report(path: &Path, arguments: &[&str]) -> String {
    let output = tool(path, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The numbers of a row of the report: heads, yaw, pitch, roll, MAE.
pub fn row(report: &str, name: &str) -> Vec<f64> {
    let rows: Vec<_> = report
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .collect();
    assert_eq!(rows.len(), 1, "{name} in {report}");
    let words = rows[0].split_whitespace();
    words.map(|word| word.parse().unwrap_or(f64::NAN)).collect()
}

#[track_caller]
pub fn assert_row(report: &str, name: &str, want: &[f64], tolerance: f64) {
    let got = row(report, name);
    assert_eq!(got.len(), want.len(), "{name} in {report}");
    let near = got
        .iter()
        .zip(want)
        .all(|(got, want)| (got - want).abs() <= tolerance);
    assert!(near, "{name}: expected {want:?} in {report}");
}

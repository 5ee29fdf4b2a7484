// SPDX-License-Identifier: MPL-2.0
//! The program `dmheadpose-models`: running it, and its reports.
//!
//! - [`check`]: its reports on files.
//! - [`fuse`]: a fused file gives the same results in the element as its two parts.

mod check;
mod fuse;

use std::process::{Command, Output};

use serde_json::Value;

use crate::common;

pub fn tool(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmheadpose-models"));
    command.args(arguments);
    if let Some(library) = common::onnxruntime_library() {
        command.arg("--onnxruntime-library").arg(library);
    }
    command.output().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The report on one file, and whether the tool succeeded.
pub fn check(file: &str) -> (Value, bool) {
    let output = tool(&["check", "--json", file]);
    let reports: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    assert_eq!(reports.len(), 1);
    let report = reports[0].clone();
    assert_eq!(report["file"], file);
    assert_eq!(report["ok"], output.status.success(), "{report:#}");
    (report, output.status.success())
}

pub fn fetched(path: &str) -> String {
    common::fetched(path).to_str().unwrap().into()
}

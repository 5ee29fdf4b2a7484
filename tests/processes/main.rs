// SPDX-License-Identifier: MPL-2.0
//! Tests that each need their own process, mostly a copy of this one.

#[path = "../common/mod.rs"]
mod common;

mod cycles;
mod exit;
mod runtime_errors;

use std::process::Command;

/// A copy of this process that runs this test alone.
fn copy_of_this(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    // Logs on request are not errors.
    command.env_remove("GST_DEBUG");
    command
}

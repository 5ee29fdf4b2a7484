// SPDX-License-Identifier: MPL-2.0
//! Builds the programs and libraries of tests/c.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::in_repository;

/// Builds a source file of tests/c by a compiler with these arguments; a warning is an error. `name` is the result's,
/// in the folder for what tests write.
pub fn build(compiler: &str, arguments: &[&str], source: &str, name: &str) -> PathBuf {
    let result = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "gstreamer-1.0"])
        .output()
        .expect("pkg-config is missing: run `make setup`");
    assert!(flags.status.success(), "pkg-config: no gstreamer-1.0");
    // System headers: their warnings are not ours.
    let flags = String::from_utf8(flags.stdout).unwrap();
    let flags = flags.replace("-I/", "-isystem/");
    let output = Command::new(compiler)
        .args(arguments)
        .args(["-Wall", "-Wextra", "-Werror", "-I"])
        .arg(in_repository("include"))
        .arg(in_repository("tests/c").join(source))
        .args(["-x", "none", "-o"])
        .arg(&result)
        .args(flags.split_whitespace())
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}: run `make setup`"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    result
}

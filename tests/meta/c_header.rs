// SPDX-License-Identifier: MPL-2.0
//! Applications in C: `include/dmheadpose.h` compiled as C99 and C++, without warnings, and strings of any bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::common;

const C: [&str; 2] = ["-std=c99", "-pedantic"];
const CXX: [&str; 4] = ["-std=c++11", "-pedantic", "-x", "c++"];

#[test]
fn c_and_cxx_read_what_the_documentation_says() {
    for (compiler, arguments) in [("cc", &C[..]), ("c++", &CXX)] {
        let program = common::c::build(compiler, arguments, "read_meta.c", "read_meta");
        let output = Command::new(program)
            // A GLib critical, for example for a wrong argument, is a failure.
            .env("G_DEBUG", "fatal-criticals")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{compiler}: {errors}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "frame 64 48 source 2 age 40 inference-time 7 n 1\n\
             head id 5 box 1.5 2 3 4 score 0.5 angles -100 20 -3.25 flags 1 0 1 0 uncertainty 6.5 rotation \
             0.000000 0.125000 0.250000 0.375000 0.500000 0.625000 0.750000 0.875000 1.000000\n"
        );
    }
}

/// Paths are bytes; other strings are refused if they are not UTF-8. Neither ends the process.
#[test]
fn strings_that_are_not_utf8() {
    let program = common::c::build("cc", &C, "odd_strings.c", "odd_strings");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(OsStr::from_bytes(b"mod\xe8les \xff"));
    std::fs::create_dir_all(&folder).unwrap();
    let model = |name: &str| {
        let model = folder.join(name);
        let fixture = common::in_repository("tests/fixtures").join(name);
        std::fs::copy(fixture, &model).unwrap();
        model
    };
    let output = Command::new(program)
        .args([model("rows_nhwc_32x32.onnx"), model("pose_Nx3x32x32.onnx")])
        .args(common::onnxruntime_library())
        .env("GST_PLUGIN_PATH", common::plugin_folder())
        .env("GST_REGISTRY", folder.join("registry"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let mut lines: Vec<_> = std::str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "dmheadpose cache-dir taken",
            "dmheadpose detector-model taken",
            "dmheadpose label kept",
            "dmheadpose models-dir taken",
            "dmheadpose object-class kept",
            "dmheadpose onnxruntime-library taken",
            "dmheadpose pose-model taken",
            "dmheadpose rear-model taken",
            "dmheadposejson source-name kept",
            "dmheadposejson tags kept",
            "dmheadposeoverlay label kept",
            "played yes",
        ]
    );
}

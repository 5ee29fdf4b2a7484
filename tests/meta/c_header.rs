// SPDX-License-Identifier: MPL-2.0
//! Applications in C: `include/dmheadpose.h` compiled as C99 and C++, without warnings, and strings of any
//! bytes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::common;
use crate::common::poses::sample;

const C: [&str; 2] = ["-std=c99", "-pedantic"];
const CXX: [&str; 4] = ["-std=c++11", "-pedantic", "-x", "c++"];

/// What the test program prints of its own structure, or of this one.
fn read_meta(compiler: &str, arguments: &[&str], structure: Option<&str>) -> String {
    // Tests build it at the same time.
    let name = format!("read_meta_{compiler}_{}", structure.is_some());
    let program = common::c::build(compiler, arguments, "read_meta.c", &name);
    let output = Command::new(program)
        .args(structure)
        // A GLib critical, for example for a wrong argument, is a failure.
        .env("G_DEBUG", "fatal-criticals")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn c_and_cxx_read_what_the_documentation_says() {
    for (compiler, arguments) in [("cc", &C[..]), ("c++", &CXX)] {
        assert_eq!(
            read_meta(compiler, arguments, None),
            "frame 64 48 source 2 age 40 inference-time 7 n 1\n\
             head id 5 box 1.5 2 3 4 score 0.5 angles -100 20 -3.25 flags 1 0 1 0 uncertainty 6.5 rotation \
             0.000000 0.125000 0.250000 0.375000 0.500000 0.625000 0.750000 0.875000 1.000000\n"
        );
    }
}

#[test]
fn c_reads_what_rust_writes() {
    common::init();
    let poses = sample();
    let structure = poses.to_structure().unwrap().to_string();
    let rotations = poses.heads.iter().map(|head| head.angles.rotation());
    let rotations = rotations.map(|matrix| matrix.map(|value| format!(" {value:.6}")).concat());
    let [first, second] = rotations.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(
        read_meta("cc", &C, Some(&structure)),
        format!(
            "frame 320 240 source 0 age 0 inference-time 12000000 n 2\n\
             head id 1 box 40 60 80 100 score 0.75 angles 20 -10 5 flags 0 0 0 0 uncertainty 4.5 rotation{first}\n\
             head id 0 box 200 20 60 72 score 0.75 angles -150 4 -8.5 flags 1 0 0 0 uncertainty -1 rotation{second}\n"
        )
    );
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
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = printed.lines().collect();
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

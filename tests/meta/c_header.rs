// SPDX-License-Identifier: MPL-2.0
//! `include/dmheadpose.h` compiled as in an application: C99 and C++, without warnings, and the
//! same values as written by Rust.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use gstdmheadpose::estimator::Head;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common;
use crate::common::poses::sample;

const C: (&str, &[&str]) = ("cc", &["-std=c99", "-pedantic"]);
const CXX: (&str, &[&str]) = ("c++", &["-std=c++11", "-pedantic", "-x", "c++"]);

/// The test program, built.
fn build((compiler, arguments): (&str, &[&str]), source: &str, name: &str) -> PathBuf {
    common::c::build(compiler, arguments, source, name)
}

fn run(program: &Path, argument: Option<&str>) -> String {
    let output = Command::new(program)
        .args(argument)
        // A GLib critical, for example for a wrong argument, is a failure.
        .env("G_DEBUG", "fatal-criticals")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The expected output of the program for these poses.
fn expected(poses: &HeadPoses) -> String {
    let head = |head: &Head| {
        let (r, a) = (head.rect, head.angles);
        let rotation: String = a.rotation().iter().map(|v| format!(" {v:.6}")).collect();
        let flags = [head.rear, head.truncated, head.seam, head.predicted].map(i32::from);
        let flags: String = flags.iter().map(|flag| format!(" {flag}")).collect();
        format!(
            "head id {} box {} {} {} {} score {} angles {} {} {} flags{flags} uncertainty {} rotation{rotation}\n",
            head.id,
            r.x,
            r.y,
            r.w,
            r.h,
            head.score,
            a.yaw,
            a.pitch,
            a.roll,
            head.uncertainty.unwrap_or(-1.0),
        )
    };
    format!(
        "frame {} {} source {} age {} inference-time {} n {}\n{}",
        poses.width,
        poses.height,
        poses.source as i32,
        poses.age.unwrap().nseconds(),
        poses.inference_time.unwrap().nseconds(),
        poses.heads.len(),
        poses.heads.iter().map(head).collect::<String>()
    )
}

#[test]
fn c_reads_what_the_documentation_says() {
    let program = build(C, "read_meta.c", "read_meta_c");
    assert_eq!(
        run(&program, None),
        "frame 64 48 source 2 age 40 inference-time 7 n 1\n\
         head id 5 box 1.5 2 3 4 score 0.5 angles -100 20 -3.25 flags 1 0 1 0 uncertainty 6.5 rotation \
         0.000000 0.125000 0.250000 0.375000 0.500000 0.625000 0.750000 0.875000 1.000000\n"
    );
}

#[test]
fn c_reads_what_rust_writes() {
    common::init();
    let program = build(C, "read_meta.c", "read_meta_rust");
    let mut empty = sample();
    empty.heads.clear();
    for poses in [sample(), empty] {
        let structure = poses.to_structure().unwrap().to_string();
        assert_eq!(run(&program, Some(&structure)), expected(&poses));
    }
}

#[test]
fn header_is_clean_cxx() {
    let program = build(CXX, "read_meta.c", "read_meta_cxx");
    assert!(run(&program, None).starts_with("frame 64 48"));
}

/// Paths are bytes; other strings are refused if they are not UTF-8. Neither ends the process.
#[test]
fn strings_that_are_not_utf8() {
    let program = build(C, "odd_strings.c", "odd_strings");
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
        .env(
            "GST_REGISTRY",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd_strings.registry"),
        )
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

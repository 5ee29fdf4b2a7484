// SPDX-License-Identifier: MPL-2.0
//! The programs in examples/ run, and those in C, Python and Rust read the same heads as `dmheadposejson`
//! writes: number for number, in every frame of a section of the demo's clip. The attention monitor reports
//! on the output of `dmheadposejson`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common;
use crate::common::{built, toys};

/// A second of the clip, in which all frames show a face. Cut off in the order of decoding, a few frames
/// lack others that they build upon.
const FRAMES: usize = 24;
const WHOLE_FRAMES: usize = 20;

/// The first frames of the demo's clip as a separate file.
fn stretch(name: &str) -> PathBuf {
    let clip = common::clip();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let pipeline = toys::launch(&format!(
        "filesrc location={} ! qtdemux ! h264parse ! identity eos-after={} ! mp4mux \
         ! filesink location={}",
        clip.display(),
        FRAMES,
        file.display()
    ));
    toys::run(&pipeline);
    file
}

/// The output of a program that runs with the plugin; it must succeed.
fn stdout(program: &Path, arguments: &[&str]) -> String {
    let what = program.display();
    let mut command = common::with_plugin(program);
    // The packages of the tools are for another Python.
    let output = command.args(arguments).env_remove("PYTHONPATH").output();
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}: run `make setup`"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what} {arguments:?}: {}\n{errors}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

fn gst_launch(pipeline: &str) -> String {
    let words: Vec<_> = pipeline.split_whitespace().collect();
    stdout(Path::new("gst-launch-1.0"), &[&["-q"], &words[..]].concat())
}

/// The example in C, built by its own Makefile.
fn c_program() -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("head_poses_c");
    let folder = common::in_repository("examples/c");
    let assignment = format!("PROGRAM={}", program.display());
    let arguments = ["-B", "-C", folder.to_str().unwrap(), &assignment];
    stdout(Path::new("make"), &arguments);
    program
}

/// The lines of `dmheadposejson` as the examples print them: fewer fields, three decimals.
fn abridged(lines: &str) -> String {
    let head = |head: &Value| {
        // Floats are read back exactly: see the tests of dmheadposejson.
        let numbers = |of: &Value, names: &[&str]| {
            let number = |name| of[name].as_f64().unwrap() as f32;
            let numbers = names
                .iter()
                .map(|name| format!("\"{name}\":{:.3}", number(name)));
            numbers.collect::<Vec<_>>().join(",")
        };
        let (id, bounds) = (&head["id"], numbers(&head["box"], &["x", "y", "w", "h"]));
        let angles = numbers(head, &["yaw", "pitch", "roll"]);
        format!(r#"{{"id":{id},"box":{{{bounds}}},{angles}}}"#)
    };
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let heads: Vec<_> = line["heads"].as_array().unwrap().iter().map(head).collect();
        let (pts, heads) = (&line["pts"], heads.join(","));
        format!("{{\"pts\":{pts},\"heads\":[{heads}]}}\n")
    };
    lines.lines().map(line).collect()
}

#[test]
fn c_python_and_rust_read_what_dmheadposejson_writes() {
    let clip = stretch("examples.mp4");
    let clip = clip.to_str().unwrap();
    let written = gst_launch(&format!(
        "filesrc location={clip} ! decodebin ! videoconvert ! dmheadpose tracking=true ! dmheadposejson ! fdsink"
    ));
    let expected = abridged(&written);
    assert!(expected.lines().count() >= WHOLE_FRAMES, "{expected}");
    let has_head = |line: &str| line.contains("yaw");
    assert!(expected.lines().all(has_head), "{expected}");

    let script = common::in_repository("examples/python/head_poses.py");
    let arguments = [script.to_str().unwrap(), clip];
    let from_python = stdout(&common::system_python("Gst"), &arguments);
    assert_eq!(from_python, expected, "examples/python");
    assert_eq!(stdout(&c_program(), &[clip]), expected, "examples/c");
    let from_rust = stdout(&built("examples/head_poses"), &[clip]);
    assert_eq!(from_rust, expected, "examples/rust");
}

#[test]
fn live_view_counts_the_heads_that_face_the_camera() {
    let clip = stretch("live_view.mp4");
    let arguments = [clip.to_str().unwrap(), "fakesink"];
    let said = stdout(&built("examples/live_view"), &arguments);
    // A second of video: one message.
    assert_eq!(said, "0.0 s: 1 heads, 1 looking here\n");
}

#[test]
fn the_attention_monitor_reports_on_a_recording() {
    let clip = stretch("attention.mp4");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [poses, report] = ["jsonl", "html"].map(|kind| folder.join(format!("attention.{kind}")));
    gst_launch(&format!(
        "filesrc location={} ! decodebin ! videoconvert ! dmheadpose tracking=true smoothing=true \
         ! dmheadposejson ! filesink location={}",
        clip.display(),
        poses.display()
    ));
    let lines = std::fs::read_to_string(&poses).unwrap();
    assert!(lines.lines().count() >= WHOLE_FRAMES, "{lines}");

    let script = common::in_repository("examples/attention/attention.py");
    let arguments = [&script, &poses].map(|path| path.to_str().unwrap());
    let output = ["--min-visible", "0.5", "-o", report.to_str().unwrap()];
    let arguments = [&arguments[..], &output].concat();
    let said = stdout(&common::system_python("Gst"), &arguments);
    // The face is towards the camera in the whole section, in which a frame takes 1001/24000 s.
    let seconds = lines.lines().count() as f64 * 1001.0 / 24000.0;
    let expected = format!(
        "person 1: in view {seconds:.1} s, looked {seconds:.1} s (100 %) in 1 glance, longest {seconds:.1} s\n"
    );
    assert!(said.starts_with(&expected), "{said}\ninstead of {expected}");
    let page = std::fs::read_to_string(&report).unwrap();
    assert!(page.contains("<svg class=\"angles\""), "{page}");
}

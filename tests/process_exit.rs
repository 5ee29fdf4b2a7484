// SPDX-License-Identifier: MPL-2.0
//! A process that used the element ends cleanly: after EOS, on Ctrl-C, and when the application
//! leaves while the pipeline still plays. Nothing crashes, hangs or complains on stderr.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gst::prelude::*;

/// Guards against a hang only; a run takes seconds.
const GUARD: Duration = Duration::from_secs(120);
/// Enough for inference to be under way, and for the race at exit to have its chance.
const LINES_BEFORE_EXIT: usize = 10;
/// The race between the streaming thread and the library's destructors is not lost every time.
const RACES: usize = 5;
const EXIT_CODE: i32 = 7;
/// Set in a copy of this process: it is the application that leaves while playing.
const LEAVING: &str = "DMHEADPOSE_TEST_LEAVING";

/// A picture with a head, shown `frames` times (-1: for ever), through the elements.
fn description(frames: i64, sink: &str) -> String {
    let picture = common::in_repository(".setup/pictures/astronaut.png");
    assert!(
        picture.is_file(),
        "{} is missing: run `make pictures`",
        picture.display()
    );
    format!(
        "filesrc location={} ! pngdec ! imagefreeze num-buffers={frames} ! videoconvert ! dmheadpose \
         ! dmheadposejson ! {sink}",
        picture.display()
    )
}

/// The folder of the plugin file: cargo builds it beside the folder of the test programs.
fn plugin_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let folder = program.parent().unwrap().parent().unwrap();
    let plugin = folder.join("libgstdmheadpose.so");
    assert!(
        plugin.is_file(),
        "{} is missing: run `cargo build`",
        plugin.display()
    );
    folder.to_path_buf()
}

/// gst-launch-1.0 with the plugin, its output piped.
fn gst_launch(description: &str) -> Child {
    Command::new("gst-launch-1.0")
        .args(description.split(' '))
        .env("GST_PLUGIN_PATH", plugin_folder())
        // Logs that somebody asked for are no complaints.
        .env_remove("GST_DEBUG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("gst-launch-1.0 could not be started: is gstreamer1.0-tools installed?")
}

/// How a process ended and what it said.
struct Finished {
    status: ExitStatus,
    /// Lines of JSON that name a yaw: frames with a head.
    poses: usize,
    /// The other lines of stdout.
    out: String,
    err: String,
}

/// Reads stdout, waits until `json_lines` lines of JSON have come, calls `then`, reads on to the end;
/// kills what does not end.
fn finish(mut child: Child, json_lines: usize, then: impl FnOnce(u32)) -> Finished {
    let stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let (sender, lines) = mpsc::channel();
    let out = std::thread::spawn(move || {
        let (mut poses, mut text) = (0, String::new());
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.starts_with('{') {
                poses += usize::from(line.contains("\"yaw\""));
                // Nobody listens any more once enough have come.
                let _ = sender.send(());
            } else {
                text.push_str(&line);
                text.push('\n');
            }
        }
        (poses, text)
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let started = (0..json_lines).all(|_| lines.recv_timeout(GUARD).is_ok());
    if started {
        then(child.id());
    }
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if begin.elapsed() > GUARD {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let ((poses, out), err) = (out.join().unwrap(), err.join().unwrap());
    assert!(started, "no {json_lines} lines of JSON came.\n{out}\n{err}");
    let status = status.unwrap_or_else(|| panic!("the process did not end.\n{out}\n{err}"));
    Finished {
        status,
        poses,
        out,
        err,
    }
}

fn interrupt(pid: u32) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -INT {pid}")])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn end_of_stream() {
    let child = gst_launch(&description(20, "fdsink fd=1"));
    let end = finish(child, 20, |_| ());
    assert_eq!(end.status.code(), Some(0), "{}\n{}", end.out, end.err);
    assert_eq!(end.err, "");
    assert_eq!(end.poses, 20, "{}", end.out);
}

#[test]
fn interrupt_while_playing() {
    for _ in 0..RACES {
        let child = gst_launch(&description(-1, "fdsink fd=1"));
        let end = finish(child, LINES_BEFORE_EXIT, interrupt);
        // gst-launch-1.0 has stopped the pipeline in order and ended by itself, not by a signal.
        assert!(end.status.code().is_some(), "{}\n{}", end.status, end.err);
        assert!(
            end.out.contains("Freeing pipeline"),
            "{}\n{}",
            end.out,
            end.err
        );
        assert_eq!(end.err, "");
    }
}

#[test]
fn interrupt_with_end_of_stream() {
    // imagefreeze would not end by the event that -e sends.
    let child = gst_launch("-e videotestsrc ! dmheadpose ! dmheadposejson ! fdsink fd=1");
    let end = finish(child, LINES_BEFORE_EXIT, interrupt);
    assert_eq!(end.status.code(), Some(0), "{}\n{}", end.out, end.err);
    assert!(end.out.contains("Got EOS"), "{}\n{}", end.out, end.err);
    assert_eq!(end.err, "");
}

/// What an application does that calls `exit` in the middle.
fn leave_while_playing() -> ! {
    common::init();
    let pipeline = gst::parse::launch(&description(-1, "fakesink name=sink"))
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let (sender, frames) = mpsc::channel();
    pipeline
        .by_name("sink")
        .unwrap()
        .static_pad("sink")
        .unwrap()
        .add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            let _ = sender.send(());
            gst::PadProbeReturn::Ok
        });
    pipeline.set_state(gst::State::Playing).unwrap();
    for _ in 0..LINES_BEFORE_EXIT {
        frames.recv_timeout(GUARD).unwrap();
    }
    // Holds the pipeline: it is not stopped, as in an application that forgets about it.
    std::mem::forget(pipeline);
    std::process::exit(EXIT_CODE);
}

#[test]
fn exit_while_playing() {
    if std::env::var_os(LEAVING).is_some() {
        leave_while_playing();
    }
    for _ in 0..RACES {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "exit_while_playing", "--nocapture"])
            .env(LEAVING, "1")
            .env_remove("GST_DEBUG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let end = finish(child, 0, |_| ());
        assert_eq!(
            end.status.code(),
            Some(EXIT_CODE),
            "{}\n{}\n{}",
            end.status,
            end.out,
            end.err
        );
        assert_eq!(end.err, "");
    }
}

// SPDX-License-Identifier: MPL-2.0
//! A process that used the element ends cleanly: after EOS, on Ctrl-C, and when the application
//! exits while the pipeline still plays, or still starts. Nothing crashes, hangs or prints errors. The same holds for
//! the children that it forks. It writes no files of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::common;
use crate::common::random::Random;
use crate::common::toys;
use crate::copy_of_this;

/// Guards against a hang only; a run takes seconds.
const GUARD: Duration = Duration::from_secs(120);
/// Enough for inference to run, and for the race at exit to have a chance.
const LINES_BEFORE_EXIT: usize = 10;
/// The race between the streaming thread and the library's destructors is not lost every time.
const RACES: usize = 5;
const EXIT_CODE: i32 = 7;
/// Set in a copy of this process: the application that exits while playing.
const LEAVING: &str = "DMHEADPOSE_TEST_LEAVING";
/// Number of exits at random moments, unless the variable EXITS is set: `make soak` tries more.
const EXITS: u64 = 60;
/// From the call of `exit` to the end of the process: the wait takes the time of a few inferences. On a machine
/// without free time, as long as the process took to get there.
const LONGEST_EXIT: Duration = Duration::from_secs(1);

/// gst-launch-1.0 with the plugin.
fn gst_launch(description: &str) -> Command {
    let mut command = Command::new("gst-launch-1.0");
    command.args(description.split(' '));
    command.env("GST_PLUGIN_PATH", common::plugin_folder());
    // Logs on request are not errors.
    command.env_remove("GST_DEBUG");
    command
}

struct Finished {
    status: ExitStatus,
    /// Lines of JSON with a yaw: frames with a head.
    poses: usize,
    /// The other lines of stdout.
    out: String,
    err: String,
}

impl Finished {
    /// The process ended by itself with this code and no errors.
    #[track_caller]
    fn assert_clean(&self, code: i32, case: &str) {
        let Self {
            status, out, err, ..
        } = self;
        assert_eq!(status.code(), Some(code), "{case}: {status}\n{out}\n{err}");
        assert_eq!(err, "", "{case}");
    }
}

/// Runs a program: reads stdout, waits until `json_lines` lines of JSON have arrived, calls `then`, reads to the end;
/// kills a process that does not end.
fn finish(command: &mut Command, json_lines: usize, then: impl FnOnce(u32)) -> Finished {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let (sender, lines) = mpsc::channel();
    let out = std::thread::spawn(move || {
        let (mut poses, mut text) = (0, String::new());
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.starts_with('{') {
                poses += usize::from(line.contains("\"yaw\""));
                // The receiver is gone once enough have arrived.
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
    let line = format!("kill -INT {pid}");
    let sent = Command::new("sh").args(["-c", &line]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn interrupt_while_playing() {
    let picture = common::fetched(".setup/pictures/astronaut.png");
    let line = format!(
        "filesrc location={} ! pngdec ! imagefreeze ! videoconvert ! dmheadpose ! dmheadposejson ! fdsink fd=1",
        picture.display()
    );
    for _ in 0..RACES {
        let end = finish(&mut gst_launch(&line), LINES_BEFORE_EXIT, interrupt);
        // gst-launch-1.0 has stopped the pipeline in order and has exited itself, not by a signal.
        assert!(end.status.code().is_some(), "{}\n{}", end.status, end.err);
        let is_in_order = end.out.contains("Freeing pipeline");
        assert!(is_in_order, "{}\n{}", end.out, end.err);
        assert_eq!(end.err, "");
    }
}

#[test]
fn interrupt_with_end_of_stream() {
    // imagefreeze does not end on the event that -e sends.
    let mut command = gst_launch("-e videotestsrc ! dmheadpose ! dmheadposejson ! fdsink fd=1");
    let end = finish(&mut command, LINES_BEFORE_EXIT, interrupt);
    end.assert_clean(0, "-e");
    assert!(end.out.contains("Got EOS"), "{}", end.out);
}

/// An application that plays this many streams and calls `exit` this many milliseconds after the first frames.
fn leave_at(streams: usize, milliseconds: u64) -> ! {
    common::init();
    let pose = toys::fixture("pose_Nx3x32x32");
    let (sender, frames) = mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..3 * streams {
            frames.recv_timeout(GUARD).unwrap();
        }
        std::thread::sleep(Duration::from_millis(milliseconds));
        println!("{{leaving}}");
        std::process::exit(EXIT_CODE);
    });
    for _ in 0..streams {
        let line = format!("videotestsrc ! dmheadpose pose-model={pose} ! fakesink name=sink");
        let pipeline = toys::launch(&line);
        let sender = sender.clone();
        let sink = toys::pad(&pipeline, "sink", "sink");
        toys::each_buffer(&sink, move |_| {
            let _ = sender.send(());
        });
        // It fails if the process is already exiting.
        let _ = pipeline.set_state(gst::State::Playing);
        std::mem::forget(pipeline);
    }
    loop {
        std::thread::park();
    }
}

#[test]
fn exit_at_a_random_moment_with_several_streams() {
    if let Ok(leaving) = std::env::var(LEAVING) {
        let mut numbers = leaving.split(' ').map(|number| number.parse().unwrap());
        let mut next = || numbers.next().unwrap();
        leave_at(next() as usize, next());
    }
    let exits = std::env::var("EXITS").map_or(EXITS, |exits| exits.parse().unwrap());
    let mut times = Vec::new();
    let mut random = Random::new(1);
    for number in 0..exits {
        let streams = [8, 4, 8, 1][number as usize % 4];
        let leaving = format!("{streams} {}", random.below(100));
        let start = Instant::now();
        let mut copy = copy_of_this("exit::exit_at_a_random_moment_with_several_streams");
        let mut left = start;
        let end = finish(copy.env(LEAVING, &leaving), 1, |_| left = Instant::now());
        let time = left.elapsed();
        times.push(time);
        let case = format!("exit {number} ({leaving})");
        end.assert_clean(EXIT_CODE, &case);
        assert!(time < LONGEST_EXIT.max(left - start), "{case}: {time:?}");
    }
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{exits} exits: {median:?} median, {longest:?} the longest");
}

fn toy_element() -> String {
    let [detector, pose] = ["rows_nhwc_32x32", "pose_Nx3x32x32"].map(toys::fixture);
    format!("dmheadpose detector-model={detector} pose-model={pose}")
}

fn c_program(name: &str) -> PathBuf {
    // Tests build it at the same time.
    let thread = std::thread::current();
    let program = format!("{name}_{}", thread.name().unwrap_or_default());
    common::c::build("cc", &["-std=gnu99"], &format!("{name}.c"), &program)
}

fn run_c(program: &Path, arguments: [&str; 3]) -> Finished {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("GST_PLUGIN_PATH", common::plugin_folder())
        .env_remove("GST_DEBUG")
        .env_remove("G_DEBUG");
    finish(&mut command, 0, |_| ())
}

fn fork(what: &str, children: u32, properties: &str) {
    let element = format!("{} {properties}", toy_element());
    let end = run_c(&c_program("fork"), [what, &children.to_string(), &element]);
    let case = format!("{what} {properties}: {}\n{}", end.status, end.err);
    assert_eq!(end.status.code(), Some(0), "{case}");
}

#[test]
fn exit_while_another_thread_loads() {
    let program = c_program("exit");
    for milliseconds in (0..300).step_by(10) {
        let milliseconds = milliseconds.to_string();
        let end = run_c(&program, [&milliseconds, "2", &toy_element()]);
        end.assert_clean(EXIT_CODE, &format!("{milliseconds} ms"));
    }
}

#[test]
fn forked_children_end() {
    fork("exit", 50, "pipeline-depth=3");
    fork("exit", 20, "async=true");
}

#[test]
fn forked_children_are_refused_with_a_message() {
    fork("play", 3, "");
    for properties in ["pipeline-depth=1", "pipeline-depth=3", "async=true"] {
        fork("push", 3, properties);
    }
}

#[test]
fn forked_children_can_stop_what_the_parent_started() {
    for properties in ["intra-op-threads=2", "pipeline-depth=4", "async=true"] {
        fork("stop", 3, properties);
    }
}

/// Nothing is printed at the end of the stream. In a stream that can wait, two workers infer frames if there are two
/// processors, and each loads both models once. ONNX Runtime 1.32 stores usage data in the user's cache folder and sends
/// it, unless told not to.
#[test]
fn end_of_stream_with_models_loaded_once_and_no_usage_data() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("end_of_stream");
    let _ = std::fs::remove_dir_all(&folder);
    let home = folder.join("home");
    std::fs::create_dir_all(&home).unwrap();
    let element = toy_element();
    let line = format!("videotestsrc num-buffers=20 ! {element} ! dmheadposejson ! fdsink fd=1");
    let log = folder.join("log");
    let mut command = gst_launch(&line);
    command
        .env("HOME", &home)
        .env("XDG_CACHE_HOME", home.join(".cache"))
        .env("GST_REGISTRY", folder.join("registry.bin"))
        .env("GST_DEBUG", "dmheadpose-ort:INFO")
        .env("GST_DEBUG_FILE", &log)
        .env_remove("ORT_DISABLE_TELEMETRY");
    let end = finish(&mut command, 20, |_| ());
    end.assert_clean(0, "end of stream");
    assert_eq!(end.poses, 20, "{}", end.out);

    let log = std::fs::read_to_string(log).unwrap();
    let loaded = log.matches("Session successfully initialized").count();
    let threads = std::thread::available_parallelism().unwrap().get().min(2);
    assert_eq!(loaded, 2 * threads, "sessions of two models");
    let kept = std::fs::read_dir(&home).unwrap();
    let kept: Vec<_> = kept.map(|entry| entry.unwrap().file_name()).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

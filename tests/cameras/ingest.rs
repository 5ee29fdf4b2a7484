// SPDX-License-Identifier: MPL-2.0
//! The example rtsp_ingest: cameras that die, hang and come back, and other cameras that are not affected.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::common;
use crate::common::rtsp::{self, Server};

/// A guard against a hang, not a measurement: reconnecting takes seconds.
const GUARD: Duration = Duration::from_secs(120);

/// Likewise: two cameras write this many lines in two minutes.
const MOST_LINES: usize = 6000;

struct Ingest {
    process: Child,
    /// Lines of both its outputs as they arrive: JSON, and events of cameras.
    lines: Receiver<Line>,
    /// Running time of the last line of each camera, and whether a gap may follow it.
    seen: Vec<(String, u64)>,
    count: usize,
}

enum Line {
    Poses(Value),
    Event(String),
}

impl Ingest {
    fn start(cameras: &[(&str, String)]) -> Self {
        let mut command = common::with_plugin(common::built("examples/rtsp_ingest"));
        command.args(cameras.iter().map(|(name, uri)| format!("{name}={uri}")));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (sender, lines) = channel();
        let forward = |stream: Box<dyn Read + Send>, line: fn(String) -> Line| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for text in BufReader::new(stream).lines().map_while(Result::ok) {
                    // The receiver is gone once the test has seen enough.
                    let _ = sender.send(line(text));
                }
            });
        };
        forward(Box::new(process.stdout.take().unwrap()), |text| {
            Line::Poses(serde_json::from_str(&text).expect("a line of JSON"))
        });
        forward(Box::new(process.stderr.take().unwrap()), Line::Event);
        Self {
            process,
            lines,
            seen: Vec::new(),
            count: 0,
        }
    }

    /// The next line, checked: running time only increases.
    fn next(&mut self) -> Line {
        self.count += 1;
        assert!(self.count < MOST_LINES, "waited for what never happened");
        let line = self.lines.recv_timeout(GUARD).expect("a line");
        if let Line::Poses(poses) = &line {
            let camera = poses["source_name"].as_str().unwrap();
            let time = poses["running_time"].as_u64().unwrap();
            match self.seen.iter_mut().find(|(name, _)| name == camera) {
                Some((_, last)) => {
                    assert!(time > *last, "{camera}: {time} after {last}");
                    *last = time;
                }
                None => self.seen.push((camera.into(), time)),
            }
        }
        line
    }

    /// Waits for `frames` more lines of a camera without any event of it. Returns their running times.
    fn frames(&mut self, camera: &str, frames: usize) -> Vec<u64> {
        let mut times = Vec::new();
        while times.len() < frames {
            match self.next() {
                Line::Poses(poses) if poses["source_name"] == camera => {
                    times.push(poses["running_time"].as_u64().unwrap());
                }
                Line::Event(event) => assert!(!event.starts_with(camera), "{event}"),
                Line::Poses(_) => {}
            }
        }
        times
    }

    fn all_connected(&mut self, cameras: &[&str]) {
        let mut missing = cameras.to_vec();
        while !missing.is_empty() {
            if let Line::Event(event) = self.next() {
                missing.retain(|camera| event != format!("{camera}: connected"));
            }
        }
    }

    /// Waits for this event of a camera; returns the event and the running times of the lines of
    /// `other` that arrived meanwhile without any event of it.
    fn event(&mut self, camera: &str, what: &str, other: &str) -> (String, Vec<u64>) {
        let mut times = Vec::new();
        loop {
            match self.next() {
                Line::Event(event) if event.starts_with(camera) => {
                    assert!(!event.contains("analysis failed"), "{event}");
                    if event.contains(what) {
                        return (event, times);
                    }
                }
                Line::Event(event) => assert!(!event.starts_with(other), "{event}"),
                Line::Poses(poses) if poses["source_name"] == other => {
                    times.push(poses["running_time"].as_u64().unwrap());
                }
                Line::Poses(_) => {}
            }
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The camera gate dies, comes back, hangs and comes back, and the camera yard is not affected. Returns the
/// symptom of the death.
fn goes_away_and_comes_back(gate: &mut Server, gate_uri: String, yard_uri: String) -> String {
    let mut ingest = Ingest::start(&[("gate", gate_uri), ("yard", yard_uri)]);
    ingest.all_connected(&["gate", "yard"]);
    ingest.frames("gate", 10);
    let mut others = Vec::new();

    gate.kill();
    let (death, times) = ingest.event("gate", "again in 1s", "yard");
    others.extend(times);
    // The server is not there yet: retried, later each time.
    others.extend(ingest.event("gate", "again in 2s", "yard").1);
    others.extend(ingest.event("gate", "again in 4s", "yard").1);
    gate.restart();
    others.extend(ingest.event("gate", "connected", "yard").1);
    ingest.frames("gate", 10);

    gate.hang();
    others.extend(ingest.event("gate", "again in 1s", "yard").1);
    gate.wake();
    others.extend(ingest.event("gate", "connected", "yard").1);
    ingest.frames("gate", 10);

    // A frame every 40 ms by the camera's clock, whatever happened to the other camera.
    let n = others.len();
    assert!(n > 50, "{n} frames of the other camera");
    death
}

#[test]
fn a_tcp_camera_that_dies_or_hangs_reconnects_and_the_other_is_not_affected() {
    let clip = rtsp::clip();
    let (mut gate, yard) = (Server::start(&clip), Server::start(&clip));
    let uri = gate.uri();
    let death = goes_away_and_comes_back(&mut gate, uri, yard.uri());
    // The end of the server appears as the end of the stream.
    assert!(death.contains("the stream ended"), "{death}");
}

#[test]
fn a_udp_camera_that_dies_or_hangs_reconnects_and_one_behind_a_firewall_uses_tcp() {
    let clip = rtsp::clip();
    let (mut gate, yard) = (
        Server::start(&clip),
        Server::start_with(&clip, &["--lose-udp"]),
    );
    let uri = gate.uri_by("rtspu");
    let death = goes_away_and_comes_back(&mut gate, uri, yard.uri_by("rtsp"));
    // The end of the server is an error: the control connection is refused.
    assert!(!death.contains("the stream ended"), "{death}");
}

#[test]
fn missing_models_end_the_program_at_once() {
    let output = common::with_plugin(common::built("examples/rtsp_ingest"))
        .arg("gate=rtsp://127.0.0.1:9/camera")
        .env("DMHEADPOSE_MODELS_DIR", "/no/such/folder")
        .env("XDG_DATA_HOME", "/no/such/folder")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("make models"), "{err}");
}

// SPDX-License-Identifier: MPL-2.0
//! Cameras for a long time: the example's cameras die, hang, change their size and come back while
//! properties change; nothing unexpected may happen, and nothing may grow.
//!
//! `make test` runs a short form, `make soak` half an hour or `SOAK_MINUTES`. `SOAK_SEED` repeats
//! the choices of an earlier run.

#[path = "../examples/rust/rtsp_ingest/camera.rs"]
mod camera;
mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use camera::{Camera, Event};
use common::random::Random;
use common::rtsp::{self, Server};
use common::toys;
use common::usage::Usage;
use gst::prelude::*;

/// A guard against a hang, not a measurement: a camera is back after seconds.
const GUARD: Duration = Duration::from_secs(120);
/// The short form ends after this many rounds.
const SHORT_ROUNDS: u32 = 6;

/// What one camera has reported.
#[derive(Default)]
struct Seen {
    lines: AtomicU64,
    lost: AtomicU64,
    /// The reasons, each once.
    reasons: Mutex<Vec<String>>,
    failures: Mutex<Vec<String>>,
    /// Frame sizes in its lines.
    sizes: Mutex<Vec<String>>,
}

struct Watched {
    server: Server,
    seen: Arc<Seen>,
    heads: gst::Element,
}

impl Watched {
    fn start(name: &str, scheme: &str) -> Self {
        let server = Server::start(&rtsp::changing_clip());
        let seen = Arc::new(Seen::default());
        let (lines, events) = (seen.clone(), seen.clone());
        let line = move |line: &[u8]| {
            lines.lines.fetch_add(1, Ordering::Relaxed);
            let line: serde_json::Value = serde_json::from_slice(line).expect("a line of JSON");
            let size = line["frame"].to_string();
            let mut sizes = lines.sizes.lock().unwrap();
            if !sizes.contains(&size) {
                sizes.push(size);
            }
        };
        let event = move |event| match event {
            Event::Connected => {}
            Event::Lost { reason, wait } => {
                assert!(wait <= Duration::from_secs(30));
                let mut reasons = events.reasons.lock().unwrap();
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                events.lost.fetch_add(1, Ordering::Relaxed);
            }
            Event::Failed { reason, wait } => {
                let failure = format!("{reason}; again in {wait:?}");
                events.failures.lock().unwrap().push(failure);
            }
        };
        let camera = Camera::start(name, &server.uri_by(scheme), line, event).unwrap();
        let is_ours = |element: gst::Element| {
            let factory = element.factory();
            factory.is_some_and(|factory| factory.name() == "dmheadpose")
        };
        let heads = camera.pipeline.iterate_recurse().find(is_ours);
        // It runs to the end of the process, as in the example.
        std::thread::spawn(move || camera.run());
        Self {
            server,
            seen,
            heads: heads.expect("dmheadpose"),
        }
    }

    fn lines(&self) -> u64 {
        self.seen.lines.load(Ordering::Relaxed)
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let begin = Instant::now();
        while !done() {
            let failures = &self.seen.failures;
            assert!(begin.elapsed() < GUARD, "{what} never came: {failures:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn wait_for_lines(&self) {
        let enough = self.lines() + 10;
        self.wait_until("more lines", || self.lines() >= enough);
    }

    /// Waits until it has been lost once more than `before`.
    fn wait_for_loss(&self, before: u64) {
        let lost = || self.seen.lost.load(Ordering::Relaxed) != before;
        self.wait_until("the loss of the camera", lost);
    }
}

/// Sets one of the properties that may change while playing.
fn change(heads: &gst::Element, chance: &mut Random) {
    #[rustfmt::skip]
    let changes = [
        "detection-interval=1", "detection-interval=4", "pose-interval=1", "pose-interval=3", "smoothing=true",
        "smoothing=false", "score-threshold=0.3", "score-threshold=0.6", "max-heads=1", "max-heads=4", "overlay=",
        "overlay=box+axes", "overlay=cube+labels", "overlay=id+stats", "crop-mode=upstream", "crop-mode=symmetric",
        "crop-mode=square", "crop-margin=0", "crop-margin=0.3",
    ];
    toys::set(heads, chance.pick(&changes));
    let _ = heads.property::<gst::Structure>("stats");
}

/// One round of mishaps; at its end all cameras are back.
fn round(cameras: &mut [Watched], chance: &mut Random) {
    let unlucky = chance.below(cameras.len());
    let before = cameras[unlucky].seen.lost.load(Ordering::Relaxed);
    match chance.below(4) {
        0 => {
            cameras[unlucky].server.hang();
            cameras[unlucky].wait_for_loss(before);
            cameras[unlucky].server.wake();
        }
        1 | 2 => {
            cameras[unlucky].server.kill();
            cameras[unlucky].wait_for_loss(before);
            cameras[unlucky].server.restart();
        }
        _ => {}
    }
    for camera in &*cameras {
        camera.wait_for_lines();
    }
}

#[test]
fn cameras_come_and_go_and_nothing_grows() {
    common::init();
    if let Some(library) = common::onnxruntime_library() {
        // Read by the example as by any program: no other thread that reads the environment runs yet.
        unsafe { std::env::set_var("ORT_DYLIB_PATH", library) };
    }
    let variable = |name: &str| {
        let value = std::env::var(name).ok();
        value.map(|value| value.parse().expect(name))
    };
    let minutes: Option<u64> = variable("SOAK_MINUTES");
    let seed = variable("SOAK_SEED").unwrap_or(1);
    let mut chance = Random::new(seed);
    // One by TCP, one by UDP.
    let mut cameras = ["rtspt", "rtspu"].map(|scheme| Watched::start(scheme, scheme));
    for camera in &cameras {
        camera.wait_for_lines();
    }

    let done = Arc::new(AtomicBool::new(false));
    let elements = cameras.each_ref().map(|camera| camera.heads.clone());
    let (stop, mut choices) = (done.clone(), Random::new(seed + 1));
    let changer = std::thread::spawn(move || {
        let mut changes = 0;
        while !stop.load(Ordering::Relaxed) {
            let element = &elements[choices.below(elements.len())];
            change(element, &mut choices);
            changes += 1;
            std::thread::sleep(Duration::from_millis(50));
        }
        changes
    });

    let begin = Instant::now();
    let (mut samples, mut rounds) = (Vec::new(), 0);
    let more = |rounds| match minutes {
        Some(minutes) => begin.elapsed() < Duration::from_secs(60 * minutes),
        None => rounds < SHORT_ROUNDS,
    };
    while more(rounds) {
        round(&mut cameras, &mut chance);
        rounds += 1;
        samples.push((begin.elapsed().as_secs_f64(), Usage::now()));
        if rounds.is_multiple_of(20) {
            let (time, usage) = samples[samples.len() - 1];
            eprintln!("{time:.0} s, {rounds} rounds: {usage:?}");
        }
    }
    done.store(true, Ordering::Relaxed);
    let changes = changer.join().unwrap();

    // The first third is warm-up.
    let steady = &samples[samples.len() / 3..];
    let (first, last) = steady.split_at(steady.len() / 2);
    let resident = [first, last].map(|half| {
        let sum: u64 = half.iter().map(|(_, usage)| usage.resident).sum();
        sum as f64 / half.len() as f64 / 1024.0
    });
    let growth = resident[1] - resident[0];
    let range = |of: fn(&Usage) -> u64, of_samples: &[(f64, Usage)]| {
        let values = of_samples.iter().map(|(_, usage)| of(usage));
        (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
    };
    let threads = [first, last].map(|half| range(|usage| usage.threads, half));
    let files = [first, last].map(|half| range(|usage| usage.files, half));
    eprintln!(
        "seed {seed}: {rounds} rounds, {changes} property changes; {growth:+.1} MiB from the first to the second half of the last two \
         thirds; threads {threads:?}, files {files:?} (least and most in each half of them)"
    );
    for camera in &cameras {
        let seen = &camera.seen;
        let sizes = seen.sizes.lock().unwrap();
        eprintln!(
            "{} lines, sizes {sizes:?}, lost: {:?}",
            camera.lines(),
            seen.reasons
        );
        let failures = seen.failures.lock().unwrap();
        assert_eq!(
            *failures, [""; 0],
            "downstream of the camera nothing may fail"
        );
        let changed = minutes.is_none() || sizes.len() > 1;
        assert!(changed, "the size never changed");
    }
    // In the seconds of the short form the networks' arenas still grow to the sizes of the cameras.
    let most = if minutes.is_some() { 16.0 } else { 32.0 };
    assert!(growth < most, "{growth:.1} MiB more");
    assert!(threads[1].1 <= threads[0].1 + 2, "threads {threads:?}");
    assert!(files[1].1 <= files[0].1 + 2, "files {files:?}");
}

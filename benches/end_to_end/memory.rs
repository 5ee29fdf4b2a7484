// SPDX-License-Identifier: MPL-2.0
//! Memory: the peak of one element and of eight, and whether it grows over many frames.

use std::process::Command;

use crate::Arguments;
use crate::clip::Clip;
use crate::subjects::Element;

/// A value from /proc/self/status, in MiB.
fn status(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(name));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.expect("a figure in kB") / 1024.0
}

/// Prints the peak of resident memory before and after this many elements have run at the same time.
pub fn one(arguments: &Arguments) {
    let clip = Clip::new(&arguments.clip, 2, 1280, 720, 4);
    let before = status("VmRSS");
    let share = arguments.share.to_string();
    let properties = [("pipeline-depth", "1"), ("share-models", share.as_str())];
    let mut fleet: Vec<_> = (0..arguments.streams)
        .map(|_| Element::new(&arguments.models(), &clip, &properties))
        .collect();
    Element::run_all(&mut fleet, 20);
    println!("{} {}", before, status("VmHWM"));
}

/// Compares the peaks of separate processes.
pub fn compare(arguments: &Arguments) {
    println!("\n== Peak of resident memory, 1280x720 I420, two heads");
    let program = std::env::current_exe().expect("this program");
    let peak = |streams: usize, share: bool| {
        let mut command = Command::new(&program);
        command
            .args(["--part", "one-memory", "--streams", &streams.to_string()])
            .arg("--detector-model")
            .arg(&arguments.detector_model)
            .arg("--pose-model")
            .arg(&arguments.pose_model)
            .arg("--clip")
            .arg(&arguments.clip);
        if share {
            command.arg("--share");
        }
        let output = command.output().expect("to run this program again");
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> = text
            .split_whitespace()
            .filter_map(|f| f.parse().ok())
            .collect();
        match figures[..] {
            [before, peak] => (before, peak),
            _ => panic!(
                "no figures: {text}{}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    };
    let (before, single) = peak(1, false);
    println!(
        "one element                {single:8.1} MiB, of which {before:.1} before it was loaded"
    );
    for (share, kind) in [(true, "shared models"), (false, "own models")] {
        let (_, eight) = peak(8, share);
        println!(
            "eight elements, {kind:<13} {eight:6.1} MiB, x{:.2}",
            eight / single
        );
    }
}

/// Runs a large number of frames and prints the resident memory along the way, and its slope.
pub fn soak(arguments: &Arguments) {
    let clip = Clip::new(&arguments.clip, 1, 320, 180, 24);
    let properties = [
        ("pipeline-depth", "1"),
        ("detector-size", "320"),
        ("tracking", "true"),
    ];
    let mut element = Element::new(&arguments.models(), &clip, &properties);
    const STEP: usize = 500;
    let steps = arguments.frames / STEP;
    println!("\n== Resident memory over {} frames", steps * STEP);
    let mut samples = Vec::new();
    for step in 1..=steps {
        element.run(STEP);
        samples.push((step as f64 * STEP as f64, status("VmRSS")));
        if step % (steps / 10).max(1) == 0 {
            println!("{:>8} frames {:8.2} MiB", step * STEP, status("VmRSS"));
        }
    }
    // Least squares, without the first tenth, during which arenas grow.
    let samples = &samples[samples.len() / 10..];
    let n = samples.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| samples.iter().map(value).sum::<f64>() / n;
    let (x, y) = (mean(|s| s.0), mean(|s| s.1));
    let covariance: f64 = samples.iter().map(|s| (s.0 - x) * (s.1 - y)).sum();
    let variance: f64 = samples.iter().map(|s| (s.0 - x) * (s.0 - x)).sum();
    let deviation = (samples.iter().map(|s| (s.1 - y).powi(2)).sum::<f64>() / n).sqrt();
    println!(
        "slope {:+.4} MiB in 100000 frames, deviation {deviation:.3} MiB around {y:.1} MiB",
        covariance / variance * 1e5
    );
}

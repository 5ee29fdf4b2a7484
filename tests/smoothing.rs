// SPDX-License-Identifier: MPL-2.0
//! What smoothing gains and what it costs, on generated heads: error and largest step of the noisy and of the
//! smoothed rotation, and how much later the smoothed one is.

mod noise;

use std::time::Duration;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::smoothing::{PoseFilter, Smoothing};
use noise::Noise;

/// A head's pose as a function of seconds.
type Head = fn(f32) -> Angles;

const HEADS: [(&str, Head); 8] = [
    ("still, from the front", |_| Angles::new(20.0, -10.0, 5.0)),
    ("still, at the seam", |_| Angles::new(180.0, 10.0, -5.0)),
    ("turns once in 12 s", |t| Angles::new(30.0 * t, 5.0, 0.0)),
    ("turns once in 6 s", |t| Angles::new(60.0 * t, 5.0, 0.0)),
    ("looks around", |t| {
        Angles::new(60.0 * wave(t, 4.0), 10.0 * wave(t, 7.0), 0.0)
    }),
    ("looks around, seen from behind", |t| {
        Angles::new(180.0 + 50.0 * wave(t, 4.0), 5.0, 10.0 * wave(t, 7.0))
    }),
    ("looks around, seen in profile", |t| {
        Angles::new(90.0 + 30.0 * wave(t, 4.0), 8.0, 5.0)
    }),
    ("nods", |t| Angles::new(10.0, 20.0 * wave(t, 1.5), 0.0)),
];

fn wave(t: f32, period: f32) -> f32 {
    (std::f32::consts::TAU * t / period).sin()
}

/// Angle of the rotation from one pose to another, in degrees.
fn between(a: &Angles, b: &Angles) -> f64 {
    let way = a.quaternion().vector_to(b.quaternion());
    way.iter().map(|c| c * c).sum::<f64>().sqrt().to_degrees()
}

/// Seconds, measured pose, smoothed pose.
type Sample = (f32, Angles, Angles);

fn run(head: Head, deviation: f64, frame_rate: u32, smoothing: &Smoothing) -> Vec<Sample> {
    let mut noise = Noise::new(3);
    let mut filter = PoseFilter::default();
    (0..30 * frame_rate)
        .map(|frame| {
            let time = Duration::from_secs(1) * frame / frame_rate;
            let t = time.as_secs_f32();
            let Angles { yaw, pitch, roll } = head(t);
            let [yaw, pitch, roll] =
                [yaw, pitch, roll].map(|angle| angle + (noise.normal() * deviation) as f32);
            let measured = Angles::new(yaw, pitch, roll).wrapped();
            (t, measured, filter.filter(smoothing, Some(time), measured))
        })
        .collect()
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values {
        sum += value * value;
        n += 1.0;
    }
    f64::sqrt(sum / n)
}

/// The largest rotation from one pose to the next.
fn largest_step(poses: impl Iterator<Item = Angles> + Clone) -> f64 {
    let pairs = poses.clone().zip(poses.skip(1));
    pairs.map(|(a, b)| between(&a, &b)).fold(0.0, f64::max)
}

/// The largest change of a single angle from one pose to the next.
fn largest_change(poses: impl Iterator<Item = Angles> + Clone) -> f32 {
    let pairs = poses.clone().zip(poses.skip(1));
    let change = |(a, b): (Angles, Angles)| {
        let by = Angles::new(b.yaw - a.yaw, b.pitch - a.pitch, b.roll - a.roll).wrapped();
        by.yaw.abs().max(by.pitch.abs()).max(by.roll.abs())
    };
    pairs.map(change).fold(0.0, f32::max)
}

/// By how many milliseconds the head has to be delayed to be most like the smoothed one.
fn lag(samples: &[Sample], head: Head) -> u16 {
    let error = |ms: u16| {
        let delay = f32::from(ms) * 1e-3;
        rms(samples
            .iter()
            .map(|(t, _, smoothed)| between(smoothed, &head(t - delay))))
    };
    (0..200)
        .min_by(|&a, &b| error(a).total_cmp(&error(b)))
        .unwrap_or_default()
}

/// With noise of 2 and 4 degrees in each angle the smoothed pose is nearer to the truth than the measured one,
/// whatever the head does. With 1 degree, where a fast head's few milliseconds of delay weigh as much as the
/// noise, it is at least hardly worse.
#[test]
fn smoothed_heads_are_nearer_to_the_truth_and_never_jump() {
    println!(
        "{:32} {:>5} | RMS error, degrees | largest step, degrees | lag",
        "head", "noise"
    );
    println!(
        "{:38} | measured, smoothed | head, measured, smoothed | ms",
        ""
    );
    for (deviation, limit) in [(1.0, 1.15), (2.0, 0.9), (4.0, 0.9)] {
        for (name, head) in HEADS {
            let samples = run(head, deviation, 25, &Smoothing::default());
            let truth = samples.iter().map(|(t, _, _)| head(*t));
            let measured = samples.iter().map(|sample| sample.1);
            let smoothed = samples.iter().map(|sample| sample.2);
            let error = |poses: &mut dyn Iterator<Item = Angles>| {
                rms(poses.zip(truth.clone()).map(|(a, b)| between(&a, &b)))
            };
            let (raw, error) = (error(&mut measured.clone()), error(&mut smoothed.clone()));
            let step = largest_step(truth.clone());
            let (raw_step, smooth_step) = (largest_step(measured), largest_step(smoothed.clone()));
            let lag = lag(&samples, head);
            println!(
                "{name:32} {deviation:5} | {raw:8.2}, {error:8.2} | {step:4.1}, {raw_step:8.1}, \
                 {smooth_step:8.1} | {lag}"
            );
            assert!(error < limit * raw, "{name}: error {error} of {raw}");
            // Five deviations more than the head itself.
            let bound = step + 5.0 * deviation;
            assert!(
                smooth_step < bound,
                "{name}: a step of {smooth_step} degrees"
            );
            let change = f64::from(largest_change(smoothed));
            assert!(
                change < bound,
                "{name}: an angle changes by {change} degrees"
            );
            assert!(lag < 40, "{name}: {lag} ms late");
        }
    }
}

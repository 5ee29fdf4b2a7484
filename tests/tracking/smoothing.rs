// SPDX-License-Identifier: MPL-2.0
//! Smoothing of generated heads: the error, the largest step and the lag of the smoothed rotation, and its response to
//! sudden turns.

use std::time::Duration;

use glam::DVec3;
use gstdmheadpose::estimator::angles::{Angles, rotation_between};
use gstdmheadpose::estimator::track::one_euro::{PoseFilter, Smoothing};

use crate::common::random::Noise;

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

const RATES: [u32; 5] = [10, 15, 25, 30, 60];

fn wave(t: f32, period: f32) -> f32 {
    (std::f32::consts::TAU * t / period).sin()
}

/// The rotation from one pose to another, in degrees.
fn way(a: &Angles, b: &Angles) -> DVec3 {
    rotation_between(a.quaternion(), b.quaternion()).map(f64::to_degrees)
}

fn between(a: &Angles, b: &Angles) -> f64 {
    way(a, b).length()
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

/// The largest difference of one pose to the next.
fn largest(by: fn(&Angles, &Angles) -> f64, poses: impl Iterator<Item = Angles> + Clone) -> f64 {
    let pairs = poses.clone().zip(poses.skip(1));
    pairs.map(|(a, b)| by(&a, &b)).fold(0.0, f64::max)
}

/// The largest difference of a single angle.
fn change(a: &Angles, b: &Angles) -> f64 {
    let by = Angles::new(b.yaw - a.yaw, b.pitch - a.pitch, b.roll - a.roll).wrapped();
    by.yaw.abs().max(by.pitch.abs()).max(by.roll.abs()).into()
}

/// The lag of the smoothed pose in milliseconds: the delay that explains most of its error (least
/// squares). 0 for a head that is still.
fn lag(samples: &[Sample], head: Head) -> f64 {
    const MS: f32 = 1e-3;
    let (mut behind, mut squared) = (0.0, 0.0);
    for (t, _, smoothed) in samples {
        let truth = head(*t);
        let step = way(&head(t - MS), &truth);
        behind += way(smoothed, &truth).dot(step);
        squared += step.length_squared();
    }
    behind / f64::max(squared, f64::MIN_POSITIVE)
}

/// The largest factor by which the error may change, for a still head and for any, with noise of this many degrees.
/// With half a degree, the lag of a fast head of a few milliseconds outweighs the noise.
const LIMITS: [(f64, f64, f64); 4] = [
    (0.5, 0.6, 1.2),
    (1.0, 0.65, 1.0),
    (2.0, 0.7, 1.0),
    (4.0, 0.75, 1.0),
];

/// From 1 degree of noise in each angle on, the smoothed pose is closer to the truth than the measured one,
/// for any motion of the head and any frame rate.
#[test]
fn smoothed_heads_are_nearer_to_the_truth_and_never_jump() {
    let cases = RATES
        .iter()
        .flat_map(|rate| LIMITS.iter().map(move |limits| (*rate, *limits)));
    for (rate, (deviation, still_limit, limit)) in cases {
        for (name, head) in HEADS {
            let samples = run(head, deviation, rate, &Smoothing::default());
            let truth = samples.iter().map(|(t, _, _)| head(*t));
            let measured = samples.iter().map(|sample| sample.1);
            let smoothed = samples.iter().map(|sample| sample.2);
            let error = |poses: &mut dyn Iterator<Item = Angles>| {
                rms(poses.zip(truth.clone()).map(|(a, b)| between(&a, &b)))
            };
            let (raw, error) = (error(&mut measured.clone()), error(&mut smoothed.clone()));
            let step = largest(between, truth.clone());
            let raw_step = largest(between, measured);
            let smooth_step = largest(between, smoothed.clone());
            let lag = lag(&samples, head);
            let case = format!("{name}, noise {deviation}, {rate} frames a second");
            println!(
                "{case}: RMS error measured, smoothed {raw:.2}, {error:.2}; largest step head, measured, smoothed \
                 {step:.1}, {raw_step:.1}, {smooth_step:.1}; lag {lag:.0} ms"
            );
            let limit = if step == 0.0 { still_limit } else { limit };
            assert!(error < limit * raw, "{case}: error {error} of {raw}");
            // Five standard deviations more than the head itself.
            let bound = step + 5.0 * deviation;
            assert!(
                smooth_step < bound,
                "{case}: a step of {smooth_step} degrees"
            );
            let change = largest(change, smoothed);
            assert!(
                change < bound,
                "{case}: an angle changes by {change} degrees"
            );
            assert!(lag < 40.0, "{case}: {lag} ms late");
        }
    }
}

/// Turns that begin and end abruptly, through the seam: 40 degrees from one frame to the next, 50 degrees at
/// 100 degrees a second, 90 at 300. Seconds go from -1 to 2.
const TURNS: [(&str, f32, f32); 3] = [
    ("40 degrees at once", 40.0, f32::INFINITY),
    ("100 degrees a second", 50.0, 100.0),
    ("300 degrees a second", 90.0, 300.0),
];

/// A first-order low-pass never overshoots, and does not take long to settle.
#[test]
fn sudden_turns_are_followed_and_not_overshot() {
    for (name, angle, speed) in TURNS {
        for rate in RATES {
            let mut filter = PoseFilter::default();
            let (mut largest, mut past, mut settled) = (0.0f32, 0.0f32, 0);
            for frame in 0..3 * rate {
                let time = Duration::from_secs(1) * frame / rate;
                let since = time.as_secs_f32() - 1.0;
                let truth = match since > 0.0 {
                    true => (since * speed).min(angle),
                    false => 0.0,
                };
                let measured = Angles::new(160.0 + truth, 0.0, 0.0).wrapped();
                let smoothed = filter.filter(&Smoothing::default(), Some(time), measured);
                let behind = Angles::new(measured.yaw - smoothed.yaw, 0.0, 0.0).wrapped();
                largest = largest.max(behind.yaw);
                past = past.max(-behind.yaw);
                if behind.yaw > 1.0 {
                    settled = frame;
                }
            }
            let moved = 1.0 + angle / speed;
            let settled = (settled + 1) as f32 / rate as f32 - moved;
            let settled = (settled.max(0.0) * 1e3) as u32;
            let case = format!("{name}, {rate} frames a second");
            assert!(past < 0.01, "{case}: {past} degrees too far");
            assert!(largest < 0.4 * angle, "{case}: {largest} degrees behind");
            assert!(settled < 250, "{case}: still not there after {settled} ms");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Whether the machine has time for a benchmark: the same work on every core, arithmetic and reading memory, which should
//! take equally long each time.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use crate::results::median;

const ROUNDS: usize = 15;
/// Above this a table is not worth reading.
const BEARABLE: f64 = 0.08;

/// Larger than the caches of most processors, so that reading it shows what others leave of the memory's bandwidth.
const STREAM: usize = 64 << 20;

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// A few milliseconds of arithmetic.
fn calculate() {
    let mut value = 1.0_f32;
    for n in 0..2_000_000_u32 {
        value = black_box(value * 0.999 + n as f32);
    }
}

/// Times of both kinds of work on one core. All cores do the same at the same time, as they share the memory.
fn rounds(start: &Barrier) -> [Vec<f64>; 2] {
    let stream = vec![1_u64; STREAM / size_of::<u64>()];
    let times = |work: &dyn Fn()| {
        let times = (0..ROUNDS).map(|_| {
            start.wait();
            timed(work)
        });
        times.collect()
    };
    let arithmetic = times(&calculate);
    [
        arithmetic,
        times(&|| _ = black_box(stream.iter().sum::<u64>())),
    ]
}

/// By how much the median of the slowest core is above the best time of any core, as a part of the best, for the kind of
/// work that suffers more. Other processes and other virtual machines raise it.
fn measured() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let start = Barrier::new(cores);
    let cores: Vec<[Vec<f64>; 2]> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(|| rounds(&start))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let excess = |kind: usize| {
        let best = cores
            .iter()
            .flat_map(|times| &times[kind])
            .copied()
            .fold(f64::MAX, f64::min);
        let slowest = cores
            .iter()
            .map(|times| median(times[kind].clone()))
            .fold(0.0, f64::max);
        slowest / best - 1.0
    };
    excess(0).max(excess(1))
}

/// Measures, and prints a warning on a machine that is too busy.
pub fn warn() {
    let noise = measured();
    let percent = noise * 100.0;
    if noise > BEARABLE {
        println!(
            "NOISY: the same work takes {percent:.0} % longer than at its best. Other work runs on this machine: \
             do not rely on the figures below, stop it and run again."
        );
    } else {
        println!("(noise of the machine: {percent:.0} %)");
    }
}

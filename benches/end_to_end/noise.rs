// SPDX-License-Identifier: MPL-2.0
//! Whether the machine has time for a benchmark: the same work on every core, which should take equally long each time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::results::median;

const ROUNDS: usize = 15;
/// Above this a table is not worth reading.
const BEARABLE: f64 = 0.08;

/// A few milliseconds of arithmetic.
fn work() -> Duration {
    let start = Instant::now();
    let mut value = 1.0_f32;
    for n in 0..2_000_000_u32 {
        value = black_box(value * 0.999 + n as f32);
    }
    start.elapsed()
}

/// By how much the median of the slowest core is above the best time of any core, as a part of the best. Other processes
/// and other virtual machines raise it.
fn measured() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let times: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| (0..ROUNDS).map(|_| work().as_secs_f64()).collect()))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|times| times.expect("no panic")).collect()
    });
    let best = times.iter().flatten().copied().fold(f64::MAX, f64::min);
    let slowest = times.into_iter().map(median).fold(0.0, f64::max);
    slowest / best - 1.0
}

/// Measures, and prints a warning on a machine that is too busy.
pub fn warn() {
    let noise = measured();
    let percent = noise * 100.0;
    if noise > BEARABLE {
        println!(
            "NOISY: the same arithmetic takes {percent:.0} % longer than at its best. Other work runs on this machine: \
             do not rely on the figures below, stop it and run again."
        );
    } else {
        println!("(noise of the machine: {percent:.0} %)");
    }
}

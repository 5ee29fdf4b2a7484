// SPDX-License-Identifier: MPL-2.0
//! Hostile input from a seeded generator: models, structures of the meta, frame layouts. None of it ends the
//! process, and valid parts of it are treated as if they had come alone.
//!
//! `cargo test` tries some hundreds or thousands of each; `make fuzz` 100,000 (`FUZZ_INPUTS`). Each input is
//! identified by its number; `FUZZ_FIRST=NUMBER FUZZ_INPUTS=1` tries only that one.

#[path = "../common/mod.rs"]
mod common;

mod layouts;
mod metas;
mod models;

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use common::random::Random;

/// So many inputs a line of progress.
const PROGRESS: usize = 10_000;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect(variable))
}

/// The numbers of the inputs to try; `usual` of them by default.
fn numbers(usual: u64) -> Range<u64> {
    let first = number_from("FUZZ_FIRST").unwrap_or(0);
    first..first + number_from("FUZZ_INPUTS").unwrap_or(usual)
}

/// Calls `with` with each number and its random numbers, in as many threads as there are processors, and prints how
/// far it is now and then. After a crash the numbers of the inputs are in files.
fn for_each_at_once(what: &str, numbers: Range<u64>, with: impl Fn(u64, &mut Random) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let of_thread = |number: &u64| number % threads == thread;
            let (with, numbers) = (&with, numbers.clone().filter(of_thread).collect());
            scope.spawn(move || try_all(&format!("{what}-{thread}"), numbers, with));
        }
    });
}

/// The same in one thread.
fn for_each(what: &str, numbers: Range<u64>, with: impl FnMut(u64, &mut Random)) {
    try_all(what, numbers.collect(), with);
}

fn try_all(what: &str, numbers: Vec<u64>, mut with: impl FnMut(u64, &mut Random)) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{what}.input"));
    let (count, start) = (numbers.len(), Instant::now());
    let mut slowest = (Duration::ZERO, 0);
    for (index, number) in numbers.into_iter().enumerate() {
        std::fs::write(&file, number.to_string()).unwrap();
        let begin = Instant::now();
        with(number, &mut Random::new(number));
        slowest = slowest.max((begin.elapsed(), number));
        let done = index + 1;
        if done == count || done.is_multiple_of(PROGRESS) {
            let (took, (longest, number)) = (start.elapsed(), slowest);
            println!(
                "{what}: {done} of {count} inputs in {took:.1?}; number {number} took {longest:.1?}"
            );
        }
    }
    let _ = std::fs::remove_file(&file);
}

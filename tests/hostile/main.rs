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

use common::random::Random;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable}: expected a number, found {text}")))
}

/// The numbers of the inputs to try; `usual` of them by default.
fn numbers(usual: u64) -> Range<u64> {
    let first = number_from("FUZZ_FIRST").unwrap_or(0);
    first..first + number_from("FUZZ_INPUTS").unwrap_or(usual)
}

/// Calls `with` with each number and its random numbers. After a crash the number of the input is in a file.
fn for_each(what: &str, numbers: Range<u64>, mut with: impl FnMut(u64, &mut Random)) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{what}.input"));
    let count = numbers.end - numbers.start;
    for number in numbers {
        std::fs::write(&file, number.to_string()).unwrap();
        with(number, &mut Random::new(number));
    }
    let _ = std::fs::remove_file(&file);
    println!("{what}: {count} inputs");
}

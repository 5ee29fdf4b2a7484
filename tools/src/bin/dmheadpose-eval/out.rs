// SPDX-License-Identifier: MPL-2.0
//! The program's output: results on standard output, progress on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Prints a result. If the reader has gone, as after `head`, it is not an error: the remaining files are still written.
///
/// # Errors
/// Any other reason why the text cannot be written.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Reports the progress of a long run from time to time.
pub struct Progress {
    what: &'static str,
    total: usize,
    done: usize,
    start: Instant,
    told: Instant,
    terminal: bool,
}

impl Progress {
    pub fn new(what: &'static str, total: usize) -> Self {
        let now = Instant::now();
        Self {
            what,
            total,
            done: 0,
            start: now,
            told: now,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.done += 1;
        let pause = if self.terminal { 1 } else { 10 };
        if self.told.elapsed() >= Duration::from_secs(pause) {
            self.told = Instant::now();
            self.tell();
        }
    }

    fn tell(&self) {
        let Self {
            what, total, done, ..
        } = self;
        let so_far = self.start.elapsed();
        let left = so_far.as_secs_f64() / *done as f64 * (total - done) as f64;
        let (start, end) = if self.terminal {
            ("\r", "  ")
        } else {
            ("", "\n")
        };
        // Progress is not essential: a closed standard error is not an error.
        let _ = write!(
            io::stderr(),
            "{start}{done} of {total} {what}, about {left:.0} s left{end}"
        );
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.told > self.start {
            let _ = writeln!(io::stderr());
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Keeps ONNX Runtime apart from the end of the process, and from forks of it.
//!
//! An application may exit without stopping its pipeline. ONNX Runtime's static destructors must not run while a
//! thread is in there: so an exit lets no more calls in, and waits for those inside. A child made by `fork` has
//! none of the threads that the library, its sessions and our own workers wait for.

use std::ffi::c_int;
use std::sync::Once;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU8, AtomicUsize};
use std::time::{Duration, Instant};

use crate::estimator::error::Error;

const OPEN: u8 = 0;
const EXITING: u8 = 1;
const FORKED: u8 = 2;

static GATE: Gate = Gate::new();

#[derive(Debug)]
struct Gate {
    state: AtomicU8,
    /// The number of passes.
    inside: AtomicUsize,
}

/// An exit waits for no longer: a call of ONNX Runtime may be stuck.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The right to call ONNX Runtime. The process does not exit before it is dropped, unless that takes seconds.
#[derive(Debug)]
#[must_use]
pub(crate) struct Pass(&'static Gate);

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, SeqCst);
    }
}

impl Gate {
    const fn new() -> Self {
        Self {
            state: AtomicU8::new(OPEN),
            inside: AtomicUsize::new(0),
        }
    }

    fn pass(&'static self) -> Result<Pass, Error> {
        // Count first, then read the state: an exit does the reverse, so that one of the two sees the other.
        self.inside.fetch_add(1, SeqCst);
        let pass = Pass(self);
        match self.state.load(SeqCst) {
            OPEN => Ok(pass),
            FORKED => Err(Error::Forked),
            _ => Err(Error::Exiting),
        }
    }

    /// Lets no more calls in, and waits once for those inside. Returns whether they have left.
    fn close(&self) -> bool {
        // In a forked child there is nothing to wait for: the calls inside are the parent's.
        let closed = self.state.compare_exchange(OPEN, EXITING, SeqCst, SeqCst);
        let start = Instant::now();
        while closed.is_ok() && self.inside.load(SeqCst) > 0 {
            if start.elapsed() > LONGEST_WAIT {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

/// # Errors
/// [`Error::Exiting`] and [`Error::Forked`].
pub(crate) fn pass() -> Result<Pass, Error> {
    GATE.pass()
}

/// Whether this process was forked from the one that has loaded ONNX Runtime: it has none of its threads.
pub(crate) fn is_forked() -> bool {
    GATE.state.load(SeqCst) == FORKED
}

/// Watches for forks from now on.
pub(crate) fn watch_forks() {
    unsafe extern "C" {
        fn pthread_atfork(
            before: Option<extern "C" fn()>,
            in_parent: Option<extern "C" fn()>,
            in_child: Option<extern "C" fn()>,
        ) -> c_int;
    }
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        // SAFETY: `forked` is a plain C function without arguments that neither panics nor unwinds; it does
        // nothing that a child of a process with threads may not do.
        unsafe { pthread_atfork(None, None, Some(forked)) };
    });
}

extern "C" fn forked() {
    GATE.state.store(FORKED, SeqCst);
}

/// Closes the gate when the process exits, before the destructors of what was loaded so far.
///
/// Exit handlers run in reverse order of registration. ONNX Runtime registers its destructors when it is loaded,
/// and when code runs for the first time, up to the end of the first inference with a model. So this must be called
/// after each of these; and before it is loaded, for an exit in the middle of loading.
pub(crate) fn close_at_exit() {
    unsafe extern "C" {
        fn atexit(handler: extern "C" fn()) -> c_int;
    }
    // SAFETY: `close` is a plain C function without arguments that neither panics nor unwinds.
    unsafe { atexit(close) };
}

extern "C" fn close() {
    GATE.close();
}

static LOADING: AtomicUsize = AtomicUsize::new(0);

/// While it lives, models are being loaded and run for the first time.
pub(crate) struct Loading(());

impl Drop for Loading {
    fn drop(&mut self) {
        LOADING.fetch_sub(1, SeqCst);
    }
}

pub(crate) fn loading() -> Loading {
    LOADING.fetch_add(1, SeqCst);
    Loading(())
}

/// Closes the gate also when the main thread exits while another thread loads. Libraries register destructors
/// meanwhile, for which `close_at_exit` comes too late; but the destructors of thread-local variables run first. Has an
/// effect in the main thread only.
#[cfg(target_os = "linux")]
pub fn close_with_main_thread() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            // The main thread may also end without an exit, and other threads go on.
            if LOADING.load(SeqCst) > 0 {
                GATE.close();
            }
        }
    }
    thread_local!(static LAST: Last = const { Last });
    if rustix::thread::gettid().as_raw_pid().unsigned_abs() == std::process::id() {
        let _ = LAST.try_with(|_| ());
    }
}

#[cfg(not(target_os = "linux"))]
pub fn close_with_main_thread() {}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn closes_however_many_come_and_go() {
        const THREADS: usize = 8;
        static GATE: Gate = Gate::new();
        static ALL_INSIDE: Barrier = Barrier::new(THREADS + 1);
        let come_and_go = || {
            let first = GATE.pass().unwrap();
            ALL_INSIDE.wait();
            drop(first);
            while let Ok(_pass) = GATE.pass() {
                std::thread::sleep(Duration::from_millis(2));
            }
        };
        let threads: Vec<_> = (0..THREADS)
            .map(|_| std::thread::spawn(come_and_go))
            .collect();
        ALL_INSIDE.wait();
        assert!(GATE.close());
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(GATE.inside.load(SeqCst), 0);
        assert!(matches!(GATE.pass(), Err(Error::Exiting)));
    }

    #[test]
    fn a_child_waits_for_none_of_its_parent() {
        static GATE: Gate = Gate::new();
        let of_the_parent = GATE.pass();
        GATE.state.store(FORKED, SeqCst);
        assert!(GATE.close());
        assert!(of_the_parent.is_ok());
        assert!(matches!(GATE.pass(), Err(Error::Forked)));
    }
}

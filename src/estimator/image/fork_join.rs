// SPDX-License-Identifier: MPL-2.0
//! Runs two halves of a job at once, in this thread and in a helper, without an allocation.
//!
//! Scoped threads and thread pools allocate for each job, and threads of our own cannot borrow the frame.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::sync::{lock, wait};
use placement::Placement;

use crate::estimator::onnx::exit;

/// Half of a job. It is borrowed from [`ForkJoin::join`], which outlives its use.
struct Half(*mut (dyn FnMut() + Send));

// SAFETY: the closure behind the pointer is `Send`, and used by one thread at a time.
unsafe impl Send for Half {}

#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Posted(Half),
    /// The helper runs it.
    Taken,
    Panicked(Box<dyn Any + Send>),
    /// The helper ends.
    Closed,
}

/// How long the faster thread spins before it sleeps: sleeping and waking take as long, and the other one is nearly done.
const LONGEST_SPIN: Duration = Duration::from_micros(50);

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
    placement: Placement,
}

impl Shared {
    fn put(&self, slot: Slot) {
        *lock(&self.slot) = slot;
        self.changed.notify_all();
    }

    /// Waits until the helper is not running a half, then empties the slot and returns what was in it.
    fn clear(&self) -> Slot {
        let start = Instant::now();
        let mut slot = lock(&self.slot);
        while matches!(*slot, Slot::Taken) {
            if start.elapsed() < LONGEST_SPIN {
                drop(slot);
                (0..32).for_each(|_| std::hint::spin_loop());
                slot = lock(&self.slot);
            } else {
                slot = wait(&self.changed, slot);
            }
        }
        std::mem::replace(&mut *slot, Slot::Empty)
    }

    /// The loop of the helper, until the slot is closed.
    fn help(&self) {
        self.placement.set_helper();
        let mut slot = lock(&self.slot);
        loop {
            match std::mem::replace(&mut *slot, Slot::Taken) {
                Slot::Posted(half) => {
                    drop(slot);
                    // SAFETY: `join` waits while the slot is taken, and the half was borrowed for `join`.
                    let work = AssertUnwindSafe(|| unsafe { (*half.0)() });
                    let done = panic::catch_unwind(work);
                    self.put(done.map_or_else(Slot::Panicked, |()| Slot::Empty));
                    slot = lock(&self.slot);
                }
                Slot::Closed => return,
                other => {
                    *slot = other;
                    slot = wait(&self.changed, slot);
                }
            }
        }
    }
}

/// The processors that the helper may run on. Nothing changes where the system does not allow it.
#[cfg(target_os = "linux")]
mod placement {
    use std::sync::OnceLock;

    use rustix::thread::{self, CpuSet, Pid};

    #[derive(Default)]
    pub struct Placement {
        pub helper: OnceLock<Pid>,
    }

    impl Placement {
        /// Called by the helper.
        pub fn set_helper(&self) {
            let _ = self.helper.set(thread::gettid());
        }

        /// Any that the caller may use, except the one that it runs on.
        pub fn keep_off_ours(&self) {
            self.change(|processors| processors.unset(thread::sched_getcpu()));
        }

        /// Any that the caller may use.
        pub fn allow_all(&self) {
            self.change(|_| {});
        }

        fn change(&self, change: impl FnOnce(&mut CpuSet)) {
            let ours = thread::sched_getaffinity(None);
            let (Some(&helper), Ok(mut processors)) = (self.helper.get(), ours) else {
                return;
            };
            change(&mut processors);
            if processors.count() > 0 {
                let _ = thread::sched_setaffinity(Some(helper), &processors);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod placement {
    #[derive(Default)]
    pub struct Placement;

    impl Placement {
        pub fn set_helper(&self) {}

        pub fn keep_off_ours(&self) {}

        pub fn allow_all(&self) {}
    }
}

/// Keeps a posted half from outliving its borrow, also where a panic ends [`ForkJoin::join`].
struct Borrow<'a>(&'a Shared);

impl Drop for Borrow<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// A helper thread for halves of jobs.
pub struct ForkJoin {
    shared: Arc<Shared>,
    helper: Option<JoinHandle<()>>,
    /// The helper was late the last time and is kept off the caller's processor.
    keeps_off: bool,
}

impl ForkJoin {
    /// # Errors
    /// The error of the system when it cannot start a thread.
    pub fn new() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let helps = Arc::clone(&shared);
        let helper = std::thread::Builder::new()
            .name("dmheadpose-half".into())
            .spawn(move || helps.help())?;
        Ok(Self {
            shared,
            helper: Some(helper),
            keeps_off: false,
        })
    }

    /// Runs both halves; `theirs` in the helper, or here if the helper has not begun when `ours` is done.
    pub fn join(&mut self, theirs: &mut (dyn FnMut() + Send), ours: impl FnOnce()) {
        if exit::is_forked() {
            // The helper is the parent's.
            theirs();
            return ours();
        }
        let half: *mut (dyn FnMut() + Send + '_) = theirs;
        // SAFETY: only the lifetime changes. The half is used by the helper while the slot is `Taken`, and
        // below; `borrow` empties the slot before this function ends.
        let half: *mut (dyn FnMut() + Send + 'static) = unsafe { std::mem::transmute(half) };
        let borrow = Borrow(&self.shared);
        self.shared.put(Slot::Posted(Half(half)));
        ours();
        let left = self.shared.clear();
        // Where all processors are busy, the scheduler leaves a waking thread on the processor where it ran last. If
        // this thread runs there, the helper cannot begin before `ours` is done, now and the next thousand times. So
        // it is kept off this processor until it was in time once; for longer, other threads that need the remaining
        // processors could delay it.
        let is_late = matches!(left, Slot::Posted(_));
        if is_late {
            self.shared.placement.keep_off_ours();
        } else if self.keeps_off {
            self.shared.placement.allow_all();
        }
        self.keeps_off = is_late;
        match left {
            // SAFETY: taken out of the slot, so no other thread has it.
            Slot::Posted(half) => unsafe { (*half.0)() },
            Slot::Panicked(payload) => panic::resume_unwind(payload),
            Slot::Empty | Slot::Taken | Slot::Closed => {}
        }
        drop(borrow);
    }
}

impl std::fmt::Debug for ForkJoin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForkJoin").finish_non_exhaustive()
    }
}

impl Drop for ForkJoin {
    fn drop(&mut self) {
        let helper = self.helper.take();
        if exit::is_forked() {
            // It is the parent's. Waiting for it, or for a lock that it held, would never end.
            return std::mem::forget(helper);
        }
        self.shared.put(Slot::Closed);
        if let Some(helper) = helper {
            // Panics were caught in the helper.
            let _ = helper.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn both_halves_are_done_each_time() {
        let mut pair = ForkJoin::new().unwrap();
        let (mut ours, mut theirs) = (0, 0);
        for n in 0..10_000 {
            pair.join(&mut || theirs += n, || ours += n);
            assert_eq!((ours, theirs), (n * (n + 1) / 2, n * (n + 1) / 2));
        }
    }

    #[test]
    fn a_panic_comes_through_and_does_no_harm() {
        let mut pair = ForkJoin::new().unwrap();
        let mut count = 0;
        for _ in 0..100 {
            let mut caught = |ours: bool| {
                let panics = AssertUnwindSafe(|| {
                    let mut theirs = || assert!(ours, "theirs");
                    pair.join(&mut theirs, || assert!(!ours, "ours"));
                });
                panic::catch_unwind(panics).is_err()
            };
            assert!(caught(true) && caught(false));
            pair.join(&mut || count += 1, || {});
        }
        assert_eq!(count, 100);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_late_helper_is_kept_off_our_processor_until_it_is_in_time() {
        use rustix::thread::sched_getaffinity;

        let ours = sched_getaffinity(None).unwrap().count();
        if ours < 2 {
            return println!("SKIPPED: one processor only");
        }
        // A helper that begins when the test says so: until then it is late.
        let shared = Arc::new(Shared::default());
        let helps = Arc::clone(&shared);
        let (begin, begins) = mpsc::channel();
        let (place, placed) = mpsc::channel();
        std::thread::spawn(move || {
            helps.placement.set_helper();
            place.send(()).unwrap();
            // Where the test fails it ends.
            let _ = begins.recv();
            helps.help();
        });
        placed.recv().unwrap();
        let mut pair = ForkJoin {
            shared,
            helper: None,
            keeps_off: false,
        };
        let processors = |pair: &ForkJoin| {
            let helper = pair.shared.placement.helper.get().copied();
            sched_getaffinity(helper).unwrap().count()
        };
        pair.join(&mut || {}, || {});
        assert_eq!(processors(&pair), ours - 1);
        begin.send(()).unwrap();
        let begun = AtomicBool::new(false);
        pair.join(&mut || begun.store(true, Relaxed), || {
            while !begun.load(Relaxed) {
                std::thread::yield_now();
            }
        });
        assert_eq!(processors(&pair), ours);
    }
}

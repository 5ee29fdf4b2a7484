// SPDX-License-Identifier: MPL-2.0
//! Two halves of a job at once, in this thread and in a helper, without an allocation.
//!
//! Scoped threads and thread pools allocate for each job, and what a frame needs is borrowed.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use placement::ThreadId;

/// Half of a job. It is borrowed from [`ForkJoin::join`], which outlives its use.
struct Half(*mut (dyn FnMut() + Send));

// SAFETY: what the pointer leads to is `Send`, and used by one thread at a time.
unsafe impl Send for Half {}

enum Slot {
    Empty,
    Posted(Half),
    /// The helper is at it.
    Taken,
    Panicked(Box<dyn Any + Send>),
    /// The helper is to end.
    Closed,
}

struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
    helper: ThreadId,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, slot: Slot) {
        *self.lock() = slot;
        self.changed.notify_all();
    }

    /// Empties the slot once the helper is not at it any more, and gives what was in it.
    fn clear(&self) -> Slot {
        let mut slot = self.lock();
        while matches!(*slot, Slot::Taken) {
            let waited = self.changed.wait(slot);
            slot = waited.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::replace(&mut *slot, Slot::Empty)
    }

    /// What the helper does until the slot is closed.
    fn help(&self) {
        self.helper.set();
        let mut slot = self.lock();
        loop {
            match std::mem::replace(&mut *slot, Slot::Taken) {
                Slot::Posted(half) => {
                    drop(slot);
                    // SAFETY: `join` waits while the slot is taken, and the half was borrowed for `join`.
                    let work = AssertUnwindSafe(|| unsafe { (*half.0)() });
                    let done = panic::catch_unwind(work);
                    self.put(done.map_or_else(Slot::Panicked, |()| Slot::Empty));
                    slot = self.lock();
                }
                Slot::Closed => return,
                other => {
                    *slot = other;
                    let waited = self.changed.wait(slot);
                    slot = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

/// Which processor the helper runs on.
#[cfg(target_os = "linux")]
mod placement {
    use std::sync::OnceLock;

    use rustix::thread;

    #[derive(Default)]
    pub struct ThreadId(pub OnceLock<thread::Pid>);

    impl ThreadId {
        /// To be called by the thread.
        pub fn set(&self) {
            let _ = self.0.set(thread::gettid());
        }

        /// Has the thread run on any processor that the caller may use but the one that the caller is on. Where
        /// that is not allowed all stays as it is.
        pub fn keep_off_ours(&self) {
            let (Some(&thread), Ok(mut processors)) =
                (self.0.get(), thread::sched_getaffinity(None))
            else {
                return;
            };
            processors.unset(thread::sched_getcpu());
            if processors.count() > 0 {
                let _ = thread::sched_setaffinity(Some(thread), &processors);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod placement {
    #[derive(Default)]
    pub struct ThreadId;

    impl ThreadId {
        pub fn set(&self) {}

        pub fn keep_off_ours(&self) {}
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
}

impl ForkJoin {
    /// # Errors
    /// What the system says when it cannot start a thread.
    pub fn new() -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            slot: Mutex::new(Slot::Empty),
            changed: Condvar::new(),
            helper: ThreadId::default(),
        });
        let helps = Arc::clone(&shared);
        let helper = std::thread::Builder::new()
            .name("dmheadpose-half".into())
            .spawn(move || helps.help())?;
        Ok(Self {
            shared,
            helper: Some(helper),
        })
    }

    /// Runs both halves, `theirs` in the helper, unless that has not come to it when `ours` is done.
    pub fn join(&mut self, theirs: &mut (dyn FnMut() + Send), ours: impl FnOnce()) {
        let half: *mut (dyn FnMut() + Send + '_) = theirs;
        // SAFETY: only the lifetime changes. The half is used by the helper while the slot is `Taken`, and
        // below; `borrow` empties the slot before this function ends.
        let half: *mut (dyn FnMut() + Send + 'static) = unsafe { std::mem::transmute(half) };
        let borrow = Borrow(&self.shared);
        self.shared.put(Slot::Posted(Half(half)));
        ours();
        match self.shared.clear() {
            Slot::Posted(half) => {
                // Where all processors are busy, the scheduler leaves a thread that wakes on the one where it was
                // last. If that is ours it cannot begin before we are done, now and the next thousand times.
                self.shared.helper.keep_off_ours();
                // SAFETY: taken out of the slot, so nobody else has it.
                unsafe { (*half.0)() }
            }
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
        self.shared.put(Slot::Closed);
        if let Some(helper) = self.helper.take() {
            // It has caught all panics.
            let _ = helper.join();
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn a_helper_that_comes_too_late_is_kept_off_our_processor() {
        use rustix::thread::sched_getaffinity;

        let ours = sched_getaffinity(None).unwrap().count();
        if ours < 2 {
            return println!("SKIPPED: one processor only");
        }
        let mut pair = ForkJoin::new().unwrap();
        pair.join(&mut || {}, || {});
        // Nobody wakes as fast as this, not each time.
        let mut processors_after_a_join = || {
            pair.join(&mut || {}, || {});
            let helper = pair.shared.helper.0.get().copied();
            helper.map_or(ours, |helper| {
                sched_getaffinity(Some(helper)).unwrap().count()
            })
        };
        assert!((0..100_000).any(|_| processors_after_a_join() == ours - 1));
    }
}

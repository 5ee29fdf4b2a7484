// SPDX-License-Identifier: MPL-2.0
//! A deliberate data race, so that tests/tsan.sh can tell whether ThreadSanitizer detects races.

use std::cell::UnsafeCell;
use std::sync::Barrier;

struct Unprotected(UnsafeCell<u32>);

// SAFETY: none. That is the purpose.
unsafe impl Sync for Unprotected {}

#[test]
#[ignore = "races: tests/tsan.sh runs it"]
fn two_threads_write_without_a_lock() {
    static COUNT: Unprotected = Unprotected(UnsafeCell::new(0));
    // A thread that starts after the end of another may take its place in the sanitizer's books.
    let both = Barrier::new(2);
    let count = || {
        both.wait();
        // SAFETY: the pointer is valid; the writes race, on purpose.
        unsafe { *COUNT.0.get() += 1 }
    };
    std::thread::scope(|scope| {
        scope.spawn(count);
        scope.spawn(count);
    });
}

// SPDX-License-Identifier: MPL-2.0
//! Keeps inference and process exit apart: ONNX Runtime's static destructors must not run under an inference
//! of an application that exits without stopping its pipeline.

use std::sync::{Once, PoisonError, RwLock, RwLockReadGuard, TryLockError};
use std::time::Duration;

use super::error::Error;

static EXITING: RwLock<bool> = RwLock::new(false);
static EXIT_HANDLER: Once = Once::new();

/// Lets an inference pass; the process does not exit before the guard is dropped, unless that takes seconds.
///
/// # Errors
/// [`Error::Exiting`].
pub(super) fn pass() -> Result<RwLockReadGuard<'static, bool>, Error> {
    let exiting = EXITING.read().unwrap_or_else(PoisonError::into_inner);
    if *exiting {
        return Err(Error::Exiting);
    }
    Ok(exiting)
}

/// Closes the gate when the process exits. To be called after an inference.
///
/// Exit handlers run in reverse order of registration. ONNX Runtime registers its destructors up to the end of
/// the first inference, so ours comes after that and runs before them.
pub(super) fn close_at_exit() {
    unsafe extern "C" {
        fn atexit(handler: extern "C" fn()) -> std::ffi::c_int;
    }
    EXIT_HANDLER.call_once(|| {
        // SAFETY: `close` is a plain C function without arguments that neither panics nor unwinds.
        unsafe { atexit(close) };
    });
}

extern "C" fn close() {
    // Wait for a running inference, but never hang an exit on one that is stuck.
    for _ in 0..2000 {
        match EXITING.try_write() {
            Ok(mut exiting) => {
                *exiting = true;
                return;
            }
            Err(TryLockError::Poisoned(poisoned)) => {
                *poisoned.into_inner() = true;
                return;
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

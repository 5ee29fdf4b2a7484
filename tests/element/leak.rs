// SPDX-License-Identifier: MPL-2.0
//! A deliberate leak, so that tests/leaks.sh can tell whether GStreamer's tracer detects leaks.

use crate::common::toys;

#[test]
#[ignore = "leaks: tests/leaks.sh runs it"]
fn an_element_is_forgotten() {
    std::mem::forget(toys::quick());
}

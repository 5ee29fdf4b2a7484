// SPDX-License-Identifier: MPL-2.0
//! A deliberate leak, so that tests/leaks.sh can tell whether GStreamer's tracer detects leaks.

mod toys;

#[test]
fn an_element_is_forgotten() {
    std::mem::forget(toys::quick());
}

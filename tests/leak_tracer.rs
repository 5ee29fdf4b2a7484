// SPDX-License-Identifier: MPL-2.0
//! A leak made on purpose, so that tests/leaks.sh knows whether GStreamer's tracer sees one.

mod toys;

#[test]
fn an_element_is_forgotten() {
    std::mem::forget(toys::quick());
}

// SPDX-License-Identifier: MPL-2.0
//! A leak made on purpose, so that tests/leaks.sh knows whether GStreamer's tracer sees one.

use crate::common::toys;

#[test]
#[ignore = "leaks: tests/leaks.sh runs it"]
fn an_element_is_forgotten() {
    std::mem::forget(toys::quick());
}

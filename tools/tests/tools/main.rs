// SPDX-License-Identifier: MPL-2.0
//! The programs of this package, run as a user runs them.
//!
//! - [`eval`]: `dmheadpose-eval` on data sets whose errors are known.
//! - [`models`]: `dmheadpose-models` on files of every kind.

#[path = "../../../tests/common/mod.rs"]
mod common;

mod eval;
mod models;

// SPDX-License-Identifier: MPL-2.0
//! Several frames in flight, and frames that leave without an inference of their own.

#[path = "../common/mod.rs"]
mod common;

mod held;
mod pipeline_depth;

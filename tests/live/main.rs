// SPDX-License-Identifier: MPL-2.0
//! Frames in time: several in flight, and those that go on without an inference of their own.

#[path = "../common/mod.rs"]
mod common;

mod held;
mod pipeline_depth;

// SPDX-License-Identifier: MPL-2.0
//! The estimator without GStreamer around it. This binary has an allocator of its own: see [`allocations`].

#[path = "../common/mod.rs"]
mod common;

mod allocations;
mod dead_thread;
mod known_boxes;

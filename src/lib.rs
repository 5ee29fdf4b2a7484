// SPDX-License-Identifier: MPL-2.0
//! GStreamer plugin `dmheadpose`: head detection and head-pose estimation, also from behind.
//!
//! [`estimator`] is plain Rust without GStreamer: frame in, heads out. Everything beside it puts the
//! estimator into pipelines.

pub mod estimator;
pub mod headposemeta;

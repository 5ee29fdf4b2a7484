// SPDX-License-Identifier: MPL-2.0
//! What is drawn on frames and what is hidden in them.

#[path = "../common/mod.rs"]
mod common;

mod blend;
mod composition;
mod dmheadposeoverlay;
mod face;
mod pictures;
mod privacy;

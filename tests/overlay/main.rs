// SPDX-License-Identifier: MPL-2.0
//! Drawing on frames, and hiding heads in them.

#[path = "../common/mod.rs"]
mod common;

mod blend;
mod composition;
mod dmheadposeoverlay;
mod face;
mod pictures;
mod privacy;

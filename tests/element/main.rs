// SPDX-License-Identifier: MPL-2.0
//! The element `dmheadpose` in pipelines and harnesses: buffers, formats, states, messages, properties
//! and sessions.

#[path = "../common/mod.rs"]
mod common;

mod buffers;
mod formats;
mod leak;
mod lifecycle;
mod messages;
mod properties;
mod race;
mod sessions;
mod storm;

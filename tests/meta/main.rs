// SPDX-License-Identifier: MPL-2.0
//! The poses on buffers: behind other elements, from C, in other vendors' metas, and as lines of JSON.

#[path = "../common/mod.rs"]
mod common;

mod c_header;
mod interop;
mod json;
mod transforms;

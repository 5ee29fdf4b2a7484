// SPDX-License-Identifier: MPL-2.0
//! Cameras: RTSP servers on this machine, read through real pipelines and through the example.

#[path = "../common/mod.rs"]
mod common;

mod ingest;
mod late;

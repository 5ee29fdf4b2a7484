// SPDX-License-Identifier: MPL-2.0
//! Cameras: RTSP servers on this machine, read through real pipelines and through the example.

#[path = "../rtsp/mod.rs"]
mod rtsp;
#[path = "../toys/mod.rs"]
mod toys;

mod ingest;
mod late;

use toys::common;

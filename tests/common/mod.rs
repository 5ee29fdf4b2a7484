// SPDX-License-Identifier: MPL-2.0
//! What several integration tests need: pictures as raw frames, and where the fetched files lie.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use gst::prelude::*;
use gst_video::prelude::*;

/// Initialises GStreamer and registers the plugin under test, once.
pub fn init() {
    use std::sync::Once;
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstdmheadpose::plugin_register_static().unwrap();
    });
}

/// A file of the repository, tracked or fetched.
pub fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A picture as raw frame: tightly packed rows of `format`.
pub fn decode_picture(path: &Path, format: &str) -> (gst_video::VideoInfo, Vec<u8>) {
    let caps = format!("video/x-raw,format={format}");
    let line = format!(
        "filesrc name=file ! decodebin ! videoconvert ! {caps} ! appsink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let file = pipeline.by_name("file").unwrap();
    file.set_property("location", path.to_str().unwrap());
    let sink = pipeline
        .by_name("sink")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let sample = sink
        .pull_sample()
        .unwrap_or_else(|_| panic!("cannot decode {}", path.display()));
    pipeline.set_state(gst::State::Null).unwrap();
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let buffer = sample.buffer_owned().unwrap();
    let frame = gst_video::VideoFrame::from_buffer_readable(buffer, &info).unwrap();
    let row = info.comp_pstride(0) as usize * info.width() as usize;
    let bytes = frame
        .plane_data(0)
        .unwrap()
        .chunks(frame.plane_stride()[0] as usize)
        .flat_map(|line| &line[..row])
        .copied()
        .collect();
    (info, bytes)
}

// SPDX-License-Identifier: MPL-2.0
//! `dmheadposejson`: the contents of its lines, its handling of events, and the delivery of lines.

mod events;
mod lines;

use gstdmheadpose::headposemeta::HeadPoses;
use serde_json::Value;

use crate::common::{init, schema, toys};

fn video_caps(width: u32) -> gst::Caps {
    toys::caps(gst_video::VideoFormat::I420, width, 240)
}

fn harness() -> gst_check::Harness {
    init();
    let mut h = gst_check::Harness::new("dmheadposejson");
    h.set_src_caps(video_caps(320));
    h
}

/// The `number`th frame of a clip of 25 frames a second.
fn frame(number: u64, poses: Option<&HeadPoses>) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(16).unwrap();
    toys::number(&mut buffer, number);
    if let Some(poses) = poses {
        poses.attach(buffer.make_mut()).unwrap();
    }
    buffer
}

/// Parses one line after checking it against the schema.
fn parse(line: &[u8]) -> Value {
    let value = serde_json::from_slice(line).unwrap();
    schema::validate_file("docs/pose-line.schema.json", &value).unwrap();
    value
}

fn pull(h: &mut gst_check::Harness) -> (gst::Buffer, Value) {
    let buffer = h.pull().unwrap();
    let map = buffer.map_readable().unwrap();
    assert_eq!(
        map.iter().filter(|b| **b == b'\n').count(),
        1,
        "a line a buffer"
    );
    assert_eq!(map.last(), Some(&b'\n'));
    let value = parse(&map);
    drop(map);
    (buffer, value)
}

fn events(h: &mut gst_check::Harness) -> Vec<gst::Event> {
    std::iter::from_fn(|| h.try_pull_event()).collect()
}

// SPDX-License-Identifier: MPL-2.0
//! Every format that the element advertises, at sizes from one pixel to odd HD: each frame passes
//! and carries a meta that refers to its size.

use gst_video::VideoFormat;

use crate::common::toys;

const FRAMES: usize = 3;
/// One pixel, one chroma sample, odd and tiny, VGA, odd HD.
const SIZES: [(u32, u32); 5] = [(1, 1), (2, 2), (17, 13), (640, 480), (1919, 1079)];

/// Test pictures through the element: each arrives with a meta of its size.
fn run(element: &gst::Element, format: VideoFormat, (width, height): (u32, u32)) {
    let line = format!(
        "videotestsrc num-buffers={FRAMES} ! video/x-raw,format={format},width={width},height={height} \
         ! identity name=here ! fakesink name=sink"
    );
    let poses = toys::play(&line, element);
    let poses = poses.iter().map(|buffer| toys::poses(buffer));
    let sizes: Vec<_> = poses.map(|poses| (poses.width, poses.height)).collect();
    assert_eq!(sizes, [(width, height); FRAMES], "{format}");
}

#[test]
fn every_format_at_every_size() {
    let element = toys::quick();
    for size in SIZES {
        for format in toys::formats() {
            run(&element, format, size);
        }
    }
}

/// In one format only: loading these models takes most of the time.
#[test]
fn the_default_models_at_every_size() {
    let element = toys::make("dmheadpose", "");
    for size in SIZES {
        run(&element, VideoFormat::I420, size);
    }
}

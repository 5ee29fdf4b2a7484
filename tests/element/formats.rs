// SPDX-License-Identifier: MPL-2.0
//! Every format that the element advertises, at sizes from one pixel to odd HD: each frame passes
//! and carries a meta that refers to its size.

use gst_video::VideoFormat;

use crate::common;
use crate::common::toys::{self, FORMATS};

const FRAMES: usize = 6;

/// The raw formats of the pads' templates.
fn advertised_formats(element: &str) -> Vec<String> {
    let factory = gst::ElementFactory::find(element).unwrap();
    let templates = factory.static_pad_templates();
    let mut formats = Vec::new();
    for caps in templates.iter().map(|template| template.caps()) {
        for structure in caps.iter() {
            let list = structure.get::<gst::List>("format").unwrap();
            formats.extend(list.iter().map(|format| format.get::<String>().unwrap()));
        }
    }
    formats.sort();
    formats.dedup();
    formats
}

#[test]
fn the_elements_take_the_formats_of_these_tests() {
    common::init();
    let mut tested = FORMATS.map(|format| format.to_string());
    tested.sort();
    for element in ["dmheadpose", "dmheadposeoverlay"] {
        assert_eq!(advertised_formats(element), tested, "{element}");
    }
}

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

fn every_format_at(width: u32, height: u32) {
    let element = toys::quick();
    for format in FORMATS {
        run(&element, format, (width, height));
    }
}

#[test]
fn one_pixel() {
    every_format_at(1, 1);
}

#[test]
fn one_chroma_sample() {
    every_format_at(2, 2);
}

#[test]
fn odd_and_tiny() {
    every_format_at(17, 13);
}

#[test]
fn vga() {
    every_format_at(640, 480);
}

#[test]
fn odd_hd() {
    every_format_at(1919, 1079);
}

/// In two formats only: loading these models takes most of the time.
#[test]
fn the_default_models_at_every_size() {
    common::init();
    let element = gst::ElementFactory::make("dmheadpose").build().unwrap();
    toys::set_runtime(&element);
    for size in [(1, 1), (2, 2), (17, 13), (640, 480), (1919, 1079)] {
        for format in [VideoFormat::I420, VideoFormat::Bgrx] {
            run(&element, format, size);
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Every format that the element advertises, at sizes from one pixel to odd HD: each frame passes
//! and carries a meta that refers to its size.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gst::prelude::*;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common;
use crate::common::toys::FORMATS;

const FRAMES: usize = 30;

/// The raw formats of the pads' templates.
fn advertised_formats(element: &str) -> Vec<String> {
    let factory = gst::ElementFactory::find(element).unwrap();
    let templates = factory.static_pad_templates();
    let caps = templates.iter().flat_map(|template| {
        let caps = template.caps();
        let lists = caps.iter().map(|s| s.get::<gst::List>("format").unwrap());
        lists.collect::<Vec<_>>()
    });
    let mut formats: Vec<String> = caps
        .flat_map(|list| list.iter().map(|v| v.get().unwrap()).collect::<Vec<_>>())
        .collect();
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

/// Runs test pictures through the element and says what went wrong, if anything.
fn run(format: &str, width: u32, height: u32) -> Result<(), String> {
    let line = format!(
        "videotestsrc num-buffers={FRAMES} ! video/x-raw,format={format},width={width},height={height} \
         ! dmheadpose ! fakesink name=sink"
    );
    let pipeline = gst::parse::launch(&line).map_err(|error| error.to_string())?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap();
    let with_meta = Arc::new(AtomicUsize::new(0));
    let counter = with_meta.clone();
    sink.static_pad("sink")
        .unwrap()
        .add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let poses = info
                .buffer()
                .and_then(|buffer| HeadPoses::from_buffer(buffer));
            if poses.is_some_and(|poses| (poses.width, poses.height) == (width, height)) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
    // An error of the state change is on the bus as well, with its reason.
    let _ = pipeline.set_state(gst::State::Playing);
    let message = pipeline.bus().unwrap().timed_pop_filtered(
        gst::ClockTime::from_seconds(120),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    pipeline.set_state(gst::State::Null).unwrap();
    match message.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_)) => {}
        Some(gst::MessageView::Error(error)) => {
            return Err(format!("{} ({:?})", error.error(), error.debug()));
        }
        _ => return Err("no end of stream".into()),
    }
    match with_meta.load(Ordering::Relaxed) {
        FRAMES => Ok(()),
        found => Err(format!("expected a meta on {FRAMES} frames, found {found}")),
    }
}

fn every_format_at(width: u32, height: u32) {
    common::init();
    let failures: Vec<String> = FORMATS
        .iter()
        .filter_map(|format| {
            run(format.to_str(), width, height)
                .err()
                .map(|e| format!("{format}: {e}"))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{width}x{height}:\n{}",
        failures.join("\n")
    );
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

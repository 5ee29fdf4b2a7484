// SPDX-License-Identifier: MPL-2.0
//! A thousand starts and stops at random moments, with and without frames in flight: nothing leaks.

use std::sync::mpsc;
use std::time::Duration;

use gst::prelude::*;

use crate::common::toys;
use crate::common::usage::Usage;
use crate::copy_of_this;

const CYCLES: u32 = 1000;
/// Set in a copy of this process: what is counted there is its own.
const COUNTING: &str = "DMHEADPOSE_TEST_CYCLES";
/// A guard against a hang, never a measure.
const GUARD: Duration = Duration::from_secs(60);
/// The memory that two thirds of the cycles may add: some KiB each, and far less than a model.
const GROWTH_KIB: u64 = 4096;

/// From NULL to PLAYING and back; every second cycle waits for a frame first. Returns whether one arrived.
fn cycle(
    number: u32,
    pipeline: &gst::Pipeline,
    element: &gst::Element,
    frames: &mpsc::Receiver<()>,
) -> bool {
    element.set_property("async", number.is_multiple_of(3));
    element.set_property("pipeline-depth", 1 + number % 4);
    element.set_property("share-models", number.is_multiple_of(5));
    element.set_property_from_str("overlay", ["", "box+labels"][number as usize % 2]);
    while frames.try_recv().is_ok() {}
    pipeline.set_state(gst::State::Playing).unwrap();
    let awaited = number.is_multiple_of(2);
    if awaited {
        frames.recv_timeout(GUARD).expect("a frame");
    }
    pipeline.set_state(gst::State::Null).unwrap();
    awaited || frames.try_recv().is_ok()
}

/// Errors that a source may post with any element downstream. A stop deactivates an element's source pad before its
/// sink pad. A first event (stream-start, caps, segment) in between cannot be forwarded, and from an event function
/// that returns a boolean (identity, capsfilter, tee, every BaseTransform) the core takes that for an error, not for
/// flushing. Elements that take a moment to stop give the source time to get there.
fn is_of_the_stop(message: &gst::Message) -> bool {
    let of_source = |src: &gst::Object| src.name().starts_with("videotestsrc");
    message.type_() == gst::MessageType::Error && message.src().is_some_and(of_source)
}

#[test]
fn a_thousand_starts_and_stops_leave_nothing_behind() {
    if std::env::var_os(COUNTING).is_none() {
        let mut copy = copy_of_this("cycles::a_thousand_starts_and_stops_leave_nothing_behind");
        let output = copy.env(COUNTING, "").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        print!("{said}");
        assert!(output.status.success(), "{}: {said}", output.status);
        return;
    }
    let element = toys::quick();
    let line = "videotestsrc ! video/x-raw,format=I420,width=160,height=120 ! identity name=here \
                ! dmheadposejson ! fakesink name=sink sync=false";
    let pipeline = toys::pipeline(line, &element);
    // Messages posted before the stop are still there after it.
    pipeline.set_auto_flush_bus(false);
    let bus = pipeline.bus().unwrap();
    let frames = toys::arrivals(&pipeline, "sink");
    let mut after_a_third = None;
    for number in 0..CYCLES {
        let arrived = cycle(number, &pipeline, &element, &frames);
        while let Some(message) = bus.pop() {
            let bad = [gst::MessageType::Error, gst::MessageType::Warning];
            // Before a frame arrives, all first events have.
            assert!(
                !bad.contains(&message.type_()) || !arrived && is_of_the_stop(&message),
                "cycle {number}: {message:?}"
            );
        }
        if number == CYCLES / 3 {
            after_a_third = Some(Usage::now());
        }
    }
    let (before, after) = (after_a_third.unwrap(), Usage::now());
    eprintln!("{before:?} after a third of {CYCLES} cycles, {after:?} after all");
    assert_eq!(after.files, before.files);
    // GLib keeps threads of its pool for a while, and one that was told to end may take a moment: a small
    // difference means nothing. One leaked thread per cycle would be hundreds.
    assert!(after.threads <= before.threads + 16, "{before:?} {after:?}");
    let most = before.resident + GROWTH_KIB;
    assert!(after.resident < most, "{before:?} {after:?}");
}

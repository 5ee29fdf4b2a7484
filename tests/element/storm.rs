// SPDX-License-Identifier: MPL-2.0
//! Every property that may change while playing, set and read from four threads at the same time: each frame comes out,
//! in order, and nothing fails.

use std::sync::atomic::{AtomicBool, Ordering};

use gst::glib;
use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;

use crate::common::toys;
use crate::properties::{own, values};

const FRAMES: usize = 300;
const THREADS: usize = 4;

/// The properties that may change while playing, with values.
fn changing(element: &gst::Element) -> Vec<(String, Vec<glib::Value>)> {
    let own = own(element).into_iter();
    own.filter(|spec| spec.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING))
        .map(|spec| (spec.name().to_string(), values(&spec)))
        .collect()
}

#[test]
fn four_threads_change_every_property_of_a_playing_element() {
    for mode in ["", "pipeline-depth=4", "async=true", "heads-from=roi-meta"] {
        storm(mode);
    }
}

fn storm(properties: &str) {
    let element = toys::quick_with(properties);
    let line = format!(
        "videotestsrc num-buffers={FRAMES} ! video/x-raw,format=I420,width=160,height=120,framerate=25/1 \
         ! identity name=from ! identity name=here ! identity name=out ! dmheadposejson ! fakesink sync=false"
    );
    let pipeline = toys::pipeline(&line, &element);
    // For heads-from=roi-meta and object-class.
    toys::each_buffer(&toys::pad(&pipeline, "from", "src"), |buffer| {
        VideoRegionOfInterestMeta::add(buffer.make_mut(), "head", (4, 4, 80, 60));
    });
    let frames = toys::collect(&pipeline, "out");
    assert!(changing(&element).len() > 20);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (element, done) = (&element, &done);
            scope.spawn(move || {
                let properties = changing(element);
                // Each thread goes through names and values at its own pace.
                for step in (thread..).step_by(2 * thread + 1) {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let (name, values) = &properties[step % properties.len()];
                    element.set_property_from_value(name, &values[step / 7 % values.len()]);
                    let _ = element.property_value(name);
                    let _ = element.property::<gst::Structure>("stats");
                }
            });
        }
        let bus = pipeline.bus().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        // Warnings are allowed: not every GStreamer supports every option.
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let end = bus.timed_pop_filtered(toys::GUARD, &ends);
        done.store(true, Ordering::Relaxed);
        let end = end.expect("the end of the stream");
        assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    });
    pipeline.set_state(gst::State::Null).unwrap();
    let frames = toys::take(&frames);
    assert_eq!(frames.len(), FRAMES);
    assert!(frames.iter().map(|frame| frame.pts().unwrap()).is_sorted());
}

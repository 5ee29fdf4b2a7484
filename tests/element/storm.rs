// SPDX-License-Identifier: MPL-2.0
//! Every property that may change while playing, set and read from four threads at the same time: each frame comes out,
//! in order, and nothing fails.

use std::sync::atomic::{AtomicBool, Ordering};

use gst::glib;
use gst::prelude::*;

use crate::common::toys;

const FRAMES: usize = 300;
const THREADS: usize = 4;

/// Values to choose from for a property: its limits, its default, its nicks.
fn values(pspec: &glib::ParamSpec) -> Vec<glib::Value> {
    let mut values = vec![pspec.default_value().clone()];
    macro_rules! limits_of {
        ($($kind:ident),*) => {
            $(if let Some(spec) = pspec.downcast_ref::<glib::$kind>() {
                values.extend([spec.minimum(), spec.maximum()].map(|value| value.to_value()));
            })*
        };
    }
    limits_of!(
        ParamSpecFloat,
        ParamSpecDouble,
        ParamSpecInt,
        ParamSpecUInt,
        ParamSpecUInt64
    );
    if let Some(spec) = pspec.downcast_ref::<glib::ParamSpecBoolean>() {
        values.push((!spec.default_value()).to_value());
    } else if let Some(spec) = pspec.downcast_ref::<glib::ParamSpecEnum>() {
        let class = spec.enum_class();
        let all = class.values().iter();
        values.extend(all.map(|value| value.to_value(&class)));
    } else if let Some(spec) = pspec.downcast_ref::<glib::ParamSpecFlags>() {
        let class = spec.flags_class();
        let all = class
            .values()
            .iter()
            .fold(class.builder(), |all, value| all.set(value.value()));
        values.extend(all.build());
    } else if pspec.value_type() == glib::Type::STRING {
        values.extend(["#{id}", "head,face", "\u{e9}\u{4e16}"].map(|text| text.to_value()));
    }
    values
}

/// The properties that may change while playing, with values.
fn changing(element: &gst::Element) -> Vec<(String, Vec<glib::Value>)> {
    let playing = gst::PARAM_FLAG_MUTABLE_PLAYING;
    let specs = element.list_properties().to_vec();
    let own = specs
        .iter()
        .filter(|spec| spec.owner_type() == element.type_());
    own.filter(|spec| spec.flags().contains(playing))
        .map(|spec| (spec.name().to_string(), values(spec)))
        .collect()
}

fn storm(prepare: impl Fn(&gst::Element)) {
    let element = toys::quick();
    prepare(&element);
    let line = format!(
        "videotestsrc num-buffers={FRAMES} ! video/x-raw,format=I420,width=160,height=120,framerate=25/1 \
         ! identity name=here ! dmheadposejson ! fakesink sync=false"
    );
    let pipeline = toys::pipeline(&line, &element);
    let out = element.static_pad("src").unwrap();
    let times = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let into = times.clone();
    out.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        into.lock()
            .unwrap()
            .push(info.buffer().unwrap().pts().unwrap());
        gst::PadProbeReturn::Ok
    });
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
    let times = times.lock().unwrap();
    assert_eq!(times.len(), FRAMES);
    assert!(times.is_sorted());
}

#[test]
fn four_threads_change_every_property_of_a_playing_element() {
    storm(|_| ());
}

#[test]
fn likewise_with_frames_in_flight() {
    storm(|element| element.set_property("pipeline-depth", 4u32));
}

#[test]
fn likewise_asynchronously() {
    storm(|element| element.set_property("async", true));
}

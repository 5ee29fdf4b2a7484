// SPDX-License-Identifier: MPL-2.0
//! Single buffers: every processed buffer carries a meta and is otherwise unchanged, frames with other owners are never
//! written to, and flow returns from downstream are passed upstream.

use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstdmheadpose::headposemeta::{HeadPoses, Source};

use crate::common::toys::{self, bytes, caps, grey, stat};

const FORMAT: VideoFormat = VideoFormat::I420;

fn frame() -> gst::Buffer {
    grey(FORMAT, 320, 240)
}

fn harness(element: &gst::Element) -> gst_check::Harness {
    toys::harness(element, &caps(FORMAT, 320, 240))
}

#[test]
fn every_buffer_carries_a_meta_even_without_heads() {
    let element = toys::quick();
    let mut h = harness(&element);
    // The heads score 0.75 and 0.5.
    for (threshold, n) in [(0.9f32, 0), (0.6, 1), (-1.0, 2)] {
        element.set_property("score-threshold", threshold);
        let poses = toys::poses(&h.push_and_pull(frame()).unwrap());
        assert_eq!(poses.heads.len(), n, "above {threshold}");
        assert_eq!((poses.width, poses.height), (320, 240));
        assert_eq!(
            (poses.source, poses.age),
            (Source::Inferred, Some(gst::ClockTime::ZERO))
        );
        assert!(poses.inference_time > Some(gst::ClockTime::ZERO));
    }
}

#[test]
fn only_gaps_without_a_picture_pass_unchanged() {
    let element = toys::quick_with("overlay=box+axes");
    let mut h = harness(&element);
    // As videorate marks a frame that it repeats.
    let mut repeated = frame();
    repeated.make_mut().set_flags(gst::BufferFlags::GAP);
    let before = bytes(&repeated);
    let out = h.push_and_pull(repeated).unwrap();
    assert!(out.flags().contains(gst::BufferFlags::GAP));
    assert_eq!(toys::poses(&out).heads.len(), 2);
    assert!(bytes(&out) != before, "nothing was drawn");
    let out = h.push_and_pull(toys::empty_gap(1)).unwrap();
    assert!(out.flags().contains(gst::BufferFlags::GAP));
    assert_eq!((out.size(), HeadPoses::from_buffer(&out)), (0, None));
    assert_eq!((stat(&element, "gaps"), stat(&element, "inferred")), (1, 1));
    while h.try_pull_event().is_some() {}
    let at = gst::ClockTime::from_mseconds(80);
    assert!(h.push_event(gst::event::Gap::builder(at).duration(at).build()));
    assert_eq!(h.pull_event().unwrap().type_(), gst::EventType::Gap);
}

#[test]
fn times_flags_and_other_metas_are_kept() {
    let element = toys::quick();
    let mut h = harness(&element);
    let mut buffer = frame();
    let b = buffer.make_mut();
    let flags = gst::BufferFlags::DISCONT | gst::BufferFlags::DELTA_UNIT | gst::BufferFlags::MARKER;
    b.set_flags(flags);
    b.set_pts(gst::ClockTime::from_mseconds(120));
    b.set_dts(gst::ClockTime::from_mseconds(80));
    b.set_duration(gst::ClockTime::from_mseconds(33));
    b.set_offset(7);
    b.set_offset_end(8);
    VideoRegionOfInterestMeta::add(b, "dog", (10, 20, 30, 40));
    let reference = gst::Caps::new_empty_simple("timestamp/x-ntp");
    let time = gst::ClockTime::from_seconds(1_000_000);
    gst::ReferenceTimestampMeta::add(b, &reference, time, gst::ClockTime::NONE);
    let out = h.push_and_pull(buffer).unwrap();
    assert!(out.flags().contains(flags), "{:?}", out.flags());
    assert_eq!(out.pts(), Some(gst::ClockTime::from_mseconds(120)));
    assert_eq!(out.dts(), Some(gst::ClockTime::from_mseconds(80)));
    assert_eq!(out.duration(), Some(gst::ClockTime::from_mseconds(33)));
    assert_eq!((out.offset(), out.offset_end()), (7, 8));
    let region = out.meta::<VideoRegionOfInterestMeta>().unwrap();
    let found = (region.roi_type(), region.rect());
    assert_eq!(found, ("dog", (10, 20, 30, 40)));
    let reference = out.meta::<gst::ReferenceTimestampMeta>().unwrap();
    assert_eq!(reference.timestamp(), time);
    assert_eq!(toys::poses(&out).heads.len(), 2);
}

#[test]
fn statistics_count_what_happened() {
    let element = toys::quick_with("execution-provider=auto");
    let all = |element: &gst::Element| {
        ["frames", "inferred", "gaps", "heads"].map(|name| stat(element, name))
    };
    assert_eq!(all(&element), [0; 4]);
    assert_eq!(element.property::<Option<String>>("active-provider"), None);
    let mut h = harness(&element);
    assert_eq!(element.property::<String>("active-provider"), "cpu");
    for number in 0..7 {
        let mut buffer = frame();
        toys::number(&mut buffer, number);
        if number % 3 == 0 {
            buffer = toys::empty_gap(number);
        }
        h.push_and_pull(buffer).unwrap();
    }
    assert_eq!(all(&element), [7, 4, 3, 8]);
    let stats = element.property::<gst::Structure>("stats");
    let stages = stats.fields();
    let stages = stages.filter_map(|field| field.strip_suffix("-p50"));
    let stages: Vec<&str> = stages.collect();
    for stage in &stages {
        let percentile = |p| stats.get::<u64>(format!("{stage}-{p}")).unwrap();
        assert!(percentile("p50") <= percentile("p95"), "{stats}");
        assert!(*stage == "overlay" || percentile("p50") > 0, "{stats}");
    }
    assert_eq!(stages.len(), 6, "{stats}");
    assert_eq!(stats.get::<&str>("active-provider"), Ok("cpu"));
    let detector: String = stats.get("detector-model").unwrap();
    assert!(detector.ends_with("rows_nhwc_32x32.onnx"), "{detector}");
    element.set_state(gst::State::Null).unwrap();
    assert_eq!(all(&element), [7, 4, 3, 8], "the last run's are kept");
    element.set_state(gst::State::Paused).unwrap();
    assert_eq!(all(&element), [0; 4], "each run starts counting from zero");
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn flow_returns_from_downstream_go_upstream() {
    for answer in [
        gst::FlowError::Flushing,
        gst::FlowError::Eos,
        gst::FlowError::NotNegotiated,
        gst::FlowError::Error,
        gst::FlowError::CustomError,
    ] {
        let element = toys::quick();
        let bus = toys::OwnBus::of(&element);
        let mut h = harness(&element);
        let src = element.static_pad("src").unwrap();
        src.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            info.flow_res = Err(answer);
            gst::PadProbeReturn::Handled
        });
        assert_eq!(h.push(frame()), Err(answer));
        let errors = toys::errors(&bus);
        assert!(errors.is_empty(), "not this element's: {errors:?}");
    }
}

/// Angles of a picture that lies on its side are wrong but look right: one warning is posted.
#[test]
fn a_picture_on_its_side_is_a_warning() {
    for (turned, tag, flip) in [
        (false, "rotate-90", "identity"),
        (false, "rotate-90", "videoflip"),
        (true, "rotate-90", "videoflip video-direction=auto"),
        (true, "rotate-90", "videoflip video-direction=90r ! queue"),
        (true, "rotate-0", "identity"),
    ] {
        let line = format!(
            "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=32,height=24 \
             ! taginject tags=image-orientation={tag} ! {flip} ! identity name=here ! fakesink"
        );
        let pipeline = toys::pipeline(&line, &toys::quick());
        let bus = pipeline.bus().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let mut warnings = Vec::new();
        let kinds = [gst::MessageType::Eos, gst::MessageType::Warning];
        let next = || bus.timed_pop_filtered(toys::GUARD, &kinds).unwrap();
        while let gst::MessageView::Warning(warning) = next().view() {
            warnings.push(warning.error());
        }
        assert_eq!(warnings.len(), usize::from(!turned), "{flip}: {warnings:?}");
        let says = |part| {
            warnings
                .iter()
                .all(|warning| warning.message().contains(part))
        };
        assert!(says("image-orientation=rotate-90") && says("videoflip"));
        pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// The address of a buffer's only memory: another address means a copy.
fn memory(buffer: &gst::BufferRef) -> *const gst::ffi::GstMemory {
    assert_eq!(buffer.n_memory(), 1);
    buffer.peek_memory(0).as_ptr()
}

#[test]
fn frames_are_copied_only_to_draw_on_those_with_other_owners() {
    let before = vec![90u8; 320 * 240 * 3 / 2];
    let read_only = || gst::Buffer::from_slice(before.clone());
    let writable = || gst::Buffer::from_mut_slice(before.clone());
    for depth in [1u32, 2] {
        let element = toys::quick();
        element.set_property("pipeline-depth", depth);
        let mut h = harness(&element);
        for overlay in ["", "box+axes+cube+labels+id+stats"] {
            element.set_property_from_str("overlay", overlay);
            let mut is_copied = |buffer: gst::Buffer| {
                let place = memory(&buffer);
                let out = h.push_and_pull(buffer).unwrap();
                assert_eq!(toys::poses(&out).heads.len(), 2);
                assert_eq!(bytes(&out) == before, overlay.is_empty());
                memory(&out) != place
            };
            assert!(!is_copied(writable()), "a copy of an unshared frame");
            let draws = !overlay.is_empty();
            assert_eq!(is_copied(read_only()), draws);
            for kept in [read_only(), writable()] {
                assert_eq!(is_copied(kept.clone()), draws);
                assert!(bytes(&kept) == before, "the kept buffer was changed");
                assert_eq!(HeadPoses::from_buffer(&kept), None);
            }
            // Another buffer with the same memory.
            let kept = writable();
            assert_eq!(is_copied(kept.copy()), draws);
            assert!(bytes(&kept) == before, "the kept memory was changed");
        }
    }
}

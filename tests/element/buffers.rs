// SPDX-License-Identifier: MPL-2.0
//! Single buffers: every processed buffer carries a meta and is otherwise unchanged, and flow returns from downstream
//! are passed upstream.

use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstdmheadpose::headposemeta::{HeadPoses, NAME, Source};

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
}

/// 10 frames a second made 21, as videorate does it: the frames that it repeats are GAP buffers with a picture.
#[test]
fn frames_that_videorate_repeats_have_their_heads() {
    let line = "videotestsrc num-buffers=10 ! video/x-raw,format=RGB,width=32,height=32,framerate=10/1 \
                ! videorate ! video/x-raw,framerate=21/1 ! identity name=here ! fakesink name=sink sync=false";
    let buffers = toys::play(line, &toys::quick());
    let is_gap = |buffer: &&gst::Buffer| buffer.flags().contains(gst::BufferFlags::GAP);
    assert!(buffers.iter().filter(is_gap).count() > 5);
    for buffer in &buffers {
        assert_eq!(toys::poses(buffer).heads.len(), 2);
    }
}

#[test]
fn a_gap_event_passes() {
    let element = toys::quick();
    let mut h = harness(&element);
    h.push_and_pull(frame()).unwrap();
    while h.try_pull_event().is_some() {}
    let at = gst::ClockTime::from_mseconds(40);
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
fn buffers_without_any_time_are_processed() {
    let element = toys::quick();
    let mut h = harness(&element);
    let mut buffer = frame();
    buffer.make_mut().set_pts(gst::ClockTime::NONE);
    buffer.make_mut().set_duration(gst::ClockTime::NONE);
    let out = h.push_and_pull(buffer).unwrap();
    assert_eq!((out.pts(), out.duration()), (None, None));
    assert_eq!(toys::poses(&out).heads.len(), 2);
}

#[test]
fn poses_of_an_earlier_element_are_replaced() {
    let (first, second) = (toys::quick(), toys::quick());
    second.set_property("max-heads", 1u32);
    let once = harness(&first).push_and_pull(frame()).unwrap();
    let twice = harness(&second).push_and_pull(once).unwrap();
    assert_eq!(toys::poses(&twice).heads.len(), 1);
    let mut twice = twice.copy();
    let ours = gst::meta::CustomMeta::from_mut_buffer(twice.make_mut(), NAME).unwrap();
    ours.remove().unwrap();
    let other = HeadPoses::from_buffer(&twice);
    assert_eq!(other, None, "there was another one");
}

#[test]
fn statistics_count_what_happened() {
    let element = toys::quick();
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
    for stage in [
        "detector-input",
        "detector",
        "crops",
        "pose",
        "overlay",
        "total",
    ] {
        let percentile = |p| stats.get::<u64>(format!("{stage}-{p}")).unwrap();
        assert!(percentile("p50") <= percentile("p95"), "{stats}");
        assert!(stage == "overlay" || percentile("p50") > 0, "{stats}");
    }
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
    let tags = |orientation: &str| {
        let mut tags = gst::TagList::new();
        tags.make_mut()
            .add::<gst::tags::ImageOrientation>(&orientation, gst::TagMergeMode::Replace);
        gst::event::Tag::new(tags)
    };
    let element = toys::quick();
    let bus = toys::OwnBus::of(&element);
    let mut h = harness(&element);
    h.push_event(gst::event::Tag::new(gst::TagList::new()));
    h.push_event(tags("rotate-0"));
    assert!(toys::warnings(&bus).is_empty());
    for _ in 0..2 {
        h.push_event(tags("rotate-90"));
        h.push_and_pull(frame()).unwrap();
    }
    let warnings = toys::warnings(&bus);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let text = warnings[0].message();
    assert!(text.contains("image-orientation=rotate-90") && text.contains("videoflip"));

    for (turned, flip) in [
        (false, "identity"),
        (false, "videoflip"),
        (true, "videoflip video-direction=auto"),
        (true, "videoflip video-direction=90r ! queue"),
    ] {
        let line = format!(
            "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=32,height=24 \
             ! taginject tags=image-orientation=rotate-90 ! {flip} ! identity name=here ! fakesink"
        );
        let pipeline = toys::pipeline(&line, &toys::quick());
        let bus = pipeline.bus().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let kinds = [
            gst::MessageType::Eos,
            gst::MessageType::Error,
            gst::MessageType::Warning,
        ];
        let first = bus.timed_pop_filtered(toys::GUARD, &kinds).unwrap();
        let expected = if turned { kinds[0] } else { kinds[2] };
        assert_eq!(first.type_(), expected, "{flip}: {first:?}");
        pipeline.set_state(gst::State::Null).unwrap();
    }
}

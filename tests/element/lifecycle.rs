// SPDX-License-Identifier: MPL-2.0
//! Starting, stopping, flushing and changing while data flows: nothing is lost, mixed up or leaked.

use gst::prelude::*;
use gst_video::VideoFormat;

use crate::common::toys::{self, caps, corners, grey, stat};

const FORMAT: VideoFormat = VideoFormat::I420;

fn frame(number: u64) -> gst::Buffer {
    let mut buffer = grey(FORMAT, 320, 240);
    toys::number(&mut buffer, number);
    buffer
}

fn harness(element: &gst::Element) -> gst_check::Harness {
    toys::harness(element, &caps(FORMAT, 320, 240))
}

#[test]
fn fifty_times_from_null_to_playing_and_back() {
    let element = toys::quick();
    let line = "videotestsrc num-buffers=5 ! video/x-raw,width=320,height=240 \
                ! identity name=here ! fakesink name=sink";
    let pipeline = toys::pipeline(line, &element);
    let buffers = toys::collect(&pipeline, "sink");
    for cycle in 0..50 {
        toys::run(&pipeline);
        let seen = toys::take(&buffers);
        // Also between READY and PAUSED alone, where the models are loaded.
        pipeline.set_state(gst::State::Ready).unwrap();
        let heads = seen.iter().map(|buffer| toys::poses(buffer).heads.len());
        assert_eq!(heads.collect::<Vec<_>>(), [2; 5], "cycle {cycle}");
        assert_eq!(stat(&element, "inferred"), 5, "cycle {cycle}");
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn two_elements_with_settings_of_their_own() {
    let first = toys::quick();
    let second = toys::element("post_int64_480x640", "pose_pitch_first_Nx3x32x32");
    toys::set(&second, "score-threshold=0 max-heads=1");
    let line = "videotestsrc num-buffers=5 pattern=white ! video/x-raw,format=RGB,width=640,height=480 \
                ! identity name=here ! identity name=between ! queue ! identity name=there ! fakesink name=sink";
    let pipeline = toys::pipeline(line, &first);
    toys::replace(&pipeline, "there", &second);
    let between = toys::collect(&pipeline, "between");
    let behind = toys::collect(&pipeline, "sink");
    toys::run(&pipeline);
    let (between, behind) = (between.lock().unwrap(), behind.lock().unwrap());
    assert_eq!((between.len(), behind.len()), (5, 5));
    for (between, behind) in between.iter().zip(behind.iter()) {
        assert_eq!(toys::poses(between).heads.len(), 2);
        let heads = toys::poses(behind).heads;
        assert_eq!(corners(&heads), [[100.0, 50.0, 200.0, 170.0]]);
    }
    assert_eq!(stat(&first, "heads"), 10);
    assert_eq!(stat(&second, "heads"), 5);
}

#[test]
fn size_and_format_change_in_mid_stream() {
    let element = toys::quick_with("overlay=box+axes+labels");
    let line =
        "appsrc name=source format=time ! identity name=here ! fakesink name=sink sync=false";
    let pipeline = toys::pipeline(line, &element);
    let buffers = toys::collect(&pipeline, "sink");
    let source = pipeline.by_name("source").unwrap();
    let source = source.downcast::<gst_app::AppSrc>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let steps = [
        (VideoFormat::I420, 640, 480),
        (VideoFormat::I420, 320, 240),
        (VideoFormat::Rgb, 320, 240),
        (VideoFormat::Nv12, 1280, 720),
        (VideoFormat::Gray8, 33, 17),
        (VideoFormat::I420, 640, 480),
    ];
    for (number, &(format, width, height)) in steps.iter().enumerate() {
        let caps = caps(format, width, height);
        for twice in 0..2 {
            let mut buffer = grey(format, width, height);
            toys::number(&mut buffer, 2 * number as u64 + twice);
            let sample = gst::Sample::builder().buffer(&buffer).caps(&caps).build();
            source.push_sample(&sample).unwrap();
        }
    }
    source.end_of_stream().unwrap();
    toys::wait_for_the_end(&pipeline.bus().unwrap());
    let buffers = buffers.lock().unwrap();
    assert_eq!(buffers.len(), 2 * steps.len());
    for (number, buffer) in buffers.iter().enumerate() {
        let (_, width, height) = steps[number / 2];
        let poses = toys::poses(buffer);
        assert_eq!((poses.width, poses.height), (width, height));
        // (4, 4)-(12, 16) of 32x32.
        let scaled = |v: u32, of: u32| (v as f32 * of as f32 / 32.0).trunc();
        let [left, right] = [4, 12].map(|x| scaled(x, width));
        let [top, bottom] = [4, 16].map(|y| scaled(y, height));
        let wanted = [left, top, right, bottom];
        assert_eq!(corners(&poses.heads)[0], wanted, "{width}x{height}");
    }
    pipeline.set_state(gst::State::Null).unwrap();
    // Its models were loaded only once.
    assert_eq!(stat(&element, "inferred"), 12);
}

#[test]
fn a_pipeline_without_a_buffer_and_without_caps() {
    let line = "fakesrc num-buffers=0 ! identity name=here ! fakesink";
    toys::run(&toys::pipeline(line, &toys::quick()));
}

#[test]
fn a_seek_in_a_pipeline() {
    let element = toys::quick();
    let line = "videotestsrc num-buffers=50 ! video/x-raw,width=320,height=240,framerate=25/1 \
                ! identity name=here ! fakesink name=sink sync=false";
    let pipeline = toys::pipeline(line, &element);
    let buffers = toys::collect(&pipeline, "sink");
    pipeline.set_state(gst::State::Paused).unwrap();
    let (result, _, _) = pipeline.state(toys::GUARD);
    result.unwrap();
    let second = gst::ClockTime::SECOND;
    pipeline.seek_simple(gst::SeekFlags::FLUSH, second).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    toys::wait_for_the_end(&pipeline.bus().unwrap());
    let buffers = toys::take(&buffers);
    assert!(buffers.iter().any(|buffer| buffer.pts() == Some(second)));
    for buffer in buffers {
        assert_eq!(toys::poses(&buffer).heads.len(), 2);
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn without_caps_there_is_an_error_and_no_panic() {
    let element = toys::quick();
    let mut h = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
    h.play();
    assert!(h.push_event(gst::event::StreamStart::new("no-caps")));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    assert_eq!(h.push(frame(0)), Err(gst::FlowError::NotNegotiated));
}

#[test]
fn dropped_in_any_state() {
    for state in [gst::State::Null, gst::State::Ready, gst::State::Playing] {
        let element = toys::quick();
        let weak = element.downgrade();
        let out = (state == gst::State::Playing).then(|| {
            let mut h = harness(&element);
            h.push_and_pull(frame(0)).unwrap()
        });
        element.set_state(state.min(gst::State::Ready)).unwrap();
        element.set_state(gst::State::Null).unwrap();
        drop(element);
        assert!(weak.upgrade().is_none(), "{state:?}: still referenced");
        // Its buffer stays alive.
        assert!(out.is_none_or(|out| toys::poses(&out).heads.len() == 2));
    }
}

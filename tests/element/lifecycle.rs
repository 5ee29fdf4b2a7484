// SPDX-License-Identifier: MPL-2.0
//! Starting, stopping, flushing and changing while data flows: nothing is lost, mixed up or leaked.

use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::headposemeta::HeadPoses;

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
fn stopped_in_the_middle_of_a_stream() {
    let element = toys::quick();
    let line = "videotestsrc ! video/x-raw,width=320,height=240 \
                ! identity name=here ! fakesink name=sink";
    let pipeline = toys::pipeline(line, &element);
    // Messages posted before the stop are still there after it.
    pipeline.set_auto_flush_bus(false);
    let frames = toys::arrivals(&pipeline, "sink");
    let guard = std::time::Duration::from_secs(60);
    for _ in 0..20 {
        pipeline.set_state(gst::State::Playing).unwrap();
        while frames.try_recv().is_ok() {}
        frames.recv_timeout(guard).expect("a frame");
        pipeline.set_state(gst::State::Null).unwrap();
    }
    let errors = toys::errors(&pipeline.bus().unwrap());
    assert!(errors.is_empty(), "{errors:?}");
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
fn two_elements_side_by_side() {
    let (first, second) = (toys::quick(), toys::quick_with("score-threshold=0.6"));
    let line = "videotestsrc num-buffers=20 ! video/x-raw,width=320,height=240 ! tee name=tee \
                ! queue ! identity name=here ! fakesink name=one sync=false \
                tee. ! queue ! identity name=there ! fakesink name=two sync=false";
    let pipeline = toys::pipeline(line, &first);
    toys::replace(&pipeline, "there", &second);
    let ends = ["one", "two"].map(|sink| toys::collect(&pipeline, sink));
    toys::run(&pipeline);
    for (end, heads) in ends.iter().zip([2, 1]) {
        let buffers = end.lock().unwrap();
        let found = buffers.iter().map(|buffer| toys::poses(buffer).heads.len());
        assert_eq!(found.collect::<Vec<_>>(), [heads; 20]);
    }
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
fn end_of_stream_with_and_without_buffers() {
    for frames in [0, 1, 3] {
        let element = toys::quick();
        let mut h = harness(&element);
        for number in 0..frames {
            h.push(frame(number)).unwrap();
        }
        assert!(h.push_event(gst::event::Eos::new()));
        let mut last = None;
        while let Some(event) = h.try_pull_event() {
            last = Some(event.type_());
        }
        assert_eq!(last, Some(gst::EventType::Eos));
        assert_eq!(h.buffers_received(), frames as u32);
        assert_eq!(h.push(frame(frames)), Err(gst::FlowError::Eos));
    }
    // A pipeline without a single buffer, and without caps.
    let line = "fakesrc num-buffers=0 ! identity name=here ! fakesink";
    toys::run(&toys::pipeline(line, &toys::quick()));
}

#[test]
fn a_stream_continues_after_a_flush() {
    let element = toys::quick();
    let mut h = harness(&element);
    for round in 0..3 {
        let before = h.push_and_pull(frame(2 * round)).unwrap();
        assert!(h.push_event(gst::event::FlushStart::new()));
        assert_eq!(h.push(frame(2 * round + 1)), Err(gst::FlowError::Flushing));
        toys::begin_anew(&mut h);
        let mut next = frame(2 * round + 1);
        next.make_mut().set_flags(gst::BufferFlags::DISCONT);
        let after = h.push_and_pull(next).unwrap();
        assert_eq!(toys::poses(&after).heads, toys::poses(&before).heads);
    }
    assert_eq!(stat(&element, "inferred"), 6);
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
fn properties_change_from_another_thread_while_playing() {
    let element = toys::quick();
    let mut h = harness(&element);
    let done = AtomicBool::new(false);
    let heads = std::thread::scope(|scope| {
        scope.spawn(|| {
            // At any moment each frame sees one of these.
            for round in 0u32.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let odd = "max-heads=2 overlay=box+labels crop-mode=upstream";
                let even = "max-heads=1 overlay= crop-mode=square";
                toys::set(&element, if round % 2 == 1 { odd } else { even });
                element.set_property("crop-margin", (round % 3) as f32);
                // Takes effect only at the next start.
                element.set_property("detector-model", format!("/no/such/{round}.onnx"));
                let _ = element.property::<gst::Structure>("stats");
            }
        });
        let heads: Vec<usize> = (0..200)
            .map(|number| {
                let out = h.push_and_pull(frame(number)).unwrap();
                toys::poses(&out).heads.len()
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        heads
    });
    assert!(heads.iter().all(|n| [1, 2].contains(n)), "{heads:?}");
    element.set_property("max-heads", 2u32);
    let out = h.push_and_pull(frame(200)).unwrap();
    assert_eq!(toys::poses(&out).heads.len(), 2, "at the next buffer");
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
    for state in [gst::State::Null, gst::State::Ready] {
        let element = toys::quick();
        element.set_state(state).unwrap();
        element.set_state(gst::State::Null).unwrap();
        let weak = element.downgrade();
        drop(element);
        assert!(weak.upgrade().is_none(), "{state:?}: still referenced");
    }
    let element = toys::quick();
    let mut h = harness(&element);
    let out = h.push_and_pull(frame(0)).unwrap();
    let weak = element.downgrade();
    drop(element);
    drop(h);
    assert!(weak.upgrade().is_none(), "still referenced");
    // Its buffer stays alive.
    assert_eq!(HeadPoses::from_buffer(&out).unwrap().heads.len(), 2);
}

// SPDX-License-Identifier: MPL-2.0
//! Several frames in flight: the same heads as one after the other, in order, and no frame is lost or
//! overtaken at the end, at a flush, at a gap, or when the caps change.

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common;
use crate::common::toys::{
    self, caps, fixture, harness, number, picture, plain, poses, push_all, quick, quick_with, rgb,
    stat,
};

fn deep(depth: u32) -> gst::Element {
    quick_with(&format!("pipeline-depth={depth}"))
}

/// The `n`th frame of a clip; its colour, and thus the poses of its heads, is unique.
fn frame(n: u64) -> gst::Buffer {
    let mut buffer = picture(32, 32, |x, _| [(40 + n * 7 % 160) as u8, 90 + x as u8, 40]);
    number(&mut buffer, n);
    buffer
}

/// The number of the frame in the clip.
fn number_of(buffer: &gst::BufferRef) -> u64 {
    buffer.pts().unwrap().mseconds() / 40
}

/// Number and heads of each frame.
fn outcome(out: &[gst::Buffer]) -> Vec<(u64, Option<HeadPoses>)> {
    let heads = |buffer: &gst::Buffer| {
        let mut poses = HeadPoses::from_buffer(buffer)?;
        poses.inference_time = None;
        Some(poses)
    };
    let frames = out.iter().map(|buffer| (number_of(buffer), heads(buffer)));
    frames.collect()
}

#[test]
fn any_depth_gives_the_same_heads_in_the_same_order() {
    let run = |depth: u32, rear: bool| {
        let element = deep(depth);
        element.set_property("tracking", true);
        if rear {
            element.set_property("rear-model", fixture("pose_pitch_first_Nx3x32x32"));
        }
        let mut h = harness(&element, &rgb());
        outcome(&push_all(&mut h, (0..60).map(frame)))
    };
    for rear in [false, true] {
        let serial = run(1, rear);
        assert_eq!(serial.len(), 60);
        assert!(serial.iter().all(|(_, heads)| heads.is_some()));
        assert_eq!(run(1, rear), serial);
        for depth in [2, 3, 4, 3, 4] {
            assert_eq!(run(depth, rear), serial, "depth {depth}");
        }
        // With more, the side of a head is learned later, but always the same way.
        let deep = run(6, rear);
        if !rear {
            assert_eq!(deep, serial, "depth 6");
        }
        assert_eq!(run(6, rear), deep);
    }
}

#[test]
fn a_frame_leaves_when_enough_have_come_after_it() {
    for depth in [1, 2, 4] {
        let mut h = harness(&deep(depth), &rgb());
        for n in 0..10 {
            h.push(frame(n)).unwrap();
            let out = (n + 2).saturating_sub(u64::from(depth));
            assert!(u64::from(h.buffers_received()) >= out, "depth {depth}");
        }
        h.push_event(gst::event::Eos::new());
        assert_eq!(h.buffers_received(), 10, "depth {depth}");
    }
}

#[test]
fn latency_grows_with_depth_and_saturates() {
    let latency = |depth: u32, frame: gst::Fraction, upstream: Option<gst::ClockTime>| {
        let element = deep(depth);
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Rgb, 32, 32).fps(frame);
        let h = toys::harness(&element, &info.build().unwrap().to_caps().unwrap());
        let pad = element.static_pad("sink").unwrap().peer().unwrap();
        pad.add_probe(gst::PadProbeType::QUERY_UPSTREAM, move |_, info| {
            let query = info.query_mut().map(|query| query.view_mut());
            let Some(gst::QueryViewMut::Latency(query)) = query else {
                return gst::PadProbeReturn::Ok;
            };
            let raw = query.structure_mut();
            raw.set("live", true);
            raw.set("min-latency", upstream);
            raw.set("max-latency", upstream);
            gst::PadProbeReturn::Handled
        });
        let mut query = gst::query::Latency::new();
        assert!(h.element().unwrap().query(&mut query));
        query.result()
    };
    let (slowest, usual) = (gst::Fraction::new(1, i32::MAX), gst::Fraction::new(25, 1));
    let ms = gst::ClockTime::from_mseconds;
    let longest = gst::ClockTime::MAX;
    for (depth, upstream, least, most) in [
        (1, Some(ms(100)), ms(100), Some(ms(100))),
        (2, Some(ms(100)), ms(140), Some(ms(140))),
        (4, Some(ms(100)), ms(220), Some(ms(220))),
        (2, None, ms(40), None),
        (1, Some(longest), longest, Some(longest)),
        (2, Some(longest), longest, Some(longest)),
    ] {
        assert_eq!(latency(depth, usual, upstream), (true, least, most));
    }
    // The longest frame that caps can express.
    let frame = gst::ClockTime::from_seconds(i32::MAX as u64);
    assert_eq!(latency(2, slowest, Some(ms(0))).1, frame);
    assert_eq!(latency(16, slowest, Some(ms(0))).1, longest);
    assert_eq!(latency(16, slowest, Some(longest)).1, longest);
}

/// Waits until `done`; a guard against a hang, not a measurement.
fn wait_until(mut done: impl FnMut() -> bool, what: &str) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed().as_secs() < 60, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn a_frame_leaves_when_it_is_done() {
    for depth in [2, 4] {
        let mut h = harness(&deep(depth), &rgb());
        for n in 0..3 {
            h.push(frame(n)).unwrap();
            let all_out = || u64::from(h.buffers_received()) == n + 1;
            wait_until(all_out, &format!("frame {n} at depth {depth} never comes"));
        }
        let frames = std::iter::from_fn(|| h.try_pull()).map(|buffer| number_of(&buffer));
        assert_eq!(frames.collect::<Vec<_>>(), [0, 1, 2]);
    }
}

/// A capture device has a fixed number of buffers. Each returns only after it has gone through.
#[test]
fn any_pool_is_large_enough() {
    let depths = (1..=6).map(|depth| format!("pipeline-depth={depth}"));
    let others = ["async=true", "when-late=hold"].map(String::from);
    for mode in depths.chain(others) {
        for buffers in 1..=4 {
            let case = format!("{mode} with {buffers} buffers");
            let mut h = harness(&quick_with(&mode), &rgb());
            let pool = gst::BufferPool::new();
            let mut config = pool.config();
            config.set_params(Some(&rgb()), 32 * 32 * 3, 0, buffers);
            pool.set_config(config).unwrap();
            pool.set_active(true).unwrap();
            let at_once =
                gst::BufferPoolAcquireParams::with_flags(gst::BufferPoolAcquireFlags::DONTWAIT);
            let mut arrived = Vec::new();
            for n in 0..20 {
                let mut free = None;
                let is_free = || {
                    let out = std::iter::from_fn(|| h.try_pull());
                    arrived.extend(out.map(|buffer| number_of(&buffer)));
                    free = pool.acquire_buffer(Some(&at_once)).ok();
                    free.is_some()
                };
                wait_until(is_free, &case);
                let mut buffer = free.unwrap();
                let pixels = buffer.get_mut().unwrap().map_writable();
                pixels.unwrap().fill(128);
                number(&mut buffer, n);
                h.push(buffer).unwrap();
            }
            arrived.extend(push_all(&mut h, []).iter().map(|buffer| number_of(buffer)));
            assert!(arrived.iter().copied().eq(0..20), "{case}: {arrived:?}");
            drop(h);
            pool.set_active(false).unwrap();
        }
    }
}

/// The number of buffers that the element requests from upstream.
fn least_buffers(element: &gst::Element) -> Vec<(u32, u32)> {
    let mut query = gst::query::Allocation::new(Some(&rgb()), true);
    let sink = element.static_pad("sink").unwrap();
    if !sink.query(&mut query) {
        return Vec::new();
    }
    let pools = query.allocation_pools();
    pools.map(|(_, size, min, _)| (size, min)).collect()
}

#[test]
fn upstream_is_asked_for_the_buffers_that_are_kept() {
    let size = 32 * 32 * 3;
    for (mode, min) in [
        ("pipeline-depth=1", None),
        ("pipeline-depth=2", Some(2)),
        ("pipeline-depth=6", Some(6)),
        ("async=true", Some(2)),
        ("when-late=hold", Some(2)),
    ] {
        let element = quick_with(mode);
        let _h = harness(&element, &rgb());
        let expected: Vec<_> = min.map(|min| (size, min)).into_iter().collect();
        assert_eq!(least_buffers(&element), expected, "{mode}");
    }
    // Set late, it makes upstream ask again.
    let element = quick();
    let mut h = harness(&element, &rgb());
    h.push_and_pull(frame(0)).unwrap();
    let told = |h: &mut gst_check::Harness| {
        let events = std::iter::from_fn(|| h.try_pull_upstream_event());
        // All of them are used, also those after the first that matches.
        let of_interest = events.filter(|event| event.type_() == gst::EventType::Reconfigure);
        of_interest.count() > 0
    };
    told(&mut h);
    element.set_property_from_str("when-late", "hold");
    assert!(told(&mut h));
    assert_eq!(least_buffers(&element), [(size, 2)]);
}

/// Lines need no pixels, so frames may have their source's layout, also through this element.
#[test]
fn frames_for_json_may_have_any_strides() {
    for depth in [1, 3] {
        let line = format!(
            "dmheadpose pipeline-depth={depth} detector-model={} pose-model={} onnxruntime-library={} ! dmheadposejson",
            fixture("rows_nhwc_32x32"),
            fixture("pose_Nx3x32x32"),
            common::onnxruntime_library().unwrap_or_default().display()
        );
        let mut h = gst_check::Harness::new_parse(&line);
        h.set_src_caps(rgb());
        let mut query = gst::query::Allocation::new(Some(&rgb()), true);
        assert!(h.srcpad().unwrap().peer_query(&mut query));
        let strides = query.find_allocation_meta::<gst_video::VideoMeta>();
        assert!(strides.is_some(), "depth {depth}");
        // A reply of the sink would be for lines.
        assert!(query.allocation_pools().all(|(pool, ..)| pool.is_none()));
    }
}

#[test]
fn a_gap_keeps_its_place() {
    let mut h = harness(&deep(3), &rgb());
    let of_clip = |n| {
        if n % 4 == 1 {
            toys::empty_gap(n)
        } else {
            frame(n)
        }
    };
    let out = push_all(&mut h, (0..12).map(of_clip));
    assert_eq!(out.len(), 12);
    for (at, (frame, heads)) in (0..).zip(outcome(&out)) {
        assert_eq!(frame, at);
        assert_eq!(heads.is_none(), frame % 4 == 1, "frame {frame}");
    }
}

#[test]
fn a_flush_drops_what_is_in_flight() {
    let element = deep(4);
    let mut h = harness(&element, &rgb());
    for n in 0..3 {
        h.push(frame(n)).unwrap();
    }
    toys::flush(&mut h);
    let out = push_all(&mut h, (20..26).map(frame));
    let frames: Vec<_> = out.iter().map(|buffer| number_of(buffer)).collect();
    // Some of the others may have finished before.
    let after = frames.iter().position(|&frame| frame >= 20).unwrap();
    assert!(frames[..after].iter().copied().eq(0..after as u64));
    assert_eq!(frames[after..], [20, 21, 22, 23, 24, 25]);
    assert_eq!(stat(&element, "frames"), 9);
}

#[test]
fn events_and_queries_do_not_overtake_frames() {
    let mut h = harness(&deep(4), &rgb());
    h.push(frame(0)).unwrap();
    h.push(frame(1)).unwrap();
    let tags = gst::TagList::new();
    h.push_event(gst::event::Tag::new(tags));
    assert_eq!(h.buffers_received(), 2, "before a tag");

    h.push(frame(2)).unwrap();
    let mut drain = gst::query::Drain::new();
    let sink = h.element().unwrap().static_pad("sink").unwrap();
    sink.query(&mut drain);
    assert_eq!(h.buffers_received(), 3, "before a drain");

    h.push(frame(3)).unwrap();
    h.push(frame(99)).unwrap();
    assert!(h.buffers_received() >= 4, "before a jump");
}

#[test]
fn each_frame_keeps_the_caps_it_came_with() {
    let mut h = harness(&deep(3), &rgb());
    for n in 0..2 {
        h.push(frame(n)).unwrap();
    }
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    let out = push_all(&mut h, (2..7).map(|n| plain(64, 48, n, [100; 3])));
    assert_eq!(out.len(), 7);
    for buffer in &out {
        let frame = number_of(buffer);
        let width = if frame < 2 { 32 } else { 64 };
        assert_eq!(poses(buffer).width, width, "frame {frame}");
    }
}

#[test]
fn a_broken_frame_among_others_is_one_error() {
    for depth in [1, 3] {
        let element = deep(depth);
        let mut h = harness(&element, &rgb());
        let bus = toys::OwnBus::of(&element);
        h.push(frame(0)).unwrap();
        let too_small = gst::Buffer::with_size(100).unwrap();
        let frames = [too_small].into_iter().chain((2..6).map(frame));
        let results: Vec<_> = frames.map(|frame| h.push(frame)).collect();
        assert_eq!(h.pull().unwrap().pts(), frame(0).pts(), "it comes out");
        let is_error = |result: &&Result<_, _>| **result == Err(gst::FlowError::Error);
        assert_eq!(results.iter().filter(is_error).count(), 1, "{results:?}");
        let [error] = &toys::errors(&bus)[..] else {
            panic!("expected one error");
        };
        assert!(error.matches(gst::ResourceError::Failed), "{error:?}");
        assert!(error.message().contains("RGB 32x32"), "{error:?}");
    }
}

#[test]
fn a_file_has_three_frames_in_flight_and_a_live_stream_one() {
    let depth = |element: &gst::Element| toys::stat_of::<u32>(element, "pipeline-depth");
    let run = |source: &str| {
        let element = quick();
        let line = format!(
            "{source} ! video/x-raw,format=RGB,width=32,height=32,framerate=25/1 \
             ! identity name=here ! fakesink name=sink sync=false"
        );
        let pipeline = toys::pipeline(&line, &element);
        let buffers = toys::collect(&pipeline, "sink");
        let bus = pipeline.bus().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        toys::wait_for_the_end(&bus);
        let depth = depth(&element);
        pipeline.set_state(gst::State::Null).unwrap();
        let buffers = toys::take(&buffers);
        assert_eq!(buffers.len(), 6, "{source}");
        assert!(buffers.iter().all(|buffer| poses(buffer).heads.len() == 2));
        depth
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    let file = if cores > 1 { 3 } else { 1 };
    assert_eq!(run("videotestsrc num-buffers=6"), file);
    assert_eq!(run("videotestsrc num-buffers=6 is-live=true"), 1);

    // An application that pushes a frame and waits for it.
    let element = quick();
    let mut h = harness(&element, &rgb());
    for n in 0..4 {
        h.push_and_pull(frame(n)).unwrap();
    }
    assert_eq!(depth(&element), 1);
}

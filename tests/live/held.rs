// SPDX-License-Identifier: MPL-2.0
//! Frames that are not inferred: with an interval, because the stream is late, because a worker is
//! busy with another frame, or because an inference failed. Each states where its heads come from and how old
//! they are; no frame is ever lost.

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::headposemeta::{HeadPoses, Source};

use crate::common::toys::{
    self, caps, fixture, harness, ids, plain, poses, push_all, quick, quick_with, rgb, stat,
};

fn frame(n: u64) -> gst::Buffer {
    // The toy model returns a yaw of red - 100.
    plain(32, 32, n, [(60 + n % 100) as u8, 100, 40])
}

fn yaw_of_frame(n: u64) -> f32 {
    (60 + n % 100) as f32 - 100.0
}

fn run(element: &gst::Element, frames: u64) -> Vec<HeadPoses> {
    let mut h = harness(element, &rgb());
    let out = push_all(&mut h, (0..frames).map(frame));
    assert_eq!(out.len() as u64, frames);
    out.iter().map(|buffer| poses(buffer)).collect()
}

fn next(h: &mut gst_check::Harness, n: u64) -> HeadPoses {
    poses(&h.push_and_pull(frame(n)).unwrap())
}

fn has_meta(buffer: &gst::Buffer) -> bool {
    HeadPoses::from_buffer(buffer).is_some()
}

#[test]
fn detection_at_intervals() {
    let element = quick_with("detection-interval=3");
    let out = run(&element, 10);
    for (n, poses) in (0u64..).zip(&out) {
        let detected = n.is_multiple_of(3);
        let source = if detected {
            Source::Inferred
        } else {
            Source::Tracked
        };
        assert_eq!(poses.source, source, "frame {n}");
        assert_eq!(ids(poses), [1, 2], "frame {n}");
        for head in &poses.heads {
            assert_eq!(head.predicted, !detected, "frame {n}");
            assert_eq!(head.score, out[0].heads[head.id as usize - 1].score);
            // The boxes stay the same, and the pose is that of this frame.
            assert_eq!(head.rect, out[0].heads[head.id as usize - 1].rect);
            assert_eq!(head.angles.yaw, yaw_of_frame(n));
        }
    }
    assert_eq!(stat(&element, "inferred"), 10);
}

/// The toy detector finds the same heads in every frame; the picture changes in frame 25.
#[test]
fn adaptive_detection_is_the_same_at_any_depth() {
    let run = |depth: u32, is_adaptive: bool| {
        let element = quick_with("detection-interval=10");
        element.set_property("pipeline-depth", depth);
        element.set_property("detection-adaptive", is_adaptive);
        let mut h = harness(&element, &rgb());
        let green = |n| if n < 25 { 100 } else { 160 };
        let out = push_all(
            &mut h,
            (0..40).map(|n| plain(32, 32, n, [100, green(n), 40])),
        );
        assert_eq!(out.len(), 40);
        let out = (0..).zip(out.iter().map(|buffer| poses(buffer).source));
        let detected = out.filter(|(_, source)| *source == Source::Inferred);
        let detected: Vec<u64> = detected.map(|(n, _)| n).collect();
        assert_eq!(stat(&element, "detected"), detected.len() as u64);
        detected
    };
    for depth in [1, 2, 4] {
        assert_eq!(run(depth, false), [0, 10, 20, 30]);
        // At first in every frame, until it is known that the heads stay where they are.
        assert_eq!(run(depth, true), [0, 1, 2, 3, 13, 23, 25, 35]);
    }
}

#[test]
fn poses_at_intervals() {
    for rear in [None, Some(fixture("pose_pitch_first_Nx3x32x32"))] {
        let element = quick_with("pose-interval=4");
        element.set_property("rear-model", rear);
        for (n, poses) in (0..).zip(run(&element, 10)) {
            assert_eq!(poses.source, Source::Inferred);
            assert_eq!(poses.heads.len(), 2);
            for head in &poses.heads {
                assert_eq!(head.angles.yaw, yaw_of_frame(n / 4 * 4), "frame {n}");
            }
        }
    }
}

#[test]
fn intervals_are_the_same_at_any_depth() {
    let run = |depth: u32| {
        let element = quick_with("detection-interval=3 pose-interval=2 smoothing=true");
        element.set_property("pipeline-depth", depth);
        let mut out = run(&element, 30);
        out.iter_mut().for_each(|poses| poses.inference_time = None);
        out
    };
    let serial = run(1);
    assert_eq!(run(2), serial);
    assert_eq!(run(4), serial);
}

/// Further apart than a head may be lost: at 25 frames a second, and at 2.
#[test]
fn heads_stay_from_one_detection_to_the_next() {
    for (interval, distance, longest) in [(30u32, 1, 1040), (5, 12, 1440)] {
        for depth in [1u32, 3] {
            let element = quick();
            element.set_property("pipeline-depth", depth);
            element.set_property("detection-interval", interval);
            let mut h = harness(&element, &rgb());
            let out = push_all(&mut h, (0..90).map(|n| frame(n * distance)));
            assert_eq!(out.len(), 90);
            let mut detected = 0;
            for (n, buffer) in out.iter().enumerate() {
                let (pts, poses) = (buffer.pts().unwrap().mseconds(), poses(buffer));
                assert_eq!(ids(&poses), [1, 2], "frame {n} at interval {interval}");
                if poses.source == Source::Inferred {
                    assert!(pts - detected <= longest, "{detected} to {pts}");
                    detected = pts;
                }
            }
            assert!(stat(&element, "inferred") == 90 && detected > 0);
        }
    }
}

/// Nothing can be predicted yet: the detector has not run, or not with tracking.
#[test]
fn no_frame_is_predicted_before_the_first_detection() {
    let element = quick();
    let mut h = harness(&element, &rgb());
    let mut source = |n| {
        let poses = next(&mut h, n);
        assert_eq!(poses.heads.len(), 2, "frame {n}");
        poses.source
    };
    assert_eq!(source(20), Source::Inferred);
    element.set_property("detection-interval", 100u32);
    assert_eq!(source(21), Source::Inferred);
    assert_eq!(source(22), Source::Tracked);
    // A source that restarts its clock.
    for n in 0..20 {
        assert_eq!(source(n), Source::Tracked);
    }
}

fn qos(h: &mut gst_check::Harness, jitter_ms: i64, frame: u64) {
    // A frame cannot be earlier than its own time.
    let time = gst::ClockTime::from_mseconds((40 * frame).max(jitter_ms.unsigned_abs()));
    let jitter = jitter_ms * 1_000_000;
    let event = gst::event::Qos::new(gst::QOSType::Underflow, 1.5, jitter, time);
    h.push_upstream_event(event);
}

#[test]
fn when_late_the_last_result_holds() {
    let element = quick_with("when-late=hold");
    let mut h = harness(&element, &rgb());
    assert_eq!(next(&mut h, 0).source, Source::Inferred);
    qos(&mut h, 100, 0);
    let held = next(&mut h, 1);
    assert_eq!(held.source, Source::Held);
    assert_eq!(held.age, Some(gst::ClockTime::from_mseconds(40)));
    assert_eq!(held.heads[0].angles.yaw, yaw_of_frame(0));
    // 100 ms late at frame 0: up to 200 ms is skipped.
    assert_eq!(next(&mut h, 5).source, Source::Held);
    qos(&mut h, -100_000, 6);
    assert_eq!(next(&mut h, 6).source, Source::Inferred);
    qos(&mut h, 1000, 7);
    assert_eq!(next(&mut h, 7).source, Source::Held);
    qos(&mut h, -100_000, 7);
    assert_eq!(next(&mut h, 8).source, Source::Inferred);
    // Always late: after a second a frame is inferred anyway, but not waited for.
    qos(&mut h, 100_000, 8);
    for n in 9..34 {
        let poses = next(&mut h, n);
        assert_eq!(poses.source, Source::Held);
        assert_eq!(poses.age.unwrap().mseconds(), 40 * (n - 8));
    }
    let n = push_until(&mut h, 34, |buffer| {
        poses(buffer).heads[0].angles.yaw == yaw_of_frame(33)
    });
    let count = |name| stat(&element, name);
    assert_eq!(count("held-late") + count("held-busy"), count("held"));
    // The inference of frame 33 is an additional one.
    assert_eq!(count("held") + count("inferred"), count("frames") + 1);

    // QoS events reach sources and decoders only if those are to drop frames.
    let told = |h: &mut gst_check::Harness| {
        let events = std::iter::from_fn(|| h.try_pull_upstream_event());
        let events: Vec<_> = events.map(|event| event.type_()).collect();
        events.contains(&gst::EventType::Qos)
    };
    assert!(!told(&mut h), "a decoder would drop frames");
    element.set_property_from_str("when-late", "infer");
    assert_eq!(next(&mut h, n + 1).source, Source::Inferred);
    qos(&mut h, 100, n + 1);
    assert!(told(&mut h));
}

#[test]
fn a_frame_past_its_deadline_does_not_wait_for_its_inference() {
    let element = toys::element("rows_slow_32x32", "pose_Nx3x32x32");
    // Frames 20 s apart are not a jump.
    toys::set(&element, "when-late=hold max-lost-time=60000000000");
    let mut h = harness(&element, &rgb());
    // The deadline is unknown: waiting is allowed.
    assert_eq!(next(&mut h, 0).source, Source::Inferred);
    // It came 10 s late, longer than it waited; a frame that is due 10 s later still may not wait.
    qos(&mut h, 10_000, 0);
    let mut n = 501;
    let held = next(&mut h, n);
    assert_eq!(held.source, Source::Held);
    assert_eq!(held.heads[0].angles.yaw, yaw_of_frame(0));
    assert_eq!(stat(&element, "held-late"), 1);
    // The result found meanwhile goes with the next frame.
    let later = loop {
        n += 1;
        let poses = next(&mut h, n);
        assert_eq!(poses.source, Source::Held);
        let of = n - poses.age.unwrap().mseconds() / 40;
        assert_eq!(poses.heads[0].angles.yaw, yaw_of_frame(of));
        if of > 0 {
            break of;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert_eq!(later, 501);
    // There is time again once the worker has finished the earlier frames.
    qos(&mut h, -100_000, n);
    loop {
        n += 1;
        let poses = next(&mut h, n);
        if poses.source == Source::Inferred {
            assert_eq!(poses.heads[0].angles.yaw, yaw_of_frame(n));
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let reasons = stat(&element, "held-busy") + stat(&element, "held-late");
    assert_eq!(reasons, stat(&element, "held"));
}

/// With several frames in flight, those that hold, or have no picture, wait for their turn and no longer.
#[test]
fn held_frames_do_not_pile_up() {
    for gaps in [false, true] {
        let mut h = harness(&quick_with("pipeline-depth=2 when-late=hold"), &rgb());
        for n in 0..3 {
            h.push(frame(n)).unwrap();
        }
        if !gaps {
            qos(&mut h, 800, 2);
        }
        for n in 3..23 {
            let buffer = if gaps { toys::empty_gap(n) } else { frame(n) };
            h.push(buffer).unwrap();
        }
        assert_eq!(std::iter::from_fn(|| h.try_pull()).count(), 23, "{gaps}");
    }
}

/// In a live stream the clock determines the available time, whichever sinks wait for it.
#[test]
fn an_early_live_frame_waits_for_its_inference() {
    let element = quick_with("when-late=hold");
    // Waiting costs nothing: no frame is due soon, nor is the next one.
    let mut slow = rgb();
    slow.make_mut().set("framerate", gst::Fraction::new(1, 100));
    let mut h = harness(&element, &slow);
    h.set_upstream_latency(gst::ClockTime::from_seconds(1000));
    assert_eq!(h.query_latency(), Some(gst::ClockTime::from_seconds(1100)));
    // With sinks that do not wait for the clock.
    h.push_upstream_event(gst::event::Latency::new(gst::ClockTime::ZERO));
    for n in 0..5 {
        assert_eq!(next(&mut h, n).source, Source::Inferred, "frame {n}");
    }
}

#[test]
fn holding_takes_a_frame_of_latency() {
    let element = quick_with("tracking=true");
    let bus = toys::OwnBus::of(&element);
    let mut h = harness(&element, &rgb());
    assert_eq!(ids(&next(&mut h, 0)), [1, 2]);
    assert_eq!(h.query_latency(), Some(gst::ClockTime::ZERO));
    let told = || bus.pop_filtered(&[gst::MessageType::Latency]).is_some();
    assert!(!told());
    element.set_property_from_str("when-late", "hold");
    assert!(told(), "the pipeline has to ask again");
    assert_eq!(h.query_latency(), Some(gst::ClockTime::from_mseconds(40)));
    // A tracked head keeps its number.
    assert_eq!(ids(&next(&mut h, 1)), [1, 2]);
    element.set_property_from_str("when-late", "infer");
    assert!(told());
    assert_eq!(h.query_latency(), Some(gst::ClockTime::ZERO));
    assert_eq!(ids(&next(&mut h, 2)), [1, 2]);
}

/// Pushes frames until one satisfies `done`; each comes out before the next goes in.
fn push_until(h: &mut gst_check::Harness, from: u64, done: impl Fn(&gst::Buffer) -> bool) -> u64 {
    for n in from..from + 10_000 {
        let buffer = h.push_and_pull(frame(n)).unwrap();
        if done(&buffer) {
            return n;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("never");
}

#[test]
fn asynchronous_frames_never_wait() {
    let element = quick_with("async=true");
    let mut h = harness(&element, &rgb());
    assert_eq!(h.query_latency(), Some(gst::ClockTime::ZERO));
    let first = h.push_and_pull(frame(0)).unwrap();
    assert!(!has_meta(&first), "nothing is known yet");
    // Frames before each of these were dropped, which is not a jump.
    let push = |h: &mut gst_check::Harness, n| {
        let mut buffer = frame(n);
        buffer.make_mut().set_flags(gst::BufferFlags::DISCONT);
        h.push_and_pull(buffer).unwrap()
    };
    let n = push_until(&mut h, 1, has_meta);
    // From now on every frame carries the result of some earlier frame.
    for n in n + 1..n + 100 {
        let poses = poses(&push(&mut h, n));
        assert_eq!(poses.source, Source::Held);
        let age = poses.age.unwrap().mseconds() / 40;
        assert!((1..=n).contains(&age), "{age} at {n}");
        for head in &poses.heads {
            assert_eq!(head.angles.yaw, yaw_of_frame(n - age), "frame {n}");
        }
    }
    let [frames, held, inferred] = ["frames", "held", "inferred"].map(|name| stat(&element, name));
    assert_eq!(held, frames, "each frame holds a result");
    assert!(inferred >= 1 && inferred <= frames - stat(&element, "held-busy"));
    h.push_event(gst::event::Eos::new());
    assert!(h.try_pull().is_none());
}

/// After an interruption, frame `n` has no result, and later ones have none from before it. Returns the last frame.
fn nothing_older(h: &mut gst_check::Harness, n: u64) -> u64 {
    let first = h.push_and_pull(frame(n)).unwrap();
    assert!(!has_meta(&first), "a result of an earlier frame");
    let next = push_until(h, n + 1, has_meta) + 1;
    let age = poses(&h.push_and_pull(frame(next)).unwrap()).age;
    assert!(age.unwrap() <= gst::ClockTime::from_mseconds(40 * (next - n)));
    next
}

#[test]
fn asynchronous_results_do_not_cross_a_jump_a_flush_or_a_change_of_size() {
    let mut h = harness(&quick_with("async=true tracking=true"), &rgb());
    let mut n = push_until(&mut h, 0, has_meta);
    for round in 0..40 {
        n += 1;
        let busy_with = h.push_and_pull(frame(n)).unwrap();
        assert!(has_meta(&busy_with));
        if round % 2 == 0 {
            toys::flush(&mut h);
        }
        n = nothing_older(&mut h, n + 100);
    }
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    for m in n + 1..n + 200 {
        let buffer = h.push_and_pull(plain(64, 48, m, [100; 3])).unwrap();
        if let Some(poses) = HeadPoses::from_buffer(&buffer) {
            assert_eq!((poses.width, poses.height), (64, 48));
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn each_asynchronous_result_is_posted_once() {
    let element = quick_with("async=true post-messages=true");
    let mut h = harness(&element, &rgb());
    let bus = toys::OwnBus::of(&element);
    let inferred = || stat(&element, "inferred");
    push_until(&mut h, 0, |_| inferred() >= 5);
    let is_element = [gst::MessageType::Element];
    let messages = std::iter::from_fn(|| bus.pop_filtered(&is_element)).count() as u64;
    assert_eq!(messages, inferred());
}

/// The broken frames are buffers too small for their caps.
#[test]
fn on_error_hold_goes_on() {
    for mode in ["pipeline-depth=1", "pipeline-depth=2", "async=true"] {
        let element = quick_with("on-error=hold");
        toys::set(&element, mode);
        let mut h = harness(&element, &rgb());
        let bus = toys::OwnBus::of(&element);
        let broken = (4..7).map(|_| gst::Buffer::with_size(100).unwrap());
        let frames = (0..4).map(frame).chain(broken).chain([frame(7)]);
        assert_eq!(push_all(&mut h, frames).len(), 8, "{mode}");
        let warnings = toys::warnings(&bus);
        assert!(toys::errors(&bus).is_empty(), "{mode}");
        // A busy worker leaves out broken frames too.
        if mode != "async=true" {
            assert_eq!(warnings.len(), 1, "{mode}");
            assert_eq!(stat(&element, "held-error"), 3);
        }
    }
}

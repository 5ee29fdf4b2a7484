// SPDX-License-Identifier: MPL-2.0
//! Numbers of heads, and their use at the seam of two models. The toy detector finds the
//! same two boxes in every frame; src/estimator/track/tracker.rs tests heads that move.

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::headposemeta::Source;

use crate::common::toys::{
    self, caps, element, fixture, harness, plain, poses, push_all, quick, quick_with, rgb,
};

fn ids(h: &mut gst_check::Harness, buffer: gst::Buffer) -> Vec<u64> {
    toys::ids(&poses(&h.push_and_pull(buffer).unwrap()))
}

/// The `n`th frame of a clip, with a uniform red.
fn frame(n: u64, red: u8) -> gst::Buffer {
    plain(32, 32, n, [red, 100, 40])
}

fn rgb_harness(element: &gst::Element) -> gst_check::Harness {
    harness(element, &rgb())
}

#[test]
fn heads_are_numbered_on_request() {
    let element = quick();
    let mut h = rgb_harness(&element);
    assert_eq!(ids(&mut h, frame(0, 100)), [0, 0]);
    element.set_property("tracking", true);
    assert_eq!(ids(&mut h, frame(1, 100)), [1, 2]);
    assert_eq!(ids(&mut h, frame(2, 100)), [1, 2]);
    element.set_property("tracking", false);
    assert_eq!(ids(&mut h, frame(3, 100)), [0, 0]);
}

/// New heads are detected at once, whatever the interval.
#[test]
fn a_stream_that_jumps_has_new_heads() {
    let mut h = rgb_harness(&quick_with("tracking=true detection-interval=100"));
    let seen = |h: &mut gst_check::Harness, buffer| {
        let poses = poses(&h.push_and_pull(buffer).unwrap());
        (toys::ids(&poses), poses.source)
    };
    let new = |first| (vec![first, first + 1], Source::Inferred);
    assert_eq!(seen(&mut h, frame(0, 100)), new(1));
    assert_eq!(seen(&mut h, frame(1, 100)), (vec![1, 2], Source::Tracked));

    toys::flush(&mut h);
    assert_eq!(seen(&mut h, frame(2, 100)), new(3), "after a flush");

    h.set_src_caps(caps(VideoFormat::Rgb, 64, 64));
    let mut larger = |n| seen(&mut h, plain(64, 64, n, [100; 3]));
    assert_eq!(larger(3), new(5), "after a change of size");
    // Away for 1.2 s, longer than max-lost-time.
    assert_eq!(larger(33), new(7), "after a gap in time");
    assert_eq!(larger(53).0, [7, 8], "after 0.8 s");
    // A source that restarts its clock, by less than max-lost-time and by more.
    assert_eq!(larger(40).0, [7, 8], "after a step back");
    assert_eq!(larger(0), new(9), "after a jump back");
    assert_eq!(larger(1), (vec![9, 10], Source::Tracked));
    assert_eq!(larger(100), new(11), "after a jump");
    assert_eq!(larger(0), new(13), "after one right after it");
}

/// A stream after a leaky queue, or any element that drops frames for QoS: every other frame is missing, and
/// the one after it is flagged as a discontinuity.
#[test]
fn a_dropped_frame_is_not_a_jump() {
    for depth in [1u32, 3] {
        let element = quick_with("smoothing=true detection-interval=3");
        element.set_property("pipeline-depth", depth);
        let frames = (0..18).map(|n| {
            let mut buffer = frame(2 * n, if n == 0 { 100 } else { 110 });
            buffer.make_mut().set_flags(gst::BufferFlags::DISCONT);
            buffer
        });
        let out = push_all(&mut rgb_harness(&element), frames);
        assert_eq!(out.len(), 18);
        for (n, buffer) in (0u32..).zip(&out) {
            let poses = poses(buffer);
            assert_eq!(toys::ids(&poses), [1, 2], "frame {n}");
            let detected = poses.source == Source::Inferred;
            assert_eq!(detected, n.is_multiple_of(3), "frame {n}");
            let yaw = poses.heads[0].angles.yaw;
            assert!(n != 1 || (yaw > 0.0 && yaw < 9.0), "not smoothed: {yaw}");
        }
    }
}

/// The toy models return a yaw of red - 100. Their other outputs differ: at these colours the rear
/// model has pitch -5, the front one 0.
#[test]
fn a_followed_head_does_not_flicker_at_the_seam() {
    let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
    element.set_property("rear-model", fixture("pose_pitch_first_Nx3x32x32"));
    let mut h = rgb_harness(&element);
    let mut fronts = |reds: &[u8]| -> Vec<bool> {
        let pitch = |(n, &red): (u64, &u8)| {
            let buffer = h.push_and_pull(frame(n, red)).unwrap();
            let heads = poses(&buffer).heads;
            let front = heads[0].angles.pitch == 0.0;
            assert!(front || heads[0].angles.pitch == -5.0, "{heads:?}");
            front
        };
        (0..).zip(reds).map(pitch).collect()
    };
    // Yaw 86, 93, 97, 88, 84, each for longer than it takes to learn a side.
    let reds = [186, 193, 197, 188, 184].map(|red| [red; 6]);
    let each = |sides: [bool; 5]| sides.map(|side| [side; 6]).concat();
    assert_eq!(
        fronts(reds.as_flattened()),
        each([true, false, false, true, true])
    );
    element.set_property("tracking", true);
    assert_eq!(
        fronts(reds.as_flattened()),
        each([true, true, false, false, true])
    );
}

/// The toy model returns a yaw of red - 100 for both of its heads.
#[test]
fn smoothing_steadies_poses_and_implies_tracking() {
    let element = quick_with("smoothing=true smoothing-beta=0");
    let mut h = rgb_harness(&element);
    let mut yaws = |n, red| -> Vec<f32> {
        let poses = poses(&h.push_and_pull(frame(n, red)).unwrap());
        assert_eq!(toys::ids(&poses), [1, 2]);
        poses.heads.iter().map(|head| head.angles.yaw).collect()
    };
    assert_eq!(yaws(0, 100), [0.0, 0.0]);
    // One frame of 40 ms at 1 Hz: 2 pi 0.04 / (1 + 2 pi 0.04) of the way.
    for yaw in yaws(1, 110) {
        assert!((yaw - 2.008).abs() < 0.01, "{yaw}");
    }
    element.set_property("smoothing-cutoff", 100.0f32);
    for yaw in yaws(2, 110) {
        assert!((yaw - 10.0).abs() < 0.5, "{yaw}");
    }
    // Numbers stay when only smoothing is switched off.
    toys::set(&element, "tracking=true smoothing=false");
    assert_eq!(yaws(3, 120), [20.0, 20.0]);
}

/// A source whose frames all have the same time, or none.
#[test]
fn smoothing_works_when_time_does_not_advance() {
    for time in [Some(gst::ClockTime::SECOND), None] {
        let mut h = rgb_harness(&quick_with("smoothing=true"));
        let mut yaw = |red| {
            let mut buffer = frame(0, red);
            buffer.make_mut().set_pts(time);
            poses(&h.push_and_pull(buffer).unwrap()).heads[0].angles.yaw
        };
        assert_eq!(yaw(100), 0.0);
        let yaws: Vec<_> = (0..100).map(|_| yaw(110)).collect();
        assert!(yaws[0] > 0.0 && yaws[0] < 9.0, "{yaws:?}");
        assert!((yaws[99] - 10.0).abs() < 0.1, "{yaws:?}");
    }
}

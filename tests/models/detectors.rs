// SPDX-License-Identifier: MPL-2.0
//! Detectors with built-in NMS, and the face detectors.

use gst::prelude::*;
use gst_video::VideoFormat;

use super::{
    BANDS, MEANS, SIZES, VGA, angles_of, assert_angles, assert_scores, bands, heads, heads_with,
    spot,
};
use crate::common::toys::{self, caps, corners};

#[test]
fn post_detectors_of_both_kinds() {
    let small = [[100.0, 50.0, 200.0, 170.0], [300.0, 200.0, 360.0, 280.0]];
    let whole = [[200.0, 75.0, 400.0, 255.0], [600.0, 300.0, 720.0, 420.0]];
    // 100.6, 50.7, 200.4, 170.5 and 300.6, 200.7, 360.4, 280.5 of the input, clipped to the frame.
    let fractions = [[201.0, 76.0, 400.0, 255.0], [601.0, 301.0, 720.0, 420.0]];
    for (detector, boxes) in [
        ("post_int64_480x640", [small, whole]),
        ("post_float_480x640", [small, fractions]),
    ] {
        for (size, boxes) in SIZES.into_iter().zip(boxes) {
            let found = heads(detector, bands(size), size);
            // The scores show that the network's input was RGB, 0..1: the third is below 0.2.
            assert_scores(&found, &MEANS[..2]);
            assert_eq!(corners(&found), boxes, "{detector} {size:?}");
            assert_angles(&found[0], angles_of(BANDS[0]));
            assert_angles(&found[1], angles_of(BANDS[1]));
        }
    }
}

#[test]
fn rows_of_seven() {
    let boxes = [
        [[300.0, 200.0, 360.0, 279.0], [500.0, 99.0, 600.0, 200.0]],
        [[600.0, 300.0, 720.0, 419.0], [1000.0, 149.0, 1200.0, 300.0]],
    ];
    for (size, boxes) in SIZES.into_iter().zip(boxes) {
        let found = heads("rows_256x320", bands(size), size);
        // BGR: the first is below 0.35. Body, hand and padding are not heads.
        assert_scores(&found, &[MEANS[1], MEANS[0]]);
        assert_eq!(corners(&found), boxes, "{size:?}");
        assert_angles(&found[0], angles_of(BANDS[1]));
        assert_angles(&found[1], angles_of(BANDS[2]));
    }
}

#[test]
fn rows_of_an_nhwc_graph() {
    let found = heads("rows_nhwc_32x32", bands(VGA), VGA);
    assert_scores(&found, &[0.75, 0.5]);
    let boxes = [[80.0, 60.0, 240.0, 240.0], [360.0, 120.0, 520.0, 360.0]];
    assert_eq!(corners(&found), boxes);
}

#[test]
fn yunet_faces_grow_to_heads() {
    // The face is 64x96 around (336, 144) of the input, which is half of the larger frame.
    for (size, at, corners_wanted) in [
        ((640, 480), (320, 128, 32), [277.0, 57.0, 394.0, 204.0]),
        ((1280, 720), (640, 256, 64), [555.0, 115.0, 788.0, 408.0]),
    ] {
        let frame = spot(size, at, [130, 0, 255], [130, 0, 0]);
        let found = heads("yunet", frame, size);
        assert_scores(&found, &[1.0]);
        assert_eq!(corners(&found), [corners_wanted], "{size:?}");
        let angles = found[0].angles;
        assert!((angles.yaw - 30.0).abs() < 0.01 && (angles.roll + 30.0).abs() < 0.01);
        assert!(angles.pitch > -20.0, "the spot is within the crop");
    }
}

#[test]
fn centerface_faces_grow_to_heads() {
    // The face is 80x120 around (321, 203.2) of the input.
    for (size, at, corners_wanted) in [
        ((640, 480), (320, 200, 4), [248.0, 95.0, 393.0, 278.0]),
        ((1280, 720), (640, 400, 8), [496.0, 190.0, 787.0, 557.0]),
    ] {
        let frame = spot(size, at, [255, 0, 60], [0, 0, 60]);
        let found = heads("centerface", frame, size);
        assert_scores(&found, &[1.0]);
        assert_eq!(corners(&found), [corners_wanted], "{size:?}");
        let angles = found[0].angles;
        assert!((angles.pitch - 10.0).abs() < 0.01 && (angles.roll + 30.0).abs() < 0.01);
    }
}

#[test]
fn limits_for_heads_change_while_playing() {
    let element = toys::element("post_int64_480x640", "pose_Nx3x32x32");
    let mut h = toys::harness(&element, &caps(VideoFormat::Rgb, 640, 480));
    let mut with = |property: &str| {
        toys::set(&element, property);
        let out = h.push_and_pull(bands(VGA)).unwrap();
        toys::poses(&out).heads
    };
    assert_scores(&with("score-threshold=0.1"), &MEANS);
    assert_scores(&with("score-threshold=0.6"), &MEANS[..1]);
    assert_scores(&with("score-threshold=0"), &MEANS);
    assert_scores(&with("max-heads=1"), &MEANS[..1]);
    assert_scores(&with("max-heads=64"), &MEANS);
    // The boxes are 100x120, 60x80 and 100x100.
    assert_scores(&with("min-head-size=61"), &[MEANS[0], MEANS[2]]);
    assert_scores(&with("min-head-size=101"), &[]);
    assert_scores(&with("min-head-size=0"), &MEANS);
    assert_scores(&with("head-class=1"), &[]);
    assert_scores(&with("head-class=0"), &MEANS);
}

#[test]
fn rows_with_the_score_last() {
    let boxes = [
        [[100.0, 50.0, 200.0, 170.0], [300.0, 200.0, 360.0, 279.0]],
        [[200.0, 75.0, 400.0, 255.0], [600.0, 300.0, 720.0, 419.0]],
    ];
    let element = toys::element("rows_score_last_256x320", "pose_Nx3x32x32");
    // Without a body, 0 is the head.
    element.set_property("head-class", 0i32);
    for (size, boxes) in SIZES.into_iter().zip(boxes) {
        let found = heads_with(&element, bands(size), size);
        // RGB, 0..1: the third is below 0.35.
        assert_scores(&found, &MEANS[..2]);
        assert_eq!(corners(&found), boxes, "{size:?}");
        assert_angles(&found[0], angles_of(BANDS[0]));
        assert_angles(&found[1], angles_of(BANDS[1]));
    }
    element.set_property("head-class", -1i32);
    assert_scores(&heads_with(&element, bands(VGA), VGA), &[]);
}

// SPDX-License-Identifier: MPL-2.0
//! Detectors with built-in NMS, and the face detectors.

use gst_video::VideoFormat;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;

use super::{
    BANDS, MEANS, SIZES, VGA, angles_of, assert_angles, assert_scores, bands, heads, heads_with,
    spot,
};
use crate::common::toys::{self, caps, corners};

/// The detector finds heads with these boxes, at both sizes, in bands of these numbers.
fn assert_finds(detector: &str, properties: &str, boxes: [[[f32; 4]; 2]; 2], seen: [usize; 2]) {
    let element = toys::element(detector, "pose_Nx3x32x32");
    toys::set(&element, properties);
    for (size, boxes) in SIZES.into_iter().zip(boxes) {
        let found = heads_with(&element, bands(size), size);
        assert_eq!(corners(&found), boxes, "{detector} {size:?}");
        for (head, band) in found.iter().zip(seen) {
            assert_angles(head, angles_of(BANDS[band]));
        }
        // The score of a box is the mean of a channel of the network's input: it shows order and range.
        let channels = if detector == "rows_256x320" {
            [1, 0]
        } else {
            [0, 1]
        };
        assert_scores(&found, &channels.map(|channel| MEANS[channel]));
    }
}

#[test]
fn nms_inside_in_frame_pixels() {
    let small = [[100.0, 50.0, 200.0, 170.0], [300.0, 200.0, 360.0, 280.0]];
    let whole = [[200.0, 75.0, 400.0, 255.0], [600.0, 300.0, 720.0, 420.0]];
    // 100.6, 50.7, 200.4, 170.5 and 300.6, 200.7, 360.4, 280.5 of the input, clipped to the frame.
    let fractions = [[201.0, 76.0, 400.0, 255.0], [601.0, 301.0, 720.0, 420.0]];
    // RGB, 0..1: the third is below 0.2.
    assert_finds("post_int64_480x640", "", [small, whole], [0, 1]);
    assert_finds("post_float_480x640", "", [small, fractions], [0, 1]);
    // BGR: the first is below 0.35. Body, hand and padding are not heads.
    let rows = [
        [[300.0, 200.0, 360.0, 279.0], [500.0, 99.0, 600.0, 200.0]],
        [[600.0, 300.0, 720.0, 419.0], [1000.0, 149.0, 1200.0, 300.0]],
    ];
    assert_finds("rows_256x320", "", rows, [1, 2]);
    // RGB, 0..1, the score last: the third is below 0.35. Without a body, 0 is the head.
    let rows = [
        [[100.0, 50.0, 200.0, 170.0], [300.0, 200.0, 360.0, 279.0]],
        [[200.0, 75.0, 400.0, 255.0], [600.0, 300.0, 720.0, 419.0]],
    ];
    assert_finds("rows_score_last_256x320", "head-class=0", rows, [0, 1]);
    assert_scores(&heads("rows_score_last_256x320", bands(VGA), VGA), &[]);
}

#[test]
fn rows_of_an_nhwc_graph() {
    let found = heads("rows_nhwc_32x32", bands(VGA), VGA);
    assert_scores(&found, &[0.75, 0.5]);
    let boxes = [[80.0, 60.0, 240.0, 240.0], [360.0, 120.0, 520.0, 360.0]];
    assert_eq!(corners(&found), boxes);
}

/// The only head in a frame with a spot, at both sizes; the larger frame has a spot twice as large.
fn grown(detector: &str, (x, y, side): (u32, u32, u32), colors: [[u8; 3]; 2]) -> Vec<Head> {
    let [color, ground] = colors;
    let of_size = |(size, scale): ((u32, u32), u32)| {
        let at = (x * scale, y * scale, side * scale);
        let found = heads(detector, spot(size, at, color, ground), size);
        assert_scores(&found, &[1.0]);
        found[0]
    };
    SIZES.into_iter().zip([1, 2]).map(of_size).collect()
}

#[test]
fn yunet_faces_grow_to_heads() {
    // The face is 64x96 around (336, 144) of the input, which is half of the larger frame.
    let found = grown("yunet", (320, 128, 32), [[130, 0, 255], [130, 0, 0]]);
    let boxes = [[277.0, 57.0, 394.0, 204.0], [555.0, 115.0, 788.0, 408.0]];
    assert_eq!(corners(&found), boxes);
    for Angles { yaw, pitch, roll } in found.iter().map(|head| head.angles) {
        assert!((yaw - 30.0).abs() < 0.01 && (roll + 30.0).abs() < 0.01);
        assert!(pitch > -20.0, "the spot is within the crop");
    }
}

#[test]
fn centerface_faces_grow_to_heads() {
    // The face is 80x120 around (321, 203.2) of the input.
    let found = grown("centerface", (320, 200, 4), [[255, 0, 60], [0, 0, 60]]);
    let boxes = [[248.0, 95.0, 393.0, 278.0], [496.0, 190.0, 787.0, 557.0]];
    assert_eq!(corners(&found), boxes);
    for Angles { pitch, roll, .. } in found.iter().map(|head| head.angles) {
        assert!((pitch - 10.0).abs() < 0.01 && (roll + 30.0).abs() < 0.01);
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

// SPDX-License-Identifier: MPL-2.0
//! Every model contract through the whole element: toy models with known answers give the right boxes in
//! frame pixels, the right angles and the right order.

mod toys;

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use toys::{caps, corners, picture};

const SIZES: [(u32, u32); 2] = [(640, 480), (1280, 720)];

/// Three upright bands, 39, 31 and 30 % wide, each around one head of the toy detectors.
const BANDS: [[u8; 3]; 3] = [[250, 140, 20], [210, 200, 60], [180, 100, 30]];

/// Mean of the bands' red, green and blue, 0..1.
const MEANS: [f32; 3] = [0.849, 0.575, 0.139];

fn bands(width: u32, height: u32) -> gst::Buffer {
    picture(width, height, |x, _| {
        BANDS[match x * 100 / width {
            0..39 => 0,
            39..70 => 1,
            _ => 2,
        }]
    })
}

/// The toy pose model's answer to a crop of one colour.
fn angles_of([r, g, b]: [u8; 3]) -> Angles {
    let [r, g, b] = [r, g, b].map(f32::from);
    Angles::new(r - 100.0, b / 2.0 - 20.0, g / 4.0 - 30.0)
}

fn heads_with(
    element: &gst::Element,
    frame: gst::Buffer,
    (width, height): (u32, u32),
) -> Vec<Head> {
    let mut h = toys::harness(element, &caps(VideoFormat::Rgb, width, height));
    let poses = toys::poses(&h.push_and_pull(frame).unwrap());
    assert_eq!((poses.width, poses.height), (width, height));
    poses.heads
}

fn heads(detector: &str, pose: &str, frame: gst::Buffer, size: (u32, u32)) -> Vec<Head> {
    heads_with(&toys::element(detector, pose), frame, size)
}

fn assert_angles(head: &Head, wanted: Angles) {
    let (a, b) = (head.angles, wanted);
    let off = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll];
    assert!(off.iter().all(|v| v.abs() < 0.01), "{a:?}, not {b:?}");
    assert_eq!(head.rear, wanted.yaw.abs() > 90.0);
}

fn assert_scores(heads: &[Head], wanted: &[f32]) {
    assert_eq!(heads.len(), wanted.len(), "{heads:?}");
    for (head, wanted) in heads.iter().zip(wanted) {
        assert!(
            (head.score - wanted).abs() < 0.01,
            "{heads:?}, not {wanted}"
        );
    }
}

#[test]
fn post_detectors_of_both_kinds() {
    for (detector, boxes) in [
        (
            "post_int64_480x640",
            [
                [[100.0, 50.0, 200.0, 170.0], [300.0, 200.0, 360.0, 280.0]],
                [[200.0, 75.0, 400.0, 255.0], [600.0, 300.0, 720.0, 420.0]],
            ],
        ),
        (
            // Fractions: 100.6, 50.7, 200.4, 170.5 and 300.6, 200.7, 360.4, 280.5, cut in the frame.
            "post_float_480x640",
            [
                [[100.0, 50.0, 200.0, 170.0], [300.0, 200.0, 360.0, 280.0]],
                [[201.0, 76.0, 400.0, 255.0], [601.0, 301.0, 720.0, 420.0]],
            ],
        ),
    ] {
        for (size, boxes) in SIZES.into_iter().zip(boxes) {
            let found = heads(detector, "pose_Nx3x32x32", bands(size.0, size.1), size);
            // The scores show that the network saw red, green, blue, 0..1: the third is below 0.2.
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
        let found = heads(
            "rows_256x320",
            "pose_Nx3x32x32",
            bands(size.0, size.1),
            size,
        );
        // Blue, green, red: the first is below 0.35. Body, hand and padding are no heads.
        assert_scores(&found, &[MEANS[1], MEANS[0]]);
        assert_eq!(corners(&found), boxes, "{size:?}");
        assert_angles(&found[0], angles_of(BANDS[1]));
        assert_angles(&found[1], angles_of(BANDS[2]));
    }
}

#[test]
fn rows_of_an_nhwc_graph() {
    let found = heads(
        "rows_nhwc_32x32",
        "pose_Nx3x32x32",
        bands(640, 480),
        (640, 480),
    );
    assert_scores(&found, &[0.75, 0.5]);
    assert_eq!(
        corners(&found),
        [[80.0, 60.0, 240.0, 240.0], [360.0, 120.0, 520.0, 360.0]]
    );
}

/// One spot of a colour of its own, the rest `ground`.
fn spot(
    (width, height): (u32, u32),
    (x, y, side): (u32, u32, u32),
    color: [u8; 3],
    ground: [u8; 3],
) -> gst::Buffer {
    picture(width, height, |px, py| {
        let inside = (x..x + side).contains(&px) && (y..y + side).contains(&py);
        if inside { color } else { ground }
    })
}

#[test]
fn yunet_faces_grow_to_heads() {
    // The face is 64x96 around (336, 144) of the input, which is half of the larger frame.
    for (size, at, corners_wanted) in [
        ((640, 480), (320, 128, 32), [277.0, 57.0, 394.0, 204.0]),
        ((1280, 720), (640, 256, 64), [555.0, 115.0, 788.0, 408.0]),
    ] {
        let frame = spot(size, at, [130, 0, 255], [130, 0, 0]);
        let found = heads("yunet", "pose_Nx3x32x32", frame, size);
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
        let found = heads("centerface", "pose_Nx3x32x32", frame, size);
        assert_scores(&found, &[1.0]);
        assert_eq!(corners(&found), [corners_wanted], "{size:?}");
        let angles = found[0].angles;
        assert!((angles.pitch - 10.0).abs() < 0.01 && (angles.roll + 30.0).abs() < 0.01);
    }
}

#[test]
fn the_threshold_changes_while_playing_and_the_best_heads_stay() {
    let element = toys::element("post_int64_480x640", "pose_Nx3x32x32");
    let mut h = toys::harness(&element, &caps(VideoFormat::Rgb, 640, 480));
    let mut scores = |property: &str, value: &dyn ToValue| {
        element.set_property_from_value(property, &value.to_value());
        let out = h.push_and_pull(bands(640, 480)).unwrap();
        toys::poses(&out).heads
    };
    assert_scores(&scores("score-threshold", &0.1f32), &MEANS);
    assert_scores(&scores("score-threshold", &0.6f32), &MEANS[..1]);
    assert_scores(&scores("score-threshold", &0.0f32), &MEANS);
    assert_scores(&scores("max-heads", &1u32), &MEANS[..1]);
    assert_scores(&scores("max-heads", &64u32), &MEANS);
    // The boxes are 100x120, 60x80 and 100x100.
    assert_scores(&scores("min-head-size", &61u32), &[MEANS[0], MEANS[2]]);
    assert_scores(&scores("min-head-size", &101u32), &[]);
    assert_scores(&scores("min-head-size", &0u32), &MEANS);
    assert_scores(&scores("head-class", &1i32), &[]);
    assert_scores(&scores("head-class", &0i32), &MEANS);
}

#[test]
fn batches_of_any_kind_keep_the_order() {
    // Three heads: one and a half batches of the network that takes two crops.
    for pose in ["pose_Nx3x32x32", "pose_2x3x32x32"] {
        let element = toys::element("post_int64_480x640", pose);
        element.set_property("score-threshold", 0.05f32);
        let found = heads_with(&element, bands(640, 480), (640, 480));
        assert_scores(&found, &MEANS);
        for (head, color) in found.iter().zip(BANDS) {
            assert_angles(head, angles_of(color));
        }
    }
}

#[test]
fn the_name_of_the_output_tells_the_order_of_the_angles() {
    let found = heads(
        "rows_nhwc_32x32",
        "pose_pitch_first_Nx3x32x32",
        picture(640, 480, |_, _| BANDS[0]),
        (640, 480),
    );
    let dmhead = angles_of(BANDS[0]);
    let wanted = Angles::new(dmhead.yaw, dmhead.roll, dmhead.pitch);
    assert_angles(&found[0], wanted);
}

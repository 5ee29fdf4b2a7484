// SPDX-License-Identifier: MPL-2.0
//! Models with absurd outputs: values that are not finite never reach an application, boxes outside the
//! frame are clipped or dropped, and valid results beside them stay.

use gst::prelude::*;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;

use super::{VGA, assert_angles, heads, heads_with};
use crate::common::toys::{self, corners, picture};

fn plain(color: [u8; 3]) -> gst::Buffer {
    toys::plain(VGA.0, VGA.1, 0, color)
}

/// The heads that a detector with the sane pose model finds in a grey frame.
fn found_by(detector: &str) -> Vec<Head> {
    heads(detector, plain([150; 3]), VGA)
}

#[test]
fn wild_boxes_are_cut_or_dropped() {
    let found = found_by("post_wild_480x640");
    let wanted = [
        ([0.0, 0.0, 60.0, 40.0], true),
        ([600.0, 470.0, 640.0, 480.0], true),
        ([0.0, 0.0, 640.0, 480.0], true),
        ([100.0, 50.0, 200.0, 170.0], false),
    ];
    assert_eq!(corners(&found), wanted.map(|(corners, _)| corners));
    let truncated: Vec<_> = found.iter().map(|head| head.truncated).collect();
    assert_eq!(truncated, wanted.map(|(_, truncated)| truncated));
    // A score of 7 counts as certain.
    let scores: Vec<_> = found.iter().map(|head| head.score).collect();
    assert_eq!(scores, [0.9, 0.9, 0.9, 1.0]);
}

#[test]
fn boxes_at_the_ends_of_int64_are_cut() {
    let boxes = [[0.0, 0.0, 640.0, 480.0], [100.0, 50.0, 200.0, 480.0]];
    assert_eq!(corners(&found_by("post_huge_480x640")), boxes);
}

#[test]
fn wild_rows_are_dropped() {
    let found = found_by("rows_wild_32x32");
    assert_eq!(corners(&found), [[80.0, 60.0, 240.0, 240.0]]);
}

/// A face whose box is not a number must not suppress valid ones, whatever the order of their scores.
#[test]
fn invalid_faces_do_not_suppress_valid_ones() {
    for (detector, channel, unit, good) in [
        ("yunet", 2, 32, [21.0, 25.0, 138.0, 172.0]),
        ("centerface", 0, 4, [8.0, 31.0, 153.0, 214.0]),
    ] {
        // Cells of the valid and of the absurd face; the absurd one scores higher. They are side by side: in
        // a comparison with NaN they overlap.
        let good_at = if unit == 32 { (64, 96) } else { (80, 136) };
        let wild_at = (480, good_at.1);
        let frame = picture(640, 480, |x, y| {
            let within = |(left, top): (u32, u32)| {
                (left..left + unit).contains(&x) && (top..top + unit).contains(&y)
            };
            let mut color = [0; 3];
            if within(good_at) {
                color[channel] = 200;
            } else if within(wild_at) {
                color[channel] = 255;
                color[1] = 153;
            }
            color
        });
        let found = heads(detector, frame, VGA);
        assert_eq!(corners(&found), [good], "{detector}");
    }
}

#[test]
fn wild_angles_are_dropped_or_wrapped() {
    let element = toys::element("post_int64_480x640", "pose_wild_Nx3x32x32");
    element.set_property("score-threshold", 0.05f32);
    for (color, heads) in [
        // Red below 100: yaw is not a number. Green 100: roll is infinite.
        ([99, 140, 40], 0),
        ([181, 100, 40], 0),
        // Pitch 0 and pitch -1e31, which is finite and wraps.
        ([181, 140, 40], 3),
        ([181, 140, 20], 3),
    ] {
        let found = heads_with(&element, plain(color), VGA);
        assert_eq!(found.len(), heads, "{color:?}: {found:?}");
        for head in found {
            let Angles { yaw, pitch, roll } = head.angles;
            let near = (yaw - 9.0).abs() < 0.01 && (roll - 1.0).abs() < 0.01;
            assert!(near, "{head:?}");
            assert!(pitch > -180.0 && pitch <= 180.0, "{head:?}");
        }
    }
}

#[test]
fn wild_cells_are_dropped() {
    let found = found_by("yolox_wild_32x32");
    assert_eq!(corners(&found), [[157.0, 157.0, 482.0, 480.0]]);
    let boxes = [[0.0, 0.0, 640.0, 480.0], [240.0, 240.0, 400.0, 400.0]];
    assert_eq!(corners(&found_by("yolov8_wild_32x32")), boxes);
}

/// Outputs times log(red - 100): not a number, infinite, zero, large.
#[test]
fn wild_answers_of_every_family() {
    let rotated = Some(Angles::new(100.0, -5.0, 0.0));
    // Uniform bins give the middle; the others bins 67, 24 and 6.
    let middle = Some(Angles::new(-1.5, -1.5, -1.5));
    let binned = Some(Angles::new(21.0, -81.0, -27.0));
    for (model, family, zero, good) in [
        ("sixdrepnet_wild", "auto", None, rotated),
        ("tddfa_wild", "3ddfa-denormalised", None, rotated),
        ("whenet_wild", "auto", middle, binned),
    ] {
        let element = toys::element("rows_nhwc_32x32", model);
        element.set_property_from_str("pose-family", family);
        for (red, wanted) in [(99, None), (100, None), (101, zero), (200, good)] {
            let found = heads_with(&element, plain([red, 120, 30]), VGA);
            let expected = if wanted.is_some() { 2 } else { 0 };
            assert_eq!(found.len(), expected, "{model} {red}: {found:?}");
            for (head, wanted) in found.iter().zip(wanted.into_iter().cycle()) {
                assert_angles(head, wanted);
            }
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Detectors with an output per cell: YOLOX and YOLOv8, with our own NMS.

use gst::prelude::*;
use gstdmheadpose::estimator::Head;

use super::{assert_scores, heads_with, spot};
use crate::common::toys::{self, corners};

type Square = (u32, u32, u32);

/// The heads in a frame with one spot of `color` on black.
fn seen(element: &gst::Element, size: (u32, u32), at: Square, color: [u8; 3]) -> Vec<Head> {
    heads_with(element, spot(size, at, color, [0; 3]), size)
}

/// The toy's cell of 32x32 at column 2, row 1, in frames that are scaled to a fifth and a tenth in its input
/// of 128x96.
const CELL: [((u32, u32), Square); 2] = [
    ((640, 480), (320, 160, 160)),
    ((1280, 720), (640, 320, 320)),
];

/// Blue 0.8 times green 0.6: the network's input is BGR, 0..255.
const SPOT: [u8; 3] = [0, 153, 204];

#[test]
fn yolox_with_and_without_its_decoding() {
    // 32.25x48.25 around (80, 40) of the input.
    let boxes = [[319.0, 79.0, 480.0, 320.0], [638.0, 158.0, 961.0, 641.0]];
    for (model, family) in [
        ("yolox_96x128", "auto"),
        ("yolox_96x128", "yolox"),
        ("yolox_decoded_96x128", "yolox-decoded"),
        // Its first output shows it.
        ("yolox_decoded_96x128", "auto"),
    ] {
        let element = toys::element(model, "pose_Nx3x32x32");
        element.set_property_from_str("detector-family", family);
        for ((size, at), wanted) in CELL.into_iter().zip(boxes) {
            let found = seen(&element, size, at, SPOT);
            assert_scores(&found, &[0.48]);
            assert_eq!(corners(&found), [wanted], "{model} {size:?}");
        }
    }
}

#[test]
fn nms_keeps_the_best_box_of_a_head() {
    let element = toys::element("yolox_96x128", "pose_Nx3x32x32");
    let (size, at) = CELL[0];
    let with = |property: &str| {
        toys::set(&element, property);
        seen(&element, size, at, SPOT)
    };
    assert_scores(&with("nms-iou=0.3"), &[0.48]);
    // Four cells of stride 16 detect it as well; two of them overlap the best by 0.52, two by 0.39.
    assert_scores(&with("nms-iou=0.45"), &[0.48, 0.36, 0.36]);
    assert_scores(&with("nms-iou=1"), &[0.48, 0.36, 0.36, 0.36, 0.36]);
    assert_scores(&with("score-threshold=0.4"), &[0.48]);
    assert_scores(&with("score-threshold=0.5"), &[]);
    // Body 0.9, head 0.6, hand 0; times 0.8.
    assert_scores(&with("head-class=0"), &[0.72, 0.54, 0.54, 0.54, 0.54]);
    assert_scores(&with("head-class=1"), &[]);
    let all = [0.48, 0.36, 0.36, 0.36, 0.36];
    assert_scores(&with("score-threshold=-1"), &all);
    assert_scores(&with("head-class=2"), &[]);
    assert_scores(&with("head-class=3"), &[]);
}

#[test]
fn yolov8_of_a_fixed_and_of_any_size() {
    // 32.25x48.25 around (80, 48) of the input; the second is cut by the frame. Bodies, the first class, are not heads.
    let fixed = [[319.0, 119.0, 480.0, 360.0], [638.0, 238.0, 961.0, 720.0]];
    // The input has the size of the frame, or half of it; its only class is the head.
    let at = [((640, 480), (320, 128, 32)), ((1280, 720), (640, 256, 64))];
    let free = [[319.0, 119.0, 352.0, 168.0], [639.0, 239.0, 704.0, 336.0]];
    for (model, frames, boxes) in [("yolov8_96x128", CELL, fixed), ("yolov8_free", at, free)] {
        let element = toys::element(model, "pose_Nx3x32x32");
        for ((size, at), wanted) in frames.into_iter().zip(boxes) {
            // Red 0.8, 0..1.
            let found = seen(&element, size, at, [204, 0, 0]);
            assert_scores(&found, &[0.8]);
            assert_eq!(corners(&found), [wanted], "{model} {size:?}");
            assert_eq!(found[0].truncated, wanted[3] == 720.0);
        }
    }
}

/// Ten thousand cells that all detect a head: the best ones are kept, up to the limit, clipped to the frame.
#[test]
fn ten_thousand_heads() {
    for model in ["rows_10000_heads", "yolov8_10080_heads"] {
        let element = toys::element(model, "pose_Nx3x32x32");
        for wanted in [64u32, 1024] {
            element.set_property("max-heads", wanted);
            let found = seen(&element, (640, 480), (0, 0, 1), [0; 3]);
            assert_eq!(found.len(), wanted as usize, "{model}");
            for [left, top, right, bottom] in corners(&found) {
                assert!(left >= 0.0 && top >= 0.0 && left < right && top < bottom);
                assert!(right <= 640.0 && bottom <= 480.0, "{model}");
            }
        }
    }
}

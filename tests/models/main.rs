// SPDX-License-Identifier: MPL-2.0
//! Models: every contract through the whole element: toy models with known answers give the right boxes in
//! frame pixels, the right angles and the right order.

#[path = "../common/mod.rs"]
mod common;

mod cells;
mod detectors;
mod errors;
mod families;
mod fusion;
mod published;
mod wild_answers;

use gst_video::VideoFormat;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;

use common::toys::{self, caps, picture};

const VGA: (u32, u32) = (640, 480);
const SIZES: [(u32, u32); 2] = [VGA, (1280, 720)];

/// Three upright bands, 39, 31 and 30 % wide, each around one head of the toy detectors.
const BANDS: [[u8; 3]; 3] = [[250, 140, 20], [210, 200, 60], [180, 100, 30]];

/// Mean of the bands' red, green and blue, 0..1.
const MEANS: [f32; 3] = [0.849, 0.575, 0.139];

fn bands((width, height): (u32, u32)) -> gst::Buffer {
    picture(width, height, |x, _| {
        BANDS[match x * 100 / width {
            0..39 => 0,
            39..70 => 1,
            _ => 2,
        }]
    })
}

/// The toy pose model's output for a crop of one colour.
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

/// With the toy pose model.
fn heads(detector: &str, frame: gst::Buffer, size: (u32, u32)) -> Vec<Head> {
    heads_with(&toys::element(detector, "pose_Nx3x32x32"), frame, size)
}

#[track_caller]
fn assert_angles(head: &Head, wanted: Angles) {
    let (a, b) = (head.angles, wanted);
    let off = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll];
    assert!(off.iter().all(|v| v.abs() < 0.01), "{a:?}, not {b:?}");
    assert_eq!(head.rear, wanted.yaw.abs() > 90.0);
}

#[track_caller]
fn assert_scores(heads: &[Head], wanted: &[f32]) {
    assert_eq!(heads.len(), wanted.len(), "{heads:?}");
    for (head, wanted) in heads.iter().zip(wanted) {
        let off = (head.score - wanted).abs();
        assert!(off < 0.01, "{heads:?}, not {wanted}");
    }
}

/// One spot of its own colour; the rest is `ground`.
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

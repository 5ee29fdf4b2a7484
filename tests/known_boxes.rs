// SPDX-License-Identifier: MPL-2.0
//! Poses of heads whose boxes are given instead of detected.

mod toys;

use gstdmheadpose::estimator::detector::Detection;
use gstdmheadpose::estimator::frame::{Colorimetry, FrameView, PixelFormat, Plane};
use gstdmheadpose::estimator::geometry::{Rect, Size};
use gstdmheadpose::estimator::{Config, Head, HeadPoseEstimator, Settings};
use toys::common::runtime_options;
use toys::fixture;

const SETTINGS: Settings = Settings {
    max_heads: 100,
    ..Settings::DEFAULT
};

fn estimator(detector: Option<&str>) -> HeadPoseEstimator {
    let runtime = runtime_options();
    let detector = detector.map(|name| fixture(name).into());
    let pose = fixture("pose_Nx3x32x32").into();
    HeadPoseEstimator::load(&Config::new(runtime, detector, pose)).unwrap()
}

/// 32x32 pixels, each of another colour.
fn gradient() -> Vec<u8> {
    let pixel = |at: u32| [100 + (at % 32) as u8, 40 + 3 * (at / 32) as u8, 60];
    (0..32 * 32).flat_map(pixel).collect()
}

fn view(bytes: &[u8]) -> FrameView<'_> {
    let size = Size {
        width: 32,
        height: 32,
    };
    let plane = Plane { bytes, stride: 96 };
    FrameView::new(PixelFormat::Rgb, size, Colorimetry::BT601, &[plane]).unwrap()
}

#[test]
fn known_boxes_get_the_poses_that_detected_ones_get() {
    let (mut estimator, bytes) = (estimator(Some("rows_nhwc_32x32")), gradient());
    let detected = estimator
        .process(&view(&bytes), None, &SETTINGS)
        .unwrap()
        .to_vec();
    assert_eq!(detected.len(), 2);
    let scored = |head: &Head| Detection {
        rect: head.rect,
        score: head.score,
    };
    let boxes: Vec<Detection> = detected.iter().map(scored).collect();
    let known = estimator
        .estimate(&view(&bytes), &boxes, None, &SETTINGS)
        .unwrap();
    assert_eq!(known, detected);
    assert_ne!(known[0].angles, known[1].angles);
}

#[test]
fn boxes_without_a_pixel_in_the_frame_are_left_out() {
    let (mut estimator, bytes) = (estimator(Some("rows_nhwc_32x32")), gradient());
    let boxes = [
        Rect::new(40.0, 0.0, 10.0, 10.0),
        Rect::new(f32::NAN, 0.0, 10.0, 10.0),
        Rect::new(4.0, 4.0, 0.0, 10.0),
        Rect::new(-5.0, -5.0, 20.0, 20.0),
    ]
    .map(Detection::known);
    let heads = estimator
        .estimate(&view(&bytes), &boxes, None, &SETTINGS)
        .unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert_eq!(heads[0].rect, Rect::new(0.0, 0.0, 15.0, 15.0));
    assert!(heads[0].truncated);
    assert_eq!(heads[0].score, 1.0);
    assert!(
        estimator
            .estimate(&view(&bytes), &[], None, &SETTINGS)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn known_boxes_need_no_detector() {
    let (mut estimator, bytes) = (estimator(None), gradient());
    assert!(estimator.detector().is_none());
    let known = [Detection::known(Rect::new(4.0, 4.0, 8.0, 12.0))];
    let heads = estimator.estimate(&view(&bytes), &known, None, &SETTINGS);
    assert_eq!(heads.unwrap().len(), 1);
    let heads = estimator.process(&view(&bytes), None, &SETTINGS);
    assert_eq!(heads.unwrap(), []);
}

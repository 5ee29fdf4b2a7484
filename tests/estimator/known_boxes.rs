// SPDX-License-Identifier: MPL-2.0
//! Poses of heads whose boxes are given instead of detected.

use std::time::Duration;

use gstdmheadpose::estimator::detector::Detection;
use gstdmheadpose::estimator::geometry::{CropMode, Rect, Size};
use gstdmheadpose::estimator::image::frame::{FrameView, PixelFormat};
use gstdmheadpose::estimator::pose::{PoseFamily, PoseModel};
use gstdmheadpose::estimator::{Config, HeadPoseEstimator, Settings};

use crate::common::toys::fixture;
use crate::common::{self, runtime_options};

const SETTINGS: Settings = Settings {
    max_heads: 100,
    ..Settings::DEFAULT
};

/// Without a detector.
fn config(pose: &str) -> Config {
    Config::new(runtime_options(), None, fixture(pose).into())
}

/// 32x32 pixels, each with a different colour.
fn gradient() -> Vec<u8> {
    let pixel = |at: u32| [100 + (at % 32) as u8, 40 + 3 * (at / 32) as u8, 60];
    (0..32 * 32).flat_map(pixel).collect()
}

fn view(bytes: &[u8]) -> FrameView<'_> {
    common::view(PixelFormat::Rgb, bytes, Size::new(32, 32))
}

#[test]
fn boxes_without_a_pixel_in_the_frame_are_left_out() {
    let bytes = gradient();
    let mut estimator = HeadPoseEstimator::load(&config("pose_Nx3x32x32")).unwrap();
    let boxes = [
        Rect::new(40.0, 0.0, 10.0, 10.0),
        Rect::new(f32::NAN, 0.0, 10.0, 10.0),
        Rect::new(4.0, 4.0, 0.0, 10.0),
        Rect::new(-5.0, -5.0, 20.0, 20.0),
    ]
    .map(Detection::known);
    let heads = estimator.estimate(&view(&bytes), &boxes, None, &SETTINGS);
    let heads = heads.unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert_eq!(heads[0].rect, Rect::new(0.0, 0.0, 15.0, 15.0));
    assert!(heads[0].truncated);
    assert_eq!(heads[0].score, 1.0);
    let none = estimator.estimate(&view(&bytes), &[], None, &SETTINGS);
    assert_eq!(none.unwrap(), []);
}

/// Columns and rows of the frame in the network's input for a head: minimum and maximum of its red and green.
fn part_seen(model: &PoseModel, levels: impl Fn(f32) -> f32, red: usize) -> [u8; 4] {
    let image = model.crop_image(0).unwrap();
    let plane = |channel: usize| {
        let plane = image.chunks_exact(image.len() / 3).nth(channel).unwrap();
        let levels = plane.iter().map(|&value| levels(value).round() as u8);
        (levels.clone().min().unwrap(), levels.max().unwrap())
    };
    let ((left, right), (top, bottom)) = (plane(red), plane(1));
    [left - 100, right - 100, (top - 40) / 3, (bottom - 40) / 3]
}

/// 3DDFA as the front model and DMHead's contract as the rear model, each with its family's crop, or both with a set one.
#[test]
fn each_model_gets_the_crop_it_was_made_for() {
    let bytes = gradient();
    let mut estimator = HeadPoseEstimator::load(&Config {
        pose_family: PoseFamily::Tddfa,
        rear_model: Some(fixture("pose_Nx3x32x32").into()),
        ..config("tddfa")
    })
    .unwrap();
    // Columns 4 to 11 and rows 4 to 15, seen from the front.
    let known = [Detection::known(Rect::new(4.0, 4.0, 8.0, 12.0))];
    let (upstream, exact) = ([2, 12, 2, 16], [4, 11, 4, 15]);
    for (crop_mode, front, rear) in [
        (None, [2, 13, 4, 15], upstream),
        (Some(CropMode::Upstream), upstream, upstream),
        (Some(CropMode::Symmetric(0.0)), exact, exact),
    ] {
        let settings = Settings {
            crop_mode,
            ..SETTINGS
        };
        let heads = estimator.estimate(&view(&bytes), &known, None, &settings);
        assert_eq!(heads.unwrap().len(), 1);
        assert_eq!(estimator.found().front_runs, 1);
        let (pose, centred) = (estimator.pose(), |value: f32| value * 128.0 + 127.5);
        assert_eq!(part_seen(pose.front(), centred, 2), front, "{crop_mode:?}");
        let found = part_seen(pose.rear().unwrap(), |level| level, 0);
        assert_eq!(found, rear, "{crop_mode:?}");
    }
}

/// Two models with a yaw of red - 100, and the frames, from 1, on which the rear one runs for a tracked head: both run
/// until both have seen it from the front four frames ago, and in every fifth frame.
#[test]
fn the_rear_model_runs_at_its_interval() {
    let mut estimator = HeadPoseEstimator::load(&Config {
        rear_model: Some(fixture("pose_pitch_first_Nx3x32x32").into()),
        ..config("pose_Nx3x32x32")
    })
    .unwrap();
    let settings = Settings {
        tracking: Some(Duration::from_secs(1)),
        rear_interval: 5,
        ..SETTINGS
    };
    let known = [Detection::known(Rect::new(4.0, 4.0, 8.0, 12.0))];
    let mut seen = Vec::new();
    for number in 1..=20u8 {
        let yaw = number % 7;
        let bytes = [100 + yaw, number, 0].repeat(32 * 32);
        let time = Duration::from_millis(40 * u64::from(number));
        let heads = estimator.estimate(&view(&bytes), &known, Some(time), &settings);
        let heads = heads.unwrap();
        let off = heads[0].angles.yaw - f32::from(yaw);
        assert!(off.abs() < 0.01, "{number}: {heads:?}");
        let image = estimator.pose().rear().unwrap().crop_image(0);
        // Green of its last crop.
        let green = image.map(|image| image[image.len() / 2] as u8);
        if green == Some(number) {
            seen.push(number);
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 9, 14, 19]);
}

// SPDX-License-Identifier: MPL-2.0
//! The poses downstream of the elements that applications put after ours.

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common::poses::{self, sample};
use crate::common::toys;

/// Sends three frames of 320x240 with the sample poses through `elements`; returns the poses at the end.
fn behind(elements: &str) -> Option<HeadPoses> {
    behind_each(elements).pop().expect("no frame arrived")
}

fn behind_each(elements: &str) -> Vec<Option<HeadPoses>> {
    let pipeline = toys::launch(&format!(
        "videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 \
         ! identity name=from ! {elements} ! fakesink name=to"
    ));
    poses::attach_on(&toys::pad(&pipeline, "from", "src"), |_| Some(sample()));
    let seen = toys::collect(&pipeline, "to");
    toys::run(&pipeline);
    let poses = toys::take(&seen).into_iter();
    poses
        .map(|buffer| HeadPoses::from_buffer(&buffer))
        .collect()
}

#[test]
fn kept_behind_what_leaves_the_picture_in_place() {
    for elements in [
        "identity",
        "queue",
        "tee ! queue",
        "videorate ! video/x-raw,framerate=60/1",
        "videoconvert ! video/x-raw,format=RGB",
        "videoconvertscale ! video/x-raw,format=NV12",
        "videobalance contrast=1.5",
        "jpegenc ! jpegdec",
    ] {
        for poses in behind_each(elements) {
            assert_eq!(poses, Some(sample()), "behind {elements}");
        }
    }
}

#[test]
fn both_branches_of_a_tee_have_them() {
    let both = behind_each("tee name=t ! queue ! funnel name=f t. ! queue ! f. f.");
    assert_eq!(both.len(), 6);
    assert!(both.iter().all(|poses| *poses == Some(sample())));
}

#[test]
fn boxes_follow_scalers() {
    for scaler in [
        "videoscale",
        "videoconvertscale",
        "videoscale ! videoconvert",
    ] {
        let poses = behind(&format!("{scaler} ! video/x-raw,width=160,height=120")).unwrap();
        assert_eq!((poses.width, poses.height), (160, 120), "{scaler}");
        let head = poses.heads[0];
        assert_eq!(head.rect, Rect::new(20.0, 30.0, 40.0, 50.0), "{scaler}");
        assert_eq!(head.angles, Angles::new(20.0, -10.0, 5.0), "{scaler}");
    }
    // Non-square pixels keep the display aspect ratio: no borders, and the boxes follow.
    let poses = behind("videoscale ! video/x-raw,width=640,height=240").unwrap();
    assert_eq!(poses.heads[0].rect, Rect::new(80.0, 60.0, 160.0, 100.0));
    // Up and down again.
    let there = "videoscale ! video/x-raw,width=640,height=480";
    let back = "videoscale ! video/x-raw,width=320,height=240";
    assert_eq!(behind(&format!("{there} ! {back}")), Some(sample()));
}

#[test]
fn letterboxed_poses_are_right_or_gone() {
    // 320x240 fits into 320x320 with borders of 40 at the top and the bottom.
    let square = "videoscale ! video/x-raw,width=320,height=320,pixel-aspect-ratio=1/1";
    if let Some(poses) = behind(square) {
        assert_eq!(poses.heads[0].rect, Rect::new(40.0, 100.0, 80.0, 100.0));
    }
}

#[test]
fn cropped_poses_are_right_or_gone() {
    if let Some(poses) = behind("videocrop left=30 top=20") {
        assert_eq!(poses.heads[0].rect, Rect::new(10.0, 40.0, 80.0, 100.0));
    }
}

#[test]
fn mirrored_poses_are_right_or_gone() {
    if let Some(poses) = behind("videoflip video-direction=horiz") {
        assert_eq!(poses.heads[0].rect, Rect::new(200.0, 60.0, 80.0, 100.0));
        assert_eq!(poses.heads[0].angles, Angles::new(-20.0, -10.0, -5.0));
    }
}

#[test]
fn turned_poses_are_right_or_gone() {
    if let Some(poses) = behind("videoflip video-direction=90r") {
        assert_eq!((poses.width, poses.height), (240, 320));
        assert_eq!(poses.heads[0].rect, Rect::new(80.0, 40.0, 100.0, 80.0));
    }
}

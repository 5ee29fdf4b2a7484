// SPDX-License-Identifier: MPL-2.0
//! The poses downstream of the elements that applications put after ours.

use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common::poses::{self, sample};
use crate::common::toys;

fn behind(elements: &str) -> Option<HeadPoses> {
    behind_each(elements).pop().expect("no frame arrived")
}

/// Sends three frames of 320x240 with the sample poses through `elements`; returns the poses at the end.
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
        "tee name=t ! queue ! funnel name=f t. ! queue ! f. f.",
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

/// GStreamer 1.28 describes these changes to metas; older versions cannot.
#[test]
fn poses_are_right_or_gone_where_the_picture_moves() {
    // 320x240 fits into 320x320 with borders of 40 at the top and the bottom.
    let letterbox = "videoscale ! video/x-raw,width=320,height=320,pixel-aspect-ratio=1/1";
    let mirror = "videoflip video-direction=horiz";
    for (elements, [x, y, w, h]) in [
        (letterbox, [40.0, 100.0, 80.0, 100.0]),
        ("videocrop left=30 top=20", [10.0, 40.0, 80.0, 100.0]),
        (mirror, [200.0, 60.0, 80.0, 100.0]),
        ("videoflip video-direction=90r", [80.0, 40.0, 100.0, 80.0]),
    ] {
        let Some(poses) = behind(elements) else {
            continue;
        };
        let Head { rect, angles, .. } = poses.heads[0];
        assert_eq!(rect, Rect::new(x, y, w, h), "{elements}");
        assert!(elements != mirror || angles == Angles::new(-20.0, -10.0, -5.0));
    }
}

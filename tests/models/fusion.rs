// SPDX-License-Identifier: MPL-2.0
//! A front and a rear model: the choice between them for each head.

use gst::prelude::*;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;

use super::{assert_angles, heads_with};
use crate::common;
use crate::common::toys::{self, element, fixture, harness, number, picture, poses, stat};

/// Two heads, for which the toy models return 40, -10, 20 (left) and 130, 10, 30 (right).
fn two_heads() -> gst::Buffer {
    let colors = [[140, 80, 80], [230, 160, 100]];
    picture(32, 32, |x, _| colors[usize::from(x >= 15)])
}

const SIZE: (u32, u32) = (32, 32);

// The rear model's outputs are yaw, pitch, roll and the front model's yaw, roll, pitch, which distinguishes them.
const REAR_LEFT: Angles = Angles::new(40.0, -10.0, 20.0);
const FRONT_LEFT: Angles = Angles::new(40.0, 20.0, -10.0);
const REAR_RIGHT: Angles = Angles::new(130.0, 10.0, 30.0);
const FRONT_RIGHT: Angles = Angles::new(130.0, 30.0, 10.0);

fn fused(activation_angle: f32) -> (gst::Element, Vec<Head>) {
    let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
    element.set_property("rear-model", fixture("pose_pitch_first_Nx3x32x32"));
    element.set_property("activation-angle", activation_angle);
    let heads = heads_with(&element, two_heads(), SIZE);
    (element, heads)
}

#[test]
fn the_front_model_estimates_only_faces() {
    let (element, heads) = fused(90.0);
    assert_angles(&heads[0], FRONT_LEFT);
    assert_angles(&heads[1], REAR_RIGHT);
    assert!(!heads[0].rear && heads[1].rear);
    assert_eq!(["heads", "front-runs"].map(|n| stat(&element, n)), [2, 1]);
}

#[test]
fn the_activation_angle_decides() {
    let (element, heads) = fused(180.0);
    assert_angles(&heads[0], FRONT_LEFT);
    assert_angles(&heads[1], FRONT_RIGHT);
    assert_eq!(stat(&element, "front-runs"), 2);

    let (element, heads) = fused(35.0);
    assert_angles(&heads[0], REAR_LEFT);
    assert_eq!(stat(&element, "front-runs"), 0);
    // 40 degrees is within 10 of the seam at 35, 130 is not.
    assert!(heads[0].seam && !heads[1].seam);
}

#[test]
fn without_a_rear_model_the_pose_model_estimates_every_head() {
    let element = toys::quick();
    let heads = heads_with(&element, two_heads(), SIZE);
    assert_angles(&heads[1], FRONT_RIGHT);
    assert_eq!(["heads", "front-runs"].map(|n| stat(&element, n)), [2, 2]);
}

/// `make models` fetches a pair that needs no property.
#[test]
fn the_default_models_are_a_pair() {
    let folder = std::env::temp_dir().join(format!("dmheadpose-pair-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let names = [
        "3ddfa_v2_mb1_Nx3x120x120.onnx",
        "whenet_Nx3x224x224_prepost.onnx",
        "face_detection_yunet_2023mar_dynamic.onnx",
    ];
    for name in names {
        let model = common::fetched(&format!("models/{name}"));
        std::os::unix::fs::symlink(model, folder.join(name)).unwrap();
    }
    let element = toys::make("dmheadpose", "");
    element.set_property("models-dir", folder.to_str().unwrap());
    let file = common::fetched(".setup/pictures/astronaut.png");
    let (info, pixels) = common::decode_picture(&file, "BGR");
    let mut h = harness(&element, &info.to_caps().unwrap());
    let mut buffer = gst::Buffer::from_slice(pixels);
    number(&mut buffer, 0);
    let buffer = h.push_and_pull(buffer).unwrap();
    let heads = poses(&buffer).heads;
    assert_eq!(heads.len(), 1, "{heads:?}");
    // From the same network in Python, with OpenCV's crop; its yaw and pitch moved by -1.5 * 1.758/45 and 3.
    for (got, want) in [
        (heads[0].angles.yaw, 1.699),
        (heads[0].angles.pitch, -3.373),
        (heads[0].angles.roll, 2.892),
    ] {
        assert!((got - want).abs() < 0.05, "{heads:?}: {want}");
    }
    assert_eq!(stat(&element, "front-runs"), 1);
    for (field, name) in ["pose-model", "rear-model"].iter().zip(names) {
        let file = toys::stat_of::<String>(&element, field);
        assert!(file.ends_with(name), "{field}: {file}");
    }
    drop(h);
    std::fs::remove_dir_all(&folder).unwrap();
}

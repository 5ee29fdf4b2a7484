// SPDX-License-Identifier: MPL-2.0
//! Pose models: DMHead's three angles, and the families with their own input or decoding.

use gst::prelude::*;
use gstdmheadpose::estimator::angles::Angles;

use super::{BANDS, MEANS, SIZES, VGA, angles_of, assert_angles, assert_scores, bands, heads_with};
use crate::common::toys::{self, picture, plain};

/// Colours of the left and the right half of the frame; each has a head.
const HALVES: [[u8; 3]; 2] = [[250, 140, 20], [60, 100, 80]];

/// A model of this family returns these angles, at both sizes.
fn assert_answers(model: &str, family: &str, wanted: [Angles; 2]) {
    let element = toys::element("rows_nhwc_32x32", model);
    element.set_property_from_str("pose-family", family);
    for (width, height) in SIZES {
        let frame = picture(width, height, |x, _| HALVES[usize::from(x >= width / 2)]);
        let found = heads_with(&element, frame, (width, height));
        assert_eq!(found.len(), 2, "{model}");
        for (head, wanted) in found.iter().zip(wanted) {
            assert_angles(head, wanted);
        }
    }
}

#[test]
fn bins_of_whenet() {
    // Bins 83, 28, 4 and 20, 20, 16 of yaw, roll and pitch.
    let wanted = [[69.0, -87.0, -15.0], [-120.0, -51.0, -39.0]];
    let wanted = wanted.map(|[yaw, pitch, roll]| Angles::new(yaw, pitch, roll));
    for model in ["whenet_bins_Nx3x32x32", "whenet_bins_Nx32x32x3"] {
        for family in ["auto", "whenet"] {
            assert_answers(model, family, wanted);
        }
    }
}

#[test]
fn rotations_of_6drepnet() {
    let wanted = HALVES.map(angles_of);
    let rear = Angles::new(150.0, -10.0, 5.0);
    assert_eq!(wanted[0], rear);
    assert_answers("sixdrepnet_matrix", "auto", wanted);
    for model in ["sixdrepnet_matrix", "sixdrepnet_6d", "sixdrepnet_angles"] {
        assert_answers(model, "6drepnet", wanted);
    }
}

#[test]
fn parameters_of_3ddfa() {
    let wanted = HALVES.map(angles_of);
    assert_answers("tddfa", "3ddfa", wanted);
    assert_answers("tddfa_denormalised", "3ddfa-denormalised", wanted);
}

#[test]
fn fsanet_of_both_kinds() {
    let wanted = HALVES.map(angles_of);
    for model in ["fsanet_Nx3x64x64", "fsanet_Nx64x64x3"] {
        for family in ["auto", "fsanet"] {
            assert_answers(model, family, wanted);
        }
    }
}

/// A rear model of another family and input size than the front model: each has its own crop.
#[test]
fn families_fuse() {
    let element = toys::element("rows_nhwc_32x32", "pose_Nx3x24x16");
    element.set_property("rear-model", toys::fixture("sixdrepnet_matrix"));
    let frame = picture(640, 480, |x, _| HALVES[usize::from(x >= 320)]);
    let found = heads_with(&element, frame, (640, 480));
    for (head, color) in found.iter().zip(HALVES) {
        assert_angles(head, angles_of(color));
    }
    assert_eq!(toys::stat(&element, "front-runs"), 1);
}

#[test]
fn batches_of_any_kind_keep_the_order() {
    // Three heads: one and a half batches of a network with a batch of two.
    for pose in ["pose_Nx3x32x32", "pose_2x3x32x32"] {
        let element = toys::element("post_int64_480x640", pose);
        element.set_property("score-threshold", 0.05f32);
        let found = heads_with(&element, bands(VGA), VGA);
        assert_scores(&found, &MEANS);
        for (head, color) in found.iter().zip(BANDS) {
            assert_angles(head, angles_of(color));
        }
    }
}

#[test]
fn the_output_name_gives_the_order_of_the_angles() {
    let element = toys::element("rows_nhwc_32x32", "pose_pitch_first_Nx3x32x32");
    let found = heads_with(&element, plain(VGA.0, VGA.1, 0, BANDS[0]), VGA);
    let dmhead = angles_of(BANDS[0]);
    let wanted = Angles::new(dmhead.yaw, dmhead.roll, dmhead.pitch);
    assert_angles(&found[0], wanted);
}

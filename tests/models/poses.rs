// SPDX-License-Identifier: MPL-2.0
//! Pose models with DMHead's contract: three angles.

use gst::prelude::*;
use gstdmheadpose::estimator::angles::Angles;

use super::{BANDS, MEANS, VGA, angles_of, assert_angles, assert_scores, bands, heads_with};
use crate::common::toys::{self, plain};

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

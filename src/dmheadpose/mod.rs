// SPDX-License-Identifier: MPL-2.0
//! Element `dmheadpose`: finds heads in video, estimates where they look and attaches what it found to
//! every buffer as [`HeadPoses`](crate::headposemeta::HeadPoses).
//!
//! ```text
//! gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! dmheadpose overlay=box+axes+labels ! videoconvert ! autovideosink
//! ```

use gst::glib;
use gst::prelude::*;

mod engine;
mod failure;
mod frames;
mod held;
mod imp;
mod interop;
mod lateness;
mod loaded;
mod options;
mod properties;
mod report;
mod runtime_log;
mod specs;
mod start;
mod stats;
mod upstream;

pub use options::{
    DmHeadPoseCropMode, DmHeadPoseDetectorFamily, DmHeadPoseExecutionProvider, DmHeadPoseHeadsFrom,
    DmHeadPoseMetaFormat, DmHeadPoseMode, DmHeadPoseOnError, DmHeadPosePoseFamily,
    DmHeadPoseScaling, DmHeadPoseWhenLate,
};

glib::wrapper! {
    pub struct DmHeadPose(ObjectSubclass<imp::DmHeadPose>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "dmheadpose",
        gst::Rank::NONE,
        DmHeadPose::static_type(),
    )
}

// SPDX-License-Identifier: MPL-2.0
//! Element `dmheadpose`: finds heads in video, estimates their pose and attaches the result to every buffer as [`HeadPoses`](crate::headposemeta::HeadPoses).
//!
//! ```text
//! gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! dmheadpose overlay=box+axes+labels ! videoconvert ! autovideosink
//! ```

use gst::glib;

mod deadline;
mod flow;
mod frames;
mod imp;
mod last_result;
mod loaded;
mod metas;
mod options;
mod properties;
mod report;
mod runtime_log;
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

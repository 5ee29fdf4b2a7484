// SPDX-License-Identifier: MPL-2.0
//! `dmheadposeoverlay`: draws the head poses that `dmheadpose` attached, at any later point of a pipeline.
//!
//! The same drawing as `dmheadpose overlay=...`, on the frames as they are here: scaled, say, or in one
//! branch of a tee only.
//!
//! ```text
//! gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! dmheadpose \
//!     ! videoscale ! video/x-raw,width=1920,height=1080 ! dmheadposeoverlay ! videoconvert ! autovideosink
//! ```

mod imp;

use gst::glib;

glib::wrapper! {
    pub struct DmHeadPoseOverlay(ObjectSubclass<imp::DmHeadPoseOverlay>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

// SPDX-License-Identifier: MPL-2.0
//! `dmheadposejson`: writes the head poses of each frame as one JSON object a line.
//!
//! ```text
//! gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! videoconvert ! videoflip video-direction=auto ! dmheadpose \
//!     ! dmheadposejson ! filesink location=poses.jsonl
//! ```
//!
//! Or beside the picture:
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! dmheadpose ! tee name=t \
//!     t. ! queue ! videoconvert ! autovideosink \
//!     t. ! queue ! dmheadposejson ! fdsink
//! ```
//!
//! # Output
//! `application/x-ndjson`: UTF-8, one buffer a frame, each ending with a newline, with the frame's
//! timestamps. `docs/pose-line.schema.json` describes a line, `docs/json.md` shows what to do with it;
//! `src/dmheadposejson/line.rs` makes it. A frame without poses gives a gap event instead of a line; a frame in which
//! no head was found gives a line with an empty list, unless `add-empty` is false.

mod imp;
mod line;
mod properties;
mod tags;
mod wall_clock;

use gst::glib;

glib::wrapper! {
    pub struct DmHeadPoseJson(ObjectSubclass<imp::DmHeadPoseJson>)
        @extends gst::Element, gst::Object;
}

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
//! `src/dmheadposejson/line.rs` makes it. A frame without poses (nobody looked) gives a gap event instead of a line; a frame in which no head
//! was found gives a line with an empty list, unless `add-empty` is false.
//!
//! # Properties
//! All may be changed while playing.
//! - `add-empty` (boolean, default true): lines also for frames without heads.
//! - `add-timestamp` (boolean, default false): the time of day of the frame, as `timestamp`.
//! - `source-name` (string): name of the camera, as `source_name`.
//! - `tags` (string): a JSON object of the application's own, as `tags`. Anything else is an error at
//!   the start, and while playing a warning and no tags.

mod imp;
mod line;
mod properties;
mod tags;
mod wall_clock;

use gst::glib;
use gst::prelude::*;

glib::wrapper! {
    pub struct DmHeadPoseJson(ObjectSubclass<imp::DmHeadPoseJson>)
        @extends gst::Element, gst::Object;
}

pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "dmheadposejson",
        gst::Rank::NONE,
        DmHeadPoseJson::static_type(),
    )
}

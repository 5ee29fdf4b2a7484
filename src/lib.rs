// SPDX-License-Identifier: MPL-2.0
//! GStreamer plugin `dmheadpose`: head detection and head-pose estimation, also from behind.
//!
//! [`estimator`] is plain Rust without GStreamer: frame in, heads out. Everything beside it puts the
//! estimator into pipelines.

mod analytics;
pub mod dmheadpose;
mod dmheadposejson;
mod dmheadposeoverlay;
pub mod draw;
pub mod estimator;
pub mod headposemeta;
mod log;
pub mod overlay;
mod planes;
mod property;
mod roi;
mod sync;
mod text;
pub mod video;

use gst::glib;
use gst::prelude::*;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for (name, element) in [
        ("dmheadpose", dmheadpose::DmHeadPose::static_type()),
        (
            "dmheadposejson",
            dmheadposejson::DmHeadPoseJson::static_type(),
        ),
        (
            "dmheadposeoverlay",
            dmheadposeoverlay::DmHeadPoseOverlay::static_type(),
        ),
    ] {
        gst::Element::register(Some(plugin), name, gst::Rank::NONE, element)?;
    }
    Ok(())
}

gst::plugin_define!(
    dmheadpose,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    env!("CARGO_PKG_VERSION"),
    "MPL-2.0",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("BUILD_REL_DATE")
);

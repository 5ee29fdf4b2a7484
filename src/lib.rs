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
pub mod overlay;
mod planes;
mod property;
mod roi;
mod segment;
mod sync;
mod text;
pub mod video;

use gst::glib;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    dmheadpose::register(plugin)?;
    dmheadposejson::register(plugin)?;
    dmheadposeoverlay::register(plugin)?;
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

// SPDX-License-Identifier: MPL-2.0
//! The enumerations and flags among the properties of the elements that draw, as GObject types.

use gst::glib;

use crate::property::{enum_property, property};

#[glib::flags(name = "GstDmHeadPoseOverlayFlags")]
pub enum DmHeadPoseOverlayFlags {
    #[flags_value(name = "Box with margins, coloured as color-by says", nick = "box")]
    BOX = 1 << 0,
    #[flags_value(name = "Axes: X red, Y green, Z (out of the face) blue", nick = "axes")]
    AXES = 1 << 1,
    #[flags_value(name = "Cube turned as the head is", nick = "cube")]
    CUBE = 1 << 2,
    #[flags_value(
        name = "Yaw, pitch and roll in degrees, or what label says",
        nick = "labels"
    )]
    LABELS = 1 << 3,
    #[flags_value(name = "Track number", nick = "id")]
    ID = 1 << 4,
    #[flags_value(name = "Number of heads and milliseconds", nick = "stats")]
    STATS = 1 << 5,
}

enum_property! {
    pub enum DmHeadPoseColorBy as "GstDmHeadPoseColorBy" {
        #[default]
        Yaw, "yaw", "Blue for a face to red for the back of a head";
        Id, "id", "One of seven colours by track number, grey without";
        None, "none", "The colour of box-color";
    }
}

enum_property! {
    pub enum DmHeadPoseBlurHeads as "GstDmHeadPoseBlurHeads" {
        #[default]
        None, "none", "Heads stay as they are";
        Pixelate, "pixelate", "Six blocks on the longer side: not recognisable by eye";
        Fill, "fill", "Black: nothing is left to recover";
    }
}

enum_property! {
    pub enum DmHeadPoseBlurFallback as "GstDmHeadPoseBlurFallback" {
        #[default]
        Picture, "picture", "The whole picture is hidden";
        Wait, "wait",
            "The frame waits for its inference, also with async and when-late=hold; if that fails, and in \
             dmheadposeoverlay, the whole picture is hidden";
        Last, "last",
            "Heads are hidden where they were last; the whole picture if the last result is older than \
             expire-overlay, or there is none";
    }
}

property!(DmHeadPoseOverlayFlags, |about, _range, default| {
    glib::ParamSpecFlags::builder::<DmHeadPoseOverlayFlags>(about.name).default_value(*default)
});

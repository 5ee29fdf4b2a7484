// SPDX-License-Identifier: MPL-2.0
//! The enumerations and flags among the properties of the elements that draw, as GObject types.

use gst::glib;

use crate::property::{enum_property, flags_property};

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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseColorBy")]
#[repr(i32)]
pub enum DmHeadPoseColorBy {
    #[default]
    #[enum_value(name = "Blue for a face to red for the back of a head", nick = "yaw")]
    Yaw,
    #[enum_value(
        name = "One of seven colours by track number, grey without",
        nick = "id"
    )]
    Id,
    #[enum_value(name = "The colour of box-color", nick = "none")]
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseBlurHeads")]
#[repr(i32)]
pub enum DmHeadPoseBlurHeads {
    #[default]
    #[enum_value(name = "Heads stay as they are", nick = "none")]
    None,
    #[enum_value(
        name = "Six blocks on the longer side: not recognisable by eye",
        nick = "pixelate"
    )]
    Pixelate,
    #[enum_value(name = "Black: nothing is left to recover", nick = "fill")]
    Fill,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstDmHeadPoseBlurFallback")]
#[repr(i32)]
pub enum DmHeadPoseBlurFallback {
    #[default]
    #[enum_value(name = "The whole picture is hidden", nick = "picture")]
    Picture,
    #[enum_value(
        name = "The frame waits for its inference, also with async and when-late=hold; if that fails, and in \
                dmheadposeoverlay, the whole picture is hidden",
        nick = "wait"
    )]
    Wait,
    #[enum_value(
        name = "Heads are hidden where they were last; the whole picture if the last result is older than \
                expire-overlay, or there is none",
        nick = "last"
    )]
    Last,
}

enum_property!(
    DmHeadPoseColorBy,
    DmHeadPoseBlurHeads,
    DmHeadPoseBlurFallback
);
flags_property!(DmHeadPoseOverlayFlags);

// SPDX-License-Identifier: MPL-2.0
//! The properties that say what is drawn, shared by the elements that draw.

use gst::glib;
use gst::prelude::*;

use crate::estimator::draw::Style;

#[glib::flags(name = "GstDmHeadPoseOverlayFlags")]
pub enum DmHeadPoseOverlayFlags {
    #[flags_value(
        name = "Box with margins, blue in front to red at the rear",
        nick = "box"
    )]
    BOX = 1 << 0,
    #[flags_value(name = "Axes: X red, Y green, Z (out of the face) blue", nick = "axes")]
    AXES = 1 << 1,
    #[flags_value(name = "Cube turned as the head is", nick = "cube")]
    CUBE = 1 << 2,
    #[flags_value(name = "Yaw, pitch and roll in degrees", nick = "labels")]
    LABELS = 1 << 3,
    #[flags_value(name = "Track number", nick = "id")]
    ID = 1 << 4,
    #[flags_value(name = "Number of heads and milliseconds", nick = "stats")]
    STATS = 1 << 5,
}

/// What is drawn, and how large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub parts: DmHeadPoseOverlayFlags,
    line_width: f32,
    font_scale: f32,
}

impl Look {
    pub fn new(parts: DmHeadPoseOverlayFlags) -> Self {
        let Style {
            line_width,
            font_scale,
            ..
        } = Style::default();
        Self {
            parts,
            line_width,
            font_scale,
        }
    }

    pub fn style(&self) -> Style {
        let has = |part| self.parts.contains(part);
        Style {
            boxes: has(DmHeadPoseOverlayFlags::BOX),
            axes: has(DmHeadPoseOverlayFlags::AXES),
            cube: has(DmHeadPoseOverlayFlags::CUBE),
            labels: has(DmHeadPoseOverlayFlags::LABELS),
            ids: has(DmHeadPoseOverlayFlags::ID),
            line_width: self.line_width,
            font_scale: self.font_scale,
        }
    }

    /// The specifications of the properties whose defaults are in `self`.
    pub fn specs(&self) -> Vec<glib::ParamSpec> {
        vec![
            glib::ParamSpecFlags::builder::<DmHeadPoseOverlayFlags>("overlay")
                .nick("Overlay")
                .blurb("What to draw onto the frames")
                .default_value(self.parts)
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("line-width")
                .nick("Line Width")
                .blurb("Width of the overlay's lines in pixels of a 640x480 frame; grows with the frame")
                .minimum(0.5)
                .maximum(20.0)
                .default_value(self.line_width)
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("font-scale")
                .nick("Font Scale")
                .blurb("Size of the overlay's text; 1 is 9 pixels a capital of a 640x480 frame and grows with the frame")
                .minimum(0.2)
                .maximum(10.0)
                .default_value(self.font_scale)
                .mutable_playing()
                .build(),
        ]
    }

    /// Sets the property if it is one of [`Look::specs`].
    pub fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        match pspec.name() {
            "overlay" => self.parts = value.get().unwrap_or(self.parts),
            "line-width" => self.line_width = value.get().unwrap_or(self.line_width),
            "font-scale" => self.font_scale = value.get().unwrap_or(self.font_scale),
            _ => {}
        }
    }

    /// The property's value if it is one of [`Look::specs`].
    pub fn get(&self, pspec: &glib::ParamSpec) -> Option<glib::Value> {
        Some(match pspec.name() {
            "overlay" => self.parts.to_value(),
            "line-width" => self.line_width.to_value(),
            "font-scale" => self.font_scale.to_value(),
            _ => return None,
        })
    }
}

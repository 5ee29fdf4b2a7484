// SPDX-License-Identifier: MPL-2.0
//! What is drawn, and how.

use std::sync::Arc;

use super::color::{BoxColor, Color};
use super::label::Label;

/// What to draw, and how large. Widths and text sizes are for a frame of 640x480 and scale with its
/// short side.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// The head's box with the margins of the pose crop.
    pub boxes: bool,
    /// X red, Y green, Z (out of the face) blue.
    pub axes: bool,
    /// A cube that is turned as the head is; its face side is yellow.
    pub cube: bool,
    /// `label` above the box.
    pub labels: bool,
    /// The track number above the box.
    pub ids: bool,
    pub box_color: BoxColor,
    /// Template of the labels; `None`: yaw, pitch and roll in degrees.
    pub label: Option<Arc<Label>>,
    pub label_color: Color,
    /// Pixels, for a frame of 640x480.
    pub line_width: f32,
    /// 1 gives capitals of 9 pixels on a frame of 640x480.
    pub font_scale: f32,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            boxes: true,
            axes: true,
            cube: false,
            labels: true,
            ids: false,
            box_color: BoxColor::Yaw,
            label: None,
            // DMHead's.
            label_color: Color(0xff00_ff64),
            line_width: 2.0,
            font_scale: 1.0,
        }
    }
}

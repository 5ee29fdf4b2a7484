// SPDX-License-Identifier: MPL-2.0
//! Heads to pictures: boxes, axes, cubes and labels as small patches to be blended onto the frame.
//!
//! It draws what DMHead's demo draws: the box with its margins, blue for a face and red for the back
//! of a head, three axes from its centre, and the three angles above it. Blending costs by the area,
//! also where it is transparent, so a patch is no larger than what it shows.

mod layout;
mod patch;
mod pose;
mod text;

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

pub use ab_glyph::InvalidFont;
pub use patch::Patch;

use super::Head;
use super::angles::Angles;
use super::geometry::Size;
use layout::{Scale, box_lines, even, margin_box};
use patch::{Area, Sheet};
use pose::Segment;
use text::{COLUMN, Canvas, Typeface};

/// DMHead's text colour.
const LABEL_COLOR: [u8; 3] = [0, 255, 100];
const STATS_COLOR: [u8; 3] = [255, 255, 255];
/// Of the box when the head's pose is not known.
const UNKNOWN_COLOR: [u8; 3] = [128, 128, 128];
/// What to draw, and how large. Widths and text are for a frame of 640x480 and grow with its short
/// side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// The head's box with the margins of the pose crop.
    pub boxes: bool,
    /// X red, Y green, Z (out of the face) blue.
    pub axes: bool,
    /// A cube that is turned as the head is; its face side is yellow.
    pub cube: bool,
    /// Yaw, pitch and roll in degrees above the box.
    pub labels: bool,
    /// The track number above the box.
    pub ids: bool,
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
            line_width: 2.0,
            font_scale: 1.0,
        }
    }
}

/// Paints heads. Keeps glyphs and patches, so that a frame like the one before costs little.
pub struct Painter {
    typeface: Typeface,
    sheet: Sheet,
    segments: Vec<Segment>,
    text: String,
}

impl Painter {
    /// Fails only if the font within the library is damaged.
    pub fn new() -> Result<Self, InvalidFont> {
        Ok(Self {
            typeface: Typeface::new()?,
            sheet: Sheet::default(),
            segments: Vec::new(),
            text: String::new(),
        })
    }

    /// The patches that show `heads` on a frame of this size, in the order in which they are to be
    /// blended. `stats` is written at the top left.
    pub fn paint(
        &mut self,
        heads: &[Head],
        frame: Size,
        style: &Style,
        stats: Option<&str>,
    ) -> &[Patch] {
        self.sheet.clear();
        let scale = Scale::new(frame, style);
        let placed = |head| margin_box(head, frame).map(|area| (head, area, scale.for_head(area)));
        for (head, area, scale) in heads.iter().filter_map(placed) {
            self.paint_head(head, area, &scale, style);
        }
        // After all boxes and axes, so that no neighbour's lines run through them.
        for (head, area, scale) in heads.iter().filter_map(placed) {
            self.paint_label(head, box_lines(area, &scale), &scale, style);
        }
        if let Some(stats) = stats.filter(|s| !s.is_empty()) {
            self.text.clear();
            self.text.push_str(stats);
            self.typeface.set_cap_height(scale.cap.round() as i32);
            let pad = self.typeface.metrics().pad;
            self.paint_text((pad, pad), STATS_COLOR, &scale);
        }
        self.sheet.patches()
    }

    fn paint_head(&mut self, head: &Head, area: Area, scale: &Scale, style: &Style) {
        let known = head.angles.is_finite();
        if style.boxes {
            let color = if known {
                yaw_color(head.angles.yaw)
            } else {
                UNKNOWN_COLOR
            };
            self.paint_box(box_lines(area, scale), color, scale);
        }
        if known && (style.axes || style.cube) {
            self.paint_pose(&head.angles, area, scale, style);
        }
    }

    /// The four lines that run along the inside of `outer`.
    fn paint_box(&mut self, outer: Area, color: [u8; 3], scale: &Scale) {
        let width = scale.box_width();
        let inner = (outer.height() - 2 * width).max(0);
        let lines = [
            Area::new(outer.x, outer.y, outer.width(), width),
            Area::new(outer.x, outer.y + width, width, inner),
            Area::new(outer.right - width, outer.y + width, width, inner),
            Area::new(outer.x, outer.bottom - width, outer.width(), width),
        ];
        let [red, green, blue] = color;
        for line in lines {
            let Some(line) = line.clipped(scale.frame) else {
                continue;
            };
            if let Some(pixels) = self.sheet.place(line, fingerprint(("box", color))) {
                for pixel in pixels.chunks_exact_mut(4) {
                    pixel.copy_from_slice(&[blue, green, red, 255]);
                }
            }
        }
    }

    fn paint_pose(&mut self, angles: &Angles, area: Area, scale: &Scale, style: &Style) {
        let center = (
            (area.x + area.right) as f32 / 2.0,
            (area.y + area.bottom) as f32 / 2.0,
        );
        let length = area.width() as f32 / 2.0;
        self.segments.clear();
        if style.cube {
            self.segments.extend(pose::cube(center, length, angles));
        }
        if style.axes {
            self.segments.extend(pose::axes(center, length, angles));
        }
        let bounds = pose::bounds(&self.segments, scale.line_width);
        let Some(visible) = even(bounds).clipped(scale.frame) else {
            return;
        };
        let offset = (center.0 - visible.x as f32, center.1 - visible.y as f32);
        let look = [offset.0, offset.1, length, scale.line_width];
        let turn = [angles.yaw, angles.pitch, angles.roll];
        let print = fingerprint((
            "pose",
            (style.axes, style.cube),
            look.map(f32::to_bits),
            turn.map(f32::to_bits),
        ));
        if let Some(pixels) = self.sheet.place(visible, print) {
            pose::paint(&mut self.segments, scale.line_width, visible, pixels);
            self.sheet.find_ink();
        }
    }

    /// Writes above `lines`, in letters as large as fit their width.
    fn paint_label(&mut self, head: &Head, lines: Area, scale: &Scale, style: &Style) {
        let room = lines.width();
        let mut height = 0;
        for names in [["roll", "pitch", "yaw"], ["r", "p", "y"]] {
            write_label(&mut self.text, head, names, style);
            if self.text.is_empty() {
                return;
            }
            self.typeface.set_cap_height(scale.cap.round() as i32);
            let mut panel = self.typeface.measure(&self.text);
            if panel.0 > room {
                let cap = (scale.cap * room as f32 / panel.0 as f32).floor();
                let cap = cap.max(scale.least_cap.round());
                self.typeface.set_cap_height(cap as i32);
                panel = self.typeface.measure(&self.text);
            }
            height = panel.1;
            if panel.0 <= room {
                break;
            }
        }
        self.paint_text((lines.x, lines.y - height), LABEL_COLOR, scale);
    }

    /// Paints `self.text`, as near to the place wanted as the whole of it is visible.
    fn paint_text(&mut self, (x, y): (i32, i32), color: [u8; 3], scale: &Scale) {
        let panel = self.typeface.measure(&self.text);
        let wanted = Area::new(x, y, panel.0, panel.1).moved_into(scale.frame);
        let area = Area::new(wanted.x & !1, wanted.y & !1, panel.0, panel.1);
        let Some(visible) = area.clipped(scale.frame) else {
            return;
        };
        let (x, y) = (visible.x - area.x, visible.y - area.y);
        let cap = self.typeface.metrics().cap;
        let print = fingerprint(("text", self.text.as_str(), color, cap, (x, y)));
        if let Some(pixels) = self.sheet.place(visible, print) {
            let mut canvas = Canvas {
                pixels,
                width: visible.width(),
                height: visible.height(),
                x,
                y,
            };
            self.typeface.paint(&self.text, panel, color, &mut canvas);
        }
    }
}

/// Blue for a face, red for the back of a head.
fn yaw_color(yaw: f32) -> [u8; 3] {
    let blue = (255.0 * (1.0 - yaw.abs() / 180.0))
        .clamp(0.0, 255.0)
        .round() as u8;
    [255 - blue, 0, blue]
}

/// DMHead's order from the box upwards: yaw, pitch, roll; the track number on top.
fn write_label(text: &mut String, head: &Head, names: [&str; 3], style: &Style) {
    text.clear();
    if style.ids && head.id != 0 {
        let _ = writeln!(text, "#{}", head.id);
    }
    if style.labels && head.angles.is_finite() {
        let Angles { yaw, pitch, roll } = head.angles;
        for (name, angle) in names.into_iter().zip([roll, pitch, yaw]) {
            let _ = writeln!(text, "{name}{COLUMN}{}°", angle.round() as i32);
        }
    }
}

fn fingerprint(content: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;

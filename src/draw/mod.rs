// SPDX-License-Identifier: MPL-2.0
//! Heads to pictures: boxes, axes, cubes and labels as small patches to be blended onto the frame.
//!
//! It draws what DMHead's demo draws: the box with its margins, blue for a face and red for the back
//! of a head, three axes from its centre, and the three angles above it. Blending costs time for
//! every pixel, even a transparent one, so patches are no larger than what they show.

mod color;
mod label;
mod layout;
mod patch;
mod pose;
mod style;
mod text;

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

pub use ab_glyph::InvalidFont;
pub use color::{BoxColor, Color};
pub use label::Label;
pub use layout::margin_box;
pub use patch::{Area, Patch};
pub use style::Style;

use crate::estimator::Head;
use crate::estimator::angles::Angles;
use crate::estimator::geometry::Size;
use layout::{Scale, box_lines};
use patch::Sheet;
use pose::Segment;
use text::{Canvas, Typeface};

const STATS_COLOR: Color = Color(0xffff_ffff);

/// Paints heads. Keeps glyphs and patches, so that a frame like the previous one costs little.
pub struct Painter {
    typeface: Typeface,
    sheet: Sheet,
    segments: Vec<Segment>,
    text: String,
    /// Positions of this frame's labels.
    labels: Vec<Area>,
}

impl Painter {
    /// Fails only if the embedded font is damaged.
    pub fn new() -> Result<Self, InvalidFont> {
        Ok(Self {
            typeface: Typeface::new()?,
            sheet: Sheet::default(),
            segments: Vec::new(),
            text: String::new(),
            labels: Vec::new(),
        })
    }

    /// The patches that show `heads` on a frame of this size, in blending order. `stats` is written at the
    /// top left.
    pub fn paint(
        &mut self,
        heads: &[Head],
        frame: Size,
        style: &Style,
        stats: Option<&str>,
    ) -> &[Patch] {
        self.sheet.clear();
        self.labels.clear();
        let scale = Scale::new(frame, style);
        let placed = |head| margin_box(head, frame).map(|area| (head, area, scale.for_head(area)));
        for (head, area, scale) in heads.iter().filter_map(placed) {
            self.paint_head(head, area, &scale, style);
        }
        // After all boxes and axes, so that no other head's lines cross the labels.
        for (head, area, scale) in heads.iter().filter_map(placed) {
            self.paint_label(head, box_lines(area, &scale), &scale, style);
        }
        if let Some(stats) = stats.filter(|s| !s.is_empty()) {
            self.text.clear();
            self.text.push_str(stats);
            self.typeface.set_cap_height(scale.cap.round() as i32);
            let pad = self.typeface.metrics().pad;
            let (width, height) = self.typeface.measure(&self.text);
            let area = Area::new(pad, pad, width, height).moved_into(frame);
            self.paint_text(area, STATS_COLOR, &scale);
        }
        self.sheet.patches()
    }

    fn paint_head(&mut self, head: &Head, area: Area, scale: &Scale, style: &Style) {
        if style.boxes {
            let color = style.box_color.of(head);
            self.paint_box(box_lines(area, scale), color, scale);
        }
        if head.angles.is_finite() && (style.axes || style.cube) {
            self.paint_pose(&head.angles, area, scale, style);
        }
    }

    /// The four lines that run along the inside of `outer`.
    fn paint_box(&mut self, outer: Area, color: Color, scale: &Scale) {
        let width = scale.box_width();
        let inner = (outer.height() - 2 * width).max(0);
        let lines = [
            Area::new(outer.x, outer.y, outer.width(), width),
            Area::new(outer.x, outer.y + width, width, inner),
            Area::new(outer.right - width, outer.y + width, width, inner),
            Area::new(outer.x, outer.bottom - width, outer.width(), width),
        ];
        for line in lines {
            let Some(line) = line.clipped(scale.frame) else {
                continue;
            };
            if let Some(pixels) = self.sheet.place(line, fingerprint(("box", color))) {
                for pixel in pixels.chunks_exact_mut(4) {
                    pixel.copy_from_slice(&color.premultiplied());
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
        let mut bounds = pose::bounds(&self.segments, scale.line_width);
        // Where a chroma sample lies.
        (bounds.x, bounds.y) = (bounds.x & !1, bounds.y & !1);
        let Some(visible) = bounds.clipped(scale.frame) else {
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

    /// Writes above `lines`, as large as fits their width, or else at the first place that covers neither this
    /// head nor another label: below, right, left.
    fn paint_label(&mut self, head: &Head, lines: Area, scale: &Scale, style: &Style) {
        let room = lines.width();
        let mut panel = (0, 0);
        for short in [false, true] {
            write_label(&mut self.text, head, short, style);
            if self.text.is_empty() {
                return;
            }
            self.typeface.set_cap_height(scale.cap.round() as i32);
            panel = self.typeface.measure(&self.text);
            if panel.0 > room {
                let cap = (scale.cap * room as f32 / panel.0 as f32).floor();
                let cap = cap.max(scale.least_cap.round());
                self.typeface.set_cap_height(cap as i32);
                panel = self.typeface.measure(&self.text);
            }
            if panel.0 <= room || style.label.is_some() {
                break;
            }
        }
        let (width, height) = panel;
        let places = [
            (lines.x, lines.y - height),
            (lines.x, lines.bottom),
            (lines.right, lines.y),
            (lines.x - width, lines.y),
        ]
        .map(|(x, y)| Area::new(x, y, width, height).moved_into(scale.frame));
        let is_free = |place: &&Area| {
            let mut taken = self.labels.iter().chain([&lines]);
            !taken.any(|area| area.overlaps(place))
        };
        let area = *places.iter().find(is_free).unwrap_or(&places[0]);
        self.labels.push(area);
        self.paint_text(area, style.label_color, scale);
    }

    /// Paints `self.text` on a panel of its size.
    fn paint_text(&mut self, panel: Area, color: Color, scale: &Scale) {
        let area = Area::new(panel.x & !1, panel.y & !1, panel.width(), panel.height());
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
            let size = (area.width(), area.height());
            self.typeface.paint(&self.text, size, color, &mut canvas);
        }
    }
}

/// The track number on top, then the label of `style`.
fn write_label(text: &mut String, head: &Head, short: bool, style: &Style) {
    text.clear();
    if style.ids && head.id != 0 {
        let _ = writeln!(text, "#{}", head.id);
    }
    match &style.label {
        _ if !style.labels => {}
        Some(label) => label.write(head, text),
        None => label::write_usual(head, short, text),
    }
}

fn fingerprint(content: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;

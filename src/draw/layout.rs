// SPDX-License-Identifier: MPL-2.0
//! Position and size of what is drawn for a head.

use super::patch::Area;
use super::style::Style;
use crate::estimator::Head;
use crate::estimator::geometry::Size;

/// Short side of the frame that DMHead's sizes are meant for.
const REFERENCE_SIDE: f32 = 480.0;
/// Height of capitals at the reference size, and the smallest readable one.
const CAP_HEIGHT: f32 = 9.0;
const LEAST_CAP_HEIGHT: f32 = 7.0;
/// Labels of small heads shrink to no less than this share, to fit the box.
const LEAST_SHRINK: f32 = 0.6;
/// The lines of a small box are no wider than its width over this.
const BOX_TO_LINE: f32 = 25.0;

/// Sizes in pixels for one frame, or one head of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub frame: Size,
    pub line_width: f32,
    pub cap: f32,
    pub least_cap: f32,
}

impl Scale {
    pub fn new(frame: Size, style: &Style) -> Self {
        let factor = frame.width.min(frame.height) as f32 / REFERENCE_SIDE;
        let cap = bounded(
            CAP_HEIGHT * factor * style.font_scale,
            LEAST_CAP_HEIGHT,
            500.0,
        );
        Self {
            frame,
            line_width: bounded(style.line_width * factor, 1.5, 100.0),
            cap,
            least_cap: (cap * LEAST_SHRINK).max(LEAST_CAP_HEIGHT),
        }
    }

    pub fn for_head(self, area: Area) -> Self {
        let most = (area.width() as f32 / BOX_TO_LINE).max(1.5);
        Self {
            line_width: self.line_width.min(most),
            ..self
        }
    }

    /// Even, as are the positions of lines: most video has one chroma sample for two by two pixels, and a
    /// line that shares samples with the picture gets ragged edges.
    pub fn box_width(&self) -> i32 {
        2 * ((self.line_width / 2.0).round() as i32).max(1)
    }
}

/// Like `clamp`, but NaN gives `least`.
fn bounded(value: f32, least: f32, most: f32) -> f32 {
    if value > least {
        value.min(most)
    } else {
        least
    }
}

/// The head's box with DMHead's margins, truncated as in DMHead; `None` if it lies outside the
/// frame.
pub fn margin_box(head: &Head, frame: Size) -> Option<Area> {
    let rect = head.rect;
    let numbers = [rect.x, rect.y, rect.w, rect.h];
    if !numbers.iter().all(|v| v.is_finite()) {
        return None;
    }
    let grown = rect.with_upstream_margins(frame);
    // `as` truncates and saturates.
    let area = Area {
        x: grown.x as i32,
        y: grown.y as i32,
        right: grown.right() as i32,
        bottom: grown.bottom() as i32,
    };
    area.clipped(frame)
}

/// The outer border of the box's lines. They are centred on the border of the box, or lie just inside where that
/// is the frame's border.
pub(super) fn box_lines(area: Area, scale: &Scale) -> Area {
    let width = scale.box_width();
    let start = |border: i32| (border - width / 2 + 1) & !1;
    let lines = Area {
        x: start(area.x),
        y: start(area.y),
        right: start(area.right) + width,
        bottom: start(area.bottom) + width,
    };
    lines.clipped(scale.frame).unwrap_or(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimator::geometry::Rect;

    const VGA: Size = Size::new(640, 480);

    fn head(rect: Rect) -> Head {
        Head {
            rect,
            ..Head::default()
        }
    }

    #[test]
    fn the_box_has_upstreams_margins_truncated() {
        // 100 x 200 at 200, 150: top 150 - 20; bottom 350 + 220 / 10; left 200 - 20;
        // right 300 + 120 / 5.
        let area = margin_box(&head(Rect::new(200.0, 150.0, 100.0, 200.0)), VGA);
        assert_eq!(area, Some(Area::new(180, 130, 144, 242)));
        // 93 x 97 at 201, 151: 141.3, 248 + 106.7 / 10 = 258.67, 182.4, 294 + 111.6 / 5 = 316.32.
        let area = margin_box(&head(Rect::new(201.0, 151.0, 93.0, 97.0)), VGA);
        assert_eq!(area, Some(Area::new(182, 141, 134, 117)));
    }

    #[test]
    fn boxes_outside_the_frame_or_without_numbers_are_not_drawn() {
        for rect in [
            Rect::new(700.0, 10.0, 50.0, 50.0),
            Rect::new(f32::NAN, 10.0, 50.0, 50.0),
            Rect::new(0.0, 0.0, f32::INFINITY, 50.0),
            Rect::new(5.0, 5.0, 0.0, 0.0),
        ] {
            assert_eq!(margin_box(&head(rect), VGA), None, "{rect:?}");
        }
        let huge = margin_box(&head(Rect::new(-1e30, -1e30, 1e38, 1e38)), VGA);
        assert_eq!(huge, Some(Area::new(0, 0, 640, 480)));
    }

    #[test]
    fn sizes_at_640x480_are_upstreams_and_grow_with_the_frame() {
        let scale = |width, height| Scale::new(Size { width, height }, &Style::default());
        assert_eq!(scale(640, 480).line_width, 2.0);
        assert_eq!(scale(640, 480).cap, CAP_HEIGHT);
        assert_eq!(scale(3840, 2160).line_width, 9.0);
        assert_eq!(scale(320, 240).box_width(), 2);
        assert_eq!(scale(320, 240).cap, LEAST_CAP_HEIGHT);
    }

    #[test]
    fn box_lines_are_even_and_within_the_frame() {
        let scale = Scale::new(VGA, &Style::default());
        let lines = box_lines(Area::new(101, 53, 80, 60), &scale);
        assert_eq!(lines, Area::new(100, 52, 82, 62));
        let whole = Area::new(0, 0, 640, 480);
        assert_eq!(box_lines(whole, &scale), whole);
    }
}

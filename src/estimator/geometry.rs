// SPDX-License-Identifier: MPL-2.0
//! Boxes and sizes. Every coordinate is in pixels, origin at the top left, x to the right, y down.

use serde::Serialize;

/// Width and height in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// An axis-aligned box: top-left corner and extent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl Rect {
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// The box between two corners; `x1 < x0` or `y1 < y0` gives an empty box.
    pub fn from_corners(x0: f32, y0: f32, x1: f32, y1: f32) -> Self {
        Self::new(x0, y0, (x1 - x0).max(0.0), (y1 - y0).max(0.0))
    }

    /// The box of this extent around a point.
    pub fn from_center(cx: f32, cy: f32, w: f32, h: f32) -> Self {
        Self::new(cx - w / 2.0, cy - h / 2.0, w, h)
    }

    pub fn right(&self) -> f32 {
        self.x + self.w
    }

    pub fn bottom(&self) -> f32 {
        self.y + self.h
    }

    pub fn center(&self) -> (f32, f32) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    pub fn area(&self) -> f32 {
        self.w * self.h
    }

    /// Area of overlap over area of union, 0..=1. Boxes without area overlap nothing.
    pub fn iou(&self, other: &Rect) -> f32 {
        let w = self.right().min(other.right()) - self.x.max(other.x);
        let h = self.bottom().min(other.bottom()) - self.y.max(other.y);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let overlap = w * h;
        overlap / (self.area() + other.area() - overlap)
    }

    /// DMHead's margins: the box grown by 0.10 h on top, 0.11 h below, 0.20 w left and 0.24 w right,
    /// clamped to the frame.
    ///
    /// The asymmetry is upstream's: the lower and right margins are taken from the box as it is after
    /// the upper and left ones were added. The pose models were tuned on it, so it is kept exactly.
    pub fn with_upstream_margins(&self, frame: Size) -> Rect {
        let (right, bottom) = (self.right(), self.bottom());
        let y0 = (self.y - self.h / 10.0).max(0.0);
        let y1 = (bottom + (y0 - bottom).abs() / 10.0).min(frame.height as f32);
        let x0 = (self.x - self.w / 5.0).max(0.0);
        let x1 = (right + (x0 - right).abs() / 5.0).min(frame.width as f32);
        Rect::from_corners(x0, y0, x1, y1)
    }
}

/// How much around a head the pose model gets to see.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum CropMode {
    /// DMHead's margins, see [`Rect::with_upstream_margins`].
    #[default]
    Upstream,
    /// The same share of the box's width and height on each side.
    Symmetric(f32),
    /// A square around the box's centre, as long as its longer side and the share of it on each side.
    Square(f32),
}

impl Rect {
    /// The part that lies in the frame. A box outside has no area then.
    pub fn clipped(&self, frame: Size) -> Rect {
        let (width, height) = (frame.width as f32, frame.height as f32);
        Rect::from_corners(
            self.x.clamp(0.0, width),
            self.y.clamp(0.0, height),
            self.right().clamp(0.0, width),
            self.bottom().clamp(0.0, height),
        )
    }

    /// The box with its corners cut to whole pixels (towards zero) and clamped to the frame, as DMHead
    /// reads its detector's boxes.
    pub fn truncated(&self, frame: Size) -> Rect {
        let (right, bottom) = (self.right().trunc(), self.bottom().trunc());
        let corners = Rect::from_corners(self.x.trunc(), self.y.trunc(), right, bottom);
        corners.clipped(frame)
    }

    /// The box that the pose model gets to see.
    pub fn with_margins(&self, mode: CropMode, frame: Size) -> Rect {
        let grown = |side_x: f32, side_y: f32| {
            let (x, y) = (self.x - side_x, self.y - side_y);
            let (right, bottom) = (self.right() + side_x, self.bottom() + side_y);
            Rect::from_corners(x, y, right, bottom).clipped(frame)
        };
        match mode {
            CropMode::Upstream => self.with_upstream_margins(frame),
            CropMode::Symmetric(share) => grown(self.w * share, self.h * share),
            CropMode::Square(share) => {
                let side = self.w.max(self.h) * (1.0 + 2.0 * share);
                grown((side - self.w) / 2.0, (side - self.h) / 2.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size::new(640, 480);

    #[test]
    fn iou_of_disjoint_boxes_is_zero() {
        let a = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert_eq!(a.iou(&Rect::new(10.0, 0.0, 10.0, 10.0)), 0.0);
        assert_eq!(a.iou(&Rect::new(0.0, 0.0, 0.0, 0.0)), 0.0);
        assert_eq!(a.iou(&a), 1.0);
        // 5x10 of 10x10 + 10x10 - 5x10.
        let third = a.iou(&Rect::new(5.0, 0.0, 10.0, 10.0));
        assert!((third - 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn upstream_margins_are_asymmetric() {
        // Far from the border: 0.10 h on top, 0.11 h below, 0.20 w left, 0.24 w right.
        let grown = Rect::new(200.0, 100.0, 100.0, 100.0).with_upstream_margins(FRAME);
        for (got, want) in [grown.x, grown.y, grown.right(), grown.bottom()]
            .iter()
            .zip([180.0, 90.0, 324.0, 211.0])
        {
            assert!((got - want).abs() < 1e-3, "{grown:?}");
        }
    }

    #[test]
    fn upstream_margins_stop_at_the_border() {
        let grown = Rect::new(0.0, 0.0, 640.0, 480.0).with_upstream_margins(FRAME);
        assert_eq!(grown, Rect::new(0.0, 0.0, 640.0, 480.0));
        // The lower margin is taken from the height that the clamped top left over: 110 / 10.
        let grown = Rect::new(10.0, 5.0, 100.0, 105.0).with_upstream_margins(FRAME);
        assert!((grown.bottom() - 121.0).abs() < 1e-3, "{grown:?}");
    }

    #[test]
    fn corners_are_cut_towards_zero_and_clamped() {
        let cut = Rect::from_corners(-3.9, 10.9, 20.2, 500.0).truncated(FRAME);
        assert_eq!(cut, Rect::from_corners(0.0, 10.0, 20.0, 480.0));
        let outside = Rect::from_corners(700.0, 10.0, 720.0, 20.0).truncated(FRAME);
        assert_eq!(outside.area(), 0.0);
    }

    #[test]
    fn other_margins() {
        let rect = Rect::new(200.0, 100.0, 100.0, 50.0);
        let symmetric = rect.with_margins(CropMode::Symmetric(0.1), FRAME);
        assert_eq!(symmetric, Rect::new(190.0, 95.0, 120.0, 60.0));
        let square = rect.with_margins(CropMode::Square(0.25), FRAME);
        assert_eq!(square, Rect::new(175.0, 50.0, 150.0, 150.0));
    }
}

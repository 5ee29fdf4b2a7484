// SPDX-License-Identifier: MPL-2.0
//! Boxes and sizes. Every coordinate is in pixels, origin at the top left, x to the right, y down.

/// Width and height in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// An axis-aligned box: top-left corner and extent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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

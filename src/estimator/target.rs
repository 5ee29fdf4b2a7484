// SPDX-License-Identifier: MPL-2.0
//! A head on its way from a box to a pose.

use super::Settings;
use super::detector::{Detection, better_first};
use super::geometry::{CropMode, Rect, Size};
use super::image::resize::PixelRect;

/// A box that was checked and cut to the frame, and whose pose is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub rect: Rect,
    pub score: f32,
    pub truncated: bool,
    /// Number of its track; 0 when heads are not followed.
    pub id: u64,
    /// The box was not detected in this frame.
    pub predicted: bool,
    /// The pose is to be estimated in this frame.
    pub is_due: bool,
    /// Whether the front model counted most for it last, where it is followed and there is a rear model.
    pub was_front: Option<bool>,
    /// The front model may answer alone.
    pub front_first: bool,
}

impl Target {
    /// `None` if the box is not finite, too little of it lies in the frame, or it is too small.
    pub fn new(detection: &Detection, frame: Size, settings: &Settings) -> Option<Self> {
        if !detection.is_finite() {
            return None;
        }
        let Detection { rect, score } = *detection;
        let truncated = rect.x < 0.0
            || rect.y < 0.0
            || rect.right() > frame.width as f32
            || rect.bottom() > frame.height as f32;
        let rect = rect.truncated(frame);
        if rect.area() <= 0.0 || rect.w.min(rect.h) < settings.min_head_size as f32 {
            return None;
        }
        Some(Self {
            rect,
            score,
            truncated,
            id: 0,
            predicted: false,
            is_due: true,
            was_front: None,
            front_first: false,
        })
    }

    /// Replaces the box by `rect`, rounded to whole pixels, if any of it lies in the frame.
    pub fn move_to(&mut self, rect: Rect, frame: Size) {
        let rect = Rect::new(rect.x + 0.5, rect.y + 0.5, rect.w, rect.h).truncated(frame);
        if rect.area() > 0.0 {
            self.rect = rect;
        }
    }

    /// The pixels of it that a pose model gets.
    pub fn crop(&self, mode: CropMode, frame: Size) -> PixelRect {
        let crop = self.rect.with_margins(mode, frame);
        let (x, y) = (crop.x as u32, crop.y as u32);
        let (right, bottom) = (crop.right() as u32, crop.bottom() as u32);
        PixelRect::new(x, y, (right - x).max(1), (bottom - y).max(1))
    }
}

/// Turns detections into targets. Of more than `max_heads` the best are kept, best first.
pub(super) fn select(
    detections: &[Detection],
    frame: Size,
    settings: &Settings,
    targets: &mut Vec<Target>,
) {
    targets.clear();
    let usable = |detection| Target::new(detection, frame, settings);
    targets.extend(detections.iter().filter_map(usable));
    if targets.len() > settings.max_heads {
        targets.sort_unstable_by(|a, b| better_first((a.score, &a.rect), (b.score, &b.rect)));
        targets.truncate(settings.max_heads);
    }
}

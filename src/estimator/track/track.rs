// SPDX-License-Identifier: MPL-2.0
//! One head that is followed: where it is, where it goes, and how well a box fits it.

use std::time::Duration;

use super::kalman::Motion;
use super::one_euro::BoxFilter;
use super::side::Side;
use crate::estimator::geometry::Rect;

/// Boxes whose areas differ by more than this factor are not the same head.
const LARGEST_GROWTH: f32 = 2.0;

/// A head that is followed.
#[derive(Clone, Copy, Debug)]
pub struct Track {
    /// From 1, never used twice by a tracker.
    pub id: u64,
    pub(crate) side: Side,
    /// The score with which it was detected last.
    pub score: f32,
    /// Number of the frame in which its pose was estimated last.
    pub posed_in: Option<u64>,
    /// It was seen once.
    pub is_new: bool,
    pub box_filter: BoxFilter,
    center: [Motion; 2],
    size: [Motion; 2],
    /// Time since it was seen last.
    pub unseen: Duration,
}

impl Track {
    pub fn new(id: u64, rect: &Rect) -> Self {
        let (x, y) = rect.center();
        let scale = Self::scale_of(rect);
        Self {
            id,
            side: Side::default(),
            score: 0.0,
            posed_in: None,
            is_new: true,
            box_filter: BoxFilter::default(),
            center: [Motion::new(x, scale), Motion::new(y, scale)],
            size: [Motion::new(rect.w, scale), Motion::new(rect.h, scale)],
            unseen: Duration::ZERO,
        }
    }

    /// The unit of noise.
    fn scale_of(rect: &Rect) -> f32 {
        rect.area().sqrt()
    }

    /// The present box of the head.
    pub fn rect(&self) -> Rect {
        self.rect_after(Duration::ZERO)
    }

    /// The box of the head after `dt`.
    pub fn rect_after(&self, dt: Duration) -> Rect {
        let dt = dt.as_secs_f32();
        let [w, h] = self.size.map(|motion| motion.after(dt).max(1.0));
        let [x, y] = self.center.map(|motion| motion.after(dt));
        Rect::from_center(x, y, w, h)
    }

    pub fn predict(&mut self, dt: Duration) {
        let scale = Self::scale_of(&self.rect());
        let seconds = dt.as_secs_f32();
        for motion in self.center.iter_mut().chain(&mut self.size) {
            motion.predict(seconds, scale);
        }
        self.unseen = self.unseen.saturating_add(dt);
        // A head that is not seen moves on, but does not go on growing or shrinking.
        if self.unseen > dt {
            self.size
                .iter_mut()
                .for_each(|motion| motion.velocity = 0.0);
            self.side.doubt();
        }
    }

    pub fn correct(&mut self, rect: &Rect) {
        let scale = Self::scale_of(rect);
        let (x, y) = rect.center();
        for (motion, seen) in self.center.iter_mut().zip([x, y]) {
            motion.correct(seen, scale);
        }
        for (motion, seen) in self.size.iter_mut().zip([rect.w, rect.h]) {
            motion.correct(seen, scale);
        }
        self.unseen = Duration::ZERO;
        self.is_new = false;
    }

    /// How fast the box moves and grows, in box sizes per second.
    pub fn speed(&self) -> f32 {
        let motions = self.center.iter().chain(&self.size);
        let squares = motions.map(|motion| motion.velocity * motion.velocity);
        squares.sum::<f32>().sqrt() / Self::scale_of(&self.rect())
    }

    /// How unlikely it is that the box is this head's: the sum of its coordinates'
    /// `Motion::surprise`.
    pub fn surprise(&self, rect: &Rect) -> f32 {
        let size = Self::scale_of(&self.rect());
        let (x, y) = rect.center();
        let motions = self.center.iter().chain(&self.size);
        let seen = motions.zip([x, y, rect.w, rect.h]);
        seen.map(|(motion, seen)| motion.surprise(seen, size)).sum()
    }

    /// From the head to the box, in box sizes; infinite where the sizes do not fit.
    pub fn distance(&self, rect: &Rect) -> f32 {
        let predicted = self.rect();
        let ((ax, ay), (bx, by)) = (rect.center(), predicted.center());
        let (small, large) = if rect.area() < predicted.area() {
            (rect.area(), predicted.area())
        } else {
            (predicted.area(), rect.area())
        };
        if large > LARGEST_GROWTH * small.max(1.0) {
            return f32::INFINITY;
        }
        (ax - bx).hypot(ay - by) / large.sqrt()
    }
}

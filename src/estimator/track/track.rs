// SPDX-License-Identifier: MPL-2.0
//! One head that is followed: where it is, where it goes, and how well a box fits it.

use std::time::Duration;

use super::kalman::Motion;
use super::one_euro::BoxFilter;
use super::side::Side;
use crate::estimator::geometry::Rect;

/// Boxes whose areas differ by more than this factor are not the same head.
const LARGEST_GROWTH: f32 = 2.0;

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
    /// Of the centre's x and y, width and height.
    motions: [Motion; 4],
    /// Time since it was seen last.
    pub unseen: Duration,
}

impl Track {
    pub fn new(id: u64, rect: &Rect) -> Self {
        let scale = Self::scale_of(rect);
        Self {
            id,
            side: Side::default(),
            score: 0.0,
            posed_in: None,
            is_new: true,
            box_filter: BoxFilter::default(),
            motions: coordinates(rect).map(|position| Motion::new(position, scale)),
            unseen: Duration::ZERO,
        }
    }

    /// The unit of noise.
    fn scale_of(rect: &Rect) -> f32 {
        rect.area().sqrt()
    }

    pub fn rect(&self) -> Rect {
        self.rect_after(Duration::ZERO)
    }

    pub fn rect_after(&self, dt: Duration) -> Rect {
        let dt = dt.as_secs_f32();
        let [x, y, w, h] = self.motions.map(|motion| motion.after(dt));
        Rect::from_center(x, y, w.max(1.0), h.max(1.0))
    }

    pub fn predict(&mut self, dt: Duration) {
        let scale = Self::scale_of(&self.rect());
        let seconds = dt.as_secs_f32();
        for motion in &mut self.motions {
            motion.predict(seconds, scale);
        }
        self.unseen = self.unseen.saturating_add(dt);
        // A head that is not seen moves on, but does not go on growing or shrinking.
        if self.unseen > dt {
            let [_, _, size @ ..] = &mut self.motions;
            size.iter_mut().for_each(|motion| motion.velocity = 0.0);
            self.side.doubt();
        }
    }

    pub fn correct(&mut self, rect: &Rect) {
        let scale = Self::scale_of(rect);
        for (motion, seen) in self.motions.iter_mut().zip(coordinates(rect)) {
            motion.correct(seen, scale);
        }
        self.unseen = Duration::ZERO;
        self.is_new = false;
    }

    /// How fast the box moves and grows, in box sizes per second.
    pub fn speed(&self) -> f32 {
        let squares = self.motions.map(|motion| motion.velocity.powi(2));
        squares.iter().sum::<f32>().sqrt() / Self::scale_of(&self.rect())
    }

    /// How unlikely it is that the box is this head's: the sum of its coordinates'
    /// `Motion::surprise`.
    pub fn surprise(&self, rect: &Rect) -> f32 {
        let size = Self::scale_of(&self.rect());
        let seen = self.motions.iter().zip(coordinates(rect));
        seen.map(|(motion, seen)| motion.surprise(seen, size)).sum()
    }

    /// From the head to the box, in box sizes; infinite where the sizes do not fit.
    pub fn distance(&self, rect: &Rect) -> f32 {
        let predicted = self.rect();
        let ((ax, ay), (bx, by)) = (rect.center(), predicted.center());
        let areas = (rect.area(), predicted.area());
        let (small, large) = (areas.0.min(areas.1), areas.0.max(areas.1));
        if large > LARGEST_GROWTH * small.max(1.0) {
            return f32::INFINITY;
        }
        (ax - bx).hypot(ay - by) / large.sqrt()
    }
}

/// Centre, width and height.
fn coordinates(rect: &Rect) -> [f32; 4] {
    let (x, y) = rect.center();
    [x, y, rect.w, rect.h]
}

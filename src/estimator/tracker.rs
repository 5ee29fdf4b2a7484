// SPDX-License-Identifier: MPL-2.0
//! Gives heads a number that stays with them from frame to frame.
//!
//! Each track moves on at constant velocity (a Kalman filter for each of centre, width and height, as SORT
//! has it) and is matched with the frame's boxes, one to one, so that the overlap in sum is the largest.
//! What is left over is matched by distance, in a second round that serves heads that moved by more than
//! their own size. Tracks that find no box are kept for a while, moving on, and then forgotten: the state
//! is bounded by the heads of the last moments.

use std::time::Duration;

use super::assignment::assign;
use super::geometry::Rect;

/// Boxes that overlap less than this, as intersection over union, are not the same head.
const LEAST_IOU: f32 = 0.15;

/// In the second round: centres further apart than this many box sizes are not the same head.
const LARGEST_DISTANCE: f32 = 1.0;

/// In the second round: boxes whose areas differ by more than this factor are not the same head.
const LARGEST_GROWTH: f32 = 2.0;

/// Frames without a time are taken to be this far apart.
const FRAME_TIME: Duration = Duration::from_millis(40);

/// One coordinate that moves at constant velocity, seen with noise: a Kalman filter with two states.
#[derive(Clone, Copy, Debug)]
struct Motion {
    position: f32,
    velocity: f32,
    /// Covariance of position and velocity.
    p: [[f32; 2]; 2],
}

impl Motion {
    /// Standard deviation of a detector's boxes, and of what a head's velocity changes in a second, both in
    /// box sizes.
    const SEEN_NOISE: f32 = 0.05;
    const ACCELERATION: f32 = 4.0;
    /// Standard deviation of the velocity of a head seen once, in box sizes a second.
    const FIRST_VELOCITY: f32 = 3.0;

    fn new(position: f32, size: f32) -> Self {
        let square = |v: f32| (v * size) * (v * size);
        Self {
            position,
            velocity: 0.0,
            p: [
                [square(Self::SEEN_NOISE), 0.0],
                [0.0, square(Self::FIRST_VELOCITY)],
            ],
        }
    }

    /// Moves on by `dt` seconds.
    fn predict(&mut self, dt: f32, size: f32) {
        self.position += self.velocity * dt;
        let [[pp, pv], [vp, vv]] = self.p;
        // White noise of acceleration, integrated over dt.
        let q = (Self::ACCELERATION * size) * (Self::ACCELERATION * size) * dt;
        self.p = [
            [
                pp + dt * (pv + vp) + dt * dt * vv + q * dt * dt / 3.0,
                pv + dt * vv + q * dt / 2.0,
            ],
            [vp + dt * vv + q * dt / 2.0, vv + q],
        ];
    }

    fn correct(&mut self, seen: f32, size: f32) {
        let [[pp, pv], [vp, vv]] = self.p;
        let variance = pp + (Self::SEEN_NOISE * size) * (Self::SEEN_NOISE * size);
        if variance <= 0.0 {
            self.position = seen;
            return;
        }
        let (gain, gain_velocity) = (pp / variance, vp / variance);
        let surprise = seen - self.position;
        self.position += gain * surprise;
        self.velocity += gain_velocity * surprise;
        self.p = [
            [(1.0 - gain) * pp, (1.0 - gain) * pv],
            [vp - gain_velocity * pp, vv - gain_velocity * pv],
        ];
    }
}

/// A head that is followed.
#[derive(Clone, Copy, Debug)]
pub struct Track {
    /// From 1, never used twice by a tracker.
    pub id: u64,
    /// Whether the front model answered for it last, where there is a rear model.
    pub was_front: Option<bool>,
    center: [Motion; 2],
    size: [Motion; 2],
    unseen: Duration,
}

impl Track {
    fn new(id: u64, rect: &Rect) -> Self {
        let (x, y) = rect.center();
        let scale = Self::scale_of(rect);
        Self {
            id,
            was_front: None,
            center: [Motion::new(x, scale), Motion::new(y, scale)],
            size: [Motion::new(rect.w, scale), Motion::new(rect.h, scale)],
            unseen: Duration::ZERO,
        }
    }

    /// Noise is measured in it.
    fn scale_of(rect: &Rect) -> f32 {
        rect.area().sqrt()
    }

    /// Where the head is by now.
    fn rect(&self) -> Rect {
        let [w, h] = self.size.map(|motion| motion.position.max(1.0));
        let [x, y] = self.center.map(|motion| motion.position);
        Rect::from_center(x, y, w, h)
    }

    fn predict(&mut self, dt: Duration) {
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
        }
    }

    fn correct(&mut self, rect: &Rect) {
        let scale = Self::scale_of(rect);
        let (x, y) = rect.center();
        for (motion, seen) in self.center.iter_mut().zip([x, y]) {
            motion.correct(seen, scale);
        }
        for (motion, seen) in self.size.iter_mut().zip([rect.w, rect.h]) {
            motion.correct(seen, scale);
        }
        self.unseen = Duration::ZERO;
    }
}

/// Follows the heads of one stream.
#[derive(Debug, Default)]
pub struct Tracker {
    tracks: Vec<Track>,
    last_id: u64,
    last_time: Option<Duration>,
    // Scratch memory of update().
    predicted: Vec<Rect>,
    matched: Vec<Option<usize>>,
    costs: Vec<f32>,
}

impl Tracker {
    /// Forgets all heads; numbers go on. For a stream that jumps.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.last_time = None;
    }

    /// Matches the boxes of a frame, in pixels, at stream time `time`, with the tracks; a head of its own is
    /// begun for each box that matches none. Writes the index of each box's track to `tracks`. Tracks that
    /// were not seen for more than `max_lost` are forgotten first.
    pub fn update(
        &mut self,
        time: Option<Duration>,
        boxes: &[Rect],
        max_lost: Duration,
        tracks: &mut Vec<usize>,
    ) {
        let dt = match (time, self.last_time) {
            (Some(time), Some(last)) => time.saturating_sub(last),
            _ => FRAME_TIME,
        };
        self.last_time = time;
        for track in &mut self.tracks {
            track.predict(dt);
        }
        self.tracks.retain(|track| track.unseen <= max_lost);

        self.predicted.clear();
        self.predicted.extend(self.tracks.iter().map(Track::rect));
        self.matched.clear();
        self.matched.resize(boxes.len(), None);
        self.match_boxes(boxes, overlap_cost);
        self.match_boxes(boxes, distance_cost);

        tracks.clear();
        for (rect, matched) in boxes.iter().zip(&self.matched) {
            let index = matched.unwrap_or(self.tracks.len());
            match self.tracks.get_mut(index) {
                Some(track) => track.correct(rect),
                None => {
                    self.last_id += 1;
                    self.tracks.push(Track::new(self.last_id, rect));
                }
            }
            tracks.push(index);
        }
    }

    /// The track with this index, of those that [`Tracker::update`] wrote last.
    pub fn track(&self, index: usize) -> Option<&Track> {
        self.tracks.get(index)
    }

    /// The track with this number, if it still lives.
    pub fn find_mut(&mut self, id: u64) -> Option<&mut Track> {
        self.tracks.iter_mut().find(|track| track.id == id)
    }

    /// Matches the boxes that have no track with the tracks that have no box; `cost` gives `None` for what
    /// cannot be the same head.
    fn match_boxes(&mut self, boxes: &[Rect], cost: fn(&Rect, &Rect) -> Option<f32>) {
        // Worse than any real cost, which is at most 1: such a pair is dropped afterwards.
        const NEVER: f32 = 100.0;
        let free_boxes: Vec<usize> = (0..boxes.len())
            .filter(|&index| self.matched[index].is_none())
            .collect();
        let free_tracks: Vec<usize> = (0..self.predicted.len())
            .filter(|index| !self.matched.contains(&Some(*index)))
            .collect();
        if free_boxes.is_empty() || free_tracks.is_empty() {
            return;
        }
        self.costs.clear();
        for &b in &free_boxes {
            for &t in &free_tracks {
                let cost = cost(&boxes[b], &self.predicted[t]);
                self.costs.push(cost.unwrap_or(NEVER));
            }
        }
        let columns = free_tracks.len();
        for (row, column) in assign(&self.costs, columns) {
            if self.costs[row * columns + column] < NEVER {
                self.matched[free_boxes[row]] = Some(free_tracks[column]);
            }
        }
    }
}

fn overlap_cost(a: &Rect, b: &Rect) -> Option<f32> {
    let iou = a.iou(b);
    (iou >= LEAST_IOU).then_some(1.0 - iou)
}

fn distance_cost(a: &Rect, b: &Rect) -> Option<f32> {
    let ((ax, ay), (bx, by)) = (a.center(), b.center());
    let size = a.area().max(b.area()).sqrt();
    let distance = (ax - bx).hypot(ay - by) / size;
    let growth = a.area().max(b.area()) / a.area().min(b.area()).max(1.0);
    (distance <= LARGEST_DISTANCE && growth <= LARGEST_GROWTH).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Duration = Duration::from_millis(1000);

    /// Feeds frames of boxes, 40 ms apart; the ids of each frame.
    fn ids(tracker: &mut Tracker, frames: &[Vec<Rect>]) -> Vec<Vec<u64>> {
        let mut indices = Vec::new();
        let start = tracker
            .last_time
            .map_or(0, |last| last.as_millis() as u64 + 40);
        (0u64..)
            .zip(frames)
            .map(|(number, boxes)| {
                let time = Duration::from_millis(start + number * 40);
                tracker.update(Some(time), boxes, LOST, &mut indices);
                indices
                    .iter()
                    .map(|&i| tracker.track(i).unwrap().id)
                    .collect()
            })
            .collect()
    }

    fn at(x: f32, y: f32) -> Rect {
        Rect::new(x, y, 60.0, 80.0)
    }

    #[test]
    fn a_head_keeps_its_number() {
        let frames: Vec<_> = (0..50).map(|n| vec![at(n as f32 * 9.0, 100.0)]).collect();
        let ids = ids(&mut Tracker::default(), &frames);
        assert!(ids.iter().all(|ids| *ids == [1]), "{ids:?}");
    }

    #[test]
    fn heads_that_cross_keep_their_numbers() {
        let frames: Vec<_> = (0..60)
            .map(|n| {
                let n = n as f32;
                vec![at(n * 10.0, 100.0), at(600.0 - n * 10.0, 120.0)]
            })
            .collect();
        let ids = ids(&mut Tracker::default(), &frames);
        assert!(ids.iter().all(|ids| *ids == [1, 2]), "{ids:?}");
    }

    #[test]
    fn a_hidden_head_gets_its_number_back() {
        let moving = |n: usize| at(n as f32 * 8.0, 100.0);
        // Hidden from frame 20 to 29: 0.4 s.
        let frames: Vec<_> = (0..50)
            .map(|n| {
                if (20..30).contains(&n) {
                    vec![]
                } else {
                    vec![moving(n)]
                }
            })
            .collect();
        let ids = ids(&mut Tracker::default(), &frames);
        assert_eq!(ids[49], [1]);
    }

    #[test]
    fn a_head_that_was_away_too_long_is_a_new_one() {
        let mut tracker = Tracker::default();
        let mut frames = vec![vec![at(0.0, 0.0)]];
        frames.extend(std::iter::repeat_n(vec![], 26));
        frames.push(vec![at(0.0, 0.0)]);
        let ids = ids(&mut tracker, &frames);
        assert_eq!(ids[27], [2]);
        assert_eq!(tracker.tracks.len(), 1, "the old one is forgotten");
    }

    #[test]
    fn a_fast_head_is_matched_by_distance() {
        // 55 pixels a frame, 60 wide: at first no prediction helps and little overlaps.
        let frames: Vec<_> = (0..10).map(|n| vec![at(n as f32 * 55.0, 100.0)]).collect();
        let ids = ids(&mut Tracker::default(), &frames);
        assert!(ids.iter().all(|ids| *ids == [1]), "{ids:?}");
    }

    #[test]
    fn two_boxes_never_share_a_track() {
        let mut tracker = Tracker::default();
        let frames = [vec![at(0.0, 0.0)], vec![at(1.0, 0.0), at(3.0, 0.0)]];
        assert_eq!(ids(&mut tracker, &frames)[1], [1, 2]);
    }

    #[test]
    fn a_reset_forgets_heads_but_no_number() {
        let mut tracker = Tracker::default();
        assert_eq!(ids(&mut tracker, &[vec![at(0.0, 0.0)]])[0], [1]);
        tracker.reset();
        assert_eq!(ids(&mut tracker, &[vec![at(0.0, 0.0)]])[0], [2]);
    }

    #[test]
    fn time_may_be_missing_or_stand_still() {
        let mut tracker = Tracker::default();
        let mut indices = Vec::new();
        let second = Duration::from_secs(1);
        for time in [None, None, Some(second), Some(second), Some(Duration::ZERO)] {
            tracker.update(time, &[at(5.0, 5.0)], LOST, &mut indices);
            assert_eq!(tracker.track(indices[0]).map(|t| t.id), Some(1));
            assert!(tracker.track(indices[0]).unwrap().rect().x.is_finite());
        }
    }
}

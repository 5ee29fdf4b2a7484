// SPDX-License-Identifier: MPL-2.0
//! Gives heads a number that stays with them from frame to frame.
//!
//! Each track moves on at constant velocity (a Kalman filter for each of centre, width and height, as in
//! SORT: Bewley et al. 2016) and is matched with the frame's boxes, one to one, so that the total
//! likelihood is the largest. The rest is matched by distance, in a second round that serves heads whose
//! velocity is not known yet. Tracks that find no box are kept for a while, moving on, and then forgotten.
//! docs/tracking.md has the formulas and what was measured.

use std::time::Duration;

use super::hungarian::Assignment;
use super::time::elapsed;
use super::track::Track;
use crate::estimator::geometry::Rect;

/// Least likelihood of a box to be that of a track, as a [`surprise`](Track::surprise): a density of
/// (2 pi)^-2, with box sizes for the unit.
const LARGEST_SURPRISE: f32 = 0.0;

/// In the second round: centres this many box sizes apart are not the same head.
const LARGEST_DISTANCE: f32 = 1.0;

/// How many heads are remembered while they are out of sight; of more, those that were seen last.
const MAX_LOST: usize = 128;

/// Predicted boxes may move by this many box sizes before they are to be seen again.
const LONGEST_TRAVEL: f32 = 0.5;

#[derive(Debug, Default)]
pub struct Tracker {
    tracks: Vec<Track>,
    last_id: u64,
    last_time: Option<Duration>,
    /// How long before `last_time` the last boxes came.
    since_boxes: Duration,
    /// How long before the last boxes those before them came.
    between_boxes: Duration,
    // Scratch memory of update().
    matched: Vec<Option<usize>>,
    free_boxes: Vec<usize>,
    free_tracks: Vec<usize>,
    costs: Vec<f32>,
    assignment: Assignment,
}

impl Tracker {
    /// Forgets all heads; numbers go on. For a stream that jumps.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.last_time = None;
        self.since_boxes = Duration::ZERO;
    }

    /// Matches the boxes of a frame, in pixels, at stream time `time`, with the tracks; a head of its own is
    /// begun for each box that matches none. Writes the index of each box's track to `tracks`. Tracks that
    /// the last update missed, and that were seen more than `max_lost` ago, are forgotten first: time in which
    /// no boxes came does not count against a head.
    pub fn update(
        &mut self,
        time: Option<Duration>,
        boxes: &[Rect],
        max_lost: Duration,
        tracks: &mut Vec<usize>,
    ) {
        self.advance(time);
        let dt = std::mem::take(&mut self.since_boxes);
        self.between_boxes = dt;
        for track in &mut self.tracks {
            track.predict(dt);
        }
        self.tracks.retain(|track| track.unseen <= max_lost.max(dt));
        self.forget_surplus(dt);

        self.matched.clear();
        self.matched.resize(boxes.len(), None);
        self.match_boxes(boxes, LARGEST_SURPRISE, Track::surprise);
        self.match_boxes(boxes, LARGEST_DISTANCE, Track::distance);

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

    /// For a frame whose boxes are not known: where the heads that were seen in the last [`update`](Self::update)
    /// are at stream time `time`. Writes the index of each one's track to `tracks` and its box, which may
    /// reach out of the frame, to `boxes`.
    pub fn predict(
        &mut self,
        time: Option<Duration>,
        tracks: &mut Vec<usize>,
        boxes: &mut Vec<Rect>,
    ) {
        self.advance(time);
        tracks.clear();
        boxes.clear();
        for (index, track) in self.tracks.iter().enumerate() {
            if track.unseen.is_zero() {
                tracks.push(index);
                boxes.push(track.rect_after(self.since_boxes));
            }
        }
    }

    /// Whether a head came with the last boxes, or was not among them for the first time.
    pub fn has_changed(&self) -> bool {
        let mut tracks = self.tracks.iter();
        tracks.any(|track| match track.unseen.is_zero() {
            true => track.is_new,
            false => track.unseen <= self.between_boxes,
        })
    }

    /// For how long after the last boxes predictions will do: less for fast heads.
    pub fn rest(&self) -> Duration {
        let seen = self.tracks.iter().filter(|track| track.unseen.is_zero());
        let fastest = seen.map(Track::speed).fold(0.0, f32::max);
        Duration::try_from_secs_f32(LONGEST_TRAVEL / fastest).unwrap_or(Duration::MAX)
    }

    fn advance(&mut self, time: Option<Duration>) {
        let dt = elapsed(self.last_time, time);
        self.since_boxes = self.since_boxes.saturating_add(dt);
        self.last_time = time;
    }

    /// Of the tracks that were not seen in the last frame with boxes, `dt` ago, forgets those that were not
    /// seen for the longest time, down to [`MAX_LOST`].
    fn forget_surplus(&mut self, dt: Duration) {
        let lost = self.tracks.iter().filter(|track| track.unseen > dt);
        for _ in MAX_LOST..lost.count() {
            let tracks = self.tracks.iter().enumerate();
            if let Some((longest, _)) = tracks.max_by_key(|(_, track)| track.unseen) {
                self.tracks.remove(longest);
            }
        }
    }

    /// The track with this index, of those that [`Tracker::update`] or [`Tracker::predict`] wrote last.
    pub fn track(&self, index: usize) -> Option<&Track> {
        self.tracks.get(index)
    }

    /// As [`Tracker::track`].
    pub fn track_mut(&mut self, index: usize) -> Option<&mut Track> {
        self.tracks.get_mut(index)
    }

    /// The track with this number, if there still is one.
    pub fn find_mut(&mut self, id: u64) -> Option<&mut Track> {
        // New tracks come last, so numbers rise.
        let index = self.tracks.binary_search_by_key(&id, |track| track.id);
        self.tracks.get_mut(index.ok()?)
    }

    /// Matches the boxes that have no track with the tracks that have no box, at the least sum of `cost`. A
    /// pair at `limit` is as bad as none.
    fn match_boxes(&mut self, boxes: &[Rect], limit: f32, cost: fn(&Track, &Rect) -> f32) {
        let matched = &mut self.matched;
        self.free_boxes.clear();
        let free = (0..boxes.len()).filter(|&index| matched[index].is_none());
        self.free_boxes.extend(free);
        self.free_tracks.clear();
        let free = (0..self.tracks.len()).filter(|index| !matched.contains(&Some(*index)));
        self.free_tracks.extend(free);

        self.costs.clear();
        for &b in &self.free_boxes {
            for &t in &self.free_tracks {
                // The lesser of the two also where one of them is not a number.
                self.costs.push(limit.min(cost(&self.tracks[t], &boxes[b])));
            }
        }
        let columns = self.free_tracks.len();
        for &(row, column) in self.assignment.solve(&self.costs, columns) {
            if self.costs[row * columns + column] < limit {
                matched[self.free_boxes[row]] = Some(self.free_tracks[column]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Duration = Duration::from_millis(1000);

    fn ms(ms: u64) -> Option<Duration> {
        Some(Duration::from_millis(ms))
    }

    /// The ids of the tracks of a frame's boxes.
    fn ids(tracker: &mut Tracker, time: Option<Duration>, boxes: &[Rect]) -> Vec<u64> {
        let mut indices = Vec::new();
        tracker.update(time, boxes, LOST, &mut indices);
        indices.iter().map(|&i| tracker.tracks[i].id).collect()
    }

    fn at(x: f32, y: f32) -> Rect {
        Rect::new(x, y, 60.0, 80.0)
    }

    #[test]
    fn a_head_that_was_away_too_long_is_a_new_one() {
        let mut tracker = Tracker::default();
        assert_eq!(ids(&mut tracker, ms(0), &[at(0.0, 0.0)]), [1]);
        for n in 1..=26 {
            ids(&mut tracker, ms(n * 40), &[]);
        }
        assert_eq!(ids(&mut tracker, ms(27 * 40), &[at(0.0, 0.0)]), [2]);
        assert_eq!(tracker.tracks.len(), 1, "the old one is forgotten");
    }

    #[test]
    fn a_fast_head_is_matched_by_distance() {
        let mut tracker = Tracker::default();
        // 55 pixels a frame, 60 wide: at first no prediction helps and little overlaps.
        for n in 0..10u8 {
            let boxes = [at(f32::from(n) * 55.0, 100.0)];
            assert_eq!(ids(&mut tracker, ms(u64::from(n) * 40), &boxes), [1]);
        }
    }

    #[test]
    fn two_boxes_never_share_a_track() {
        let mut tracker = Tracker::default();
        assert_eq!(ids(&mut tracker, ms(0), &[at(0.0, 0.0)]), [1]);
        let two = [at(1.0, 0.0), at(3.0, 0.0)];
        assert_eq!(ids(&mut tracker, ms(40), &two), [1, 2]);
    }

    #[test]
    fn a_clip_may_run_backwards() {
        let mut tracker = Tracker::default();
        for n in (0..60).rev() {
            let boxes = if n > 40 { vec![at(0.0, 0.0)] } else { vec![] };
            ids(&mut tracker, ms(n * 40), &boxes);
        }
        assert!(tracker.tracks.is_empty(), "not seen for 1.6 s: {tracker:?}");
    }

    /// With times, and without, where a frame that is predicted lasts as long as one with boxes.
    #[test]
    fn heads_are_predicted_between_boxes() {
        for has_time in [true, false] {
            let time = |n: u64| ms(n * 40).filter(|_| has_time);
            let mut tracker = Tracker::default();
            let (mut indices, mut boxes) = (Vec::new(), Vec::new());
            // 100 pixels a second, and another head that is not seen in the end.
            for n in 0..25u8 {
                let seen = [at(f32::from(n) * 4.0, 50.0), at(600.0, 50.0)];
                let seen = &seen[..if n < 24 { 2 } else { 1 }];
                ids(&mut tracker, time(n.into()), seen);
            }
            for n in 25..29u8 {
                tracker.predict(time(n.into()), &mut indices, &mut boxes);
                assert_eq!(indices, [0]);
                let off = [boxes[0].x - f32::from(n) * 4.0, boxes[0].w - 60.0];
                assert!(off.iter().all(|off| off.abs() < 0.5), "{n}: {boxes:?}");
            }
            // The next boxes come 200 ms after the last ones, also for the velocity.
            let both = [at(116.0, 50.0), at(600.0, 50.0)];
            assert_eq!(ids(&mut tracker, time(29), &both), [1, 2]);
            tracker.predict(time(30), &mut indices, &mut boxes);
            assert!((boxes[0].x - 120.0).abs() < 0.5, "{boxes:?}");
        }
    }

    /// 1.5 s without boxes, longer than a head may be lost: it was not looked for.
    #[test]
    fn a_head_that_was_not_looked_for_is_not_lost() {
        let mut tracker = Tracker::default();
        let (mut indices, mut boxes) = (Vec::new(), Vec::new());
        let both = [at(0.0, 50.0), at(600.0, 50.0)];
        assert_eq!(ids(&mut tracker, ms(0), &both), [1, 2]);
        tracker.predict(ms(500), &mut indices, &mut boxes);
        tracker.predict(ms(1000), &mut indices, &mut boxes);
        assert_eq!(indices.len(), 2);
        assert_eq!(ids(&mut tracker, ms(1500), &both[..1]), [1]);
        // The other one was looked for then, and last seen more than a second before.
        assert_eq!(ids(&mut tracker, ms(1540), &both), [1, 3]);
    }

    #[test]
    fn the_state_is_bounded() {
        let mut tracker = Tracker::default();
        let mut indices = Vec::new();
        let hour = Duration::from_secs(3600);
        // In each frame 20 heads where none was before.
        for n in 0..200u16 {
            let time = Duration::from_millis(u64::from(n) * 40);
            let boxes: Vec<_> = (0..20u16)
                .map(|i| at(f32::from(n) * 1000.0, f32::from(i) * 1000.0))
                .collect();
            tracker.update(Some(time), &boxes, hour, &mut indices);
            assert!(tracker.tracks.len() <= MAX_LOST + 2 * boxes.len());
        }
        assert_eq!(tracker.last_id, 4000);
        let oldest = tracker.tracks.first().unwrap().id;
        assert!(
            oldest > 3800,
            "the longest unseen are forgotten, {oldest} is left"
        );
        assert_eq!(tracker.find_mut(4000).unwrap().id, 4000);
        assert!(tracker.find_mut(1).is_none());
    }
}

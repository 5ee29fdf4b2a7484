// SPDX-License-Identifier: MPL-2.0
//! Adaptive detection: when a stream whose heads are followed needs its next detection.
//!
//! Two things say so: what the tracker made of earlier detections, a fixed number of frames later, and whether the
//! scene has changed since the last detection, at once.

use std::collections::VecDeque;
use std::time::Duration;

use super::geometry::{Rect, Size};
use super::image::scene::{Cells, Scene};
use super::track::tracker::Tracker;

/// What the heads of a detected frame let expect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    number: u64,
    /// Heads came or went, so that one more detection is wanted.
    changed: bool,
    /// For how long the heads can be predicted.
    rest: Duration,
    /// Where they may move about without being something new.
    people: Cells,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Of detected frames, which later frames may not know yet.
    pub shown: VecDeque<Outlook>,
    /// Of the last detected frame that may be known; `None`: of none in this shot.
    outlook: Option<Outlook>,
    /// At the last detection.
    pub scene: Option<Scene>,
}

impl Pace {
    /// Takes note of what frame `number` showed, whose `heads` were detected and are followed by `tracker`.
    pub fn show(&mut self, number: u64, tracker: &Tracker, heads: &[Rect], frame: Size) {
        let mut people = Cells::default();
        for head in heads {
            people.add_person(head, frame);
        }
        self.shown.push_back(Outlook {
            number,
            changed: tracker.has_changed(),
            rest: tracker.rest(),
            people,
        });
    }

    /// Forgets: a shot begins, or the memory was not kept.
    pub fn restart(&mut self) {
        (self.outlook, self.scene) = (None, None);
    }

    /// Learns what the detected frames from `first` to `last` showed.
    pub fn learn(&mut self, first: u64, last: u64) {
        let is_old = |outlook: &mut Outlook| outlook.number <= last;
        while let Some(outlook) = self.shown.pop_front_if(is_old) {
            if outlook.number >= first {
                self.outlook = Some(outlook);
            }
        }
    }

    /// Whether a frame with this scene is to be detected, `since` frame `detected` was.
    pub fn is_due(&self, detected: u64, since: Duration, scene: Option<&Scene>) -> bool {
        let Some(outlook) = &self.outlook else {
            return true;
        };
        let is_new = match (scene, &self.scene) {
            (Some(now), Some(then)) => now.is_new_since(then, &outlook.people),
            _ => true,
        };
        is_new || since >= outlook.rest || outlook.changed && outlook.number == detected
    }
}

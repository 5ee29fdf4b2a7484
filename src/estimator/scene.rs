// SPDX-License-Identifier: MPL-2.0
//! What is remembered from frame to frame: who is where, and which side each shows.
//!
//! Each frame passes three times, in the order of the frames: [`Scene::begin`], [`Scene::follow`] once its
//! boxes are known, and [`Scene::finish`] once its poses are known. With several frames in flight a later
//! frame begins before an earlier one has finished; what is learned from poses is then used by all frames
//! that begin after that, and by no other, so that results do not depend on the speed of threads.

use std::collections::VecDeque;
use std::time::Duration;

use super::angles::Angles;
use super::geometry::{Rect, Size};
use super::inference::Inference;
use super::pose::fusion::Pose;
use super::smoothing::PoseFilters;
use super::target::{self, Target};
use super::tracker::Tracker;
use super::{Head, Settings};

/// Heads whose yaw is this close to the activation angle, in degrees, lie at the seam.
const SEAM_WIDTH: f32 = 10.0;

/// A head that is followed changes from front to rear model, or back, only when its yaw is so many degrees
/// beyond the activation angle: at the seam it would flicker.
const HYSTERESIS: f32 = 5.0;

/// Which model the head of a track was given to.
#[derive(Clone, Copy, Debug)]
struct Side {
    frame: u64,
    id: u64,
    is_front: bool,
}

/// The memory of one stream.
#[derive(Debug)]
pub(super) struct Scene {
    /// Frames that are in flight at most.
    depth: u64,
    /// Number of the last frame that began, from 1.
    begun: u64,
    tracker: Tracker,
    last_size: Option<Size>,
    /// What finished frames told, and the tracker was not told yet.
    sides: VecDeque<Side>,
    /// Touched by finished frames only.
    pose_filters: PoseFilters,
    // Scratch memory.
    boxes: Vec<Rect>,
    tracks: Vec<usize>,
}

impl Scene {
    /// For a stream of which at most `depth` frames are in flight.
    pub fn new(depth: usize) -> Self {
        Self {
            depth: depth as u64,
            begun: 0,
            tracker: Tracker::default(),
            last_size: None,
            sides: VecDeque::new(),
            pose_filters: PoseFilters::default(),
            boxes: Vec::new(),
            tracks: Vec::new(),
        }
    }

    /// Forgets the heads that are followed.
    pub fn reset(&mut self) {
        self.tracker.reset();
        self.sides.clear();
    }

    /// The number of the next frame.
    pub fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// Makes targets of the detections, and finds the track of each.
    pub fn follow(
        &mut self,
        number: u64,
        inference: &mut Inference,
        size: Size,
        time: Option<Duration>,
        settings: &Settings,
    ) {
        let Inference {
            detections,
            targets,
            ..
        } = inference;
        target::select(detections, size, settings, targets);
        // Boxes of another frame size are no boxes of the same scene.
        if self.last_size.replace(size) != Some(size) {
            self.reset();
        }
        let Some(max_lost) = settings.tracking else {
            self.reset();
            return;
        };
        while let Some(side) = self
            .sides
            .pop_front_if(|side| side.frame + self.depth <= number)
        {
            if let Some(track) = self.tracker.find_mut(side.id) {
                track.was_front = Some(side.is_front);
            }
        }
        self.boxes.clear();
        self.boxes.extend(targets.iter().map(|target| target.rect));
        let tracks = &mut self.tracks;
        self.tracker.update(time, &self.boxes, max_lost, tracks);
        for (target, &track) in targets.iter_mut().zip(tracks.iter()) {
            let Some(track) = self.tracker.track_mut(track) else {
                continue;
            };
            target.id = track.id;
            if let Some(smoothing) = &settings.smoothing {
                let rect = track.box_filter.filter(smoothing, time, target.rect);
                target.move_to(rect, size, settings);
            }
            target.activation_angle += match track.was_front {
                Some(true) => HYSTERESIS,
                Some(false) => -HYSTERESIS,
                None => 0.0,
            };
        }
    }

    /// Replaces `heads` by the targets with their poses.
    pub fn finish(
        &mut self,
        number: u64,
        inference: &Inference,
        time: Option<Duration>,
        settings: &Settings,
        heads: &mut Vec<Head>,
    ) {
        heads.clear();
        for (target, pose) in inference.targets.iter().zip(&inference.poses) {
            if target.id != 0 {
                self.sides.push_back(Side {
                    frame: number,
                    id: target.id,
                    is_front: pose.is_front,
                });
            }
            let mut pose = *pose;
            if let (Some(smoothing), 1..) = (&settings.smoothing, target.id) {
                let filter = self.pose_filters.get(target.id, number);
                pose.angles = filter.filter(smoothing, time, pose.angles);
            }
            heads.extend(head(target, &pose, settings.activation_angle));
        }
        self.pose_filters.forget_unused(number);
    }
}

/// The head of a finite pose; networks may answer NaN, which nobody must get to see.
fn head(target: &Target, pose: &Pose, activation_angle: f32) -> Option<Head> {
    if !pose.angles.is_finite() {
        return None;
    }
    let angles: Angles = pose.angles.wrapped();
    Some(Head {
        id: target.id,
        rect: target.rect,
        score: target.score.clamp(0.0, 1.0),
        angles,
        rear: angles.is_rear(),
        truncated: target.truncated,
        seam: (pose.deciding_yaw.abs() - activation_angle).abs() <= SEAM_WIDTH,
        predicted: false,
    })
}

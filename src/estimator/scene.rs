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
use super::detector::Detection;
use super::findings::Findings;
use super::geometry::{Rect, Size};
use super::pose::fusion::Pose;
use super::smoothing::PoseFilters;
use super::target::{self, Target};
use super::tracker::Tracker;
use super::{Head, Settings};

/// Which model the head of a track was given to.
#[derive(Clone, Copy, Debug)]
struct Side {
    frame: u64,
    id: u64,
    is_front: bool,
}

/// What is to be done with a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// From 1, in the order of the frames.
    pub number: u64,
    /// Its boxes are new: from the detector, or known from elsewhere.
    pub detect: bool,
}

/// The last pose of a head that is followed.
#[derive(Clone, Copy, Debug)]
struct LastPose {
    id: u64,
    /// The frame in which the head was there last.
    frame: u64,
    pose: Pose,
}

/// Poses of heads that are gone are kept for so many frames.
const LONGEST_GONE: u64 = 1000;

/// The memory of one stream.
#[derive(Debug)]
pub(super) struct Scene {
    /// Frames that are in flight at most.
    depth: u64,
    /// Number of the last frame that began, from 1.
    begun: u64,
    /// Number of the last frame that the detector is to look at; `None`: the next.
    detected: Option<u64>,
    begun_size: Option<Size>,
    tracker: Tracker,
    last_size: Option<Size>,
    /// What finished frames told, and the tracker was not told yet.
    sides: VecDeque<Side>,
    /// Touched by finished frames only.
    pose_filters: PoseFilters,
    /// Likewise.
    last_poses: Vec<LastPose>,
    // Scratch memory.
    boxes: Vec<Rect>,
    tracks: Vec<usize>,
}

impl Scene {
    /// For a stream of which one frame at a time is in flight.
    pub fn new() -> Self {
        Self {
            depth: 1,
            begun: 0,
            detected: None,
            begun_size: None,
            tracker: Tracker::default(),
            last_size: None,
            sides: VecDeque::new(),
            pose_filters: PoseFilters::default(),
            last_poses: Vec::new(),
            boxes: Vec::new(),
            tracks: Vec::new(),
        }
    }

    /// The same stream from here on, with at most `depth` frames in flight. To be called when none is.
    pub fn deepened(self, depth: usize) -> Self {
        Self {
            depth: depth as u64,
            ..self
        }
    }

    /// Number of the last frame that began; 0 before the first.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// Forgets the heads that are followed.
    pub fn reset(&mut self) {
        self.forget_tracks();
        self.detected = None;
    }

    /// Decides what is to be done with the next frame.
    ///
    /// `size` is the frame's, if it can be read; `known`: its boxes come from elsewhere.
    pub fn begin(&mut self, size: Option<Size>, known: bool, settings: &Settings) -> Plan {
        self.begun += 1;
        let number = self.begun;
        let interval = u64::from(settings.detection_interval);
        let resized = std::mem::replace(&mut self.begun_size, size) != size;
        let due = self.detected.is_none_or(|last| number >= last + interval);
        let detect = due || resized || known || settings.tracking.is_none();
        if detect {
            self.detected = Some(number);
        }
        Plan { number, detect }
    }

    /// Makes targets of the detections and finds the track of each, or makes targets of the tracks.
    pub fn follow(
        &mut self,
        Plan { number, detect }: Plan,
        findings: &mut Findings,
        size: Size,
        time: Option<Duration>,
        settings: &Settings,
    ) {
        let Findings {
            detections,
            targets,
            ..
        } = findings;
        target::select(detections, size, settings, targets);
        // Boxes of another frame size are no boxes of the same scene.
        if self.last_size.replace(size) != Some(size) {
            self.forget_tracks();
        }
        let Some(max_lost) = settings.tracking else {
            self.forget_tracks();
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
        if detect {
            self.boxes.clear();
            self.boxes.extend(targets.iter().map(|target| target.rect));
            let tracks = &mut self.tracks;
            self.tracker.update(time, &self.boxes, max_lost, tracks);
        } else {
            self.predict(time, max_lost, size, settings, targets);
        }
        for (target, &track) in targets.iter_mut().zip(&self.tracks) {
            let Some(track) = self.tracker.track_mut(track) else {
                continue;
            };
            target.id = track.id;
            track.score = target.score;
            let interval = u64::from(settings.pose_interval);
            target.is_due = track.posed_in.is_none_or(|last| number >= last + interval);
            if target.is_due {
                track.posed_in = Some(number);
            }
            if let Some(smoothing) = &settings.smoothing {
                let rect = track.box_filter.filter(smoothing, time, target.rect);
                target.move_to(rect, size);
            }
            target.was_front = track.was_front;
        }
    }

    /// Makes targets of the heads that were detected last, where they are by now.
    fn predict(
        &mut self,
        time: Option<Duration>,
        max_lost: Duration,
        size: Size,
        settings: &Settings,
        targets: &mut Vec<Target>,
    ) {
        let (tracks, boxes) = (&mut self.tracks, &mut self.boxes);
        self.tracker.predict(time, max_lost, tracks, boxes);
        targets.clear();
        let mut boxes = boxes.iter();
        // Keeps the tracks of those whose box still lies in the frame.
        tracks.retain(|&track| {
            let score = self.tracker.track(track).map_or(0.0, |track| track.score);
            let rect = boxes.next().copied().unwrap_or_default();
            let target = Target::new(&Detection { rect, score }, size, settings);
            targets.extend(target.map(|target| Target {
                predicted: true,
                ..target
            }));
            target.is_some()
        });
    }

    fn forget_tracks(&mut self) {
        self.tracker.reset();
        self.sides.clear();
    }

    /// Replaces `heads` by the targets with their poses.
    pub fn finish(
        &mut self,
        Plan { number, .. }: Plan,
        findings: &Findings,
        time: Option<Duration>,
        settings: &Settings,
        heads: &mut Vec<Head>,
    ) {
        heads.clear();
        let mut poses = findings.poses.iter();
        for target in &findings.targets {
            let pose = if target.is_due {
                let Some(&pose) = poses.next() else { break };
                Some(self.learn(number, target, pose, time, settings))
            } else {
                let mut last_poses = self.last_poses.iter_mut();
                let last = last_poses.find(|last| last.id == target.id);
                last.map(|last| {
                    last.frame = number;
                    last.pose
                })
            };
            heads.extend(pose.and_then(|pose| head(target, &pose)));
        }
        self.pose_filters.forget_unused(number);
        self.last_poses
            .retain(|last| number - last.frame <= LONGEST_GONE);
    }

    /// Remembers what a head's new pose tells; the pose, smoothed where that is asked for.
    fn learn(
        &mut self,
        number: u64,
        target: &Target,
        mut pose: Pose,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Pose {
        if target.id == 0 {
            return pose;
        }
        self.sides.push_back(Side {
            frame: number,
            id: target.id,
            is_front: pose.is_front,
        });
        if let Some(smoothing) = &settings.smoothing {
            let filter = self.pose_filters.get(target.id, number);
            pose.angles = filter.filter(smoothing, time, pose.angles);
        }
        if settings.pose_interval > 1 {
            let last = LastPose {
                id: target.id,
                frame: number,
                pose,
            };
            match self.last_poses.iter_mut().find(|last| last.id == target.id) {
                Some(known) => *known = last,
                None => self.last_poses.push(last),
            }
        }
        pose
    }
}

/// The head of a finite pose; networks may answer NaN, which nobody must get to see.
fn head(target: &Target, pose: &Pose) -> Option<Head> {
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
        seam: pose.seam,
        predicted: target.predicted,
    })
}

// SPDX-License-Identifier: MPL-2.0
//! What is remembered from frame to frame: who is where, and which side each shows.
//!
//! Each frame passes three times, in the order of the frames: [`Scene::begin`], [`Scene::follow`] once its
//! boxes are known, and [`Scene::finish`] once its poses are known. With several frames in flight a later
//! frame begins before an earlier one has finished; what is learned from poses is used a fixed number of
//! frames later, so that results do not depend on the speed of threads.

use std::collections::VecDeque;
use std::time::Duration;

use super::angles::Angles;
use super::detector::Detection;
use super::findings::Findings;
use super::geometry::{Rect, Size};
use super::pose::fusion::Pose;
use super::side::Seen;
use super::smoothing::PoseFilters;
use super::target::{self, Target};
use super::tracker::{Tracker, elapsed};
use super::{Head, Settings};

/// What poses tell of the side of a head counts from this many frames later on: so results are the same for up to
/// as many frames in flight.
const FRAMES_TO_LEARN: u64 = 4;

/// Which side the head of a track showed.
#[derive(Clone, Copy, Debug)]
struct Shown {
    frame: u64,
    id: u64,
    seen: Seen,
}

/// What is to be done with a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// From 1, in the order of the frames.
    pub number: u64,
    /// Number of the first frame of its shot: heads are not followed from one shot into the next.
    shot: u64,
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
    /// Number of the last frame that began, from 1, with its time and size and the first frame of its shot.
    begun: u64,
    begun_time: Option<Duration>,
    /// `None`: the next frame begins a new shot.
    begun_size: Option<Size>,
    shot: u64,
    /// Number of the last frame planned for the detector that can be predicted from; 0 before the first.
    detected: u64,
    /// Stream time since then.
    since_detected: Duration,
    /// Number of the last frame that failed.
    failed: u64,
    tracker: Tracker,
    /// The shot whose heads the tracker knows.
    followed: u64,
    /// It has been told the boxes of a frame of that shot.
    has_boxes: bool,
    /// What finished frames told, and the tracker was not told yet.
    shown: VecDeque<Shown>,
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
            begun_time: None,
            begun_size: None,
            shot: 0,
            detected: 0,
            since_detected: Duration::ZERO,
            failed: 0,
            tracker: Tracker::default(),
            followed: 0,
            has_boxes: false,
            shown: VecDeque::new(),
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

    /// Begins a new shot with the next frame.
    pub fn cut(&mut self) {
        self.begun_size = None;
    }

    /// Decides what is to be done with the next frame. It is given to the detector where its boxes cannot be
    /// predicted: at the start of a shot, and `max-lost-time` after the last detection at the latest.
    ///
    /// `size` is the frame's, if it can be read; `known`: its boxes come from elsewhere.
    pub fn begin(
        &mut self,
        size: Option<Size>,
        time: Option<Duration>,
        known: bool,
        settings: &Settings,
    ) -> Plan {
        self.begun += 1;
        let number = self.begun;
        if size.is_some() && self.begun_size != size {
            (self.begun_size, self.shot) = (size, number);
        }
        let elapsed = elapsed(self.begun_time, time);
        self.begun_time = time;
        self.since_detected = self.since_detected.saturating_add(elapsed);
        let detect = match settings.tracking {
            None => true,
            Some(max_lost) => {
                known
                    || self.detected < self.shot
                    || self.detected <= self.failed
                    || number >= self.detected + u64::from(settings.detection_interval)
                    || self.since_detected > max_lost
            }
        };
        if detect {
            // Boxes of heads that are not followed cannot be predicted from.
            self.detected = if settings.tracking.is_some() {
                number
            } else {
                0
            };
            self.since_detected = Duration::ZERO;
        }
        Plan {
            number,
            shot: self.shot,
            detect,
        }
    }

    /// The frame's boxes were to be predicted, but the detections they were to be predicted from have failed.
    /// To be asked before [`follow`](Self::follow).
    pub fn lacks_boxes(&self, plan: Plan) -> bool {
        !(plan.detect || self.has_boxes && self.followed == plan.shot)
    }

    /// Takes note that a frame failed: what it was to find out is still to be found out.
    pub fn fail(&mut self, plan: Plan) {
        self.failed = plan.number;
    }

    /// Makes targets of the detections and finds the track of each, or makes targets of the tracks.
    pub fn follow(
        &mut self,
        plan: Plan,
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
        let number = plan.number;
        target::select(detections, size, settings, targets);
        if std::mem::replace(&mut self.followed, plan.shot) != plan.shot {
            self.forget_tracks();
        }
        let Some(max_lost) = settings.tracking else {
            self.forget_tracks();
            return;
        };
        let delay = self.depth.max(FRAMES_TO_LEARN);
        while let Some(shown) = self
            .shown
            .pop_front_if(|shown| shown.frame + delay <= number)
        {
            if let Some(track) = self.tracker.find_mut(shown.id) {
                track.side.learn(shown.frame, shown.seen);
            }
        }
        if plan.detect {
            self.has_boxes = true;
            self.boxes.clear();
            self.boxes.extend(targets.iter().map(|target| target.rect));
            let tracks = &mut self.tracks;
            self.tracker.update(time, &self.boxes, max_lost, tracks);
        } else {
            self.predict(time, size, settings, targets);
        }
        for (target, &track) in targets.iter_mut().zip(&self.tracks) {
            let Some(track) = self.tracker.track_mut(track) else {
                continue;
            };
            target.id = track.id;
            track.score = target.score;
            let interval = u64::from(settings.pose_interval);
            target.is_due = track
                .posed_in
                .is_none_or(|last| number >= last + interval || last <= self.failed);
            if target.is_due {
                track.posed_in = Some(number);
            }
            if let Some(smoothing) = &settings.smoothing {
                let rect = track.box_filter.filter(smoothing, time, target.rect);
                target.move_to(rect, size);
            }
            target.was_front = track.side.was_front();
            let interval = u64::from(settings.rear_interval);
            target.front_first = target.is_due && track.side.is_front_first(number, interval);
        }
    }

    /// Makes targets of the heads that were detected last, where they are by now.
    fn predict(
        &mut self,
        time: Option<Duration>,
        size: Size,
        settings: &Settings,
        targets: &mut Vec<Target>,
    ) {
        let (tracks, boxes) = (&mut self.tracks, &mut self.boxes);
        self.tracker.predict(time, tracks, boxes);
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
        self.has_boxes = false;
        self.shown.clear();
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
        self.shown.push_back(Shown {
            frame: number,
            id: target.id,
            seen: pose.seen,
        });
        if let Some(smoothing) = &settings.smoothing {
            let filter = self.pose_filters.get(target.id, number);
            pose.angles = filter.filter_weighed(smoothing, time, pose.angles, pose.uncertainty);
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
        uncertainty: pose.uncertainty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 640,
        height: 480,
    };

    fn settings(detection_interval: u32) -> Settings {
        Settings {
            tracking: Some(Duration::from_secs(1)),
            detection_interval,
            ..Settings::DEFAULT
        }
    }

    fn ms(ms: u64) -> Option<Duration> {
        Some(Duration::from_millis(ms))
    }

    /// Which of the frames at these times are given to the detector.
    fn detected(interval: u32, times: impl Iterator<Item = u64>) -> Vec<u64> {
        let (mut scene, settings) = (Scene::new(), settings(interval));
        let begins = |(time, n)| {
            let plan = scene.begin(Some(SIZE), ms(time), false, &settings);
            plan.detect.then_some(n)
        };
        times.zip(0..).filter_map(begins).collect()
    }

    #[test]
    fn the_detector_looks_before_prediction_would_give_up() {
        let every = |step: u64| (0..70).map(move |n| n * step);
        assert_eq!(detected(30, every(30)), [0, 30, 60]);
        // 24 frames a second, and 2.
        assert_eq!(detected(30, every(42)), [0, 24, 48]);
        let at_two = detected(5, every(500));
        assert!(at_two.iter().copied().eq((0..70).step_by(3)), "{at_two:?}");
        // A source that starts its clock anew: the frames between do not take longer.
        let anew = (0..20).chain(0..10).map(|n| n * 40);
        assert_eq!(detected(25, anew), [0, 25]);
    }

    /// The detections of a frame fail, and the next one was to be predicted from them.
    #[test]
    fn what_failed_is_made_up_for() {
        let (mut scene, settings) = (Scene::new(), settings(30));
        let begin =
            |scene: &mut Scene, n: u64| scene.begin(Some(SIZE), ms(40 * n), false, &settings);
        let first = begin(&mut scene, 0);
        let second = begin(&mut scene, 1);
        assert!(first.detect && !second.detect);
        scene.fail(first);
        assert!(scene.lacks_boxes(second), "it has to detect by itself");
        let third = begin(&mut scene, 2);
        assert!(third.detect);
        let mut findings = Findings::default();
        scene.follow(third, &mut findings, SIZE, ms(80), &settings);
        let fourth = begin(&mut scene, 3);
        assert!(
            !fourth.detect && !scene.lacks_boxes(fourth),
            "there is no head"
        );
        scene.cut();
        let fifth = begin(&mut scene, 4);
        assert!(fifth.detect);
        // It comes later than the cut.
        scene.follow(fourth, &mut findings, SIZE, ms(120), &settings);
        assert!(scene.lacks_boxes(Plan {
            detect: false,
            ..fifth
        }));
    }
}

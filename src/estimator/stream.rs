// SPDX-License-Identifier: MPL-2.0
//! What is remembered from frame to frame: the tracks, and which side each head shows.
//!
//! Each frame passes three times, in the order of the frames: [`StreamState::begin`], [`StreamState::follow`] once
//! its boxes are known, and [`StreamState::finish`] once its poses are known. With several frames in flight, a later
//! frame begins before an earlier one has finished. What poses reveal is therefore used a fixed number of frames
//! later, so that results do not depend on the speed of threads.

use std::collections::VecDeque;
use std::time::Duration;

use super::Head;
use super::angles::Angles;
use super::detector::Detection;
use super::geometry::{Rect, Size};
use super::job::FrameJob;
use super::pose::fusion::Pose;
use super::target::{self, Target};
use super::track::one_euro::PoseFilters;
use super::track::time::elapsed;
use super::track::tracker::Tracker;

/// The side that a pose reveals is used this many frames later, so that results are the same for any number of frames
/// in flight up to this.
const FRAMES_TO_LEARN: u64 = 4;

/// A pose of a head that is followed.
#[derive(Clone, Copy, Debug)]
struct TrackPose {
    id: u64,
    /// The frame in which the head had it, or still had it.
    frame: u64,
    pose: Pose,
}

/// The last pose of a head that is gone is kept for this many frames.
const LONGEST_GONE: u64 = 1000;

/// The memory of one stream.
#[derive(Debug)]
pub(super) struct StreamState {
    /// Largest number of frames in flight.
    depth: u64,
    /// Number of the last frame that began, from 1, with its time and size and the first frame of its shot.
    begun: u64,
    begun_time: Option<Duration>,
    /// `None`: the next frame begins a new shot.
    begun_size: Option<Size>,
    shot: u64,
    /// Number of the last frame that goes to the detector and can be predicted from; 0 before the first.
    detected: u64,
    /// Stream time since then.
    since_detected: Duration,
    /// Number of the last frame that failed.
    failed: u64,
    tracker: Tracker,
    /// The shot whose heads the tracker knows.
    followed: u64,
    /// The tracker has the boxes of a frame of that shot.
    has_boxes: bool,
    /// Poses of finished frames whose side the tracks have not learned yet.
    unlearned: VecDeque<TrackPose>,
    /// Used by finished frames only.
    pose_filters: PoseFilters,
    /// The last pose of each head. Likewise.
    last_poses: Vec<TrackPose>,
    // Scratch memory.
    boxes: Vec<Rect>,
    tracks: Vec<usize>,
}

impl StreamState {
    /// For a stream with one frame in flight at a time.
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
            unlearned: VecDeque::new(),
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

    /// Numbers the next frame and decides whether it is detected or predicted. It is detected where its boxes cannot
    /// be predicted: at the start of a shot, and `max-lost-time` after the last detection at the latest.
    ///
    /// `size` is the frame's, if it can be read; `known`: its boxes come from elsewhere.
    pub fn begin(&mut self, job: &mut FrameJob, size: Option<Size>, known: bool) {
        self.begun += 1;
        let number = self.begun;
        if size.is_some() && self.begun_size != size {
            (self.begun_size, self.shot) = (size, number);
        }
        let elapsed = elapsed(self.begun_time, job.time);
        self.begun_time = job.time;
        self.since_detected = self.since_detected.saturating_add(elapsed);
        let detect = match job.settings.tracking {
            None => true,
            Some(max_lost) => {
                known
                    || self.detected < self.shot
                    || self.detected <= self.failed
                    || number >= self.detected + u64::from(job.settings.detection_interval)
                    || self.since_detected > max_lost
            }
        };
        if detect {
            // Boxes of heads that are not followed cannot be predicted from.
            self.detected = match job.settings.tracking {
                Some(_) => number,
                None => 0,
            };
            self.since_detected = Duration::ZERO;
        }
        (job.number, job.shot, job.detect) = (number, self.shot, detect);
    }

    /// Whether the detections that the frame's boxes were to be predicted from have failed. To be asked before
    /// [`follow`](Self::follow).
    pub fn lacks_boxes(&self, job: &FrameJob) -> bool {
        !(job.detect || self.has_boxes && self.followed == job.shot)
    }

    /// Notes that a frame failed: later frames must not rely on it.
    pub fn fail(&mut self, job: &FrameJob) {
        self.failed = job.number;
    }

    /// Turns the detections into targets and finds the track of each, or predicts the targets from the tracks; then
    /// decides which of them are due for which model.
    pub fn follow(&mut self, job: &mut FrameJob, size: Size) {
        target::select(&job.detections, size, &job.settings, &mut job.targets);
        if std::mem::replace(&mut self.followed, job.shot) != job.shot {
            self.forget_tracks();
        }
        let Some(max_lost) = job.settings.tracking else {
            self.forget_tracks();
            return;
        };
        let (number, time) = (job.number, job.time);
        self.learn_sides(number);
        if job.detect {
            self.has_boxes = true;
            self.boxes.clear();
            self.boxes
                .extend(job.targets.iter().map(|target| target.rect));
            let tracks = &mut self.tracks;
            self.tracker.update(time, &self.boxes, max_lost, tracks);
        } else {
            self.predict(job, size);
        }
        let settings = &job.settings;
        for (target, &track) in job.targets.iter_mut().zip(&self.tracks) {
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

    /// Hands the tracks the sides that are old enough to be used by frame `number`.
    fn learn_sides(&mut self, number: u64) {
        let delay = self.depth.max(FRAMES_TO_LEARN);
        let is_old = |posed: &mut TrackPose| posed.frame + delay <= number;
        while let Some(posed) = self.unlearned.pop_front_if(is_old) {
            if let Some(track) = self.tracker.find_mut(posed.id) {
                track.side.learn(posed.frame, posed.pose.seen);
            }
        }
    }

    /// Makes targets of the heads that were detected last, at their predicted places.
    fn predict(&mut self, job: &mut FrameJob, size: Size) {
        let (tracks, boxes) = (&mut self.tracks, &mut self.boxes);
        self.tracker.predict(job.time, tracks, boxes);
        job.targets.clear();
        let mut boxes = boxes.iter();
        // Keeps the tracks of those whose box still lies in the frame.
        tracks.retain(|&track| {
            let score = self.tracker.track(track).map_or(0.0, |track| track.score);
            let rect = boxes.next().copied().unwrap_or_default();
            let target = Target::new(&Detection { rect, score }, size, &job.settings);
            job.targets.extend(target.map(|target| Target {
                predicted: true,
                ..target
            }));
            target.is_some()
        });
    }

    fn forget_tracks(&mut self) {
        self.tracker.reset();
        self.has_boxes = false;
        self.unlearned.clear();
    }

    /// Makes heads of the targets and their poses.
    pub fn finish(&mut self, job: &mut FrameJob) {
        let mut heads = std::mem::take(&mut job.found.heads);
        heads.clear();
        let mut poses = job.poses.iter();
        for target in &job.targets {
            let pose = if target.is_due {
                let Some(&pose) = poses.next() else { break };
                Some(self.remember(job, target, pose))
            } else {
                let mut last_poses = self.last_poses.iter_mut();
                let last = last_poses.find(|last| last.id == target.id);
                last.map(|last| {
                    last.frame = job.number;
                    last.pose
                })
            };
            heads.extend(pose.and_then(|pose| head(target, &pose)));
        }
        self.pose_filters.forget_unused(job.number);
        self.last_poses
            .retain(|last| job.number - last.frame <= LONGEST_GONE);
        job.found.detected = job.detect;
        job.found.unposed = job.targets.len().saturating_sub(heads.len());
        job.found.heads = heads;
    }

    /// Remembers a head's new pose and the side that it shows; returns the pose, smoothed if that is wanted.
    fn remember(&mut self, job: &FrameJob, target: &Target, mut pose: Pose) -> Pose {
        let (id, frame) = (target.id, job.number);
        if id == 0 {
            return pose;
        }
        self.unlearned.push_back(TrackPose { id, frame, pose });
        if let Some(smoothing) = &job.settings.smoothing {
            let filter = self.pose_filters.get(id, frame);
            pose.angles = filter.filter_weighed(smoothing, job.time, pose.angles, pose.uncertainty);
        }
        if job.settings.pose_interval > 1 {
            let last = TrackPose { id, frame, pose };
            match self.last_poses.iter_mut().find(|last| last.id == id) {
                Some(known) => *known = last,
                None => self.last_poses.push(last),
            }
        }
        pose
    }
}

/// The head of a finite pose. A network may answer NaN, which must not get out.
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
    use super::super::Settings;
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

    /// Begins a frame.
    fn begin(stream: &mut StreamState, settings: Settings, time: u64) -> FrameJob {
        let mut job = FrameJob {
            time: ms(time),
            settings,
            ..FrameJob::new()
        };
        stream.begin(&mut job, Some(SIZE), false);
        job
    }

    /// Which of the frames at these times are given to the detector.
    fn detected(interval: u32, times: impl Iterator<Item = u64>) -> Vec<u64> {
        let (mut stream, settings) = (StreamState::new(), settings(interval));
        let detects = |(time, n)| {
            let job = begin(&mut stream, settings, time);
            job.detect.then_some(n)
        };
        times.zip(0..).filter_map(detects).collect()
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

    #[test]
    fn a_frame_after_failed_detections_is_detected() {
        let (mut stream, settings) = (StreamState::new(), settings(30));
        let begin = |stream: &mut StreamState, n: u64| begin(stream, settings, 40 * n);
        let first = begin(&mut stream, 0);
        let second = begin(&mut stream, 1);
        assert!(first.detect && !second.detect);
        stream.fail(&first);
        assert!(stream.lacks_boxes(&second), "it has to detect by itself");
        let mut third = begin(&mut stream, 2);
        assert!(third.detect);
        stream.follow(&mut third, SIZE);
        let mut fourth = begin(&mut stream, 3);
        assert!(
            !fourth.detect && !stream.lacks_boxes(&fourth),
            "there is no head"
        );
        stream.cut();
        let mut fifth = begin(&mut stream, 4);
        assert!(fifth.detect);
        // It comes later than the cut.
        stream.follow(&mut fourth, SIZE);
        fifth.detect = false;
        assert!(stream.lacks_boxes(&fifth));
    }
}

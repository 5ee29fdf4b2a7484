// SPDX-License-Identifier: MPL-2.0
//! What is remembered of the heads from frame to frame: their tracks, their poses, and which side each shows.
//!
//! Each frame passes three times, in the order of the frames: [`StreamState::begin`], [`StreamState::follow`] once
//! its boxes are known, and [`StreamState::finish`] once its poses are known. With several frames in flight, a later
//! frame begins before an earlier one has finished. What poses reveal is therefore used a fixed number of frames
//! later, so that results do not depend on the speed of threads.

use std::collections::{HashMap, VecDeque};

use super::Head;
use super::angles::Angles;
use super::detector::Detection;
use super::geometry::{Rect, Size};
use super::image::frame::FrameView;
use super::job::FrameJob;
use super::pace::Pace;
use super::pose::fusion::Pose;
use super::target::{self, Target};
use super::track::one_euro::PoseFilter;
use super::track::tracker::Tracker;

/// What a frame reveals, of the side of a head or of the next detection, is used this many frames later, so that
/// results are the same for any number of frames in flight up to this.
pub(super) const FRAMES_TO_LEARN: u64 = 4;

/// A pose of a head that is followed, whose side its track has not learned yet.
#[derive(Clone, Copy, Debug)]
struct Unlearned {
    id: u64,
    frame: u64,
    pose: Pose,
}

/// The last pose of a head that is gone is kept for this many frames.
const LONGEST_GONE: u64 = 1000;

/// The filter of a head that was not seen for this many frames is dropped: even at 250 frames a second, the gap is too
/// large for it by then.
const LONGEST_UNUSED: u64 = 250;

#[derive(Debug, Default)]
pub(super) struct StreamState {
    pub pace: Pace,
    /// What a frame reveals is used so many frames later.
    delay: u64,
    tracker: Tracker,
    /// The shot whose heads the tracker knows.
    followed: u64,
    /// The tracker has the boxes of a frame of that shot.
    has_boxes: bool,
    /// Poses of finished frames.
    unlearned: VecDeque<Unlearned>,
    /// The filter of each track, and the frame that used it last. For finished frames only.
    pose_filters: HashMap<u64, (u64, PoseFilter)>,
    /// The last pose of each track, and the last frame with it. Likewise.
    last_poses: HashMap<u64, (u64, Pose)>,
    // Scratch memory.
    boxes: Vec<Rect>,
    tracks: Vec<usize>,
}

impl StreamState {
    /// For a stream with one frame in flight at a time.
    pub fn new() -> Self {
        Self {
            delay: FRAMES_TO_LEARN,
            ..Self::default()
        }
    }

    /// The same stream from here on, with at most `depth` frames in flight. To be called when none is.
    pub fn deepened(self, depth: usize) -> Self {
        Self {
            delay: FRAMES_TO_LEARN.max(depth as u64),
            ..self
        }
    }

    /// See [`Pace::begin`].
    pub fn begin(&mut self, job: &mut FrameJob, frame: Option<&FrameView<'_>>, known: bool) {
        self.pace.begin(job, frame, known, self.delay);
    }

    /// Whether the detections that the frame's boxes were to be predicted from have failed. To be asked before
    /// [`follow`](Self::follow).
    pub fn lacks_boxes(&self, job: &FrameJob) -> bool {
        !(job.detect || self.has_boxes && self.followed == job.shot)
    }

    /// Notes that a frame failed: later frames must not rely on it.
    pub fn fail(&mut self, job: &FrameJob) {
        self.pace.failed = job.number;
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
            if job.settings.detection_adaptive {
                self.pace.show(number, &self.tracker, &self.boxes, size);
            }
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
                .is_none_or(|last| number >= last + interval || last <= self.pace.failed);
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
        let is_old = |posed: &mut Unlearned| posed.frame + self.delay <= number;
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
                self.last_poses.get_mut(&target.id).map(|(frame, pose)| {
                    *frame = job.number;
                    *pose
                })
            };
            heads.extend(pose.and_then(|pose| head(target, &pose)));
        }
        let age = |frame: u64| job.number.saturating_sub(frame);
        self.pose_filters
            .retain(|_, (frame, _)| age(*frame) <= LONGEST_UNUSED);
        self.last_poses
            .retain(|_, (frame, _)| age(*frame) <= LONGEST_GONE);
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
        self.unlearned.push_back(Unlearned { id, frame, pose });
        if let Some(smoothing) = &job.settings.smoothing {
            let (last, filter) = self.pose_filters.entry(id).or_default();
            *last = frame;
            pose.angles = filter.filter_weighed(smoothing, job.time, pose.angles, pose.uncertainty);
        }
        if job.settings.pose_interval > 1 {
            self.last_poses.insert(id, (frame, pose));
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
    use std::time::Duration;

    use super::super::Settings;
    use super::super::pose::seam::Seam;
    use super::*;

    #[test]
    fn heads_that_are_gone_are_forgotten() {
        let mut stream = StreamState::new();
        let settings = Settings {
            tracking: Some(Duration::from_secs(1)),
            smoothing: Some(Default::default()),
            pose_interval: 2,
            ..Settings::DEFAULT
        };
        let pose = Seam::UPSTREAM.front_alone(Angles::default());
        for n in 0..=LONGEST_GONE + 1 {
            let mut job = FrameJob {
                time: Some(Duration::from_millis(40 * n)),
                settings,
                ..FrameJob::default()
            };
            stream.begin(&mut job, None, false);
            if n == 0 {
                let (rect, score) = (Rect::new(100.0, 100.0, 60.0, 80.0), 0.9);
                job.detections.push(Detection { rect, score });
                job.poses.push(pose);
            }
            stream.follow(&mut job, Size::new(640, 480));
            stream.finish(&mut job);
            let kept = [stream.pose_filters.len(), stream.last_poses.len()];
            assert_eq!(
                kept,
                [n <= LONGEST_UNUSED, n <= LONGEST_GONE].map(usize::from)
            );
        }
    }
}

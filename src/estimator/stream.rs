// SPDX-License-Identifier: MPL-2.0
//! What is remembered from frame to frame: the tracks, and which side each head shows.
//!
//! Each frame passes three times, in the order of the frames: [`StreamState::begin`], [`StreamState::follow`] once
//! its boxes are known, and [`StreamState::finish`] once its poses are known. With several frames in flight, a later
//! frame begins before an earlier one has finished. What poses reveal is therefore used a fixed number of frames
//! later, so that results do not depend on the speed of threads.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::Head;
use super::angles::Angles;
use super::detector::Detection;
use super::geometry::{Rect, Size};
use super::image::frame::FrameView;
use super::image::scene::Scene;
use super::job::FrameJob;
use super::pace::Pace;
use super::pose::fusion::Pose;
use super::target::{self, Target};
use super::track::one_euro::PoseFilter;
use super::track::time::elapsed;
use super::track::tracker::Tracker;

/// What a frame reveals, of the side of a head or of the next detection, is used this many frames later, so that
/// results are the same for any number of frames in flight up to this.
const FRAMES_TO_LEARN: u64 = 4;

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
    pace: Pace,
    /// Number of the last frame that failed.
    failed: u64,
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
            depth: 1,
            ..Self::default()
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
    /// `frame` is `None` if it cannot be read; `known`: its boxes come from elsewhere.
    pub fn begin(&mut self, job: &mut FrameJob, frame: Option<&FrameView<'_>>, known: bool) {
        self.begun += 1;
        let number = self.begun;
        let size = frame.map(FrameView::size);
        if size.is_some() && self.begun_size != size {
            (self.begun_size, self.shot) = (size, number);
            self.pace.restart();
        }
        let elapsed = elapsed(self.begun_time, job.time);
        self.begun_time = job.time;
        self.since_detected = self.since_detected.saturating_add(elapsed);
        let mut scene = None;
        if job.settings.detection_adaptive {
            scene = frame.map(Scene::of);
            // With every frame, whatever decides about its detection: what is never learned is never forgotten.
            if let Some(last) = number.checked_sub(self.delay()) {
                self.pace.learn(self.shot, last);
            }
        }
        let (detected, since) = (self.detected, self.since_detected);
        let is_due = |pace: &Pace| pace.is_due(detected, since, scene.as_ref());
        let detect = match job.settings.tracking {
            None => true,
            Some(max_lost) => {
                known
                    || self.detected < self.shot
                    || self.detected <= self.failed
                    || number >= self.detected + u64::from(job.settings.detection_interval)
                    || self.since_detected > max_lost
                    || job.settings.detection_adaptive && is_due(&self.pace)
            }
        };
        if detect {
            // Boxes of heads that are not followed cannot be predicted from.
            self.detected = match job.settings.tracking {
                Some(_) => number,
                None => 0,
            };
            self.since_detected = Duration::ZERO;
            self.pace.scene = scene;
        }
        (job.number, job.shot, job.detect) = (number, self.shot, detect);
    }

    /// What a frame reveals is used so many frames later.
    fn delay(&self) -> u64 {
        self.depth.max(FRAMES_TO_LEARN)
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
        let delay = self.delay();
        let is_old = |posed: &mut Unlearned| posed.frame + delay <= number;
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
    use super::super::Settings;
    use super::super::image::frame::{Colorimetry, PixelFormat, Plane};
    use super::super::pose::seam::Seam;
    use super::*;

    const SIZE: Size = Size::new(640, 480);

    fn settings(detection_interval: u32) -> Settings {
        Settings {
            tracking: Some(Duration::from_secs(1)),
            detection_interval,
            ..Settings::DEFAULT
        }
    }

    /// Begins a frame with bright boxes on `ground`.
    fn begin_with(
        stream: &mut StreamState,
        settings: Settings,
        time: u64,
        ground: u8,
        boxes: &[Rect],
    ) -> FrameJob {
        let mut job = FrameJob {
            time: Some(Duration::from_millis(time)),
            settings,
            ..FrameJob::new()
        };
        let (width, height) = (SIZE.width as usize, SIZE.height as usize);
        let mut bytes = vec![ground; width * height];
        for rect in boxes {
            let columns = rect.x as usize..(rect.right() as usize).min(width);
            for row in rect.y as usize..(rect.bottom() as usize).min(height) {
                bytes[row * width..][columns.clone()].fill(200);
            }
        }
        let (gray, color) = (PixelFormat::Gray8, Colorimetry::BT601);
        let plane = Plane {
            bytes: &bytes,
            stride: width,
        };
        let frame = FrameView::new(gray, SIZE, color, &[plane]).unwrap();
        stream.begin(&mut job, Some(&frame), false);
        job
    }

    fn begin(stream: &mut StreamState, settings: Settings, time: u64) -> FrameJob {
        begin_with(stream, settings, time, 100, &[])
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

    /// Which of 60 frames, 40 ms apart, a detector that misses nothing has to look at, and where the heads are in each.
    /// `scene` has the ground and the heads of a frame. Frames get their boxes as late as possible, or at once.
    fn followed(
        depth: usize,
        late: bool,
        scene: impl Fn(u64) -> (u8, Vec<Rect>),
    ) -> (Vec<u64>, Vec<Vec<Rect>>) {
        let mut stream = StreamState::new().deepened(depth);
        let settings = Settings {
            detection_adaptive: true,
            ..settings(10)
        };
        let (mut detected, mut heads) = (Vec::new(), Vec::new());
        let mut in_flight = VecDeque::new();
        let mut follow = |stream: &mut StreamState, job: &mut FrameJob| {
            stream.follow(job, SIZE);
            heads.push(job.targets.iter().map(|target| target.rect).collect());
        };
        for n in 0..60 {
            if in_flight.len() == depth {
                let mut job = in_flight.pop_front().unwrap();
                if late {
                    follow(&mut stream, &mut job);
                }
                stream.finish(&mut job);
            }
            let (ground, boxes) = scene(n);
            let mut job = begin_with(&mut stream, settings, 40 * n, ground, &boxes);
            if job.detect {
                detected.push(n);
                let found = boxes.iter().map(|&rect| Detection { rect, score: 0.9 });
                job.detections.extend(found);
            }
            if !late {
                follow(&mut stream, &mut job);
            }
            in_flight.push_back(job);
        }
        if late {
            in_flight
                .iter_mut()
                .for_each(|job| follow(&mut stream, job));
        }
        (detected, heads)
    }

    /// The frames that are detected, which have to be the same whatever the number of frames in flight.
    fn adaptive(scene: impl Fn(u64) -> (u8, Vec<Rect>)) -> Vec<u64> {
        let alone = followed(1, false, &scene);
        for depth in [1, 2, 4] {
            for late in [false, true] {
                let (detected, heads) = followed(depth, late, &scene);
                assert_eq!(detected, alone.0, "depth {depth}, late {late}");
                assert_eq!(heads, alone.1, "depth {depth}, late {late}");
            }
        }
        alone.0
    }

    const STILL: Rect = Rect::new(100.0, 100.0, 60.0, 80.0);

    /// Where something else than the scene asks for every detection.
    #[test]
    fn what_frames_showed_is_forgotten_though_all_are_detected() {
        let mut stream = StreamState::new();
        let settings = Settings {
            detection_adaptive: true,
            ..settings(1)
        };
        for n in 0..100 {
            let mut job = begin_with(&mut stream, settings, 40 * n, 100, &[STILL]);
            assert!(job.detect);
            stream.follow(&mut job, SIZE);
            stream.finish(&mut job);
        }
        let kept = stream.pace.shown.len() as u64;
        assert!(kept <= FRAMES_TO_LEARN, "{kept}");
    }

    #[test]
    fn heads_that_are_gone_are_forgotten() {
        let mut stream = StreamState::new();
        let settings = Settings {
            smoothing: Some(Default::default()),
            pose_interval: 2,
            ..settings(1)
        };
        let pose = Seam::UPSTREAM.front_alone(Angles::default());
        for n in 0..=LONGEST_GONE + 1 {
            let mut job = begin(&mut stream, settings, 40 * n);
            if n == 0 {
                let (rect, score) = (STILL, 0.9);
                job.detections.push(Detection { rect, score });
                job.poses.push(pose);
            }
            stream.follow(&mut job, SIZE);
            stream.finish(&mut job);
            let kept = [stream.pose_filters.len(), stream.last_poses.len()];
            assert_eq!(
                kept,
                [n <= LONGEST_UNUSED, n <= LONGEST_GONE].map(usize::from)
            );
        }
    }

    #[test]
    fn where_nothing_moves_the_detector_runs_at_its_interval() {
        // At first until the tracker has made something of the heads.
        let expected = [0, 1, 2, 3, 13, 23, 33, 43, 53];
        assert_eq!(adaptive(|_| (100, vec![STILL])), expected);
        let empty = adaptive(|_| (100, vec![]));
        assert_eq!(empty, expected);
    }

    #[test]
    fn a_head_that_enters_or_jumps_is_detected_at_once() {
        let enters = Rect::new(400.0, 200.0, 60.0, 80.0);
        let jumps = Rect::new(500.0, 20.0, 60.0, 80.0);
        let detected = adaptive(|n| match n {
            0..20 => (100, vec![STILL]),
            20..30 => (100, vec![STILL, enters]),
            30..50 => (100, vec![STILL, jumps]),
            _ => (100, vec![STILL]),
        });
        // What it means for the tracks is known four frames later. One that leaves is missed at the interval only, as
        // people may move about.
        let expected = [0, 1, 2, 3, 13, 20, 24, 30, 34, 44, 54, 58];
        assert_eq!(detected, expected);
    }

    #[test]
    fn a_fast_head_is_detected_more_often() {
        let walks = |pixels: f32| {
            let at = move |n: u64| Rect::new(50.0 + n as f32 * pixels, 100.0, 60.0, 80.0);
            adaptive(|n| (100, vec![at(n)])).len()
        };
        let (slow, fast, faster) = (walks(0.1), walks(4.0), walks(8.0));
        assert!(slow < fast && fast < faster, "{slow} {fast} {faster}");
        assert!(slow < 12, "{slow}");
        assert!(faster > 14, "{faster}");
    }

    #[test]
    fn a_cut_is_detected_at_once() {
        let detected = adaptive(|n| (if n < 20 { 100 } else { 60 }, vec![STILL]));
        assert!(detected.contains(&20), "{detected:?}");
        let other = Rect::new(300.0, 200.0, 120.0, 160.0);
        let detected = adaptive(|n| {
            if n < 20 {
                (100, vec![STILL])
            } else {
                (160, vec![other])
            }
        });
        assert_eq!(detected[5..], [20, 24, 34, 44, 54], "{detected:?}");
    }
}

// SPDX-License-Identifier: MPL-2.0
//! From a video frame to heads with their pose. Pure Rust: nothing in here knows GStreamer.
//!
//! [`HeadPoseEstimator::process`] is the straight line: the frame goes through the detector, each box gets
//! its margins, all crops go through the pose model in one batch, and out come [`Head`]s.
//! [`HeadPoseEstimator::estimate`] starts at given boxes.

pub mod angles;
mod assignment;
pub mod catalog;
mod chroma;
pub mod detector;
pub mod draw;
pub mod error;
mod exit_gate;
pub mod frame;
pub mod geometry;
mod kernels;
mod pixels;
pub mod pose;
pub mod preprocess;
pub mod resize;
pub mod runtime;
pub mod signature;
pub mod tracker;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use angles::Angles;
use detector::{Detection, Detector, DetectorFamily, DetectorSettings};
use error::Error;
use frame::FrameView;
use geometry::{CropMode, Rect, Size};
use pose::fusion::{Pose, PoseEstimator};
use pose::{PoseFamily, PoseModel};
use resize::{PixelRect, Resizer};
use runtime::{Model, Role, Runtime, RuntimeOptions};
use tracker::Tracker;

/// One head in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Track number, from 1; 0 when the head is not tracked.
    pub id: u64,
    /// The head's box in pixels of the source frame, before the margins of the pose crop. It lies
    /// within the frame and, as in DMHead, on whole pixels.
    pub rect: Rect,
    /// The detector's score, 0..=1.
    pub score: f32,
    pub angles: Angles,
    /// The head is seen from behind: |yaw| > 90 degrees.
    pub rear: bool,
    /// The frame's border cuts the detector's box, so the pose is less sure.
    pub truncated: bool,
    /// The yaw is near the seam between front and rear model, at +-90 degrees or the activation angle,
    /// so the pose is less sure.
    pub seam: bool,
    /// The box was predicted by the tracker, not detected in this frame.
    pub predicted: bool,
}

/// Heads whose yaw is this close to the activation angle, in degrees, lie at the seam.
const SEAM_WIDTH: f32 = 10.0;

/// A head that is followed changes from front to rear model, or back, only when its yaw is so many degrees
/// beyond the activation angle: at the seam it would flicker.
const HYSTERESIS: f32 = 5.0;

/// What is decided when the models are loaded.
#[derive(Clone, Debug)]
pub struct Config {
    pub runtime: RuntimeOptions,
    pub detector_model: PathBuf,
    pub detector_family: DetectorFamily,
    /// Longer side of the detector's input, in pixels, where the model leaves its size open.
    pub detector_size: u32,
    pub pose_model: PathBuf,
    pub pose_family: PoseFamily,
    /// A model that knows all sides and decides which heads `pose_model` looks at; see
    /// [`pose::fusion`].
    pub rear_model: Option<PathBuf>,
    /// Threads that work on one operator of a network; 0 chooses.
    pub intra_op_threads: usize,
}

/// What may change from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub detector: DetectorSettings,
    /// Of more heads those with the best scores are kept.
    pub max_heads: usize,
    /// Heads with a shorter side of fewer pixels are left out.
    pub min_head_size: u32,
    pub crop_mode: CropMode,
    /// Largest |yaw|, in degrees, at which the front model's answer counts where there are two.
    pub activation_angle: f32,
    /// Follow heads from frame to frame, and remember those that are not seen for so long; `None`: every
    /// frame for itself.
    pub tracking: Option<Duration>,
}

/// How long the stages of one frame took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Frame to detector input.
    pub detector_input: Duration,
    /// Detector network and decoding.
    pub detector: Duration,
    /// Frame to crops.
    pub crops: Duration,
    /// Pose network, with two the crops of the second as well.
    pub pose: Duration,
}

/// Finds heads in frames and estimates where they look. Owns its networks and all scratch memory.
#[derive(Debug)]
pub struct HeadPoseEstimator {
    runtime: &'static Runtime,
    detector: Detector,
    pose: PoseEstimator,
    resizer: Resizer,
    detections: Vec<Detection>,
    candidates: Vec<Candidate>,
    crops: Vec<PixelRect>,
    poses: Vec<Pose>,
    heads: Vec<Head>,
    tracker: Tracker,
    /// Index of each candidate's track; empty when heads are not followed.
    tracks: Vec<usize>,
    boxes: Vec<Rect>,
    activation_angles: Vec<f32>,
    last_size: Option<Size>,
    times: StageTimes,
}

/// A detection on its way to become a head.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    rect: Rect,
    crop: PixelRect,
    score: f32,
    truncated: bool,
}

impl Candidate {
    fn new(detection: &Detection, frame: Size, settings: &Settings) -> Option<Self> {
        if !detection.is_finite() {
            return None;
        }
        let Detection { rect, score } = *detection;
        let truncated = rect.x < 0.0
            || rect.y < 0.0
            || rect.right() > frame.width as f32
            || rect.bottom() > frame.height as f32;
        let rect = rect.truncated(frame);
        if rect.area() <= 0.0 || rect.w.min(rect.h) < settings.min_head_size as f32 {
            return None;
        }
        let crop = rect.with_margins(settings.crop_mode, frame);
        let (x, y) = (crop.x as u32, crop.y as u32);
        Some(Self {
            rect,
            crop: PixelRect {
                x,
                y,
                width: (crop.right() as u32 - x).max(1),
                height: (crop.bottom() as u32 - y).max(1),
            },
            score,
            truncated,
        })
    }

    /// The head of a finite pose; networks may answer NaN, which nobody must get to see.
    fn with_pose(&self, pose: &Pose, id: u64, activation_angle: f32) -> Option<Head> {
        if !pose.angles.is_finite() {
            return None;
        }
        let angles = pose.angles.wrapped();
        Some(Head {
            id,
            rect: self.rect,
            score: self.score.clamp(0.0, 1.0),
            angles,
            rear: angles.is_rear(),
            truncated: self.truncated,
            seam: (pose.deciding_yaw.abs() - activation_angle).abs() <= SEAM_WIDTH,
            predicted: false,
        })
    }
}

impl HeadPoseEstimator {
    /// Loads ONNX Runtime and the models, checks their contracts and runs each once.
    ///
    /// # Errors
    /// Whatever is wrong with the library or the models; see [`Error`].
    pub fn load(config: &Config) -> Result<Self, Error> {
        let runtime = Runtime::get(&config.runtime)?;
        let threads = config.intra_op_threads;
        let open = |role: Role, path: &PathBuf| Model::open(runtime, role, path, threads);
        let detector = open("detector", &config.detector_model)?;
        let pose = open("pose", &config.pose_model)?;
        let rear = match &config.rear_model {
            Some(path) => Some(PoseModel::new(open("rear", path)?, PoseFamily::Auto)?),
            None => None,
        };
        Ok(Self {
            runtime,
            detector: Detector::new(detector, config.detector_family, config.detector_size)?,
            pose: PoseEstimator::new(PoseModel::new(pose, config.pose_family)?, rear),
            resizer: Resizer::default(),
            detections: Vec::new(),
            candidates: Vec::new(),
            crops: Vec::new(),
            poses: Vec::new(),
            heads: Vec::new(),
            tracker: Tracker::default(),
            tracks: Vec::new(),
            boxes: Vec::new(),
            activation_angles: Vec::new(),
            last_size: None,
            times: StageTimes::default(),
        })
    }

    /// The heads of `frame`, in the detector's order; boxes in the frame's pixels. `time` is the frame's
    /// stream time, for tracking.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn process(
        &mut self,
        frame: &FrameView<'_>,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        let start = Instant::now();
        let scaling = settings.detector.scaling;
        self.detector.prepare(&mut self.resizer, frame, scaling);
        self.times.detector_input = start.elapsed();

        let start = Instant::now();
        self.detector
            .run(&settings.detector, &mut self.detections)?;
        self.times.detector = start.elapsed();
        self.estimate_detections(frame, time, settings)
    }

    /// The poses of heads that are known already: `boxes`, in the frame's pixels, take the detector's
    /// place, each with score 1. Like the detector's they are cut to the frame, get their margins, and are
    /// left out where nothing of them remains.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn estimate(
        &mut self,
        frame: &FrameView<'_>,
        boxes: &[Rect],
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        (self.times.detector_input, self.times.detector) = Default::default();
        self.detections.clear();
        let known = |&rect| Detection { rect, score: 1.0 };
        self.detections.extend(boxes.iter().map(known));
        self.estimate_detections(frame, time, settings)
    }

    /// Detections to heads: choice, tracks, crops, poses.
    fn estimate_detections(
        &mut self,
        frame: &FrameView<'_>,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        let start = Instant::now();
        self.heads.clear();
        self.select(frame.size(), settings);
        self.follow(frame.size(), time, settings);
        self.crops.clear();
        let crops = self.candidates.iter().map(|candidate| candidate.crop);
        self.crops.extend(crops);
        let crops = self.crops.iter().copied();
        self.pose.prepare(&mut self.resizer, frame, crops);
        self.times.crops = start.elapsed();

        let start = Instant::now();
        let (resizer, angles) = (&mut self.resizer, &self.activation_angles);
        self.pose
            .run(resizer, frame, &self.crops, angles, &mut self.poses)?;
        for (index, (candidate, pose)) in self.candidates.iter().zip(&self.poses).enumerate() {
            let mut id = 0;
            if let Some(track) = self
                .tracks
                .get(index)
                .and_then(|&t| self.tracker.track_mut(t))
            {
                id = track.id;
                track.was_front = Some(pose.is_front);
            }
            let head = candidate.with_pose(pose, id, settings.activation_angle);
            self.heads.extend(head);
        }
        self.times.pose = start.elapsed();
        Ok(&self.heads)
    }

    /// Turns detections into candidates: boxes within the frame that are large enough, not too many.
    fn select(&mut self, frame: Size, settings: &Settings) {
        self.candidates.clear();
        let usable = |detection| Candidate::new(detection, frame, settings);
        self.candidates
            .extend(self.detections.iter().filter_map(usable));
        if self.candidates.len() > settings.max_heads {
            self.candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
            self.candidates.truncate(settings.max_heads);
        }
    }

    /// Finds the candidates' tracks, and the activation angle of each.
    fn follow(&mut self, frame: Size, time: Option<Duration>, settings: &Settings) {
        // Boxes of another frame size are no boxes of the same scene.
        if self.last_size.replace(frame) != Some(frame) {
            self.tracker.reset();
        }
        self.tracks.clear();
        match settings.tracking {
            Some(max_lost) => {
                self.boxes.clear();
                self.boxes.extend(self.candidates.iter().map(|c| c.rect));
                self.tracker
                    .update(time, &self.boxes, max_lost, &mut self.tracks);
            }
            None => self.tracker.reset(),
        }
        let tracks = self.tracks.iter().map(|&track| self.tracker.track(track));
        let angles = tracks.map(|track| match track.and_then(|track| track.was_front) {
            Some(true) => settings.activation_angle + HYSTERESIS,
            Some(false) => settings.activation_angle - HYSTERESIS,
            None => settings.activation_angle,
        });
        self.activation_angles.clear();
        self.activation_angles.extend(angles);
        self.activation_angles
            .resize(self.candidates.len(), settings.activation_angle);
    }

    /// Forgets the heads that are followed: for a stream that jumps.
    pub fn reset_tracks(&mut self) {
        self.tracker.reset();
    }

    /// How long the stages of the last frame took.
    pub fn times(&self) -> StageTimes {
        self.times
    }

    pub fn runtime(&self) -> &'static Runtime {
        self.runtime
    }

    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    pub fn pose(&self) -> &PoseEstimator {
        &self.pose
    }
}

// SPDX-License-Identifier: MPL-2.0
//! From a video frame to heads with their pose. Pure Rust: nothing in here knows GStreamer.
//!
//! [`HeadPoseEstimator::process`] is the straight line: the frame goes through the detector, each box gets
//! its margins, all crops go through the pose model in one batch, and out come [`Head`]s.
//! [`HeadPoseEstimator::estimate`] starts at given boxes. [`pipeline::Pipeline`] does the same for several
//! frames at once, in threads of its own. Both are made of three parts: the `Networks` look at a frame, its
//! `Findings` are what they see, and the `Scene` is what is remembered from frame to frame.

pub mod angles;
mod assignment;
pub mod catalog;
mod chroma;
pub mod detector;
pub mod draw;
pub mod error;
mod exit_gate;
mod findings;
mod fork_join;
pub mod frame;
pub mod geometry;
mod hints;
mod kernels;
mod motion;
mod nearest;
mod networks;
pub mod notes;
pub mod pipeline;
mod pixels;
pub mod pose;
pub mod preprocess;
pub mod quaternion;
pub mod resize;
pub mod runtime;
mod scene;
mod side;
pub mod signature;
pub mod smoothing;
mod target;
pub mod track;
pub mod tracker;

use std::path::PathBuf;
use std::time::Duration;

use angles::Angles;
use detector::{Detection, Detector, DetectorFamily, DetectorSettings};
use error::Error;
pub use exit_gate::close_with_main_thread;
use findings::Findings;
use frame::FrameView;
use geometry::{CropMode, Rect};
use networks::Networks;
use notes::Notes;
use pose::PoseFamily;
use pose::fusion::PoseEstimator;
use runtime::{Runtime, RuntimeOptions, SessionOptions};
use scene::Scene;
use smoothing::Smoothing;

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
    /// The yaw is near the seam between front and rear model, at +-90 degrees or where the two have it,
    /// so the pose is less sure.
    pub seam: bool,
    /// The box was predicted by the tracker, not detected in this frame.
    pub predicted: bool,
    /// Standard deviation of the rotation angle between this pose and the true one, in degrees, as the pose
    /// model states it; `None` for models that state none.
    pub uncertainty: Option<f32>,
}

/// What is decided when the models are loaded.
#[derive(Clone, Debug)]
pub struct Config {
    pub runtime: RuntimeOptions,
    /// `None` where the boxes always come from elsewhere.
    pub detector_model: Option<PathBuf>,
    pub detector_family: DetectorFamily,
    /// Longer side of the detector's input, in pixels, where the model leaves its size open; 0: the family's own.
    pub detector_size: u32,
    pub pose_model: PathBuf,
    pub pose_family: PoseFamily,
    /// A model that knows all sides and decides which heads `pose_model` looks at; see
    /// [`pose::fusion`].
    pub rear_model: Option<PathBuf>,
    /// Heads that run through the pose model at once; more take several runs. Bounds the memory.
    pub max_batch: usize,
    pub session: SessionOptions,
    /// Where warnings about the models arrive.
    pub notes: Notes,
}

impl Config {
    /// These models, and the element's defaults.
    pub fn new(
        runtime: RuntimeOptions,
        detector_model: Option<PathBuf>,
        pose_model: PathBuf,
    ) -> Self {
        Self {
            runtime,
            detector_model,
            detector_family: DetectorFamily::Auto,
            detector_size: 0,
            pose_model,
            pose_family: PoseFamily::Auto,
            rear_model: None,
            max_batch: pose::MAX_BATCH,
            session: SessionOptions::default(),
            notes: Notes::default(),
        }
    }

    /// The same for `depth` frames in flight: where the threads are left open, those that are looked at share the
    /// cores. Two frames with a thread each are done sooner than two that compete for two.
    pub fn for_depth(&self, depth: usize) -> Self {
        let mut config = self.clone();
        if depth > 1 && config.session.intra_op_threads == 0 {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            config.session.intra_op_threads = (cores / pipeline::workers(depth)).clamp(1, 4);
        }
        config
    }
}

/// What may change from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub detector: DetectorSettings,
    /// Of more heads those with the best scores are kept.
    pub max_heads: usize,
    /// Heads with a shorter side of fewer pixels are left out.
    pub min_head_size: u32,
    /// How much around a head the pose models see; `None`: what each was made for.
    pub crop_mode: Option<CropMode>,
    /// Largest |yaw|, in degrees, at which the front model's answer counts where there are two; `None`: what was
    /// measured for the two.
    pub activation_angle: Option<f32>,
    /// Follow heads from frame to frame, and remember those that are not seen for so long; `None`: every
    /// frame for itself.
    pub tracking: Option<Duration>,
    /// The detector runs on every Nth frame; between, the boxes of heads that are followed are
    /// predicted. 1 where heads are not followed.
    pub detection_interval: u32,
    /// The pose of a head that is followed is estimated in every Nth frame; between, its last one
    /// holds. 1 where heads are not followed.
    pub pose_interval: u32,
    /// Of two models, the rear one runs on a head that is followed and seen from the front at every Nth
    /// frame at least.
    pub rear_interval: u32,
    /// Hold the boxes and poses of heads that are followed steadier; `None`: as detected and estimated.
    pub smoothing: Option<Smoothing>,
}

impl Settings {
    /// The element's defaults.
    pub const DEFAULT: Self = Self {
        detector: DetectorSettings::DEFAULT,
        max_heads: 64,
        min_head_size: 0,
        crop_mode: None,
        activation_angle: None,
        tracking: None,
        detection_interval: 1,
        pose_interval: 1,
        rear_interval: 15,
        smoothing: None,
    };
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
    /// Pose networks.
    pub pose: Duration,
}

impl StageTimes {
    /// Their sum.
    pub fn total(&self) -> Duration {
        self.detector_input + self.detector + self.crops + self.pose
    }
}

/// Whether this process may use what was loaded: not if it was forked since.
///
/// # Errors
/// [`Error::Forked`].
pub fn refuse_forked() -> Result<(), Error> {
    match exit_gate::is_forked() {
        true => Err(Error::Forked),
        false => Ok(()),
    }
}

/// Finds heads in frames and estimates where they look, one frame after the other.
#[derive(Debug)]
pub struct HeadPoseEstimator {
    networks: Networks,
    scene: Scene,
    findings: Findings,
    heads: Vec<Head>,
    detected: bool,
}

impl HeadPoseEstimator {
    /// Loads ONNX Runtime and the models, checks their contracts and runs each once.
    ///
    /// # Errors
    /// Whatever is wrong with the library or the models; see [`Error`].
    pub fn load(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            networks: Networks::load(config)?,
            scene: Scene::new(),
            findings: Findings::default(),
            heads: Vec::new(),
            detected: false,
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
        self.run(frame, None, time, settings)
    }

    /// The poses of heads that are known already: `known` takes the place of what the detector finds. Like
    /// the detector's, boxes are cut to the frame, get their margins, and are left out where nothing of them
    /// remains.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn estimate(
        &mut self,
        frame: &FrameView<'_>,
        known: &[Detection],
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        self.run(frame, Some(known), time, settings)
    }

    fn run(
        &mut self,
        frame: &FrameView<'_>,
        known: Option<&[Detection]>,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        let Self {
            networks,
            scene,
            findings,
            heads,
            detected,
        } = self;
        let size = frame.size();
        let mut plan = scene.begin(Some(size), time, known.is_some(), settings);
        plan.detect |= scene.lacks_boxes(plan);
        *detected = plan.detect;
        let mut found = networks.detect(plan, frame, known, settings, findings);
        if found.is_ok() {
            scene.follow(plan, findings, size, time, settings);
            found = networks.estimate(frame, findings, settings);
        }
        if let Err(error) = found {
            scene.fail(plan);
            return Err(error);
        }
        scene.finish(plan, findings, time, settings, heads);
        Ok(heads)
    }

    /// The boxes of the last frame were detected, or given; they were not predicted.
    pub fn detected(&self) -> bool {
        self.detected
    }

    /// Forgets the heads that are followed: for a stream that jumps.
    pub fn reset_tracks(&mut self) {
        self.scene.cut();
    }

    /// How many heads of the last frame were found and are not among its heads, as the network's answer for
    /// them was no number.
    pub fn unposed(&self) -> usize {
        let found = self.findings.targets.len();
        found.saturating_sub(self.heads.len())
    }

    /// How long the stages of the last frame took.
    pub fn times(&self) -> StageTimes {
        self.findings.times
    }

    /// How many heads of the last frame the front model looked at.
    pub fn front_runs(&self) -> usize {
        self.findings.front_runs
    }

    pub fn runtime(&self) -> &'static Runtime {
        self.networks.runtime()
    }

    /// `None` where the boxes always come from elsewhere.
    pub fn detector(&self) -> Option<&Detector> {
        self.networks.detector()
    }

    pub fn pose(&self) -> &PoseEstimator {
        self.networks.pose()
    }
}

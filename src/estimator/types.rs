// SPDX-License-Identifier: MPL-2.0
//! What goes into the estimator and what comes out.

use std::path::PathBuf;
use std::time::Duration;

use super::angles::Angles;
use super::detector::{DetectorFamily, DetectorSettings};
use super::geometry::{CropMode, Rect};
use super::notes::Notes;
use super::onnx::{RuntimeOptions, SessionOptions};
use super::pose::{self, PoseFamily};
use super::track::one_euro::Smoothing;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// A model that knows all sides and decides which heads `pose_model` runs on; see
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

    /// The same for `depth` frames in flight: unless the number of threads is set, the frames that run at once share
    /// the cores. Two frames with a thread each are done sooner than two that compete for two.
    pub fn for_depth(&self, depth: usize) -> Self {
        let mut config = self.clone();
        if depth > 1 && config.session.intra_op_threads == 0 {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            config.session.intra_op_threads = (cores / threads(depth)).clamp(1, 4);
        }
        config
    }
}

/// How many threads work where `depth` frames are in flight: from 3 on, one of the frames is queued for the thread that
/// is done first.
pub(super) fn threads(depth: usize) -> usize {
    match depth {
        0..3 => depth,
        _ => depth - 1,
    }
}

/// What may change from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub detector: DetectorSettings,
    /// Of more heads, those with the best scores are kept.
    pub max_heads: usize,
    /// Heads with a shorter side of fewer pixels are left out.
    pub min_head_size: u32,
    /// The margins of the pose models' crops; `None`: what each was made for.
    pub crop_mode: Option<CropMode>,
    /// Largest |yaw|, in degrees, at which the front model's answer counts where there are two; `None`: what was
    /// measured for this pair.
    pub activation_angle: Option<f32>,
    /// Follow heads from frame to frame, and remember those that are out of sight for this long; `None`: every frame
    /// on its own.
    pub tracking: Option<Duration>,
    /// The detector runs on every Nth frame; between, the boxes of heads that are followed are
    /// predicted. 1 where heads are not followed.
    pub detection_interval: u32,
    /// The detector runs earlier where the heads or the scene call for it.
    pub detection_adaptive: bool,
    /// The pose of a head that is followed is estimated in every Nth frame; between, its last one
    /// holds. 1 where heads are not followed.
    pub pose_interval: u32,
    /// Of two models, the rear one runs on a head that is followed and seen from the front at every Nth
    /// frame at least.
    pub rear_interval: u32,
    /// Smooth the boxes and poses of heads that are followed; `None`: as detected and estimated.
    pub smoothing: Option<Smoothing>,
}

impl Settings {
    pub const DEFAULT: Self = Self {
        detector: DetectorSettings::DEFAULT,
        max_heads: 64,
        min_head_size: 0,
        crop_mode: None,
        activation_angle: None,
        tracking: None,
        detection_interval: 1,
        detection_adaptive: false,
        pose_interval: 1,
        rear_interval: 15,
        smoothing: None,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
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
    pub fn total(&self) -> Duration {
        self.detector_input + self.detector + self.crops + self.pose
    }
}

#[derive(Clone, Debug, Default)]
pub struct Found {
    pub heads: Vec<Head>,
    /// The boxes were detected, or given; they were not predicted.
    pub detected: bool,
    pub times: StageTimes,
    /// How many heads the front model ran on.
    pub front_runs: usize,
    /// How many heads were found and have no pose, as the network's answer for them was not finite.
    pub unposed: usize,
}

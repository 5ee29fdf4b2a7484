// SPDX-License-Identifier: MPL-2.0
//! The properties of `dmheadpose`, and what they mean to the estimator.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use super::options::{
    DmHeadPoseCropMode, DmHeadPoseDetectorFamily, DmHeadPoseExecutionProvider, DmHeadPoseHeadsFrom,
    DmHeadPoseMetaFormat, DmHeadPoseMode, DmHeadPoseOnError, DmHeadPosePoseFamily,
    DmHeadPoseScaling, DmHeadPoseWhenLate,
};
use crate::estimator::catalog::{self, PoseModels};
use crate::estimator::detector::{self, DetectorSettings};
use crate::estimator::error::Error;
use crate::estimator::notes::Notes;
use crate::estimator::onnx::{RuntimeOptions, SessionOptions};
use crate::estimator::track::one_euro::Smoothing;
use crate::estimator::{self, Config, pose};
use crate::overlay::{DmHeadPoseOverlayFlags, Look};
use crate::property::settings;

const FRAME: estimator::Settings = estimator::Settings::DEFAULT;

settings! {
    /// What an application sets.
    pub(super) struct Settings
    beside { look: Look = Look::new(DmHeadPoseOverlayFlags::empty()), }

    detector_model: Option<PathBuf> = None,
        "detector-model", "Detector Model", READY, ..,
        "Path of the head detector, an ONNX file (unset = the best one in models-dir)";
    pose_model: Option<PathBuf> = None,
        "pose-model", "Pose Model", READY, ..,
        "Path of the pose model, an ONNX file (unset = what mode chooses in models-dir, with its rear \
         model if it has one)";
    rear_model: Option<PathBuf> = None,
        "rear-model", "Rear Model", READY, ..,
        "Path of a pose model that knows all sides (TurnNet, WHENet): it runs on every head first, and pose-model then \
         on those not seen from behind (unset = none with a pose-model that is named, else as mode chooses)";
    models_dir: Option<PathBuf> = None,
        "models-dir", "Models Directory", READY, ..,
        "Folder of the models that are not named (unset = the variable DMHEADPOSE_MODELS_DIR, else \
         dmheadpose/models in the system's and the user's data folders; a plugin that runs from where it was \
         built tries the models folder of its sources first)";
    mode: DmHeadPoseMode = DmHeadPoseMode::default(),
        "mode", "Mode", READY, ..,
        "Which pose models to take from models-dir when pose-model is unset";
    detector_family: DmHeadPoseDetectorFamily = DmHeadPoseDetectorFamily::default(),
        "detector-family", "Detector Family", READY, ..,
        "Output contract of the detector; set it where auto warns that it is not sure";
    pose_family: DmHeadPosePoseFamily = DmHeadPosePoseFamily::default(),
        "pose-family", "Pose Family", READY, ..,
        "Output contract of the pose model; set it where auto warns that it is not sure, and for contracts \
         that auto does not recognise: 6drepnet with 6D or renamed angles, 3ddfa, 3ddfa-denormalised";
    detector_size: u32 = 0,
        "detector-size", "Detector Size", READY, 0..=4096,
        format!(
            "Longer side of the detector's input in pixels, for files that leave it open (0 = the \
             family's own: {}): larger finds smaller heads and costs more",
            detector::open_sizes()
        );
    onnxruntime_library: Option<PathBuf> = None,
        "onnxruntime-library", "ONNX Runtime Library", READY, ..,
        "Path of libonnxruntime.so, 1.17 or newer (unset = the variable ORT_DYLIB_PATH, else \
         beside the plugin, else where the system's loader looks). The first element of a \
         process decides for all";
    heads_from: DmHeadPoseHeadsFrom = DmHeadPoseHeadsFrom::default(),
        "heads-from", "Heads From", READY, ..,
        "Where head boxes come from; with roi-meta no detector is loaded";
    intra_op_threads: u32 = 0,
        "intra-op-threads", "Intra-op Threads", READY, 0..=256,
        "Threads that work on one operator of a network (0 = the number of cores, at most 4)";
    execution_provider: DmHeadPoseExecutionProvider = DmHeadPoseExecutionProvider::default(),
        "execution-provider", "Execution Provider", READY, ..,
        "What runs the networks; all but cpu need an ONNX Runtime that was built with it. \
         active-provider shows what auto has chosen";
    device_id: u32 = 0,
        "device-id", "Device ID", READY, ..,
        "Index of the execution provider's device, where there are several";
    cache_dir: Option<PathBuf> = None,
        "cache-dir", "Cache Directory", READY, ..,
        "Folder where providers that compile the networks for their device (tensorrt, openvino) \
         keep the result (unset = compile at each start)";
    share_models: bool = false,
        "share-models", "Share Models", READY, ..,
        "Share loaded models with all other elements of the process that use the same file, provider and \
         threads: less memory for many streams. They take turns, first come, first served";
    max_batch: u32 = pose::MAX_BATCH as u32,
        "max-batch", "Maximum Batch", READY, 1..=64,
        "Heads that run through the pose model at once; more take several runs. Bounds the memory";
    pipeline_depth: u32 = 0,
        "pipeline-depth", "Pipeline Depth", READY, 0..=16,
        "Frames in flight: a frame leaves when one less than this many have come after it. They are inferred at \
         once, each with models of its own; from 3 on, one of them is queued, so that no thread has to wait. \
         1 = each frame leaves before the next is taken, 0 = 3 for files (not live and seekable), else 1";
    is_async: bool = false,
        "async", "Asynchronous", READY, ..,
        "Let every frame go on at once with the newest result and its age, while the newest frame is inferred \
         in the background: no added latency, however slow the networks are. pipeline-depth has no effect then";
    score_threshold: f32 = -1.0,
        "score-threshold", "Score Threshold", PLAYING, -1.0..=1.0,
        format!(
            "Heads must score above it, 0 to 1 (-1 = the detector family's own: {})",
            detector::score_thresholds()
        );
    nms_iou: f32 = FRAME.detector.nms_iou,
        "nms-iou", "NMS IoU", PLAYING, 0.0..=1.0,
        format!(
            "Of two boxes whose intersection over union is larger only the better one is kept, \
             0 to 1 (families without NMS inside: {})",
            detector::using_nms_iou()
        );
    head_class: i32 = -1,
        "head-class", "Head Class", PLAYING, -1..,
        "Class number of heads among the detector's classes (-1 = as the file's class names or its name \
         say, else the family's own: 1, 0 if there is no other, end2end 0, deim 7, post any)";
    max_heads: u32 = FRAME.max_heads as u32,
        "max-heads", "Maximum Heads", PLAYING, 1..=1024,
        "Largest number of heads estimated in a frame; of more, those with the best scores";
    min_head_size: u32 = FRAME.min_head_size,
        "min-head-size", "Minimum Head Size", PLAYING, 0..=65_536,
        "Heads whose shorter side has fewer pixels are left out (0 = none)";
    scaling: DmHeadPoseScaling = DmHeadPoseScaling::default(),
        "scaling", "Scaling", PLAYING, ..,
        "How a frame is fitted into the detector's input";
    crop_mode: DmHeadPoseCropMode = DmHeadPoseCropMode::default(),
        "crop-mode", "Crop Mode", PLAYING, ..,
        "Margins of the pose models' crops around a head's box";
    crop_margin: f32 = 0.2,
        "crop-margin", "Crop Margin", PLAYING, 0.0..=2.0,
        "Margin on each side as a share of the box's width and height, for crop-mode \
         symmetric and square";
    activation_angle: f32 = -1.0,
        "activation-angle", "Activation Angle", PLAYING, -1.0..=180.0,
        "Largest yaw of the rear model, in degrees to either side, at which pose-model's \
         answer counts; also where the seam flag is centred (-1 = as measured for the pair: \
         3DDFA_V2 and TurnNet or WHENet are weighed against each other; 90 for others)";
    detection_interval: u32 = FRAME.detection_interval,
        "detection-interval", "Detection Interval", PLAYING, 1..=1000,
        "Run the detector on every Nth frame; between, boxes are predicted. Above 1, heads \
         are followed as with tracking";
    detection_adaptive: bool = FRAME.detection_adaptive,
        "detection-adaptive", "Detection Adaptive", PLAYING, ..,
        "Let the scene decide when the detector runs: on every detection-interval'th frame while nothing \
         happens, and earlier for new, lost and fast heads, for a cut, and where something comes into sight";
    pose_interval: u32 = FRAME.pose_interval,
        "pose-interval", "Pose Interval", PLAYING, 1..=1000,
        "Estimate the pose of each head on every Nth frame; between, its last pose holds. \
         Above 1, heads are followed as with tracking";
    rear_interval: u32 = FRAME.rear_interval,
        "rear-interval", "Rear Interval", PLAYING, 1..=1000,
        "Of two pose models, run the rear one on each head at least on every Nth frame, where \
         heads are followed (tracking). Between, the front model answers alone for a head that both saw from \
         the front, until it nears the profile or is out of sight";
    when_late: DmHeadPoseWhenLate = DmHeadPoseWhenLate::default(),
        "when-late", "When Late", PLAYING, ..,
        "What to do with a frame that inference would make late, by the clock of a live pipeline or by \
         downstream's QoS events";
    on_error: DmHeadPoseOnError = DmHeadPoseOnError::default(),
        "on-error", "On Error", PLAYING, ..,
        "What to do when the inference of a frame fails";
    tracking: bool = false,
        "tracking", "Tracking", PLAYING, ..,
        "Follow heads from frame to frame: each gets a number from 1, and of two pose models the rear one \
         runs on heads seen from the front at every rear-interval only";
    max_lost_time: u64 = 1_000_000_000,
        "max-lost-time", "Maximum Lost Time", PLAYING, 0..=60_000_000_000,
        "A head that is not seen for longer is forgotten, in nanoseconds";
    smoothing: bool = false,
        "smoothing", "Smoothing", PLAYING, ..,
        "Smooth boxes and poses, with a One-Euro filter for each head. Heads are followed for it, as with \
         tracking";
    smoothing_cutoff: f32 = Smoothing::default().cutoff,
        "smoothing-cutoff", "Smoothing Cutoff", PLAYING, 0.01..=100.0,
        "Cutoff of the smoothing for a head that is still, in Hz: lower is steadier and takes \
         longer to come to rest";
    smoothing_beta: f32 = Smoothing::default().beta,
        "smoothing-beta", "Smoothing Beta", PLAYING, 0.0..=10.0,
        "By how many Hz the cutoff rises with each degree per second that a head turns: higher \
         lags less behind and smooths less";
    post_messages: bool = false,
        "post-messages", "Post Messages", PLAYING, ..,
        "Post an element message named dmheadpose for every inferred frame: the fields of \
         DmHeadPoseMeta and the frame's timestamp, running-time and stream-time";
    message_interval: u64 = 0,
        "message-interval", "Message Interval", PLAYING, ..,
        "Least running time between the frames of two messages, in nanoseconds (0 = a \
         message for every inferred frame)";
    object_class: Option<String> = None,
        "object-class", "Object Class", PLAYING, ..,
        "With heads-from=roi-meta, which regions and objects are heads: their types, separated by commas, \
         such as head,face (unset: all)";
    meta_format: DmHeadPoseMetaFormat = DmHeadPoseMetaFormat::CUSTOM,
        "meta-format", "Meta Format", PLAYING, ..,
        "Metas to attach to each frame";
}

impl Settings {
    /// What the estimator is to load. `runtime` lacks the library that a property may name.
    pub fn config(&self, runtime: RuntimeOptions) -> Result<Config, Error> {
        let folders = catalog::model_folders(self.models_dir.as_deref(), runtime.beside.as_deref());
        let detector_model = match (self.heads_from, &self.detector_model) {
            (DmHeadPoseHeadsFrom::RoiMeta, _) => None,
            (DmHeadPoseHeadsFrom::Detector, Some(path)) => Some(path.clone()),
            (DmHeadPoseHeadsFrom::Detector, None) => Some(catalog::default_detector(&folders)?),
        };
        let models = match &self.pose_model {
            Some(path) => PoseModels {
                pose: path.clone(),
                rear: None,
            },
            None => catalog::default_pose_models(self.mode.into(), &folders)?,
        };
        Ok(Config {
            runtime: RuntimeOptions {
                library: self.onnxruntime_library.clone(),
                ..runtime
            },
            detector_model,
            detector_family: self.detector_family.into(),
            detector_size: self.detector_size,
            pose_model: models.pose,
            pose_family: self.pose_family.into(),
            rear_model: self.rear_model.clone().or(models.rear),
            max_batch: self.max_batch as usize,
            session: SessionOptions {
                intra_op_threads: self.intra_op_threads as usize,
                provider: self.execution_provider.into(),
                device: self.device_id,
                cache: self.cache_dir.clone(),
                share: self.share_models,
            },
            notes: Notes::default(),
        })
    }

    /// Late frames go on without their result.
    pub fn holds(&self) -> bool {
        self.when_late == DmHeadPoseWhenLate::Hold
    }

    /// Frames in flight; `None` leaves it to the element.
    pub fn depth(&self) -> Option<usize> {
        Some(self.pipeline_depth as usize).filter(|&depth| depth > 0)
    }

    /// What the estimator is to do with the next frame.
    pub fn frame_settings(&self) -> estimator::Settings {
        estimator::Settings {
            detector: DetectorSettings {
                score_threshold: Some(self.score_threshold).filter(|&score| score >= 0.0),
                nms_iou: self.nms_iou,
                head_class: u32::try_from(self.head_class).ok(),
                scaling: self.scaling.into(),
            },
            max_heads: self.max_heads as usize,
            min_head_size: self.min_head_size,
            crop_mode: self.crop_mode.with_margin(self.crop_margin),
            activation_angle: Some(self.activation_angle).filter(|&angle| angle >= 0.0),
            // Smoothing and intervals need the head of the frame before.
            tracking: (self.tracking
                || self.smoothing
                || self.detection_interval > 1
                || self.pose_interval > 1)
                .then(|| Duration::from_nanos(self.max_lost_time)),
            detection_interval: self.detection_interval,
            detection_adaptive: self.detection_adaptive,
            pose_interval: self.pose_interval,
            rear_interval: self.rear_interval,
            smoothing: self.smoothing.then_some(Smoothing {
                cutoff: self.smoothing_cutoff,
                beta: self.smoothing_beta,
            }),
        }
    }

    pub fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        if !self.set_own(value, pspec) {
            self.look.set(value, pspec);
        }
    }

    /// The value of a property, `None` when it is none of the settings.
    pub fn get(&self, pspec: &glib::ParamSpec) -> Option<glib::Value> {
        self.get_own(pspec).or_else(|| self.look.get_own(pspec))
    }
}

/// All properties, in the order in which gst-inspect-1.0 shows them within their kind.
pub(super) fn specs() -> &'static [glib::ParamSpec] {
    static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let defaults = Settings::default();
        let mut specs = defaults.own_specs();
        specs.extend(defaults.look.own_specs());
        specs.extend(read_only_specs());
        specs
    });
    &SPECS
}

/// The element itself answers these.
fn read_only_specs() -> [glib::ParamSpec; 2] {
    [
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "Since the start: frames, inferred, detected, gaps, heads and front-runs (counts; detected: of \
                 frames whose boxes are not predicted, front-runs: of heads that pose-model ran on); detector-input, detector, crops, pose, overlay \
                 and total, each with -p50 and -p95 (nanoseconds, of the last 256 frames); \
                 detector-model, pose-model, rear-model, onnxruntime, active-provider (once \
                 started)",
            )
            .read_only()
            .build(),
        glib::ParamSpecString::builder("active-provider")
            .nick("Active Execution Provider")
            .blurb("Execution provider that runs the networks (unset until started)")
            .read_only()
            .build(),
    ]
}

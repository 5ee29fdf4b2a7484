// SPDX-License-Identifier: MPL-2.0
//! The properties of `dmheadpose`: what an application sets, with defaults, ranges and documentation.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use super::interop;
use super::options::{
    DmHeadPoseCropMode, DmHeadPoseDetectorFamily, DmHeadPoseExecutionProvider, DmHeadPoseHeadsFrom,
    DmHeadPoseMetaFormat, DmHeadPoseMode, DmHeadPoseOnError, DmHeadPosePoseFamily,
    DmHeadPoseScaling, DmHeadPoseWhenLate,
};
use super::report::ReportSettings;
use crate::estimator::catalog;
use crate::estimator::detector::DetectorSettings;
use crate::estimator::error::Error;
use crate::estimator::runtime::{RuntimeOptions, SessionOptions};
use crate::estimator::smoothing::Smoothing;
use crate::estimator::{self, Config, pose};
use crate::overlay::{DmHeadPoseOverlayFlags, Look};

/// What an application sets.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    detector_model: Option<String>,
    pose_model: Option<String>,
    rear_model: Option<String>,
    models_dir: Option<String>,
    mode: DmHeadPoseMode,
    detector_family: DmHeadPoseDetectorFamily,
    pose_family: DmHeadPosePoseFamily,
    detector_size: u32,
    onnxruntime_library: Option<String>,
    intra_op_threads: u32,
    execution_provider: DmHeadPoseExecutionProvider,
    device_id: u32,
    cache_dir: Option<String>,
    share_models: bool,
    max_batch: u32,
    pipeline_depth: u32,
    /// The property `async`.
    pub detached: bool,
    detection_interval: u32,
    pose_interval: u32,
    pub when_late: DmHeadPoseWhenLate,
    pub on_error: DmHeadPoseOnError,
    score_threshold: f32,
    nms_iou: f32,
    head_class: i32,
    max_heads: u32,
    min_head_size: u32,
    scaling: DmHeadPoseScaling,
    crop_mode: DmHeadPoseCropMode,
    crop_margin: f32,
    activation_angle: f32,
    tracking: bool,
    max_lost_time: u64,
    smoothing: bool,
    smoothing_cutoff: f32,
    smoothing_beta: f32,
    pub report: ReportSettings,
    heads_from: DmHeadPoseHeadsFrom,
    pub interop: interop::Options,
    pub look: Look,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            detector_model: None,
            pose_model: None,
            rear_model: None,
            models_dir: None,
            mode: DmHeadPoseMode::default(),
            detector_family: DmHeadPoseDetectorFamily::default(),
            pose_family: DmHeadPosePoseFamily::default(),
            detector_size: 640,
            onnxruntime_library: None,
            intra_op_threads: 0,
            execution_provider: DmHeadPoseExecutionProvider::default(),
            device_id: 0,
            cache_dir: None,
            share_models: false,
            max_batch: pose::MAX_BATCH as u32,
            pipeline_depth: 0,
            detached: false,
            detection_interval: 1,
            pose_interval: 1,
            when_late: DmHeadPoseWhenLate::default(),
            on_error: DmHeadPoseOnError::default(),
            score_threshold: -1.0,
            nms_iou: 0.3,
            head_class: -1,
            max_heads: 64,
            min_head_size: 0,
            scaling: DmHeadPoseScaling::default(),
            crop_mode: DmHeadPoseCropMode::default(),
            crop_margin: 0.2,
            activation_angle: 90.0,
            tracking: false,
            max_lost_time: 1_000_000_000,
            smoothing: false,
            smoothing_cutoff: Smoothing::default().cutoff,
            smoothing_beta: Smoothing::default().beta,
            report: ReportSettings {
                post_messages: false,
                message_interval: 0,
            },
            heads_from: DmHeadPoseHeadsFrom::default(),
            interop: interop::Options {
                object_class: None,
                meta_format: DmHeadPoseMetaFormat::CUSTOM,
            },
            look: Look::new(DmHeadPoseOverlayFlags::empty()),
        }
    }
}

impl Settings {
    /// What the estimator is to load. `runtime` lacks the library that a property may name.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn config(&self, runtime: RuntimeOptions) -> Result<Config, Error> {
        let folders = catalog::model_folders(self.models_dir.as_deref().map(Path::new));
        let detector_model = match (self.heads_from, &self.detector_model) {
            (DmHeadPoseHeadsFrom::RoiMeta, _) => None,
            (DmHeadPoseHeadsFrom::Detector, Some(path)) => Some(PathBuf::from(path)),
            (DmHeadPoseHeadsFrom::Detector, None) => Some(catalog::default_detector(&folders)?),
        };
        let pose_model = match &self.pose_model {
            Some(path) => PathBuf::from(path),
            None => catalog::default_pose_model(self.mode.into(), &folders)?,
        };
        Ok(Config {
            runtime: RuntimeOptions {
                library: self.onnxruntime_library.as_ref().map(PathBuf::from),
                ..runtime
            },
            detector_model,
            detector_family: self.detector_family.into(),
            detector_size: self.detector_size,
            pose_model,
            pose_family: self.pose_family.into(),
            rear_model: self.rear_model.as_ref().map(PathBuf::from),
            max_batch: self.max_batch as usize,
            session: SessionOptions {
                intra_op_threads: self.intra_op_threads as usize,
                provider: self.execution_provider.into(),
                device: self.device_id,
                cache: self.cache_dir.as_ref().map(PathBuf::from),
                share: self.share_models,
            },
        })
    }

    /// Frames in flight at once; `None` leaves it to the element.
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
            activation_angle: self.activation_angle,
            // A head must be known again before it can be held steady, or left alone for a frame.
            tracking: (self.tracking
                || self.smoothing
                || self.detection_interval > 1
                || self.pose_interval > 1)
                .then(|| Duration::from_nanos(self.max_lost_time)),
            detection_interval: self.detection_interval,
            pose_interval: self.pose_interval,
            smoothing: self.smoothing.then_some(Smoothing {
                cutoff: self.smoothing_cutoff,
                beta: self.smoothing_beta,
            }),
        }
    }

    /// Sets the property `pspec` of [`specs`]; GObject has checked type and range of `value`.
    pub fn set(&mut self, value: &glib::Value, pspec: &glib::ParamSpec) {
        fn assign<'v, T: glib::value::FromValue<'v>>(field: &mut T, value: &'v glib::Value)
        where
            T::Checker: glib::value::ValueTypeChecker,
        {
            if let Ok(value) = value.get::<T>() {
                *field = value;
            }
        }
        fn assign_text(field: &mut Option<String>, value: &glib::Value) {
            assign(field, value);
            field.take_if(|text| text.is_empty());
        }
        match pspec.name() {
            "detector-model" => assign_text(&mut self.detector_model, value),
            "pose-model" => assign_text(&mut self.pose_model, value),
            "rear-model" => assign_text(&mut self.rear_model, value),
            "models-dir" => assign_text(&mut self.models_dir, value),
            "mode" => assign(&mut self.mode, value),
            "detector-family" => assign(&mut self.detector_family, value),
            "pose-family" => assign(&mut self.pose_family, value),
            "detector-size" => assign(&mut self.detector_size, value),
            "onnxruntime-library" => assign_text(&mut self.onnxruntime_library, value),
            "intra-op-threads" => assign(&mut self.intra_op_threads, value),
            "execution-provider" => assign(&mut self.execution_provider, value),
            "device-id" => assign(&mut self.device_id, value),
            "cache-dir" => assign_text(&mut self.cache_dir, value),
            "share-models" => assign(&mut self.share_models, value),
            "max-batch" => assign(&mut self.max_batch, value),
            "pipeline-depth" => assign(&mut self.pipeline_depth, value),
            "async" => assign(&mut self.detached, value),
            "detection-interval" => assign(&mut self.detection_interval, value),
            "pose-interval" => assign(&mut self.pose_interval, value),
            "when-late" => assign(&mut self.when_late, value),
            "on-error" => assign(&mut self.on_error, value),
            "score-threshold" => assign(&mut self.score_threshold, value),
            "nms-iou" => assign(&mut self.nms_iou, value),
            "head-class" => assign(&mut self.head_class, value),
            "max-heads" => assign(&mut self.max_heads, value),
            "min-head-size" => assign(&mut self.min_head_size, value),
            "scaling" => assign(&mut self.scaling, value),
            "crop-mode" => assign(&mut self.crop_mode, value),
            "crop-margin" => assign(&mut self.crop_margin, value),
            "activation-angle" => assign(&mut self.activation_angle, value),
            "tracking" => assign(&mut self.tracking, value),
            "max-lost-time" => assign(&mut self.max_lost_time, value),
            "smoothing" => assign(&mut self.smoothing, value),
            "smoothing-cutoff" => assign(&mut self.smoothing_cutoff, value),
            "smoothing-beta" => assign(&mut self.smoothing_beta, value),
            "post-messages" => assign(&mut self.report.post_messages, value),
            "message-interval" => assign(&mut self.report.message_interval, value),
            "heads-from" => assign(&mut self.heads_from, value),
            "object-class" => assign_text(&mut self.interop.object_class, value),
            "meta-format" => assign(&mut self.interop.meta_format, value),
            _ => self.look.set(value, pspec),
        }
    }

    /// The value of the property `pspec`, `None` when it is none of the settings.
    pub fn get(&self, pspec: &glib::ParamSpec) -> Option<glib::Value> {
        Some(match pspec.name() {
            "detector-model" => self.detector_model.to_value(),
            "pose-model" => self.pose_model.to_value(),
            "rear-model" => self.rear_model.to_value(),
            "models-dir" => self.models_dir.to_value(),
            "mode" => self.mode.to_value(),
            "detector-family" => self.detector_family.to_value(),
            "pose-family" => self.pose_family.to_value(),
            "detector-size" => self.detector_size.to_value(),
            "onnxruntime-library" => self.onnxruntime_library.to_value(),
            "intra-op-threads" => self.intra_op_threads.to_value(),
            "execution-provider" => self.execution_provider.to_value(),
            "device-id" => self.device_id.to_value(),
            "cache-dir" => self.cache_dir.to_value(),
            "share-models" => self.share_models.to_value(),
            "max-batch" => self.max_batch.to_value(),
            "pipeline-depth" => self.pipeline_depth.to_value(),
            "async" => self.detached.to_value(),
            "detection-interval" => self.detection_interval.to_value(),
            "pose-interval" => self.pose_interval.to_value(),
            "when-late" => self.when_late.to_value(),
            "on-error" => self.on_error.to_value(),
            "score-threshold" => self.score_threshold.to_value(),
            "nms-iou" => self.nms_iou.to_value(),
            "head-class" => self.head_class.to_value(),
            "max-heads" => self.max_heads.to_value(),
            "min-head-size" => self.min_head_size.to_value(),
            "scaling" => self.scaling.to_value(),
            "crop-mode" => self.crop_mode.to_value(),
            "crop-margin" => self.crop_margin.to_value(),
            "activation-angle" => self.activation_angle.to_value(),
            "tracking" => self.tracking.to_value(),
            "max-lost-time" => self.max_lost_time.to_value(),
            "smoothing" => self.smoothing.to_value(),
            "smoothing-cutoff" => self.smoothing_cutoff.to_value(),
            "smoothing-beta" => self.smoothing_beta.to_value(),
            "post-messages" => self.report.post_messages.to_value(),
            "message-interval" => self.report.message_interval.to_value(),
            "heads-from" => self.heads_from.to_value(),
            "object-class" => self.interop.object_class.to_value(),
            "meta-format" => self.interop.meta_format.to_value(),
            _ => return self.look.get(pspec),
        })
    }
}

/// Whether a change of the property takes effect only when the element starts again.
pub(super) fn is_load_time(pspec: &glib::ParamSpec) -> bool {
    pspec.flags().contains(gst::PARAM_FLAG_MUTABLE_READY)
}

/// All properties, in the order in which gst-inspect-1.0 is to show them within their kind.
pub(super) fn specs() -> &'static [glib::ParamSpec] {
    static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let mut specs = load_time_specs();
        specs.extend(playing_specs());
        specs.extend(Settings::default().look.specs());
        specs.extend(read_only_specs());
        specs
    });
    &SPECS
}

fn load_time_specs() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    let path = |name, nick, blurb| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .mutable_ready()
            .build()
    };
    vec![
        path(
            "detector-model",
            "Detector Model",
            "Path of the head detector, an ONNX file (unset = the best one in models-dir)",
        ),
        path(
            "pose-model",
            "Pose Model",
            "Path of the pose model, an ONNX file (unset = the one in models-dir that mode chooses)",
        ),
        path(
            "rear-model",
            "Rear Model",
            "Path of a pose model that knows all sides (WHENet): it looks at every head first, and \
             pose-model only at those that it sees from the front (unset = pose-model alone)",
        ),
        path(
            "models-dir",
            "Models Directory",
            "Folder of the models that are not named (unset = the variable DMHEADPOSE_MODELS_DIR, \
             else the models folder of the build, else dmheadpose/models in the user's and the \
             system's data folders)",
        ),
        glib::ParamSpecEnum::builder_with_default("mode", defaults.mode)
            .nick("Mode")
            .blurb("Which pose model to take from models-dir when pose-model is unset")
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("detector-family", defaults.detector_family)
            .nick("Detector Family")
            .blurb(
                "Output contract of the detector; set it where the graph's signature is ambiguous: \
                 yolox-decoded is taken for yolox otherwise",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("pose-family", defaults.pose_family)
            .nick("Pose Family")
            .blurb(
                "Output contract of the pose model; set it where the graph's signature is ambiguous: \
                 6drepnet with 6D or angles, 3ddfa, 3ddfa-denormalised",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("detector-size")
            .nick("Detector Size")
            .blurb(
                "Longer side of the detector's input in pixels, for detectors that leave it open \
                 (YuNet, CenterFace): larger finds smaller heads and costs more",
            )
            .minimum(32)
            .maximum(4096)
            .default_value(defaults.detector_size)
            .mutable_ready()
            .build(),
        path(
            "onnxruntime-library",
            "ONNX Runtime Library",
            "Path of libonnxruntime.so, 1.17 or newer (unset = the variable ORT_DYLIB_PATH, else \
             beside the plugin, else where the system's loader looks). The first element of a \
             process decides for all",
        ),
        glib::ParamSpecEnum::builder_with_default("heads-from", defaults.heads_from)
            .nick("Heads From")
            .blurb("Who finds the heads; with roi-meta no detector is loaded")
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("intra-op-threads")
            .nick("Intra-op Threads")
            .blurb("Threads that work on one operator of a network (0 = the number of cores, at most 4)")
            .maximum(256)
            .default_value(defaults.intra_op_threads)
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("execution-provider", defaults.execution_provider)
            .nick("Execution Provider")
            .blurb(
                "What runs the networks; all but cpu need an ONNX Runtime that was built with it. \
                 active-provider tells what auto has chosen",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("device-id")
            .nick("Device ID")
            .blurb("Which of several devices of the execution provider")
            .default_value(defaults.device_id)
            .mutable_ready()
            .build(),
        path(
            "cache-dir",
            "Cache Directory",
            "Folder where providers that compile the networks for their device (tensorrt, openvino) \
             keep the result (unset = compile at each start)",
        ),
        glib::ParamSpecBoolean::builder("share-models")
            .nick("Share Models")
            .blurb(
                "Share loaded models with all other elements of the process that ask for the same file, \
                 provider and threads: less memory for many streams. They take turns, first come, first \
                 served",
            )
            .default_value(defaults.share_models)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("max-batch")
            .nick("Maximum Batch")
            .blurb("Heads that run through the pose model at once; more take several runs. Bounds the memory")
            .minimum(1)
            .maximum(64)
            .default_value(defaults.max_batch)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt::builder("pipeline-depth")
            .nick("Pipeline Depth")
            .blurb(
                "Frames that are worked on at once, each with models of its own; a frame leaves when so \
                 many less one have come after it. 1 = each frame leaves before the next is taken, \
                 0 = 2 for files (not live and seekable), else 1",
            )
            .maximum(16)
            .default_value(defaults.pipeline_depth)
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("async")
            .nick("Asynchronous")
            .blurb(
                "Let every frame go on at once with the newest result and its age, while a thread looks \
                 at the newest frame: no delay, however slow the networks are. pipeline-depth counts for \
                 nothing then",
            )
            .default_value(defaults.detached)
            .mutable_ready()
            .build(),
    ]
}

fn playing_specs() -> Vec<glib::ParamSpec> {
    let defaults = Settings::default();
    vec![
        glib::ParamSpecFloat::builder("score-threshold")
            .nick("Score Threshold")
            .blurb(
                "Heads must score above it, 0 to 1 (-1 = the detector family's own: post 0.2, \
                 rows 0.35, yunet 0.5, centerface 0.3, yolox 0.3, yolov8 0.25)",
            )
            .minimum(-1.0)
            .maximum(1.0)
            .default_value(defaults.score_threshold)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("nms-iou")
            .nick("NMS IoU")
            .blurb(
                "Of two boxes whose intersection over union is larger only the better one is kept, \
                 0 to 1 (families without NMS inside: yunet, centerface)",
            )
            .minimum(0.0)
            .maximum(1.0)
            .default_value(defaults.nms_iou)
            .mutable_playing()
            .build(),
        glib::ParamSpecInt::builder("head-class")
            .nick("Head Class")
            .blurb(
                "Class number of heads among the detector's classes (-1 = the family's own: rows 1, \
                 yolox and yolov8 1, or 0 if there is no other, post any)",
            )
            .minimum(-1)
            .default_value(defaults.head_class)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("max-heads")
            .nick("Maximum Heads")
            .blurb("Heads estimated in a frame at most; of more, those with the best scores")
            .minimum(1)
            .maximum(1024)
            .default_value(defaults.max_heads)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("min-head-size")
            .nick("Minimum Head Size")
            .blurb("Heads whose shorter side has fewer pixels are left out (0 = none)")
            .maximum(65_536)
            .default_value(defaults.min_head_size)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("scaling", defaults.scaling)
            .nick("Scaling")
            .blurb("How a frame is fitted into the detector's input")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("crop-mode", defaults.crop_mode)
            .nick("Crop Mode")
            .blurb("Margins of the pose model's crop around a head's box")
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("crop-margin")
            .nick("Crop Margin")
            .blurb(
                "Margin on each side as a share of the box's width and height, for crop-mode \
                 symmetric and square",
            )
            .minimum(0.0)
            .maximum(2.0)
            .default_value(defaults.crop_margin)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("activation-angle")
            .nick("Activation Angle")
            .blurb(
                "Largest yaw of the rear model, in degrees to either side, at which pose-model's \
                 answer counts; also where the seam flag is centred",
            )
            .minimum(0.0)
            .maximum(180.0)
            .default_value(defaults.activation_angle)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("detection-interval")
            .nick("Detection Interval")
            .blurb(
                "Run the detector on every so-manieth frame; between, boxes are predicted. Above 1, heads \
                 are followed as with tracking",
            )
            .minimum(1)
            .maximum(1000)
            .default_value(defaults.detection_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("pose-interval")
            .nick("Pose Interval")
            .blurb(
                "Estimate the pose of each head on every so-manieth frame; between, its last pose holds. \
                 Above 1, heads are followed as with tracking",
            )
            .minimum(1)
            .maximum(1000)
            .default_value(defaults.pose_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("when-late", defaults.when_late)
            .nick("When Late")
            .blurb("What to do when downstream says, by QoS events, that frames come too late")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("on-error", defaults.on_error)
            .nick("On Error")
            .blurb("What to do when a frame cannot be looked at")
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("tracking")
            .nick("Tracking")
            .blurb(
                "Follow heads from frame to frame: each gets a number from 1, and with rear-model a \
                 little hysteresis at activation-angle",
            )
            .default_value(defaults.tracking)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("max-lost-time")
            .nick("Maximum Lost Time")
            .blurb("A head that is not seen for longer is forgotten, in nanoseconds")
            .maximum(60_000_000_000)
            .default_value(defaults.max_lost_time)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("smoothing")
            .nick("Smoothing")
            .blurb(
                "Hold boxes and poses steadier, with a One-Euro filter for each head. Heads are followed \
                 for it, as with tracking",
            )
            .default_value(defaults.smoothing)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-cutoff")
            .nick("Smoothing Cutoff")
            .blurb(
                "Cutoff of the smoothing for a head that is still, in Hz: lower is steadier and takes \
                 longer to come to rest",
            )
            .minimum(0.01)
            .maximum(100.0)
            .default_value(defaults.smoothing_cutoff)
            .mutable_playing()
            .build(),
        glib::ParamSpecFloat::builder("smoothing-beta")
            .nick("Smoothing Beta")
            .blurb(
                "By how many Hz the cutoff rises with each degree per second that a head turns: higher \
                 lags less behind and smooths less",
            )
            .minimum(0.0)
            .maximum(10.0)
            .default_value(defaults.smoothing_beta)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("post-messages")
            .nick("Post Messages")
            .blurb(
                "Post an element message named dmheadpose for every inferred frame: the fields of \
                 DmHeadPoseMeta and the frame's timestamp, running-time and stream-time",
            )
            .default_value(defaults.report.post_messages)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("message-interval")
            .nick("Message Interval")
            .blurb(
                "Least running time between the frames of two messages, in nanoseconds (0 = a \
                 message for every inferred frame)",
            )
            .default_value(defaults.report.message_interval)
            .mutable_playing()
            .build(),
        glib::ParamSpecString::builder("object-class")
            .nick("Object Class")
            .blurb(
                "With heads-from=roi-meta, which regions and objects are heads: a list of their types \
                 with commas, such as head,face (unset: all)",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecFlags::builder::<DmHeadPoseMetaFormat>("meta-format")
            .nick("Meta Format")
            .blurb("Metas to attach to each frame")
            .default_value(defaults.interop.meta_format)
            .mutable_playing()
            .build(),
    ]
}

fn read_only_specs() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "Since the start: frames, inferred, gaps, heads and front-runs (counts; the last of \
                 heads that pose-model looked at); detector-input, detector, crops, pose, overlay \
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

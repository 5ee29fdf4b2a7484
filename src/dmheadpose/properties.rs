// SPDX-License-Identifier: MPL-2.0
//! What an application sets on `dmheadpose`, with its defaults, and what that means to the estimator.
//! `specs.rs` has ranges and documentation.

use std::path::PathBuf;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use super::metas::MetaSettings;
use super::options::{
    DmHeadPoseCropMode, DmHeadPoseDetectorFamily, DmHeadPoseExecutionProvider, DmHeadPoseHeadsFrom,
    DmHeadPoseMetaFormat, DmHeadPoseMode, DmHeadPoseOnError, DmHeadPosePoseFamily,
    DmHeadPoseScaling, DmHeadPoseWhenLate,
};
use super::report::ReportSettings;
use crate::estimator::catalog::{self, PoseModels};
use crate::estimator::detector::DetectorSettings;
use crate::estimator::error::Error;
use crate::estimator::notes::Notes;
use crate::estimator::onnx::{RuntimeOptions, SessionOptions};
use crate::estimator::track::one_euro::Smoothing;
use crate::estimator::{self, Config, pose};
use crate::overlay::{DmHeadPoseOverlayFlags, Look};
use crate::text;

/// What an application sets.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub detector_model: Option<PathBuf>,
    pub pose_model: Option<PathBuf>,
    pub rear_model: Option<PathBuf>,
    pub models_dir: Option<PathBuf>,
    pub mode: DmHeadPoseMode,
    pub detector_family: DmHeadPoseDetectorFamily,
    pub pose_family: DmHeadPosePoseFamily,
    pub detector_size: u32,
    pub onnxruntime_library: Option<PathBuf>,
    pub intra_op_threads: u32,
    pub execution_provider: DmHeadPoseExecutionProvider,
    pub device_id: u32,
    pub cache_dir: Option<PathBuf>,
    pub share_models: bool,
    pub max_batch: u32,
    pub pipeline_depth: u32,
    /// The property `async`.
    pub is_async: bool,
    pub detection_interval: u32,
    pub pose_interval: u32,
    pub rear_interval: u32,
    pub when_late: DmHeadPoseWhenLate,
    pub on_error: DmHeadPoseOnError,
    pub score_threshold: f32,
    pub nms_iou: f32,
    pub head_class: i32,
    pub max_heads: u32,
    pub min_head_size: u32,
    pub scaling: DmHeadPoseScaling,
    pub crop_mode: DmHeadPoseCropMode,
    pub crop_margin: f32,
    pub activation_angle: f32,
    pub tracking: bool,
    pub max_lost_time: u64,
    pub smoothing: bool,
    pub smoothing_cutoff: f32,
    pub smoothing_beta: f32,
    pub report: ReportSettings,
    pub heads_from: DmHeadPoseHeadsFrom,
    pub metas: MetaSettings,
    pub look: Look,
}

impl Default for Settings {
    fn default() -> Self {
        let frame = estimator::Settings::DEFAULT;
        Self {
            detector_model: None,
            pose_model: None,
            rear_model: None,
            models_dir: None,
            mode: DmHeadPoseMode::default(),
            detector_family: DmHeadPoseDetectorFamily::default(),
            pose_family: DmHeadPosePoseFamily::default(),
            detector_size: 0,
            onnxruntime_library: None,
            intra_op_threads: 0,
            execution_provider: DmHeadPoseExecutionProvider::default(),
            device_id: 0,
            cache_dir: None,
            share_models: false,
            max_batch: pose::MAX_BATCH as u32,
            pipeline_depth: 0,
            is_async: false,
            detection_interval: frame.detection_interval,
            pose_interval: frame.pose_interval,
            rear_interval: frame.rear_interval,
            when_late: DmHeadPoseWhenLate::default(),
            on_error: DmHeadPoseOnError::default(),
            score_threshold: -1.0,
            nms_iou: frame.detector.nms_iou,
            head_class: -1,
            max_heads: frame.max_heads as u32,
            min_head_size: frame.min_head_size,
            scaling: DmHeadPoseScaling::default(),
            crop_mode: DmHeadPoseCropMode::default(),
            crop_margin: 0.2,
            activation_angle: -1.0,
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
            metas: MetaSettings {
                object_class: None,
                format: DmHeadPoseMetaFormat::CUSTOM,
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
            activation_angle: Some(self.activation_angle).filter(|&angle| angle >= 0.0),
            // A head must be known again before it can be held steady, or left alone for a frame.
            tracking: (self.tracking
                || self.smoothing
                || self.detection_interval > 1
                || self.pose_interval > 1)
                .then(|| Duration::from_nanos(self.max_lost_time)),
            detection_interval: self.detection_interval,
            pose_interval: self.pose_interval,
            rear_interval: self.rear_interval,
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
        fn assign_path(field: &mut Option<PathBuf>, value: &glib::Value) {
            assign(field, value);
            field.take_if(|path| path.as_os_str().is_empty());
        }
        match pspec.name() {
            "detector-model" => assign_path(&mut self.detector_model, value),
            "pose-model" => assign_path(&mut self.pose_model, value),
            "rear-model" => assign_path(&mut self.rear_model, value),
            "models-dir" => assign_path(&mut self.models_dir, value),
            "mode" => assign(&mut self.mode, value),
            "detector-family" => assign(&mut self.detector_family, value),
            "pose-family" => assign(&mut self.pose_family, value),
            "detector-size" => assign(&mut self.detector_size, value),
            "onnxruntime-library" => assign_path(&mut self.onnxruntime_library, value),
            "intra-op-threads" => assign(&mut self.intra_op_threads, value),
            "execution-provider" => assign(&mut self.execution_provider, value),
            "device-id" => assign(&mut self.device_id, value),
            "cache-dir" => assign_path(&mut self.cache_dir, value),
            "share-models" => assign(&mut self.share_models, value),
            "max-batch" => assign(&mut self.max_batch, value),
            "pipeline-depth" => assign(&mut self.pipeline_depth, value),
            "async" => assign(&mut self.is_async, value),
            "detection-interval" => assign(&mut self.detection_interval, value),
            "pose-interval" => assign(&mut self.pose_interval, value),
            "rear-interval" => assign(&mut self.rear_interval, value),
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
            "object-class" => {
                if let Some(class) = text::of_property(value, pspec) {
                    self.metas.object_class = class;
                }
            }
            "meta-format" => assign(&mut self.metas.format, value),
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
            "async" => self.is_async.to_value(),
            "detection-interval" => self.detection_interval.to_value(),
            "pose-interval" => self.pose_interval.to_value(),
            "rear-interval" => self.rear_interval.to_value(),
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
            "object-class" => self.metas.object_class.to_value(),
            "meta-format" => self.metas.format.to_value(),
            _ => return self.look.get(pspec),
        })
    }
}

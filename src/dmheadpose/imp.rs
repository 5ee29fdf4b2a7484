// SPDX-License-Identifier: MPL-2.0
//! The element's GObject and BaseTransform side: properties, start and stop, caps, buffers.

use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use super::properties::{self, Settings};
use super::stats::Stats;
use crate::estimator::error::Error;
use crate::estimator::runtime::{RuntimeOptions, Severity};
use crate::estimator::{self, HeadPoseEstimator};
use crate::headposemeta::{HeadPoses, Source};
use crate::overlay::{Look, Overlay};
use crate::sync::lock;
use crate::video;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "dmheadpose",
        gst::DebugColorFlags::empty(),
        Some("Head detection and head-pose estimation"),
    )
});

static ORT_CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "dmheadpose-ort",
        gst::DebugColorFlags::empty(),
        Some("Messages of ONNX Runtime"),
    )
});

/// What exists between start and stop.
struct State {
    estimator: HeadPoseEstimator,
    overlay: Overlay,
    info: Option<gst_video::VideoInfo>,
}

/// What `stats` and `active-provider` tell of the loaded models.
struct Loaded {
    detector_model: String,
    pose_model: String,
    rear_model: Option<String>,
    onnxruntime: String,
    provider: &'static str,
}

// `state` may be held while one of the others is taken, for a moment; nothing else nests.
#[derive(Default)]
pub struct DmHeadPose {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
    stats: Mutex<Stats>,
    loaded: Mutex<Option<Loaded>>,
}

/// Why a buffer was not processed.
enum Failure {
    /// The process exits under us: nobody is left to tell.
    Exiting,
    Message(gst::ErrorMessage),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Exiting => Self::Exiting,
            error => Self::Message(video::error_message(&error)),
        }
    }
}

impl From<gst::ErrorMessage> for Failure {
    fn from(message: gst::ErrorMessage) -> Self {
        Self::Message(message)
    }
}

impl DmHeadPose {
    /// Loads the models. Slow: holds no lock.
    fn load(&self) -> Result<State, gst::ErrorMessage> {
        let plugin = self.obj().factory().and_then(|factory| factory.plugin());
        let beside = plugin
            .and_then(|plugin| plugin.filename())
            .and_then(|file| file.parent().map(PathBuf::from));
        let settings = lock(&self.settings).clone();
        let runtime = RuntimeOptions {
            library: None,
            beside,
            log: log_runtime,
            log_from: runtime_severity(),
        };
        let to_message = |error| video::error_message(&error);
        let config = settings.config(runtime).map_err(to_message)?;
        let estimator = HeadPoseEstimator::load(&config).map_err(to_message)?;
        let runtime = estimator.runtime();
        if let Some(wanted) = &config.runtime.library
            && std::path::absolute(wanted).ok().as_deref() != Some(runtime.library())
        {
            gst::warning!(
                CAT,
                imp = self,
                "onnxruntime-library {} is ignored: this process has loaded {} already",
                wanted.display(),
                runtime.library().display()
            );
        }
        let overlay = Overlay::new()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Init, ("{error}")))?;
        Ok(State {
            estimator,
            overlay,
            info: None,
        })
    }

    /// Finds the heads, draws them if asked to, and puts them on the buffer.
    fn process(
        &self,
        state: &mut State,
        settings: &estimator::Settings,
        look: &Look,
        buffer: &mut gst::BufferRef,
    ) -> Result<(), Failure> {
        let State {
            estimator,
            overlay,
            info,
        } = state;
        let info = info
            .as_ref()
            .ok_or_else(|| gst::error_msg!(gst::CoreError::Negotiation, ("no caps yet")))?;

        let start = Instant::now();
        let heads = {
            // Readable: a frame that others hold as well is not copied.
            let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info)
                .map_err(|error| video::map_error("reading", info, &error))?;
            let time = buffer.pts().map(Into::into);
            estimator.process(&video::view(&frame)?, time, settings)?
        };
        let inference_time = start.elapsed();

        let start = Instant::now();
        overlay.draw(heads, inference_time, look, info, buffer)?;
        let drawing_time = start.elapsed();

        let poses = HeadPoses {
            width: info.width(),
            height: info.height(),
            source: Source::Inferred,
            age: gst::ClockTime::ZERO,
            inference_time: gst::ClockTime::try_from(inference_time)
                .unwrap_or(gst::ClockTime::ZERO),
            heads: heads.to_vec(),
        };
        poses
            .attach(buffer)
            .map_err(|error| gst::error_msg!(gst::StreamError::Failed, ("{error}")))?;

        let times = estimator.times();
        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {times:?}",
            buffer.pts().display(),
            poses.heads.len()
        );
        for head in &poses.heads {
            gst::trace!(CAT, imp = self, "{head:?}");
        }
        let front_runs = estimator.pose().front_runs();
        lock(&self.stats).add(poses.heads.len(), front_runs, &times, drawing_time);
        Ok(())
    }

    fn stats_structure(&self) -> gst::Structure {
        let mut structure = lock(&self.stats).to_structure();
        if let Some(loaded) = &*lock(&self.loaded) {
            structure.set("detector-model", &loaded.detector_model);
            structure.set("pose-model", &loaded.pose_model);
            structure.set("rear-model", &loaded.rear_model);
            structure.set("onnxruntime", &loaded.onnxruntime);
            structure.set("active-provider", loaded.provider);
        }
        structure
    }
}

/// ONNX Runtime has one logger a process, so its messages belong to no element.
fn log_runtime(severity: Severity, message: &str) {
    match severity {
        Severity::Debug => gst::debug!(ORT_CAT, "{message}"),
        Severity::Info => gst::info!(ORT_CAT, "{message}"),
        Severity::Warning => gst::warning!(ORT_CAT, "{message}"),
        Severity::Error => gst::error!(ORT_CAT, "{message}"),
    }
}

/// How much of ONNX Runtime's talk anybody wants to see.
fn runtime_severity() -> Severity {
    match ORT_CAT.threshold() {
        level if level >= gst::DebugLevel::Debug => Severity::Debug,
        gst::DebugLevel::Info => Severity::Info,
        gst::DebugLevel::Warning | gst::DebugLevel::Fixme => Severity::Warning,
        _ => Severity::Error,
    }
}

#[glib::object_subclass]
impl ObjectSubclass for DmHeadPose {
    const NAME: &'static str = "GstDmHeadPose";
    type Type = super::DmHeadPose;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for DmHeadPose {
    fn properties() -> &'static [glib::ParamSpec] {
        properties::specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        lock(&self.settings).set(value, pspec);
        let name = pspec.name();
        if properties::is_load_time(pspec) && lock(&self.loaded).is_some() {
            gst::warning!(CAT, imp = self, "{name} takes effect at the next start");
        }
        gst::info!(CAT, imp = self, "{name} is now {value:?}");
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "stats" => self.stats_structure().to_value(),
            "active-provider" => {
                let loaded = lock(&self.loaded);
                loaded.as_ref().map(|loaded| loaded.provider).to_value()
            }
            _ => {
                let value = lock(&self.settings).get(pspec);
                value.unwrap_or_else(|| pspec.default_value().clone())
            }
        }
    }
}

impl GstObjectImpl for DmHeadPose {}

impl ElementImpl for DmHeadPose {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Head Pose Estimator",
                "Filter/Analyzer/Video",
                "Detects heads, also from behind, and estimates yaw, pitch and roll of each; \
                 attaches DmHeadPoseMeta to every buffer and draws on request",
                env!("CARGO_PKG_AUTHORS"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(video::pad_templates);
        &TEMPLATES
    }
}

impl BaseTransformImpl for DmHeadPose {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    // In passthrough the buffer is not ours to put a meta on.
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let state = self.load()?;
        let (detector, pose) = (state.estimator.detector(), state.estimator.pose());
        let runtime = state.estimator.runtime();
        let loaded = Loaded {
            detector_model: detector.path().display().to_string(),
            pose_model: pose.front().path().display().to_string(),
            rear_model: pose.rear().map(|rear| rear.path().display().to_string()),
            onnxruntime: format!("{} {}", runtime.version(), runtime.library().display()),
            provider: "cpu",
        };
        gst::info!(
            CAT,
            imp = self,
            "Started: {} detector {}, {} pose model {}, rear model {}, ONNX Runtime {}",
            detector.family(),
            loaded.detector_model,
            pose.front().family(),
            loaded.pose_model,
            loaded.rear_model.as_deref().unwrap_or("none"),
            loaded.onnxruntime
        );
        *lock(&self.stats) = Stats::default();
        *lock(&self.loaded) = Some(loaded);
        *lock(&self.state) = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let state = lock(&self.state).take();
        drop(state);
        *lock(&self.loaded) = None;
        gst::info!(CAT, imp = self, "Stopped");
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "Not video caps: {incaps}"))?;
        gst::debug!(CAT, imp = self, "Caps {incaps}");
        if let Some(state) = &mut *lock(&self.state) {
            state.info = Some(info);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if let gst::EventView::FlushStop(_) = event.view()
            && let Some(state) = &mut *lock(&self.state)
        {
            state.estimator.reset_tracks();
        }
        self.parent_sink_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        lock(&self.stats).frames += 1;
        if buffer.flags().contains(gst::BufferFlags::GAP) {
            lock(&self.stats).gaps += 1;
            return Ok(gst::FlowSuccess::Ok);
        }
        let (settings, look) = {
            let settings = lock(&self.settings);
            (settings.frame_settings(), settings.look)
        };
        let result = match &mut *lock(&self.state) {
            Some(state) => {
                if buffer.flags().contains(gst::BufferFlags::DISCONT) {
                    state.estimator.reset_tracks();
                }
                self.process(state, &settings, &look, buffer)
            }
            None => return Err(gst::FlowError::Flushing),
        };
        match result {
            Ok(()) => Ok(gst::FlowSuccess::Ok),
            Err(Failure::Exiting) => Err(gst::FlowError::Flushing),
            Err(Failure::Message(message)) => {
                self.post_error_message(message);
                Err(gst::FlowError::Error)
            }
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The element's GObject and BaseTransform side: properties, start and stop, caps, buffers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::base_transform::GenerateOutputSuccess;
use gst_base::subclass::prelude::*;

use super::engine::{Engine, Output};
use super::failure::Failure;
use super::interop::{KnownHeads, Writer};
use super::properties::{self, Settings};
use super::report::{self, Reporter};
use super::stats::Stats;
use crate::estimator::detector::Detector;
use crate::estimator::runtime::{RuntimeOptions, Severity};
use crate::estimator::{Config, HeadPoseEstimator};
use crate::headposemeta::{HeadPoses, Source};
use crate::overlay::{Downstream, Look, Overlay};
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
    engine: Engine,
    /// What the engine loads for more frames at once.
    config: Config,
    /// Frames at once; `None`: to be decided when it is known what the stream comes from.
    depth: Option<usize>,
    overlay: Overlay,
    writer: Writer,
    info: Option<gst_video::VideoInfo>,
}

/// What `stats` and `active-provider` tell of the loaded models.
struct Loaded {
    detector_model: Option<String>,
    pose_model: String,
    rear_model: Option<String>,
    families: String,
    onnxruntime: String,
    provider: &'static str,
    /// Frames in flight at once.
    depth: usize,
    frame_duration: gst::ClockTime,
}

// `state` may be held while one of the others is taken, for a moment; nothing else nests.
#[derive(Default)]
pub struct DmHeadPose {
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
    stats: Mutex<Stats>,
    reporter: Reporter,
    loaded: Mutex<Option<Loaded>>,
    /// What pushing outside of the base class came to, for the next buffer to tell upstream.
    drained: Mutex<Option<gst::FlowError>>,
    downstream: Downstream,
    /// It was said since the start that there are no analytics metas.
    warned: AtomicBool,
}

/// A frame's duration where the caps do not tell.
const FRAME_TIME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

impl DmHeadPose {
    /// Loads the models. Slow: holds no lock.
    fn load(&self) -> Result<(State, Loaded), gst::ErrorMessage> {
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
        let mut loaded = Loaded::new(&estimator);
        let mut state = State {
            engine: Engine::new(estimator),
            config,
            depth: settings.depth(),
            overlay,
            writer: Writer::default(),
            info: None,
        };
        if let Some(depth) = state.depth {
            let deepened = state.engine.deepen(depth, &state.config);
            deepened.map_err(to_message)?;
            loaded.depth = depth;
        }
        Ok((state, loaded))
    }

    /// Chooses how many frames are in flight at once where that was left open: a file can wait, and is done
    /// sooner; a live stream and an application that pushes frame by frame want each frame back at once.
    fn choose_depth(&self) {
        let Some(upstream) = self.obj().sink_pad().peer() else {
            return;
        };
        let mut latency = gst::query::Latency::new();
        let live = upstream.query(&mut latency) && latency.result().0;
        let mut seeking = gst::query::Seeking::new(gst::Format::Time);
        let seekable = upstream.query(&mut seeking) && seeking.result().0;
        let several = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        let depth = if !live && seekable && several { 2 } else { 1 };
        let mut state = lock(&self.state);
        let Some(state) = &mut *state else { return };
        if state.depth.replace(depth).is_some() {
            return;
        }
        match state.engine.deepen(depth, &state.config) {
            Ok(()) => {
                gst::info!(CAT, imp = self, "Frames in flight: {depth}");
                if let Some(loaded) = &mut *lock(&self.loaded) {
                    loaded.depth = depth;
                }
            }
            Err(error) => {
                gst::warning!(
                    CAT,
                    imp = self,
                    "Goes on one frame after the other: {error}"
                );
            }
        }
    }

    /// Puts what was found on the buffer, and draws it if asked to.
    fn finish(
        &self,
        state: &mut State,
        output: Output,
        look: &Look,
        compose: bool,
    ) -> Result<gst::Buffer, Failure> {
        let Output { mut buffer, found } = output;
        let Some(found) = found else {
            return Ok(buffer);
        };
        let found = found?;
        let State {
            overlay,
            writer,
            info,
            ..
        } = state;
        let info = info
            .as_ref()
            .ok_or_else(|| gst::error_msg!(gst::CoreError::Negotiation, ("no caps yet")))?;
        let inference_time = found.times.total();
        let meta_format = lock(&self.settings).interop.meta_format;
        let writable = buffer.make_mut();

        let mut poses = HeadPoses {
            width: info.width(),
            height: info.height(),
            source: Source::Inferred,
            age: gst::ClockTime::ZERO,
            inference_time: gst::ClockTime::try_from(inference_time)
                .unwrap_or(gst::ClockTime::ZERO),
            heads: found.heads,
        };
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>();
        let now = segment.and_then(|segment| segment.to_running_time(writable.pts()));
        writer
            .attach(&mut poses, found.known, meta_format, now, writable)
            .map_err(|error| gst::error_msg!(gst::StreamError::Failed, ("{error}")))?;

        let start = Instant::now();
        overlay.draw(&poses, look, compose, info, writable)?;
        let drawing_time = start.elapsed();

        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {:?}",
            buffer.pts().display(),
            poses.heads.len(),
            found.times
        );
        for head in &poses.heads {
            gst::trace!(CAT, imp = self, "{head:?}");
        }
        lock(&self.stats).add(
            poses.heads.len(),
            found.front_runs,
            &found.times,
            drawing_time,
        );
        Ok(buffer)
    }

    /// The next buffer that is to go downstream; see [`Engine::pop`].
    fn next_output(&self, drain: bool) -> Option<Result<gst::Buffer, gst::FlowError>> {
        let output = lock(&self.state).as_mut()?.engine.pop(drain)?;
        let look = lock(&self.settings).look.clone();
        let draws = output.found.is_some() && look.draws();
        let compose = draws && self.downstream.draws_compositions(&*self.obj());
        let result = {
            let mut state = lock(&self.state);
            self.finish(state.as_mut()?, output, &look, compose)
        };
        if let Ok(buffer) = &result {
            let settings = lock(&self.settings).report;
            self.reporter.report(&self.obj(), settings, buffer);
        }
        Some(result.map_err(|failure| match failure {
            Failure::Exiting => gst::FlowError::Flushing,
            Failure::Message(message) => {
                self.post_error_message(message);
                gst::FlowError::Error
            }
        }))
    }

    /// Sends all buffers on that are still in flight: what comes next must not overtake them.
    fn drain(&self) {
        while let Some(output) = self.next_output(true) {
            let pushed = output.and_then(|buffer| self.obj().src_pad().push(buffer));
            if let Err(error) = pushed {
                *lock(&self.drained) = Some(error);
            }
        }
    }

    fn stats_structure(&self) -> gst::Structure {
        let mut structure = lock(&self.stats).to_structure();
        if let Some(loaded) = &*lock(&self.loaded) {
            structure.set("detector-model", &loaded.detector_model);
            structure.set("pose-model", &loaded.pose_model);
            structure.set("rear-model", &loaded.rear_model);
            structure.set("onnxruntime", &loaded.onnxruntime);
            structure.set("active-provider", loaded.provider);
            structure.set("pipeline-depth", loaded.depth as u32);
        }
        structure
    }
}

impl Loaded {
    fn new(estimator: &HeadPoseEstimator) -> Self {
        let (detector, pose) = (estimator.detector(), estimator.pose());
        let runtime = estimator.runtime();
        Self {
            detector_model: detector.map(|detector| detector.path().display().to_string()),
            pose_model: pose.front().path().display().to_string(),
            rear_model: pose.rear().map(|rear| rear.path().display().to_string()),
            families: format!(
                "{} detector, {} pose model",
                detector.map_or("no", Detector::family),
                pose.front().family()
            ),
            onnxruntime: format!("{} {}", runtime.version(), runtime.library().display()),
            provider: pose.front().provider().name(),
            depth: 1,
            frame_duration: FRAME_TIME,
        }
    }

    /// How long a buffer waits for those after it.
    fn latency(&self) -> gst::ClockTime {
        self.frame_duration * (self.depth as u64 - 1)
    }
}

fn frame_duration(info: &gst_video::VideoInfo) -> gst::ClockTime {
    let fps = info.fps();
    let (numer, denom) = (u64::try_from(fps.numer()), u64::try_from(fps.denom()));
    match (numer, denom) {
        (Ok(numer), Ok(denom)) if numer > 0 => gst::ClockTime::SECOND
            .mul_div_ceil(denom, numer)
            .unwrap_or(FRAME_TIME),
        _ => FRAME_TIME,
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
    fn signals() -> &'static [glib::subclass::Signal] {
        report::signals()
    }

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
        let (state, loaded) = self.load()?;
        gst::info!(
            CAT,
            imp = self,
            "Started: {}; detector {}, pose model {}, rear model {}, ONNX Runtime {} on {}, {} at once",
            loaded.families,
            loaded.detector_model.as_deref().unwrap_or("none"),
            loaded.pose_model,
            loaded.rear_model.as_deref().unwrap_or("none"),
            loaded.onnxruntime,
            loaded.provider,
            loaded.depth
        );
        *lock(&self.stats) = Stats::default();
        self.reporter.reset();
        self.warned.store(false, Ordering::Relaxed);
        // The end of the last stream may have met a downstream that flushed.
        *lock(&self.drained) = None;
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
        if let Some(loaded) = &mut *lock(&self.loaded) {
            loaded.frame_duration = frame_duration(&info);
        }
        if let Some(state) = &mut *lock(&self.state) {
            state.info = Some(info);
        }
        self.choose_depth();
        self.downstream.forget();
        Ok(())
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::Reconfigure {
            self.downstream.forget();
        }
        self.parent_src_event(event)
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if let gst::EventView::FlushStop(_) = event.view() {
            if let Some(state) = &mut *lock(&self.state) {
                state.engine.discard();
                state.engine.reset_tracks();
            }
            *lock(&self.drained) = None;
        } else if event.is_serialized() {
            self.drain();
        }
        self.parent_sink_event(event)
    }

    fn query(&self, direction: gst::PadDirection, query: &mut gst::QueryRef) -> bool {
        if direction == gst::PadDirection::Sink && query.is_serialized() {
            self.drain();
        }
        if !BaseTransformImplExt::parent_query(self, direction, query) {
            return false;
        }
        if direction == gst::PadDirection::Src
            && let gst::QueryViewMut::Latency(query) = query.view_mut()
        {
            let (live, min, max) = query.result();
            let loaded = lock(&self.loaded);
            let own = loaded.as_ref().map(Loaded::latency).unwrap_or_default();
            query.set(live, min + own, max.map(|max| max + own));
        }
        true
    }

    fn submit_input_buffer(
        &self,
        is_discont: bool,
        buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        // Not `is_discont`: the base class keeps that up until it has pushed a buffer, which is some frames
        // later when several are in flight, and after each frame that it dropped for QoS.
        if buffer.flags().contains(gst::BufferFlags::DISCONT) {
            self.drain();
            if let Some(state) = &mut *lock(&self.state) {
                state.engine.reset_tracks();
            }
        }
        if let Some(error) = lock(&self.drained).take() {
            return Err(error);
        }
        self.parent_submit_input_buffer(is_discont, buffer)
    }

    fn generate_output(&self) -> Result<GenerateOutputSuccess, gst::FlowError> {
        if let Some(buffer) = self.take_queued_buffer() {
            lock(&self.stats).frames += 1;
            let (settings, interop) = {
                let settings = lock(&self.settings);
                (settings.frame_settings(), settings.interop.clone())
            };
            interop.warn_of_missing(&self.obj(), &self.warned);
            let mut state = lock(&self.state);
            let State {
                engine,
                config,
                info,
                ..
            } = state.as_mut().ok_or(gst::FlowError::Flushing)?;
            if buffer.flags().contains(gst::BufferFlags::GAP) {
                lock(&self.stats).gaps += 1;
                engine.pass(buffer);
            } else {
                let info = info.as_ref().ok_or(gst::FlowError::NotNegotiated)?;
                let upstream = config.detector_model.is_none();
                let known = upstream.then(|| KnownHeads::read(&buffer, &interop));
                engine.infer(buffer, info, &settings, known);
            }
        }
        match self.next_output(false) {
            Some(buffer) => buffer.map(GenerateOutputSuccess::Buffer),
            None => Ok(GenerateOutputSuccess::NoOutput),
        }
    }
}

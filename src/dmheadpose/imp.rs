// SPDX-License-Identifier: MPL-2.0
//! The element's GObject and BaseTransform side: properties, start and stop, caps, buffers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::base_transform::GenerateOutputSuccess;
use gst_base::subclass::prelude::*;

use super::engine::{Engine, Found, Late, Outcome, Output};
use super::failure::Failure;
use super::held::{Held, Lateness};
use super::interop::{KnownHeads, Writer};
use super::loaded::{Loaded, frame_duration};
use super::options::{DmHeadPoseOnError, DmHeadPoseWhenLate};
use super::properties::{self, Settings};
use super::report::{self, Reporter};
use super::runtime_log;
use super::stats::Stats;
use crate::estimator::runtime::RuntimeOptions;
use crate::estimator::{Config, HeadPoseEstimator};
use crate::headposemeta::HeadPoses;
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

/// What exists between start and stop.
struct State {
    engine: Engine,
    /// What the engine loads for more frames at once.
    config: Config,
    /// Frames at once; `None`: to be decided when it is known what the stream comes from.
    depth: Option<usize>,
    overlay: Overlay,
    writer: Writer,
    held: Held,
    /// The last inference failed.
    failing: bool,
    info: Option<gst_video::VideoInfo>,
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
    lateness: Lateness,
}

/// A buffer that is ready to go downstream.
struct Done {
    buffer: gst::Buffer,
    /// It is the first to carry its result.
    fresh: bool,
    warning: Option<String>,
}

impl Done {
    fn untouched(buffer: gst::Buffer) -> Self {
        Self {
            buffer,
            fresh: false,
            warning: None,
        }
    }
}

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
            log: runtime_log::log,
            log_from: runtime_log::severity(),
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
            held: Held::default(),
            failing: false,
            info: None,
        };
        if settings.detached {
            state.depth = Some(1);
            state.engine.detach(&state.config).map_err(to_message)?;
        } else if let Some(depth) = state.depth {
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

    /// What was found in a frame of this size, as it goes onto buffers.
    fn poses(found: &Found, (width, height): (u32, u32)) -> HeadPoses {
        HeadPoses {
            width,
            height,
            source: found.source,
            age: gst::ClockTime::ZERO,
            inference_time: gst::ClockTime::try_from(found.times.total())
                .unwrap_or(gst::ClockTime::ZERO),
            heads: found.heads.clone(),
        }
    }

    /// Keeps what a thread has found in a frame that has gone on.
    fn remember(&self, state: &mut State, late: Late) -> Result<(), Failure> {
        let found = late.found?;
        state
            .held
            .keep(Self::poses(&found, late.size), late.pts, true);
        lock(&self.stats).add(&found, Duration::ZERO);
        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {:?}",
            late.pts.display(),
            found.heads.len(),
            found.times
        );
        Ok(())
    }

    /// Puts what was found, or what holds, on the buffer, and draws it if asked to.
    fn finish(
        &self,
        state: &mut State,
        output: Output,
        look: &Look,
        compose: bool,
    ) -> Result<Done, Failure> {
        let Output {
            mut buffer,
            outcome,
        } = output;
        let (meta_format, on_error) = {
            let settings = lock(&self.settings);
            (settings.interop.meta_format, settings.on_error)
        };
        let mut warning = None;
        let mut found = match outcome {
            Outcome::Passed => return Ok(Done::untouched(buffer)),
            Outcome::Inferred(Ok(found)) => Some(found),
            Outcome::Held => None,
            Outcome::Inferred(Err(Failure::Message { text, .. }))
                if on_error == DmHeadPoseOnError::Hold =>
            {
                let mut stats = lock(&self.stats);
                stats.errors += 1;
                // The first of a row: a broken provider fails at every frame.
                warning = (!std::mem::replace(&mut state.failing, true)).then_some(text);
                None
            }
            Outcome::Inferred(Err(failure)) => return Err(failure),
        };
        let State {
            overlay,
            writer,
            held,
            info,
            failing,
            ..
        } = state;
        let info = info
            .as_ref()
            .ok_or_else(|| gst::error_msg!(gst::CoreError::Negotiation, ("no caps yet")))?;
        let (pts, size) = (buffer.pts(), (info.width(), info.height()));
        let (mut poses, known, fresh) = match &mut found {
            Some(found) => {
                *failing = false;
                let poses = Self::poses(found, size);
                held.keep(poses.clone(), pts, false);
                (poses, std::mem::take(&mut found.known), true)
            }
            None => {
                lock(&self.stats).held += 1;
                let Some((poses, fresh)) = held.at(pts, size) else {
                    return Ok(Done {
                        warning,
                        ..Done::untouched(buffer)
                    });
                };
                (poses, KnownHeads::default(), fresh)
            }
        };
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>();
        let now = segment.and_then(|segment| segment.to_running_time(pts));
        let writable = buffer.make_mut();
        writer
            .attach(&mut poses, known, meta_format, now, writable)
            .map_err(|error| gst::error_msg!(gst::StreamError::Failed, ("{error}")))?;

        let start = Instant::now();
        overlay.draw(&poses, look, compose, info, writable)?;
        let drawing_time = start.elapsed();

        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {:?}, {} old, {:?}",
            pts.display(),
            poses.heads.len(),
            poses.source,
            poses.age,
            found.as_ref().map(|found| found.times)
        );
        for head in &poses.heads {
            gst::trace!(CAT, imp = self, "{head:?}");
        }
        if let Some(found) = &found {
            lock(&self.stats).add(found, drawing_time);
        }
        Ok(Done {
            buffer,
            fresh,
            warning,
        })
    }

    /// The next buffer that is to go downstream; see [`Engine::pop`].
    fn next_output(&self, drain: bool) -> Option<Result<gst::Buffer, gst::FlowError>> {
        let output = lock(&self.state).as_mut()?.engine.pop(drain)?;
        let look = lock(&self.settings).look.clone();
        let draws = !matches!(output.outcome, Outcome::Passed) && look.draws();
        let compose = draws && self.downstream.draws_compositions(&*self.obj());
        let result = {
            let mut state = lock(&self.state);
            self.finish(state.as_mut()?, output, &look, compose)
        };
        Some(match result {
            Ok(done) => {
                if let Some(warning) = done.warning {
                    gst::element_imp_warning!(self, gst::StreamError::Failed, ("{warning}"));
                }
                if done.fresh {
                    let settings = lock(&self.settings).report;
                    self.reporter.report(&self.obj(), settings, &done.buffer);
                }
                Ok(done.buffer)
            }
            Err(failure) => Err(self.fail(failure)),
        })
    }

    /// Tells the bus.
    fn fail(&self, failure: Failure) -> gst::FlowError {
        match failure {
            Failure::Exiting => gst::FlowError::Flushing,
            Failure::Message { message, .. } => {
                self.post_error_message(message);
                gst::FlowError::Error
            }
        }
    }

    /// Gives a buffer to the engine, and takes what it has found since.
    fn take(&self, buffer: gst::Buffer) -> Result<(), Failure> {
        let settings = lock(&self.settings).clone();
        settings.interop.warn_of_missing(&self.obj(), &self.warned);
        let mut state = lock(&self.state);
        let state = state.as_mut().ok_or(Failure::Exiting)?;
        if let Some(late) = state.engine.late()
            && let Err(failure) = self.remember(state, late)
        {
            // As for any frame: `finish` decides what an error is to do.
            state.engine.fail(buffer, failure);
            return Ok(());
        }
        if buffer.flags().contains(gst::BufferFlags::GAP) {
            lock(&self.stats).gaps += 1;
            state.engine.pass(buffer);
            return Ok(());
        }
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>();
        let running_time = segment.and_then(|segment| segment.to_running_time(buffer.pts()));
        if settings.when_late == DmHeadPoseWhenLate::Hold
            && self.lateness.is_late(running_time)
            && state.held.suffices(buffer.pts())
        {
            lock(&self.stats).late += 1;
            state.engine.hold(buffer);
            return Ok(());
        }
        if state.engine.is_busy() {
            lock(&self.stats).busy += 1;
            state.engine.hold(buffer);
            return Ok(());
        }
        let info = state
            .info
            .as_ref()
            .ok_or_else(|| gst::error_msg!(gst::CoreError::Negotiation, ("no caps yet")))?;
        let upstream = state.config.detector_model.is_none();
        let known = upstream.then(|| KnownHeads::read(&buffer, &settings.interop));
        let frame_settings = settings.frame_settings();
        state.engine.infer(buffer, info, &frame_settings, known);
        Ok(())
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
        self.lateness.forget();
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
        match event.view() {
            gst::EventView::Reconfigure(_) => self.downstream.forget(),
            gst::EventView::Qos(qos) => self.lateness.update(qos),
            _ => {}
        }
        self.parent_src_event(event)
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if let gst::EventView::FlushStop(_) = event.view() {
            if let Some(state) = &mut *lock(&self.state) {
                state.engine.discard();
                state.engine.reset_tracks();
                state.held.forget();
            }
            *lock(&self.drained) = None;
            self.lateness.forget();
        } else if event.is_serialized() {
            self.drain();
            if event.type_() == gst::EventType::Segment {
                self.lateness.forget();
            }
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
                state.held.forget();
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
            self.take(buffer).map_err(|failure| self.fail(failure))?;
        }
        match self.next_output(false) {
            Some(buffer) => buffer.map(GenerateOutputSuccess::Buffer),
            None => Ok(GenerateOutputSuccess::NoOutput),
        }
    }
}

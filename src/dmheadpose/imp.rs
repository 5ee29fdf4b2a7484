// SPDX-License-Identifier: MPL-2.0
//! The element's GObject and BaseTransform side: properties, start and stop, caps, buffers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::base_transform::GenerateOutputSuccess;
use gst_base::subclass::prelude::*;

use super::deadline::{self, Deadline};
use super::frames::FrameQueue;
use super::last_result::LastResult;
use super::loaded::{Loaded, frame_duration};
use super::metas::MetaWriter;
use super::properties::{self, Settings};
use super::report::{self, Reporter};
use super::stats::Stats;
use super::upstream;
use crate::estimator::{self, Config};
use crate::log::{Category, category};
use crate::overlay::{Downstream, Overlay};
use crate::property::READY;
use crate::sync::lock;
use crate::video;

pub(super) static CAT: Category =
    Category::new(|| category("dmheadpose", "Head detection and head-pose estimation"));

/// What exists between start and stop.
pub(super) struct State {
    pub(super) queue: FrameQueue,
    /// What more threads of the queue load.
    pub(super) config: Config,
    /// Frames in flight; `None`: to be decided when upstream is known.
    pub(super) depth: Option<usize>,
    pub(super) overlay: Overlay,
    pub(super) metas: MetaWriter,
    pub(super) last: LastResult,
    /// The last inference failed.
    pub(super) failing: bool,
    pub(super) info: Option<gst_video::VideoInfo>,
    /// Time and duration of the last frame.
    pub(super) last_frame: Option<(gst::ClockTime, gst::ClockTime)>,
}

// One of the others may be taken for a moment while `state` is held; nothing else nests.
#[derive(Default)]
pub struct DmHeadPose {
    settings: Mutex<Arc<Settings>>,
    pub(super) state: Mutex<Option<State>>,
    pub(super) stats: Mutex<Stats>,
    pub(super) reporter: Reporter,
    pub(super) loaded: Mutex<Option<Loaded>>,
    /// An error of buffers that were sent between two others, for the next buffer to return upstream.
    pub(super) sent: Mutex<Option<gst::FlowError>>,
    pub(super) downstream: Downstream,
    /// The application was warned since the start that there are no analytics metas.
    pub(super) warned: AtomicBool,
    /// It was warned since the start that the picture lies on its side.
    warned_of_side: AtomicBool,
    pub(super) deadline: Deadline,
}

impl DmHeadPose {
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
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

    fn warn_of_models(&self) {
        let state = lock(&self.state);
        let notes = state.as_ref().map(|state| state.config.notes.take());
        drop(state);
        for note in notes.unwrap_or_default() {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{note}"));
        }
    }

    /// The latency that the element adds to the pipeline.
    fn latency(&self) -> gst::ClockTime {
        let holds = self.settings().holds();
        let loaded = lock(&self.loaded);
        let latency = loaded.as_ref().map(|loaded| loaded.latency(holds));
        latency.unwrap_or_default()
    }

    /// Whether the stream jumps with this buffer, as by a seek without a flush: its time is further from the last
    /// one's, in either direction, than a head may be lost. Remembers its time for the next.
    fn jumps(&self, buffer: &gst::BufferRef) -> bool {
        let (Some(start), Some(state)) = (buffer.pts(), &mut *lock(&self.state)) else {
            return false;
        };
        let usual = lock(&self.loaded)
            .as_ref()
            .map(|loaded| loaded.frame_duration);
        let duration = buffer.duration().or(usual).unwrap_or_default();
        let longest = gst::ClockTime::from_nseconds(self.settings().max_lost_time).max(duration);
        let last = state.last_frame.replace((start, duration));
        last.is_some_and(|(last, shown)| {
            let between = start.saturating_sub(last.saturating_add(shown));
            let back = last.saturating_sub(start.saturating_add(duration));
            between.max(back) > longest
        })
    }

    /// Warns if the stream's orientation tag asks for a rotation that no element has applied.
    fn warn_of_side(&self, tags: &gst::TagListRef) {
        let Some(orientation) = tags.get::<gst::tags::ImageOrientation>() else {
            return;
        };
        let orientation = orientation.get();
        if orientation != "rotate-0"
            && !upstream::turns(self.obj().sink_pad())
            && !self.warned_of_side.swap(true, Ordering::Relaxed)
        {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Format,
                ("expected an upright picture, found the tag image-orientation={orientation} and nothing that \
                     has turned the picture: heads are missed and angles are wrong. Put `videoflip \
                     video-direction=auto` before this element")
            );
        }
    }

    /// Posts that the latency may have changed.
    fn post_latency(&self) {
        if lock(&self.loaded).is_some() {
            let message = gst::message::Latency::builder().src(&*self.obj()).build();
            // It fails without a bus, where there is no pipeline.
            let _ = self.obj().post_message(message);
        }
    }
}

impl State {
    /// Forgets the heads: the stream jumps, as by a seek.
    fn cut(&mut self) {
        self.queue.cut();
        self.last.forget();
    }
}

#[glib::object_subclass]
impl ObjectSubclass for DmHeadPose {
    const NAME: &'static str = "GstDmHeadPose";
    type Type = super::DmHeadPose;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for DmHeadPose {
    fn constructed(&self) {
        self.parent_constructed();
        // Usually called in the thread that will exit the process.
        estimator::close_with_main_thread();
    }

    fn signals() -> &'static [glib::subclass::Signal] {
        report::signals()
    }

    fn properties() -> &'static [glib::ParamSpec] {
        properties::specs()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let latency = self.latency();
        Arc::make_mut(&mut lock(&self.settings)).set(value, pspec);
        let name = pspec.name();
        if pspec.flags().contains(READY) && lock(&self.loaded).is_some() {
            gst::warning!(CAT, imp = self, "{name} takes effect at the next start");
        }
        gst::info!(CAT, imp = self, "{name} is now {value:?}");
        if self.latency() != latency {
            self.post_latency();
            // The number of buffers that are kept changes as well.
            self.obj().reconfigure_sink();
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "stats" => self.stats_structure().to_value(),
            "active-provider" => {
                let loaded = lock(&self.loaded);
                loaded.as_ref().map(|loaded| loaded.provider).to_value()
            }
            _ => {
                let value = self.settings().get(pspec);
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
    // In passthrough the buffer may not be writable.
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
        self.warned_of_side.store(false, Ordering::Relaxed);
        // Downstream may have been flushing at the end of the last stream.
        *lock(&self.sent) = None;
        self.deadline.reset();
        *lock(&self.loaded) = Some(loaded);
        *lock(&self.state) = Some(state);
        self.warn_of_models();
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
        let duration = frame_duration(&info);
        let known = lock(&self.loaded)
            .as_mut()
            .map(|loaded| std::mem::replace(&mut loaded.frame_duration, duration));
        if known != Some(duration) && !self.latency().is_zero() {
            self.post_latency();
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
            gst::EventView::Qos(qos) => {
                let (_, _, jitter, timestamp) = qos.get();
                self.deadline.update(jitter, timestamp);
                // The element catches up by itself; upstream, a decoder would drop frames.
                if self.settings().holds() {
                    return true;
                }
            }
            _ => {}
        }
        self.parent_src_event(event)
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if let gst::EventView::FlushStop(_) = event.view() {
            if let Some(state) = &mut *lock(&self.state) {
                state.queue.discard();
                state.cut();
            }
            *lock(&self.sent) = None;
            self.deadline.forget();
        } else if event.is_serialized() {
            self.send_between(true);
            match event.view() {
                gst::EventView::Segment(_) => self.deadline.forget(),
                gst::EventView::Tag(tag) => self.warn_of_side(tag.tag()),
                _ => {}
            }
        }
        self.parent_sink_event(event)
    }

    fn query(&self, direction: gst::PadDirection, query: &mut gst::QueryRef) -> bool {
        if direction == gst::PadDirection::Sink && query.is_serialized() {
            self.send_between(true);
            self.settle();
        }
        if !BaseTransformImplExt::parent_query(self, direction, query) {
            return false;
        }
        if direction == gst::PadDirection::Src
            && let gst::QueryViewMut::Latency(query) = query.view_mut()
        {
            let (live, min, max) = deadline::answered(query);
            let own = self.latency();
            let min = min.saturating_add(own);
            self.deadline.set_latency(live.then_some(min));
            query.set(live, min, max.map(|max| max.saturating_add(own)));
        }
        true
    }

    fn submit_input_buffer(
        &self,
        is_discont: bool,
        buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        // Not by `DISCONT`, which leaky queues and elements that drop frames for QoS set as well.
        if self.jumps(&buffer) {
            self.send_between(true);
            if let Some(state) = &mut *lock(&self.state) {
                state.cut();
            }
        }
        if let Some(error) = lock(&self.sent).take() {
            return Err(error);
        }
        self.parent_submit_input_buffer(is_discont, buffer)
    }

    fn generate_output(&self) -> Result<GenerateOutputSuccess, gst::FlowError> {
        let settings = self.settings();
        if let Some(buffer) = self.take_queued_buffer() {
            lock(&self.stats).frames += 1;
            let queued = self.enqueue(buffer, &settings);
            queued.map_err(|failure| self.fail(failure))?;
        }
        let sent = self.send(&settings, false);
        self.warn_of_models();
        sent?;
        Ok(GenerateOutputSuccess::NoOutput)
    }

    fn propose_allocation(
        &self,
        decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        let holds = self.settings().holds();
        let kept = lock(&self.loaded).as_ref().map(|loaded| loaded.kept(holds));
        let downstream = self.parent_propose_allocation(decide_query, query);
        match kept {
            None | Some(0) => downstream,
            // Also where downstream, which gets these buffers, proposes no pool.
            Some(kept) => {
                upstream::ask_for_more(query, kept);
                Ok(())
            }
        }
    }
}

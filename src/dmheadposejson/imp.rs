// SPDX-License-Identifier: MPL-2.0
//! The element: pads, buffers and events; what a line looks like is in `line`.

use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use super::line::{self, Context};
use super::properties::Settings;
use super::wall_clock;
use crate::headposemeta::HeadPoses;
use crate::log::{Category, category};
use crate::sync::lock;
use crate::video;

static CAT: Category = Category::new(|| category("dmheadposejson", "Head poses as JSON lines"));

const SRC_CAPS: &str = "application/x-ndjson";

pub struct DmHeadPoseJson {
    sinkpad: gst::Pad,
    srcpad: gst::Pad,
    settings: Mutex<Arc<Settings>>,
}

impl DmHeadPoseJson {
    fn chain(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = Arc::clone(&lock(&self.settings));
        let poses = HeadPoses::from_buffer(&buffer)
            .filter(|poses| !poses.heads.is_empty() || settings.add_empty);
        let Some(poses) = poses else {
            return Ok(self.push_gap(&buffer));
        };
        let text = self.line(&poses, &buffer, &settings).map_err(|err| {
            gst::element_imp_error!(
                self,
                gst::StreamError::Encode,
                ["Head poses cannot be written as JSON: {err}"]
            );
            gst::FlowError::Error
        })?;
        gst::log!(
            CAT,
            imp = self,
            "{} heads, pts {:?}",
            poses.heads.len(),
            buffer.pts()
        );
        let mut out = gst::Buffer::from_mut_slice(text);
        if let Some(out) = out.get_mut() {
            out.set_pts(buffer.pts());
            out.set_dts(buffer.dts());
            out.set_duration(buffer.duration());
            if buffer.flags().contains(gst::BufferFlags::DISCONT) {
                out.set_flags(gst::BufferFlags::DISCONT);
            }
        }
        self.srcpad.push(out)
    }

    fn line(
        &self,
        poses: &HeadPoses,
        buffer: &gst::BufferRef,
        settings: &Settings,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let running_time = self.running_time(buffer);
        let timestamp = settings
            .add_timestamp
            .then(|| wall_clock::timestamp(&*self.obj(), running_time))
            .flatten();
        let context = Context {
            pts: buffer.pts(),
            running_time,
            timestamp: timestamp.as_deref(),
            source_name: settings.source_name.as_deref(),
            tags: match &settings.object {
                Ok(object) => object.as_deref(),
                Err(_) => None,
            },
        };
        line::format(poses, &context)
    }

    fn running_time(&self, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
        video::segment(&self.sinkpad)?.to_running_time(buffer.pts())
    }

    /// Tells downstream that time goes on although there is no line, so that sinks preroll and
    /// elements that wait for all of their inputs do not wait for this one.
    fn push_gap(&self, buffer: &gst::BufferRef) -> gst::FlowSuccess {
        if let Some(pts) = buffer.pts() {
            gst::trace!(CAT, imp = self, "no line at {pts}");
            let gap = gst::event::Gap::builder(pts)
                .duration(buffer.duration())
                .build();
            self.srcpad.push_event(gap);
        }
        gst::FlowSuccess::Ok
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        use gst::EventView;
        match event.view() {
            // The size and format of the video are nothing to the lines: their caps never change.
            EventView::Caps(caps) => {
                gst::debug!(CAT, imp = self, "lines for {}", caps.caps());
                self.ensure_caps()
            }
            // Caps have to be there before the segment, whatever upstream sent.
            EventView::Segment(_) => self.ensure_caps() && self.forward(event),
            _ => self.forward(event),
        }
    }

    fn ensure_caps(&self) -> bool {
        if self.srcpad.has_current_caps() {
            return true;
        }
        let caps = gst::Caps::new_empty_simple(SRC_CAPS);
        self.srcpad.push_event(gst::event::Caps::new(&caps))
    }

    fn forward(&self, event: gst::Event) -> bool {
        gst::Pad::event_default(&self.sinkpad, Some(&*self.obj()), event)
    }

    fn sink_query(&self, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            // What sinks of lines would allocate is of no use for frames. Pixels are not even looked
            // at here, so any layout will do.
            gst::QueryViewMut::Allocation(query) => {
                query.add_allocation_meta::<gst_video::VideoMeta>(None);
                true
            }
            _ => gst::Pad::query_default(&self.sinkpad, Some(&*self.obj()), query),
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for DmHeadPoseJson {
    const NAME: &'static str = "GstDmHeadPoseJson";
    type Type = super::DmHeadPoseJson;
    type ParentType = gst::Element;

    fn with_class(klass: &Self::Class) -> Self {
        let pad = |name: &str| match klass.pad_template(name) {
            Some(template) => gst::Pad::builder_from_template(&template),
            None => unreachable!("the {name} template is one of pad_templates()"),
        };
        let sinkpad = pad("sink")
            .chain_function(|_, parent, buffer| {
                Self::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |this| this.chain(buffer),
                )
            })
            .event_function(|_, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_event(event))
            })
            .query_function(|_, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_query(query))
            })
            .build();
        let srcpad = pad("src").flags(gst::PadFlags::FIXED_CAPS).build();
        Self {
            sinkpad,
            srcpad,
            settings: Mutex::default(),
        }
    }
}

impl ObjectImpl for DmHeadPoseJson {
    fn properties() -> &'static [glib::ParamSpec] {
        static SPECS: LazyLock<Vec<glib::ParamSpec>> =
            LazyLock::new(|| Settings::default().own_specs());
        &SPECS
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = Arc::make_mut(&mut lock(&self.settings)).set(value, pspec);
        gst::info!(CAT, imp = self, "{} is now {value:?}", pspec.name());
        // Nobody may hear this before the start; then the start fails.
        if let Err(err) = result {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{err}"));
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let value = lock(&self.settings).get_own(pspec);
        value.unwrap_or_else(|| pspec.default_value().clone())
    }

    fn constructed(&self) {
        self.parent_constructed();
        let obj = self.obj();
        for pad in [&self.sinkpad, &self.srcpad] {
            if let Err(err) = obj.add_pad(pad) {
                gst::error!(CAT, imp = self, "{err}");
            }
        }
    }
}

impl GstObjectImpl for DmHeadPoseJson {}

impl ElementImpl for DmHeadPoseJson {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Head poses to JSON lines",
                "Filter/Converter/Metadata/Video",
                "Writes the head poses that dmheadpose attached to each frame as one JSON object a line",
                "The dmheadpose developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let video = gst::Caps::builder("video/x-raw").any_features().build();
            video::sink_and_src(&video, &gst::Caps::new_empty_simple(SRC_CAPS))
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            let checked = lock(&self.settings).check();
            if let Err(err) = checked {
                gst::element_imp_error!(self, gst::LibraryError::Settings, ("{err}"));
                return Err(gst::StateChangeError);
            }
        }
        self.parent_change_state(transition)
    }
}

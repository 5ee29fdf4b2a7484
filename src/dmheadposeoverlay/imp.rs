// SPDX-License-Identifier: MPL-2.0
//! The element's GObject and BaseTransform side: it only knows the meta and how to draw.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::subclass::prelude::*;
use gst_base::subclass::BaseTransformMode;
use gst_base::subclass::prelude::*;

use crate::headposemeta::HeadPoses;
use crate::log::{Category, category};
use crate::overlay::{DmHeadPoseOverlayFlags, Downstream, Look, Overlay};
use crate::sync::lock;
use crate::video;

static CAT: Category = Category::new(|| category("dmheadposeoverlay", "Drawing of head poses"));

/// What exists between start and stop.
struct State {
    overlay: Overlay,
    info: Option<gst_video::VideoInfo>,
}

pub struct DmHeadPoseOverlay {
    look: Mutex<Look>,
    state: Mutex<Option<State>>,
    downstream: Downstream,
}

fn default_look() -> Look {
    Look::new(
        DmHeadPoseOverlayFlags::BOX | DmHeadPoseOverlayFlags::AXES | DmHeadPoseOverlayFlags::LABELS,
    )
}

impl Default for DmHeadPoseOverlay {
    fn default() -> Self {
        Self {
            look: Mutex::new(default_look()),
            state: Mutex::new(None),
            downstream: Downstream::default(),
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for DmHeadPoseOverlay {
    const NAME: &'static str = "GstDmHeadPoseOverlay";
    type Type = super::DmHeadPoseOverlay;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for DmHeadPoseOverlay {
    fn properties() -> &'static [glib::ParamSpec] {
        static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| default_look().own_specs());
        &SPECS
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        lock(&self.look).set(value, pspec);
        gst::info!(CAT, imp = self, "{} is now {value:?}", pspec.name());
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let value = lock(&self.look).get_own(pspec);
        value.unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for DmHeadPoseOverlay {}

impl ElementImpl for DmHeadPoseOverlay {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Head Pose Overlay",
                "Filter/Effect/Video",
                "Draws the head poses that dmheadpose attached to each frame",
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

impl BaseTransformImpl for DmHeadPoseOverlay {
    const MODE: BaseTransformMode = BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let overlay = Overlay::new()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Init, ("{error}")))?;
        *lock(&self.state) = Some(State {
            overlay,
            info: None,
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "Not video caps: {incaps}"))?;
        if let Some(state) = &mut *lock(&self.state) {
            state.info = Some(info);
        }
        self.downstream.forget();
        Ok(())
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::Reconfigure {
            self.downstream.forget();
        }
        self.parent_src_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        if video::is_empty_gap(buffer) {
            return Ok(gst::FlowSuccess::Ok);
        }
        let poses = HeadPoses::from_buffer(buffer);
        let look = lock(&self.look).clone();
        let compose =
            poses.is_some() && look.draws() && self.downstream.draws_compositions(&*self.obj());
        let result = match &mut *lock(&self.state) {
            Some(State {
                overlay,
                info: Some(info),
            }) => overlay.draw(poses.as_ref(), &look, compose, info, buffer),
            _ => return Err(gst::FlowError::NotNegotiated),
        };
        result.map_err(|message| {
            self.post_error_message(message);
            gst::FlowError::Error
        })?;
        Ok(gst::FlowSuccess::Ok)
    }
}

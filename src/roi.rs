// SPDX-License-Identifier: MPL-2.0
//! `GstVideoRegionOfInterestMeta` with the structures that Intel's DL Streamer puts into it, read and
//! written: `detection` (box as shares of the frame, confidence), `object_id` (track) and our `head_pose`
//! (yaw, pitch and roll in degrees).
//!
//! DL Streamer knows no structure of angles, but its gvametaconvert prints the JSON object in the field
//! `extra_params_json` of `detection`: they are in there once more.

use gst::glib;
use gst_video::VideoRegionOfInterestMeta as RoiMeta;
use serde_json::{Map, Value, json};

use crate::estimator::Head;
use crate::estimator::geometry::{Rect, Size};
use crate::text;

/// The class of the regions and objects that we add.
pub(crate) const HEAD: &glib::GStr = glib::gstr!("head");

/// Name of the structure with our angles.
const HEAD_POSE: &str = "head_pose";

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    /// The region's type; `None` when it has no name.
    pub class: Option<&'static str>,
    /// Number of the region's twin among the analytics objects; 0 also when it has none.
    pub object: i32,
    /// Pixels of the frame.
    pub rect: Rect,
    pub confidence: Option<f64>,
    pub track: Option<u64>,
}

/// The buffer's regions of interest, in the order in which [`annotate`] counts them.
pub(crate) fn regions(buffer: &gst::BufferRef) -> impl Iterator<Item = Region> {
    buffer.iter_meta::<RoiMeta>().map(|meta| {
        let (x, y, w, h) = meta.rect();
        // SAFETY: the meta is borrowed. Its type is read here because the binding expects one with a name.
        let class = unsafe { (*meta.as_ptr()).roi_type };
        let detection = meta.param("detection");
        let track = meta.param("object_id").and_then(|s| s.get("id").ok());
        Region {
            class: text::of_quark(class),
            object: meta.id(),
            rect: Rect::new(x as f32, y as f32, w as f32, h as f32),
            confidence: detection.and_then(|s| s.get("confidence").ok()),
            track: track.and_then(|id: i32| u64::try_from(id).ok().filter(|&id| id > 0)),
        }
    })
}

/// Adds a region for a head of a frame of this size; `object` is its twin among the analytics objects.
pub(crate) fn add(buffer: &mut gst::BufferRef, head: &Head, frame: Size, object: Option<u32>) {
    let Rect { x, y, w, h } = head.rect;
    // Smoothed boxes are not on whole pixels.
    let [x, y, w, h] = [x, y, w, h].map(|v| v.round() as u32);
    let mut meta = RoiMeta::add(buffer, HEAD, (x, y, w, h));
    // Readers look for the twin of a region whose number is not negative.
    let id = object.and_then(|id| i32::try_from(id).ok());
    meta.set_id(id.unwrap_or(-1));
    meta.add_param(detection(head, frame));
    meta.add_param(head_pose(head));
    if let Some(id) = object_id(head) {
        meta.add_param(id);
    }
}

/// Puts the pose of `head` on the `index`th region of the buffer, on which the head was found; what others
/// have put there stays. Tells the region its twin among the analytics objects, if it is a new one.
pub(crate) fn annotate(
    buffer: &mut gst::BufferRef,
    index: usize,
    head: &Head,
    frame: Size,
    object: Option<u32>,
) {
    let Some(mut meta) = buffer.iter_meta_mut::<RoiMeta>().nth(index) else {
        return;
    };
    if let Some(id) = object.and_then(|id| i32::try_from(id).ok()) {
        meta.set_id(id);
    }
    set(&mut meta, head_pose(head));
    match meta.param("detection") {
        Some(detection) => {
            let old = detection.value("extra_params_json").ok();
            let old = old.and_then(|old| text::of(old).ok().flatten());
            let params = extra_params(head, old.as_deref());
            let builder = gst::Structure::builder("detection");
            set(
                &mut meta,
                builder.field("extra_params_json", params).build(),
            );
        }
        None => meta.add_param(detection(head, frame)),
    }
    if let Some(id) = object_id(head)
        && meta.param("object_id").is_none()
    {
        meta.add_param(id);
    }
}

/// Sets the fields of the parameter that is called as `structure` is; adds it if there is none.
fn set(meta: &mut RoiMeta, structure: gst::Structure) {
    let name = structure.name();
    // SAFETY: the meta is borrowed mutably, and with it the structure, which belongs to it alone: it is
    // copied when the meta is.
    let param = unsafe {
        let meta: *mut gst_video::ffi::GstVideoRegionOfInterestMeta =
            std::ptr::from_mut(meta).cast();
        let param =
            gst_video::ffi::gst_video_region_of_interest_meta_get_param(meta, name.as_ptr());
        param.cast::<gst::StructureRef>().as_mut()
    };
    match param {
        Some(param) => {
            for (field, value) in structure.iter() {
                param.set_value(field, value.clone());
            }
        }
        None => meta.add_param(structure),
    }
}

fn detection(head: &Head, frame: Size) -> gst::Structure {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let rect = head.rect;
    gst::Structure::builder("detection")
        .field("x_min", f64::from(rect.x) / width)
        .field("x_max", f64::from(rect.right()) / width)
        .field("y_min", f64::from(rect.y) / height)
        .field("y_max", f64::from(rect.bottom()) / height)
        .field("confidence", f64::from(head.score))
        .field("label_id", 0i32)
        .field("model_name", "dmheadpose")
        .field("extra_params_json", extra_params(head, None))
        .build()
}

fn head_pose(head: &Head) -> gst::Structure {
    gst::Structure::builder(HEAD_POSE)
        .field("yaw", f64::from(head.angles.yaw))
        .field("pitch", f64::from(head.angles.pitch))
        .field("roll", f64::from(head.angles.roll))
        .build()
}

/// `old`, a JSON object, with our angles among its fields.
fn extra_params(head: &Head, old: Option<&str>) -> String {
    let mut params: Map<String, Value> = old
        .and_then(|old| serde_json::from_str(old).ok())
        .unwrap_or_default();
    // Thousandths of a degree: what a 32-bit number has beyond them is noise.
    let degrees = |angle: f32| (f64::from(angle) * 1000.0).round() / 1000.0;
    let pose = json!({
        "yaw": degrees(head.angles.yaw),
        "pitch": degrees(head.angles.pitch),
        "roll": degrees(head.angles.roll),
        "unit": "degree",
    });
    params.insert(HEAD_POSE.into(), pose);
    Value::Object(params).to_string()
}

/// The track's number, as far as DL Streamer's type for it goes.
fn object_id(head: &Head) -> Option<gst::Structure> {
    let id = i32::try_from(head.id).ok().filter(|&id| id > 0)?;
    Some(gst::Structure::builder("object_id").field("id", id).build())
}

// SPDX-License-Identifier: MPL-2.0
//! GStreamer's own analytics metadata, of GStreamer 1.24 and newer: detected objects and their tracks.
//!
//! The library is looked up at run time, so that one plugin file serves older GStreamer too. All unsafe code
//! about it is in here.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;
use std::sync::OnceLock;

use glib::ffi::{GFALSE, GQuark, gboolean, gpointer};
use glib::translate::IntoGlib;
use gst::ffi::{GstBuffer, GstClockTime};
use gst::glib;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::estimator::geometry::Rect;
use crate::text;

pub(crate) const LIBRARY: &str = "libgstanalytics-1.0.so.0";
const RELATE_TO: c_int = 1 << 3;

/// `GstAnalyticsRelationMeta`, whose fields are private.
type RelationMeta = c_void;

/// `GstAnalyticsMtd`: names one piece of metadata within a relation meta.
#[repr(C)]
struct Mtd {
    id: c_uint,
    meta: *mut RelationMeta,
}

impl Mtd {
    const NONE: Self = Self {
        id: 0,
        meta: ptr::null_mut(),
    };
}

type MtdType = usize;
type GetType = unsafe extern "C" fn() -> MtdType;
type OfBuffer = unsafe extern "C" fn(*mut GstBuffer) -> *mut RelationMeta;

/// An object that a detector found, as an `ODMtd` says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Object {
    /// Number of the mtd within the buffer's relation meta.
    pub id: u32,
    /// The object's class; `None` when it has no name.
    pub class: Option<&'static str>,
    /// Pixels of the frame.
    pub rect: Rect,
    pub confidence: f32,
    /// Number of its track, if it has one.
    pub track: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Analytics {
    relations: OfBuffer,
    add_relations: OfBuffer,
    iterate: unsafe extern "C" fn(*mut RelationMeta, *mut gpointer, MtdType, *mut Mtd) -> gboolean,
    relate: unsafe extern "C" fn(*mut RelationMeta, c_int, c_uint, c_uint) -> gboolean,
    related: unsafe extern "C" fn(
        *mut RelationMeta,
        c_uint,
        c_int,
        MtdType,
        *mut gpointer,
        *mut Mtd,
    ) -> gboolean,
    object_type: GetType,
    object_class: unsafe extern "C" fn(*const Mtd) -> GQuark,
    object_location: unsafe extern "C" fn(
        *const Mtd,
        *mut c_int,
        *mut c_int,
        *mut c_int,
        *mut c_int,
        *mut f32,
    ) -> gboolean,
    add_object: unsafe extern "C" fn(
        *mut RelationMeta,
        GQuark,
        c_int,
        c_int,
        c_int,
        c_int,
        f32,
        *mut Mtd,
    ) -> gboolean,
    track_type: GetType,
    track_info: unsafe extern "C" fn(
        *const Mtd,
        *mut u64,
        *mut GstClockTime,
        *mut GstClockTime,
        *mut gboolean,
    ) -> gboolean,
    add_track: unsafe extern "C" fn(*mut RelationMeta, u64, GstClockTime, *mut Mtd) -> gboolean,
    see_track: unsafe extern "C" fn(*mut Mtd, GstClockTime) -> gboolean,
}

impl Analytics {
    /// The library, which is looked for once a process.
    ///
    /// # Errors
    /// Why it cannot be used here.
    pub fn get() -> Result<&'static Self, &'static str> {
        static LOADED: OnceLock<Result<Analytics, String>> = OnceLock::new();
        let loaded = LOADED.get_or_init(|| {
            let (major, minor, ..) = gst::version();
            if (major, minor) < (1, 24) {
                return Err(format!("this is GStreamer {major}.{minor}"));
            }
            Self::load().map_err(|error| error.to_string())
        });
        loaded.as_ref().map_err(String::as_str)
    }

    fn load() -> Result<Self, libloading::Error> {
        // SAFETY: GStreamer's own library; its constructors do nothing that others could notice. With
        // RTLD_NOW one that does not fit the loaded GStreamer is refused here. The type of each field is the
        // function's signature in the public header, which is stable from 1.24 on.
        let (library, this) = unsafe {
            let library = Library::open(Some(LIBRARY), RTLD_NOW | RTLD_LOCAL)?;
            macro_rules! symbol {
                ($name:literal) => {
                    *library.get($name.to_bytes_with_nul())?
                };
            }
            let this = Self {
                relations: symbol!(c"gst_buffer_get_analytics_relation_meta"),
                add_relations: symbol!(c"gst_buffer_add_analytics_relation_meta"),
                iterate: symbol!(c"gst_analytics_relation_meta_iterate"),
                relate: symbol!(c"gst_analytics_relation_meta_set_relation"),
                related: symbol!(c"gst_analytics_relation_meta_get_direct_related"),
                object_type: symbol!(c"gst_analytics_od_mtd_get_mtd_type"),
                object_class: symbol!(c"gst_analytics_od_mtd_get_obj_type"),
                object_location: symbol!(c"gst_analytics_od_mtd_get_location"),
                add_object: symbol!(c"gst_analytics_relation_meta_add_od_mtd"),
                track_type: symbol!(c"gst_analytics_tracking_mtd_get_mtd_type"),
                track_info: symbol!(c"gst_analytics_tracking_mtd_get_info"),
                add_track: symbol!(c"gst_analytics_relation_meta_add_tracking_mtd"),
                see_track: symbol!(c"gst_analytics_tracking_mtd_update_last_seen"),
            };
            (library, this)
        };
        // It registers types, so it has to stay.
        std::mem::forget(library);
        Ok(this)
    }

    pub fn objects(&self, buffer: &gst::BufferRef) -> Vec<Object> {
        let mut objects = Vec::new();
        // SAFETY: the buffer is valid and only read, the relation meta lives as long as it, and what the calls
        // write to is ours. `mtd` is an object when it is asked for class and place.
        unsafe {
            let relations = (self.relations)(buffer.as_ptr().cast_mut());
            if relations.is_null() {
                return objects;
            }
            let (mut state, mut mtd) = (ptr::null_mut(), Mtd::NONE);
            let object_type = (self.object_type)();
            while (self.iterate)(relations, &mut state, object_type, &mut mtd) != GFALSE {
                let (mut x, mut y, mut w, mut h, mut confidence) = (0, 0, 0, 0, 0.0);
                (self.object_location)(&mtd, &mut x, &mut y, &mut w, &mut h, &mut confidence);
                objects.push(Object {
                    id: mtd.id,
                    class: text::of_quark((self.object_class)(&mtd)),
                    rect: Rect::new(x as f32, y as f32, w as f32, h as f32),
                    confidence,
                    track: self.track(&mtd),
                });
            }
        }
        objects
    }

    fn track(&self, object: &Mtd) -> Option<u64> {
        let (mut state, mut mtd) = (ptr::null_mut(), Mtd::NONE);
        let (mut id, mut first, mut last, mut lost) = (0, 0, 0, GFALSE);
        // SAFETY: `object` names a piece of a relation meta that lives; what the calls write to is ours.
        let found = unsafe {
            (self.related)(
                object.meta,
                object.id,
                RELATE_TO,
                (self.track_type)(),
                &mut state,
                &mut mtd,
            ) != GFALSE
                && (self.track_info)(&mtd, &mut id, &mut first, &mut last, &mut lost) != GFALSE
        };
        found.then_some(id)
    }

    /// Adds an object to the buffer's relation meta, which is added first if there is none; gives its id.
    pub fn add_object(
        &self,
        buffer: &mut gst::BufferRef,
        class: &'static glib::GStr,
        rect: Rect,
        confidence: f32,
    ) -> Option<u32> {
        let class = glib::Quark::from_static_str(class).into_glib();
        let [x, y, w, h] = [rect.x, rect.y, rect.w, rect.h].map(|v| v.round() as c_int);
        let mut mtd = Mtd::NONE;
        // SAFETY: the buffer is valid and writable; `mtd` is ours.
        let added = unsafe {
            let mut relations = (self.relations)(buffer.as_mut_ptr());
            if relations.is_null() {
                relations = (self.add_relations)(buffer.as_mut_ptr());
            }
            !relations.is_null()
                && (self.add_object)(relations, class, x, y, w, h, confidence, &mut mtd) != GFALSE
        };
        added.then_some(mtd.id)
    }

    /// Relates the object `id` of the buffer to a track that was first seen at one running time and is seen
    /// at another; tells whether that could be done.
    pub fn add_track(
        &self,
        buffer: &mut gst::BufferRef,
        id: u32,
        track: u64,
        first_seen: gst::ClockTime,
        seen: gst::ClockTime,
    ) -> bool {
        let mut mtd = Mtd::NONE;
        // SAFETY: the buffer is valid and writable; `mtd` is ours.
        unsafe {
            let relations = (self.relations)(buffer.as_mut_ptr());
            !relations.is_null()
                && (self.add_track)(relations, track, first_seen.into_glib(), &mut mtd) != GFALSE
                && (self.see_track)(&mut mtd, seen.into_glib()) != GFALSE
                && (self.relate)(relations, RELATE_TO, id, mtd.id) != GFALSE
        }
    }
}

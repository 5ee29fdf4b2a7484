// SPDX-License-Identifier: MPL-2.0
//! Registration and transform of the meta: the FFI half, and the only unsafe code about it.
//!
//! The safe binding hides a transform's data (sizes, matrix), so the C functions are used.

use std::ffi::{CStr, c_char};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Mutex;

use glib::ffi::{GFALSE, GQuark, gboolean, gpointer};
use glib::translate::IntoGlib;
use gst::glib;
use gst::meta::{MetaTransform, MetaTransformCopy};
use gst_video::ffi as video;
use gst_video::video_meta::VideoMetaTransformScale;

use super::mapping::{Mapping, Picture};
use super::{CAT, HeadPoses, NAME};
use crate::estimator::geometry::Size;
use crate::sync::lock;
use crate::text;

const C_NAME: &CStr = c"DmHeadPoseMeta";

/// What the meta depends on. videoconvert and videoscale call the transform of metas with just
/// these tags; elements that move pixels in other ways (crop, flip, rotate, warp) drop them.
const TAGS: [&CStr; 3] = [c"video", c"orientation", c"size"];

/// Registers the meta, once; done already by an earlier call or by another copy of the plugin in
/// the process is as good. [`HeadPoses::attach`] calls it by itself.
///
/// # Errors
/// When GStreamer is not initialised or the name belongs to a meta of another kind.
pub fn register() -> Result<(), glib::BoolError> {
    // SAFETY: takes no arguments and may be called at any time.
    if unsafe { gst::ffi::gst_is_initialized() } == GFALSE {
        return Err(glib::bool_error!(
            "expected GStreamer to be initialised: call gst::init()"
        ));
    }
    // Two threads that register at once would both get past the look-up, and GLib complains about
    // the second. There is nothing in here that a panic could leave half done.
    static REGISTERED: Mutex<bool> = Mutex::new(false);
    let mut registered = lock(&REGISTERED);
    if *registered || is_registered()? {
        *registered = true;
        return Ok(());
    }
    let [video, orientation, size] = TAGS.map(CStr::as_ptr);
    let mut tags = [video, orientation, size, ptr::null()];
    // SAFETY: name and tags are NUL-terminated, the array ends with NULL and is copied by the
    // callee; the transform has the expected signature and lives as long as the library, which
    // GStreamer never unloads; there is no user data to free.
    let info = unsafe {
        gst::ffi::gst_meta_register_custom(
            C_NAME.as_ptr(),
            tags.as_mut_ptr().cast::<*const c_char>(),
            Some(transform),
            ptr::null_mut(),
            None,
        )
    };
    // Another copy of the plugin may have been first between the look-up and here.
    if info.is_null() && !is_registered()? {
        return Err(glib::bool_error!(
            "GStreamer refused to register the meta {NAME}"
        ));
    }
    *registered = true;
    Ok(())
}

fn is_registered() -> Result<bool, glib::BoolError> {
    // SAFETY: the name is NUL-terminated; a returned info lives for ever.
    let is_custom = unsafe {
        let info = gst::ffi::gst_meta_get_info(C_NAME.as_ptr()).as_ref();
        info.map(|info| gst::ffi::gst_meta_info_is_custom(info) != GFALSE)
    };
    if is_custom == Some(false) {
        return Err(glib::bool_error!(
            "expected {NAME} to be a custom meta, found one of another kind: another plugin \
             in this process has taken the name"
        ));
    }
    Ok(is_custom.is_some())
}

/// Called by GStreamer to carry the meta over when `src` is turned into `dest`.
///
/// It runs inside other elements and must not panic. Nothing in it does; if something did, the meta would be lost,
/// not the process.
unsafe extern "C" fn transform(
    dest: *mut gst::ffi::GstBuffer,
    _meta: *mut gst::ffi::GstCustomMeta,
    src: *mut gst::ffi::GstBuffer,
    kind: GQuark,
    data: gpointer,
    _user_data: gpointer,
) -> gboolean {
    if dest.is_null() || src.is_null() || dest == src {
        return GFALSE;
    }
    let transformed = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: both are valid buffers for the length of the call, they are distinct, and GStreamer
        // hands out `dest` writable. `data` belongs to a transform of this kind.
        let (dest, src, change) = unsafe {
            (
                gst::BufferRef::from_mut_ptr(dest),
                gst::BufferRef::from_ptr(src),
                Change::read(kind, data),
            )
        };
        match follow(HeadPoses::from_buffer(src)?, change?)?.attach(dest) {
            Ok(()) => Some(()),
            Err(err) => {
                gst::warning!(CAT, "Head poses lost: {err}");
                None
            }
        }
    }));
    // The hook has printed the panic. Its payload is leaked: dropping it could panic again.
    transformed
        .map_err(mem::forget)
        .is_ok_and(|done| done.is_some())
        .into_glib()
}

/// What happens to the pixels of a buffer.
enum Change {
    Copied {
        whole: bool,
    },
    Moved {
        from: Size,
        to: Size,
        mapping: Option<Mapping>,
    },
    Unknown(GQuark),
}

impl Change {
    /// `None` when the sizes of the pictures are missing or negative.
    ///
    /// # Safety
    /// `data` is NULL or the data that GStreamer documents for transforms of this `kind`.
    unsafe fn read(kind: GQuark, data: gpointer) -> Option<Self> {
        let is = |known: glib::Quark| kind == known.into_glib();
        // Looked up by name: the function for it only exists from GStreamer 1.28 on.
        let matrix = glib::Quark::from_static_str(glib::gstr!("gst-video-matrix"));
        // SAFETY: by the caller's promise `data` is NULL or the structure of this kind, whose layout is public and
        // fixed. The infos that it points to are NULL or valid for the length of the call.
        unsafe {
            Some(if is(MetaTransformCopy::quark()) {
                let copy = data.cast::<gst::ffi::GstMetaTransformCopy>().as_ref();
                Self::Copied {
                    whole: copy.is_none_or(|copy| copy.region == GFALSE),
                }
            } else if is(VideoMetaTransformScale::quark()) {
                let data = data.cast::<video::GstVideoMetaTransform>().as_ref()?;
                let from = picture(data.in_info.as_ref()?)?;
                let to = picture(data.out_info.as_ref()?)?;
                Self::Moved {
                    from: from.size,
                    to: to.size,
                    mapping: Mapping::scale(from, to),
                }
            } else if is(matrix) {
                let data = data.cast::<video::GstVideoMetaTransformMatrix>().as_ref()?;
                let from = picture(data.in_info.as_ref()?)?.size;
                let to = picture(data.out_info.as_ref()?)?.size;
                let (shown, onto) = (data.in_rectangle, data.out_rectangle);
                Self::Moved {
                    from,
                    to,
                    mapping: Mapping::matrix(&data.matrix, shown, onto, to),
                }
            } else {
                Self::Unknown(kind)
            })
        }
    }
}

/// The poses as the transformed picture shows them; `None` when they cannot be known.
fn follow(poses: HeadPoses, change: Change) -> Option<HeadPoses> {
    match change {
        Change::Copied { whole } => {
            if !whole {
                gst::log!(CAT, "Head poses not kept on a copy of a part of a buffer");
            }
            whole.then_some(poses)
        }
        Change::Moved { from, .. } if poses.size() != from => {
            gst::warning!(
                CAT,
                "Head poses dropped: they refer to a frame of {}, but it is {from}",
                poses.size()
            );
            None
        }
        Change::Moved { from, to, mapping } => {
            if mapping.is_none() {
                gst::info!(
                    CAT,
                    "Head poses dropped: {from} became {to} in a way that boxes cannot follow for sure. \
                     Keep the display aspect ratio (leave pixel-aspect-ratio free) or put dmheadpose \
                     behind the element that resizes"
                );
            }
            Some(poses.mapped(to, &mapping?))
        }
        Change::Unknown(kind) => {
            let kind = text::of_quark(kind).unwrap_or("without a name");
            gst::debug!(CAT, "Head poses dropped: unknown transform {kind}");
            None
        }
    }
}

fn picture(info: &video::GstVideoInfo) -> Option<Picture> {
    Some(Picture {
        size: Size::new(
            u32::try_from(info.width).ok()?,
            u32::try_from(info.height).ok()?,
        ),
        pixel_aspect: f64::from(info.par_n) / f64::from(info.par_d),
    })
}

// SPDX-License-Identifier: MPL-2.0
//! The memory of a mapped frame's planes, and the only unsafe code about it.
//!
//! A `GstVideoMeta` says where the planes of a buffer lie, and GStreamer believes it: a plane that begins
//! inside of the buffer's memory is mapped, wherever it ends, and the safe binding makes a slice of as many
//! bytes as the meta claims. Here a plane ends where its memory ends.

use std::fmt;
use std::slice;
use std::sync::OnceLock;

use gst_video::ffi;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameFlags, VideoFrameRef, VideoInfo, VideoMeta};

/// How a frame is not what it should be.
pub(crate) struct Misfit {
    pub expected: String,
    pub found: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

/// Checks what the buffer's `GstVideoMeta`, if it has one, says of the picture. GStreamer takes a meta that
/// contradicts the caps for a programming error and logs a critical.
pub(crate) fn check_meta(buffer: &gst::BufferRef, info: &VideoInfo) -> Result<(), Misfit> {
    // Of several GStreamer maps by the one with number 0, else by the lowest.
    let metas = buffer.iter_meta::<VideoMeta>();
    let Some(meta) = metas.min_by_key(|meta| (meta.id() != 0, meta.id())) else {
        return Ok(());
    };
    let fits = meta.format() == info.format()
        && meta.width() >= info.width()
        && meta.height() >= info.height()
        && meta.n_planes() == info.n_planes();
    if fits {
        return Ok(());
    }
    Err(Misfit {
        expected: "a GstVideoMeta of such a frame".into(),
        found: format!(
            "one of {:?} {}x{} with {} planes",
            meta.format(),
            meta.width(),
            meta.height(),
            meta.n_planes()
        ),
    })
}

/// The memory from the beginning of a plane on, and the distance between the starts of two rows.
///
/// # Errors
/// When there is no such plane, or when its rows go from bottom to top.
pub(crate) fn bytes(frame: &impl VideoFrameExt, plane: u32) -> Result<(&[u8], usize), Misfit> {
    let Memory { data, len, stride } = memory(frame, plane)?;
    // SAFETY: so much memory is mapped as long as `frame` lives, which is borrowed.
    Ok((unsafe { slice::from_raw_parts(data, len) }, stride))
}

/// As [`bytes`], to be written to.
pub(crate) fn bytes_mut<'a>(
    frame: &'a mut VideoFrameRef<&mut gst::BufferRef>,
    plane: u32,
) -> Result<(&'a mut [u8], usize), Misfit> {
    let Memory { data, len, stride } = memory(frame, plane)?;
    // SAFETY: so much memory is mapped for writing as long as `frame` lives, which is borrowed exclusively.
    Ok((unsafe { slice::from_raw_parts_mut(data, len) }, stride))
}

struct Memory {
    /// Never NULL.
    data: *mut u8,
    len: usize,
    stride: usize,
}

fn memory(frame: &impl VideoFrameExt, plane: u32) -> Result<Memory, Misfit> {
    let misfit = |expected: String, found: String| Misfit { expected, found };
    if plane >= frame.n_planes() {
        let (expected, found) = (plane + 1, frame.n_planes());
        return Err(misfit(format!("{expected} planes"), found.to_string()));
    }
    let rows = frame.plane_height(plane) as usize;
    // SAFETY: the pointer is that of a frame which is borrowed. Its meta is NULL or the buffer's, which lives as long
    // as the frame is mapped.
    let (frame, meta) = unsafe {
        let frame = &*frame.as_ptr();
        (frame, frame.meta.cast::<ffi::GstVideoMeta>().as_ref())
    };
    let plane = plane as usize;
    let stride = frame.info.stride[plane];
    let stride = usize::try_from(stride)
        .map_err(|_| misfit("rows from top to bottom".into(), format!("stride {stride}")))?;
    let data = frame.data[plane].cast::<u8>();
    let len = if meta.is_some_and(maps_by_itself) {
        // Such a function tells the address and the stride alone.
        stride.checked_mul(rows)
    } else {
        // Without a meta all planes are in one piece of memory.
        let map = &frame.map[if meta.is_none() { 0 } else { plane }];
        let offset = data.addr().checked_sub(map.data.addr());
        offset.and_then(|offset| map.size.checked_sub(offset))
    };
    match len {
        Some(len) if !data.is_null() && isize::try_from(len).is_ok() => {
            Ok(Memory { data, len, stride })
        }
        _ => Err(misfit(
            format!("plane {plane} in the buffer's memory"),
            "it outside".into(),
        )),
    }
}

/// Whether the frame was mapped by a function of the element that made it (frames in graphics memory), which
/// need not fill in how much it mapped.
fn maps_by_itself(meta: &ffi::GstVideoMeta) -> bool {
    meta.map.map(|map| map as usize) != usual_map()
}

/// The address of the function that maps the planes of most metas. It has no public name.
fn usual_map() -> Option<usize> {
    static ADDRESS: OnceLock<Option<usize>> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let mut buffer = gst::Buffer::with_size(16).ok()?;
        let none = VideoFrameFlags::empty();
        let meta = VideoMeta::add(buffer.get_mut()?, none, VideoFormat::Gray8, 1, 1).ok()?;
        // SAFETY: the meta is borrowed.
        unsafe { (*meta.as_ptr()).map }.map(|map| map as usize)
    })
}

// SPDX-License-Identifier: MPL-2.0
//! Frames whose pixels begin at odd addresses, which gst_video_blend() cannot draw on: its fast code writes
//! pixels of two and four bytes at once and expects them at multiples of their size.

use gst::glib;
use gst_video::prelude::*;
use gst_video::{VideoFrame, VideoFrameRef, VideoInfo, video_frame::Writable};

use crate::{planes, video};

/// Whether the pixels are aligned as gst_video_blend() expects.
pub(super) fn is_aligned(frame: &VideoFrameRef<&mut gst::BufferRef>) -> bool {
    let format = frame.format_info();
    (0..format.n_components() as usize).all(|component| {
        let plane = format.plane()[component];
        let unit = format.pixel_stride()[component] as usize;
        // Pixels of three bytes are written byte by byte.
        !unit.is_power_of_two()
            || planes::bytes(frame, plane).is_ok_and(|(bytes, stride)| {
                bytes.as_ptr().addr().is_multiple_of(unit) && stride.is_multiple_of(unit)
            })
    })
}

/// A copy of the picture in aligned memory.
pub(super) fn copy(
    frame: &VideoFrameRef<&mut gst::BufferRef>,
) -> Result<VideoFrame<Writable>, glib::BoolError> {
    let info = frame.info();
    let info = VideoInfo::builder(info.format(), info.width(), info.height())
        .colorimetry(&info.colorimetry())
        .flags(info.flags())
        .build()?;
    let buffer = gst::Buffer::with_size(info.size())?;
    let mut copy = VideoFrame::from_buffer_writable(buffer, &info).map_err(|_| {
        glib::bool_error!("expected to map a new frame for writing, found that it cannot be mapped")
    })?;
    copy_rows(frame, &mut copy.as_mut_video_frame_ref())?;
    Ok(copy)
}

/// Copies the picture from `from` to `to`, which has the same format and size.
pub(super) fn copy_rows(
    from: &VideoFrameRef<&mut gst::BufferRef>,
    to: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let misfit = |misfit| glib::bool_error!("{misfit}");
    for (plane, (row, rows)) in video::extents(from.info()).enumerate() {
        let (from, from_stride) = planes::bytes(from, plane as u32).map_err(misfit)?;
        let (to, to_stride) = planes::bytes_mut(to, plane as u32).map_err(misfit)?;
        let rows = from
            .chunks(from_stride)
            .zip(to.chunks_mut(to_stride))
            .take(rows);
        for (from, to) in rows {
            if let (Some(from), Some(to)) = (from.get(..row), to.get_mut(..row)) {
                to.copy_from_slice(from);
            }
        }
    }
    Ok(())
}

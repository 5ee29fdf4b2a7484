// SPDX-License-Identifier: MPL-2.0
//! Patches blended onto a mapped frame by gst_video_blend().

use std::mem;

use gst::glib;
use gst::glib::translate::ToGlibPtr;
use gst_video::ffi;
use gst_video::prelude::*;
use gst_video::{VideoFlags, VideoFormat, VideoFormatFlags, VideoFrameRef, VideoInfo};

use super::ayuv::Colors;
use crate::draw::Patch;

/// Blends the inked parts of one patch.
pub(super) fn blend_patch(
    patch: &Patch,
    source: &mut Source,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let stride = patch.width as usize * 4;
    for &[x, y, width, height] in &patch.inked {
        let columns = x as usize * 4..(x + width) as usize * 4;
        let rows = patch.pixels.chunks_exact(stride).skip(y as usize);
        source.pixels.clear();
        for row in rows
            .take(height as usize)
            .filter_map(|row| row.get(columns.clone()))
        {
            match &source.colors {
                Some(colors) => colors.convert_row(row, source.pixels),
                None => source.pixels.extend_from_slice(row),
            }
        }
        source.width = width as usize;
        let at = (patch.x + x as i32, patch.y + y as i32);
        if !blend_pixels(source, at, frame) {
            let format = frame.info().format();
            return Err(glib::bool_error!("GStreamer cannot draw on {format} video"));
        }
    }
    Ok(())
}

/// The picture that is blended: four bytes per pixel, RGB or YUV like the frame.
pub(super) struct Source<'a> {
    /// Its format. The size follows from `width` and the number of `pixels`.
    info: VideoInfo,
    colors: Option<Colors>,
    pixels: &'a mut Vec<u8>,
    width: usize,
}

impl<'a> Source<'a> {
    pub fn new(frame: &VideoInfo, pixels: &'a mut Vec<u8>) -> Result<Self, glib::BoolError> {
        let colors = (!frame.is_rgb()).then(|| Colors::new(&frame.colorimetry()));
        let info = match colors {
            Some(_) => VideoInfo::builder(VideoFormat::Ayuv, 1, 1),
            None => {
                VideoInfo::builder(VideoFormat::Bgra, 1, 1).flags(VideoFlags::PREMULTIPLIED_ALPHA)
            }
        };
        Ok(Self {
            info: info.build()?,
            colors,
            pixels,
            width: 0,
        })
    }
}

/// A column at or left of `x` at which a sample begins in every plane, and the bytes from each plane's first
/// column to it.
///
/// gst_video_blend() unpacks and packs whole rows of the frame, however narrow the overlay is. On a frame that
/// begins here it only converts the columns concerned.
fn column_offsets(info: &VideoInfo, x: i32) -> (i32, [usize; 4]) {
    /// A multiple of all chroma subsamplings, and of the alignment that fast code likes.
    const STEP: i32 = 16;

    let format = info.format_info();
    let odd = VideoFormatFlags::COMPLEX | VideoFormatFlags::TILED | VideoFormatFlags::PALETTE;
    if format.flags().intersects(odd) || format.pixel_stride().contains(&0) {
        return (0, [0; 4]);
    }
    let left = x.max(0) / STEP * STEP;
    let mut offsets = [0; 4];
    for component in 0..format.n_components() as usize {
        let column = left as usize >> format.w_sub()[component];
        let offset = column * format.pixel_stride()[component] as usize;
        offsets[format.plane()[component] as usize] = offset;
    }
    (left, offsets)
}

/// Blends a picture on just the columns of the frame that it covers.
fn blend_pixels(
    source: &Source,
    (x, y): (i32, i32),
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> bool {
    let stride = source.width * 4;
    if stride == 0 {
        return true;
    }
    let height = source.pixels.len() / stride;
    let (left, offsets) = column_offsets(frame.info(), x);
    let columns = (x - left + source.width as i32 + 3) & !3;

    // SAFETY: gst_video_blend() only touches pixels, through `data` and by the format, width, height
    // and strides of `info`, and clips the source to the destination. The source is only read, and
    // `height` rows of `stride` bytes are all in `pixels`. The destination is a part of `frame`, which
    // is mapped for writing and exclusively borrowed: its rows begin `left` pixels later, which is
    // `offsets` bytes, and end no later. Neither copy of a frame is ever unmapped.
    unsafe {
        let mut picture: ffi::GstVideoFrame = mem::zeroed();
        picture.info = *source.info.to_glib_none().0;
        (picture.info.width, picture.info.height) = (source.width as i32, height as i32);
        picture.info.stride[0] = stride as i32;
        picture.data[0] = source.pixels.as_ptr() as glib::ffi::gpointer;

        let mut part: ffi::GstVideoFrame = *frame.as_mut_ptr();
        for (data, offset) in part.data.iter_mut().zip(offsets) {
            *data = data.byte_add(offset);
        }
        part.info.width = columns.min(part.info.width - left);
        if !frame.format_info().has_alpha() {
            // For opaque pixels it makes no difference, and nothing is divided by their alpha, which costs
            // time and is noise where it is the unused byte of BGRx and the like.
            part.info.flags |= ffi::GST_VIDEO_FLAG_PREMULTIPLIED_ALPHA;
        }
        ffi::gst_video_blend(&mut part, &mut picture, x - left, y, 1.0) != glib::ffi::GFALSE
    }
}

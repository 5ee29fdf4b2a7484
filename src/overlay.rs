// SPDX-License-Identifier: MPL-2.0
//! The drawing of heads, brought to GStreamer: blended onto a mapped frame, or as a composition that
//! downstream blends.

mod ayuv;
mod look;

use std::mem;
use std::time::Duration;

use gst::glib;
use gst::glib::translate::ToGlibPtr;
use gst_video::ffi;
use gst_video::prelude::*;
use gst_video::{
    VideoFlags, VideoFormat, VideoFormatFlags, VideoFrameFlags, VideoFrameRef, VideoInfo,
    VideoOverlayComposition, VideoOverlayFormatFlags, VideoOverlayRectangle,
};

use crate::estimator::Head;
pub use look::DmHeadPoseOverlayFlags;
pub(crate) use look::Look;

use crate::estimator::draw::{InvalidFont, Painter, Patch, Style};
use crate::estimator::geometry::Size;
use crate::video;
use ayuv::Colors;

/// Draws heads on video frames.
pub struct Overlay {
    painter: Painter,
    rectangles: Vec<CachedRectangle>,
    scratch: Vec<u8>,
}

struct CachedRectangle {
    generation: u64,
    rectangle: VideoOverlayRectangle,
}

impl Overlay {
    /// Fails only if the font within the library is damaged.
    pub fn new() -> Result<Self, InvalidFont> {
        Ok(Self {
            painter: Painter::new()?,
            rectangles: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// Draws what `look` asks for onto the pixels of a buffer, which are copied if others hold them too.
    /// `inference_time` is for the line of statistics.
    pub(crate) fn draw(
        &mut self,
        heads: &[Head],
        inference_time: Duration,
        look: &Look,
        info: &VideoInfo,
        buffer: &mut gst::BufferRef,
    ) -> Result<(), gst::ErrorMessage> {
        let stats = look.parts.contains(DmHeadPoseOverlayFlags::STATS).then(|| {
            let milliseconds = inference_time.as_secs_f64() * 1e3;
            format!("{} heads  {milliseconds:.1} ms", heads.len())
        });
        if look.parts.is_empty() || (heads.is_empty() && stats.is_none()) {
            return Ok(());
        }
        let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, info)
            .map_err(|error| video::map_error("drawing", info, &error))?;
        self.blend(heads, &look.style(), stats.as_deref(), &mut frame)
            .map_err(|error| gst::error_msg!(gst::StreamError::Failed, ("{error}")))
    }

    /// Draws on the frame itself. `stats` is a line or more for the top left.
    pub fn blend(
        &mut self,
        heads: &[Head],
        style: &Style,
        stats: Option<&str>,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
    ) -> Result<(), glib::BoolError> {
        let size = Size {
            width: frame.width(),
            height: frame.height(),
        };
        let mut source = Source::new(frame.info(), &mut self.scratch)?;
        for patch in self.painter.paint(heads, size, style, stats) {
            blend_patch(patch, &mut source, frame)?;
        }
        Ok(())
    }

    /// The same picture for downstream to blend. Rectangles whose pixels are those of the call before
    /// are the same objects as then, so that a renderer can keep what it made of them.
    pub fn composition(
        &mut self,
        heads: &[Head],
        style: &Style,
        stats: Option<&str>,
        frame: Size,
    ) -> Result<VideoOverlayComposition, glib::BoolError> {
        let patches = self.painter.paint(heads, frame, style, stats);
        self.rectangles.truncate(patches.len());
        for (slot, patch) in patches.iter().enumerate() {
            match self.rectangles.get_mut(slot) {
                Some(cached) if cached.generation == patch.generation => {
                    let wanted = (patch.x, patch.y, patch.width, patch.height);
                    if cached.rectangle.render_rectangle() != wanted {
                        let (x, y, width, height) = wanted;
                        let rectangle = cached.rectangle.make_mut();
                        rectangle.set_render_rectangle(x, y, width, height);
                    }
                }
                Some(cached) => {
                    *cached = CachedRectangle {
                        generation: patch.generation,
                        rectangle: rectangle(patch)?,
                    }
                }
                None => self.rectangles.push(CachedRectangle {
                    generation: patch.generation,
                    rectangle: rectangle(patch)?,
                }),
            }
        }
        VideoOverlayComposition::new(self.rectangles.iter().map(|cached| &cached.rectangle))
    }
}

fn rectangle(patch: &Patch) -> Result<VideoOverlayRectangle, glib::BoolError> {
    let mut pixels = patch.pixels.clone();
    // Overlays are ARGB in the machine's byte order.
    let format = if cfg!(target_endian = "big") {
        pixels.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        VideoFormat::Argb
    } else {
        VideoFormat::Bgra
    };
    let mut buffer = gst::Buffer::from_mut_slice(pixels);
    if let Some(buffer) = buffer.get_mut() {
        let (width, height) = (patch.width, patch.height);
        gst_video::VideoMeta::add(buffer, VideoFrameFlags::empty(), format, width, height)?;
    }
    Ok(VideoOverlayRectangle::new_raw(
        &buffer,
        patch.x,
        patch.y,
        patch.width,
        patch.height,
        VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA,
    ))
}

/// Blends the inked parts of one patch by GStreamer's own means.
fn blend_patch(
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

/// What is being blended: four bytes a pixel, in the kind of colours that the frame has.
struct Source<'a> {
    /// Its format; the size is `width` and the number of `pixels`.
    info: VideoInfo,
    colors: Option<Colors>,
    pixels: &'a mut Vec<u8>,
    width: usize,
}

impl<'a> Source<'a> {
    fn new(frame: &VideoInfo, pixels: &'a mut Vec<u8>) -> Result<Self, glib::BoolError> {
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

/// A column at or left of `x` at which every plane has a sample to begin with, and the bytes from each
/// plane's first column to it.
///
/// gst_video_blend() unpacks and packs whole rows of the frame however narrow the overlay is: on a
/// frame that begins here it has only the columns concerned to do.
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
            // Opaque pixels are the same either way. This way nothing is divided by their alpha,
            // which costs time and, where it is the unused byte of BGRx and the like, is noise.
            part.info.flags |= ffi::GST_VIDEO_FLAG_PREMULTIPLIED_ALPHA;
        }
        ffi::gst_video_blend(&mut part, &mut picture, x - left, y, 1.0) != glib::ffi::GFALSE
    }
}

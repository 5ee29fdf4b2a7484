// SPDX-License-Identifier: MPL-2.0
//! The bridge between GStreamer's video frames and errors and those of the estimator.

use gst::prelude::*;
use gst_video::VideoFormat;
use gst_video::prelude::*;

use crate::estimator::error::Error;
use crate::estimator::geometry::Size;
use crate::estimator::image::frame::{Colorimetry, FrameView, PixelFormat, Plane};
use crate::planes::{self, Misfit};

/// The formats that [`view`] accepts, as the estimator names them; those that cameras and decoders deliver come first.
const FORMATS: [(VideoFormat, PixelFormat); 19] = [
    (VideoFormat::I420, PixelFormat::I420),
    (VideoFormat::Nv12, PixelFormat::Nv12),
    (VideoFormat::Yv12, PixelFormat::Yv12),
    (VideoFormat::Nv21, PixelFormat::Nv21),
    (VideoFormat::Yuy2, PixelFormat::Yuy2),
    (VideoFormat::Uyvy, PixelFormat::Uyvy),
    (VideoFormat::Y42b, PixelFormat::Y42b),
    (VideoFormat::Y444, PixelFormat::Y444),
    (VideoFormat::Bgr, PixelFormat::Bgr),
    (VideoFormat::Rgb, PixelFormat::Rgb),
    (VideoFormat::Bgrx, PixelFormat::Bgra),
    (VideoFormat::Rgbx, PixelFormat::Rgba),
    (VideoFormat::Xbgr, PixelFormat::Abgr),
    (VideoFormat::Xrgb, PixelFormat::Argb),
    (VideoFormat::Bgra, PixelFormat::Bgra),
    (VideoFormat::Rgba, PixelFormat::Rgba),
    (VideoFormat::Abgr, PixelFormat::Abgr),
    (VideoFormat::Argb, PixelFormat::Argb),
    (VideoFormat::Gray8, PixelFormat::Gray8),
];

fn pixel_format(format: VideoFormat) -> Option<PixelFormat> {
    let (_, found) = FORMATS.iter().find(|(known, _)| *known == format)?;
    Some(*found)
}

/// The colorimetry of the caps; GStreamer fills in its defaults where they have none.
pub(crate) fn colorimetry(colorimetry: &gst_video::VideoColorimetry) -> Colorimetry {
    use gst_video::VideoColorMatrix as Matrix;
    let base = match colorimetry.matrix() {
        Matrix::Bt709 => Colorimetry::BT709,
        Matrix::Bt2020 => Colorimetry::BT2020,
        Matrix::Smpte240m => Colorimetry::SMPTE240M,
        Matrix::Fcc => Colorimetry::FCC,
        _ => Colorimetry::BT601,
    };
    Colorimetry {
        full_range: colorimetry.range() == gst_video::VideoColorRange::Range0_255,
        ..base
    }
}

pub(crate) fn size(info: &gst_video::VideoInfo) -> Size {
    Size::new(info.width(), info.height())
}

/// A mapped frame as the estimator reads it: no copy.
///
/// # Errors
/// [`Error::Frame`] when the elements do not take the format, or the planes are too small.
pub fn view(frame: &impl VideoFrameExt) -> Result<FrameView<'_>, Error> {
    let info = frame.info();
    let format = pixel_format(info.format()).ok_or_else(|| {
        let (expected, found) = ("a format of the pad template".into(), "another".into());
        misfit_error(info, Misfit { expected, found })
    })?;
    let mut planes = [Plane::default(); 3];
    let planes = &mut planes[..format.extents(size(info)).count()];
    for (index, plane) in planes.iter_mut().enumerate() {
        (plane.bytes, plane.stride) =
            planes::bytes(frame, index as u32).map_err(|misfit| misfit_error(info, misfit))?;
    }
    FrameView::new(format, size(info), colorimetry(&info.colorimetry()), planes)
}

/// Bytes of visible samples in a row of each plane, and the number of its rows; nothing for a format that is
/// not among [`FORMATS`].
pub(crate) fn extents(info: &gst_video::VideoInfo) -> impl Iterator<Item = (usize, usize)> {
    let format = pixel_format(info.format()).into_iter();
    format.flat_map(|format| format.extents(size(info)))
}

fn misfit_error(info: &gst_video::VideoInfo, misfit: Misfit) -> Error {
    Error::Frame {
        format: info.format().to_string(),
        width: info.width(),
        height: info.height(),
        expected: misfit.expected,
        found: misfit.found,
    }
}

/// A buffer's frame, to be read with [`view`].
pub(crate) fn map_readable<'a>(
    buffer: &'a gst::BufferRef,
    info: &gst_video::VideoInfo,
) -> Result<gst_video::VideoFrameRef<&'a gst::BufferRef>, gst::ErrorMessage> {
    check_meta(buffer, info)?;
    gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info)
        .map_err(|error| map_error("reading", info, &error))
}

/// As [`map_readable`], with the buffer in it, which comes back with the error.
pub(crate) fn map_owned(
    buffer: gst::Buffer,
    info: &gst_video::VideoInfo,
) -> Result<gst_video::VideoFrame<gst_video::video_frame::Readable>, (gst::Buffer, gst::ErrorMessage)>
{
    if let Err(error) = check_meta(&buffer, info) {
        return Err((buffer, error));
    }
    gst_video::VideoFrame::from_buffer_readable(buffer, info).map_err(|buffer| {
        let error = gst::glib::bool_error!("the buffer does not fit the caps");
        (buffer, map_error("reading", info, &error))
    })
}

/// A buffer's frame, to be written to, whose planes are known to lie in its memory. Pixels that others hold
/// as well are copied first.
pub(crate) fn map_writable<'a>(
    buffer: &'a mut gst::BufferRef,
    info: &gst_video::VideoInfo,
) -> Result<gst_video::VideoFrameRef<&'a mut gst::BufferRef>, gst::ErrorMessage> {
    check_meta(buffer, info)?;
    let frame = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, info)
        .map_err(|error| map_error("drawing", info, &error))?;
    view(&frame).map_err(|error| error_message(&error))?;
    Ok(frame)
}

fn check_meta(
    buffer: &gst::BufferRef,
    info: &gst_video::VideoInfo,
) -> Result<(), gst::ErrorMessage> {
    planes::check_meta(buffer, info).map_err(|misfit| error_message(&misfit_error(info, misfit)))
}

/// The one place that decides the domain and code of an [`Error`] on the bus. Its text is the message, not the debug
/// string: applications show only the message to their users.
pub fn error_message(error: &Error) -> gst::ErrorMessage {
    let text = error.to_string();
    match error {
        Error::RuntimeMissing { .. } | Error::NoModel { .. } | Error::ModelMissing { .. } => {
            gst::error_msg!(gst::ResourceError::NotFound, ("{}", text))
        }
        Error::ModelUnreadable { .. } => gst::error_msg!(gst::ResourceError::Read, ("{}", text)),
        Error::RuntimeUnusable { .. } | Error::Forked => {
            gst::error_msg!(gst::LibraryError::Init, ("{}", text))
        }
        Error::Contract { .. } | Error::Provider { .. } => {
            gst::error_msg!(gst::LibraryError::Settings, ("{}", text))
        }
        Error::Frame { .. } => gst::error_msg!(gst::StreamError::Format, ("{}", text)),
        Error::Inference { .. } | Error::Thread(_) | Error::Exiting => {
            gst::error_msg!(gst::StreamError::Failed, ("{}", text))
        }
    }
}

/// The segment of times that the buffers of this sink pad belong to. It is the pad's own copy: flushes and stops forget
/// it.
pub(crate) fn segment(sinkpad: &gst::Pad) -> Option<gst::FormattedSegment<gst::ClockTime>> {
    let event = sinkpad.sticky_event::<gst::event::Segment>(0)?;
    event.segment().downcast_ref().cloned()
}

/// Whether the buffer stands for a missing frame. Most GAP buffers do not: `videorate` marks the frames that it repeats,
/// which have a picture.
pub(crate) fn is_empty_gap(buffer: &gst::BufferRef) -> bool {
    buffer.flags().contains(gst::BufferFlags::GAP) && buffer.size() == 0
}

/// The error of a buffer whose pixels cannot be mapped.
fn map_error(
    purpose: &str,
    info: &gst_video::VideoInfo,
    error: &gst::glib::BoolError,
) -> gst::ErrorMessage {
    gst::error_msg!(
        gst::ResourceError::Failed,
        (
            "cannot map a buffer as {} {}x{} for {purpose}: {error}",
            info.format(),
            info.width(),
            info.height()
        )
    )
}

/// The caps with the feature that allows compositions on buffers.
pub(crate) fn with_composition(caps: &gst::Caps) -> gst::Caps {
    let feature = gst_video::CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION;
    let features = |old: &gst::CapsFeaturesRef| {
        let mut features = old.to_owned();
        if !features.contains(feature) {
            features.add(feature);
        }
        features
    };
    caps.iter_with_features()
        .map(|(structure, old)| (structure.to_owned(), features(old)))
        .collect()
}

/// Sink and src pad of an element that takes and gives these formats, with compositions or without.
pub(crate) fn pad_templates() -> Vec<gst::PadTemplate> {
    let mut caps = gst_video::VideoCapsBuilder::new()
        .format_list(FORMATS.map(|(format, _)| format))
        .build();
    caps.merge(with_composition(&caps));
    sink_and_src(&caps, &caps)
}

/// Templates of the two pads that an element always has.
pub(crate) fn sink_and_src(sink: &gst::Caps, src: &gst::Caps) -> Vec<gst::PadTemplate> {
    let pads = [
        ("sink", gst::PadDirection::Sink, sink),
        ("src", gst::PadDirection::Src, src),
    ];
    let template = |(name, direction, caps)| {
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).ok()
    };
    pads.into_iter().filter_map(template).collect()
}

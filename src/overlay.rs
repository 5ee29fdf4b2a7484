// SPDX-License-Identifier: MPL-2.0
//! Drawing heads in GStreamer: blended onto the frame, or attached as a composition that downstream draws.

mod aligned;
mod ayuv;
mod blend;
mod composition;
mod downstream;
mod look;
mod options;
mod privacy;

use gst::glib;
use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo, VideoOverlayComposition};

use crate::draw::{InvalidFont, Painter, Style};
use crate::estimator::Head;
use crate::estimator::geometry::Size;
use crate::headposemeta::HeadPoses;
use crate::log::{Category, category};
use crate::video;
use blend::Source;
use composition::Rectangles;

pub(crate) use downstream::Downstream;
use look::Hidden;
pub(crate) use look::Look;
pub use options::{
    DmHeadPoseBlurFallback, DmHeadPoseBlurHeads, DmHeadPoseColorBy, DmHeadPoseOverlayFlags,
};
pub use privacy::{hide, hide_picture};

static CAT: Category = Category::new(|| {
    category(
        "dmheadposedraw",
        "Drawing of head poses: options, and whether downstream draws",
    )
});

pub struct Overlay {
    painter: Painter,
    rectangles: Rectangles,
    scratch: Vec<u8>,
}

impl Overlay {
    /// Fails only if the embedded font is damaged.
    pub fn new() -> Result<Self, InvalidFont> {
        Ok(Self {
            painter: Painter::new()?,
            rectangles: Rectangles::default(),
            scratch: Vec::new(),
        })
    }

    /// Draws or hides the heads of a buffer as `look` says. Its pixels are copied first if they are shared, unless there
    /// is nothing to write: with `compose` the drawing is only attached, for downstream.
    pub(crate) fn draw(
        &mut self,
        poses: Option<&HeadPoses>,
        look: &Look,
        compose: bool,
        info: &VideoInfo,
        buffer: &mut gst::BufferRef,
    ) -> Result<(), gst::ErrorMessage> {
        let failed = |error| gst::error_msg!(gst::StreamError::Failed, ("{error}"));
        let heads = poses.map_or(&[][..], |poses| look.shown(poses));
        let stats = poses.and_then(|poses| look.stats(poses));
        let draws = look.draws() && (!heads.is_empty() || stats.is_some());
        // Boxes that refer to another frame size would hide the wrong places.
        let poses = poses.filter(|poses| poses.size() == video::size(info));
        // Also heads too old to be drawn.
        let found = poses.map_or(&[][..], |poses| &poses.heads);
        let hidden = match look.hidden(poses) {
            Hidden::Heads if found.is_empty() => Hidden::Nothing,
            hidden => hidden,
        };

        if hidden != Hidden::Nothing || (draws && !compose) {
            let mut frame = video::map_writable(buffer, info)?;
            match hidden {
                Hidden::Nothing => Ok(()),
                Hidden::Heads => privacy::hide(found, look.blur_heads, &mut frame),
                Hidden::Picture => privacy::hide_picture(look.blur_heads, &mut frame),
            }
            .map_err(failed)?;
            if draws && !compose {
                self.blend(heads, &look.style(), stats.as_deref(), &mut frame)
                    .map_err(failed)?;
            }
        }
        if draws && compose {
            let composition = self
                .composition(heads, &look.style(), stats.as_deref(), video::size(info))
                .map_err(failed)?;
            composition::attach(composition, buffer);
        }
        Ok(())
    }

    /// Draws on the frame itself. `stats` is text for the top left corner.
    ///
    /// # Errors
    /// When the elements do not support the format, or not all rows are in memory. In both cases nothing is
    /// written.
    pub fn blend(
        &mut self,
        heads: &[Head],
        style: &Style,
        stats: Option<&str>,
        frame: &mut VideoFrameRef<&mut gst::BufferRef>,
    ) -> Result<(), glib::BoolError> {
        video::view(frame).map_err(|error| glib::bool_error!("{error}"))?;
        let size = video::size(frame.info());
        let mut draw =
            |frame: &mut VideoFrameRef<&mut gst::BufferRef>| -> Result<(), glib::BoolError> {
                let mut source = Source::new(frame.info(), &mut self.scratch)?;
                for patch in self.painter.paint(heads, size, style, stats) {
                    blend::blend_patch(patch, &mut source, frame)?;
                }
                Ok(())
            };
        if aligned::is_aligned(frame) {
            return draw(frame);
        }
        let mut copy = aligned::copy(frame)?;
        draw(&mut copy.as_mut_video_frame_ref())?;
        aligned::copy_rows(&copy.as_mut_video_frame_ref(), frame)
    }

    /// The same picture for downstream to draw. Rectangles with unchanged pixels are the same objects as in the
    /// previous call, so that a renderer can keep its textures.
    pub fn composition(
        &mut self,
        heads: &[Head],
        style: &Style,
        stats: Option<&str>,
        frame: Size,
    ) -> Result<VideoOverlayComposition, glib::BoolError> {
        let patches = self.painter.paint(heads, frame, style, stats);
        self.rectangles.compose(patches)
    }
}

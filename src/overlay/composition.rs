// SPDX-License-Identifier: MPL-2.0
//! Patches as a `GstVideoOverlayComposition`, attached to a buffer.

use gst::glib;
use gst_video::{
    VideoFormat, VideoFrameFlags, VideoMeta, VideoOverlayComposition, VideoOverlayCompositionMeta,
    VideoOverlayFormatFlags, VideoOverlayRectangle,
};

use crate::draw::Patch;

/// The rectangles of the previous frame, to be reused, and the generation of each.
#[derive(Default)]
pub(super) struct Rectangles(Vec<(u64, VideoOverlayRectangle)>);

impl Rectangles {
    pub fn compose(
        &mut self,
        patches: &[Patch],
    ) -> Result<VideoOverlayComposition, glib::BoolError> {
        let Self(cache) = self;
        cache.truncate(patches.len());
        for (slot, patch) in patches.iter().enumerate() {
            match cache.get_mut(slot) {
                Some((generation, cached)) if *generation == patch.generation => {
                    let wanted = (patch.x, patch.y, patch.width, patch.height);
                    if cached.render_rectangle() != wanted {
                        let (x, y, width, height) = wanted;
                        cached.make_mut().set_render_rectangle(x, y, width, height);
                    }
                }
                Some(cached) => *cached = (patch.generation, rectangle(patch)?),
                None => cache.push((patch.generation, rectangle(patch)?)),
            }
        }
        VideoOverlayComposition::new(cache.iter().map(|(_, rectangle)| rectangle))
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
        VideoMeta::add(buffer, VideoFrameFlags::empty(), format, width, height)?;
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

/// Puts the composition on the buffer, on top of one that another element may have attached:
/// renderers use only the first meta.
pub(super) fn attach(composition: VideoOverlayComposition, buffer: &mut gst::BufferRef) {
    match buffer.meta_mut::<VideoOverlayCompositionMeta>() {
        Some(mut meta) => {
            let mut all = meta.overlay_owned();
            let rectangles = all.make_mut();
            for rectangle in composition.iter() {
                rectangles.add_rectangle(&rectangle);
            }
            meta.set_overlay(&all);
        }
        None => {
            VideoOverlayCompositionMeta::add(buffer, &composition);
        }
    }
}

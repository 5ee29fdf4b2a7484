// SPDX-License-Identifier: MPL-2.0
//! Heads made unrecognisable in the frame's own samples.

use std::ops::Range;

use gst::glib;
use gst_video::prelude::*;
use gst_video::{VideoColorRange, VideoFormatFlags, VideoFrameRef, VideoInfo};

use super::DmHeadPoseBlurHeads;
use crate::draw::{Area, margin_box};
use crate::estimator::Head;
use crate::estimator::geometry::Size;
use crate::{planes, video};

/// Blocks along the longer side of a head.
const BLOCKS: i32 = 6;
/// Least side of a block, in pixels.
const LEAST_BLOCK: i32 = 8;

/// Hides the heads' boxes with their margins.
///
/// # Errors
/// When the format's samples are not bytes, or not all of them are in memory. In both cases nothing is
/// written.
pub fn hide(
    heads: &[Head],
    how: DmHeadPoseBlurHeads,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let size = video::size(frame.info());
    let areas = heads.iter().filter_map(|head| margin_box(head, size));
    hide_areas(areas, how, frame)
}

/// Hides the whole frame.
///
/// # Errors
/// As [`hide`].
pub fn hide_picture(
    how: DmHeadPoseBlurHeads,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let Size { width, height } = video::size(frame.info());
    let area = Area::new(0, 0, width.cast_signed(), height.cast_signed());
    hide_areas(std::iter::once(area), how, frame)
}

fn hide_areas(
    areas: impl Iterator<Item = Area>,
    how: DmHeadPoseBlurHeads,
    frame: &mut VideoFrameRef<&mut gst::BufferRef>,
) -> Result<(), glib::BoolError> {
    let components = components(frame.info())?;
    video::view(frame).map_err(|error| glib::bool_error!("{error}"))?;
    for area in areas {
        // Chroma samples shared by the head and its surroundings are hidden, too.
        let area = Area {
            x: area.x & !1,
            y: area.y & !1,
            right: (area.right + 1) & !1,
            bottom: (area.bottom + 1) & !1,
        };
        for component in &components {
            let (samples, stride) = planes::bytes_mut(frame, component.plane)
                .map_err(|misfit| glib::bool_error!("cannot hide heads: {misfit}"))?;
            match how {
                DmHeadPoseBlurHeads::None => {}
                DmHeadPoseBlurHeads::Pixelate => component.pixelate(&area, samples, stride),
                DmHeadPoseBlurHeads::Fill => component.fill(&area, samples, stride),
            }
        }
    }
    Ok(())
}

/// Where one kind of sample (Y, say, or alpha) lies in its plane.
struct Component {
    plane: u32,
    /// Bytes from the start of a row to the first sample, and from sample to sample.
    offset: usize,
    step: usize,
    /// Base-2 logarithms of how many columns and rows of pixels share a sample.
    shift: (u32, u32),
    /// Number of samples.
    width: i32,
    height: i32,
    /// Its value in opaque black.
    black: u8,
}

fn components(info: &VideoInfo) -> Result<Vec<Component>, glib::BoolError> {
    let format = info.format_info();
    let odd = VideoFormatFlags::COMPLEX | VideoFormatFlags::TILED | VideoFormatFlags::PALETTE;
    let n = format.n_components() as usize;
    if format.flags().intersects(odd) || format.depth()[..n].iter().any(|&depth| depth != 8) {
        return Err(glib::bool_error!(
            "cannot hide heads: expected samples of 8 bits, found {}",
            info.format()
        ));
    }
    let luma = if info.colorimetry().range() == VideoColorRange::Range0_255 {
        0
    } else {
        16
    };
    let component = |c: usize| Component {
        plane: format.plane()[c],
        offset: format.poffset()[c] as usize,
        step: format.pixel_stride()[c] as usize,
        shift: (format.w_sub()[c], format.h_sub()[c]),
        width: info.comp_width(c as u8) as i32,
        height: info.comp_height(c as u8) as i32,
        black: match c {
            3 => 255,
            _ if info.is_rgb() => 0,
            0 => luma,
            _ => 128,
        },
    };
    Ok((0..n).map(component).collect())
}

impl Component {
    /// The samples of a range of columns in each row of a range of rows; both in pixels, both even.
    fn rows<'a>(
        &self,
        columns: &Range<i32>,
        rows: &Range<i32>,
        samples: &'a mut [u8],
        stride: usize,
    ) -> impl Iterator<Item = impl Iterator<Item = &'a mut u8>> {
        let scaled = |range: &Range<i32>, shift: u32, end: i32| {
            let start = (range.start >> shift).clamp(0, end) as usize;
            let end = (range.end >> shift).clamp(0, end) as usize;
            (start, end.saturating_sub(start))
        };
        let (left, width) = scaled(columns, self.shift.0, self.width);
        let (top, height) = scaled(rows, self.shift.1, self.height);
        let (first, step) = (self.offset + left * self.step, self.step);
        let rows = samples.chunks_mut(stride.max(1)).skip(top).take(height);
        rows.map(move |row| row.iter_mut().skip(first).step_by(step).take(width))
    }

    fn fill(&self, area: &Area, samples: &mut [u8], stride: usize) {
        for row in self.rows(
            &(area.x..area.right),
            &(area.y..area.bottom),
            samples,
            stride,
        ) {
            row.for_each(|sample| *sample = self.black);
        }
    }

    fn pixelate(&self, area: &Area, samples: &mut [u8], stride: usize) {
        let longer = area.width().max(area.height());
        // Even, so that chroma and luma blocks coincide.
        let block = ((longer / BLOCKS + 2) & !1).max(LEAST_BLOCK);
        let starts = |from: i32, to: i32| (from..to).step_by(block as usize);
        for y in starts(area.y, area.bottom) {
            let rows = y..(y + block).min(area.bottom);
            for x in starts(area.x, area.right) {
                let columns = x..(x + block).min(area.right);
                let (mut sum, mut count) = (0, 0);
                for sample in self.rows(&columns, &rows, samples, stride).flatten() {
                    sum += u64::from(*sample);
                    count += 1;
                }
                let mean = (sum + count / 2).checked_div(count).unwrap_or(0) as u8;
                for row in self.rows(&columns, &rows, samples, stride) {
                    row.for_each(|sample| *sample = mean);
                }
            }
        }
    }
}

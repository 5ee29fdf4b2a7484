// SPDX-License-Identifier: MPL-2.0
//! [`FrameView`]: a borrowed video frame, validated once so that reading its rows cannot fail.

use crate::estimator::error::Error;
use crate::estimator::geometry::Size;

/// 8-bit pixel formats, named as GStreamer and FFmpeg name them.
///
/// `Rgbx`-like formats share a variant with their alpha twin: alpha is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    Rgb,
    Bgr,
    Rgba,
    Bgra,
    Argb,
    Abgr,
    Gray8,
    I420,
    Yv12,
    Nv12,
    Nv21,
    Yuy2,
    Uyvy,
    Y42b,
    Y444,
}

/// Where one component (R, G, B or Y, U, V) lies in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    /// Index of its plane.
    pub plane: usize,
    /// Bytes from the row's start to the first sample.
    pub offset: usize,
    /// Bytes from one sample to the next.
    pub step: usize,
    /// log2 of how many pixels share a sample horizontally and vertically.
    pub shift: (u32, u32),
}

/// What the components of a format are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Components {
    /// R, G, B interleaved in plane 0: bytes a pixel, offsets of the three.
    Rgb {
        step: usize,
        offsets: [usize; 3],
    },
    Gray,
    /// Y is full resolution; U and V share step and subsampling.
    Yuv {
        y: Component,
        u: Component,
        v: Component,
    },
}

impl PixelFormat {
    pub(super) fn components(self) -> Components {
        let rgb = |step, offsets| Components::Rgb { step, offsets };
        let at = |plane, offset, step, shift| Component {
            plane,
            offset,
            step,
            shift,
        };
        let yuv = |y, u, v| Components::Yuv { y, u, v };
        let y = at(0, 0, 1, (0, 0));
        match self {
            Self::Rgb => rgb(3, [0, 1, 2]),
            Self::Bgr => rgb(3, [2, 1, 0]),
            Self::Rgba => rgb(4, [0, 1, 2]),
            Self::Bgra => rgb(4, [2, 1, 0]),
            Self::Argb => rgb(4, [1, 2, 3]),
            Self::Abgr => rgb(4, [3, 2, 1]),
            Self::Gray8 => Components::Gray,
            Self::I420 => yuv(y, at(1, 0, 1, (1, 1)), at(2, 0, 1, (1, 1))),
            Self::Yv12 => yuv(y, at(2, 0, 1, (1, 1)), at(1, 0, 1, (1, 1))),
            Self::Nv12 => yuv(y, at(1, 0, 2, (1, 1)), at(1, 1, 2, (1, 1))),
            Self::Nv21 => yuv(y, at(1, 1, 2, (1, 1)), at(1, 0, 2, (1, 1))),
            Self::Yuy2 => yuv(
                at(0, 0, 2, (0, 0)),
                at(0, 1, 4, (1, 0)),
                at(0, 3, 4, (1, 0)),
            ),
            Self::Uyvy => yuv(
                at(0, 1, 2, (0, 0)),
                at(0, 0, 4, (1, 0)),
                at(0, 2, 4, (1, 0)),
            ),
            Self::Y42b => yuv(y, at(1, 0, 1, (1, 0)), at(2, 0, 1, (1, 0))),
            Self::Y444 => yuv(y, at(1, 0, 1, (0, 0)), at(2, 0, 1, (0, 0))),
        }
    }

    /// Bytes of visible samples in a row of each plane, and the number of its rows. Planes come in memory order: `Yv12`
    /// has V second.
    pub(crate) fn extents(self, size: Size) -> impl Iterator<Item = (usize, usize)> {
        let (width, height) = (size.width as usize, size.height as usize);
        let extent = move |Component { step, shift, .. }: Component| {
            let (columns, rows) = (width.div_ceil(1 << shift.0), height.div_ceil(1 << shift.1));
            (columns * step, rows)
        };
        let components = self.components();
        (0..).map_while(move |plane| match components {
            Components::Rgb { step, .. } => (plane == 0).then_some((width * step, height)),
            Components::Gray => (plane == 0).then_some((width, height)),
            Components::Yuv { y, u, v } => {
                let in_plane = [y, u, v].into_iter().filter(|c| c.plane == plane);
                in_plane.map(extent).max()
            }
        })
    }
}

/// How Y, U, V relate to R, G, B: the luma weights of red and blue, and the range of the codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colorimetry {
    pub kr: f64,
    pub kb: f64,
    /// Codes use 0..=255; otherwise luma 16..=235 and chroma 16..=240.
    pub full_range: bool,
}

impl Colorimetry {
    /// ITU-R BT.601: what OpenCV and JPEG-less SD video assume.
    pub const BT601: Self = Self::limited(0.299, 0.114);
    /// ITU-R BT.709: HD video.
    pub const BT709: Self = Self::limited(0.2126, 0.0722);
    /// ITU-R BT.2020: UHD video.
    pub const BT2020: Self = Self::limited(0.2627, 0.0593);
    /// SMPTE 240M: early HD video.
    pub const SMPTE240M: Self = Self::limited(0.212, 0.087);
    /// FCC Title 47: early NTSC video.
    pub const FCC: Self = Self::limited(0.30, 0.11);

    const fn limited(kr: f64, kb: f64) -> Self {
        Self {
            kr,
            kb,
            full_range: false,
        }
    }
}

/// One plane: its bytes and the distance between the starts of two rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plane<'a> {
    pub bytes: &'a [u8],
    pub stride: usize,
}

impl<'a> Plane<'a> {
    pub const fn new(bytes: &'a [u8], stride: usize) -> Self {
        Self { bytes, stride }
    }
}

/// A borrowed frame whose planes are known to be large enough.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: [Plane<'a>; 3],
    /// Bytes of visible samples in a row of each plane.
    row_bytes: [usize; 3],
}

impl<'a> FrameView<'a> {
    /// Checks `planes` against format and size. `colorimetry` matters for YUV and gray only.
    ///
    /// # Errors
    /// [`Error::Frame`] when the size is zero or a plane is missing or too small.
    pub fn new(
        format: PixelFormat,
        size: Size,
        colorimetry: Colorimetry,
        planes: &[Plane<'a>],
    ) -> Result<Self, Error> {
        let wrong = |expected: String, found: String| Error::Frame {
            format: format!("{format:?}").to_uppercase(),
            width: size.width,
            height: size.height,
            expected,
            found,
        };
        if size.width == 0 || size.height == 0 {
            return Err(wrong("at least one pixel".into(), "none".into()));
        }
        let n_planes = format.extents(size).count();
        if planes.len() < n_planes {
            return Err(wrong(
                format!("{n_planes} planes"),
                planes.len().to_string(),
            ));
        }
        let mut view = Self {
            format,
            size,
            colorimetry,
            planes: Default::default(),
            row_bytes: Default::default(),
        };
        for (index, ((row, rows), &plane)) in format.extents(size).zip(planes).enumerate() {
            let before = plane.stride.checked_mul(rows - 1);
            let needed = before.and_then(|bytes| bytes.checked_add(row));
            if plane.stride < row || needed.is_none_or(|needed| plane.bytes.len() < needed) {
                return Err(wrong(
                    format!("{rows} rows of {row} bytes in plane {index}"),
                    format!("{} bytes with stride {}", plane.bytes.len(), plane.stride),
                ));
            }
            (view.planes[index], view.row_bytes[index]) = (plane, row);
        }
        Ok(view)
    }

    pub fn format(&self) -> PixelFormat {
        self.format
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn colorimetry(&self) -> Colorimetry {
        self.colorimetry
    }

    /// The visible bytes of row `y` of `plane`; `y` counts the plane's own rows.
    pub(super) fn row(&self, plane: usize, y: usize) -> &'a [u8] {
        let Plane { bytes, stride } = self.planes[plane];
        &bytes[y * stride..][..self.row_bytes[plane]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_have_to_hold_every_row() {
        use PixelFormat::{Gray8, I420, Nv12, Rgb, Yuy2};
        let square = Size::new(3, 3);
        for (format, size, planes, refused) in [
            // The last row needs no padding.
            (Gray8, square, &[(11, 4)][..], ""),
            (Gray8, square, &[(10, 4)], "3 rows of 3 bytes"),
            (Rgb, square, &[(64, 9)], ""),
            (Rgb, square, &[(64, 8)], "64 bytes with stride 8"),
            // Odd sizes round chroma up.
            (I420, square, &[(9, 3), (4, 2), (4, 2)], ""),
            (
                I420,
                square,
                &[(9, 3), (4, 2), (3, 2)],
                "frame of I420 3x3: expected 2 rows of 2 bytes in plane 2, found 3 bytes with stride 2",
            ),
            (Yuy2, square, &[(24, 8)], ""),
            (Yuy2, square, &[(24, 7)], "3 rows of 8 bytes"),
            (Nv12, square, &[(9, 3), (8, 4)], ""),
            (Nv12, square, &[(64, 4)], "expected 2 planes, found 1"),
            (Gray8, Size::new(0, 3), &[(64, 4)], "at least one pixel"),
            (Gray8, square, &[(64, usize::MAX)], "with stride"),
        ] {
            let bytes = [0; 64];
            let plane = |&(len, stride)| Plane::new(&bytes[..len], stride);
            let planes = planes.iter().map(plane);
            let planes: Vec<_> = planes.collect();
            let view = FrameView::new(format, size, Colorimetry::BT601, &planes);
            let error = view.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(error.contains(refused), "{format:?} {planes:?}: {error}");
            assert_eq!(error.is_empty(), refused.is_empty(), "{format:?}: {error}");
        }
    }
}

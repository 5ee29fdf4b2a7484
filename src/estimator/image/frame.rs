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
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb => "RGB",
            Self::Bgr => "BGR",
            Self::Rgba => "RGBA",
            Self::Bgra => "BGRA",
            Self::Argb => "ARGB",
            Self::Abgr => "ABGR",
            Self::Gray8 => "GRAY8",
            Self::I420 => "I420",
            Self::Yv12 => "YV12",
            Self::Nv12 => "NV12",
            Self::Nv21 => "NV21",
            Self::Yuy2 => "YUY2",
            Self::Uyvy => "UYVY",
            Self::Y42b => "Y42B",
            Self::Y444 => "Y444",
        }
    }

    /// How many planes a frame of this format has. Planes come in memory order: `Yv12` has V second.
    pub fn n_planes(self) -> usize {
        match self {
            Self::I420 | Self::Yv12 | Self::Y42b | Self::Y444 => 3,
            Self::Nv12 | Self::Nv21 => 2,
            _ => 1,
        }
    }

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

    /// Bytes of visible samples in a row of `plane`, and the number of its rows.
    pub(crate) fn plane_extent(self, plane: usize, size: Size) -> (usize, usize) {
        let (width, height) = (size.width as usize, size.height as usize);
        let halved = |n: usize| n.div_ceil(2);
        match self {
            Self::Rgb | Self::Bgr => (width * 3, height),
            Self::Rgba | Self::Bgra | Self::Argb | Self::Abgr => (width * 4, height),
            Self::Yuy2 | Self::Uyvy => (halved(width) * 4, height),
            _ if plane == 0 => (width, height),
            Self::I420 | Self::Yv12 => (halved(width), halved(height)),
            Self::Nv12 | Self::Nv21 => (halved(width) * 2, halved(height)),
            Self::Y42b => (halved(width), height),
            Self::Gray8 | Self::Y444 => (width, height),
        }
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
    /// ITU-R BT.601, limited range: what OpenCV and JPEG-less SD video assume.
    pub const BT601: Self = Self {
        kr: 0.299,
        kb: 0.114,
        full_range: false,
    };
    /// ITU-R BT.709, limited range: HD video.
    pub const BT709: Self = Self {
        kr: 0.2126,
        kb: 0.0722,
        full_range: false,
    };
    /// ITU-R BT.2020, limited range: UHD video.
    pub const BT2020: Self = Self {
        kr: 0.2627,
        kb: 0.0593,
        full_range: false,
    };
    /// SMPTE 240M, limited range: early HD video.
    pub const SMPTE240M: Self = Self {
        kr: 0.212,
        kb: 0.087,
        full_range: false,
    };
    /// FCC Title 47, limited range: early NTSC video.
    pub const FCC: Self = Self {
        kr: 0.30,
        kb: 0.11,
        full_range: false,
    };
}

/// One plane: its bytes and the distance between the starts of two rows.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    pub bytes: &'a [u8],
    pub stride: usize,
}

/// A borrowed frame whose planes are known to be large enough.
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    planes: [Plane<'a>; 3],
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
            format: format.name(),
            width: size.width,
            height: size.height,
            expected,
            found,
        };
        if size.width == 0 || size.height == 0 {
            return Err(wrong("at least one pixel".into(), "none".into()));
        }
        let n_planes = format.n_planes();
        if planes.len() < n_planes {
            return Err(wrong(
                format!("{n_planes} planes"),
                format!("{}", planes.len()),
            ));
        }
        for (index, plane) in planes.iter().take(n_planes).enumerate() {
            let (row, rows) = format.plane_extent(index, size);
            let needed = plane
                .stride
                .checked_mul(rows - 1)
                .and_then(|bytes| bytes.checked_add(row));
            if plane.stride < row || needed.is_none_or(|needed| plane.bytes.len() < needed) {
                return Err(wrong(
                    format!("{rows} rows of {row} bytes in plane {index}"),
                    format!("{} bytes with stride {}", plane.bytes.len(), plane.stride),
                ));
            }
        }
        let empty = Plane {
            bytes: &[],
            stride: 0,
        };
        let mut own = [empty; 3];
        own[..n_planes].copy_from_slice(&planes[..n_planes]);
        Ok(Self {
            format,
            size,
            colorimetry,
            planes: own,
        })
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
        let (row, _) = self.format.plane_extent(plane, self.size);
        let start = y * self.planes[plane].stride;
        &self.planes[plane].bytes[start..start + row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 3,
        height: 3,
    };

    fn plane(bytes: &[u8], stride: usize) -> Plane<'_> {
        Plane { bytes, stride }
    }

    #[test]
    fn the_last_row_needs_no_padding() {
        let bytes = [0; 4 * 2 + 3];
        assert!(
            FrameView::new(
                PixelFormat::Gray8,
                SIZE,
                Colorimetry::BT601,
                &[plane(&bytes, 4)]
            )
            .is_ok()
        );
        assert!(
            FrameView::new(
                PixelFormat::Gray8,
                SIZE,
                Colorimetry::BT601,
                &[plane(&bytes[1..], 4)]
            )
            .is_err()
        );
    }

    #[test]
    fn odd_sizes_round_chroma_up() {
        let (y, uv) = ([0; 9], [0; 4]);
        let planes = [plane(&y, 3), plane(&uv, 2), plane(&uv, 2)];
        assert!(FrameView::new(PixelFormat::I420, SIZE, Colorimetry::BT601, &planes).is_ok());
        let short = [plane(&y, 3), plane(&uv, 2), plane(&uv[1..], 2)];
        let error = FrameView::new(PixelFormat::I420, SIZE, Colorimetry::BT601, &short)
            .err()
            .map(|e| e.to_string());
        assert_eq!(
            error.as_deref(),
            Some(
                "frame of I420 3x3: expected 2 rows of 2 bytes in plane 2, found 3 bytes with stride 2"
            )
        );
    }

    #[test]
    fn a_stride_below_the_row_is_refused() {
        let bytes = [0; 64];
        assert!(
            FrameView::new(
                PixelFormat::Rgb,
                SIZE,
                Colorimetry::BT601,
                &[plane(&bytes, 8)]
            )
            .is_err()
        );
        assert!(
            FrameView::new(
                PixelFormat::Rgb,
                SIZE,
                Colorimetry::BT601,
                &[plane(&bytes, 9)]
            )
            .is_ok()
        );
    }

    #[test]
    fn missing_planes_and_empty_frames_are_refused() {
        let bytes = [0; 64];
        let one = [plane(&bytes, 4)];
        assert!(FrameView::new(PixelFormat::Nv12, SIZE, Colorimetry::BT601, &one).is_err());
        let empty = Size {
            width: 0,
            height: 3,
        };
        assert!(FrameView::new(PixelFormat::Gray8, empty, Colorimetry::BT601, &one).is_err());
    }
}

// SPDX-License-Identifier: MPL-2.0
//! YUV frames of a BGR picture, made in floating point by the textbook formulas, deliberately without the
//! plugin's code: chroma is the mean of the pixels that share a sample.

use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::{Colorimetry, FrameView, PixelFormat, Plane};

use crate::estimate::Picture;

/// The conversion of R, G, B to Y, U, V.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    pub name: &'static str,
    kr: f64,
    kb: f64,
    full_range: bool,
    /// The estimator's setting.
    pub colorimetry: Colorimetry,
}

const BT601: Matrix = Matrix {
    name: "BT.601 limited",
    kr: 0.299,
    kb: 0.114,
    full_range: false,
    colorimetry: Colorimetry::BT601,
};

const BT709: Matrix = Matrix {
    name: "BT.709 limited",
    kr: 0.2126,
    kb: 0.0722,
    full_range: false,
    colorimetry: Colorimetry::BT709,
};

pub const MATRICES: [Matrix; 4] = [
    BT601,
    BT601.full("BT.601 full"),
    BT709,
    BT709.full("BT.709 full"),
];

pub const FORMATS: [PixelFormat; 3] = [PixelFormat::I420, PixelFormat::Nv12, PixelFormat::Yuy2];

impl Matrix {
    const fn full(self, name: &'static str) -> Self {
        let colorimetry = Colorimetry {
            full_range: true,
            ..self.colorimetry
        };
        Self {
            name,
            full_range: true,
            colorimetry,
            ..self
        }
    }

    /// Y in 0..=1, U and V in -0.5..=0.5.
    fn yuv(&self, [b, g, r]: [f64; 3]) -> [f64; 3] {
        let y = self.kr * r + (1.0 - self.kr - self.kb) * g + self.kb * b;
        let u = (b - y) / (2.0 * (1.0 - self.kb));
        let v = (r - y) / (2.0 * (1.0 - self.kr));
        [y, u, v]
    }

    fn luma(&self, y: f64) -> u8 {
        let code = if self.full_range {
            255.0 * y
        } else {
            16.0 + 219.0 * y
        };
        code.round() as u8
    }

    fn chroma(&self, c: f64) -> u8 {
        let gain = if self.full_range { 255.0 } else { 224.0 };
        (128.0 + gain * c).round() as u8
    }
}

/// A frame that owns its planes. Its rows are longer than their visible part.
pub struct YuvFrame {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    pub planes: Vec<(Vec<u8>, usize)>,
}

/// Bytes after each row, and their value: they must not be read.
const PADDING: (usize, u8) = (13, 255);

impl YuvFrame {
    pub fn new(picture: &Picture, format: PixelFormat, matrix: &Matrix) -> Self {
        let (width, height) = (picture.size.width as usize, picture.size.height as usize);
        let pixels = picture.bgr.as_chunks::<3>().0;
        let yuv = |bgr: &[u8; 3]| matrix.yuv(bgr.map(|level| f64::from(level) / 255.0));
        let yuv: Vec<_> = pixels.iter().map(yuv).collect();
        let luma = |x: usize, y: usize| matrix.luma(yuv[y * width + x][0]);
        // The mean over the pixels of a sample; at odd borders over those that exist.
        let rows = if format == PixelFormat::Yuy2 { 1 } else { 2 };
        let chroma = |component: usize, x: usize, y: usize| {
            let mut sum = 0.0;
            let mut n = 0.0;
            for y in y * rows..(y * rows + rows).min(height) {
                for x in x * 2..(x * 2 + 2).min(width) {
                    sum += yuv[y * width + x][component];
                    n += 1.0;
                }
            }
            matrix.chroma(sum / n)
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(rows));
        let y_plane = || plane(width, height, luma);
        let planes = match format {
            PixelFormat::I420 => vec![
                y_plane(),
                plane(half_width, half_height, |x, y| chroma(1, x, y)),
                plane(half_width, half_height, |x, y| chroma(2, x, y)),
            ],
            PixelFormat::Nv12 => vec![
                y_plane(),
                plane(half_width * 2, half_height, |x, y| {
                    chroma(1 + x % 2, x / 2, y)
                }),
            ],
            PixelFormat::Yuy2 => vec![plane(half_width * 4, height, |x, y| match x % 4 {
                1 => chroma(1, x / 4, y),
                3 => chroma(2, x / 4, y),
                _ => luma((x / 2).min(width - 1), y),
            })],
            other => panic!("no frames of {other:?} are made"),
        };
        Self {
            format,
            size: picture.size,
            colorimetry: matrix.colorimetry,
            planes,
        }
    }

    pub fn view(&self) -> FrameView<'_> {
        let planes = self.planes.iter();
        let planes = planes.map(|&(ref bytes, stride)| Plane { bytes, stride });
        let planes: Vec<_> = planes.collect();
        FrameView::new(self.format, self.size, self.colorimetry, &planes).unwrap()
    }
}

/// A plane with `width` bytes per row, and its stride.
fn plane(width: usize, height: usize, byte: impl Fn(usize, usize) -> u8) -> (Vec<u8>, usize) {
    let stride = width + PADDING.0;
    let mut bytes = vec![PADDING.1; stride * height];
    for (y, row) in bytes.chunks_exact_mut(stride).enumerate() {
        for (x, out) in row[..width].iter_mut().enumerate() {
            *out = byte(x, y);
        }
    }
    (bytes, stride)
}

// SPDX-License-Identifier: MPL-2.0
//! Reads pixels of a [`FrameView`] as RGB, whatever its format: a part of a row at a time.

use std::ops::Range;

use super::frame::{Colorimetry, Component, Components, FrameView};
use super::kernels::{self, FRACTION, Pixel, YuvFactors};
use super::yuv::ChromaReader;

/// The fixed-point factors of a colorimetry; the result is within one level of the exact formula.
///
/// ITU-R BT.601 / BT.709 / BT.2020: the matrix follows from the luma weights alone.
fn yuv_factors(color: Colorimetry) -> YuvFactors {
    let Colorimetry { kr, kb, .. } = color;
    let kg = 1.0 - kr - kb;
    let (luma_offset, luma_gain, chroma_gain) = if color.full_range {
        (0, 1.0, 1.0)
    } else {
        (16, 255.0 / 219.0, 255.0 / 224.0)
    };
    let fixed =
        |gain: f64, scale: u32| (gain * f64::from(1u32 << (16 + FRACTION - scale))).round() as i16;
    YuvFactors {
        luma_offset,
        luma: fixed(luma_gain, 7),
        red_v: fixed(chroma_gain * 2.0 * (1.0 - kr), 8),
        green_u: fixed(-chroma_gain * 2.0 * kb * (1.0 - kb) / kg, 8),
        green_v: fixed(-chroma_gain * 2.0 * kr * (1.0 - kr) / kg, 8),
        blue_u: fixed(chroma_gain * 2.0 * (1.0 - kb), 8),
    }
}

/// Reads rows; owns the scratch memory for that.
#[derive(Debug, Default)]
pub(super) struct RowReader {
    factors: Option<(Colorimetry, YuvFactors)>,
    chroma: ChromaReader,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl RowReader {
    /// Fills `out` with the pixels of row `row` from column `start` on. They must lie in the frame.
    pub fn read(&mut self, frame: &FrameView<'_>, row: usize, start: usize, out: &mut [Pixel]) {
        match frame.format().components() {
            Components::Rgb { step, offsets } => {
                read_rgb(frame.row(0, row), step, offsets, start, out);
            }
            Components::Gray => {
                self.resize(out.len());
                let luma = &frame.row(0, row)[start..];
                self.y.copy_from_slice(&luma[..out.len()]);
                // No colour: chroma at its middle.
                self.u.fill(128);
                self.v.fill(128);
                self.convert(frame, out);
            }
            Components::Yuv { y, u, v } => {
                self.resize(out.len());
                read_samples(frame, row, y, start, &mut self.y);
                for (component, samples) in [(u, &mut self.u), (v, &mut self.v)] {
                    match component.shift {
                        (0, 0) => read_samples(frame, row, component, start, samples),
                        _ => self.chroma.read(frame, row, component, start, samples),
                    }
                }
                self.convert(frame, out);
            }
        }
    }

    /// Prefetches the pixels `columns` of row `row`.
    pub fn announce(frame: &FrameView<'_>, row: usize, columns: Range<usize>) {
        let announce = |plane, row, columns: Range<usize>, step| {
            let bytes = frame.row(plane, row);
            let bytes = bytes.get(columns.start * step..columns.end * step);
            kernels::prefetch(bytes.unwrap_or_default());
        };
        match frame.format().components() {
            Components::Rgb { step, .. } => announce(0, row, columns, step),
            Components::Gray => announce(0, row, columns, 1),
            Components::Yuv { y, u, v } => {
                announce(y.plane, row, columns.clone(), y.step);
                for (component, before) in [(u, y), (v, u)] {
                    if component.plane != before.plane {
                        let (x, y) = component.shift;
                        let columns = columns.start >> x..columns.end >> x;
                        announce(component.plane, row >> y, columns, component.step);
                    }
                }
            }
        }
    }

    /// Fills `out` with the means of 2x2 pixels, from rows `row` and `row + 1` and column `start` on, where
    /// each four share their chroma: one conversion serves them all, within a level of the mean of four. Returns
    /// `false`, and does nothing, where they do not.
    pub fn read_halved(
        &mut self,
        frame: &FrameView<'_>,
        row: usize,
        start: usize,
        out: &mut [Pixel],
    ) -> bool {
        let Components::Yuv { y, u, v } = frame.format().components() else {
            return false;
        };
        let shared = [u, v].iter().all(|component| component.shift == (1, 1));
        if !shared || !row.is_multiple_of(2) || !start.is_multiple_of(2) || y.step != 1 {
            return false;
        }
        self.resize(out.len());
        let luma = |row| &frame.row(y.plane, row)[y.offset + start..][..out.len() * 2];
        let [upper, lower] = [luma(row), luma(row + 1)].map(|samples| samples.as_chunks().0);
        kernels::mean_of_four_samples(upper, lower, &mut self.y);
        for (component, samples) in [(u, &mut self.u), (v, &mut self.v)] {
            read_samples(frame, row / 2, component, start / 2, samples);
        }
        self.convert(frame, out);
        true
    }

    fn resize(&mut self, len: usize) {
        for samples in [&mut self.y, &mut self.u, &mut self.v] {
            samples.resize(len, 0);
        }
    }

    fn convert(&mut self, frame: &FrameView<'_>, out: &mut [Pixel]) {
        let color = frame.colorimetry();
        let factors = match self.factors {
            Some((of, factors)) if of == color => factors,
            _ => {
                let factors = yuv_factors(color);
                self.factors = Some((color, factors));
                factors
            }
        };
        kernels::yuv_to_rgb(&factors, &self.y, &self.u, &self.v, out);
    }
}

/// Reads RGB in one of the orders that formats have.
fn read_rgb(bytes: &[u8], step: usize, offsets: [usize; 3], start: usize, out: &mut [Pixel]) {
    let bytes = &bytes[start * step..];
    match (step, offsets) {
        (3, [0, _, _]) => kernels::pixels_of_three::<false>(bytes.as_chunks().0, out),
        (3, _) => kernels::pixels_of_three::<true>(bytes.as_chunks().0, out),
        (_, [0, _, _]) => out.copy_from_slice(&bytes.as_chunks().0[..out.len()]),
        (_, [1, _, _]) => kernels::pixels_of_four::<false, 8>(bytes.as_chunks().0, out),
        (_, [2, _, _]) => kernels::pixels_of_four::<true, 8>(bytes.as_chunks().0, out),
        _ => kernels::pixels_of_four::<true, 0>(bytes.as_chunks().0, out),
    }
}

/// Reads a component that has a sample for each pixel.
fn read_samples(
    frame: &FrameView<'_>,
    row: usize,
    component: Component,
    start: usize,
    out: &mut [u8],
) {
    let Component { step, offset, .. } = component;
    let samples = &frame.row(component.plane, row)[start * step..];
    match step {
        1 => out.copy_from_slice(&samples[offset..][..out.len()]),
        2 => kernels::pick::<2>(samples.as_chunks().0, offset, out),
        _ => kernels::pick::<4>(samples.as_chunks().0, offset, out),
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{PixelFormat, Plane};
    use super::*;
    use crate::estimator::geometry::Size;

    fn view<'a>(format: PixelFormat, width: u32, planes: &[(&'a [u8], usize)]) -> FrameView<'a> {
        let plane = |&(bytes, stride)| Plane::new(bytes, stride);
        let planes: Vec<_> = planes.iter().map(plane).collect();
        let height = (planes[0].bytes.len() / planes[0].stride) as u32;
        FrameView::new(format, Size { width, height }, Colorimetry::BT601, &planes).unwrap()
    }

    fn read(frame: &FrameView<'_>, row: usize, start: usize, n: usize) -> Vec<[u8; 3]> {
        let mut out = vec![[9; 4]; n];
        RowReader::default().read(frame, row, start, &mut out);
        out.iter().map(|p| [p[0], p[1], p[2]]).collect()
    }

    #[test]
    fn rgb_orders_are_honoured() {
        for (format, bytes) in [
            (PixelFormat::Rgb, &[1, 2, 3, 4, 5, 6][..]),
            (PixelFormat::Bgr, &[3, 2, 1, 6, 5, 4]),
            (PixelFormat::Rgba, &[1, 2, 3, 0, 4, 5, 6, 0]),
            (PixelFormat::Bgra, &[3, 2, 1, 0, 6, 5, 4, 0]),
            (PixelFormat::Argb, &[0, 1, 2, 3, 0, 4, 5, 6]),
            (PixelFormat::Abgr, &[0, 3, 2, 1, 0, 6, 5, 4]),
        ] {
            let frame = view(format, 2, &[(bytes, bytes.len())]);
            let both = read(&frame, 0, 0, 2);
            assert_eq!(both, [[1, 2, 3], [4, 5, 6]], "{format:?}");
            assert_eq!(read(&frame, 0, 1, 1), [[4, 5, 6]], "{format:?}");
        }
    }

    /// The textbook formula in floating point.
    fn exact(color: Colorimetry, y: u8, u: u8, v: u8) -> [f64; 3] {
        let (offset, gain, chroma) = if color.full_range {
            (0.0, 1.0, 1.0)
        } else {
            (16.0, 255.0 / 219.0, 255.0 / 224.0)
        };
        let (kr, kb) = (color.kr, color.kb);
        let y = (f64::from(y) - offset) * gain;
        let (u, v) = (
            (f64::from(u) - 128.0) * chroma,
            (f64::from(v) - 128.0) * chroma,
        );
        let r = y + 2.0 * (1.0 - kr) * v;
        let b = y + 2.0 * (1.0 - kb) * u;
        let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
        [r, g, b].map(|c| c.clamp(0.0, 255.0))
    }

    #[test]
    fn fixed_point_stays_within_one_level_of_the_formula() {
        for base in [Colorimetry::BT601, Colorimetry::BT709] {
            for full_range in [false, true] {
                let color = Colorimetry { full_range, ..base };
                let matrix = yuv_factors(color);
                let (mut sum, mut n) = (0.0, 0.0);
                for y in (0..=255).step_by(5) {
                    for u in (0..=255).step_by(5) {
                        for v in (0..=255).step_by(5) {
                            let mut out = [[0; 4]];
                            kernels::yuv_to_rgb(&matrix, &[y], &[u], &[v], &mut out);
                            for (got, want) in out[0].iter().zip(exact(color, y, u, v)) {
                                let error = f64::from(*got) - want;
                                assert!(
                                    error.abs() <= 1.0,
                                    "{color:?} {y} {u} {v}: {out:?} {want}"
                                );
                                sum += error;
                                n += 1.0;
                            }
                        }
                    }
                }
                let bias: f64 = sum / n;
                assert!(bias.abs() < 0.1, "{color:?}: bias {bias}");
            }
        }
    }

    #[test]
    fn white_black_and_gray_are_exact() {
        let limited = yuv_factors(Colorimetry::BT709);
        let full = yuv_factors(Colorimetry {
            full_range: true,
            ..Colorimetry::BT709
        });
        let mut out = [[0; 4]; 3];
        kernels::yuv_to_rgb(&limited, &[16, 235, 126], &[128; 3], &[128; 3], &mut out);
        assert_eq!(out.map(|p| p[0]), [0, 255, 128]);
        kernels::yuv_to_rgb(&full, &[0, 255, 128], &[128; 3], &[128; 3], &mut out);
        assert_eq!(out.map(|p| p[0]), [0, 255, 128]);
    }

    #[test]
    fn halves_are_the_means_of_whole_pixels() {
        let mut state = 7u32;
        let mut noise = |n: usize, spread: u32| -> Vec<u8> {
            let next = |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (128 + (state >> 16) % spread - spread / 2) as u8
            };
            (0..n).map(next).collect()
        };
        // Colours that no conversion has to cut off: there the mean of four is another one.
        let (y, u, v) = (noise(16 * 8, 120), noise(8 * 4, 40), noise(8 * 4, 40));
        let uv: Vec<u8> = u.iter().zip(&v).flat_map(|(&u, &v)| [u, v]).collect();
        let frames = [
            view(PixelFormat::I420, 16, &[(&y, 16), (&u, 8), (&v, 8)]),
            view(PixelFormat::Nv12, 16, &[(&y, 16), (&uv, 16)]),
        ];
        let mut reader = RowReader::default();
        for frame in &frames {
            let mut halves = [[0; 4]; 4];
            assert!(reader.read_halved(frame, 2, 4, &mut halves));
            // Chroma that is not sloped: 4:4:4 with each sample four times.
            let at = |samples: &[u8], x: usize| samples[8 + 2 + x / 2];
            for (pair, half) in halves.iter().enumerate() {
                let mut sum = [0u32; 3];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let x = 2 * pair + dx;
                    let mut out = [[0; 4]];
                    let factors = yuv_factors(frame.colorimetry());
                    let (y, u, v) = (y[(2 + dy) * 16 + 4 + x], at(&u, x), at(&v, x));
                    kernels::yuv_to_rgb(&factors, &[y], &[u], &[v], &mut out);
                    (0..3).for_each(|c| sum[c] += u32::from(out[0][c]));
                }
                for c in 0..3 {
                    let mean = f64::from(sum[c]) / 4.0;
                    let error = f64::from(half[c]) - mean;
                    assert!(
                        error.abs() <= 1.0,
                        "{:?} {pair} {c}: {half:?} {mean}",
                        frame.format()
                    );
                }
            }
            assert!(!reader.read_halved(frame, 1, 4, &mut halves), "an odd row");
            assert!(
                !reader.read_halved(frame, 2, 3, &mut halves),
                "an odd column"
            );
        }
        let rgb = noise(3 * 16 * 8, 200);
        let frame = view(PixelFormat::Rgb, 16, &[(&rgb, 48)]);
        assert!(!reader.read_halved(&frame, 2, 4, &mut [[0; 4]; 4]));
    }

    #[test]
    fn subsampled_layouts_agree() {
        // 4x2 pixels, one row of chroma; rows differ in luma only.
        let (y, u, v): ([u8; 8], [u8; 2], [u8; 2]) =
            ([40, 80, 120, 160, 60, 90, 130, 170], [90, 160], [170, 100]);
        let interleave = |a: [u8; 2], b: [u8; 2]| [a[0], b[0], a[1], b[1]];
        let (uv, vu) = (interleave(u, v), interleave(v, u));
        let packed = |luma_first: bool| -> Vec<u8> {
            (0..4)
                .flat_map(|pair| {
                    let (y0, y1) = (y[pair * 2], y[pair * 2 + 1]);
                    let (u, v) = (u[pair % 2], v[pair % 2]);
                    if luma_first {
                        [y0, u, y1, v]
                    } else {
                        [u, y0, v, y1]
                    }
                })
                .collect()
        };
        let (yuy2, uyvy) = (packed(true), packed(false));
        let twice = |c: [u8; 2]| [c[0], c[1], c[0], c[1]];
        let (u2, v2) = (twice(u), twice(v));
        // What `chroma` makes of two samples: 90 -+ 70/8, 160 -+ 70/8 and so on.
        let (u4, v4) = ([81, 99, 151, 169].repeat(2), [179, 161, 109, 91].repeat(2));
        let reference = view(PixelFormat::Y444, 4, &[(&y, 4), (&u4, 4), (&v4, 4)]);
        let frames = [
            view(PixelFormat::I420, 4, &[(&y, 4), (&u, 2), (&v, 2)]),
            view(PixelFormat::Yv12, 4, &[(&y, 4), (&v, 2), (&u, 2)]),
            view(PixelFormat::Nv12, 4, &[(&y, 4), (&uv, 4)]),
            view(PixelFormat::Nv21, 4, &[(&y, 4), (&vu, 4)]),
            view(PixelFormat::Y42b, 4, &[(&y, 4), (&u2, 2), (&v2, 2)]),
            view(PixelFormat::Yuy2, 4, &[(&yuy2, 8)]),
            view(PixelFormat::Uyvy, 4, &[(&uyvy, 8)]),
        ];
        for frame in &frames {
            for row in 0..2 {
                for (start, n) in [(0, 4), (1, 3), (1, 2), (2, 1), (3, 1), (0, 3)] {
                    assert_eq!(
                        read(frame, row, start, n),
                        read(&reference, row, start, n),
                        "{:?} {row} {start} {n}",
                        frame.format()
                    );
                }
            }
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! A cheap look at a frame, which shows whether something in the scene has changed: a coarse grid of brightness.

use super::frame::{Components, FrameView};
use crate::estimator::geometry::{Rect, Size};

const COLUMNS: usize = 32;
const ROWS: usize = 18;

/// A cell is the mean of so many pixels side by side. They share a cache line or two, so they cost little more than
/// one, and noise and fine texture matter less.
const PIXELS: usize = 8;

/// A cell has changed where it differs by more levels.
const CHANGED_LEVELS: u8 = 16;

/// So many cells have to change, beside those of the people who are known: 0.5 % of the frame.
const CHANGED_CELLS: u32 = 3;

/// Or so many of all: half of the frame.
const CHANGED_ANYWHERE: u32 = (COLUMNS * ROWS / 2) as u32;

/// The brightness of a frame's cells: luma, or green in RGB formats.
#[derive(Clone, Copy, Debug)]
pub(in crate::estimator) struct Scene {
    cells: [[u8; COLUMNS]; ROWS],
}

/// Cells of the grid, one bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::estimator) struct Cells {
    rows: [u32; ROWS],
}

/// The middle of cell `index` of `n`, in pixels of `length`.
fn middle(index: usize, n: usize, length: u32) -> usize {
    (2 * index + 1) * length as usize / (2 * n)
}

impl Scene {
    pub fn of(frame: &FrameView<'_>) -> Self {
        let (plane, offset, step) = match frame.format().components() {
            Components::Rgb { step, offsets } => (0, offsets[1], step),
            Components::Gray => (0, 0, 1),
            Components::Yuv { y, .. } => (y.plane, y.offset, y.step),
        };
        let Size { width, height } = frame.size();
        let n = PIXELS.min(width as usize);
        let starts: [usize; COLUMNS] = std::array::from_fn(|column| {
            let middle = middle(column, COLUMNS, width);
            middle.saturating_sub(n / 2).min(width as usize - n)
        });
        let cells = std::array::from_fn(|row| {
            let bytes = frame.row(plane, middle(row, ROWS, height));
            starts.map(|start| {
                let samples = bytes[start * step + offset..].iter().step_by(step).take(n);
                let sum: usize = samples.map(|&sample| usize::from(sample)).sum();
                (sum / n) as u8
            })
        });
        Self { cells }
    }

    /// Whether something new may be in sight since `earlier`: something changed beside the cells `known`, where people
    /// move about, or nearly everything did.
    pub fn is_new_since(&self, earlier: &Self, known: &Cells) -> bool {
        let (mut all, mut beside) = (0, 0);
        for ((now, then), known) in self.cells.iter().zip(&earlier.cells).zip(known.rows) {
            let changed = |(now, then): (&u8, &u8)| now.abs_diff(*then) > CHANGED_LEVELS;
            let cells = now.iter().zip(then).map(changed);
            let changed = cells
                .rev()
                .fold(0u32, |bits, bit| bits << 1 | u32::from(bit));
            all += changed.count_ones();
            beside += (changed & !known).count_ones();
        }
        beside >= CHANGED_CELLS || all >= CHANGED_ANYWHERE
    }
}

impl Cells {
    /// Adds the cells of a person, of whom the head is seen: shoulders and arms beside it, the body below, and room to
    /// move.
    pub fn add_person(&mut self, head: &Rect, frame: Size) {
        let region = Rect::from_corners(
            head.x - 1.5 * head.w,
            head.y - head.h,
            head.right() + 1.5 * head.w,
            head.bottom() + 7.0 * head.h,
        );
        let is_in = |from: f32, to: f32, at: usize| (from..to).contains(&(at as f32));
        let mut columns = 0;
        for column in 0..COLUMNS {
            let at = middle(column, COLUMNS, frame.width);
            columns |= u32::from(is_in(region.x, region.right(), at)) << column;
        }
        for (row, cells) in self.rows.iter_mut().enumerate() {
            if is_in(region.y, region.bottom(), middle(row, ROWS, frame.height)) {
                *cells |= columns;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::PixelFormat::{
        self, Abgr, Argb, Bgr, Bgra, Gray8, I420, Nv12, Nv21, Rgb, Rgba, Uyvy, Y42b, Y444, Yuy2,
        Yv12,
    };
    use super::super::frame::{Colorimetry, Plane};
    use super::*;

    const FORMATS: [PixelFormat; 15] = [
        Rgb, Bgr, Rgba, Bgra, Argb, Abgr, Gray8, I420, Yv12, Nv12, Nv21, Yuy2, Uyvy, Y42b, Y444,
    ];

    /// The scene of a frame whose brightness is `level`; red, blue and chroma are the opposite, and rows are padded.
    fn scene(format: PixelFormat, size: Size, level: impl Fn(usize, usize) -> u8) -> Scene {
        let planes: Vec<(Vec<u8>, usize)> = (0..)
            .zip(format.extents(size))
            .map(|(plane, (row, rows))| {
                let stride = row + 5;
                let byte = |n: usize| {
                    let (x, y) = (n % stride, n / stride);
                    let (step, offset) = match format {
                        Rgb | Bgr => (3, 1),
                        Rgba | Bgra => (4, 1),
                        Argb | Abgr => (4, 2),
                        Yuy2 => (2, 0),
                        Uyvy => (2, 1),
                        _ => (1, 0),
                    };
                    let is_bright = plane == 0 && x % step == offset && x < row;
                    if is_bright {
                        level(x / step, y)
                    } else {
                        !level(0, 0)
                    }
                };
                ((0..stride * rows).map(byte).collect(), stride)
            })
            .collect();
        let planes: Vec<_> = planes
            .iter()
            .map(|(bytes, stride)| Plane {
                bytes,
                stride: *stride,
            })
            .collect();
        Scene::of(&FrameView::new(format, size, Colorimetry::BT601, &planes).unwrap())
    }

    #[test]
    fn every_format_and_size_shows_its_brightness() {
        for format in FORMATS {
            for (width, height) in [
                (1, 1),
                (2, 2),
                (7, 3),
                (33, 50),
                (640, 360),
                (16_383, 1),
                (1, 16_383),
            ] {
                let size = Size { width, height };
                let even = scene(format, size, |_, _| 40).cells;
                assert_eq!(even, [[40; COLUMNS]; ROWS], "{format:?} {size:?}");
            }
            let size = Size::new(640, 360);
            let halves = |x, y| if x < 320 && y < 180 { 200 } else { 40 };
            for (row, cells) in scene(format, size, halves).cells.iter().enumerate() {
                for (column, &cell) in cells.iter().enumerate() {
                    let expected = if column < 16 && row < 9 { 200 } else { 40 };
                    assert_eq!(cell, expected, "{format:?} {column} {row}");
                }
            }
        }
    }

    #[test]
    fn what_changes_beside_known_people_is_new() {
        let size = Size::new(640, 360);
        let gray = |level: &dyn Fn(usize, usize) -> u8| scene(Gray8, size, level);
        let empty = gray(&|_, _| 100);
        let noise = gray(&|x, y| 85 + ((x * 7 + y * 13) % 31) as u8);
        // A bright box of 60x60 pixels.
        let at = |left: usize, top: usize| {
            gray(
                &move |x, y| match (left..left + 60).contains(&x) && (top..top + 60).contains(&y) {
                    true => 180,
                    false => 100,
                },
            )
        };
        let mut person = Cells::default();
        person.add_person(&Rect::new(100.0, 80.0, 40.0, 50.0), size);
        let nobody = Cells::default();
        assert!(!empty.is_new_since(&empty, &nobody));
        assert!(!noise.is_new_since(&empty, &nobody));
        assert!(at(90, 120).is_new_since(&empty, &nobody));
        assert!(!at(90, 120).is_new_since(&empty, &person));
        assert!(at(400, 120).is_new_since(&empty, &person));
        // A person who fills the frame does not hide a cut.
        let mut close = Cells::default();
        close.add_person(&Rect::new(200.0, 20.0, 250.0, 320.0), size);
        assert!(!at(90, 120).is_new_since(&empty, &close));
        assert!(gray(&|_, _| 140).is_new_since(&empty, &close));
    }
}

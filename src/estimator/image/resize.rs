// SPDX-License-Identifier: MPL-2.0
//! Bilinear resampling of a part of a frame, bit for bit as OpenCV's 8-bit `INTER_LINEAR` does it.
//!
//! The pose networks were trained and tuned on crops resized by OpenCV and answer several degrees
//! differently to crops that are "better": resampled in floating point, or anti-aliased. So OpenCV's
//! arithmetic is reproduced: positions `(i + 0.5) * scale - 0.5`, no anti-aliasing, weights of 11 bits,
//! and its two rounding shifts. A reduction by exactly 2 in both directions is the rounded mean of 2x2
//! pixels, also as there.

use std::sync::Mutex;
use std::thread::Builder;

use super::frame::FrameView;
use super::kernels::{self, ColumnTap, Pixel, WidePixel};
use super::pixels::RowReader;
use super::tensor::Rows;
use crate::estimator::geometry::Size;
use crate::sync::lock;

/// A part of a frame, in whole pixels, that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelRect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl PixelRect {
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// About how many of its pixels a resize to `size` reads.
    pub(super) fn pixels_read(self, size: Size) -> u64 {
        u64::from(self.width) * u64::from(self.height.min(2 * size.height))
    }
}

/// Bits of a bilinear weight: OpenCV's `INTER_RESIZE_COEF_BITS`.
const WEIGHT_ONE: f32 = 2048.0;

/// Two neighbouring source positions and their weights, which sum to about 2048.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tap {
    first: i32,
    weights: [i16; 2],
}

impl Tap {
    fn at(index: u32, scale: f64) -> Self {
        let position = ((f64::from(index) + 0.5) * scale - 0.5) as f32;
        let floor = position.floor();
        let fraction = position - floor;
        Self {
            first: floor as i32,
            weights: [1.0 - fraction, fraction].map(|w| (w * WEIGHT_ONE).round_ties_even() as i16),
        }
    }

    /// Both rows of the tap; outside the source its border row counts.
    fn clamped(self, len: u32) -> [u32; 2] {
        [self.first, self.first + 1].map(|p| p.clamp(0, len as i32 - 1) as u32)
    }

    /// As [`Tap::at`], but a tap across the border counts the border pixel alone: OpenCV treats
    /// columns so, and rows not.
    fn inside(index: u32, scale: f64, len: u32) -> Self {
        let tap = Self::at(index, scale);
        let last = len as i32 - 1;
        if tap.first < 0 || tap.first >= last {
            Self {
                first: tap.first.clamp(0, last),
                weights: [WEIGHT_ONE as i16, 0],
            }
        } else {
            tap
        }
    }
}

/// A source row after the horizontal pass.
#[derive(Debug, Default)]
struct ResizedRow {
    source: Option<u32>,
    values: Vec<WidePixel>,
}

/// Rows of an output to fill.
pub(super) struct Job<'a> {
    /// What the whole output shows.
    pub part: PixelRect,
    /// Of the whole output.
    pub size: Size,
    pub rows: Rows<'a>,
}

/// Fewer pixels to read than this are not worth waking a second thread for: they take a tenth of a millisecond.
const WORTH_TWO_THREADS: u64 = 100_000;

/// Resizes; owns the scratch memory for that, which grows with row lengths only.
#[derive(Debug, Default)]
pub struct Resizer {
    ours: Band,
    theirs: Band,
    two_threads: bool,
}

impl Resizer {
    /// Resizes large parts in two threads.
    pub fn with_two_threads() -> Self {
        Self {
            two_threads: true,
            ..Self::default()
        }
    }

    /// Does all jobs, which read about `pixels` pixels of `frame`.
    pub(super) fn resize<'a>(
        &mut self,
        frame: &FrameView<'_>,
        jobs: impl Iterator<Item = Job<'a>> + Send,
        pixels: u64,
    ) {
        let Self {
            ours,
            theirs,
            two_threads,
        } = self;
        ours.planned = None;
        if !*two_threads || pixels < WORTH_TWO_THREADS {
            return jobs.for_each(|job| ours.resize(frame, job));
        }
        theirs.planned = None;
        // The second thread takes time to start, so each takes the next job when it is free.
        let jobs = Mutex::new(jobs);
        let next = || lock(&jobs).next();
        let work = |band: &mut Band| {
            while let Some(job) = next() {
                band.resize(frame, job);
            }
        };
        std::thread::scope(|scope| {
            let thread = Builder::new().name("dmheadpose-resize".into());
            // Where it cannot be started, this thread does everything.
            let _ = thread.spawn_scoped(scope, || work(theirs));
            work(ours);
        });
    }
}

#[derive(Debug, Default)]
struct Band {
    reader: RowReader,
    /// The part and size, of this frame, that `taps`, `above` and `below` are made for.
    planned: Option<(PixelRect, Size)>,
    taps: Vec<ColumnTap>,
    source: Vec<Pixel>,
    above: ResizedRow,
    below: ResizedRow,
    output: Vec<Pixel>,
}

impl Band {
    /// Fills the rows of a job from top to bottom.
    fn resize(&mut self, frame: &FrameView<'_>, job: Job<'_>) {
        let Job {
            part,
            size,
            mut rows,
        } = job;
        self.output.resize(size.width as usize, [0; 4]);
        if part.width == size.width * 2 && part.height == size.height * 2 {
            return self.halve(frame, part, rows);
        }
        // OpenCV goes through the inverse; the last bit of the scale can differ from source / target.
        let scale = |source: u32, target: u32| 1.0 / (f64::from(target) / f64::from(source));
        let row_scale = scale(part.height, size.height);
        if self.planned != Some((part, size)) {
            self.plan_columns(part, size, scale(part.width, size.width));
            self.above.source = None;
            self.below.source = None;
            self.planned = Some((part, size));
        }
        for row in rows.numbers() {
            let tap = Tap::at(row, row_scale);
            let [above, below] = tap.clamped(part.height);
            for ahead in Tap::at(row + 1, row_scale).clamped(part.height) {
                // Too far away for the processor to prefetch it by itself.
                if ahead > below {
                    let (y, x) = ((part.y + ahead) as usize, part.x as usize);
                    RowReader::announce(frame, y, x..x + part.width as usize);
                }
            }
            // Rows come in rising order: the row that was below is often above now.
            if self.above.source != Some(above) {
                std::mem::swap(&mut self.above, &mut self.below);
            }
            let Self {
                reader,
                taps,
                source,
                above: upper,
                below: lower,
                output,
                ..
            } = self;
            // Makes `target` hold a row of `part`, resized along x.
            let mut fetch = |target: &mut ResizedRow, row: u32| {
                if target.source.replace(row) != Some(row) {
                    let (y, x) = ((part.y + row) as usize, part.x as usize);
                    reader.read(frame, y, x, &mut source[..part.width as usize]);
                    target.values.resize(taps.len(), [0; 4]);
                    kernels::mix_columns(source, taps, &mut target.values);
                }
            };
            fetch(upper, above);
            let lower = if below == above {
                &*upper
            } else {
                fetch(lower, below);
                &*lower
            };
            kernels::mix_rows(&upper.values, &lower.values, tap.weights, output);
            rows.write(row, output);
        }
    }

    /// Decides which pixels of a source row each output column mixes.
    fn plan_columns(&mut self, part: PixelRect, size: Size, scale: f64) {
        self.taps.clear();
        self.taps.extend((0..size.width).map(|column| {
            let tap = Tap::inside(column, scale, part.width);
            let [w0, w1] = tap.weights.map(i32::from);
            ColumnTap {
                first: tap.first as u32,
                weights: [w0, w0, w0, w0, w1, w1, w1, w1],
            }
        }));
        // One more: the last pixel also has a neighbour, whose weight is 0.
        self.source.resize(part.width as usize + 1, [0; 4]);
    }

    /// A reduction by exactly 2: the rounded mean of each 2x2 pixels.
    fn halve(&mut self, frame: &FrameView<'_>, part: PixelRect, mut rows: Rows<'_>) {
        let width = part.width as usize;
        self.planned = None;
        self.source.resize(width * 2, [0; 4]);
        for row in rows.numbers() {
            let (y, x) = ((part.y + row * 2) as usize, part.x as usize);
            if self.reader.read_halved(frame, y, x, &mut self.output) {
                rows.write(row, &self.output);
                continue;
            }
            let (upper, lower) = self.source.split_at_mut(width);
            for (line, pixels) in [upper, lower].into_iter().enumerate() {
                self.reader.read(frame, y + line, x, pixels);
            }
            let (upper, lower) = self.source.split_at(width);
            let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
            kernels::mean_of_four(upper, lower, &mut self.output);
            rows.write(row, &self.output);
        }
    }
}

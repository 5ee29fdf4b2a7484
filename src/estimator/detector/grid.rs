// SPDX-License-Identifier: MPL-2.0
//! Shared by anchor-free detectors with one prediction per cell of a grid: the cells, their boxes, and the shape of a
//! single output for three grids.

use super::super::geometry::{Rect, Size};
use super::super::onnx::Signature;
use super::family::ImageInput;

pub(super) const STRIDES: [u32; 3] = [8, 16, 32];

/// A cell of one of the grids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub column: f32,
    pub row: f32,
    /// Pixels of the input on each side of the cell.
    pub stride: f32,
}

impl Cell {
    /// The box whose centre lies `x` and `y` strides from the cell's upper left corner, from the logarithms of its
    /// width and height in strides.
    pub fn rect(self, [x, y, w, h]: [f32; 4]) -> Rect {
        let Self { stride, .. } = self;
        let (cx, cy) = ((self.column + x) * stride, (self.row + y) * stride);
        Rect::from_center(cx, cy, w.exp() * stride, h.exp() * stride)
    }
}

/// The cells of one stride, row by row.
pub(super) fn cells_of(input: Size, stride: u32) -> impl Iterator<Item = Cell> {
    let (columns, rows) = (input.width / stride, input.height / stride);
    (0..rows).flat_map(move |row| {
        (0..columns).map(move |column| Cell {
            column: column as f32,
            row: row as f32,
            stride: stride as f32,
        })
    })
}

/// How many [`cells_of`] this stride there are.
pub(super) fn count_of(input: Size, stride: u32) -> usize {
    (input.width / stride) as usize * (input.height / stride) as usize
}

/// All cells in the order of the networks' outputs: strides 8, 16 and 32.
pub(super) fn cells(input: Size) -> impl Iterator<Item = Cell> {
    let cells = move |stride| cells_of(input, stride);
    STRIDES.into_iter().flat_map(cells)
}

/// How many [`cells`] there are.
pub(super) fn count(input: Size) -> usize {
    STRIDES.map(|stride| count_of(input, stride)).iter().sum()
}

/// How many cells there are with the usual strides, and with one more at either end: 64 (P6 files) or 4 (P2
/// files).
pub(super) fn counts(input: Size) -> [usize; 3] {
    let usual = count(input);
    [
        usual,
        usual + count_of(input, 64),
        usual + count_of(input, 4),
    ]
}

/// The input, and the number of values for each cell, of a graph with one output
/// `[1, cells, values]` or, with `cells_last`, `[1, values, cells]`. The number of cells must match the
/// input, or be open.
pub(super) fn recognise(signature: &Signature, cells_last: bool) -> Option<(ImageInput, usize)> {
    let input = ImageInput::of(signature)?;
    let output = signature.only_output()?;
    let (cells, values) = match (cells_last, &output.shape[..]) {
        (false, &[1 | -1, cells, values]) | (true, &[1 | -1, values, cells]) => (cells, values),
        _ => return None,
    };
    let cells_fit = match input.size {
        Some(size) => {
            size.width % 32 == 0
                && size.height % 32 == 0
                && (cells < 0
                    || usize::try_from(cells).is_ok_and(|cells| match cells_last {
                        // The boxes are decoded, so the position of each cell does not matter.
                        true => counts(size).contains(&cells),
                        false => cells == count(size),
                    }))
        }
        None => cells < 0,
    };
    let values = usize::try_from(values).ok()?;
    cells_fit.then_some((input, values))
}

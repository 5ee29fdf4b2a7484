// SPDX-License-Identifier: MPL-2.0
//! Shared by anchor-free detectors with one prediction per cell of three grids: the grids, and the shape of their
//! single output.

use super::super::geometry::Size;
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

/// All cells in the order of the networks' outputs: strides 8, 16 and 32, each row by row.
pub(super) fn cells(input: Size) -> impl Iterator<Item = Cell> {
    STRIDES.into_iter().flat_map(move |stride| {
        let (columns, rows) = (input.width / stride, input.height / stride);
        (0..rows).flat_map(move |row| {
            (0..columns).map(move |column| Cell {
                column: column as f32,
                row: row as f32,
                stride: stride as f32,
            })
        })
    })
}

/// How many [`cells`] there are.
pub(super) fn count(input: Size) -> usize {
    let cells = |stride| (input.width / stride) as usize * (input.height / stride) as usize;
    STRIDES.into_iter().map(cells).sum()
}

/// How many cells there are with the usual strides, and with one more at either end: 64 (P6 files) or 4 (P2
/// files).
pub(super) fn counts(input: Size) -> [usize; 3] {
    let cells = |stride| (input.width / stride) as usize * (input.height / stride) as usize;
    [
        count(input),
        count(input) + cells(64),
        count(input) + cells(4),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_run_row_by_row_from_the_finest_grid() {
        let input = Size::new(64, 32);
        let cells: Vec<_> = cells(input).collect();
        assert_eq!(cells.len(), 8 * 4 + 4 * 2 + 2);
        assert_eq!(cells.len(), count(input));
        let cell = |column, row, stride| Cell {
            column,
            row,
            stride,
        };
        assert_eq!(cells[9], cell(1.0, 1.0, 8.0));
        assert_eq!(cells[32], cell(0.0, 0.0, 16.0));
        assert_eq!(cells[41], cell(1.0, 0.0, 32.0));
    }
}

// SPDX-License-Identifier: MPL-2.0
//! HeadNet, the project's own head detector (`train/detector`).
//!
//! Input float32 `[1, 3, H, W]`, BGR 0..=255, letterboxed with level 0, any multiple of 32. For each stride
//! S = 8, 16, 32 one output `head_S`, float32 `[1, 5, H/S, W/S]`: the logit of the score, the centre relative to
//! the upper left corner of the cell in strides, and the logarithms of width and height in strides. The score's
//! logit is calibrated: at 0, half of the boxes on the held-out pictures are right.

use super::super::error::Error;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::detection::Detection;
use super::family::{Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};
use super::grid::{self, STRIDES};

pub(super) const CONTRACT: Contract = Contract {
    expected: "HeadNet (image float32[1,3,H,W], H and W multiples of 32) -> \
     (head_8, head_16, head_32 float32[1,5,H/S,W/S])",
    score_threshold: 0.5,
    overlaps: Overlaps::Voting,
    open_size: Some(640),
    recognise: |signature, _| HeadNet::recognise(signature).map(boxed),
};

/// Logit, centre and size.
const VALUES: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(super) struct HeadNet {
    /// Index of the output of each stride.
    outputs: [usize; 3],
}

impl HeadNet {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = ImageInput::of(signature)?;
        let mut outputs = [0; 3];
        for (index, stride) in outputs.iter_mut().zip(STRIDES) {
            *index = signature.float32_output(&format!("head_{stride}"))?;
        }
        let input = input.letterboxed(PixelEncoding::levels(ChannelOrder::Bgr), 0);
        Some((input, Self { outputs }))
    }
}

impl Family for HeadNet {
    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        for (&index, stride) in self.outputs.iter().zip(STRIDES) {
            let values = outputs.values::<f32>(index)?;
            let wanted = VALUES * grid::count_of(boxes.input, stride);
            if values.len() != wanted {
                return Err(outputs.wrong_count(index, wanted, values.len()));
            }
            append(values, stride, boxes);
        }
        Ok(())
    }
}

/// Appends the boxes of one stride that score above the threshold.
fn append(values: &[f32], stride: u32, boxes: &mut Boxes<'_>) {
    let threshold = boxes.score_threshold;
    // Scores are compared as logits; only those above the threshold are converted to probabilities.
    let least = (threshold / (1.0 - threshold)).ln();
    let count = grid::count_of(boxes.input, stride);
    for (index, cell) in grid::cells_of(boxes.input, stride).enumerate() {
        let logit = values[index];
        if logit > least {
            boxes.heads.push(Detection {
                rect: cell.rect([1, 2, 3, 4].map(|value| values[value * count + index])),
                score: 1.0 / (1.0 + (-logit).exp()),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::geometry::Rect;
    use super::super::family::tests::{assert_near, found};
    use super::*;

    #[test]
    fn a_cell_becomes_a_box() {
        // 8x4 cells of stride 8; cell 10 is row 1, column 2.
        let cells = 32;
        let mut values = vec![0.0; VALUES * cells];
        values[..cells].fill(-1.0);
        let column = [3.0f32.ln(), 0.5, 0.25, 0.0, 2.0f32.ln()];
        for (plane, v) in values.chunks_exact_mut(cells).zip(column) {
            plane[10] = v;
        }
        let found = found((64, 32), 0.5, None, |boxes| append(&values, 8, boxes));
        // Centre (20, 10), size 8 x 16, odds of 3 to 1.
        assert_near(&found, Rect::new(16.0, 2.0, 8.0, 16.0), 0.75);
    }

    #[test]
    fn even_odds_are_not_above_one_half() {
        let count = |threshold| {
            let append = |boxes: &mut Boxes<'_>| append(&[0.0; VALUES], 32, boxes);
            found((32, 32), threshold, None, append).len()
        };
        assert_eq!(count(0.5), 0);
        assert_eq!(count(0.0), 1);
    }
}

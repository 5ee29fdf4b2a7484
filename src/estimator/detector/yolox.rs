// SPDX-License-Identifier: MPL-2.0
//! YOLOX without post-processing, as its own exporter writes it.
//!
//! Input float32 `[1, 3, H, W]` (or `[1, H, W, 3]`), BGR 0..=255, letterboxed at the top left with level
//! 114: `preproc` of YOLOX's data augmentation. Output float32 `[1, cells, 5 + classes]`, cells of the
//! strides 8, 16 and 32: x, y, width, height, objectness, one score for each class, the scores already
//! between 0 and 1. Centre = (xy + cell) * stride, size = exp(wh) * stride, score = objectness * class:
//! `demo_postprocess` of YOLOX.
//!
//! An export with `--decode_in_inference` has the centre and the size in pixels of the input already, and
//! the same signature. `auto` tells them apart by the first answer: offsets are small, pixels are not.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::family::{Assumed, Boxes, Contract, Family, InputContract, Overlaps, boxed};
use super::{deim, grid};

pub(super) const CONTRACT: Contract = Contract {
    expected: "YOLOX (image float32[1,3,H,W] or [1,H,W,3], H and W multiples of 32) \
     -> (float32[1,cells,5+classes], cells = HW/64 + HW/256 + HW/1024)",
    // The default of YOLOX's demo for ONNX Runtime.
    score_threshold: 0.3,
    overlaps: Overlaps::Suppressed,
    open_size: Some(640),
    recognise: |signature, named| {
        let name = signature.outputs.first().map_or("", |output| &output.name);
        // The output names of the exporters of YOLOv5, v6, v8 and DEIM.
        let is_other = ["output0", "outputs", deim::OUTPUT].contains(&name);
        let found = Yolox::recognise(signature, false).filter(|_| named || !is_other);
        let undecided = !named;
        found.map(|(input, family)| {
            boxed((
                input,
                Yolox {
                    undecided,
                    ..family
                },
            ))
        })
    },
};

/// The same with decoding in the graph, which no signature shows.
pub(super) const DECODED: Contract = Contract {
    recognise: |signature, named| {
        let found = named.then(|| Yolox::recognise(signature, true))?;
        found.map(boxed)
    },
    ..CONTRACT
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Yolox {
    /// Five plus the number of classes.
    values: usize,
    /// The graph returns pixels, not offsets from the cells.
    decoded: bool,
    /// The first outputs decide whether it does.
    undecided: bool,
}

impl Yolox {
    pub fn recognise(signature: &Signature, decoded: bool) -> Option<(InputContract, Self)> {
        let (input, values) = grid::recognise(signature, false)?;
        let family = Self {
            values,
            decoded,
            undecided: false,
        };
        let input = input.letterboxed(PixelEncoding::levels(ChannelOrder::Bgr), 114);
        (values >= 6).then_some((input, family))
    }

    fn append(&self, values: &[f32], boxes: &mut Boxes<'_>) {
        let head = boxes.head_among(self.values - 5);
        let rows = values.chunks_exact(self.values);
        for (row, cell) in rows.zip(grid::cells(boxes.input)) {
            let &[x, y, w, h, objectness, ref classes @ ..] = row else {
                return;
            };
            let score = objectness * classes.get(head).copied().unwrap_or(0.0);
            boxes.add(score, || match self.decoded {
                true => Rect::from_center(x, y, w, h),
                false => cell.rect([x, y, w, h]),
            });
        }
    }
}

impl Family for Yolox {
    fn assumed_class(&self) -> Option<Assumed> {
        (self.values > 6).then_some(Assumed::guess(1))
    }

    fn settle(&mut self, outputs: &Outputs<'_>) -> Result<Option<&'static str>, Error> {
        if !self.undecided {
            return Ok(None);
        }
        self.undecided = false;
        let rows = outputs.values::<f32>(0)?.chunks_exact(self.values);
        let (count, sum) = (rows.len(), rows.map(|row| row[0].abs()).sum::<f32>());
        // Offsets are within a cell or two; pixels span the input.
        self.decoded = sum / count as f32 > 4.0;
        Ok(self.decoded.then_some("yolox-decoded"))
    }

    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        let values = outputs.values::<f32>(0)?;
        let wanted = grid::count(boxes.input).saturating_mul(self.values);
        if values.len() != wanted {
            return Err(outputs.wrong_count(0, wanted, values.len()));
        }
        self.append(values, boxes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::detection::Detection;
    use super::super::family::tests::{assert_near, found, signature};
    use super::*;

    /// What is found where the last cell has this answer: stride 32, column 1, row 0.
    fn decode(row: [f32; 6]) -> Vec<Detection> {
        let signature = signature("i[1,3,32,64] -> o[1,42,6]");
        let (_, family) = Yolox::recognise(&signature, false).unwrap();
        let mut values = [[0.0; 6]; 42];
        values[41] = row;
        let decode = |boxes: &mut Boxes<'_>| family.append(values.as_flattened(), boxes);
        found((64, 32), 0.3, None, decode)
    }

    #[test]
    fn a_cell_becomes_a_box() {
        let found = decode([0.5, 0.25, 0.0, 2f32.ln(), 0.5, 0.8]);
        // Centre (48, 8), size 32x64.
        assert_near(&found, Rect::new(32.0, -24.0, 32.0, 64.0), 0.4);
        // Strictly above the threshold.
        assert_eq!(decode([0.5, 0.25, 0.0, 0.0, 0.5, 0.6]), []);
    }
}

// SPDX-License-Identifier: MPL-2.0
//! YOLOv5, YOLOv6 and YOLOv7 without NMS, boxes decoded, as their own exporters write them.
//!
//! Input float32 `[1, 3, H, W]` (or `[1, H, W, 3]`), RGB, level / 255, letterboxed with level 114. Output float32
//! `[1, rows, 5 + classes]`: centre x, centre y, width and height in pixels of the input, objectness, one score
//! for each class, between 0 and 1; score = objectness * class. YOLOv5 and v7 have three rows for each cell of the
//! strides 8, 16, 32 (and 64, the P6 files); YOLOv6 and Gold-YOLO one, and call the output `outputs`. Where the
//! number of rows is open, the name `output0` of YOLOv5 tells it from YOLOX.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{ElementType, Outputs, Signature};
use super::family::{Assumed, Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};
use super::grid;

pub(super) const CONTRACT: Contract = Contract {
    expected: "YOLOv5, v6 or v7 (image float32[1,3,H,W] or [1,H,W,3]) -> (float32[1,rows,5+classes], three rows \
         for each cell, or one where the output is named outputs)",
    // YOLOv5's default for predictions.
    score_threshold: 0.25,
    overlaps: Overlaps::Suppressed,
    open_size: Some(640),
    recognise: |signature, named| Yolov5::recognise(signature, named).map(boxed),
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Yolov5 {
    /// Five plus the number of classes.
    values: usize,
}

impl Yolov5 {
    pub fn recognise(signature: &Signature, named: bool) -> Option<(InputContract, Self)> {
        let input = ImageInput::of(signature)?;
        // Some exports append the raw feature maps to the decoded rows.
        let (output, maps) = signature.outputs.split_first()?;
        let &[1 | -1, rows, values] = output.shape.as_slice() else {
            return None;
        };
        let has_rows = match input.size {
            Some(size) if rows >= 0 => {
                let anchors = grid::counts(size).map(|cells| cells.saturating_mul(3));
                let rows = usize::try_from(rows).ok()?;
                anchors.contains(&rows)
                    || (named || output.name == "outputs") && grid::counts(size).contains(&rows)
            }
            _ => rows < 0 && (named || ["output0", "outputs"].contains(&output.name.as_str())),
        };
        let values = usize::try_from(values).ok().filter(|&values| values > 5)?;
        let fits = output.element == ElementType::Float32
            && has_rows
            && maps.iter().all(|map| map.shape.len() == 5);
        let input = input.letterboxed(PixelEncoding::unit(ChannelOrder::Rgb), 114);
        fits.then_some((input, Self { values }))
    }
}

impl Family for Yolov5 {
    fn assumed_class(&self) -> Option<Assumed> {
        (self.values > 6).then_some(Assumed::guess(1))
    }

    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        let values = outputs.values::<f32>(0)?;
        if !values.len().is_multiple_of(self.values) {
            return Err(outputs.wrong_count(0, self.values, values.len()));
        }
        let head = boxes.head_among(self.values - 5);
        for row in values.chunks_exact(self.values) {
            if let &[x, y, w, h, objectness, ref classes @ ..] = row {
                let score = objectness * classes.get(head).copied().unwrap_or(0.0);
                boxes.add(score, || Rect::from_center(x, y, w, h));
            }
        }
        Ok(())
    }
}

// SPDX-License-Identifier: MPL-2.0
//! YOLOv8, YOLOv9, YOLO11 and their like without NMS, as Ultralytics exports them.
//!
//! Input float32 `[1, 3, H, W]` (or `[1, H, W, 3]`), RGB, level / 255, letterboxed with level 114. Ultralytics'
//! `LetterBox` centres the frame; ours lies at the top left, as everywhere here, which moves the padding
//! and nothing else. Output float32 `[1, 4 + classes, cells]`, cells of the strides 8, 16 and 32: centre x,
//! centre y, width and height in pixels of the input, and one score between 0 and 1 for each class; there
//! is no objectness (`non_max_suppression` of Ultralytics).
//!
//! Segmentation and keypoint models of one output look alike. The names of the classes, which Ultralytics writes
//! into the file, tell how many values are classes; in a file without, all pass for classes.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::family::{Assumed, Boxes, Contract, Family, InputContract, Overlaps, boxed};
use super::grid;

pub(super) const CONTRACT: Contract = Contract {
    expected: "YOLOv8 (image float32[1,3,H,W] or [1,H,W,3], H and W multiples of 32) \
     -> (float32[1,4+classes,cells], cells = HW/64 + HW/256 + HW/1024)",
    // Ultralytics' default confidence for predictions.
    score_threshold: 0.25,
    overlaps: Overlaps::Suppressed,
    open_size: Some(640),
    recognise: |signature, _| Yolov8::recognise(signature).map(boxed),
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Yolov8 {
    classes: usize,
    /// Per cell.
    values: usize,
}

impl Yolov8 {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let (input, values) = grid::recognise(signature, true)?;
        let most = values.checked_sub(4).filter(|&classes| classes > 0)?;
        // Models of keypoints, masks and oriented boxes have further values after the classes.
        let named = signature.hints.classes.len();
        let classes = if (1..=most).contains(&named) {
            named
        } else {
            most
        };
        let input = input.letterboxed(PixelEncoding::unit(ChannelOrder::Rgb), 114);
        Some((input, Self { classes, values }))
    }

    fn append(&self, values: &[f32], boxes: &mut Boxes<'_>) {
        let head = boxes.head_among(self.classes);
        if head >= self.classes {
            return;
        }
        let cells = values.len() / self.values;
        let mut planes = values.chunks_exact(cells.max(1));
        let [Some(x), Some(y), Some(w), Some(h)] = [(); 4].map(|()| planes.next()) else {
            return;
        };
        let Some(scores) = planes.nth(head) else {
            return;
        };
        for (cell, &score) in scores.iter().enumerate() {
            boxes.add(score, || {
                Rect::from_center(x[cell], y[cell], w[cell], h[cell])
            });
        }
    }
}

impl Family for Yolov8 {
    fn assumed_class(&self) -> Option<Assumed> {
        (self.classes > 1).then_some(Assumed::guess(1))
    }

    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        let values = outputs.values::<f32>(0)?;
        let wanted = grid::counts(boxes.input).map(|cells| cells.saturating_mul(self.values));
        if !wanted.contains(&values.len()) {
            let [wanted, ..] = wanted;
            return Err(outputs.wrong_count(0, wanted, values.len()));
        }
        self.append(values, boxes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::detection::Detection;
    use super::super::family::tests::{found, signature};
    use super::*;

    fn decode(column: [f32; 6], head_class: Option<u32>) -> Vec<Detection> {
        let signature = signature("i[1,3,32,64] -> o[1,6,42]");
        let (_, family) = Yolov8::recognise(&signature).unwrap();
        let mut values = vec![0.0; 6 * 42];
        for (plane, value) in values.chunks_exact_mut(42).zip(column) {
            plane[17] = value;
        }
        found((64, 32), 0.25, head_class, |boxes| {
            family.append(&values, boxes);
        })
    }

    #[test]
    fn a_column_becomes_a_box() {
        let column = [30.0, 20.0, 10.0, 8.0, 0.9, 0.5];
        let rect = Rect::new(25.0, 16.0, 10.0, 8.0);
        // The second of several classes is the head, unless told otherwise.
        assert_eq!(decode(column, None), [Detection { rect, score: 0.5 }]);
        assert_eq!(decode(column, Some(0)), [Detection { rect, score: 0.9 }]);
        assert_eq!(decode(column, Some(2)), []);
        assert_eq!(decode(column, Some(u32::MAX)), []);
        let at_the_threshold = [30.0, 20.0, 10.0, 8.0, 0.9, 0.25];
        assert_eq!(decode(at_the_threshold, None), []);
    }
}

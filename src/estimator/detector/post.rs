// SPDX-License-Identifier: MPL-2.0
//! Scores and boxes with post-processing and NMS inside the graph: the head detectors of DMHead
//! (`yolov4_headdetection_480x640_post`, `yolov7_tiny_head_0.768_post_480x640`).
//!
//! Input float32 `[1, 3, H, W]`, RGB, level / 255, plain stretch. Outputs: scores float32 `[N]` or
//! `[N, 1]`; boxes int64 or float32 `[N, 6]` = batch, class, y1, x1, y2, x2 in pixels of the input.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{ElementType, Outputs, Signature, TensorInfo};
use super::family::{Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};

pub(super) const CONTRACT: Contract = Contract {
    expected: "scores and boxes (image float32[1,3,H,W]) -> \
     (scores float32[N] or [N,1], boxes int64 or float32[N,6])",
    // DMHead's.
    score_threshold: 0.20,
    overlaps: Overlaps::InGraph,
    open_size: None,
    recognise: |signature, _| Post::recognise(signature).map(boxed),
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    scores: usize,
    boxes: usize,
    integer_boxes: bool,
}

impl Post {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = ImageInput::fixed(signature)?;
        if signature.outputs.len() != 2 {
            return None;
        }
        let are_boxes = |t: &TensorInfo| {
            matches!(t.element, ElementType::Int64 | ElementType::Float32)
                && matches!(t.shape[..], [_, 6])
        };
        let are_scores = |t: &TensorInfo| {
            t.element == ElementType::Float32 && matches!(t.shape[..], [_] | [_, 1 | -1])
        };
        let boxes = signature.outputs.iter().position(are_boxes)?;
        let scores = 1 - boxes;
        if !are_scores(&signature.outputs[scores]) {
            return None;
        }
        let family = Self {
            scores,
            boxes,
            integer_boxes: signature.outputs[boxes].element == ElementType::Int64,
        };
        let input = input.stretched(PixelEncoding::unit(ChannelOrder::Rgb));
        Some((input, family))
    }
}

impl Family for Post {
    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        let scores = outputs.values::<f32>(self.scores)?;
        if self.integer_boxes {
            let rows = outputs.values::<i64>(self.boxes)?;
            append(scores, rows, |v| v as f32, boxes);
        } else {
            let rows = outputs.values::<f32>(self.boxes)?;
            append(scores, rows, |v| v, boxes);
        }
        Ok(())
    }
}

fn append<T: Copy>(scores: &[f32], rows: &[T], to_f32: impl Fn(T) -> f32, boxes: &mut Boxes<'_>) {
    for (&score, row) in scores.iter().zip(rows.as_chunks::<6>().0) {
        let [_, class, y1, x1, y2, x2] = row.map(&to_f32);
        let is_head = boxes.head_class.is_none_or(|wanted| class == wanted as f32);
        if is_head {
            boxes.add(score, || Rect::from_corners(x1, y1, x2, y2));
        }
    }
}

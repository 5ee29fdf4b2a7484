// SPDX-License-Identifier: MPL-2.0
//! YOLO with NMS inside the graph, or without need of it, in the three shapes that exporters give it.
//!
//! Input float32 `[1, 3, H, W]` (or `[1, H, W, 3]`), RGB, level / 255, letterboxed with level 114. Corners are
//! pixels of the input. One of:
//! - `output` or `outputs` `[N, 7]` = batch, x1, y1, x2, y2, class, score: YOLOv7's and YOLOv6's exporters with
//!   `--end2end` for ONNX Runtime. `rows` looks alike, has another order, and goes by other names;
//! - `[1, N, 6]` = x1, y1, x2, y2, score, class: YOLOv10, YOLO26 and Ultralytics' `nms=True`;
//! - four outputs: int32 `num_dets` `[1, 1]`, boxes `[1, N, 4]`, scores `[1, N]`, int32 classes `[1, N]`: the
//!   plugin EfficientNMS of TensorRT and what imitates it. Only the first `num_dets` count.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{ElementType, Outputs, Signature, TensorInfo};
use super::deim;
use super::family::{Assumed, Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};

pub(super) const CONTRACT: Contract = Contract {
    expected: "YOLO with NMS (image float32[1,3,H,W] or [1,H,W,3]) -> (rows float32[N,7] named output, or \
         [1,N,6], or num_dets, boxes [1,N,4], scores, classes)",
    // Ultralytics' default.
    score_threshold: 0.25,
    overlaps: Overlaps::InGraph,
    open_size: None,
    recognise: |signature, named| End2End::recognise(signature, named).map(boxed),
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Sevens,
    Sixes,
    /// Indices of count, boxes, scores and classes.
    Counted([usize; 4]),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct End2End {
    answer: Answer,
}

impl End2End {
    pub fn recognise(signature: &Signature, named: bool) -> Option<(InputContract, Self)> {
        let input = ImageInput::fixed(signature)?;
        let published = ["output", "outputs"];
        let answer = match signature.outputs.as_slice() {
            [rows] if rows.element == ElementType::Float32 => match rows.shape[..] {
                [_, 7] if named || published.contains(&rows.name.as_str()) => Answer::Sevens,
                [1 | -1, _, 6] if named || rows.name != deim::OUTPUT => Answer::Sixes,
                _ => return None,
            },
            outputs => Answer::Counted(counted(outputs)?),
        };
        let input = input.letterboxed(PixelEncoding::unit(ChannelOrder::Rgb), 114);
        Some((input, Self { answer }))
    }
}

/// Indices of the four outputs of EfficientNMS.
fn counted(outputs: &[TensorInfo]) -> Option<[usize; 4]> {
    if outputs.len() != 4 {
        return None;
    }
    let place = |names: [&str; 2], element, rank| {
        outputs.iter().position(|output| {
            let has_name = names.contains(&output.name.as_str());
            has_name && output.element == element && output.shape.len() == rank
        })
    };
    Some([
        place(["num_dets", "num_detections"], ElementType::Int32, 2)?,
        place(["det_boxes", "boxes"], ElementType::Float32, 3)?,
        place(["det_scores", "scores"], ElementType::Float32, 2)?,
        place(["det_classes", "labels"], ElementType::Int32, 2)?,
    ])
}

impl Family for End2End {
    fn assumed_class(&self) -> Option<Assumed> {
        Some(Assumed::guess(0))
    }

    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        let mut take = |[x1, y1, x2, y2]: [f32; 4], class: f32, score: f32| {
            let rect = Rect::from_corners(x1, y1, x2, y2);
            boxes.take(rect, class, score);
        };
        match self.answer {
            Answer::Sevens => {
                let rows = outputs.values::<f32>(0)?.as_chunks().0;
                for &[_, x1, y1, x2, y2, class, score] in rows {
                    take([x1, y1, x2, y2], class, score);
                }
            }
            Answer::Sixes => {
                let rows = outputs.values::<f32>(0)?.as_chunks().0;
                for &[x1, y1, x2, y2, score, class] in rows {
                    take([x1, y1, x2, y2], class, score);
                }
            }
            Answer::Counted([count, corners, scores, classes]) => {
                let count = outputs.values::<i32>(count)?.first().copied().unwrap_or(0);
                let corners = outputs.values::<f32>(corners)?.as_chunks::<4>().0;
                let scores = outputs.values::<f32>(scores)?.iter();
                let classes = outputs.values::<i32>(classes)?.iter();
                let rows = corners.iter().zip(scores.zip(classes));
                for (&corners, (&score, &class)) in rows.take(usize::try_from(count).unwrap_or(0)) {
                    take(corners, class as f32, score);
                }
            }
        }
        Ok(())
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Rows of seven numbers with NMS inside the graph: PINTO0309's YOLOX, Gold-YOLO and later
//! body-head-hand families.
//!
//! Input float32 `[1, 3, H, W]` (or `[1, H, W, 3]`), BGR 0..=255, plain stretch. Output float32 `[N, 7]` =
//! batch, class, score, x1, y1, x2, y2 in pixels of the input; N is dynamic, or fixed with rows of score 0
//! as padding.
//!
//! The Gold-YOLO files of the PINTO model zoo call their output `batchno_classid_x1y1x2y2_score`: an output of
//! such a name has its score last, and its input is RGB, level / 255, as in the zoo's demos of these files.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::end2end::End2End;
use super::family::{Assumed, Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};

/// 0 is body, 1 head, 2 hand in the body-head-hand models. Other models differ, hence `head-class`.
const HEAD_CLASS: u32 = 1;

pub(super) const CONTRACT: Contract = Contract {
    expected: "detection rows (image float32[1,3,H,W] or [1,H,W,3]) -> (rows float32[N,7])",
    score_threshold: 0.35,
    overlaps: Overlaps::InGraph,
    open_size: None,
    recognise: |signature, named| {
        // YOLOv7's rows have the same shape; the output's name tells them apart.
        let family = Rows::recognise(signature)
            .filter(|_| named || End2End::recognise(signature, false).is_none());
        family.map(boxed)
    },
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// The score comes after the corners, not before.
    score_last: bool,
    /// The output's name does not say what its columns are.
    nameless: bool,
}

impl Rows {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = ImageInput::fixed(signature)?;
        let output = signature.only_output()?;
        if !matches!(output.shape[..], [_, 7]) {
            return None;
        }
        let name = output.name.to_lowercase();
        let score_last = name.contains("x1y1x2y2_score");
        let encoding = if score_last {
            PixelEncoding::unit(ChannelOrder::Rgb)
        } else {
            PixelEncoding::levels(ChannelOrder::Bgr)
        };
        let family = Self {
            score_last,
            nameless: !score_last && !name.contains("score_x1y1x2y2"),
        };
        Some((input.stretched(encoding), family))
    }
}

impl Family for Rows {
    fn assumed_class(&self) -> Option<Assumed> {
        Some(Assumed {
            class: HEAD_CLASS,
            published: true,
        })
    }

    fn doubt(&self) -> Option<String> {
        self.nameless.then(|| {
            "the output has no name that tells its columns: they are taken for batch, class, score, x1, y1, x2, \
             y2, and the input for BGR 0..255. If boxes are wrong, try detector-family=end2end; \
             detector-family=rows confirms"
                .into()
        })
    }

    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        let rows = outputs.values::<f32>(0)?;
        append(rows, self.score_last, boxes);
        Ok(())
    }
}

fn append(rows: &[f32], score_last: bool, boxes: &mut Boxes<'_>) {
    for &row in rows.as_chunks::<7>().0 {
        let [_, class, score, x1, y1, x2, y2] = if score_last {
            let [batch, class, x1, y1, x2, y2, score] = row;
            [batch, class, score, x1, y1, x2, y2]
        } else {
            row
        };
        let rect = Rect::from_corners(x1, y1, x2, y2);
        boxes.take(rect, class, score);
    }
}

#[cfg(test)]
mod tests {
    use super::super::detection::Detection;
    use super::super::family::tests::{assert_near, found};
    use super::*;

    fn decode(rows: &[f32], score_last: bool, head_class: Option<u32>) -> Vec<Detection> {
        let head_class = head_class.or(Some(HEAD_CLASS));
        found((320, 256), 0.35, head_class, |boxes| {
            append(rows, score_last, boxes);
        })
    }

    #[test]
    fn heads_alone_become_boxes() {
        let rows = [
            0.0, 0.0, 0.9, 1.0, 2.0, 3.0, 4.0, // a body
            0.0, 1.0, 0.8, 10.0, 20.0, 30.0, 60.0, // a head
            0.0, 1.0, 0.35, 10.0, 20.0, 30.0, 60.0, // a head at the threshold
            0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, // padding
        ];
        let head = Rect::new(10.0, 20.0, 20.0, 40.0);
        assert_near(&decode(&rows, false, None), head, 0.8);
        let body = Rect::new(1.0, 2.0, 2.0, 2.0);
        assert_near(&decode(&rows, false, Some(0)), body, 0.9);
        assert_eq!(decode(&[], false, None), []);
        let score_last = [0.0, 1.0, 10.0, 20.0, 30.0, 60.0, 0.8];
        assert_near(&decode(&score_last, true, None), head, 0.8);
    }
}

// SPDX-License-Identifier: MPL-2.0
//! CenterFace, a face detector.
//!
//! Input float32 `[1, 3, H, W]`, RGB 0..=255, letterboxed, any multiple of 32. Outputs at stride 4, in
//! this order: heatmap `[1, 1, h, w]`, scale `[1, 2, h, w]`, offset `[1, 2, h, w]`, landmarks
//! `[1, 10, h, w]`. Box height = exp(scale0) * 4, width = exp(scale1) * 4, centre = (x + offset1 + 0.5,
//! y + offset0 + 0.5) * 4.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, Layout, PixelEncoding};
use super::super::onnx::{ElementType, Outputs, Signature};
use super::face;
use super::family::{Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};
use super::grid;

pub(super) const CONTRACT: Contract = Contract {
    expected: "CenterFace (image float32[1,3,H,W]) -> \
     (heatmap float32[1,1,h,w], scale [1,2,h,w], offset [1,2,h,w], landmarks [1,10,h,w])",
    score_threshold: 0.3,
    overlaps: Overlaps::Suppressed,
    open_size: Some(640),
    recognise: |signature, _| CenterFace::recognise(signature).map(boxed),
};

const STRIDE: u32 = 4;

#[derive(Clone, Copy, Debug)]
pub(super) struct CenterFace;

impl CenterFace {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = ImageInput::of(signature)?;
        let channels = signature
            .outputs
            .iter()
            .map(|output| match output.shape[..] {
                [_, channels, _, _] if output.element == ElementType::Float32 => channels,
                _ => 0,
            });
        let matches = input.layout == Layout::Nchw && channels.eq([1, 2, 2, 10]);
        let input = input.letterboxed(PixelEncoding::levels(ChannelOrder::Rgb), 0);
        matches.then_some((input, Self))
    }
}

impl Family for CenterFace {
    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        append(
            outputs.values::<f32>(0)?,
            outputs.values::<f32>(1)?,
            outputs.values::<f32>(2)?,
            boxes,
        );
        Ok(())
    }

    fn head(&self, rect: Rect) -> Rect {
        face::grow_to_head(rect)
    }
}

fn append(heatmap: &[f32], scale: &[f32], offset: &[f32], boxes: &mut Boxes<'_>) {
    // Two planes each, as large as the heatmap; a shorter output ends the walk early.
    let (scale0, scale1) = scale.split_at(scale.len() / 2);
    let (offset0, offset1) = offset.split_at(offset.len() / 2);
    let sizes = scale0.iter().zip(scale1);
    let shifts = offset0.iter().zip(offset1);
    let cells = grid::cells_of(boxes.input, STRIDE);
    let cells = cells.zip(heatmap).zip(sizes).zip(shifts);
    for (((cell, &score), (&s0, &s1)), (o0, o1)) in cells {
        boxes.add(score, || cell.rect([o1 + 0.5, o0 + 0.5, s1, s0]));
    }
}

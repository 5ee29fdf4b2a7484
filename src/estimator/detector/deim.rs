// SPDX-License-Identifier: MPL-2.0
//! DEIM, DEIMv2 and RT-DETRv2 as PINTO0309's model zoo exports them: queries, which need no NMS.
//!
//! Input float32 `[1, 3, H, W]` (or `[1, H, W, 3]`), plain stretch: RGB, level / 255; BGR 0..=255 where the input's
//! name ends in `bgr`, as of the files with their pre-processing inside, whose size may be open. Output
//! `label_xyxy_score` float32 `[1, queries, 6]` = class, x1, y1, x2, y2, score; corners as shares of the input,
//! 0..=1. Of the files for whole bodies with 17 classes and more, head is class 7.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::family::{Assumed, Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};

pub(super) const CONTRACT: Contract = Contract {
    expected: "DEIM (image float32[1,3,H,W] or [1,H,W,3]) -> (label_xyxy_score float32[1,queries,6])",
    // That of the model zoo's demos.
    score_threshold: 0.35,
    overlaps: Overlaps::InGraph,
    open_size: Some(640),
    recognise: |signature, named| Deim::recognise(signature, named).map(boxed),
};

/// The name that distinguishes this output from others of its shape.
pub(super) const OUTPUT: &str = "label_xyxy_score";

const HEAD_CLASS: u32 = 7;

#[derive(Clone, Copy, Debug)]
pub(super) struct Deim;

impl Deim {
    pub fn recognise(signature: &Signature, named: bool) -> Option<(InputContract, Self)> {
        let image = ImageInput::of(signature)?;
        let output = signature.only_output()?;
        let fits = matches!(output.shape[..], [1 | -1, _, 6]) && (named || output.name == OUTPUT);
        let input = signature.inputs.first()?.name.to_lowercase();
        let encoding = match input.ends_with("bgr") {
            true => PixelEncoding::levels(ChannelOrder::Bgr),
            false => PixelEncoding::unit(ChannelOrder::Rgb),
        };
        fits.then_some((image.stretched(encoding), Self))
    }
}

impl Family for Deim {
    fn assumed_class(&self) -> Option<Assumed> {
        Some(Assumed::guess(HEAD_CLASS))
    }

    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        let (width, height) = (boxes.input.width as f32, boxes.input.height as f32);
        for &[class, x1, y1, x2, y2, score] in outputs.values::<f32>(0)?.as_chunks().0 {
            let rect = Rect::from_corners(x1 * width, y1 * height, x2 * width, y2 * height);
            boxes.take(rect, class, score);
        }
        Ok(())
    }
}

// SPDX-License-Identifier: MPL-2.0
//! YuNet (`face_detection_yunet_2023mar`), a small and fast face detector.
//!
//! Input float32 `[1, 3, H, W]`, BGR 0..=255, letterboxed, any multiple of 32. For each stride 8, 16, 32
//! the outputs `cls_S`, `obj_S` (`[1, cells, 1]`), `bbox_S` (`[1, cells, 4]`) and `kps_S`, cells in
//! row-major order. Score = sqrt(cls * obj), each clipped to 0..=1; centre = (cell + b01) * stride, size =
//! exp(b23) * stride: the decoding of OpenCV's `FaceDetectorYN`.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::face;
use super::family::{Boxes, Contract, Family, ImageInput, InputContract, Overlaps, boxed};
use super::grid::{self, STRIDES};

pub(super) const CONTRACT: Contract = Contract {
    expected: "YuNet (image float32[1,3,H,W]) -> \
     (cls_S, obj_S, bbox_S, kps_S for S = 8, 16, 32)",
    // At 0.5 it finds the most faces, also in profile, with hardly more false positives than at 0.7.
    score_threshold: 0.5,
    overlaps: Overlaps::Suppressed,
    open_size: Some(640),
    recognise: |signature, _| YuNet::recognise(signature).map(boxed),
};

#[derive(Clone, Copy, Debug)]
pub(super) struct YuNet {
    /// Indices of `cls`, `obj` and `bbox` for each stride.
    outputs: [[usize; 3]; 3],
}

impl YuNet {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = ImageInput::of(signature)?;
        let index = |kind: &str, stride: u32| signature.float32_output(&format!("{kind}_{stride}"));
        let mut outputs = [[0; 3]; 3];
        for (of_stride, stride) in outputs.iter_mut().zip(STRIDES) {
            *of_stride = [
                index("cls", stride)?,
                index("obj", stride)?,
                index("bbox", stride)?,
            ];
        }
        let input = input.letterboxed(PixelEncoding::levels(ChannelOrder::Bgr), 0);
        Some((input, Self { outputs }))
    }
}

impl Family for YuNet {
    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error> {
        for (indices, stride) in self.outputs.iter().zip(STRIDES) {
            let [cls, obj, bbox] = *indices;
            append(
                outputs.values::<f32>(cls)?,
                outputs.values::<f32>(obj)?,
                outputs.values::<f32>(bbox)?,
                stride,
                boxes,
            );
        }
        Ok(())
    }

    fn head(&self, rect: Rect) -> Rect {
        face::grow_to_head(rect)
    }
}

fn append(cls: &[f32], obj: &[f32], bbox: &[f32], stride: u32, boxes: &mut Boxes<'_>) {
    let cells = grid::cells_of(boxes.input, stride);
    let cells = cells.zip(cls).zip(obj).zip(bbox.as_chunks::<4>().0);
    for (((cell, cls), obj), &bbox) in cells {
        let score = (cls.clamp(0.0, 1.0) * obj.clamp(0.0, 1.0)).sqrt();
        boxes.add(score, || cell.rect(bbox));
    }
}

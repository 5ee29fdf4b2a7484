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
use super::family::{Contract, Family, Others};
use super::nms::suppress_overlaps;
use super::{DecodeSettings, Detection, InputContract, Scaling, any_size, face, image_input};

pub(super) const CONTRACT: Contract = Contract {
    expected: "YuNet (image float32[1,3,H,W]) -> \
     (cls_S, obj_S, bbox_S, kps_S for S = 8, 16, 32)",
    // At 0.5 it sees the most faces, also turned to profile, for hardly more false ones than at 0.7.
    score_threshold: 0.5,
    uses_nms_iou: true,
    open_size: Some(640),
    recognise: |signature, _| YuNet::recognise(signature).map(|family| Box::new(family) as _),
};

const STRIDES: [u32; 3] = [8, 16, 32];

#[derive(Clone, Copy, Debug)]
pub(super) struct YuNet {
    input: InputContract,
    /// Indices of `cls`, `obj` and `bbox` for each stride.
    outputs: [[usize; 3]; 3],
}

impl YuNet {
    pub fn recognise(signature: &Signature) -> Option<Self> {
        let (layout, height, width) = image_input(signature)?;
        let size = any_size(height, width);
        let index = |kind: &str, stride: u32| signature.float32_output(&format!("{kind}_{stride}"));
        let mut outputs = [[0; 3]; 3];
        for (of_stride, stride) in outputs.iter_mut().zip(STRIDES) {
            *of_stride = [
                index("cls", stride)?,
                index("obj", stride)?,
                index("bbox", stride)?,
            ];
        }
        Some(Self {
            input: InputContract {
                size,
                encoding: PixelEncoding {
                    layout,
                    ..PixelEncoding::levels(ChannelOrder::Bgr)
                },
                scaling: Scaling::Letterbox,
                pad: 0,
            },
            outputs,
        })
    }
}

impl Family for YuNet {
    fn input(&self) -> InputContract {
        self.input
    }

    fn decode(
        &self,
        outputs: &Outputs<'_>,
        settings: &DecodeSettings,
        boxes: &mut Vec<Detection>,
    ) -> Result<Others, Error> {
        for (indices, stride) in self.outputs.iter().zip(STRIDES) {
            let [cls, obj, bbox] = *indices;
            append(
                outputs.float32(cls)?.1,
                outputs.float32(obj)?.1,
                outputs.float32(bbox)?.1,
                stride,
                settings,
                boxes,
            );
        }
        suppress_overlaps(boxes, settings.nms_iou);
        Ok(Others::default())
    }

    fn head(&self, rect: Rect) -> Rect {
        face::grow_to_head(rect)
    }
}

fn append(
    cls: &[f32],
    obj: &[f32],
    bbox: &[f32],
    stride: u32,
    settings: &DecodeSettings,
    boxes: &mut Vec<Detection>,
) {
    let columns = (settings.input.width / stride).max(1) as usize;
    let stride = stride as f32;
    let cells = cls.iter().zip(obj).zip(bbox.as_chunks::<4>().0);
    for (cell, ((cls, obj), &[b0, b1, b2, b3])) in cells.enumerate() {
        let score = (cls.clamp(0.0, 1.0) * obj.clamp(0.0, 1.0)).sqrt();
        if score > settings.score_threshold {
            let (row, column) = ((cell / columns) as f32, (cell % columns) as f32);
            let (cx, cy) = ((column + b0) * stride, (row + b1) * stride);
            let (w, h) = (b2.exp() * stride, b3.exp() * stride);
            boxes.push(Detection {
                rect: Rect::from_center(cx, cy, w, h),
                score,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::geometry::Size;
    use super::*;

    #[test]
    fn a_cell_becomes_a_box() {
        let settings = DecodeSettings {
            input: Size {
                width: 32,
                height: 32,
            },
            score_threshold: 0.5,
            nms_iou: 0.3,
            head_class: None,
        };
        // 4x4 cells of stride 8; cell 6 is row 1, column 2.
        let (mut cls, obj, mut bbox) = ([0.0; 16], [1.0; 16], [0.0; 64]);
        cls[6] = 0.64;
        bbox[24..28].copy_from_slice(&[0.5, 0.25, 0.0, 2.0f32.ln()]);
        let mut boxes = Vec::new();
        append(&cls, &obj, &bbox, 8, &settings, &mut boxes);
        // Centre (20, 10), size 8 x 16, score sqrt(0.64).
        assert_eq!(boxes.len(), 1);
        let Detection { rect, score } = boxes[0];
        assert!((score - 0.8).abs() < 1e-6);
        for (got, want) in [rect.x, rect.y, rect.w, rect.h]
            .iter()
            .zip([16.0, 2.0, 8.0, 16.0])
        {
            assert!((got - want).abs() < 1e-4, "{rect:?}");
        }
    }
}

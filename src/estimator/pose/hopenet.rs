// SPDX-License-Identifier: MPL-2.0
//! Hopenet (deep-head-pose): the bins of its three angles.
//!
//! Input float32 `[N, 3, H, W]` (or `[N, H, W, 3]`, 224x224), RGB normalised as for ImageNet. Three outputs float32
//! `[N, 66]`, the weight of each bin, before softmax, in the order yaw, pitch, roll unless their names tell
//! another. Angle = sum(softmax * index) * 3 - 99. It knows faces only: yaw within 99 degrees.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::image::tensor::PixelEncoding;
use super::super::onnx::{ElementType, Outputs, Signature};
use super::family::{Answers, Contract, CropInput, Family, InputContract, boxed};
use super::whenet::{BINS, expectation};

pub(super) const CONTRACT: Contract = Contract {
    expected: "Hopenet (crops float32[N,3,H,W] or [N,H,W,3]) -> (bins of yaw, pitch and roll float32[N,66])",
    recognise: |signature, _| Hopenet::recognise(signature).map(boxed),
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hopenet {
    /// Places of yaw, pitch and roll among the outputs.
    outputs: [usize; 3],
}

impl Hopenet {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = CropInput::of(signature)?;
        let has_bins = signature.outputs.iter().all(|t| {
            t.element == ElementType::Float32
                && matches!(t.shape[..], [_, n] if usize::try_from(n) == Ok(BINS))
        });
        if signature.outputs.len() != 3 || !has_bins {
            return None;
        }
        let named = ["yaw", "pitch", "roll"].map(|angle| {
            let has_name = |name: &str| name.to_lowercase().contains(angle);
            signature.outputs.iter().position(|t| has_name(&t.name))
        });
        let outputs = match named {
            [Some(yaw), Some(pitch), Some(roll)] => [yaw, pitch, roll],
            _ => [0, 1, 2],
        };
        Some((input.encoded(PixelEncoding::imagenet()), Self { outputs }))
    }
}

impl Family for Hopenet {
    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let [yaw, pitch, roll] = self.outputs;
        let yaws = outputs.float32(yaw)?.1.chunks_exact(BINS);
        let pitches = outputs.float32(pitch)?.1.chunks_exact(BINS);
        let rolls = outputs.float32(roll)?.1.chunks_exact(BINS);
        let bins = yaws.zip(pitches).zip(rolls);
        answers.extend(bins.map(|((yaw, pitch), roll)| {
            let [yaw, pitch, roll] = [yaw, pitch, roll].map(|bins| expectation(bins, 99.0));
            Angles::new(yaw, pitch, roll)
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::tests::signature;
    use super::*;

    #[test]
    fn names_tell_the_order_and_else_the_place() {
        let places = |names: [&str; 3]| {
            let outputs = names.map(|name| (name, &[1, 66][..]));
            Hopenet::recognise(&signature(&[1, 3, 224, 224], &outputs)).map(|(_, h)| h.outputs)
        };
        assert_eq!(places(["yaw", "pitch", "roll"]), Some([0, 1, 2]));
        assert_eq!(places(["fc_roll", "fc_yaw", "fc_pitch"]), Some([1, 2, 0]));
        assert_eq!(places(["508", "509", "510"]), Some([0, 1, 2]));
        let bins: [(&str, &[i64]); 3] = [("a", &[1, 66]), ("b", &[1, 66]), ("c", &[1, 62])];
        assert_eq!(
            Hopenet::recognise(&signature(&[1, 3, 224, 224], &bins)),
            None
        );
    }
}

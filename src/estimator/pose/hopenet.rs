// SPDX-License-Identifier: MPL-2.0
//! Hopenet (deep-head-pose): the bins of its three angles.
//!
//! Input float32 `[N, 3, H, W]` (or `[N, H, W, 3]`, 224x224), RGB normalised as for ImageNet. Three outputs float32
//! `[N, 66]`, the weight of each bin, before softmax, in the order yaw, pitch, roll unless their names tell
//! another. Angle = sum(softmax * index) * 3 - 99. It knows faces only: yaw within 99 degrees.

use super::super::image::tensor::PixelEncoding;
use super::super::onnx::Signature;
use super::family::{Contract, CropInput, InputContract, boxed};
use super::whenet::{Bins, OTHER_BINS, are_bins};

pub(super) const CONTRACT: Contract = Contract {
    expected: "Hopenet (crops float32[N,3,H,W] or [N,H,W,3]) -> (bins of yaw, pitch and roll float32[N,66])",
    recognise: |signature, _| recognise(signature).map(boxed),
};

fn recognise(signature: &Signature) -> Option<(InputContract, Bins)> {
    let input = CropInput::of(signature)?;
    let outputs = &signature.outputs;
    if outputs.len() != 3 || !outputs.iter().all(|t| are_bins(t, OTHER_BINS)) {
        return None;
    }
    let named = ["yaw", "pitch", "roll"].map(|angle| {
        let mut names = outputs.iter().map(|t| t.name.to_lowercase());
        names.position(|name| name.contains(angle))
    });
    let outputs = match named {
        [Some(yaw), Some(pitch), Some(roll)] => [yaw, pitch, roll],
        _ => [0, 1, 2],
    };
    let family = Bins {
        outputs,
        of_yaw: OTHER_BINS,
    };
    Some((input.encoded(PixelEncoding::imagenet()), family))
}

#[cfg(test)]
mod tests {
    use super::super::super::onnx::signature::tests::signature;
    use super::*;

    #[test]
    fn names_tell_the_order_and_else_the_place() {
        let places = |names: [&str; 3]| {
            let outputs = names.map(|name| format!("{name}[1,66]")).join(", ");
            let signature = signature(&format!("i[1,3,224,224] -> {outputs}"));
            recognise(&signature).map(|(_, bins)| bins.outputs)
        };
        assert_eq!(places(["yaw", "pitch", "roll"]), Some([0, 1, 2]));
        assert_eq!(places(["fc_roll", "fc_yaw", "fc_pitch"]), Some([1, 2, 0]));
        assert_eq!(places(["508", "509", "510"]), Some([0, 1, 2]));
    }
}

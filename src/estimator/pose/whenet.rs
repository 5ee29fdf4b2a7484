// SPDX-License-Identifier: MPL-2.0
//! WHENet as trained: the bins of its three heads.
//!
//! Input float32 `[N, 3, H, W]` or `[N, H, W, 3]` (224x224, channels last, in WHENet's own Keras network), RGB
//! normalised as for ImageNet. Outputs float32 `[N, 120]`, `[N, 66]`, `[N, 66]`: the weight of each bin, before
//! softmax. Angle = sum(softmax * index) * 3 - 180 for yaw, - 99 for pitch and roll: `get_angle` of WHENet.
//! The output of 120 bins is yaw; of the other two, names that have `pitch` and `roll` in them tell which
//! is which, else pitch comes first, as in WHENet.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::image::tensor::PixelEncoding;
use super::super::onnx::{ElementType, Outputs, Signature, TensorInfo};
use super::family::{Answers, Contract, CropInput, Family, InputContract, boxed};

const YAW_BINS: usize = 120;
pub(super) const BINS: usize = 66;
/// Degrees a bin.
const WIDTH: f64 = 3.0;

pub(super) const CONTRACT: Contract = Contract {
    expected: "WHENet (crops float32[N,3,H,W] or [N,H,W,3]) -> \
     (bins of yaw float32[N,120], of pitch [N,66], of roll [N,66])",
    recognise: |signature, _| WheNet::recognise(signature).map(boxed),
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WheNet {
    yaw: usize,
    pitch: usize,
    roll: usize,
}

impl WheNet {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = CropInput::of(signature)?;
        if signature.outputs.len() != 3 {
            return None;
        }
        let has = |t: &TensorInfo, bins: usize| {
            t.element == ElementType::Float32
                && matches!(t.shape[..], [_, n] if usize::try_from(n) == Ok(bins))
        };
        let yaw = signature.outputs.iter().position(|t| has(t, YAW_BINS))?;
        let mut others = (0..3).filter(|&index| index != yaw);
        let (mut pitch, mut roll) = (others.next()?, others.next()?);
        if ![pitch, roll]
            .iter()
            .all(|&i| has(&signature.outputs[i], BINS))
        {
            return None;
        }
        let named = |index: usize, angle: &str| {
            let name = signature.outputs[index].name.to_lowercase();
            name.contains(angle)
        };
        if named(pitch, "roll") && named(roll, "pitch") {
            (pitch, roll) = (roll, pitch);
        }
        let input = input.encoded(PixelEncoding::imagenet());
        Some((input, Self { yaw, pitch, roll }))
    }
}

impl Family for WheNet {
    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let yaws = outputs.float32(self.yaw)?.1.chunks_exact(YAW_BINS);
        let pitches = outputs.float32(self.pitch)?.1.chunks_exact(BINS);
        let rolls = outputs.float32(self.roll)?.1.chunks_exact(BINS);
        let bins = yaws.zip(pitches).zip(rolls);
        answers.extend(bins.map(|((yaw, pitch), roll)| {
            Angles::new(
                expectation(yaw, 180.0),
                expectation(pitch, 99.0),
                expectation(roll, 99.0),
            )
        }));
        Ok(())
    }
}

/// The angle that the bins stand for; NaN where the weights give none.
pub(super) fn expectation(weights: &[f32], offset: f64) -> f32 {
    // Softmax with the largest weight taken off, so that no exponential overflows.
    let most = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (index, &weight) in weights.iter().enumerate() {
        let e = f64::from(weight - most).exp();
        sum += e;
        weighted += e * index as f64;
    }
    (weighted / sum * WIDTH - offset) as f32
}

#[cfg(test)]
mod tests {
    use super::super::super::image::tensor::Layout;
    use super::super::family::tests::signature;
    use super::*;

    fn bins(count: usize, weights: &[(usize, f32)]) -> Vec<f32> {
        let mut bins = vec![-1e3; count];
        for &(index, weight) in weights {
            bins[index] = weight;
        }
        bins
    }

    #[test]
    fn bins_become_angles() {
        assert_eq!(expectation(&bins(120, &[(60, 5.0)]), 180.0), 0.0);
        assert_eq!(expectation(&bins(120, &[(119, 1e4)]), 180.0), 177.0);
        assert_eq!(expectation(&bins(66, &[(33, 0.0), (34, 0.0)]), 99.0), 1.5);
        // Weights 3 : 1, and index 40.25.
        let pair = [(40, 3f32.ln()), (41, 0.0)];
        assert!((expectation(&bins(66, &pair), 99.0) - 21.75).abs() < 1e-4);
        // All alike: the middle.
        assert_eq!(expectation(&[7.0; 120], 180.0), -1.5);
    }

    #[test]
    fn wild_weights_never_give_a_wrong_number() {
        for wild in [f32::NAN, f32::INFINITY] {
            let got = expectation(&bins(66, &[(3, wild), (4, 1.0)]), 99.0);
            assert!(got.is_nan(), "{wild}: {got}");
        }
        assert!(expectation(&[f32::NEG_INFINITY; 66], 99.0).is_nan());
        let huge = bins(66, &[(3, f32::MAX), (4, -f32::MAX)]);
        assert_eq!(expectation(&huge, 99.0), -90.0);
    }

    #[test]
    fn the_outputs_are_told_apart() {
        let crops = [-1, 224, 224, 3];
        let places = |outputs: &[(&str, &[i64])]| {
            let (input, family) = WheNet::recognise(&signature(&crops, outputs))?;
            assert_eq!(input.encoding.layout, Layout::Nhwc);
            Some([family.yaw, family.pitch, family.roll])
        };
        let (yaw, other) = (&[-1, 120][..], &[-1, 66][..]);
        let keras = [("yaw_new", yaw), ("pitch_new", other), ("roll_new", other)];
        assert_eq!(places(&keras), Some([0, 1, 2]));
        let named = [("roll", other), ("yaw", yaw), ("pitch", other)];
        assert_eq!(places(&named), Some([1, 2, 0]));
        let numbered = [("370", other), ("371", other), ("369", yaw)];
        assert_eq!(places(&numbered), Some([2, 0, 1]));
        for near_miss in [
            &[("yaw", &[-1, 66][..]), ("pitch", other), ("roll", other)][..], // Hopenet
            &[("yaw", yaw), ("pitch", &[-1, 65]), ("roll", other)],
            &[("yaw", yaw), ("pitch", yaw), ("roll", other)],
            &[("yaw", yaw), ("pitch", other)],
        ] {
            assert_eq!(places(near_miss), None, "{near_miss:?}");
        }
    }
}

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
pub(super) const OTHER_BINS: usize = 66;
/// Degrees a bin.
const WIDTH: f64 = 3.0;

pub(super) const CONTRACT: Contract = Contract {
    expected: "WHENet (crops float32[N,3,H,W] or [N,H,W,3]) -> \
     (bins of yaw float32[N,120], of pitch [N,66], of roll [N,66])",
    recognise: |signature, _| recognise(signature).map(boxed),
};

/// Three outputs of bins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bins {
    /// Places of yaw, pitch and roll among the outputs.
    pub outputs: [usize; 3],
    pub of_yaw: usize,
}

pub(super) fn are_bins(tensor: &TensorInfo, bins: usize) -> bool {
    tensor.element == ElementType::Float32
        && matches!(tensor.shape[..], [_, n] if usize::try_from(n) == Ok(bins))
}

fn recognise(signature: &Signature) -> Option<(InputContract, Bins)> {
    let input = CropInput::of(signature)?;
    let outputs = &signature.outputs;
    if outputs.len() != 3 {
        return None;
    }
    let yaw = outputs.iter().position(|t| are_bins(t, YAW_BINS))?;
    let mut others = (0..3).filter(|&index| index != yaw);
    let (mut pitch, mut roll) = (others.next()?, others.next()?);
    if ![pitch, roll]
        .iter()
        .all(|&i| are_bins(&outputs[i], OTHER_BINS))
    {
        return None;
    }
    let named = |index: usize, angle| outputs[index].name.to_lowercase().contains(angle);
    if named(pitch, "roll") && named(roll, "pitch") {
        (pitch, roll) = (roll, pitch);
    }
    let family = Bins {
        outputs: [yaw, pitch, roll],
        of_yaw: YAW_BINS,
    };
    Some((input.encoded(PixelEncoding::imagenet()), family))
}

impl Family for Bins {
    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let [yaw, pitch, roll] = self.outputs;
        let yaws = outputs.values::<f32>(yaw)?.chunks_exact(self.of_yaw);
        let pitches = outputs.values::<f32>(pitch)?.chunks_exact(OTHER_BINS);
        let rolls = outputs.values::<f32>(roll)?.chunks_exact(OTHER_BINS);
        let bins = yaws.zip(pitches).zip(rolls);
        answers.extend(bins.map(|((yaw, pitch), roll)| {
            let [yaw, pitch, roll] = [yaw, pitch, roll].map(expectation);
            Angles::new(yaw, pitch, roll)
        }));
        Ok(())
    }
}

/// The angle that the bins stand for; NaN where the weights give none.
fn expectation(weights: &[f32]) -> f32 {
    // Softmax with the largest weight taken off, so that no exponential overflows.
    let most = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (index, &weight) in weights.iter().enumerate() {
        let e = f64::from(weight - most).exp();
        sum += e;
        weighted += e * index as f64;
    }
    let half = WIDTH * weights.len() as f64 / 2.0;
    (weighted / sum * WIDTH - half) as f32
}

#[cfg(test)]
mod tests {
    use super::super::super::image::tensor::Layout;
    use super::super::super::onnx::signature::tests::signature;
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
        assert_eq!(expectation(&bins(120, &[(60, 5.0)])), 0.0);
        assert_eq!(expectation(&bins(120, &[(119, 1e4)])), 177.0);
        assert_eq!(expectation(&bins(66, &[(33, 0.0), (34, 0.0)])), 1.5);
        // Weights 3 : 1, and index 40.25.
        let pair = [(40, 3f32.ln()), (41, 0.0)];
        assert!((expectation(&bins(66, &pair)) - 21.75).abs() < 1e-4);
        // All alike: the middle.
        assert_eq!(expectation(&[7.0; 120]), -1.5);
    }

    #[test]
    fn wild_weights_never_give_a_wrong_number() {
        for wild in [f32::NAN, f32::INFINITY] {
            let got = expectation(&bins(66, &[(3, wild), (4, 1.0)]));
            assert!(got.is_nan(), "{wild}: {got}");
        }
        assert!(expectation(&[f32::NEG_INFINITY; 66]).is_nan());
        let huge = bins(66, &[(3, f32::MAX), (4, -f32::MAX)]);
        assert_eq!(expectation(&huge), -90.0);
    }

    #[test]
    fn the_outputs_are_told_apart() {
        let places = |outputs: &str| {
            let signature = signature(&format!("i[?,224,224,3] -> {outputs}"));
            let (input, family) = recognise(&signature).unwrap();
            assert_eq!(input.encoding.layout, Layout::Nhwc);
            family.outputs
        };
        let keras = "yaw_new[?,120], pitch_new[?,66], roll_new[?,66]";
        assert_eq!(places(keras), [0, 1, 2]);
        let named = "roll[?,66], yaw[?,120], pitch[?,66]";
        assert_eq!(places(named), [1, 2, 0]);
        let numbered = "370[?,66], 371[?,66], 369[?,120]";
        assert_eq!(places(numbered), [2, 0, 1]);
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Three angles in degrees for each crop, with pre- and post-processing inside the graph: the fused models
//! of DMHead, and single networks wrapped alike (WHENet as `make models` converts it).
//!
//! Input float32 `[N, 3, 224, 224]` (other sizes serve as well), RGB 0..=255, stretched crops. Output
//! float32 `[N, 3]`: yaw, roll, pitch as DMHead has them, unless the output's name tells another order, as
//! `yaw_pitch_roll` would (with 224x224 that is 6DRepNet360).

use super::super::error::Error;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::columns::{DMHEAD, order, rows};
use super::family::{Answers, Contract, CropInput, Family, InputContract, boxed};
use super::{fsanet, sixdrepnet};

pub(super) const CONTRACT: Contract = Contract {
    expected: "three angles (crops float32[N,3,H,W]) -> (yaw, roll, pitch float32[N,3])",
    recognise: |signature, named| {
        let is_other = || {
            fsanet::FsaNet::recognise(signature).is_some()
                || sixdrepnet::SixDRepNet::recognise(signature).is_some()
        };
        let family = Triple::recognise(signature).filter(|_| named || !is_other());
        family.map(boxed)
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Triple {
    columns: [usize; 3],
    /// The output is not called as DMHead's.
    renamed: bool,
}

impl Triple {
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = CropInput::of(signature)?;
        let output = signature.only_output()?;
        if !matches!(output.shape[..], [_, 3]) {
            return None;
        }
        let family = Self {
            columns: order(&output.name).unwrap_or(DMHEAD),
            renamed: order(&output.name) != Some(DMHEAD),
        };
        let input = input.encoded(PixelEncoding::levels(ChannelOrder::Rgb));
        Some((input, family))
    }
}

impl Family for Triple {
    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let values = outputs.values::<f32>(0)?;
        answers.extend(rows(values, self.columns));
        Ok(())
    }

    fn doubt(&self) -> Option<String> {
        self.renamed.then(|| {
            let [yaw, pitch, roll] = self.columns;
            let mut order = [(yaw, "yaw"), (pitch, "pitch"), (roll, "roll")];
            order.sort_unstable();
            format!(
                "expected an output called yaw_roll_pitch, as DMHead's is. Its columns are taken for {}, its input \
                 for RGB 0..255; if angles are wrong, try another pose-family (pose-family=dmhead confirms)",
                order.map(|(_, angle)| angle).join(", ")
            )
        })
    }

    fn columns(&self) -> Option<[usize; 3]> {
        Some(self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::angles::Angles;
    use super::super::super::onnx::signature::tests::signature;
    use super::*;

    #[test]
    fn the_output_name_tells_the_order() {
        for (name, want) in [
            ("yaw_roll_pitch", Angles::new(1.0, 3.0, 2.0)),
            ("yaw_pitch_roll", Angles::new(1.0, 2.0, 3.0)),
            ("Roll/Pitch/Yaw", Angles::new(3.0, 2.0, 1.0)),
            ("output", Angles::new(1.0, 3.0, 2.0)),
        ] {
            let signature = signature(&format!("i[?,3,224,224] -> {name}[?,3]"));
            let (_, family) = Triple::recognise(&signature).unwrap();
            let found = rows(&[1.0, 2.0, 3.0], family.columns).next();
            assert_eq!(found, Some(want), "{name}");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The table of all families of pose models, and which of them a model belongs to.

use super::super::choices::families;
use super::super::onnx::Signature;
use super::super::onnx::nearest::{nearest, no_family, with_difference};
use super::super::onnx::signature::MAX_CROP_SIDE;
use super::family::{Contract, Family, InputContract};

/// The table: variant, nick of the property `pose-family`, what gst-inspect-1.0 says, and contract. `auto`
/// takes the first that recognises the signature.
macro_rules! pose_families {
    ($define:ident $($head:tt)*) => {
        $define! {
            $($head)*
            TurnNet, "turnnet", "TurnNet: every side, with an uncertainty", super::turnnet::CONTRACT;
            DmHead, "dmhead", "Three angles a head: DMHead, converted WHENet", super::triple::CONTRACT;
            WheNet, "whenet", "Bins of WHENet as trained", super::whenet::CONTRACT;
            SixDRepNet, "6drepnet",
                "6DRepNet, 6DRepNet360: matrix, 6D or named angles (auto: not 6D)", super::sixdrepnet::CONTRACT;
            FsaNet, "fsanet", "FSA-Net, 64x64", super::fsanet::CONTRACT;
            Tddfa, "3ddfa",
                "3DDFA_V2, SynergyNet: 62 standardised parameters (auto: named so)", super::tddfa::CONTRACT;
            TddfaDenormalised, "3ddfa-denormalised",
                "62 parameters with mean and deviation given back (auto: named so)", super::tddfa::DENORMALISED;
            Hopenet, "hopenet", "Hopenet: three outputs of 66 bins", super::hopenet::CONTRACT;
        }
    };
}
pub(crate) use pose_families;

pose_families! {
    families
    pub enum PoseFamily of Contract:
}

/// What the signature of a pose model says, without running it.
#[derive(Debug)]
pub struct Recognised {
    /// As the property `pose-family` spells it.
    pub name: &'static str,
    pub input: InputContract,
    pub(super) family: Box<dyn Family>,
    /// What is not sure.
    pub(super) doubt: Option<String>,
}

impl Recognised {
    /// Columns of yaw, pitch and roll in an output of DMHead's kind.
    pub fn columns(&self) -> Option<[usize; 3]> {
        self.family.columns()
    }
}

/// Finds the family of a signature.
///
/// # Errors
/// The signature that was expected, and what stands between.
pub fn recognise(signature: &Signature, wanted: PoseFamily) -> Result<Recognised, String> {
    signature.check_size(MAX_CROP_SIDE)?;
    let named = wanted != PoseFamily::Auto;
    let is_candidate = |family: PoseFamily| !named || family == wanted;
    let find = |signature: &Signature| {
        let mut candidates = FAMILIES.iter().filter(|row| is_candidate(row.0));
        candidates.find_map(|(_, name, contract)| {
            let (input, family) = (contract.recognise)(signature, named)?;
            let doubt = family.doubt().filter(|_| !named);
            Some(Recognised {
                name,
                input,
                family,
                doubt,
            })
        })
    };
    if let Some(found) = find(signature) {
        return Ok(found);
    }
    let takes = |signature: &Signature| {
        let takers = FAMILIES
            .iter()
            .filter(|(.., contract)| (contract.recognise)(signature, true).is_some());
        takers.map(|(_, name, _)| *name).collect::<Vec<_>>()
    };
    if let Some((.., contract)) = FAMILIES.iter().find(|(family, ..)| *family == wanted) {
        let near = nearest(signature, |changed| Some(find(changed)?.name));
        let expected = with_difference(contract.expected, near);
        return Err(format!("the signature of a pose model: {expected}"));
    }
    Err(match takes(signature).as_slice() {
        [] => {
            let near = nearest(signature, |changed| takes(changed).first().copied());
            let families = FAMILIES.iter();
            let families = families.map(|(_, name, contract)| (*name, contract.expected));
            no_family("a pose model", near, families)
        }
        families => format!(
            "the signature of a pose model of one family alone. This one is taken where pose-family names it: {}",
            families.join(" or ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::onnx::signature::tests::signature;
    use super::PoseFamily::{Auto, DmHead, FsaNet, Hopenet, SixDRepNet, Tddfa, TurnNet};
    use super::*;

    #[test]
    fn signatures_tell_families_apart() {
        for (wanted, text, family) in [
            (DmHead, "i[4,3,64,96] -> y[4,3]", "dmhead"),
            (DmHead, "i[1,3,224,224] -> yaw_roll_pitch[1,7]", ""),
            (DmHead, "i[1,3,224,224] -> yaw_roll_pitch[1,3,3]", ""),
            (DmHead, "i[1,1,224,224] -> yaw_roll_pitch[1,3]", ""),
            (DmHead, "i[1,3,?,?] -> yaw_roll_pitch[1,3]", ""),
            (DmHead, "i[1,3,0,224] -> yaw_roll_pitch[1,3]", ""),
            (DmHead, "i[3,224,224] -> yaw_roll_pitch[1,3]", ""),
            (Auto, "i[1,3,64,64] -> output[1,3]", "fsanet"),
            (Auto, "i[1,3,64,64] -> yaw_roll_pitch[1,3]", "dmhead"),
            (FsaNet, "i[1,3,64,64] -> yaw_roll_pitch[1,3]", "fsanet"),
            (FsaNet, "i[1,3,224,224] -> output[1,3]", ""),
            (FsaNet, "i[1,3,64,32] -> output[1,3]", ""),
            (FsaNet, "i[1,1,64,64] -> output[1,3]", ""),
            (FsaNet, "i[1,3,64,64] -> output[1,4]", ""),
            (FsaNet, "i[1,3,64,64] -> output[1,3,1]", ""),
            (Auto, "i[?,3,224,224] -> r[?,3,3]", "6drepnet"),
            (SixDRepNet, "i[?,3,224,224] -> r[?,3,4]", ""),
            (SixDRepNet, "i[?,3,224,224] -> r[?,9]", ""),
            (SixDRepNet, "i[?,3,224,224] -> angles[?,3]", ""), // in which order?
            (SixDRepNet, "i[?,1,224,224] -> r[?,3,3]", ""),
            (SixDRepNet, "i[?,3,?,?] -> r[?,3,3]", ""),
            // By the signature alone, nothing but matrices and the zoo's file.
            (SixDRepNet, "i[?,3,224,224] -> 6d[?,6]", "6drepnet"),
            (Auto, "i[?,3,224,224] -> 6d[?,6]", ""),
            (Auto, "i[?,3,224,224] -> yaw_roll_pitch[?,3]", "dmhead"),
            (Auto, "i[?,3,224,224] -> pitch_yaw_roll[?,3]", "dmhead"),
            (Auto, "i[?,3,32,32] -> yaw_pitch_roll[?,3]", "dmhead"),
            (Auto, "i[?,3,224,224] -> yaw_pitch_roll[?,3]", "6drepnet"),
            (Auto, "i[?,3,120,120] -> standardised[?,62]", "3ddfa"),
            (
                Auto,
                "i[?,3,120,120] -> params_denormalised[?,62]",
                "3ddfa-denormalised",
            ),
            (Auto, "i[?,3,120,120] -> params[?,62]", ""),
            (Auto, "i[?,3,120,120] -> standardised[?,61]", ""),
            (Tddfa, "i[1,3,120,120] -> params[1,62]", "3ddfa"),
            (Tddfa, "i[1,3,120,120] -> params[1,63]", ""),
            (Tddfa, "i[1,3,120,120] -> params[1,62,1]", ""),
            (Tddfa, "i[1,3,128,128] -> params[1,62]", ""),
            (Tddfa, "i[1,1,120,120] -> params[1,62]", ""),
            (Auto, "image[?,3,224,224] -> pose[?,7]", "turnnet"),
            (TurnNet, "image[?,3,224,224] -> pose[?,6]", ""),
            (TurnNet, "image[?,3,224,224] -> logits[?,7]", ""),
            (TurnNet, "input[?,3,224,224] -> pose[?,7]", ""),
            (Auto, "i[?,3,32,32] -> a[?,120], b[?,66], c[?,66]", "whenet"),
            (Auto, "i[?,3,32,32] -> a[?,66], b[?,66], c[?,66]", "hopenet"),
            (Auto, "i[?,3,32,32] -> a[?,120], b[?,65], c[?,66]", ""),
            (Auto, "i[?,3,32,32] -> a[?,120], b[?,120], c[?,66]", ""),
            (Auto, "i[?,3,224,224] -> yaw[?,120], pitch[?,66]", ""),
            (Hopenet, "i[?,3,224,224] -> a[?,66], b[?,66], c[?,62]", ""),
        ] {
            let found = recognise(&signature(text), wanted);
            let found = found.map_or("", |found| found.name);
            assert_eq!(found, family, "{wanted:?} {text}");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The table of all families of pose models, and which of them a model belongs to.

use super::super::choices::families;
use super::super::onnx::Signature;
use super::super::onnx::nearest::nearest;
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
    /// Which output contract a pose model keeps.
    pub enum PoseFamily of Contract:
}

/// The family of one model.
#[derive(Debug)]
pub(super) struct Recognised {
    /// As the property `pose-family` spells it.
    pub name: &'static str,
    pub input: InputContract,
    pub family: Box<dyn Family>,
    /// What is not sure.
    pub doubt: Option<String>,
}

/// Finds the family of a signature.
///
/// # Errors
/// The signature that was expected, and what stands between.
pub(super) fn recognise(signature: &Signature, wanted: PoseFamily) -> Result<Recognised, String> {
    signature.check_size(MAX_CROP_SIDE)?;
    let named = wanted != PoseFamily::Auto;
    let find = |signature: &Signature, named: bool| {
        let mut candidates = FAMILIES
            .iter()
            .filter(|(family, ..)| !named || *family == wanted);
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
    if let Some(found) = find(signature, named) {
        return Ok(found);
    }
    let takes = |signature: &Signature| {
        let takers = FAMILIES
            .iter()
            .filter(|(.., contract)| (contract.recognise)(signature, true).is_some());
        takers.map(|(_, name, _)| *name).collect::<Vec<_>>()
    };
    if let Some((.., contract)) = FAMILIES.iter().find(|(family, ..)| *family == wanted) {
        let near = nearest(signature, |changed| Some(find(changed, true)?.name));
        let difference = near.map(|(_, difference)| format!("; the one difference: {difference}"));
        let expected = contract.expected;
        return Err(format!(
            "the signature of a pose model: {expected}{}",
            difference.unwrap_or_default()
        ));
    }
    let words = |family: &str| {
        let found = FAMILIES.iter().find(|(_, name, _)| *name == family);
        found.map_or("", |(.., contract)| contract.expected)
    };
    Err(match takes(signature).as_slice() {
        [] => match nearest(signature, |changed| takes(changed).first().copied()) {
            Some((family, difference)) => format!(
                "the signature of a pose model; the nearest family is {family}: {}; the difference: {difference}",
                words(family)
            ),
            None => {
                let names: Vec<_> = FAMILIES.iter().map(|(_, name, _)| *name).collect();
                format!(
                    "the signature of a pose model of one of the families {}, and none is near",
                    names.join(", ")
                )
            }
        },
        families => format!(
            "the signature of a pose model of one family alone. This one is taken where pose-family names it: {}",
            families.join(" or ")
        ),
    })
}

// SPDX-License-Identifier: MPL-2.0
//! The families of pose models: the trait that each implements in a file of its own, and the table of all of them.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::geometry::CropMode;
use super::super::onnx::nearest::nearest;
use super::super::onnx::signature::MAX_CROP_SIDE;
use super::super::onnx::{Outputs, Signature};
use super::{InputContract, fsanet, hopenet, sixdrepnet, tddfa, triple, turnnet, whenet};

/// A family as recognised in the signature of one model.
pub(super) trait Family: std::fmt::Debug + Send + Sync {
    fn input(&self) -> InputContract;

    /// How much around a head the networks of this family were made to see.
    fn crop_mode(&self) -> CropMode {
        CropMode::Upstream
    }

    /// Appends the angles of the first `crops` crops, fewer if the network answered fewer.
    fn decode(
        &self,
        outputs: &Outputs<'_>,
        crops: usize,
        angles: &mut Vec<Angles>,
    ) -> Result<(), Error>;

    /// Appends the standard deviations, in degrees, that the network states for the first `crops` crops.
    fn uncertainties(
        &self,
        _outputs: &Outputs<'_>,
        _crops: usize,
        _uncertainties: &mut Vec<f32>,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// What the signature leaves open, and how it was taken.
    fn doubt(&self) -> Option<String> {
        None
    }

    /// Columns of yaw, pitch and roll in an output of DMHead's kind.
    fn columns(&self) -> Option<[usize; 3]> {
        None
    }
}

/// How a family is recognised.
pub(super) struct Contract {
    /// The signature, in words.
    pub expected: &'static str,
    /// `named`: the property names this family. Where it does not, a family whose signature is that of another
    /// one declines.
    pub recognise: fn(&Signature, named: bool) -> Option<Box<dyn Family>>,
}

/// The table: variant, contract, nick of the property `pose-family`, and what gst-inspect-1.0 says. `auto` takes
/// the first that recognises the signature.
macro_rules! pose_families {
    ($define:ident) => {
        $define! {
            TurnNet, turnnet::CONTRACT, "turnnet", "TurnNet: every side, with an uncertainty";
            DmHead, triple::CONTRACT, "dmhead", "Three angles a head: DMHead, converted WHENet";
            WheNet, whenet::CONTRACT, "whenet", "Bins of WHENet as trained";
            SixDRepNet, sixdrepnet::CONTRACT, "6drepnet",
                "6DRepNet, 6DRepNet360: matrix, 6D or named angles (auto: not 6D)";
            FsaNet, fsanet::CONTRACT, "fsanet", "FSA-Net, 64x64";
            Tddfa, tddfa::CONTRACT, "3ddfa",
                "3DDFA_V2, SynergyNet: 62 standardised parameters (auto: named so)";
            TddfaDenormalised, tddfa::DENORMALISED, "3ddfa-denormalised",
                "62 parameters with mean and deviation given back (auto: named so)";
            Hopenet, hopenet::CONTRACT, "hopenet", "Hopenet: three outputs of 66 bins";
        }
    };
}
pub(crate) use pose_families;

macro_rules! define {
    ($($variant:ident, $contract:path, $name:literal, $summary:literal;)*) => {
        /// Which output contract a pose model keeps.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum PoseFamily {
            /// Recognised by the graph's signature, where it is one of a kind.
            #[default]
            Auto,
            $(#[doc = $summary] $variant,)*
        }

        const FAMILIES: &[(PoseFamily, &str, Contract)] =
            &[$((PoseFamily::$variant, $name, $contract),)*];
    };
}
pose_families!(define);

/// The family of one model.
#[derive(Debug)]
pub(super) struct Recognised {
    /// As the property `pose-family` spells it.
    pub name: &'static str,
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
            let family = (contract.recognise)(signature, named)?;
            let doubt = family.doubt().filter(|_| !named);
            Some(Recognised {
                name,
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

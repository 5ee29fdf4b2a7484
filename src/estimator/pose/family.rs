// SPDX-License-Identifier: MPL-2.0
//! The families of pose models: the trait that each implements in a file of its own, and the table of all of them.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::geometry::CropMode;
use super::super::runtime::{Outputs, Signature};
use super::{InputContract, fsanet, sixdrepnet, tddfa, triple, whenet};

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
            DmHead, triple::CONTRACT, "dmhead", "Three angles a head: DMHead, converted WHENet";
            WheNet, whenet::CONTRACT, "whenet", "Bins of WHENet as trained";
            SixDRepNet, sixdrepnet::CONTRACT, "6drepnet",
                "6DRepNet, 6DRepNet360: matrix, 6D or named angles (auto: matrix only)";
            FsaNet, fsanet::CONTRACT, "fsanet", "FSA-Net, 64x64";
            Tddfa, tddfa::CONTRACT, "3ddfa",
                "3DDFA_V2, SynergyNet: 62 standardised parameters (auto: named so)";
            TddfaDenormalised, tddfa::DENORMALISED, "3ddfa-denormalised",
                "62 parameters with mean and deviation given back (auto: named so)";
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
}

/// Finds the family of a signature.
///
/// # Errors
/// The signatures that were expected.
pub(super) fn recognise(signature: &Signature, wanted: PoseFamily) -> Result<Recognised, String> {
    let candidates = || {
        FAMILIES
            .iter()
            .filter(|(family, ..)| [*family, PoseFamily::Auto].contains(&wanted))
    };
    let named = wanted != PoseFamily::Auto;
    let found = candidates().find_map(|(_, name, contract)| {
        let family = (contract.recognise)(signature, named)?;
        Some(Recognised { name, family })
    });
    found.ok_or_else(|| {
        // Two contracts of one file share their words.
        let mut expected: Vec<_> = candidates().map(|(.., c)| c.expected).collect();
        expected.dedup();
        let expected = expected.join(" or ");
        match named {
            true => format!("the signature of a pose model: {expected}"),
            false => format!(
                "the signature of a pose model, one of: {expected}; some of them only where pose-family names it"
            ),
        }
    })
}

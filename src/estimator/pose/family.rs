// SPDX-License-Identifier: MPL-2.0
//! Which family a pose model is of, and what its contract says: the one place that knows all of them.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::runtime::{Outputs, Signature};
use super::{InputContract, fsanet, sixdrepnet, tddfa, triple, whenet};

/// Which output contract a pose model keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoseFamily {
    /// Recognised by the graph's signature, where it is one of a kind.
    #[default]
    Auto,
    /// Three angles in degrees, pre- and post-processing inside: DMHead, WHENet as `make models` converts it.
    DmHead,
    /// WHENet as trained, with bins.
    WheNet,
    /// 6DRepNet and 6DRepNet360, input normalised as for ImageNet.
    SixDRepNet,
    /// FSA-Net, 64x64.
    FsaNet,
    /// 62 standardised parameters: 3DDFA_V2 and SynergyNet as trained.
    Tddfa,
    /// 62 parameters that the graph has given their mean and deviation back.
    TddfaDenormalised,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Family {
    Triple(triple::Triple),
    WheNet(whenet::WheNet),
    SixDRepNet(sixdrepnet::SixDRepNet),
    FsaNet(fsanet::FsaNet),
    Tddfa(tddfa::Tddfa),
}

impl Family {
    pub fn recognise(signature: &Signature, wanted: PoseFamily) -> Option<Self> {
        let dmhead = || triple::Triple::recognise(signature).map(Self::Triple);
        let whenet = || whenet::WheNet::recognise(signature).map(Self::WheNet);
        let sixdrepnet = |found: Option<_>| found.map(Self::SixDRepNet);
        let fsanet = |found: Option<_>| found.map(Self::FsaNet);
        let tddfa = |raw| tddfa::Tddfa::recognise(signature, raw).map(Self::Tddfa);
        match wanted {
            PoseFamily::Auto => fsanet(fsanet::FsaNet::recognise(signature))
                .or_else(dmhead)
                .or_else(whenet)
                .or_else(|| sixdrepnet(sixdrepnet::SixDRepNet::recognise(signature))),
            PoseFamily::DmHead => dmhead(),
            PoseFamily::WheNet => whenet(),
            PoseFamily::SixDRepNet => sixdrepnet(sixdrepnet::SixDRepNet::recognise_any(signature)),
            PoseFamily::FsaNet => fsanet(fsanet::FsaNet::recognise_any(signature)),
            PoseFamily::Tddfa => tddfa(true),
            PoseFamily::TddfaDenormalised => tddfa(false),
        }
    }

    pub fn expected(wanted: PoseFamily) -> String {
        let one = match wanted {
            PoseFamily::Auto => {
                return format!(
                    "the signature of a pose model, one of: {} or {} or {} or {}; or, where \
                     pose-family names it (6drepnet, 3ddfa, 3ddfa-denormalised), {} or {}",
                    triple::EXPECTED,
                    whenet::EXPECTED,
                    sixdrepnet::EXPECTED,
                    fsanet::EXPECTED,
                    sixdrepnet::EXPECTED_ALL,
                    tddfa::EXPECTED,
                );
            }
            PoseFamily::DmHead => triple::EXPECTED,
            PoseFamily::WheNet => whenet::EXPECTED,
            PoseFamily::SixDRepNet => sixdrepnet::EXPECTED_ALL,
            PoseFamily::FsaNet => fsanet::EXPECTED,
            PoseFamily::Tddfa | PoseFamily::TddfaDenormalised => tddfa::EXPECTED,
        };
        format!("the signature of a pose model: {one}")
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Triple(_) => "dmhead",
            Self::WheNet(_) => "whenet",
            Self::SixDRepNet(_) => "6drepnet",
            Self::FsaNet(_) => "fsanet",
            Self::Tddfa(family) => family.name(),
        }
    }

    pub fn input(&self) -> InputContract {
        match self {
            Self::Triple(family) => family.input(),
            Self::WheNet(family) => family.input(),
            Self::SixDRepNet(family) => family.input(),
            Self::FsaNet(family) => family.input(),
            Self::Tddfa(family) => family.input(),
        }
    }

    /// Appends the angles of the first `crops` crops, fewer if the network answered fewer.
    pub fn decode(
        &self,
        outputs: &Outputs<'_>,
        crops: usize,
        angles: &mut Vec<Angles>,
    ) -> Result<(), Error> {
        match self {
            Self::Triple(family) => family.decode(outputs, crops, angles),
            Self::WheNet(family) => family.decode(outputs, crops, angles),
            Self::SixDRepNet(family) => family.decode(outputs, crops, angles),
            Self::FsaNet(family) => family.decode(outputs, crops, angles),
            Self::Tddfa(family) => family.decode(outputs, crops, angles),
        }
    }
}

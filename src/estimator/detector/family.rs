// SPDX-License-Identifier: MPL-2.0
//! The families of detectors: the trait that each implements in a file of its own, and the table of all of them.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::runtime::{Outputs, Signature};
use super::{
    DecodeSettings, Detection, InputContract, centerface, headnet, post, rows, yolov8, yolox, yunet,
};

/// A family as recognised in the signature of one model.
pub(super) trait Family: std::fmt::Debug + Send + Sync {
    fn input(&self) -> InputContract;

    /// Appends the boxes in pixels of the network's input.
    fn decode(
        &self,
        outputs: &Outputs<'_>,
        settings: &DecodeSettings,
        boxes: &mut Vec<Detection>,
    ) -> Result<(), Error>;

    /// The head that a detected box stands for.
    fn head(&self, rect: Rect) -> Rect {
        rect
    }
}

/// How a family is recognised, and what it is by default.
pub(super) struct Contract {
    /// The signature, in words.
    pub expected: &'static str,
    /// Boxes must score above it.
    pub score_threshold: f32,
    /// `named`: the property names this family. Where it does not, a family whose signature is that of another
    /// one declines.
    pub recognise: fn(&Signature, named: bool) -> Option<Box<dyn Family>>,
}

/// The table: variant, contract, nick of the property `detector-family`, and what gst-inspect-1.0 says. `auto`
/// takes the first that recognises the signature.
macro_rules! detector_families {
    ($define:ident) => {
        $define! {
            Post, post::CONTRACT, "post", "Scores and boxes: YOLOv4, YOLOv7-tiny of DMHead";
            Rows, rows::CONTRACT, "rows", "Rows of 7, NMS inside: YOLOX, Gold-YOLO body-head-hand";
            HeadNet, headnet::CONTRACT, "headnet", "HeadNet, this project's head detector";
            YuNet, yunet::CONTRACT, "yunet", "YuNet faces, grown to heads";
            CenterFace, centerface::CONTRACT, "centerface", "CenterFace faces, grown to heads";
            Yolox, yolox::CONTRACT, "yolox", "YOLOX as exported by default: cells";
            YoloxDecoded, yolox::DECODED, "yolox-decoded",
                "YOLOX exported with its decoding: pixels (auto takes it for yolox)";
            Yolov8, yolov8::CONTRACT, "yolov8", "YOLOv8, v9, v11 without NMS";
        }
    };
}
pub(crate) use detector_families;

macro_rules! define {
    ($($variant:ident, $contract:path, $name:literal, $summary:literal;)*) => {
        /// Which output contract a detector keeps.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum DetectorFamily {
            /// Recognised by the graph's signature.
            #[default]
            Auto,
            $(#[doc = $summary] $variant,)*
        }

        const FAMILIES: &[(DetectorFamily, &str, Contract)] =
            &[$((DetectorFamily::$variant, $name, $contract),)*];
    };
}
detector_families!(define);

/// The family of one model.
#[derive(Debug)]
pub(super) struct Recognised {
    /// As the property `detector-family` spells it.
    pub name: &'static str,
    /// Boxes must score above it by default.
    pub score_threshold: f32,
    pub family: Box<dyn Family>,
}

/// Finds the family of a signature.
///
/// # Errors
/// The signatures that were expected.
pub(super) fn recognise(
    signature: &Signature,
    wanted: DetectorFamily,
) -> Result<Recognised, String> {
    let candidates = || {
        FAMILIES
            .iter()
            .filter(|(family, ..)| [*family, DetectorFamily::Auto].contains(&wanted))
    };
    let named = wanted != DetectorFamily::Auto;
    let found = candidates().find_map(|(_, name, contract)| {
        Some(Recognised {
            name,
            score_threshold: contract.score_threshold,
            family: (contract.recognise)(signature, named)?,
        })
    });
    found.ok_or_else(|| {
        let expected: Vec<_> = candidates().map(|(.., c)| c.expected).collect();
        let expected = expected.join(" or ");
        match named {
            true => expected,
            false => format!("the signature of a detector, one of: {expected}"),
        }
    })
}

/// The default score threshold of each family, as in `post 0.2, rows 0.35`.
pub(crate) fn score_thresholds() -> String {
    let listed = FAMILIES
        .iter()
        .map(|(_, name, contract)| format!("{name} {}", contract.score_threshold));
    listed.collect::<Vec<_>>().join(", ")
}

// SPDX-License-Identifier: MPL-2.0
//! The families of detectors: the trait that each implements in a file of its own, and the table of all of them.

use super::super::error::Error;
use super::super::geometry::Rect;
use super::super::onnx::nearest::nearest;
use super::super::onnx::signature::MAX_FRAME_SIDE;
use super::super::onnx::{Outputs, Signature};
use super::{
    DecodeSettings, Detection, InputContract, centerface, deim, end2end, headnet, post, rows,
    yolov5, yolov8, yolox, yunet,
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
    ) -> Result<Others, Error>;

    /// The class that counts as head where nothing names it; `None` where there is but one, or any will do.
    fn assumed_class(&self) -> Option<Assumed> {
        None
    }

    /// What the signature leaves open, and how it was taken.
    fn doubt(&self) -> Option<String> {
        None
    }

    /// Looks at the first answer, for what the signature left open. The family's name, if it is another one.
    fn settle(&mut self, _outputs: &Outputs<'_>) -> Result<Option<&'static str>, Error> {
        Ok(None)
    }

    /// The head that a detected box stands for.
    fn head(&self, rect: Rect) -> Rect {
        rect
    }
}

/// The class that is assumed to be heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assumed {
    pub class: u32,
    /// It is so in the family's published files.
    pub published: bool,
}

/// What a frame has beside heads: the class of the best-scored row of another one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Others {
    pub best: Option<(f32, f32)>,
}

impl Others {
    pub fn add(&mut self, class: f32, score: f32) {
        if self.best.is_none_or(|(_, best)| score > best) {
            self.best = Some((class, score));
        }
    }
}

/// How a family is recognised, and what it is by default.
pub(super) struct Contract {
    /// The signature, in words.
    pub expected: &'static str,
    /// Boxes must score above it.
    pub score_threshold: f32,
    /// Boxes of one head are suppressed here, not in the graph.
    pub uses_nms_iou: bool,
    /// The longer side of the input, in pixels, where the graph may leave its size open.
    pub open_size: Option<u32>,
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
                "YOLOX exported with its decoding: pixels";
            Yolov8, yolov8::CONTRACT, "yolov8", "YOLOv8, v9, v11 without NMS";
            Yolov5, yolov5::CONTRACT, "yolov5", "YOLOv5, v6, v7 without NMS, decoded";
            End2End, end2end::CONTRACT, "end2end", "YOLO with NMS: v7 end2end, v10, num_dets";
            Deim, deim::CONTRACT, "deim", "DEIM, RT-DETRv2 of the PINTO model zoo: queries";
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
    /// Longer side of the input by default, where the model leaves its size open.
    pub open_size: u32,
    pub family: Box<dyn Family>,
    /// What is not sure.
    pub doubt: Option<String>,
}

/// Finds the family of a signature.
///
/// # Errors
/// The signature that was expected, and what stands between.
pub(super) fn recognise(
    signature: &Signature,
    wanted: DetectorFamily,
) -> Result<Recognised, String> {
    signature.check_size(MAX_FRAME_SIDE)?;
    let named = wanted != DetectorFamily::Auto;
    let find = |signature: &Signature, named: bool| {
        let mut candidates = FAMILIES
            .iter()
            .filter(|(family, ..)| !named || *family == wanted);
        candidates.find_map(|(_, name, contract)| {
            let family = (contract.recognise)(signature, named)?;
            Some(Recognised {
                name,
                score_threshold: contract.score_threshold,
                open_size: contract.open_size.unwrap_or(640),
                doubt: family.doubt().filter(|_| !named),
                family,
            })
        })
    };
    if let Some(found) = find(signature, named) {
        return Ok(found);
    }
    let near = nearest(signature, |changed| Some(find(changed, named)?.name));
    let words = |family: &str| {
        let found = FAMILIES.iter().find(|(_, name, _)| *name == family);
        found.map_or("", |(.., contract)| contract.expected)
    };
    let wanted = FAMILIES.iter().find(|(family, ..)| *family == wanted);
    Err(match (wanted, near) {
        (Some((.., contract)), Some((_, difference))) => {
            format!("{}; the one difference: {difference}", contract.expected)
        }
        (Some((.., contract)), None) => contract.expected.into(),
        (None, Some((family, difference))) => format!(
            "the signature of a detector; the nearest family is {family}: {}; the difference: {difference}",
            words(family)
        ),
        (None, None) => {
            let families = names(|_| true);
            format!(
                "the signature of a detector of one of the families {families}, and none is near"
            )
        }
    })
}

/// The families that use the setting of the overlap.
pub(crate) fn using_nms_iou() -> String {
    names(|contract| contract.uses_nms_iou)
}

/// The default size of each family whose files may leave the size of their input open, as in `yunet 640`.
pub(crate) fn open_sizes() -> String {
    let listed = FAMILIES
        .iter()
        .filter_map(|(_, name, contract)| Some(format!("{name} {}", contract.open_size?)));
    listed.collect::<Vec<_>>().join(", ")
}

fn names(chosen: impl Fn(&Contract) -> bool) -> String {
    let chosen = FAMILIES.iter().filter(|(.., contract)| chosen(contract));
    let names: Vec<_> = chosen.map(|(_, name, _)| *name).collect();
    names.join(", ")
}

/// The default score threshold of each family, as in `post 0.2, rows 0.35`.
pub(crate) fn score_thresholds() -> String {
    let listed = FAMILIES
        .iter()
        .map(|(_, name, contract)| format!("{name} {}", contract.score_threshold));
    listed.collect::<Vec<_>>().join(", ")
}

// SPDX-License-Identifier: MPL-2.0
//! The table of all families of detectors, and which of them a model belongs to.

use super::super::choices::families;
use super::super::onnx::Signature;
use super::super::onnx::nearest::nearest;
use super::super::onnx::signature::MAX_FRAME_SIDE;
use super::family::{Contract, Family, InputContract};

/// The table: variant, nick of the property `detector-family`, what gst-inspect-1.0 says, and contract. `auto`
/// takes the first that recognises the signature.
macro_rules! detector_families {
    ($define:ident $($head:tt)*) => {
        $define! {
            $($head)*
            Post, "post", "Scores and boxes: YOLOv4, YOLOv7-tiny of DMHead", super::post::CONTRACT;
            Rows, "rows", "Rows of 7, NMS inside: YOLOX, Gold-YOLO body-head-hand", super::rows::CONTRACT;
            HeadNet, "headnet", "HeadNet, this project's head detector", super::headnet::CONTRACT;
            YuNet, "yunet", "YuNet faces, grown to heads", super::yunet::CONTRACT;
            CenterFace, "centerface", "CenterFace faces, grown to heads", super::centerface::CONTRACT;
            Yolox, "yolox", "YOLOX as exported by default: cells", super::yolox::CONTRACT;
            YoloxDecoded, "yolox-decoded",
                "YOLOX exported with its decoding: pixels", super::yolox::DECODED;
            Yolov8, "yolov8", "YOLOv8, v9, v11 without NMS", super::yolov8::CONTRACT;
            Yolov5, "yolov5", "YOLOv5, v6, v7 without NMS, decoded", super::yolov5::CONTRACT;
            End2End, "end2end", "YOLO with NMS: v7 end2end, v10, num_dets", super::end2end::CONTRACT;
            Deim, "deim", "DEIM, RT-DETRv2 of the PINTO model zoo: queries", super::deim::CONTRACT;
        }
    };
}
pub(crate) use detector_families;

detector_families! {
    families
    /// Which output contract a detector keeps.
    pub enum DetectorFamily of Contract:
}

/// The family of one model.
#[derive(Debug)]
pub(super) struct Recognised {
    /// As the property `detector-family` spells it.
    pub name: &'static str,
    pub contract: &'static Contract,
    pub input: InputContract,
    pub family: Box<dyn Family>,
    /// What the signature leaves open.
    pub doubt: Option<String>,
}

/// Finds the family of a signature.
///
/// # Errors
/// The signature that was expected, and the difference.
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
            let (input, family) = (contract.recognise)(signature, named)?;
            Some(Recognised {
                name,
                contract,
                input,
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

/// The families that use `nms-iou`.
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

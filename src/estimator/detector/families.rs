// SPDX-License-Identifier: MPL-2.0
//! The table of all families of detectors, and which of them a model belongs to.

use super::super::choices::families;
use super::super::onnx::Signature;
use super::super::onnx::nearest::{nearest, no_family, with_difference};
use super::super::onnx::signature::MAX_FRAME_SIDE;
use super::family::{Contract, Family, InputContract, Overlaps};

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

/// What the signature of a detector says, without running it.
#[derive(Debug)]
pub struct Recognised {
    /// As the property `detector-family` spells it.
    pub name: &'static str,
    pub input: InputContract,
    pub(super) contract: &'static Contract,
    pub(super) family: Box<dyn Family>,
    /// What the signature leaves open.
    pub(super) doubt: Option<String>,
}

impl Recognised {
    /// The family's score threshold, used where the settings have none.
    pub fn score_threshold(&self) -> f32 {
        self.contract.score_threshold
    }
}

/// Finds the family of a signature.
///
/// # Errors
/// The signature that was expected, and the difference.
pub fn recognise(signature: &Signature, wanted: DetectorFamily) -> Result<Recognised, String> {
    signature.check_size(MAX_FRAME_SIDE)?;
    let named = wanted != DetectorFamily::Auto;
    let is_candidate = |family: DetectorFamily| !named || family == wanted;
    let find = |signature: &Signature| {
        let mut candidates = FAMILIES.iter().filter(|row| is_candidate(row.0));
        candidates.find_map(|(_, name, contract)| {
            let (input, family) = (contract.recognise)(signature, named)?;
            Some(Recognised {
                name,
                input,
                contract,
                doubt: family.doubt().filter(|_| !named),
                family,
            })
        })
    };
    if let Some(found) = find(signature) {
        return Ok(found);
    }
    let near = nearest(signature, |changed| Some(find(changed)?.name));
    let wanted = FAMILIES.iter().find(|(family, ..)| *family == wanted);
    Err(match wanted {
        Some((.., contract)) => with_difference(contract.expected, near),
        None => {
            let families = FAMILIES.iter();
            let families = families.map(|(_, name, contract)| (*name, contract.expected));
            no_family("a detector", near, families)
        }
    })
}

/// What `describe` says of each family, in a list.
fn listed(describe: impl Fn(&str, &Contract) -> Option<String>) -> String {
    let families = FAMILIES.iter();
    let described = families.filter_map(|(_, name, contract)| describe(name, contract));
    described.collect::<Vec<_>>().join(", ")
}

/// The families that use `nms-iou`.
pub(crate) fn using_nms_iou() -> String {
    listed(|name, contract| (contract.overlaps != Overlaps::InGraph).then(|| name.into()))
}

/// The default size of each family whose files may leave the size of their input open, as in `yunet 640`.
pub(crate) fn open_sizes() -> String {
    listed(|name, contract| Some(format!("{name} {}", contract.open_size?)))
}

/// The default score threshold of each family, as in `post 0.2, rows 0.35`.
pub(crate) fn score_thresholds() -> String {
    listed(|name, contract| Some(format!("{name} {}", contract.score_threshold)))
}

#[cfg(test)]
mod tests {
    use super::super::super::onnx::signature::tests::signature;
    use super::DetectorFamily::{Auto, Rows, Yolov5, Yolov8, Yolox};
    use super::*;

    /// 42 cells of the strides 8, 16 and 32 in 32x64 pixels.
    #[test]
    fn signatures_tell_families_apart() {
        for (wanted, text, family) in [
            (Rows, "i[1,3,256,320] -> o[20,7]", "rows"),
            (Rows, "i[1,256,320,3] -> o[?,7]", "rows"),
            (Rows, "i[1,3,256,320] -> o[?,6]", ""),
            (Rows, "i[1,3,256,320] -> o[?,8]", ""),
            (Rows, "i[1,3,256,320] -> o[1,?,7]", ""),
            (Rows, "i[1,3,?,?] -> o[?,7]", ""),
            (Rows, "i[2,3,256,320] -> o[?,7]", ""),
            (Yolov8, "i[1,3,640,640] -> o[1,84,8400]", "yolov8"),
            (Yolov8, "i[?,3,?,?] -> o[?,5,?]", "yolov8"),
            (Yolov8, "i[1,32,64,3] -> o[1,5,42]", "yolov8"),
            (Yolov8, "i[1,3,32,64] -> o[1,4,42]", ""), // no class
            (Yolov8, "i[1,3,32,64] -> o[1,6,41]", ""),
            (Yolov8, "i[1,3,32,64] -> o[1,42,6]", ""), // YOLOX
            (Yolov8, "i[1,3,32,64] -> o[1,300,6]", ""), // YOLOv10, NMS inside
            (Yolov8, "i[1,3,32,64] -> o[1,?,42]", ""),
            (Yolov8, "i[1,3,48,64] -> o[1,6,66]", ""),
            (Yolov8, "i[1,3,?,?] -> o[1,6,42]", ""),
            (Yolox, "i[1,3,32,64] -> o[1,?,6]", "yolox"),
            (Yolox, "i[?,3,?,?] -> o[?,?,85]", "yolox"),
            (Yolox, "i[1,32,64,3] -> o[1,42,6]", "yolox"),
            (Yolox, "i[1,3,32,64] -> o[1,42,5]", ""), // no class
            (Yolox, "i[1,3,32,64] -> o[1,126,6]", ""), // three anchors a cell: YOLOv5
            (Yolox, "i[1,3,32,64] -> o[1,6,42]", ""), // YOLOv8
            (Yolox, "i[1,3,32,64] -> o[42,6]", ""),
            (Yolox, "i[1,3,32,64] -> o[2,42,6]", ""),
            (Yolox, "i[1,3,32,64] -> o[1,42,?]", ""),
            (Yolox, "i[1,3,48,64] -> o[1,66,6]", ""), // no multiple of 32
            (Yolox, "i[1,3,?,?] -> o[1,42,6]", ""),   // cells fixed, input open
            (Yolox, "i[1,1,32,64] -> o[1,42,6]", ""),
            (Yolox, "i[2,3,32,64] -> o[1,42,6]", ""),
            (Auto, "i[1,3,32,64] -> output[1,126,6]", "yolov5"),
            (Auto, "i[1,3,32,64] -> outputs[1,42,6]", "yolov5"),
            (Auto, "i[1,3,32,64] -> output[1,42,6]", "yolox"),
            (Yolov5, "i[1,3,32,64] -> output[1,42,6]", "yolov5"),
            (Auto, "i[1,32,64,3] -> output0[1,126,85]", "yolov5"),
            (Auto, "i[?,3,?,?] -> output0[1,?,85]", "yolov5"),
            (Auto, "i[?,3,?,?] -> output[1,?,85]", "yolox"),
            (Yolov5, "i[?,3,?,?] -> output[1,?,85]", "yolov5"),
            (Auto, "i[1,3,32,64] -> output0[1,6,42]", "yolov8"),
            (Auto, "i[1,3,32,64] -> output0[1,126,5]", ""),
            (Auto, "i[1,3,32,64] -> output0[1,300,6]", "end2end"),
            (Auto, "i[1,3,?,64] -> output0[1,126,6]", ""),
        ] {
            let found = recognise(&signature(text), wanted);
            let found = found.map_or("", |found| found.name);
            assert_eq!(found, family, "{wanted:?} {text}");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The families of models by the names that the element's properties use.

use gstdmheadpose::estimator::detector::DetectorFamily;
use gstdmheadpose::estimator::pose::PoseFamily;

const DETECTORS: [(&str, DetectorFamily); 8] = [
    ("auto", DetectorFamily::Auto),
    ("post", DetectorFamily::Post),
    ("rows", DetectorFamily::Rows),
    ("yunet", DetectorFamily::YuNet),
    ("centerface", DetectorFamily::CenterFace),
    ("yolox", DetectorFamily::Yolox),
    ("yolox-decoded", DetectorFamily::YoloxDecoded),
    ("yolov8", DetectorFamily::Yolov8),
];

const POSES: [(&str, PoseFamily); 7] = [
    ("auto", PoseFamily::Auto),
    ("dmhead", PoseFamily::DmHead),
    ("whenet", PoseFamily::WheNet),
    ("6drepnet", PoseFamily::SixDRepNet),
    ("fsanet", PoseFamily::FsaNet),
    ("3ddfa", PoseFamily::Tddfa),
    ("3ddfa-denormalised", PoseFamily::TddfaDenormalised),
];

/// The detector family of this name.
///
/// # Errors
/// Which names there are.
pub fn detector(name: &str) -> Result<DetectorFamily, String> {
    named(name, &DETECTORS)
}

/// The pose family of this name.
///
/// # Errors
/// Which names there are.
pub fn pose(name: &str) -> Result<PoseFamily, String> {
    named(name, &POSES)
}

fn named<T: Copy>(name: &str, families: &[(&str, T)]) -> Result<T, String> {
    let family = families.iter().find(|(have, _)| *have == name);
    family.map(|(_, family)| *family).ok_or_else(|| {
        let names: Vec<_> = families.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

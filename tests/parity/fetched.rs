// SPDX-License-Identifier: MPL-2.0
//! Parity on the fetched pictures with the fetched models: `tests/reference/opencv_reference.json`.

use std::collections::BTreeMap;

use gstdmheadpose::estimator::HeadPoseEstimator;
use gstdmheadpose::estimator::angles::Angles;
use serde::Deserialize;

use crate::changes;
use crate::common::{fetched, in_repository, load, read_json, sha256};
use crate::estimate::{Picture, SETTINGS, check_angles, estimate};

pub const WHENET: &str = "models/whenet_Nx3x224x224_prepost.onnx";
pub const YUNET: &str = "models/face_detection_yunet_2023mar_dynamic.onnx";
const CENTERFACE: &str = "models/centerface_dynamic.onnx";

/// Angles may differ by this many degrees; versions of ONNX Runtime differ by less.
const ANGLE_DEGREES: f32 = 0.05;
/// Crops of YUV frames may differ by this many levels on average. Reading BT.601 as BT.709 gives 1.6.
const CROP_LEVELS: f64 = 1.0;
/// Scores may differ by this much.
const SCORE: f32 = 1e-3;

#[derive(Deserialize)]
struct Reference {
    models_sha256: BTreeMap<String, String>,
    pictures: BTreeMap<String, ReferencePicture>,
}

#[derive(Deserialize)]
struct ReferencePicture {
    sha256: String,
    heads: BTreeMap<String, Vec<ReferenceHead>>,
}

#[derive(Deserialize)]
struct ReferenceHead {
    score: f32,
    r#box: [f32; 4],
    crop: [u32; 4],
    crop_sha256: String,
    yaw: f32,
    roll: f32,
    pitch: f32,
}

fn reference() -> Reference {
    read_json(&in_repository("tests/reference/opencv_reference.json"))
}

/// The estimator with a fetched detector and WHENet, which must be the files of the reference.
fn load_fetched(detector: &str) -> HeadPoseEstimator {
    let reference = reference();
    for model in [detector, WHENET] {
        let path = fetched(model);
        let name = path.file_name().unwrap().to_str().unwrap();
        let found = sha256(&std::fs::read(&path).unwrap());
        assert_eq!(found, reference.models_sha256[name], "SHA-256 of {model}");
    }
    load(&fetched(detector), &fetched(WHENET), None)
}

pub fn picture(name: &str) -> Picture {
    Picture::open(&fetched(&format!(".setup/pictures/{name}")))
}

fn check_bgr(estimator: &mut HeadPoseEstimator, key: &str) {
    let (mut heads, mut most) = (0, 0.0f32);
    for (name, reference) in &reference().pictures {
        let file = std::fs::read(fetched(&format!(".setup/pictures/{name}"))).unwrap();
        assert_eq!(sha256(&file), reference.sha256, "SHA-256 of {name}");
        let found = estimate(estimator, &picture(name).view(), &SETTINGS);
        let expected = &reference.heads[key];
        assert_eq!(found.len(), expected.len(), "{name}: heads");
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            let what = format!("{key} {name} head {index}");
            assert_eq!(found.corners(), expected.r#box, "{what}: box");
            assert_eq!(found.crop_corners(), expected.crop, "{what}: crop");
            let pixels = sha256(&found.pixels);
            assert_eq!(pixels, expected.crop_sha256, "{what}: pixels");
            let score = (found.head.score - expected.score).abs();
            assert!(score <= SCORE, "{what}: score off by {score}");
            let angles = Angles::new(expected.yaw, expected.pitch, expected.roll);
            let off = check_angles(found.head.angles, angles, ANGLE_DEGREES, &what);
            most = most.max(off);
            heads += 1;
        }
    }
    assert!(heads >= 7, "only {heads} heads compared");
    println!("{key}: {heads} heads equal, angles within {most:.4} degrees");
}

fn check(detector: &str, key: &str) {
    let mut estimator = load_fetched(detector);
    check_bgr(&mut estimator, key);
    let names = reference().pictures.into_keys();
    let pictures: Vec<_> = names.map(|name| (name.clone(), picture(&name))).collect();
    changes::check(key, &mut estimator, &SETTINGS, &pictures, CROP_LEVELS);
}

#[test]
fn yunet_equals_opencv_and_finds_the_same_in_yuv() {
    check(YUNET, "yunet");
}

#[test]
fn centerface_equals_opencv_and_finds_the_same_in_yuv() {
    check(CENTERFACE, "centerface");
}

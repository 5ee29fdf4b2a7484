// SPDX-License-Identifier: MPL-2.0
//! Parity with a larger reference in your own folder: more pictures, a 360-degree head detector, and
//! front and fused pose models, which may not be redistributable.
//!
//! ```text
//! DMHEADPOSE_REFERENCE=/path/to/folder cargo test --release --test parity -- --include-ignored --nocapture
//! ```
//!
//! The folder:
//!
//! ```text
//! models/*.onnx           the models that heads.json names
//! images/*.png            the pictures that heads.json names, lossless
//! reference/heads.json
//!   meta.detector         file of the detector
//!   meta.pose             {key: file of the pose model}; `front` and `whenet` are the parts of `fused`
//!   meta.score_threshold
//!   images.<file>.heads   a list, in the detector's order, of
//!     box_raw, box        corners x0, y0, x1, y1 in frame pixels: as detected, truncated to whole pixels
//!     crop                corners after DMHead's margins, truncated to whole pixels
//!     crop_mean_rgb       means of the crop, resized to the pose model's input
//!     <key>               {yaw, pitch, roll} of each pose model, degrees
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::detector::DetectorSettings;
use gstdmheadpose::estimator::{HeadPoseEstimator, Settings};
use serde::Deserialize;

use crate::changes;
use crate::common::{load, read_json};
use crate::estimate::{Found, Picture, SETTINGS, check_angles, estimate};

const ANGLE_DEGREES: f32 = 0.05;
const MEAN_LEVELS: f64 = 1e-3;
/// Crops of YUV frames may differ by this many levels on average: small heads, strong colours.
const CROP_LEVELS: f64 = 2.0;
/// A coordinate this near to a whole number may be truncated to either side.
const ROUNDING_EDGE: f32 = 0.005;

#[derive(Deserialize)]
struct Reference {
    meta: Meta,
    images: BTreeMap<String, Image>,
}

#[derive(Deserialize)]
struct Meta {
    detector: String,
    pose: BTreeMap<String, String>,
    score_threshold: f32,
}

#[derive(Deserialize)]
struct Image {
    heads: Vec<ReferenceHead>,
}

#[derive(Deserialize)]
struct ReferenceHead {
    box_raw: [f32; 4],
    r#box: [f32; 4],
    crop: [u32; 4],
    crop_mean_rgb: [f64; 3],
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct ReferenceAngles {
    yaw: f32,
    pitch: f32,
    roll: f32,
}

impl ReferenceHead {
    fn angles(&self, key: &str) -> Angles {
        let ReferenceAngles { yaw, pitch, roll } =
            Deserialize::deserialize(&self.rest[key]).unwrap();
        Angles::new(yaw, pitch, roll)
    }

    /// Checks the box; returns whether it is the same, not one pixel off on a rounding edge.
    fn check_box(&self, found: &Found, what: &str) -> bool {
        let corners = found.corners();
        for (i, corner) in corners.into_iter().enumerate() {
            let (raw, expected) = (self.box_raw[i], self.r#box[i]);
            let on_edge = (raw - raw.round()).abs() <= ROUNDING_EDGE;
            let allowed = if on_edge { 1.0 } else { 0.0 };
            assert!(
                (corner - expected).abs() <= allowed,
                "{what}: box {corners:?}, expected {:?} of {:?}",
                self.r#box,
                self.box_raw
            );
        }
        corners == self.r#box
    }
}

struct Folder {
    root: PathBuf,
    reference: Reference,
    pictures: Vec<(String, Picture)>,
}

impl Folder {
    fn open() -> Self {
        let root = std::env::var_os("DMHEADPOSE_REFERENCE").map(PathBuf::from);
        let root = root.expect("the reference's folder in the variable DMHEADPOSE_REFERENCE");
        let reference: Reference = read_json(&root.join("reference/heads.json"));
        let open = |name: &String| {
            let picture = Picture::open(&root.join("images").join(name));
            (name.clone(), picture)
        };
        let pictures = reference.images.keys().map(open).collect();
        Self {
            root,
            reference,
            pictures,
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            detector: DetectorSettings {
                score_threshold: Some(self.reference.meta.score_threshold),
                ..SETTINGS.detector
            },
            ..SETTINGS
        }
    }

    fn file(&self, model: &str) -> PathBuf {
        self.root.join("models").join(model)
    }
}

#[test]
#[ignore = "needs a folder with a larger reference: DMHEADPOSE_REFERENCE=folder cargo test --release \
            --test parity -- --include-ignored; tests/parity/large.rs describes its contents"]
fn large_reference() {
    let folder = Folder::open();
    let settings = folder.settings();
    let Meta { detector, pose, .. } = &folder.reference.meta;
    let detector = folder.file(detector);
    for (key, file) in pose {
        let mut estimator = load(&detector, &folder.file(file), None);
        check_bgr(&folder, key, &mut estimator, &settings);
        let pictures = &folder.pictures;
        changes::check(key, &mut estimator, &settings, pictures, CROP_LEVELS);
    }
    let [front, rear, fused] = ["front", "whenet", "fused"].map(|key| folder.file(&pose[key]));
    let parts = load(&detector, &front, Some(&rear));
    check_fused(&folder, parts, load(&detector, &fused, None), &settings);
}

fn check_bgr(folder: &Folder, key: &str, estimator: &mut HeadPoseEstimator, settings: &Settings) {
    let (mut heads, mut on_edge) = (0, 0);
    for (name, picture) in &folder.pictures {
        let expected = &folder.reference.images[name].heads;
        let found = estimate(estimator, &picture.view(), settings);
        assert_eq!(found.len(), expected.len(), "{name}: heads");
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            let what = format!("{key} {name} head {index}");
            heads += 1;
            if !expected.check_box(found, &what) {
                // Another box has a different crop and different angles.
                on_edge += 1;
                continue;
            }
            assert_eq!(found.crop_corners(), expected.crop, "{what}: crop");
            for (found, expected) in found.mean_rgb().iter().zip(expected.crop_mean_rgb) {
                let off = (found - expected).abs();
                assert!(off <= MEAN_LEVELS, "{what}: {found}, not {expected}");
            }
            let angles = expected.angles(key);
            check_angles(found.head.angles, angles, ANGLE_DEGREES, &what);
        }
    }
    println!("{key}: {heads} heads, {on_edge} boxes on a rounding edge");
    assert!(heads > 0, "expected heads in the reference, found none");
    assert!(on_edge * 10 <= heads, "{on_edge} of {heads} on an edge");
}

/// A front and a rear model give what the file of both gives.
fn check_fused(
    folder: &Folder,
    mut parts: HeadPoseEstimator,
    mut fused: HeadPoseEstimator,
    settings: &Settings,
) {
    let (mut heads, mut front_runs) = (0, 0);
    for (name, picture) in &folder.pictures {
        let expected = estimate(&mut fused, &picture.view(), settings);
        let found = estimate(&mut parts, &picture.view(), settings);
        assert_eq!(found.len(), expected.len(), "{name}: heads");
        assert_eq!(fused.found().front_runs, found.len(), "{name}");
        heads += found.len();
        front_runs += parts.found().front_runs;
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let what = format!("{name} head {index}, two models and the fused one");
            let (by_two, by_one) = (found.head.angles, expected.head.angles);
            check_angles(by_two, by_one, ANGLE_DEGREES, &what);
        }
    }
    println!("front and rear: {heads} heads, the front model saw {front_runs}");
    assert!(0 < front_runs && front_runs < heads);
}

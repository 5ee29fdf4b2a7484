// SPDX-License-Identifier: MPL-2.0
//! A problem with a model arrives as exactly one error on the bus, which names the file, what was
//! expected and what was found.

use std::process::Command;

use gst::prelude::*;

use crate::common::onnx::{Answer, Graph, Kind};
use crate::common::reports::{
    FAILED, NOT_FOUND, SETTINGS, UNREADABLE, assert_only, file_of, play, scratch,
};
use crate::common::toys::{self, element, fixture};

/// An element of two toy models that work.
fn sound() -> gst::Element {
    element("rows_nhwc_32x32", "pose_Nx3x32x32")
}

/// The element must report exactly this, with all of `parts` in the text.
fn assert_reported(element: &gst::Element, domain: &str, parts: &[&str]) {
    assert_only(&play(element), domain, parts);
    let provider: Option<String> = element.property("active-provider");
    assert_eq!(provider, None, "nothing is loaded after a failure");
}

#[test]
fn no_model_at_all() {
    let folder = scratch("no-models");
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    for (named, missing) in [("pose-model", "detector"), ("detector-model", "pose")] {
        let element = sound();
        element.set_property("models-dir", folder);
        let keep = element.property::<String>(named);
        element.set_property("detector-model", None::<String>);
        element.set_property("pose-model", None::<String>);
        element.set_property(named, keep);
        let model = format!("no {missing} model");
        let parts = [&model, ".onnx", folder, "make models"];
        assert_reported(&element, NOT_FOUND, &parts);
    }
}

#[test]
fn a_missing_models_folder() {
    let element = sound();
    toys::set(&element, "models-dir=/no/such/folder detector-model=");
    let parts = ["no detector model", "/no/such/folder"];
    assert_reported(&element, NOT_FOUND, &parts);
}

/// Tries a bad file as detector and as pose model.
fn assert_either_model(path: &str, domain: &str, parts: &[&str]) {
    for role in ["detector", "pose"] {
        let element = sound();
        element.set_property(&format!("{role}-model"), path);
        let model = format!("{role} model {path}: ");
        assert_reported(&element, domain, &[&[model.as_str()], parts].concat());
    }
}

#[test]
fn a_missing_file() {
    assert_either_model("/no/such/model.onnx", NOT_FOUND, &["No such file"]);
}

#[test]
fn a_folder_instead_of_a_file() {
    let folder = scratch("folder.onnx");
    std::fs::create_dir_all(&folder).unwrap();
    assert_either_model(folder.to_str().unwrap(), NOT_FOUND, &["not a regular file"]);
}

#[test]
fn files_that_are_not_models() {
    let whole = std::fs::read(fixture("yunet")).unwrap();
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    for (name, content) in [
        ("text.onnx", &b"This is not a model.\n"[..]),
        ("pointer.onnx", pointer),
        ("empty.onnx", b""),
        ("half.onnx", &whole[..whole.len() / 2]),
        ("short.onnx", &whole[..whole.len() - 1]),
    ] {
        let path = file_of(name, content);
        assert_either_model(&path, UNREADABLE, &["expected an ONNX file", "found"]);
    }
}

#[test]
fn models_for_another_purpose() {
    for (detector, found) in [
        ("pose_Nx3x32x32", "yaw_roll_pitch float32[?,3]"),
        ("classifier", "probabilities float32[1,6]"),
        ("two_inputs", "more float32[1,3]"),
    ] {
        let element = element(detector, "pose_Nx3x32x32");
        let file = fixture(detector);
        let parts = ["expected", "signature of a detector", "found", found, &file];
        assert_reported(&element, SETTINGS, &parts);
    }
    for (model, found) in [
        ("rows_256x320", "float32[7,7]"),
        ("post_int64_480x640", "boxes int64[3,6]"),
        ("yunet", "bbox_32 float32[1,?,4]"),
        ("classifier", "probabilities float32[1,6]"),
        ("two_inputs", "more float32[1,3]"),
        ("pose_float64", "float64[?,3]"),
    ] {
        let element = element("rows_nhwc_32x32", model);
        let file = fixture(model);
        let parts = [
            "expected",
            "signature of a pose model",
            "found",
            found,
            &file,
        ];
        assert_reported(&element, SETTINGS, &parts);
    }
}

#[test]
fn a_family_that_does_not_match_the_detector() {
    let element = sound();
    element.set_property_from_str("detector-family", "yunet");
    let parts = ["expected YuNet", "rows_nhwc_32x32.onnx"];
    assert_reported(&element, SETTINGS, &parts);
    element.set_property_from_str("detector-family", "rows");
    assert!(play(&element).is_empty(), "the right family is accepted");
}

/// One model for each family that does not match it.
#[test]
fn models_of_another_family() {
    for (detector, family, expected) in [
        ("yolov8_96x128", "yolox", "expected YOLOX"),
        ("yolov8_96x128", "yolox-decoded", "expected YOLOX"),
        ("yolox_96x128", "yolov8", "expected YOLOv8"),
        ("yolox_96x128", "rows", "expected detection rows"),
        ("rows_256x320", "post", "expected scores and boxes"),
        ("yunet", "centerface", "expected CenterFace"),
    ] {
        let element = element(detector, "pose_Nx3x32x32");
        element.set_property_from_str("detector-family", family);
        assert_reported(&element, SETTINGS, &[expected, "found", detector]);
    }
    for (pose, family, expected) in [
        ("sixdrepnet_matrix", "dmhead", "three angles"),
        ("sixdrepnet_matrix", "whenet", "WHENet"),
        ("whenet_bins_Nx3x32x32", "6drepnet", "6DRepNet"),
        ("pose_Nx3x32x32", "fsanet", "FSA-Net"),
        ("pose_Nx3x32x32", "3ddfa", "3DDFA"),
        // Ambiguities of a signature are not resolved by guessing.
        ("sixdrepnet_6d", "auto", "where pose-family names it"),
        ("tddfa", "auto", "where pose-family names it"),
        ("tddfa_denormalised", "auto", "where pose-family names it"),
    ] {
        let element = element("rows_nhwc_32x32", pose);
        element.set_property_from_str("pose-family", family);
        assert_reported(&element, SETTINGS, &["expected", expected, "found", pose]);
    }
}

#[test]
fn models_that_break_their_contract() {
    // Detected in the test run at the start.
    let fails = element("fails_detector", "pose_Nx3x32x32");
    assert_reported(&fails, FAILED, &["fails_detector.onnx", "Gather"]);
    let few = element("yolox_few_cells", "pose_Nx3x32x32");
    let parts = ["yolox_few_cells.onnx", "expected 2016 values, found 792"];
    assert_reported(&few, FAILED, &parts);
    // One crop works, the two of a frame do not.
    let short = element("rows_nhwc_32x32", "pose_one_row");
    let parts = ["pose_one_row.onnx", "angles of 2 crops", "found 1"];
    assert_reported(&short, FAILED, &parts);
}

/// Opening it would wait for a writer that never comes.
#[test]
fn a_fifo_instead_of_a_file() {
    let path = scratch("fifo.onnx");
    if !path.exists() {
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
    }
    let path = path.to_str().unwrap();
    assert_either_model(path, NOT_FOUND, &["not a regular file"]);
    let element = sound();
    element.set_property("rear-model", path);
    assert_reported(&element, NOT_FOUND, &["rear model", "not a regular file"]);
}

/// Files of some hundred bytes that require more memory than there is.
#[test]
fn models_of_absurd_size() {
    let big = i64::from(i32::MAX);
    let rows: (&str, &[i64]) = ("batchno_classid_score_x1y1x2y2", &[-1, 7]);
    let angles: (&str, &[i64]) = ("yaw_roll_pitch", &[-1, 3]);
    for (role, input, (name, output)) in [
        ("detector", &[1, 3, 100_000, 100_000][..], rows),
        ("detector", &[1, 3, big, big], rows),
        ("detector", &[1, big, big, 3], rows),
        ("detector", &[1, 3, 32, big], rows),
        ("detector", &[1, 3, i64::MAX, i64::MAX], rows),
        ("pose", &[10_000_000, 3, 224, 224], angles),
        ("pose", &[i64::MAX, 3, 224, 224], angles),
        ("pose", &[-1, 3, 100_000, 100_000], angles),
        ("pose", &[1, 3, big, big], angles),
        ("pose", &[1, big, 1, 3], angles),
        ("pose", &[256, 3, 1024, 1024], angles),
    ] {
        let row = Answer::Constant(vec![0.0; output[1] as usize]);
        let path = Graph::new(&[("images", Kind::Float32, input)])
            .output((name, Kind::Float32, output), row)
            .save(&format!("absurd-{role}.onnx"));
        let element = sound();
        element.set_property(&format!("{role}-model"), &path);
        assert_reported(&element, SETTINGS, &["expected", "at most", "found"]);
    }
}

#[test]
fn the_element_works_after_errors() {
    let element = element("rows_nhwc_32x32", "classifier");
    assert_reported(&element, SETTINGS, &["classifier.onnx"]);
    element.set_property("pose-model", "/no/such/model.onnx");
    assert_reported(&element, NOT_FOUND, &["/no/such/model.onnx"]);
    element.set_property("pose-model", fixture("pose_Nx3x32x32"));
    assert!(play(&element).is_empty());
}

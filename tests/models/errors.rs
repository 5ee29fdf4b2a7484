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
    let empty = scratch("no-models");
    std::fs::create_dir_all(&empty).unwrap();
    for folder in [empty.to_str().unwrap(), "/no/such/folder"] {
        for (unset, missing) in [("detector-model", "detector"), ("pose-model", "pose")] {
            let element = sound();
            element.set_property("models-dir", folder);
            element.set_property(unset, None::<String>);
            let model = format!("no {missing} model");
            let parts = [&model, ".onnx", folder, "make models"];
            assert_reported(&element, NOT_FOUND, &parts);
        }
    }
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

/// Opening a FIFO would wait for a writer that never comes.
#[test]
fn paths_without_a_regular_file() {
    let (folder, fifo) = (scratch("folder.onnx"), scratch("fifo.onnx"));
    std::fs::create_dir_all(&folder).unwrap();
    if !fifo.exists() {
        let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
    }
    let fifo = fifo.to_str().unwrap();
    for (path, part) in [
        ("/no/such/model.onnx", "No such file"),
        (folder.to_str().unwrap(), "not a regular file"),
        (fifo, "not a regular file"),
    ] {
        assert_either_model(path, NOT_FOUND, &[part]);
    }
    let element = sound();
    element.set_property("rear-model", fifo);
    assert_reported(&element, NOT_FOUND, &["rear model", "not a regular file"]);
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
fn models_for_another_purpose_or_of_another_family() {
    let refused = |role: &str, model: &str, family: &str, expected: &str, found: &str| {
        let (element, file) = (sound(), fixture(model));
        element.set_property(&format!("{role}-model"), &file);
        element.set_property_from_str(&format!("{role}-family"), family);
        let parts = ["expected", expected, "found", found, &file];
        assert_reported(&element, SETTINGS, &parts);
    };
    for (model, found) in [
        ("pose_Nx3x32x32", "yaw_roll_pitch float32[?,3]"),
        ("classifier", "probabilities float32[1,6]"),
        ("two_inputs", "more float32[1,3]"),
    ] {
        refused("detector", model, "auto", "signature of a detector", found);
    }
    for (model, found) in [
        ("rows_256x320", "float32[7,7]"),
        ("post_int64_480x640", "boxes int64[3,6]"),
        ("yunet", "bbox_32 float32[1,?,4]"),
        ("classifier", "probabilities float32[1,6]"),
        ("two_inputs", "more float32[1,3]"),
        ("pose_float64", "float64[?,3]"),
    ] {
        refused("pose", model, "auto", "signature of a pose model", found);
    }
    for (role, model, family, expected) in [
        ("detector", "rows_nhwc_32x32", "yunet", "YuNet"),
        ("detector", "yolov8_96x128", "yolox", "YOLOX"),
        ("detector", "yolov8_96x128", "yolox-decoded", "YOLOX"),
        ("detector", "yolox_96x128", "yolov8", "YOLOv8"),
        ("detector", "yolox_96x128", "rows", "detection rows"),
        ("detector", "rows_256x320", "post", "scores and boxes"),
        ("detector", "yunet", "centerface", "CenterFace"),
        ("pose", "sixdrepnet_matrix", "dmhead", "three angles"),
        ("pose", "sixdrepnet_matrix", "whenet", "WHENet"),
        ("pose", "whenet_bins_Nx3x32x32", "6drepnet", "6DRepNet"),
        ("pose", "pose_Nx3x32x32", "fsanet", "FSA-Net"),
        ("pose", "pose_Nx3x32x32", "3ddfa", "3DDFA"),
    ] {
        refused(role, model, family, expected, "");
    }
    // Ambiguities of a signature are not resolved by guessing.
    for model in ["sixdrepnet_6d", "tddfa", "tddfa_denormalised"] {
        refused("pose", model, "auto", "where pose-family names it", "");
    }
    let element = sound();
    toys::set(&element, "detector-family=rows");
    assert!(play(&element).is_empty(), "the right family is accepted");
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

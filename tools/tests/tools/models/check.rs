// SPDX-License-Identifier: MPL-2.0
//! `check`: the contract of every toy and every fetched model, and why others cannot be used.

use std::process::Command;

use serde_json::Value;

use super::{check, fetched, stderr, tool};
use crate::common::toys::fixture;

/// File, role, family, size, layout and pixels.
const TOYS: &str = "
    post_int64_480x640 detector post 640x480 NCHW RGB 0..1
    post_float_480x640 detector post 640x480 NCHW RGB 0..1
    rows_256x320 detector rows 320x256 NCHW BGR 0..255
    rows_nhwc_32x32 detector rows 32x32 NHWC BGR 0..255
    pose_Nx3x24x16 pose dmhead 16x24 NCHW RGB 0..255
    yolox_96x128 detector yolox 128x96 NCHW BGR 0..255
    yolov8_96x128 detector yolov8 128x96 NCHW RGB 0..1
    whenet_bins_Nx32x32x3 pose whenet 32x32 NHWC RGB, normalised by ImageNet's mean and standard deviation
    sixdrepnet_matrix pose 6drepnet 32x32 NCHW RGB, normalised by ImageNet's mean and standard deviation
    fsanet_Nx64x64x3 pose fsanet 64x64 NHWC BGR 0..255
";

#[test]
fn check_knows_the_contract_of_every_toy() {
    for toy in TOYS.trim().lines() {
        let [name, role, family, size, layout, pixels] =
            toy.trim().splitn(6, ' ').collect::<Vec<_>>()[..]
        else {
            panic!("{toy}");
        };
        let (report, ok) = check(&fixture(name));
        assert!(ok, "{report:#}");
        let contract = &report["contract"];
        let text = |key: &str| contract[key].as_str().unwrap();
        let found = ["role", "family", "layout", "pixels"].map(text);
        assert_eq!(found, [role, family, layout, pixels], "{name}");
        let found = format!("{}x{}", contract["width"], contract["height"]);
        assert_eq!(found, size, "{name}");
        assert_eq!(report["runs"], true);
        assert_eq!(report["problem"], Value::Null);
    }
    for (name, family, pixels) in [
        ("yunet", "yunet", "BGR 0..255"),
        ("centerface", "centerface", "RGB 0..255"),
    ] {
        let (report, ok) = check(&fixture(name));
        let contract = &report["contract"];
        assert!(ok, "{report:#}");
        assert_eq!(
            (&contract["family"], &contract["pixels"]),
            (&family.into(), &pixels.into())
        );
        assert_eq!(
            (&contract["width"], &contract["height"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[test]
fn check_tells_batch_order_and_opset() {
    let all = |name: &str| check(&fixture(name)).0;
    let report = all("pose_2x3x32x32");
    assert_eq!(report["contract"]["batch"], 2);
    assert_eq!(
        report["contract"]["angles"],
        serde_json::json!(["yaw", "roll", "pitch"])
    );
    assert_eq!(
        report["inputs"][0]["shape"],
        serde_json::json!([2, 3, 32, 32])
    );
    let report = all("pose_opset11_Nx3x32x32");
    assert_eq!(report["contract"]["batch"], Value::Null);
    assert_eq!(
        report["contract"]["angles"],
        serde_json::json!(["yaw", "pitch", "roll"])
    );
    assert_eq!(
        report["header"]["opsets"],
        serde_json::json!([{ "domain": "", "version": 11 }])
    );
    assert_eq!(report["header"]["ir_version"], 8);
}

#[test]
fn check_knows_the_fetched_models() {
    for (file, role, family, opset) in [
        (
            "models/whenet_Nx3x224x224_prepost.onnx",
            "pose",
            "dmhead",
            13,
        ),
        (
            "models/face_detection_yunet_2023mar_dynamic.onnx",
            "detector",
            "yunet",
            11,
        ),
        (
            "models/centerface_dynamic.onnx",
            "detector",
            "centerface",
            9,
        ),
    ] {
        let (report, ok) = check(&fetched(file));
        assert!(ok, "{report:#}");
        assert_eq!(report["contract"]["role"], role, "{file}");
        assert_eq!(report["contract"]["family"], family, "{file}");
        assert_eq!(report["header"]["opsets"][0]["version"], opset, "{file}");
    }
}

#[test]
fn check_explains_why_a_file_is_unusable() {
    for (file, contract, expected, found) in [
        (
            fixture("classifier"),
            false,
            "a pose model",
            "probabilities float32[1,6]",
        ),
        (
            fixture("two_inputs"),
            false,
            "a detector",
            "more float32[1,3]",
        ),
        (
            fixture("pose_float64"),
            false,
            "three angles",
            "float64[?,3]",
        ),
        (
            fixture("fails_detector"),
            true,
            "dummy input",
            "out of data bounds",
        ),
        (
            fixture("pose_one_row"),
            true,
            "dummy input",
            "expected the angles of 2 crops, found 1",
        ),
        (
            env!("CARGO_MANIFEST_DIR").to_string() + "/Cargo.toml",
            false,
            "ONNX",
            "Protobuf",
        ),
        ("/no/such/file.onnx".into(), false, "a file", "No such file"),
    ] {
        let (report, ok) = check(&file);
        assert!(!ok, "{report:#}");
        assert_eq!(report["contract"].is_object(), contract, "{report:#}");
        assert_eq!(
            report["runs"],
            if contract { false.into() } else { Value::Null }
        );
        for (key, wanted) in [("expected", expected), ("found", found)] {
            let text = report["problem"][key].as_str().unwrap();
            assert!(text.contains(wanted), "{key}: {text:?}, not {wanted:?}");
        }
    }
}

#[test]
fn one_misfit_fails_the_whole_check() {
    let output = tool(&["check", &fixture("pose_Nx3x32x32"), &fixture("classifier")]);
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("dummy run succeeds"), "{text}");
    assert!(text.contains("contract  none"), "{text}");
}

#[test]
fn a_wrong_library_is_an_error() {
    let arguments = [
        "check",
        "x.onnx",
        "--onnxruntime-library",
        "/no/such/library.so",
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_dmheadpose-models"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = stderr(&output);
    assert!(text.contains("ONNX Runtime not found"), "{text}");
    assert!(text.contains("/no/such/library.so"), "{text}");
}

/// If a signature is ambiguous, the family has to be named, as in the element.
#[test]
fn check_takes_the_family_that_is_named() {
    for (name, options, family) in [
        (
            "yolox_decoded_96x128",
            ["--detector-family", "yolox-decoded"],
            "yolox-decoded",
        ),
        ("tddfa", ["--pose-family", "3ddfa"], "3ddfa"),
        ("pose_Nx3x32x32", ["--pose-family", "6drepnet"], "6drepnet"),
    ] {
        let output = tool(&["check", "--json", options[0], options[1], &fixture(name)]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(reports[0]["contract"]["family"], family, "{name}");
    }
    let output = tool(&["check", "--pose-family", "nonsense", &fixture("tddfa")]);
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("3ddfa-denormalised"),
        "{}",
        stderr(&output)
    );
}

/// The input of graphs with the signatures of published exports.
#[test]
fn check_tells_pixels_and_doubts_of_published_exports() {
    use crate::common::onnx::{Answer, Graph, Kind};

    const F32: Kind = Kind::Float32;
    let imagenet = "RGB, normalised by ImageNet's mean and standard deviation";
    let square = ("images", F32, &[1, 3, 64, 64][..]);
    let bgr = ("input_bgr", F32, &[1, 3, 64, 64][..]);
    let crops = ("input", F32, &[1, 3, 224, 224][..]);
    let mut next = 0;
    // Input; name and sides of each output; family, pixels and the warning.
    for (input, outputs, told) in [
        (square, "output 1 7", "end2end|RGB 0..1|Class 0"),
        (square, "rows 1 7", "rows|BGR 0..255|no name"),
        (square, "output0 1 3 6", "end2end|RGB 0..1|Class 0"),
        (square, "label_xyxy_score 1 3 6", "deim|RGB 0..1|Class 7"),
        (bgr, "label_xyxy_score 1 3 6", "deim|BGR 0..255|Class 7"),
        (square, "output0 1 252 7", "yolov5|RGB 0..1|Class 1"),
        (square, "outputs 1 84 6", "yolov5|RGB 0..1|"),
        (square, "output 1 84 6", "yolox|BGR 0..255|"),
        (square, "output0 1 5 85", "yolov8|RGB 0..1|"),
        (crops, "yaw_pitch_roll 1 3", "6drepnet|ImageNet|"),
        (crops, "output 1 3", "dmhead|RGB 0..255|yaw_roll_pitch"),
        (crops, "a 1 66|b 1 66|c 1 66", "hopenet|ImageNet|"),
    ] {
        let mut graph = Graph::new(&[input]);
        for output in outputs.split('|') {
            let (name, sides) = output.split_once(' ').unwrap();
            let sides = sides.split(' ').map(|side| side.parse().unwrap());
            let sides: Vec<i64> = sides.collect();
            let values = sides.iter().product::<i64>() as usize;
            graph = graph.output((name, F32, &sides), Answer::Constant(vec![0.0; values]));
        }
        let told: Vec<_> = told.split('|').collect();
        let (family, pixels, doubt) = (told[0], told[1].replace("ImageNet", imagenet), told[2]);
        next += 1;
        let (report, _) = check(&graph.save(&format!("published-{next}.onnx")));
        let contract = &report["contract"];
        assert_eq!(contract["family"], family, "{report:#}");
        assert_eq!(contract["pixels"], pixels, "{report:#}");
        let warnings = report["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), usize::from(!doubt.is_empty()), "{report:#}");
        assert!(
            warnings.iter().all(|w| w.as_str().unwrap().contains(doubt)),
            "{report:#}"
        );
    }
}

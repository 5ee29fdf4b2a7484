// SPDX-License-Identifier: MPL-2.0
//! `fuse`: compares the fused file in the element with its parts as `pose-model` and `rear-model`, and checks what
//! is refused.

use std::path::PathBuf;
use std::process::Output;

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::estimator::Head;

use super::{check, fetched, stderr, tool};
use crate::common;
use crate::common::toys::{self, caps, element, fixture, harness, picture, poses, stat};

/// A temporary folder of this test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let id = std::process::id();
        let path = std::env::temp_dir().join(format!("dmheadpose-{name}-{id}"));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().into()
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fuse(front: &str, rear: &str, output: &str, more: &[&str]) -> Output {
    let arguments = ["fuse", "--front", front, "--rear", rear, "-o", output];
    tool(&[&arguments, more].concat())
}

/// Heads of one frame, and the number of heads on which the front model ran.
fn heads(element: &gst::Element, frame: gst::Buffer, caps: &gst::Caps) -> (Vec<Head>, u64) {
    let mut h = harness(element, caps);
    let heads = poses(&h.push_and_pull(frame).unwrap()).heads;
    (heads, stat(element, "front-runs"))
}

fn assert_same(fused: &[Head], parts: &[Head]) {
    assert_eq!(fused.len(), parts.len());
    for (fused, parts) in fused.iter().zip(parts) {
        assert_eq!((fused.rect, fused.rear), (parts.rect, parts.rear));
        let (a, b) = (fused.angles, parts.angles);
        let off = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll];
        assert!(off.iter().all(|v| v.abs() < 0.01), "{a:?}, not {b:?}");
    }
}

/// The parts name their angles in different orders and have different opsets; one of the two heads is
/// seen from behind.
#[test]
fn fused_toys_give_the_results_of_their_parts() {
    let scratch = Scratch::new("fuse");
    let (front, rear) = ("pose_opset11_Nx3x32x32", "pose_Nx3x32x32");
    for (angle, front_runs) in [("90", 1), ("180", 2), ("35", 0)] {
        let file = scratch.file(&format!("fused_{angle}.onnx"));
        let output = fuse(
            &fixture(front),
            &fixture(rear),
            &file,
            &["--activation-angle", angle],
        );
        assert!(output.status.success(), "{}", stderr(&output));

        let frame = || {
            let color = |x| {
                if x < 15 {
                    [140, 80, 80]
                } else {
                    [230, 160, 100]
                }
            };
            picture(32, 32, |x, _| color(x))
        };
        let caps = caps(VideoFormat::Rgb, 32, 32);
        let one = element("rows_nhwc_32x32", rear);
        one.set_property("pose-model", &file);
        let two = element("rows_nhwc_32x32", front);
        two.set_property("rear-model", fixture(rear));
        two.set_property("activation-angle", angle.parse::<f32>().unwrap());
        let (fused, _) = heads(&one, frame(), &caps);
        let (parts, runs) = heads(&two, frame(), &caps);
        assert_eq!((parts.len(), runs), (2, front_runs), "at {angle}");
        assert_same(&fused, &parts);
        // The front model calls pitch what the rear model calls roll, which shows whose result is used.
        let pitch = fused[0].angles.pitch;
        let wanted = if front_runs > 0 { -10.0 } else { 20.0 };
        assert!((pitch - wanted).abs() < 0.01, "at {angle}: pitch {pitch}");
    }
}

/// WHENet as the rear model, a toy as the front model, real faces. The low activation angle makes both models run.
#[test]
fn fused_whenet_gives_the_results_of_its_parts() {
    let scratch = Scratch::new("fuse-whenet");
    let file = scratch.file("fused.onnx");
    let (front, rear) = (
        fixture("pose_Nx3x224x224"),
        fetched("models/whenet_Nx3x224x224_prepost.onnx"),
    );
    let output = fuse(&front, &rear, &file, &["--activation-angle", "10"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let (report, ok) = check(&file);
    assert!(ok, "{report:#}");
    assert_eq!(report["outputs"][0]["name"], "yaw_roll_pitch");
    assert_eq!(
        report["inputs"][0]["shape"],
        serde_json::json!([-1, 3, 224, 224])
    );
    assert_eq!(
        report["header"]["opsets"],
        serde_json::json!([{ "domain": "", "version": 13 }])
    );

    toys::init();
    let picture = common::fetched(".setup/pictures/multi_face.png");
    let (info, bytes) = common::decode_picture(&picture, "BGR");
    let caps = caps(VideoFormat::Bgr, info.width(), info.height());
    let frame = || {
        // Rows of a buffer are padded; those of the picture are not.
        let (row, stride) = (info.width() as usize * 3, info.stride()[0] as usize);
        let mut padded = vec![0; info.size()];
        for (to, from) in padded.chunks_mut(stride).zip(bytes.chunks(row)) {
            to[..row].copy_from_slice(from);
        }
        let mut buffer = gst::Buffer::from_mut_slice(padded);
        toys::number(&mut buffer, 0);
        buffer
    };
    let detector = fetched("models/face_detection_yunet_2023mar_dynamic.onnx");
    let with = |pose: &str| {
        let element = element("yunet", "pose_Nx3x32x32");
        element.set_property("detector-model", &detector);
        element.set_property("pose-model", pose);
        element
    };
    let two = with(&front);
    two.set_property("rear-model", &rear);
    two.set_property("activation-angle", 10f32);
    let (fused, _) = heads(&with(&file), frame(), &caps);
    let (parts, front_runs) = heads(&two, frame(), &caps);
    assert!(
        0 < front_runs && front_runs < parts.len() as u64,
        "{front_runs} of {} heads go to the front model",
        parts.len()
    );
    assert_same(&fused, &parts);
}

#[test]
fn models_that_do_not_go_together_are_refused() {
    let scratch = Scratch::new("fuse-misfits");
    let pose = "pose_Nx3x32x32";
    for (front, rear, wanted) in [
        ("pose_Nx3x24x16", pose, "the same input size|16x24|32x32"),
        (
            pose,
            "pose_2x3x32x32",
            "the same batch|any batch|a batch of 2",
        ),
        ("yunet", pose, "front model|a pose model|cls_8"),
        (
            pose,
            "rows_nhwc_32x32",
            "rear model|a pose model|float32[3,7]",
        ),
        (pose, "/no/such/file", "rear model|a file|No such file"),
    ] {
        let [front, rear] = [front, rear].map(|name| match name.starts_with('/') {
            true => name.into(),
            false => fixture(name),
        });
        let output = fuse(&front, &rear, &scratch.file("fused.onnx"), &[]);
        assert!(!output.status.success(), "{front} {rear}");
        let text = stderr(&output);
        assert!(wanted.split('|').all(|part| text.contains(part)), "{text}");
    }
    assert!(scratch.is_empty());
}

#[test]
fn unsupported_fusions_are_reported() {
    let scratch = Scratch::new("fuse-errors");
    let (front, rear) = (fixture("pose_Nx3x32x32"), fixture("pose_Nx3x32x32"));
    let output = fuse(&front, &rear, &scratch.file("no/folder.onnx"), &[]);
    assert!(
        stderr(&output).contains("cannot write"),
        "{}",
        stderr(&output)
    );
    let python = ["--python", "/no/such/python3"];
    let output = fuse(&front, &rear, &scratch.file("fused.onnx"), &python);
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("package onnx"),
        "{}",
        stderr(&output)
    );
    let output = fuse(
        &front,
        &rear,
        &scratch.file("fused.onnx"),
        &["--activation-angle", "181"],
    );
    assert!(stderr(&output).contains("0 to 180"), "{}", stderr(&output));
    assert!(scratch.is_empty());
}

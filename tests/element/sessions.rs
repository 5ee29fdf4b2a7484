// SPDX-License-Identifier: MPL-2.0
//! Execution providers that exist or not, and sessions that elements share.

use std::path::Path;

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::estimator::onnx::{ExecutionProvider, Model, Runtime, SessionOptions};

use crate::common;
use crate::common::reports::{SETTINGS, assert_only, play};
use crate::common::toys::{caps, fixture, harness, plain, poses, push_all, quick_with};

#[test]
fn a_missing_provider_is_refused() {
    for name in ["cuda", "tensorrt", "openvino", "migraphx", "xnnpack"] {
        let named = format!("execution-provider={name}");
        let element = quick_with(&named);
        let parts = [&named, "CPUExecutionProvider", "libonnxruntime"];
        assert_only(&play(&element), SETTINGS, &parts);
        let provider: Option<String> = element.property("active-provider");
        assert_eq!(provider, None);
        // The same element works with an available provider.
        element.set_property_from_str("execution-provider", "cpu");
        assert!(play(&element).is_empty());
    }
}

#[test]
fn models_with_equal_settings_share_a_session() {
    common::init();
    let runtime = Runtime::get(&common::runtime_options()).unwrap();
    // No other test of this program uses these settings, because sessions are shared across the process.
    let shared = SessionOptions {
        share: true,
        intra_op_threads: 2,
        ..SessionOptions::default()
    };
    let open = |name: &str, options: &SessionOptions| {
        Model::open(runtime, "pose", Path::new(&fixture(name)), options).unwrap()
    };
    let first = open("pose_Nx3x32x32", &shared);
    let second = open("pose_Nx3x32x32", &shared);
    assert_eq!((first.shared_by(), second.shared_by()), (2, 2));
    let other_file = open("pose_pitch_first_Nx3x32x32", &shared);
    let three_threads = SessionOptions {
        intra_op_threads: 3,
        ..shared.clone()
    };
    let other_threads = open("pose_Nx3x32x32", &three_threads);
    let own = open("pose_Nx3x32x32", &SessionOptions::default());
    for model in [&other_file, &other_threads, &own] {
        assert_eq!(model.shared_by(), 1);
    }
    assert_eq!(first.provider(), ExecutionProvider::Cpu);
    drop(first);
    assert_eq!(second.shared_by(), 1);
    drop(second);
    let loaded_again = open("pose_Nx3x32x32", &shared);
    assert_eq!(loaded_again.shared_by(), 1);
}

/// Elements that share models, each in its own thread and at another depth, have the same results as
/// alone; each gets its turn.
#[test]
fn sharing_changes_no_result() {
    let start = std::sync::Barrier::new(6);
    let stream = |stream: u64| {
        let element = quick_with("share-models=true");
        element.set_property("pipeline-depth", 1 + stream as u32 % 3);
        let mut h = harness(&element, &caps(VideoFormat::Rgb, 32, 32));
        start.wait();
        let red = |n: u64| (60 + stream * 11 + n) as u8;
        let out = push_all(
            &mut h,
            (0..100).map(|n| plain(32, 32, n, [red(n), 100, 40])),
        );
        assert_eq!(out.len(), 100);
        for (n, buffer) in (0..).zip(&out) {
            let heads = poses(buffer).heads;
            // The toy model returns a yaw of red - 100.
            let yaw = f32::from(red(n)) - 100.0;
            assert_eq!(heads.len(), 2);
            assert!(heads.iter().all(|head| head.angles.yaw == yaw), "{heads:?}");
        }
    };
    std::thread::scope(|scope| {
        for number in 0..6 {
            let stream = &stream;
            scope.spawn(move || stream(number));
        }
    });
}

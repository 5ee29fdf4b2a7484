// SPDX-License-Identifier: MPL-2.0
//! Execution providers that exist or not, and sessions that elements share.

use std::path::Path;
use std::sync::Arc;

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::estimator::onnx::{ExecutionProvider, Model, Runtime, SessionOptions};

use crate::common;
use crate::common::toys::{OwnBus, caps, fixture, harness, number, picture, poses, quick, stat_of};

/// The message of an element that fails to start.
fn refusal(element: &gst::Element) -> gst::glib::Error {
    let bus = OwnBus::of(element);
    assert!(element.set_state(gst::State::Paused).is_err());
    let message = bus
        .pop_filtered(&[gst::MessageType::Error])
        .expect("an error");
    element.set_state(gst::State::Null).unwrap();
    match message.view() {
        gst::MessageView::Error(error) => error.error(),
        _ => unreachable!(),
    }
}

fn provider(element: &gst::Element) -> Option<String> {
    element.property("active-provider")
}

#[test]
fn a_provider_that_is_not_there_is_refused() {
    for name in ["cuda", "tensorrt", "openvino", "migraphx", "xnnpack"] {
        let element = quick();
        element.set_property_from_str("execution-provider", name);
        let error = refusal(&element);
        assert!(error.matches(gst::LibraryError::Settings), "{error:?}");
        let text = error.message();
        for part in [
            format!("execution-provider={name}"),
            "CPUExecutionProvider".into(),
            "libonnxruntime".into(),
        ] {
            assert!(text.contains(&part), "{part} is not in: {text}");
        }
        assert_eq!(provider(&element), None);
        // The same element works with an available provider.
        element.set_property_from_str("execution-provider", "cpu");
        let mut h = harness(&element, &caps(VideoFormat::Rgb, 32, 32));
        let out = h.push_and_pull(picture(32, 32, |_, _| [100; 3])).unwrap();
        assert_eq!(poses(&out).heads.len(), 2);
    }
}

#[test]
fn auto_takes_what_is_there_and_says_so() {
    let element = quick();
    element.set_property_from_str("execution-provider", "auto");
    element.set_state(gst::State::Paused).unwrap();
    assert_eq!(provider(&element).as_deref(), Some("cpu"));
    assert_eq!(stat_of::<String>(&element, "active-provider"), "cpu");
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn models_share_sessions_when_they_ask_for_the_same() {
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
    let other_threads = open(
        "pose_Nx3x32x32",
        &SessionOptions {
            intra_op_threads: 3,
            ..shared.clone()
        },
    );
    let own = open("pose_Nx3x32x32", &SessionOptions::default());
    for model in [&other_file, &other_threads, &own] {
        assert_eq!(model.shared_by(), 1);
    }
    assert_eq!(first.provider(), ExecutionProvider::Cpu);
    drop(first);
    assert_eq!(second.shared_by(), 1);
    drop(second);
    assert_eq!(
        open("pose_Nx3x32x32", &shared).shared_by(),
        1,
        "loaded again"
    );
}

/// Elements that share models, each in its own thread and at another depth, have the same results as
/// alone; each gets its turn.
#[test]
fn sharing_changes_no_result() {
    const FRAMES: u64 = 100;
    let start = Arc::new(std::sync::Barrier::new(6));
    let threads: Vec<_> = (0..6)
        .map(|stream: u64| {
            let start = start.clone();
            std::thread::spawn(move || {
                let element = quick();
                element.set_property("share-models", true);
                element.set_property("pipeline-depth", 1 + stream as u32 % 3);
                let mut h = harness(&element, &caps(VideoFormat::Rgb, 32, 32));
                start.wait();
                let red = |n: u64| (60 + stream * 11 + n) as u8;
                for n in 0..FRAMES {
                    let mut buffer = picture(32, 32, |_, _| [red(n), 100, 40]);
                    number(&mut buffer, n);
                    h.push(buffer).unwrap();
                }
                h.push_event(gst::event::Eos::new());
                for n in 0..FRAMES {
                    let heads = poses(&h.pull().unwrap()).heads;
                    // The toy model returns a yaw of red - 100.
                    let yaw = f32::from(red(n)) - 100.0;
                    assert_eq!(heads.len(), 2);
                    assert!(heads.iter().all(|head| head.angles.yaw == yaw), "{heads:?}");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

// SPDX-License-Identifier: MPL-2.0
//! What is wrong with a model or with ONNX Runtime arrives as exactly one error on the bus, which names
//! the file, what was expected and what was found.
//!
//! A process has one ONNX Runtime, ever. So what is wrong with that is tried in copies of this process,
//! which run [`child`] and print what arrived.

mod toys;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gst::prelude::*;
use serde_json::{Value, json};
use toys::{GUARD, element, fixture};

/// Which libraries a copy of this process is to try, one after the other; separated by colons.
const LIBRARIES: &str = "DMHEADPOSE_TEST_LIBRARIES";
const CHILD_MARK: &str = "child says: ";

/// An error as domain, code and text.
#[derive(Debug)]
struct Reported {
    domain: String,
    text: String,
}

const NOT_FOUND: &str = "resource not-found";
const UNREADABLE: &str = "resource read";
const SETTINGS: &str = "library settings";
const INIT: &str = "library init";
const FAILED: &str = "stream failed";

fn domain(error: &gst::glib::Error) -> &'static str {
    if error.matches(gst::ResourceError::NotFound) {
        NOT_FOUND
    } else if error.matches(gst::ResourceError::Read) {
        UNREADABLE
    } else if error.matches(gst::LibraryError::Settings) {
        SETTINGS
    } else if error.matches(gst::LibraryError::Init) {
        INIT
    } else if error.matches(gst::StreamError::Failed) {
        FAILED
    } else {
        "another"
    }
}

/// Plays three frames and gives all errors that arrive; none when the stream ends as it should.
fn play(element: &gst::Element) -> Vec<Reported> {
    let pipeline = gst::Pipeline::new();
    let make = |name| gst::ElementFactory::make(name).build().unwrap();
    let (source, sink) = (make("videotestsrc"), make("fakesink"));
    source.set_property("num-buffers", 3);
    pipeline.add_many([&source, element, &sink]).unwrap();
    let caps = gst::Caps::builder("video/x-raw")
        .field("width", 320)
        .field("height", 240);
    source.link_filtered(element, &caps.build()).unwrap();
    element.link(&sink).unwrap();
    let started = pipeline.set_state(gst::State::Playing).is_ok();
    let bus = pipeline.bus().unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let first = bus
        .timed_pop_filtered(GUARD, &ends)
        .expect("an error or the end");
    let mut messages = vec![first];
    // Whatever else there is has been posted once everything has stopped; a bus that goes down with the
    // pipeline would drop it.
    for part in [&sink, element, &source] {
        part.set_state(gst::State::Null).unwrap();
    }
    messages.extend(std::iter::from_fn(|| {
        bus.pop_filtered(&[gst::MessageType::Error])
    }));
    pipeline.set_state(gst::State::Null).unwrap();
    pipeline.remove(element).unwrap();
    let errors: Vec<_> = messages
        .iter()
        .filter_map(|message| match message.view() {
            // A source says as well that it cannot go on when the element behind it has failed.
            gst::MessageView::Error(e) if e.src() != Some(source.upcast_ref()) => Some(e),
            _ => None,
        })
        .map(|error| Reported {
            domain: domain(&error.error()).into(),
            text: error.error().message().into(),
        })
        .collect();
    assert!(
        started || !errors.is_empty(),
        "it did not start and said nothing"
    );
    errors
}

/// The element must report just this, with all of `parts` in the text.
fn assert_reported(element: &gst::Element, domain: &str, parts: &[&str]) {
    assert_only(&play(element), domain, parts);
    let provider: Option<String> = element.property("active-provider");
    assert_eq!(provider, None, "nothing is loaded after a failure");
}

fn assert_only(reported: &[Reported], domain: &str, parts: &[&str]) {
    let [one] = reported else {
        panic!("expected one error, found {reported:?}");
    };
    assert_eq!(one.domain, domain, "{one:?}");
    for part in parts {
        assert!(one.text.contains(part), "{part} is not in: {}", one.text);
    }
}

/// A file or folder that a test makes for itself.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("errors");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

fn file_of(name: &str, content: &[u8]) -> String {
    let path = scratch(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().into()
}

#[test]
fn no_model_at_all() {
    let folder = scratch("no-models");
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    for (named, missing) in [("pose-model", "detector"), ("detector-model", "pose")] {
        let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
        element.set_property("models-dir", folder);
        let keep = element.property::<String>(named);
        element.set_property("detector-model", None::<String>);
        element.set_property("pose-model", None::<String>);
        element.set_property(named, keep);
        let model = format!("no {missing} model");
        assert_reported(
            &element,
            NOT_FOUND,
            &[&model, ".onnx", folder, "make models"],
        );
    }
}

#[test]
fn a_folder_of_models_that_is_not_there() {
    let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
    element.set_property("models-dir", "/no/such/folder");
    element.set_property("detector-model", "");
    assert_reported(
        &element,
        NOT_FOUND,
        &["no detector model", "/no/such/folder"],
    );
}

/// Tries a bad file in the place of each model.
fn assert_either_model(path: &str, domain: &str, parts: &[&str]) {
    for role in ["detector", "pose"] {
        let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
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
    assert_either_model(folder.to_str().unwrap(), NOT_FOUND, &["not a file"]);
}

#[test]
fn files_that_are_no_models() {
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
    let pose = fixture("pose_Nx3x32x32");
    for (detector, found) in [
        ("pose_Nx3x32x32", "yaw_roll_pitch float32[?,3]"),
        ("classifier", "probabilities float32[1,6]"),
        ("two_inputs", "more float32[1,3]"),
    ] {
        let element = element(detector, "pose_Nx3x32x32");
        let expected = ["expected", "signature of a detector", "found", found];
        assert_reported(
            &element,
            SETTINGS,
            &[&expected[..], &[&fixture(detector)]].concat(),
        );
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
        assert_ne!(fixture(model), pose);
        let expected = ["expected", "signature of a pose model", "found", found];
        assert_reported(
            &element,
            SETTINGS,
            &[&expected[..], &[&fixture(model)]].concat(),
        );
    }
}

#[test]
fn a_family_that_the_detector_is_not_of() {
    let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
    element.set_property_from_str("detector-family", "yunet");
    assert_reported(
        &element,
        SETTINGS,
        &["expected YuNet", "rows_nhwc_32x32.onnx"],
    );
    element.set_property_from_str("detector-family", "rows");
    assert!(play(&element).is_empty(), "the right family is accepted");
}

#[test]
fn models_that_break_their_word() {
    // Seen when it is tried at the start.
    let fails = element("fails_detector", "pose_Nx3x32x32");
    assert_reported(&fails, FAILED, &["fails_detector.onnx", "Gather"]);
    // One crop it can do, the two of a frame it cannot.
    let short = element("rows_nhwc_32x32", "pose_one_row");
    let parts = ["pose_one_row.onnx", "expected 2 rows", "found 1"];
    assert_reported(&short, FAILED, &parts);
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

/// Not a test of its own: what the copies of this process do.
#[test]
#[ignore = "runs in processes that other tests start"]
fn child() {
    let libraries = std::env::var(LIBRARIES).unwrap();
    let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
    for library in libraries.split(':') {
        element.set_property("onnxruntime-library", library);
        let errors = play(&element);
        let lines: Vec<_> = errors
            .iter()
            .map(|error| json!([error.domain, error.text]))
            .collect();
        println!("\n{CHILD_MARK}{}", Value::Array(lines));
    }
}

/// What arrived for each of the libraries, tried in one process; the variable `ORT_DYLIB_PATH` as given.
fn in_a_process(libraries: &[&str], variable: Option<&str>) -> Vec<Vec<Reported>> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(LIBRARIES, libraries.join(":"))
        .env_remove("ORT_DYLIB_PATH")
        .stdin(Stdio::null());
    if let Some(variable) = variable {
        command.env("ORT_DYLIB_PATH", variable);
    }
    let output = command.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    assert!(!err.contains("panicked"), "{err}");
    let said: Vec<Vec<Reported>> = out
        .lines()
        .filter_map(|line| line.strip_prefix(CHILD_MARK))
        .map(|line| {
            let errors: Vec<[String; 2]> = serde_json::from_str(line).unwrap();
            let to_reported = |[domain, text]: [String; 2]| Reported { domain, text };
            errors.into_iter().map(to_reported).collect()
        })
        .collect();
    assert_eq!(said.len(), libraries.len(), "{out}\n{err}");
    said
}

/// A shared library of this C code.
fn library_of(name: &str, code: &str) -> String {
    let source = file_of(&format!("{name}.c"), code.as_bytes());
    let library = scratch(&format!("lib{name}.so"));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let status = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-o"])
        .args([library.as_path(), Path::new(&source)])
        .status()
        .unwrap_or_else(|error| panic!("cannot run {compiler}: {error}"));
    assert!(status.success());
    library.to_str().unwrap().into()
}

/// A library that calls itself ONNX Runtime `version` and knows no API at all.
fn runtime_of(version: &str) -> String {
    let code = format!(
        "#include <stddef.h>\n\
         static const void *api(unsigned int version) {{ return NULL; }}\n\
         static const char *version(void) {{ return \"{version}\"; }}\n\
         static struct {{ const void *(*api)(unsigned int); const char *(*version)(void); }} base \
           = {{ api, version }};\n\
         const void *OrtGetApiBase(void) {{ return &base; }}\n"
    );
    library_of(&format!("runtime-{version}"), &code)
}

#[test]
fn a_runtime_that_is_not_there() {
    let said = in_a_process(&["/no/such/library.so"], None);
    let parts = [
        "ONNX Runtime not found",
        "/no/such/library.so",
        "ORT_DYLIB_PATH",
    ];
    assert_only(&said[0], NOT_FOUND, &parts);
    // The property is unset: the variable decides.
    let said = in_a_process(&[""], Some("/no/such/variable.so"));
    assert_only(&said[0], NOT_FOUND, &["/no/such/variable.so"]);
}

#[test]
fn files_that_are_no_runtime() {
    let expected = "expected the shared library of ONNX Runtime 1.17";
    let text = file_of("libtext.so", b"This is not a library.\n");
    let other = library_of("other", "int answer(void) { return 42; }\n");
    let old = runtime_of("1.10.0");
    let said = in_a_process(&[&text, &other, &old], None);
    assert_only(&said[0], INIT, &[&text, expected, "the loader says"]);
    assert_only(&said[1], INIT, &[&other, expected, "OrtGetApiBase"]);
    assert_only(&said[2], INIT, &[&old, expected, "1.10.0"]);
}

#[test]
fn the_right_runtime_after_wrong_ones() {
    let text = file_of("libwrong.so", b"This is not a library.\n");
    let old = runtime_of("1.16.3");
    // The last one leaves it to the plugin: the variable, or where this machine has it.
    let fetched = toys::fetched_runtime();
    let right = fetched.as_ref().map_or("", |path| path.to_str().unwrap());
    let variable = std::env::var("ORT_DYLIB_PATH").ok();
    let tried = ["/no/such/library.so", &text, &old, right, &text];
    let said = in_a_process(&tried, variable.as_deref());
    assert_only(&said[0], NOT_FOUND, &["/no/such/library.so"]);
    assert_only(&said[1], INIT, &[&text]);
    assert_only(&said[2], INIT, &[&old, "1.16.3"]);
    assert!(said[3].is_empty(), "{:?}", said[3]);
    // It is loaded: another one is ignored.
    assert!(said[4].is_empty(), "{:?}", said[4]);
}

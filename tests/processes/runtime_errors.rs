// SPDX-License-Identifier: MPL-2.0
//! A problem with ONNX Runtime arrives as exactly one error on the bus, and the right library works
//! after wrong ones.
//!
//! A process loads one ONNX Runtime at most. So everything is tried in copies of this process, which run [`child`] and
//! print the messages.

use std::path::Path;
use std::process::{Command, Stdio};

use gst::prelude::*;
use serde_json::{Value, json};

use crate::common;
use crate::common::reports::{INIT, NOT_FOUND, Reported, assert_only, file_of, play, scratch};
use crate::common::toys::element;
use crate::copy_of_this;

/// The libraries that a copy of this process tries, in order; separated by colons.
const LIBRARIES: &str = "DMHEADPOSE_TEST_LIBRARIES";
const CHILD_MARK: &str = "child says: ";

/// Not a test: the body of the copies of this process.
#[test]
#[ignore = "runs in processes that other tests start"]
fn child() {
    let Ok(libraries) = std::env::var(LIBRARIES) else {
        return; // the ignored tests were requested
    };
    let element = element("rows_nhwc_32x32", "pose_Nx3x32x32");
    for library in libraries.split(':') {
        element.set_property("onnxruntime-library", library);
        let errors = play(&element);
        let errors = errors.iter().map(|error| json!([error.domain, error.text]));
        println!("\n{CHILD_MARK}{}", Value::Array(errors.collect()));
    }
}

/// The messages for each of the libraries, tried in one process, with this value of `ORT_DYLIB_PATH`.
fn in_a_process(libraries: &[&str], variable: Option<&str>) -> Vec<Vec<Reported>> {
    let mut command = copy_of_this("runtime_errors::child");
    command
        .arg("--ignored")
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
    let lines = out.lines().filter_map(|line| line.strip_prefix(CHILD_MARK));
    let errors = |line| -> Vec<Reported> {
        let errors: Vec<[String; 2]> = serde_json::from_str(line).unwrap();
        let to_reported = |[domain, text]: [String; 2]| Reported { domain, text };
        errors.into_iter().map(to_reported).collect()
    };
    let said: Vec<_> = lines.map(errors).collect();
    assert_eq!(said.len(), libraries.len(), "{out}\n{err}");
    said
}

fn library_of(name: &str, code: &str) -> String {
    let source = file_of(&format!("{name}.c"), code.as_bytes());
    let library = scratch(&format!("lib{name}.so"));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let mut command = Command::new(&compiler);
    command.args(["-shared", "-fPIC", "-o"]);
    command.args([library.as_path(), Path::new(&source)]);
    let status = command.status();
    let status = status.unwrap_or_else(|error| panic!("cannot run {compiler}: {error}"));
    assert!(status.success());
    library.to_str().unwrap().into()
}

/// A library that claims to be ONNX Runtime `version` and provides no API.
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
fn a_missing_runtime() {
    let said = in_a_process(&["/no/such/library.so"], None);
    let wanted = "ONNX Runtime not found";
    let parts = [wanted, "/no/such/library.so", "ORT_DYLIB_PATH"];
    assert_only(&said[0], NOT_FOUND, &parts);
    // The property is unset: the variable decides.
    let said = in_a_process(&[""], Some("/no/such/variable.so"));
    assert_only(&said[0], NOT_FOUND, &["/no/such/variable.so"]);
}

#[test]
fn files_that_are_not_a_runtime() {
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
    let fetched = common::onnxruntime_library();
    let right = fetched.as_ref().map_or("", |path| path.to_str().unwrap());
    let variable = std::env::var("ORT_DYLIB_PATH").ok();
    let tried = ["/no/such/library.so", &text, &old, right, &text];
    let said = in_a_process(&tried, variable.as_deref());
    assert_only(&said[0], NOT_FOUND, &["/no/such/library.so"]);
    assert_only(&said[1], INIT, &[&text]);
    assert_only(&said[2], INIT, &[&old, "1.16.3"]);
    assert!(said[3].is_empty(), "{:?}", said[3]);
    // One is already loaded: another one is ignored.
    assert!(said[4].is_empty(), "{:?}", said[4]);
}

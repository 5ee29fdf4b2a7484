// SPDX-License-Identifier: MPL-2.0
//! Shared by several integration tests: the plugin, pictures as raw frames, the paths of fetched files,
//! and the stored reference values.
#![allow(dead_code)] // each test binary uses a part

pub mod c;
pub mod matrix;
pub mod onnx;
pub mod poses;
pub mod random;
pub mod reports;
pub mod rtsp;
pub mod schema;
pub mod toys;
pub mod usage;

use std::path::{Path, PathBuf};
use std::process::Command;

use gst::glib;
use gst::prelude::*;
use gst_video::prelude::*;
use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::{Colorimetry, FrameView, PixelFormat, Plane};
use gstdmheadpose::estimator::onnx::{RuntimeOptions, Severity};
use gstdmheadpose::estimator::{Config, HeadPoseEstimator};

/// Initialises GStreamer and registers the plugin under test, once.
pub fn init() {
    use std::sync::Once;
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstdmheadpose::plugin_register_static().unwrap();
        if std::env::var_os("GST_TRACERS").is_some() {
            shut_down_at_exit();
        }
    });
}

/// Tracers report when GStreamer shuts down, for which test programs have no hook: see
/// tests/leaks.sh.
fn shut_down_at_exit() {
    unsafe extern "C" {
        fn atexit(handler: extern "C" fn()) -> std::ffi::c_int;
    }
    extern "C" fn shut_down() {
        // SAFETY: all tests have ended, and GStreamer is not used after them.
        unsafe { gst::deinit() };
    }
    // SAFETY: a plain C function without arguments that does not unwind.
    unsafe { atexit(shut_down) };
}

/// A file of the repository, tracked or fetched. The tests of the tools, a package in its own folder, use
/// this file too.
pub fn in_repository(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_root = |folder: &&Path| folder.join("Cargo.lock").is_file();
    let root = package.ancestors().find(is_root);
    root.expect("Cargo.lock in the repository's root")
        .join(path)
}

/// A file that the set-up fetches. Without it the test is meaningless, so it fails.
pub fn fetched(path: &str) -> PathBuf {
    let file = in_repository(path);
    assert!(
        file.is_file(),
        "expected the fetched file {}, found none. Run `make setup models pictures clips` (`make test` does it)",
        file.display()
    );
    file
}

/// cargo's output folder: test programs are in its deps/.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().unwrap().parent().unwrap().to_path_buf()
}

/// A file that cargo builds before `make test` runs the tests.
pub fn built(name: &str) -> PathBuf {
    let file = target().join(name);
    assert!(
        file.is_file(),
        "{} is missing: run `cargo build --lib --examples`",
        file.display()
    );
    file
}

pub fn plugin_folder() -> PathBuf {
    built("libgstdmheadpose.so");
    target()
}

/// A command that finds the plugin under test and its runtime.
pub fn with_plugin(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("GST_PLUGIN_PATH", plugin_folder());
    command.env_remove("GST_DEBUG");
    if let Some(library) = onnxruntime_library() {
        command.env("ORT_DYLIB_PATH", library);
    }
    command
}

pub fn clip() -> PathBuf {
    fetched(".setup/clips/WolfgangLanger_Pexels.mp4")
}

/// A Python that knows this part of GStreamer: the system's, where `make setup` puts the bindings.
pub fn system_python(namespace: &str) -> PathBuf {
    let test = format!(
        "import gi; gi.require_version('{namespace}', '1.0'); from gi.repository import {namespace}"
    );
    let knows = |python: &&str| {
        let mut command = Command::new(python);
        let output = command
            .args(["-c", &test])
            .env_remove("PYTHONPATH")
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    let found = ["/usr/bin/python3", "python3"].into_iter().find(knows);
    let found = found.unwrap_or_else(|| {
        panic!("no Python with gi and {namespace} 1.0: run `make setup`, which installs python3-gi and its descriptions of GStreamer")
    });
    found.into()
}

/// The ONNX Runtime fetched by the set-up, unless `ORT_DYLIB_PATH` names another one. `None` leaves
/// the search to the plugin.
pub fn onnxruntime_library() -> Option<PathBuf> {
    if std::env::var_os("ORT_DYLIB_PATH").is_some() {
        return None;
    }
    let files = std::fs::read_dir(in_repository(".setup/onnxruntime")).ok()?;
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    paths.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libonnxruntime.so")
    })
}

pub fn runtime_options() -> RuntimeOptions {
    RuntimeOptions {
        library: onnxruntime_library(),
        beside: None,
        log: |_, text| eprintln!("ONNX Runtime: {text}"),
        log_from: Severity::Error,
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    let sum = glib::compute_checksum_for_data(glib::ChecksumType::Sha256, bytes);
    sum.unwrap().to_string()
}

pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A frame of tightly packed pixels of three bytes, without a colour matrix.
pub fn view(format: PixelFormat, bytes: &[u8], size: Size) -> FrameView<'_> {
    let stride = 3 * size.width as usize;
    let plane = Plane { bytes, stride };
    FrameView::new(format, size, Colorimetry::BT601, &[plane]).unwrap()
}

/// The estimator with these models. With a rear model `pose` is the front model.
pub fn load(detector: &Path, pose: &Path, rear: Option<&Path>) -> HeadPoseEstimator {
    let (detector, pose) = (detector.to_path_buf(), pose.to_path_buf());
    HeadPoseEstimator::load(&Config {
        rear_model: rear.map(Path::to_path_buf),
        ..Config::new(runtime_options(), Some(detector), pose)
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

/// A picture as raw frame: tightly packed rows of `format`.
pub fn decode_picture(path: &Path, format: &str) -> (gst_video::VideoInfo, Vec<u8>) {
    let caps = format!("video/x-raw,format={format}");
    let line = format!(
        "filesrc name=file ! decodebin ! videoconvert ! {caps} ! appsink name=sink sync=false"
    );
    let pipeline = toys::launch(&line);
    let file = pipeline.by_name("file").unwrap();
    file.set_property("location", path.to_str().unwrap());
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let sample = sink
        .pull_sample()
        .unwrap_or_else(|_| panic!("cannot decode {}", path.display()));
    pipeline.set_state(gst::State::Null).unwrap();
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let buffer = sample.buffer_owned().unwrap();
    let frame = gst_video::VideoFrame::from_buffer_readable(buffer, &info).unwrap();
    let row = info.comp_pstride(0) as usize * info.width() as usize;
    let stride = frame.plane_stride()[0] as usize;
    let lines = frame.plane_data(0).unwrap().chunks(stride);
    let bytes = lines.flat_map(|line| &line[..row]).copied().collect();
    (info, bytes)
}

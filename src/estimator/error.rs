// SPDX-License-Identifier: MPL-2.0
//! The error type of the estimator, its variants grouped by where the fault is.
//!
//! Every message says what was expected, what was found and what to do.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The installation.
    #[error(
        "ONNX Runtime not found. Searched: {looked_at}. Install it (1.17 or newer; `make setup` fetches it), \
         or name the library with the property or option onnxruntime-library or the variable ORT_DYLIB_PATH"
    )]
    RuntimeMissing { looked_at: String },

    #[error(
        "cannot use {} as ONNX Runtime: expected the shared library of ONNX Runtime 1.17 or newer, {found}. \
         Name another with the property or option onnxruntime-library or the variable ORT_DYLIB_PATH", path.display()
    )]
    RuntimeUnusable { path: PathBuf, found: String },

    #[error(
        "no {role} model: none of {expected} in {looked_at}. Fetch the models with `make models`, \
         or name a file with the property {role}-model or a folder with models-dir"
    )]
    NoModel {
        role: &'static str,
        expected: String,
        looked_at: String,
    },

    // The model files.
    #[error("{role} model {}: {reason}. Check the property {role}-model", path.display())]
    ModelMissing {
        role: &'static str,
        path: PathBuf,
        reason: String,
    },

    #[error(
        "{role} model {}: expected an ONNX file that ONNX Runtime {runtime} can load, found: {found}. \
         Fetch it again or name another file", path.display()
    )]
    ModelUnreadable {
        role: &'static str,
        path: PathBuf,
        runtime: String,
        found: String,
    },

    #[error(
        "{role} model {}: expected {expected}; found {found}. \
         models/README.md lists the contracts that are understood", path.display()
    )]
    Contract {
        role: &'static str,
        path: PathBuf,
        expected: String,
        found: String,
    },

    #[error(
        "execution-provider={provider}: expected ONNX Runtime {runtime} to run it, found: {found}. Name a library \
         that was built with it (now {}) and install its drivers, or use execution-provider=auto or cpu", library.display()
    )]
    Provider {
        provider: &'static str,
        library: PathBuf,
        runtime: String,
        found: String,
    },

    // The frames.
    #[error("frame of {format} {width}x{height}: expected {expected}, found {found}")]
    Frame {
        format: String,
        width: u32,
        height: u32,
        expected: String,
        found: String,
    },

    // The run.
    #[error("inference with {} failed: {reason}", path.display())]
    Inference { path: PathBuf, reason: String },

    #[error(
        "cannot start a thread for inference: {0}. Use a smaller pipeline-depth or raise the limit of threads"
    )]
    Thread(String),

    #[error(
        "this process was forked from one that had loaded ONNX Runtime, whose threads a fork does not copy: expected \
         the process that loaded it. Fork before the first dmheadpose starts, or start a new program (exec)"
    )]
    Forked,

    /// The process runs its exit handlers; ONNX Runtime may be unloaded at any moment. Not worth reporting.
    #[error("the process is exiting, no more inference")]
    Exiting,
}

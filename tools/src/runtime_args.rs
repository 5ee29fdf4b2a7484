// SPDX-License-Identifier: MPL-2.0
//! Shared by the command-line tools: the option that names ONNX Runtime, and the default places to look for it.

use std::path::{Path, PathBuf};

use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::onnx::{Runtime, RuntimeOptions, Severity};

/// Options of every tool that runs models.
#[derive(Clone, Debug, clap::Args)]
pub struct RuntimeArgs {
    /// Shared library of ONNX Runtime, 1.17 or newer. Default: the variable ORT_DYLIB_PATH, else beside this
    /// program or the installed plugin, else the system's
    #[arg(long, global = true, value_name = "FILE", display_order = 100)]
    pub onnxruntime_library: Option<PathBuf>,
}

impl RuntimeArgs {
    /// For the estimator's `Config`. ONNX Runtime logs nothing, because its errors are returned.
    pub fn options(&self) -> RuntimeOptions {
        RuntimeOptions {
            library: self.onnxruntime_library.clone(),
            beside: beside(),
            log: |_, _| {},
            log_from: Severity::Error,
        }
    }

    /// Loads ONNX Runtime.
    ///
    /// # Errors
    /// [`Error::RuntimeMissing`] and [`Error::RuntimeUnusable`].
    pub fn load(&self) -> Result<&'static Runtime, Error> {
        Runtime::get(&self.options())
    }
}

/// The folder of this program, or that of the plugin under the same prefix if ONNX Runtime is there.
fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    let bin = program.parent()?;
    if has_library(bin) {
        return Some(bin.to_path_buf());
    }
    plugin_folders(bin)
        .into_iter()
        .find(|folder| has_library(folder))
        .or_else(|| Some(bin.to_path_buf()))
}

fn has_library(folder: &Path) -> bool {
    ["libonnxruntime.so", "libonnxruntime.so.1"]
        .iter()
        .any(|name| folder.join(name).is_file())
}

/// Where `make install` puts the plugin of a program in `bin`: lib/gstreamer-1.0, or one level deeper under
/// the machine's architecture.
fn plugin_folders(bin: &Path) -> Vec<PathBuf> {
    let Some(lib) = bin.parent().map(|prefix| prefix.join("lib")) else {
        return Vec::new();
    };
    let architectures = std::fs::read_dir(&lib).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = architectures.map(|entry| entry.path()).collect();
    folders.sort();
    folders.insert(0, lib);
    folders
        .into_iter()
        .map(|folder| folder.join("gstreamer-1.0"))
        .collect()
}

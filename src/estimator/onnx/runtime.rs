// SPDX-License-Identifier: MPL-2.0
//! Finding the library of ONNX Runtime, and the one environment of the process.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use ort::environment::Environment;
use ort::logging::LogLevel;

use super::exit;
use crate::estimator::error::Error;

/// The oldest ONNX Runtime that works, 1.x: the `api-17` feature of ort.
const OLDEST_MINOR: u32 = ort::MINOR_VERSION;

/// The first ONNX Runtime, 1.x, with a limit for how long threads spin.
const BOUNDED_SPINNING_MINOR: u32 = 26;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Debug,
    Info,
    Warning,
    Error,
}

/// Where to look for ONNX Runtime, and where its messages go. The first element of a process decides.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// This library and no other.
    pub library: Option<PathBuf>,
    /// A folder to look in before the system's: the plugin's own.
    pub beside: Option<PathBuf>,
    /// Receives messages of at least `log_from`.
    pub log: fn(Severity, &str),
    pub log_from: Severity,
}

#[derive(Debug)]
pub struct Runtime {
    pub(super) environment: Environment,
    library: PathBuf,
    version: String,
    minor: u32,
}

static RUNTIME: OnceCell<Runtime> = OnceCell::new();

impl Runtime {
    /// Loads ONNX Runtime, or returns the one that this process has loaded already, whatever `options` say.
    ///
    /// Looks at `options.library`; else the variable `ORT_DYLIB_PATH`; else `options.beside`; else where
    /// the system's loader looks.
    ///
    /// # Errors
    /// [`Error::RuntimeMissing`], [`Error::RuntimeUnusable`], [`Error::Exiting`] and [`Error::Forked`].
    pub fn get(options: &RuntimeOptions) -> Result<&'static Self, Error> {
        exit::watch_forks();
        let _pass = exit::pass()?;
        RUNTIME.get_or_try_init(|| {
            exit::close_at_exit();
            let runtime = Self::load(options);
            exit::close_at_exit();
            runtime
        })
    }

    /// The library that was loaded: a path, or a name that the system's loader found.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// As in `1.32`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether it limits how long the threads of a session spin before they sleep.
    pub(super) fn bounds_spinning(&self) -> bool {
        self.minor >= BOUNDED_SPINNING_MINOR
    }

    fn load(options: &RuntimeOptions) -> Result<Self, Error> {
        let library = find_library(options)?;
        disable_telemetry();
        let unusable = |found: String| Error::RuntimeUnusable {
            path: library.clone(),
            found,
        };
        let builder = ort::init_from(&library).map_err(|error| {
            use ort::LoadDynamicError::{BadVersion, Dlopen, MissingApi};
            unusable(match &error {
                Dlopen { error, .. } => format!("the loader says: {}", chain(error)),
                MissingApi { .. } => "found a library without OrtGetApiBase".into(),
                BadVersion { version_str, .. } => format!("found version {version_str}"),
                other => format!("found: {other}"),
            })
        })?;
        let (log, log_from) = (options.log, options.log_from);
        let environment = builder
            .with_name("dmheadpose")
            .with_telemetry(false)
            .with_logger(Arc::new(move |level, _, _, location, message| {
                let severity = severity(level);
                if severity >= log_from {
                    log(severity, &format!("{message} ({location})"));
                }
            }))
            .build()
            .map_err(|error| unusable(format!("its environment failed: {error}")))?;
        environment.set_log_level(match log_from {
            Severity::Debug => LogLevel::Verbose,
            Severity::Info => LogLevel::Info,
            Severity::Warning => LogLevel::Warning,
            Severity::Error => LogLevel::Error,
        });
        let minor = ort::util::probe(&library).unwrap_or(OLDEST_MINOR);
        Ok(Self {
            environment,
            library,
            version: format!("1.{minor}"),
            minor,
        })
    }
}

/// ONNX Runtime 1.32 collects usage data from the moment its environment is made: it keeps them in the user's
/// cache folder and sends them from a thread of its own. `with_telemetry(false)` comes too late to stop either; this
/// variable does. A value that the user has set is kept.
fn disable_telemetry() {
    const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: sound where no other thread reads the environment past Rust's lock at this moment. That is up to
        // the application, so it happens once in a process, before the first model is loaded. The C library
        // publishes the larger copy of the environment when it is complete.
        unsafe { std::env::set_var(VARIABLE, "1") };
    }
}

fn severity(level: LogLevel) -> Severity {
    match level {
        LogLevel::Verbose => Severity::Debug,
        LogLevel::Info => Severity::Info,
        LogLevel::Warning => Severity::Warning,
        LogLevel::Error | LogLevel::Fatal => Severity::Error,
    }
}

/// The messages of an error and of all its causes.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn find_library(options: &RuntimeOptions) -> Result<PathBuf, Error> {
    let named = options
        .library
        .clone()
        .or_else(|| std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from))
        .filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = named {
        // ort takes relative paths from the executable's folder; users mean the current one.
        return match std::path::absolute(&path) {
            Ok(path) if path.is_file() => Ok(path),
            _ => Err(Error::RuntimeMissing {
                looked_at: format!("{} (no such file)", path.display()),
            }),
        };
    }
    let file_names = ["libonnxruntime.so", "libonnxruntime.so.1"];
    let mut looked_at = vec![
        "the property or option onnxruntime-library (not set)".to_string(),
        "ORT_DYLIB_PATH (not set)".to_string(),
    ];
    for folder in options.beside.iter() {
        for name in file_names {
            let path = folder.join(name);
            if path.is_file() {
                return Ok(path);
            }
            looked_at.push(path.display().to_string());
        }
    }
    // Distributions ship the library under its versioned name only.
    let versioned = (OLDEST_MINOR..OLDEST_MINOR + 50).rev();
    let names = file_names
        .map(String::from)
        .into_iter()
        .chain(versioned.map(|minor| format!("libonnxruntime.so.1.{minor}")));
    for name in names {
        if ort::util::probe(&name).is_some_and(|minor| minor >= OLDEST_MINOR) {
            return Ok(PathBuf::from(name));
        }
    }
    looked_at.push("the system's libraries (libonnxruntime.so, .so.1, .so.1.*)".to_string());
    Err(Error::RuntimeMissing {
        looked_at: looked_at.join(", "),
    })
}

// SPDX-License-Identifier: MPL-2.0
//! ONNX Runtime: finding the library, the one environment of the process, and loaded models.
//!
//! The only file that knows `ort`. Three facts shape it: ort panics when it has to look for the library
//! by itself, so the path is always resolved here first; a process can build one environment, ever, so it
//! lives in a static and all elements share it; and a session may run only one inference at a time.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::{Session, SessionOutputs, builder::GraphOptimizationLevel};
use ort::value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType};

use super::error::Error;
use super::exit_gate;
pub use super::signature::{ElementType, Signature, TensorInfo};

/// The oldest ONNX Runtime that serves, 1.x: the `api-17` feature of ort.
const OLDEST_MINOR: u32 = ort::MINOR_VERSION;

/// Severity of a message of ONNX Runtime.
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
    /// Exactly this library, nothing else.
    pub library: Option<PathBuf>,
    /// A folder to look in before the system's: the plugin's own.
    pub beside: Option<PathBuf>,
    /// Receives messages of at least `log_from`.
    pub log: fn(Severity, &str),
    pub log_from: Severity,
}

/// ONNX Runtime, loaded.
#[derive(Debug)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
    version: String,
}

static RUNTIME: OnceCell<Runtime> = OnceCell::new();

impl Runtime {
    /// Loads ONNX Runtime, or gives the one that this process has loaded already, whatever `options` say.
    ///
    /// Looks at `options.library`; else the variable `ORT_DYLIB_PATH`; else `options.beside`; else where
    /// the system's loader looks.
    ///
    /// # Errors
    /// [`Error::RuntimeMissing`] and [`Error::RuntimeUnusable`].
    pub fn get(options: &RuntimeOptions) -> Result<&'static Self, Error> {
        RUNTIME.get_or_try_init(|| Self::load(options))
    }

    /// The library that was loaded: a path, or a name that the system's loader found.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// As in `1.32`.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn load(options: &RuntimeOptions) -> Result<Self, Error> {
        let library = find_library(options)?;
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
        })
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

fn tensor_info(outlet: &Outlet) -> TensorInfo {
    let (element, shape) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => (element_type(*ty), shape.to_vec()),
        _ => (ElementType::NoTensor, Vec::new()),
    };
    TensorInfo {
        name: outlet.name().to_string(),
        element,
        shape,
    }
}

fn element_type(ty: TensorElementType) -> ElementType {
    use TensorElementType as Ort;
    ElementType::Other(match ty {
        Ort::Float32 => return ElementType::Float32,
        Ort::Int64 => return ElementType::Int64,
        Ort::Float64 => "float64",
        Ort::Float16 => "float16",
        Ort::Bfloat16 => "bfloat16",
        Ort::Int32 => "int32",
        Ort::Int16 => "int16",
        Ort::Int8 => "int8",
        Ort::Uint64 => "uint64",
        Ort::Uint32 => "uint32",
        Ort::Uint16 => "uint16",
        Ort::Uint8 => "uint8",
        Ort::Bool => "bool",
        Ort::String => "string",
        _ => "a rare type",
    })
}

/// What a model is for; names it in errors and properties.
pub type Role = &'static str;

/// A loaded ONNX file, ready to run.
#[derive(Debug)]
pub struct Model {
    session: Session,
    signature: Signature,
    role: Role,
    path: PathBuf,
}

impl Model {
    /// Loads an ONNX file. `intra_op_threads` work on one operator; 0 chooses.
    ///
    /// # Errors
    /// [`Error::ModelMissing`] and [`Error::ModelUnreadable`].
    pub fn open(
        runtime: &Runtime,
        role: Role,
        path: &Path,
        intra_op_threads: usize,
    ) -> Result<Self, Error> {
        // Opening it tells a missing file, a folder and missing rights apart; ONNX Runtime does not.
        let missing = |reason: String| Error::ModelMissing {
            role,
            path: path.to_path_buf(),
            reason,
        };
        let metadata = std::fs::File::open(path).and_then(|file| file.metadata());
        match metadata {
            Err(error) => return Err(missing(error.to_string())),
            Ok(metadata) if !metadata.is_file() => return Err(missing("not a file".into())),
            Ok(_) => {}
        }
        let session = Self::session(runtime, path, intra_op_threads).map_err(|error| {
            Error::ModelUnreadable {
                role,
                path: path.to_path_buf(),
                runtime: runtime.version.clone(),
                found: error,
            }
        })?;
        let info = |outlets: &[Outlet]| outlets.iter().map(tensor_info).collect();
        let signature = Signature {
            inputs: info(session.inputs()),
            outputs: info(session.outputs()),
        };
        Ok(Self {
            session,
            signature,
            role,
            path: path.to_path_buf(),
        })
    }

    fn session(runtime: &Runtime, path: &Path, intra_op_threads: usize) -> Result<Session, String> {
        let threads = match intra_op_threads {
            // More than a few threads gain little on networks this small and take cores from the rest.
            0 => std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
            n => n,
        };
        fn text<T>(error: ort::Error<T>) -> String {
            error.to_string()
        }
        let mut builder = Session::builder(&runtime.environment)
            .map_err(text)?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(text)?
            .with_intra_threads(threads)
            .map_err(text)?
            // Spinning threads of one session starve the other one, and everything else.
            .with_intra_op_spinning(false)
            .map_err(text)?
            .with_inter_threads(1)
            .map_err(text)?;
        builder.commit_from_file(path).map_err(text)
    }

    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error of a file that keeps another contract than `expected`.
    pub fn contract_error(&self, expected: impl Into<String>) -> Error {
        Error::Contract {
            role: self.role,
            path: self.path.clone(),
            expected: expected.into(),
            found: self.signature.to_string(),
        }
    }

    /// The error of a run whose output breaks the contract.
    pub fn output_error(&self, reason: impl Into<String>) -> Error {
        Error::Inference {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }

    /// Runs the graph on one float32 input and lets `read` see the outputs.
    ///
    /// # Errors
    /// [`Error::Inference`], what `read` returns, and [`Error::Exiting`].
    pub fn run<R>(
        &mut self,
        shape: &[i64],
        input: &[f32],
        read: impl FnOnce(&Outputs<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let _gate = exit_gate::pass()?;
        let path = &self.path;
        let failed = |error: ort::Error| Error::Inference {
            path: path.clone(),
            reason: error.to_string(),
        };
        let input = TensorRef::from_array_view((shape, input)).map_err(failed)?;
        let values = self.session.run(ort::inputs![input]).map_err(failed)?;
        exit_gate::close_at_exit();
        read(&Outputs { values, path })
    }
}

/// The output tensors of one run.
pub struct Outputs<'a> {
    values: SessionOutputs<'a>,
    path: &'a Path,
}

impl Outputs<'_> {
    /// Shape and values of float32 output number `index`.
    ///
    /// # Errors
    /// [`Error::Inference`] when there is no such output.
    pub fn float32(&self, index: usize) -> Result<(&[i64], &[f32]), Error> {
        self.tensor(index)
    }

    /// Shape and values of int64 output number `index`.
    ///
    /// # Errors
    /// [`Error::Inference`] when there is no such output.
    pub fn int64(&self, index: usize) -> Result<(&[i64], &[i64]), Error> {
        self.tensor(index)
    }

    /// The error of an output that has another number of values than its signature promised.
    pub fn wrong_count(&self, index: usize, expected: usize, found: usize) -> Error {
        Error::Inference {
            path: self.path.to_path_buf(),
            reason: format!("output {index}: expected {expected} values, found {found}"),
        }
    }

    fn tensor<T: ort::value::PrimitiveTensorElementType>(
        &self,
        index: usize,
    ) -> Result<(&[i64], &[T]), Error> {
        let failed = |reason: String| Error::Inference {
            path: self.path.to_path_buf(),
            reason: format!("output {index}: {reason}"),
        };
        if index >= self.values.len() {
            return Err(failed("missing".into()));
        }
        let value: &DynValue = &self.values[index];
        let (shape, values) = value
            .try_extract_tensor::<T>()
            .map_err(|error| failed(error.to_string()))?;
        Ok((shape, values))
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Loaded models: an ONNX file, its signature, and runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session as OrtSession, SessionOutputs};
use ort::value::{Outlet, PrimitiveTensorElementType, TensorElementType, ValueType};

use super::exit;
use super::hints::Hints;
use super::options::SessionOptions;
use super::pool::{self, Loaded, Pool};
use super::provider::ExecutionProvider;
use super::runtime::Runtime;
use super::session::Session;
use super::signature::{ElementType, Signature, TensorInfo};
use crate::estimator::error::Error;
use crate::sync::lock;

/// How long an idle thread spins before it sleeps. Waking a sleeping one takes about as long, many times in each run,
/// so a network with two threads is done a sixth sooner, with less processor time. Threads that
/// spin for longer, or between the runs, starve other sessions and everything else.
const SPIN_MICROSECONDS: &str = "20";

/// What a model is for; names it in errors and properties.
pub type Role = &'static str;

#[derive(Debug)]
pub struct Model {
    pool: Arc<Pool>,
    role: Role,
    path: PathBuf,
    /// It is the first of its file in this process, and has not run yet.
    is_new: bool,
}

impl Model {
    /// Loads an ONNX file.
    ///
    /// # Errors
    /// [`Error::ModelMissing`], [`Error::ModelUnreadable`], [`Error::Provider`], [`Error::Exiting`] and
    /// [`Error::Forked`].
    pub fn open(
        runtime: &Runtime,
        role: Role,
        path: &Path,
        options: &SessionOptions,
    ) -> Result<Self, Error> {
        let missing = |reason: String| Error::ModelMissing {
            role,
            path: path.to_path_buf(),
            reason,
        };
        let failed = |error: std::io::Error| missing(error.to_string());
        // ONNX Runtime does not distinguish missing files, folders and missing rights. Opening a FIFO would wait for
        // its writer, so the kind of file is checked first.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(missing("not a regular file".into()));
        }
        std::fs::File::open(path).map_err(failed)?;
        let _pass = exit::pass()?;
        let load = || load(runtime, role, path, options);
        let pool = match options.share {
            true => pool::shared(path, options, load)?,
            false => Arc::new(Pool::new(load()?)),
        };
        let is_new = is_new(path, pool.provider);
        if is_new {
            exit::close_at_exit();
        }
        Ok(Self {
            pool,
            role,
            path: path.to_path_buf(),
            is_new,
        })
    }

    pub fn signature(&self) -> &Signature {
        &self.pool.signature
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn provider(&self) -> ExecutionProvider {
        self.pool.provider
    }

    /// How many models use its sessions, itself included.
    pub fn shared_by(&self) -> usize {
        Arc::strong_count(&self.pool)
    }

    /// The error of a file whose contract is not the `expected` one.
    pub fn contract_error(&self, expected: impl Into<String>) -> Error {
        Error::Contract {
            role: self.role,
            path: self.path.clone(),
            expected: expected.into(),
            found: self.signature().to_string(),
        }
    }

    /// The error of a run whose output breaks the contract.
    pub fn output_error(&self, reason: impl Into<String>) -> Error {
        inference_error(&self.path, reason)
    }

    /// Resizes an input to `values` values.
    ///
    /// # Errors
    /// [`Error::Inference`] where there is no memory for it.
    pub fn make_room(&self, input: &mut Vec<f32>, values: Option<usize>) -> Result<(), Error> {
        let too_large = || self.output_error("its input is larger than the address space");
        let values = values.ok_or_else(too_large)?;
        let more = values.saturating_sub(input.len());
        input.try_reserve_exact(more).map_err(|_| {
            let what = format!("cannot allocate an input of {values} float32 values");
            self.output_error(what)
        })?;
        input.resize(values, 0.0);
        Ok(())
    }

    /// Runs the graph on one float32 input and lets `read` see the outputs.
    ///
    /// # Errors
    /// [`Error::Inference`], what `read` returns, [`Error::Exiting`] and [`Error::Forked`].
    pub fn run<R>(
        &mut self,
        shape: &[i64],
        input: &[f32],
        read: impl FnOnce(&Outputs<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        if exit::is_forked() {
            // A session that the parent had on loan will not come back here.
            return Err(Error::Forked);
        }
        let mut lent = self.pool.lend();
        let path = &self.path;
        let session = lent
            .session()
            .ok_or_else(|| inference_error(path, "no session"))?;
        // Taken after the wait for a session, which must not delay an exit.
        let _pass = exit::pass()?;
        let outputs = session
            .run(shape, input)
            .map_err(|error| inference_error(path, error.to_string()))?;
        if std::mem::take(&mut self.is_new) {
            exit::close_at_exit();
        }
        // Freed before the pass, as it is declared later.
        let outputs = Outputs { outputs, path };
        read(&outputs)
    }
}

/// Whether no model of this file was opened before, to be run by this provider.
fn is_new(path: &Path, provider: ExecutionProvider) -> bool {
    static SEEN: Mutex<Vec<(PathBuf, ExecutionProvider)>> = Mutex::new(Vec::new());
    let mut seen = lock(&SEEN);
    let is_new = !seen
        .iter()
        .any(|known| known.0 == path && known.1 == provider);
    if is_new {
        seen.push((path.to_path_buf(), provider));
    }
    is_new
}

fn inference_error(path: &Path, reason: impl Into<String>) -> Error {
    Error::Inference {
        path: path.to_path_buf(),
        reason: reason.into(),
    }
}

fn load(
    runtime: &Runtime,
    role: Role,
    path: &Path,
    options: &SessionOptions,
) -> Result<Loaded, Error> {
    let unreadable = |found: String| Error::ModelUnreadable {
        role,
        path: path.to_path_buf(),
        runtime: runtime.version().to_string(),
        found,
    };
    let builder = || builder(runtime, options).map_err(|error| unreadable(error.to_string()));
    let is_usable =
        |provider| builder().is_ok_and(|builder| with_provider(builder, provider, options).is_ok());
    let provider = match options.provider {
        ExecutionProvider::Auto if is_usable(ExecutionProvider::Cuda) => ExecutionProvider::Cuda,
        ExecutionProvider::Auto => ExecutionProvider::Cpu,
        named => named,
    };
    let mut builder =
        with_provider(builder()?, provider, options).map_err(|found| Error::Provider {
            provider: provider.name(),
            library: runtime.library().to_path_buf(),
            runtime: runtime.version().to_string(),
            found,
        })?;
    let session = builder
        .commit_from_file(path)
        .map_err(|error| unreadable(error.to_string()))?;
    let info = |outlets: &[Outlet]| outlets.iter().map(tensor_info).collect();
    let metadata = session.metadata().ok();
    let names = metadata.and_then(|metadata| metadata.custom("names"));
    let signature = Signature {
        inputs: info(session.inputs()),
        outputs: info(session.outputs()),
        hints: Hints::new(path, names.as_deref()),
    };
    Ok(Loaded {
        session: Session::new(session),
        signature,
        provider,
    })
}

fn builder(runtime: &Runtime, options: &SessionOptions) -> Result<SessionBuilder, ort::Error> {
    let threads = options.threads();
    let spins = threads > 1 && runtime.bounds_spinning();
    Ok(OrtSession::builder(&runtime.environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?
        .with_intra_op_spinning(spins)?
        .with_config_entry("session.intra_op.spin_duration_us", SPIN_MICROSECONDS)?
        .with_config_entry("session.force_spinning_stop", "1")?
        .with_inter_threads(1)?)
}

/// Registers the provider; the error says what is wrong with it.
fn with_provider(
    builder: SessionBuilder,
    provider: ExecutionProvider,
    options: &SessionOptions,
) -> Result<SessionBuilder, String> {
    provider.check_available()?;
    match provider.dispatch(options.device, options.cache.as_deref()) {
        Some(dispatch) => builder
            .with_execution_providers([dispatch])
            .map_err(|error| error.to_string()),
        None => Ok(builder),
    }
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
        Ort::Int32 => return ElementType::Int32,
        Ort::Int64 => return ElementType::Int64,
        Ort::Float64 => "float64",
        Ort::Float16 => "float16",
        Ort::Bfloat16 => "bfloat16",
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

pub struct Outputs<'a> {
    outputs: SessionOutputs<'a>,
    path: &'a Path,
}

impl Outputs<'_> {
    /// The error of an output that has another number of values than its signature promised.
    pub fn wrong_count(&self, index: usize, expected: usize, found: usize) -> Error {
        inference_error(
            self.path,
            format!("output {index}: expected {expected} values, found {found}"),
        )
    }

    /// The values of output number `index`.
    ///
    /// # Errors
    /// [`Error::Inference`] when there is no such output, or when it is of another type.
    pub fn values<T: PrimitiveTensorElementType>(&self, index: usize) -> Result<&[T], Error> {
        let failed =
            |reason: String| inference_error(self.path, format!("output {index}: {reason}"));
        if index >= self.outputs.len() {
            return Err(failed("missing".into()));
        }
        let tensor = self.outputs[index].try_extract_tensor();
        let (_, values) = tensor.map_err(|error| failed(error.to_string()))?;
        Ok(values)
    }
}

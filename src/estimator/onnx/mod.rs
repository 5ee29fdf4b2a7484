// SPDX-License-Identifier: MPL-2.0
//! ONNX Runtime: the library, loaded models and their runs.
//!
//! The only folder that knows `ort`. Three facts shape it: ort panics when it has to look for the library
//! by itself, so the path is always resolved here first; a process can build one environment, ever, so it
//! lives in a static and all elements share it; and a session may run only one inference at a time.

pub(super) mod exit;
mod hints;
mod model;
pub(super) mod nearest;
mod options;
mod pool;
pub(crate) mod provider;
mod runtime;
mod session;
pub mod signature;

pub use hints::Hints;
pub use model::{Model, Outputs, Role};
pub use options::SessionOptions;
pub use provider::ExecutionProvider;
pub use runtime::{Runtime, RuntimeOptions, Severity};
pub use signature::{ElementType, Signature, TensorInfo};

// SPDX-License-Identifier: MPL-2.0
//! One loaded graph, which is not freed once ONNX Runtime may be gone.

use ort::session::{Session as OrtSession, SessionOutputs};
use ort::value::TensorRef;

use super::exit::{self, Pass};

/// A loaded graph. It may run one inference at a time: hence `&mut self`.
#[derive(Debug)]
pub(super) struct Session {
    session: OrtSession,
    /// Set while it is dropped. The last field, so that it outlives the session.
    leaving: Option<Pass>,
}

impl Session {
    pub fn new(session: OrtSession) -> Self {
        Self {
            session,
            leaving: None,
        }
    }

    /// Runs the graph on one float32 tensor. The caller holds a [`Pass`] for as long as the outputs live.
    pub fn run(&mut self, shape: &[i64], input: &[f32]) -> Result<SessionOutputs<'_>, ort::Error> {
        let tensor = TensorRef::from_array_view((shape, input))?;
        self.session.run([tensor.into()])
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leaving = exit::pass().ok();
        if self.leaving.is_none() {
            // ONNX Runtime may be unloaded already; or this is a forked child, where the session would wait for
            // threads that do not exist.
            std::mem::forget(self.session.inner());
        }
    }
}

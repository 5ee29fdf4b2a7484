// SPDX-License-Identifier: MPL-2.0
//! How a model is loaded and run.

use std::path::PathBuf;

use super::provider::ExecutionProvider;

/// How a model is run. Sessions are shared among models with the same file and options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// Threads that work on one operator; 0 chooses.
    pub intra_op_threads: usize,
    pub provider: ExecutionProvider,
    /// Index of the provider's device.
    pub device: u32,
    /// Folder where providers that compile the graph for their device keep the result.
    pub cache: Option<PathBuf>,
    /// Share a few sessions with all other models of this process that ask for the same.
    pub share: bool,
}

impl SessionOptions {
    /// The number of threads, chosen if it was left open.
    pub fn threads(&self) -> usize {
        match self.intra_op_threads {
            // More than a few threads gain little on networks this small and take cores from the rest.
            0 => std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
            n => n,
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! What the signature of a pose model says, without running it.

use super::super::geometry::Size;
use super::super::image::tensor::PixelEncoding;
use super::super::onnx::Signature;
use super::families::{self, PoseFamily};

/// The contract that a signature meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseContract {
    /// As the property `pose-family` spells it.
    pub family: &'static str,
    pub input_size: Size,
    pub encoding: PixelEncoding,
    /// Set where the graph takes exactly so many crops.
    pub fixed_batch: Option<usize>,
    /// Columns of yaw, pitch and roll in an output of DMHead's kind.
    pub columns: Option<[usize; 3]>,
}

impl PoseContract {
    /// Recognises a signature as [`PoseModel::new`](super::PoseModel::new) does.
    ///
    /// # Errors
    /// The signatures that were expected.
    pub fn recognise(signature: &Signature, wanted: PoseFamily) -> Result<Self, String> {
        let found = families::recognise(signature, wanted)?;
        let input = found.input;
        Ok(Self {
            family: found.name,
            input_size: input.size,
            encoding: input.encoding,
            fixed_batch: input.fixed_batch,
            columns: found.family.columns(),
        })
    }
}

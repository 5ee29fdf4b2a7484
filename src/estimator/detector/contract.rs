// SPDX-License-Identifier: MPL-2.0
//! What the signature of a detector says, without running it.

use super::super::geometry::Size;
use super::super::image::tensor::PixelEncoding;
use super::super::onnx::Signature;
use super::families::{self, DetectorFamily};
use super::family::Scaling;

/// The contract that a signature meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectorContract {
    /// As the property `detector-family` spells it.
    pub family: &'static str,
    /// `None`: any multiple of 32 both ways.
    pub input_size: Option<Size>,
    pub encoding: PixelEncoding,
    pub scaling: Scaling,
    pub score_threshold: f32,
}

impl DetectorContract {
    /// Recognises a signature as [`Detector::new`](super::Detector::new) does.
    ///
    /// # Errors
    /// The signatures that were expected.
    pub fn recognise(signature: &Signature, wanted: DetectorFamily) -> Result<Self, String> {
        let found = families::recognise(signature, wanted)?;
        let input = found.input;
        Ok(Self {
            family: found.name,
            input_size: input.size,
            encoding: input.encoding,
            scaling: input.scaling,
            score_threshold: found.contract.score_threshold,
        })
    }
}

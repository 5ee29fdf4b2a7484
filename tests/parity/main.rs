// SPDX-License-Identifier: MPL-2.0
//! Parity: from the same picture the plugin's results match those of an independent program made of OpenCV, ONNX
//! Runtime and Python. `tests/reference/README.md` says where the values come from.
//!
//! - [`fetched`]: pictures and models that the set-up fetches, reference values in `tests/reference`.
//! - [`large`]: more pictures with more models in your own folder, only if one is given.
//! - [`element`]: the element attaches the estimator's results.

#[path = "../common/mod.rs"]
mod common;

mod changes;
mod element;
mod estimate;
mod fetched;
mod large;
mod resize;
mod whenet_keras;
mod yuv;

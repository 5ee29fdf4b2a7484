// SPDX-License-Identifier: MPL-2.0
//! Parity: from the same picture the plugin finds what an independent program found, which OpenCV, ONNX
//! Runtime and Python made up. `tests/reference/README.md` tells where the values come from.
//!
//! - [`fetched`]: pictures and models that the set-up fetches, reference values in `tests/reference`.
//! - [`large`]: more pictures with more models in a folder of your own, only where one is given.
//! - [`element`]: what the estimator says is what the element attaches.

#[path = "../common/mod.rs"]
mod common;

mod changes;
mod element;
mod estimate;
mod fetched;
mod large;
mod resize;
mod scaled_pictures;
mod whenet_keras;
mod yuv;

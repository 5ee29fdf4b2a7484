// SPDX-License-Identifier: MPL-2.0
//! Pixels: from a video frame to the input of a network.

pub mod frame;
mod kernels;
mod pixels;
pub mod preprocess;
pub mod resize;
pub(super) mod scene;
pub mod tensor;
mod yuv;

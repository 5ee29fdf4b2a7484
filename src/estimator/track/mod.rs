// SPDX-License-Identifier: MPL-2.0
//! Following heads from frame to frame.

mod hungarian;
mod kalman;
pub mod one_euro;
pub(super) mod side;
pub(super) mod time;
// The file is named after its type, the folder after what it does.
#[expect(clippy::module_inception)]
pub mod track;
pub mod tracker;

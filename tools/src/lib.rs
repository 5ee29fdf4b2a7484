// SPDX-License-Identifier: MPL-2.0
//! The options that the command-line tools share.

pub mod family_args;
pub mod runtime_args;

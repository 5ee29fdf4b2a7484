// SPDX-License-Identifier: MPL-2.0
//! The documents agree with the elements, and the examples run.

#[path = "../common/mod.rs"]
mod common;

mod examples;
mod property_reference;

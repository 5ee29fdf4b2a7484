// SPDX-License-Identifier: MPL-2.0
//! The documents say what the elements do, and the examples run.

#[path = "../common/mod.rs"]
mod common;

mod examples;
mod links;
mod property_reference;

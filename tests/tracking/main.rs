// SPDX-License-Identifier: MPL-2.0
//! Heads over time: their numbers and their smoothed poses.

#[path = "../common/mod.rs"]
mod common;

mod numbers;
mod scenes;
mod smoothing;
mod switches;

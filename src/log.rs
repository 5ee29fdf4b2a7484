// SPDX-License-Identifier: MPL-2.0
//! Categories of GStreamer's debug log.

use std::sync::LazyLock;

/// A category, which is registered when it is first used.
pub(crate) type Category = LazyLock<gst::DebugCategory>;

pub(crate) fn category(name: &str, about: &str) -> gst::DebugCategory {
    gst::DebugCategory::new(name, gst::DebugColorFlags::empty(), Some(about))
}

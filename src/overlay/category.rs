// SPDX-License-Identifier: MPL-2.0
//! The debug category of drawing.

use std::sync::LazyLock;

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "dmheadposedraw",
        gst::DebugColorFlags::empty(),
        Some("Drawing of head poses: options, and whether downstream draws"),
    )
});

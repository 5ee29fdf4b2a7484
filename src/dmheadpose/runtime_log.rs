// SPDX-License-Identifier: MPL-2.0
//! ONNX Runtime's messages in GStreamer's log, category `dmheadpose-ort`.

use std::sync::LazyLock;

use crate::estimator::onnx::Severity;

static ORT_CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "dmheadpose-ort",
        gst::DebugColorFlags::empty(),
        Some("Messages of ONNX Runtime"),
    )
});

/// ONNX Runtime has one logger a process, so its messages belong to no element.
pub(super) fn log(severity: Severity, message: &str) {
    match severity {
        Severity::Debug => gst::debug!(ORT_CAT, "{message}"),
        Severity::Info => gst::info!(ORT_CAT, "{message}"),
        Severity::Warning => gst::warning!(ORT_CAT, "{message}"),
        Severity::Error => gst::error!(ORT_CAT, "{message}"),
    }
}

/// The least severity of ONNX Runtime's messages that the category shows.
pub(super) fn severity() -> Severity {
    match ORT_CAT.threshold() {
        level if level >= gst::DebugLevel::Debug => Severity::Debug,
        gst::DebugLevel::Info => Severity::Info,
        gst::DebugLevel::Warning | gst::DebugLevel::Fixme => Severity::Warning,
        _ => Severity::Error,
    }
}

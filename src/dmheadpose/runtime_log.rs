// SPDX-License-Identifier: MPL-2.0
//! ONNX Runtime's messages in GStreamer's log, category `dmheadpose-ort`.

use crate::estimator::onnx::Severity;
use crate::log::{Category, category};

static ORT_CAT: Category = Category::new(|| category("dmheadpose-ort", "Messages of ONNX Runtime"));

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

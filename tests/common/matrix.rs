// SPDX-License-Identifier: MPL-2.0
//! The matrix transform of GStreamer 1.28, which older versions lack. Also part of the tests in src/headposemeta.

use gst::glib;

pub struct Matrix(pub gst_video::ffi::GstVideoMetaTransformMatrix);

// SAFETY: quark and layout are those that GStreamer documents for the matrix transform.
unsafe impl gst::meta::MetaTransform for Matrix {
    type GLibType = gst_video::ffi::GstVideoMetaTransformMatrix;

    fn quark() -> glib::Quark {
        glib::Quark::from_str("gst-video-matrix")
    }

    fn as_ptr(&self) -> *const Self::GLibType {
        &self.0
    }
}

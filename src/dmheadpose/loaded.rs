// SPDX-License-Identifier: MPL-2.0
//! The loaded models as `stats`, `active-provider` and the log describe them, and the latency that they cause.

use gst::prelude::*;

use crate::estimator::HeadPoseEstimator;
use crate::estimator::detector::Detector;

/// Duration of a frame where the caps have no frame rate.
const FRAME_TIME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

/// The loaded models, and how frames are inferred.
pub(super) struct Loaded {
    pub detector_model: Option<String>,
    pub pose_model: String,
    pub rear_model: Option<String>,
    pub families: String,
    pub onnxruntime: String,
    pub provider: &'static str,
    /// Frames in flight.
    pub depth: usize,
    /// No frame waits for its inference.
    pub is_async: bool,
    pub frame_duration: gst::ClockTime,
}

impl Loaded {
    pub fn new(estimator: &HeadPoseEstimator) -> Self {
        let (detector, pose) = (estimator.detector(), estimator.pose());
        let runtime = estimator.runtime();
        Self {
            detector_model: detector.map(|detector| detector.path().display().to_string()),
            pose_model: pose.front().path().display().to_string(),
            rear_model: pose.rear().map(|rear| rear.path().display().to_string()),
            families: format!(
                "{} detector, {} pose model",
                detector.map_or("no", Detector::family),
                pose.front().family()
            ),
            onnxruntime: format!("{} {}", runtime.version(), runtime.library().display()),
            provider: pose.front().provider().name(),
            depth: 1,
            is_async: false,
            frame_duration: FRAME_TIME,
        }
    }

    /// How long a buffer waits: for the frames in flight after it, or, with `when-late=hold`, for its inference.
    pub fn latency(&self, holds: bool) -> gst::ClockTime {
        let frames = match self.depth as u64 - 1 {
            0 => u64::from(holds && !self.is_async),
            frames => frames,
        };
        self.frame_duration.saturating_mul(frames)
    }

    /// How many buffers the element still has when the next one comes.
    pub fn kept(&self, holds: bool) -> u32 {
        match u32::try_from(self.depth).unwrap_or(u32::MAX) {
            0 | 1 => u32::from(holds || self.is_async),
            depth => depth - 1,
        }
    }
}

pub(super) fn frame_duration(info: &gst_video::VideoInfo) -> gst::ClockTime {
    let fps = info.fps();
    let (numer, denom) = (u64::try_from(fps.numer()), u64::try_from(fps.denom()));
    match (numer, denom) {
        (Ok(numer), Ok(denom)) if numer > 0 => gst::ClockTime::SECOND
            .mul_div_ceil(denom, numer)
            .unwrap_or(FRAME_TIME),
        _ => FRAME_TIME,
    }
}

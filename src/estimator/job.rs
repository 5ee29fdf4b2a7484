// SPDX-License-Identifier: MPL-2.0
//! One frame on its way from pixels to heads.

use std::time::Duration;

use super::detector::Detection;
use super::pose::fusion::Pose;
use super::target::Target;
use super::{Found, Settings};

/// What is to be done with a frame, and what was found in it so far. Reused for later frames, so that no frame
/// allocates.
#[derive(Debug, Default)]
pub(super) struct FrameJob {
    pub time: Option<Duration>,
    pub settings: Settings,
    /// From 1, in the order of the frames.
    pub number: u64,
    /// Number of the first frame of its shot: heads are not followed from one shot into the next.
    pub shot: u64,
    /// Its boxes are new: from the detector, or known from elsewhere. Otherwise they are predicted.
    pub detect: bool,
    pub detections: Vec<Detection>,
    /// The heads to estimate.
    pub targets: Vec<Target>,
    /// Those of them whose pose is due.
    pub due: Vec<Target>,
    /// The answers for those.
    pub poses: Vec<Pose>,
    pub found: Found,
}

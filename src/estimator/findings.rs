// SPDX-License-Identifier: MPL-2.0
//! What is found in one frame, on its way from the detector's boxes to poses.

use super::StageTimes;
use super::detector::Detection;
use super::pose::fusion::Pose;
use super::target::Target;

/// What was found in one frame so far. Used again for the next, so that nothing is allocated for a frame.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub detections: Vec<Detection>,
    /// The heads to estimate.
    pub targets: Vec<Target>,
    /// Those of them whose pose is due.
    pub due: Vec<Target>,
    /// The answers for those.
    pub poses: Vec<Pose>,
    /// How many heads the front model looked at.
    pub front_runs: usize,
    pub times: StageTimes,
}

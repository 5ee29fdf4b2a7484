// SPDX-License-Identifier: MPL-2.0
//! The property `stats`: counters, and how long the stages of the last frames took.

use std::collections::VecDeque;

use super::deadline::{Decision, Why};
use crate::estimator::{Found, StageTimes};

/// Percentiles are those of this many frames.
const WINDOW: usize = 256;

/// Durations of one stage in the last frames, in nanoseconds.
#[derive(Debug, Default)]
struct Durations(VecDeque<u64>);

impl Durations {
    fn push(&mut self, duration: std::time::Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(nanos);
    }

    /// The smallest duration that `percent` of the frames did not exceed; 0 without frames.
    fn percentile(&self, percent: usize) -> u64 {
        let mut sorted: Vec<_> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// Counted since the element was started.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub frames: u64,
    pub inferred: u64,
    /// Inferred frames whose boxes were not predicted.
    pub detected: u64,
    /// GAP buffers without a picture.
    pub gaps: u64,
    pub heads: u64,
    /// Frames that carry the last result, or none if there is none yet.
    pub held: u64,
    /// Held because they would have been late.
    pub late: u64,
    /// Held because an earlier frame was still in inference.
    pub busy: u64,
    /// Held because the inference failed.
    pub errors: u64,
    /// Heads that the front model ran on.
    pub front_runs: u64,
    stages: [Durations; STAGES.len()],
}

const STAGES: [&str; 6] = [
    "detector-input",
    "detector",
    "crops",
    "pose",
    "overlay",
    "total",
];

impl Stats {
    /// Counts what was decided about a frame.
    pub fn count(&mut self, decision: Decision) {
        match decision {
            Decision::Infer(_) => {}
            Decision::Hold(Why::Late) => self.late += 1,
            Decision::Hold(Why::Busy) => self.busy += 1,
            Decision::Pass => self.gaps += 1,
        }
    }

    /// Adds an inferred frame with this many heads; `overlay` is how long drawing took.
    pub fn add(&mut self, heads: usize, found: &Found, overlay: std::time::Duration) {
        self.inferred += 1;
        self.detected += u64::from(found.detected);
        self.heads += heads as u64;
        self.front_runs += found.front_runs as u64;
        let StageTimes {
            detector_input,
            detector,
            crops,
            pose,
        } = found.times;
        let total = detector_input + detector + crops + pose + overlay;
        let durations = [detector_input, detector, crops, pose, overlay, total];
        for (stage, duration) in self.stages.iter_mut().zip(durations) {
            stage.push(duration);
        }
    }

    /// The counters, and `<stage>-p50` and `<stage>-p95` in nanoseconds.
    pub fn to_structure(&self) -> gst::Structure {
        let mut structure = gst::Structure::builder("dmheadpose-stats")
            .field("frames", self.frames)
            .field("inferred", self.inferred)
            .field("detected", self.detected)
            .field("gaps", self.gaps)
            .field("heads", self.heads)
            .field("held", self.held)
            .field("held-late", self.late)
            .field("held-busy", self.busy)
            .field("held-error", self.errors)
            .field("front-runs", self.front_runs)
            .build();
        for (name, durations) in STAGES.iter().zip(&self.stages) {
            structure.set(format!("{name}-p50"), durations.percentile(50));
            structure.set(format!("{name}-p95"), durations.percentile(95));
        }
        structure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn percentiles_of_the_last_frames() {
        let mut durations = Durations::default();
        assert_eq!(durations.percentile(50), 0);
        for n in 1..=100 {
            durations.push(Duration::from_nanos(n));
        }
        assert_eq!(
            (durations.percentile(50), durations.percentile(95)),
            (50, 95)
        );
        for _ in 0..WINDOW {
            durations.push(Duration::from_nanos(7));
        }
        assert_eq!((durations.percentile(50), durations.percentile(95)), (7, 7));
        assert_eq!(durations.0.len(), WINDOW);
    }
}

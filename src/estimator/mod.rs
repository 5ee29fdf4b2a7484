// SPDX-License-Identifier: MPL-2.0
//! From a video frame to heads with their pose. Pure Rust: nothing in here knows GStreamer.
//!
//! The way of a frame: `StreamState::begin` decides whether it is detected or predicted; `Networks::run` runs the
//! detector, lets `StreamState::follow` match the boxes with the tracks and choose what is due, and runs the pose models
//! on the crops in one batch; `StreamState::finish` makes [`Head`]s of the poses. A `FrameJob` carries what is known of
//! the frame from one step to the next.
//!
//! [`HeadPoseEstimator`] goes this way in the caller's thread. [`Workers`](workers::Workers) do so for several frames
//! at once, in threads of their own.

pub mod angles;
pub mod catalog;
mod choices;
pub mod detector;
pub mod error;
pub mod geometry;
pub mod image;
mod job;
mod networks;
pub mod notes;
pub mod onnx;
mod pace;
pub mod pose;
mod stream;
mod target;
pub mod track;
mod types;
pub mod workers;

use std::time::Duration;

use detector::{Detection, Detector};
use error::Error;
use image::frame::FrameView;
use job::FrameJob;
use networks::Networks;
use onnx::Runtime;
pub use onnx::exit::close_with_main_thread;
pub(crate) use onnx::exit::is_forked;
use pose::fusion::PoseEstimator;
use stream::StreamState;
pub use types::{Config, Found, Head, Settings, StageTimes};

/// Finds heads in frames and estimates their pose, one frame after the other.
#[derive(Debug)]
pub struct HeadPoseEstimator {
    networks: Networks,
    stream: StreamState,
    job: FrameJob,
}

impl HeadPoseEstimator {
    /// Loads ONNX Runtime and the models, checks their contracts and runs each once.
    ///
    /// # Errors
    /// Whatever is wrong with the library or the models; see [`Error`].
    pub fn load(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            networks: Networks::load(config)?,
            stream: StreamState::new(),
            job: FrameJob::default(),
        })
    }

    /// The heads of `frame`, in the detector's order; boxes in the frame's pixels. `time` is the frame's
    /// stream time, for tracking.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn process(
        &mut self,
        frame: &FrameView<'_>,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        self.run(frame, None, time, settings)
    }

    /// The poses of heads that are known already: `known` takes the place of what the detector finds. Like
    /// the detector's, boxes are cut to the frame, get their margins, and are left out where nothing of them
    /// remains.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn estimate(
        &mut self,
        frame: &FrameView<'_>,
        known: &[Detection],
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        self.run(frame, Some(known), time, settings)
    }

    /// Either of them.
    pub(crate) fn run(
        &mut self,
        frame: &FrameView<'_>,
        known: Option<&[Detection]>,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<&[Head], Error> {
        let Self {
            networks,
            stream,
            job,
        } = self;
        (job.time, job.settings) = (time, *settings);
        stream.begin(job, Some(frame), known.is_some());
        if let Err(error) = networks.run(job, frame, known, |act| act(stream)) {
            stream.fail(job);
            return Err(error);
        }
        stream.finish(job);
        Ok(&job.found.heads)
    }

    /// What was found in the last frame.
    pub fn found(&self) -> &Found {
        &self.job.found
    }

    /// What was found in the last frame, with its heads.
    pub fn take_found(&mut self) -> Found {
        std::mem::take(&mut self.job.found)
    }

    /// Begins a new shot with the next frame, which has none of the heads before: the stream jumps, as by a seek.
    pub fn cut(&mut self) {
        self.stream.pace.cut();
    }

    pub fn runtime(&self) -> &'static Runtime {
        self.networks.runtime
    }

    /// `None` where the boxes always come from elsewhere.
    pub fn detector(&self) -> Option<&Detector> {
        self.networks.detector.as_ref()
    }

    pub fn pose(&self) -> &PoseEstimator {
        &self.networks.pose
    }
}

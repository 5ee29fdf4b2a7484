// SPDX-License-Identifier: MPL-2.0
//! What one frame in flight needs: the networks and all scratch memory.

use std::time::Instant;

use super::detector::{Detection, Detector};
use super::error::Error;
use super::frame::FrameView;
use super::pose::fusion::{Pose, PoseEstimator};
use super::pose::{PoseFamily, PoseModel};
use super::resize::Resizer;
use super::runtime::{Model, Role, Runtime};
use super::scene::Plan;
use super::target::Target;
use super::{Config, Settings, StageTimes};

/// Networks, their inputs, and what they found in one frame.
#[derive(Debug)]
pub(super) struct Inference {
    runtime: &'static Runtime,
    detector: Option<Detector>,
    pose: PoseEstimator,
    resizer: Resizer,
    pub detections: Vec<Detection>,
    /// The heads to estimate.
    pub targets: Vec<Target>,
    /// Those of them whose pose is due.
    due: Vec<Target>,
    /// The answers for those.
    pub poses: Vec<Pose>,
    times: StageTimes,
}

impl Inference {
    /// Loads ONNX Runtime and the models, checks their contracts and runs each once.
    ///
    /// # Errors
    /// Whatever is wrong with the library or the models; see [`Error`].
    pub fn load(config: &Config) -> Result<Self, Error> {
        let runtime = Runtime::get(&config.runtime)?;
        let open = |role: Role, path| Model::open(runtime, role, path, &config.session);
        let detector = match &config.detector_model {
            Some(path) => {
                let model = open("detector", path)?;
                let (family, size) = (config.detector_family, config.detector_size);
                Some(Detector::new(model, family, size)?)
            }
            None => None,
        };
        let pose = |role, path, family| PoseModel::new(open(role, path)?, family, config.max_batch);
        let front = pose("pose", &config.pose_model, config.pose_family)?;
        let rear = match &config.rear_model {
            Some(path) => Some(pose("rear", path, PoseFamily::Auto)?),
            None => None,
        };
        Ok(Self {
            runtime,
            detector,
            pose: PoseEstimator::new(front, rear),
            resizer: match config.session.threads() {
                1 => Resizer::default(),
                // Where there is no second thread to be had, one has to do.
                _ => Resizer::with_two_threads().unwrap_or_default(),
            },
            detections: Vec::new(),
            targets: Vec::new(),
            due: Vec::new(),
            poses: Vec::new(),
            times: StageTimes::default(),
        })
    }

    /// Replaces the detections by what the detector finds, or by what is `known`; by nothing where the plan
    /// is to do without.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn detect(
        &mut self,
        plan: Plan,
        frame: &FrameView<'_>,
        known: Option<&[Detection]>,
        settings: &Settings,
    ) -> Result<(), Error> {
        self.times = StageTimes::default();
        self.detections.clear();
        if let Some(known) = known {
            self.detections.extend_from_slice(known);
            return Ok(());
        }
        let Some(detector) = self.detector.as_mut().filter(|_| plan.detect) else {
            return Ok(());
        };
        let start = Instant::now();
        detector.prepare(&mut self.resizer, frame, settings.detector.scaling);
        self.times.detector_input = start.elapsed();

        let start = Instant::now();
        detector.run(&settings.detector, &mut self.detections)?;
        self.times.detector = start.elapsed();
        Ok(())
    }

    /// Replaces the poses by those of the targets that are due.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn estimate(&mut self, frame: &FrameView<'_>) -> Result<(), Error> {
        let start = Instant::now();
        self.due.clear();
        let due = self.targets.iter().filter(|target| target.is_due);
        self.due.extend(due);
        let (resizer, targets) = (&mut self.resizer, &self.due);
        self.pose.prepare(resizer, frame, targets);
        self.times.crops = start.elapsed();

        let start = Instant::now();
        self.pose.run(resizer, frame, targets, &mut self.poses)?;
        self.times.pose = start.elapsed();
        Ok(())
    }

    /// How long the stages of the last frame took.
    pub fn times(&self) -> StageTimes {
        self.times
    }

    pub fn runtime(&self) -> &'static Runtime {
        self.runtime
    }

    pub fn detector(&self) -> Option<&Detector> {
        self.detector.as_ref()
    }

    pub fn pose(&self) -> &PoseEstimator {
        &self.pose
    }
}

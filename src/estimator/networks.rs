// SPDX-License-Identifier: MPL-2.0
//! What it takes to look at a frame: the networks and their inputs.

use std::time::Instant;

use super::detector::{Detection, Detector};
use super::error::Error;
use super::exit_gate;
use super::findings::Findings;
use super::frame::FrameView;
use super::notes::Notes;
use super::pose::fusion::{Look, PoseEstimator};
use super::pose::{PoseFamily, PoseModel};
use super::resize::Resizer;
use super::runtime::{Model, Role, Runtime};
use super::scene::Plan;
use super::{Config, Settings, StageTimes};

/// The networks, their inputs and scratch memory. They look at one frame at a time.
#[derive(Debug)]
pub(super) struct Networks {
    runtime: &'static Runtime,
    detector: Option<Detector>,
    pose: PoseEstimator,
    resizer: Resizer,
    notes: Notes,
}

impl Networks {
    /// Loads ONNX Runtime and the models, checks their contracts and runs each once.
    ///
    /// # Errors
    /// Whatever is wrong with the library or the models; see [`Error`].
    pub fn load(config: &Config) -> Result<Self, Error> {
        let _loading = exit_gate::loading();
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
        let pose = |role, path, family| {
            let mut model = PoseModel::new(open(role, path)?, family, config.max_batch)?;
            config.notes.add(model.take_warning());
            Ok(model)
        };
        let front = pose("pose", &config.pose_model, config.pose_family)?;
        let rear = match &config.rear_model {
            Some(path) => Some(pose("rear", path, PoseFamily::Auto)?),
            None => None,
        };
        Ok(Self {
            runtime,
            detector,
            notes: config.notes.clone(),
            pose: PoseEstimator::new(front, rear),
            resizer: match config.session.threads() {
                1 => Resizer::default(),
                // Where there is no second thread to be had, one has to do.
                _ => Resizer::with_two_threads().unwrap_or_default(),
            },
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
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let Findings {
            detections, times, ..
        } = findings;
        *times = StageTimes::default();
        detections.clear();
        if let Some(known) = known {
            detections.extend_from_slice(known);
            return Ok(());
        }
        let Some(detector) = self.detector.as_mut().filter(|_| plan.detect) else {
            return Ok(());
        };
        let start = Instant::now();
        detector.prepare(&mut self.resizer, frame, settings.detector.scaling)?;
        times.detector_input = start.elapsed();

        let start = Instant::now();
        detector.run(&settings.detector, detections)?;
        self.notes.add(detector.take_warnings());
        times.detector = start.elapsed();
        Ok(())
    }

    /// Replaces the poses by those of the targets that are due.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn estimate(
        &mut self,
        frame: &FrameView<'_>,
        findings: &mut Findings,
        settings: &Settings,
    ) -> Result<(), Error> {
        let Findings {
            targets,
            due,
            poses,
            front_runs,
            times,
            ..
        } = findings;
        due.clear();
        due.extend(targets.iter().filter(|target| target.is_due));
        let look = Look {
            resizer: &mut self.resizer,
            frame,
            targets: due,
            settings,
            times,
        };
        *front_runs = self.pose.estimate(look, poses)?;
        Ok(())
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

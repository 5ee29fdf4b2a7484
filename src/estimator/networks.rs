// SPDX-License-Identifier: MPL-2.0
//! What inference needs: the networks and their inputs.

use std::time::Instant;

use super::detector::{Detection, Detector};
use super::error::Error;
use super::image::frame::FrameView;
use super::image::resize::Resizer;
use super::job::FrameJob;
use super::notes::Notes;
use super::onnx::{Model, Role, Runtime, exit};
use super::pose::fusion::{Look, PoseEstimator};
use super::pose::{PoseFamily, PoseModel};
use super::stream::StreamState;
use super::{Config, StageTimes};

/// The networks, their inputs and scratch memory, for one frame at a time.
#[derive(Debug)]
pub(super) struct Networks {
    pub runtime: &'static Runtime,
    pub detector: Option<Detector>,
    pub pose: PoseEstimator,
    resizer: Resizer,
    notes: Notes,
}

impl Networks {
    /// Loads ONNX Runtime and the models, checks their contracts and runs each once.
    pub fn load(config: &Config) -> Result<Self, Error> {
        let _loading = exit::loading();
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
                _ => Resizer::with_two_threads(),
            },
        })
    }

    /// The way of one frame through the networks: detect, follow, estimate. `in_turn` gives access to the stream once
    /// all earlier frames have had theirs.
    pub fn run(
        &mut self,
        job: &mut FrameJob,
        frame: &FrameView<'_>,
        known: Option<&[Detection]>,
        in_turn: impl FnOnce(&mut dyn FnMut(&mut StreamState)),
    ) -> Result<(), Error> {
        self.detect(job, frame, known)?;
        let mut detected = Ok(());
        in_turn(&mut |stream| {
            if stream.lacks_boxes(job) {
                job.detect = true;
                detected = self.detect(job, frame, known);
            }
            if detected.is_ok() {
                stream.follow(job, frame.size());
            }
        });
        detected?;
        self.estimate(job, frame)
    }

    /// Replaces the detections by those of the detector or by `known`; by none where boxes are to be predicted.
    fn detect(
        &mut self,
        job: &mut FrameJob,
        frame: &FrameView<'_>,
        known: Option<&[Detection]>,
    ) -> Result<(), Error> {
        let (detections, times) = (&mut job.detections, &mut job.found.times);
        *times = StageTimes::default();
        detections.clear();
        if let Some(known) = known {
            detections.extend_from_slice(known);
            return Ok(());
        }
        let Some(detector) = self.detector.as_mut().filter(|_| job.detect) else {
            return Ok(());
        };
        let settings = &job.settings.detector;
        let start = Instant::now();
        detector.prepare(&mut self.resizer, frame, settings.scaling)?;
        times.detector_input = start.elapsed();

        let start = Instant::now();
        detector.run(settings, detections)?;
        self.notes.add(detector.take_warnings());
        times.detector = start.elapsed();
        Ok(())
    }

    /// Replaces the poses by those of the targets that are due.
    fn estimate(&mut self, job: &mut FrameJob, frame: &FrameView<'_>) -> Result<(), Error> {
        job.due.clear();
        let due = job.targets.iter().filter(|target| target.is_due);
        job.due.extend(due);
        let look = Look {
            resizer: &mut self.resizer,
            frame,
            targets: &job.due,
            settings: &job.settings,
            times: &mut job.found.times,
        };
        job.found.front_runs = self.pose.estimate(look, &mut job.poses)?;
        Ok(())
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The pose of all heads of a frame: by one model, or by a front and a rear model.
//!
//! With two, the rear model (one that knows all sides, as WHENet) looks at every head first. Heads that it
//! sees turned by no more than the seam allows are looked at again by the front model (one that is
//! better on faces); [`seam`](super::seam) makes one pose of the two answers. This is what DMHead's fusion means
//! to do; as scripted it *adds* the two answers beyond 90 degrees. The front model runs only on the heads that
//! need it. Each model gets the crop that its family was made for.

use super::super::Settings;
use super::super::angles::Angles;
use super::super::error::Error;
use super::super::frame::FrameView;
use super::super::resize::Resizer;
use super::super::target::Target;
use super::PoseModel;
use super::seam::Seam;

/// The pose of one head, perhaps not finite: networks answer what they like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    pub angles: Angles,
    /// The front model counted most, or there is but one.
    pub is_front: bool,
    /// The yaw that decided it lies near the seam between the two.
    pub seam: bool,
}

/// One model, or a front and a rear model.
#[derive(Debug)]
pub struct PoseEstimator {
    front: PoseModel,
    rear: Option<PoseModel>,
    /// Where nothing else is asked for.
    seam: Seam,
    /// Indices of the heads that the front model looks at.
    chosen: Vec<usize>,
    first_angles: Vec<Angles>,
    front_angles: Vec<Angles>,
}

impl PoseEstimator {
    pub fn new(front: PoseModel, rear: Option<PoseModel>) -> Self {
        let seam = match &rear {
            Some(rear) => front.seam_with(rear),
            None => Seam::UPSTREAM,
        };
        Self {
            front,
            rear,
            seam,
            chosen: Vec::new(),
            first_angles: Vec::new(),
            front_angles: Vec::new(),
        }
    }

    /// The model of the property `pose-model`.
    pub fn front(&self) -> &PoseModel {
        &self.front
    }

    /// The model of the property `rear-model`.
    pub fn rear(&self) -> Option<&PoseModel> {
        self.rear.as_ref()
    }

    /// The model that sees every head.
    pub fn first(&self) -> &PoseModel {
        self.rear.as_ref().unwrap_or(&self.front)
    }

    /// Writes the crops of all heads into the input of the model that sees every head.
    ///
    /// # Errors
    /// [`Error::Inference`] where there is no memory for the input.
    pub(in super::super) fn prepare(
        &mut self,
        resizer: &mut Resizer,
        frame: &FrameView<'_>,
        targets: &[Target],
        settings: &Settings,
    ) -> Result<(), Error> {
        let first = self.rear.as_mut().unwrap_or(&mut self.front);
        let (mode, size) = (first.crop_mode(settings), frame.size());
        let crops = targets.iter().map(|target| target.crop(mode, size));
        first.prepare(resizer, frame, crops)
    }

    /// Estimates the heads whose crops [`PoseEstimator::prepare`] wrote, and replaces `poses` by one entry
    /// for each. `targets` are the same as there. Answers how many of them the front model looked at.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub(in super::super) fn run(
        &mut self,
        resizer: &mut Resizer,
        frame: &FrameView<'_>,
        targets: &[Target],
        settings: &Settings,
        poses: &mut Vec<Pose>,
    ) -> Result<usize, Error> {
        poses.clear();
        let seam = settings.activation_angle.map_or(self.seam, Seam::Switch);
        let first = self.rear.as_mut().unwrap_or(&mut self.front);
        first.run(&mut self.first_angles)?;
        poses.extend(self.first_angles.iter().map(|&angles| Pose {
            angles,
            is_front: self.rear.is_none(),
            seam: seam.is_near(angles.wrapped().yaw),
        }));
        let Some(rear) = &self.rear else {
            return Ok(targets.len());
        };
        self.chosen.clear();
        // A yaw that is not a number chooses nobody; such a pose is left out later.
        let answers = self.first_angles.iter().zip(targets).enumerate();
        let needs_front = answers.filter(|(_, (angles, target))| {
            seam.needs_front(angles.wrapped().yaw, target.was_front)
        });
        self.chosen.extend(needs_front.map(|(index, _)| index));
        if self.chosen.is_empty() {
            return Ok(0);
        }
        let mode = self.front.crop_mode(settings);
        if self.front.input.same_crops(&rear.input) && mode == rear.crop_mode(settings) {
            self.front.copy_crops(rear, &self.chosen)?;
        } else {
            let size = frame.size();
            let crops = self.chosen.iter();
            let crops = crops.map(|&index| targets[index].crop(mode, size));
            self.front.prepare(resizer, frame, crops)?;
        }
        self.front.run(&mut self.front_angles)?;
        for (&index, &front) in self.chosen.iter().zip(&self.front_angles) {
            let (rear, was_front) = (self.first_angles[index], targets[index].was_front);
            poses[index] = seam.fuse(front, rear, was_front);
        }
        Ok(self.chosen.len())
    }
}

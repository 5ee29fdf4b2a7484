// SPDX-License-Identifier: MPL-2.0
//! The pose of all heads of a frame: by one model, or by a front and a rear model.
//!
//! With two, the rear model (one that knows all sides, as WHENet) looks at every head first. Heads that it
//! sees turned by no more than the activation angle are looked at again by the front model (one that is
//! better on faces), whose answer then counts. This is what DMHead's fusion means to do; as scripted
//! it *adds* the two answers beyond 90 degrees. The front model runs only on the heads that need it.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::frame::FrameView;
use super::super::resize::Resizer;
use super::super::target::Target;
use super::PoseModel;

/// The pose of one head, perhaps not finite: networks answer what they like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    pub angles: Angles,
    /// The yaw by which it was decided whether front or rear model counts.
    pub deciding_yaw: f32,
    /// The front model answered, or the only one.
    pub is_front: bool,
}

/// One model, or a front and a rear model.
#[derive(Debug)]
pub struct PoseEstimator {
    front: PoseModel,
    rear: Option<PoseModel>,
    /// Indices of the heads that the front model looks at.
    chosen: Vec<usize>,
    first_angles: Vec<Angles>,
    front_angles: Vec<Angles>,
}

impl PoseEstimator {
    pub fn new(front: PoseModel, rear: Option<PoseModel>) -> Self {
        Self {
            front,
            rear,
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
    pub(in super::super) fn prepare(
        &mut self,
        resizer: &mut Resizer,
        frame: &FrameView<'_>,
        targets: &[Target],
    ) {
        let first = self.rear.as_mut().unwrap_or(&mut self.front);
        let crops = targets.iter().map(|target| target.crop);
        first.prepare(resizer, frame, crops);
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
        poses: &mut Vec<Pose>,
    ) -> Result<usize, Error> {
        poses.clear();
        let first = self.rear.as_mut().unwrap_or(&mut self.front);
        first.run(&mut self.first_angles)?;
        poses.extend(self.first_angles.iter().map(|&angles| Pose {
            angles,
            deciding_yaw: angles.wrapped().yaw,
            is_front: self.rear.is_none(),
        }));
        let Some(rear) = &self.rear else {
            return Ok(targets.len());
        };
        self.chosen.clear();
        // A yaw that is not a number chooses nobody; such a pose is left out later.
        for (index, (pose, target)) in poses.iter_mut().zip(targets).enumerate() {
            pose.is_front = pose.deciding_yaw.abs() <= target.activation_angle;
            if pose.is_front {
                self.chosen.push(index);
            }
        }
        if self.chosen.is_empty() {
            return Ok(0);
        }
        if self.front.input.same_crops(&rear.input) {
            self.front.copy_crops(rear, &self.chosen);
        } else {
            let crops = self.chosen.iter().map(|&index| targets[index].crop);
            self.front.prepare(resizer, frame, crops);
        }
        self.front.run(&mut self.front_angles)?;
        for (&index, &angles) in self.chosen.iter().zip(&self.front_angles) {
            poses[index].angles = angles;
        }
        Ok(self.chosen.len())
    }
}

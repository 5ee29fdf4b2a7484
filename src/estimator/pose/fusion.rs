// SPDX-License-Identifier: MPL-2.0
//! The pose of all heads of a frame: by one model, or by a front and a rear model.
//!
//! With two, the rear model (one that knows all sides, as WHENet) looks at every head first. Heads that it
//! does not see from behind are looked at again by the front model (one that is better on faces), and
//! `seam` makes one pose of the two answers. This is what DMHead's fusion means to do; as scripted
//! it *adds* the two answers beyond 90 degrees. A head that is followed and known to be seen from the front goes to
//! the front model first, and to the rear model only if that answers something else.
//!
//! Each model runs on the heads that need it alone, and gets the crop that its family was made for.

use std::time::Instant;

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::image::frame::FrameView;
use super::super::image::resize::Resizer;
use super::super::target::Target;
use super::super::{Settings, StageTimes};
use super::PoseModel;
use super::seam::Seam;

pub use super::seam::Pose;

/// No pose: such a head is left out later.
const NOWHERE: Angles = Angles::new(f32::NAN, f32::NAN, f32::NAN);

#[derive(Clone, Copy, Debug)]
struct Answer {
    angles: Angles,
    uncertainty: Option<f32>,
}

/// One model, or a front and a rear model.
#[derive(Debug)]
pub struct PoseEstimator {
    front: PoseModel,
    rear: Option<PoseModel>,
    /// Where nothing else is asked for.
    seam: Seam,
    // Scratch memory: what each model answered for each head, and which heads it is to look at.
    front_answers: Vec<Option<Answer>>,
    rear_answers: Vec<Option<Answer>>,
    chosen: Vec<usize>,
    angles: Vec<Angles>,
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
            front_answers: Vec::new(),
            rear_answers: Vec::new(),
            chosen: Vec::new(),
            angles: Vec::new(),
        }
    }

    pub fn front(&self) -> &PoseModel {
        &self.front
    }

    pub fn rear(&self) -> Option<&PoseModel> {
        self.rear.as_ref()
    }

    /// The model that sees every head, where heads are not followed.
    pub fn first(&self) -> &PoseModel {
        self.rear.as_ref().unwrap_or(&self.front)
    }

    /// Estimates the heads of `look`, and replaces `poses` by one entry for each. Answers how many of them the
    /// front model looked at.
    pub(in super::super) fn estimate(
        &mut self,
        mut look: Look<'_>,
        poses: &mut Vec<Pose>,
    ) -> Result<usize, Error> {
        let Self {
            front,
            rear,
            front_answers,
            rear_answers,
            chosen,
            angles,
            ..
        } = self;
        let seam = look
            .settings
            .activation_angle
            .map_or(self.seam, Seam::Switch);
        let targets = look.targets;
        for answers in [&mut *front_answers, &mut *rear_answers] {
            answers.clear();
            answers.resize(targets.len(), None);
        }
        let choose = |chosen: &mut Vec<usize>, needs: &dyn Fn(usize) -> bool| {
            chosen.clear();
            chosen.extend((0..targets.len()).filter(|&head| needs(head)));
        };

        if let Some(rear) = rear {
            choose(chosen, &|head| !targets[head].front_first);
            rear.answer(&mut look, chosen, angles, rear_answers)?;
        }
        choose(chosen, &|head| match rear_answers[head] {
            Some(rear) => seam.needs_front(rear.angles, targets[head].was_front),
            None => true,
        });
        front.answer(&mut look, chosen, angles, front_answers)?;
        let front_runs = chosen.len();
        if let Some(rear) = rear {
            choose(chosen, &|head| {
                let sure = |front: Answer| seam.is_surely_front(front.angles);
                rear_answers[head].is_none() && !front_answers[head].is_some_and(sure)
            });
            if !chosen.is_empty() {
                rear.answer(&mut look, chosen, angles, rear_answers)?;
            }
        }

        poses.clear();
        poses.extend((0..targets.len()).map(|head| {
            let (front, rear) = (front_answers[head], rear_answers[head]);
            let angles = |answer: Option<Answer>| answer.map(|answer| answer.angles);
            let pose = match (angles(front), angles(rear)) {
                (Some(front), Some(rear)) => seam.fuse(front, rear, targets[head].was_front),
                (front, None) => seam.front_alone(front.unwrap_or(NOWHERE)),
                (None, Some(rear)) => seam.rear_alone(rear),
            };
            let counted = if pose.seen.is_front { front } else { rear };
            Pose {
                uncertainty: counted.and_then(|answer| answer.uncertainty),
                ..pose
            }
        }));
        Ok(front_runs)
    }
}

/// The heads of a frame, and what it takes to look at them.
pub(in super::super) struct Look<'a> {
    pub resizer: &'a mut Resizer,
    pub frame: &'a FrameView<'a>,
    pub targets: &'a [Target],
    pub settings: &'a Settings,
    /// How long crops and networks take is added to it.
    pub times: &'a mut StageTimes,
}

impl PoseModel {
    /// Writes the answers for the heads numbered `chosen`, as the network gave them. `angles` is scratch memory.
    fn answer(
        &mut self,
        look: &mut Look<'_>,
        chosen: &[usize],
        angles: &mut Vec<Angles>,
        answers: &mut [Option<Answer>],
    ) -> Result<(), Error> {
        let start = Instant::now();
        let own = self.recognised.family.crop_mode();
        let mode = look.settings.crop_mode.unwrap_or(own);
        let (size, targets) = (look.frame.size(), look.targets);
        let crops = chosen.iter().map(|&head| targets[head].crop(mode, size));
        self.prepare(look.resizer, look.frame, crops)?;
        look.times.crops += start.elapsed();

        let start = Instant::now();
        self.run(angles)?;
        look.times.pose += start.elapsed();
        let mut uncertainties = self.uncertainties.iter().copied();
        for (&head, &angles) in chosen.iter().zip(angles.iter()) {
            answers[head] = Some(Answer {
                angles,
                uncertainty: uncertainties.next().filter(|v| v.is_finite() && *v >= 0.0),
            });
        }
        Ok(())
    }
}

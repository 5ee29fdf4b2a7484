// SPDX-License-Identifier: MPL-2.0
//! Runs the estimator over annotated heads.

use std::path::PathBuf;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::detector::Detection;
use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::estimator::{Head, HeadPoseEstimator, Settings};

use crate::crop::CropRule;
use crate::dataset::{Annotation, Unusable};
use crate::picture::Picture;
use crate::score::Judged;

/// Whose boxes the poses are estimated in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Boxes {
    /// Those of the annotations
    Truth,
    /// The detector's that overlaps the annotated one best; a head that it does not find is a failure
    Detector,
}

/// How annotated heads become estimates.
pub struct Evaluation {
    pub estimator: HeadPoseEstimator,
    pub boxes: Boxes,
    /// How the annotated box becomes the crop, or the box that a detection must overlap.
    pub rule: CropRule,
    /// What counts as the same head, intersection over union.
    pub min_iou: f32,
    pub settings: Settings,
    /// The picture that was decoded last: several heads may lie in one.
    pub last: Option<(PathBuf, Picture)>,
}

impl Evaluation {
    /// Estimates one head. Whatever its files do wrong is a failure of this head.
    ///
    /// # Errors
    /// What the models do wrong ends the evaluation.
    pub fn judge(&mut self, annotation: Result<Annotation, Unusable>) -> Result<Judged, Error> {
        let annotation = match annotation {
            Ok(annotation) => annotation,
            Err(unusable) => {
                return Ok(Judged {
                    picture: unusable.path.clone(),
                    rect: Rect::default(),
                    truth: Angles::default(),
                    estimate: Err(unusable.to_string()),
                });
            }
        };
        let wanted = self.rule.applied(annotation.rect);
        let estimate = self.estimate(&annotation, &wanted)?;
        Ok(Judged {
            rect: estimate.as_ref().map_or(wanted, |head| head.rect),
            estimate: estimate.map(|head| head.angles),
            picture: annotation.picture,
            truth: annotation.truth,
        })
    }

    fn estimate(
        &mut self,
        annotation: &Annotation,
        wanted: &Rect,
    ) -> Result<Result<Head, String>, Error> {
        let path = &annotation.picture;
        if self.last.as_ref().is_none_or(|(last, _)| last != path) {
            match Picture::open(path) {
                Ok(picture) => self.last = Some((path.clone(), picture)),
                Err(reason) => return Ok(Err(format!("cannot read the picture: {reason}"))),
            }
        }
        let Some((_, picture)) = &self.last else {
            return Ok(Err("no picture".into()));
        };
        let frame = picture.view()?;
        match self.boxes {
            Boxes::Truth => {
                let known = [Detection::known(*wanted)];
                let heads = self
                    .estimator
                    .estimate(&frame, &known, None, &self.settings)?;
                let none =
                    "no pose: the box has no pixel in the picture, or the answer is not finite";
                Ok(heads.first().copied().ok_or_else(|| none.into()))
            }
            Boxes::Detector => {
                let heads = self.estimator.process(&frame, None, &self.settings)?;
                let overlaps = heads.iter().map(|head| (head.rect.iou(wanted), head));
                let best = overlaps.max_by(|(a, _), (b, _)| a.total_cmp(b));
                Ok(match best {
                    Some((iou, head)) if iou >= self.min_iou => Ok(*head),
                    Some((iou, _)) => Err(format!(
                        "not detected: of {} heads the nearest overlaps by {iou:.2}",
                        heads.len()
                    )),
                    None => Err("not detected: no head found".into()),
                })
            }
        }
    }
}

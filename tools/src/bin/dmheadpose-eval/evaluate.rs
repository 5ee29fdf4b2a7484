// SPDX-License-Identifier: MPL-2.0
//! Runs the models on annotated heads.

use std::path::{Path, PathBuf};

use gstdmheadpose::estimator::detector::Detection;
use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::estimator::image::frame::FrameView;

use crate::crop::CropRule;
use crate::dataset::{Annotation, Tags, Unusable};
use crate::labels::{Difference, Pose, Scale};
use crate::model::{Contestant, HeadDetector};
use crate::picture::Picture;
use crate::score::{Answer, Failure, Judged};

/// The boxes in which poses are estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Boxes {
    /// The annotated boxes
    Truth,
    /// The detection that overlaps the annotated box best; a head that is not detected is a failure. If the
    /// set has no boxes, the best detection
    Detector,
}

/// How annotated heads are evaluated.
pub struct Evaluation {
    pub contestants: Vec<Contestant>,
    /// Finds the boxes, unless the annotated ones are used.
    pub detector: Option<HeadDetector>,
    /// Turns the annotated box into the one that a detection must overlap.
    pub rule: CropRule,
    /// Minimum intersection over union to count as the same head.
    pub min_iou: f32,
    pub scale: Scale,
    /// The picture that was read last, because several heads may be in one.
    pub last: Option<(PathBuf, Seen)>,
}

/// A picture and its detections.
pub struct Seen {
    picture: Picture,
    found: Vec<Detection>,
}

impl Evaluation {
    /// Estimates one head. Any fault of its files is a failure of this head.
    ///
    /// # Errors
    /// Errors of the models, which end the evaluation.
    pub fn judge(&mut self, annotation: Result<Annotation, Unusable>) -> Result<Judged, Error> {
        let n_models = self.contestants.len();
        let annotation = match annotation {
            Ok(annotation) => annotation,
            Err(unusable) => {
                let Unusable {
                    path,
                    expected,
                    found,
                } = unusable;
                let why = format!("expected {expected}, found {found}");
                return Ok(Judged {
                    picture: path,
                    rect: Rect::default(),
                    truth: None,
                    tags: Tags::default(),
                    answers: vec![Err(Failure::Unusable(why)); n_models],
                });
            }
        };
        let truth = self.scale.labelled(annotation.label);
        Ok(Judged {
            answers: self.answers(&annotation, &truth)?,
            picture: annotation.picture,
            rect: annotation.rect.unwrap_or_default(),
            truth: Some(truth),
            tags: annotation.tags,
        })
    }

    fn answers(
        &mut self,
        annotation: &Annotation,
        truth: &Pose,
    ) -> Result<Vec<Result<Answer, Failure>>, Error> {
        let n_models = self.contestants.len();
        if let Some(failure) = self.look_at(&annotation.picture)? {
            return Ok(vec![Err(failure); n_models]);
        }
        let Self {
            contestants,
            detector,
            rule,
            min_iou,
            scale,
            last,
        } = self;
        let Some((_, Seen { picture, found })) = last else {
            return Ok(Vec::new());
        };
        let frame = picture.view()?;
        let detected = detector.as_ref().map(|_| {
            let wanted = annotation.rect.map(|rect| rule.applied(rect));
            nearest(found, wanted, *min_iou)
        });
        let answers = contestants.iter_mut().map(|contestant| {
            let known = match (&detected, annotation.rect) {
                (Some(Err(failure)), _) => return Ok(Err(failure.clone())),
                (Some(Ok(detection)), _) => *detection,
                (None, Some(rect)) => Detection::known(contestant.rule.applied(rect)),
                (None, None) => {
                    let why = "the annotation has no box: use --boxes detector";
                    return Ok(Err(Failure::Unusable(why.into())));
                }
            };
            answer(contestant, &frame, known, truth, *scale)
        });
        answers.collect()
    }

    /// Makes the picture the last one read. If that fails, all its heads fail.
    fn look_at(&mut self, path: &Path) -> Result<Option<Failure>, Error> {
        if self.last.as_ref().is_some_and(|(last, _)| last == path) {
            return Ok(None);
        }
        let picture = match Picture::open(path) {
            Ok(picture) => picture,
            Err(reason) => {
                let why = format!("cannot read the picture: {reason}");
                return Ok(Some(Failure::Unusable(why)));
            }
        };
        let found = match &mut self.detector {
            Some(detector) => {
                let threshold = detector.threshold();
                detector.detect(&picture.view()?, threshold)?
            }
            None => Vec::new(),
        };
        self.last = Some((path.into(), Seen { picture, found }));
        Ok(None)
    }
}

/// The detection that overlaps the wanted box best; the best one if no box is known.
fn nearest(found: &[Detection], wanted: Option<Rect>, min_iou: f32) -> Result<Detection, Failure> {
    let missed = |why: String| Err(Failure::NotDetected(format!("not detected: {why}")));
    let Some(wanted) = wanted else {
        return found
            .first()
            .copied()
            .map_or_else(|| missed("no head found".into()), Ok);
    };
    let overlaps = found.iter().map(|found| (found.rect.iou(&wanted), found));
    match overlaps.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((iou, found)) if iou >= min_iou => Ok(*found),
        Some((iou, _)) => missed(format!(
            "the nearest of {} heads overlaps by {iou:.2}",
            found.len()
        )),
        None => missed("no head found".into()),
    }
}

fn answer(
    contestant: &mut Contestant,
    frame: &FrameView<'_>,
    known: Detection,
    truth: &Pose,
    scale: Scale,
) -> Result<Result<Answer, Failure>, Error> {
    let Contestant {
        estimator,
        settings,
        ..
    } = contestant;
    let heads = estimator.estimate(frame, &[known], None, settings)?;
    let Some(head) = heads.first() else {
        let why = "no pose: the box has no pixel in the picture, or the result is not finite";
        return Ok(Err(Failure::Unusable(why.into())));
    };
    let pose = scale.answered(head.angles);
    Ok(Ok(Answer {
        rect: head.rect,
        angles: head.angles,
        uncertainty: head.uncertainty,
        pose,
        error: Difference::between(&pose, truth),
    }))
}

// SPDX-License-Identifier: MPL-2.0
//! `--detector`: how well detectors find the heads of labelled pictures.

pub mod labels;
mod report;
mod score;

use std::path::Path;

use gstdmheadpose::estimator::error::Error;

use crate::model::HeadDetector;
use crate::out::Progress;
use crate::picture::Picture;
use labels::Labelled;
use score::Matched;

/// Lower scores are of no interest: the precision-recall curve ends there.
const LOWEST_SCORE: f32 = 0.01;

/// When a head counts as found, and which heads count.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Intersection over union of a detection and a head.
    pub min_iou: f32,
    /// Shorter side of a head in pixels; smaller ones are ignored.
    pub min_size: f32,
}

/// What the detectors found in all pictures.
pub struct Detections {
    pub rules: Rules,
    pub pictures: Vec<Labelled>,
    pub results: Vec<Results>,
    /// Pictures that cannot be read, and why.
    pub unreadable: Vec<String>,
    /// Each value of these tags forms a group of pictures.
    pub by: Vec<String>,
}

/// What one detector found.
pub struct Results {
    pub name: String,
    pub family: &'static str,
    pub threshold: f32,
    /// One per picture.
    pub pictures: Vec<Matched>,
}

impl Detections {
    /// Runs the detectors on all pictures.
    ///
    /// # Errors
    /// Errors of the models.
    pub fn find(
        mut detectors: Vec<HeadDetector>,
        labelled: Vec<Labelled>,
        rules: Rules,
        by: Vec<String>,
    ) -> Result<Self, Error> {
        let mut progress = Progress::new("pictures", labelled.len());
        let result = |detector: &HeadDetector| Results {
            name: detector.name.clone(),
            family: detector.detector.family(),
            threshold: detector.threshold(),
            pictures: Vec::new(),
        };
        let mut results: Vec<Results> = detectors.iter().map(result).collect();
        let (mut pictures, mut unreadable) = (Vec::new(), Vec::new());
        for labels in labelled {
            progress.step();
            let picture = match Picture::open(&labels.picture) {
                Ok(picture) => picture,
                Err(reason) => {
                    unreadable.push(unread(&labels.picture, &reason));
                    continue;
                }
            };
            for (detector, results) in detectors.iter_mut().zip(&mut results) {
                let found = detector.detect(&picture.view()?, LOWEST_SCORE)?;
                results
                    .pictures
                    .push(Matched::of(&found, &labels.heads, rules));
            }
            pictures.push(labels);
        }
        Ok(Self {
            rules,
            pictures,
            results,
            unreadable,
            by,
        })
    }
}

fn unread(path: &Path, reason: &str) -> String {
    format!("{}: {reason}", path.display())
}

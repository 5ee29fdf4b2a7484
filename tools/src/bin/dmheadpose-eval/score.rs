// SPDX-License-Identifier: MPL-2.0
//! Compares results with the truth: groups of heads, and their statistics.

use std::path::PathBuf;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;

use crate::dataset::Tags;
use crate::labels::{Difference, Pose, Scale};

/// One model's result for a head.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The box in which the pose was estimated.
    pub rect: Rect,
    /// As the element reports it.
    pub angles: Angles,
    /// Standard deviation of the rotation that the model states, in degrees.
    pub uncertainty: Option<f32>,
    /// In the convention of the labels.
    pub pose: Pose,
    pub error: Difference,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The detector missed the head; this is what it found instead.
    NotDetected(String),
    /// Files that cannot be read, boxes outside the picture, results that are not finite.
    Unusable(String),
}

impl Failure {
    pub fn why(&self) -> &str {
        match self {
            Self::NotDetected(why) | Self::Unusable(why) => why,
        }
    }
}

/// The result for one annotated head.
#[derive(Clone, Debug)]
pub struct Judged {
    pub picture: PathBuf,
    /// The annotated box; empty if there is none.
    pub rect: Rect,
    /// `None` if the annotation cannot be used.
    pub truth: Option<Pose>,
    pub tags: Tags,
    /// One per model.
    pub answers: Vec<Result<Answer, Failure>>,
}

/// Whether a head belongs to a group, by its true pose and its tags.
type Has = dyn Fn(&Pose, &Tags) -> bool;

/// Some heads of a set.
pub struct Group {
    pub name: String,
    pub has: Box<Has>,
}

impl Group {
    pub fn new(name: impl Into<String>, has: impl Fn(&Pose, &Tags) -> bool + 'static) -> Self {
        Self {
            name: name.into(),
            has: Box::new(has),
        }
    }
}

/// A range of |yaw|, whose lower bound belongs to the bin before: 90 degrees to either side are in the bin
/// that ends there. The first bin includes both bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    pub from: f32,
    pub to: f32,
}

impl Bin {
    /// The bins between these bounds.
    pub fn between(bounds: &[f32]) -> Vec<Self> {
        let bins = bounds.windows(2);
        bins.map(|pair| Self {
            from: pair[0],
            to: pair[1],
        })
        .collect()
    }

    pub fn has(&self, degrees: f32) -> bool {
        (degrees > self.from || (degrees == 0.0 && self.from == 0.0)) && degrees <= self.to
    }
}

/// Statistics of some results, in degrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub n: usize,
    /// Mean absolute errors of yaw, pitch and roll.
    pub mean: [f64; 3],
    /// Signed mean errors, result minus truth.
    pub bias: [f64; 3],
    /// Median absolute error of yaw.
    pub median_yaw: f64,
    /// Means of the two errors that are not Euler angles.
    pub rotation: f64,
    pub nose: f64,
    /// Number of results that report the head as seen from behind.
    pub n_rear: usize,
}

impl Summary {
    /// `None` for no results.
    pub fn of<'a>(answers: impl Iterator<Item = &'a Answer>) -> Option<Self> {
        let answers: Vec<&Answer> = answers.collect();
        if answers.is_empty() {
            return None;
        }
        let n = answers.len();
        let mean = |value: &dyn Fn(&Answer) -> f32| {
            answers.iter().map(|a| f64::from(value(a))).sum::<f64>() / n as f64
        };
        let angle = |answer: &Answer, index: usize| {
            let Angles { yaw, pitch, roll } = answer.error.angles;
            [yaw, pitch, roll][index]
        };
        let yaw_errors = answers.iter().map(|answer| angle(answer, 0).abs());
        Some(Self {
            n,
            mean: [0, 1, 2].map(|index| mean(&|answer| angle(answer, index).abs())),
            bias: [0, 1, 2].map(|index| mean(&|answer| angle(answer, index))),
            median_yaw: median(yaw_errors.collect())?,
            rotation: mean(&|answer| answer.error.rotation),
            nose: mean(&|answer| answer.error.nose),
            n_rear: answers
                .iter()
                .filter(|answer| answer.angles.is_rear())
                .count(),
        })
    }

    /// The mean of the three mean absolute errors.
    pub fn mean_of_three(&self) -> f64 {
        self.mean.iter().sum::<f64>() / 3.0
    }
}

/// How well stated uncertainties agree with the errors of rotation, in degrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    pub n: usize,
    /// Mean of the stated standard deviations.
    pub stated: f64,
    /// Mean error of rotation: of all results, and of the half that states less.
    pub error: f64,
    pub error_of_surer_half: f64,
    /// Number of results whose error is at most what they state.
    pub n_within: usize,
}

impl Calibration {
    /// From pairs of stated and true error; `None` if there are none.
    pub fn of(stated: impl Iterator<Item = (f32, f32)>) -> Option<Self> {
        let mut stated: Vec<_> = stated.collect();
        stated.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mean = |values: &mut dyn Iterator<Item = f32>| {
            let (mut sum, mut n) = (0.0, 0);
            values.for_each(|value| {
                sum += f64::from(value);
                n += 1;
            });
            (n > 0).then(|| sum / f64::from(n))
        };
        let surer = &stated[..stated.len().div_ceil(2)];
        Some(Self {
            n: stated.len(),
            stated: mean(&mut stated.iter().map(|&(stated, _)| stated))?,
            error: mean(&mut stated.iter().map(|&(_, error)| error))?,
            error_of_surer_half: mean(&mut surer.iter().map(|&(_, error)| error))?,
            n_within: stated
                .iter()
                .filter(|(stated, error)| error <= stated)
                .count(),
        })
    }
}

/// The median; for an even number the mean of the middle two.
pub fn median(mut values: Vec<f32>) -> Option<f64> {
    values.sort_by(f32::total_cmp);
    let lower = *values.get(values.len().checked_sub(1)? / 2)?;
    let upper = *values.get(values.len() / 2)?;
    Some((f64::from(lower) + f64::from(upper)) / 2.0)
}

/// All heads of a data set, and each model's result for them.
pub struct Scores {
    /// Names of the models.
    pub names: Vec<String>,
    pub scale: Scale,
    pub heads: Vec<Judged>,
    /// Heads count in the published rule if no true angle exceeds this.
    pub max_angle: f32,
    /// Bounds of the bins of |yaw|.
    pub bounds: Vec<f32>,
    /// Heads with pitch and roll up to this are compared left and right.
    pub level: f32,
    /// Each value of these tags forms a group.
    pub by: Vec<String>,
}

impl Scores {
    /// The heads for which the model numbered `model` has a result, and their truth.
    pub fn answered(&self, model: usize) -> impl Iterator<Item = (&Judged, &Pose, &Answer)> {
        self.heads.iter().filter_map(move |head| {
            let answer = head.answers.get(model)?.as_ref().ok()?;
            Some((head, head.truth.as_ref()?, answer))
        })
    }

    /// The statistics of a model's results in a group.
    pub fn summary(&self, model: usize, group: &Group) -> Option<Summary> {
        let answers = self.answered(model);
        let answers = answers.filter(|(head, truth, _)| (group.has)(truth, &head.tags));
        Summary::of(answers.map(|(_, _, answer)| answer))
    }

    /// What a model's stated uncertainties are worth in a group.
    pub fn calibration(&self, model: usize, group: &Group) -> Option<Calibration> {
        let answers = self.answered(model);
        let answers = answers.filter(|(head, truth, _)| (group.has)(truth, &head.tags));
        Calibration::of(
            answers.filter_map(|(_, _, answer)| Some((answer.uncertainty?, answer.error.rotation))),
        )
    }

    /// The published rule: no true angle exceeds the limit.
    pub fn within(&self, truth: &Pose) -> bool {
        truth.angles.yaw.abs() <= self.max_angle && upright(truth, self.max_angle)
    }

    /// The groups of the first table: whole sides and, if labels are pan and tilt, the groups by which figures
    /// of Pointing'04 are usually given.
    pub fn sides(&self) -> Vec<Group> {
        let limit = self.max_angle;
        let mut groups = match self.scale {
            Scale::Euler => vec![
                Group::new(format!("all angles up to {limit}"), move |truth, _| {
                    truth.angles.yaw.abs() <= limit && upright(truth, limit)
                }),
                Group::new("front, yaw up to 90", move |truth, _| {
                    upright(truth, limit) && !truth.angles.is_rear()
                }),
                Group::new("rear, yaw beyond 90", move |truth, _| {
                    upright(truth, limit) && truth.angles.is_rear()
                }),
            ],
            Scale::PanTilt => vec![
                Group::new("pan up to 45, tilt up to 30", |truth, _| {
                    truth.angles.yaw.abs() <= 45.0 && truth.angles.pitch.abs() <= 30.0
                }),
                Group::new("tilt up to 30", |truth, _| truth.angles.pitch.abs() <= 30.0),
                Group::new("all", |_, _| true),
            ],
        };
        for tag in &self.by {
            let mut values: Vec<_> = self.heads.iter().map(|head| head.tags.get(tag)).collect();
            values.sort();
            values.dedup();
            let limit = self.bin_limit();
            for value in values {
                let (tag, value) = (tag.clone(), value.to_string());
                let name = format!("{tag} = {value}");
                groups.push(Group::new(name, move |truth, tags| {
                    upright(truth, limit) && tags.get(&tag) == value
                }));
            }
        }
        groups
    }

    /// Heads by |yaw|.
    pub fn by_yaw(&self) -> Vec<Group> {
        let limit = self.bin_limit();
        let bins = Bin::between(&self.bounds).into_iter();
        bins.map(|bin| {
            Group::new(format!("{} to {}", bin.from, bin.to), move |truth, _| {
                upright(truth, limit) && bin.has(truth.angles.yaw.abs())
            })
        })
        .collect()
    }

    /// Heads by yaw, from the image's right to its left.
    pub fn by_side_and_yaw(&self) -> Vec<Group> {
        let limit = self.bin_limit();
        let bins = Bin::between(&self.bounds);
        let right = bins.iter().rev().map(|&bin| (-1.0f32, bin));
        let left = bins.iter().map(|&bin| (1.0, bin));
        right
            .chain(left)
            .map(|(side, bin)| {
                let (from, to) = (bin.from, bin.to);
                let name = match side > 0.0 {
                    true => format!("{from} to {to}"),
                    false if from == 0.0 => format!("-{to} to 0"),
                    false => format!("-{to} to -{from}"),
                };
                Group::new(name, move |truth, _| {
                    let yaw = truth.angles.yaw;
                    // Straight ahead and straight away belong to neither side.
                    let on_side = yaw * side > 0.0 && yaw.abs() < 180.0;
                    upright(truth, limit) && on_side && bin.has(yaw.abs())
                })
            })
            .collect()
    }

    /// Largest pitch and roll in the tables by yaw. No real head has what Pointing'04 calls a tilt of 60.
    pub fn bin_limit(&self) -> f32 {
        match self.scale {
            Scale::Euler => self.max_angle,
            Scale::PanTilt => 30.0,
        }
    }

    /// |yaw| of the heads that are compared left and right: each label if they are few, else the bins.
    pub fn mirrored_bins(&self) -> Vec<(String, Bin)> {
        const FEW: usize = 13;
        let truths = self.heads.iter().filter_map(|head| head.truth.as_ref());
        let level = truths.filter(|truth| upright(truth, self.level));
        let mut labels: Vec<f32> = level.map(|truth| truth.angles.yaw.abs()).collect();
        labels.sort_by(f32::total_cmp);
        labels.dedup();
        if labels.len() > FEW {
            let bins = Bin::between(&self.bounds).into_iter();
            return bins
                .map(|bin| (format!("{} to {}", bin.from, bin.to), bin))
                .collect();
        }
        let sides = labels.into_iter().filter(|&yaw| yaw > 0.0 && yaw < 180.0);
        sides
            .map(|yaw| {
                let bin = Bin {
                    from: yaw - 1e-3,
                    to: yaw,
                };
                (format!("{yaw}"), bin)
            })
            .collect()
    }

    /// Number of heads on one side (1: the image's left, -1: its right) whose |yaw| is in the bin, and the median
    /// of the model's results, mirrored to the left.
    pub fn median_of_side(&self, model: usize, bin: Bin, side: f32) -> Option<(usize, f64)> {
        let answers = self.answered(model).filter(|(_, truth, _)| {
            let yaw = truth.angles.yaw * side;
            upright(truth, self.level) && yaw > 0.0 && bin.has(yaw)
        });
        // The result the short way from the truth, so that 179 and -179 have a median.
        let answers =
            answers.map(|(_, truth, answer)| side * (truth.angles.yaw + answer.error.angles.yaw));
        let answers: Vec<f32> = answers.collect();
        Some((answers.len(), median(answers)?))
    }
}

/// Pitch and roll are within the limit.
pub fn upright(truth: &Pose, limit: f32) -> bool {
    truth.angles.pitch.abs() <= limit && truth.angles.roll.abs() <= limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_ends_with_its_upper_bound() {
        let bins = Bin::between(&[0.0, 30.0, 90.0, 180.0]);
        let of = |degrees: f32| bins.iter().position(|bin| bin.has(degrees));
        let places = [0.0, 30.0, 30.1, 90.0, 90.1, 180.0].map(of);
        assert_eq!(places, [0, 0, 1, 1, 2, 2].map(Some));
    }

    #[test]
    fn no_head_has_no_summary() {
        assert_eq!(Summary::of(std::iter::empty()), None);
    }

    #[test]
    fn the_surer_half_is_that_which_states_less() {
        assert_eq!(Calibration::of(std::iter::empty()), None);
        let found = Calibration::of(
            [(9.0, 8.0), (2.0, 1.0), (4.0, 5.0), (8.0, 10.0), (3.0, 3.0)].into_iter(),
        );
        let want = Calibration {
            n: 5,
            stated: 5.2,
            error: 5.4,
            error_of_surer_half: 3.0,
            n_within: 3,
        };
        assert_eq!(found, Some(want));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 9.0, 2.0]), Some(3.0));
    }
}

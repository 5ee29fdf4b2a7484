// SPDX-License-Identifier: MPL-2.0
//! How far estimates are from the truth: errors of single heads and their means.

use std::path::PathBuf;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;

/// What became of one annotated head.
#[derive(Clone, Debug)]
pub struct Judged {
    pub picture: PathBuf,
    /// The box whose pose was estimated; that of the annotation where none was.
    pub rect: Rect,
    pub truth: Angles,
    /// The estimate, or why there is none.
    pub estimate: Result<Angles, String>,
}

impl Judged {
    /// Estimate minus truth, each angle the short way around the circle.
    pub fn error(&self) -> Option<Angles> {
        self.estimate
            .as_ref()
            .ok()
            .map(|estimate| difference(estimate, &self.truth))
    }
}

/// `a` minus `b`, each angle the short way around the circle.
pub fn difference(a: &Angles, b: &Angles) -> Angles {
    Angles::new(a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll).wrapped()
}

/// Mean absolute errors of some heads, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanErrors {
    pub n: usize,
    pub yaw: f64,
    pub pitch: f64,
    pub roll: f64,
}

impl MeanErrors {
    /// Of no head there is no mean.
    pub fn of(errors: impl Iterator<Item = Angles>) -> Option<Self> {
        let (mut n, mut sums) = (0, [0.0; 3]);
        for error in errors {
            n += 1;
            for (sum, error) in sums.iter_mut().zip([error.yaw, error.pitch, error.roll]) {
                *sum += f64::from(error.abs());
            }
        }
        let [yaw, pitch, roll] = sums.map(|sum| sum / n as f64);
        (n > 0).then_some(Self {
            n,
            yaw,
            pitch,
            roll,
        })
    }

    /// The mean of the three.
    pub fn all(&self) -> f64 {
        (self.yaw + self.pitch + self.roll) / 3.0
    }
}

/// Bounds of the bins of true yaw, 30 degrees wide; the last one includes its upper bound.
pub fn yaw_bins() -> impl Iterator<Item = (f32, f32)> {
    (-6..6).map(|bin| (30.0 * bin as f32, 30.0 * (bin + 1) as f32))
}

/// All heads of a data set.
pub struct Scores {
    pub heads: Vec<Judged>,
    /// Heads count when no true angle exceeds it.
    pub max_angle: f32,
}

impl Scores {
    pub fn failures(&self) -> impl Iterator<Item = (&Judged, &str)> {
        let failure = |head| -> Option<(&Judged, &str)> {
            let head: &Judged = head;
            head.estimate.as_ref().err().map(|why| (head, why.as_str()))
        };
        self.heads.iter().filter_map(failure)
    }

    /// The published rule: no true angle exceeds the limit.
    pub fn within(&self, truth: &Angles) -> bool {
        truth.yaw.abs() <= self.max_angle && self.upright(truth)
    }

    /// The rule without yaw, for means that look at all sides.
    pub fn upright(&self, truth: &Angles) -> bool {
        truth.pitch.abs() <= self.max_angle && truth.roll.abs() <= self.max_angle
    }

    /// Estimated heads that the published rule leaves out.
    pub fn n_left_out(&self) -> usize {
        let estimated = self.heads.iter().filter(|head| head.estimate.is_ok());
        estimated.filter(|head| !self.within(&head.truth)).count()
    }

    /// Means of the estimated heads whose true pose is chosen.
    pub fn mean(&self, chosen: impl Fn(&Angles) -> bool) -> Option<MeanErrors> {
        let heads = self.heads.iter().filter(|head| chosen(&head.truth));
        MeanErrors::of(heads.filter_map(Judged::error))
    }

    /// Means of the heads whose true yaw lies in a bin.
    pub fn mean_of_bin(&self, (from, to): (f32, f32)) -> Option<MeanErrors> {
        self.mean(|truth| {
            let yaw = truth.wrapped().yaw;
            self.upright(truth) && yaw >= from && (yaw < to || (to == 180.0 && yaw == to))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_take_the_short_way() {
        let error = difference(
            &Angles::new(-179.0, 5.0, 170.0),
            &Angles::new(179.0, 7.0, -170.0),
        );
        assert_eq!(error, Angles::new(2.0, -2.0, -20.0));
    }

    #[test]
    fn bins_cover_the_circle() {
        let bins: Vec<_> = yaw_bins().collect();
        assert_eq!(bins.len(), 12);
        assert_eq!((bins[0].0, bins[11].1), (-180.0, 180.0));
        assert!(bins.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn no_head_has_no_mean() {
        assert_eq!(MeanErrors::of(std::iter::empty()), None);
    }
}

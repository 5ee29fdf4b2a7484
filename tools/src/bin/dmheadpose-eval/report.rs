// SPDX-License-Identifier: MPL-2.0
//! The results in words and as CSV.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use gstdmheadpose::estimator::angles::Angles;
use serde::Serialize;

use crate::score::{Judged, MeanErrors, Scores, yaw_bins};

/// Failures that are printed one by one.
const MAX_FAILURES: usize = 20;

impl Display for Scores {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (n, n_failed) = (self.heads.len(), self.failures().count());
        let n_estimated = n - n_failed;
        writeln!(
            f,
            "Heads: {n} annotated, {n_estimated} estimated, {n_failed} failed"
        )?;
        let limit = self.max_angle;
        writeln!(
            f,
            "A true angle beyond {limit} degrees: {} heads, left out of the first row. The other rows leave \
             out only those whose pitch or roll is beyond it.",
            self.n_left_out()
        )?;
        writeln!(
            f,
            "\nMean absolute error, degrees, the short way around the circle"
        )?;
        writeln!(
            f,
            "{:<26}{:>7}{:>10}{:>10}{:>10}{:>10}",
            "true pose", "heads", "yaw", "pitch", "roll", "MAE"
        )?;
        row(
            f,
            &format!("all |angles| <= {limit}"),
            self.mean(|truth| self.within(truth)),
        )?;
        let front = |truth: &Angles| self.upright(truth) && !truth.wrapped().is_rear();
        let rear = |truth: &Angles| self.upright(truth) && truth.wrapped().is_rear();
        row(f, "front, |yaw| <= 90", self.mean(front))?;
        row(f, "rear, |yaw| > 90", self.mean(rear))?;
        for bin in yaw_bins() {
            let close = if bin.1 == 180.0 { ']' } else { ')' };
            let name = format!("yaw [{}, {}{close}", bin.0, bin.1);
            row(f, &name, self.mean_of_bin(bin))?;
        }
        self.write_failures(f, n_failed)
    }
}

fn row(f: &mut Formatter<'_>, name: &str, mean: Option<MeanErrors>) -> fmt::Result {
    match mean {
        Some(mean) => writeln!(
            f,
            "{name:<26}{:>7}{:>10.4}{:>10.4}{:>10.4}{:>10.4}",
            mean.n,
            mean.yaw,
            mean.pitch,
            mean.roll,
            mean.all()
        ),
        None => writeln!(
            f,
            "{name:<26}{:>7}{:>10}{:>10}{:>10}{:>10}",
            0, "-", "-", "-", "-"
        ),
    }
}

impl Scores {
    fn write_failures(&self, f: &mut Formatter<'_>, n_failed: usize) -> fmt::Result {
        if n_failed == 0 {
            return Ok(());
        }
        writeln!(f, "\nFailures, in no mean above:")?;
        for (head, why) in self.failures().take(MAX_FAILURES) {
            writeln!(f, "  {}: {why}", head.picture.display())?;
        }
        if n_failed > MAX_FAILURES {
            writeln!(f, "  and {} more", n_failed - MAX_FAILURES)?;
        }
        Ok(())
    }

    /// Writes one row for each head.
    ///
    /// # Errors
    /// What hinders the writing.
    pub fn write_csv(&self, path: &Path) -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_path(path)?;
        for head in &self.heads {
            writer.serialize(Row::of(self, head))?;
        }
        writer.flush()?;
        Ok(())
    }
}

/// A row of the CSV file; columns that do not apply are empty.
#[derive(Serialize)]
struct Row<'a> {
    file: String,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    true_yaw: f32,
    true_pitch: f32,
    true_roll: f32,
    yaw: Option<f32>,
    pitch: Option<f32>,
    roll: Option<f32>,
    error_yaw: Option<f32>,
    error_pitch: Option<f32>,
    error_roll: Option<f32>,
    status: &'a str,
    reason: &'a str,
}

impl<'a> Row<'a> {
    fn of(scores: &Scores, head: &'a Judged) -> Self {
        let (estimate, error) = (head.estimate.as_ref().ok(), head.error());
        let (status, reason) = match &head.estimate {
            Err(reason) => ("failed", reason.as_str()),
            Ok(_) if scores.within(&head.truth) => ("scored", ""),
            Ok(_) => ("left-out", ""),
        };
        Self {
            file: head.picture.display().to_string(),
            x: head.rect.x,
            y: head.rect.y,
            w: head.rect.w,
            h: head.rect.h,
            true_yaw: head.truth.yaw,
            true_pitch: head.truth.pitch,
            true_roll: head.truth.roll,
            yaw: estimate.map(|angles| angles.yaw),
            pitch: estimate.map(|angles| angles.pitch),
            roll: estimate.map(|angles| angles.roll),
            error_yaw: error.map(|angles| angles.yaw),
            error_pitch: error.map(|angles| angles.pitch),
            error_roll: error.map(|angles| angles.roll),
            status,
            reason,
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The results as tables and as CSV.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use serde::Serialize;

use crate::labels::Scale;
use crate::score::{Answer, Failure, Group, Judged, Scores, Summary};
use crate::table::{Table, degrees, percent};

/// Number of failures that are printed one by one.
const MAX_FAILURES: usize = 20;

impl Display for Scores {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pictures = self.heads.chunk_by(|a, b| a.picture == b.picture).count();
        writeln!(
            f,
            "Heads: {} annotated in {pictures} pictures\n",
            self.heads.len()
        )?;
        write!(f, "{}", self.counts())?;
        let [yaw, pitch, roll] = self.scale.names();
        if self.scale == Scale::PanTilt {
            writeln!(
                f,
                "\nTilt labels exceed the tilt of the heads, since people moved their eyes as well: tilt errors \
                 serve to compare models, and mean little by themselves."
            )?;
        }
        let (limit, level) = (self.bin_limit(), self.level);
        for (title, table) in [
            (
                "Mean absolute error, degrees".into(),
                self.errors("true pose", &self.sides()),
            ),
            (
                format!("Mean absolute error by true |{yaw}|; {pitch} and {roll} up to {limit}"),
                self.errors(&format!("±{yaw}"), &self.by_yaw()),
            ),
            (
                format!(
                    "Front or rear by true |{yaw}|: beyond 90 degrees a head is seen from behind"
                ),
                self.confusion(),
            ),
            (
                format!("Bias by true {yaw}: estimate minus truth, degrees"),
                self.bias(),
            ),
            (
                format!(
                    "Left and right: median {yaw} estimated, by true |{yaw}|; {pitch} and {roll} up to {level}"
                ),
                self.symmetry(),
            ),
            (
                "Stated uncertainty, degrees: of all heads the half that states least, and how many errors are \
                 within what is stated (68 % where it is a standard deviation)"
                    .into(),
                self.calibrations(),
            ),
        ] {
            if !table.is_empty() {
                write!(f, "\n{title}\n\n{table}")?;
            }
        }
        self.write_failures(f)
    }
}

impl Scores {
    /// Number of heads with a result, by model.
    fn counts(&self) -> Table {
        let mut table = Table::new(1, &["model", "estimated", "not detected", "failed"]);
        for (model, name) in self.names.iter().enumerate() {
            let count = |is: fn(&Result<Answer, Failure>) -> bool| {
                let heads = self.heads.iter();
                heads
                    .filter(|head| is(&head.answers[model]))
                    .count()
                    .to_string()
            };
            table.push(vec![
                name.clone(),
                count(Result::is_ok),
                count(|answer| matches!(answer, Err(Failure::NotDetected(_)))),
                count(|answer| matches!(answer, Err(Failure::Unusable(_)))),
            ]);
        }
        table
    }

    /// Rows for every group and every model that has results in it.
    fn rows(&self, table: &mut Table, groups: &[Group], cells: impl Fn(&Summary) -> Vec<String>) {
        for group in groups {
            for (model, name) in self.names.iter().enumerate() {
                if let Some(summary) = self.summary(model, group) {
                    let mut row = vec![group.name.clone(), name.clone(), summary.n.to_string()];
                    row.extend(cells(&summary));
                    table.push(row);
                }
            }
        }
    }

    fn errors(&self, what: &str, groups: &[Group]) -> Table {
        let [yaw, pitch, roll] = self.scale.names();
        let median = format!("median {yaw}");
        let header = [
            what, "model", "heads", yaw, pitch, roll, "mean", &median, "rotation", "nose",
        ];
        let mut table = Table::new(2, &header);
        self.rows(&mut table, groups, |summary| {
            let [yaw, pitch, roll] = summary.mean;
            let mean = summary.mean_of_three();
            let (rotation, nose) = (summary.rotation, summary.nose);
            let all = [yaw, pitch, roll, mean, summary.median_yaw, rotation, nose];
            all.map(degrees).to_vec()
        });
        table
    }

    fn confusion(&self) -> Table {
        // No vertical bars: they would end a cell.
        let what = format!("true ±{}", self.scale.names()[0]);
        let header = [
            &what,
            "model",
            "heads",
            "called front",
            "called rear",
            "rear",
        ];
        let mut table = Table::new(2, &header);
        let limit = self.bin_limit();
        let mut groups = self.by_yaw();
        groups.push(Group::new("front, up to 90", move |truth, _| {
            crate::score::upright(truth, limit) && truth.angles.yaw.abs() <= 90.0
        }));
        groups.push(Group::new("rear, beyond 90", move |truth, _| {
            crate::score::upright(truth, limit) && truth.angles.yaw.abs() > 90.0
        }));
        groups.push(Group::new("rear, beyond 120", move |truth, _| {
            crate::score::upright(truth, limit) && truth.angles.yaw.abs() > 120.0
        }));
        self.rows(&mut table, &groups, |summary| {
            let Summary { n, n_rear, .. } = *summary;
            vec![
                (n - n_rear).to_string(),
                n_rear.to_string(),
                percent(n_rear, n),
            ]
        });
        table
    }

    fn bias(&self) -> Table {
        let [yaw, pitch, roll] = self.scale.names();
        let mut table = Table::new(2, &[yaw, "model", "heads", yaw, pitch, roll]);
        self.rows(&mut table, &self.by_side_and_yaw(), |summary| {
            summary.bias.map(degrees).to_vec()
        });
        table
    }

    fn symmetry(&self) -> Table {
        // No vertical bars: they would end a cell.
        let what = format!("±{}", self.scale.names()[0]);
        let header = [
            &what,
            "model",
            "heads left",
            "heads right",
            "left",
            "right",
            "left - right",
        ];
        let mut table = Table::new(2, &header);
        for (bin_name, bin) in self.mirrored_bins() {
            for (model, name) in self.names.iter().enumerate() {
                let side = |side| self.median_of_side(model, bin, side);
                let (Some((n_left, left)), Some((n_right, right))) = (side(1.0), side(-1.0)) else {
                    continue;
                };
                table.push(vec![
                    bin_name.clone(),
                    name.clone(),
                    n_left.to_string(),
                    n_right.to_string(),
                    degrees(left),
                    degrees(right),
                    degrees(left - right),
                ]);
            }
        }
        table
    }

    fn calibrations(&self) -> Table {
        let header = [
            "true pose",
            "model",
            "heads",
            "stated",
            "rotation",
            "surer half",
            "ratio",
            "within",
        ];
        let mut table = Table::new(2, &header);
        let mut groups = vec![Group::new("all", |_, _| true)];
        groups.extend(self.by_yaw());
        for group in groups {
            for (model, name) in self.names.iter().enumerate() {
                if let Some(found) = self.calibration(model, &group) {
                    let ratio = found.error_of_surer_half / found.error;
                    table.push(vec![
                        group.name.clone(),
                        name.clone(),
                        found.n.to_string(),
                        degrees(found.stated),
                        degrees(found.error),
                        degrees(found.error_of_surer_half),
                        format!("{ratio:.2}"),
                        percent(found.n_within, found.n),
                    ]);
                }
            }
        }
        table
    }

    fn write_failures(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let failures: Vec<String> = self
            .heads
            .iter()
            .flat_map(|head| self.failures(head))
            .collect();
        if failures.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nFailures, not included in the means above:")?;
        for failure in failures.iter().take(MAX_FAILURES) {
            writeln!(f, "  {failure}")?;
        }
        if failures.len() > MAX_FAILURES {
            writeln!(f, "  and {} more", failures.len() - MAX_FAILURES)?;
        }
        Ok(())
    }

    /// Why a head has no result: once if all models fail alike, else by model.
    fn failures(&self, head: &Judged) -> Vec<String> {
        let picture = head.picture.display();
        let whys: Vec<Option<&str>> = head
            .answers
            .iter()
            .map(|answer| answer.as_ref().err().map(Failure::why))
            .collect();
        match whys.first() {
            Some(Some(why)) if whys.iter().all(|other| *other == Some(why)) => {
                vec![format!("{picture}: {why}")]
            }
            _ => {
                let models = self.names.iter().zip(whys);
                let failed = models.filter_map(|(name, why)| Some((name, why?)));
                failed
                    .map(|(name, why)| format!("{picture}, {name}: {why}"))
                    .collect()
            }
        }
    }

    /// Writes one row per head and model.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn write_csv(&self, path: &Path) -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_path(path)?;
        for head in &self.heads {
            for (model, answer) in self.names.iter().zip(&head.answers) {
                writer.serialize(Row::of(self, head, model, answer))?;
            }
        }
        writer.flush()?;
        Ok(())
    }
}

/// A row of the CSV file; columns that do not apply are empty. The angles are in the convention of the labels.
#[derive(Serialize)]
struct Row<'a> {
    file: String,
    model: &'a str,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    true_yaw: Option<f32>,
    true_pitch: Option<f32>,
    true_roll: Option<f32>,
    yaw: Option<f32>,
    pitch: Option<f32>,
    roll: Option<f32>,
    error_yaw: Option<f32>,
    error_pitch: Option<f32>,
    error_roll: Option<f32>,
    error_rotation: Option<f32>,
    error_nose: Option<f32>,
    uncertainty: Option<f32>,
    status: &'a str,
    reason: &'a str,
}

impl<'a> Row<'a> {
    fn of(
        scores: &Scores,
        head: &'a Judged,
        model: &'a str,
        answer: &'a Result<Answer, Failure>,
    ) -> Self {
        let (status, reason) = match answer {
            Err(Failure::NotDetected(why)) => ("not-detected", why.as_str()),
            Err(Failure::Unusable(why)) => ("failed", why.as_str()),
            Ok(_) if head.truth.is_some_and(|truth| scores.within(&truth)) => ("scored", ""),
            Ok(_) => ("left-out", ""),
        };
        let truth = head.truth.map(|truth| truth.angles);
        let answer = answer.as_ref().ok();
        let angles = answer.map(|answer| answer.pose.angles);
        let error = answer.map(|answer| answer.error);
        let rect = answer.map_or(head.rect, |answer| answer.rect);
        let uncertainty = answer.and_then(|answer| answer.uncertainty);
        Self {
            file: head.picture.display().to_string(),
            model,
            x: rect.x,
            y: rect.y,
            w: rect.w,
            h: rect.h,
            true_yaw: truth.map(|truth| truth.yaw),
            true_pitch: truth.map(|truth| truth.pitch),
            true_roll: truth.map(|truth| truth.roll),
            yaw: angles.map(|angles| angles.yaw),
            pitch: angles.map(|angles| angles.pitch),
            roll: angles.map(|angles| angles.roll),
            error_yaw: error.map(|error| error.angles.yaw),
            error_pitch: error.map(|error| error.angles.pitch),
            error_roll: error.map(|error| error.angles.roll),
            error_rotation: error.map(|error| error.rotation),
            error_nose: error.map(|error| error.nose),
            uncertainty,
            status,
            reason,
        }
    }
}

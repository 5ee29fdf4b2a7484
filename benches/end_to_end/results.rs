// SPDX-License-Identifier: MPL-2.0
//! Turns, with their medians and ratios, as tables and as CSV.

use std::path::Path;

use serde::Serialize;

use crate::subjects::Cost;

/// One turn of one subject.
#[derive(Clone, Debug, Serialize)]
struct Row {
    experiment: String,
    case: String,
    subject: String,
    round: usize,
    wall_ms: f64,
    cpu_ms: f64,
}

/// All turns.
#[derive(Default)]
pub struct Results(Vec<Row>);

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

/// A subject that runs one turn per call.
pub type Subject<'a> = (String, Box<dyn FnMut() -> Cost + 'a>);

impl Results {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives each subject one turn per round, starting with another one each time, and prints the medians of the
    /// milliseconds per frame and of the ratios to the first subject within the rounds.
    pub fn run(
        &mut self,
        experiment: &str,
        case: &str,
        rounds: usize,
        subjects: &mut [Subject<'_>],
    ) {
        let mut costs = vec![Vec::new(); subjects.len()];
        for round in 0..rounds {
            for turn in 0..subjects.len() {
                let index = (turn + round) % subjects.len();
                let (name, work) = &mut subjects[index];
                let cost = work();
                costs[index].push(cost);
                self.0.push(Row {
                    experiment: experiment.into(),
                    case: case.into(),
                    subject: name.clone(),
                    round,
                    wall_ms: cost.wall,
                    cpu_ms: cost.cpu,
                });
            }
        }
        for (index, (name, _)) in subjects.iter().enumerate() {
            let each = |value: fn(&Cost) -> f64| median(costs[index].iter().map(value).collect());
            let ratio = |value: fn(&Cost) -> f64| {
                let pairs = costs[index].iter().zip(&costs[0]);
                median(
                    pairs
                        .map(|(one, first)| value(one) / value(first))
                        .collect(),
                )
            };
            println!(
                "{case:<26} {name:<34} {:8.2} ms {:8.2} ms CPU   x{:.3}  x{:.3} CPU",
                each(|cost| cost.wall),
                each(|cost| cost.cpu),
                ratio(|cost| cost.wall),
                ratio(|cost| cost.cpu),
            );
        }
    }

    pub fn write(&self, file: &Path) -> csv::Result<()> {
        let mut writer = csv::Writer::from_path(file)?;
        for row in &self.0 {
            writer.serialize(row)?;
        }
        writer.flush()?;
        Ok(())
    }
}

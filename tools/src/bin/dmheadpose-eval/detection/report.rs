// SPDX-License-Identifier: MPL-2.0
//! Results of detectors as tables.

use std::fmt::{self, Display, Formatter};

use super::labels::{LabelledHead, Side};
use super::score::{Matched, average_precision, shorter_side};
use super::{Detections, Results};
use crate::table::{Table, percent};

/// Bounds of the sizes, in pixels; the last bin is unbounded.
const SIZES: [f32; 5] = [12.0, 24.0, 48.0, 96.0, 192.0];

/// Heads that are counted separately: their name and the condition.
type Kind = (String, Box<dyn Fn(&LabelledHead) -> bool>);

impl Display for Detections {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let counted = self.results.first().map_or(0, |results| {
            results
                .pictures
                .iter()
                .flat_map(|matched| &matched.heads)
                .flatten()
                .count()
        });
        let all: usize = self.pictures.iter().map(|labels| labels.heads.len()).sum();
        writeln!(
            f,
            "Pictures: {}, heads: {counted}, {} ignored (by their labels, or shorter than {} px)",
            self.pictures.len(),
            all - counted,
            self.rules.min_size
        )?;
        let iou = self.rules.min_iou;
        writeln!(
            f,
            "\nAverage precision at IoU {iou}, and heads found and false boxes above the threshold\n"
        )?;
        write!(f, "{}", self.totals())?;
        writeln!(
            f,
            "\nFound above the threshold, by side and by size (shorter side, pixels)\n"
        )?;
        write!(f, "{}", self.kinds())?;
        for unreadable in &self.unreadable {
            writeln!(f, "not a picture: {unreadable}")?;
        }
        Ok(())
    }
}

impl Detections {
    /// Indices of the pictures in each group: all, and one group per value of the tags.
    fn groups(&self) -> Vec<(String, Vec<usize>)> {
        let mut groups = vec![("all".to_string(), (0..self.pictures.len()).collect())];
        for tag in &self.by {
            let value = |index: &usize| self.pictures[*index].tags.get(tag);
            let mut values: Vec<_> = self.pictures.iter().map(|p| p.tags.get(tag)).collect();
            values.sort();
            values.dedup();
            for wanted in values {
                let indices = (0..self.pictures.len()).filter(|index| value(index) == wanted);
                groups.push((format!("{tag} = {wanted}"), indices.collect()));
            }
        }
        groups
    }

    fn totals(&self) -> Table {
        let header = [
            "pictures",
            "detector",
            "family",
            "heads",
            "AP",
            "threshold",
            "found",
            "recall",
            "false",
            "precision",
        ];
        let mut table = Table::new(3, &header);
        for (group, indices) in self.groups() {
            for results in &self.results {
                let matched = || indices.iter().map(|&index| &results.pictures[index]);
                let heads = matched()
                    .flat_map(|matched| &matched.heads)
                    .flatten()
                    .count();
                let (found, wrong) = results.counts(matched());
                let ap = average_precision(matched());
                table.push(vec![
                    group.clone(),
                    results.name.clone(),
                    results.family.into(),
                    heads.to_string(),
                    ap.map_or("-".into(), |ap| format!("{ap:.4}")),
                    format!("{:.2}", results.threshold),
                    found.to_string(),
                    percent(found, heads),
                    wrong.to_string(),
                    percent(found, found + wrong),
                ]);
            }
        }
        table
    }

    fn kinds(&self) -> Table {
        let mut table = Table::new(2, &["heads", "detector", "number", "found", "recall"]);
        for (name, is) in kinds() {
            for results in &self.results {
                let heads = self.pictures.iter().zip(&results.pictures);
                let heads =
                    heads.flat_map(|(labels, matched)| labels.heads.iter().zip(&matched.heads));
                let scores: Vec<f32> = heads
                    .filter(|(head, _)| is(head))
                    .filter_map(|(_, score)| *score)
                    .collect();
                if scores.is_empty() {
                    continue;
                }
                let found = scores
                    .iter()
                    .filter(|&&score| score > results.threshold)
                    .count();
                table.push(vec![
                    name.clone(),
                    results.name.clone(),
                    scores.len().to_string(),
                    found.to_string(),
                    percent(found, scores.len()),
                ]);
            }
        }
        table
    }
}

impl Results {
    /// Heads found and false boxes above the threshold.
    fn counts<'a>(&self, matched: impl Iterator<Item = &'a Matched>) -> (usize, usize) {
        let above = matched.flat_map(|matched| &matched.detections);
        let above: Vec<bool> = above
            .filter(|(score, _)| *score > self.threshold)
            .map(|(_, is_head)| *is_head)
            .collect();
        let found = above.iter().filter(|is_head| **is_head).count();
        (found, above.len() - found)
    }
}

/// The sides, and the sizes.
fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for side in Side::ALL {
        kinds.push((
            side.name().into(),
            Box::new(move |head| head.side == Some(side)),
        ));
    }
    for (index, &from) in SIZES.iter().enumerate() {
        let to = SIZES.get(index + 1).copied();
        let name = to.map_or(format!("{from} and more"), |to| format!("{from} to {to}"));
        kinds.push((
            name,
            Box::new(move |head| {
                let side = shorter_side(&head.rect);
                side >= from && to.is_none_or(|to| side < to)
            }),
        ));
    }
    kinds
}

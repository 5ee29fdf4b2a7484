// SPDX-License-Identifier: MPL-2.0
//! Matches detections with heads and computes the average precision.

use gstdmheadpose::estimator::detector::Detection;
use gstdmheadpose::estimator::geometry::Rect;

use super::Rules;
use super::labels::LabelledHead;

/// The detections in a picture, matched with its heads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// Score of each detection that counts, and whether it is a head. Highest score first.
    pub detections: Vec<(f32, bool)>,
    /// For each labelled head: `None` if it does not count, else the score at which it was found, or 0 if it was
    /// not found.
    pub heads: Vec<Option<f32>>,
}

impl Matched {
    /// Matches the detections of a picture with its heads, highest score first. Each takes the remaining head that it
    /// overlaps most. A detection on an ignored head, or smaller than any head that counts, does not count.
    pub fn of(found: &[Detection], heads: &[LabelledHead], rules: Rules) -> Self {
        let counts =
            |head: &LabelledHead| !head.ignore && shorter_side(&head.rect) >= rules.min_size;
        let mut matched = Self {
            detections: Vec::new(),
            heads: heads
                .iter()
                .map(|head| counts(head).then_some(0.0))
                .collect(),
        };
        for detection in found {
            let overlaps = heads.iter().enumerate().filter_map(|(index, head)| {
                let is_left = matched.heads[index] == Some(0.0);
                is_left.then(|| (head.rect.iou(&detection.rect), index))
            });
            let best = overlaps.max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((_, index)) = best.filter(|(iou, _)| *iou >= rules.min_iou) {
                matched.heads[index] = Some(detection.score);
                matched.detections.push((detection.score, true));
                continue;
            }
            let on_ignored = heads.iter().filter(|head| !counts(head)).any(|head| {
                head.rect.iou(&detection.rect) >= rules.min_iou
                    || overlap(&head.rect, &detection.rect) >= 0.5 * detection.rect.area()
            });
            if !on_ignored && shorter_side(&detection.rect) >= rules.min_size {
                matched.detections.push((detection.score, false));
            }
        }
        matched
    }
}

pub fn shorter_side(rect: &Rect) -> f32 {
    rect.w.min(rect.h)
}

fn overlap(a: &Rect, b: &Rect) -> f32 {
    let w = a.right().min(b.right()) - a.x.max(b.x);
    let h = a.bottom().min(b.bottom()) - a.y.max(b.y);
    w.max(0.0) * h.max(0.0)
}

/// The area under the precision-recall curve, where precision is the best at this recall or higher. `None`
/// if there is no head.
pub fn average_precision<'a>(matched: impl Iterator<Item = &'a Matched> + Clone) -> Option<f64> {
    let heads = matched
        .clone()
        .flat_map(|matched| &matched.heads)
        .flatten()
        .count();
    if heads == 0 {
        return None;
    }
    let mut detections: Vec<(f32, bool)> = matched
        .flat_map(|matched| matched.detections.iter().copied())
        .collect();
    detections.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut precisions) = (0, Vec::new());
    for (index, (_, is_head)) in detections.into_iter().enumerate() {
        if is_head {
            right += 1;
            precisions.push(f64::from(right) / (index + 1) as f64);
        }
    }
    let (mut best, mut sum) = (0.0f64, 0.0);
    for precision in precisions.into_iter().rev() {
        best = best.max(precision);
        sum += best;
    }
    Some(sum / heads as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        min_iou: 0.5,
        min_size: 12.0,
    };

    fn head(x: f32, side: f32, ignore: bool) -> LabelledHead {
        LabelledHead {
            rect: Rect::new(x, 0.0, side, side),
            side: None,
            ignore,
        }
    }

    fn found(x: f32, side: f32, score: f32) -> Detection {
        Detection {
            rect: Rect::new(x, 0.0, side, side),
            score,
        }
    }

    #[test]
    fn a_head_is_found_once() {
        let detections = [
            found(0.0, 20.0, 0.9),
            found(1.0, 20.0, 0.8),
            found(100.0, 20.0, 0.7),
        ];
        let matched = Matched::of(
            &detections,
            &[head(0.0, 20.0, false), head(40.0, 20.0, false)],
            RULES,
        );
        assert_eq!(
            matched.detections,
            [(0.9, true), (0.8, false), (0.7, false)]
        );
        assert_eq!(matched.heads, [Some(0.9), Some(0.0)]);
    }

    #[test]
    fn what_is_ignored_is_neither_missed_nor_false() {
        let heads = [head(0.0, 40.0, true), head(100.0, 10.0, false)];
        // In the ignored head, on the small one, and a small one without a head.
        let detections = [
            found(5.0, 20.0, 0.9),
            found(100.0, 12.0, 0.8),
            found(200.0, 8.0, 0.7),
        ];
        let matched = Matched::of(&detections, &heads, RULES);
        assert_eq!(
            matched,
            Matched {
                detections: vec![],
                heads: vec![None, None]
            }
        );
    }

    #[test]
    fn average_precision_is_the_area_below_the_curve() {
        let matched = |detections: &[(f32, bool)], heads: usize| Matched {
            detections: detections.into(),
            heads: vec![Some(0.0); heads],
        };
        let all = [
            matched(&[(0.9, true), (0.6, false)], 1),
            matched(&[(0.7, false), (0.5, true)], 2),
        ];
        // Right at ranks 1 and 4 of 3 heads: a third at 1, a third at a half, and the last head is never found.
        let ap = average_precision(all.iter()).unwrap();
        assert!((ap - (1.0 + 0.5) / 3.0).abs() < 1e-9, "{ap}");
        assert_eq!(
            average_precision([matched(&[(0.9, false)], 0)].iter()),
            None
        );
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Non-maximum suppression, for families without NMS in the graph.

use super::super::geometry::Rect;
use super::detection::{Detection, better_first};

/// Boxes with this IoU or more say together where a head is.
const VOTE_IOU: f32 = 0.6;

/// Greedy non-maximum suppression: the best box is kept, boxes that overlap it by more than `iou` are dropped, and so
/// on. The remaining boxes are ordered by falling score. With `voting` each of them moves to the mean of itself and of
/// the dropped boxes that overlap it by [`VOTE_IOU`], weighted by score (Gidaris and Komodakis, ICCV 2015).
pub(super) fn suppress_overlaps(boxes: &mut Vec<Detection>, iou: f32, voting: bool) {
    // Comparisons with NaN are false, so a box of NaN would suppress all others.
    boxes.retain(Detection::is_finite);
    boxes.sort_unstable_by(|a, b| better_first((a.score, &a.rect), (b.score, &b.rect)));
    let mut kept = 0;
    for index in 0..boxes.len() {
        let candidate = boxes[index].rect;
        if boxes[..kept]
            .iter()
            .all(|better| better.rect.iou(&candidate) <= iou)
        {
            // The dropped boxes gather behind those that are kept.
            boxes.swap(kept, index);
            kept += 1;
        }
    }
    if voting {
        let (kept, dropped) = boxes.split_at_mut(kept);
        for best in kept {
            best.rect = voted(best, dropped);
        }
    }
    boxes.truncate(kept);
}

fn voted(best: &Detection, dropped: &[Detection]) -> Rect {
    // Sums of the largest finite values stay finite in f64.
    let mut sums = [0.0f64; 4];
    let mut weights = 0.0;
    let agreeing = dropped
        .iter()
        .filter(|b| b.rect.iou(&best.rect) >= VOTE_IOU);
    for &Detection { rect, score } in agreeing.chain([best]) {
        // A score of 0 must not divide by 0.
        let weight = f64::from(score.max(f32::MIN_POSITIVE));
        for (sum, value) in sums.iter_mut().zip([rect.x, rect.y, rect.w, rect.h]) {
            *sum += weight * f64::from(value);
        }
        weights += weight;
    }
    let [x, y, w, h] = sums.map(|sum| (sum / weights) as f32);
    Rect::new(x, y, w, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(voting: bool) -> Vec<Detection> {
        let head = |x, score| Detection {
            rect: Rect::new(x, 0.0, 10.0, 20.0),
            score,
        };
        // IoU with the best: 8 of 12, 5 of 15, none.
        let mut boxes = vec![
            head(12.0, 0.2),
            head(0.0, 0.6),
            head(5.0, 0.5),
            head(40.0, 0.0),
            head(10.0, 0.8),
        ];
        suppress_overlaps(&mut boxes, 0.3, voting);
        boxes
    }

    #[test]
    fn the_best_of_overlapping_boxes_stays() {
        let at = |boxes: Vec<Detection>| {
            boxes
                .iter()
                .map(|b| (b.rect.x, b.score))
                .collect::<Vec<_>>()
        };
        assert_eq!(at(found(false)), [(10.0, 0.8), (0.0, 0.6), (40.0, 0.0)]);
    }

    #[test]
    fn boxes_that_agree_vote_on_the_place() {
        let places = found(true).iter().map(|b| b.rect.x).collect::<Vec<_>>();
        // (0.8 * 10 + 0.2 * 12) / (0.8 + 0.2); the others overlap by a third.
        assert!((places[0] - 10.4).abs() < 1e-5, "{places:?}");
        assert_eq!(places[1..], [0.0, 40.0]);
    }

    #[test]
    fn votes_of_huge_boxes_stay_finite() {
        let huge = Detection {
            rect: Rect::new(0.0, 0.0, 1e38, 1.0),
            score: 1.0,
        };
        // The sum of the four widths is beyond f32.
        let found = voted(&huge, &[huge; 3]);
        assert_eq!(found, huge.rect);
    }
}

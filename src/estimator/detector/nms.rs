// SPDX-License-Identifier: MPL-2.0
//! Non-maximum suppression, for families without NMS in the graph.

use super::detection::{Detection, better_first};

/// Greedy non-maximum suppression: the best box is kept, boxes that overlap it by more than `iou` are dropped, and so
/// on. The remaining boxes are ordered by falling score.
pub(super) fn suppress_overlaps(boxes: &mut Vec<Detection>, iou: f32) {
    // Comparisons with NaN are false, so a box of NaN would suppress all others.
    boxes.retain(Detection::is_finite);
    boxes.sort_unstable_by(|a, b| better_first((a.score, &a.rect), (b.score, &b.rect)));
    let mut kept = 0;
    for index in 0..boxes.len() {
        let candidate = boxes[index];
        if boxes[..kept]
            .iter()
            .all(|better| better.rect.iou(&candidate.rect) <= iou)
        {
            boxes[kept] = candidate;
            kept += 1;
        }
    }
    boxes.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::super::super::geometry::Rect;
    use super::*;

    #[test]
    fn of_overlapping_boxes_the_best_stays() {
        let at = |x: f32, score| Detection {
            rect: Rect::new(x, 0.0, 10.0, 10.0),
            score,
        };
        // Overlaps of 10x10 boxes shifted by 5: 50 / 150 = 0.33; by 6: 40 / 160 = 0.25.
        let mut boxes = vec![at(0.0, 0.5), at(5.0, 0.9), at(11.0, 0.7), at(30.0, 0.1)];
        suppress_overlaps(&mut boxes, 0.3);
        assert_eq!(boxes, [at(5.0, 0.9), at(11.0, 0.7), at(30.0, 0.1)]);
        let mut boxes = vec![at(f32::NAN, 0.9), at(5.0, 0.8), at(6.0, f32::INFINITY)];
        suppress_overlaps(&mut boxes, 0.3);
        assert_eq!(boxes, [at(5.0, 0.8)]);
    }
}

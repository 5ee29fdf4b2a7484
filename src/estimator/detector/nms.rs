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

// SPDX-License-Identifier: MPL-2.0
//! Shared by face detectors: their boxes end at forehead, chin and cheeks, but pose models expect whole heads.

use super::super::geometry::Rect;

/// Median distances from the face box of YuNet and CenterFace to the head, over 77 hand-checked heads, in face widths
/// (each side) and face heights (top, bottom). The side that the face turns to needs less and the other
/// more, but the yaw is not known yet.
const SIDE: f32 = 0.41;
const TOP: f32 = 0.40;
const BOTTOM: f32 = 0.13;

/// The box of the head that a face box belongs to.
pub(super) fn grow_to_head(face: Rect) -> Rect {
    Rect::new(
        face.x - SIDE * face.w,
        face.y - TOP * face.h,
        face.w * (1.0 + 2.0 * SIDE),
        face.h * (1.0 + TOP + BOTTOM),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_grows_to_a_head() {
        let head = grow_to_head(Rect::new(100.0, 200.0, 50.0, 100.0));
        let want = [79.5, 160.0, 91.0, 153.0];
        for (got, want) in [head.x, head.y, head.w, head.h].iter().zip(want) {
            assert!((got - want).abs() < 1e-4, "{head:?}");
        }
    }
}

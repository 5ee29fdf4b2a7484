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

// SPDX-License-Identifier: MPL-2.0
//! What a detector finds.

use std::cmp::Ordering;

use super::super::geometry::Rect;

/// The box of a head in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Pixels of the frame; may reach beyond it.
    pub rect: Rect,
    pub score: f32,
}

impl Detection {
    /// A head whose box is given, not detected.
    pub fn known(rect: Rect) -> Self {
        Self { rect, score: 1.0 }
    }

    /// Whether box and score are finite: networks may return NaN or infinity.
    pub(in super::super) fn is_finite(&self) -> bool {
        let Self { rect, score } = *self;
        [rect.x, rect.y, rect.w, rect.h, score]
            .iter()
            .all(|v| v.is_finite())
    }
}

/// Orders boxes by falling score, equal scores by position. The order is total, so an unstable sort, which needs no
/// memory, gives the same result every time.
pub(in super::super) fn better_first(a: (f32, &Rect), b: (f32, &Rect)) -> Ordering {
    let (above, left) = (a.1.y.total_cmp(&b.1.y), a.1.x.total_cmp(&b.1.x));
    b.0.total_cmp(&a.0).then(above).then(left)
}

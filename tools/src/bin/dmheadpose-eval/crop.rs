// SPDX-License-Identifier: MPL-2.0
//! What the pose model sees of an annotated head: rules from box to crop.

use gstdmheadpose::estimator::geometry::{CropMode, Rect};

use crate::dataset::Layout;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CropRule {
    /// A head's box, with the crop that each pose model was made for
    Auto,
    /// 6DRepNet's margins around landmarks: 40 % of the width left, then 40 % of the new width right;
    /// likewise 40 % above and 12 % below
    #[value(name = "6drepnet")]
    SixDRepNet,
    /// Hopenet's margins around landmarks: likewise 15 % left and right, 60 % above, 6 % below
    Hopenet,
    /// DMHead's margins around a head's box: 20 % left, 24 % right, 10 % above, 11 % below
    Dmhead,
    /// --crop-margin on each side of the box
    Symmetric,
    /// A square with the box's longer side, and --crop-margin on each side
    Square,
    /// The box without margins
    Box,
}

impl CropRule {
    /// The default rule for boxes of this layout.
    pub fn of(layout: Layout) -> Self {
        match layout {
            Layout::Aflw2000 => Self::SixDRepNet,
            Layout::Biwi | Layout::Pointing04 | Layout::Csv => Self::Auto,
        }
    }

    /// The box that goes to the estimator: already enlarged if the estimator does not have the rule itself.
    pub fn applied(self, rect: Rect) -> Rect {
        match self {
            Self::SixDRepNet => grown(rect, [0.4, 0.4, 0.4, 0.12]),
            Self::Hopenet => grown(rect, [0.15, 0.6, 0.15, 0.06]),
            Self::Auto | Self::Dmhead | Self::Symmetric | Self::Square | Self::Box => rect,
        }
    }

    /// What the estimator adds to the box.
    pub fn mode(self, margin: f32) -> Option<CropMode> {
        match self {
            Self::Auto => None,
            Self::Dmhead => Some(CropMode::Upstream),
            Self::Symmetric => Some(CropMode::Symmetric(margin)),
            Self::Square => Some(CropMode::Square(margin)),
            Self::SixDRepNet | Self::Hopenet | Self::Box => Some(CropMode::Symmetric(0.0)),
        }
    }
}

/// Enlarges a box by fractions of its extent: left and above first, then right and below by fractions of the
/// enlarged extent, as the published scripts do.
fn grown(rect: Rect, [left, above, right, below]: [f32; 4]) -> Rect {
    let (x, y) = (rect.x - left * rect.w, rect.y - above * rect.h);
    let (w, h) = (rect.right() - x, rect.bottom() - y);
    Rect::new(x, y, w * (1.0 + right), h * (1.0 + below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_margins_grow_one_after_the_other() {
        let rect = Rect::new(100.0, 200.0, 100.0, 50.0);
        for (rule, want) in [
            // Left 40, then 40 % of 140; above 20, then 12 % of 70.
            (CropRule::SixDRepNet, [60.0, 180.0, 256.0, 258.4]),
            // Left 15, then 15 % of 115; above 30, then 6 % of 80.
            (CropRule::Hopenet, [85.0, 170.0, 217.25, 254.8]),
            (CropRule::Dmhead, [100.0, 200.0, 200.0, 250.0]),
        ] {
            let got = rule.applied(rect);
            let corners = [got.x, got.y, got.right(), got.bottom()];
            let near = corners.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-3);
            assert!(near, "{rule:?}: {got:?}");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! From a video frame to heads with their pose. Pure Rust: nothing in here knows GStreamer.

pub mod angles;
pub mod error;
pub mod frame;
pub mod geometry;
mod pixels;
pub mod preprocess;
pub mod resize;

use angles::Angles;
use geometry::Rect;

/// One head in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Track number, from 1; 0 when the head is not tracked.
    pub id: u64,
    /// The head's box in pixels of the source frame, before the margins of the pose crop. It lies
    /// within the frame and, as in DMHead, on whole pixels.
    pub rect: Rect,
    /// The detector's score, 0..=1.
    pub score: f32,
    pub angles: Angles,
    /// The head is seen from behind: |yaw| > 90 degrees.
    pub rear: bool,
    /// The frame's border cuts the detector's box, so the pose is less sure.
    pub truncated: bool,
    /// The yaw is near the +-90 degree seam between front and rear model, so the pose is less sure.
    pub seam: bool,
    /// The box was predicted by the tracker, not detected in this frame.
    pub predicted: bool,
}

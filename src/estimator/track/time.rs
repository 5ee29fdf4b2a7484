// SPDX-License-Identifier: MPL-2.0
//! Time from frame to frame.

use std::time::Duration;

/// Assumed between two frames where one has no time, or time stood still or went back.
const FRAME_TIME: Duration = Duration::from_millis(40);

/// The time from one frame to the next; that of a usual frame where their times do not say, as when a source starts its
/// clock anew.
pub(crate) fn elapsed(from: Option<Duration>, to: Option<Duration>) -> Duration {
    match (from, to) {
        (Some(from), Some(to)) if to > from => to - from,
        _ => FRAME_TIME,
    }
}

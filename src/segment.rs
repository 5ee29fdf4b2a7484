// SPDX-License-Identifier: MPL-2.0
//! The segment that a pad's buffers belong to.

use gst::prelude::*;

/// The segment that arrived last on this sink pad, if it is one of times.
///
/// It is the pad's own copy: flushes and stops forget it, there is nothing to keep up to date.
pub(crate) fn of(sinkpad: &gst::Pad) -> Option<gst::FormattedSegment<gst::ClockTime>> {
    let event = sinkpad.sticky_event::<gst::event::Segment>(0)?;
    event.segment().downcast_ref().cloned()
}

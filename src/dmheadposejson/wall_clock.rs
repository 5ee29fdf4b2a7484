// SPDX-License-Identifier: MPL-2.0
//! The time of day at which a frame was captured or is due.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gst::glib;
use gst::prelude::*;

/// The time of day that belongs to `running_time` in the pipeline of `element`, as RFC 3339 in UTC.
///
/// In a live pipeline that is when the frame was captured, however long it took to get here; from a
/// file it is when the frame is due to be shown. A frame without a running time, and one with which
/// a pipeline prerolls before its clock runs, has the time at which it is asked for. `None` only
/// when the machine's clock is far out of the calendar.
pub(super) fn timestamp(
    element: &impl IsA<gst::Element>,
    running_time: Option<gst::ClockTime>,
) -> Option<String> {
    let element = element.upcast_ref();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    // Before PLAYING the base time is that of an earlier run.
    let playing = element.current_state() == gst::State::Playing;
    let clock = element.clock().filter(|_| playing);
    let unix = match (clock, element.base_time(), running_time) {
        (Some(clock), Some(base_time), Some(running_time)) => {
            moved(now, clock.time(), base_time.saturating_add(running_time))
        }
        _ => now,
    };
    rfc3339(unix)
}

/// The time of day when the pipeline's clock, which shows `clock` now, shows `due`.
fn moved(now: Duration, clock: gst::ClockTime, due: gst::ClockTime) -> Duration {
    let difference = clock.nseconds().abs_diff(due.nseconds());
    let difference = Duration::from_nanos(difference);
    if due > clock {
        now.saturating_add(difference)
    } else {
        now.saturating_sub(difference)
    }
}

/// Always with six decimals, so that texts sort as times do.
fn rfc3339(unix: Duration) -> Option<String> {
    let seconds = i64::try_from(unix.as_secs()).ok()?;
    let date = glib::DateTime::from_unix_utc(seconds).ok()?;
    let text = date.format("%Y-%m-%dT%H:%M:%S").ok()?;
    Some(format!("{text}.{:06}Z", unix.subsec_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc3339() {
        let text = |nanos| rfc3339(Duration::from_nanos(nanos)).unwrap();
        assert_eq!(text(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(text(951_782_400_000_001_999), "2000-02-29T00:00:00.000001Z");
        assert_eq!(
            text(1_767_225_599_999_999_999),
            "2025-12-31T23:59:59.999999Z"
        );
        assert_eq!(rfc3339(Duration::MAX), None);
    }

    #[test]
    fn a_frame_of_the_past_was_captured_before_now() {
        for (clock, due, wanted) in [(50, 47, 997), (50, 53, 1003), (5000, 0, 0)] {
            let [clock, due] = [clock, due].map(gst::ClockTime::from_seconds);
            let found = moved(Duration::from_secs(1000), clock, due);
            assert_eq!(found, Duration::from_secs(wanted), "{clock} {due}");
        }
    }
}

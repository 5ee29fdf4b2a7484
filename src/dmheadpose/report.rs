// SPDX-License-Identifier: MPL-2.0
//! Results for applications that do not read buffers: element messages and a signal for each inferred frame.
//!
//! Both carry a structure named `dmheadpose` with the fields of the meta
//! (see [`headposemeta`](crate::headposemeta)) and the frame's times in nanoseconds: `timestamp`,
//! `running-time` and `stream-time`, `GST_CLOCK_TIME_NONE` where a frame has none.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::glib::subclass::Signal;
use gst::meta::CustomMeta;
use gst::prelude::*;
use gst_base::prelude::*;

use super::properties::Settings;
use crate::headposemeta;
use crate::sync::lock;
use crate::video;

/// The name of the structure, and so of the message.
const NAME: &str = "dmheadpose";

const SIGNAL: &str = "head-poses";

pub(super) fn signals() -> &'static [Signal] {
    static SIGNALS: LazyLock<Vec<Signal>> = LazyLock::new(|| {
        vec![
            Signal::builder(SIGNAL)
                .param_types([u64::static_type(), gst::Structure::static_type()])
                .run_last()
                .build(),
        ]
    });
    &SIGNALS
}

#[derive(Default)]
pub(super) struct Reporter {
    /// Running time of the frame of the last message.
    last: Mutex<Option<gst::ClockTime>>,
}

impl Reporter {
    pub fn reset(&self) {
        *lock(&self.last) = None;
    }

    /// Reports the poses that are attached to `buffer`, the first that carries them.
    ///
    /// No lock may be held: handlers may do anything with the element.
    pub fn report(
        &self,
        element: &gst_base::BaseTransform,
        settings: &Settings,
        buffer: &gst::BufferRef,
    ) {
        let listened = signals().iter().any(|signal| {
            glib::signal::signal_has_handler_pending(element, signal.signal_id(), None, false)
        });
        if !listened && !settings.post_messages {
            return;
        }
        let Ok(meta) = CustomMeta::from_buffer(buffer, headposemeta::NAME) else {
            return;
        };
        let pts = buffer.pts();
        let segment = video::segment(element.sink_pad());
        let running_time = segment.as_ref().and_then(|s| s.to_running_time(pts));
        let posted = settings.post_messages && self.is_due(running_time, settings.message_interval);
        if !listened && !posted {
            return;
        }
        let mut structure = meta.structure().to_owned();
        structure.set_name(NAME);
        structure.set("timestamp", pts);
        structure.set("running-time", running_time);
        let stream_time = segment.as_ref().and_then(|s| s.to_stream_time(pts));
        structure.set("stream-time", stream_time);
        if listened {
            element.emit_by_name::<()>(SIGNAL, &[&pts, &structure]);
        }
        if posted {
            let message = gst::message::Element::builder(structure).src(element);
            // It fails without a bus, where nobody listens.
            let _ = element.post_message(message.build());
        }
    }

    /// Whether enough time has passed since the last message. Frames without a time, and the first after time went
    /// back (a seek), are reported at once.
    fn is_due(&self, now: Option<gst::ClockTime>, interval: u64) -> bool {
        let mut last = lock(&self.last);
        let passed = now.zip(*last).map(|(now, last)| now.checked_sub(last));
        let due = !matches!(passed, Some(Some(passed)) if passed.nseconds() < interval);
        if due {
            *last = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_distance() {
        let reporter = Reporter::default();
        let at = |ms| reporter.is_due(Some(gst::ClockTime::from_mseconds(ms)), 100_000_000);
        assert_eq!(
            [0, 40, 80, 120, 160, 220].map(at),
            [true, false, false, true, false, true]
        );
        // Back by a seek, and on from there.
        assert_eq!([100, 199, 200].map(at), [true, false, true]);
        assert!(reporter.is_due(None, 100_000_000));
        assert!(at(201));
        reporter.reset();
        assert!(at(202));
        let at = |ms| reporter.is_due(Some(gst::ClockTime::from_mseconds(ms)), 0);
        assert_eq!([0, 0, 40].map(at), [true; 3], "no interval");
    }
}

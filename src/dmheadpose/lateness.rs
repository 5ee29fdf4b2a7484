// SPDX-License-Identifier: MPL-2.0
//! How much time a frame has before it comes too late: from the clock where the stream is live, else from
//! what downstream says of its punctuality in QoS events.

use std::sync::Mutex;

use crate::sync::lock;

/// What is known of the time that frames have.
#[derive(Default)]
pub(super) struct Lateness(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Of the last QoS event: frames of an earlier running time come too late.
    earliest: Option<gst::ClockTime>,
    /// Of the last QoS event: how long its frame could have waited.
    slack: Option<gst::ClockTime>,
    /// How long the last frame waited.
    waited: gst::ClockTime,
    /// In a live stream: how much later than its running time a frame is to leave the element.
    latency: Option<gst::ClockTime>,
}

impl Lateness {
    pub fn update(&self, qos: &gst::event::Qos) {
        let (_, _, jitter, timestamp) = qos.get();
        let by = gst::ClockTime::from_nseconds(jitter.unsigned_abs());
        let late = jitter > 0;
        let mut known = lock(&self.0);
        // As GstVideoDecoder reckons: who is late now has to gain twice that to catch up.
        known.earliest = timestamp
            .filter(|_| late)
            .map(|time| time.saturating_add(by.saturating_mul(2)));
        known.slack = Some(match late {
            true => known.waited.saturating_sub(by),
            false => known.waited.saturating_add(by),
        });
    }

    /// How long the last frame waited for its inference.
    pub fn set_waited(&self, waited: std::time::Duration) {
        let waited = gst::ClockTime::try_from(waited);
        lock(&self.0).waited = waited.unwrap_or(gst::ClockTime::MAX);
    }

    /// What was answered to a latency query: how late frames may leave the element; `None` if the stream is not
    /// live. Not what the sinks are told: that contains what is behind the element, and nothing at all where no
    /// sink waits for the clock.
    pub fn set_latency(&self, latency: Option<gst::ClockTime>) {
        lock(&self.0).latency = latency;
    }

    /// Forgets what QoS events said: of a stream that has jumped it says nothing.
    pub fn forget(&self) {
        let mut known = lock(&self.0);
        (known.earliest, known.slack) = (None, None);
        known.waited = gst::ClockTime::ZERO;
    }

    /// Forgets all, for a new start.
    pub fn reset(&self) {
        *lock(&self.0) = Known::default();
    }

    /// A frame of this running time comes too late, downstream says.
    pub fn is_late(&self, running_time: Option<gst::ClockTime>) -> bool {
        let earliest = lock(&self.0).earliest;
        earliest
            .zip(running_time)
            .is_some_and(|(earliest, time)| time <= earliest)
    }

    /// How long a frame of this running time may wait, at running time `now`; in a live stream at most
    /// `longest`. `None` where nothing says that it may not wait for ever.
    pub fn time_left(
        &self,
        running_time: Option<gst::ClockTime>,
        now: Option<gst::ClockTime>,
        longest: gst::ClockTime,
    ) -> Option<gst::ClockTime> {
        let known = lock(&self.0);
        let due = running_time.zip(known.latency);
        match due.zip(now) {
            Some(((time, latency), now)) => {
                let due = time.saturating_add(latency);
                Some(due.saturating_sub(now).min(longest))
            }
            None => known.slack,
        }
    }
}

/// Whether the stream is live, and its least and its longest latency, as a query was answered. An element that
/// answers no time for the least, which may not be, is taken to have none.
pub(super) fn answered(
    query: &gst::query::Latency,
) -> (bool, gst::ClockTime, Option<gst::ClockTime>) {
    let time = |field| {
        let time = query.structure()?.get::<Option<gst::ClockTime>>(field);
        time.ok().flatten()
    };
    let live = query.structure().and_then(|s| s.get("live").ok());
    let least = time("min-latency").unwrap_or_default();
    (live.unwrap_or_default(), least, time("max-latency"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: gst::ClockTime = gst::ClockTime::from_seconds(100);

    fn ms(ms: u64) -> Option<gst::ClockTime> {
        Some(gst::ClockTime::from_mseconds(ms))
    }

    fn after_qos(lateness: &Lateness, jitter_ms: i64) {
        let jitter = jitter_ms * 1_000_000;
        let event = gst::event::Qos::new(gst::QOSType::Underflow, 1.0, jitter, ms(1000));
        let gst::EventView::Qos(qos) = event.view() else {
            unreachable!()
        };
        lateness.update(qos);
    }

    #[test]
    fn who_is_late_has_to_catch_up() {
        gst::init().unwrap();
        let lateness = Lateness::default();
        assert!(!lateness.is_late(ms(0)));
        after_qos(&lateness, 30);
        assert!(lateness.is_late(ms(1060)));
        assert!(!lateness.is_late(ms(1061)));
        assert!(!lateness.is_late(None));
        after_qos(&lateness, -30);
        assert!(!lateness.is_late(ms(900)));
        after_qos(&lateness, 30);
        lateness.forget();
        assert!(!lateness.is_late(ms(900)));
    }

    #[test]
    fn who_is_early_has_time() {
        gst::init().unwrap();
        let lateness = Lateness::default();
        let left = || lateness.time_left(ms(1000), ms(5000), LONG);
        assert_eq!(left(), None);
        after_qos(&lateness, -30);
        assert_eq!(left(), ms(30));
        after_qos(&lateness, 30);
        assert_eq!(left(), ms(0));
        // The frame had waited: the next one may do so, too.
        lateness.set_waited(std::time::Duration::from_millis(25));
        after_qos(&lateness, -10);
        assert_eq!(left(), ms(35));
        after_qos(&lateness, 10);
        assert_eq!(left(), ms(15));
        lateness.forget();
        assert_eq!(left(), None);
    }

    /// Whatever an element says: no time overflows, and what is later or longer has no less of an effect.
    #[test]
    fn times_may_be_as_long_as_can_be_told() {
        gst::init().unwrap();
        let all = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits]);
        let all = || all.clone().chain([u64::MAX - 1]);
        let time = gst::ClockTime::from_nseconds;
        for (a, b) in all().flat_map(|a| all().map(move |b| (time(a), time(b)))) {
            let lateness = Lateness::default();
            let jitter = i64::try_from(a.nseconds()).unwrap_or(i64::MAX);
            // No frame is as early as to be due before 0.
            for (jitter, at) in [(jitter, b), (-jitter, gst::ClockTime::MAX)] {
                lateness.set_waited(b.into());
                let event = gst::event::Qos::new(gst::QOSType::Underflow, 1.0, jitter, at);
                let gst::EventView::Qos(qos) = event.view() else {
                    unreachable!()
                };
                lateness.update(qos);
                assert_eq!(lateness.is_late(Some(b)), jitter > 0, "{jitter} {b}");
                let left = lateness.time_left(None, None, LONG).unwrap();
                assert_eq!(left < b, jitter > 0 && !b.is_zero(), "{jitter} {b} {left}");
            }
            lateness.set_latency(Some(a));
            let left = lateness.time_left(Some(b), Some(gst::ClockTime::ZERO), LONG);
            let due = u128::from(a.nseconds()) + u128::from(b.nseconds());
            let left = left.map(|left| u128::from(left.nseconds()));
            assert_eq!(left, Some(due.min(LONG.nseconds().into())));
        }
    }

    #[test]
    fn a_live_frame_has_time_until_it_is_due() {
        gst::init().unwrap();
        let lateness = Lateness::default();
        lateness.set_latency(None);
        assert_eq!(lateness.time_left(ms(1000), ms(1150), LONG), None);
        lateness.set_latency(ms(200));
        let left = |now, longest| lateness.time_left(ms(1000), now, longest);
        assert_eq!(left(ms(1150), LONG), ms(50));
        assert_eq!(left(ms(1150), ms(40).unwrap()), ms(40));
        assert_eq!(left(ms(1300), LONG), ms(0));
        // No clock yet, and a frame without a time.
        assert_eq!(left(None, LONG), None);
        assert_eq!(lateness.time_left(None, ms(1150), LONG), None);
        lateness.reset();
        assert_eq!(left(ms(1150), LONG), None);
    }
}

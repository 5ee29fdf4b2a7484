// SPDX-License-Identifier: MPL-2.0
//! Whether a frame waits for its inference, and for how long: by the clock where the stream is live, otherwise by
//! what QoS events from downstream say.

use std::sync::Mutex;
use std::time::Duration;

use crate::sync::lock;

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Infer it, and wait for the result at most this long; `None`: until it is there.
    Infer(Option<Duration>),
    /// Let it go on with the last result.
    Hold(Why),
    /// It has no picture.
    Pass,
}

/// Why a frame goes on with the last result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It would be late.
    Late,
    /// An earlier frame is still in inference.
    Busy,
}

/// What a decision about a frame depends on, beside the time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    /// The buffer has no picture.
    pub is_empty: bool,
    /// Late frames go on without their result: `when-late=hold`.
    pub holds: bool,
    /// All frames do: `async`.
    pub is_async: bool,
    /// An earlier frame is in inference.
    pub is_busy: bool,
    /// The last result is good enough for it.
    pub has_last: bool,
    pub running_time: Option<gst::ClockTime>,
    /// The usual duration of a frame.
    pub duration: gst::ClockTime,
}

/// What is known of the time that frames have.
#[derive(Default)]
pub(super) struct Deadline(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// From the last QoS event: frames of an earlier running time are late.
    earliest: Option<gst::ClockTime>,
    /// From the last QoS event: how long its frame could have waited.
    slack: Option<gst::ClockTime>,
    /// How long the last frame waited.
    waited: gst::ClockTime,
    /// In a live stream: how much later than its running time a frame is due to leave the element.
    latency: Option<gst::ClockTime>,
}

impl Deadline {
    /// What to do with a frame, at running time `now`.
    pub fn decide(&self, facts: &Facts, now: Option<gst::ClockTime>) -> Decision {
        self.set_waited(Duration::ZERO);
        if facts.is_empty {
            Decision::Pass
        } else if facts.holds && facts.has_last && self.is_late(facts.running_time) {
            Decision::Hold(Why::Late)
        } else if facts.is_busy {
            Decision::Hold(Why::Busy)
        } else if facts.is_async {
            Decision::Infer(Some(Duration::ZERO))
        } else if facts.holds {
            let left = self.time_left(facts.running_time, now, facts.duration);
            Decision::Infer(left.map(Into::into))
        } else {
            Decision::Infer(None)
        }
    }

    /// Takes note of a QoS event: a frame of this running time came too late by `jitter` nanoseconds.
    pub fn update(&self, jitter: i64, timestamp: Option<gst::ClockTime>) {
        let by = gst::ClockTime::from_nseconds(jitter.unsigned_abs());
        let late = jitter > 0;
        let mut known = lock(&self.0);
        // As GstVideoDecoder reckons: a frame that is late has to gain twice that to catch up.
        known.earliest = timestamp
            .filter(|_| late)
            .map(|time| time.saturating_add(by.saturating_mul(2)));
        known.slack = Some(match late {
            true => known.waited.saturating_sub(by),
            false => known.waited.saturating_add(by),
        });
    }

    /// How long the last frame waited for its inference.
    pub fn set_waited(&self, waited: Duration) {
        let waited = gst::ClockTime::try_from(waited);
        lock(&self.0).waited = waited.unwrap_or(gst::ClockTime::MAX);
    }

    /// The answer to a latency query: how late frames may leave the element; `None` if the stream is not live. Not
    /// the latency of the pipeline, which contains what is behind the element, and nothing at all where no sink waits
    /// for the clock.
    pub fn set_latency(&self, latency: Option<gst::ClockTime>) {
        lock(&self.0).latency = latency;
    }

    /// Forgets the QoS events, which say nothing about a stream that has jumped.
    pub fn forget(&self) {
        let mut known = lock(&self.0);
        (known.earliest, known.slack) = (None, None);
        known.waited = gst::ClockTime::ZERO;
    }

    /// Forgets all, for a new start.
    pub fn reset(&self) {
        *lock(&self.0) = Known::default();
    }

    /// Whether a frame of this running time is late, as downstream says.
    fn is_late(&self, running_time: Option<gst::ClockTime>) -> bool {
        let earliest = lock(&self.0).earliest;
        earliest
            .zip(running_time)
            .is_some_and(|(earliest, time)| time <= earliest)
    }

    /// How long a frame of this running time may wait, at running time `now`; in a live stream at most
    /// `longest`. `None` if nothing limits it.
    fn time_left(
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

/// Whether the stream is live, and its least and its longest latency, as a query was answered. Some elements answer
/// no time for the least, which they must not: it counts as zero.
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

    fn after_qos(deadline: &Deadline, jitter_ms: i64) {
        deadline.update(jitter_ms * 1_000_000, ms(1000));
    }

    #[test]
    fn a_late_frame_has_to_catch_up() {
        let deadline = Deadline::default();
        assert!(!deadline.is_late(ms(0)));
        after_qos(&deadline, 30);
        assert!(deadline.is_late(ms(1060)));
        assert!(!deadline.is_late(ms(1061)));
        assert!(!deadline.is_late(None));
        after_qos(&deadline, -30);
        assert!(!deadline.is_late(ms(900)));
        after_qos(&deadline, 30);
        deadline.forget();
        assert!(!deadline.is_late(ms(900)));
    }

    #[test]
    fn an_early_frame_has_time() {
        let deadline = Deadline::default();
        let left = || deadline.time_left(ms(1000), ms(5000), LONG);
        assert_eq!(left(), None);
        after_qos(&deadline, -30);
        assert_eq!(left(), ms(30));
        after_qos(&deadline, 30);
        assert_eq!(left(), ms(0));
        // The frame had waited: the next one may do so, too.
        deadline.set_waited(std::time::Duration::from_millis(25));
        after_qos(&deadline, -10);
        assert_eq!(left(), ms(35));
        after_qos(&deadline, 10);
        assert_eq!(left(), ms(15));
        deadline.forget();
        assert_eq!(left(), None);
    }

    #[test]
    fn one_decision_for_each_frame() {
        let deadline = Deadline::default();
        let frame = Facts {
            running_time: ms(1000),
            duration: ms(40).unwrap(),
            ..Facts::default()
        };
        let decide = |frame: Facts| deadline.decide(&frame, ms(1150));
        let infer = |ms| Decision::Infer(Some(Duration::from_millis(ms)));
        let hold = Facts {
            holds: true,
            has_last: true,
            ..frame
        };
        let busy = Facts {
            is_busy: true,
            ..frame
        };
        assert_eq!(decide(frame), Decision::Infer(None));
        assert_eq!(decide(hold), Decision::Infer(None), "nothing limits it");
        assert_eq!(decide(busy), Decision::Hold(Why::Busy));
        let background = Facts {
            is_async: true,
            ..frame
        };
        assert_eq!(decide(background), infer(0));
        deadline.set_latency(ms(180));
        assert_eq!(decide(hold), infer(30));
        assert_eq!(decide(frame), Decision::Infer(None));
        after_qos(&deadline, 30);
        assert_eq!(decide(hold), Decision::Hold(Why::Late));
        let first = Facts {
            has_last: false,
            ..hold
        };
        assert_eq!(decide(first), infer(30), "there is nothing to hold");
        let empty = Facts {
            is_empty: true,
            ..hold
        };
        assert_eq!(decide(empty), Decision::Pass);
    }

    /// Whatever an element says: no time overflows, and what is later or longer has no less of an effect.
    #[test]
    fn times_may_be_as_long_as_they_can_be() {
        let all = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits]);
        let all = || all.clone().chain([u64::MAX - 1]);
        let time = gst::ClockTime::from_nseconds;
        for (a, b) in all().flat_map(|a| all().map(move |b| (time(a), time(b)))) {
            let deadline = Deadline::default();
            let jitter = i64::try_from(a.nseconds()).unwrap_or(i64::MAX);
            // No frame is as early as to be due before 0.
            for (jitter, at) in [(jitter, b), (-jitter, gst::ClockTime::MAX)] {
                deadline.set_waited(b.into());
                deadline.update(jitter, Some(at));
                assert_eq!(deadline.is_late(Some(b)), jitter > 0, "{jitter} {b}");
                let left = deadline.time_left(None, None, LONG).unwrap();
                assert_eq!(left < b, jitter > 0 && !b.is_zero(), "{jitter} {b} {left}");
            }
            deadline.set_latency(Some(a));
            let left = deadline.time_left(Some(b), Some(gst::ClockTime::ZERO), LONG);
            let due = u128::from(a.nseconds()) + u128::from(b.nseconds());
            let left = left.map(|left| u128::from(left.nseconds()));
            assert_eq!(left, Some(due.min(LONG.nseconds().into())));
        }
    }

    #[test]
    fn a_live_frame_has_time_until_it_is_due() {
        let deadline = Deadline::default();
        deadline.set_latency(None);
        assert_eq!(deadline.time_left(ms(1000), ms(1150), LONG), None);
        deadline.set_latency(ms(200));
        let left = |now, longest| deadline.time_left(ms(1000), now, longest);
        assert_eq!(left(ms(1150), LONG), ms(50));
        assert_eq!(left(ms(1150), ms(40).unwrap()), ms(40));
        assert_eq!(left(ms(1300), LONG), ms(0));
        // No clock yet, and a frame without a time.
        assert_eq!(left(None, LONG), None);
        assert_eq!(deadline.time_left(None, ms(1150), LONG), None);
        deadline.reset();
        assert_eq!(left(ms(1150), LONG), None);
    }
}

// SPDX-License-Identifier: MPL-2.0
//! A camera does not wait: while inference takes much longer than a frame, every frame arrives, and delays do
//! not grow.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use gst::prelude::*;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common::rtsp::{self, Server};
use crate::common::toys;

/// A guard against a hang, not a measurement.
const GUARD: Duration = Duration::from_secs(300);
const FRAME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

struct Watched {
    /// Number of frames that the camera sent, up to the last arrival.
    sent: usize,
    decoded: Vec<gst::ClockTime>,
    arrived: Vec<Arrival>,
}

struct Arrival {
    pts: gst::ClockTime,
    /// From the frame's running time to its arrival at the sink, before the sink waits for the clock.
    /// Includes the latency of the source.
    delay: Duration,
    poses: Option<HeadPoses>,
}

impl Watched {
    /// Every frame arrived, in order, and the decoder dropped none.
    fn assert_complete(&self) {
        let arrived: Vec<_> = self.arrived.iter().map(|arrival| arrival.pts).collect();
        assert_eq!(arrived, self.decoded[..arrived.len()], "frames were lost");
        // Except those before the first key frame and those still on their way.
        let few = 25;
        let (sent, arrived) = (self.sent, arrived.len());
        assert!(
            sent <= arrived + few,
            "{sent} frames sent, {arrived} arrived"
        );
    }

    /// Median delay of a section of the frames, given as fractions of all.
    fn delay(&self, from: f64, to: f64) -> Duration {
        let at = |share: f64| (self.arrived.len() as f64 * share) as usize;
        let section = self.arrived[at(from)..at(to)].iter();
        let mut delays: Vec<_> = section.map(|arrival| arrival.delay).collect();
        delays.sort();
        delays[delays.len() / 2]
    }
}

/// Runs `element` on `frames` frames of a camera.
fn watch(server: &Server, element: &gst::Element, frames: usize) -> Watched {
    let pipeline = toys::pipeline(
        "rtspsrc name=source latency=200 ! decodebin ! videoconvert ! identity name=here ! fakesink name=sink sync=true",
        element,
    );
    let source = pipeline.by_name("source").unwrap();
    source.set_property("location", server.uri());
    let sent = count_frames(&source);
    let decoded = Arc::new(Mutex::new(Vec::new()));
    let into = decoded.clone();
    toys::each_buffer(&element.static_pad("sink").unwrap(), move |buffer| {
        into.lock().unwrap().push(buffer.pts().unwrap());
    });
    let (sender, arrivals) = mpsc::channel();
    let sink = pipeline.by_name("sink").unwrap();
    let pad = sink.static_pad("sink").unwrap();
    let segments = pad.clone();
    toys::each_buffer(&pad, move |buffer| {
        let segment = segments.sticky_event::<gst::event::Segment>(0).unwrap();
        let segment = segment.segment().downcast_ref::<gst::ClockTime>().unwrap();
        let pts = buffer.pts().unwrap();
        let due = segment.to_running_time(pts).unwrap();
        let now = sink.current_running_time().unwrap();
        let arrival = Arrival {
            pts,
            delay: now.saturating_sub(due).into(),
            poses: HeadPoses::from_buffer(buffer),
        };
        // The receiver is gone once enough have arrived.
        let _ = sender.send(arrival);
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let arrived = (0..frames).map(|_| arrivals.recv_timeout(GUARD).expect("a frame"));
    let arrived = arrived.collect();
    let sent = sent.load(Ordering::Relaxed);
    pipeline.set_state(gst::State::Null).unwrap();
    let decoded = std::mem::take(&mut *decoded.lock().unwrap());
    Watched {
        sent,
        decoded,
        arrived,
    }
}

/// Counts the frames that come from the camera by the marker on the last packet of each.
fn count_frames(source: &gst::Element) -> Arc<AtomicUsize> {
    let frames = Arc::new(AtomicUsize::new(0));
    let counter = frames.clone();
    source.connect_pad_added(move |_, pad| {
        let counter = counter.clone();
        toys::each_buffer(pad, move |packet| {
            let packet = packet.map_readable().unwrap();
            counter.fetch_add(usize::from(packet[1] >> 7), Ordering::Relaxed);
        });
    });
    frames
}

/// Without the element, with `async` and with `when-late=hold`.
fn compare(frames: usize) -> [Watched; 3] {
    let server = Server::start(&rtsp::clip());
    toys::init();
    let nothing = gst::ElementFactory::make("identity").build().unwrap();
    // A detector that takes several frames' time on any machine.
    let slow = |mode| {
        let element = toys::element("rows_slow_32x32", "pose_Nx3x32x32");
        toys::set(&element, mode);
        element
    };
    let elements = [nothing, slow("async=true"), slow("when-late=hold")];
    elements.map(|element| {
        let watched = watch(&server, &element, frames);
        let (early, late) = (watched.delay(0.1, 0.3), watched.delay(0.8, 1.0));
        eprintln!(
            "{frames} frames of {}: delay early {early:?}, late {late:?}",
            watched.sent
        );
        watched
    })
}

/// Frames passed without waiting for inference, and state how old their poses are.
fn assert_held(watched: &Watched) {
    watched.assert_complete();
    let arrived = watched.arrived.iter();
    let poses: Vec<_> = arrived
        .filter_map(|arrival| arrival.poses.as_ref())
        .collect();
    let is_held = |poses: &&&HeadPoses| poses.age > Some(gst::ClockTime::ZERO);
    let (held, all) = (poses.iter().filter(is_held).count(), poses.len());
    assert!(
        held > all / 4,
        "{held} of {all} frames with older poses: is the model slow?"
    );
    assert!(poses.iter().all(|poses| poses.heads.len() == 2));
}

#[test]
fn every_frame_arrives_while_inference_is_slow() {
    let [plain, slow @ ..] = compare(125);
    plain.assert_complete();
    for watched in slow {
        assert_held(&watched);
        // If all of them were inferred, the last one would be minutes late.
        assert!(watched.delay(0.8, 1.0) < plain.delay(0.8, 1.0) + Duration::from_secs(5));
    }
}

#[test]
#[ignore = "measures: three minutes on a machine that does nothing else"]
fn the_delay_does_not_grow_within_a_minute() {
    let [plain, slow @ ..] = compare(1500);
    for watched in slow {
        assert_held(&watched);
        for (from, to) in [(0.1, 0.3), (0.8, 1.0)] {
            let delays = [&watched, &plain].map(|watched| watched.delay(from, to));
            let more = delays[0].saturating_sub(delays[1]);
            assert!(more < 2 * Duration::from(FRAME), "{more:?} later");
        }
    }
}

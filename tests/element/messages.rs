// SPDX-License-Identifier: MPL-2.0
//! Results on the bus and by the signal: the contents of the meta, at the requested interval, with no lock held.

use std::sync::{Arc, Mutex};

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common::toys::{self, OwnBus, caps, grey, stat};

const FORMAT: VideoFormat = VideoFormat::I420;
const TIMES: [&str; 3] = ["timestamp", "running-time", "stream-time"];

/// An element with its own bus, in a harness that has sent a segment starting at 1 s.
fn harness() -> (gst_check::Harness, OwnBus) {
    harness_of(toys::quick())
}

fn harness_of(element: gst::Element) -> (gst_check::Harness, OwnBus) {
    let mut h = toys::harness(&element, &caps(FORMAT, 320, 240));
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::SECOND);
    segment.set_time(gst::ClockTime::from_seconds(5));
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    let bus = OwnBus::of(&element);
    (h, bus)
}

fn frame(pts: u64) -> gst::Buffer {
    let mut buffer = grey(FORMAT, 320, 240);
    let pts = gst::ClockTime::from_mseconds(pts);
    buffer.make_mut().set_pts(pts);
    buffer
}

fn messages(bus: &gst::Bus) -> Vec<gst::Structure> {
    let messages = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Element]));
    messages
        .map(|message| message.structure().unwrap().to_owned())
        .collect()
}

fn times(structure: &gst::StructureRef) -> [Option<u64>; 3] {
    let time = |name| structure.get::<Option<gst::ClockTime>>(name).unwrap();
    TIMES.map(|name| time(name).map(gst::ClockTime::mseconds))
}

#[test]
fn a_message_says_what_the_meta_says() {
    let (mut h, bus) = harness();
    h.push_and_pull(frame(1080)).unwrap();
    assert!(messages(&bus).is_empty(), "only on request");
    toys::set(&h.element().unwrap(), "post-messages=true");
    h.push(frame(1120)).unwrap();
    let [message] = &messages(&bus)[..] else {
        panic!("expected one message");
    };
    assert_eq!(message.name(), "dmheadpose");
    assert_eq!(times(message), [Some(1120), Some(120), Some(5120)]);
    let poses = toys::poses(&h.pull().unwrap());
    assert_eq!(poses.heads.len(), 2);
    assert_eq!(HeadPoses::from_structure(message), Some(poses.clone()));
    // And nothing else.
    let mut rest = message.clone();
    rest.remove_fields(TIMES);
    rest.set_name(gstdmheadpose::headposemeta::NAME);
    assert_eq!(rest, poses.to_structure().unwrap());
}

#[test]
fn frames_without_heads_are_posted_and_gaps_are_not() {
    let (mut h, bus) = harness();
    let element = h.element().unwrap();
    toys::set(&element, "post-messages=true score-threshold=1");
    h.push(frame(1000)).unwrap();
    h.push(toys::empty_gap(26)).unwrap();
    let messages_of_one = messages(&bus);
    let heads = messages_of_one.iter().map(|m| m.get::<i32>("n").unwrap());
    assert_eq!(heads.collect::<Vec<_>>(), [0]);
    // It does not count as the last message either.
    element.set_property("message-interval", 100_000_000u64);
    h.push(toys::empty_gap(28)).unwrap();
    h.push(frame(1120)).unwrap();
    assert_eq!(messages(&bus).len(), 1);
}

#[test]
fn messages_of_frames_without_a_time_have_none() {
    let (mut h, bus) = harness();
    let element = h.element().unwrap();
    toys::set(&element, "post-messages=true message-interval=1000000000");
    for _ in 0..2 {
        let mut buffer = frame(1000);
        buffer.make_mut().set_pts(gst::ClockTime::NONE);
        h.push(buffer).unwrap();
    }
    let found: Vec<_> = messages(&bus).iter().map(|m| times(m)).collect();
    assert_eq!(found, [[None; 3]; 2]);
}

#[test]
fn messages_keep_their_interval_and_restart_after_a_flush() {
    let (mut h, bus) = harness();
    let element = h.element().unwrap();
    toys::set(&element, "post-messages=true message-interval=100000000");
    let running_times = |bus| -> Vec<u64> {
        let messages = messages(bus);
        messages.iter().map(|m| times(m)[1].unwrap()).collect()
    };
    for number in 0..8 {
        h.push(frame(1000 + 40 * number)).unwrap();
    }
    assert_eq!(running_times(&bus), [0, 120, 240]);
    toys::flush(&mut h);
    h.push(frame(40)).unwrap();
    h.push(frame(80)).unwrap();
    assert_eq!(running_times(&bus), [40]);
    assert_eq!(stat(&element, "inferred"), 10);
}

#[test]
fn frames_in_flight_are_posted_in_order_with_the_times_of_their_segment() {
    let (mut h, bus) = harness_of(toys::quick_with("pipeline-depth=2 post-messages=true"));
    for number in 0..3 {
        h.push(frame(1000 + 40 * number)).unwrap();
    }
    // The last frame is still in flight when the segment changes, unless its worker was very fast.
    let mut posted = messages(&bus);
    assert!(posted.len() >= 2);
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    h.push(frame(7)).unwrap();
    assert!(h.push_event(gst::event::Eos::new()));
    posted.extend(messages(&bus));
    let running_times: Vec<_> = posted.iter().map(|m| times(m)[1]).collect();
    assert_eq!(running_times, [0, 40, 80, 7].map(Some));
}

#[test]
fn the_signal_comes_for_every_frame() {
    let (mut h, bus) = harness();
    let element = h.element().unwrap();
    element.set_property("message-interval", u64::MAX);
    toys::set(&element, "post-messages=true");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    let handler = element.connect("head-poses", false, move |values| {
        let pts = values[1].get::<Option<gst::ClockTime>>().unwrap();
        let structure = values[2].get::<gst::Structure>().unwrap();
        into.lock().unwrap().push((pts, structure));
        None
    });
    for number in 0..3 {
        h.push(frame(1000 + 40 * number)).unwrap();
    }
    element.disconnect(handler);
    h.push(frame(1120)).unwrap();
    assert_eq!(messages(&bus).len(), 1);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    for (number, (pts, structure)) in (0..).zip(seen.iter()) {
        let buffer = h.pull().unwrap();
        assert_eq!(*pts, buffer.pts());
        let expected = [1000, 0, 5000].map(|start| Some(start + 40 * number));
        assert_eq!(times(structure), expected);
        let poses = Some(toys::poses(&buffer));
        assert_eq!(HeadPoses::from_structure(structure), poses);
    }
}

/// Would hang if a lock were held.
#[test]
fn handlers_may_do_anything_with_the_element() {
    let (mut h, bus) = harness();
    let element = h.element().unwrap();
    element.set_property("post-messages", true);
    let touch = |element: &gst::Element| {
        assert_eq!(stat(element, "inferred"), 1);
        element.set_property("tracking", true);
        element.property::<String>("active-provider");
    };
    element.connect("head-poses", false, move |values| {
        touch(&values[0].get().unwrap());
        None
    });
    bus.set_sync_handler(move |_, message| {
        if message.type_() == gst::MessageType::Element {
            let element = message.src().unwrap().clone().downcast().unwrap();
            touch(&element);
            element.set_property("post-messages", false);
        }
        gst::BusSyncReply::Drop
    });
    h.push(frame(1000)).unwrap();
    assert!(element.property::<bool>("tracking"));
    assert!(!element.property::<bool>("post-messages"));
}

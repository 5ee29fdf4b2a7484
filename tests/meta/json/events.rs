// SPDX-License-Identifier: MPL-2.0
//! Caps, segments, gaps, flushes, and frames without poses.

use gst::prelude::*;
use gstdmheadpose::headposemeta::HeadPoses;
use serde_json::json;

use super::{events, frame, harness, pull, video_caps};
use crate::common::init;
use crate::common::poses::sample;

#[test]
fn caps_come_before_the_segment_even_without_a_frame() {
    use gst::EventType::{Caps, Eos, Segment, StreamStart};
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    assert_eq!(kinds(&mut h), [StreamStart, Caps, Segment]);
    let caps = h.sinkpad().unwrap().current_caps().unwrap();
    assert_eq!(caps, gst::Caps::new_empty_simple("application/x-ndjson"));
    let mut h = harness();
    assert!(h.push_event(gst::event::Eos::new()));
    assert_eq!(kinds(&mut h), [StreamStart, Caps, Segment, Eos]);
}

#[test]
fn a_frame_without_poses_is_a_gap() {
    let mut h = harness();
    events(&mut h);
    h.push(frame(2, None)).unwrap();
    assert!(h.try_pull().is_none());
    let events = events(&mut h);
    let gst::EventView::Gap(gap) = events.last().unwrap().view() else {
        panic!("expected a gap event, found {events:?}");
    };
    let forty = gst::ClockTime::from_mseconds(40);
    assert_eq!(gap.get(), (gst::ClockTime::from_mseconds(80), Some(forty)));
}

#[test]
fn caps_change_in_mid_stream() {
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    pull(&mut h);
    events(&mut h);
    h.set_src_caps(video_caps(640));
    let wide = HeadPoses {
        width: 640,
        ..sample()
    };
    h.push(frame(1, Some(&wide))).unwrap();
    assert_eq!(pull(&mut h).1["frame"]["width"], json!(640));
    let changed = kinds(&mut h).contains(&gst::EventType::Caps);
    assert!(!changed, "the lines' caps did not change");
}

fn kinds(h: &mut gst_check::Harness) -> Vec<gst::EventType> {
    events(h).iter().map(|event| event.type_()).collect()
}

/// Presentation and running time of the next line.
fn times(h: &mut gst_check::Harness) -> [Option<u64>; 2] {
    let (_, line) = pull(h);
    ["pts", "running_time"].map(|time| line[time].as_u64())
}

fn segment(start: u64, base: u64) -> gst::Event {
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_mseconds(start));
    segment.set_base(gst::ClockTime::from_mseconds(base));
    gst::event::Segment::new(&segment)
}

#[test]
fn running_time_follows_the_segment() {
    let mut h = harness();
    h.push(frame(3, Some(&sample()))).unwrap();
    assert_eq!(times(&mut h), [Some(120_000_000); 2]);
    assert!(h.push_event(segment(80, 1000)));
    h.push(frame(3, Some(&sample()))).unwrap();
    assert_eq!(times(&mut h), [120_000_000, 1_040_000_000].map(Some));
    // Before the segment begins there is no running time.
    h.push(frame(1, Some(&sample()))).unwrap();
    assert_eq!(times(&mut h), [Some(40_000_000), None]);
}

#[test]
fn gaps_pass() {
    let mut h = harness();
    events(&mut h);
    let (pts, duration) = (gst::ClockTime::from_mseconds(40), gst::ClockTime::SECOND);
    let gap = gst::event::Gap::builder(pts).duration(duration).build();
    assert!(h.push_event(gap));
    // A frame that repeats the previous one, including its poses.
    let mut buffer = frame(2, Some(&sample()));
    buffer.get_mut().unwrap().set_flags(gst::BufferFlags::GAP);
    h.push(buffer).unwrap();
    assert_eq!(pull(&mut h).1["pts"], json!(80_000_000));
    let events = events(&mut h);
    let gaps = events.iter().filter_map(|event| match event.view() {
        gst::EventView::Gap(gap) => Some(gap.get()),
        _ => None,
    });
    assert_eq!(gaps.collect::<Vec<_>>(), [(pts, Some(duration))]);
}

#[test]
fn accepts_any_memory() {
    init();
    let mut h = gst_check::Harness::new("dmheadposejson");
    h.set_src_caps_str("video/x-raw(memory:GLMemory),format=RGBA,width=320,height=240");
    h.push(frame(0, Some(&sample()))).unwrap();
    pull(&mut h);
}

#[test]
fn a_stream_continues_after_a_flush() {
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    pull(&mut h);
    assert!(h.push_event(gst::event::FlushStart::new()));
    let result = h.push(frame(1, Some(&sample())));
    assert_eq!(result, Err(gst::FlowError::Flushing));
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    // A seek to 40 ms: time restarts.
    assert!(h.push_event(segment(40, 0)));
    h.push(frame(2, Some(&sample()))).unwrap();
    assert_eq!(times(&mut h), [80_000_000, 40_000_000].map(Some));
}

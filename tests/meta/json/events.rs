// SPDX-License-Identifier: MPL-2.0
//! Caps, segments, gaps, flushes, queries, and frames without poses.

use gst::prelude::*;
use gstdmheadpose::headposemeta::HeadPoses;
use serde_json::{Value, json};

use super::{events, frame, harness, pull, video_caps};
use crate::common::init;
use crate::common::poses::sample;

#[test]
fn test_dmheadposejson_caps_come_before_the_segment() {
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    let kinds: Vec<_> = events(&mut h).iter().map(|e| e.type_()).collect();
    use gst::EventType::{Caps, Segment, StreamStart};
    assert_eq!(kinds, [StreamStart, Caps, Segment]);
    let caps = h.sinkpad().unwrap().current_caps().unwrap();
    assert_eq!(caps, gst::Caps::new_empty_simple("application/x-ndjson"));
}

#[test]
fn test_dmheadposejson_frame_without_poses_is_a_gap() {
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
fn test_dmheadposejson_caps_change_in_mid_stream() {
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
    let changed = events(&mut h)
        .iter()
        .any(|e| e.type_() == gst::EventType::Caps);
    assert!(!changed, "the lines' caps did not change");
}

fn segment(start: u64, base: u64) -> gst::Event {
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_mseconds(start));
    segment.set_base(gst::ClockTime::from_mseconds(base));
    gst::event::Segment::new(&segment)
}

#[test]
fn test_dmheadposejson_running_time_follows_the_segment() {
    let mut h = harness();
    h.push(frame(3, Some(&sample()))).unwrap();
    assert_eq!(pull(&mut h).1["running_time"], json!(120_000_000));
    assert!(h.push_event(segment(80, 1000)));
    h.push(frame(3, Some(&sample()))).unwrap();
    let (_, line) = pull(&mut h);
    assert_eq!(
        (&line["pts"], &line["running_time"]),
        (&json!(120_000_000), &json!(1_040_000_000))
    );
    // Before the segment begins there is none.
    h.push(frame(1, Some(&sample()))).unwrap();
    assert_eq!(pull(&mut h).1["running_time"], Value::Null);
}

#[test]
fn test_dmheadposejson_gaps_pass() {
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
    let gaps: Vec<_> = events(&mut h)
        .iter()
        .filter_map(|event| match event.view() {
            gst::EventView::Gap(gap) => Some(gap.get()),
            _ => None,
        })
        .collect();
    assert_eq!(gaps, [(pts, Some(duration))]);
}

#[test]
fn test_dmheadposejson_accepts_any_memory() {
    init();
    let mut h = gst_check::Harness::new("dmheadposejson");
    h.set_src_caps_str("video/x-raw(memory:GLMemory),format=RGBA,width=320,height=240");
    h.push(frame(0, Some(&sample()))).unwrap();
    pull(&mut h);
}

#[test]
fn test_dmheadposejson_flush_and_goes_on() {
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    pull(&mut h);
    assert!(h.push_event(gst::event::FlushStart::new()));
    assert_eq!(
        h.push(frame(1, Some(&sample()))),
        Err(gst::FlowError::Flushing)
    );
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    // A seek to 40 ms: time restarts.
    assert!(h.push_event(segment(40, 0)));
    h.push(frame(2, Some(&sample()))).unwrap();
    let (_, line) = pull(&mut h);
    assert_eq!(
        (&line["pts"], &line["running_time"]),
        (&json!(80_000_000), &json!(40_000_000))
    );
}

#[test]
fn test_dmheadposejson_eos_without_a_frame() {
    let mut h = harness();
    assert!(h.push_event(gst::event::Eos::new()));
    let kinds: Vec<_> = events(&mut h).iter().map(|e| e.type_()).collect();
    use gst::EventType::{Caps, Eos, Segment, StreamStart};
    assert_eq!(kinds, [StreamStart, Caps, Segment, Eos]);
}

#[test]
fn test_dmheadposejson_passes_on_that_downstream_has_stopped() {
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    let sinkpad = h.sinkpad().unwrap();
    sinkpad.set_active(false).unwrap();
    assert_eq!(
        h.push(frame(1, Some(&sample()))),
        Err(gst::FlowError::Flushing)
    );
}

#[test]
fn test_dmheadposejson_allocation_is_not_asked_of_the_file() {
    let mut h = harness();
    let mut query = gst::query::Allocation::new(Some(&video_caps(320)), true);
    assert!(
        h.element()
            .unwrap()
            .static_pad("sink")
            .unwrap()
            .query(&mut query)
    );
    let metas: Vec<_> = query.allocation_metas().collect();
    assert_eq!(
        metas.len(),
        1,
        "frames with strides of their own are welcome"
    );
    assert_eq!(query.allocation_pools().len(), 0);
    drop(h.try_pull_event());
}

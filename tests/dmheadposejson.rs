// SPDX-License-Identifier: MPL-2.0
//! The lines that `dmheadposejson` writes, and what it does with events.

mod poses;
mod schema;

use std::sync::Once;

use gst::prelude::*;
use gstdmheadpose::headposemeta::HeadPoses;
use poses::sample;
use serde_json::{Value, json};

fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstdmheadpose::plugin_register_static().unwrap();
    });
}

fn video_caps(width: i32) -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", width)
        .field("height", 240)
        .field("framerate", gst::Fraction::new(25, 1))
        .build()
}

fn harness() -> gst_check::Harness {
    init();
    let mut h = gst_check::Harness::new("dmheadposejson");
    h.set_src_caps(video_caps(320));
    h
}

/// The `number`th frame of a clip of 25 frames a second.
fn frame(number: u64, poses: Option<&HeadPoses>) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(16).unwrap();
    let b = buffer.get_mut().unwrap();
    b.set_pts(gst::ClockTime::from_mseconds(40 * number));
    b.set_duration(gst::ClockTime::from_mseconds(40));
    if let Some(poses) = poses {
        poses.attach(b).unwrap();
    }
    buffer
}

/// Parses one line after checking it against the schema.
fn parse(line: &[u8]) -> Value {
    let value = serde_json::from_slice(line).unwrap();
    schema::validate_file("docs/pose-line.schema.json", &value).unwrap();
    value
}

fn pull(h: &mut gst_check::Harness) -> (gst::Buffer, Value) {
    let buffer = h.pull().unwrap();
    let map = buffer.map_readable().unwrap();
    assert_eq!(
        map.iter().filter(|b| **b == b'\n').count(),
        1,
        "a line a buffer"
    );
    assert_eq!(map.last(), Some(&b'\n'));
    let value = parse(&map);
    drop(map);
    (buffer, value)
}

fn events(h: &mut gst_check::Harness) -> Vec<gst::Event> {
    std::iter::from_fn(|| h.try_pull_event()).collect()
}

#[test]
fn test_dmheadposejson_line_says_what_the_meta_says() {
    let mut h = harness();
    h.push(frame(3, Some(&sample()))).unwrap();
    let (buffer, line) = pull(&mut h);
    assert_eq!(buffer.pts(), Some(gst::ClockTime::from_mseconds(120)));
    assert_eq!(buffer.duration(), Some(gst::ClockTime::from_mseconds(40)));
    assert_eq!(line["pts"], json!(120_000_000));
    assert_eq!(line["frame"], json!({ "width": 320, "height": 240 }));
    assert_eq!(line["source"], "inferred");
    assert_eq!(line["heads"].as_array().unwrap().len(), 2);
    let rear = &line["heads"][1];
    assert_eq!(
        rear["box"],
        json!({ "x": 200.0, "y": 20.0, "w": 60.0, "h": 72.0 })
    );
    assert_eq!(
        (&rear["yaw"], &rear["roll"]),
        (&json!(-150.0), &json!(-8.5))
    );
    assert_eq!(
        (&rear["rear"], &rear["seam"]),
        (&json!(true), &json!(false))
    );
    let rotation = sample().heads[1].angles.rotation();
    for (written, exact) in rear["rotation"].as_array().unwrap().iter().zip(rotation) {
        assert!((written.as_f64().unwrap() - exact).abs() <= 5e-7);
    }
}

#[test]
fn test_dmheadposejson_schema_refuses_wrong_lines() {
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    let (_, good) = pull(&mut h);
    let spoils: [fn(&mut Value); 7] = [
        |v| drop(v.as_object_mut().unwrap().remove("pts")),
        |v| v["more"] = json!(1),
        |v| v["source"] = json!("guessed"),
        |v| v["frame"]["width"] = json!(0),
        |v| v["heads"][0]["yaw"] = json!(null),
        |v| v["heads"][0]["score"] = json!(1.5),
        |v| drop(v["heads"][0]["rotation"].as_array_mut().unwrap().pop()),
    ];
    for (i, spoil) in spoils.into_iter().enumerate() {
        let mut bad = good.clone();
        spoil(&mut bad);
        let result = schema::validate_file("docs/pose-line.schema.json", &bad);
        assert!(result.is_err(), "spoil {i} was accepted: {bad}");
    }
}

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
fn test_dmheadposejson_frame_without_heads_follows_add_empty() {
    let mut h = harness();
    let none = HeadPoses {
        heads: vec![],
        ..sample()
    };
    h.push(frame(0, Some(&none))).unwrap();
    assert_eq!(pull(&mut h).1["heads"], json!([]));
    h.element().unwrap().set_property("add-empty", false);
    h.push(frame(1, Some(&none))).unwrap();
    assert!(h.try_pull().is_none());
    h.push(frame(2, Some(&sample()))).unwrap();
    assert_eq!(pull(&mut h).1["pts"], json!(80_000_000));
}

#[test]
fn test_dmheadposejson_frame_without_time_has_pts_null() {
    let mut h = harness();
    let mut buffer = frame(0, Some(&sample()));
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::NONE);
    h.push(buffer).unwrap();
    assert_eq!(pull(&mut h).1["pts"], Value::Null);
    let mut buffer = frame(1, None);
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::NONE);
    h.push(buffer).unwrap();
    assert!(h.try_pull().is_none());
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
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    h.push(frame(2, Some(&sample()))).unwrap();
    assert_eq!(pull(&mut h).1["pts"], json!(80_000_000));
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
fn test_dmheadposejson_writes_a_file() {
    init();
    let file = std::env::temp_dir().join(format!("dmheadposejson-{}.jsonl", std::process::id()));
    let pipeline = gst::parse::launch(
        "videotestsrc num-buffers=10 ! video/x-raw,width=320,height=240,framerate=25/1 \
         ! videoconvert name=from ! dmheadposejson ! filesink name=to",
    )
    .unwrap();
    let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
    bin.by_name("to")
        .unwrap()
        .set_property("location", file.to_str().unwrap());
    // The first frame, with which the sink prerolls, and every third one after it go without.
    let pad = bin.by_name("from").unwrap().static_pad("src").unwrap();
    poses::attach_on(&pad, |number| (number % 3 != 0).then(sample));
    poses::run(&pipeline);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(text.ends_with('\n'));
    let pts: Vec<_> = text
        .lines()
        .map(|l| parse(l.as_bytes())["pts"].as_u64().unwrap())
        .collect();
    assert_eq!(pts, [1, 2, 4, 5, 7, 8].map(|n| n * 40_000_000));
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

// SPDX-License-Identifier: MPL-2.0
//! The contents of a line.

use gst::prelude::*;
use gstdmheadpose::headposemeta::HeadPoses;
use serde_json::{Value, json};

use super::{frame, harness, parse, pull, video_caps};
use crate::common::poses::{self, sample};
use crate::common::schema;
use crate::common::toys::{self, OwnBus};

#[test]
fn a_line_has_what_the_meta_has() {
    let mut h = harness();
    h.push(frame(3, Some(&sample()))).unwrap();
    let (buffer, line) = pull(&mut h);
    assert_eq!(buffer.pts(), Some(gst::ClockTime::from_mseconds(120)));
    assert_eq!(buffer.duration(), Some(gst::ClockTime::from_mseconds(40)));
    assert_eq!(line["pts"], json!(120_000_000));
    assert_eq!(line["frame"], json!({ "width": 320, "height": 240 }));
    assert_eq!(line["source"], "inferred");
    assert_eq!(line["inference_time"], json!(12_000_000));
    assert_eq!(line["heads"].as_array().unwrap().len(), 2);
    let rear = &line["heads"][1];
    let rect = json!({ "x": 200.0, "y": 20.0, "w": 60.0, "h": 72.0 });
    let rotation = json!(sample().heads[1].angles.rotation());
    for (name, value) in [
        ("box", rect),
        ("yaw", json!(-150.0)),
        ("roll", json!(-8.5)),
        ("rear", json!(true)),
        ("seam", json!(false)),
        ("rotation", rotation),
    ] {
        assert_eq!(rear[name], value, "{name}");
    }
}

#[test]
fn the_schema_refuses_wrong_lines() {
    let mut h = harness();
    h.push(frame(0, Some(&sample()))).unwrap();
    let (_, good) = pull(&mut h);
    let spoils: [fn(&mut Value); 10] = [
        |v| drop(v.as_object_mut().unwrap().remove("pts")),
        |v| v["more"] = json!(1),
        |v| v["source"] = json!("guessed"),
        |v| v["timestamp"] = json!("today"),
        |v| v["tags"] = json!(["gate"]),
        |v| v["running_time"] = json!(-1),
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
fn add_empty_decides_about_frames_without_heads() {
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
fn without_a_time_pts_is_null() {
    let mut h = harness();
    let mut buffer = frame(0, Some(&sample()));
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::NONE);
    h.push(buffer).unwrap();
    let (_, line) = pull(&mut h);
    assert_eq!(line["pts"], Value::Null);
    assert_eq!(line["running_time"], Value::Null);
    let mut buffer = frame(1, None);
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::NONE);
    h.push(buffer).unwrap();
    assert!(h.try_pull().is_none());
}

#[test]
fn a_line_has_what_the_application_adds() {
    let mut h = harness();
    let element = h.element().unwrap();
    element.set_property("source-name", "gate");
    element.set_property("tags", "{\n  \"floor\": 2,\n  \"note\": \"\"\n}");
    h.push(frame(0, Some(&sample()))).unwrap();
    let (_, line) = pull(&mut h);
    assert_eq!(line["source_name"], "gate");
    assert_eq!(line["tags"], json!({ "floor": 2, "note": "" }));
    assert_eq!(line.get("timestamp"), None);
    element.set_property("source-name", None::<String>);
    element.set_property("tags", "");
    h.push(frame(1, Some(&sample()))).unwrap();
    let (_, line) = pull(&mut h);
    assert_eq!((line.get("source_name"), line.get("tags")), (None, None));
}

#[test]
fn wrong_tags_are_reported() {
    let json = toys::make("dmheadposejson", "tags=[1]");
    let bus = OwnBus::of(&json);
    assert!(json.set_state(gst::State::Paused).is_err());
    let error = toys::errors(&bus).remove(0);
    assert!(error.matches(gst::LibraryError::Settings));
    let text = error.message();
    assert!(text.contains("expected a JSON object"), "{text}");
    json.set_state(gst::State::Null).unwrap();

    // While playing it does not stop the stream.
    json.set_property("tags", "{\"good\":1}");
    let mut h = toys::harness(&json, &video_caps(320));
    let bus = OwnBus::of(&json);
    json.set_property("tags", "{bad}");
    assert_eq!(json.property::<String>("tags"), "{bad}");
    assert_eq!(toys::warnings(&bus).len(), 1);
    h.push(frame(0, Some(&sample()))).unwrap();
    assert_eq!(pull(&mut h).1.get("tags"), None);
}

/// The time of day in the line of a frame, checked against the times `ago` microseconds before the push and
/// after its arrival; in microseconds since 1970.
fn time_of_day(h: &mut gst_check::Harness, number: u64, ago: i64) -> [i64; 3] {
    let now = || {
        let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        unix.unwrap().as_micros() as i64 - ago
    };
    let before = now();
    h.push(frame(number, Some(&sample()))).unwrap();
    let after = now();
    let (_, line) = pull(h);
    let text = line["timestamp"].as_str().unwrap();
    let time = gst::glib::DateTime::from_iso8601(text, None).unwrap();
    let time = time.to_unix() * 1_000_000 + i64::from(time.microsecond());
    [before, time, after]
}

#[test]
fn the_timestamp_is_that_of_the_frame() {
    let mut h = harness();
    h.use_testclock();
    h.element().unwrap().set_property("add-timestamp", true);
    // The pipeline's clock shows 10 s; the frame was due at 3 s.
    h.set_time(gst::ClockTime::from_seconds(10)).unwrap();
    let times = time_of_day(&mut h, 75, 7_000_000);
    assert!(times.is_sorted(), "{times:?}");
    // A frame in the future, as from a file.
    let times = time_of_day(&mut h, 300, -2_000_000);
    assert!(times.is_sorted(), "{times:?}");
    // In PAUSED the clock does not count.
    h.element().unwrap().set_state(gst::State::Paused).unwrap();
    let times = time_of_day(&mut h, 75, 0);
    assert!(times.is_sorted(), "{times:?}");
    h.play();
    h.element().unwrap().set_base_time(gst::ClockTime::MAX);
    let [before, time, _] = time_of_day(&mut h, 75, 0);
    assert!(time > before, "{time}");
}

#[test]
fn lines_go_to_a_file() {
    let file = std::env::temp_dir().join(format!("dmheadposejson-{}.jsonl", std::process::id()));
    let pipeline = toys::launch(
        "videotestsrc num-buffers=10 ! video/x-raw,width=320,height=240,framerate=25/1 \
         ! videoconvert name=from ! dmheadposejson ! filesink name=to",
    );
    let to = pipeline.by_name("to").unwrap();
    to.set_property("location", file.to_str().unwrap());
    // The first frame, with which the sink prerolls, and every third one after it go without.
    let pad = toys::pad(&pipeline, "from", "src");
    poses::attach_on(&pad, |number| (number % 3 != 0).then(sample));
    toys::run(&pipeline);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(text.ends_with('\n'));
    let pts = text
        .lines()
        .map(|line| parse(line.as_bytes())["pts"].as_u64());
    let expected = [1, 2, 4, 5, 7, 8].map(|n| Some(n * 40_000_000));
    assert_eq!(pts.collect::<Vec<_>>(), expected);
}

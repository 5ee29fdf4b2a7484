// SPDX-License-Identifier: MPL-2.0
//! Metas of other vendors' elements: those that the element writes, and heads taken from them.

use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstdmheadpose::estimator::geometry;
use gstdmheadpose::headposemeta::HeadPoses;
use serde_json::json;

use crate::common::toys::{self, GUARD, caps, picture, poses};

type Rect = (u32, u32, u32, u32);

/// The toy detector's heads.
const BOXES: [Rect; 2] = [(4, 4, 8, 12), (18, 8, 8, 16)];

fn frame() -> gst::Buffer {
    picture(32, 32, |x, y| [100 + x as u8, 40 + 3 * y as u8, 60])
}

fn harness(element: &gst::Element) -> gst_check::Harness {
    toys::harness(element, &caps(VideoFormat::Rgb, 32, 32))
}

/// An element that takes heads from upstream; it has no detector to load.
fn from_regions() -> gst::Element {
    toys::quick_with("detector-model=/nowhere.onnx heads-from=roi-meta")
}

/// An element that writes its own meta and regions.
fn with_both() -> gst::Element {
    toys::quick_with("meta-format=custom+roi")
}

fn with_regions(regions: &[(&str, Rect)]) -> gst::Buffer {
    let mut buffer = frame();
    for (class, rect) in regions {
        VideoRegionOfInterestMeta::add(buffer.make_mut(), class, *rect);
    }
    buffer
}

#[test]
fn regions_whose_type_is_not_utf8_have_no_name() {
    let mut buffer = with_regions(&[("head", BOXES[0])]);
    let (x, y, w, h) = BOXES[1];
    // SAFETY: the buffer is writable; the type is copied.
    unsafe {
        gst_video::ffi::gst_buffer_add_video_region_of_interest_meta(
            buffer.make_mut().as_mut_ptr(),
            c"t\xeate".as_ptr(),
            x,
            y,
            w,
            h,
        );
    }
    for (classes, heads) in [("", 2), ("head", 1), ("t", 0)] {
        let element = from_regions();
        element.set_property("object-class", classes);
        let out = harness(&element).push_and_pull(buffer.clone()).unwrap();
        assert_eq!(poses(&out).heads.len(), heads, "object-class={classes}");
    }
}

/// A region as other elements read it.
#[derive(Debug, PartialEq)]
struct Region {
    class: String,
    rect: Rect,
    id: i32,
    params: Vec<gst::Structure>,
}

impl Region {
    fn param(&self, name: &str) -> &gst::Structure {
        let mut named = self.params.iter().filter(|param| param.name() == name);
        let param = named
            .next()
            .unwrap_or_else(|| panic!("no {name}: {self:?}"));
        assert_eq!(named.next(), None, "{name} is there twice");
        param
    }

    fn has(&self, name: &str) -> bool {
        self.params.iter().any(|param| param.name() == name)
    }

    fn number(&self, param: &str, field: &str) -> f64 {
        self.param(param).get(field).unwrap()
    }

    fn extra(&self) -> serde_json::Value {
        let text: &str = self.param("detection").get("extra_params_json").unwrap();
        serde_json::from_str(text).unwrap()
    }
}

fn regions(buffer: &gst::BufferRef) -> Vec<Region> {
    let regions = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    let region = |meta: gst::MetaRef<VideoRegionOfInterestMeta>| Region {
        class: meta.roi_type().into(),
        rect: meta.rect(),
        id: meta.id(),
        params: meta.params().map(|param| param.to_owned()).collect(),
    };
    regions.map(region).collect()
}

fn rects(buffer: &gst::BufferRef) -> Vec<Rect> {
    regions(buffer).iter().map(|region| region.rect).collect()
}

#[test]
fn regions_say_what_dl_streamer_reads() {
    let out = harness(&with_both()).push_and_pull(frame()).unwrap();
    let heads = poses(&out).heads;
    let regions = regions(&out);
    assert_eq!(regions.len(), 2);
    let expected = BOXES.into_iter().zip([0.75, 0.5]);
    for ((region, head), (rect, score)) in regions.iter().zip(&heads).zip(expected) {
        assert_eq!((region.class.as_str(), region.rect), ("head", rect));
        assert_eq!(region.id, -1, "the region has no twin");
        let share = |field| region.number("detection", field) * 32.0;
        let (x, y, w, h) = rect;
        assert_eq!((share("x_min"), share("x_max")), (x.into(), (x + w).into()));
        assert_eq!((share("y_min"), share("y_max")), (y.into(), (y + h).into()));
        assert_eq!(region.number("detection", "confidence"), score);
        assert_eq!(region.param("detection").get("label_id"), Ok(0i32));
        let angles = [head.angles.yaw, head.angles.pitch, head.angles.roll];
        for (name, angle) in ["yaw", "pitch", "roll"].into_iter().zip(angles) {
            assert_eq!(region.number("head_pose", name), f64::from(angle));
            let extra = region.extra()["head_pose"][name].as_f64().unwrap();
            assert!((extra - f64::from(angle)).abs() <= 0.0005, "{name} {extra}");
        }
        assert_eq!(region.extra()["head_pose"]["unit"], "degree");
        assert!(!region.has("object_id"), "not tracked");
    }
    assert_ne!(heads[0].angles, heads[1].angles);
}

#[test]
fn each_meta_format_is_independent() {
    let element = toys::quick();
    let mut h = harness(&element);
    for (formats, custom, n_regions) in [
        ("custom", true, 0),
        ("roi", false, 2),
        ("custom+roi", true, 2),
        ("", false, 0),
    ] {
        element.set_property_from_str("meta-format", formats);
        let out = h.push_and_pull(frame()).unwrap();
        assert_eq!(HeadPoses::from_buffer(&out).is_some(), custom, "{formats}");
        assert_eq!(regions(&out).len(), n_regions, "{formats}");
    }
}

#[test]
fn tracked_heads_have_an_object_id() {
    let element = with_both();
    element.set_property("tracking", true);
    let mut h = harness(&element);
    for number in 0..3 {
        let mut buffer = frame();
        toys::number(&mut buffer, number);
        let out = h.push_and_pull(buffer).unwrap();
        for (region, head) in regions(&out).iter().zip(poses(&out).heads) {
            let id: i32 = region.param("object_id").get("id").unwrap();
            assert!(id > 0);
            assert_eq!(id as u64, head.id);
        }
    }
}

/// What arrives downstream of `elements` from the toys' output.
fn behind(elements: &str) -> Vec<gst::Buffer> {
    let line = format!(
        "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=320,height=320 \
         ! identity name=here ! {elements} ! fakesink name=sink"
    );
    toys::play(&line, &with_both())
}

#[test]
fn regions_pass_tees_whole_and_follow_scalers() {
    let here = [(40, 40, 80, 120), (180, 80, 80, 160)];
    let both = behind("tee name=t ! queue ! funnel name=f t. ! queue ! f. f.");
    assert_eq!(both.len(), 4);
    for buffer in &both {
        assert_eq!(rects(buffer), here);
        for (region, head) in regions(buffer).iter().zip(poses(buffer).heads) {
            let yaw = f64::from(head.angles.yaw);
            assert_eq!(region.number("head_pose", "yaw"), yaw);
        }
    }
    let half = [(20, 20, 40, 60), (90, 40, 40, 80)];
    for buffer in behind("videoscale ! video/x-raw,width=160,height=160") {
        assert_eq!(rects(&buffer), half);
    }
}

#[test]
fn regions_of_others_take_the_detectors_place() {
    let detecting = toys::quick();
    let wanted = poses(&harness(&detecting).push_and_pull(frame()).unwrap());
    let element = from_regions();
    let mut h = harness(&element);
    let buffer = with_regions(&[("face", BOXES[0]), ("", BOXES[1])]);
    let out = h.push_and_pull(buffer).unwrap();
    let found = poses(&out);
    assert_eq!(found.heads.len(), 2);
    for (found, wanted) in found.heads.iter().zip(&wanted.heads) {
        assert_eq!((found.rect, found.angles), (wanted.rect, wanted.angles));
        assert_eq!(found.score, 1.0, "a region without a confidence");
    }
    assert_eq!(rects(&out), BOXES, "meta-format=custom adds no region");
    assert!(regions(&out).iter().all(|region| region.params.is_empty()));
    assert_eq!(poses(&h.push_and_pull(frame()).unwrap()).heads, []);
    let detector: Option<String> = toys::stat_of(&element, "detector-model");
    assert_eq!(detector, None);
}

#[test]
fn frames_in_flight_keep_their_own_regions() {
    let element = from_regions();
    toys::set(&element, "pipeline-depth=3 meta-format=custom+roi");
    let line = "videotestsrc num-buffers=20 ! video/x-raw,format=I420,width=64,height=32 \
                ! identity name=from ! identity name=here ! fakesink name=to";
    let pipeline = toys::pipeline(line, &element);
    let from = toys::pad(&pipeline, "from", "src");
    let number = std::sync::atomic::AtomicU32::new(0);
    let rect = |number: u32| (number, 4, 8 + number, 12);
    // Every third frame has no head.
    let has_head = |number: u32| !number.is_multiple_of(3);
    from.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer_mut().unwrap().make_mut();
        let number = number.fetch_add(1, Ordering::Relaxed);
        if has_head(number) {
            VideoRegionOfInterestMeta::add(buffer, "head", rect(number));
        }
        gst::PadProbeReturn::Ok
    });
    let buffers = toys::collect(&pipeline, "to");
    toys::run(&pipeline);
    let buffers = buffers.lock().unwrap();
    assert_eq!(buffers.len(), 20);
    for (number, buffer) in (0..).zip(buffers.iter()) {
        let wanted: Vec<Rect> = has_head(number).then(|| rect(number)).into_iter().collect();
        assert_eq!(rects(buffer), wanted);
        assert!(regions(buffer).iter().all(|region| region.has("head_pose")));
        let found: Vec<_> = poses(buffer).heads.iter().map(|head| head.rect).collect();
        let rect = |&(x, y, w, h): &Rect| {
            let [x, y, w, h] = [x, y, w, h].map(|v| v as f32);
            geometry::Rect::new(x, y, w, h)
        };
        assert_eq!(found, wanted.iter().map(rect).collect::<Vec<_>>());
    }
}

#[test]
fn object_class_names_the_heads() {
    let element = from_regions();
    let mut h = harness(&element);
    let buffer = with_regions(&[
        ("person", (0, 0, 32, 32)),
        ("face", BOXES[0]),
        ("head", BOXES[1]),
    ]);
    for (classes, n) in [
        (None, 3),
        (Some("person"), 1),
        (Some("head,face"), 2),
        (Some(" face , dog"), 1),
        (Some("fac"), 0),
        (Some("Head"), 0),
        (Some(","), 0),
    ] {
        element.set_property("object-class", classes);
        let out = h.push_and_pull(buffer.clone()).unwrap();
        assert_eq!(poses(&out).heads.len(), n, "{classes:?}");
        assert_eq!(regions(&out).len(), 3);
    }
}

#[test]
fn regions_of_others_get_the_pose_and_keep_the_rest() {
    let element = from_regions();
    toys::set(&element, "object-class=face meta-format=custom+roi");
    let mut h = harness(&element);
    let mut buffer = frame();
    VideoRegionOfInterestMeta::add(buffer.make_mut(), "dog", (0, 0, 9, 9));
    let mut face = VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", BOXES[0]);
    face.set_id(7);
    let detection = gst::Structure::builder("detection")
        .field("x_min", 0.125)
        .field("confidence", 0.625)
        .field("label_id", 3i32)
        .field("extra_params_json", r#"{"glasses":true}"#);
    face.add_param(detection.build());
    face.add_param(gst::Structure::builder("age").field("value", 40).build());
    let id = gst::Structure::builder("object_id").field("id", 12i32);
    face.add_param(id.build());
    VideoRegionOfInterestMeta::add(buffer.make_mut(), "face", BOXES[1]);
    // The second time everything is already there.
    for _ in 0..2 {
        buffer = h.push_and_pull(buffer).unwrap();
        let heads = poses(&buffer).heads;
        let [dog, first, second] = &regions(&buffer)[..] else {
            panic!("{:?}", regions(&buffer));
        };
        assert_eq!((dog.class.as_str(), dog.params.len()), ("dog", 0));
        assert_eq!((first.rect, first.id, first.params.len()), (BOXES[0], 7, 4));
        assert_eq!(first.number("detection", "x_min"), 0.125);
        assert_eq!(first.number("detection", "confidence"), 0.625);
        assert_eq!(first.param("detection").get("label_id"), Ok(3i32));
        assert_eq!(first.param("age").get("value"), Ok(40i32));
        assert_eq!(first.extra()["glasses"], json!(true));
        assert_eq!(first.extra()["head_pose"]["unit"], "degree");
        assert_eq!((heads[0].score, heads[0].id), (0.625, 12));
        assert_eq!((heads[1].score, heads[1].id), (1.0, 0));
        assert_eq!(second.number("detection", "y_max"), 0.75);
        for (region, head) in [first, second].into_iter().zip(&heads) {
            let roll = f64::from(head.angles.roll);
            assert_eq!(region.number("head_pose", "roll"), roll);
        }
    }
}

#[test]
fn invalid_regions_are_ignored() {
    let element = from_regions();
    element.set_property_from_str("meta-format", "custom+roi");
    let mut h = harness(&element);
    let mut buffer = with_regions(&[
        ("head", (40, 0, 10, 10)),
        ("head", (4, 4, 0, 10)),
        ("head", (u32::MAX, u32::MAX, u32::MAX, u32::MAX)),
        ("head", (0, 0, u32::MAX, u32::MAX)),
    ]);
    let mut odd = VideoRegionOfInterestMeta::add(buffer.make_mut(), "head", BOXES[0]);
    let nan = gst::Structure::builder("detection").field("confidence", f64::NAN);
    odd.add_param(nan.field("extra_params_json", "[no object").build());
    let id = gst::Structure::builder("object_id").field("id", -4i32);
    odd.add_param(id.build());
    // Twice the same box.
    VideoRegionOfInterestMeta::add(buffer.make_mut(), "head", BOXES[0]);
    let out = h.push_and_pull(buffer).unwrap();
    let heads = poses(&out).heads;
    let corners = toys::corners(&heads);
    let once = [4.0, 4.0, 12.0, 16.0];
    assert_eq!(corners, [[0.0, 0.0, 32.0, 32.0], once, once]);
    assert!(heads[0].truncated);
    assert_eq!((heads[1].score, heads[1].id), (1.0, 0));
    let with_pose: Vec<bool> = regions(&out).iter().map(|r| r.has("head_pose")).collect();
    assert_eq!(with_pose, [false, false, false, true, true, true]);
    assert_eq!(regions(&out)[4].extra()["head_pose"]["unit"], "degree");
}

#[test]
fn regions_without_a_type_are_regions_too() {
    let element = from_regions();
    let mut h = harness(&element);
    let mut buffer = frame();
    let (x, y, w, height) = BOXES[0];
    // SAFETY: the buffer is writable; 0 is the type of a region without a name.
    unsafe {
        gst_video::ffi::gst_buffer_add_video_region_of_interest_meta_id(
            buffer.make_mut().as_mut_ptr(),
            0,
            x,
            y,
            w,
            height,
        );
    }
    for (class, n) in [(None, 1), (Some("head"), 0)] {
        element.set_property("object-class", class);
        let out = h.push_and_pull(buffer.clone()).unwrap();
        assert_eq!(poses(&out).heads.len(), n);
    }
}

#[test]
fn a_flush_starts_new_tracks() {
    let element = from_regions();
    element.set_property("tracking", true);
    let mut h = harness(&element);
    let push = |h: &mut gst_check::Harness, regions: &[(&str, Rect)]| {
        let out = poses(&h.push_and_pull(with_regions(regions)).unwrap());
        out.heads.iter().map(|head| head.id).collect::<Vec<_>>()
    };
    let both = [("head", BOXES[0]), ("head", BOXES[1])];
    assert_eq!(push(&mut h, &both), [1, 2]);
    assert_eq!(push(&mut h, &both), [1, 2]);
    toys::flush(&mut h);
    assert_eq!(push(&mut h, &both), [3, 4], "numbers go on");
}

#[test]
fn heads_from_is_read_at_the_start() {
    let element = toys::quick();
    let mut h = harness(&element);
    element.set_property_from_str("heads-from", "roi-meta");
    let out = h.push_and_pull(frame()).unwrap();
    assert_eq!(poses(&out).heads.len(), 2);
    element.set_state(gst::State::Null).unwrap();
    element.set_state(gst::State::Playing).unwrap();
    h.set_src_caps(caps(VideoFormat::Rgb, 32, 32));
    let out = h.push_and_pull(frame()).unwrap();
    assert_eq!(poses(&out).heads.len(), 0);
}

#[test]
fn missing_analytics_are_one_warning() {
    let element = toys::quick_with("meta-format=custom+analytics");
    let bus = toys::OwnBus::of(&element);
    let (major, minor, ..) = gst::version();
    let expected = usize::from((major, minor) < (1, 24));
    for start in 1..=2 {
        let mut h = harness(&element);
        for _ in 0..3 {
            let out = h.push_and_pull(frame()).unwrap();
            assert_eq!(poses(&out).heads.len(), 2);
        }
        let warnings = toys::warnings(&bus);
        assert_eq!(warnings.len(), expected, "start {start}");
        for warning in warnings {
            assert!(warning.matches(gst::LibraryError::Settings));
            let text = warning.message();
            assert!(
                text.contains("1.24") && text.contains("meta-format"),
                "{text}"
            );
        }
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn formats_and_classes_change_while_frames_pass() {
    let element = from_regions();
    let line = "videotestsrc num-buffers=300 ! video/x-raw,format=I420,width=32,height=32 \
                ! identity name=from ! identity name=here ! fakesink name=to";
    let pipeline = toys::pipeline(line, &element);
    toys::pad(&pipeline, "from", "src").add_probe(gst::PadProbeType::BUFFER, |_, info| {
        let buffer = info.buffer_mut().unwrap().make_mut();
        for (class, rect) in [("head", BOXES[0]), ("face", BOXES[1])] {
            VideoRegionOfInterestMeta::add(buffer, class, rect);
        }
        gst::PadProbeReturn::Ok
    });
    let buffers = toys::collect(&pipeline, "to");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let formats = ["custom", "roi", "custom+roi", ""];
            let classes = [None, Some("head"), Some("head,face"), Some("dog")];
            for step in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                element.set_property_from_str("meta-format", formats[step % 4]);
                let class = classes[step / 4 % 4];
                element.set_property("object-class", class);
                let found = element.property::<Option<String>>("object-class");
                assert_eq!(found.as_deref(), class);
            }
        });
        let bus = pipeline.bus().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let end = bus.timed_pop_filtered(GUARD, &ends);
        done.store(true, Ordering::Relaxed);
        assert_eq!(end.unwrap().type_(), gst::MessageType::Eos);
    });
    pipeline.set_state(gst::State::Null).unwrap();
    let buffers = buffers.lock().unwrap();
    assert_eq!(buffers.len(), 300);
    for buffer in buffers.iter() {
        assert_eq!(rects(buffer), BOXES);
        if let Some(poses) = HeadPoses::from_buffer(buffer) {
            assert!(poses.heads.len() <= 2);
        }
    }
}

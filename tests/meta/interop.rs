// SPDX-License-Identifier: MPL-2.0
//! Metas of other vendors' elements: those that the element writes, and heads taken from them.

use std::sync::atomic::{AtomicU32, Ordering};

use gst::prelude::*;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstdmheadpose::estimator::geometry;
use gstdmheadpose::headposemeta::HeadPoses;
use serde_json::json;

use crate::common::toys::{self, caps, picture, poses};

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
    let element = with_both();
    let mut h = harness(&element);
    let out = h.push_and_pull(frame()).unwrap();
    let heads = poses(&out).heads;
    let untracked = regions(&out);
    assert_eq!(untracked.len(), 2);
    let expected = BOXES.into_iter().zip([0.75, 0.5]);
    for ((region, head), (rect, score)) in untracked.iter().zip(&heads).zip(expected) {
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
    element.set_property("tracking", true);
    let out = h.push_and_pull(frame()).unwrap();
    let ids = regions(&out)
        .into_iter()
        .map(|region| region.param("object_id").get("id"));
    assert_eq!(ids.collect::<Vec<_>>(), [Ok(1i32), Ok(2)]);
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
    let number = AtomicU32::new(0);
    let rect = |number: u32| (number, 4, 8 + number, 12);
    // Every third frame has no head.
    let has_head = |number: u32| !number.is_multiple_of(3);
    toys::each_buffer(&toys::pad(&pipeline, "from", "src"), move |buffer| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        if has_head(number) {
            VideoRegionOfInterestMeta::add(buffer.make_mut(), "head", rect(number));
        }
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
    let mut buffer = with_regions(&[
        ("person", (0, 0, 32, 32)),
        ("face", BOXES[0]),
        ("head", BOXES[1]),
    ]);
    // A type that is not UTF-8, and none: both regions have no name.
    // SAFETY: the buffer is writable; the type is copied.
    unsafe {
        use gst_video::ffi;
        let buffer = buffer.make_mut().as_mut_ptr();
        ffi::gst_buffer_add_video_region_of_interest_meta(buffer, c"t\xeate".as_ptr(), 0, 0, 9, 9);
        ffi::gst_buffer_add_video_region_of_interest_meta_id(buffer, 0, 0, 0, 9, 9);
    }
    for (classes, n) in [
        (None, 5),
        (Some("t"), 0),
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
        let kept = out.iter_meta::<VideoRegionOfInterestMeta>().count();
        assert_eq!(kept, 5);
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
            assert!(warning.message().contains("1.24"), "{warning}");
        }
        element.set_state(gst::State::Null).unwrap();
    }
}

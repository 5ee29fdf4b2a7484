// SPDX-License-Identifier: MPL-2.0
//! What the structure says and what becomes of it under each transform, without pipelines.

// Shared with the integration tests.
#[path = "../../tests/common/matrix.rs"]
mod matrix;

use gst::meta::{CustomMeta, MetaTransformCopy};
use gst_video::VideoFormat;
use gst_video::video_meta::VideoMetaTransformScale;

use super::*;

fn poses() -> HeadPoses {
    gst::init().unwrap();
    let head = Head {
        id: 7,
        rect: Rect::new(10.0, 20.0, 30.5, 40.0),
        score: 0.875,
        angles: Angles::new(-120.0, 10.5, 3.0),
        rear: true,
        seam: true,
        uncertainty: Some(6.25),
        ..Head::default()
    };
    let second = Head {
        rect: Rect::new(100.0, 50.0, 20.0, 20.0),
        score: 0.5,
        angles: Angles::new(30.0, -5.0, 0.0),
        truncated: true,
        predicted: true,
        ..Head::default()
    };
    HeadPoses {
        width: 320,
        height: 240,
        source: Source::Tracked,
        age: Some(gst::ClockTime::from_mseconds(40)),
        inference_time: Some(gst::ClockTime::from_useconds(12_345)),
        heads: vec![head, second],
    }
}

fn buffer_with(poses: &HeadPoses) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(16).unwrap();
    poses.attach(buffer.get_mut().unwrap()).unwrap();
    buffer
}

fn count(buffer: &gst::BufferRef) -> usize {
    buffer
        .iter_meta::<gst::Meta>()
        .filter(|m| m.try_as_custom_meta().is_some_and(|m| m.has_name(NAME)))
        .count()
}

fn info(width: u32, height: u32, par: (i32, i32)) -> gst_video::VideoInfo {
    gst_video::VideoInfo::builder(VideoFormat::I420, width, height)
        .par(par)
        .build()
        .unwrap()
}

/// What a buffer carries after the transform that `data` stands for.
fn transformed<T: gst::meta::MetaTransform>(poses: &HeadPoses, data: &T) -> Option<HeadPoses> {
    let src = buffer_with(poses);
    let mut dest = gst::Buffer::new();
    for meta in src.iter_meta::<gst::Meta>() {
        let _ = meta.transform(dest.get_mut().unwrap(), data);
    }
    HeadPoses::from_buffer(&dest)
}

#[test]
fn no_heads_differs_from_no_meta() {
    let none = HeadPoses {
        heads: vec![],
        ..poses()
    };
    assert_eq!(HeadPoses::from_buffer(&buffer_with(&none)), Some(none));
    assert_eq!(HeadPoses::from_buffer(&gst::Buffer::new()), None);
}

#[test]
fn structure_is_as_documented() {
    let buffer = buffer_with(&poses());
    let meta = CustomMeta::from_buffer(&buffer, NAME).unwrap();
    let s = meta.structure();
    assert_eq!(s.name(), "DmHeadPoseMeta");
    assert_eq!(s.get::<i32>("version"), Ok(1));
    assert_eq!(
        (s.get::<i32>("width"), s.get::<i32>("height")),
        (Ok(320), Ok(240))
    );
    assert_eq!(s.get::<&str>("source"), Ok("tracked"));
    assert_eq!(s.get::<u64>("age"), Ok(40_000_000));
    assert_eq!(s.get::<u64>("inference-time"), Ok(12_345_000));
    assert_eq!(s.get::<i32>("n"), Ok(2));
    assert_eq!(s.n_fields(), 9);
    let head = s.get::<gst::Structure>("head-0").unwrap();
    assert_eq!(head.name(), "head");
    assert_eq!(head.get::<u64>("id"), Ok(7));
    assert_eq!(head.get::<f64>("w"), Ok(30.5));
    assert_eq!(head.get::<f64>("yaw"), Ok(-120.0));
    assert_eq!(head.get::<bool>("rear"), Ok(true));
    let rotation = head.get::<gst::Array>("rotation").unwrap();
    let rotation: Vec<f64> = rotation.iter().map(|v| v.get().unwrap()).collect();
    assert_eq!(rotation, poses().heads[0].angles.rotation());
    assert_eq!(head.get::<f64>("uncertainty"), Ok(6.25));
    assert_eq!(head.n_fields(), 15);
    let other = s.get::<gst::Structure>("head-1").unwrap();
    assert!(!other.has_field("uncertainty"), "its model states none");
}

#[test]
fn numbers_that_are_not_finite_never_get_in() {
    type Spoil = fn(&mut Head, f32);
    let spoils: [Spoil; 9] = [
        |h, v| h.rect.x = v,
        |h, v| h.rect.y = v,
        |h, v| h.rect.w = v,
        |h, v| h.rect.h = v,
        |h, v| h.score = v,
        |h, v| h.angles.yaw = v,
        |h, v| h.angles.pitch = v,
        |h, v| h.angles.roll = v,
        |h, v| h.uncertainty = Some(v),
    ];
    for spoil in spoils {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut poses = poses();
            spoil(&mut poses.heads[0], value);
            let read = HeadPoses::from_buffer(&buffer_with(&poses)).unwrap();
            assert_eq!(read.heads, poses.heads[1..]);
        }
    }
}

#[test]
fn impossible_frame_sizes_are_refused() {
    for (width, height) in [(0, 240), (320, 0), (u32::MAX, 240)] {
        let mut buffer = gst::Buffer::new();
        let poses = HeadPoses {
            width,
            height,
            ..poses()
        };
        let err = poses.attach(buffer.get_mut().unwrap()).unwrap_err();
        assert!(
            err.to_string().contains(&format!("{width}x{height}")),
            "{err}"
        );
        assert_eq!(count(&buffer), 0);
    }
}

#[test]
fn malformed_structures_are_no_poses() {
    let good = poses().to_structure().unwrap();
    assert!(HeadPoses::from_structure(&good).is_some());
    for field in [
        "version",
        "width",
        "height",
        "source",
        "age",
        "inference-time",
        "n",
    ] {
        let mut s = good.clone();
        s.remove_field(field);
        assert_eq!(HeadPoses::from_structure(&s), None, "without {field}");
    }
    let mut newer = good.clone();
    newer.set("version", VERSION + 1);
    assert_eq!(HeadPoses::from_structure(&newer), None);
    let mut lying = good.clone();
    lying.set("n", i32::MAX);
    assert_eq!(HeadPoses::from_structure(&lying), Some(poses()));
    let mut broken = good;
    broken.set("head-0", gst::Structure::new_empty("head"));
    assert_eq!(
        HeadPoses::from_structure(&broken).unwrap().heads,
        poses().heads[1..]
    );
}

/// `GST_CLOCK_TIME_NONE` ended the process, in the reader and inside of the elements that copy and scale.
#[test]
fn times_that_are_not_known_are_none_and_travel_on() {
    let unknown = HeadPoses {
        age: None,
        inference_time: None,
        ..poses()
    };
    let structure = unknown.to_structure().unwrap();
    for field in ["age", "inference-time"] {
        assert_eq!(structure.get(field), Ok(gst::ffi::GST_CLOCK_TIME_NONE));
    }
    let buffer = buffer_with(&unknown);
    assert_eq!(HeadPoses::from_buffer(&buffer), Some(unknown.clone()));
    assert_eq!(
        HeadPoses::from_buffer(&buffer.copy()),
        Some(unknown.clone())
    );
    let (from, to) = (info(320, 240, (1, 1)), info(160, 120, (1, 1)));
    let scaled = transformed(&unknown, &VideoMetaTransformScale::new(&from, &to)).unwrap();
    assert_eq!((scaled.age, scaled.inference_time), (None, None));
}

#[test]
fn heads_that_are_broken_are_left_out_and_no_others() {
    let good = poses().to_structure().unwrap();
    let head = good.get::<gst::Structure>("head-0").unwrap();
    let with = |name: &str, value: &dyn glib::value::ToSendValue| {
        let mut head = head.clone();
        head.set_value(name, value.to_send_value());
        let mut all = good.clone();
        all.set("head-0", head);
        HeadPoses::from_structure(&all).unwrap().heads
    };
    let nine = gst::Array::new([0.5; 9]);
    assert_eq!(with("rotation", &nine), poses().heads);
    let eight = gst::Array::new([0.5; 8]);
    let one_is_none = gst::Array::new([0.5, 0.5, 0.5, 0.5, f64::NAN, 0.5, 0.5, 0.5, 0.5]);
    let whole = gst::Array::new([1i32; 9]);
    let broken: [(&str, &dyn glib::value::ToSendValue); 8] = [
        ("rotation", &eight),
        ("rotation", &one_is_none),
        ("rotation", &whole),
        ("rotation", &1.0f64),
        ("x", &1i32),
        ("x", &1e39f64),
        ("score", &f64::NAN),
        ("rear", &1i32),
    ];
    for (name, value) in broken {
        assert_eq!(with(name, value), poses().heads[1..], "{name}");
    }
    for missing in ["head-0", "head-1"] {
        let mut all = good.clone();
        all.remove_field(missing);
        all.set("n", i32::MAX);
        assert_eq!(HeadPoses::from_structure(&all).unwrap().heads.len(), 1);
    }
    let mut negative = good;
    negative.set("n", -1);
    assert_eq!(HeadPoses::from_structure(&negative), None);
}

#[test]
fn whole_copies_keep_parts_do_not() {
    let poses = poses();
    let buffer = buffer_with(&poses);
    let copied = |range: std::ops::Range<usize>| {
        let copy = buffer
            .copy_region(gst::BufferCopyFlags::all(), range)
            .unwrap();
        HeadPoses::from_buffer(&copy)
    };
    assert_eq!(copied(0..16), Some(poses.clone()));
    assert_eq!(copied(0..8), None);
    assert_eq!(HeadPoses::from_buffer(&buffer.copy()), Some(poses.clone()));
    assert_eq!(
        HeadPoses::from_buffer(&buffer.copy_deep().unwrap()),
        Some(poses.clone())
    );
    assert_eq!(
        transformed(&poses, &MetaTransformCopy::new(..)),
        Some(poses)
    );
}

#[test]
fn a_copy_onto_a_buffer_with_poses_leaves_one() {
    let mut dest = buffer_with(&HeadPoses {
        heads: vec![],
        ..poses()
    });
    let src = buffer_with(&poses());
    src.copy_into(dest.get_mut().unwrap(), gst::BufferCopyFlags::META, ..)
        .unwrap();
    assert_eq!(count(&dest), 1);
    assert_eq!(HeadPoses::from_buffer(&dest), Some(poses()));
}

#[test]
fn scale_that_may_letterbox_or_fits_another_frame_is_refused() {
    let from = info(320, 240, (1, 1));
    let square = info(240, 240, (1, 1));
    assert_eq!(
        transformed(&poses(), &VideoMetaTransformScale::new(&from, &square)),
        None
    );
    let other = info(640, 480, (1, 1));
    assert_eq!(
        transformed(&poses(), &VideoMetaTransformScale::new(&other, &from)),
        None
    );
}

#[test]
fn matrix_mirrors_and_crops() {
    use glib::translate::ToGlibPtr;
    use matrix::Matrix;
    let rectangle = |x, y, w, h| gst_video::ffi::GstVideoRectangle { x, y, w, h };
    let (from, to) = (info(320, 240, (1, 1)), info(60, 100, (1, 1)));
    // The left 60x100 pixels, mirrored.
    let mut matrix = Matrix(gst_video::ffi::GstVideoMetaTransformMatrix {
        in_info: from.to_glib_none().0,
        in_rectangle: rectangle(0, 0, 60, 100),
        out_info: to.to_glib_none().0,
        out_rectangle: rectangle(0, 0, 60, 100),
        matrix: [-1.0, 0.0, 60.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
    });
    let mirrored = transformed(&poses(), &matrix).unwrap();
    assert_eq!((mirrored.width, mirrored.height), (60, 100));
    assert_eq!(mirrored.heads.len(), 1);
    assert_eq!(mirrored.heads[0].rect, Rect::new(19.5, 20.0, 30.5, 40.0));
    assert_eq!(mirrored.heads[0].angles, Angles::new(120.0, 10.5, -3.0));

    matrix.0.matrix[1] = 0.5;
    assert_eq!(
        transformed(&poses(), &matrix),
        None,
        "a shear cannot be followed"
    );
    matrix.0.in_info = std::ptr::null();
    assert_eq!(transformed(&poses(), &matrix), None);
}

struct Unknown;

// SAFETY: nobody reads the data of a transform that nobody knows.
unsafe impl gst::meta::MetaTransform for Unknown {
    type GLibType = u8;

    fn quark() -> glib::Quark {
        glib::Quark::from_str("some-other-transform")
    }

    fn as_ptr(&self) -> *const u8 {
        std::ptr::null()
    }
}

#[test]
fn unknown_transforms_are_refused() {
    assert_eq!(transformed(&poses(), &Unknown), None);
}

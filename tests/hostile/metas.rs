// SPDX-License-Identifier: MPL-2.0
//! Structures of the meta with arbitrary contents, made in C: the readers in Rust, C and Python read the same
//! from them, and so do the elements; the transform turns them into valid ones.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;
use std::process::Command;

use gst::glib;
use gst_video::video_meta::VideoMetaTransformScale;
use gst_video::{VideoFormat, VideoInfo};
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::headposemeta::HeadPoses;
use libloading::os::unix::Library;

use crate::common;
use crate::common::matrix::Matrix;
use crate::common::random::Random;
use crate::common::toys;
use crate::{for_each, numbers};

const FORMAT: VideoFormat = VideoFormat::I420;
const SIZE: (u32, u32) = (64, 48);

fn library() -> PathBuf {
    let arguments = ["-shared", "-fPIC", "-std=c99"];
    common::c::build("cc", &arguments, "hostile_meta.c", "hostile_meta.so")
}

/// Makes the metas and reads them in C.
struct Hostile {
    attach: unsafe extern "C" fn(*mut gst::ffi::GstBuffer, u64),
    read: unsafe extern "C" fn(*mut gst::ffi::GstBuffer) -> *mut c_char,
}

impl Hostile {
    fn load() -> Self {
        // SAFETY: our own library, without constructors; the types match its source.
        unsafe {
            let library = Library::new(library()).unwrap();
            let this = Self {
                attach: *library.get(b"hostile_attach\0").unwrap(),
                read: *library.get(b"hostile_read\0").unwrap(),
            };
            std::mem::forget(library);
            this
        }
    }

    fn attach(&self, buffer: &mut gst::BufferRef, number: u64) {
        // SAFETY: the buffer is writable.
        unsafe { (self.attach)(buffer.as_mut_ptr(), number) };
    }

    fn read(&self, buffer: &gst::BufferRef) -> String {
        // SAFETY: the buffer is only read; the text is ours to free.
        unsafe {
            let text = (self.read)(buffer.as_mut_ptr());
            let read = CStr::from_ptr(text).to_str().unwrap().to_owned();
            glib::ffi::g_free(text.cast());
            read
        }
    }
}

/// As written by the C half.
fn text_of(poses: Option<&HeadPoses>) -> String {
    let Some(poses) = poses else {
        return "none".into();
    };
    let time = |time: Option<gst::ClockTime>| time.map_or(u64::MAX, gst::ClockTime::nseconds);
    let (age, inference_time) = (time(poses.age), time(poses.inference_time));
    let source = poses.source as i32;
    let (width, height) = (poses.width, poses.height);
    let mut text = format!("{width} {height} {source} {age} {inference_time}");
    for head in &poses.heads {
        text += &format!("\n{}", head.id);
        for number in numbers_of(head) {
            text += &format!(" {:08x}", number.to_bits());
        }
        for flag in [head.rear, head.truncated, head.seam, head.predicted] {
            text += &format!(" {}", i32::from(flag));
        }
    }
    text
}

fn numbers_of(head: &Head) -> [f32; 9] {
    let Rect { x, y, w, h } = head.rect;
    let Angles { yaw, pitch, roll } = head.angles;
    let uncertainty = head.uncertainty.unwrap_or(-1.0);
    [x, y, w, h, head.score, yaw, pitch, roll, uncertainty]
}

fn info(width: u32, height: u32) -> VideoInfo {
    VideoInfo::builder(FORMAT, width, height).build().unwrap()
}

fn transformed<T: gst::meta::MetaTransform>(src: &gst::BufferRef, data: &T) -> gst::Buffer {
    let mut dest = gst::Buffer::new();
    for meta in src.iter_meta::<gst::Meta>() {
        let _ = meta.transform(dest.make_mut(), data);
    }
    dest
}

fn transform_any(buffer: &gst::BufferRef, random: &mut Random) -> gst::Buffer {
    let sizes = [1, 2, 24, 32, 48, 64, 96, 128, 4096, 32767];
    let side = |random: &mut Random| random.pick(&sizes);
    let from = info(SIZE.0, SIZE.1);
    let to = info(side(random), side(random));
    match random.below(4) {
        0 => transformed(buffer, &gst::meta::MetaTransformCopy::new(..)),
        1 => transformed(buffer, &VideoMetaTransformScale::new(&from, &to)),
        2 => transformed(buffer, &VideoMetaTransformScale::new(&from, &info(32, 24))),
        _ => {
            use glib::translate::ToGlibPtr;
            let rectangle = |random: &mut Random| {
                let sides = [0, 0, 1, -1, 10, 48, 64, 100_000, i32::MAX, i32::MIN];
                let [x, y, w, h] = std::array::from_fn(|_| random.pick(&sides));
                gst_video::ffi::GstVideoRectangle { x, y, w, h }
            };
            #[rustfmt::skip]
            let factors = [0.0, 0.0, 0.0, 1.0, 1.0, -1.0, 0.5, 1e30, -3e38, f32::NAN, f32::INFINITY];
            let [a, b, c, d, e, f] = std::array::from_fn(|_| random.pick(&factors));
            let matrix = if random.once_in(2) {
                [a, 0.0, b, 0.0, c, d, 0.0, 0.0, 1.0]
            } else {
                [0.0, a, b, c, 0.0, d, e * 0.0, f * 0.0, 1.0]
            };
            let matrix = Matrix(gst_video::ffi::GstVideoMetaTransformMatrix {
                in_info: from.to_glib_none().0,
                in_rectangle: rectangle(random),
                out_info: to.to_glib_none().0,
                out_rectangle: rectangle(random),
                matrix,
            });
            transformed(buffer, &matrix)
        }
    }
}

/// An element that reads the meta, in a harness, and its output for a buffer, if any.
struct Reader(gst_check::Harness);

impl Reader {
    fn new(name: &str, properties: &str) -> Self {
        let element = toys::make(name, properties);
        Self(toys::harness(&element, &toys::caps(FORMAT, SIZE.0, SIZE.1)))
    }

    fn pass(&mut self, buffer: gst::Buffer) -> Option<gst::Buffer> {
        self.0.push(buffer).unwrap();
        self.0.try_pull()
    }
}

#[test]
fn metas_with_anything_in_them() {
    toys::init();
    let hostile = Hostile::load();
    let mut json = Reader::new("dmheadposejson", "");
    let everything = "overlay=box+axes+cube+labels+id+stats blur-heads=pixelate";
    let mut overlay = Reader::new("dmheadposeoverlay", everything);
    let frame = toys::grey(FORMAT, SIZE.0, SIZE.1);
    let mut read = 0;
    for_each("metas", numbers(3000), |number, random| {
        let mut buffer = frame.copy();
        hostile.attach(buffer.make_mut(), number);
        let poses = HeadPoses::from_buffer(&buffer);
        let in_c = hostile.read(&buffer);
        assert_eq!(text_of(poses.as_ref()), in_c, "meta {number}");

        for _ in 0..2 {
            let other = transform_any(&buffer, random);
            let after = HeadPoses::from_buffer(&other);
            let in_c = hostile.read(&other);
            assert_eq!(text_of(after.as_ref()), in_c, "meta {number}");
            if let Some(after) = after {
                let before = poses.as_ref().expect("nothing comes of nothing");
                assert!(after.heads.len() <= before.heads.len(), "meta {number}");
            }
        }

        let line = json.pass(buffer.clone());
        assert_eq!(line.is_some(), poses.is_some(), "meta {number}");
        if let (Some(line), Some(poses)) = (line, &poses) {
            let line: serde_json::Value = serde_json::from_slice(&toys::bytes(&line)).unwrap();
            assert_eq!(line["heads"].as_array().unwrap().len(), poses.heads.len());
            let age = poses.age.map(gst::ClockTime::nseconds);
            assert_eq!(line["age"].as_u64(), age);
        }
        read += poses.map_or(0, |poses| poses.heads.len());
        overlay.pass(buffer).unwrap();
    });
    println!("{read} heads were read");
}

#[test]
fn python_reads_what_c_reads() {
    let numbers = numbers(3000);
    let count = numbers.end - numbers.start;
    let output = Command::new(common::system_python("Gst"))
        .arg(common::in_repository("tests/hostile/readers.py"))
        .arg(library())
        .args([numbers.start.to_string(), count.to_string()])
        .env_remove("PYTHONPATH")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, format!("{count} metas\n"), "{errors}");
}

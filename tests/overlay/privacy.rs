// SPDX-License-Identifier: MPL-2.0
//! Hidden heads: in every format their pixels are gone, and all others are unchanged.

use gst::prelude::*;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrame, VideoInfo, video_frame};
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::headposemeta::{HeadPoses, Source};
use gstdmheadpose::overlay::{DmHeadPoseBlurHeads, hide, hide_picture};

use crate::common::poses;
use crate::common::random::Random;
use crate::common::toys;

type Frame = VideoFrame<video_frame::Writable>;

fn head(x: f32, y: f32, w: f32, h: f32) -> Head {
    poses::head(0, Rect::new(x, y, w, h), Angles::default())
}

fn noise(format: VideoFormat, width: u32, height: u32) -> Frame {
    let info = VideoInfo::builder(format, width, height).build().unwrap();
    let bytes = Random::new(1).bytes(info.size());
    VideoFrame::from_buffer_writable(gst::Buffer::from_mut_slice(bytes), &info).unwrap()
}

/// The samples of every pixel: Y, U, V or red, green, blue, and alpha if present.
fn samples(frame: &Frame) -> Vec<Vec<u8>> {
    let (info, format) = (frame.info(), frame.format_info());
    let (width, height) = (info.width() as usize, info.height() as usize);
    let sample = |c: usize, x: usize, y: usize| {
        let plane = format.plane()[c] as usize;
        let at = (y >> format.h_sub()[c]) * frame.plane_stride()[plane] as usize
            + (x >> format.w_sub()[c]) * format.pixel_stride()[c] as usize
            + format.poffset()[c] as usize;
        frame.plane_data(plane as u32).unwrap()[at]
    };
    let n = format.n_components() as usize;
    let pixel = |i: usize| (0..n).map(|c| sample(c, i % width, i / width)).collect();
    (0..width * height).map(pixel).collect()
}

const SIZES: [(u32, u32); 4] = [(160, 120), (161, 121), (17, 13), (1, 1)];

/// A head inside and one across the border, with the minimum that their boxes and margins cover.
fn heads(width: u32, height: u32) -> [Head; 2] {
    let (w, h) = (width as f32, height as f32);
    [
        head(w * 0.21, h * 0.33, w * 0.31, h * 0.41),
        head(w * 0.8, h * 0.8, w * 0.4, h * 0.4),
    ]
}

fn is_in(heads: &[Head], (x, y): (usize, usize), slack: f32) -> bool {
    let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
    heads.iter().any(|head| {
        let r = head.rect;
        (r.x - slack..r.right() + slack).contains(&x)
            && (r.y - slack..r.bottom() + slack).contains(&y)
    })
}

#[test]
fn filled_heads_are_black_and_the_rest_is_as_it_was() {
    toys::init();
    for format in toys::formats() {
        for (width, height) in SIZES {
            let mut frame = noise(format, width, height);
            let before = samples(&frame);
            let heads = heads(width, height);
            let how = DmHeadPoseBlurHeads::Fill;
            hide(&heads, how, &mut frame.as_mut_video_frame_ref()).unwrap();
            let after = samples(&frame);
            let info = frame.info();
            let black: &[u8] = match (info.is_rgb(), info.is_gray()) {
                (true, _) => &[0, 0, 0, 255],
                (_, true) => &[0],
                _ => &[16, 128, 128],
            };
            for i in 0..after.len() {
                let at = (i % width as usize, i / width as usize);
                let what = format!("{format} {width}x{height} at {at:?}");
                if is_in(&heads, at, 0.0) {
                    let n = after[i].len();
                    assert_eq!(after[i], black[..n], "{what}");
                }
                // The margins are at most a third of the box, and two pixels for shared samples.
                if !is_in(&heads, at, width.max(height) as f32 * 0.2 + 2.0) {
                    assert_eq!(after[i], before[i], "{what}");
                }
            }
        }
    }
}

#[test]
fn pixelated_heads_keep_one_value_a_block() {
    toys::init();
    for format in toys::formats() {
        let mut frame = noise(format, 160, 120);
        let heads = [head(40.0, 30.0, 40.0, 50.0)];
        let how = DmHeadPoseBlurHeads::Pixelate;
        hide(&heads, how, &mut frame.as_mut_video_frame_ref()).unwrap();
        let after = samples(&frame);
        // With margins x 32..89.6, y 25..85.5: columns 32 to 90, rows 24 to 86, blocks of
        // 62 / 6 + 2 = 12 pixels.
        for y in 24..86 {
            for x in 32..88 {
                let corner = (24 + (y - 24) / 12 * 12) * 160 + 32 + (x - 32) / 12 * 12;
                assert_eq!(after[y * 160 + x], after[corner], "{format} at {x}, {y}");
            }
        }
        let (a, b) = (&after[30 * 160 + 40], &after[60 * 160 + 70]);
        assert_ne!(a, b, "{format}: blocks differ");
    }
}

#[test]
fn a_hidden_picture_shows_nothing() {
    toys::init();
    for format in toys::formats() {
        for (width, height) in SIZES {
            let what = format!("{format} {width}x{height}");
            let mut frame = noise(format, width, height);
            let how = DmHeadPoseBlurHeads::Fill;
            hide_picture(how, &mut frame.as_mut_video_frame_ref()).unwrap();
            let after = samples(&frame);
            assert!(after.iter().all(|pixel| *pixel == after[0]), "{what}");

            let mut frame = noise(format, width, height);
            let how = DmHeadPoseBlurHeads::Pixelate;
            hide_picture(how, &mut frame.as_mut_video_frame_ref()).unwrap();
            let mut values = samples(&frame);
            values.sort_unstable();
            values.dedup();
            assert!(values.len() <= 49, "{what}: {} values", values.len());
        }
    }
}

/// How much of a white RGB frame is visible.
#[derive(Debug, PartialEq)]
enum Seen {
    All,
    AllButHeads,
    Nothing,
}

const WIDTH: usize = 320;

fn seen(buffer: &gst::Buffer) -> Seen {
    let bytes = toys::bytes(buffer);
    // A pixel of the toy detector's first head, and one of neither.
    let [head, other] = [75 * WIDTH + 80, 0].map(|at| bytes[at * 3] == 255);
    match (head, other) {
        (true, true) => Seen::All,
        (false, true) => Seen::AllButHeads,
        (false, false) if bytes.iter().all(|&byte| byte == 0) => Seen::Nothing,
        _ => panic!("a head is seen, and all else is hidden"),
    }
}

fn white(n: u64) -> gst::Buffer {
    toys::plain(WIDTH as u32, 240, n, [255; 3])
}

fn white_caps() -> gst::Caps {
    toys::caps(VideoFormat::Rgb, WIDTH as u32, 240)
}

fn hiding(properties: &str) -> (gst::Element, gst_check::Harness) {
    let element = toys::quick_with("blur-heads=fill");
    toys::set(&element, properties);
    let h = toys::harness(&element, &white_caps());
    (element, h)
}

/// Downstream reports that a frame was a second late.
fn be_late(h: &mut gst_check::Harness) {
    let (jitter, time) = (1_000_000_000, gst::ClockTime::SECOND);
    h.push_upstream_event(gst::event::Qos::new(
        gst::QOSType::Underflow,
        2.0,
        jitter,
        time,
    ));
}

fn is_held(buffer: &gst::Buffer) -> bool {
    HeadPoses::from_buffer(buffer).is_some_and(|poses| poses.source == Source::Held)
}

#[test]
fn an_asynchronous_frame_shows_no_head() {
    let (_element, mut h) = hiding("async=true");
    let mut held = 0;
    for n in 0.. {
        let out = h.push_and_pull(white(n)).unwrap();
        assert_eq!(seen(&out), Seen::Nothing, "frame {n}");
        held += u32::from(is_held(&out));
        if held > 10 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }

    let (_element, mut h) = hiding("async=true blur-fallback=last");
    let mut next = 0;
    let mut until_held = |h: &mut gst_check::Harness| {
        loop {
            let out = h.push_and_pull(white(next)).unwrap();
            next += 1;
            if is_held(&out) {
                assert_eq!(seen(&out), Seen::AllButHeads);
                return next;
            }
            assert_eq!(seen(&out), Seen::Nothing, "nothing is known yet");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    };
    let n = until_held(&mut h);
    let after_a_jump = h.push_and_pull(white(n + 1000)).unwrap();
    assert_eq!(seen(&after_a_jump), Seen::Nothing);
}

#[test]
fn frames_that_show_no_head_wait_for_their_inference_on_request() {
    for mode in ["async=true", "when-late=hold"] {
        let (element, mut h) = hiding(&format!("{mode} blur-fallback=wait"));
        for n in 0..20 {
            be_late(&mut h);
            let out = h.push_and_pull(white(n)).unwrap();
            assert_eq!(seen(&out), Seen::AllButHeads, "{mode}: frame {n}");
            assert_eq!(toys::poses(&out).source, Source::Inferred);
        }
        // No frame waits if nothing is to be hidden.
        element.set_property_from_str("blur-heads", "none");
        let out = h.push_and_pull(white(20)).unwrap();
        assert!(is_held(&out), "{mode}");
        assert_eq!(seen(&out), Seen::All);
    }
}

#[test]
fn a_late_frame_shows_no_head() {
    for (fallback, expected) in [("picture", Seen::Nothing), ("last", Seen::AllButHeads)] {
        let (_element, mut h) = hiding(&format!("when-late=hold blur-fallback={fallback}"));
        assert_eq!(seen(&h.push_and_pull(white(0)).unwrap()), Seen::AllButHeads);
        be_late(&mut h);
        let out = h.push_and_pull(white(1)).unwrap();
        assert!(is_held(&out));
        assert_eq!(seen(&out), expected, "{fallback}");
    }
}

/// 10 frames a second made 21: those that videorate repeats are GAP buffers with a picture.
#[test]
fn a_repeated_frame_shows_no_head() {
    let line = "videotestsrc num-buffers=10 pattern=white \
                ! video/x-raw,format=RGB,width=320,height=240,framerate=10/1 ! videorate \
                ! video/x-raw,framerate=21/1 ! identity name=here ! fakesink name=sink sync=false";
    let buffers = toys::play(line, &toys::quick_with("blur-heads=fill"));
    let is_gap = |buffer: &&gst::Buffer| buffer.flags().contains(gst::BufferFlags::GAP);
    assert!(buffers.iter().filter(is_gap).count() > 5);
    for buffer in &buffers {
        assert_eq!(toys::poses(buffer).heads.len(), 2);
        assert_eq!(seen(buffer), Seen::AllButHeads);
    }
}

/// What cannot be mapped cannot be hidden: the stream ends rather than show it, even if errors are tolerated.
#[test]
fn a_frame_that_cannot_be_read_is_not_shown() {
    let (element, mut h) = hiding("on-error=hold");
    let bus = toys::OwnBus::of(&element);
    h.push_and_pull(white(0)).unwrap();
    let broken = gst::Buffer::from_slice([255; 100]);
    assert_eq!(h.push(broken), Err(gst::FlowError::Error));
    assert!(h.try_pull().is_none());
    assert!(!toys::errors(&bus).is_empty());
}

/// The detector found heads; a pose that is not a number does not make them visible.
#[test]
fn a_head_without_a_pose_is_not_shown() {
    // Green of 100: roll is infinite.
    let frame = |n| toys::plain(WIDTH as u32, 240, n, [255, 100, 255]);
    for depth in ["pipeline-depth=1", "pipeline-depth=2"] {
        let element = toys::element("rows_nhwc_32x32", "pose_wild_Nx3x32x32");
        toys::set(&element, "blur-heads=fill");
        toys::set(&element, depth);
        let mut h = toys::harness(&element, &white_caps());
        let out = toys::push_all(&mut h, [frame(0)]);
        assert!(toys::poses(&out[0]).heads.is_empty());
        assert_eq!(seen(&out[0]), Seen::Nothing);
    }
    let element = toys::element("rows_nhwc_32x32", "pose_wild_Nx3x32x32");
    toys::set(&element, "blur-heads=fill blur-fallback=last async=true");
    let mut h = toys::harness(&element, &white_caps());
    for n in 0.. {
        let out = h.push_and_pull(frame(n)).unwrap();
        assert_eq!(seen(&out), Seen::Nothing);
        if is_held(&out) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn the_drawing_element_hides_frames_without_a_result() {
    let overlay = |fallback: &str| {
        let properties = format!("overlay= blur-heads=fill blur-fallback={fallback}");
        let element = toys::make("dmheadposeoverlay", &properties);
        toys::harness(&element, &white_caps())
    };
    let (_element, mut h) = hiding("blur-heads=none");
    let found = toys::poses(&h.push_and_pull(white(0)).unwrap());
    let with = |poses: &HeadPoses| {
        let mut buffer = white(0);
        poses.attach(buffer.make_mut()).unwrap();
        buffer
    };
    let held = HeadPoses {
        source: Source::Held,
        ..found.clone()
    };
    // Hidden even when the poses are too old to be drawn.
    let old = HeadPoses {
        age: Some(gst::ClockTime::from_seconds(3600)),
        ..found.clone()
    };
    let of_another_size = HeadPoses {
        width: 640,
        ..found.clone()
    };
    for fallback in ["picture", "wait", "last"] {
        let mut h = overlay(fallback);
        let mut shown = |buffer| seen(&h.push_and_pull(buffer).unwrap());
        assert_eq!(shown(white(0)), Seen::Nothing, "{fallback}: no meta");
        assert_eq!(shown(with(&of_another_size)), Seen::Nothing, "{fallback}");
        assert_eq!(shown(with(&old)), Seen::AllButHeads, "{fallback}");
        let expected = match fallback {
            "last" => Seen::AllButHeads,
            _ => Seen::Nothing,
        };
        assert_eq!(shown(with(&held)), expected, "{fallback}");
        assert_eq!(h.push_and_pull(toys::empty_gap(0)).unwrap().size(), 0);
    }
}

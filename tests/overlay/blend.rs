// SPDX-License-Identifier: MPL-2.0
//! Drawing on real video frames: every format, every size, the right colours, and no other changes.

use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrame, VideoInfo, video_frame};
use gstdmheadpose::draw::Style;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::{Rect, Size};
use gstdmheadpose::overlay::Overlay;

use crate::common::{init, poses, toys};

const SIZES: [(u32, u32); 5] = [(640, 480), (17, 13), (1, 1), (2, 2), (1919, 1079)];

type Frame = VideoFrame<video_frame::Writable>;

fn everything() -> Style {
    Style {
        cube: true,
        ids: true,
        ..Style::default()
    }
}

fn head(x: f32, y: f32, w: f32, h: f32, yaw: f32) -> Head {
    poses::head(3, Rect::new(x, y, w, h), Angles::new(yaw, 0.0, 0.0))
}

fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    let info = VideoInfo::builder(format, width, height).build();
    info.expect("a format that GStreamer knows")
}

fn frame(info: &VideoInfo) -> Frame {
    let buffer = gst::Buffer::with_size(info.size()).expect("memory");
    VideoFrame::from_buffer_writable(buffer, info).expect("a mapped frame")
}

/// The picture in another format, with each pixel's stored colour sample.
fn converted(from: &Frame, to: &VideoInfo) -> Frame {
    let mut config = gst_video::VideoConverterConfig::new();
    config.set_chroma_mode(gst_video::VideoChromaMode::None);
    let mut out = frame(to);
    let converter = gst_video::VideoConverter::new(from.info(), to, Some(config));
    converter.expect("a converter").frame(from, &mut out);
    out
}

/// A picture of many greys in the given format.
fn grey(format: VideoFormat, width: u32, height: u32) -> Frame {
    let mut picture = frame(&info(VideoFormat::Bgrx, width, height));
    let pixels = picture.plane_data_mut(0).expect("pixels");
    for (i, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        pixel.fill(90 + (i * 7 % 31) as u8);
    }
    converted(&picture, &info(format, width, height))
}

#[track_caller]
fn draw(
    overlay: &mut Overlay,
    heads: &[Head],
    style: &Style,
    stats: Option<&str>,
    frame: &mut Frame,
) {
    let size = (frame.format(), frame.width(), frame.height());
    overlay
        .blend(heads, style, stats, &mut frame.as_mut_video_frame_ref())
        .unwrap_or_else(|error| panic!("{size:?}: {error}"));
}

/// Red, green and blue of every pixel.
fn colors(frame: &Frame) -> Vec<[u8; 3]> {
    let bgrx = info(VideoFormat::Bgrx, frame.width(), frame.height());
    let picture = converted(frame, &bgrx);
    let pixels = picture.plane_data(0).expect("pixels").chunks_exact(4);
    pixels.map(|p| [p[2], p[1], p[0]]).collect()
}

#[test]
fn every_format_and_size_is_drawn_on_and_only_where_the_overlay_is() {
    init();
    let mut overlay = Overlay::new().expect("an overlay");
    for format in toys::formats() {
        for (width, height) in SIZES {
            let (w, h) = (width as f32, height as f32);
            let heads = [
                head(w * 0.3, h * 0.4, w * 0.2, h * 0.3, 20.0),
                head(w * 0.9, h * 0.9, w * 0.1, h * 0.1, -150.0),
            ];
            let mut frame = grey(format, width, height);
            let before = colors(&frame);
            let size = Size::new(width, height);
            let composition = overlay
                .composition(&heads, &everything(), Some("12 fps"), size)
                .expect("a composition");
            draw(
                &mut overlay,
                &heads,
                &everything(),
                Some("12 fps"),
                &mut frame,
            );
            let after = colors(&frame);

            let areas: Vec<_> = composition.iter().map(|r| r.render_rectangle()).collect();
            // Two more pixels, for colour samples that are shared with the next pixel.
            let near = |x: i32, y: i32| {
                areas.iter().any(|&(left, top, w, h)| {
                    (left - 2..left + w as i32 + 2).contains(&x)
                        && (top - 2..top + h as i32 + 2).contains(&y)
                })
            };
            assert!(before != after, "{format} {width}x{height}: nothing drawn");
            let changed = (0..before.len()).filter(|&i| before[i] != after[i]);
            for (x, y) in changed.map(|i| (i as i32 % width as i32, i as i32 / width as i32)) {
                assert!(near(x, y), "{format} {width}x{height}: changed at {x}, {y}");
            }
        }
    }
}

#[test]
fn lines_have_their_colour_in_every_format() {
    init();
    let mut overlay = Overlay::new().expect("an overlay");
    // SD video is BT.601 and HD video BT.709: both must be handled.
    for (width, height) in [(640, 480), (801, 601)] {
        for format in toys::formats() {
            // Yaw 60: blue 255 * (1 - 60 / 180) = 170, red 85. With margins the box is at
            // x 180..324, y 130..372, on even positions in both sizes.
            for (yaw, [red, blue]) in [(0.0, [0, 255]), (60.0, [85, 170]), (180.0, [255, 0])] {
                let mut frame = grey(format, width, height);
                let heads = [head(200.0, 150.0, 100.0, 200.0, yaw)];
                let style = Style {
                    axes: false,
                    labels: false,
                    ..Style::default()
                };
                draw(&mut overlay, &heads, &style, None, &mut frame);
                let colors = colors(&frame);
                for (x, y) in [(180, 250), (181, 251), (252, 130), (324, 250), (252, 372)] {
                    let found = colors[y * width as usize + x];
                    let wanted = if format == VideoFormat::Gray8 {
                        // By BT.601: GStreamer has grey in that matrix at every size.
                        let luma = 0.299 * red as f32 + 0.114 * blue as f32;
                        [luma as u8; 3]
                    } else {
                        [red as u8, 0, blue as u8]
                    };
                    let off = found.iter().zip(wanted).map(|(a, b)| a.abs_diff(b)).max();
                    assert!(
                        off <= Some(12),
                        "{format} {width}x{height} yaw {yaw} at {x}, {y}: {found:?}, not {wanted:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn pixels_that_are_transparent_become_visible_where_the_overlay_is() {
    init();
    let rgba = info(VideoFormat::Rgba, 640, 480);
    let mut frame = frame(&rgba);
    frame.plane_data_mut(0).expect("pixels").fill(0);
    let heads = [head(200.0, 150.0, 100.0, 200.0, 0.0)];
    let mut overlay = Overlay::new().expect("an overlay");
    draw(&mut overlay, &heads, &Style::default(), None, &mut frame);
    let pixels = frame.plane_data(0).expect("pixels");
    let at = |x: usize, y: usize| &pixels[(y * 640 + x) * 4..][..4];
    assert_eq!(at(180, 250), [0, 0, 255, 255]);
    assert_eq!(at(100, 250), [0, 0, 0, 0]);
}

#[test]
fn a_composition_reuses_rectangles() {
    init();
    let mut overlay = Overlay::new().expect("an overlay");
    let size = Size::new(640, 480);
    let heads = [head(200.0, 150.0, 100.0, 200.0, 35.0)];
    let mut compose = |heads: &[Head]| {
        let composition = overlay.composition(heads, &everything(), None, size);
        composition.expect("a composition")
    };
    let first = compose(&heads);
    let numbers = |c: &gst_video::VideoOverlayComposition| -> Vec<u32> {
        c.iter().map(|rectangle| rectangle.seqnum()).collect()
    };
    assert_eq!(numbers(&compose(&heads)), numbers(&first), "same heads");
    let moved = compose(&[head(240.0, 150.0, 100.0, 200.0, 35.0)]);
    let place = |c: &gst_video::VideoOverlayComposition| {
        let rectangle = c.iter().next().expect("a rectangle");
        rectangle.render_rectangle()
    };
    assert_eq!(place(&first).0 + 40, place(&moved).0);
    assert_eq!(place(&first), (180, 130, 146, 2), "the first stays");
    assert_eq!(compose(&[]).n_rectangles(), 0);
}

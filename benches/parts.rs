// SPDX-License-Identifier: MPL-2.0
//! Everything except the networks, on one thread: pixels to tensors compared with a copy of the same size, drawing,
//! tracking.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use gst_video::{VideoFormat, VideoFrameRef, VideoInfo};
use gstdmheadpose::draw::Style;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::{Rect, Size};
use gstdmheadpose::estimator::image::preprocess::{Placement, encode_crops, encode_frame};
use gstdmheadpose::estimator::image::resize::{PixelRect, Resizer};
use gstdmheadpose::estimator::image::tensor::{ChannelOrder, PixelEncoding};
use gstdmheadpose::estimator::track::tracker::Tracker;
use gstdmheadpose::overlay::Overlay;
use gstdmheadpose::video;

const FRAME: Size = Size::new(1280, 720);
const CROP: Size = Size::new(224, 224);

/// A frame of reproducible noise.
fn noise(format: VideoFormat, size: Size) -> (VideoInfo, gst::Buffer) {
    let info = VideoInfo::builder(format, size.width, size.height);
    let info = info.build().expect("a format");
    let mut state = 1u32;
    let bytes = (0..info.size()).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let buffer = gst::Buffer::from_mut_slice(bytes.collect::<Vec<_>>());
    (info, buffer)
}

fn copy(c: &mut Criterion, name: &str, values: usize) {
    let (from, mut to) = (vec![0.5f32; values], vec![0f32; values]);
    c.bench_function(name, |b| {
        b.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)))
    });
}

fn tensors(c: &mut Criterion) {
    let encoding = PixelEncoding::levels(ChannelOrder::Rgb);
    copy(c, "crop: memcpy of the tensor", 3 * 224 * 224);
    copy(
        c,
        "detector input 320x256: memcpy of the tensor",
        3 * 320 * 256,
    );
    copy(
        c,
        "detector input 640x384: memcpy of the tensor",
        3 * 640 * 384,
    );
    for format in [
        VideoFormat::Nv12,
        VideoFormat::I420,
        VideoFormat::Bgr,
        VideoFormat::Bgrx,
    ] {
        let (info, buffer) = noise(format, FRAME);
        let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).expect("a frame");
        let view = video::view(&frame).expect("a known format");
        let mut resizer = Resizer::default();
        let mut image = vec![0f32; 3 * 224 * 224];
        for (x, y, width, height) in [(401, 203, 200, 250), (301, 3, 560, 700)] {
            let rect = PixelRect {
                x,
                y,
                width,
                height,
            };
            let name = format!("crop: {width}x{height} of {format} to 224x224");
            c.bench_function(&name, |b| {
                b.iter(|| {
                    encode_crops(
                        &mut resizer,
                        &view,
                        std::iter::once(rect),
                        CROP,
                        &encoding,
                        &mut image,
                    )
                });
            });
        }
        for (width, height) in [(320, 256), (640, 384)] {
            let input = Size::new(width, height);
            // As YOLOX-nano and YuNet need it.
            let placement = match width {
                320 => Placement::stretch(FRAME, input),
                _ => Placement::letterbox(FRAME, input),
            };
            let mut image = vec![0f32; 3 * (width * height) as usize];
            c.bench_function(
                &format!("detector input {width}x{height}: 1280x720 {format}"),
                |b| {
                    b.iter(|| encode_frame(&mut resizer, &view, &placement, &encoding, &mut image));
                },
            );
        }
    }
}

/// Heads of 200x250 pixels, a usual size for overlays: five side by side.
fn heads(shift: f32) -> Vec<Head> {
    let head = |n: u16| Head {
        id: n.into(),
        rect: Rect::new(40.0 + 240.0 * f32::from(n) + shift, 200.0, 160.0, 208.0),
        score: 0.9,
        angles: Angles {
            yaw: 30.0 - 20.0 * f32::from(n) + shift,
            pitch: 5.0 + shift,
            roll: -10.0,
        },
        rear: false,
        truncated: false,
        seam: false,
        predicted: false,
        uncertainty: None,
    };
    (0..5).map(head).collect()
}

fn overlay(c: &mut Criterion) {
    let style = Style::default();
    for format in [
        VideoFormat::I420,
        VideoFormat::Nv12,
        VideoFormat::Bgrx,
        VideoFormat::Yuy2,
    ] {
        let (info, mut buffer) = noise(format, FRAME);
        let buffer = buffer.get_mut().expect("our own buffer");
        let mut overlay = Overlay::new().expect("the font");
        // Heads that move and turn, so that nothing can be reused from the previous frame.
        let moves: Vec<_> = (0..16).map(|n| heads(n as f32)).collect();
        let mut moves = moves.iter().cycle();
        c.bench_function(&format!("overlay: five heads on 1280x720 {format}"), |b| {
            b.iter(|| {
                let mut frame =
                    VideoFrameRef::from_buffer_ref_writable(buffer, &info).expect("a frame");
                let heads = moves.next().expect("endless");
                overlay
                    .blend(heads, &style, None, &mut frame)
                    .expect("to draw");
            });
        });
    }
}

fn tracking(c: &mut Criterion) {
    let boxes: Vec<_> = (0..20)
        .map(|n| Rect::new(60.0 * n as f32, 100.0 + 7.0 * n as f32, 50.0, 60.0))
        .collect();
    let (mut tracker, mut tracks) = (Tracker::default(), Vec::new());
    let mut time = Duration::ZERO;
    c.bench_function("tracking: 20 heads", |b| {
        b.iter(|| {
            time += Duration::from_millis(40);
            tracker.update(Some(time), &boxes, Duration::from_secs(1), &mut tracks);
        });
    });
}

fn all(c: &mut Criterion) {
    gst::init().expect("GStreamer");
    tensors(c);
    overlay(c);
    tracking(c);
}

criterion_group!(parts, all);
criterion_main!(parts);

// SPDX-License-Identifier: MPL-2.0
//! Hidden heads: nothing of the picture is left where they are, and all of it elsewhere, in every format.

mod toys;

use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrame, VideoInfo, video_frame};
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::overlay::{DmHeadPoseBlurHeads, hide};

type Frame = VideoFrame<video_frame::Writable>;

/// All that the elements take.
fn formats() -> Vec<VideoFormat> {
    toys::init();
    let factory = gst::ElementFactory::find("dmheadposeoverlay").unwrap();
    let templates = factory.static_pad_templates();
    let caps = templates.iter().next().unwrap().caps();
    let list = caps.structure(0).unwrap().get::<gst::List>("format");
    let formats: Vec<_> = list
        .unwrap()
        .iter()
        .map(|name| name.get::<&str>().unwrap().parse().unwrap())
        .collect();
    assert_eq!(formats.len(), 19);
    formats
}

fn head(x: f32, y: f32, w: f32, h: f32) -> Head {
    Head {
        id: 0,
        rect: Rect::new(x, y, w, h),
        score: 0.9,
        angles: Angles::default(),
        rear: false,
        truncated: false,
        seam: false,
        predicted: false,
    }
}

/// A frame of noise.
fn noise(format: VideoFormat, width: u32, height: u32, seed: u32) -> Frame {
    let info = VideoInfo::builder(format, width, height).build().unwrap();
    let mut state = seed;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(info.size())
    .collect();
    VideoFrame::from_buffer_writable(gst::Buffer::from_mut_slice(bytes), &info).unwrap()
}

/// The samples of every pixel: Y, U, V or red, green, blue, and alpha where there is one.
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
    (0..width * height)
        .map(|i| {
            (0..n)
                .map(|c| sample(c, i % width, i / width))
                .collect::<Vec<_>>()
        })
        .collect()
}

const SIZES: [(u32, u32); 4] = [(160, 120), (161, 121), (17, 13), (1, 1)];

/// A head inside and one that hangs over the border, with what their boxes and margins cover at least.
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
    for format in formats() {
        for (width, height) in SIZES {
            let mut frame = noise(format, width, height, 1);
            let before = samples(&frame);
            let heads = heads(width, height);
            hide(
                &heads,
                DmHeadPoseBlurHeads::Fill,
                &mut frame.as_mut_video_frame_ref(),
            )
            .unwrap();
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
                // The margins are a third of the box at most, and two pixels for shared samples.
                if !is_in(&heads, at, width.max(height) as f32 * 0.2 + 2.0) {
                    assert_eq!(after[i], before[i], "{what}");
                }
            }
        }
    }
}

#[test]
fn pixelated_heads_keep_one_value_a_block() {
    for format in formats() {
        let mut frame = noise(format, 160, 120, 1);
        let heads = [head(40.0, 30.0, 40.0, 50.0)];
        hide(
            &heads,
            DmHeadPoseBlurHeads::Pixelate,
            &mut frame.as_mut_video_frame_ref(),
        )
        .unwrap();
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

/// What was inside a block cannot be told: other pixels with the same mean give the same frame.
#[test]
fn pixelating_forgets_all_but_the_means() {
    let heads = [head(40.0, 30.0, 40.0, 50.0)];
    let hidden = |turned: bool| {
        let mut frame = noise(VideoFormat::Gray8, 160, 120, 1);
        let stride = frame.plane_stride()[0] as usize;
        if turned {
            let data = frame.plane_data_mut(0).unwrap();
            for y in (24..84).step_by(12) {
                for x in (32..80).step_by(12) {
                    // The block upside down.
                    for row in 0..6 {
                        for column in 0..12 {
                            let at = |row: usize| (y + row) * stride + x + column;
                            data.swap(at(row), at(11 - row));
                        }
                    }
                }
            }
        }
        let how = DmHeadPoseBlurHeads::Pixelate;
        hide(&heads, how, &mut frame.as_mut_video_frame_ref()).unwrap();
        samples(&frame)
    };
    assert!(hidden(false) == hidden(true));
}

#[test]
fn both_elements_hide_what_they_do_not_draw() {
    use gst::prelude::*;
    let white = || toys::picture(320, 240, |_, _| [255; 3]);
    let caps = toys::caps(VideoFormat::Rgb, 320, 240);
    let pixel = |buffer: &gst::Buffer| toys::bytes(buffer)[(75 * 320 + 80) * 3];

    let estimating = toys::quick();
    estimating.set_property_from_str("blur-heads", "fill");
    let mut h = toys::harness(&estimating, &caps);
    let out = h.push_and_pull(white()).unwrap();
    assert_eq!(pixel(&out), 0);
    assert_eq!(toys::poses(&out).heads.len(), 2, "found before hidden");

    // Hidden also when the poses are too old to be drawn.
    let drawing = gst::ElementFactory::make("dmheadposeoverlay").build();
    let drawing = drawing.unwrap();
    drawing.set_property_from_str("blur-heads", "fill");
    let mut h = toys::harness(&drawing, &caps);
    let mut old = toys::poses(&out);
    old.age = gst::ClockTime::from_seconds(3600);
    let mut frame = white();
    old.attach(frame.make_mut()).unwrap();
    assert_eq!(pixel(&h.push_and_pull(frame).unwrap()), 0);
}

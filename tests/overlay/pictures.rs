// SPDX-License-Identifier: MPL-2.0
//! The pictures of docs/overlay.md match what the code draws. `DMHEADPOSE_WRITE_PICTURES=1` rewrites them.

use std::path::Path;
use std::sync::Arc;

use gst_video::{VideoFormat, VideoFrame, VideoInfo};
use gstdmheadpose::draw::{BoxColor, Color, Label, Style};
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::overlay::{DmHeadPoseBlurHeads, Overlay, hide};

use crate::common::{decode_picture, in_repository, poses, toys};
use crate::face;

fn head(id: u64, rect: Rect, angles: Angles) -> Head {
    Head {
        score: 0.93,
        ..poses::head(id, rect, angles)
    }
}

/// RGB pixels of a picture of `heads` with the overlay.
fn drawn(
    (width, height): (u32, u32),
    heads: &[Head],
    style: &Style,
    blur: DmHeadPoseBlurHeads,
) -> Vec<u8> {
    let info = VideoInfo::builder(VideoFormat::Rgb, width, height);
    let info = info.build().unwrap();
    assert_eq!(info.stride()[0], 3 * width as i32);
    let looks: Vec<_> = heads.iter().map(|head| (head.rect, head.angles)).collect();
    let pixels = face::picture(width as usize, height as usize, &looks);
    let buffer = gst::Buffer::from_mut_slice(pixels);
    let mut frame = VideoFrame::from_buffer_writable(buffer, &info).unwrap();
    hide(heads, blur, &mut frame.as_mut_video_frame_ref()).unwrap();
    Overlay::new()
        .unwrap()
        .blend(heads, style, None, &mut frame.as_mut_video_frame_ref())
        .unwrap();
    frame.into_buffer().map_readable().unwrap().to_vec()
}

fn write(path: &Path, (width, height): (u32, u32), pixels: &[u8]) {
    let raw = path.with_extension("rgb");
    std::fs::write(&raw, pixels).unwrap();
    toys::run(&toys::launch(&format!(
        "filesrc location={} blocksize={} ! rawvideoparse format=rgb width={width} height={height} \
         ! pngenc compression-level=9 ! filesink location={}",
        raw.display(),
        pixels.len(),
        path.display()
    )));
    std::fs::remove_file(&raw).unwrap();
}

/// Writes the picture of docs/images if it is asked for, else compares.
fn check(name: &str, size: (u32, u32), heads: &[Head], style: &Style, blur: DmHeadPoseBlurHeads) {
    toys::init();
    let pixels = drawn(size, heads, style, blur);
    let path = in_repository(&format!("docs/images/{name}.png"));
    if std::env::var_os("DMHEADPOSE_WRITE_PICTURES").is_some() {
        write(&path, size, &pixels);
    }
    let (info, found) = decode_picture(&path, "RGB");
    assert_eq!((info.width(), info.height()), size, "{name}");
    // Rounding may differ from machine to machine; a line elsewhere is off by hundreds.
    let pairs = pixels.iter().zip(&found);
    let far = pairs.filter(|(a, b)| a.abs_diff(**b) > 8).count();
    assert!(
        far < 30,
        "{} is not what is drawn; DMHEADPOSE_WRITE_PICTURES=1 cargo test --test overlay writes it anew",
        path.display()
    );
}

#[test]
fn signs_of_the_angles() {
    let style = Style {
        boxes: false,
        line_width: 5.0,
        font_scale: 3.0,
        ..Style::default()
    };
    for (name, yaw, pitch, roll) in [
        ("yaw-0", 0.0, 0.0, 0.0),
        ("yaw-plus-45", 45.0, 0.0, 0.0),
        ("yaw-minus-45", -45.0, 0.0, 0.0),
        ("yaw-plus-135", 135.0, 0.0, 0.0),
        ("yaw-minus-135", -135.0, 0.0, 0.0),
        ("pitch-plus-30", 0.0, 30.0, 0.0),
        ("pitch-minus-30", 0.0, -30.0, 0.0),
        ("roll-plus-30", 0.0, 0.0, 30.0),
        ("roll-minus-30", 0.0, 0.0, -30.0),
    ] {
        let angles = Angles::new(yaw, pitch, roll);
        let heads = [head(0, Rect::new(44.0, 62.0, 92.0, 120.0), angles)];
        check(name, (180, 200), &heads, &style, DmHeadPoseBlurHeads::None);
    }
}

#[test]
fn styles() {
    let heads = [
        (1, [52.0, 70.0, 84.0, 110.0], [-28.0, 8.0, 4.0]),
        (2, [214.0, 60.0, 62.0, 82.0], [140.0, -4.0, -6.0]),
        (3, [326.0, 76.0, 76.0, 100.0], [38.0, -20.0, 12.0]),
    ];
    let heads = heads.map(|(id, [x, y, w, h], [yaw, pitch, roll])| {
        head(id, Rect::new(x, y, w, h), Angles::new(yaw, pitch, roll))
    });
    let bare = Style {
        boxes: false,
        axes: false,
        labels: false,
        font_scale: 1.6,
        line_width: 4.0,
        ..Style::default()
    };
    let usual = Style {
        boxes: true,
        axes: true,
        labels: true,
        ..bare.clone()
    };
    let cube = Style {
        cube: true,
        ..bare.clone()
    };
    let axes = Style {
        axes: true,
        ..bare.clone()
    };
    let label = Label::new("#{id}  {score}{newline}yaw{tab}{yaw:+}°");
    let label = Style {
        boxes: true,
        labels: true,
        box_color: BoxColor::Id,
        label: Some(Arc::new(label)),
        label_color: Color(u32::MAX),
        ..bare
    };
    for (name, style, blur) in [
        ("style-usual", &usual, DmHeadPoseBlurHeads::None),
        ("style-cube", &cube, DmHeadPoseBlurHeads::None),
        ("style-label", &label, DmHeadPoseBlurHeads::None),
        ("style-pixelate", &axes, DmHeadPoseBlurHeads::Pixelate),
        ("style-fill", &axes, DmHeadPoseBlurHeads::Fill),
    ] {
        check(name, (440, 220), &heads, style, blur);
    }
}

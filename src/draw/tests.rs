// SPDX-License-Identifier: MPL-2.0
//! Tests of whole drawings.

use super::*;
use crate::estimator::geometry::Rect;

const VGA: Size = Size::new(640, 480);

fn only_boxes() -> Style {
    Style {
        axes: false,
        labels: false,
        ..Style::default()
    }
}

fn head(x: f32, y: f32, w: f32, h: f32, yaw: f32) -> Head {
    Head {
        id: 7,
        rect: Rect::new(x, y, w, h),
        score: 0.9,
        angles: Angles::new(yaw, -10.0, 5.0),
        ..Head::default()
    }
}

fn painter() -> Painter {
    Painter::new().expect("the embedded font is sound")
}

/// Blue, green, red, alpha as drawn over nothing.
fn pixel(patches: &[Patch], x: i32, y: i32) -> [u8; 4] {
    let covers = |p: &&Patch| {
        (p.x..p.x + p.width as i32).contains(&x) && (p.y..p.y + p.height as i32).contains(&y)
    };
    let Some(patch) = patches.iter().rev().find(covers) else {
        return [0; 4];
    };
    let at = ((y - patch.y) as usize * patch.width as usize + (x - patch.x) as usize) * 4;
    patch.pixels[at..at + 4].try_into().expect("four bytes")
}

#[test]
fn boxes_are_coloured_by_yaw() {
    // With margins: x 180..324, y 130..372.
    for (yaw, [red, blue]) in [
        (0.0, [0, 255]),
        (180.0, [255, 0]),
        (-180.0, [255, 0]),
        // 255 * (1 - 60 / 180) = 170
        (60.0, [85, 170]),
        (-60.0, [85, 170]),
    ] {
        let mut painter = painter();
        let heads = [head(200.0, 150.0, 100.0, 200.0, yaw)];
        let patches = painter.paint(&heads, VGA, &only_boxes(), None);
        for (x, y) in [(180, 200), (250, 130), (324, 200), (250, 372)] {
            assert_eq!(
                pixel(patches, x, y),
                [blue, 0, red, 255],
                "{yaw} at {x}, {y}"
            );
        }
        for (x, y) in [(184, 200), (250, 250), (170, 200), (330, 200)] {
            assert_eq!(pixel(patches, x, y), [0; 4], "{yaw} at {x}, {y}");
        }
        let area: u32 = patches.iter().map(|p| p.width * p.height).sum();
        assert!(area < 2000, "only the lines: {area}");
    }
}

#[test]
fn labels_stay_inside_the_picture() {
    let style = Style {
        labels: true,
        ids: true,
        boxes: false,
        ..only_boxes()
    };
    for (width, height) in [(320, 240), (640, 480), (1919, 1079), (480, 640)] {
        let (w, h) = (width as f32, height as f32);
        let frame = Size { width, height };
        for (x, y) in [
            (0.0, 0.0),
            (w - 40.0, 0.0),
            (0.0, h - 40.0),
            (w - 40.0, h - 40.0),
        ] {
            let mut painter = painter();
            let patches = painter.paint(&[head(x, y, 40.0, 40.0, -123.0)], frame, &style, None);
            assert_eq!(patches.len(), 1);
            let label = &patches[0];
            assert!(label.x >= 0 && label.y >= 0, "{label:?}");
            assert!(label.x + label.width as i32 <= width as i32);
            assert!(label.y + label.height as i32 <= height as i32);
            // Nothing of it was cut: all four corners of its panel are round.
            let (right, bottom) = (label.width as i32 - 1, label.height as i32 - 1);
            let alpha = |x, y| pixel(patches, label.x + x, label.y + y)[3];
            for (x, y) in [(0, 0), (right, 0), (0, bottom), (right, bottom)] {
                assert!(alpha(x, y) < alpha(right / 2, 0), "{frame:?}: {x}, {y}");
            }
            assert!(label.pixels.chunks_exact(4).any(|p| p[1] > 200), "no text");
        }
    }
}

#[test]
fn a_label_stands_on_its_box() {
    let style = Style {
        labels: true,
        ..only_boxes()
    };
    let mut painter = painter();
    let patches = painter.paint(&[head(200.0, 150.0, 100.0, 200.0, 5.0)], VGA, &style, None);
    let (top, label) = (&patches[0], &patches[4]);
    assert_eq!(label.x, top.x);
    assert_eq!(label.y + label.height as i32, top.y);
    assert!(label.width <= top.width);
}

#[test]
fn a_label_covers_neither_its_head_nor_another_label_while_there_is_room() {
    let style = Style {
        labels: true,
        boxes: false,
        ..only_boxes()
    };
    let mut painter = painter();
    // One on another, one at each border; the outer border of their boxes.
    let heads = [
        head(200.0, 150.0, 100.0, 100.0, 5.0),
        head(204.0, 154.0, 100.0, 100.0, 5.0),
        head(210.0, 150.0, 100.0, 100.0, 5.0),
        head(400.0, 0.0, 100.0, 100.0, 5.0),
        head(540.0, 200.0, 100.0, 100.0, 5.0),
        head(0.0, 0.0, 80.0, 480.0, 5.0),
    ];
    let boxes = heads.map(|head| {
        let scale = Scale::new(VGA, &style);
        let area = margin_box(&head, VGA).expect("a box");
        box_lines(area, &scale.for_head(area))
    });
    let patches = painter.paint(&heads, VGA, &style, None);
    assert_eq!(patches.len(), heads.len());
    let area = |p: &Patch| Area::new(p.x, p.y, p.width as i32, p.height as i32);
    let areas: Vec<_> = patches.iter().map(area).collect();
    for (i, area) in areas.iter().enumerate() {
        assert!(!area.overlaps(&boxes[i]), "{i}: {area:?} on {:?}", boxes[i]);
        for other in &areas[..i] {
            assert!(!area.overlaps(other), "{i}: {area:?} on {other:?}");
        }
    }
    // No room at all: on the head, but within the frame.
    let label = &painter.paint(&[head(0.0, 0.0, 640.0, 480.0, 5.0)], VGA, &style, None)[0];
    assert_eq!((label.x, label.y), (0, 0));
}

#[test]
fn boxes_have_the_colour_that_was_asked_for() {
    let mut painter = painter();
    let mut color = |box_color, id, angles| {
        let style = Style {
            box_color,
            ..only_boxes()
        };
        let mut head = head(200.0, 150.0, 100.0, 200.0, 0.0);
        (head.id, head.angles) = (id, angles);
        pixel(painter.paint(&[head], VGA, &style, None), 180, 200)
    };
    let (known, unknown) = (Angles::default(), Angles::new(f32::NAN, 0.0, 0.0));
    let grey = [128, 128, 128, 255];
    assert_eq!(color(BoxColor::Yaw, 1, unknown), grey);
    assert_eq!(color(BoxColor::Id, 0, known), grey);
    assert_eq!(
        color(BoxColor::Id, 3, unknown),
        color(BoxColor::Id, 10, known)
    );
    let ids = (1..=7).map(|id| color(BoxColor::Id, id, known));
    let different: std::collections::HashSet<_> = ids.collect();
    assert_eq!(different.len(), 7);
    let half_red = BoxColor::Fixed(Color(0x80ff_0000));
    assert_eq!(color(half_red, 0, unknown), [0, 0, 128, 128]);
}

#[test]
fn patches_lie_within_frames_of_any_size() {
    let style = Style {
        cube: true,
        ids: true,
        ..Style::default()
    };
    let mut painter = painter();
    for (width, height) in [
        (0, 0),
        (1, 1),
        (2, 2),
        (17, 13),
        (1, 500),
        (640, 480),
        (1919, 1079),
    ] {
        let frame = Size { width, height };
        let (w, h) = (width as f32, height as f32);
        let heads = [
            head(0.0, 0.0, w, h, 12.0),
            head(w / 3.0, h / 3.0, w / 3.0, h / 3.0, -170.0),
            head(w - 1.0, h - 1.0, 1.0, 1.0, 90.0),
            head(-1e30, -1e30, 1e38, 1e38, 1e30),
            head(f32::NAN, 0.0, 5.0, 5.0, 0.0),
            head(0.0, 0.0, w, h, f32::NAN),
        ];
        for patch in painter.paint(&heads, frame, &style, Some("12 fps\nµs — \u{1f600}")) {
            assert!(patch.x >= 0 && patch.y >= 0 && patch.width > 0 && patch.height > 0);
            assert!(patch.x as u32 + patch.width <= width);
            assert!(patch.y as u32 + patch.height <= height);
            assert_eq!(patch.pixels.len() as u32, patch.width * patch.height * 4);
            for pixel in patch.pixels.chunks_exact(4) {
                assert!(
                    pixel[..3].iter().all(|&c| c <= pixel[3]),
                    "premultiplied: {pixel:?}"
                );
            }
        }
    }
}

#[test]
fn ink_covers_all_that_is_not_transparent() {
    let mut painter = painter();
    let heads = [head(200.0, 150.0, 100.0, 200.0, 40.0)];
    for patch in painter.paint(&heads, VGA, &Style::default(), None) {
        for (i, pixel) in patch.pixels.chunks_exact(4).enumerate() {
            let (x, y) = (i as u32 % patch.width, i as u32 / patch.width);
            let within = |&[left, top, width, height]: &[u32; 4]| {
                (left..left + width).contains(&x) && (top..top + height).contains(&y)
            };
            let times = patch.inked.iter().filter(|area| within(area)).count();
            assert!(times <= 1, "blended twice at {x}, {y}");
            assert!(times == 1 || pixel == [0; 4], "left out at {x}, {y}");
        }
    }
}

#[test]
fn a_frame_like_the_one_before_is_not_painted_again() {
    let mut painter = painter();
    let mut generations = |x: f32, yaw: f32| -> Vec<u64> {
        let heads = [head(x, 150.0, 100.0, 200.0, yaw)];
        let patches = painter.paint(&heads, VGA, &Style::default(), Some("12 fps"));
        patches.iter().map(|p| p.generation).collect()
    };
    let first = generations(200.0, 10.0);
    assert_eq!(generations(200.0, 10.0), first);
    assert_eq!(generations(210.0, 10.0), first, "moved only");
    let turned = generations(210.0, 30.0);
    let stats = first.len() - 1;
    assert_eq!(turned[stats], first[stats]);
    assert!(turned[..stats].iter().zip(&first).all(|(a, b)| a != b));
}

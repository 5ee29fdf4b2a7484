// SPDX-License-Identifier: MPL-2.0
//! The element that draws the poses attached by another one.

use gst::prelude::*;
use gst_video::VideoFormat;

use crate::common::toys::{self, bytes, caps, harness, plain, poses, quick_with};

fn passed(element: &gst::Element, frame: gst::Buffer) -> gst::Buffer {
    let mut h = harness(element, &caps(VideoFormat::Rgb, 320, 240));
    h.push_and_pull(frame).unwrap()
}

fn overlay() -> gst::Element {
    toys::make("dmheadposeoverlay", "")
}

fn frame() -> gst::Buffer {
    plain(320, 240, 0, [90; 3])
}

/// A frame with the result of the estimating element.
fn estimated(parts: &str) -> gst::Buffer {
    let element = quick_with(&format!("overlay={parts}"));
    passed(&element, frame())
}

#[test]
fn it_draws_what_the_estimating_element_would_draw() {
    for parts in ["box+axes+labels", "cube+id", "box"] {
        let drawn = estimated(parts);
        let element = overlay();
        element.set_property_from_str("overlay", parts);
        let buffer = passed(&element, estimated(""));
        assert_ne!(bytes(&buffer), bytes(&frame()), "{parts}");
        assert_eq!(bytes(&buffer), bytes(&drawn), "{parts}");
        assert_eq!(poses(&buffer).heads, poses(&drawn).heads);
    }
}

#[test]
fn frames_without_poses_pass_untouched() {
    let buffer = frame();
    let memory = buffer.peek_memory(0).as_ptr();
    let out = passed(&overlay(), buffer);
    assert_eq!(out.peek_memory(0).as_ptr(), memory);
    assert_eq!(bytes(&out), bytes(&frame()));
}

#[test]
fn larger_lines_and_letters_cover_more() {
    let changed = |properties: &[(&str, &str)]| {
        let (drawn, before) = (drawn(properties, gst::ClockTime::ZERO), bytes(&frame()));
        drawn.iter().zip(&before).filter(|(a, b)| a != b).count()
    };
    let usual = changed(&[]);
    assert!(changed(&[("line-width", "6")]) > usual);
    assert!(changed(&[("font-scale", "2")]) > usual);
}

/// A frame with poses of this age, drawn by an element with these properties.
fn drawn(properties: &[(&str, &str)], age: gst::ClockTime) -> Vec<u8> {
    let element = overlay();
    for (name, value) in properties {
        element.set_property_from_str(name, value);
    }
    let mut buffer = estimated("");
    let mut poses = poses(&buffer);
    poses.age = Some(age);
    poses.attach(buffer.make_mut()).unwrap();
    bytes(&passed(&element, buffer))
}

#[test]
fn poses_that_are_too_old_are_not_drawn() {
    let [new, old] = [1000, 1001].map(gst::ClockTime::from_mseconds);
    let untouched = bytes(&frame());
    assert_ne!(drawn(&[], new), untouched);
    assert_eq!(drawn(&[], old), untouched);
    let never = ("expire-overlay", "18446744073709551615");
    assert_ne!(drawn(&[never], old), untouched);
    let at_once = ("expire-overlay", "0");
    assert_ne!(drawn(&[at_once], gst::ClockTime::ZERO), untouched);
    let ns = gst::ClockTime::from_nseconds(1);
    assert_eq!(drawn(&[at_once], ns), untouched);
    // The number of heads and the inference time stay visible.
    assert_ne!(drawn(&[("overlay", "box+stats")], old), untouched);
}

#[test]
fn colours_and_labels_are_as_set() {
    let now = gst::ClockTime::ZERO;
    let count = |properties: &[(&str, &str)], color: [u8; 3]| {
        let pixels = drawn(properties, now);
        let pixels = pixels.chunks_exact(3);
        pixels.filter(|pixel| *pixel == color).count()
    };
    let boxes = [
        ("overlay", "box"),
        ("color-by", "none"),
        ("box-color", "0xff12c834"),
    ];
    let colored = count(&boxes, [0x12, 0xc8, 0x34]);
    assert!(colored > 500, "{colored}");
    assert_eq!(count(&boxes[..2], [0, 255, 0]), colored, "the default");
    let labels = [("overlay", "labels"), ("label-color", "0xffff8000")];
    assert!(count(&labels, [255, 128, 0]) > 20);

    let label = |text| drawn(&[("overlay", "labels"), ("label", text)], now);
    let usual = drawn(&[("overlay", "labels")], now);
    assert_ne!(label("{yaw}"), usual);
    assert_ne!(label("{score:.1}"), label("{score:.2}"));
    assert_ne!(label("{jaw}"), bytes(&frame()), "drawn literally");
    assert_eq!(label(""), usual, "unset");
}

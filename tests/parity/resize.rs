// SPDX-License-Identifier: MPL-2.0
//! Resizing equals OpenCV's bit for bit: `tests/reference/resize_reference.json`.

use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::PixelFormat;
use gstdmheadpose::estimator::image::preprocess;
use gstdmheadpose::estimator::image::resize::{PixelRect, Resizer};
use gstdmheadpose::estimator::image::tensor::{ChannelOrder, Layout, PixelEncoding};
use serde::Deserialize;

use crate::common::{in_repository, read_json, sha256, view};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    source: [u32; 2],
    target: [u32; 2],
    sha256: String,
    /// In hexadecimal, if they are few.
    bytes: Option<String>,
}

/// The source picture of a case, R, G, B, tightly packed. It is surrounded by pixels that must not count: `left`
/// columns and `top` rows before it, `behind` of both after it.
fn source([width, height]: [u32; 2], [left, top, behind]: [u32; 3]) -> Vec<u8> {
    let value = |x: u32, y: u32, c: u32| (37 * x + 59 * y + 83 * c + 11 * x * y + 7 * x * x) as u8;
    let mut bytes = Vec::new();
    for row in 0..top + height + behind {
        for column in 0..left + width + behind {
            let x = column.checked_sub(left).filter(|&x| x < width);
            let y = row.checked_sub(top).filter(|&y| y < height);
            bytes.extend([0, 1, 2].map(|c| match (x, y) {
                (Some(x), Some(y)) => value(x, y, c),
                _ => 255,
            }));
        }
    }
    bytes
}

/// The part of the size `source` at `around`, resized: rows of R, G, B.
fn resized(resizer: &mut Resizer, case: &Case, around: [u32; 3]) -> Vec<u8> {
    let bytes = source(case.source, around);
    let [left, top, behind] = around;
    let [width, height] = case.source;
    let size = Size::new(left + width + behind, top + height + behind);
    let frame = view(PixelFormat::Rgb, &bytes, size);
    let part = PixelRect::new(left, top, width, height);
    let encoding = PixelEncoding {
        layout: Layout::Nhwc,
        ..PixelEncoding::levels(ChannelOrder::Rgb)
    };
    let [width, height] = case.target;
    let target = Size::new(width, height);
    let mut image = vec![-1.0; 3 * width as usize * height as usize];
    let part = std::iter::once(part);
    preprocess::encode_crops(resizer, &frame, part, target, &encoding, &mut image);
    image.into_iter().map(|level| level as u8).collect()
}

#[test]
fn every_case_equals_opencv() {
    let path = in_repository("tests/reference/resize_reference.json");
    let reference: Reference = read_json(&path);
    let n = reference.cases.len();
    assert!(n >= 30, "{n} cases");
    // One for all: nothing may remain from one case to the next.
    let mut resizer = Resizer::default();
    for case in &reference.cases {
        // As a whole frame, and as a part whose surroundings must not leak in.
        for around in [[0, 0, 0], [3, 2, 1]] {
            let what = format!("{:?} to {:?} around {around:?}", case.source, case.target);
            let found = resized(&mut resizer, case, around);
            if let Some(bytes) = &case.bytes {
                let hex: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(&hex, bytes, "{what}");
            }
            assert_eq!(sha256(&found), case.sha256, "{what}");
        }
    }
}

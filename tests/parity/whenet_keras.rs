// SPDX-License-Identifier: MPL-2.0
//! The converted WHENet gives the same angles as the published one in Keras: `tests/reference/keras_whenet.json`.

use std::collections::BTreeMap;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::PixelFormat;
use gstdmheadpose::estimator::image::resize::{PixelRect, Resizer};
use gstdmheadpose::estimator::onnx::{Model, Runtime, SessionOptions};
use gstdmheadpose::estimator::pose::{MAX_BATCH, PoseFamily, PoseModel};
use serde::Deserialize;

use crate::common::{
    decode_picture, fetched, in_repository, init, read_json, runtime_options, sha256, view,
};
use crate::estimate::check_angles;

const WHENET: &str = "models/whenet_Nx3x224x224_prepost.onnx";
const DEGREES: f32 = 0.01;
const SIDE: u32 = 224;

#[derive(Deserialize)]
struct Reference {
    pictures_sha256: BTreeMap<String, String>,
    cases: Vec<Case>,
}

/// The network's input, and Keras's output.
#[derive(Debug, Deserialize)]
struct Case {
    #[serde(flatten)]
    input: Input,
    sha256: String,
    yaw: f32,
    roll: f32,
    pitch: f32,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Pattern {
        pattern: String,
    },
    /// Corners in the picture.
    Crop {
        picture: String,
        rectangle: [u32; 4],
    },
}

/// The patterns of `tests/reference/keras_whenet.py`, R, G, B.
fn pattern(name: &str) -> Vec<u8> {
    let value: fn(u32, u32, u32) -> u32 = match name {
        "grey" => |_, _, _| 128,
        "ramp" => |x, y, c| x + 2 * y + 85 * c,
        "rings" => |x, y, c| {
            let (dx, dy) = (x.abs_diff(112), y.abs_diff(112));
            ((dx * dx + dy * dy) >> 5) + 40 * c
        },
        "noise" => |x, y, c| {
            let [x, y] = [x.wrapping_mul(73_856_093), y.wrapping_mul(19_349_663)];
            (x ^ y ^ c.wrapping_mul(83_492_791)) >> 13
        },
        _ => panic!("unknown pattern {name}"),
    };
    let pixels = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
    pixels
        .flat_map(|(x, y)| [0, 1, 2].map(|c| value(x, y, c) as u8))
        .collect()
}

/// The frame of a case, R, G, B, and the part of it that is the network's input.
fn frame(input: &Input) -> (Vec<u8>, Size, PixelRect) {
    let (size, rgb, [x, y, right, bottom]) = match input {
        Input::Pattern { pattern: name } => {
            (Size::new(SIDE, SIDE), pattern(name), [0, 0, SIDE, SIDE])
        }
        Input::Crop { picture, rectangle } => {
            let path = fetched(&format!(".setup/pictures/{picture}"));
            let (info, rgb) = decode_picture(&path, "RGB");
            let (width, height) = (info.width(), info.height());
            (Size::new(width, height), rgb, *rectangle)
        }
    };
    (rgb, size, PixelRect::new(x, y, right - x, bottom - y))
}

#[test]
fn the_converted_model_equals_keras() {
    init();
    let reference: Reference = read_json(&in_repository("tests/reference/keras_whenet.json"));
    for (name, sum) in &reference.pictures_sha256 {
        let file = std::fs::read(fetched(&format!(".setup/pictures/{name}"))).unwrap();
        assert_eq!(&sha256(&file), sum, "SHA-256 of {name}");
    }
    let runtime = Runtime::get(&runtime_options()).unwrap();
    let options = SessionOptions::default();
    let model = Model::open(runtime, "pose", &fetched(WHENET), &options).unwrap();
    let mut model = PoseModel::new(model, PoseFamily::Auto, MAX_BATCH).unwrap();
    let mut resizer = Resizer::default();
    let mut answers = Vec::new();
    let mut most = 0.0f32;
    let n_cases = reference.cases.len();
    assert!(n_cases >= 20, "{n_cases} cases");
    for case in &reference.cases {
        let (rgb, size, part) = frame(&case.input);
        let frame = view(PixelFormat::Rgb, &rgb, size);
        let crops = [part].into_iter();
        model.prepare(&mut resizer, &frame, crops).unwrap();
        let image = model.crop_image(0).unwrap();
        let n = image.len() / 3;
        let pixels = (0..n).flat_map(|i| [image[i], image[n + i], image[2 * n + i]]);
        let bytes: Vec<u8> = pixels.map(|level| level as u8).collect();
        assert_eq!(sha256(&bytes), case.sha256, "input of {case:?}");
        model.run(&mut answers).unwrap();
        let expected = Angles::new(case.yaw, case.pitch, case.roll);
        let off = check_angles(answers[0], expected, DEGREES, &format!("{case:?}"));
        most = most.max(off);
    }
    println!("{n_cases} inputs, angles within {most:.4} degrees");
}

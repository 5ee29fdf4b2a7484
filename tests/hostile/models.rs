// SPDX-License-Identifier: MPL-2.0
//! Models made by changing the bytes of the toy models: the element starts and analyses a frame, or
//! reports on the bus why not.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;
use gst_video::VideoFormat;

use crate::common::onnx::varint;
use crate::common::random::Random;
use crate::common::toys;
use crate::{for_each_at_once, numbers};

const DETECTORS: [&str; 9] = [
    "rows_nhwc_32x32",
    "rows_256x320",
    "post_float_480x640",
    "post_int64_480x640",
    "yolov8_96x128",
    "yolov8_free",
    "yolox_96x128",
    "centerface",
    "yunet",
];
const POSES: [&str; 8] = [
    "pose_Nx3x32x32",
    "pose_one_row",
    "fsanet_Nx3x64x64",
    "sixdrepnet_6d",
    "sixdrepnet_matrix",
    "tddfa",
    "whenet_bins_Nx3x32x32",
    "whenet_bins_Nx32x32x3",
];

const NAMES: [&str; 6] = ["", "N", "boxes", "input", "Identity", "\u{e4}"];

/// A field of a protobuf message, the format of an ONNX file. Its meaning is unknown.
#[derive(Clone)]
enum Value {
    Number(u64),
    Fixed(Vec<u8>),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

#[derive(Clone)]
struct Field {
    tag: u64,
    value: Value,
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take_bytes(bytes: &mut &[u8], len: u64) -> Option<Vec<u8>> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    *bytes = rest;
    Some(taken.to_vec())
}

/// `None` if this is not a message.
fn parse(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = take_number(&mut bytes)?;
        if !(1..64).contains(&(tag >> 3)) {
            return None;
        }
        let value = match tag & 7 {
            0 => Value::Number(take_number(&mut bytes)?),
            1 => Value::Fixed(take_bytes(&mut bytes, 8)?),
            5 => Value::Fixed(take_bytes(&mut bytes, 4)?),
            2 => {
                let len = take_number(&mut bytes)?;
                let bytes = take_bytes(&mut bytes, len)?;
                match parse(&bytes) {
                    Some(fields) if !fields.is_empty() => Value::Message(fields),
                    _ => Value::Bytes(bytes),
                }
            }
            _ => return None,
        };
        fields.push(Field { tag, value });
    }
    Some(fields)
}

fn write(fields: &[Field], out: &mut Vec<u8>) {
    for Field { tag, value } in fields {
        varint(out, *tag);
        let bytes = match value {
            Value::Number(number) => {
                varint(out, *number);
                continue;
            }
            Value::Fixed(bytes) => {
                out.extend_from_slice(bytes);
                continue;
            }
            Value::Bytes(bytes) => bytes.clone(),
            Value::Message(fields) => {
                let mut bytes = Vec::new();
                write(fields, &mut bytes);
                bytes
            }
        };
        varint(out, bytes.len() as u64);
        out.extend_from_slice(&bytes);
    }
}

#[rustfmt::skip]
const ODD_NUMBERS: [u64; 19] = [
    0, 1, 2, 3, 4, 7, 10, 32, 64, 224, 65_536, 100_000, 10_000_000, 0x7fff_ffff, 1 << 31, 1 << 40,
    i64::MAX as u64, i64::MIN as u64, u64::MAX,
];

/// Changes one field, at any depth.
fn change(fields: &mut Vec<Field>, random: &mut Random) {
    if fields.is_empty() {
        return;
    }
    let index = random.below(fields.len());
    match &mut fields[index].value {
        Value::Message(inner) if !random.once_in(12) => return change(inner, random),
        Value::Number(number) if !random.once_in(6) => {
            let near = [number.wrapping_add(1), number.wrapping_mul(2)];
            *number = random.pick(&[&ODD_NUMBERS[..], &near].concat());
            return;
        }
        Value::Fixed(bytes) if !random.once_in(6) => {
            for byte in bytes {
                *byte = random.pick(&[0, 0x7f, 0x80, 0xff]);
            }
            return;
        }
        Value::Bytes(bytes) if !random.once_in(6) => {
            let at = random.below(bytes.len() + 1);
            match random.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, random.next() as u8),
                2 => *bytes = random.pick(&NAMES).into(),
                _ => {
                    let some = bytes.iter_mut().skip(at).take(4);
                    some.for_each(|byte| *byte = random.next() as u8);
                }
            }
            return;
        }
        _ => {}
    }
    let other = random.below(fields.len());
    match random.below(4) {
        0 => drop(fields.remove(index)),
        1 => fields.insert(other, fields[index].clone()),
        2 => fields.swap(index, other),
        _ => fields[index].tag ^= 1 << random.below(7),
    }
}

fn changed(model: &str, random: &mut Random) -> Vec<u8> {
    let bytes = std::fs::read(toys::fixture(model)).unwrap();
    let mut fields = parse(&bytes).expect("a protobuf message");
    for _ in 0..1 + random.below(3) {
        change(&mut fields, random);
    }
    let mut bytes = Vec::new();
    write(&fields, &mut bytes);
    // Also bytes that are no longer a message.
    if random.once_in(8) && !bytes.is_empty() {
        let at = random.below(bytes.len());
        match random.below(3) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << random.below(8),
            _ => bytes.insert(at, random.next() as u8),
        }
    }
    bytes
}

#[test]
fn models_of_any_bytes() {
    toys::init();
    let (started, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    for_each_at_once("models", numbers(300), |number, random| {
        match starts_or_says_why(number, random) {
            true => started.fetch_add(1, Ordering::Relaxed),
            false => refused.fetch_add(1, Ordering::Relaxed),
        };
    });
    println!("{started:?} models started, {refused:?} were refused");
}

/// Whether the element started with this changed model.
fn starts_or_says_why(number: u64, random: &mut Random) -> bool {
    let file = format!("hostile-model-{number}.onnx");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let detects = random.once_in(2);
    let (detector, pose) = (random.pick(&DETECTORS), random.pick(&POSES));
    let bytes = changed(if detects { detector } else { pose }, random);
    std::fs::write(&file, bytes).unwrap();
    let (element, role) = match detects {
        true => (toys::quick(), "detector-model"),
        false => (toys::element("rows_nhwc_32x32", pose), "pose-model"),
    };
    element.set_property(role, file.to_str().unwrap());
    let bus = toys::OwnBus::of(&element);
    let state = element.set_state(gst::State::Paused);
    element.set_state(gst::State::Null).unwrap();
    let error = bus.pop_filtered(&[gst::MessageType::Error]);
    assert_eq!(state.is_err(), error.is_some(), "model {number}: {error:?}");
    if state.is_ok() {
        // The frame may cause an error, but nothing else.
        let mut harness = toys::harness(&element, &toys::caps(VideoFormat::I420, 64, 48));
        match harness.push(toys::grey(VideoFormat::I420, 64, 48)) {
            Ok(_) | Err(gst::FlowError::Error) => {}
            Err(other) => panic!("model {number}: {other:?}"),
        }
    }
    let _ = std::fs::remove_file(&file);
    state.is_ok()
}

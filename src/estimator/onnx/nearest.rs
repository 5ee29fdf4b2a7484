// SPDX-License-Identifier: MPL-2.0
//! The nearest family of a model that none accepts, and the difference. Each change below is applied to its
//! signature, alone and then in pairs, until a family accepts the result.

use super::signature::{ElementType, Signature, TensorInfo};

/// A signature as it would be after a change, and the change in words.
type Changed = (Signature, String);

/// Sides that published networks have, for inputs that leave theirs open.
const SIDES: [i64; 4] = [640, 224, 120, 64];

const CHANGES: [fn(&Signature) -> Vec<Changed>; 13] = [
    float16,
    element_of_the_input,
    elements_of_the_outputs,
    batch,
    open_size,
    odd_size,
    channels,
    more_inputs,
    raw_maps,
    detections_apart,
    angles_apart,
    more_outputs,
    swapped,
];

/// The family that accepts the signature after one or two changes, and those changes in words.
pub(crate) fn nearest(
    signature: &Signature,
    family: impl Fn(&Signature) -> Option<&'static str>,
) -> Option<(&'static str, String)> {
    let one = CHANGES.iter().flat_map(|change| change(signature));
    let one: Vec<Changed> = one.collect();
    let fits = |(changed, words): &Changed| Some((family(changed)?, words.clone()));
    if let Some(found) = one.iter().find_map(fits) {
        return Some(found);
    }
    one.iter().find_map(|(changed, first)| {
        let two = CHANGES.iter().flat_map(|change| change(changed));
        two.filter(|(_, second)| second != first)
            .find_map(|(changed, second)| {
                Some((family(&changed)?, format!("{first}; and {second}")))
            })
    })
}

fn tensors(signature: &mut Signature) -> impl Iterator<Item = &mut TensorInfo> {
    signature.inputs.iter_mut().chain(&mut signature.outputs)
}

fn float16(signature: &Signature) -> Vec<Changed> {
    let is_half = |t: &TensorInfo| matches!(t.element, ElementType::Other("float16" | "bfloat16"));
    let (first, kind) = match (
        signature.inputs.iter().find(|t| is_half(t)),
        signature.outputs.iter().find(|t| is_half(t)),
    ) {
        (Some(input), _) => (input, "input"),
        (None, Some(output)) => (output, "output"),
        (None, None) => return Vec::new(),
    };
    let words = format!(
        "{kind} {} is {}: export without half",
        first.name, first.element
    );
    let mut changed = signature.clone();
    for tensor in tensors(&mut changed).filter(|t| is_half(t)) {
        tensor.element = ElementType::Float32;
    }
    vec![(changed, words)]
}

fn element_of_the_input(signature: &Signature) -> Vec<Changed> {
    let mut changed = signature.clone();
    let Some(input) = changed.inputs.first_mut() else {
        return Vec::new();
    };
    if input.element == ElementType::Float32 {
        return Vec::new();
    }
    let words = format!(
        "input {} is {}: export with a float32 input, not quantised",
        input.name, input.element
    );
    input.element = ElementType::Float32;
    vec![(changed, words)]
}

fn elements_of_the_outputs(signature: &Signature) -> Vec<Changed> {
    let mut changed = signature.clone();
    let is_odd = |t: &&mut TensorInfo| t.element != ElementType::Float32;
    let mut odd = changed.outputs.iter_mut().filter(is_odd);
    let Some(first) = odd.next() else {
        return Vec::new();
    };
    let words = format!(
        "output {} is {}: export it as float32",
        first.name, first.element
    );
    first.element = ElementType::Float32;
    odd.for_each(|t| t.element = ElementType::Float32);
    vec![(changed, words)]
}

fn batch(signature: &Signature) -> Vec<Changed> {
    let batch = signature
        .inputs
        .first()
        .and_then(|t| t.shape.first().copied());
    let Some(batch) = batch.filter(|&batch| batch > 1) else {
        return Vec::new();
    };
    let mut changed = signature.clone();
    for first in tensors(&mut changed).filter_map(|t| t.shape.first_mut()) {
        if *first == batch {
            *first = 1;
        }
    }
    vec![(
        changed,
        format!("the batch is fixed at {batch}: export with a batch of 1"),
    )]
}

fn open_size(signature: &Signature) -> Vec<Changed> {
    let Some(input) = signature.inputs.first() else {
        return Vec::new();
    };
    if !input.shape.iter().skip(1).any(|&len| len < 0) {
        return Vec::new();
    }
    let words = format!(
        "input {} leaves its height or width open: export with a fixed size",
        input.name
    );
    let with_side = |side: i64| {
        let mut changed = signature.clone();
        let open = changed.inputs[0]
            .shape
            .iter_mut()
            .skip(1)
            .filter(|len| **len < 0);
        open.for_each(|len| *len = side);
        (changed, words.clone())
    };
    SIDES.into_iter().map(with_side).collect()
}

fn odd_size(signature: &Signature) -> Vec<Changed> {
    let mut changed = signature.clone();
    let Some(input) = changed.inputs.first_mut() else {
        return Vec::new();
    };
    let sides = |input: &TensorInfo| -> Vec<i64> {
        input
            .shape
            .iter()
            .skip(1)
            .copied()
            .filter(|&len| len > 4)
            .collect()
    };
    let before = sides(input);
    for len in input.shape.iter_mut().skip(1).filter(|len| **len > 4) {
        *len = (*len + 31) / 32 * 32;
    }
    if before == sides(input) {
        return Vec::new();
    }
    let words = format!(
        "height and width of input {} are no multiples of 32",
        input.name
    );
    // The number of cells after rounding is unknown.
    for output in changed.outputs.iter_mut().filter(|t| t.shape.len() == 3) {
        if let Some(most) = output.shape.iter_mut().skip(1).max() {
            *most = -1;
        }
    }
    vec![(changed, words)]
}

fn channels(signature: &Signature) -> Vec<Changed> {
    let mut changed = signature.clone();
    let Some(input) = changed.inputs.first_mut() else {
        return Vec::new();
    };
    let channels = match input.shape.as_mut_slice() {
        [_, channels @ (1 | 4), _, _] | [_, _, _, channels @ (1 | 4)] => channels,
        _ => return Vec::new(),
    };
    let words = format!(
        "input {} has {channels} channels, not the 3 of RGB",
        input.name
    );
    *channels = 3;
    vec![(changed, words)]
}

fn more_inputs(signature: &Signature) -> Vec<Changed> {
    let images = signature.inputs.iter().position(|t| t.shape.len() == 4);
    let others = signature.inputs.iter().enumerate();
    let others = others.filter(|(index, _)| Some(*index) != images);
    let names: Vec<_> = others.map(|(_, t)| t.name.as_str()).collect();
    let (Some(images), false) = (images, names.is_empty()) else {
        return Vec::new();
    };
    let words = format!(
        "it wants a further input, {}: export without it",
        names.join(", ")
    );
    let mut changed = signature.clone();
    changed.inputs = vec![signature.inputs[images].clone()];
    vec![(changed, words)]
}

/// The three maps of YOLOv5 and v7, `[1, anchors, h, w, values]`, as they were before decoding.
fn raw_maps(signature: &Signature) -> Vec<Changed> {
    let [first, _, ..] = signature.outputs.as_slice() else {
        return Vec::new();
    };
    let mut cells = 0i64;
    for output in &signature.outputs {
        let [_, anchors, height, width, _] = output.shape[..] else {
            return Vec::new();
        };
        let map = [anchors, height, width]
            .into_iter()
            .try_fold(1, i64::checked_mul);
        cells = cells.saturating_add(map.unwrap_or(-1));
    }
    let mut changed = signature.clone();
    changed.outputs = vec![TensorInfo {
        shape: vec![1, cells, first.shape[4]],
        ..first.clone()
    }];
    let words = "its outputs are raw feature maps: export with the decoding inside (--grid)";
    vec![(changed, words.into())]
}

/// Classes, boxes and scores of queries, as the exporters of RT-DETR, D-FINE and DEIM and those of transformers
/// leave them.
fn detections_apart(signature: &Signature) -> Vec<Changed> {
    let has = |name: &str| signature.outputs.iter().any(|t| t.name == name);
    let names = match () {
        () if has("labels") && has("boxes") && has("scores") => "labels, boxes and scores",
        () if has("logits") && has("pred_boxes") => "logits and pred_boxes",
        () => return Vec::new(),
    };
    let mut changed = signature.clone();
    changed.outputs = vec![TensorInfo {
        name: "label_xyxy_score".into(),
        element: ElementType::Float32,
        shape: vec![1, 300, 6],
    }];
    let words =
        format!("{names} are outputs of their own: join them to label_xyxy_score [1,queries,6]");
    vec![(changed, words)]
}

/// Three outputs of one angle each, as of OpenVINO's head-pose-estimation-adas-0001.
fn angles_apart(signature: &Signature) -> Vec<Changed> {
    let is_angle = |t: &TensorInfo| matches!(t.shape[..], [_, 1] | [_]);
    if signature.outputs.len() != 3 || !signature.outputs.iter().all(is_angle) {
        return Vec::new();
    }
    let names: Vec<_> = signature.outputs.iter().map(|t| t.name.as_str()).collect();
    let words = format!(
        "each angle is an output of its own, {}: join them to yaw_roll_pitch [N,3], for an input of RGB 0..255",
        names.join(", ")
    );
    let mut changed = signature.clone();
    changed.outputs = vec![TensorInfo {
        name: "yaw_roll_pitch".into(),
        shape: vec![-1, 3],
        ..signature.outputs[0].clone()
    }];
    vec![(changed, words)]
}

fn more_outputs(signature: &Signature) -> Vec<Changed> {
    let kept = (1..signature.outputs.len()).rev();
    let with = |kept: usize| {
        let mut changed = signature.clone();
        let names: Vec<_> = changed.outputs.drain(kept..).map(|t| t.name).collect();
        let words = format!(
            "it has further outputs, {}: export the detections or angles alone",
            names.join(", ")
        );
        (changed, words)
    };
    kept.map(with).collect()
}

fn swapped(signature: &Signature) -> Vec<Changed> {
    let mut changed = signature.clone();
    let [output] = changed.outputs.as_mut_slice() else {
        return Vec::new();
    };
    let [_, cells, values] = output.shape.as_mut_slice() else {
        return Vec::new();
    };
    std::mem::swap(cells, values);
    let words = format!(
        "the last two dimensions of output {} are swapped",
        output.name
    );
    vec![(changed, words)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimator::detector::DetectorFamily;
    use crate::estimator::detector::contract::DetectorContract;
    use crate::estimator::pose::PoseFamily;
    use crate::estimator::pose::contract::PoseContract;

    type Tensor<'a> = (&'a str, ElementType, &'a [i64]);

    const F32: ElementType = ElementType::Float32;
    const HALF: ElementType = ElementType::Other("float16");
    const BYTE: ElementType = ElementType::Other("uint8");

    fn signature(inputs: &[Tensor<'_>], outputs: &[Tensor<'_>]) -> Signature {
        let tensor = |&(name, element, shape): &Tensor<'_>| TensorInfo {
            name: name.into(),
            element,
            shape: shape.into(),
        };
        Signature {
            inputs: inputs.iter().map(tensor).collect(),
            outputs: outputs.iter().map(tensor).collect(),
            hints: Default::default(),
        }
    }

    /// Public exports that no family of detectors accepts: the nearest one and the change.
    #[test]
    fn detectors_are_told_the_nearest_family_and_the_difference() {
        let square = &[1, 3, 640, 640][..];
        let images = &[("images", F32, square)][..];
        let rows = ("batchno_classid_score_x1y1x2y2", F32, &[-1, 7][..]);
        for (inputs, outputs, family, difference) in [
            (
                &[("images", HALF, square)][..],
                &[("output0", HALF, &[1, 84, 8400][..])][..],
                "yolov8",
                "input images is float16: export without half",
            ),
            (
                images,
                &[("output0", HALF, &[1, 84, 8400])],
                "yolov8",
                "output output0 is float16",
            ),
            (
                &[("images", BYTE, square)],
                &[("output0", F32, &[1, 84, 8400])],
                "yolov8",
                "input images is uint8",
            ),
            (
                &[("images", F32, &[4, 3, 640, 640])],
                &[("output0", F32, &[4, 84, 8400])],
                "yolov8",
                "batch is fixed at 4: export with a batch of 1",
            ),
            (
                images,
                &[
                    ("output0", F32, &[1, 116, 8400]),
                    ("output1", F32, &[1, 32, 160, 160]),
                ],
                "yolov8",
                "further outputs, output1",
            ),
            (
                images,
                &[("output0", F32, &[1, 8400, 84])],
                "yolov8",
                "last two dimensions of output output0",
            ),
            (
                &[("images", F32, &[1, 3, 360, 640])],
                &[("output0", F32, &[1, 84, 4830])],
                "yolov8",
                "no multiples of 32",
            ),
            (
                &[("images", F32, &[1, 1, 640, 640])],
                &[("output0", F32, &[1, 5, 8400])],
                "yolov8",
                "1 channels",
            ),
            (
                images,
                &[
                    ("a", F32, &[1, 3, 80, 80, 85]),
                    ("b", F32, &[1, 3, 40, 40, 85]),
                    ("c", F32, &[1, 3, 20, 20, 85]),
                ],
                "yolov5",
                "--grid",
            ),
            (
                &[("input_bgr", F32, &[1, 3, -1, -1])],
                &[rows],
                "rows",
                "leaves its height or width open",
            ),
            (
                &[
                    ("images", F32, square),
                    ("orig_target_sizes", ElementType::Int64, &[1, 2]),
                ],
                &[
                    ("labels", ElementType::Int64, &[1, 300]),
                    ("boxes", F32, &[1, 300, 4]),
                    ("scores", F32, &[1, 300]),
                ],
                "deim",
                "orig_target_sizes: export without it; and labels, boxes and scores",
            ),
            (
                &[("pixel_values", F32, square)],
                &[
                    ("logits", F32, &[1, 300, 80]),
                    ("pred_boxes", F32, &[1, 300, 4]),
                ],
                "deim",
                "logits and pred_boxes",
            ),
            (
                &[("images", HALF, &[2, 3, 640, 640])],
                &[("output0", HALF, &[2, 300, 6])],
                "end2end",
                "batch",
            ),
        ] {
            let signature = signature(inputs, outputs);
            let refused =
                DetectorContract::recognise(&signature, DetectorFamily::Auto).unwrap_err();
            let nearest = format!("nearest family is {family}: ");
            for part in [nearest.as_str(), difference] {
                assert!(refused.contains(part), "{part} is not in: {refused}");
            }
        }
    }

    #[test]
    fn pose_models_are_told_the_nearest_family_and_the_difference() {
        let crops = &[-1, 3, 224, 224][..];
        for (input, outputs, family, difference) in [
            (
                ("input", HALF, crops),
                &[("yaw_roll_pitch", HALF, &[-1, 3][..])][..],
                "dmhead",
                "input input is float16: export without half",
            ),
            (
                ("input", BYTE, crops),
                &[("yaw_roll_pitch", F32, &[-1, 3])],
                "dmhead",
                "input input is uint8",
            ),
            (
                ("input", F32, &[-1, 3, -1, -1]),
                &[("output", F32, &[-1, 3, 3])],
                "6drepnet",
                "height or width open",
            ),
            (
                ("input", F32, &[1, 3, 120, 120]),
                &[("params", F32, &[1, 62]), ("features", F32, &[1, 1280])],
                "3ddfa",
                "further outputs, features",
            ),
            (
                ("data", F32, &[1, 3, 60, 60]),
                &[
                    ("angle_y_fc", F32, &[1, 1]),
                    ("angle_p_fc", F32, &[1, 1]),
                    ("angle_r_fc", F32, &[1, 1]),
                ],
                "dmhead",
                "an output of its own, angle_y_fc, angle_p_fc, angle_r_fc",
            ),
        ] {
            let signature = signature(&[input], outputs);
            let refused = PoseContract::recognise(&signature, PoseFamily::Auto).unwrap_err();
            let nearest = format!("nearest family is {family}: ");
            for part in [nearest.as_str(), difference] {
                assert!(refused.contains(part), "{part} is not in: {refused}");
            }
        }
    }

    #[test]
    fn what_is_like_nothing_has_no_nearest_family() {
        for signature in [
            signature(
                &[("tokens", ElementType::Int64, &[1, 77])],
                &[("text", F32, &[1, 512])],
            ),
            signature(&[], &[]),
        ] {
            let refused =
                DetectorContract::recognise(&signature, DetectorFamily::Auto).unwrap_err();
            assert!(refused.contains("none is near"), "{refused}");
        }
    }
}

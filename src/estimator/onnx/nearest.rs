// SPDX-License-Identifier: MPL-2.0
//! The nearest family of a model that none accepts, and the difference. Each change below is applied to its
//! signature, alone and then in pairs, until a family accepts the result.

use super::signature::{ElementType, Signature, TensorInfo};

/// A signature as it would be after a change, and the change in words.
type Changed = (Signature, String);

/// Sides that published networks have, for inputs that leave theirs open.
const SIDES: [i64; 4] = [640, 224, 120, 64];

/// The family that accepts the signature after one or two changes, and those changes in words.
pub(crate) fn nearest(
    signature: &Signature,
    family: impl Fn(&Signature) -> Option<&'static str>,
) -> Option<(&'static str, String)> {
    let one = changes(signature);
    let fits = |(changed, words): &Changed| Some((family(changed)?, words.clone()));
    if let Some(found) = one.iter().find_map(fits) {
        return Some(found);
    }
    one.iter().find_map(|(changed, first)| {
        let two = changes(changed).into_iter();
        two.filter(|(_, second)| second != first)
            .find_map(|(changed, second)| {
                Some((family(&changed)?, format!("{first}; and {second}")))
            })
    })
}

/// `expected`, and the one change after which the signature is it.
pub(crate) fn with_difference(expected: &str, near: Option<(&str, String)>) -> String {
    match near {
        Some((_, difference)) => format!("{expected}; the one difference: {difference}"),
        None => expected.into(),
    }
}

/// Why none of the `families`, names and what they expect, accepts the signature of a `model`.
pub(crate) fn no_family(
    model: &str,
    near: Option<(&str, String)>,
    families: impl Iterator<Item = (&'static str, &'static str)> + Clone,
) -> String {
    let Some((family, difference)) = near else {
        let names: Vec<_> = families.map(|(name, _)| name).collect();
        return format!(
            "the signature of {model} of one of the families {}, and none is near",
            names.join(", ")
        );
    };
    let expected = families.clone().find(|(name, _)| *name == family);
    let (_, expected) = expected.unwrap_or_default();
    format!(
        "the signature of {model}; the nearest family is {family}: {expected}; the difference: {difference}"
    )
}

/// All changes that can be made to the signature.
fn changes(signature: &Signature) -> Vec<Changed> {
    let mut all = Vec::new();
    let mut attempt = |change: &dyn Fn(&mut Signature) -> Option<String>| {
        let mut changed = signature.clone();
        let words = change(&mut changed);
        all.extend(words.map(|words| (changed, words)));
    };
    attempt(&float16);
    attempt(&element_of_the_input);
    attempt(&elements_of_the_outputs);
    attempt(&batch);
    for side in SIDES {
        attempt(&|signature| open_size(signature, side));
    }
    attempt(&odd_size);
    attempt(&channels);
    attempt(&more_inputs);
    attempt(&raw_maps);
    attempt(&detections_apart);
    attempt(&angles_apart);
    for kept in (1..signature.outputs.len()).rev() {
        attempt(&|signature| more_outputs(signature, kept));
    }
    attempt(&swapped);
    all
}

fn tensors(signature: &mut Signature) -> impl Iterator<Item = &mut TensorInfo> {
    signature.inputs.iter_mut().chain(&mut signature.outputs)
}

fn names<'a>(tensors: impl IntoIterator<Item = &'a TensorInfo>) -> String {
    let names = tensors.into_iter().map(|tensor| tensor.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn float16(signature: &mut Signature) -> Option<String> {
    let is_half = |t: &TensorInfo| matches!(t.element, ElementType::Other("float16" | "bfloat16"));
    let inputs = signature.inputs.iter().map(|input| (input, "input"));
    let outputs = signature.outputs.iter().map(|output| (output, "output"));
    let (first, kind) = inputs.chain(outputs).find(|(tensor, _)| is_half(tensor))?;
    let words = format!(
        "{kind} {} is {}: export without half",
        first.name, first.element
    );
    for tensor in tensors(signature).filter(|t| is_half(t)) {
        tensor.element = ElementType::Float32;
    }
    Some(words)
}

fn element_of_the_input(signature: &mut Signature) -> Option<String> {
    let input = signature.inputs.first_mut()?;
    let found = std::mem::replace(&mut input.element, ElementType::Float32);
    (found != ElementType::Float32).then(|| {
        format!(
            "input {} is {found}: export with a float32 input, not quantised",
            input.name
        )
    })
}

fn elements_of_the_outputs(signature: &mut Signature) -> Option<String> {
    let is_odd = |t: &&mut TensorInfo| t.element != ElementType::Float32;
    let mut odd = signature.outputs.iter_mut().filter(is_odd);
    let first = odd.next()?;
    let words = format!(
        "output {} is {}: export it as float32",
        first.name, first.element
    );
    first.element = ElementType::Float32;
    odd.for_each(|t| t.element = ElementType::Float32);
    Some(words)
}

fn batch(signature: &mut Signature) -> Option<String> {
    let batch = *signature.inputs.first()?.shape.first()?;
    if batch <= 1 {
        return None;
    }
    let sides = tensors(signature).filter_map(|t| t.shape.first_mut());
    sides
        .filter(|side| **side == batch)
        .for_each(|side| *side = 1);
    Some(format!(
        "the batch is fixed at {batch}: export with a batch of 1"
    ))
}

fn open_size(signature: &mut Signature, side: i64) -> Option<String> {
    let input = signature.inputs.first_mut()?;
    let mut open = input.shape.iter_mut().skip(1).filter(|len| **len < 0);
    *open.next()? = side;
    open.for_each(|len| *len = side);
    Some(format!(
        "input {} leaves its height or width open: export with a fixed size",
        input.name
    ))
}

fn odd_size(signature: &mut Signature) -> Option<String> {
    let input = signature.inputs.first_mut()?;
    let mut is_odd = false;
    for len in input.shape.iter_mut().skip(1).filter(|len| **len > 4) {
        let rounded = (*len + 31) / 32 * 32;
        is_odd |= *len != rounded;
        *len = rounded;
    }
    if !is_odd {
        return None;
    }
    let words = format!(
        "height and width of input {} are no multiples of 32",
        input.name
    );
    // The number of cells after rounding is unknown.
    for output in signature.outputs.iter_mut().filter(|t| t.shape.len() == 3) {
        if let Some(most) = output.shape.iter_mut().skip(1).max() {
            *most = -1;
        }
    }
    Some(words)
}

fn channels(signature: &mut Signature) -> Option<String> {
    let input = signature.inputs.first_mut()?;
    let channels = match input.shape.as_mut_slice() {
        [_, channels @ (1 | 4), _, _] | [_, _, _, channels @ (1 | 4)] => channels,
        _ => return None,
    };
    let found = std::mem::replace(channels, 3);
    Some(format!(
        "input {} has {found} channels, not the 3 of RGB",
        input.name
    ))
}

fn more_inputs(signature: &mut Signature) -> Option<String> {
    let images = signature.inputs.iter().position(|t| t.shape.len() == 4)?;
    let images = signature.inputs.remove(images);
    let others = std::mem::replace(&mut signature.inputs, vec![images]);
    (!others.is_empty()).then(|| {
        format!(
            "it wants a further input, {}: export without it",
            names(&others)
        )
    })
}

/// The three maps of YOLOv5 and v7, `[1, anchors, h, w, values]`, as they were before decoding.
fn raw_maps(signature: &mut Signature) -> Option<String> {
    let [first, _, ..] = signature.outputs.as_slice() else {
        return None;
    };
    let mut cells = 0i64;
    for output in &signature.outputs {
        let [_, anchors, height, width, _] = output.shape[..] else {
            return None;
        };
        let mut sides = [anchors, height, width].into_iter();
        let map = sides.try_fold(1, i64::checked_mul);
        cells = cells.saturating_add(map.unwrap_or(-1));
    }
    signature.outputs = vec![TensorInfo {
        shape: vec![1, cells, first.shape[4]],
        ..first.clone()
    }];
    Some("its outputs are raw feature maps: export with the decoding inside (--grid)".into())
}

/// Classes, boxes and scores of queries, as the exporters of RT-DETR, D-FINE and DEIM and those of transformers
/// leave them.
fn detections_apart(signature: &mut Signature) -> Option<String> {
    let has = |name: &str| signature.outputs.iter().any(|t| t.name == name);
    let names = match () {
        () if has("labels") && has("boxes") && has("scores") => "labels, boxes and scores",
        () if has("logits") && has("pred_boxes") => "logits and pred_boxes",
        () => return None,
    };
    signature.outputs = vec![TensorInfo {
        name: "label_xyxy_score".into(),
        element: ElementType::Float32,
        shape: vec![1, 300, 6],
    }];
    Some(format!(
        "{names} are outputs of their own: join them to label_xyxy_score [1,queries,6]"
    ))
}

/// Three outputs of one angle each, as of OpenVINO's head-pose-estimation-adas-0001.
fn angles_apart(signature: &mut Signature) -> Option<String> {
    let is_angle = |t: &TensorInfo| matches!(t.shape[..], [_, 1] | [_]);
    if signature.outputs.len() != 3 || !signature.outputs.iter().all(is_angle) {
        return None;
    }
    let words = format!(
        "each angle is an output of its own, {}: join them to yaw_roll_pitch [N,3], for an input of RGB 0..255",
        names(&signature.outputs)
    );
    signature.outputs.truncate(1);
    signature.outputs[0].name = "yaw_roll_pitch".into();
    signature.outputs[0].shape = vec![-1, 3];
    Some(words)
}

fn more_outputs(signature: &mut Signature, kept: usize) -> Option<String> {
    let others = signature.outputs.split_off(kept);
    Some(format!(
        "it has further outputs, {}: export the detections or angles alone",
        names(&others)
    ))
}

fn swapped(signature: &mut Signature) -> Option<String> {
    let [output] = signature.outputs.as_mut_slice() else {
        return None;
    };
    let [_, cells, values] = output.shape.as_mut_slice() else {
        return None;
    };
    std::mem::swap(cells, values);
    Some(format!(
        "the last two dimensions of output {} are swapped",
        output.name
    ))
}

#[cfg(test)]
mod tests {
    use super::super::signature::tests::signature;
    use crate::estimator::detector::{self, DetectorFamily};
    use crate::estimator::pose::{self, PoseFamily};

    /// The refusal of each signature names the nearest family and the difference.
    fn check(refuse: impl Fn(&str) -> String, rows: &[&str]) {
        for row in rows {
            let [text, family, difference] = row.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("{row}");
            };
            let (refused, family) = (refuse(text), format!("nearest family is {family}: "));
            let told = refused.contains(&family) && refused.contains(difference);
            assert!(told, "{row}: {refused}");
        }
    }

    #[test]
    fn the_nearest_family_and_the_difference_are_told() {
        // Public exports that no family accepts.
        let detector = |text: &str| {
            let found = detector::recognise(&signature(text), DetectorFamily::Auto);
            found.unwrap_err()
        };
        check(
            detector,
            &[
                "i:float16[1,3,640,640] -> o:float16[1,84,8400] | yolov8 | input i is float16: export without half",
                "i[1,3,640,640] -> o:float16[1,84,8400] | yolov8 | output o is float16",
                "i:uint8[1,3,640,640] -> o[1,84,8400] | yolov8 | input i is uint8",
                "i[4,3,640,640] -> o[4,84,8400] | yolov8 | batch is fixed at 4: export with a batch of 1",
                "i[1,3,640,640] -> o[1,116,8400], p[1,32,160,160] | yolov8 | further outputs, p",
                "i[1,3,640,640] -> output0[1,8400,84] | yolov8 | last two dimensions of output output0",
                "i[1,3,360,640] -> o[1,84,4830] | yolov8 | no multiples of 32",
                "i[1,1,640,640] -> o[1,5,8400] | yolov8 | 1 channels",
                "i[1,3,640,640] -> a[1,3,80,80,85], b[1,3,40,40,85], c[1,3,20,20,85] | yolov5 | --grid",
                "i[1,3,?,?] -> batchno_classid_score_x1y1x2y2[?,7] | rows | leaves its height or width open",
                "i[1,3,640,640], sizes:int64[1,2] -> labels:int64[1,300], boxes[1,300,4], scores[1,300] | deim | \
                 sizes: export without it; and labels, boxes and scores",
                "i[1,3,640,640] -> logits[1,300,80], pred_boxes[1,300,4] | deim | logits and pred_boxes",
                "i:float16[2,3,640,640] -> o:float16[2,300,6] | end2end | batch",
            ],
        );
        check(
            |text| pose::recognise(&signature(text), PoseFamily::Auto).unwrap_err(),
            &[
                "i:float16[?,3,64,64] -> yaw_roll_pitch:float16[?,3] | dmhead | input i is float16: export",
                "i:uint8[?,3,224,224] -> yaw_roll_pitch[?,3] | dmhead | input i is uint8",
                "i[?,3,?,?] -> o[?,3,3] | 6drepnet | height or width open",
                "i[1,3,120,120] -> params[1,62], features[1,1280] | 3ddfa | further outputs, features",
                "i[1,3,60,60] -> y[1,1], p[1,1], r[1,1] | dmhead | an output of its own, y, p, r",
            ],
        );
        for nothing in ["tokens:int64[1,77] -> text[1,512]", " -> "] {
            let refused = detector(nothing);
            assert!(refused.contains("none is near"), "{refused}");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Graphs with the signatures of published exports: each gives the results of its own code, or is refused
//! with the one required change; ambiguities are reported on the bus.

use gst::prelude::*;
use gst_video::VideoFormat;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;

use super::{VGA, assert_angles};
use crate::common::onnx::{Answer, Graph, Kind, Tensor};
use crate::common::reports::{SETTINGS, assert_only, play};
use crate::common::toys::{self, OwnBus, caps, corners};

const F32: Kind = Kind::Float32;
const ROWS_LAST: Tensor<'_> = ("batchno_classid_x1y1x2y2_score", F32, &[-1, 7]);
const SEVENS: Tensor<'_> = ("output", F32, &[-1, 7]);
const NAMES: &str = "{0: 'person', 1: 'head'}";

fn detector(input: Tensor<'_>, output: Tensor<'_>, values: Vec<f32>) -> Graph {
    Graph::new(&[input]).output(output, Answer::Constant(values))
}

/// Values of an output `[1, rows, values]`: one row, the rest is zero.
fn with_row(rows: usize, row: &[f32], at: usize) -> Vec<f32> {
    let mut values = vec![0.0; rows * row.len()];
    values[at * row.len()..][..row.len()].copy_from_slice(row);
    values
}

/// Values of an output `[1, values, cells]` with one column.
fn with_column(cells: usize, column: &[f32], at: usize) -> Vec<f32> {
    let mut values = vec![0.0; cells * column.len()];
    for (plane, &value) in values.chunks_exact_mut(cells).zip(column) {
        plane[at] = value;
    }
    values
}

/// The heads in the last of several grey frames, and the warnings on the bus.
fn seen(element: &gst::Element) -> (Vec<Head>, Vec<String>) {
    let bus = OwnBus::of(element);
    let mut h = toys::harness(element, &caps(VideoFormat::Rgb, VGA.0, VGA.1));
    let mut heads = Vec::new();
    for number in 0..5 {
        let frame = toys::plain(VGA.0, VGA.1, number, [124, 116, 104]);
        heads = toys::poses(&h.push_and_pull(frame).unwrap()).heads;
    }
    let warnings = toys::warnings(&bus).into_iter();
    let warnings = warnings.map(|warning| warning.message().to_string());
    (heads, warnings.collect())
}

fn detected(path: &str) -> (Vec<[f32; 4]>, Vec<String>) {
    let element = toys::quick();
    element.set_property("detector-model", path);
    let (heads, warnings) = seen(&element);
    (corners(&heads), warnings)
}

/// The file runs and finds these boxes, with as many warnings as there are parts in `warned`.
fn assert_detects(file: &str, graph: Graph, boxes: &[[f32; 4]], warned: &[&str]) {
    let (found, warnings) = detected(&graph.save(file));
    assert_eq!(found, boxes, "{file}: {warnings:?}");
    assert_eq!(warnings.len(), warned.len(), "{file}: {warnings:?}");
    for (warning, part) in warnings.iter().zip(warned) {
        let complete = warning.contains(part) && warning.contains(file);
        assert!(complete, "{part} is not in: {warning}");
    }
}

#[test]
fn names_of_files_tell_the_head_class() {
    let input = ("input", F32, &[1, 3, 480, 640][..]);
    let row = || vec![0.0, 0.0, 100.0, 120.0, 180.0, 220.0, 0.9];
    let file = "gold_yolo_n_head_post_0277_0.5071_1x3x480x640.onnx";
    let head = [100.0, 120.0, 180.0, 220.0];
    assert_detects(file, detector(input, ROWS_LAST, row()), &[head], &[]);
    // Without the name this cannot be recognised; the lack of rows of another class is reported.
    let renamed = detector(input, ROWS_LAST, row());
    let warned = ["rows of other classes only, as one of class 0"];
    assert_detects("best.onnx", renamed, &[], &warned);

    let output = ("batchno_classid_score_x1y1x2y2", F32, &[-1, 7][..]);
    for (name, class) in [
        ("wholebody_with_wheelchair_post_0100", 3.0),
        ("wholebody15_post_0145", 5.0),
        ("wholebody25_post_0100", 7.0),
    ] {
        let file = format!("yolov9_e_{name}_1x3x480x640.onnx");
        let row = vec![0.0, class, 0.8, 100.0, 120.0, 180.0, 220.0];
        assert_detects(&file, detector(input, output, row), &[head], &[]);
    }
}

/// The zoo's rows have the class in the place of these rows' x1, and the score in the place of their y1.
#[test]
fn rows_of_yolov7_are_distinguished_from_the_zoos() {
    let input = ("images", F32, &[1, 3, 640, 640][..]);
    let rows = || {
        let rows = [
            [0.0, 1.0, 120.0, 180.0, 220.0, 0.0, 0.9],
            [0.0, 400.0, 300.0, 480.0, 400.0, 0.0, 0.8],
        ];
        rows.concat()
    };
    let boxes = [[1.0, 120.0, 180.0, 220.0], [400.0, 300.0, 480.0, 400.0]];
    let named = detector(input, SEVENS, rows());
    assert_detects("yolov7.onnx", named, &boxes, &["Class 0 counts as head"]);
    // Without a published name they are read as the zoo's, with a warning, and the scores turn out to be invalid.
    let nameless = detector(input, ("detections", F32, &[-1, 7]), rows());
    let (_, warnings) = detected(&nameless.save("nameless.onnx"));
    let parts = [
        "no name that tells its columns",
        "scores from 0 to 1, found 120",
    ];
    for (warning, part) in warnings.iter().zip(parts) {
        assert!(warning.contains(part), "{warnings:?}");
    }
    assert!(warnings.len() >= 2, "{warnings:?}");
}

#[test]
fn nms_inside_in_its_other_shapes() {
    let input = ("images", F32, &[1, 3, 640, 640][..]);
    let boxes = [[100.0, 120.0, 180.0, 220.0]];
    let head = [100.0, 120.0, 180.0, 220.0, 0.9, 1.0];
    let output = ("output0", F32, &[1, 300, 6][..]);
    let v10 = detector(input, output, with_row(300, &head, 7));
    assert_detects("yolov10n.onnx", v10.metadata("names", NAMES), &boxes, &[]);

    let corners = [&[100.0f32, 120.0, 180.0, 220.0][..], &[1.0; 8]].concat();
    let outputs: [(Tensor<'_>, Vec<f32>); 4] = [
        (("num_dets", Kind::Int32, &[1, 1]), vec![1.0]),
        (("det_boxes", F32, &[1, 3, 4]), corners),
        (("det_scores", F32, &[1, 3]), vec![0.9; 3]),
        (("det_classes", Kind::Int32, &[1, 3]), vec![0.0; 3]),
    ];
    let mut counted = Graph::new(&[input]);
    for (output, values) in outputs {
        counted = counted.output(output, Answer::Constant(values));
    }
    let warned = ["Class 0 counts as head"];
    assert_detects("num_dets.onnx", counted, &boxes, &warned);
}

#[test]
fn queries_of_deim() {
    let output = ("label_xyxy_score", F32, &[1, -1, 6][..]);
    let queries = || {
        let queries = [
            [7.0, 0.25, 0.25, 0.5, 0.5, 0.9],
            [0.0, 0.0, 0.0, 1.0, 1.0, 0.9],
        ];
        queries.concat()
    };
    let boxes = [[160.0, 120.0, 320.0, 240.0]];
    let fixed = detector(("images", F32, &[1, 3, 640, 640]), output, queries());
    let file = "deim_hgnetv2_x_wholebody28_ft_1250query.onnx";
    assert_detects(file, fixed, &boxes, &[]);
    let open = detector(("input_bgr", F32, &[-1, 3, -1, -1]), output, queries());
    let warned = ["Class 7 counts as head"];
    assert_detects("deim_n_batch.onnx", open, &boxes, &warned);
}

/// A frame is scaled to a tenth in the input; 84 cells, three rows each.
#[test]
fn yolov5_and_its_kin() {
    let input = ("images", F32, &[1, 3, 64, 64][..]);
    let head = [14.0, 17.0, 8.0, 10.0, 0.9, 1.0];
    let boxes = [[100.0, 120.0, 180.0, 220.0]];
    for (file, name, rows) in [
        ("yolov5n.onnx", "output0", 252),
        ("yolov5n6.onnx", "output0", 255),
        ("yolov7-tiny.onnx", "output", 252),
        ("yolov6n.onnx", "outputs", 84),
    ] {
        let shape = [1, rows as i64, 6];
        let graph = detector(input, (name, F32, &shape), with_row(rows, &head, 30));
        assert_detects(file, graph, &boxes, &[]);
    }
}

#[test]
fn yolov8_with_more_strides_and_values() {
    let input = ("images", F32, &[1, 3, 64, 64][..]);
    let boxes = [[100.0, 120.0, 180.0, 220.0]];
    let head = [14.0, 17.0, 8.0, 10.0, 0.9];
    let graph = |cells: usize, column: &[f32]| {
        let shape = [1, column.len() as i64, cells as i64];
        detector(
            input,
            ("output0", F32, &shape),
            with_column(cells, column, 40),
        )
    };
    for (file, cells) in [
        ("yolov8n.onnx", 84),
        ("yolov8n-p6.onnx", 85),
        ("yolov8n-p2.onnx", 340),
    ] {
        assert_detects(file, graph(cells, &head), &boxes, &[]);
    }
    // Keypoints follow the only class.
    let keypoints = [&head[..], &[1.0; 51]].concat();
    let keypoints = graph(84, &keypoints).metadata("names", "{0: 'person'}");
    assert_detects("yolov8n-pose.onnx", keypoints, &boxes, &[]);
    // A class other than the head counts as the head; this is reported.
    let coco = [14.0, 17.0, 8.0, 10.0, 0.0, 0.9, 0.0];
    let warned = ["found person, bicycle, car"];
    for (file, names, warned) in [
        (
            "yolov8n-coco.onnx",
            "{0: 'person', 1: 'bicycle', 2: 'car'}",
            &warned[..],
        ),
        (
            "yolov8n-heads.onnx",
            "{0: 'person', 1: 'head', 2: 'hand'}",
            &[],
        ),
    ] {
        let graph = graph(84, &coco).metadata("names", names);
        assert_detects(file, graph, &boxes, warned);
    }
}

/// There is no warning about what the application has set.
#[test]
fn properties_resolve_ambiguities() {
    let input = ("images", F32, &[1, 3, 640, 640][..]);
    let row = vec![0.0, 1.0, 120.0, 180.0, 220.0, 0.0, 0.9];
    let element = toys::quick_with("head-class=0 detector-family=end2end");
    let path = detector(input, SEVENS, row).save("settled.onnx");
    element.set_property("detector-model", path);
    let (heads, warnings) = seen(&element);
    assert_eq!(heads.len(), 1);
    assert_eq!(warnings, [""; 0]);
}

fn pose(path: &str) -> (Vec<Head>, Vec<String>) {
    let element = toys::quick();
    element.set_property("pose-model", path);
    seen(&element)
}

fn means(shape: &[i64], output: &str) -> Graph {
    Graph::new(&[("input", F32, shape)]).output((output, F32, &[-1, 3]), Answer::Means)
}

/// The frames have roughly the mean colour of ImageNet.
#[test]
fn the_zoos_6drepnet360_gets_values_of_imagenet() {
    let graph = means(&[-1, 3, 224, 224], "yaw_pitch_roll");
    let (heads, warnings) = pose(&graph.save("sixdrepnet360_Nx3x224x224.onnx"));
    assert_eq!(warnings, [""; 0]);
    assert_eq!(heads.len(), 2);
    for head in heads {
        assert_angles(&head, Angles::new(0.006, -0.005, 0.008));
    }
}

#[test]
fn angles_of_unknown_names_are_a_warning() {
    for (shape, name, order) in [
        (&[-1, 3, 224, 224][..], "output", "yaw, roll, pitch"),
        (&[-1, 3, 32, 32], "yaw_pitch_roll", "yaw, pitch, roll"),
        (&[-1, 3, 32, 32], "roll_yaw_pitch", "roll, yaw, pitch"),
    ] {
        let (heads, warnings) = pose(&means(shape, name).save("angles.onnx"));
        assert_eq!(heads.len(), 2);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        for part in [order, "RGB 0..255", "angles.onnx", "pose-family"] {
            assert!(warnings[0].contains(part), "{part} is not in: {warnings:?}");
        }
    }
}

#[test]
fn bins_of_hopenet() {
    // Bins 40, 30 and 36.
    let bins = |bin: usize| {
        let mut weights = vec![-1e3; 66];
        weights[bin] = 1.0;
        Answer::Constant(weights)
    };
    for names in [["yaw", "pitch", "roll"], ["371", "372", "373"]] {
        let graph = Graph::new(&[("input", F32, &[1, 3, 224, 224])])
            .output((names[0], F32, &[1, 66]), bins(40))
            .output((names[1], F32, &[1, 66]), bins(30))
            .output((names[2], F32, &[1, 66]), bins(36));
        let (heads, warnings) = pose(&graph.save("hopenet.onnx"));
        assert_eq!(warnings, [""; 0]);
        assert_angles(&heads[0], Angles::new(21.0, -9.0, 9.0));
    }
}

/// The bus message names the nearest family and the only difference, not a list of all families.
#[test]
fn refusals_name_the_one_difference() {
    let half = Graph::new(&[("input", Kind::Float16, &[1, 3, 224, 224])]).output(
        ("yaw_roll_pitch", Kind::Float16, &[1, 3]),
        Answer::Constant(vec![0.0; 3]),
    );
    let element = toys::quick();
    element.set_property("pose-model", half.save("pose_fp16.onnx"));
    let parts = ["dmhead", "input input is float16: export without half"];
    assert_only(&play(&element), SETTINGS, &parts);

    let batch = detector(
        ("images", F32, &[4, 3, 480, 640]),
        ("batchno_classid_score_x1y1x2y2", F32, &[-1, 7]),
        vec![0.0; 7],
    );
    let element = toys::quick();
    element.set_property("detector-model", batch.save("batch4.onnx"));
    let parts = ["nearest family is rows", "the batch is fixed at 4"];
    assert_only(&play(&element), SETTINGS, &parts);
    element.set_property_from_str("detector-family", "rows");
    let difference = "the one difference: the batch is fixed at 4";
    let parts = ["expected detection rows", difference];
    assert_only(&play(&element), SETTINGS, &parts);
}

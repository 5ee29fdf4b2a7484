// SPDX-License-Identifier: MPL-2.0
//! Behind a scaler the boxes are on the heads of the scaled picture: a second element that detects heads
//! there finds them in the same places.

use gst::prelude::*;
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common::{self, toys};

/// What an element found before the scaler, as it arrives behind it, and what another one finds there.
fn both(scaled: &str) -> (HeadPoses, HeadPoses) {
    let picture = common::fetched(".setup/pictures/multi_face.png");
    let models = common::in_repository("models");
    // It finds the same box in a squeezed picture as in the original.
    let detector = common::fetched("models/face_detection_yunet_2023mar_dynamic.onnx");
    let pipeline = toys::launch(&format!(
        "filesrc location={} ! pngdec ! videoconvert ! video/x-raw,format=I420 \
         ! dmheadpose name=first models-dir={models} detector-model={detector} \
         ! videoscale add-borders=false ! {scaled} ! identity name=behind \
         ! dmheadpose name=second models-dir={models} detector-model={detector} ! fakesink name=sink sync=false",
        picture.display(),
        models = models.display(),
        detector = detector.display()
    ));
    toys::set_runtime(&pipeline.by_name("first").unwrap());
    let ends = ["behind", "sink"].map(|name| toys::collect(&pipeline, name));
    toys::run(&pipeline);
    let [followed, found] = ends.map(|buffers| toys::poses(&toys::take(&buffers)[0]));
    (followed, found)
}

#[test]
fn boxes_stay_on_the_heads_of_a_scaled_picture() {
    for scaled in [
        "video/x-raw,width=[1,600],height=[1,400]",
        "video/x-raw,width=640,height=480",
        "video/x-raw,width=480,height=480",
    ] {
        let (followed, found) = both(scaled);
        let sizes = [&followed, &found].map(|poses| (poses.width, poses.height));
        assert_eq!(sizes[0], sizes[1]);
        assert!(!found.heads.is_empty(), "{scaled}");
        for head in &found.heads {
            let others = followed.heads.iter();
            let overlaps = others.map(|other| head.rect.iou(&other.rect));
            let best = overlaps.fold(0.0, f32::max);
            assert!(best > 0.6, "{scaled}: {head:?} overlaps by {best}");
        }
        let counts = [&found, &followed].map(|poses| poses.heads.len());
        println!("{scaled}: heads behind and before: {counts:?}");
    }
}

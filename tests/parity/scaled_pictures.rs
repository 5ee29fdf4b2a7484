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
    let pipeline = toys::launch(&format!(
        "filesrc location={} ! pngdec ! videoconvert ! video/x-raw,format=I420 \
         ! dmheadpose name=first models-dir={models} \
         ! videoscale add-borders=false ! {scaled} ! identity name=behind \
         ! dmheadpose name=second models-dir={models} ! appsink name=sink sync=false",
        picture.display(),
        models = models.display()
    ));
    if let Some(library) = common::onnxruntime_library() {
        let first = pipeline.by_name("first").unwrap();
        first.set_property("onnxruntime-library", library.to_str().unwrap());
    }
    let (sender, followed) = std::sync::mpsc::channel();
    let behind = pipeline.by_name("behind").unwrap();
    let pad = behind.static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let poses = HeadPoses::from_buffer(info.buffer().unwrap());
        let _ = sender.send(poses);
        gst::PadProbeReturn::Ok
    });
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let sample = sink.pull_sample().expect("the picture");
    pipeline.set_state(gst::State::Null).unwrap();
    let found = HeadPoses::from_buffer(sample.buffer().unwrap()).expect("what is found");
    let followed = followed.recv().unwrap().expect("a meta behind the scaler");
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
        assert_eq!(
            (followed.width, followed.height),
            (found.width, found.height)
        );
        assert!(!found.heads.is_empty(), "{scaled}");
        for head in &found.heads {
            let overlap = followed
                .heads
                .iter()
                .map(|other| head.rect.iou(&other.rect));
            let best = overlap.fold(0.0, f32::max);
            assert!(best > 0.6, "{scaled}: {head:?} overlaps by {best}");
        }
        println!(
            "{scaled}: {} of {} heads",
            found.heads.len(),
            followed.heads.len()
        );
    }
}

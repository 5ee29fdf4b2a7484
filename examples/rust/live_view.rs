// SPDX-License-Identifier: MPL-2.0
//! Shows a camera or a video with the detected heads, and prints once a second who looks at the camera:
//!
//! ```text
//! cargo run --release --example live_view                      # the first camera
//! cargo run --release --example live_view -- video.mp4
//! cargo run --release --example live_view -- video.mp4 fakesink  # no window
//! ```
//!
//! The window shows the element's own overlay; the numbers come as messages on the bus, so that this
//! program never sees a frame.

use std::error::Error;
use std::io::Write;

use gst::prelude::*;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::headposemeta::HeadPoses;

/// Someone whose nose points past the camera by less than this counts as looking at it.
const ATTENTION_DEGREES: f32 = 20.0;

fn main() -> Result<(), Box<dyn Error>> {
    gst::init()?;
    let mut arguments = std::env::args().skip(1);
    let (video, sink) = (arguments.next(), arguments.next());
    // The camera does not wait for inference: the queue keeps only the newest frame.
    let source = match &video {
        Some(_) => "uridecodebin name=source ! videoconvert ! videoflip video-direction=auto",
        None => "autovideosrc ! videoconvert ! queue leaky=downstream max-size-buffers=1",
    };
    let pipeline = gst::parse::launch(&format!(
        "{source} ! dmheadpose tracking=true overlay=box+axes+labels+id \
         post-messages=true message-interval=1000000000 ! videoconvert ! {}",
        sink.as_deref().unwrap_or("autovideosink")
    ))?;
    let pipeline = pipeline
        .downcast::<gst::Pipeline>()
        .map_err(|_| "expected a pipeline")?;
    if let Some(video) = video {
        let uri = if video.contains("://") {
            video
        } else {
            gst::glib::filename_to_uri(std::path::absolute(video)?, None)?.into()
        };
        let source = pipeline.by_name("source").ok_or("no source")?;
        source.set_property("uri", uri);
    }

    let bus = pipeline.bus().ok_or("no bus")?;
    pipeline.set_state(gst::State::Playing)?;
    let result = watch(&bus);
    pipeline.set_state(gst::State::Null)?;
    result
}

/// Prints the contents of the messages until the video ends, the window is closed or something fails.
fn watch(bus: &gst::Bus) -> Result<(), Box<dyn Error>> {
    for message in bus.iter_timed(gst::ClockTime::NONE) {
        match message.view() {
            gst::MessageView::Eos(_) => break,
            gst::MessageView::Error(error) => return Err(error.error().into()),
            gst::MessageView::Element(element) => {
                if let Some(structure) = element.structure().filter(|s| s.name() == "dmheadpose") {
                    print_attention(structure)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn print_attention(structure: &gst::StructureRef) -> std::io::Result<()> {
    let Some(poses) = HeadPoses::from_structure(structure) else {
        return Ok(());
    };
    let time = structure.get::<Option<gst::ClockTime>>("running-time");
    let time = time.ok().flatten().unwrap_or_default();
    let looking = poses.heads.iter().filter(|head| looks_here(head)).count();
    writeln!(
        std::io::stdout(),
        "{:.1} s: {} heads, {looking} looking here",
        time.seconds_f64(),
        poses.heads.len()
    )
}

fn looks_here(head: &Head) -> bool {
    // The angle between the nose and the direction to the camera.
    let towards = head.angles.rotation()[8].clamp(-1.0, 1.0);
    (towards.acos().to_degrees() as f32) < ATTENTION_DEGREES
}

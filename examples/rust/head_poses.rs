// SPDX-License-Identifier: MPL-2.0
//! Prints the head poses in a video, one line of JSON per frame:
//!
//! ```text
//! cargo run --release --example head_poses -- video.mp4
//! ```
//!
//! Frames come from an appsink, and the library's typed view reads their poses. The lines are those of
//! `dmheadposejson` with fewer fields.

use std::error::Error;
use std::io::Write;

use gst::prelude::*;
use gstdmheadpose::estimator::Head;
use gstdmheadpose::headposemeta::HeadPoses;

fn main() -> Result<(), Box<dyn Error>> {
    let video = std::env::args()
        .nth(1)
        .ok_or("usage: head_poses FILE|URI")?;
    gst::init()?;
    let pipeline = gst::parse::launch(
        "uridecodebin name=source ! videoconvert ! videoflip video-direction=auto ! dmheadpose tracking=true \
         ! appsink name=sink sync=false",
    )?;
    let pipeline = pipeline
        .downcast::<gst::Pipeline>()
        .map_err(|_| "expected a pipeline")?;
    let uri = if video.contains("://") {
        video
    } else {
        gst::glib::filename_to_uri(std::path::absolute(video)?, None)?.into()
    };
    let source = pipeline.by_name("source").ok_or("no source")?;
    source.set_property("uri", uri);
    let sink = pipeline.by_name("sink").ok_or("no sink")?;
    let sink = sink
        .downcast::<gst_app::AppSink>()
        .map_err(|_| "expected an appsink")?;

    let bus = pipeline.bus().ok_or("no bus")?;
    pipeline.set_state(gst::State::Playing)?;
    let printed = print_poses(&sink);
    let error = bus.pop_filtered(&[gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null)?;
    match error.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(error.error().into()),
        _ => Ok(printed?),
    }
}

fn print_poses(sink: &gst_app::AppSink) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    // Ends with the stream or when the pipeline fails.
    while let Ok(sample) = sink.pull_sample() {
        let Some(buffer) = sample.buffer() else {
            continue;
        };
        let Some(poses) = HeadPoses::from_buffer(buffer) else {
            continue; // this frame was not analysed
        };
        let pts = buffer.pts().map(|pts| pts.nseconds().to_string());
        let pts = pts.as_deref().unwrap_or("null");
        let heads: Vec<_> = poses.heads.iter().map(object).collect();
        writeln!(out, r#"{{"pts":{pts},"heads":[{}]}}"#, heads.join(","))?;
    }
    Ok(())
}

fn object(head: &Head) -> String {
    let (rect, angles) = (head.rect, head.angles);
    format!(
        concat!(
            r#"{{"id":{},"box":{{"x":{:.3},"y":{:.3},"w":{:.3},"h":{:.3}}},"#,
            r#""yaw":{:.3},"pitch":{:.3},"roll":{:.3}}}"#
        ),
        head.id, rect.x, rect.y, rect.w, rect.h, angles.yaw, angles.pitch, angles.roll
    )
}

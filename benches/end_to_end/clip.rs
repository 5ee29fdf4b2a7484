// SPDX-License-Identifier: MPL-2.0
//! The frames for all subjects: a real clip, tiled to get the wanted number of heads.

use std::path::Path;

use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};

/// Raw frames of one format and size.
pub struct Clip {
    pub info: VideoInfo,
    pub frames: Vec<gst::Buffer>,
}

impl Clip {
    /// `count` frames, each with `heads` copies of the clip side by side on grey; two frames from each second of
    /// the clip.
    pub fn new(file: &Path, heads: u32, width: u32, height: u32, count: usize) -> Self {
        Self::at_rate(file, heads, (width, height), count, 2)
    }

    /// The same with this many frames from each second of the clip.
    pub fn at_rate(
        file: &Path,
        heads: u32,
        (width, height): (u32, u32),
        count: usize,
        rate: u32,
    ) -> Self {
        let columns = (1..).find(|n| n * n >= heads).unwrap_or(1);
        let tile = |side: u32| (side / columns) & !1;
        let (tile_width, tile_height) = (tile(width), tile(height));
        let line = format!(
            "filesrc name=file ! decodebin ! videoconvert ! videorate ! videoscale \
             ! video/x-raw,format=I420,framerate={rate}/1,pixel-aspect-ratio=1/1,width={tile_width},height={tile_height} \
             ! appsink name=sink sync=false"
        );
        let tiles = pull(&line, count, |pipeline| {
            let source = pipeline.by_name("file").expect("a source");
            source.set_property("location", file.to_str().expect("a UTF-8 path"));
        });
        let info = VideoInfo::builder(VideoFormat::I420, width, height)
            .fps(gst::Fraction::new(25, 1))
            .build()
            .expect("a frame size");
        let from = VideoInfo::builder(VideoFormat::I420, tile_width, tile_height)
            .build()
            .expect("a tile size");
        let frames = tiles.iter().map(|tile| {
            let mut frame = vec![128u8; info.size()];
            let tile = tile.map_readable().expect("a tile");
            for head in 0..heads {
                let (column, row) = (head % columns, head / columns);
                for plane in 0..3 {
                    let shift = u32::from(plane > 0);
                    let width = (tile_width >> shift) as usize;
                    for y in 0..tile_height >> shift {
                        let source =
                            from.offset()[plane] + y as usize * from.stride()[plane] as usize;
                        let at_y = ((row * tile_height) >> shift) + y;
                        let at = info.offset()[plane]
                            + at_y as usize * info.stride()[plane] as usize
                            + ((column * tile_width) >> shift) as usize;
                        frame[at..at + width].copy_from_slice(&tile[source..source + width]);
                    }
                }
            }
            gst::Buffer::from_mut_slice(frame)
        });
        let frames = frames.collect();
        Self { info, frames }
    }

    /// The same frames in another format.
    pub fn converted(&self, format: VideoFormat) -> Self {
        let info = VideoInfo::builder(format, self.info.width(), self.info.height())
            .fps(self.info.fps())
            .build()
            .expect("a format");
        let line = format!(
            "appsrc name=source format=time ! videoconvert ! {} ! appsink name=sink sync=false",
            info.to_caps().expect("caps")
        );
        let frames = pull(&line, self.frames.len(), |pipeline| {
            let source = pipeline.by_name("source").expect("a source");
            let source = source.downcast::<gst_app::AppSrc>().expect("an appsrc");
            source.set_caps(Some(&self.info.to_caps().expect("caps")));
            for (number, frame) in (0..).zip(&self.frames) {
                let mut frame = frame.copy();
                frame
                    .make_mut()
                    .set_pts(gst::ClockTime::from_mseconds(40 * number));
                source.push_buffer(frame).expect("room for a frame");
            }
            source.end_of_stream().expect("an end");
        });
        Self { info, frames }
    }

    /// All frames in sequence, without padding.
    pub fn bytes(&self) -> Vec<u8> {
        let frames = self.frames.iter();
        frames
            .flat_map(|frame| frame.map_readable().expect("a frame").to_vec())
            .collect()
    }
}

/// The first `count` buffers of a pipeline, repeated if there are fewer.
fn pull(line: &str, count: usize, prepare: impl FnOnce(&gst::Pipeline)) -> Vec<gst::Buffer> {
    let pipeline = gst::parse::launch(line).expect("a pipeline");
    let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
    let sink = pipeline.by_name("sink").expect("a sink");
    let sink = sink.downcast::<gst_app::AppSink>().expect("an appsink");
    prepare(&pipeline);
    pipeline.set_state(gst::State::Playing).expect("to play");
    let buffers: Vec<_> = std::iter::from_fn(|| sink.pull_sample().ok()?.buffer_owned())
        .take(count)
        .collect();
    pipeline.set_state(gst::State::Null).expect("to stop");
    assert!(!buffers.is_empty(), "no frame from: {line}");
    buffers.iter().cycle().take(count).cloned().collect()
}

// SPDX-License-Identifier: MPL-2.0
//! The element with toy models of tests/fixtures, its input frames, and its output.

use std::sync::{Arc, Mutex, mpsc};

use gst::prelude::*;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrame, VideoInfo};
use gstdmheadpose::estimator::Head;
use gstdmheadpose::headposemeta::HeadPoses;

pub use super::init;
use super::{in_repository, onnxruntime_library};

/// A guard against a hang, never a measure: whatever is awaited takes milliseconds.
pub const GUARD: gst::ClockTime = gst::ClockTime::from_seconds(120);

/// All formats that the elements accept; docs/properties.md lists them.
pub fn formats() -> Vec<VideoFormat> {
    let template = make("dmheadpose", "").pad_template("sink").unwrap();
    let structure = template.caps().structure(0).unwrap();
    let formats = structure.get::<gst::List>("format").unwrap();
    let names = formats.iter().map(|name| name.get::<&str>().unwrap());
    names.map(|name| name.parse().unwrap()).collect()
}

/// The path of a tracked model, named without its suffix.
pub fn fixture(name: &str) -> String {
    let path = in_repository(&format!("tests/fixtures/{name}.onnx"));
    assert!(path.is_file(), "{} is missing", path.display());
    path.to_str().unwrap().into()
}

/// An element of this type with these properties.
pub fn make(factory: &str, properties: &str) -> gst::Element {
    init();
    let element = gst::ElementFactory::make(factory).build().unwrap();
    if factory == "dmheadpose" {
        set_runtime(&element);
    }
    set(&element, properties);
    element
}

/// An element with this detector and pose model of tests/fixtures.
pub fn element(detector: &str, pose: &str) -> gst::Element {
    let element = make("dmheadpose", "");
    element.set_property("detector-model", fixture(detector));
    element.set_property("pose-model", fixture(pose));
    element
}

/// Sets properties: `tracking=true overlay=box+axes`.
pub fn set(element: &gst::Element, properties: &str) {
    for property in properties.split_whitespace() {
        let (name, value) = property.split_once('=').expect("name=value");
        element.set_property_from_str(name, value);
    }
}

/// Lets the element use the runtime that the set-up fetched, if it is there.
pub fn set_runtime(element: &gst::Element) {
    if let Some(library) = onnxruntime_library() {
        element.set_property("onnxruntime-library", library.to_str().unwrap());
    }
}

/// The fastest element: two heads in every frame, at (4, 4)-(12, 16) and (18, 8)-(26, 24) of a frame of
/// 32x32, and proportionally in any other.
pub fn quick() -> gst::Element {
    element("rows_nhwc_32x32", "pose_Nx3x32x32")
}

pub fn quick_with(properties: &str) -> gst::Element {
    let element = quick();
    set(&element, properties);
    element
}

/// The bus of an element that is in no pipeline. Messages hold the element, which holds the bus: it is emptied
/// at the end.
pub struct OwnBus(gst::Bus);

impl OwnBus {
    pub fn of(element: &gst::Element) -> Self {
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        Self(bus)
    }
}

impl std::ops::Deref for OwnBus {
    type Target = gst::Bus;

    fn deref(&self) -> &gst::Bus {
        &self.0
    }
}

impl Drop for OwnBus {
    fn drop(&mut self) {
        self.0.set_flushing(true);
    }
}

/// The messages of this kind on the bus that are errors or warnings.
fn reported(bus: &gst::Bus, kind: gst::MessageType) -> Vec<gst::glib::Error> {
    let messages = std::iter::from_fn(|| bus.pop_filtered(&[kind]));
    let error = |message: gst::Message| match message.view() {
        gst::MessageView::Error(error) => error.error(),
        gst::MessageView::Warning(warning) => warning.error(),
        other => panic!("expected an error or a warning, found {other:?}"),
    };
    messages.map(error).collect()
}

pub fn errors(bus: &gst::Bus) -> Vec<gst::glib::Error> {
    reported(bus, gst::MessageType::Error)
}

pub fn warnings(bus: &gst::Bus) -> Vec<gst::glib::Error> {
    reported(bus, gst::MessageType::Warning)
}

pub fn harness(element: &gst::Element, caps: &gst::Caps) -> gst_check::Harness {
    let mut h = gst_check::Harness::with_element(element, Some("sink"), Some("src"));
    h.set_src_caps(caps.clone());
    h
}

pub fn caps(format: VideoFormat, width: u32, height: u32) -> gst::Caps {
    init();
    let info = VideoInfo::builder(format, width, height).fps(gst::Fraction::new(25, 1));
    info.build().unwrap().to_caps().unwrap()
}

/// The caps of a clip of RGB frames of 32x32.
pub fn rgb() -> gst::Caps {
    caps(VideoFormat::Rgb, 32, 32)
}

/// An RGB frame whose pixel at column x, row y is `color(x, y)`, the first of a clip of 25 frames a second.
pub fn picture(width: u32, height: u32, color: impl Fn(u32, u32) -> [u8; 3]) -> gst::Buffer {
    init();
    let info = VideoInfo::builder(VideoFormat::Rgb, width, height).build();
    let info = info.unwrap();
    let buffer = gst::Buffer::with_size(info.size()).unwrap();
    let mut frame = VideoFrame::from_buffer_writable(buffer, &info).unwrap();
    let stride = frame.plane_stride()[0] as usize;
    let rows = frame.plane_data_mut(0).unwrap().chunks_mut(stride);
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            *pixel = color(x as u32, y as u32);
        }
    }
    let mut buffer = frame.into_buffer();
    number(&mut buffer, 0);
    buffer
}

/// The `n`th frame of a clip of 25 frames a second, of one colour.
pub fn plain(width: u32, height: u32, n: u64, color: [u8; 3]) -> gst::Buffer {
    let mut buffer = picture(width, height, |_, _| color);
    number(&mut buffer, n);
    buffer
}

pub fn grey(format: VideoFormat, width: u32, height: u32) -> gst::Buffer {
    init();
    let info = VideoInfo::builder(format, width, height).build().unwrap();
    let mut buffer = gst::Buffer::from_mut_slice(vec![128u8; info.size()]);
    number(&mut buffer, 0);
    buffer
}

/// Makes the buffer the `number`th of a clip of 25 frames a second.
pub fn number(buffer: &mut gst::Buffer, number: u64) {
    let buffer = buffer.make_mut();
    buffer.set_pts(gst::ClockTime::from_mseconds(40 * number));
    buffer.set_duration(gst::ClockTime::from_mseconds(40));
}

/// A buffer without a picture, the `n`th of the clip.
pub fn empty_gap(n: u64) -> gst::Buffer {
    let mut buffer = gst::Buffer::new();
    number(&mut buffer, n);
    buffer.make_mut().set_flags(gst::BufferFlags::GAP);
    buffer
}

/// Pushes the frames and the end of the stream, and returns all output since the last pull.
pub fn push_all(
    h: &mut gst_check::Harness,
    frames: impl IntoIterator<Item = gst::Buffer>,
) -> Vec<gst::Buffer> {
    for frame in frames {
        h.push(frame).unwrap();
    }
    h.push_event(gst::event::Eos::new());
    std::iter::from_fn(|| h.try_pull()).collect()
}

/// Flushes, and begins a segment that starts at 0.
pub fn flush(h: &mut gst_check::Harness) {
    assert!(h.push_event(gst::event::FlushStart::new()));
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(h.push_event(gst::event::Segment::new(&segment)));
}

/// The contents of the meta, which the buffer must carry.
pub fn poses(buffer: &gst::BufferRef) -> HeadPoses {
    HeadPoses::from_buffer(buffer).expect("a buffer with DmHeadPoseMeta")
}

pub fn ids(poses: &HeadPoses) -> Vec<u64> {
    poses.heads.iter().map(|head| head.id).collect()
}

/// Left, top, right and bottom of each head.
pub fn corners(heads: &[Head]) -> Vec<[f32; 4]> {
    let corners = |head: &Head| {
        let rect = head.rect;
        [rect.x, rect.y, rect.right(), rect.bottom()]
    };
    heads.iter().map(corners).collect()
}

pub fn bytes(buffer: &gst::BufferRef) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

pub fn stat(element: &gst::Element, name: &str) -> u64 {
    stat_of(element, name)
}

pub fn stat_of<T>(element: &gst::Element, name: &str) -> T
where
    T: for<'a> gst::glib::value::FromValue<'a>,
{
    let stats = element.property::<gst::Structure>("stats");
    stats.value(name).unwrap().get().unwrap()
}

/// Plays to the end; otherwise panics with the message on the bus.
pub fn run(pipeline: &gst::Pipeline) {
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    wait_for_the_end(&bus);
    pipeline.set_state(gst::State::Null).unwrap();
}

/// Waits for the end of the stream; otherwise panics with the message on the bus.
pub fn wait_for_the_end(bus: &gst::Bus) {
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(GUARD, &ends).expect("the end");
    if let gst::MessageView::Error(error) = message.view() {
        panic!("{}: {:?}", error.error(), error.debug());
    }
}

/// A pipeline as gst-launch-1.0 makes it.
pub fn launch(line: &str) -> gst::Pipeline {
    init();
    gst::parse::launch(line).unwrap().downcast().unwrap()
}

/// A pipeline in which `element` takes the place of the element `here`.
pub fn pipeline(line: &str, element: &gst::Element) -> gst::Pipeline {
    let pipeline = launch(line);
    replace(&pipeline, "here", element);
    pipeline
}

/// Plays a pipeline to its end, with `element` in the place of the element `here`. Returns the buffers that arrive at
/// the element `sink`; afterwards `element` is free for another pipeline.
pub fn play(line: &str, element: &gst::Element) -> Vec<gst::Buffer> {
    let pipeline = pipeline(line, element);
    let buffers = collect(&pipeline, "sink");
    run(&pipeline);
    pipeline.remove(element).unwrap();
    take(&buffers)
}

/// Puts `element` in the place of the one that has this name.
pub fn replace(pipeline: &gst::Pipeline, name: &str, element: &gst::Element) {
    let old = pipeline.by_name(name).unwrap();
    let peer = |pad| old.static_pad(pad).unwrap().peer().unwrap();
    let (from, to) = (peer("sink"), peer("src"));
    pipeline.remove(&old).unwrap();
    pipeline.add(element).unwrap();
    from.link(&element.static_pad("sink").unwrap()).unwrap();
    element.static_pad("src").unwrap().link(&to).unwrap();
}

/// Calls `with` for each buffer that passes `pad` from now on.
pub fn each_buffer(pad: &gst::Pad, with: impl Fn(&mut gst::Buffer) + Send + Sync + 'static) {
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        with(info.buffer_mut().unwrap());
        gst::PadProbeReturn::Ok
    });
}

/// Reports each buffer that arrives at the sink of this name from now on.
pub fn arrivals(pipeline: &gst::Pipeline, sink: &str) -> mpsc::Receiver<()> {
    let (sender, arrivals) = mpsc::channel();
    each_buffer(&pad(pipeline, sink, "sink"), move |_| {
        // The receiver is gone once the test is over.
        let _ = sender.send(());
    });
    arrivals
}

pub fn pad(pipeline: &gst::Pipeline, element: &str, pad: &str) -> gst::Pad {
    pipeline.by_name(element).unwrap().static_pad(pad).unwrap()
}

pub fn take(buffers: &Mutex<Vec<gst::Buffer>>) -> Vec<gst::Buffer> {
    std::mem::take(&mut buffers.lock().unwrap())
}

/// The buffers that arrive at the sink of this name from now on.
pub fn collect(pipeline: &gst::Pipeline, sink: &str) -> Arc<Mutex<Vec<gst::Buffer>>> {
    let buffers = Arc::new(Mutex::new(Vec::new()));
    let into = buffers.clone();
    each_buffer(&pad(pipeline, sink, "sink"), move |buffer| {
        into.lock().unwrap().push(buffer.clone());
    });
    buffers
}

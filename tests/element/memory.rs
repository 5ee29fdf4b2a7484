// SPDX-License-Identifier: MPL-2.0
//! Frames with other owners are never written to, and copied only if there is something to draw;
//! frames of any memory layout are read correctly.

use gst::prelude::*;
use gst_video::{VideoFormat, VideoFrame, VideoFrameFlags, VideoInfo, VideoMeta};
use gstdmheadpose::headposemeta::HeadPoses;

use crate::common::random::Random;
use crate::common::toys::{self, bytes, caps, grey};

/// The overlay with the most to draw.
const EVERYTHING: &str = "box+axes+cube+labels+id+stats";
const FRAMES: usize = 10;
const SOURCE: &str = "video/x-raw,format=I420,width=320,height=240";

/// The output for frames that go both through the element and past it.
struct Branches {
    through: Vec<gst::Buffer>,
    past: Vec<gst::Buffer>,
}

fn tee(overlay: &str) -> Branches {
    let element = toys::quick_with(&format!("overlay={overlay}"));
    let line = format!(
        "videotestsrc num-buffers={FRAMES} ! {SOURCE} ! tee name=tee \
         ! queue ! identity name=here ! fakesink name=through sync=false \
         tee. ! queue ! fakesink name=past sync=false"
    );
    let pipeline = toys::pipeline(&line, &element);
    let ends = ["through", "past"].map(|sink| toys::collect(&pipeline, sink));
    toys::run(&pipeline);
    let [through, past] = ends.map(|end| toys::take(&end));
    assert_eq!((through.len(), past.len()), (FRAMES, FRAMES));
    Branches { through, past }
}

/// The same frames as made by their source.
fn untouched() -> Vec<Vec<u8>> {
    let line =
        format!("videotestsrc num-buffers={FRAMES} ! {SOURCE} ! fakesink name=sink sync=false");
    let pipeline = toys::launch(&line);
    let buffers = toys::collect(&pipeline, "sink");
    toys::run(&pipeline);
    let buffers = toys::take(&buffers).into_iter();
    buffers.map(|buffer| bytes(&buffer)).collect()
}

/// The address of a buffer's only memory: another address means a copy.
fn memory(buffer: &gst::BufferRef) -> *const gst::ffi::GstMemory {
    assert_eq!(buffer.n_memory(), 1);
    buffer.peek_memory(0).as_ptr()
}

#[test]
fn without_overlay_a_tee_shares_every_frame() {
    let Branches { through, past } = tee("");
    let untouched = untouched();
    for ((through, past), untouched) in through.iter().zip(&past).zip(untouched) {
        assert_eq!(memory(through), memory(past), "a copy");
        assert!(bytes(past) == untouched, "pixels were changed");
        assert_eq!(toys::poses(through).heads.len(), 2);
        assert_eq!(HeadPoses::from_buffer(past), None, "on the other branch");
    }
}

#[test]
fn with_overlay_the_other_branch_of_a_tee_is_untouched() {
    let Branches { through, past } = tee(EVERYTHING);
    let untouched = untouched();
    for ((through, past), untouched) in through.iter().zip(&past).zip(untouched) {
        assert!(bytes(past) == untouched, "pixels were changed");
        assert!(bytes(through) != untouched, "nothing was drawn");
        assert_eq!(HeadPoses::from_buffer(past), None, "on the other branch");
    }
}

#[test]
fn an_unshared_frame_is_drawn_on_in_place() {
    let element = toys::quick();
    let mut h = toys::harness(&element, &caps(VideoFormat::I420, 320, 240));
    for overlay in ["", EVERYTHING] {
        element.set_property_from_str("overlay", overlay);
        let buffer = grey(VideoFormat::I420, 320, 240);
        let (place, before) = (memory(&buffer), bytes(&buffer));
        let out = h.push_and_pull(buffer).unwrap();
        assert_eq!(memory(&out), place, "a copy with overlay {overlay:?}");
        assert_eq!(bytes(&out) != before, !overlay.is_empty());
    }
}

#[test]
fn shared_frames_are_not_drawn_on() {
    let element = toys::quick();
    let mut h = toys::harness(&element, &caps(VideoFormat::I420, 320, 240));
    let before = vec![90u8; 320 * 240 * 3 / 2];
    let read_only = || gst::Buffer::from_slice(before.clone());
    let writable = || gst::Buffer::from_mut_slice(before.clone());
    for overlay in ["", EVERYTHING] {
        element.set_property_from_str("overlay", overlay);
        let mut push = |buffer: gst::Buffer| {
            let place = memory(&buffer);
            let out = h.push_and_pull(buffer).unwrap();
            assert_eq!(toys::poses(&out).heads.len(), 2);
            let is_copy = memory(&out) != place;
            assert_eq!(is_copy, !overlay.is_empty(), "copied only to draw");
            assert_eq!(bytes(&out) == before, overlay.is_empty());
        };
        push(read_only());
        for buffer in [read_only(), writable()] {
            push(buffer.clone());
            assert!(bytes(&buffer) == before, "the kept buffer was changed");
            assert_eq!(HeadPoses::from_buffer(&buffer), None);
        }
        // Another buffer with the same memory.
        let kept = writable();
        push(kept.copy());
        assert!(bytes(&kept) == before, "the kept memory was changed");
    }
}

/// A frame of noise, so that no two rows or columns are alike.
fn noise(info: &VideoInfo) -> gst::Buffer {
    gst::Buffer::from_mut_slice(Random::new(1).bytes(info.size()))
}

/// The same picture with more bytes per row, rows between the planes and data before the first pixel; its
/// planes are in separate memories if `split`.
fn padded(tight: &gst::Buffer, info: &VideoInfo, split: bool) -> gst::Buffer {
    let (mut offsets, mut strides, mut end) = (Vec::new(), Vec::new(), 0);
    for (plane, stride) in info.stride().iter().enumerate() {
        let next = info.offset().get(plane + 1).copied();
        let rows = (next.unwrap_or(info.size()) - info.offset()[plane]) / *stride as usize;
        let stride = stride + 36;
        offsets.push(end + 52);
        strides.push(stride);
        end += 52 + stride as usize * (rows + 2);
    }
    let builder = VideoInfo::builder(info.format(), info.width(), info.height());
    let layout = builder.offset(&offsets).stride(&strides).build().unwrap();
    let buffer = gst::Buffer::from_mut_slice(vec![0xaa_u8; end]);
    let mut frame = VideoFrame::from_buffer_writable(buffer, &layout).unwrap();
    let source = VideoFrame::from_buffer_readable(tight.clone(), info).unwrap();
    source.copy(&mut frame).unwrap();
    let mut buffer = frame.into_buffer();
    if split {
        let whole = bytes(&buffer);
        buffer = gst::Buffer::new();
        let starts = offsets.iter().map(|offset| offset - 52);
        let ends = starts.clone().skip(1).chain([end]);
        for (start, end) in starts.zip(ends) {
            let memory = gst::Memory::from_mut_slice(whole[start..end].to_vec());
            buffer.get_mut().unwrap().append_memory(memory);
        }
    }
    VideoMeta::add_full(
        buffer.get_mut().unwrap(),
        VideoFrameFlags::empty(),
        info.format(),
        info.width(),
        info.height(),
        &offsets,
        &strides,
    )
    .unwrap();
    buffer
}

#[test]
fn the_layout_in_memory_makes_no_difference() {
    toys::init();
    use VideoFormat as F;
    let planar = [F::I420, F::Yv12, F::Nv12, F::Y42b, F::Gray8];
    for format in planar.into_iter().chain([F::Yuy2, F::Rgb, F::Bgrx]) {
        for (width, height) in [(333, 101), (17, 13), (2, 2), (1, 1)] {
            let info = VideoInfo::builder(format, width, height).build().unwrap();
            let element = toys::quick();
            let mut h = toys::harness(&element, &caps(format, width, height));
            let tight = noise(&info);
            let mut heads = |buffer| toys::poses(&h.push_and_pull(buffer).unwrap()).heads;
            let expected = heads(tight.copy_deep().unwrap());
            for split in [false, true] {
                let found = heads(padded(&tight, &info, split));
                assert_eq!(found, expected, "{format} {width}x{height}, split: {split}");
            }
            assert!(width < 17 || expected.len() == 2, "{format}: {expected:?}");
        }
    }
}

#[test]
fn a_buffer_too_small_for_its_caps_is_an_error() {
    let element = toys::quick();
    let bus = toys::OwnBus::of(&element);
    let mut h = toys::harness(&element, &caps(VideoFormat::I420, 320, 240));
    let result = h.push(gst::Buffer::from_mut_slice(vec![0u8; 1000]));
    assert_eq!(result, Err(gst::FlowError::Error));
    let errors = toys::errors(&bus);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].message().contains("I420 320x240"), "{errors:?}");
    // The next one is fine.
    h.push(grey(VideoFormat::I420, 320, 240)).unwrap();
}

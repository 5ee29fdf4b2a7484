// SPDX-License-Identifier: MPL-2.0
//! Buffers whose `GstVideoMeta` places the planes anywhere, and whose memory ends right before a guard
//! page: through the element with overlay and hidden heads, in the streaming thread and in a
//! worker, and through the overlay alone.

use std::ops::Range;
use std::ptr;
use std::slice;

use gst::glib::translate::IntoGlib;
use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::headposemeta::{HeadPoses, Source};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use crate::common::poses;
use crate::common::random::Random;
use crate::common::toys;
use crate::{for_each, numbers};

const PAGE: usize = 4096;

/// Memory between two guard pages. It ends right before the second.
struct Guarded {
    start: *mut u8,
    pages: usize,
    len: usize,
}

// SAFETY: this memory has no other owner.
unsafe impl Send for Guarded {}

impl Guarded {
    fn new(bytes: &[u8]) -> Self {
        let pages = bytes.len().div_ceil(PAGE);
        let (all, usable) = ((pages + 2) * PAGE, ProtFlags::READ | ProtFlags::WRITE);
        // SAFETY: new memory, of which we never touch the first and the last page.
        let start = unsafe {
            let start = mmap_anonymous(ptr::null_mut(), all, usable, MapFlags::PRIVATE).unwrap();
            let last = start.byte_add((pages + 1) * PAGE);
            mprotect(start, PAGE, MprotectFlags::empty()).unwrap();
            mprotect(last, PAGE, MprotectFlags::empty()).unwrap();
            start.cast()
        };
        let mut this = Self {
            start,
            pages,
            len: bytes.len(),
        };
        this.as_mut().copy_from_slice(bytes);
        this
    }

    fn offset(&self) -> usize {
        (self.pages + 1) * PAGE - self.len
    }
}

impl AsMut<[u8]> for Guarded {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: between the guard pages.
        unsafe { slice::from_raw_parts_mut(self.start.add(self.offset()), self.len) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: all of it is ours and no longer in use.
        unsafe { munmap(self.start.cast(), (self.pages + 2) * PAGE).unwrap() };
    }
}

#[derive(Clone, Debug)]
struct Layout {
    format: VideoFormat,
    width: u32,
    height: u32,
    n_planes: u32,
    offset: [usize; 4],
    stride: [i32; 4],
    /// Bytes of each piece of memory.
    memories: Vec<usize>,
}

/// Bytes per row of a plane, and its number of rows.
fn extent(info: &VideoInfo, plane: u32) -> (usize, usize) {
    let format = info.format_info();
    let components = (0..format.n_components() as usize).filter(|&c| format.plane()[c] == plane);
    let extents = components.map(|c| {
        let row = info.comp_width(c as u8) as usize * format.pixel_stride()[c] as usize;
        (row, info.comp_height(c as u8) as usize)
    });
    extents.max().unwrap()
}

impl Layout {
    /// A valid one with some bytes between rows and between planes.
    fn sound(info: &VideoInfo, random: &mut Random) -> Self {
        let (mut offset, mut stride) = ([0; 4], [0; 4]);
        let (mut memories, mut end) = (Vec::new(), 0);
        let each_its_own = random.once_in(2);
        for plane in 0..info.n_planes() {
            let (row, rows) = extent(info, plane);
            let padded = row + random.pick(&[0, 0, 0, 1, 2, 3, 4, 7, 60]);
            let start = random.pick(&[0, 0, 0, 1, 2, 3, 4, 13]);
            offset[plane as usize] = end + start;
            stride[plane as usize] = padded as i32;
            let len = start + padded * (rows - 1) + row;
            end += len;
            match memories.last_mut() {
                Some(last) if !each_its_own => *last += len,
                _ => memories.push(len),
            }
        }
        Self::new(info, offset, stride, memories)
    }

    fn new(info: &VideoInfo, offset: [usize; 4], stride: [i32; 4], memories: Vec<usize>) -> Self {
        Self {
            format: info.format(),
            width: info.width(),
            height: info.height(),
            n_planes: info.n_planes(),
            offset,
            stride,
            memories,
        }
    }

    fn spoil(&mut self, random: &mut Random) {
        let plane = random.below(self.n_planes as usize);
        let stride = self.stride[plane];
        let size: usize = self.memories.iter().sum();
        #[rustfmt::skip]
        let (strides, offsets) = (
            [0, 1, -1, -stride, stride - 1, 2 * stride, 100_000, i32::MAX, i32::MIN],
            [1, 100, size / 2, size - 1, size, size + 1, 1 << 31, 1 << 32, usize::MAX],
        );
        match random.below(8) {
            0 | 1 => self.stride[plane] = random.pick(&strides),
            2 | 3 => self.offset[plane] = random.pick(&offsets),
            4 | 5 => {
                let memory = random.below(self.memories.len());
                let less = random.pick(&[1, 1, 2, 16, usize::MAX]);
                self.memories[memory] = self.memories[memory].saturating_sub(less).max(1);
            }
            6 => self.format = random.pick(&toys::formats()),
            _ => match random.below(4) {
                0 => self.width = random.pick(&[0, 1, u32::MAX]),
                1 => self.height = random.pick(&[0, 1, u32::MAX]),
                _ => self.n_planes = random.below(5) as u32,
            },
        }
    }

    /// A buffer with this layout, filled by `bytes`.
    fn buffer(&self, mut bytes: impl FnMut() -> u8) -> gst::Buffer {
        let mut buffer = gst::Buffer::new();
        let b = buffer.make_mut();
        for &len in &self.memories {
            let bytes: Vec<u8> = (0..len).map(|_| bytes()).collect();
            b.append_memory(gst::Memory::from_mut_slice(Guarded::new(&bytes)));
        }
        // SAFETY: the buffer is writable, and the meta is ours to fill; GStreamer reads numbers from it.
        unsafe {
            let meta = gst_video::ffi::gst_buffer_add_video_meta(
                b.as_mut_ptr(),
                0,
                gst_video::ffi::GST_VIDEO_FORMAT_GRAY8,
                1,
                1,
            );
            (*meta).format = self.format.into_glib();
            ((*meta).width, (*meta).height) = (self.width, self.height);
            (*meta).n_planes = self.n_planes;
            ((*meta).offset, (*meta).stride) = (self.offset, self.stride);
        }
        toys::number(&mut buffer, 0);
        buffer
    }

    /// The visible bytes of each row of each plane.
    fn rows(&self, info: &VideoInfo) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for plane in 0..info.n_planes() {
            let (row, rows) = extent(info, plane);
            let (offset, stride) = (self.offset[plane as usize], self.stride[plane as usize]);
            let starts = (0..rows).map(|y| offset + y * stride as usize);
            ranges.extend(starts.map(|start| start..start + row));
        }
        ranges
    }

    /// The visible bytes of a buffer with this layout, row by row, and all others.
    fn visible(&self, info: &VideoInfo, buffer: &gst::BufferRef) -> (Vec<u8>, Vec<u8>) {
        let all = toys::bytes(buffer);
        let (mut seen, mut is_seen) = (Vec::new(), vec![false; all.len()]);
        for row in self.rows(info) {
            seen.extend_from_slice(&all[row.clone()]);
            is_seen[row].fill(true);
        }
        let other = all.iter().zip(is_seen).filter(|(_, seen)| !seen);
        (seen, other.map(|(byte, _)| *byte).collect())
    }
}

/// The usual layout with these visible bytes.
fn tight(info: &VideoInfo, visible: &[u8]) -> gst::Buffer {
    let mut bytes = vec![0; info.size()];
    let mut rest = visible;
    for row in tight_layout(info).rows(info) {
        let (head, tail) = rest.split_at(row.len());
        bytes[row].copy_from_slice(head);
        rest = tail;
    }
    let mut buffer = gst::Buffer::from_mut_slice(bytes);
    toys::number(&mut buffer, 0);
    buffer
}

fn tight_layout(info: &VideoInfo) -> Layout {
    let (mut offset, mut stride) = ([0; 4], [0; 4]);
    let n = info.n_planes() as usize;
    offset[..n].copy_from_slice(info.offset());
    stride[..n].copy_from_slice(info.stride());
    Layout::new(info, offset, stride, vec![info.size()])
}

/// The subject that infers in a worker: what comes out does not belong to a particular frame,
/// whether it is a result or an error.
const DETACHED: usize = 1;

/// An element that draws and hides, in a harness.
struct Subject {
    harness: gst_check::Harness,
    element: gst::Element,
    bus: toys::OwnBus,
    /// It takes poses from the meta.
    reads: bool,
}

impl Subject {
    fn new(element: gst::Element, reads: bool) -> Self {
        let bus = toys::OwnBus::of(&element);
        element.set_property_from_str("overlay", "box+axes+cube+labels+id");
        let mut harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        harness.play();
        Self {
            harness,
            element,
            bus,
            reads,
        }
    }

    fn all() -> [Self; 3] {
        let overlay = toys::make("dmheadposeoverlay", "");
        [
            Self::new(toys::quick(), false),
            Self::new(toys::quick_with("async=true"), false),
            Self::new(overlay, true),
        ]
    }

    /// The outcome for a buffer: what comes out, if anything does yet, or the message on the bus.
    fn pass(
        &mut self,
        mut buffer: gst::Buffer,
        size: (u32, u32),
    ) -> Result<Option<gst::Buffer>, String> {
        if self.reads {
            two_heads(size).attach(buffer.make_mut()).unwrap();
        }
        let pushed = self.harness.push(buffer);
        let error = self.bus.pop_filtered(&[gst::MessageType::Error]);
        while self.bus.pop().is_some() {}
        match pushed {
            Ok(_) => Ok(self.harness.try_pull()),
            Err(gst::FlowError::Error) => {
                let error = error.expect("an error on the bus");
                Err(format!("{:?}", error.structure()))
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn drawn(&mut self, buffer: gst::Buffer, size: (u32, u32), layout: &Layout) -> gst::Buffer {
        match self.pass(buffer, size) {
            Ok(Some(buffer)) => buffer,
            other => panic!("{other:?}: {layout:?}"),
        }
    }
}

/// Two heads, in the middle and over the border.
fn two_heads((width, height): (u32, u32)) -> HeadPoses {
    let (w, h) = (width as f32, height as f32);
    let angles = Angles::new(30.0, 10.0, -5.0);
    let head = |x, y| poses::head(3, Rect::new(x, y, w * 0.4, h * 0.4), angles);
    HeadPoses {
        width,
        height,
        source: Source::Inferred,
        age: Some(gst::ClockTime::ZERO),
        inference_time: Some(gst::ClockTime::ZERO),
        heads: vec![head(w * 0.3, h * 0.2), head(w * 0.8, h * 0.7)],
    }
}

fn try_one(subjects: &mut [Subject; 3], random: &mut Random, spoil: bool) {
    let size = (1 + random.below(70) as u32, 1 + random.below(50) as u32);
    let info = VideoInfo::builder(random.pick(&toys::formats()), size.0, size.1);
    let info = info.build().unwrap();
    let mut layout = Layout::sound(&info, random);
    if spoil {
        layout.spoil(random);
    }
    let which = random.below(subjects.len());
    let subject = &mut subjects[which];
    let hides = random.pick(&["none", "pixelate", "fill"]);
    subject.element.set_property_from_str("blur-heads", hides);
    let caps = toys::caps(info.format(), size.0, size.1);
    subject.harness.set_src_caps(caps);

    let buffer = layout.buffer(|| random.next() as u8);
    if spoil || which == DETACHED {
        // An error or not.
        let _ = subject.pass(buffer, size);
        return;
    }
    let (before, around) = layout.visible(&info, &buffer);
    let drawn = subject.drawn(buffer, size, &layout);
    let heads = toys::poses(&drawn).heads;
    let (drawn, still_around) = layout.visible(&info, &drawn);
    assert!(around == still_around, "other bytes changed: {layout:?}");
    let usual = subject.drawn(tight(&info, &before), size, &layout);
    assert_eq!(heads, toys::poses(&usual).heads, "{layout:?}");
    let (usual, _) = tight_layout(&info).visible(&info, &usual);
    assert!(drawn == usual, "drawn differently: {layout:?}");
}

#[test]
fn frames_of_any_layout() {
    toys::init();
    let mut subjects = Subject::all();
    for_each("layouts", numbers(1500), |_, random| {
        let spoil = random.once_in(2);
        try_one(&mut subjects, random, spoil);
    });
}

/// As `frames_of_any_layout`, for layouts that once broke the element.
#[test]
fn planes_that_are_not_in_the_memory_are_an_error() {
    toys::init();
    let mut subjects = Subject::all();
    let spoils: [fn(&mut Layout); 8] = [
        |layout| layout.stride[0] = 100_000,
        |layout| layout.stride[0] = -64,
        |layout| layout.stride[0] = 0,
        |layout| layout.offset[0] = 64 * 48 - 1,
        |layout| layout.offset[0] = 1 << 40,
        |layout| layout.memories[0] -= 1,
        |layout| layout.format = VideoFormat::Nv12,
        |layout| layout.height = 47,
    ];
    for format in [VideoFormat::Bgrx, VideoFormat::I420, VideoFormat::Gray8] {
        let info = VideoInfo::builder(format, 64, 48).build().unwrap();
        for (index, spoil) in spoils.iter().enumerate() {
            let mut layout = tight_layout(&info);
            spoil(&mut layout);
            for (which, subject) in subjects.iter_mut().enumerate() {
                subject.element.set_property_from_str("blur-heads", "fill");
                subject.harness.set_src_caps(toys::caps(format, 64, 48));
                let out = subject.pass(layout.buffer(|| 128), (64, 48));
                let is_refused = out.is_err() || which == DETACHED;
                assert!(is_refused, "{format} {index} {which}");
            }
        }
    }
}

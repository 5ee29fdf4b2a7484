// SPDX-License-Identifier: MPL-2.0
//! Heap allocations of the estimator: they are counted, not timed. After the first frames only ort makes some, a few per
//! run, for names, shapes and values. ONNX Runtime's own allocations inside a run, in C++, are not counted here.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use gstdmheadpose::estimator::detector::DetectorSettings;
use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::{Colorimetry, FrameView, PixelFormat, Plane};
use gstdmheadpose::estimator::track::one_euro::Smoothing;
use gstdmheadpose::estimator::{HeadPoseEstimator, Settings};

use crate::common;

/// What ort allocates for the runs of one frame: some 20 for YuNet with its 12 outputs, 10 for a pose network.
const OF_RUNS: u64 = 64;

/// The system's allocator, which counts for each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // The thread may be ending; then there is no counter.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is delegated to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn settings(tracking: bool) -> Settings {
    Settings {
        detector: DetectorSettings {
            // Enough boxes that sorting them could need memory. The tracked heads have to stay: otherwise
            // there would always be new ones.
            score_threshold: Some(if tracking { 0.3 } else { 0.001 }),
            ..DetectorSettings::DEFAULT
        },
        max_heads: 4,
        tracking: tracking.then_some(Duration::from_secs(1)),
        detection_interval: if tracking { 3 } else { 1 },
        detection_adaptive: tracking,
        smoothing: tracking.then(Smoothing::default),
        ..Settings::DEFAULT
    }
}

/// Frames of a picture that moves by one pixel per frame; returns the heads, and the allocations of each frame.
fn run(estimator: &mut HeadPoseEstimator, settings: &Settings, frames: u64) -> (usize, Vec<u64>) {
    let file = common::fetched(".setup/pictures/multi_face.png");
    let (info, pixels) = common::decode_picture(&file, "BGR");
    let stride = info.stride()[0] as usize;
    let size = Size::new(info.width() - 16, info.height());
    let mut heads = 0;
    let counts = (0..frames).map(|n| {
        let shift = 3 * (n % 16) as usize;
        let plane = Plane::new(&pixels[shift..], stride);
        let view = FrameView::new(PixelFormat::Bgr, size, Colorimetry::BT601, &[plane]).unwrap();
        let time = Some(Duration::from_millis(40 * n));
        let before = COUNT.get();
        heads += estimator.process(&view, time, settings).unwrap().len();
        COUNT.get() - before
    });
    let counts = counts.collect();
    (heads, counts)
}

#[test]
fn after_the_first_frames_only_runs_allocate() {
    common::init();
    let yunet = common::fetched("models/face_detection_yunet_2023mar_dynamic.onnx");
    let whenet = common::fetched("models/whenet_Nx3x224x224_prepost.onnx");
    let centerface = common::fetched("models/centerface_dynamic.onnx");
    let rows = common::in_repository("tests/fixtures/rows_nhwc_32x32.onnx");
    let toy = common::in_repository("tests/fixtures/pose_Nx3x224x224.onnx");
    for (detector, pose, rear, tracking) in [
        (&yunet, &toy, None, false),
        (&yunet, &toy, None, true),
        (&centerface, &toy, None, false),
        (&rows, &whenet, Some(whenet.as_path()), true),
    ] {
        let mut estimator = common::load(detector, pose, rear);
        let settings = settings(tracking);
        run(&mut estimator, &settings, 16);
        let (heads, counts) = run(&mut estimator, &settings, 32);
        let name = detector.file_name().unwrap();
        assert!(heads >= 32, "{name:?}: {heads} heads");
        let few = counts.iter().all(|&count| count <= OF_RUNS);
        assert!(few, "{name:?}, tracking {tracking}: {counts:?}");
    }
}

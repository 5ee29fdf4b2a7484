// SPDX-License-Identifier: MPL-2.0
//! Sample poses for tests, and pad probes that attach them to the buffers of a real pipeline.

use std::sync::atomic::{AtomicUsize, Ordering};

use gstdmheadpose::estimator::Head;
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::headposemeta::{HeadPoses, Source};

use super::toys;

pub fn head(id: u64, rect: Rect, angles: Angles) -> Head {
    Head {
        id,
        rect,
        score: 0.75,
        angles,
        rear: angles.is_rear(),
        truncated: false,
        seam: false,
        predicted: false,
        uncertainty: None,
    }
}

/// Two heads, one seen from behind, in a frame of 320x240.
pub fn sample() -> HeadPoses {
    let (first, second) = (
        Angles::new(20.0, -10.0, 5.0),
        Angles::new(-150.0, 4.0, -8.5),
    );
    let first = head(1, Rect::new(40.0, 60.0, 80.0, 100.0), first);
    let second = head(0, Rect::new(200.0, 20.0, 60.0, 72.0), second);
    HeadPoses {
        width: 320,
        height: 240,
        source: Source::Inferred,
        age: Some(gst::ClockTime::ZERO),
        inference_time: Some(gst::ClockTime::from_mseconds(12)),
        heads: vec![
            Head {
                uncertainty: Some(4.5),
                ..first
            },
            second,
        ],
    }
}

/// Puts on each buffer that leaves `pad` what `poses` gives for its number.
pub fn attach_on(
    pad: &gst::Pad,
    poses: impl Fn(usize) -> Option<HeadPoses> + Send + Sync + 'static,
) {
    let count = AtomicUsize::new(0);
    toys::each_buffer(pad, move |buffer| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        if let Some(poses) = poses(number) {
            poses.attach(buffer.make_mut()).unwrap();
        }
    });
}

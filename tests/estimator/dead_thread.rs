// SPDX-License-Identifier: MPL-2.0
//! A worker that panics, one of several: no thread waits for it forever, finished frames come out in
//! order, and the next frame is refused.

use std::time::Duration;

use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::{Colorimetry, FrameView, PixelFormat, Plane};
use gstdmheadpose::estimator::workers::{Frame, Workers};
use gstdmheadpose::estimator::{Config, HeadPoseEstimator, Settings};

use crate::common;

const SIDE: u32 = 32;

struct Numbered {
    number: usize,
    /// Panics in the threads of the workers, not in that of the test.
    is_deadly: bool,
    pixels: Vec<u8>,
}

impl Frame for Numbered {
    fn view(&self) -> Result<FrameView<'_>, Error> {
        let name = std::thread::current().name().map(str::to_owned);
        assert!(
            !self.is_deadly || name.as_deref() != Some("dmheadpose"),
            "as the test wants it"
        );
        let plane = Plane {
            bytes: &self.pixels,
            stride: 3 * SIDE as usize,
        };
        let size = Size {
            width: SIDE,
            height: SIDE,
        };
        FrameView::new(PixelFormat::Rgb, size, Colorimetry::BT601, &[plane])
    }
}

#[test]
fn a_thread_that_panics_holds_up_nobody() {
    common::init();
    let fixture = |name: &str| common::in_repository("tests/fixtures").join(name);
    let detector = Some(fixture("rows_nhwc_32x32.onnx"));
    let config = Config::new(
        common::runtime_options(),
        detector,
        fixture("pose_Nx3x32x32.onnx"),
    );
    for (depth, deadly) in [(1, 3), (2, 0), (2, 5), (3, 4), (5, 0), (5, 7)] {
        let config = config.for_depth(depth);
        let estimator = Box::new(HeadPoseEstimator::load(&config).unwrap());
        let mut workers = Workers::new(estimator, &config, depth)
            .map_err(|(_, error)| error)
            .unwrap();
        let (mut done, mut lost, mut refused) = (Vec::new(), 0, 0);
        let frame = |number| Numbered {
            number,
            is_deadly: number == deadly,
            pixels: vec![90; 3 * (SIDE * SIDE) as usize],
        };
        for number in 0..12 {
            let time = Some(Duration::from_millis(40 * number as u64));
            let submitted = workers.submit(frame(number), time, &Settings::DEFAULT);
            refused += usize::from(submitted.is_err());
            while workers.in_flight() == depth || number == 11 && workers.in_flight() > 0 {
                match workers.collect(None) {
                    Some((frame, found)) => {
                        found.unwrap();
                        done.push(frame.number);
                    }
                    None => lost += 1,
                }
            }
        }
        let case = format!("depth {depth}, frame {deadly}: {done:?}, {lost}, {refused}");
        assert!(done.is_sorted() && !done.contains(&deadly), "{case}");
        assert!(done.len() >= deadly.saturating_sub(depth), "{case}");
        assert!((1..=depth).contains(&lost), "{case}");
        assert_eq!(done.len() + lost + refused, 12, "{case}");
        let next = workers.submit(frame(12), None, &Settings::DEFAULT);
        assert!(next.is_err(), "{case}");
    }
}

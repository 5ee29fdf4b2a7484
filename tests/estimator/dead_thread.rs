// SPDX-License-Identifier: MPL-2.0
//! A worker that panics, one of several: no thread waits for it forever, finished frames come out in
//! order, and the next frame is refused.

use std::time::Duration;

use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::{FrameView, PixelFormat};
use gstdmheadpose::estimator::workers::{Frame, Workers};
use gstdmheadpose::estimator::{Config, HeadPoseEstimator, Settings};

use crate::common;
use crate::common::toys::fixture;

const SIZE: Size = Size::new(32, 32);

struct Numbered {
    number: usize,
    /// Panics in the threads of the workers, not in that of the test.
    is_deadly: bool,
    pixels: Vec<u8>,
}

impl Frame for Numbered {
    fn view(&self) -> Result<FrameView<'_>, Error> {
        let name = std::thread::current().name().map(str::to_owned);
        let is_worker = name.as_deref() == Some("dmheadpose");
        assert!(!self.is_deadly || !is_worker, "the panic of this test");
        Ok(common::view(PixelFormat::Rgb, &self.pixels, SIZE))
    }
}

#[test]
fn a_worker_that_panics_blocks_no_other_thread() {
    common::init();
    let [detector, pose] = ["rows_nhwc_32x32", "pose_Nx3x32x32"].map(|name| fixture(name).into());
    let config = Config::new(common::runtime_options(), Some(detector), pose);
    for (depth, deadly) in [(1, 3), (2, 0), (2, 5), (3, 4), (5, 0), (5, 7)] {
        let config = config.for_depth(depth);
        let estimator = Box::new(HeadPoseEstimator::load(&config).unwrap());
        let workers = Workers::new(estimator, &config, depth, false);
        let mut workers = workers.map_err(|(_, error)| error).unwrap();
        let (mut done, mut lost, mut refused) = (Vec::new(), 0, 0);
        let frame = |number| Numbered {
            number,
            is_deadly: number == deadly,
            pixels: vec![90; 3 * 32 * 32],
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

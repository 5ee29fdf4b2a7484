// SPDX-License-Identifier: MPL-2.0
//! The estimator on one frame, with the pixels in its pose network's input.

use std::path::Path;

use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::{CropMode, Size};
use gstdmheadpose::estimator::image::frame::{FrameView, PixelFormat};
use gstdmheadpose::estimator::image::preprocess;
use gstdmheadpose::estimator::image::resize::{PixelRect, Resizer};
use gstdmheadpose::estimator::image::tensor::{ChannelOrder, PixelEncoding};
use gstdmheadpose::estimator::{Head, HeadPoseEstimator, Settings};

use crate::changes::turn;
use crate::common::{decode_picture, init, view};

/// The element's defaults.
pub const SETTINGS: Settings = Settings {
    min_head_size: 1,
    ..Settings::DEFAULT
};

/// A picture, decoded.
pub struct Picture {
    pub size: Size,
    /// Tightly packed rows.
    pub bgr: Vec<u8>,
}

impl Picture {
    pub fn open(path: &Path) -> Self {
        init();
        let (info, bgr) = decode_picture(path, "BGR");
        let (width, height) = (info.width(), info.height());
        let size = Size::new(width, height);
        Self { size, bgr }
    }

    pub fn view(&self) -> FrameView<'_> {
        view(PixelFormat::Bgr, &self.bgr, self.size)
    }
}

/// A head and the input of its pose.
pub struct Found {
    pub head: Head,
    /// The part of the frame in the pose network's input.
    pub crop: PixelRect,
    /// That part as the network's input: rows of R, G, B.
    pub pixels: Vec<u8>,
}

/// Yaw, pitch and roll are the expected ones up to `most` degrees. Returns the largest difference.
pub fn check_angles(found: Angles, expected: Angles, most: f32, what: &str) -> f32 {
    let (a, b) = (found, expected);
    let off = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll].map(turn);
    let off = off.into_iter().fold(0.0, f32::max);
    assert!(off <= most, "{what}: {found:?}, expected {expected:?}");
    off
}

impl Found {
    pub fn corners(&self) -> [f32; 4] {
        let rect = self.head.rect;
        [rect.x, rect.y, rect.right(), rect.bottom()]
    }

    pub fn crop_corners(&self) -> [u32; 4] {
        let PixelRect { x, y, .. } = self.crop;
        [x, y, x + self.crop.width, y + self.crop.height]
    }

    pub fn mean_rgb(&self) -> [f64; 3] {
        let pixels = self.pixels.as_chunks::<3>().0;
        [0, 1, 2].map(|c| {
            let sum: u64 = pixels.iter().map(|pixel| u64::from(pixel[c])).sum();
            sum as f64 / pixels.len() as f64
        })
    }
}

/// Estimates, and determines the network's crops: crops cut again from the frame must equal those that
/// the network got.
pub fn estimate(
    estimator: &mut HeadPoseEstimator,
    frame: &FrameView<'_>,
    settings: &Settings,
) -> Vec<Found> {
    let heads = estimator.process(frame, None, settings).unwrap().to_vec();
    let size = estimator.pose().first().input_size();
    assert!(
        estimator.pose().first().crop_image(heads.len()).is_none(),
        "more crops than heads"
    );
    let found = heads.into_iter().enumerate().map(|(index, head)| {
        let mode = settings.crop_mode.unwrap_or(CropMode::Upstream);
        let crop = crop_of(&head, frame.size(), mode);
        let image = estimator.pose().first().crop_image(index).unwrap();
        let pixels = cut(frame, crop, size);
        assert_eq!(interleaved(image), pixels, "the network got another crop");
        Found { head, crop, pixels }
    });
    found.collect()
}

fn crop_of(head: &Head, frame: Size, mode: CropMode) -> PixelRect {
    let rect = head.rect.with_margins(mode, frame);
    let (x, y) = (rect.x as u32, rect.y as u32);
    PixelRect::new(x, y, rect.right() as u32 - x, rect.bottom() as u32 - y)
}

/// `part` of the frame, stretched to `size`: rows of R, G, B.
pub fn cut(frame: &FrameView<'_>, part: PixelRect, size: Size) -> Vec<u8> {
    let mut image = vec![0.0; 3 * size.width as usize * size.height as usize];
    let encoding = PixelEncoding::levels(ChannelOrder::Rgb);
    let mut resizer = Resizer::default();
    let part = std::iter::once(part);
    preprocess::encode_crops(&mut resizer, frame, part, size, &encoding, &mut image);
    interleaved(&image)
}

/// `[3, H, W]` to rows of R, G, B.
fn interleaved(image: &[f32]) -> Vec<u8> {
    let n = image.len() / 3;
    let pixel = |i: usize| [image[i], image[n + i], image[2 * n + i]];
    (0..n).flat_map(pixel).map(|level| level as u8).collect()
}

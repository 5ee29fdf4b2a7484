// SPDX-License-Identifier: MPL-2.0
//! Frame to network input: a part of the frame, resized, becomes one image of a float32 tensor; and the way back from
//! tensor pixels to frame pixels.

use super::frame::FrameView;
use super::resize::{Job, PixelRect, Resizer};
use super::tensor::{PixelEncoding, Rows};
use crate::estimator::geometry::{Rect, Size};

/// Where a frame lies in a network's input: at the top left, `content` pixels of `input`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    pub input: Size,
    pub content: Size,
    pub frame: Size,
}

impl Placement {
    /// The frame fills the input; its aspect ratio is not kept.
    pub fn stretch(frame: Size, input: Size) -> Self {
        Self {
            input,
            content: input,
            frame,
        }
    }

    /// The frame keeps its aspect ratio; what is left on the right or below is padding.
    pub fn letterbox(frame: Size, input: Size) -> Self {
        let scale = f64::min(
            f64::from(input.width) / f64::from(frame.width),
            f64::from(input.height) / f64::from(frame.height),
        );
        let fit = |len: u32, limit: u32| ((f64::from(len) * scale).round() as u32).clamp(1, limit);
        Self {
            input,
            content: Size::new(
                fit(frame.width, input.width),
                fit(frame.height, input.height),
            ),
            frame,
        }
    }

    /// A box in input pixels as a box in frame pixels. It may reach beyond the frame.
    pub fn to_frame(&self, rect: Rect) -> Rect {
        let x = self.frame.width as f32 / self.content.width as f32;
        let y = self.frame.height as f32 / self.content.height as f32;
        Rect::new(rect.x * x, rect.y * y, rect.w * x, rect.h * y)
    }
}

/// Writes the whole frame into `image` (`3 * H * W` values) as `placement` says. Padding is left as it is:
/// [`PixelEncoding::fill`] it once.
pub fn encode_frame(
    resizer: &mut Resizer,
    frame: &FrameView<'_>,
    placement: &Placement,
    encoding: &PixelEncoding,
    image: &mut [f32],
) {
    let Size { width, height } = placement.frame;
    let part = PixelRect::new(0, 0, width, height);
    let size = placement.content;
    let rows = Rows::of(image, placement.input.width, size.height, encoding);
    let jobs = rows.pieces().map(|rows| Job { part, size, rows });
    resizer.resize(frame, jobs, part.pixels_read(size));
}

/// Writes parts of the frame, each stretched to `size`, into `images` (`3 * H * W` values each), as many as
/// there is room for.
pub fn encode_crops(
    resizer: &mut Resizer,
    frame: &FrameView<'_>,
    parts: impl Iterator<Item = PixelRect> + Clone + Send,
    size: Size,
    encoding: &PixelEncoding,
    images: &mut [f32],
) {
    let pixels = parts.clone().map(|part| part.pixels_read(size)).sum();
    let image_len = 3 * size.width as usize * size.height as usize;
    let images = images.chunks_exact_mut(image_len.max(1));
    let jobs = parts.zip(images).flat_map(|(part, image)| {
        let rows = Rows::of(image, size.width, size.height, encoding);
        rows.pieces().map(move |rows| Job { part, size, rows })
    });
    resizer.resize(frame, jobs, pixels);
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Colorimetry, PixelFormat, Plane};
    use super::super::tensor::{ChannelOrder, Layout};
    use super::*;

    const SIZE: Size = Size::new(2, 2);
    /// R, G, B of four pixels.
    const RGB: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    fn encode(encoding: PixelEncoding, placement: Placement) -> Vec<f32> {
        let plane = [Plane::new(&RGB, 6)];
        let frame = FrameView::new(PixelFormat::Rgb, SIZE, Colorimetry::BT601, &plane).unwrap();
        let mut image = vec![-1.0; 3 * (placement.input.width * placement.input.height) as usize];
        let mut resizer = Resizer::default();
        encoding.fill(&mut image, 100);
        encode_frame(&mut resizer, &frame, &placement, &encoding, &mut image);
        image
    }

    #[test]
    fn layouts_and_orders() {
        let same = Placement::stretch(SIZE, SIZE);
        let planar = PixelEncoding::levels(ChannelOrder::Rgb);
        let rgb = [1., 4., 7., 10., 2., 5., 8., 11., 3., 6., 9., 12.];
        assert_eq!(encode(planar, same), rgb);
        let bgr = [3., 6., 9., 12., 2., 5., 8., 11., 1., 4., 7., 10.];
        assert_eq!(encode(PixelEncoding::levels(ChannelOrder::Bgr), same), bgr);
        let interleaved = PixelEncoding {
            layout: Layout::Nhwc,
            order: ChannelOrder::Bgr,
            scale: [0.5, 1.0, 2.0],
            bias: [1.0, 0.0, -1.0],
        };
        let want = [2.5, 2., 1., 4., 5., 7., 5.5, 8., 13., 7., 11., 19.];
        assert_eq!(encode(interleaved, same), want);
    }

    #[test]
    fn normalisations() {
        // Of red 1, green 2 and blue 3, as (1 / 255 - 0.485) / 0.229.
        for (encoding, want) in [
            (PixelEncoding::imagenet(), [-2.10078, -2.00070, -1.75215]),
            (
                PixelEncoding::centred(ChannelOrder::Bgr),
                [-0.972_656, -0.980_469, -0.988_281],
            ),
        ] {
            let image = encode(encoding, Placement::stretch(SIZE, SIZE));
            for (got, want) in [image[0], image[4], image[8]].iter().zip(want) {
                assert!((got - want).abs() < 1e-4, "{got} {want}");
            }
        }
    }

    #[test]
    fn letterbox_pads_right_and_below() {
        let input = Size::new(3, 2);
        let placement = Placement::letterbox(SIZE, input);
        assert_eq!(placement.content, SIZE);
        let image = encode(PixelEncoding::levels(ChannelOrder::Rgb), placement);
        assert_eq!(image[..6], [1., 4., 100., 7., 10., 100.]);
    }

    #[test]
    fn two_threads_write_the_same() {
        let mut state = 1u32;
        let bytes = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let frame_size = Size::new(640, 402);
        let bytes: Vec<u8> = bytes.take(640 * 402 * 3).collect();
        let (plane, color) = ([Plane::new(&bytes, 640 * 3)], Colorimetry::BT601);
        let frame = FrameView::new(PixelFormat::Bgr, frame_size, color, &plane).unwrap();
        let mut one = Resizer::default();
        let mut two = Resizer::with_two_threads();
        let interleaved = PixelEncoding {
            layout: Layout::Nhwc,
            ..PixelEncoding::unit(ChannelOrder::Bgr)
        };
        // Letterbox, reduction by exactly 2, an odd number of rows, a single one.
        for (width, height) in [(320, 256), (320, 201), (224, 225), (900, 1)] {
            let input = Size { width, height };
            let placement = Placement::letterbox(frame_size, input);
            for encoding in [PixelEncoding::imagenet(), interleaved] {
                let write = |resizer: &mut Resizer| {
                    let mut image = vec![-1.0; (3 * width * height) as usize];
                    encode_frame(resizer, &frame, &placement, &encoding, &mut image);
                    image
                };
                assert!(write(&mut one) == write(&mut two), "{width}x{height}");
            }
        }
    }

    #[test]
    fn extreme_aspect_ratios_keep_a_pixel() {
        let frame = Size::new(10_000, 1);
        let input = Size::new(640, 32);
        assert_eq!(Placement::letterbox(frame, input).content.height, 1);
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Images of a float32 tensor, `[3, H, W]` or `[H, W, 3]`: how pixels are encoded, and rows to write them to.

use std::ops::Range;

use super::kernels::{self, Pixel};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    Rgb,
    Bgr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[N, 3, H, W]`
    Nchw,
    /// `[N, H, W, 3]`
    Nhwc,
}

/// What a network wants its pixels to be: `value = level * scale + bias` for 8-bit levels 0..=255, scale
/// and bias in the order of the network's channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelEncoding {
    pub layout: Layout,
    pub order: ChannelOrder,
    pub scale: [f32; 3],
    pub bias: [f32; 3],
}

impl PixelEncoding {
    /// Levels as they are, 0..=255, `[N, 3, H, W]`.
    pub const fn levels(order: ChannelOrder) -> Self {
        Self {
            layout: Layout::Nchw,
            order,
            scale: [1.0; 3],
            bias: [0.0; 3],
        }
    }

    /// 0..=1, `[N, 3, H, W]`.
    pub const fn unit(order: ChannelOrder) -> Self {
        Self {
            scale: [1.0 / 255.0; 3],
            ..Self::levels(order)
        }
    }

    /// `(level - 127.5) / 128`, about -1..=1, `[N, 3, H, W]`.
    pub const fn centred(order: ChannelOrder) -> Self {
        Self {
            scale: [1.0 / 128.0; 3],
            bias: [-127.5 / 128.0; 3],
            ..Self::levels(order)
        }
    }

    /// RGB normalised by the mean and standard deviation of ImageNet, as torchvision does it,
    /// `[N, 3, H, W]`.
    pub const fn imagenet() -> Self {
        const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
        const STD: [f32; 3] = [0.229, 0.224, 0.225];
        Self {
            scale: [
                1.0 / (255.0 * STD[0]),
                1.0 / (255.0 * STD[1]),
                1.0 / (255.0 * STD[2]),
            ],
            bias: [-MEAN[0] / STD[0], -MEAN[1] / STD[1], -MEAN[2] / STD[2]],
            ..Self::levels(ChannelOrder::Rgb)
        }
    }

    fn encode(&self, channel: usize, level: u8) -> f32 {
        f32::from(level) * self.scale[channel] + self.bias[channel]
    }

    /// How many values of a pixel lie side by side.
    fn values_a_pixel(&self) -> usize {
        match self.layout {
            Layout::Nchw => 1,
            Layout::Nhwc => 3,
        }
    }

    /// Fills an image of the network with one level.
    pub fn fill(&self, image: &mut [f32], level: u8) {
        let values = [0, 1, 2].map(|channel| self.encode(channel, level));
        match self.layout {
            Layout::Nchw => {
                let plane = image.len() / 3;
                for (plane, value) in image.chunks_exact_mut(plane.max(1)).zip(values) {
                    plane.fill(value);
                }
            }
            Layout::Nhwc => image.as_chunks_mut::<3>().0.fill(values),
        }
    }

    fn source_channel(&self, channel: usize) -> usize {
        match self.order {
            ChannelOrder::Rgb => channel,
            ChannelOrder::Bgr => 2 - channel,
        }
    }
}

/// Two threads share the rows of an image: a free thread takes a quarter of the rest, but at least this many rows. Few
/// pieces, as each begins with two rows that it must read for itself, and small ones last, as the thread that is done
/// first has to wait.
const LEAST_ROWS_OF_A_PIECE: u32 = 8;

/// Rows of an image tensor, to be written.
pub(super) struct Rows<'a> {
    encoding: &'a PixelEncoding,
    width: usize,
    /// Those of the image that these are.
    numbers: Range<u32>,
    /// One for each channel, or all in the first.
    planes: [&'a mut [f32]; 3],
}

impl<'a> Rows<'a> {
    /// The first `count` rows of an image `width` pixels wide.
    pub fn of(image: &'a mut [f32], width: u32, count: u32, encoding: &'a PixelEncoding) -> Self {
        let planes = match encoding.layout {
            Layout::Nchw => {
                let plane = image.len() / 3;
                let (first, others) = image.split_at_mut(plane);
                let (second, third) = others.split_at_mut(plane);
                [first, second, third]
            }
            Layout::Nhwc => [image, &mut [], &mut []],
        };
        Self {
            encoding,
            width: width as usize,
            numbers: 0..count,
            planes,
        }
    }

    /// Takes the first `count` rows off, or what there is; `None` where there is none.
    fn take(&mut self, count: u32) -> Option<Self> {
        let Range { start, end } = self.numbers;
        let middle = end.min(start.saturating_add(count));
        self.numbers.start = middle;
        let values = (middle - start) as usize * self.width * self.encoding.values_a_pixel();
        let planes = self.planes.each_mut();
        let planes = planes.map(|plane| {
            let values = values.min(plane.len());
            plane.split_off_mut(..values).unwrap_or_default()
        });
        (start < middle).then_some(Self {
            encoding: self.encoding,
            width: self.width,
            numbers: start..middle,
            planes,
        })
    }

    /// These rows in pieces, large ones first.
    pub fn pieces(mut self) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let left = self.numbers.len() as u32;
            self.take((left / 4).max(LEAST_ROWS_OF_A_PIECE))
        })
    }

    pub fn numbers(&self) -> Range<u32> {
        self.numbers.clone()
    }

    pub fn write(&mut self, row: u32, pixels: &[Pixel]) {
        let encoding = self.encoding;
        let row = (row - self.numbers.start) as usize;
        let start = row * self.width * encoding.values_a_pixel();
        match encoding.layout {
            Layout::Nchw => {
                for (c, plane) in self.planes.iter_mut().enumerate() {
                    let (scale, bias) = (encoding.scale[c], encoding.bias[c]);
                    let from = encoding.source_channel(c);
                    let out = &mut plane[start..][..pixels.len()];
                    kernels::channel_to_f32(pixels, from, scale, bias, out);
                }
            }
            Layout::Nhwc => {
                let out = &mut self.planes[0][start..][..pixels.len() * 3];
                for (out, pixel) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                    for (c, value) in out.iter_mut().enumerate() {
                        *value = encoding.encode(c, pixel[encoding.source_channel(c)]);
                    }
                }
            }
        }
    }
}

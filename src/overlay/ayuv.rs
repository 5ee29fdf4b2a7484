// SPDX-License-Identifier: MPL-2.0
//! The pixels of a patch converted to AYUV.
//!
//! gst_video_blend() would convert them as well, but always to BT.709 in limited range, and pixel by pixel. Here the
//! frame's own matrix and range are used, and runs of one colour, which lines and panels consist of, are converted
//! once.

use gst_video::VideoColorimetry;

use crate::estimator::image::frame::Colorimetry;
use crate::video;

/// The conversion from RGB to YUV for one colorimetry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colors {
    red_weight: f32,
    blue_weight: f32,
    luma: (f32, f32),
    chroma: f32,
}

impl Colors {
    pub fn new(colorimetry: &VideoColorimetry) -> Self {
        // The same colorimetry as the estimator uses for this frame.
        let Colorimetry {
            kr,
            kb,
            full_range: full,
        } = video::colorimetry(colorimetry);
        Self {
            red_weight: kr as f32,
            blue_weight: kb as f32,
            luma: if full { (0.0, 255.0) } else { (16.0, 219.0) },
            chroma: if full { 255.0 } else { 224.0 },
        }
    }

    /// One premultiplied pixel, blue first, to alpha, Y, U, V that are not premultiplied.
    fn convert(&self, [blue, green, red, alpha]: [u8; 4]) -> [u8; 4] {
        if alpha == 0 {
            return [0; 4];
        }
        let unit = f32::from(alpha).recip();
        let [r, g, b] = [red, green, blue].map(|v| f32::from(v) * unit);
        let green_weight = 1.0 - self.red_weight - self.blue_weight;
        let y = self.red_weight * r + green_weight * g + self.blue_weight * b;
        let u = (b - y) / (2.0 * (1.0 - self.blue_weight));
        let v = (r - y) / (2.0 * (1.0 - self.red_weight));
        // `as` saturates at 0 and 255.
        let chroma = |c: f32| (128.0 + c * self.chroma + 0.5) as u8;
        let luma = (self.luma.0 + y * self.luma.1 + 0.5) as u8;
        [alpha, luma, chroma(u), chroma(v)]
    }

    /// Appends `pixels`, converted, to `out`.
    pub fn convert_row(&self, pixels: &[u8], out: &mut Vec<u8>) {
        let (mut last, mut converted) = ([0; 4], [0; 4]);
        for pixel in pixels.chunks_exact(4) {
            let pixel = [pixel[0], pixel[1], pixel[2], pixel[3]];
            if pixel != last {
                (last, converted) = (pixel, self.convert(pixel));
            }
            out.extend_from_slice(&converted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(colorimetry: &str, bgra: [u8; 4]) -> [u8; 4] {
        gst::init().expect("GStreamer starts");
        let colorimetry = colorimetry.parse().expect("a colorimetry");
        let mut out = Vec::new();
        Colors::new(&colorimetry).convert_row(&bgra, &mut out);
        out.try_into().expect("one pixel")
    }

    #[test]
    fn primaries_become_the_values_of_the_standards() {
        // (blue, green, red, alpha) -> (alpha, Y, U, V), from the tables of BT.601 and BT.709.
        let (red, blue) = ([0, 0, 255, 255], [255, 0, 0, 255]);
        assert_eq!(converted("bt601", red), [255, 81, 90, 240]);
        assert_eq!(converted("bt601", blue), [255, 41, 240, 110]);
        assert_eq!(converted("bt709", red), [255, 63, 102, 240]);
        assert_eq!(converted("bt709", blue), [255, 32, 240, 118]);
        assert_eq!(converted("bt709", [255; 4]), [255, 235, 128, 128]);
        // JPEG's full range: 0.299 * 255 = 76.2.
        assert_eq!(converted("1:4:0:0", red), [255, 76, 85, 255]);
    }

    #[test]
    fn the_colour_of_a_pixel_does_not_depend_on_its_alpha() {
        // Half covered red, premultiplied.
        assert_eq!(converted("bt601", [0, 0, 128, 128]), [128, 81, 90, 240]);
        assert_eq!(converted("bt601", [9, 9, 9, 0]), [0; 4]);
    }
}

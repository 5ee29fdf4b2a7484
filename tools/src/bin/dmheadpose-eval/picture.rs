// SPDX-License-Identifier: MPL-2.0
//! Pictures as frames of the estimator: decoded, mirrored, rotated.

use std::path::Path;

use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::{Colorimetry, FrameView, PixelFormat, Plane};
use image::RgbImage;
use image::imageops;

/// A picture in memory.
pub struct Picture(RgbImage);

impl Picture {
    /// Decodes a JPEG or PNG file, or says what is wrong with it.
    pub fn open(path: &Path) -> Result<Self, String> {
        let reader = image::ImageReader::open(path).and_then(|reader| reader.with_guessed_format());
        let picture = reader
            .map_err(|error| error.to_string())?
            .decode()
            .map_err(|error| error.to_string())?;
        Ok(Self(picture.into_rgb8()))
    }

    pub fn size(&self) -> Size {
        let (width, height) = self.0.dimensions();
        Size::new(width, height)
    }

    /// The picture as the estimator's frame.
    ///
    /// # Errors
    /// [`Error::Frame`] for a picture without pixels.
    pub fn view(&self) -> Result<FrameView<'_>, Error> {
        let plane = Plane::new(self.0.as_raw(), 3 * self.0.width() as usize);
        // RGB needs no colorimetry.
        FrameView::new(PixelFormat::Rgb, self.size(), Colorimetry::BT601, &[plane])
    }

    /// Left and right exchanged.
    pub fn mirrored(&self) -> Self {
        Self(imageops::flip_horizontal(&self.0))
    }

    /// The picture rotated clockwise about a point by this many degrees, sampled bilinearly. Pixels from
    /// beyond the border take the border's colour.
    pub fn turned(&self, (center_x, center_y): (f32, f32), degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (width, height) = self.0.dimensions();
        Self(RgbImage::from_fn(width, height, |x, y| {
            let (dx, dy) = (x as f32 + 0.5 - center_x, y as f32 + 0.5 - center_y);
            let (from_x, from_y) = (cos * dx + sin * dy, cos * dy - sin * dx);
            self.sample(from_x + center_x - 0.5, from_y + center_y - 0.5)
        }))
    }

    /// The colour between pixel centres, which lie at whole numbers.
    fn sample(&self, x: f32, y: f32) -> image::Rgb<u8> {
        let (width, height) = self.0.dimensions();
        let x = x.clamp(0.0, (width - 1) as f32);
        let y = y.clamp(0.0, (height - 1) as f32);
        let (left, top) = (x as u32, y as u32);
        let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
        let (share_x, share_y) = (x - left as f32, y - top as f32);
        let level = |x, y, channel: usize| f32::from(self.0.get_pixel(x, y).0[channel]);
        image::Rgb([0, 1, 2].map(|channel| {
            let row = |y| {
                let (a, b) = (level(left, y, channel), level(right, y, channel));
                a + (b - a) * share_x
            };
            let (above, below) = (row(top), row(bottom));
            (above + (below - above) * share_y).round() as u8
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_is_clockwise() {
        let mut picture = RgbImage::new(5, 5);
        picture.put_pixel(2, 0, image::Rgb([200, 100, 50]));
        let turned = Picture(picture).turned((2.5, 2.5), 90.0);
        assert_eq!(turned.0.get_pixel(4, 2).0, [200, 100, 50]);
        assert_eq!(turned.0.get_pixel(2, 0).0, [0, 0, 0]);
    }

    #[test]
    fn turning_about_a_point_keeps_it() {
        let color = |x: u32, y: u32| image::Rgb([(10 * x) as u8, (10 * y) as u8, 7]);
        let picture = Picture(RgbImage::from_fn(9, 7, color));
        let turned = picture.turned((6.5, 2.5), 13.0);
        assert_eq!(turned.0.get_pixel(6, 2).0, [60, 20, 7]);
    }
}

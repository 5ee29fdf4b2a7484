// SPDX-License-Identifier: MPL-2.0
//! Colours as applications set them, and the colour of each head's box.

use crate::estimator::Head;

/// Box colour of a head whose pose or track number is unknown.
const UNKNOWN: Color = Color(0xff80_8080);

/// The palette of Okabe and Ito without its black, which colour-blind viewers can tell apart.
const PALETTE: [Color; 7] = [
    Color(0xffe6_9f00),
    Color(0xff56_b4e9),
    Color(0xff00_9e73),
    Color(0xfff0_e442),
    Color(0xffcc_79a7),
    Color(0xffd5_5e00),
    Color(0xff00_72b2),
];

/// 0xAARRGGBB, not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color(pub u32);

impl Color {
    /// Blue, green, red, alpha; not premultiplied.
    pub(super) fn bgra(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// Blue, green, red, alpha, as patches have them.
    pub(super) fn premultiplied(self) -> [u8; 4] {
        let [.., alpha] = self.bgra();
        let times_alpha = |v: u8| ((u32::from(v) * u32::from(alpha) + 127) / 255) as u8;
        let [blue, green, red, _] = self.bgra();
        [
            times_alpha(blue),
            times_alpha(green),
            times_alpha(red),
            alpha,
        ]
    }
}

/// What the colour of a head's box shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxColor {
    /// Blue for a face, red for the back of a head, as in DMHead.
    Yaw,
    /// The track: one of seven colours by its number.
    Id,
    /// Nothing.
    Fixed(Color),
}

impl BoxColor {
    pub(super) fn of(self, head: &Head) -> Color {
        match self {
            Self::Yaw if head.angles.is_finite() => by_yaw(head.angles.yaw),
            Self::Id if head.id != 0 => PALETTE[((head.id - 1) % PALETTE.len() as u64) as usize],
            Self::Yaw | Self::Id => UNKNOWN,
            Self::Fixed(color) => color,
        }
    }
}

fn by_yaw(yaw: f32) -> Color {
    let blue = (255.0 * (1.0 - yaw.abs() / 180.0))
        .clamp(0.0, 255.0)
        .round() as u32;
    Color(0xff00_0000 | (255 - blue) << 16 | blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_premultiplied_and_blue_first() {
        assert_eq!(Color(0xff11_2233).premultiplied(), [0x33, 0x22, 0x11, 255]);
        // 200 * 128 / 255 = 100.4
        assert_eq!(Color(0x80c8_0000).premultiplied(), [0, 0, 100, 128]);
        assert_eq!(Color(0x00ff_ffff).premultiplied(), [0; 4]);
    }
}

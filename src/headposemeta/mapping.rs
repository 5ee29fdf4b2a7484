// SPDX-License-Identifier: MPL-2.0
//! How heads move when a picture is scaled, cropped, mirrored or turned by quarter turns.

use glam::{DMat2, DMat3, DVec3};
use gst_video::ffi::GstVideoRectangle as Area;

use crate::estimator::Head;
use crate::estimator::angles::Angles;
use crate::estimator::geometry::{Rect, Size};

/// A part of a box is only called cut off when more than this many pixels of it are gone, so that
/// rounding at the frame's border does not count.
const CUT_TOLERANCE: f64 = 0.5;

/// A picture's size and the shape of its pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    pub size: Size,
    /// Width over height of one pixel.
    pub pixel_aspect: f64,
}

/// Where each point of a source picture is found in a destination picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping {
    /// Row-major; diagonal, or anti-diagonal when the picture lies on its side.
    linear: [f64; 4],
    offset: [f64; 2],
    /// The part of the destination that shows the source: left, top, right, bottom.
    visible: [f64; 4],
}

impl Mapping {
    /// The whole of `from` stretched over the whole of `to`.
    ///
    /// `None` when the display aspect ratio changes by more than rounding: scalers then either
    /// distort the picture or add borders, and do not say which.
    pub fn scale(from: Picture, to: Picture) -> Option<Self> {
        let (fw, fh) = (f64::from(from.size.width), f64::from(from.size.height));
        let (tw, th) = (f64::from(to.size.width), f64::from(to.size.height));
        let all = [fw, fh, tw, th, from.pixel_aspect, to.pixel_aspect];
        if !all.iter().all(|v| v.is_finite() && *v > 0.0) {
            return None;
        }
        let aspect = fw / fh * from.pixel_aspect / to.pixel_aspect;
        // Borders, if any, would take this many pixels of the destination.
        let borders = if tw / aspect <= th {
            th - tw / aspect
        } else {
            tw - th * aspect
        };
        (borders < 1.0).then_some(Self {
            linear: [tw / fw, 0.0, 0.0, th / fh],
            offset: [0.0, 0.0],
            visible: [0.0, 0.0, tw, th],
        })
    }

    /// `matrix` (3x3, row-major) takes points relative to `from`'s corner to points relative to
    /// `to`'s corner; `size` is that of the whole destination picture.
    ///
    /// `None` when it is not made of scaling, quarter turns and mirroring only: the image of a box
    /// would be no box.
    pub fn matrix(matrix: &[f32; 9], from: Area, to: Area, size: Size) -> Option<Self> {
        let m = matrix.map(f64::from);
        let upright = m[1] == 0.0 && m[3] == 0.0 && m[0] != 0.0 && m[4] != 0.0;
        let sideways = m[0] == 0.0 && m[4] == 0.0 && m[1] != 0.0 && m[3] != 0.0;
        let affine = m[6] == 0.0 && m[7] == 0.0 && m[8] == 1.0;
        if !affine || !(upright || sideways) || m.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let (fx, fy) = (f64::from(from.x), f64::from(from.y));
        let (tx, ty) = (f64::from(to.x), f64::from(to.y));
        Some(Self {
            linear: [m[0], m[1], m[3], m[4]],
            offset: [
                m[2] + tx - m[0] * fx - m[1] * fy,
                m[5] + ty - m[3] * fx - m[4] * fy,
            ],
            visible: [
                tx.max(0.0),
                ty.max(0.0),
                (tx + f64::from(to.w)).min(f64::from(size.width)),
                (ty + f64::from(to.h)).min(f64::from(size.height)),
            ],
        })
    }

    /// The head as the destination shows it; `None` when it is outside.
    ///
    /// Uneven scaling leaves the angles as they are: they are those of the real head, and a picture
    /// that is shown with its pixel aspect ratio is not distorted.
    pub fn apply(&self, head: &Head) -> Option<Head> {
        // Not Rect's right and bottom: of a box as far out as a number goes they are infinite.
        let [x, y, w, h] = [head.rect.x, head.rect.y, head.rect.w, head.rect.h].map(f64::from);
        let [x0, y0] = self.point(x, y);
        let [x1, y1] = self.point(x + w, y + h);
        let whole = [x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)];
        let [left, top, right, bottom] = self.visible;
        let seen = [
            whole[0].max(left),
            whole[1].max(top),
            whole[2].min(right),
            whole[3].min(bottom),
        ];
        if seen[2] <= seen[0] || seen[3] <= seen[1] {
            return None;
        }
        let cut = |(seen, whole): (&f64, f64)| (seen - whole).abs() > CUT_TOLERANCE;
        let cut = seen.iter().zip(whole).any(cut);
        Some(Head {
            rect: Rect::new(
                seen[0] as f32,
                seen[1] as f32,
                (seen[2] - seen[0]) as f32,
                (seen[3] - seen[1]) as f32,
            ),
            angles: self.turn(head.angles),
            truncated: head.truncated || cut,
            ..*head
        })
    }

    fn point(&self, x: f64, y: f64) -> [f64; 2] {
        let [a, b, c, d] = self.linear;
        [
            a * x + b * y + self.offset[0],
            c * x + d * y + self.offset[1],
        ]
    }

    fn turn(&self, angles: Angles) -> Angles {
        let sign = |v: f64| if v == 0.0 { 0.0 } else { v.signum() };
        let [a, b, c, d] = self.linear.map(sign);
        match (a, b, c, d) {
            (1.0, 0.0, 0.0, 1.0) => angles,
            (-1.0, 0.0, 0.0, 1.0) => Angles::new(-angles.yaw, angles.pitch, -angles.roll),
            _ => {
                let picture = DMat3::from_mat2(DMat2::from_cols_array(&[a, c, b, d]));
                // A mirrored picture also swaps the head's own left and right (its X axis).
                let side = DVec3::new(picture.determinant().signum(), 1.0, 1.0);
                let turned = picture * angles.matrix() * DMat3::from_diagonal(side);
                Angles::from_matrix(&turned)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANGLES: Angles = Angles::new(20.0, 10.0, 5.0);
    const IDENTITY: [f32; 9] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    const HALF_SIZE: [f32; 9] = [0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0];
    const MIRROR: [f32; 9] = [-1.0, 0.0, 100.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    const UPSIDE_DOWN: [f32; 9] = [1.0, 0.0, 0.0, 0.0, -1.0, 80.0, 0.0, 0.0, 1.0];
    const HALF_TURN: [f32; 9] = [-1.0, 0.0, 100.0, 0.0, -1.0, 80.0, 0.0, 0.0, 1.0];
    /// Clockwise: (x, y) goes to (80 - y, x).
    const QUARTER_TURN: [f32; 9] = [0.0, -1.0, 80.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    const WHOLE: [i32; 4] = [0, 0, 100, 80];

    fn head(angles: Angles) -> Head {
        Head {
            rect: Rect::new(10.0, 20.0, 30.0, 40.0),
            angles,
            ..Head::default()
        }
    }

    /// The part `from` of a picture becomes the part `to` of one of this size.
    fn mapping(matrix: [f32; 9], from: [i32; 4], to: [i32; 4], size: [u32; 2]) -> Option<Mapping> {
        let [from, to] = [from, to].map(|[x, y, w, h]| Area { x, y, w, h });
        Mapping::matrix(&matrix, from, to, Size::new(size[0], size[1]))
    }

    /// Of a picture of 100x80 pixels as a whole.
    fn whole(matrix: [f32; 9]) -> Option<Mapping> {
        mapping(matrix, WHOLE, WHOLE, [100, 80])
    }

    fn assert_near(a: Angles, [yaw, pitch, roll]: [f32; 3]) {
        let off = [a.yaw - yaw, a.pitch - pitch, a.roll - roll];
        assert!(off.iter().all(|off| off.abs() < 1e-3), "{a:?}");
    }

    #[test]
    fn only_scaling_that_keeps_the_aspect_ratio_is_followed() {
        let scale = |from: (u32, u32, f64), to: (u32, u32, f64)| {
            let [from, to] = [from, to].map(|(width, height, pixel_aspect)| Picture {
                size: Size::new(width, height),
                pixel_aspect,
            });
            Mapping::scale(from, to)
        };
        let map = scale((100, 80, 1.0), (200, 80, 0.5)).unwrap();
        let scaled = map.apply(&head(ANGLES)).unwrap();
        assert_eq!(scaled.rect, Rect::new(20.0, 20.0, 60.0, 40.0));
        assert_eq!((scaled.angles, scaled.truncated), (ANGLES, false));
        assert!(scale((1280, 720, 1.0), (640, 640, 1.0)).is_none());
        assert!(scale((1280, 720, 1.0), (640, 360, 1.2)).is_none());
        assert!(scale((0, 720, 1.0), (640, 640, 1.0)).is_none());
        // 1279x719 to 640x360 is less than a pixel away from the same shape.
        assert!(scale((1279, 719, 1.0), (640, 360, 1.0)).is_some());
    }

    #[test]
    fn boxes_are_moved_cut_and_dropped() {
        // The box, and whether it is cut.
        let moved = |matrix, from, to, size| {
            let moved = mapping(matrix, from, to, size).unwrap();
            let Head {
                rect, truncated, ..
            } = moved.apply(&head(ANGLES))?;
            Some(([rect.x, rect.y, rect.w, rect.h], truncated))
        };
        let inside = moved(IDENTITY, [5, 5, 90, 70], [0, 0, 90, 70], [90, 70]);
        assert_eq!(inside, Some(([5.0, 15.0, 30.0, 40.0], false)));
        let cut = moved(IDENTITY, [20, 5, 80, 70], [0, 0, 80, 70], [80, 70]);
        assert_eq!(cut, Some(([0.0, 15.0, 20.0, 40.0], true)));
        let outside = moved(IDENTITY, [50, 0, 50, 80], [0, 0, 50, 80], [50, 80]);
        assert_eq!(outside, None);
        let within_borders = moved(HALF_SIZE, WHOLE, [0, 10, 50, 40], [50, 60]);
        assert_eq!(within_borders, Some(([5.0, 20.0, 15.0, 20.0], false)));
        let mirrored = moved(MIRROR, WHOLE, WHOLE, [100, 80]);
        assert_eq!(mirrored, Some(([60.0, 20.0, 30.0, 40.0], false)));
        let turned = moved(QUARTER_TURN, WHOLE, [0, 0, 80, 100], [80, 100]);
        assert_eq!(turned, Some(([20.0, 10.0, 40.0, 30.0], false)));
    }

    #[test]
    fn angles_turn_with_the_picture() {
        let turned = |matrix, angles| whole(matrix).unwrap().apply(&head(angles)).unwrap();
        let mirrored = turned(MIRROR, ANGLES);
        assert_eq!(mirrored.angles, Angles::new(-20.0, 10.0, -5.0));
        let once = turned(HALF_TURN, ANGLES);
        let twice = whole(UPSIDE_DOWN).unwrap().apply(&mirrored).unwrap();
        assert_eq!(once.rect, twice.rect);
        let Angles { yaw, pitch, roll } = once.angles;
        assert_near(twice.angles, [yaw, pitch, roll]);
        // A frontal head upside down has only rolled.
        let frontal = Angles::new(0.0, 0.0, 10.0);
        assert_near(turned(HALF_TURN, frontal).angles, [0.0, 0.0, -170.0]);

        let map = mapping(QUARTER_TURN, WHOLE, [0, 0, 80, 100], [80, 100]).unwrap();
        let turned = |yaw| map.apply(&head(Angles::new(yaw, 0.0, 0.0))).unwrap().angles;
        // The crown now points to the image's right: a clockwise, positive roll.
        assert_near(turned(0.0), [0.0, 0.0, 90.0]);
        // Whoever looked to the image's left now looks up.
        assert_near(turned(30.0), [0.0, 30.0, 90.0]);
    }

    #[test]
    fn shear_perspective_and_nonsense_are_refused() {
        for (at, value) in [(1, 0.2), (6, 0.01), (0, f32::NAN), (0, 0.0)] {
            let mut matrix = IDENTITY;
            matrix[at] = value;
            assert!(whole(matrix).is_none(), "{matrix:?}");
        }
        assert!(whole([0.0; 9]).is_none());
    }
}

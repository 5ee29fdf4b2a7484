// SPDX-License-Identifier: MPL-2.0
//! How heads move when a picture is scaled, cropped, mirrored or turned by quarter turns.

use glam::{DMat2, DMat3, DVec3};

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

/// An axis-aligned part of a picture in whole pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub x: i32,
    pub y: i32,
    pub w: i32,
    pub h: i32,
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
        let valid = |v: f64| v.is_finite() && v > 0.0;
        if ![fw, fh, tw, th, from.pixel_aspect, to.pixel_aspect]
            .into_iter()
            .all(valid)
        {
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
        let cut = seen
            .iter()
            .zip(whole)
            .any(|(s, w)| (s - w).abs() > CUT_TOLERANCE);
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

    const HEAD: Head = Head {
        id: 3,
        rect: Rect::new(10.0, 20.0, 30.0, 40.0),
        score: 0.5,
        angles: Angles::new(20.0, 10.0, 5.0),
        rear: false,
        truncated: false,
        seam: false,
        predicted: false,
        uncertainty: None,
    };
    const SIZE: Size = Size {
        width: 100,
        height: 80,
    };
    const FRAME: Area = Area {
        x: 0,
        y: 0,
        w: 100,
        h: 80,
    };

    fn picture(width: u32, height: u32, pixel_aspect: f64) -> Picture {
        Picture {
            size: Size { width, height },
            pixel_aspect,
        }
    }

    fn assert_near(a: Angles, yaw: f32, pitch: f32, roll: f32) {
        let near = |a: f32, b: f32| (a - b).abs() < 1e-3;
        assert!(
            near(a.yaw, yaw) && near(a.pitch, pitch) && near(a.roll, roll),
            "{a:?}"
        );
    }

    #[test]
    fn scale_moves_the_box_and_keeps_the_angles() {
        let map = Mapping::scale(picture(100, 80, 1.0), picture(200, 80, 0.5)).unwrap();
        let head = map.apply(&HEAD).unwrap();
        assert_eq!(head.rect, Rect::new(20.0, 20.0, 60.0, 40.0));
        assert_eq!(head.angles, HEAD.angles);
        assert!(!head.truncated);
    }

    #[test]
    fn scale_refuses_what_may_be_letterboxed() {
        assert!(Mapping::scale(picture(1280, 720, 1.0), picture(640, 640, 1.0)).is_none());
        assert!(Mapping::scale(picture(1280, 720, 1.0), picture(640, 360, 1.2)).is_none());
        assert!(Mapping::scale(picture(0, 720, 1.0), picture(640, 640, 1.0)).is_none());
        // 1279x719 to 640x360 is less than a pixel away from the same shape.
        assert!(Mapping::scale(picture(1279, 719, 1.0), picture(640, 360, 1.0)).is_some());
    }

    #[test]
    fn crop_moves_cuts_and_drops() {
        let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let crop = |x, y, w: u32, h: u32| {
            let from = Area {
                x,
                y,
                w: w as i32,
                h: h as i32,
            };
            let to = Area { x: 0, y: 0, ..from };
            Mapping::matrix(
                &identity,
                from,
                to,
                Size {
                    width: w,
                    height: h,
                },
            )
            .unwrap()
            .apply(&HEAD)
        };
        let inside = crop(5, 5, 90, 70).unwrap();
        assert_eq!(
            (inside.rect, inside.truncated),
            (Rect::new(5.0, 15.0, 30.0, 40.0), false)
        );
        let cut = crop(20, 5, 80, 70).unwrap();
        assert_eq!(
            (cut.rect, cut.truncated),
            (Rect::new(0.0, 15.0, 20.0, 40.0), true)
        );
        assert!(crop(50, 0, 50, 80).is_none());
    }

    #[test]
    fn letterbox_is_followed_when_it_is_told() {
        let half = [0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0];
        let to = Area {
            x: 0,
            y: 10,
            w: 50,
            h: 40,
        };
        let map = Mapping::matrix(
            &half,
            FRAME,
            to,
            Size {
                width: 50,
                height: 60,
            },
        )
        .unwrap();
        assert_eq!(
            map.apply(&HEAD).unwrap().rect,
            Rect::new(5.0, 20.0, 15.0, 20.0)
        );
    }

    #[test]
    fn mirror_negates_yaw_and_roll() {
        let m = [-1.0, 0.0, 100.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let head = Mapping::matrix(&m, FRAME, FRAME, SIZE)
            .unwrap()
            .apply(&HEAD)
            .unwrap();
        assert_eq!(head.rect, Rect::new(60.0, 20.0, 30.0, 40.0));
        assert_eq!(head.angles, Angles::new(-20.0, 10.0, -5.0));
    }

    #[test]
    fn half_turn_is_upright_mirror_and_sideways_mirror() {
        let half = [-1.0, 0.0, 100.0, 0.0, -1.0, 80.0, 0.0, 0.0, 1.0];
        let upside = [1.0, 0.0, 0.0, 0.0, -1.0, 80.0, 0.0, 0.0, 1.0];
        let mirror = [-1.0, 0.0, 100.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let of = |m| Mapping::matrix(m, FRAME, FRAME, SIZE).unwrap();
        let once = of(&half).apply(&HEAD).unwrap();
        let twice = of(&upside)
            .apply(&of(&mirror).apply(&HEAD).unwrap())
            .unwrap();
        assert_eq!(once.rect, twice.rect);
        assert_near(
            twice.angles,
            once.angles.yaw,
            once.angles.pitch,
            once.angles.roll,
        );
        // A frontal head upside down has only rolled.
        let frontal = Head {
            angles: Angles::new(0.0, 0.0, 10.0),
            ..HEAD
        };
        assert_near(of(&half).apply(&frontal).unwrap().angles, 0.0, 0.0, -170.0);
    }

    #[test]
    fn quarter_turn_clockwise_lays_the_head_on_its_side() {
        // (x, y) goes to (80 - y, x).
        let m = [0.0, -1.0, 80.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        let to = Area {
            x: 0,
            y: 0,
            w: 80,
            h: 100,
        };
        let map = Mapping::matrix(
            &m,
            FRAME,
            to,
            Size {
                width: 80,
                height: 100,
            },
        )
        .unwrap();
        let frontal = Head {
            angles: Angles::new(0.0, 0.0, 0.0),
            ..HEAD
        };
        let head = map.apply(&frontal).unwrap();
        assert_eq!(head.rect, Rect::new(20.0, 10.0, 40.0, 30.0));
        // Its crown now points to the image's right: a clockwise, positive roll.
        assert_near(head.angles, 0.0, 0.0, 90.0);
        // Whoever looked to the image's left now looks up.
        let looking_left = Head {
            angles: Angles::new(30.0, 0.0, 0.0),
            ..HEAD
        };
        assert_near(map.apply(&looking_left).unwrap().angles, 0.0, 30.0, 90.0);
    }

    #[test]
    fn shear_perspective_and_nonsense_are_refused() {
        let of = |m: [f32; 9]| Mapping::matrix(&m, FRAME, FRAME, SIZE);
        assert!(of([1.0, 0.2, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).is_none());
        assert!(of([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.01, 0.0, 1.0]).is_none());
        assert!(of([0.0; 9]).is_none());
        assert!(of([f32::NAN, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).is_none());
    }
}

// SPDX-License-Identifier: MPL-2.0
//! A head made of a few ellipsoids, seen from any side, to draw overlays on.

use glam::{DMat3, DVec3};
use gstdmheadpose::estimator::angles::Angles;
use gstdmheadpose::estimator::geometry::Rect;

type Vector = [f64; 3];

const SKIN: Vector = [226.0, 182.0, 148.0];
const HAIR: Vector = [92.0, 62.0, 44.0];
const WHITE: Vector = [245.0, 245.0, 240.0];
const DARK: Vector = [40.0, 36.0, 40.0];
const LIPS: Vector = [190.0, 90.0, 84.0];
const WALL: Vector = [120.0, 134.0, 148.0];

/// Centre, radii and colour, in the head's own directions: x to its side on the image's right, y down,
/// z out of the nose.
const PARTS: [(Vector, Vector, Vector); 11] = [
    ([0.0, 0.05, 0.0], [0.74, 0.95, 0.84], SKIN),
    ([0.0, -0.16, -0.14], [0.80, 0.86, 0.84], HAIR),
    ([0.0, 0.16, 0.88], [0.10, 0.16, 0.16], SKIN),
    ([-0.76, 0.06, -0.02], [0.10, 0.20, 0.14], SKIN),
    ([0.76, 0.06, -0.02], [0.10, 0.20, 0.14], SKIN),
    ([-0.28, -0.10, 0.70], [0.14, 0.09, 0.10], WHITE),
    ([0.28, -0.10, 0.70], [0.14, 0.09, 0.10], WHITE),
    ([-0.28, -0.10, 0.77], [0.065, 0.075, 0.05], DARK),
    ([0.28, -0.10, 0.77], [0.065, 0.075, 0.05], DARK),
    ([0.0, 0.52, 0.66], [0.24, 0.06, 0.10], LIPS),
    ([0.0, 0.78, 0.36], [0.34, 0.20, 0.26], SKIN),
];

/// How far the head's point at `x`, `y` is towards the viewer, and its colour there.
fn seen(x: f64, y: f64, rotation: &DMat3) -> Option<(f64, DVec3)> {
    // Rows of the matrix are the image's directions in the head's coordinates.
    let [right, down, toward] = [0, 1, 2].map(|i| rotation.row(i));
    let mut nearest = None;
    for (center, radii, color) in PARTS {
        let [center, radii, color] = [center, radii, color].map(DVec3::from);
        let from = (right * x + down * y - center) / radii;
        let along = toward / radii;
        let (a, b, c) = (along.dot(along), from.dot(along), from.dot(from) - 1.0);
        let root = b * b - a * c;
        if root < 0.0 {
            continue;
        }
        let depth = (-b + root.sqrt()) / a;
        if nearest.is_none_or(|(other, _)| depth > other) {
            // Light from the viewer's upper left.
            let normal = (from + along * depth) / radii;
            let light = 0.8 * toward - 0.45 * down - 0.4 * right;
            let shade = normal.dot(light) / normal.length();
            nearest = Some((depth, color * (0.62 + 0.38 * shade.max(0.0))));
        }
    }
    nearest
}

/// Paints the head on the RGB pixels of a picture so that `rect` encloses it.
fn paint(pixels: &mut [u8], width: usize, rect: &Rect, angles: &Angles) {
    const FINE: usize = 3;
    let rotation = angles.matrix();
    let unit = f64::from(rect.h) / 2.0 / 1.05;
    let (center_x, center_y) = rect.center();
    for (i, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        let behind = DVec3::from([0, 1, 2].map(|c| f64::from(pixel[c])));
        let mut sum = DVec3::ZERO;
        for part in 0..FINE * FINE {
            let fine = |n: usize| (n as f64 + 0.5) / FINE as f64;
            let x = ((i % width) as f64 + fine(part % FINE) - f64::from(center_x)) / unit;
            let y = ((i / width) as f64 + fine(part / FINE) - f64::from(center_y)) / unit;
            sum += seen(x, y, &rotation).map_or(behind, |(_, color)| color);
        }
        for (value, sum) in pixel.iter_mut().zip(sum.to_array()) {
            *value = (sum / (FINE * FINE) as f64 + 0.5) as u8;
        }
    }
}

pub fn picture(width: usize, height: usize, heads: &[(Rect, Angles)]) -> Vec<u8> {
    let wall = WALL.map(|v| v as u8);
    let mut pixels = wall.repeat(width * height);
    for (rect, angles) in heads {
        paint(&mut pixels, width, rect, angles);
    }
    pixels
}

// SPDX-License-Identifier: MPL-2.0
//! A head's axes and cube: their geometry, and how the lines are stroked.

use glam::Vec3;
use tiny_skia::{Color, LineCap, Paint, PathBuilder, PixmapMut, Stroke, Transform};

use super::patch::Area;
use crate::estimator::angles::Angles;

// DMHead's red, green and blue, the dark ones slightly lighter: pure blue is hard to see on a dark picture.
const X_COLOR: [u8; 3] = [255, 48, 48];
const Y_COLOR: [u8; 3] = [0, 255, 0];
const Z_COLOR: [u8; 3] = [48, 96, 255];
const CUBE_FACE_COLOR: [u8; 3] = [255, 220, 0];
const CUBE_COLOR: [u8; 3] = [230, 230, 230];
/// Opacity of the dark outline that separates a line from the picture.
const HALO_ALPHA: f32 = 0.45;
/// Half the cube's side over the axes' length: a cube about as large as the head.
const CUBE_HALF: f32 = 0.62;

/// A straight stroke. `depth` grows towards the viewer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Segment {
    pub from: (f32, f32),
    pub to: (f32, f32),
    pub depth: f32,
    pub color: [u8; 3],
}

/// The three axes of a head, `length` pixels long: X, Y, Z.
pub(super) fn axes(center: (f32, f32), length: f32, angles: &Angles) -> [Segment; 3] {
    let r = angles.matrix().as_mat3();
    let axes = [
        (r.x_axis, X_COLOR),
        (r.y_axis, Y_COLOR),
        (r.z_axis, Z_COLOR),
    ];
    axes.map(|(axis, color)| Segment {
        from: center,
        to: (center.0 + length * axis.x, center.1 + length * axis.y),
        depth: axis.z / 2.0,
        color,
    })
}

/// The twelve edges of a cube turned as the head is; those of the face side are coloured.
pub(super) fn cube(center: (f32, f32), length: f32, angles: &Angles) -> [Segment; 12] {
    let r = angles.matrix().as_mat3();
    let half = length * CUBE_HALF;
    // Bit 0, 1, 2 of a corner's number: its side along X, Y, Z.
    let corner = |n: usize| {
        let side = [0, 1, 2].map(|bit| if n >> bit & 1 == 1 { 1.0 } else { -1.0 });
        r * Vec3::from(side)
    };
    std::array::from_fn(|i| {
        let (axis, rest) = (i / 4, i % 4);
        // The edge runs along `axis`; the bits of `rest` are its place along the other two.
        let low = rest & ((1 << axis) - 1) | (rest >> axis) << (axis + 1);
        let (from, to) = (corner(low), corner(low | 1 << axis));
        let on_face = axis != 2 && low & 4 != 0;
        Segment {
            from: (center.0 + half * from.x, center.1 + half * from.y),
            to: (center.0 + half * to.x, center.1 + half * to.y),
            depth: CUBE_HALF * (from.z + to.z) / 2.0,
            color: if on_face { CUBE_FACE_COLOR } else { CUBE_COLOR },
        }
    })
}

/// Extra width of the dark outline around a line of `width`.
fn halo(width: f32) -> f32 {
    (width * 0.5).max(1.0)
}

/// The pixels that the strokes can touch.
pub(super) fn bounds(segments: &[Segment], width: f32) -> Area {
    let reach = (width + halo(width)) / 2.0 + 1.0;
    let ends = segments.iter().flat_map(|s| [s.from, s.to]);
    let start = (f32::MAX, f32::MAX, f32::MIN, f32::MIN);
    let (x0, y0, x1, y1) = ends.fold(start, |(x0, y0, x1, y1), (x, y)| {
        (x0.min(x), y0.min(y), x1.max(x), y1.max(y))
    });
    Area {
        x: (x0 - reach).floor() as i32,
        y: (y0 - reach).floor() as i32,
        right: (x1 + reach).ceil() as i32,
        bottom: (y1 + reach).ceil() as i32,
    }
}

/// Strokes the segments, farthest first, on the transparent `pixels` of `area`, each with a dark outline.
pub(super) fn paint(segments: &mut [Segment], width: f32, area: Area, pixels: &mut [u8]) {
    segments.sort_by(|a, b| a.depth.total_cmp(&b.depth));
    let side = |length: i32| u32::try_from(length).unwrap_or(0);
    let Some(mut pixmap) = PixmapMut::from_bytes(pixels, side(area.width()), side(area.height()))
    else {
        return;
    };
    let to_area = Transform::from_translate(-area.x as f32, -area.y as f32);
    for segment in segments.iter() {
        let mut path = PathBuilder::new();
        path.move_to(segment.from.0, segment.from.1);
        path.line_to(segment.to.0, segment.to.1);
        let Some(path) = path.finish() else {
            continue;
        };
        // Patches store blue first, pixmaps red first.
        let [red, green, blue] = segment.color;
        let rim = Color::from_rgba(0.0, 0.0, 0.0, HALO_ALPHA).unwrap_or(Color::BLACK);
        let ink = Color::from_rgba8(blue, green, red, 255);
        for (color, width) in [(rim, width + halo(width)), (ink, width)] {
            let mut paint = Paint::default();
            paint.set_color(color);
            let stroke = Stroke {
                width,
                line_cap: LineCap::Round,
                ..Stroke::default()
            };
            pixmap.stroke_path(&path, &paint, &stroke, to_area, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// End points worked out by hand from the formulas of DMHead's demo, with a length of 100.
    #[test]
    fn axes_end_where_upstream_ends_them() {
        let cases = [
            // Facing the camera: X to the right, Y down, Z at the viewer.
            ((0.0, 0.0, 0.0), [(100.0, 0.0), (0.0, 100.0), (0.0, 0.0)]),
            // Yaw 90: the nose points to the image's left, X at the viewer.
            ((90.0, 0.0, 0.0), [(0.0, 0.0), (0.0, 100.0), (-100.0, 0.0)]),
            // Yaw 30: cos 30 = 0.8660, sin 30 = 0.5.
            ((30.0, 0.0, 0.0), [(86.60, 0.0), (0.0, 100.0), (-50.0, 0.0)]),
            // Yaw 180: from behind, X to the left.
            ((180.0, 0.0, 0.0), [(-100.0, 0.0), (0.0, 100.0), (0.0, 0.0)]),
            // Pitch 30: looks up.
            ((0.0, 30.0, 0.0), [(100.0, 0.0), (0.0, 86.60), (0.0, -50.0)]),
            // Roll 30: X's end goes down, the chin to the left.
            (
                (0.0, 0.0, 30.0),
                [(86.60, 50.0), (-50.0, 86.60), (0.0, 0.0)],
            ),
            // Yaw -60, pitch 30, roll 45, so that the formulas' y is +60 degrees: cos y 0.5,
            // sin y 0.8660, cos p 0.8660, sin p 0.5, cos r = sin r = 0.7071.
            // X = (0.5 * 0.7071, 0.8660 * 0.7071 + 0.7071 * 0.5 * 0.8660) = (0.3536, 0.9186)
            // Y = (-0.5 * 0.7071, 0.8660 * 0.7071 - 0.5 * 0.8660 * 0.7071) = (-0.3536, 0.3062)
            // Z = (0.8660, -0.5 * 0.5) = (0.8660, -0.25)
            (
                (-60.0, 30.0, 45.0),
                [(35.36, 91.86), (-35.36, 30.62), (86.60, -25.0)],
            ),
        ];
        for ((yaw, pitch, roll), ends) in cases {
            let drawn = axes((320.0, 240.0), 100.0, &Angles::new(yaw, pitch, roll));
            for (segment, (x, y)) in drawn.iter().zip(ends) {
                assert_eq!(segment.from, (320.0, 240.0));
                let off = (segment.to.0 - 320.0 - x, segment.to.1 - 240.0 - y);
                let near = off.0.abs() < 0.01 && off.1.abs() < 0.01;
                assert!(near, "{yaw} {pitch} {roll}: off by {off:?}");
            }
        }
    }

    #[test]
    fn the_axis_that_points_at_the_viewer_is_drawn_last() {
        let depth =
            |yaw, axis: usize| axes((0.0, 0.0), 1.0, &Angles::new(yaw, 0.0, 0.0))[axis].depth;
        assert!(depth(0.0, 2) > depth(0.0, 0));
        assert!(depth(180.0, 2) < depth(180.0, 0));
    }

    #[test]
    fn the_cube_has_twelve_edges_of_one_length() {
        let edges = cube((0.0, 0.0), 100.0, &Angles::default());
        let length = |s: &Segment| (s.to.0 - s.from.0).hypot(s.to.1 - s.from.1);
        // Seen straight on, the four edges along Z are points.
        let long = edges.iter().filter(|s| (length(s) - 124.0).abs() < 0.01);
        assert_eq!(long.count(), 8);
        let face = edges.iter().filter(|s| s.color == CUBE_FACE_COLOR);
        assert_eq!(face.clone().count(), 4);
        for edge in face {
            assert!((edge.depth - 0.62).abs() < 1e-5, "{edge:?}");
        }
        for (i, a) in edges.iter().enumerate() {
            for b in &edges[..i] {
                assert!(a != b, "an edge twice: {a:?}");
            }
        }
    }

    #[test]
    fn strokes_stay_within_their_bounds() {
        let mut lines = axes((50.0, 40.0), 30.0, &Angles::new(35.0, -20.0, 15.0));
        let area = bounds(&lines, 3.0);
        let roomy = Area::new(
            area.x - 5,
            area.y - 5,
            area.width() + 10,
            area.height() + 10,
        );
        let mut pixels = vec![0; (roomy.width() * roomy.height() * 4) as usize];
        paint(&mut lines, 3.0, roomy, &mut pixels);
        let mut inked = 0;
        for (i, pixel) in pixels.chunks_exact(4).enumerate() {
            let (x, y) = (
                i as i32 % roomy.width() + roomy.x,
                i as i32 / roomy.width() + roomy.y,
            );
            if pixel[3] != 0 {
                inked += 1;
                assert!((area.x..area.right).contains(&x) && (area.y..area.bottom).contains(&y));
            }
        }
        assert!(inked > 200, "{inked}");
    }
}

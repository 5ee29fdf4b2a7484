// SPDX-License-Identifier: MPL-2.0
//! What changes when the same picture comes as YUV: subsampled chroma and rounding move pixels by a
//! level or two, and the pose networks answer that by a degree or so.

use gstdmheadpose::estimator::{HeadPoseEstimator, Settings};

use crate::estimate::{Found, Picture, cut, estimate};
use crate::yuv::{FORMATS, MATRICES, YuvFrame};

/// Boxes may move by so many pixels.
const BOX_PX: f32 = 2.0;
/// The detector's boxes for a head are rivals when their scores differ by no more.
const RIVAL_SCORE: f32 = 0.02;
/// The same crop of both frames may differ by so many levels on average.
const CROP_LEVELS: f64 = 2.0;
/// The median over all heads of how much a head's angles change, in degrees.
const MEDIAN_DEGREES: f32 = 1.5;

/// Changes of all heads for one pixel format and matrix.
#[derive(Default)]
struct Changes {
    moved_boxes: usize,
    /// Heads for which another of the detector's boxes was kept.
    rivals: usize,
    /// Of each head, the one of its three angles that changed most.
    degrees: Vec<f32>,
    /// Mean difference of each head's crop.
    levels: Vec<f64>,
}

impl Changes {
    fn add(&mut self, bgr: &Found, yuv: &Found, levels: f64) {
        self.moved_boxes += usize::from(bgr.corners() != yuv.corners());
        let (a, b) = (bgr.head.angles, yuv.head.angles);
        let change = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll]
            .map(turn)
            .into_iter()
            .fold(0.0, f32::max);
        self.degrees.push(change);
        self.levels.push(levels);
    }

    fn median_degrees(&mut self) -> f32 {
        self.degrees.sort_by(f32::total_cmp);
        let (n, d) = (self.degrees.len(), &self.degrees);
        (d[(n - 1) / 2] + d[n / 2]) / 2.0
    }

    fn report(&mut self, what: &str) {
        let n = self.degrees.len();
        let (moved, rivals, median) = (self.moved_boxes, self.rivals, self.median_degrees());
        let mean = self.degrees.iter().sum::<f32>() / n as f32;
        let max = self.degrees.iter().copied().fold(0.0, f32::max);
        let levels = self.levels.iter().sum::<f64>() / n as f64;
        let most = self.levels.iter().copied().fold(0.0, f64::max);
        println!(
            "{what:32} {n:3} heads, {moved:2} boxes moved, {rivals} to a rival; degrees: median {median:.2} mean {mean:.2} \
             max {max:.2}; crop levels: mean {levels:.2} max {most:.2}"
        );
    }
}

/// The size of a difference of two angles in degrees.
pub fn turn(difference: f32) -> f32 {
    let turn = difference.rem_euclid(360.0);
    turn.min(360.0 - turn)
}

/// Checks every YUV format and matrix against BGR, over all `pictures`; prints what changed, also when it
/// is too much.
///
/// Compared are the heads as they come out (boxes, angles), and the crop that the BGR frame's box asks for,
/// cut from both frames: where a box moves by a pixel, the crops that the network got show other pixels.
pub fn check(
    name: &str,
    estimator: &mut HeadPoseEstimator,
    settings: &Settings,
    pictures: &[(String, Picture)],
) {
    let references: Vec<_> = pictures
        .iter()
        .map(|(_, picture)| estimate(estimator, &picture.view(), settings))
        .collect();
    let mut wrong = Vec::new();
    for format in FORMATS {
        for matrix in &MATRICES {
            let what = format!("{name} {format:?} {}", matrix.name);
            let mut changes = Changes::default();
            for ((file, picture), reference) in pictures.iter().zip(&references) {
                let frame = YuvFrame::new(picture, format, matrix);
                let found = estimate(estimator, &frame.view(), settings);
                if found.len() != reference.len() {
                    let (n, expected) = (found.len(), reference.len());
                    wrong.push(format!("{what} {file}: {n} heads, expected {expected}"));
                    continue;
                }
                for (index, bgr) in reference.iter().enumerate() {
                    let what = format!("{what} {file} head {index}");
                    let yuv = nearest(bgr, &found);
                    let px = distance(bgr, yuv);
                    if px > BOX_PX {
                        if is_rival(estimator, picture, settings, bgr, yuv) {
                            changes.rivals += 1;
                        } else {
                            wrong.push(format!("{what}: box off by {px} pixels"));
                        }
                    }
                    let size = estimator.pose().first().input_size();
                    let levels = mean_difference(&bgr.pixels, &cut(&frame.view(), bgr.crop, size));
                    if levels > CROP_LEVELS {
                        wrong.push(format!("{what}: crop off by {levels:.2} levels"));
                    }
                    changes.add(bgr, yuv, levels);
                }
            }
            changes.report(&what);
            let median = changes.median_degrees();
            if median > MEDIAN_DEGREES {
                wrong.push(format!("{what}: median change of {median:.2} degrees"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the box found in YUV is one that the detector sees in BGR too, for the same head and with nearly
/// the same score: of such boxes suppression keeps one, and the least change of a pixel decides which.
fn is_rival(
    estimator: &mut HeadPoseEstimator,
    picture: &Picture,
    settings: &Settings,
    bgr: &Found,
    yuv: &Found,
) -> bool {
    let mut unsuppressed = *settings;
    unsuppressed.detector.nms_iou = 1.0;
    unsuppressed.max_heads = 1024;
    let all = estimate(estimator, &picture.view(), &unsuppressed);
    all.iter().any(|rival| {
        distance(rival, yuv) <= BOX_PX && (rival.head.score - bgr.head.score).abs() <= RIVAL_SCORE
    })
}

/// How far the corner coordinate that differs most is off.
fn distance(a: &Found, b: &Found) -> f32 {
    let pairs = a.corners().into_iter().zip(b.corners());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The same head among `found`: scores change a little, and with them the order.
fn nearest<'a>(head: &Found, found: &'a [Found]) -> &'a Found {
    let by_distance = |a: &&Found, b: &&Found| distance(head, a).total_cmp(&distance(head, b));
    found.iter().min_by(by_distance).unwrap()
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}

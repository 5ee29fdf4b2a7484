// SPDX-License-Identifier: MPL-2.0
//! The differences when the same picture arrives as YUV: rounding and subsampled chroma change pixels by a level
//! or two, most where colours are strong, and the pose networks react by a degree or so.

use gstdmheadpose::estimator::{HeadPoseEstimator, Settings};

use crate::estimate::{Found, Picture, cut, estimate};
use crate::yuv::{FORMATS, MATRICES, YuvFrame};

/// Boxes may move by this many pixels.
const BOX_PX: f32 = 2.0;
/// Limit of the median over all heads, for yaw, pitch and roll alike, in degrees.
const MEDIAN_DEGREES: f32 = 1.5;
/// The detector's score for the same box may differ by this much.
const SCORE: f32 = 0.05;
/// One in this many heads may come, go or get another of the detector's boxes: see [`Comparison::is_rival`].
const HEADS_PER_RIVAL: usize = 7;

/// Changes of all heads for one pixel format and matrix.
#[derive(Default)]
struct Changes {
    heads: usize,
    moved_boxes: usize,
    /// Heads that got another of the detector's boxes, came or went.
    rivals: usize,
    /// Yaw, pitch and roll of each head in degrees.
    degrees: Vec<[f32; 3]>,
    /// Mean difference of each head's crop.
    levels: Vec<f64>,
    wrong: Vec<String>,
}

/// Compares heads, boxes and angles as returned, and the crop for the BGR frame's box, cut
/// from both frames: if a box moves by a pixel, the crops in the network show other pixels.
struct Comparison<'a> {
    estimator: &'a mut HeadPoseEstimator,
    settings: &'a Settings,
    picture: &'a Picture,
}

impl Comparison<'_> {
    fn add(&mut self, frame: &YuvFrame, reference: &[Found], changes: &mut Changes, what: &str) {
        let mut found = estimate(self.estimator, &frame.view(), self.settings);
        let size = self.estimator.pose().first().input_size();
        changes.heads += reference.len();
        for bgr in reference {
            let cut = cut(&frame.view(), bgr.crop, size);
            changes.levels.push(mean_difference(&bgr.pixels, &cut));
            let Some(yuv) = take_nearest(bgr, &mut found) else {
                // Missing: acceptable only if it was barely a head in BGR.
                match self.is_at_threshold(bgr.head.score) {
                    true => changes.rivals += 1,
                    false => changes.wrong.push(format!("{what}: {bgr} is missing")),
                }
                continue;
            };
            if distance(bgr, &yuv) > BOX_PX {
                match self.is_rival(&yuv) {
                    true => changes.rivals += 1,
                    false => changes.wrong.push(format!("{what}: {bgr} became {yuv}")),
                }
            }
            changes.moved_boxes += usize::from(bgr.corners() != yuv.corners());
            let (a, b) = (bgr.head.angles, yuv.head.angles);
            let degrees = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll];
            changes.degrees.push(degrees.map(turn));
        }
        for yuv in found {
            match self.is_rival(&yuv) {
                true => changes.rivals += 1,
                false => changes.wrong.push(format!("{what}: {yuv} is new")),
            }
        }
    }

    /// Whether this box of the YUV frame is right although BGR has another or none: the detector finds
    /// it in BGR too, with nearly the same score, but it lost to another box of the same head; or it
    /// is barely a head. The smallest change of a pixel decides that.
    fn is_rival(&mut self, yuv: &Found) -> bool {
        if self.is_at_threshold(yuv.head.score) {
            return true;
        }
        let mut all = *self.settings;
        all.detector.nms_iou = 1.0;
        all.detector.score_threshold = Some((yuv.head.score - SCORE).max(0.0));
        all.max_heads = 1024;
        let candidates = estimate(self.estimator, &self.picture.view(), &all);
        candidates.iter().any(|bgr| {
            let score = (bgr.head.score - yuv.head.score).abs();
            distance(bgr, yuv) <= BOX_PX && score <= SCORE
        })
    }

    fn is_at_threshold(&self, score: f32) -> bool {
        let threshold = self.settings.detector.score_threshold;
        threshold.is_some_and(|threshold| score <= threshold + SCORE)
    }
}

impl Changes {
    fn check(&mut self, what: &str, most_mean_levels: f64) {
        let mean_levels = self.levels.iter().sum::<f64>() / self.levels.len() as f64;
        let most_levels = self.levels.iter().copied().fold(0.0, f64::max);
        let degrees = self.degrees.iter();
        let each: Vec<f32> = degrees.clone().flatten().copied().collect();
        let worst = degrees
            .clone()
            .map(|d| d.iter().copied().fold(0.0, f32::max));
        let worst: Vec<f32> = worst.collect();
        let [yaw, pitch, roll] = [0, 1, 2].map(|i| median(degrees.clone().map(|d| d[i]).collect()));
        let all = median(each.clone());
        let mean = each.iter().sum::<f32>() / each.len() as f32;
        let max = worst.iter().copied().fold(0.0, f32::max);
        println!(
            "{what:30} {} heads, {} boxes moved, {} rivals; degrees: median {all:.2} (yaw {yaw:.2} \
             pitch {pitch:.2} roll {roll:.2}; worst of each head {:.2}) mean {mean:.2} max {max:.2}; \
             crop levels: mean {mean_levels:.2} max {most_levels:.2}",
            self.heads,
            self.moved_boxes,
            self.rivals,
            median(worst),
        );
        let mut fail = |text: String| self.wrong.push(format!("{what}: {text}"));
        for (angle, median) in [("yaw", yaw), ("pitch", pitch), ("roll", roll)] {
            if median > MEDIAN_DEGREES {
                fail(format!("median change of {angle} {median:.2} degrees"));
            }
        }
        if mean_levels > most_mean_levels {
            fail(format!("crops off by {mean_levels:.2} levels"));
        }
        let (rivals, heads) = (self.rivals, self.heads);
        if rivals * HEADS_PER_RIVAL > heads {
            fail(format!("{rivals} of {heads} heads changed boxes"));
        }
    }
}

/// Checks every YUV format and matrix against BGR, over all `pictures`; prints the changes, even if they are
/// too large. The same crop of both frames may differ by `crop_levels`, as a mean over all crops.
pub fn check(
    name: &str,
    estimator: &mut HeadPoseEstimator,
    settings: &Settings,
    pictures: &[(String, Picture)],
    crop_levels: f64,
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
                let mut comparison = Comparison {
                    estimator,
                    settings,
                    picture,
                };
                comparison.add(&frame, reference, &mut changes, &format!("{what} {file}"));
            }
            changes.check(&what, crop_levels);
            wrong.append(&mut changes.wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The size of a difference of two angles in degrees.
pub fn turn(difference: f32) -> f32 {
    let turn = difference.rem_euclid(360.0);
    turn.min(360.0 - turn)
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    let n = values.len();
    (values[(n - 1) / 2] + values[n / 2]) / 2.0
}

/// The largest difference of a corner coordinate.
fn distance(a: &Found, b: &Found) -> f32 {
    let pairs = a.corners().into_iter().zip(b.corners());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Removes the same head from `found`: scores change a little, and with them the order.
fn take_nearest(head: &Found, found: &mut Vec<Found>) -> Option<Found> {
    let overlap = |other: &Found| head.head.rect.iou(&other.head.rect);
    let overlaps = found.iter().map(overlap).enumerate();
    let (index, best) = overlaps.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (best > 0.5).then(|| found.swap_remove(index))
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)));
    let sum: u64 = differences.sum();
    sum as f64 / a.len() as f64
}

// SPDX-License-Identifier: MPL-2.0
//! The differences when the same picture arrives as YUV: rounding and subsampled chroma change pixels by a level
//! or two, most where colours are strong, and the pose networks react by a degree or so.

use gstdmheadpose::estimator::{HeadPoseEstimator, Settings};

use crate::estimate::{Found, Picture, cut, estimate};
use crate::yuv::{FORMATS, MATRICES, YuvFrame};

const BOX_PX: f32 = 2.0;
/// Limit of the median over all heads, for yaw, pitch and roll alike, in degrees.
const MEDIAN_DEGREES: f32 = 1.5;
/// One in this many heads may come, go or get another of the detector's boxes: the smallest change of a pixel decides
/// between two boxes with nearly the same score, and at the threshold.
const HEADS_PER_RIVAL: usize = 7;

/// Checks every YUV format and matrix against BGR, over all `pictures`. The same crop of both frames may differ by
/// `crop_levels`, as a mean over all crops: if a box moves by a pixel, the crops in the network show other pixels.
pub fn check(
    name: &str,
    estimator: &mut HeadPoseEstimator,
    settings: &Settings,
    pictures: &[(String, Picture)],
    crop_levels: f64,
) {
    let views = pictures.iter().map(|(_, picture)| picture.view());
    let references: Vec<_> = views
        .map(|view| estimate(estimator, &view, settings))
        .collect();
    for (format, matrix) in FORMATS
        .iter()
        .flat_map(|f| MATRICES.iter().map(move |m| (*f, m)))
    {
        let what = format!("{name} {format:?} {}", matrix.name);
        let (mut heads, mut rivals) = (0, 0);
        let (mut levels, mut degrees) = (Vec::new(), [const { Vec::new() }; 3]);
        for ((_, picture), reference) in pictures.iter().zip(&references) {
            let frame = YuvFrame::new(picture, format, matrix);
            let found = estimate(estimator, &frame.view(), settings);
            let size = estimator.pose().first().input_size();
            heads += reference.len();
            rivals += found.len().saturating_sub(reference.len());
            for bgr in reference {
                let cut = cut(&frame.view(), bgr.crop, size);
                levels.push(mean_difference(&bgr.pixels, &cut));
                let Some(yuv) = found.iter().find(|yuv| distance(bgr, yuv) <= BOX_PX) else {
                    rivals += 1;
                    continue;
                };
                let (a, b) = (bgr.head.angles, yuv.head.angles);
                let off = [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll];
                for (all, off) in degrees.iter_mut().zip(off) {
                    all.push(turn(off));
                }
            }
        }
        let medians = degrees.map(median);
        let mean_levels = levels.iter().sum::<f64>() / levels.len() as f64;
        println!(
            "{what}: {heads} heads, {rivals} rivals, median change of yaw, pitch, roll {medians:.2?} degrees, crops {mean_levels:.2} levels"
        );
        assert!(
            medians.iter().all(|median| *median <= MEDIAN_DEGREES),
            "{what}: {medians:?}"
        );
        assert!(
            mean_levels <= crop_levels,
            "{what}: crops off by {mean_levels}"
        );
        assert!(
            rivals * HEADS_PER_RIVAL <= heads,
            "{what}: {rivals} of {heads} heads changed boxes"
        );
    }
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

fn distance(a: &Found, b: &Found) -> f32 {
    let pairs = a.corners().into_iter().zip(b.corners());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)));
    let sum: u64 = differences.sum();
    sum as f64 / a.len() as f64
}

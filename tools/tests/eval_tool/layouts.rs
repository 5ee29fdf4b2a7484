// SPDX-License-Identifier: MPL-2.0
//! The public data sets' layouts, with pictures whose crop alone has the colour that gives the answer.

use image::{ImageEncoder, Rgb, RgbImage, codecs::jpeg::JpegEncoder};

use crate::toys::common::in_repository;
use crate::{Folder, assert_row, report};

/// A black picture with one grey box, given by its corners.
fn with_box(width: u32, height: u32, level: u8, [x0, y0, x1, y1]: [u32; 4]) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let inside = x >= x0 && x < x1 && y >= y0 && y < y1;
        Rgb([if inside { level } else { 0 }; 3])
    })
}

fn save_jpeg(folder: &Folder, name: &str, picture: &RgbImage) {
    let file = std::fs::File::create(folder.path(name)).unwrap();
    let (width, height) = picture.dimensions();
    let kind = image::ExtendedColorType::Rgb8;
    let encoder = JpegEncoder::new_with_quality(file, 100);
    encoder.write_image(picture, width, height, kind).unwrap();
}

/// Annotations whose landmarks span 100, 150 to 200, 250. At grey of 140 the answer is yaw 40, pitch 50,
/// roll 5.
fn aflw2000(name: &str, crop: [u32; 4]) -> Folder {
    let folder = Folder::new(name);
    for number in ["00002", "00004", "00006", "00008"] {
        let mat = format!("tests/fixtures/aflw2000/image{number}.mat");
        let mat = in_repository(&mat);
        std::fs::copy(mat, folder.path(&format!("image{number}.mat"))).unwrap();
        let picture = with_box(450, 450, 140, crop);
        save_jpeg(&folder, &format!("image{number}.jpg"), &picture);
    }
    folder
}

#[test]
fn aflw2000_by_6drepnets_margins() {
    // 40 left and above; then 40 % of 140 right and 12 % of 140 below.
    let folder = aflw2000("aflw", [60, 110, 256, 266]);
    folder.write("image00010.mat", "no MATLAB file");
    let report = report(folder.root(), &[]);
    // Truth: yaw 43, pitch 48, roll 9; yaw 35, pitch 52, roll 1; yaw 140, pitch 50, roll 5.
    assert_row(
        &report,
        "all |angles| <= 99",
        &[2.0, 4.0, 2.0, 4.0, 3.3333],
        0.1,
    );
    assert_row(
        &report,
        "rear, |yaw| > 90",
        &[1.0, 100.0, 0.0, 0.0, 33.3333],
        0.1,
    );
    assert!(
        report.contains("5 annotated, 3 estimated, 2 failed"),
        "{report}"
    );
    assert!(report.contains("beyond 99 degrees: 1 heads"), "{report}");
    assert!(
        report.contains("expected Pose_Para of at least 3 numbers"),
        "{report}"
    );
    assert!(
        report.contains("image00010.mat: expected a MATLAB 5 file"),
        "{report}"
    );
}

#[test]
fn aflw2000_by_other_margins() {
    for (rule, crop) in [
        // 15 left, 60 above; then 15 % of 115 right and 6 % of 160 below.
        ("hopenet", [85, 90, 217, 259]),
        ("dmhead", [80, 140, 224, 261]),
        ("box", [100, 150, 200, 250]),
    ] {
        let folder = aflw2000(rule, crop);
        let report = report(folder.root(), &["--crop", rule]);
        assert_row(&report, "yaw [30, 60)", &[2.0, 4.0, 2.0, 4.0, 3.3333], 0.1);
    }
}

#[test]
fn invisible_landmarks_count_when_asked_for() {
    // All points span -1, -1 to 200, 250; the margins end at 312 and 292. Only the
    // heads with landmarks.
    let folder = aflw2000("invisible", [0, 0, 312, 292]);
    std::fs::remove_file(folder.path("image00004.mat")).unwrap();
    let report = report(folder.root(), &["--keep-invisible"]);
    assert_row(&report, "yaw [30, 60)", &[1.0, 3.0, 2.0, 4.0, 3.0], 0.1);
}

/// A rotation of the data set, `Rx(-pitch) Ry(yaw) Rz(roll)`, for yaw alone.
fn pose_file(yaw: f64, center: &str) -> String {
    let (sin, cos) = yaw.to_radians().sin_cos();
    format!("{cos} 0 {sin} \n0 1 0 \n{} 0 {cos} \n\n{center} \n", -sin)
}

#[test]
fn biwi() {
    let folder = Folder::new("biwi");
    // The colour camera is 20 mm to the right of the depth camera: 1000 / 500 pixels a millimetre.
    let calibration =
        "500 0 320\n0 500 240\n0 0 1\n\n0 0 0 0\n\n1 0 0\n0 1 0\n0 0 1\n\n-20 0 0\n\n640 480\n";
    folder.write("01/rgb.cal", calibration);
    folder.write("01/frame_00003_pose.txt", &pose_file(46.0, "120 40 1000"));
    folder.write("01/frame_00004_pose.txt", &pose_file(-50.0, "120 40 1000"));
    folder.write("01/frame_00005_pose.txt", "1 0 0\n0 1 0\n0 0 1\n\n1 2\n");
    // Centre at 370, 260; the head is 80 x 110 there, 330, 205 to 410, 315; with DMHead's margins:
    let crop = [314, 194, 429, 327];
    for frame in ["00003", "00004"] {
        let picture = with_box(640, 480, 140, crop);
        picture
            .save(folder.path(&format!("01/frame_{frame}_rgb.png")))
            .unwrap();
    }
    let report = report(folder.root(), &[]);
    // The answer is yaw 40, pitch 50, roll 5.
    assert_row(
        &report,
        "yaw [30, 60)",
        &[1.0, 6.0, 50.0, 5.0, 20.3333],
        0.001,
    );
    assert_row(
        &report,
        "yaw [-60, -30)",
        &[1.0, 90.0, 50.0, 5.0, 48.3333],
        0.001,
    );
    assert!(
        report.contains("3 annotated, 2 estimated, 1 failed"),
        "{report}"
    );
    assert!(
        report.contains("12 finite numbers, found 11 numbers"),
        "{report}"
    );
}

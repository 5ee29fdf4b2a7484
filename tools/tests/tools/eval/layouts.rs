// SPDX-License-Identifier: MPL-2.0
//! The public data sets' layouts, with pictures in which only the crop has the colour that encodes the result.

use image::{ImageEncoder, Rgb, RgbImage, codecs::jpeg::JpegEncoder};

use super::{Folder, TOY, assert_errors, assert_near, numbers, report, tool};
use crate::common::in_repository;

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

/// Annotations whose landmarks span 100, 150 to 200, 250. At grey of 140 the result is yaw 40, pitch 50,
/// roll 5.
fn aflw2000(name: &str, crop: [u32; 4]) -> Folder {
    let folder = Folder::new(name);
    for number in ["00002", "00004", "00006", "00008"] {
        let mat = format!("tests/fixtures/aflw2000/image{number}.mat");
        std::fs::copy(
            in_repository(&mat),
            folder.path(&format!("image{number}.mat")),
        )
        .unwrap();
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
    assert_errors(
        &report,
        "true pose",
        "all angles up to 99",
        &[2.0, 4.0, 2.0, 4.0, 3.3333],
        0.1,
    );
    assert_errors(
        &report,
        "true pose",
        "rear, yaw beyond 90",
        &[1.0, 100.0, 0.0, 0.0, 33.3333],
        0.1,
    );
    assert!(report.contains("Heads: 5 annotated"), "{report}");
    assert_eq!(numbers(&report, "model", &[TOY]), [3.0, 0.0, 2.0]);
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
        let errors = [2.0, 4.0, 2.0, 4.0, 3.3333];
        assert_errors(&report, "±yaw", "30 to 60", &errors, 0.1);
    }
}

#[test]
fn invisible_landmarks_count_when_asked_for() {
    // All points span -1, -1 to 200, 250; the margins end at 312 and 292. Only heads
    // with landmarks.
    let folder = aflw2000("invisible", [0, 0, 312, 292]);
    std::fs::remove_file(folder.path("image00004.mat")).unwrap();
    let report = report(folder.root(), &["--keep-invisible"]);
    assert_errors(&report, "±yaw", "30 to 60", &[1.0, 3.0, 2.0, 4.0, 3.0], 0.1);
}

/// A rotation of the data set, `Rx(-pitch) Ry(yaw) Rz(roll)`, with yaw only.
fn pose_file(yaw: f64, center: &str) -> String {
    let (sin, cos) = yaw.to_radians().sin_cos();
    format!("{cos} 0 {sin} \n0 1 0 \n{} 0 {cos} \n\n{center} \n", -sin)
}

#[test]
fn biwi() {
    let folder = Folder::new("biwi");
    // The colour camera is 20 mm to the right of the depth camera: 1000 / 500 pixels per millimetre.
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
    // The result is yaw 40, pitch 50, roll 5: off by 6 and 90 in yaw, to the two sides.
    let errors = [2.0, 48.0, 50.0, 5.0, 34.33];
    assert_errors(&report, "±yaw", "30 to 60", &errors, 0.01);
    assert_eq!(
        numbers(&report, "yaw", &["30 to 60", TOY]),
        [1.0, -6.0, 50.0, 5.0]
    );
    assert_eq!(
        numbers(&report, "yaw", &["-60 to -30", TOY]),
        [1.0, 90.0, 50.0, 5.0]
    );
    assert_eq!(numbers(&report, "model", &[TOY]), [2.0, 0.0, 1.0]);
    assert!(
        report.contains("12 finite numbers, found 11 numbers"),
        "{report}"
    );
}

/// One grey picture per pose, all with the result yaw 40, pitch 20, roll -10: pan 41.77, tilt 15.19 and a
/// different roll as well.
fn pointing04(name: &str, boxes: bool) -> Folder {
    let folder = Folder::new(name);
    folder.write("Person01/person01100.txt", "no picture");
    let mut table = String::from("file,x,y,w,h\n");
    for pose in ["+15+45", "+15-45", "+0+90", "+0-90", "-60+30"] {
        let file = format!("Person01/person01100{pose}.jpg");
        let picture = RgbImage::from_pixel(64, 64, Rgb([140, 80, 80]));
        save_jpeg(&folder, &file, &picture);
        table += &format!("{file},8,8,48,48\n");
    }
    if boxes {
        folder.write("heads.csv", &table);
    }
    folder
}

#[test]
fn pointing04_is_compared_as_azimuth_and_elevation() {
    let folder = pointing04("pointing", true);
    let report = report(folder.root(), &["--by", "person"]);
    let errors = |column, name| numbers(&report, column, &[name, TOY]);
    let front = errors("true pose", "pan up to 45, tilt up to 30");
    // Off by 3.23 and 86.77 in pan, by 0.19 in tilt.
    assert_near(&report, "front", &front[..3], &[2.0, 45.0, 0.19], 0.3);
    assert_eq!(errors("true pose", "tilt up to 30")[0], 4.0);
    assert_eq!(errors("true pose", "all")[0], 5.0);
    assert_eq!(errors("true pose", "person = 01")[0], 4.0);
    // 90 degrees to either side are in the same bin.
    assert_eq!(errors("±pan", "60 to 90")[0], 2.0);
    assert!(
        super::rows(&report, "±pan", &["90 to 120"]).is_empty(),
        "{report}"
    );
    // To the left 41.77; to the right the same value with the wrong sign.
    let sides = errors("±pan", "45");
    assert_near(
        &report,
        "45",
        &sides,
        &[1.0, 1.0, 41.77, -41.77, 83.53],
        0.4,
    );
    assert!(report.contains("Tilt labels exceed"), "{report}");
}

#[test]
fn pointing04_without_boxes_takes_the_detectors_best() {
    let folder = pointing04("pointing-detector", false);
    let output = tool(folder.root(), &[]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && printed.contains("use --boxes detector"),
        "{printed}"
    );
    let report = report(folder.root(), &["--boxes", "detector"]);
    assert_eq!(numbers(&report, "model", &[TOY]), [5.0, 0.0, 0.0]);
}

// SPDX-License-Identifier: MPL-2.0
//! A CSV file as data set: means, the rules, failures, and the written files.

use std::path::PathBuf;

use image::{Rgb, RgbImage};

use super::{Folder, TOY, assert_errors, command, numbers, printed, report, rows, tool, tool_with};
use crate::common::toys::fixture;

/// With these colours the toy model returns yaw 40, pitch 20, roll -10, and yaw 155, pitch 30, roll 5.
const FACE: [u8; 3] = [140, 80, 80];
const REAR: [u8; 3] = [255, 140, 100];

fn data_set(name: &str) -> (Folder, PathBuf) {
    let folder = Folder::new(name);
    folder.paint("face.png", FACE);
    folder.paint("rear.png", REAR);
    // Off by 3, -2, 4; by 5, 6, -1; by -26 the short way, 0, 5; the fourth has a pitch beyond 99.
    let table = "file,x,y,w,h,yaw,pitch,roll,remark
face.png,10,10,30,30,37,22,-14,one
face.png,12,8,30,30,35,14,-9,two
rear.png,10,10,30,30,-179,30,0,around
face.png,10,10,30,30,40,100,-10,beyond
missing.png,10,10,30,30,0,0,0,failure
face.png,70,10,30,30,0,0,0,outside
face.png,10,10,30,thirty,0,0,0,no number
";
    let path = folder.write("heads.csv", table);
    (folder, path)
}

#[test]
fn known_errors_are_printed_exactly() {
    let (_folder, path) = data_set("exact");
    let report = report(&path, &[]);
    let exact = |column, name, want: &[f64; 5]| assert_errors(&report, column, name, want, 0.0);
    let front = [2.0, 4.0, 4.0, 2.5, 3.5];
    exact("true pose", "all angles up to 99", &front);
    exact("true pose", "front, yaw up to 90", &front);
    exact(
        "true pose",
        "rear, yaw beyond 90",
        &[1.0, 26.0, 0.0, 5.0, 10.33],
    );
    exact("±yaw", "30 to 60", &front);
    exact("±yaw", "150 to 180", &[1.0, 26.0, 0.0, 5.0, 10.33]);
    assert!(rows(&report, "±yaw", &["0 to 30"]).is_empty(), "{report}");
    // Even turned 155 degrees to the other side, it is still seen from behind.
    let sides = |name| numbers(&report, "true ±yaw", &[name, TOY]);
    assert_eq!(sides("rear, beyond 120"), [1.0, 0.0, 1.0, 100.0]);
    assert_eq!(sides("front, up to 90"), [2.0, 2.0, 0.0, 0.0]);
    assert_eq!(
        numbers(&report, "yaw", &["-180 to -150", TOY]),
        [1.0, -26.0, 0.0, 5.0]
    );
    assert!(report.contains("Heads: 7 annotated"), "{report}");
    assert_eq!(numbers(&report, "model", &[TOY]), [4.0, 0.0, 3.0]);
    for failure in [
        "missing.png: cannot read",
        "face.png: no pose",
        "\"thirty\" as h",
    ] {
        assert!(report.contains(failure), "{failure}: {report}");
    }
}

#[test]
fn the_limit_can_be_chosen() {
    let (_folder, path) = data_set("limit");
    let report = report(&path, &["--max-angle", "180"]);
    // Now with -26, 0, 5 and 0, -80, 0.
    let want = [4.0, 8.5, 22.0, 2.5, 11.0];
    assert_errors(&report, "true pose", "all angles up to 180", &want, 0.0);
}

#[test]
fn every_head_is_written() {
    let (folder, path) = data_set("written");
    let (csv, plots) = (folder.path("out.csv"), folder.path("plots"));
    report(
        &path,
        &[
            "--csv",
            csv.to_str().unwrap(),
            "--plots",
            plots.to_str().unwrap(),
        ],
    );
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let names = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 7);
    let cell = |row: usize, name: &str| {
        let column = names.iter().position(|have| have == name).unwrap();
        rows[row][column].to_string()
    };
    let status: Vec<_> = (0..7).map(|row| cell(row, "status")).collect();
    let want = [
        "scored", "scored", "left-out", "left-out", "failed", "failed", "failed",
    ];
    assert_eq!(status, want);
    let number = |row, name| cell(row, name).parse::<f32>().unwrap();
    assert_eq!((number(0, "true_yaw"), number(0, "yaw")), (37.0, 40.0));
    let errors = ["error_yaw", "error_pitch", "error_roll"];
    assert_eq!(errors.map(|name| number(0, name)), [3.0, -2.0, 4.0]);
    assert_eq!(number(2, "error_yaw"), -26.0);
    assert_eq!(cell(4, "yaw"), "");
    assert!(cell(4, "reason").starts_with("cannot read the picture"));
    for plot in [
        "answer-over-label.png",
        "error-over-yaw.png",
        "confusion.png",
    ] {
        let picture = image::open(plots.join(plot)).unwrap().into_rgb8();
        let blue = picture.pixels().filter(|p| p.0[2] > 200 && p.0[0] < 180);
        assert!(blue.count() > 200, "{plot}: no blue beside the legend");
    }
}

/// The toy detector finds heads at 4, 4 to 12, 16 and at 18, 8 to 26, 24 of pictures of 32x32.
#[test]
fn heads_that_the_detector_misses_are_failures() {
    let folder = Folder::new("detector");
    RgbImage::from_pixel(32, 32, Rgb(FACE))
        .save(folder.path("face.png"))
        .unwrap();
    let table = "file,x,y,w,h,yaw,pitch,roll
face.png,5,4,8,12,39,20,-10
face.png,18,8,8,16,40,20,-10
face.png,26,26,6,6,40,20,-10
face.png,16,8,8,6,40,20,-10
";
    let path = folder.write("heads.csv", table);
    let found = report(&path, &["--boxes", "detector"]);
    assert_eq!(numbers(&found, "model", &[TOY]), [2.0, 2.0, 0.0]);
    let want = [2.0, 0.5, 0.0, 0.0, 0.17];
    assert_errors(&found, "true pose", "all angles up to 99", &want, 0.0);
    let loose = report(&path, &["--boxes", "detector", "--min-iou", "0.2"]);
    assert_eq!(numbers(&loose, "model", &[TOY]), [3.0, 1.0, 0.0]);
}

/// A model with yaw first and one with pitch first, side by side on the same picture.
#[test]
fn several_models_are_compared_in_one_run() {
    let (folder, path) = data_set("several");
    let csv = folder.path("out.csv");
    let (toy, other) = (fixture(TOY), fixture("pose_pitch_first_Nx3x32x32"));
    let models = [
        format!("one={toy}"),
        format!("{other},crop=square,crop-margin=0"),
        format!("pair={toy}+{other}"),
    ];
    let mut command = command(&path, &["--csv", csv.to_str().unwrap()]);
    for model in &models {
        command.args(["--model", model]);
    }
    let report = printed(command.output().unwrap());
    let rows = rows(&report, "true pose", &["all angles up to 99"]);
    let names: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["one", "pose_pitch_first_Nx3x32x32", "pair"]);
    let alone = self::report(&path, &[]);
    let one = numbers(&report, "true pose", &["all angles up to 99", "one"]);
    assert_eq!(
        one,
        numbers(&alone, "true pose", &["all angles up to 99", TOY])
    );
    assert_ne!(rows[0][1..], rows[1][1..], "{report}");
    let lines = std::fs::read_to_string(csv).unwrap().lines().count();
    assert_eq!(lines, 1 + 3 * 7);
}

#[test]
fn heads_are_chosen_and_grouped_by_a_column() {
    let (_folder, path) = data_set("chosen");
    let chosen = report(&path, &["--where", "remark=one,around", "--by", "remark"]);
    let names = rows(&chosen, "true pose", &[]);
    let names: Vec<_> = names.iter().map(|row| row[0].as_str()).collect();
    let groups = ["remark = around", "remark = one"];
    assert!(groups.iter().all(|group| names.contains(group)), "{chosen}");
    assert!(!names.contains(&"remark = two"), "{chosen}");
    let output = tool(&path, &["--where", "remark=nothing"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{stderr}");
}

/// The reader of the tables may stop early, as `head` does.
#[test]
fn a_closed_pipe_does_not_lose_the_csv() {
    let (folder, path) = data_set("pipe");
    let csv = folder.path("out.csv");
    let mut command = command(
        &path,
        &[
            "--pose-model",
            &fixture(TOY),
            "--csv",
            csv.to_str().unwrap(),
        ],
    );
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(std::fs::read_to_string(csv).unwrap().lines().count(), 8);
}

#[test]
fn unreadable_files_are_reported() {
    let folder = Folder::new("unreadable");
    let path = folder.write("heads.csv", "name,yaw\na,1\n");
    let output = tool(&path, &[]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        stderr.contains(
            "the columns file, x, y, w, h, yaw, pitch, roll, found the columns name, yaw"
        ),
        "{stderr}"
    );
    for (name, said) in [
        ("heads.csv.not", "found"),
        ("", "a folder with none of them"),
    ] {
        let output = tool(&folder.path(name), &[]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && stderr.contains(said),
            "{stderr}"
        );
    }
}

#[test]
fn models_that_are_not_one_of_a_kind_are_named() {
    let (_folder, path) = data_set("families");
    for (arguments, succeeds, said) in [
        (&["--pose-family", "6drepnet"][..], true, ""),
        (&[], false, "where pose-family names it"),
        (
            &["--pose-family", "6d"],
            false,
            "expected one of auto, turnnet, dmhead",
        ),
        (
            &[
                "--pose-family",
                "6drepnet",
                "--boxes",
                "detector",
                "--detector-family",
                "post",
            ],
            false,
            "rows_nhwc_32x32",
        ),
    ] {
        let output = tool_with("sixdrepnet_6d", &path, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), succeeds, "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}

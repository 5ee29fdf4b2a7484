// SPDX-License-Identifier: MPL-2.0
//! A CSV file as data set: means, the rules, failures, and what is written.

use std::path::PathBuf;

use image::{Rgb, RgbImage};

use crate::{Folder, assert_row, report, row, tool, tool_with};

/// At these colours the toy model answers yaw 40, pitch 20, roll -10, and yaw 155, pitch 30, roll 5.
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
    let exact = |name, want: &[f64]| assert_row(&report, name, want, 0.0);
    let front = [2.0, 4.0, 4.0, 2.5, 3.5];
    exact("all |angles| <= 99", &front);
    exact("front, |yaw| <= 90", &front);
    exact("rear, |yaw| > 90", &[1.0, 26.0, 0.0, 5.0, 10.3333]);
    exact("yaw [30, 60)", &front);
    exact("yaw [-180, -150)", &[1.0, 26.0, 0.0, 5.0, 10.3333]);
    assert_eq!(row(&report, "yaw [0, 30)")[0], 0.0);
    assert!(
        report.contains("Heads: 7 annotated, 4 estimated, 3 failed"),
        "{report}"
    );
    assert!(
        report.contains("A true angle beyond 99 degrees: 2 heads"),
        "{report}"
    );
    for failure in [
        "missing.png: cannot read",
        "face.png: no pose",
        "invalid float",
    ] {
        assert!(report.contains(failure), "{failure}: {report}");
    }
}

#[test]
fn the_limit_can_be_chosen() {
    let (_folder, path) = data_set("limit");
    let report = report(&path, &["--max-angle", "180"]);
    // Now with -26, 0, 5 and 0, -80, 0.
    assert_row(
        &report,
        "all |angles| <= 180",
        &[4.0, 8.5, 22.0, 2.5, 11.0],
        0.0,
    );
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
    for plot in ["yaw.png", "error-by-yaw.png"] {
        let plot = image::open(plots.join(plot)).unwrap().into_rgb8();
        let blue = plot.pixels().filter(|p| p.0[2] > 200 && p.0[0] < 160);
        assert!(blue.count() > 20, "no blue dot or bar");
    }
}

/// The toy detector sees heads at 4, 4 to 12, 16 and at 18, 8 to 26, 24 of pictures of 32x32.
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
    assert!(
        found.contains("Heads: 4 annotated, 2 estimated, 2 failed"),
        "{found}"
    );
    assert_row(
        &found,
        "all |angles| <= 99",
        &[2.0, 0.5, 0.0, 0.0, 0.1667],
        0.0,
    );
    let loose = report(&path, &["--boxes", "detector", "--min-iou", "0.2"]);
    assert!(
        loose.contains("Heads: 4 annotated, 3 estimated, 1 failed"),
        "{loose}"
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = Folder::new("unreadable");
    let path = folder.write("heads.csv", "name,yaw\na,1\n");
    let output = tool(&path, &[]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(
        printed.contains("the columns file, x, y, w, h, yaw, pitch, roll"),
        "{printed}"
    );
    for (name, said) in [("heads.csv.not", "found"), ("", "a folder with neither")] {
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
            "expected one of auto, dmhead",
        ),
        (&["--detector-family", "post"], false, "rows_nhwc_32x32"),
    ] {
        let output = tool_with("sixdrepnet_6d", &path, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), succeeds, "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}

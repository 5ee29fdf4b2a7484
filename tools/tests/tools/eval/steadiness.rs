// SPDX-License-Identifier: MPL-2.0
//! Consistency of a toy model that ignores mirroring and rotation, so that the remaining difference is known.

use super::{Folder, assert_row, report, tool};

#[test]
fn a_model_blind_to_the_mirror_is_off_by_twice_its_result() {
    let folder = Folder::new("mirror");
    // Yaw 40, pitch 20, roll -10 and yaw 20, pitch 20, roll -10, for two heads per picture.
    folder.paint("a.png", [140, 80, 80]);
    folder.paint("b.png", [120, 80, 80]);
    folder.write("notes.txt", "no picture");
    folder.write("broken.png", "no picture either");
    let report = report(folder.root(), &["--consistency"]);
    assert!(
        report.contains("Heads: 4 in 2 pictures, 0 lost"),
        "{report}"
    );
    assert!(report.contains("broken.png"), "{report}");
    assert_row(&report, "mirrored, yaw", &[4.0, 60.0, 60.0, 80.0], 0.0);
    assert_row(&report, "mirrored, pitch", &[4.0, 0.0, 0.0, 0.0], 0.0);
    assert_row(&report, "mirrored, roll", &[4.0, 20.0, 20.0, 20.0], 0.0);
}

#[test]
fn a_model_blind_to_the_turn_is_off_by_the_turn() {
    let folder = Folder::new("turn");
    // Yaw, pitch and roll 0.
    folder.paint("a.jpg", [100, 120, 40]);
    let report = report(folder.root(), &["--consistency", "--turn", "7"]);
    let name = "turned by 7 and -7";
    assert_row(
        &report,
        &format!("{name}, roll"),
        &[4.0, 7.0, 7.0, 7.0],
        0.8,
    );
    assert_row(
        &report,
        &format!("{name}, rotation"),
        &[4.0, 7.0, 7.0, 7.0],
        0.8,
    );
    assert_row(&report, &format!("{name}, yaw"), &[4.0, 0.0, 0.0, 0.0], 1.2);
}

#[test]
fn pictures_without_heads_give_no_figure() {
    let folder = Folder::new("none");
    folder.paint("a.png", [140, 80, 80]);
    let output = tool(
        folder.root(),
        &["--consistency", "--score-threshold", "0.99"],
    );
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && stderr.contains("no head"),
        "{stderr}"
    );
}

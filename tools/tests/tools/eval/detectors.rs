// SPDX-License-Identifier: MPL-2.0
//! A toy detector evaluated on labelled boxes. In pictures of 32x32 it finds heads at 4, 4 to 12, 16 and at 18, 8 to
//! 26, 24, with scores of 0.9 and 0.8.

use std::path::Path;

use super::{Folder, command, numbers, printed, rows};

const DETECTOR: &str = "rows_nhwc_32x32";

fn report(path: &Path, arguments: &[&str]) -> String {
    let arguments = [&["--detector", "--min-size", "4"], arguments].concat();
    printed(command(path, &arguments).output().unwrap())
}

fn picture(folder: &Folder, name: &str) {
    let path = folder.path(name);
    image::RgbImage::from_pixel(32, 32, image::Rgb([140, 80, 80]))
        .save(path)
        .unwrap();
}

/// The same labels in each form. First picture: a front head that is found, one from behind that is not, and the
/// second detection false. Second picture: one head found, and one ignored.
fn forms(folder: &Folder) -> [std::path::PathBuf; 3] {
    for name in ["a.png", "b.png"] {
        picture(folder, name);
    }
    let table = "file,x,y,w,h,side,ignore,split
a.png,4,4,8,12,front,,val
a.png,0,20,6,10,rear,,val
b.png,4,4,8,12,front,0,train
b.png,18,8,8,16,front,1,train
";
    let list = r#"[{"file":"a.png","split":"val","boxes":[[4,4,8,12,0],[0,20,6,10,0]]},
        {"file":"b.png","split":"train","boxes":[[4,4,8,12],[18,8,8,16,1]]}]"#;
    let object = r#"{"what":"corners","a.png":[[4,4,12,16,"f"],[0,20,6,30,"b"]],
        "b.png":[[4,4,12,16,"f"],[18,8,26,24,"i"]]}"#;
    [
        folder.write("heads.csv", table),
        folder.write("list.json", list),
        folder.write("object.json", object),
    ]
}

#[test]
fn every_form_of_labels_gives_the_same_figures() {
    let folder = Folder::new("forms");
    for path in forms(&folder) {
        let report = report(&path, &[]);
        let all = numbers(&report, "pictures", &["all", DETECTOR, "rows"]);
        // Three heads count; two are found at the best score before the false one.
        assert_eq!(all[0], 3.0, "{report}");
        assert!((all[1] - 0.6667).abs() < 1e-3, "{report}");
        assert_eq!(all[3..], [2.0, 66.7, 1.0, 66.7], "{report}");
        assert!(report.contains("heads: 3, 1 ignored"), "{report}");
    }
}

#[test]
fn sides_and_splits_are_counted_apart() {
    let folder = Folder::new("sides");
    let [table, list, object] = forms(&folder);
    for path in [table, object] {
        let report = report(&path, &[]);
        let side = |side| numbers(&report, "heads", &[side, DETECTOR]);
        assert_eq!(side("front"), [2.0, 2.0, 100.0]);
        assert_eq!(side("rear"), [1.0, 0.0, 0.0]);
        assert!(rows(&report, "heads", &["profile"]).is_empty(), "{report}");
    }
    let split = report(&list, &["--where", "split=val"]);
    let found = numbers(&split, "pictures", &["all", DETECTOR, "rows"]);
    assert_eq!((found[0], found[3], found[5]), (2.0, 1.0, 1.0), "{split}");
    let both = report(&list, &["--by", "split"]);
    assert_eq!(rows(&both, "pictures", &[]).len(), 3, "{both}");
}

#[test]
fn pictures_may_be_elsewhere_or_missing() {
    let folder = Folder::new("elsewhere");
    std::fs::create_dir_all(folder.path("pictures")).unwrap();
    picture(&folder, "pictures/a.png");
    let labels = folder.write(
        "labels/list.json",
        r#"[{"file":"a.png","boxes":[]},{"file":"c.png","boxes":[]}]"#,
    );
    let pictures = folder.path("pictures");
    let report = report(&labels, &["--pictures", pictures.to_str().unwrap()]);
    let found = numbers(&report, "pictures", &["all", DETECTOR, "rows"]);
    // Without a head there is no average precision; both detections are false.
    assert!(found[1].is_nan(), "{report}");
    assert_eq!((found[3], found[5]), (0.0, 2.0), "{report}");
    assert!(
        report.contains("not a picture: ") && report.contains("c.png"),
        "{report}"
    );
}

#[test]
fn invalid_labels_are_refused() {
    let folder = Folder::new("wrong");
    for (name, text, said) in [
        (
            "a.csv",
            "picture,x\na.png,1\n",
            "found the columns picture, x",
        ),
        (
            "b.csv",
            "file,x,y,w,h,side\na.png,1,1,4,4,left\n",
            "found the side \"left\"",
        ),
        ("a.json", r#"[{"file":"a.png"}]"#, "without boxes"),
        ("b.json", r#"{"a.png":[[1,2,3]]}"#, "[1,2,3] in a.png"),
        ("c.json", "[]", "found no picture"),
    ] {
        let path = folder.write(name, text);
        let output = command(&path, &["--detector"]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && stderr.contains(said),
            "{name}: {stderr}"
        );
    }
}

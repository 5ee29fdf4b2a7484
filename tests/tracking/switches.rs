// SPDX-License-Identifier: MPL-2.0
//! How often the tracker confuses people, on generated scenes, compared with a public SORT.
//!
//! It counts IDSW of CLEAR MOT (Bernardin and Stiefelhagen 2008), the identity switches in MOTA: a person
//! gets another number than the last time. The owner of each box is known here, and need not be
//! found by overlap. SORT's results on the same boxes are stored in tests/reference/sort_tracks.json, by
//! sort_tracks.py there.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use gstdmheadpose::estimator::geometry::Rect;
use gstdmheadpose::estimator::track::tracker::Tracker;

use crate::scenes::{self, Scene, Seen};

/// The element's default.
const MAX_LOST: Duration = Duration::from_secs(1);

/// The numbers that the tracker gives the boxes of each frame.
fn follow(scene: &Scene) -> Vec<Vec<u64>> {
    let mut tracker = Tracker::default();
    let mut tracks = Vec::new();
    let frames = scene.frames.iter().enumerate();
    frames
        .map(|(number, seen)| {
            let boxes: Vec<Rect> = seen.iter().map(|seen| seen.rect).collect();
            tracker.update(Some(scene.time(number)), &boxes, MAX_LOST, &mut tracks);
            let ids = tracks.iter().map(|&index| tracker.track(index).unwrap().id);
            ids.collect()
        })
        .collect()
}

fn switches(scene: &Scene, ids: &[Vec<u64>]) -> usize {
    let mut last = HashMap::new();
    let mut switches = 0;
    for (seen, ids) in scene.frames.iter().zip(ids) {
        for (seen, &id) in seen.iter().zip(ids) {
            let Some(person) = seen.person else { continue };
            if last.insert(person, id).is_some_and(|before| before != id) {
                switches += 1;
            }
        }
    }
    switches
}

/// One line per box: frame from 1, its corner and extent, person (-1: a false box).
fn table(scene: &Scene) -> String {
    let mut text = String::new();
    for (number, seen) in (1..).zip(&scene.frames) {
        for Seen { rect, person } in seen {
            let Rect { x, y, w, h } = *rect;
            let person = person.map_or(-1, |person| person as i64);
            writeln!(text, "{number},{x:.2},{y:.2},{w:.2},{h:.2},{person}").unwrap();
        }
    }
    text
}

/// Each number is given once: there are as many as there were persons.
#[test]
fn everyone_who_enters_gets_a_new_number() {
    let scenes = scenes::simple();
    let named = scenes.iter().find(|s| s.name == "entering and leaving");
    let ids = follow(named.unwrap());
    let mut all: Vec<_> = ids.into_iter().flatten().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[derive(serde::Deserialize)]
struct Reference {
    scenes: HashMap<String, Entry>,
}

#[derive(serde::Deserialize)]
struct Entry {
    /// Of the scene's table, to make sure that all use the same boxes.
    fnv1a: String,
    switches: HashMap<String, usize>,
}

/// FNV-1a, 64 bits.
fn fnv1a(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Also writes the tables for sort_tracks.py into target/tmp/tracks.
#[test]
fn no_identity_switches_in_simple_scenes_and_no_more_than_sort_in_any() {
    let mut scenes = scenes::simple();
    let n_simple = scenes.len();
    scenes.extend(scenes::hard());
    let tables: Vec<String> = scenes.iter().map(table).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tracks");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, (scene, table)) in (1..).zip(scenes.iter().zip(&tables)) {
        let about = format!("# {}, {} frames a second\n", scene.name, scene.frame_rate);
        std::fs::write(folder.join(format!("{number:02}.csv")), about + table).unwrap();
    }

    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/sort_tracks.json");
    let stored = std::fs::read(stored).unwrap();
    let reference: Reference = serde_json::from_slice(&stored).unwrap();
    for (number, (scene, table)) in scenes.iter().zip(&tables).enumerate() {
        let name = scene.name;
        let entry = reference.scenes.get(name);
        let entry = entry.unwrap_or_else(|| panic!("sort_tracks.json knows no scene {name:?}"));
        assert_eq!(
            fnv1a(table),
            entry.fnv1a,
            "{name} has changed, run sort_tracks.py"
        );
        let boxes: usize = scene.frames.iter().map(Vec::len).sum();
        let (ours, sort) = (switches(scene, &follow(scene)), entry.switches["SORT"]);
        println!(
            "{name}: {boxes} boxes, {ours} switches, {:?}",
            entry.switches
        );
        assert!(ours <= sort, "{name}: {ours} switches, SORT makes {sort}");
        assert!(ours == 0 || number >= n_simple, "{name}: {ours} switches");
    }
}

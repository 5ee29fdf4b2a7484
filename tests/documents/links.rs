// SPDX-License-Identifier: MPL-2.0
//! The links between the documents and to files of the repository are valid.

use std::path::{Path, PathBuf};

use crate::common;

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 5, "found only {documents:?}");
    let mut links = 0;
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in targets(&text) {
            if link.contains("://") {
                continue;
            }
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => document.clone(),
                file => document.parent().unwrap().join(file),
            };
            let what = format!("{}: {link}", document.display());
            assert!(target.exists(), "{what}: no such file");
            if !anchor.is_empty() {
                let page = std::fs::read_to_string(&target).unwrap();
                let mut headings = page.lines().filter_map(heading);
                assert!(
                    headings.any(|heading| heading == anchor),
                    "{what}: no such heading"
                );
            }
        }
    }
    assert!(links > 20, "found only {links} links");
}

/// The text in the round brackets of `[text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The anchor that Markdown renderers give a heading.
fn heading(line: &str) -> Option<String> {
    let text = line.trim_start_matches('#');
    if text.len() == line.len() {
        return None;
    }
    let kept = text
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}

fn documents() -> Vec<PathBuf> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    let mut files = vec![common::in_repository("README.md")];
    for folder in ["docs", "models", "tests", "examples"] {
        collect(&common::in_repository(folder), &mut files);
    }
    files
}

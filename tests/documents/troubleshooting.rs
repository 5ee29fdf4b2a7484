// SPDX-License-Identifier: MPL-2.0
//! docs/troubleshooting.md has every message that the elements can post, and none that they cannot.

use std::path::{Path, PathBuf};

use crate::common;

/// What makes a message; its text is the next string.
const MAKERS: [&str; 6] = [
    "#[error(",
    "error_msg!(",
    "element_error!(",
    "element_imp_error!(",
    "element_warning!(",
    "element_imp_warning!(",
];

#[test]
fn every_message_of_the_elements_is_explained() {
    let headings = headings();
    let messages = messages();
    assert!(
        messages.len() >= 15,
        "the source has more messages than {messages:#?}: mend this test"
    );
    for (file, message) in &messages {
        assert!(
            headings.iter().any(|heading| message.starts_with(heading)),
            "{}: docs/troubleshooting.md has no heading for this message:\n{message}",
            file.display()
        );
    }
}

#[test]
fn every_message_that_is_explained_exists() {
    let sources: String = sources()
        .iter()
        .map(|file| normalised(&read(file)))
        .collect();
    for heading in headings() {
        let fragment = heading.split('…').max_by_key(|part| part.len()).unwrap();
        assert!(
            sources.contains(fragment),
            "no message of the source begins with:\n{heading}"
        );
    }
}

/// The beginnings of messages that the page explains.
fn headings() -> Vec<String> {
    let page = read(&common::in_repository("docs/troubleshooting.md"));
    let (_, ours) = page.split_once("\n## Messages of the elements\n").unwrap();
    let (ours, _) = ours.split_once("\n## ").unwrap();
    let heading = |line: &str| {
        let text = line.strip_prefix("### `")?.strip_suffix('`')?;
        let text = text.trim_end_matches('…').trim_end();
        assert!(text.len() > 8, "this heading would fit too much: {line}");
        Some(text.to_string())
    };
    let headings: Vec<_> = ours.lines().filter_map(heading).collect();
    assert!(!headings.is_empty());
    headings
}

/// The texts of the messages in the source, with … for what is filled in.
fn messages() -> Vec<(PathBuf, String)> {
    let mut messages = Vec::new();
    for file in sources() {
        let text = read(&file);
        for maker in MAKERS {
            for (at, _) in text.match_indices(maker) {
                let Some(message) = next_string(&text[at + maker.len()..]) else {
                    continue;
                };
                // One that is filled in whole is another message's text.
                if message.chars().any(char::is_alphabetic) {
                    messages.push((file.clone(), message));
                }
            }
        }
    }
    messages
}

/// The first string literal of an argument list, unless the list ends before.
fn next_string(text: &str) -> Option<String> {
    let start = text.find('"')? + 1;
    if text[..start].contains(';') {
        return None;
    }
    let rest = &text[start..];
    let quotes = rest.match_indices('"').map(|(at, _)| at);
    let end = quotes.into_iter().find(|&at| !rest[..at].ends_with('\\'))?;
    Some(normalised(&rest[..end]))
}

/// As the message reads: continued lines joined, placeholders as …, the marks of doubled braces gone.
fn normalised(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines() {
        let joins = joined.ends_with('\\');
        if joins {
            joined.pop();
        } else if !joined.is_empty() {
            joined.push('\n');
        }
        joined.push_str(if joins { line.trim_start() } else { line });
    }
    let joined = joined
        .replace("{{{", "{")
        .replace("}}}", "}")
        .replace("\\\"", "\"");
    let mut result = String::new();
    let mut rest = joined.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        result.push_str(before);
        match after.split_once('}') {
            Some((name, after)) if is_placeholder(name) => {
                result.push('…');
                rest = after;
            }
            _ => {
                result.push('{');
                rest = after;
            }
        }
    }
    result + rest
}

fn is_placeholder(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_alphanumeric() || "_:?.".contains(c))
}

/// The source of the plugin; the tools print what they have to say themselves.
fn sources() -> Vec<PathBuf> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().unwrap() != "bin" {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(&common::in_repository("src"), &mut files);
    files.sort();
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

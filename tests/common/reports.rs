// SPDX-License-Identifier: MPL-2.0
//! Messages of an element that cannot play, and files that cause them.

use std::path::{Path, PathBuf};

use gst::prelude::*;

use super::in_repository;
use super::toys::{self, GUARD};

#[derive(Debug)]
pub struct Reported {
    pub domain: String,
    pub text: String,
}

pub const NOT_FOUND: &str = "resource not-found";
pub const UNREADABLE: &str = "resource read";
pub const SETTINGS: &str = "library settings";
pub const INIT: &str = "library init";
pub const FAILED: &str = "stream failed";

fn domain(error: &gst::glib::Error) -> &'static str {
    match error {
        _ if error.matches(gst::ResourceError::NotFound) => NOT_FOUND,
        _ if error.matches(gst::ResourceError::Read) => UNREADABLE,
        _ if error.matches(gst::LibraryError::Settings) => SETTINGS,
        _ if error.matches(gst::LibraryError::Init) => INIT,
        _ if error.matches(gst::StreamError::Failed) => FAILED,
        _ => "another",
    }
}

/// Plays three frames and returns all errors that arrive; none if the stream ends normally.
pub fn play(element: &gst::Element) -> Vec<Reported> {
    let line = "videotestsrc name=source num-buffers=3 ! video/x-raw,width=320,height=240 \
                ! identity name=here ! fakesink name=sink";
    let pipeline = toys::pipeline(line, element);
    let [source, sink] = ["source", "sink"].map(|name| pipeline.by_name(name).unwrap());
    let started = pipeline.set_state(gst::State::Playing).is_ok();
    let bus = pipeline.bus().unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let first = bus.timed_pop_filtered(GUARD, &ends);
    let mut messages = vec![first.expect("an error or the end")];
    // Everything has been posted once all elements have stopped; a bus that is flushed with the
    // pipeline would drop it.
    for part in [&sink, element, &source] {
        part.set_state(gst::State::Null).unwrap();
    }
    let more = || bus.pop_filtered(&[gst::MessageType::Error]);
    messages.extend(std::iter::from_fn(more));
    pipeline.set_state(gst::State::Null).unwrap();
    pipeline.remove(element).unwrap();
    let errors: Vec<_> = messages
        .iter()
        .filter_map(|message| match message.view() {
            // A source also reports that it cannot continue when the element behind it has failed.
            gst::MessageView::Error(e) if e.src() != Some(source.upcast_ref()) => Some(e),
            _ => None,
        })
        .map(|error| Reported {
            domain: domain(&error.error()).into(),
            text: error.error().message().into(),
        })
        .collect();
    assert!(started || !errors.is_empty(), "not started, and no message");
    for error in &errors {
        assert_explained(&error.text);
    }
    errors
}

/// Asserts that a heading of docs/troubleshooting.md is this message, with … for its variable parts.
fn assert_explained(message: &str) {
    let page = std::fs::read_to_string(in_repository("docs/troubleshooting.md")).unwrap();
    let headings = page.lines().filter(|line| line.starts_with("### "));
    let mut texts = headings.flat_map(|line| line.split('`').skip(1).step_by(2));
    let begins = |text: &str| {
        let (mut rest, mut parts) = (message, text.split('…'));
        let first = parts.next().unwrap_or_default();
        rest.starts_with(first)
            && parts.all(|part| {
                let found = rest.split_once(part);
                found.map(|(_, after)| rest = after).is_some()
            })
    };
    assert!(
        texts.any(begins),
        "docs/troubleshooting.md has no heading for: {message}"
    );
}

pub fn assert_only(reported: &[Reported], domain: &str, parts: &[&str]) {
    let [one] = reported else {
        panic!("expected one error, found {reported:?}");
    };
    assert_eq!(one.domain, domain, "{one:?}");
    for part in parts {
        assert!(one.text.contains(part), "{part} is not in: {}", one.text);
    }
}

/// A file or folder made by a test.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("errors");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

pub fn file_of(name: &str, content: &[u8]) -> String {
    let path = scratch(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().into()
}

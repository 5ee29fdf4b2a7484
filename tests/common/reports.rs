// SPDX-License-Identifier: MPL-2.0
//! Messages of an element that cannot play, and files that cause them.

use std::path::{Path, PathBuf};

use gst::prelude::*;

use super::in_repository;
use super::toys::GUARD;

/// An error as domain, code and text.
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
    if error.matches(gst::ResourceError::NotFound) {
        NOT_FOUND
    } else if error.matches(gst::ResourceError::Read) {
        UNREADABLE
    } else if error.matches(gst::LibraryError::Settings) {
        SETTINGS
    } else if error.matches(gst::LibraryError::Init) {
        INIT
    } else if error.matches(gst::StreamError::Failed) {
        FAILED
    } else {
        "another"
    }
}

/// Plays three frames and returns all errors that arrive; none if the stream ends normally.
pub fn play(element: &gst::Element) -> Vec<Reported> {
    let pipeline = gst::Pipeline::new();
    let make = |name| gst::ElementFactory::make(name).build().unwrap();
    let (source, sink) = (make("videotestsrc"), make("fakesink"));
    source.set_property("num-buffers", 3);
    pipeline.add_many([&source, element, &sink]).unwrap();
    let caps = gst::Caps::builder("video/x-raw")
        .field("width", 320)
        .field("height", 240);
    source.link_filtered(element, &caps.build()).unwrap();
    element.link(&sink).unwrap();
    let started = pipeline.set_state(gst::State::Playing).is_ok();
    let bus = pipeline.bus().unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let first = bus
        .timed_pop_filtered(GUARD, &ends)
        .expect("an error or the end");
    let mut messages = vec![first];
    // Everything has been posted once all elements have stopped; a bus that is flushed with the
    // pipeline would drop it.
    for part in [&sink, element, &source] {
        part.set_state(gst::State::Null).unwrap();
    }
    messages.extend(std::iter::from_fn(|| {
        bus.pop_filtered(&[gst::MessageType::Error])
    }));
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
    assert!(
        started || !errors.is_empty(),
        "it did not start and said nothing"
    );
    errors
        .iter()
        .for_each(|error| assert_explained(&error.text));
    errors
}

/// That a heading of docs/troubleshooting.md is this message, with … for what is filled in.
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

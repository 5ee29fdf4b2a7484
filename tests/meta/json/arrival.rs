// SPDX-License-Identifier: MPL-2.0
//! Lines in a file.

use gst::prelude::*;

use super::parse;
use crate::common::poses::{self, sample};
use crate::common::toys;

#[test]
fn lines_go_to_a_file() {
    let file = std::env::temp_dir().join(format!("dmheadposejson-{}.jsonl", std::process::id()));
    let pipeline = toys::launch(
        "videotestsrc num-buffers=10 ! video/x-raw,width=320,height=240,framerate=25/1 \
         ! videoconvert name=from ! dmheadposejson ! filesink name=to",
    );
    let to = pipeline.by_name("to").unwrap();
    to.set_property("location", file.to_str().unwrap());
    // The first frame, with which the sink prerolls, and every third one after it go without.
    let pad = toys::pad(&pipeline, "from", "src");
    poses::attach_on(&pad, |number| (number % 3 != 0).then(sample));
    toys::run(&pipeline);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(text.ends_with('\n'));
    let pts = text
        .lines()
        .map(|line| parse(line.as_bytes())["pts"].as_u64());
    let expected = [1, 2, 4, 5, 7, 8].map(|n| Some(n * 40_000_000));
    assert_eq!(pts.collect::<Vec<_>>(), expected);
}

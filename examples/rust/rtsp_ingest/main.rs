// SPDX-License-Identifier: MPL-2.0
//! Head poses of several RTSP cameras in one process, as lines of JSON on standard output:
//!
//! ```text
//! cargo run --release --example rtsp_ingest -- gate=rtsp://10.0.0.11/stream yard=rtspt://10.0.0.12/stream
//! ```
//!
//! `@FILE` stands for the lines of a file: addresses with passwords should not be in the process list, where every
//! user of the machine can read them. Each camera has a name and an address; `rtspt://` is RTSP over TCP only,
//! `rtspu://` over UDP only. All cameras share one set of models. When a camera dies or hangs, it is retried until it is
//! back, and the others are not affected. Events of the cameras are printed on standard error.

mod camera;

use std::error::Error;
use std::io::Write;

use camera::{Camera, Event};

fn main() -> Result<(), Box<dyn Error>> {
    let named = named()?;
    let cameras = named.iter().map(|camera| camera.split_once('='));
    let cameras = cameras.collect::<Option<Vec<_>>>();
    let cameras = cameras
        .filter(|cameras| !cameras.is_empty())
        .ok_or("usage: rtsp_ingest NAME=rtsp://ADDRESS|@FILE...")?;
    gst::init()?;
    // All of them are prepared before any runs, so that problems with the models are found here.
    let cameras = cameras
        .into_iter()
        .map(|(name, uri)| {
            let of = name.to_string();
            Camera::start(name, uri, print_line, move |event| report(&of, event))
        })
        .collect::<Result<Vec<_>, _>>()?;
    std::thread::scope(|scope| {
        for camera in &cameras {
            scope.spawn(|| camera.run());
        }
    });
    Ok(())
}

/// The cameras of the arguments and of the files among them.
fn named() -> Result<Vec<String>, Box<dyn Error>> {
    let mut cameras = Vec::new();
    for argument in std::env::args_os().skip(1) {
        let argument = argument
            .into_string()
            .map_err(|argument| format!("expected UTF-8, found {}", argument.display()))?;
        match argument.strip_prefix('@') {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| format!("cannot read the cameras in {file}: {error}"))?;
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                cameras.extend(lines.map(String::from));
            }
            None => cameras.push(argument),
        }
    }
    Ok(cameras)
}

/// Writes a whole line, because several cameras write at the same time.
fn print_line(line: &[u8]) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(line).and_then(|()| out.flush()) {
        eprintln!("cannot write to standard output: {error}");
        std::process::exit(1);
    }
}

fn report(camera: &str, event: Event) {
    match event {
        Event::Connected => eprintln!("{camera}: connected"),
        Event::Lost { reason, wait } => eprintln!("{camera}: {reason}; again in {wait:?}"),
        Event::Failed { reason, wait } => {
            eprintln!("{camera}: analysis failed: {reason}; again in {wait:?}");
        }
    }
}

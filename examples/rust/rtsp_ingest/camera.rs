// SPDX-License-Identifier: MPL-2.0
//! One camera: a pipeline that stays, with a source that is replaced whenever the camera is lost.
//!
//! ```text
//! rtspsrc ! decodebin ! videoconvert ! watchdog  |  dmheadpose ! dmheadposejson ! queue ! appsink
//! replaced                                          stays: running time, tracks and models go on
//! ```
//!
//! A dead server appears as the end of the stream over TCP and as an error over UDP. A hanging one has no symptom
//! at all; the watchdog turns that into an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

/// The server must answer within five seconds (in microseconds). The first frame may take fifteen (in milliseconds): a
/// firewall that drops UDP costs `rtspsrc` five before it tries TCP, and a key frame may be seconds away.
const SOURCE: &str = "rtspsrc name=rtsp latency=200 tcp-timeout=5000000 ! application/x-rtp,media=video ! decodebin \
                      ! videoconvert ! watchdog name=last timeout=15000";
/// After that, a camera that sends nothing for this many milliseconds counts as hanging.
const SILENCE: i32 = 5000;
/// A reader that is too slow loses lines; the camera is not held up.
const ANALYSIS: &str = "dmheadpose name=heads share-models=true async=true tracking=true \
                        ! dmheadposejson name=lines add-timestamp=true \
                        ! queue leaky=downstream max-size-buffers=100 max-size-bytes=0 max-size-time=0 \
                        ! appsink name=sink sync=false async=false";
/// Name of the message that a source posts at the end of its stream.
const ENDED: &str = "stream-ended";
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// An event of a camera.
pub enum Event {
    /// The first frame has arrived.
    Connected,
    /// The camera is lost; a reconnection follows after `wait`.
    Lost { reason: String, wait: Duration },
    /// An element behind the source failed; the pipeline is restarted after `wait`.
    Failed { reason: String, wait: Duration },
}

type Report = Arc<dyn Fn(Event) + Send + Sync>;

pub struct Camera {
    uri: String,
    pub pipeline: gst::Pipeline,
    analysis: gst::Bin,
    report: Report,
}

/// Why a source ended.
enum End {
    Lost(String),
    Failed(String),
}

impl Camera {
    /// Loads the models and waits for frames; `lines` receives every line of JSON, `report` every event.
    ///
    /// # Errors
    /// An element or a model is missing.
    pub fn start(
        name: &str,
        uri: &str,
        lines: impl Fn(&[u8]) + Send + 'static,
        report: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, glib::Error> {
        let pipeline = gst::Pipeline::with_name(name);
        let analysis = gst::parse::bin_from_description(ANALYSIS, true)?;
        child(&analysis, "lines").set_property("source-name", name);
        let sink = child(&analysis, "sink").downcast::<gst_app::AppSink>();
        let sink = sink.expect("an appsink is one");
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Flushing)?;
            if let Some(line) = sample
                .buffer()
                .and_then(|buffer| buffer.map_readable().ok())
            {
                lines(&line);
            }
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
        add(&pipeline, &analysis);

        // Running time begins here and continues through all restarts.
        let clock = gst::SystemClock::obtain();
        pipeline.use_clock(Some(&clock));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(clock.time());
        let camera = Self {
            uri: uri.into(),
            pipeline,
            analysis,
            report: Arc::new(report),
        };
        camera.play()?;
        Ok(camera)
    }

    /// Keeps the camera connected, indefinitely.
    pub fn run(&self) -> ! {
        let mut wait = FIRST_WAIT;
        loop {
            let (end, had_frames) = match self.play() {
                Ok(()) => self.follow_source(),
                Err(error) => (End::Failed(error.to_string()), false),
            };
            if had_frames {
                wait = FIRST_WAIT;
            }
            match end {
                End::Lost(reason) => (self.report)(Event::Lost { reason, wait }),
                End::Failed(reason) => {
                    let _ = self.pipeline.set_state(gst::State::Null);
                    (self.report)(Event::Failed { reason, wait });
                }
            }
            std::thread::sleep(wait);
            wait = (2 * wait).min(LONGEST_WAIT);
        }
    }

    /// Starts the pipeline unless it is playing already.
    fn play(&self) -> Result<(), glib::Error> {
        let Err(error) = self.pipeline.set_state(gst::State::Playing) else {
            return Ok(());
        };
        let bus = self.pipeline.bus().expect("a pipeline has a bus");
        let message = bus.pop_filtered(&[gst::MessageType::Error]);
        let _ = self.pipeline.set_state(gst::State::Null);
        Err(match message.as_ref().map(|message| message.view()) {
            Some(gst::MessageView::Error(error)) => error.error(),
            _ => glib::Error::new(gst::CoreError::StateChange, &error.to_string()),
        })
    }

    /// Adds a new source to the pipeline until it ends; returns whether it delivered frames.
    fn follow_source(&self) -> (End, bool) {
        let frames = Arc::new(AtomicBool::new(false));
        let source = match self.source(&frames) {
            Ok(source) => source,
            Err(error) => return (End::Failed(error.to_string()), false),
        };
        add(&self.pipeline, &source);
        let end = match source.link(&self.analysis) {
            // If something fails here, it has posted the reason on the bus.
            Ok(()) => {
                let _ = source.sync_state_with_parent();
                self.wait_for_end(&source)
            }
            Err(error) => End::Failed(error.to_string()),
        };
        let _ = source.set_state(gst::State::Null);
        let _ = self.pipeline.remove(&source);
        (end, frames.load(Ordering::Relaxed))
    }

    fn source(&self, frames: &Arc<AtomicBool>) -> Result<gst::Bin, glib::Error> {
        // Without ghost pads: the decoder is linked late, and an element waiting for it would get a pad too.
        let source = gst::parse::bin_from_description(SOURCE, false)?;
        child(&source, "rtsp").set_property("location", &self.uri);
        let watchdog = child(&source, "last");
        let last = watchdog.static_pad("src");
        let pad = gst::GhostPad::with_target(&last.expect("a filter has one"));
        let pad = pad.expect("the filter's is no ghost's yet");
        source.add_pad(&pad).expect("the only pad");
        let (frames, report) = (frames.clone(), self.report.clone());
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            watchdog.set_property("timeout", SILENCE);
            frames.store(true, Ordering::Relaxed);
            report(Event::Connected);
            gst::PadProbeReturn::Remove
        });
        // The end of one source is not the end of the stream, so it is held back until the source is removed.
        let events = gst::PadProbeType::BLOCK | gst::PadProbeType::EVENT_DOWNSTREAM;
        pad.add_probe(events, |pad, info| {
            let event = info.event().map(|event| event.type_());
            if event != Some(gst::EventType::Eos) {
                return gst::PadProbeReturn::Pass;
            }
            if let Some(source) = pad.parent_element() {
                let ended = gst::Structure::new_empty(ENDED);
                let message = gst::message::Element::builder(ended).src(&source);
                let _ = source.post_message(message.build());
            }
            gst::PadProbeReturn::Ok
        });
        Ok(source)
    }

    fn wait_for_end(&self, source: &gst::Bin) -> End {
        let bus = self.pipeline.bus().expect("a pipeline has a bus");
        loop {
            let Some(message) = bus.timed_pop(gst::ClockTime::NONE) else {
                return End::Failed("the bus is gone".into());
            };
            let from = |bin: &gst::Bin| {
                let origin = message.src();
                origin.is_some_and(|origin| origin == bin || origin.has_as_ancestor(bin))
            };
            match message.view() {
                gst::MessageView::Error(error) if from(&self.analysis) => {
                    return End::Failed(error.error().to_string());
                }
                gst::MessageView::Error(error) if from(source) => {
                    return End::Lost(error.error().to_string());
                }
                gst::MessageView::Element(_) if message.has_name(ENDED) && from(source) => {
                    return End::Lost("the stream ended".into());
                }
                gst::MessageView::Latency(_) => {
                    let _ = self.pipeline.recalculate_latency();
                }
                // They may include messages of earlier sources.
                _ => {}
            }
        }
    }
}

/// An element named in a description above.
fn child(bin: &gst::Bin, name: &str) -> gst::Element {
    bin.by_name(name).expect("named in the description")
}

fn add(pipeline: &gst::Pipeline, bin: &gst::Bin) {
    pipeline.add(bin).expect("it is in no other pipeline");
}

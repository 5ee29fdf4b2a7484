// SPDX-License-Identifier: MPL-2.0
//! Buffers in, buffers with their heads out, in the same order: one after the other in the streaming
//! thread, several at once in threads of their own, or with what is known while a thread has the newest one.
//!
//! No buffer is kept longer than its inference takes: it may be the last that upstream has.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::failure::Failure;
use super::interop::KnownHeads;
use crate::estimator::detector::Detection;
use crate::estimator::error::Error;
use crate::estimator::frame::FrameView;
use crate::estimator::workers::{self, Workers};
use crate::estimator::{self, Config, Head, HeadPoseEstimator, Settings, StageTimes};
use crate::headposemeta::Source;
use crate::video;

/// What was found in a frame.
pub(super) struct Found {
    pub source: Source,
    pub heads: Vec<Head>,
    pub times: StageTimes,
    /// How many heads the front model looked at.
    pub front_runs: usize,
    /// How many heads were found and have no pose, so that they are not among `heads`.
    pub unposed: usize,
    /// What was known of the heads before.
    pub known: KnownHeads,
}

/// What is to become of a buffer.
pub(super) enum Outcome {
    /// It has no picture.
    Passed,
    /// Nothing was looked for: the last result holds.
    Held,
    Inferred(Result<Found, Failure>),
}

/// A buffer that has been dealt with.
pub(super) struct Output {
    pub buffer: gst::Buffer,
    pub outcome: Outcome,
}

/// What a thread found in a buffer that has gone on already.
pub(super) struct Late {
    pub pts: Option<gst::ClockTime>,
    pub size: (u32, u32),
    pub found: Result<Found, Failure>,
}

enum Queued {
    Ready(Output),
    InFlight,
}

enum Runner {
    Serial(Box<HeadPoseEstimator>),
    Parallel(Workers<MappedFrame>),
    /// Buffers need not wait for it.
    Detached(Workers<MappedFrame>),
}

pub(super) struct Engine {
    /// `None` only while it changes from one kind to the other.
    runner: Option<Runner>,
    /// In the order in which they came.
    queue: VecDeque<Queued>,
    /// The frame that has gone on and whose inference has not ended is one of before the stream jumped.
    stale: bool,
}

impl Engine {
    pub fn new(estimator: HeadPoseEstimator) -> Self {
        Self {
            runner: Some(Runner::Serial(Box::new(estimator))),
            queue: VecDeque::new(),
            stale: false,
        }
    }

    /// Lets a thread look at the newest buffer from now on, so that none has to wait for it. Several frames in
    /// flight stay several.
    ///
    /// # Errors
    /// [`Error::Thread`].
    pub fn detach(&mut self, config: &Config) -> Result<(), Error> {
        match self.runner.take() {
            Some(Runner::Serial(estimator)) => match Workers::new(estimator, config, 1) {
                Ok(pipeline) => self.runner = Some(Runner::Detached(pipeline)),
                Err((estimator, error)) => {
                    self.runner = Some(Runner::Serial(estimator));
                    return Err(error);
                }
            },
            other => self.runner = other,
        }
        Ok(())
    }

    /// Has `depth` frames in flight from now on. Loads the models again for each thread but the first; with
    /// `behind` those threads do so themselves, while frames pass already.
    ///
    /// # Errors
    /// As [`HeadPoseEstimator::load`]; the engine goes on one frame after the other.
    pub fn deepen(&mut self, depth: usize, config: &Config, behind: bool) -> Result<(), Error> {
        let new = match behind {
            true => Workers::growing,
            false => Workers::new,
        };
        match self.runner.take() {
            Some(Runner::Serial(estimator)) if depth > 1 => match new(estimator, config, depth) {
                Ok(pipeline) => self.runner = Some(Runner::Parallel(pipeline)),
                Err((estimator, error)) => {
                    self.runner = Some(Runner::Serial(estimator));
                    return Err(error);
                }
            },
            other => self.runner = other,
        }
        Ok(())
    }

    /// Why there is a thread less than there should be, once.
    pub fn missing(&self) -> Option<Error> {
        match &self.runner {
            Some(Runner::Parallel(pipeline)) => pipeline.missing(),
            _ => None,
        }
    }

    /// Lets a buffer without a picture pass in its turn.
    pub fn pass(&mut self, buffer: gst::Buffer) {
        self.queue.push_back(Queued::ready(buffer, Outcome::Passed));
    }

    /// Lets the last result hold for a buffer, in its turn.
    pub fn hold(&mut self, buffer: gst::Buffer) {
        self.queue.push_back(Queued::ready(buffer, Outcome::Held));
    }

    /// Lets an error take a buffer's place in line.
    pub fn fail(&mut self, buffer: gst::Buffer, failure: Failure) {
        let outcome = Outcome::Inferred(Err(failure));
        self.queue.push_back(Queued::ready(buffer, outcome));
    }

    /// Where frames need not wait: what was found since the last call in one that has gone on; waits for it, but
    /// not longer than `longest`.
    pub fn late(&mut self, longest: Option<Duration>) -> Option<Late> {
        let Some(Runner::Detached(pipeline)) = &mut self.runner else {
            return None;
        };
        let (frame, found) = found_in(pipeline.collect(longest)?);
        // What was found before the stream jumped holds no longer.
        let is_stale = std::mem::take(&mut self.stale);
        (!is_stale).then_some(Late {
            pts: frame.pts,
            size: (frame.info.width(), frame.info.height()),
            found,
        })
    }

    /// Where frames need not wait: the inference of one that has gone on has not ended yet.
    pub fn is_busy(&self) -> bool {
        matches!(&self.runner, Some(Runner::Detached(pipeline)) if pipeline.in_flight() > 0)
    }

    /// Looks for heads in a buffer, or only at those that are `known`. To be called only when [`Engine::pop`]
    /// gave nothing. A buffer that a thread looks at waits for `patience` at most, then the last result holds.
    pub fn infer(
        &mut self,
        buffer: gst::Buffer,
        info: &gst_video::VideoInfo,
        settings: &Settings,
        known: Option<KnownHeads>,
        patience: Option<Duration>,
    ) {
        let time = buffer.pts().map(Into::into);
        let queued = match &mut self.runner {
            Some(Runner::Serial(estimator)) => {
                let found = infer_now(estimator, &buffer, info, settings, known);
                Queued::ready(buffer, Outcome::Inferred(found))
            }
            Some(Runner::Detached(pipeline)) => {
                // A copy shares the pixels.
                let frame = match MappedFrame::new(buffer.copy(), info, known) {
                    Ok(frame) => MappedFrame {
                        is_copy: true,
                        ..frame
                    },
                    Err((_, message)) => return self.fail(buffer, message.into()),
                };
                match pipeline.submit(frame, time, settings) {
                    Err(_) => Queued::failed(buffer, THREAD_ENDED),
                    Ok(()) => {
                        let found = match patience {
                            Some(Duration::ZERO) => None,
                            _ => pipeline.collect(patience).map(|done| found_in(done).1),
                        };
                        Queued::ready(buffer, found.map_or(Outcome::Held, Outcome::Inferred))
                    }
                }
            }
            Some(Runner::Parallel(pipeline)) => match MappedFrame::new(buffer, info, known) {
                Ok(frame) => match pipeline.submit(frame, time, settings) {
                    Ok(()) => Queued::InFlight,
                    Err(frame) => match frame.into_buffer() {
                        Some(buffer) => Queued::failed(buffer, THREAD_ENDED),
                        None => return,
                    },
                },
                Err((buffer, message)) => return self.fail(buffer, message.into()),
            },
            None => Queued::failed(buffer, "nothing is loaded"),
        };
        self.queue.push_back(queued);
    }

    /// The next buffer in turn, if it is done. It is waited for where no other may come before it has gone, and
    /// with `drain` in any case.
    ///
    /// # Errors
    /// When its thread has ended: the buffer is lost.
    pub fn pop(&mut self, drain: bool) -> Option<Result<Output, Failure>> {
        if let Queued::Ready(_) = self.queue.front()? {
            return match self.queue.pop_front()? {
                Queued::Ready(output) => Some(Ok(output)),
                Queued::InFlight => None,
            };
        }
        let Some(Runner::Parallel(pipeline)) = &mut self.runner else {
            return None;
        };
        // Those that only wait for their turn count: else they would pile up.
        let waits = drain || self.queue.len() >= pipeline.depth();
        let in_flight = pipeline.in_flight();
        let Some(finished) = pipeline.collect((!waits).then_some(Duration::ZERO)) else {
            if pipeline.in_flight() == in_flight {
                return None;
            }
            self.queue.pop_front();
            return Some(Err(no_inference(THREAD_ENDED)));
        };
        self.queue.pop_front();
        let (frame, found) = found_in(finished);
        Some(Ok(Output {
            outcome: Outcome::Inferred(found),
            buffer: frame.into_buffer()?,
        }))
    }

    /// Where several frames are in flight, a message comes in here whenever [`Engine::pop`] may have one that is
    /// done; no more once the engine is dropped. Of use once.
    pub fn done(&self) -> Option<Receiver<()>> {
        match &self.runner {
            Some(Runner::Parallel(pipeline)) => Some(pipeline.done()),
            _ => None,
        }
    }

    /// Drops all buffers.
    pub fn discard(&mut self) {
        while self.pop(true).is_some() {}
        self.queue.clear();
    }

    /// Forgets the heads that are followed, and what is found in a frame that has gone on: the stream jumps.
    pub fn forget(&mut self) {
        self.stale = self.is_busy();
        match &mut self.runner {
            Some(Runner::Serial(estimator)) => estimator.reset_tracks(),
            Some(Runner::Parallel(pipeline) | Runner::Detached(pipeline)) => {
                pipeline.reset_tracks()
            }
            None => {}
        }
    }
}

impl Queued {
    fn ready(buffer: gst::Buffer, outcome: Outcome) -> Self {
        Self::Ready(Output { buffer, outcome })
    }

    fn failed(buffer: gst::Buffer, why: &str) -> Self {
        Self::ready(buffer, Outcome::Inferred(Err(no_inference(why))))
    }
}

const THREAD_ENDED: &str = "a thread has ended";

fn no_inference(why: &str) -> Failure {
    gst::error_msg!(gst::LibraryError::Failed, ("no inference: {why}")).into()
}

/// Where the boxes of a frame come from that was, or was not, given to the detector.
fn source(detected: bool) -> Source {
    if detected {
        Source::Inferred
    } else {
        Source::Tracked
    }
}

/// A frame that a thread is done with, and what it found there.
fn found_in(
    (mut frame, found): (MappedFrame, Result<estimator::Found, Error>),
) -> (MappedFrame, Result<Found, Failure>) {
    let known = frame.known.take().unwrap_or_default();
    let found = found.map(|found| Found::new(found, known));
    (frame, found.map_err(Failure::from))
}

impl Found {
    fn new(found: estimator::Found, known: KnownHeads) -> Self {
        Self {
            source: source(found.detected),
            heads: found.heads,
            times: found.times,
            front_runs: found.front_runs,
            unposed: found.unposed,
            known,
        }
    }
}

fn infer_now(
    estimator: &mut HeadPoseEstimator,
    buffer: &gst::Buffer,
    info: &gst_video::VideoInfo,
    settings: &Settings,
    known: Option<KnownHeads>,
) -> Result<Found, Failure> {
    // Readable: a frame that others hold as well is not copied.
    let frame = video::map_readable(buffer, info)?;
    let time = buffer.pts().map(Into::into);
    let view = video::view(&frame)?;
    match &known {
        Some(known) => estimator.estimate(&view, known.detections(), time, settings)?,
        None => estimator.process(&view, time, settings)?,
    };
    let found = estimator.take_found();
    Ok(Found::new(found, known.unwrap_or_default()))
}

/// A buffer that another thread reads.
struct MappedFrame {
    /// `None` once it was given back.
    pixels: Option<gst_video::VideoFrame<gst_video::video_frame::Readable>>,
    info: gst_video::VideoInfo,
    pts: Option<gst::ClockTime>,
    known: Option<KnownHeads>,
    /// The buffer itself has gone on: this one is there for the inference alone.
    is_copy: bool,
}

impl MappedFrame {
    /// Gives the buffer back if it does not fit `info`.
    fn new(
        buffer: gst::Buffer,
        info: &gst_video::VideoInfo,
        known: Option<KnownHeads>,
    ) -> Result<Self, (gst::Buffer, gst::ErrorMessage)> {
        let pts = buffer.pts();
        let pixels = video::map_owned(buffer, info)?;
        Ok(Self {
            pixels: Some(pixels),
            info: info.clone(),
            pts,
            known,
            is_copy: false,
        })
    }

    fn into_buffer(self) -> Option<gst::Buffer> {
        self.pixels.map(gst_video::VideoFrame::into_buffer)
    }
}

impl workers::Frame for MappedFrame {
    fn view(&self) -> Result<FrameView<'_>, Error> {
        match &self.pixels {
            Some(frame) => video::view_owned(frame),
            None => Err(Error::Frame {
                format: self.info.format().to_str().as_str(),
                width: self.info.width(),
                height: self.info.height(),
                expected: "its pixels".into(),
                found: "a buffer that was given back".into(),
            }),
        }
    }

    fn known(&self) -> Option<&[Detection]> {
        self.known.as_ref().map(KnownHeads::detections)
    }

    fn release(&mut self) {
        if self.is_copy {
            self.pixels = None;
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Buffers in, buffers with their heads out, in the same order: one after the other in the streaming
//! thread, several at once in threads of their own, or with what is known while a thread looks at the newest
//! one.

use std::collections::VecDeque;
use std::time::Duration;

use gst_video::prelude::*;

use super::failure::Failure;
use super::interop::KnownHeads;
use crate::estimator::detector::Detection;
use crate::estimator::error::Error;
use crate::estimator::frame::FrameView;
use crate::estimator::pipeline::{self, Finished, Pipeline};
use crate::estimator::{Config, Head, HeadPoseEstimator, Settings, StageTimes};
use crate::headposemeta::Source;
use crate::video;

/// What was found in a frame.
pub(super) struct Found {
    pub source: Source,
    pub heads: Vec<Head>,
    pub times: StageTimes,
    /// How many heads the front model looked at.
    pub front_runs: usize,
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
    Parallel(Pipeline<MappedFrame>),
    /// Buffers need not wait for it.
    Detached(Pipeline<MappedFrame>),
}

pub(super) struct Engine {
    /// `None` only while it changes from one kind to the other.
    runner: Option<Runner>,
    /// In the order in which they came.
    queue: VecDeque<Queued>,
    /// What is in flight belongs to a stream that has jumped since.
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
            Some(Runner::Serial(estimator)) => match Pipeline::new(estimator, config, 1) {
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
            true => Pipeline::growing,
            false => Pipeline::new,
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

    /// Where a thread looks at the newest frame: what it has found since the last call; waits for it, but not
    /// longer than `longest`.
    pub fn late(&mut self, longest: Option<Duration>) -> Option<Late> {
        let Some(Runner::Detached(pipeline)) = &mut self.runner else {
            return None;
        };
        let (frame, found) = found_in(pipeline.collect(longest)?);
        if std::mem::take(&mut self.stale) {
            // It may have followed heads of before the jump.
            pipeline.reset_tracks();
            return None;
        }
        let late = Late {
            pts: frame.buffer().pts(),
            size: (frame.width(), frame.height()),
            found,
        };
        Some(late)
    }

    /// A thread that looks at the newest frame is not done with the last one yet.
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
                let Ok(frame) = MappedFrame::new(buffer.copy(), info, known) else {
                    return self.fail(buffer, unreadable(info));
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
                    Err(frame) => Queued::failed(frame.frame.into_buffer(), THREAD_ENDED),
                },
                Err(buffer) => return self.fail(buffer, unreadable(info)),
            },
            None => Queued::failed(buffer, "nothing is loaded"),
        };
        self.queue.push_back(queued);
    }

    /// The next buffer in turn. `None` when there is none, or when another one may come before this one has
    /// to be waited for; with `drain` it is waited for at once.
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
        if !drain && self.queue.len() < pipeline.depth() {
            return None;
        }
        self.queue.pop_front();
        let Some(finished) = pipeline.collect(None) else {
            return Some(Err(no_inference(THREAD_ENDED)));
        };
        let (frame, found) = found_in(finished);
        Some(Ok(Output {
            outcome: Outcome::Inferred(found),
            buffer: frame.into_buffer(),
        }))
    }

    /// Drops all buffers.
    pub fn discard(&mut self) {
        while self.pop(true).is_some() {}
        self.queue.clear();
        self.stale = self.is_busy();
    }

    /// Forgets the heads that are followed. To be called when no buffer is left.
    pub fn reset_tracks(&mut self) {
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
fn found_in(finished: Finished<'_, MappedFrame>) -> (ReadFrame, Result<Found, Failure>) {
    let MappedFrame { frame, known } = finished.frame;
    let found = finished.heads.map(|heads| Found {
        source: source(finished.detected),
        heads: heads.to_vec(),
        times: finished.times,
        front_runs: finished.front_runs,
        known: known.unwrap_or_default(),
    });
    (frame, found.map_err(Failure::from))
}

fn infer_now(
    estimator: &mut HeadPoseEstimator,
    buffer: &gst::Buffer,
    info: &gst_video::VideoInfo,
    settings: &Settings,
    known: Option<KnownHeads>,
) -> Result<Found, Failure> {
    // Readable: a frame that others hold as well is not copied.
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info)
        .map_err(|error| video::map_error("reading", info, &error))?;
    let time = buffer.pts().map(Into::into);
    let view = video::view(&frame)?;
    let heads = match &known {
        Some(known) => estimator.estimate(&view, known.detections(), time, settings)?,
        None => estimator.process(&view, time, settings)?,
    };
    let heads = heads.to_vec();
    Ok(Found {
        source: source(estimator.detected()),
        heads,
        times: estimator.times(),
        front_runs: estimator.front_runs(),
        known: known.unwrap_or_default(),
    })
}

type ReadFrame = gst_video::VideoFrame<gst_video::video_frame::Readable>;

/// A buffer that another thread reads.
struct MappedFrame {
    frame: ReadFrame,
    known: Option<KnownHeads>,
}

impl MappedFrame {
    /// Gives the buffer back if it does not fit `info`.
    fn new(
        buffer: gst::Buffer,
        info: &gst_video::VideoInfo,
        known: Option<KnownHeads>,
    ) -> Result<Self, gst::Buffer> {
        gst_video::VideoFrame::from_buffer_readable(buffer, info).map(|frame| Self { frame, known })
    }
}

fn unreadable(info: &gst_video::VideoInfo) -> Failure {
    let error = gst::glib::bool_error!("the buffer does not fit the caps");
    video::map_error("reading", info, &error).into()
}

impl pipeline::Frame for MappedFrame {
    fn view(&self) -> Result<FrameView<'_>, Error> {
        video::view_owned(&self.frame)
    }

    fn known(&self) -> Option<&[Detection]> {
        self.known.as_ref().map(KnownHeads::detections)
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Buffers in, buffers with what was found in them out, in the same order: one after the other in the streaming
//! thread, several at once in threads of their own, or in the background (`async`, `when-late=hold`) while buffers go
//! on with the last result.
//!
//! No buffer is kept longer than its inference takes: it may be the last that upstream has.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::metas::KnownHeads;
use crate::estimator::detector::Detection;
use crate::estimator::error::Error;
use crate::estimator::image::frame::FrameView;
use crate::estimator::workers::{self, Workers};
use crate::estimator::{Config, Found, HeadPoseEstimator, Settings};
use crate::video;

/// What became of a buffer.
pub(super) enum Outcome {
    /// It has no picture.
    Passed,
    /// No inference: the last result holds.
    Held,
    /// With the heads that others had found in it.
    Inferred(Found, KnownHeads),
    Failed(Failure),
}

/// Why a buffer was not processed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The process is exiting: there is nobody to report to.
    Exiting,
    Message {
        message: gst::ErrorMessage,
        /// The same in words.
        text: String,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Exiting => Self::Exiting,
            error => Self::Message {
                message: video::error_message(&error),
                text: error.to_string(),
            },
        }
    }
}

impl From<gst::ErrorMessage> for Failure {
    fn from(message: gst::ErrorMessage) -> Self {
        let text = message.to_string();
        Self::Message { message, text }
    }
}

enum Runner {
    /// In the streaming thread.
    Inline(Box<HeadPoseEstimator>),
    /// Several at once.
    Parallel(Workers<MappedFrame>),
    /// One at a time, for which no buffer has to wait: with `async` and `when-late=hold`.
    Background(Workers<MappedFrame>),
}

/// The buffers in the element, in the order in which they came.
pub(super) struct FrameQueue {
    /// `None` only while it is replaced.
    runner: Option<Runner>,
    /// `None` for a buffer that the workers have.
    buffers: VecDeque<Option<(gst::Buffer, Outcome)>>,
    /// The frame in the background is from before a cut.
    stale: bool,
}

impl FrameQueue {
    pub fn new(estimator: HeadPoseEstimator) -> Self {
        Self {
            runner: Some(Runner::Inline(Box::new(estimator))),
            buffers: VecDeque::new(),
            stale: false,
        }
    }

    /// Infers in the background from now on, so that no buffer has to wait. Several frames in flight stay several.
    ///
    /// # Errors
    /// [`Error::Thread`]; frames are inferred one after the other as before.
    pub fn move_to_background(&mut self, config: &Config) -> Result<(), Error> {
        self.start_workers(1, config, false, Runner::Background)
    }

    /// Has `depth` frames in flight from now on. Loads the models again for each thread but the first; with
    /// `growing` those threads do so themselves, while frames pass already.
    ///
    /// # Errors
    /// As [`HeadPoseEstimator::load`]; frames are inferred one after the other as before.
    pub fn deepen(&mut self, depth: usize, config: &Config, growing: bool) -> Result<(), Error> {
        if depth < 2 {
            return Ok(());
        }
        self.start_workers(depth, config, growing, Runner::Parallel)
    }

    fn start_workers(
        &mut self,
        depth: usize,
        config: &Config,
        growing: bool,
        runner: fn(Workers<MappedFrame>) -> Runner,
    ) -> Result<(), Error> {
        let is_inline = |runner: &mut Runner| matches!(runner, Runner::Inline(_));
        let Some(Runner::Inline(estimator)) = self.runner.take_if(is_inline) else {
            return Ok(());
        };
        let (runner, result) = match Workers::new(estimator, config, depth, growing) {
            Ok(workers) => (runner(workers), Ok(())),
            Err((estimator, error)) => (Runner::Inline(estimator), Err(error)),
        };
        self.runner = Some(runner);
        result
    }

    /// Why there is a thread less than there should be, once.
    pub fn missing(&self) -> Option<Error> {
        match &self.runner {
            Some(Runner::Parallel(workers)) => workers.missing(),
            _ => None,
        }
    }

    /// Queues a buffer that needs no inference.
    pub fn put(&mut self, buffer: gst::Buffer, outcome: Outcome) {
        self.buffers.push_back(Some((buffer, outcome)));
    }

    /// Queues a buffer and infers it, or only the heads in it that are `known`. To be called only when
    /// [`FrameQueue::pop`] gave nothing. In the background, the buffer waits for its result at most for `wait`; then
    /// the last result holds.
    pub fn push(
        &mut self,
        buffer: gst::Buffer,
        info: &gst_video::VideoInfo,
        known: Option<KnownHeads>,
        settings: &Settings,
        wait: Option<Duration>,
    ) {
        let time = buffer.pts().map(Into::into);
        let queued = match &mut self.runner {
            Some(Runner::Inline(estimator)) => {
                let outcome = infer(estimator, &buffer, info, known, settings);
                Some((buffer, outcome.unwrap_or_else(Outcome::Failed)))
            }
            Some(Runner::Background(workers)) => {
                // A copy shares the pixels.
                let outcome = match MappedFrame::new(buffer.copy(), info, known, true) {
                    Err((_, message)) => Outcome::Failed(message.into()),
                    Ok(frame) => match workers.submit(frame, time, settings) {
                        Err(_) => Outcome::lost(),
                        Ok(()) if wait == Some(Duration::ZERO) => Outcome::Held,
                        Ok(()) => match workers.collect(wait) {
                            Some((mut frame, found)) => frame.outcome(found),
                            None => Outcome::Held,
                        },
                    },
                };
                Some((buffer, outcome))
            }
            Some(Runner::Parallel(workers)) => match MappedFrame::new(buffer, info, known, false) {
                Err((buffer, message)) => Some((buffer, Outcome::Failed(message.into()))),
                Ok(frame) => match workers.submit(frame, time, settings) {
                    Ok(()) => None,
                    Err(frame) => match frame.into_buffer() {
                        Some(buffer) => Some((buffer, Outcome::lost())),
                        None => return,
                    },
                },
            },
            None => Some((buffer, Outcome::Failed(no_inference("nothing is loaded")))),
        };
        self.buffers.push_back(queued);
    }

    /// The next buffer in turn, if it is done. It is waited for where as many are in flight as may be, and with
    /// `drain` in any case.
    ///
    /// # Errors
    /// When its thread has ended: the buffer is lost.
    pub fn pop(&mut self, drain: bool) -> Option<Result<(gst::Buffer, Outcome), Failure>> {
        if self.buffers.front()?.is_some() {
            return self.buffers.pop_front().flatten().map(Ok);
        }
        let Some(Runner::Parallel(workers)) = &mut self.runner else {
            return None;
        };
        // Buffers that only wait for their turn count as well, as they would pile up otherwise.
        let waits = drain || self.buffers.len() >= workers.depth();
        let in_flight = workers.in_flight();
        let Some((mut frame, found)) = workers.collect((!waits).then_some(Duration::ZERO)) else {
            if workers.in_flight() == in_flight {
                return None;
            }
            self.buffers.pop_front();
            return Some(Err(no_inference(THREAD_ENDED)));
        };
        self.buffers.pop_front();
        let outcome = frame.outcome(found);
        Some(Ok((frame.into_buffer()?, outcome)))
    }

    /// The frame in the background and what was found in it, once its inference has ended; waits for it, at most for
    /// `longest`. Nothing that was found before the stream jumped.
    pub fn pop_background(&mut self, longest: Option<Duration>) -> Option<(MappedFrame, Outcome)> {
        let Some(Runner::Background(workers)) = &mut self.runner else {
            return None;
        };
        let (mut frame, found) = workers.collect(longest)?;
        let outcome = frame.outcome(found);
        let is_stale = std::mem::take(&mut self.stale);
        (!is_stale).then_some((frame, outcome))
    }

    /// Whether a frame is in the background.
    pub fn is_busy(&self) -> bool {
        matches!(&self.runner, Some(Runner::Background(workers)) if workers.in_flight() > 0)
    }

    /// With several frames in flight, a receiver that gets a message whenever [`FrameQueue::pop`] may have a buffer,
    /// until the queue is dropped. To be called once.
    pub fn done(&self) -> Option<Receiver<()>> {
        match &self.runner {
            Some(Runner::Parallel(workers)) => Some(workers.done()),
            _ => None,
        }
    }

    pub fn discard(&mut self) {
        while self.pop(true).is_some() {}
        self.buffers.clear();
    }

    /// Begins a new shot with the next frame: heads before it, and the result of the frame in the background, are
    /// forgotten.
    pub fn cut(&mut self) {
        self.stale = self.is_busy();
        match &mut self.runner {
            Some(Runner::Inline(estimator)) => estimator.cut(),
            Some(Runner::Parallel(workers) | Runner::Background(workers)) => workers.cut(),
            None => {}
        }
    }
}

const THREAD_ENDED: &str = "a thread has ended";

fn no_inference(why: &str) -> Failure {
    gst::error_msg!(gst::LibraryError::Failed, ("no inference: {why}")).into()
}

impl Outcome {
    fn lost() -> Self {
        Self::Failed(no_inference(THREAD_ENDED))
    }
}

fn infer(
    estimator: &mut HeadPoseEstimator,
    buffer: &gst::Buffer,
    info: &gst_video::VideoInfo,
    known: Option<KnownHeads>,
    settings: &Settings,
) -> Result<Outcome, Failure> {
    // Readable: a frame that others hold as well is not copied.
    let frame = video::map_readable(buffer, info)?;
    let time = buffer.pts().map(Into::into);
    let view = video::view(&frame)?;
    let boxes = known.as_ref().map(KnownHeads::detections);
    estimator.run(&view, boxes, time, settings)?;
    let found = estimator.take_found();
    Ok(Outcome::Inferred(found, known.unwrap_or_default()))
}

/// A buffer that a worker reads.
pub(super) struct MappedFrame {
    /// `None` once it was given back.
    pixels: Option<gst_video::VideoFrame<gst_video::video_frame::Readable>>,
    pub info: gst_video::VideoInfo,
    pub pts: Option<gst::ClockTime>,
    known: Option<KnownHeads>,
    /// The buffer itself has gone on: this one is for the inference alone.
    is_copy: bool,
}

impl MappedFrame {
    /// Gives the buffer back if it does not fit `info`.
    fn new(
        buffer: gst::Buffer,
        info: &gst_video::VideoInfo,
        known: Option<KnownHeads>,
        is_copy: bool,
    ) -> Result<Self, (gst::Buffer, gst::ErrorMessage)> {
        let pts = buffer.pts();
        let pixels = video::map_owned(buffer, info)?;
        Ok(Self {
            pixels: Some(pixels),
            info: info.clone(),
            pts,
            known,
            is_copy,
        })
    }

    fn outcome(&mut self, found: Result<Found, Error>) -> Outcome {
        let known = self.known.take().unwrap_or_default();
        match found {
            Ok(found) => Outcome::Inferred(found, known),
            Err(error) => Outcome::Failed(error.into()),
        }
    }

    fn into_buffer(self) -> Option<gst::Buffer> {
        self.pixels.map(gst_video::VideoFrame::into_buffer)
    }
}

impl workers::Frame for MappedFrame {
    fn view(&self) -> Result<FrameView<'_>, Error> {
        match &self.pixels {
            Some(frame) => video::view(frame),
            None => Err(Error::Frame {
                format: self.info.format().to_string(),
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

// SPDX-License-Identifier: MPL-2.0
//! Buffers in, buffers with their heads out, in the same order: one after the other in the streaming
//! thread, or several at once in threads of their own.

use std::collections::VecDeque;

use super::failure::Failure;
use super::interop::KnownHeads;
use crate::estimator::detector::Detection;
use crate::estimator::error::Error;
use crate::estimator::frame::FrameView;
use crate::estimator::pipeline::{self, Finished, Pipeline};
use crate::estimator::{Config, Head, HeadPoseEstimator, Settings, StageTimes};
use crate::video;

/// What was found in a frame.
pub(super) struct Found {
    pub heads: Vec<Head>,
    pub times: StageTimes,
    /// How many heads the front model looked at.
    pub front_runs: usize,
    /// What was known of the heads before.
    pub known: KnownHeads,
}

/// A buffer that has been dealt with; `found` is `None` when nothing was looked for.
pub(super) struct Output {
    pub buffer: gst::Buffer,
    pub found: Option<Result<Found, Failure>>,
}

enum Queued {
    Ready(Output),
    InFlight,
}

enum Runner {
    Serial(Box<HeadPoseEstimator>),
    Parallel(Pipeline<MappedFrame>),
}

pub(super) struct Engine {
    /// `None` only while it changes from one kind to the other.
    runner: Option<Runner>,
    /// In the order in which they came.
    queue: VecDeque<Queued>,
}

impl Engine {
    pub fn new(estimator: HeadPoseEstimator) -> Self {
        Self {
            runner: Some(Runner::Serial(Box::new(estimator))),
            queue: VecDeque::new(),
        }
    }

    /// Has `depth` frames in flight from now on. Loads the models again for each frame more.
    ///
    /// # Errors
    /// As [`HeadPoseEstimator::load`]; the engine goes on one frame after the other.
    pub fn deepen(&mut self, depth: usize, config: &Config) -> Result<(), Error> {
        match self.runner.take() {
            Some(Runner::Serial(estimator)) if depth > 1 => {
                match Pipeline::new(estimator, config, depth) {
                    Ok(pipeline) => self.runner = Some(Runner::Parallel(pipeline)),
                    Err((estimator, error)) => {
                        self.runner = Some(Runner::Serial(estimator));
                        return Err(error);
                    }
                }
            }
            other => self.runner = other,
        }
        Ok(())
    }

    /// Lets a buffer pass in its turn.
    pub fn pass(&mut self, buffer: gst::Buffer) {
        self.queue.push_back(Queued::Ready(Output {
            buffer,
            found: None,
        }));
    }

    /// Looks for heads in a buffer, or only at those that are `known`. To be called only when [`Engine::pop`]
    /// gave nothing.
    pub fn infer(
        &mut self,
        buffer: gst::Buffer,
        info: &gst_video::VideoInfo,
        settings: &Settings,
        known: Option<KnownHeads>,
    ) {
        let time = buffer.pts().map(Into::into);
        let queued = match &mut self.runner {
            Some(Runner::Serial(estimator)) => {
                let found = infer_now(estimator, &buffer, info, settings, known);
                Queued::Ready(Output {
                    buffer,
                    found: Some(found),
                })
            }
            Some(Runner::Parallel(pipeline)) => match MappedFrame::new(buffer, info, known) {
                Ok(frame) => match pipeline.submit(frame, time, settings) {
                    Ok(()) => Queued::InFlight,
                    Err(frame) => Queued::failed(frame.frame.into_buffer(), "a thread has ended"),
                },
                Err((buffer, failure)) => Queued::Ready(Output {
                    buffer,
                    found: Some(Err(failure)),
                }),
            },
            None => Queued::failed(buffer, "nothing is loaded"),
        };
        self.queue.push_back(queued);
    }

    /// The next buffer in turn. `None` when there is none, or when another one may come before this one has
    /// to be waited for; with `drain` it is waited for at once.
    pub fn pop(&mut self, drain: bool) -> Option<Output> {
        if let Queued::Ready(_) = self.queue.front()? {
            return match self.queue.pop_front()? {
                Queued::Ready(output) => Some(output),
                Queued::InFlight => None,
            };
        }
        let Some(Runner::Parallel(pipeline)) = &mut self.runner else {
            return None;
        };
        if !drain && pipeline.in_flight() < pipeline.depth() {
            return None;
        }
        self.queue.pop_front();
        let Finished {
            frame,
            heads,
            times,
            front_runs,
        } = pipeline.collect()?;
        let found = heads.map(|heads| Found {
            heads: heads.to_vec(),
            times,
            front_runs,
            known: frame.known.unwrap_or_default(),
        });
        Some(Output {
            found: Some(found.map_err(Failure::from)),
            buffer: frame.frame.into_buffer(),
        })
    }

    /// Drops all buffers.
    pub fn discard(&mut self) {
        while self.pop(true).is_some() {}
        self.queue.clear();
    }

    /// Forgets the heads that are followed. To be called when no buffer is left.
    pub fn reset_tracks(&mut self) {
        match &mut self.runner {
            Some(Runner::Serial(estimator)) => estimator.reset_tracks(),
            Some(Runner::Parallel(pipeline)) => pipeline.reset_tracks(),
            None => {}
        }
    }
}

impl Queued {
    fn failed(buffer: gst::Buffer, why: &str) -> Self {
        let failure = gst::error_msg!(gst::LibraryError::Failed, ("no inference: {why}"));
        Self::Ready(Output {
            buffer,
            found: Some(Err(failure.into())),
        })
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
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info)
        .map_err(|error| video::map_error("reading", info, &error))?;
    let time = buffer.pts().map(Into::into);
    let view = video::view(&frame)?;
    let heads = match &known {
        Some(known) => estimator.estimate(&view, known.detections(), time, settings)?,
        None => estimator.process(&view, time, settings)?,
    };
    Ok(Found {
        heads: heads.to_vec(),
        times: estimator.times(),
        front_runs: estimator.pose().front_runs(),
        known: known.unwrap_or_default(),
    })
}

/// A buffer that another thread reads.
struct MappedFrame {
    frame: gst_video::VideoFrame<gst_video::video_frame::Readable>,
    known: Option<KnownHeads>,
}

impl MappedFrame {
    fn new(
        buffer: gst::Buffer,
        info: &gst_video::VideoInfo,
        known: Option<KnownHeads>,
    ) -> Result<Self, (gst::Buffer, Failure)> {
        gst_video::VideoFrame::from_buffer_readable(buffer, info)
            .map(|frame| Self { frame, known })
            .map_err(|buffer| {
                let error = gst::glib::bool_error!("the buffer does not fit the caps");
                let message = video::map_error("reading", info, &error);
                (buffer, message.into())
            })
    }
}

impl pipeline::Frame for MappedFrame {
    fn view(&self) -> Result<FrameView<'_>, Error> {
        video::view_owned(&self.frame)
    }

    fn known(&self) -> Option<&[Detection]> {
        self.known.as_ref().map(KnownHeads::detections)
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The way of a frame through the element: to the engine, and from it, with its heads, downstream.

use std::time::{Duration, Instant};

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;

use super::engine::{Engine, Found, Late, Outcome, Output};
use super::failure::Failure;
use super::imp::{CAT, DmHeadPose, State};
use super::interop::KnownHeads;
use super::options::{DmHeadPoseOnError, DmHeadPoseWhenLate};
use crate::estimator::{self, error::Error};
use crate::headposemeta::HeadPoses;
use crate::overlay::Look;
use crate::sync::lock;
use crate::video;

/// A buffer that is ready to go downstream.
struct Done {
    buffer: gst::Buffer,
    /// It is the first to carry its result.
    fresh: bool,
    warning: Option<String>,
}

impl Done {
    fn untouched(buffer: gst::Buffer) -> Self {
        Self {
            buffer,
            fresh: false,
            warning: None,
        }
    }
}

impl DmHeadPose {
    /// What was found in a frame of this size, as it goes onto buffers.
    fn poses(found: &Found, (width, height): (u32, u32)) -> HeadPoses {
        HeadPoses {
            width,
            height,
            source: found.source,
            age: Some(gst::ClockTime::ZERO),
            inference_time: gst::ClockTime::try_from(found.times.total()).ok(),
            heads: found.heads.clone(),
        }
    }

    /// Keeps what a thread has found in a frame that has gone on.
    fn remember(&self, state: &mut State, late: Late) -> Result<(), Failure> {
        let found = late.found?;
        state
            .held
            .keep(Self::poses(&found, late.size), late.pts, true);
        state.held.set_lacks_heads(found.unposed > 0);
        lock(&self.stats).add(&found, Duration::ZERO);
        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {:?}",
            late.pts.display(),
            found.heads.len(),
            found.times
        );
        Ok(())
    }

    /// Puts what was found, or what holds, on the buffer, and draws it if asked to.
    fn finish(
        &self,
        state: &mut State,
        output: Output,
        look: &Look,
        compose: bool,
    ) -> Result<Done, Failure> {
        let Output {
            mut buffer,
            outcome,
        } = output;
        let (meta_format, on_error) = {
            let settings = lock(&self.settings);
            (settings.interop.meta_format, settings.on_error)
        };
        let mut warning = None;
        let mut found = match outcome {
            Outcome::Passed => return Ok(Done::untouched(buffer)),
            Outcome::Inferred(Ok(found)) => Some(found),
            Outcome::Held => None,
            Outcome::Inferred(Err(Failure::Message { text, .. }))
                if on_error == DmHeadPoseOnError::Hold =>
            {
                let mut stats = lock(&self.stats);
                stats.errors += 1;
                // The first of a row: a broken provider fails at every frame.
                warning = (!std::mem::replace(&mut state.failing, true)).then_some(text);
                None
            }
            Outcome::Inferred(Err(failure)) => return Err(failure),
        };
        let State {
            overlay,
            writer,
            held,
            info,
            failing,
            ..
        } = state;
        let info = info
            .as_ref()
            .ok_or_else(|| gst::error_msg!(gst::CoreError::Negotiation, ("no caps yet")))?;
        let (pts, size) = (buffer.pts(), (info.width(), info.height()));
        let (mut poses, known, fresh) = match &mut found {
            Some(found) => {
                *failing = false;
                let poses = Self::poses(found, size);
                held.keep(poses.clone(), pts, false);
                held.set_lacks_heads(found.unposed > 0);
                (poses, std::mem::take(&mut found.known), true)
            }
            None => {
                lock(&self.stats).held += 1;
                let Some((poses, fresh)) = held.at(pts, size) else {
                    overlay.draw(None, look, compose, info, buffer.make_mut())?;
                    return Ok(Done {
                        warning,
                        ..Done::untouched(buffer)
                    });
                };
                (poses, KnownHeads::default(), fresh)
            }
        };
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>();
        let now = segment.and_then(|segment| segment.to_running_time(pts));
        let writable = buffer.make_mut();
        writer
            .attach(&mut poses, known, meta_format, now, writable)
            .map_err(|error| gst::error_msg!(gst::StreamError::Failed, ("{error}")))?;

        let start = Instant::now();
        if held.lacks_heads() {
            // A head without a pose is in no meta, but it is there.
            overlay.draw(None, look, compose, info, writable)?;
        }
        overlay.draw(Some(&poses), look, compose, info, writable)?;
        let drawing_time = start.elapsed();

        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {:?}, {} old, {:?}",
            pts.display(),
            poses.heads.len(),
            poses.source,
            poses.age.display(),
            found.as_ref().map(|found| found.times)
        );
        for head in &poses.heads {
            gst::trace!(CAT, imp = self, "{head:?}");
        }
        if let Some(found) = &found {
            lock(&self.stats).add(found, drawing_time);
        }
        Ok(Done {
            buffer,
            fresh,
            warning,
        })
    }

    /// The next buffer that is to go downstream; see [`Engine::pop`].
    pub(super) fn next_output(&self, drain: bool) -> Option<Result<gst::Buffer, gst::FlowError>> {
        let output = lock(&self.state).as_mut()?.engine.pop(drain)?;
        let result = match output {
            Ok(output) => {
                let look = lock(&self.settings).look.clone();
                let draws = !matches!(output.outcome, Outcome::Passed) && look.draws();
                let compose = draws && self.downstream.draws_compositions(&*self.obj());
                let mut state = lock(&self.state);
                self.finish(state.as_mut()?, output, &look, compose)
            }
            Err(failure) => Err(failure),
        };
        Some(match result {
            Ok(done) => {
                if let Some(warning) = done.warning {
                    gst::element_imp_warning!(self, gst::StreamError::Failed, ("{warning}"));
                }
                if done.fresh {
                    let settings = lock(&self.settings).report;
                    self.reporter.report(&self.obj(), settings, &done.buffer);
                }
                Ok(done.buffer)
            }
            Err(failure) => {
                // The stream ends here: what else is in flight would only say the same again.
                if let Some(state) = &mut *lock(&self.state) {
                    state.engine.discard();
                }
                Err(self.fail(failure))
            }
        })
    }

    /// Tells the bus.
    pub(super) fn fail(&self, failure: Failure) -> gst::FlowError {
        match failure {
            Failure::Exiting => gst::FlowError::Flushing,
            Failure::Message { message, .. } => {
                self.post_error_message(message);
                gst::FlowError::Error
            }
        }
    }

    /// Gives a buffer to the engine, and takes what it has found since.
    pub(super) fn take(&self, buffer: gst::Buffer) -> Result<(), Failure> {
        estimator::refuse_forked()?;
        let settings = lock(&self.settings).clone();
        settings.interop.warn_of_missing(&self.obj(), &self.warned);
        let mut state = lock(&self.state);
        let state = state.as_mut().ok_or(Failure::Exiting)?;
        if let Some(error) = state.engine.missing() {
            gst::warning!(
                CAT,
                imp = self,
                "Goes on with fewer frames at once: {error}"
            );
        }
        let waits = settings.look.waits_for_heads();
        let holds = settings.when_late == DmHeadPoseWhenLate::Hold && !waits;
        let (detached, frame_duration) = lock(&self.loaded)
            .as_ref()
            .map(|loaded| (loaded.detached && !waits, loaded.frame_duration))
            .unwrap_or_default();
        // Where frames had not to wait and have to now, one may be left over.
        let longest = (holds || detached).then_some(Duration::ZERO);
        if let Some(late) = state.engine.late(longest)
            && let Err(failure) = self.remember(state, late)
        {
            // As for any frame: `finish` decides what an error is to do.
            state.engine.fail(buffer, failure);
            return Ok(());
        }
        self.lateness.set_waited(Duration::ZERO);
        if video::is_empty_gap(&buffer) {
            lock(&self.stats).gaps += 1;
            state.engine.pass(buffer);
            return Ok(());
        }
        let info = state
            .info
            .as_ref()
            .ok_or_else(|| gst::error_msg!(gst::CoreError::Negotiation, ("no caps yet")))?;
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>();
        let running_time = segment.and_then(|segment| segment.to_running_time(buffer.pts()));
        if holds {
            let size = (info.width(), info.height());
            if self.lateness.is_late(running_time) && state.held.suffices(buffer.pts(), size) {
                lock(&self.stats).late += 1;
                state.engine.hold(buffer);
                return Ok(());
            }
            state.engine.detach(&state.config)?;
        }
        if state.engine.is_busy() {
            lock(&self.stats).busy += 1;
            state.engine.hold(buffer);
            return Ok(());
        }
        let upstream = state.config.detector_model.is_none();
        let known = upstream.then(|| KnownHeads::read(&buffer, &settings.interop));
        let frame_settings = settings.frame_settings();
        let patience = match (detached, holds) {
            (true, _) => Some(gst::ClockTime::ZERO),
            (false, true) => {
                let now = self.obj().current_running_time();
                self.lateness.time_left(running_time, now, frame_duration)
            }
            (false, false) => None,
        };
        let (engine, patience) = (&mut state.engine, patience.map(Into::into));
        let start = Instant::now();
        engine.infer(buffer, info, &frame_settings, known, patience);
        self.lateness.set_waited(start.elapsed());
        if engine.is_busy() && !detached {
            lock(&self.stats).late += 1;
        }
        Ok(())
    }

    /// Waits for the frame that has gone on without its inference, as its memory is upstream's, and keeps what was
    /// found.
    pub(super) fn settle(&self) {
        if let Some(state) = &mut *lock(&self.state)
            && let Some(late) = state.engine.late(None)
            && let Err(Failure::Message { text, .. }) = self.remember(state, late)
        {
            // If it is more than this frame the next one will say so.
            gst::warning!(CAT, imp = self, "{text}");
        }
    }

    /// Sends on what is done, or with `drain` all that is in flight: what comes next must not overtake it.
    pub(super) fn send(&self, drain: bool) -> Result<(), gst::FlowError> {
        let mut result = Ok(());
        while let Some(output) = self.next_output(drain) {
            let pushed = output.and_then(|buffer| self.obj().src_pad().push(buffer));
            result = result.and(pushed.map(drop));
        }
        result
    }

    /// As [`send`](Self::send), when no buffer is at hand whose way upstream could take the result: it goes with
    /// the next one.
    pub(super) fn send_between(&self, drain: bool) {
        if let Err(error) = self.send(drain) {
            *lock(&self.sent) = Some(error);
        }
    }

    /// From now on sends each frame on as soon as it is done: upstream may have no buffer for another before it
    /// gets that one back.
    pub(super) fn send_when_done(&self, engine: &Engine) -> Result<(), Error> {
        let Some(done) = engine.done() else {
            return Ok(());
        };
        let element = self.obj().downgrade();
        let sender = std::thread::Builder::new().name("dmheadpose-send".into());
        let sender = sender.spawn(move || {
            // Ends with the engine.
            while done.recv().is_ok() {
                let Some(element) = element.upgrade() else {
                    return;
                };
                let pad = element.sink_pad();
                let _streaming = pad.stream_lock();
                element.imp().send_between(false);
            }
        });
        sender
            .map(drop)
            .map_err(|error| Error::Thread(error.to_string()))
    }
}

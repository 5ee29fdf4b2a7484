// SPDX-License-Identifier: MPL-2.0
//! The way of a frame through the element: into the queue, and out of it, with its heads, downstream.

use std::time::{Duration, Instant};

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;

use super::deadline::{Decision, Facts, Why};
use super::frames::{Failure, FrameQueue, Outcome};
use super::imp::{CAT, DmHeadPose, State};
use super::metas::{self, KnownHeads};
use super::options::DmHeadPoseOnError;
use super::properties::Settings;
use crate::estimator::geometry::Size;
use crate::estimator::{self, Found, error::Error};
use crate::headposemeta::{HeadPoses, Source};
use crate::sync::lock;
use crate::video;

impl DmHeadPose {
    /// Takes a buffer into the queue: inferred, held or passed.
    pub(super) fn enqueue(&self, buffer: gst::Buffer, settings: &Settings) -> Result<(), Failure> {
        if estimator::is_forked() {
            return Err(Error::Forked.into());
        }
        metas::warn_of_missing(settings.meta_format, self.obj().upcast_ref(), &self.warned);
        let mut state = lock(&self.state);
        let state = state.as_mut().ok_or(Failure::Exiting)?;
        if let Some(error) = state.queue.missing() {
            gst::warning!(CAT, imp = self, "Continues with fewer threads: {error}");
        }
        let (holds, is_async) = self.may_go_on(settings);
        // After a switch from async to waiting mode, one result may still be pending.
        let longest = (holds || is_async).then_some(Duration::ZERO);
        if let Err(failure) = self.keep_background_result(state, longest) {
            // As for any frame: `on-error` decides what becomes of it.
            state.queue.put(buffer, Outcome::Failed(failure));
            return Ok(());
        }
        let decision = self.decide(state, &buffer, holds, is_async);
        lock(&self.stats).count(decision);
        match decision {
            Decision::Pass => state.queue.put(buffer, Outcome::Passed),
            Decision::Hold(_) => state.queue.put(buffer, Outcome::Held),
            Decision::Infer(wait) => {
                if holds {
                    state.queue.move_to_background(&state.config)?;
                }
                self.infer(state, buffer, settings, wait)?;
                if state.queue.is_busy() && !is_async {
                    lock(&self.stats).count(Decision::Hold(Why::Late));
                }
            }
        }
        Ok(())
    }

    /// Whether late frames, and whether all frames may go on without a result of their own.
    fn may_go_on(&self, settings: &Settings) -> (bool, bool) {
        let may = !settings.look.waits_for_heads();
        let is_async = lock(&self.loaded).as_ref().is_some_and(|l| l.is_async);
        let holds = settings.holds();
        (holds && may, is_async && may)
    }

    fn decide(
        &self,
        state: &State,
        buffer: &gst::BufferRef,
        holds: bool,
        is_async: bool,
    ) -> Decision {
        let size = state.info.as_ref().map(video::size);
        let loaded = lock(&self.loaded);
        let duration = loaded.as_ref().map(|loaded| loaded.frame_duration);
        drop(loaded);
        let facts = Facts {
            is_empty: video::is_empty_gap(buffer),
            holds,
            is_async,
            is_busy: state.queue.is_busy(),
            has_last: size.is_some_and(|size| state.last.suffices(buffer.pts(), size)),
            running_time: self.running_time(buffer),
            duration: duration.unwrap_or_default(),
        };
        let now = holds.then(|| self.obj().current_running_time());
        self.deadline.decide(&facts, now.flatten())
    }

    fn infer(
        &self,
        state: &mut State,
        buffer: gst::Buffer,
        settings: &Settings,
        wait: Option<Duration>,
    ) -> Result<(), Failure> {
        let info = state.info.as_ref().ok_or_else(no_caps)?;
        let upstream = state.config.detector_model.is_none();
        let known = upstream.then(|| KnownHeads::read(&buffer, settings.object_class.as_deref()));
        let settings = settings.frame_settings();
        let start = Instant::now();
        state.queue.push(buffer, info, known, &settings, wait);
        self.deadline.set_waited(start.elapsed());
        Ok(())
    }

    /// Keeps what was found in the frame in the background, once its inference has ended; waits for it, at most for
    /// `longest`.
    fn keep_background_result(
        &self,
        state: &mut State,
        longest: Option<Duration>,
    ) -> Result<(), Failure> {
        let Some((frame, outcome)) = state.queue.pop_background(longest) else {
            return Ok(());
        };
        let mut found = match outcome {
            Outcome::Inferred(found, _) => found,
            Outcome::Failed(failure) => return Err(failure),
            Outcome::Passed | Outcome::Held => return Ok(()),
        };
        let poses = poses(&mut found, video::size(&frame.info));
        let lacks_heads = found.unposed > 0;
        state.last.keep(&poses, frame.pts, true, lacks_heads);
        lock(&self.stats).add(poses.heads.len(), &found, Duration::ZERO);
        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {:?}",
            frame.pts.display(),
            poses.heads.len(),
            found.times
        );
        Ok(())
    }

    /// Waits for the frame in the background, whose memory is upstream's, and keeps its result.
    pub(super) fn settle(&self) {
        if let Some(state) = &mut *lock(&self.state)
            && let Err(Failure::Message { text, .. }) = self.keep_background_result(state, None)
        {
            // If it is more than this frame, the next one will fail as well.
            gst::warning!(CAT, imp = self, "{text}");
        }
    }

    /// Sends the buffers that are done, or with `drain` all that are in flight: what comes next must not overtake
    /// them.
    pub(super) fn send(&self, settings: &Settings, drain: bool) -> Result<(), gst::FlowError> {
        let mut result = Ok(());
        while let Some(buffer) = self.next_finished(settings, drain) {
            let pushed = buffer.and_then(|buffer| self.obj().src_pad().push(buffer));
            result = result.and(pushed.map(drop));
        }
        result
    }

    /// As [`send`](Self::send), where there is no buffer whose flow return could take the result upstream: that of
    /// the next buffer will.
    pub(super) fn send_between(&self, drain: bool) {
        if let Err(error) = self.send(&self.settings(), drain) {
            *lock(&self.sent) = Some(error);
        }
    }

    /// The next buffer for downstream; see [`FrameQueue::pop`].
    fn next_finished(
        &self,
        settings: &Settings,
        drain: bool,
    ) -> Option<Result<gst::Buffer, gst::FlowError>> {
        let popped = lock(&self.state).as_mut()?.queue.pop(drain)?;
        let finished = match popped {
            Ok((buffer, outcome)) => self.finish(buffer, outcome, settings),
            Err(failure) => Err(failure),
        };
        Some(finished.map_err(|failure| {
            // The stream ends here: what else is in flight would only fail in the same way.
            if let Some(state) = &mut *lock(&self.state) {
                state.queue.discard();
            }
            self.fail(failure)
        }))
    }

    /// Puts a buffer's own or the last result on it, as metas and drawn, and reports it.
    fn finish(
        &self,
        mut buffer: gst::Buffer,
        outcome: Outcome,
        settings: &Settings,
    ) -> Result<gst::Buffer, Failure> {
        let inferred = match outcome {
            Outcome::Passed => return Ok(buffer),
            Outcome::Held => None,
            Outcome::Inferred(found, known) => Some((found, known)),
            Outcome::Failed(failure) => {
                self.hold_on_error(failure, settings)?;
                None
            }
        };
        let compose = settings.look.draws() && self.downstream.draws_compositions(&*self.obj());
        let is_fresh = match &mut *lock(&self.state) {
            Some(state) => self.put_result(state, &mut buffer, inferred, settings, compose)?,
            None => return Err(Failure::Exiting),
        };
        if is_fresh {
            self.reporter
                .report(self.obj().upcast_ref(), settings, &buffer);
        }
        Ok(buffer)
    }

    /// Lets the last result hold where `on-error` says so.
    fn hold_on_error(&self, failure: Failure, settings: &Settings) -> Result<(), Failure> {
        let text = match failure {
            Failure::Message { text, .. } if settings.on_error == DmHeadPoseOnError::Hold => text,
            failure => return Err(failure),
        };
        lock(&self.stats).errors += 1;
        // The first of a row: a broken provider fails at every frame.
        let is_first = match &mut *lock(&self.state) {
            Some(state) => !std::mem::replace(&mut state.failing, true),
            None => return Err(Failure::Exiting),
        };
        if is_first {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ("{text}"));
        }
        Ok(())
    }

    /// Puts the result on a buffer; whether the buffer is the first to carry it.
    fn put_result(
        &self,
        state: &mut State,
        buffer: &mut gst::Buffer,
        inferred: Option<(Found, KnownHeads)>,
        settings: &Settings,
        compose: bool,
    ) -> Result<bool, Failure> {
        let pts = buffer.pts();
        let size = video::size(state.info.as_ref().ok_or_else(no_caps)?);
        let (mut own, known) = inferred.unzip();
        let mut result = match &mut own {
            Some(found) => {
                state.failing = false;
                let poses = poses(found, size);
                state.last.keep(&poses, pts, false, found.unposed > 0);
                Some((poses, true))
            }
            None => {
                lock(&self.stats).held += 1;
                state.last.at(pts, size)
            }
        };
        let poses = result.as_mut().map(|(poses, _)| poses);
        let known = known.unwrap_or_default();
        let drawing_time = self.attach(state, buffer, poses, known, settings, compose)?;
        let Some((poses, is_fresh)) = result else {
            return Ok(false);
        };
        gst::log!(
            CAT,
            imp = self,
            "{}: {} heads, {:?}, {} old, {:?}",
            pts.display(),
            poses.heads.len(),
            poses.source,
            poses.age.display(),
            own.as_ref().map(|found| found.times)
        );
        for head in &poses.heads {
            gst::trace!(CAT, imp = self, "{head:?}");
        }
        if let Some(found) = &own {
            lock(&self.stats).add(poses.heads.len(), found, drawing_time);
        }
        Ok(is_fresh)
    }

    /// Attaches the metas and draws; how long drawing took.
    fn attach(
        &self,
        state: &mut State,
        buffer: &mut gst::Buffer,
        mut poses: Option<&mut HeadPoses>,
        known: KnownHeads,
        settings: &Settings,
        compose: bool,
    ) -> Result<Duration, Failure> {
        let State {
            overlay,
            metas,
            last,
            info,
            ..
        } = state;
        let info = info.as_ref().ok_or_else(no_caps)?;
        let (time, writable) = (self.running_time(buffer), buffer.make_mut());
        if let Some(poses) = &mut poses {
            metas
                .attach(poses, known, settings.meta_format, time, writable)
                .map_err(|error| gst::error_msg!(gst::StreamError::Failed, ("{error}")))?;
        }
        let start = Instant::now();
        let look = &settings.look;
        if poses.is_some() && last.lacks_heads() {
            // A head without a pose is in no meta, but it is there.
            overlay.draw(None, look, compose, info, writable)?;
        }
        overlay.draw(poses.as_deref(), look, compose, info, writable)?;
        Ok(start.elapsed())
    }

    pub(super) fn fail(&self, failure: Failure) -> gst::FlowError {
        match failure {
            Failure::Exiting => gst::FlowError::Flushing,
            Failure::Message { message, .. } => {
                self.post_error_message(message);
                gst::FlowError::Error
            }
        }
    }

    fn running_time(&self, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
        let segment = self.obj().segment();
        let segment = segment.downcast_ref::<gst::ClockTime>()?;
        segment.to_running_time(buffer.pts())
    }

    /// From now on sends each buffer as soon as it is done: upstream may have no buffer for another frame before it
    /// gets that one back.
    pub(super) fn send_when_done(&self, queue: &FrameQueue) -> Result<(), Error> {
        let Some(done) = queue.done() else {
            return Ok(());
        };
        let element = self.obj().downgrade();
        let sender = std::thread::Builder::new().name("dmheadpose-send".into());
        let sender = sender.spawn(move || {
            // Ends with the queue.
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

/// Takes the heads of a frame of this size, as they go onto buffers.
fn poses(found: &mut Found, Size { width, height }: Size) -> HeadPoses {
    HeadPoses {
        width,
        height,
        source: match found.detected {
            true => Source::Inferred,
            false => Source::Tracked,
        },
        age: Some(gst::ClockTime::ZERO),
        inference_time: gst::ClockTime::try_from(found.times.total()).ok(),
        heads: std::mem::take(&mut found.heads),
    }
}

fn no_caps() -> gst::ErrorMessage {
    gst::error_msg!(gst::CoreError::Negotiation, ("no caps yet"))
}

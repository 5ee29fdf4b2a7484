// SPDX-License-Identifier: MPL-2.0
//! Several frames in flight, in threads of their own; they come out in the order they went in.
//!
//! The networks of one frame leave cores idle: where they are small, more threads on one operator gain little. Two
//! frames at once keep the cores busy, best with a third one queued for the thread that is done first. The
//! `StreamState` is used in the order of the frames, so the results are those of one frame after the other.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::detector::Detection;
use super::error::Error;
use super::image::frame::FrameView;
use super::job::FrameJob;
use super::networks::Networks;
use super::onnx::exit;
use super::stream::StreamState;
use super::types::threads;
use super::{Config, Found, HeadPoseEstimator, Settings};
use crate::sync::{lock, wait, wait_until};

/// A frame that another thread can work on.
pub trait Frame: Send + 'static {
    /// Its pixels.
    ///
    /// # Errors
    /// [`Error::Frame`] when they cannot be read.
    fn view(&self) -> Result<FrameView<'_>, Error>;

    /// Its heads, where they are known.
    fn known(&self) -> Option<&[Detection]> {
        None
    }

    /// Called as soon as its inference has ended: pixels that are not needed after that can be given back.
    fn release(&mut self) {}
}

/// Threads that run the networks on frames.
#[derive(Debug)]
pub struct Workers<F> {
    shared: Arc<Shared<F>>,
    threads: Vec<JoinHandle<()>>,
    /// How many frames may be in flight.
    depth: usize,
    in_flight: usize,
    /// Jobs that are done, for reuse.
    idle: Vec<FrameJob>,
}

#[derive(Debug)]
struct Shared<F> {
    line: Mutex<Line<F>>,
    /// A frame is queued, or the line is closed.
    queued: Condvar,
    /// A frame had its turn, is done, or is lost.
    moved: Condvar,
    /// Gets a message whenever a frame is done or lost.
    done: OnceLock<SyncSender<()>>,
}

/// The frames in flight, and the stream that they belong to.
#[derive(Debug)]
struct Line<F> {
    stream: StreamState,
    /// Number of the last frame that had its turn to use the stream.
    followed: u64,
    /// Number of the first of `frames`.
    first: u64,
    /// In their order, the oldest first.
    frames: VecDeque<InFlight<F>>,
    /// No more frames are taken.
    closed: bool,
    /// Why a worker that was to load its networks is missing.
    missing: Option<Error>,
}

#[derive(Debug)]
enum InFlight<F> {
    Queued(F, FrameJob),
    Running,
    Done(F, FrameJob, Result<(), Error>),
    /// Its worker has ended.
    Lost,
}

impl<F> Shared<F> {
    /// Waits for a frame that no worker has; `None` once the line is closed.
    fn take(&self) -> Option<(F, FrameJob)> {
        let mut line = lock(&self.line);
        while !line.closed {
            for frame in &mut line.frames {
                match std::mem::replace(frame, InFlight::Running) {
                    InFlight::Queued(frame, job) => return Some((frame, job)),
                    other => *frame = other,
                }
            }
            line = wait(&self.queued, line);
        }
        None
    }

    /// Waits until all frames before `number` have had their turn, then takes it, if that was not done before.
    fn turn(&self, number: u64, act: impl FnOnce(&mut StreamState)) {
        let mut line = lock(&self.line);
        while line.followed + 1 < number {
            line = wait(&self.moved, line);
        }
        if line.followed < number {
            act(&mut line.stream);
            line.followed = number;
            self.moved.notify_all();
        }
    }

    /// Puts what became of frame `number` in its place.
    fn put(&self, number: u64, frame: InFlight<F>) {
        let mut line = lock(&self.line);
        let place = number.checked_sub(line.first);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(place) = place.and_then(|place| line.frames.get_mut(place)) {
            *place = frame;
        }
        drop(line);
        self.notify();
    }

    /// Lets the workers end. Frames that no worker has are lost.
    fn close(&self) {
        let mut line = lock(&self.line);
        line.closed = true;
        let queued = line.frames.iter_mut();
        let queued = queued.filter(|frame| matches!(frame, InFlight::Queued(..)));
        let lost = queued.map(|frame| std::mem::replace(frame, InFlight::Lost));
        let lost: Vec<_> = lost.collect();
        drop(line);
        drop(lost);
        self.queued.notify_all();
        self.notify();
    }

    /// Says that a frame is done or lost.
    fn notify(&self) {
        self.moved.notify_all();
        if let Some(done) = self.done.get() {
            // Full: an earlier message has not been received yet.
            let _ = done.try_send(());
        }
    }
}

/// How a worker gets its networks.
type Load = Box<dyn FnOnce() -> Result<Networks, Error> + Send>;

impl<F: Frame> Workers<F> {
    /// Starts the threads for `depth` frames in flight. The first uses what `estimator` has loaded, and its stream
    /// goes on. The models are loaded again for each of the others: now or, with `growing`, in its own thread, while
    /// the first works already. Then one that cannot load them is missing; see [`Workers::missing`].
    ///
    /// # Errors
    /// As [`HeadPoseEstimator::load`] unless `growing`, and [`Error::Thread`]; `estimator` comes back.
    pub fn new(
        estimator: Box<HeadPoseEstimator>,
        config: &Config,
        depth: usize,
        growing: bool,
    ) -> Result<Self, (Box<HeadPoseEstimator>, Error)> {
        let load = |_| -> Result<Load, Error> {
            let config = config.clone();
            if growing {
                return Ok(Box::new(move || Networks::load(&config)));
            }
            let networks = Networks::load(&config)?;
            Ok(Box::new(|| Ok(networks)))
        };
        let others: Result<Vec<_>, _> = (1..threads(depth)).map(load).collect();
        let started = others.and_then(|others| {
            let started: Result<Vec<_>, _> = (0..threads(depth)).map(|_| start_thread()).collect();
            Ok((started?, others))
        });
        let (started, others) = match started {
            Ok(started) => started,
            Err(error) => return Err((estimator, error)),
        };
        let HeadPoseEstimator {
            networks, stream, ..
        } = *estimator;
        let shared = Arc::new(Shared {
            line: Mutex::new(Line {
                followed: stream.pace.begun,
                first: stream.pace.begun + 1,
                stream: stream.deepened(depth),
                frames: VecDeque::with_capacity(depth),
                closed: false,
                missing: None,
            }),
            queued: Condvar::new(),
            moved: Condvar::new(),
            done: OnceLock::new(),
        });
        let first: Load = Box::new(|| Ok(networks));
        let loads = std::iter::once(first).chain(others);
        let threads = started.into_iter().zip(loads);
        let threads = threads.map(|((start, thread), load)| {
            let shared = Arc::clone(&shared);
            // The thread does nothing but wait for it.
            let _ = start.send((load, shared));
            thread
        });
        Ok(Self {
            threads: threads.collect(),
            shared,
            depth,
            in_flight: 0,
            idle: Vec::with_capacity(depth),
        })
    }

    /// A receiver that gets a message whenever frames are done, until the workers are dropped. To be called once.
    pub fn done(&self) -> Receiver<()> {
        let (sender, receiver) = sync_channel(1);
        let _ = self.shared.done.set(sender);
        receiver
    }

    /// How many frames may be in flight.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Why a worker is missing, once: it could not load its models. The others go on.
    pub fn missing(&self) -> Option<Error> {
        lock(&self.shared.line).missing.take()
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// The frame, where no more may be in flight, or a worker has ended.
    pub fn submit(
        &mut self,
        frame: F,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<(), F> {
        if exit::is_forked() || self.in_flight == self.depth {
            return Err(frame);
        }
        let view = frame.view().ok();
        let known = frame.known().is_some();
        let mut line = lock(&self.shared.line);
        if line.closed {
            return Err(frame);
        }
        let mut job = self.idle.pop().unwrap_or_default();
        (job.time, job.settings) = (time, *settings);
        line.stream.begin(&mut job, view.as_ref(), known);
        line.frames.push_back(InFlight::Queued(frame, job));
        drop(line);
        self.in_flight += 1;
        self.shared.queued.notify_one();
        Ok(())
    }

    /// The oldest frame in flight; waits for it, at most for `longest`. `None` if it is not done then, if there is
    /// none, or if it was lost with its worker; then it is no longer in flight.
    pub fn collect(&mut self, longest: Option<Duration>) -> Option<(F, Result<Found, Error>)> {
        if self.in_flight == 0 {
            return None;
        }
        if exit::is_forked() {
            // The parent's workers have it.
            self.in_flight -= 1;
            return None;
        }
        let until = longest.and_then(|longest| Instant::now().checked_add(longest));
        let mut line = lock(&self.shared.line);
        while let Some(InFlight::Queued(..) | InFlight::Running) = line.frames.front() {
            line = wait_until(&self.shared.moved, line, until)?;
        }
        self.in_flight -= 1;
        line.first += 1;
        let Some(InFlight::Done(frame, mut job, result)) = line.frames.pop_front() else {
            return None;
        };
        match &result {
            Ok(()) => line.stream.finish(&mut job),
            Err(_) => line.stream.fail(&job),
        }
        drop(line);
        let found = result.map(|()| std::mem::take(&mut job.found));
        self.idle.push(job);
        Some((frame, found))
    }

    /// As [`HeadPoseEstimator::cut`].
    pub fn cut(&mut self) {
        if !exit::is_forked() {
            lock(&self.shared.line).stream.pace.cut();
        }
    }
}

impl<F> Drop for Workers<F> {
    fn drop(&mut self) {
        if exit::is_forked() {
            // The threads are the parent's. Waiting for them, or for a lock that one of them held, would never end.
            return std::mem::forget(std::mem::take(&mut self.threads));
        }
        self.shared.close();
        for thread in self.threads.drain(..) {
            // A panic was reported by the frames that were lost with it.
            let _ = thread.join();
        }
    }
}

/// How to tell a thread what to load, and for whom to work.
type Start<F> = SyncSender<(Load, Arc<Shared<F>>)>;

/// A thread that waits for its start, so that none needs networks before all threads are there.
fn start_thread<F: Frame>() -> Result<(Start<F>, JoinHandle<()>), Error> {
    let (start, started) = sync_channel::<(Load, Arc<Shared<F>>)>(1);
    let thread = std::thread::Builder::new().name("dmheadpose".into());
    let thread = thread.spawn(move || {
        let Ok((load, shared)) = started.recv() else {
            return;
        };
        match load() {
            Ok(networks) => work(networks, &shared),
            Err(error) => lock(&shared.line).missing = Some(error),
        }
    });
    let thread = thread.map_err(|error| Error::Thread(error.to_string()))?;
    Ok((start, thread))
}

/// Runs the networks on one frame after the other, until the line is closed.
fn work<F: Frame>(mut networks: Networks, shared: &Shared<F>) {
    while let Some((mut frame, mut job)) = shared.take() {
        let number = job.number;
        let run = AssertUnwindSafe(|| {
            let view = frame.view()?;
            let in_turn =
                |act: &mut dyn FnMut(&mut StreamState)| shared.turn(number, |stream| act(stream));
            networks.run(&mut job, &view, frame.known(), in_turn)
        });
        let result = panic::catch_unwind(run);
        // Later frames wait for its turn, which a frame that failed may not have taken.
        shared.turn(number, |_| {});
        let Ok(result) = result else {
            drop(frame);
            // Closed first: once the loss is known, no frame is taken any more.
            shared.close();
            return shared.put(number, InFlight::Lost);
        };
        frame.release();
        shared.put(number, InFlight::Done(frame, job, result));
    }
}

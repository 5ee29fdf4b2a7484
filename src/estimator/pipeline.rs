// SPDX-License-Identifier: MPL-2.0
//! Several frames in flight, looked at by threads of its own; they come out in the order they went in.
//!
//! A frame's networks leave cores idle: where they are small, more threads on one operator gain little. Two
//! frames at once do not, least where a third one lies ready for the thread that is done first. What is
//! remembered between frames (see `Scene`) is touched in the frames' order, so the results are those of one
//! frame after the other.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::detector::Detection;
use super::error::Error;
use super::exit_gate;
use super::findings::Findings;
use super::frame::FrameView;
use super::networks::Networks;
use super::scene::{Plan, Scene};
use super::{Config, Head, HeadPoseEstimator, Settings, StageTimes};
use crate::sync::{lock, wait};

/// A frame that a thread may keep while it is looked at.
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

    /// Called as soon as its inference has ended: pixels that are of no use after that can be given back.
    fn release(&mut self) {}
}

/// How many threads look at frames where `depth` are in flight: of three or more, one waits for the thread that
/// is done first.
pub fn workers(depth: usize) -> usize {
    match depth {
        0..3 => depth,
        _ => depth - 1,
    }
}

/// What became of a frame.
#[derive(Debug)]
pub struct Finished<'a, F> {
    pub frame: F,
    pub heads: Result<&'a [Head], Error>,
    /// The boxes were detected, or given; they were not predicted.
    pub detected: bool,
    pub times: StageTimes,
    /// How many heads the front model looked at.
    pub front_runs: usize,
    /// As [`HeadPoseEstimator::unposed`].
    pub unposed: usize,
}

/// Runs several frames at once.
#[derive(Debug)]
pub struct Pipeline<F> {
    scene: Arc<InOrder>,
    line: Arc<Line<F>>,
    workers: Vec<JoinHandle<()>>,
    /// How many frames may be in flight.
    depth: usize,
    /// For the frames that may come.
    idle: Vec<Slot<F>>,
    /// Where the frames in flight come out, the oldest first.
    busy: VecDeque<Receiver<Done<F>>>,
    heads: Vec<Head>,
}

/// What a frame in flight needs beside the networks.
#[derive(Debug)]
struct Slot<F> {
    findings: Findings,
    outbox: SyncSender<Done<F>>,
    inbox: Receiver<Done<F>>,
}

#[derive(Debug)]
struct Job<F> {
    plan: Plan,
    frame: F,
    time: Option<Duration>,
    settings: Settings,
    findings: Findings,
    outbox: SyncSender<Done<F>>,
}

#[derive(Debug)]
struct Done<F> {
    job: Job<F>,
    result: Result<(), Error>,
}

/// Frames that wait for a worker.
#[derive(Debug)]
struct Line<F> {
    /// `None` once the workers are to end.
    jobs: Mutex<Option<VecDeque<Job<F>>>>,
    moved: Condvar,
    /// Why a worker that was to load its networks is missing.
    missing: Mutex<Option<Error>>,
    /// Told of each frame that is done.
    done: OnceLock<SyncSender<()>>,
}

impl<F> Line<F> {
    /// Gives the job back where the line is closed.
    fn put(&self, job: Job<F>) -> Option<Job<F>> {
        match &mut *lock(&self.jobs) {
            Some(jobs) => jobs.push_back(job),
            None => return Some(job),
        }
        self.moved.notify_one();
        None
    }

    /// Waits for a job; `None` once the line is closed.
    fn take(&self) -> Option<Job<F>> {
        let mut jobs = lock(&self.jobs);
        loop {
            if let Some(job) = jobs.as_mut()?.pop_front() {
                return Some(job);
            }
            jobs = wait(&self.moved, jobs);
        }
    }

    /// Drops all jobs, which tells those who wait for them.
    fn close(&self) {
        let jobs = lock(&self.jobs).take();
        drop(jobs);
        self.moved.notify_all();
        self.tell();
    }

    /// Says that a frame is done, or lost.
    fn tell(&self) {
        if let Some(done) = self.done.get() {
            // Full: it was said already, and not heard yet.
            let _ = done.try_send(());
        }
    }
}

/// The scene, and whose turn it is to make targets of detections.
#[derive(Debug)]
struct InOrder {
    turns: Mutex<Turns>,
    moved: Condvar,
}

#[derive(Debug)]
struct Turns {
    scene: Scene,
    /// The last frame that had its turn.
    followed: u64,
}

impl InOrder {
    /// Waits until all frames before `number` have had their turn, then takes it.
    fn turn(&self, number: u64, act: impl FnOnce(&mut Scene)) {
        let mut turns = lock(&self.turns);
        while turns.followed + 1 < number {
            turns = wait(&self.moved, turns);
        }
        if turns.followed < number {
            act(&mut turns.scene);
            turns.followed = number;
            self.moved.notify_all();
        }
    }
}

impl<F: Frame> Pipeline<F> {
    /// Starts [`workers`] for `depth` frames in flight. The first uses what `estimator` has loaded, and its heads
    /// are followed on; the models are loaded again for each of the others.
    ///
    /// # Errors
    /// As [`HeadPoseEstimator::load`], and [`Error::Thread`]; `estimator` comes back.
    pub fn new(
        estimator: Box<HeadPoseEstimator>,
        config: &Config,
        depth: usize,
    ) -> Result<Self, (Box<HeadPoseEstimator>, Error)> {
        let load = || Networks::load(config).map(|networks| Source::Loaded(Box::new(networks)));
        let others = (1..workers(depth)).map(|_| load());
        match others.collect::<Result<Vec<_>, _>>() {
            Ok(others) => Self::with_others(estimator, others, depth),
            Err(error) => Err((estimator, error)),
        }
    }

    /// As [`Pipeline::new`], but the others load their models in their own threads, while the first looks at
    /// frames already. One that cannot is missing; see [`Pipeline::missing`].
    ///
    /// # Errors
    /// [`Error::Thread`]; `estimator` comes back.
    pub fn growing(
        estimator: Box<HeadPoseEstimator>,
        config: &Config,
        depth: usize,
    ) -> Result<Self, (Box<HeadPoseEstimator>, Error)> {
        let others = (1..workers(depth)).map(|_| Source::Files(Box::new(config.clone())));
        Self::with_others(estimator, others.collect(), depth)
    }

    fn with_others(
        estimator: Box<HeadPoseEstimator>,
        others: Vec<Source>,
        depth: usize,
    ) -> Result<Self, (Box<HeadPoseEstimator>, Error)> {
        let threads = (0..workers(depth)).map(|_| Worker::start());
        let threads = match threads.collect::<std::io::Result<Vec<_>>>() {
            Ok(threads) => threads,
            Err(error) => return Err((estimator, Error::Thread(error.to_string()))),
        };
        let scene = Arc::new(InOrder {
            turns: Mutex::new(Turns {
                followed: estimator.scene.begun(),
                scene: estimator.scene.deepened(depth),
            }),
            moved: Condvar::new(),
        });
        let line = Arc::new(Line {
            jobs: Mutex::new(Some(VecDeque::with_capacity(depth))),
            moved: Condvar::new(),
            missing: Mutex::new(None),
            done: OnceLock::new(),
        });
        let first = Source::Loaded(Box::new(estimator.networks));
        let sources = std::iter::once(first).chain(others);
        let workers = threads.into_iter().zip(sources);
        let workers = workers.map(|((start, thread), source)| {
            // It waits for nothing else, so it is there.
            let _ = start.send(Worker {
                source,
                scene: Arc::clone(&scene),
                line: Arc::clone(&line),
            });
            thread
        });
        Ok(Self {
            workers: workers.collect(),
            scene,
            line,
            depth,
            idle: (0..depth).map(|_| Slot::new()).collect(),
            busy: VecDeque::with_capacity(depth),
            heads: Vec::new(),
        })
    }

    /// Where a message comes in whenever frames are done, until the pipeline is dropped. Of use once.
    pub fn done(&self) -> Receiver<()> {
        let (sender, receiver) = sync_channel(1);
        let _ = self.line.done.set(sender);
        receiver
    }

    /// How many frames may be in flight.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Why a worker is missing, once: it could not load its models. The others go on.
    pub fn missing(&self) -> Option<Error> {
        lock(&self.line.missing).take()
    }

    /// How many frames are in flight.
    pub fn in_flight(&self) -> usize {
        self.busy.len()
    }

    /// Starts with a frame; gives it back where as many are in flight as may be, or a worker has ended.
    ///
    /// # Errors
    /// The frame.
    pub fn submit(
        &mut self,
        frame: F,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<(), F> {
        if exit_gate::is_forked() {
            return Err(frame);
        }
        let Some(slot) = self.idle.pop() else {
            return Err(frame);
        };
        let size = frame.view().ok().map(|view| view.size());
        let known = frame.known().is_some();
        let job = Job {
            plan: lock(&self.scene.turns)
                .scene
                .begin(size, time, known, settings),
            frame,
            time,
            settings: *settings,
            findings: slot.findings,
            outbox: slot.outbox,
        };
        if let Some(job) = self.line.put(job) {
            return Err(job.frame);
        }
        self.busy.push_back(slot.inbox);
        Ok(())
    }

    /// The oldest frame in flight; waits for it, but not longer than `longest`. `None` if it is not done then,
    /// if there is none, or if it was lost with its worker; then it is no longer in flight.
    pub fn collect(&mut self, longest: Option<Duration>) -> Option<Finished<'_, F>> {
        let inbox = self.busy.front()?;
        if exit_gate::is_forked() {
            // The parent's workers have it.
            std::mem::forget(self.busy.pop_front());
            return None;
        }
        let done = match longest.map(|longest| inbox.recv_timeout(longest)) {
            None => inbox.recv().ok(),
            Some(Err(RecvTimeoutError::Timeout)) => return None,
            Some(done) => done.ok(),
        };
        let inbox = self.busy.pop_front()?;
        let Done { job, result } = done?;
        let Job {
            plan,
            frame,
            time,
            settings,
            findings,
            outbox,
        } = job;
        let scene = &mut lock(&self.scene.turns).scene;
        match result {
            Ok(()) => scene.finish(plan, &findings, time, &settings, &mut self.heads),
            Err(_) => scene.fail(plan),
        }
        let unposed = findings.targets.len().saturating_sub(self.heads.len());
        let (times, front_runs) = (findings.times, findings.front_runs);
        self.idle.push(Slot {
            findings,
            outbox,
            inbox,
        });
        Some(Finished {
            frame,
            heads: result.map(|()| self.heads.as_slice()),
            detected: plan.detect,
            times,
            front_runs,
            unposed,
        })
    }

    /// Forgets the heads that are followed: for a stream that jumps.
    pub fn reset_tracks(&mut self) {
        if !exit_gate::is_forked() {
            lock(&self.scene.turns).scene.cut();
        }
    }
}

impl<F> Drop for Pipeline<F> {
    fn drop(&mut self) {
        if exit_gate::is_forked() {
            // They are the parent's. To wait for them, or for a lock that one of them held, would be for ever.
            std::mem::forget(std::mem::take(&mut self.workers));
            return std::mem::forget(std::mem::take(&mut self.busy));
        }
        self.line.close();
        for worker in self.workers.drain(..) {
            // Who waits for a thread that panicked learns nothing more from it.
            let _ = worker.join();
        }
    }
}

impl<F> Slot<F> {
    fn new() -> Self {
        let (outbox, inbox) = sync_channel(1);
        Self {
            findings: Findings::default(),
            outbox,
            inbox,
        }
    }
}

/// Where a worker's networks come from.
#[derive(Debug)]
enum Source {
    Loaded(Box<Networks>),
    Files(Box<Config>),
}

/// A thread's part: it looks at one frame after the other.
#[derive(Debug)]
struct Worker<F> {
    source: Source,
    scene: Arc<InOrder>,
    line: Arc<Line<F>>,
}

impl<F: Frame> Worker<F> {
    /// A thread that waits for the worker it is to be.
    fn start() -> std::io::Result<(SyncSender<Self>, JoinHandle<()>)> {
        let (start, worker) = sync_channel::<Self>(1);
        let thread = std::thread::Builder::new()
            .name("dmheadpose".into())
            .spawn(move || {
                if let Ok(worker) = worker.recv() {
                    worker.work();
                }
            })?;
        Ok((start, thread))
    }

    fn work(self) {
        let mut networks = match self.source {
            Source::Loaded(networks) => networks,
            Source::Files(config) => match Networks::load(&config) {
                Ok(networks) => Box::new(networks),
                Err(error) => {
                    *lock(&self.line.missing) = Some(error);
                    return;
                }
            },
        };
        while let Some(mut job) = self.line.take() {
            let run = AssertUnwindSafe(|| job.run(&mut networks, &self.scene));
            let Ok(result) = panic::catch_unwind(run) else {
                // The others must not wait for its frame, and no frame for this thread.
                self.scene.turn(job.plan.number, |_| {});
                drop(job);
                return self.line.close();
            };
            job.frame.release();
            let outbox = job.outbox.clone();
            if outbox.send(Done { job, result }).is_err() {
                return;
            }
            self.line.tell();
        }
    }
}

impl<F: Frame> Job<F> {
    fn run(&mut self, networks: &mut Networks, scene: &InOrder) -> Result<(), Error> {
        let Self {
            plan,
            frame,
            time,
            settings,
            findings,
            ..
        } = self;
        let mut detected = frame.view().and_then(|view| {
            networks.detect(*plan, &view, frame.known(), settings, findings)?;
            Ok(view)
        });
        scene.turn(plan.number, |scene| {
            // A frame that failed has its turn as well: others wait for it.
            if let Ok(view) = detected
                && scene.lacks_boxes(*plan)
            {
                plan.detect = true;
                let found = networks.detect(*plan, &view, frame.known(), settings, findings);
                detected = found.map(|()| view);
            }
            if let Ok(view) = &detected {
                scene.follow(*plan, findings, view.size(), *time, settings);
            }
        });
        networks.estimate(&detected?, findings, settings)
    }
}

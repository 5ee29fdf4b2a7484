// SPDX-License-Identifier: MPL-2.0
//! Several frames in flight, each in a thread of its own; they come out in the order they went in.
//!
//! A frame's networks leave cores idle: where they are small, more threads on one operator gain little. Two
//! frames at once do not. What is remembered between frames (see `Scene`) is touched in the frames' order, so
//! the results are those of one frame after the other.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::detector::Detection;
use super::error::Error;
use super::frame::FrameView;
use super::inference::Inference;
use super::scene::{Plan, Scene};
use super::{Config, Head, HeadPoseEstimator, Settings, StageTimes};

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
}

/// Runs several frames at once.
#[derive(Debug)]
pub struct Pipeline<F> {
    scene: Arc<InOrder>,
    workers: Vec<Worker<F>>,
    /// Workers without a frame, with what they need for one.
    idle: Vec<(usize, Box<Inference>)>,
    /// Workers with a frame, the oldest first.
    busy: VecDeque<usize>,
    heads: Vec<Head>,
}

#[derive(Debug)]
struct Worker<F> {
    /// `None` once it is to end.
    jobs: Option<SyncSender<Job<F>>>,
    done: Receiver<Done<F>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Job<F> {
    plan: Plan,
    frame: F,
    time: Option<Duration>,
    settings: Settings,
    inference: Box<Inference>,
}

#[derive(Debug)]
struct Done<F> {
    job: Job<F>,
    result: Result<(), Error>,
}

/// The scene, and whose turn it is to make targets of detections.
#[derive(Debug)]
struct InOrder {
    scene: Mutex<Turns>,
    moved: Condvar,
}

#[derive(Debug)]
struct Turns {
    scene: Scene,
    /// The last frame that had its turn.
    followed: u64,
}

impl InOrder {
    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all frames before `number` have had their turn, then takes it.
    fn turn(&self, number: u64, act: impl FnOnce(&mut Scene)) {
        let mut turns = self.lock();
        while turns.followed + 1 < number {
            let waited = self.moved.wait(turns);
            turns = waited.unwrap_or_else(PoisonError::into_inner);
        }
        if turns.followed < number {
            act(&mut turns.scene);
            turns.followed = number;
            self.moved.notify_all();
        }
    }
}

impl<F: Frame> Pipeline<F> {
    /// Starts threads for `depth` frames at once. The first uses what `estimator` has loaded, and its heads are
    /// followed on; the models are loaded again for each of the others.
    ///
    /// # Errors
    /// As [`HeadPoseEstimator::load`]; `estimator` comes back.
    pub fn new(
        mut estimator: Box<HeadPoseEstimator>,
        config: &Config,
        depth: usize,
    ) -> Result<Self, (Box<HeadPoseEstimator>, Error)> {
        let others: Result<Vec<_>, _> = (1..depth).map(|_| Inference::load(config)).collect();
        let others = match others {
            Ok(others) => others,
            Err(error) => return Err((estimator, error)),
        };
        let scene = std::mem::replace(&mut estimator.scene, Scene::new());
        let scene = Arc::new(InOrder {
            scene: Mutex::new(Turns {
                followed: scene.begun(),
                scene: scene.deepened(depth),
            }),
            moved: Condvar::new(),
        });
        let mut workers = Vec::new();
        for _ in 0..depth {
            match Worker::start(&scene) {
                Ok(worker) => workers.push(worker),
                Err(error) => return Err((estimator, Error::Thread(error.to_string()))),
            }
        }
        let inferences = std::iter::once(estimator.inference).chain(others);
        Ok(Self {
            scene,
            workers,
            idle: inferences.map(Box::new).enumerate().collect(),
            busy: VecDeque::with_capacity(depth),
            heads: Vec::new(),
        })
    }

    /// How many frames may be in flight.
    pub fn depth(&self) -> usize {
        self.workers.len()
    }

    /// How many frames are in flight.
    pub fn in_flight(&self) -> usize {
        self.busy.len()
    }

    /// Starts with a frame; gives it back where as many are in flight as may be.
    ///
    /// # Errors
    /// The frame.
    pub fn submit(
        &mut self,
        frame: F,
        time: Option<Duration>,
        settings: &Settings,
    ) -> Result<(), F> {
        let Some((index, inference)) = self.idle.pop() else {
            return Err(frame);
        };
        let size = frame.view().ok().map(|view| view.size());
        let known = frame.known().is_some();
        let job = Job {
            plan: self.scene.lock().scene.begin(size, known, settings),
            frame,
            time,
            settings: *settings,
            inference,
        };
        let sent = match &self.workers[index].jobs {
            Some(jobs) => jobs.send(job).map_err(|unsent| unsent.0),
            None => Err(job),
        };
        match sent {
            Ok(()) => {
                self.busy.push_back(index);
                Ok(())
            }
            Err(job) => Err(job.frame),
        }
    }

    /// The oldest frame in flight; waits for it, but not longer than `longest`. `None` if it is not done then,
    /// or if there is none.
    pub fn collect(&mut self, longest: Option<Duration>) -> Option<Finished<'_, F>> {
        let done = &self.workers[*self.busy.front()?].done;
        let done = match longest.map(|longest| done.recv_timeout(longest)) {
            None => done.recv().ok(),
            Some(Err(RecvTimeoutError::Timeout)) => return None,
            Some(done) => done.ok(),
        };
        self.finish(done)
    }

    fn finish(&mut self, done: Option<Done<F>>) -> Option<Finished<'_, F>> {
        let index = self.busy.pop_front()?;
        let Done { job, result } = done?;
        let Job {
            plan,
            frame,
            time,
            settings,
            inference,
        } = job;
        let times = inference.times();
        let front_runs = inference.pose().front_runs();
        if result.is_ok() {
            let scene = &mut self.scene.lock().scene;
            scene.finish(plan, &inference, time, &settings, &mut self.heads);
        }
        self.idle.push((index, inference));
        Some(Finished {
            frame,
            heads: result.map(|()| self.heads.as_slice()),
            detected: plan.detect,
            times,
            front_runs,
        })
    }

    /// Forgets the heads that are followed: for a stream that jumps. To be called when nothing is in flight.
    pub fn reset_tracks(&mut self) {
        self.scene.lock().scene.reset();
    }
}

impl<F: Frame> Worker<F> {
    fn start(scene: &Arc<InOrder>) -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel::<Job<F>>(1);
        let (outbox, done) = sync_channel(1);
        let scene = Arc::clone(scene);
        let thread = std::thread::Builder::new()
            .name("dmheadpose".into())
            .spawn(move || {
                for mut job in inbox {
                    let run = AssertUnwindSafe(|| job.run(&scene));
                    let Ok(result) = panic::catch_unwind(run) else {
                        // This thread ends; the others must not wait for its frame.
                        return scene.turn(job.plan.number, |_| {});
                    };
                    if outbox.send(Done { job, result }).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            thread: Some(thread),
        })
    }
}

impl<F> Drop for Worker<F> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // Who waits for a thread that panicked learns nothing more from it.
            let _ = thread.join();
        }
    }
}

impl<F: Frame> Job<F> {
    fn run(&mut self, scene: &InOrder) -> Result<(), Error> {
        let (inference, settings) = (&mut self.inference, &self.settings);
        let detected = self.frame.view().and_then(|view| {
            inference.detect(self.plan, &view, self.frame.known(), settings)?;
            Ok(view)
        });
        let plan = self.plan;
        scene.turn(plan.number, |scene| {
            // A frame that failed has its turn as well: others wait for it.
            if let Ok(view) = &detected {
                scene.follow(plan, inference, view.size(), self.time, settings);
            }
        });
        inference.estimate(&detected?)
    }
}

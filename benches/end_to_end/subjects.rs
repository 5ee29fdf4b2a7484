// SPDX-License-Identifier: MPL-2.0
//! The measured subjects: the floor, the element, upstream's loop.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_video::VideoFrameRef;
use gstdmheadpose::estimator::onnx::{Model, Runtime, RuntimeOptions, SessionOptions, Severity};
use gstdmheadpose::estimator::{Config, Head, HeadPoseEstimator, Settings};
use gstdmheadpose::headposemeta::HeadPoses;
use gstdmheadpose::video;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::clip::Clip;

/// The files that all subjects load.
#[derive(Clone)]
pub struct Models {
    pub detector: PathBuf,
    pub pose: PathBuf,
    pub rear: Option<PathBuf>,
    pub onnxruntime: Option<PathBuf>,
}

/// Average time per frame, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: f64,
    /// Of all threads of the process.
    pub cpu: f64,
}

/// Time of all threads of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn measure(frames: usize, work: impl FnOnce()) -> Cost {
    let (wall, cpu) = (Instant::now(), cpu_time());
    work();
    let each = |time: Duration| time.as_secs_f64() * 1e3 / frames as f64;
    Cost {
        wall: each(wall.elapsed()),
        cpu: each(cpu_time() - cpu),
    }
}

impl Models {
    pub fn runtime(&self) -> RuntimeOptions {
        RuntimeOptions {
            library: self.onnxruntime.clone(),
            beside: None,
            log: |_, text| eprintln!("ONNX Runtime: {text}"),
            log_from: Severity::Error,
        }
    }

    fn config(&self) -> Config {
        let (detector, pose) = (self.detector.clone(), self.pose.clone());
        Config {
            rear_model: self.rear.clone(),
            ..Config::new(self.runtime(), Some(detector), pose)
        }
    }
}

/// A frame's tensors: those of the detector, and the crops in batches.
struct Tensors {
    detector: ([i64; 4], Vec<f32>),
    crops: Vec<([i64; 4], Vec<f32>)>,
}

/// ONNX Runtime alone, on prepared tensors, with the element's session options.
pub struct Floor {
    detector: Model,
    pose: Model,
    frames: Vec<Tensors>,
}

impl Floor {
    pub fn new(models: &Models, clip: &Clip, threads: usize) -> Self {
        let config = models.config();
        let mut estimator = HeadPoseEstimator::load(&config).expect("the models");
        let frames = clip.frames.iter().map(|buffer| {
            let frame =
                VideoFrameRef::from_buffer_ref_readable(buffer, &clip.info).expect("a frame");
            let view = video::view(&frame).expect("a known format");
            let found = estimator
                .process(&view, None, &Settings::DEFAULT)
                .expect("inference");
            let heads = found.len();
            let (shape, input) = estimator
                .detector()
                .and_then(|d| d.input())
                .expect("an input");
            let pose = estimator.pose().front();
            let size = pose.input_size();
            let crops = (0..heads).step_by(config.max_batch).map(|first| {
                let batch = first..heads.min(first + config.max_batch);
                let shape = [batch.len() as i64, 3, size.height.into(), size.width.into()];
                let images = batch.flat_map(|n| pose.crop_image(n).expect("a crop"));
                (shape, images.copied().collect())
            });
            Tensors {
                detector: (shape, input.to_vec()),
                crops: crops.collect(),
            }
        });
        let frames = frames.collect();
        let runtime = Runtime::get(&models.runtime()).expect("ONNX Runtime");
        let options = SessionOptions {
            intra_op_threads: threads,
            ..SessionOptions::default()
        };
        let open = |path: &Path| Model::open(runtime, "bench", path, &options).expect("a model");
        Self {
            detector: open(&models.detector),
            pose: open(&models.pose),
            frames,
        }
    }

    pub fn run(&mut self, frames: usize) -> Cost {
        self.measure(frames, true)
    }

    /// The pose network alone.
    pub fn run_pose(&mut self, frames: usize) -> Cost {
        self.measure(frames, false)
    }

    fn measure(&mut self, frames: usize, detect: bool) -> Cost {
        let Self {
            detector,
            pose,
            frames: tensors,
        } = self;
        let mut frame = |tensors: &Tensors| {
            if detect {
                let (shape, input) = &tensors.detector;
                detector.run(shape, input, |_| Ok(())).expect("inference");
            }
            for (shape, input) in &tensors.crops {
                pose.run(shape, input, |_| Ok(())).expect("inference");
            }
        };
        frame(&tensors[0]);
        measure(frames, || {
            tensors.iter().cycle().take(frames).for_each(&mut frame)
        })
    }
}

/// Loading the models and running them on one frame, without GStreamer.
pub fn load_and_run(models: &Models, clip: &Clip) -> Cost {
    let frame =
        VideoFrameRef::from_buffer_ref_readable(&clip.frames[0], &clip.info).expect("a frame");
    let view = video::view(&frame).expect("a known format");
    let config = models.config();
    let mut estimator = None;
    measure(1, || {
        let estimator = estimator.insert(HeadPoseEstimator::load(&config).expect("the models"));
        estimator
            .process(&view, None, &Settings::DEFAULT)
            .expect("inference");
    })
}

/// Sent buffers that have not arrived yet.
#[derive(Default)]
struct Arrivals {
    missing: Mutex<usize>,
    all_here: Condvar,
}

/// `appsrc ! dmheadpose ! fakesink sync=false`, playing, fed with the clip's frames.
pub struct Element {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    arrivals: Arc<Arrivals>,
    /// Those with a picture, if they are kept.
    kept: Arc<Mutex<Option<Vec<gst::Buffer>>>>,
    frames: Vec<gst::Buffer>,
    sent: usize,
}

impl Element {
    pub fn new(models: &Models, clip: &Clip, properties: &[(&str, &str)]) -> Self {
        let mut element = Self::playing(models, clip, properties);
        element.work(3);
        element
    }

    /// From nothing to the first analysed frame.
    pub fn start_up(models: &Models, clip: &Clip) -> Cost {
        let mut element = None;
        measure(1, || {
            element
                .insert(Self::playing(models, clip, &[("pipeline-depth", "1")]))
                .work(1);
        })
    }

    fn playing(models: &Models, clip: &Clip, properties: &[(&str, &str)]) -> Self {
        let pipeline = gst::parse::launch(
            "appsrc name=source format=time max-bytes=0 ! dmheadpose name=element ! fakesink name=sink sync=false",
        );
        let pipeline = pipeline.expect("a pipeline");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
        let by_name = |name| pipeline.by_name(name).expect("an element");
        let source = by_name("source");
        let source = source.downcast::<gst_app::AppSrc>().expect("an appsrc");
        source.set_caps(Some(&clip.info.to_caps().expect("caps")));
        let element = by_name("element");
        element.set_property("detector-model", models.detector.to_str());
        element.set_property("pose-model", models.pose.to_str());
        if let Some(rear) = &models.rear {
            element.set_property("rear-model", rear.to_str());
        }
        if let Some(library) = &models.onnxruntime {
            element.set_property("onnxruntime-library", library.to_str());
        }
        for (name, value) in properties {
            element.set_property_from_str(name, value);
        }
        let arrivals = Arc::new(Arrivals::default());
        let kept: Arc<Mutex<Option<Vec<gst::Buffer>>>> = Arc::default();
        let (counted, keeps) = (arrivals.clone(), Arc::clone(&kept));
        let pad = by_name("sink").static_pad("sink").expect("a pad");
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer()
                && !buffer.flags().contains(gst::BufferFlags::GAP)
                && let Some(kept) = &mut *keeps.lock().expect("no panic")
            {
                kept.push(buffer.clone());
            }
            let mut missing = counted.missing.lock().expect("no panic");
            *missing -= 1;
            if *missing == 0 {
                counted.all_here.notify_all();
            }
            gst::PadProbeReturn::Ok
        });
        pipeline.set_state(gst::State::Playing).expect("to play");
        Self {
            pipeline,
            source,
            arrivals,
            kept,
            frames: clip.frames.clone(),
            sent: 0,
        }
    }

    pub fn run(&mut self, frames: usize) -> Cost {
        // Not measured, for each subject: the caches still hold another subject's data.
        self.work(1);
        measure(frames, || self.work(frames))
    }

    fn work(&mut self, frames: usize) {
        self.start(frames);
        self.finish();
    }

    /// Sends frames without waiting for them.
    pub fn start(&mut self, frames: usize) {
        *self.arrivals.missing.lock().expect("no panic") += frames + 1;
        // Pushes out the frames in flight. It has no picture, so it is not analysed itself.
        let mut last = gst::Buffer::new();
        let flags = gst::BufferFlags::GAP | gst::BufferFlags::DISCONT;
        last.make_mut().set_flags(flags);
        let pictures = self.frames.iter().cycle().take(frames);
        for mut buffer in pictures.map(|frame| frame.copy()).chain([last]) {
            let time = gst::ClockTime::from_mseconds(40 * self.sent as u64);
            buffer.make_mut().set_pts(time);
            self.source.push_buffer(buffer).expect("room for a frame");
            self.sent += 1;
        }
    }

    /// Waits until all have arrived.
    pub fn finish(&self) {
        let Arrivals { missing, all_here } = &*self.arrivals;
        let mut missing = missing.lock().expect("no panic");
        while *missing > 0 {
            let before = *missing;
            let minute = Duration::from_secs(60);
            (missing, _) = all_here.wait_timeout(missing, minute).expect("no panic");
            assert!(*missing < before, "{missing} frames do not arrive");
        }
    }

    /// Runs frames through several elements at the same time; the cost is per frame of any of them.
    pub fn run_all(fleet: &mut [Self], frames: usize) -> Cost {
        measure(frames * fleet.len(), || {
            fleet.iter_mut().for_each(|element| element.start(frames));
            fleet.iter().for_each(Self::finish);
        })
    }

    /// The median time of a frame's pose networks, in milliseconds.
    pub fn pose_stage(&self) -> f64 {
        let element = self.pipeline.by_name("element").expect("an element");
        let stats = element.property::<gst::Structure>("stats");
        stats.get::<u64>("pose-p50").expect("a time") as f64 / 1e6
    }

    /// The heads of the clip's frames, in sequence.
    pub fn heads(&mut self) -> Vec<Vec<Head>> {
        *self.kept.lock().expect("no panic") = Some(Vec::new());
        self.work(self.frames.len());
        let arrived = self.kept.lock().expect("no panic").take();
        let heads = |buffer: gst::Buffer| {
            let poses = HeadPoses::from_buffer(&buffer);
            poses.map_or_else(Vec::new, |poses| poses.heads)
        };
        arrived.unwrap_or_default().into_iter().map(heads).collect()
    }
}

impl Drop for Element {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// upstream_loop.py in a separate process.
pub struct Upstream {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Upstream {
    pub fn new(python: &str, models: &Models) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/upstream_loop.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg("--detector-model")
            .arg(&models.detector)
            .arg("--pose-model")
            .arg(&models.pose)
            .args(
                models
                    .rear
                    .iter()
                    .flat_map(|rear| [Path::new("--rear-model"), rear]),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {python}: {error}"));
        let commands = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            commands,
            answers,
        }
    }

    fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").expect("upstream_loop.py to listen");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).unwrap_or_else(|error| {
            panic!("upstream_loop.py ended, its reason is above; `make bench` sets up what it needs: {error}")
        })
    }

    /// `clip` has BGR frames.
    pub fn load(&mut self, clip: &Clip, folder: &Path) {
        let file = folder.join("frames.bgr");
        std::fs::write(&file, clip.bytes()).expect("room for the frames");
        let (width, height) = (clip.info.width(), clip.info.height());
        self.ask(&json!({"clip": {"file": file, "width": width, "height": height, "frames": clip.frames.len()}}));
        std::fs::remove_file(file).expect("to remove the frames");
    }

    pub fn run(&mut self, frames: usize, threads: usize, spinning: bool) -> Cost {
        let answer =
            self.ask(&json!({"run": {"threads": threads, "spinning": spinning, "frames": frames}}));
        let each = |name: &str| answer[name].as_f64().expect("seconds") * 1e3 / frames as f64;
        Cost {
            wall: each("wall"),
            cpu: each("cpu"),
        }
    }

    /// Corners, yaw, pitch and roll of the heads of each frame.
    pub fn heads(&mut self) -> Vec<Vec<[f64; 7]>> {
        let answer = self.ask(&json!({"heads": true}));
        serde_json::from_value(answer).expect("heads")
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

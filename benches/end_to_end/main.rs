// SPDX-License-Identifier: MPL-2.0
//! Compares the element with its networks alone and with DMHead's loop in Python.
//!
//! All subjects process the same frames of a real clip with the same models, interleaved, so that other load on the
//! machine affects all of them; the results are ratios within one round, and the median over all rounds.
//!
//! - the floor: ONNX Runtime alone, on prepared tensors ([`subjects::Floor`]);
//! - the element, in `appsrc ! dmheadpose ! fakesink sync=false` ([`subjects::Element`]);
//! - upstream: DMHead's loop in Python ([`subjects::Upstream`]).
//!
//! Floor, upstream's loop with one pose network, intervals and the sweeps over heads and formats use YuNet and WHENet; the
//! other parts the default models, a front and a rear network.
//!
//! `make bench` runs it; `cargo bench --bench end_to_end -- --help` lists the options.

mod clip;
mod experiments;
mod memory;
mod noise;
mod results;
mod subjects;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Floor and element at 1280x720
    Floor,
    /// Element and upstream's loop at 1280x720, and whether their results agree
    Upstream,
    /// The default models at 1280x720: element with and without tracking, and upstream's loop with two networks
    Pair,
    /// Heads, frame sizes, formats, threads, depths, streams
    Sweeps,
    /// Intervals for detection and pose, and what they cost in accuracy
    Intervals,
    /// Peak memory of one and of eight elements
    Memory,
    /// Resident memory over many frames
    Soak,
    /// One measurement of memory, in a separate process
    #[value(hide = true)]
    OneMemory,
}

#[derive(Parser)]
#[command(about = "Times the element against its networks and against DMHead's loop in Python")]
struct Arguments {
    /// What to run; may be given several times
    #[arg(long, value_enum, default_values_t = [Part::Floor, Part::Upstream, Part::Pair, Part::Intervals, Part::Sweeps, Part::Memory])]
    part: Vec<Part>,
    #[arg(
        long,
        default_value = "models/face_detection_yunet_2023mar_dynamic.onnx"
    )]
    detector_model: PathBuf,
    #[arg(long, default_value = "models/whenet_Nx3x224x224_prepost.onnx")]
    pose_model: PathBuf,
    /// Detector of the part `pair` and of the sweeps over sizes, threads and streams
    #[arg(long, default_value = "models/headnet.onnx")]
    head_detector_model: PathBuf,
    /// Front model of these parts
    #[arg(long, default_value = "models/3ddfa_v2_mb1_Nx3x120x120.onnx")]
    front_model: PathBuf,
    /// Rear model of these parts; upstream's loop runs --pose-model in its place
    #[arg(long, default_value = "models/turnnet.onnx")]
    rear_model: PathBuf,
    /// A clip with one head
    #[arg(long, default_value = ".setup/clips/WolfgangLanger_Pexels.mp4")]
    clip: PathBuf,
    /// Python with numpy, OpenCV and ONNX Runtime
    #[arg(long, default_value = "python3")]
    python: String,
    /// Rounds, in each of which every subject has one turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Frames per turn
    #[arg(long, default_value_t = 40)]
    frames: usize,
    /// Folder for results.csv
    #[arg(long, default_value = "target/bench")]
    output: PathBuf,
    /// Elements in a measurement of memory
    #[arg(long, default_value_t = 1, hide = true)]
    streams: usize,
    #[arg(long, hide = true)]
    share: bool,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    fn models(&self) -> subjects::Models {
        subjects::Models {
            detector: self.detector_model.clone(),
            pose: self.pose_model.clone(),
            rear: None,
            onnxruntime: fetched_onnxruntime(),
        }
    }

    /// Those that the element runs where no property names any.
    fn default_models(&self) -> subjects::Models {
        subjects::Models {
            detector: self.head_detector_model.clone(),
            pose: self.front_model.clone(),
            rear: Some(self.rear_model.clone()),
            onnxruntime: fetched_onnxruntime(),
        }
    }
}

/// The ONNX Runtime fetched by the set-up, unless `ORT_DYLIB_PATH` names another one.
fn fetched_onnxruntime() -> Option<PathBuf> {
    if std::env::var_os("ORT_DYLIB_PATH").is_some() {
        return None;
    }
    let files = std::fs::read_dir(".setup/onnxruntime").ok()?;
    files
        .filter_map(|file| file.ok()?.path().canonicalize().ok())
        .find(|file| file.to_string_lossy().contains("libonnxruntime.so"))
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    for file in [
        &arguments.detector_model,
        &arguments.pose_model,
        &arguments.head_detector_model,
        &arguments.front_model,
        &arguments.rear_model,
        &arguments.clip,
    ] {
        if !file.is_file() {
            eprintln!(
                "error: expected {}, found none. `make bench` fetches it",
                file.display()
            );
            return std::process::ExitCode::FAILURE;
        }
    }
    gst::init().expect("GStreamer");
    gstdmheadpose::plugin_register_static().expect("the plugin");
    std::fs::create_dir_all(&arguments.output).expect("a folder for the results");
    let mut results = results::Results::default();
    for part in &arguments.part {
        match part {
            Part::Floor => experiments::floor(&arguments, &mut results),
            Part::Upstream => experiments::upstream(&arguments, &mut results),
            Part::Pair => experiments::pair(&arguments, &mut results),
            Part::Sweeps => experiments::sweeps(&arguments, &mut results),
            Part::Intervals => experiments::intervals(&arguments, &mut results),
            Part::Memory => memory::compare(&arguments),
            Part::Soak => memory::soak(&arguments),
            Part::OneMemory => memory::one(&arguments),
        }
    }
    if !results.is_empty() {
        let file = arguments.output.join("results.csv");
        results.write(&file).expect("to write the results");
        println!("\nEvery turn is in {}", file.display());
    }
    std::process::ExitCode::SUCCESS
}

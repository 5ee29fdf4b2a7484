// SPDX-License-Identifier: MPL-2.0
//! `fuse`: combines a front and a rear pose model in one file, by the rule of the element's `rear-model`.
//!
//! The plugin's own recognisers determine here what the parts are and whether they fit together. The graph itself
//! is built by fuse.py, which is embedded in this program: ONNX's Python package has what Rust lacks, a
//! converter between opsets and a checker. The result is checked like any other file before
//! it gets its name.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gstdmheadpose::estimator::catalog;
use gstdmheadpose::estimator::detector::DetectorFamily;
use gstdmheadpose::estimator::image::tensor::{ChannelOrder, PixelEncoding};
use gstdmheadpose::estimator::onnx::{Model, Role, Runtime, SessionOptions};
use gstdmheadpose::estimator::pose::{self, MAX_BATCH, PoseFamily, PoseModel};

use crate::report::{Problem, Report};

const SCRIPT: &str = include_str!("fuse.py");
/// Where `make setup` puts the Python packages, in the source folder.
const PYTHON_PACKAGES: &str = ".setup/python";

/// What to fuse, and how.
#[derive(Debug, clap::Args)]
pub struct FuseArgs {
    /// Pose model that is better on faces
    #[arg(long, value_name = "FILE")]
    front: PathBuf,
    /// Pose model for all sides, such as WHENet, which decides
    #[arg(long, value_name = "FILE")]
    rear: PathBuf,
    /// The fused file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Largest |yaw| of the rear model, in degrees, at which the front model's angles are used
    #[arg(long, value_name = "DEGREES", default_value_t = 90.0, value_parser = activation_angle)]
    activation_angle: f32,
    /// Python 3 that has the package onnx
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
}

fn activation_angle(text: &str) -> Result<f32, String> {
    let angle: f32 = text.parse().map_err(|_| "not a number".to_string())?;
    match (0.0..=180.0).contains(&angle) {
        true => Ok(angle),
        false => Err("expected 0 to 180 degrees".into()),
    }
}

/// Writes the fused file and reports on it.
///
/// # Errors
/// A text that says what was expected, what was found and what to do.
pub fn fuse(runtime: &Runtime, args: &FuseArgs) -> Result<Report, String> {
    let front = part(runtime, "front", &args.front)?;
    let rear = part(runtime, "rear", &args.rear)?;
    same_crops(&front, &rear)?;
    let size = front.contract.input.size;
    let written = unfinished(&args.output);
    std::fs::File::create(&written)
        .map_err(|error| format!("cannot write {}: {error}", written.display()))?;
    let job = serde_json::json!({
        "front": front.job(),
        "rear": rear.job(),
        "size": [size.height, size.width],
        "batch": front.contract.input.fixed_batch,
        "activation_angle": args.activation_angle,
        "output": written,
    });
    let result = run_script(&args.python, &job.to_string())
        .and_then(|()| finish(runtime, &written, &args.output));
    if result.is_err() {
        // The first error counts, not one of cleaning up.
        let _ = std::fs::remove_file(&written);
    }
    result
}

/// The name of the output until it has been checked.
fn unfinished(output: &Path) -> PathBuf {
    let mut name = OsString::from(output);
    name.push(".part");
    name.into()
}

/// One of the two models.
#[derive(Debug)]
struct Part<'a> {
    role: Role,
    file: &'a Path,
    contract: pose::Recognised,
    /// Columns of yaw, pitch and roll.
    columns: [usize; 3],
}

impl Part<'_> {
    fn job(&self) -> serde_json::Value {
        let [yaw, pitch, roll] = self.columns;
        serde_json::json!({ "file": self.file, "columns": [yaw, roll, pitch] })
    }

    fn name(&self) -> String {
        format!("the {} model {}", self.role, self.file.display())
    }
}

fn part<'a>(runtime: &Runtime, role: Role, file: &'a Path) -> Result<Part<'a>, String> {
    let failed = |error| format!("{role} model {}: {}", file.display(), Problem::of(&error));
    let model = Model::open(runtime, role, file, &SessionOptions::default()).map_err(failed)?;
    let contract = pose::recognise(model.signature(), PoseFamily::Auto)
        .map_err(|expected| failed(model.contract_error(expected)))?;
    let levels = contract.input.encoding == PixelEncoding::levels(ChannelOrder::Rgb);
    let (Some(columns), true) = (contract.columns(), levels) else {
        return Err(format!(
            "{role} model {}: expected a graph with pre- and post-processing inside (crops \
             float32[N,3,H,W], RGB 0..255, to angles float32[N,3]), found family {} of {}. Use the \
             two files as pose-model and rear-model of the element, which supports more families",
            file.display(),
            contract.name,
            model.signature()
        ));
    };
    PoseModel::new(model, PoseFamily::Auto, MAX_BATCH).map_err(failed)?;
    Ok(Part {
        role,
        file,
        contract,
        columns,
    })
}

/// Both parts of a graph get the same crops.
fn same_crops(front: &Part<'_>, rear: &Part<'_>) -> Result<(), String> {
    let differ = |what: &str, front_has: String, rear_has: String, remedy: &str| {
        let (front, rear) = (front.name(), rear.name());
        Err(format!(
            "expected two models with the same {what}, found {front_has} of {front} and {rear_has} of {rear}. \
             {remedy}"
        ))
    };
    let (a, b) = (front.contract.input, rear.contract.input);
    if a.size != b.size {
        let remedy = "Use the two files as pose-model and rear-model of the element: it cuts each \
                      head in both sizes, more exactly than a graph would";
        return differ("input size", a.size.to_string(), b.size.to_string(), remedy);
    }
    if a.fixed_batch != b.fixed_batch {
        let batch = |input: pose::InputContract| match input.fixed_batch {
            Some(batch) => format!("a batch of {batch}"),
            None => "any batch".into(),
        };
        let remedy = "Export both with a dynamic batch, or use them as pose-model and rear-model of \
                      the element";
        return differ("batch", batch(a), batch(b), remedy);
    }
    Ok(())
}

fn run_script(python: &Path, job: &str) -> Result<(), String> {
    let failed = |reason: String| {
        format!(
            "fusing needs Python 3 with the package onnx, found: {}: {reason}. Name one with --python, or run \
             `make setup` in the sources",
            python.display()
        )
    };
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .env("PYTHONPATH", python_path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If the script ended early, it has printed the reason.
        let _ = stdin.write_all(job.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    match said.contains("ModuleNotFoundError") {
        // The last line of a traceback has the error.
        true => Err(failed(said.lines().last().unwrap_or(said).into())),
        false => Err(said.into()),
    }
}

/// The caller's packages first, then those of the source folder's set-up if present.
fn python_path() -> OsString {
    let mut path = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let program = std::env::current_exe().ok();
    let sources = program
        .as_deref()
        .and_then(Path::parent)
        .and_then(catalog::sources);
    let packages = sources.map(|sources| sources.join(PYTHON_PACKAGES));
    if let Some(packages) = packages.filter(|packages| packages.is_dir()) {
        if !path.is_empty() {
            path.push(":");
        }
        path.push(packages);
    }
    path
}

/// Checks the script's output and gives it its final name.
fn finish(runtime: &Runtime, written: &Path, output: &Path) -> Result<Report, String> {
    let mut report = Report::of(runtime, written, DetectorFamily::Auto, PoseFamily::Auto);
    if let Some(problem) = &report.problem {
        return Err(format!("the fused graph cannot be used: {problem}"));
    }
    std::fs::rename(written, output)
        .map_err(|error| format!("cannot write {}: {error}", output.display()))?;
    report.file = output.to_path_buf();
    Ok(report)
}

// SPDX-License-Identifier: MPL-2.0
//! `dmheadpose-eval`: measures the accuracy of poses on annotated pictures, their consistency on any pictures, and how
//! well detectors find heads.

mod consistency;
mod crop;
mod dataset;
mod detection;
mod evaluate;
mod filter;
mod labels;
mod model;
mod out;
mod picture;
mod plots;
mod report;
mod score;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use gstdmheadpose::estimator::error::Error;

use consistency::Consistency;
use crop::CropRule;
use dataset::{Layout, Unusable};
use detection::{Detections, Rules};
use evaluate::{Boxes, Evaluation};
use filter::Filter;
use labels::Scale;
use model::ModelArgs;
use out::{Progress, print};
use score::Scores;

/// Measure the accuracy of head poses on annotated pictures, or of head detectors
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Folder of AFLW2000, BIWI or Pointing'04, or a CSV file with the columns file, x, y, w, h, yaw, pitch, roll;
    /// with --consistency any folder of JPEG and PNG pictures; with --detector a CSV or JSON file of boxes
    path: PathBuf,
    /// Layout of the data set. Default: detected from its files
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<Layout>,
    /// Meaning of the labels' numbers. Default: pan-tilt for Pointing'04, else euler
    #[arg(long, value_name = "SCALE")]
    angles: Option<Scale>,
    /// Which boxes are used
    #[arg(long, value_name = "WHOSE", default_value = "truth")]
    boxes: Boxes,
    /// Margins of the pose model's crop around a box. Default: 6drepnet for AFLW2000, auto for all others and
    /// for detected boxes
    #[arg(long, value_name = "RULE")]
    crop: Option<CropRule>,
    /// Count invisible landmarks of AFLW2000, as the published scripts do: the box then extends to the
    /// picture's corner
    #[arg(long)]
    keep_invisible: bool,
    /// A head is found if a detection overlaps it by at least this (intersection over union). Default: 0.3 with --boxes
    /// detector, 0.5 with --detector
    #[arg(long, value_name = "IOU")]
    min_iou: Option<f32>,
    /// Leave heads with a larger true angle out of the first row of the tables
    #[arg(long, value_name = "DEGREES", default_value_t = 99.0)]
    max_angle: f32,
    /// Bounds of the yaw bins, from 0 to 180; a bin includes its upper bound
    #[arg(
        long,
        value_name = "DEGREES",
        value_delimiter = ',',
        default_value = "0,30,60,90,120,150,180"
    )]
    bins: Vec<f32>,
    /// Largest pitch and roll of the heads in the left-right comparison
    #[arg(long, value_name = "DEGREES", default_value_t = 15.0)]
    level: f32,
    /// Count only heads (with --detector: pictures) with one of these values in this column; may be repeated
    #[arg(long = "where", value_name = "COLUMN=VALUE[,VALUE]...")]
    filters: Vec<Filter>,
    /// Add a row for each value of this column; may be repeated
    #[arg(long, value_name = "COLUMN")]
    by: Vec<String>,
    /// Write every head to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write plots into this folder
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Without ground truth: compare each head with its mirror image and with itself rotated in the image
    #[arg(long, conflicts_with_all = ["layout", "angles", "boxes", "keep_invisible", "max_angle", "bins", "level", "filters", "by", "csv", "plots"])]
    consistency: bool,
    /// With --consistency: angle by which pictures are rotated, in degrees
    #[arg(long, value_name = "DEGREES", default_value_t = 10.0)]
    turn: f32,
    /// Measure detectors: average precision, heads found by side and size, false boxes
    #[arg(long, conflicts_with_all = ["consistency", "layout", "angles", "boxes", "crop", "keep_invisible", "max_angle", "bins", "level", "csv", "plots"])]
    detector: bool,
    /// With --detector: folder of the pictures. Default: that of the labels
    #[arg(long, value_name = "DIR", requires = "detector")]
    pictures: Option<PathBuf>,
    /// With --detector: heads with a shorter side below this many pixels do not count
    #[arg(long, value_name = "PIXELS", default_value_t = 12.0)]
    min_size: f32,
    #[command(flatten)]
    models: ModelArgs,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Estimator(#[from] Error),
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error("cannot write {}: {reason}", path.display())]
    Unwritten { path: PathBuf, reason: String },
    #[error("cannot write the results: {0}")]
    Unprinted(#[from] std::io::Error),
    #[error("expected bin bounds rising from 0 to 180, found {0:?}")]
    Bins(Vec<f32>),
    #[error("no head could be estimated")]
    NoHead,
    #[error("no head is left: no label matches --where")]
    NoneLeft,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = if args.consistency {
        measure_consistency(&args)
    } else if args.detector {
        measure_detectors(&args)
    } else {
        measure_accuracy(&args)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn measure_accuracy(args: &Args) -> Result<(), Fault> {
    let in_range = args.bins.iter().all(|bound| (0.0..=180.0).contains(bound));
    if !in_range || args.bins.len() < 2 || !args.bins.is_sorted_by(|a, b| a < b) {
        return Err(Fault::Bins(args.bins.clone()));
    }
    let layout = args.layout.map_or_else(|| Layout::of(&args.path), Ok)?;
    let mut annotations = layout.read(&args.path, args.keep_invisible)?;
    annotations.retain(|annotation| match annotation {
        Ok(annotation) => args
            .filters
            .iter()
            .all(|filter| filter.has(&annotation.tags)),
        Err(_) => true,
    });
    if annotations.is_empty() {
        return Err(Fault::NoneLeft);
    }
    let rule = args.crop.unwrap_or(CropRule::of(layout));
    let (crop, detector) = match args.boxes {
        Boxes::Truth => (rule, None),
        Boxes::Detector => {
            let crop = args.crop.unwrap_or(CropRule::Auto);
            (crop, Some(args.models.detector()?))
        }
    };
    let scale = args.angles.unwrap_or(layout.scale());
    let mut evaluation = Evaluation {
        contestants: args.models.contestants(crop)?,
        detector,
        rule,
        min_iou: args.min_iou.unwrap_or(0.3),
        scale,
        last: None,
    };
    print(&format!("{}\n", used(&evaluation, args)))?;
    let mut progress = Progress::new("heads", annotations.len());
    let heads = annotations.into_iter().map(|head| {
        progress.step();
        evaluation.judge(head)
    });
    let heads = heads.collect::<Result<_, _>>()?;
    drop(progress);
    let names = evaluation.contestants.iter().map(|c| c.name.clone());
    let scores = Scores {
        names: names.collect(),
        scale,
        heads,
        max_angle: args.max_angle,
        bounds: args.bins.clone(),
        level: args.level,
        by: args.by.clone(),
    };
    // Before the tables, because their reader may have gone.
    if let Some(path) = &args.csv {
        let written = scores.write_csv(path);
        written.map_err(|error| unwritten(path, &error))?;
    }
    if let Some(folder) = &args.plots {
        let written = plots::write(&scores, folder);
        written.map_err(|error| unwritten(folder, error.as_ref()))?;
    }
    print(&scores.to_string())?;
    let mut answers = scores.heads.iter().flat_map(|head| &head.answers);
    match answers.any(Result::is_ok) {
        true => Ok(()),
        false => Err(Fault::NoHead),
    }
}

/// The models, and the boxes that they get.
fn used(evaluation: &Evaluation, args: &Args) -> String {
    let contestants = evaluation.contestants.iter();
    let models = contestants.map(|c| format!("Model {}: {}\n", c.name, c.description));
    let boxes = match &evaluation.detector {
        None => name(&args.boxes),
        Some(detector) => {
            let path = detector.detector.path().display();
            format!("{path} above {}", detector.threshold())
        }
    };
    format!("{}Boxes: {boxes}\n", models.collect::<String>())
}

/// The name of a choice on the command line.
fn name(choice: &impl ValueEnum) -> String {
    let value = choice.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().into())
}

fn unwritten(path: &Path, error: &dyn std::error::Error) -> Fault {
    Fault::Unwritten {
        path: path.into(),
        reason: error.to_string(),
    }
}

fn measure_consistency(args: &Args) -> Result<(), Fault> {
    let files = dataset::files_below(&args.path)?;
    let suffixes = [".jpg", ".jpeg", ".png"];
    let is_picture = |file: &&PathBuf| {
        let file = PathBuf::from(file.to_string_lossy().to_lowercase());
        suffixes
            .iter()
            .any(|suffix| dataset::has_suffix(&file, suffix))
    };
    let files: Vec<_> = files.iter().filter(is_picture).collect();
    let crop = args.crop.unwrap_or(CropRule::Auto);
    let mut model = args.models.with_detector(crop)?;
    print(&format!("Model {}: {}\n\n", model.name, model.description))?;
    let mut consistency = Consistency::new(args.turn);
    let mut progress = Progress::new("pictures", files.len());
    for file in files {
        progress.step();
        consistency.add(file, &mut model.estimator, &model.settings)?;
    }
    drop(progress);
    print(&consistency.to_string())?;
    match consistency.n_heads() {
        0 => Err(Fault::NoHead),
        _ => Ok(()),
    }
}

fn measure_detectors(args: &Args) -> Result<(), Fault> {
    let mut labelled = detection::labels::read(&args.path, args.pictures.as_deref())?;
    labelled.retain(|labels| args.filters.iter().all(|filter| filter.has(&labels.tags)));
    if labelled.is_empty() {
        return Err(Fault::NoneLeft);
    }
    let rules = Rules {
        min_iou: args.min_iou.unwrap_or(0.5),
        min_size: args.min_size,
    };
    let detectors = args.models.detectors()?;
    let detections = Detections::find(detectors, labelled, rules, args.by.clone())?;
    print(&detections.to_string())?;
    match detections.pictures.is_empty() {
        true => Err(Fault::NoHead),
        false => Ok(()),
    }
}

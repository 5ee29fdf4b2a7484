// SPDX-License-Identifier: MPL-2.0
//! `dmheadpose-eval`: how accurate the estimator is on annotated pictures, and how steady on any.

mod consistency;
mod crop;
mod dataset;
mod evaluate;
mod model;
mod picture;
mod plots;
mod report;
mod score;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use gstdmheadpose::estimator::error::Error;

use consistency::Consistency;
use crop::CropRule;
use dataset::{Layout, Unusable};
use evaluate::{Boxes, Evaluation};
use model::ModelArgs;
use score::Scores;

/// Measure the accuracy of head poses on annotated pictures
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Folder of AFLW2000 or BIWI, or a CSV file with the columns file, x, y, w, h, yaw, pitch, roll; with
    /// --consistency any folder of JPEG and PNG pictures
    path: PathBuf,
    /// Layout of the data set. Default: what it looks like
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<Layout>,
    /// Whose boxes are used
    #[arg(long, value_name = "WHOSE", default_value = "truth")]
    boxes: Boxes,
    /// How much around a box the pose model sees. Default: 6drepnet for AFLW2000, auto for all others and
    /// for the detector's boxes
    #[arg(long, value_name = "RULE")]
    crop: Option<CropRule>,
    /// Share of the box that the rules symmetric and square add on each side
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    crop_margin: f32,
    /// Count invisible landmarks of AFLW2000, as the published scripts do: the box then reaches to the
    /// picture's corner
    #[arg(long)]
    keep_invisible: bool,
    /// With --boxes detector: a head is found when a detection overlaps it so much (intersection over union)
    #[arg(long, value_name = "IOU", default_value_t = 0.3)]
    min_iou: f32,
    /// Leave heads with a larger true angle out of the first row
    #[arg(long, value_name = "DEGREES", default_value_t = 99.0)]
    max_angle: f32,
    /// Write every head to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write plots into this folder
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Without truth: compare each head with its mirror image and with itself turned in the image
    #[arg(long, conflicts_with_all = ["layout", "boxes", "keep_invisible", "max_angle", "csv", "plots"])]
    consistency: bool,
    /// With --consistency: how far pictures are turned
    #[arg(long, value_name = "DEGREES", default_value_t = 10.0)]
    turn: f32,
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
    #[error("no head could be estimated")]
    NoHead,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = if args.consistency {
        measure_consistency(&args)
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
    let layout = args.layout.map_or_else(|| Layout::of(&args.path), Ok)?;
    let annotations = layout.read(&args.path, args.keep_invisible)?;
    let rule = args.crop.unwrap_or(CropRule::of(layout));
    let crop = match args.boxes {
        Boxes::Truth => rule,
        Boxes::Detector => args.crop.unwrap_or(CropRule::Auto),
    };
    let mut evaluation = Evaluation {
        estimator: args.models.load()?,
        boxes: args.boxes,
        rule,
        min_iou: args.min_iou,
        settings: args.models.settings(crop.mode(args.crop_margin)),
        last: None,
    };
    println!("Boxes: {}, crop: {}\n", name(&args.boxes), name(&crop));
    let heads = annotations.into_iter().map(|head| evaluation.judge(head));
    let scores = Scores {
        heads: heads.collect::<Result<_, _>>()?,
        max_angle: args.max_angle,
    };
    print!("{scores}");
    if let Some(path) = &args.csv {
        let written = scores.write_csv(path);
        written.map_err(|error| unwritten(path, &error))?;
    }
    if let Some(folder) = &args.plots {
        let written = plots::write(&scores, folder);
        written.map_err(|error| unwritten(folder, error.as_ref()))?;
    }
    if scores.failures().count() == scores.heads.len() {
        return Err(Fault::NoHead);
    }
    Ok(())
}

/// What a choice is called on the command line.
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
    let mut estimator = args.models.load()?;
    let crop = args.crop.unwrap_or(CropRule::Auto);
    let settings = args.models.settings(crop.mode(args.crop_margin));
    println!("Crop: {}\n", name(&crop));
    let mut consistency = Consistency::new(args.turn);
    for file in files.iter().filter(is_picture) {
        consistency.add(file, &mut estimator, &settings)?;
    }
    print!("{consistency}");
    if consistency.n_heads() == 0 {
        return Err(Fault::NoHead);
    }
    Ok(())
}

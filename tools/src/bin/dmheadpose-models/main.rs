// SPDX-License-Identifier: MPL-2.0
//! `dmheadpose-models`: checks model files as the plugin does, and combines two pose models in one file.

mod fuse;
mod header;
mod report;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dmheadpose_tools::family_args::FamilyArgs;
use dmheadpose_tools::runtime_args::RuntimeArgs;
use gstdmheadpose::estimator::onnx::Runtime;

use report::Report;

/// Check model files as the GStreamer plugin dmheadpose does, and fuse two pose models
#[derive(Debug, Parser)]
#[command(name = "dmheadpose-models", version)]
struct Args {
    #[command(flatten)]
    runtime: RuntimeArgs,
    /// Print JSON, for programs
    #[arg(long, global = true, display_order = 99)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report the contract of each file and run it on a dummy input; fails unless all can be used
    Check {
        /// ONNX files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        families: FamilyArgs,
    },
    /// Combine a front and a rear pose model in one file: where the rear model's |yaw| is at most the activation
    /// angle the front model's angles are used, else its own
    Fuse(fuse::FuseArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = args
        .runtime
        .load()
        .map_err(|error| error.to_string())
        .and_then(|runtime| reports(runtime, &args.command))
        .and_then(|reports| print(&reports, args.json).map(|()| reports));
    match result {
        Ok(reports) if reports.iter().all(|report| report.ok) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn reports(runtime: &Runtime, command: &Command) -> Result<Vec<Report>, String> {
    match command {
        Command::Check { files, families } => {
            let (detector, pose) = (families.detector(), families.pose());
            let reports = files.iter();
            Ok(reports
                .map(|file| Report::of(runtime, file, detector, pose))
                .collect())
        }
        Command::Fuse(args) => fuse::fuse(runtime, args).map(|report| vec![report]),
    }
}

fn print(reports: &[Report], json: bool) -> Result<(), String> {
    use std::io::Write;
    let text = match json {
        true => serde_json::to_string_pretty(reports).map_err(|error| error.to_string())? + "\n",
        false => {
            let texts: Vec<String> = reports.iter().map(Report::to_string).collect();
            texts.join("\n")
        }
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // The reader may stop early, as `head` does.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

// SPDX-License-Identifier: MPL-2.0
//! `dmheadpose-models`: looks at model files as the plugin would, and puts two of them together.

mod header;
#[path = "../common/runtime_args.rs"]
mod runtime_args;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use runtime_args::RuntimeArgs;

/// Look at model files as the plugin dmheadpose would
#[derive(Debug, Parser)]
#[command(version)]
enum Command {
    /// Tell which contract each file meets, and run it on a dummy input
    Check {
        #[command(flatten)]
        runtime: RuntimeArgs,
        /// ONNX files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Check { runtime, files } => {
            if let Err(error) = runtime.load() {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
            for file in files {
                println!("{}: {:?}", file.display(), header::Header::read(&file));
            }
            ExitCode::SUCCESS
        }
    }
}

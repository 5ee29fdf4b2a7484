// SPDX-License-Identifier: MPL-2.0
//! What `check` reports about a file: the same recognisers and the same dummy run as in the plugin.

use std::path::{Path, PathBuf};

use gstdmheadpose::estimator::detector::{
    self, Detector, DetectorFamily, DetectorSettings, Scaling,
};
use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::Size;
use gstdmheadpose::estimator::image::frame::{Colorimetry, FrameView, PixelFormat, Plane};
use gstdmheadpose::estimator::image::resize::{PixelRect, Resizer};
use gstdmheadpose::estimator::image::tensor::{ChannelOrder, Layout, PixelEncoding};
use gstdmheadpose::estimator::onnx::{Model, Runtime, SessionOptions, Signature, TensorInfo};
use gstdmheadpose::estimator::pose::{self, MAX_BATCH, PoseFamily, PoseModel};
use serde::Serialize;

use crate::header::Header;

/// The report on one file.
#[derive(Debug, Serialize)]
pub struct Report {
    pub file: PathBuf,
    /// The file has a contract and runs.
    pub ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    pub inputs: Vec<Tensor>,
    pub outputs: Vec<Tensor>,
    /// Its contract, as a detector or as a pose model.
    pub contract: Option<Contract>,
    /// Whether it ran on a dummy input; unknown if it has no contract.
    pub runs: Option<bool>,
    pub problem: Option<Problem>,
    /// Assumptions that may be wrong.
    pub warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Tensor {
    pub name: String,
    pub r#type: String,
    /// -1 if free.
    pub shape: Vec<i64>,
    #[serde(skip)]
    pub text: String,
}

impl From<&TensorInfo> for Tensor {
    fn from(info: &TensorInfo) -> Self {
        Self {
            name: info.name.clone(),
            r#type: info.element.to_string(),
            shape: info.shape.clone(),
            text: info.to_string(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum Contract {
    Detector {
        family: &'static str,
        #[serde(flatten)]
        input: Input,
        scaling: &'static str,
        score_threshold: f32,
    },
    Pose {
        family: &'static str,
        #[serde(flatten)]
        input: Input,
        /// The order of the output's columns; unset if it does not have a column per angle.
        angles: Option<[&'static str; 3]>,
    },
}

/// The network's input in the plugin.
#[derive(Debug, Serialize)]
pub struct Input {
    /// Images per run; unset: any number.
    pub batch: Option<usize>,
    /// Unset: any multiple of 32.
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub layout: &'static str,
    pub pixels: String,
}

/// Why a file cannot be used.
#[derive(Debug, Serialize)]
pub struct Problem {
    pub expected: String,
    pub found: String,
}

impl Report {
    /// Checks one file as a detector and as a pose model of these families.
    pub fn of(
        runtime: &Runtime,
        file: &Path,
        detector_family: DetectorFamily,
        pose_family: PoseFamily,
    ) -> Self {
        let mut report = Self {
            file: file.to_path_buf(),
            ok: false,
            header: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            contract: None,
            runs: None,
            problem: None,
            warnings: Vec::new(),
        };
        let model = match Model::open(runtime, "checked", file, &SessionOptions::default()) {
            Ok(model) => model,
            Err(error) => {
                report.problem = Some(Problem::of(&error));
                return report;
            }
        };
        report.header = Header::read(file);
        let signature = model.signature().clone();
        report.inputs = signature.inputs.iter().map(Tensor::from).collect();
        report.outputs = signature.outputs.iter().map(Tensor::from).collect();
        let detector = detector::recognise(&signature, detector_family);
        let pose = pose::recognise(&signature, pose_family);
        let run = match (detector, pose) {
            (Ok(contract), _) => {
                report.contract = Some(Contract::detector(&contract, &signature));
                Detector::new(model, detector_family, 0).and_then(|mut detector| {
                    detector.run(&DetectorSettings::DEFAULT, &mut Vec::new())?;
                    report.warnings = detector.take_warnings();
                    if let Some(Contract::Detector { family, .. }) = &mut report.contract {
                        *family = detector.family();
                    }
                    Ok(())
                })
            }
            (_, Ok(contract)) => {
                report.contract = Some(Contract::pose(&contract));
                PoseModel::new(model, pose_family, MAX_BATCH).and_then(|mut model| {
                    report.warnings.extend(model.take_warning());
                    run_two(model)
                })
            }
            (Err(detector), Err(pose)) => {
                report.problem = Some(Problem {
                    expected: format!("{detector}; or {pose}"),
                    found: signature.to_string(),
                });
                return report;
            }
        };
        report.ok = run.is_ok();
        report.runs = Some(run.is_ok());
        report.problem = run.err().map(|error| Problem::of(&error));
        report
    }
}

/// Loading a model runs one crop; two crops show whether it has a result for each.
fn run_two(mut model: PoseModel) -> Result<(), Error> {
    let (size, bytes) = (Size::new(1, 1), [128; 3]);
    let plane = Plane::new(&bytes, bytes.len());
    let frame = FrameView::new(PixelFormat::Rgb, size, Colorimetry::BT601, &[plane])?;
    let crop = PixelRect::new(0, 0, 1, 1);
    model.prepare(&mut Resizer::default(), &frame, [crop; 2].into_iter())?;
    model.run(&mut Vec::new())
}

impl Contract {
    fn detector(recognised: &detector::Recognised, signature: &Signature) -> Self {
        let batch = signature
            .inputs
            .first()
            .and_then(|input| input.shape.first());
        Self::Detector {
            family: recognised.name,
            input: Input::new(
                &recognised.input.encoding,
                recognised.input.size,
                batch.and_then(|&n| usize::try_from(n).ok()),
            ),
            scaling: match recognised.input.scaling {
                Scaling::Letterbox => "letterbox",
                Scaling::Stretch | Scaling::Auto => "stretch",
            },
            score_threshold: recognised.score_threshold(),
        }
    }

    fn pose(recognised: &pose::Recognised) -> Self {
        let input = recognised.input;
        Self::Pose {
            family: recognised.name,
            input: Input::new(&input.encoding, Some(input.size), input.fixed_batch),
            angles: recognised.columns().map(order),
        }
    }
}

/// The angle of each column.
fn order([yaw, pitch, roll]: [usize; 3]) -> [&'static str; 3] {
    let mut angles = [(yaw, "yaw"), (pitch, "pitch"), (roll, "roll")];
    angles.sort();
    angles.map(|(_, angle)| angle)
}

impl Input {
    fn new(encoding: &PixelEncoding, size: Option<Size>, batch: Option<usize>) -> Self {
        Self {
            batch,
            width: size.map(|size| size.width),
            height: size.map(|size| size.height),
            layout: match encoding.layout {
                Layout::Nchw => "NCHW",
                Layout::Nhwc => "NHWC",
            },
            pixels: pixels(encoding),
        }
    }
}

/// Channel order and range of the values, as text.
fn pixels(encoding: &PixelEncoding) -> String {
    let order = match encoding.order {
        ChannelOrder::Rgb => "RGB",
        ChannelOrder::Bgr => "BGR",
    };
    let (scale, bias) = (encoding.scale, encoding.bias);
    if (scale, bias)
        == (
            PixelEncoding::imagenet().scale,
            PixelEncoding::imagenet().bias,
        )
    {
        return format!("{order}, normalised by ImageNet's mean and standard deviation");
    }
    let range = |c: usize| (bias[c], 255.0 * scale[c] + bias[c]);
    if (1..3).all(|c| (scale[c], bias[c]) == (scale[0], bias[0])) {
        let (low, high) = range(0);
        return format!("{order} {low}..{high}");
    }
    let ranges = [0, 1, 2].map(|c| {
        let (low, high) = range(c);
        format!("{low:.3}..{high:.3}")
    });
    format!("{order} {}", ranges.join(", "))
}

impl Problem {
    /// The models' errors name properties of the element; only the facts matter here.
    pub fn of(error: &Error) -> Self {
        let (expected, found) = match error {
            Error::ModelMissing { reason, .. } => ("a file".into(), reason.clone()),
            Error::ModelUnreadable { runtime, found, .. } => (
                format!("an ONNX file that ONNX Runtime {runtime} can load"),
                found.clone(),
            ),
            Error::Contract {
                expected, found, ..
            } => (expected.clone(), found.clone()),
            Error::Inference { reason, .. } => (
                "outputs for a dummy input that match its signature".into(),
                reason.clone(),
            ),
            other => ("a usable model".into(), other.to_string()),
        };
        Self { expected, found }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected {}; found {}", self.expected, self.found)
    }
}

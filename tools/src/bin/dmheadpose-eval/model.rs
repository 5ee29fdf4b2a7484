// SPDX-License-Identifier: MPL-2.0
//! Which models run, and how: the options that name them, made an estimator.

use std::path::PathBuf;

use dmheadpose_tools::family_args::FamilyArgs;
use dmheadpose_tools::runtime_args::RuntimeArgs;
use gstdmheadpose::estimator::catalog::PoseModels;
use gstdmheadpose::estimator::detector::DetectorSettings;
use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::CropMode;
use gstdmheadpose::estimator::{Config, HeadPoseEstimator, Settings, catalog};

/// The element's properties of the same names.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelArgs {
    #[command(flatten)]
    runtime: RuntimeArgs,
    #[command(flatten)]
    families: FamilyArgs,
    /// Head detector; loaded even where the boxes are annotated. Default: the best in the models' folder
    #[arg(long, value_name = "FILE")]
    detector_model: Option<PathBuf>,
    /// Pose model. Default: the best in the models' folder, with its rear model
    #[arg(long, value_name = "FILE")]
    pose_model: Option<PathBuf>,
    /// Model of all sides that decides which heads the pose model looks at
    #[arg(long, value_name = "FILE")]
    rear_model: Option<PathBuf>,
    /// Folder of the models
    #[arg(long, value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// Detections must score above it. Default: the detector's own
    #[arg(long, value_name = "SCORE")]
    score_threshold: Option<f32>,
    /// Largest |yaw|, in degrees, at which the pose model's answer counts beside a rear model. Default: what was
    /// measured for the two
    #[arg(long, value_name = "DEGREES")]
    activation_angle: Option<f32>,
}

impl ModelArgs {
    /// Loads the models and says which.
    ///
    /// # Errors
    /// Whatever is wrong with ONNX Runtime or the models.
    pub fn load(&self) -> Result<HeadPoseEstimator, Error> {
        let folders = catalog::model_folders(self.models_dir.as_deref(), None);
        let or_default = |named: &Option<PathBuf>, find: &dyn Fn() -> Result<PathBuf, Error>| {
            named.clone().map_or_else(find, Ok)
        };
        let detector_model = or_default(&self.detector_model, &|| {
            catalog::default_detector(&folders)
        })?;
        println!("Detector model: {}", detector_model.display());
        let PoseModels { pose, rear } = match &self.pose_model {
            Some(path) => PoseModels {
                pose: path.clone(),
                rear: None,
            },
            None => catalog::default_pose_models(catalog::Mode::Auto, &folders)?,
        };
        let rear_model = self.rear_model.clone().or(rear);
        println!("Pose model: {}", pose.display());
        if let Some(rear) = &rear_model {
            println!("Rear model: {}", rear.display());
        }
        HeadPoseEstimator::load(&Config {
            detector_family: self.families.detector(),
            pose_family: self.families.pose(),
            rear_model,
            ..Config::new(self.runtime.options(), Some(detector_model), pose)
        })
    }

    /// The element's defaults, and every head of a picture.
    pub fn settings(&self, crop_mode: Option<CropMode>) -> Settings {
        Settings {
            detector: DetectorSettings {
                score_threshold: self.score_threshold,
                ..DetectorSettings::DEFAULT
            },
            max_heads: usize::MAX,
            crop_mode,
            activation_angle: self.activation_angle,
            ..Settings::DEFAULT
        }
    }
}

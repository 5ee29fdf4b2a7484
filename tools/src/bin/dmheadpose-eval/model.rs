// SPDX-License-Identifier: MPL-2.0
//! Which models run, and how: turns the options that name them into estimators and a detector.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use dmheadpose_tools::family_args::{FamilyArgs, pose_family};
use dmheadpose_tools::runtime_args::RuntimeArgs;
use gstdmheadpose::estimator::catalog::PoseModels;
use gstdmheadpose::estimator::detector::{Detection, Detector, DetectorSettings};
use gstdmheadpose::estimator::error::Error;
use gstdmheadpose::estimator::geometry::CropMode;
use gstdmheadpose::estimator::image::frame::FrameView;
use gstdmheadpose::estimator::image::resize::Resizer;
use gstdmheadpose::estimator::onnx::{Model, SessionOptions};
use gstdmheadpose::estimator::pose::PoseFamily;
use gstdmheadpose::estimator::{Config, HeadPoseEstimator, Settings, catalog};

use crate::crop::CropRule;
use crate::name;

/// Most have the name and the meaning of one of the element's properties.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelArgs {
    #[command(flatten)]
    runtime: RuntimeArgs,
    #[command(flatten)]
    families: FamilyArgs,
    /// Head detector; with --detector it may be given several times. Default: the best in the models' folder
    #[arg(long, value_name = "FILE")]
    detector_model: Vec<PathBuf>,
    /// Longer side of the detector's input, in pixels, if the model's input size is free; 0: the detector's own
    #[arg(long, value_name = "PIXELS", default_value_t = 0)]
    detector_size: u32,
    /// Pose model. Default: the best in the models' folder, together with its rear model
    #[arg(long, value_name = "FILE")]
    pose_model: Option<PathBuf>,
    /// Pose model for all sides; decides which heads the pose model handles
    #[arg(long, value_name = "FILE")]
    rear_model: Option<PathBuf>,
    /// A model to compare; may be repeated, and replaces --pose-model and --rear-model. After the files, separated by
    /// commas: family=, crop=, crop-margin=, activation-angle=, each overriding the option of the
    /// same name
    #[arg(long, value_name = "[NAME=]FILE[+REAR-FILE][,OPTION=VALUE]...", conflicts_with_all = ["pose_model", "rear_model"])]
    model: Vec<Entry>,
    /// Folder of the models
    #[arg(long, value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// Minimum score of a detection. Default: the detector's own
    #[arg(long, value_name = "SCORE")]
    score_threshold: Option<f32>,
    /// Largest |yaw|, in degrees, at which the pose model's result counts beside a rear model. Default: the
    /// measured rule for the two models
    #[arg(long, value_name = "DEGREES")]
    activation_angle: Option<f32>,
    /// Margin on each side for the crop rules symmetric and square, as a fraction of the box
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    crop_margin: f32,
}

/// A model or a pair of models, as given with `--model`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Entry {
    name: Option<String>,
    front: PathBuf,
    rear: Option<PathBuf>,
    family: Option<PoseFamily>,
    crop: Option<CropRule>,
    crop_margin: Option<f32>,
    activation_angle: Option<f32>,
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let models = parts.next().unwrap_or_default();
        let (name, models) = match models.split_once('=') {
            Some((name, models)) => (Some(name.to_string()), models),
            None => (None, models),
        };
        let (front, rear) = match models.split_once('+') {
            Some((front, rear)) => (front, Some(rear.into())),
            None => (models, None),
        };
        if front.is_empty() {
            return Err("expected a model file".into());
        }
        let mut entry = Self {
            name,
            front: front.into(),
            rear,
            ..Self::default()
        };
        for part in parts {
            let (option, value) = part.split_once('=').unwrap_or((part, ""));
            let number = || {
                value
                    .parse()
                    .map_err(|_| format!("{option}: {value:?} is not a number"))
            };
            match option {
                "family" => entry.family = Some(pose_family(value)?),
                "crop" => entry.crop = Some(CropRule::from_str(value, false)?),
                "crop-margin" => entry.crop_margin = Some(number()?),
                "activation-angle" => entry.activation_angle = Some(number()?),
                _ => {
                    let expected = "family, crop, crop-margin or activation-angle";
                    return Err(format!("expected {expected}, found {option:?}"));
                }
            }
        }
        Ok(entry)
    }
}

/// A loaded model or pair of models, for comparison.
pub struct Contestant {
    pub name: String,
    pub estimator: HeadPoseEstimator,
    pub rule: CropRule,
    pub settings: Settings,
    /// The files, and how they are used.
    pub description: String,
}

impl ModelArgs {
    /// Loads the named models, without a detector; `rule` is the crop of those that name none.
    ///
    /// # Errors
    /// Errors of ONNX Runtime or the models.
    pub fn contestants(&self, rule: CropRule) -> Result<Vec<Contestant>, Error> {
        let entries = self.entries()?;
        entries
            .iter()
            .map(|entry| self.load(entry, rule, None))
            .collect()
    }

    /// Loads the first named model, and the detector.
    ///
    /// # Errors
    /// Errors of ONNX Runtime or the models.
    pub fn with_detector(&self, rule: CropRule) -> Result<Contestant, Error> {
        let detector = self.detector_model()?;
        self.load(&self.entries()?[0], rule, Some(detector))
    }

    /// The models of --model; else those of --pose-model and --rear-model, or the default. At least one.
    fn entries(&self) -> Result<Vec<Entry>, Error> {
        if !self.model.is_empty() {
            return Ok(self.model.clone());
        }
        let PoseModels { pose, rear } = match &self.pose_model {
            Some(file) => PoseModels {
                pose: file.clone(),
                rear: None,
            },
            None => catalog::default_pose_models(catalog::Mode::Auto, &self.folders())?,
        };
        Ok(vec![Entry {
            front: pose,
            rear: self.rear_model.clone().or(rear),
            ..Entry::default()
        }])
    }

    fn load(
        &self,
        entry: &Entry,
        rule: CropRule,
        detector_model: Option<PathBuf>,
    ) -> Result<Contestant, Error> {
        let rule = entry.crop.unwrap_or(rule);
        let crop_mode = rule.mode(entry.crop_margin.unwrap_or(self.crop_margin));
        let activation_angle = entry.activation_angle.or(self.activation_angle);
        let estimator = HeadPoseEstimator::load(&Config {
            detector_family: self.families.detector(),
            detector_size: self.detector_size,
            pose_family: entry.family.unwrap_or(self.families.pose()),
            rear_model: entry.rear.clone(),
            ..Config::new(self.runtime.options(), detector_model, entry.front.clone())
        })?;
        let (files, stems) = match &entry.rear {
            Some(rear) => (
                format!("{} + {}", entry.front.display(), rear.display()),
                format!("{} + {}", stem(&entry.front), stem(rear)),
            ),
            None => (entry.front.display().to_string(), stem(&entry.front)),
        };
        let mut description = format!("{files}, crop {}", name(&rule));
        if let (Some(_), Some(angle)) = (&entry.rear, activation_angle) {
            description += &format!(", activation angle {angle}");
        }
        Ok(Contestant {
            name: entry.name.clone().unwrap_or(stems),
            estimator,
            rule,
            settings: settings(crop_mode, activation_angle, self.detector_settings()),
            description,
        })
    }

    fn folders(&self) -> Vec<PathBuf> {
        catalog::model_folders(self.models_dir.as_deref(), None)
    }

    fn detector_model(&self) -> Result<PathBuf, Error> {
        match self.detector_model.first() {
            Some(file) => Ok(file.clone()),
            None => catalog::default_detector(&self.folders()),
        }
    }

    fn detector_settings(&self) -> DetectorSettings {
        DetectorSettings {
            score_threshold: self.score_threshold,
            ..DetectorSettings::DEFAULT
        }
    }

    /// Loads only the detector.
    ///
    /// # Errors
    /// Errors of ONNX Runtime or the model.
    pub fn detector(&self) -> Result<HeadDetector, Error> {
        self.load_detector(&self.detector_model()?)
    }

    /// Loads every named detector, or the default one.
    ///
    /// # Errors
    /// Errors of ONNX Runtime or the models.
    pub fn detectors(&self) -> Result<Vec<HeadDetector>, Error> {
        match self.detector_model.as_slice() {
            [] => Ok(vec![self.detector()?]),
            files => files.iter().map(|file| self.load_detector(file)).collect(),
        }
    }

    fn load_detector(&self, file: &Path) -> Result<HeadDetector, Error> {
        let runtime = self.runtime.load()?;
        let model = Model::open(runtime, "detector", file, &SessionOptions::default())?;
        Ok(HeadDetector {
            name: stem(file),
            detector: Detector::new(model, self.families.detector(), self.detector_size)?,
            resizer: Resizer::default(),
            settings: self.detector_settings(),
        })
    }
}

/// The element's defaults, but without a limit on the heads of a picture.
fn settings(
    crop_mode: Option<CropMode>,
    activation_angle: Option<f32>,
    detector: DetectorSettings,
) -> Settings {
    Settings {
        detector,
        max_heads: usize::MAX,
        crop_mode,
        activation_angle,
        ..Settings::DEFAULT
    }
}

/// A file's name without its suffix.
fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// A detector that runs without a pose model.
pub struct HeadDetector {
    pub name: String,
    pub detector: Detector,
    resizer: Resizer,
    settings: DetectorSettings,
}

impl HeadDetector {
    /// The score above which detections count: the requested one, or the family's own.
    pub fn threshold(&self) -> f32 {
        self.settings
            .score_threshold
            .unwrap_or_else(|| self.detector.score_threshold())
    }

    /// The heads of a picture, best first, with boxes on whole pixels inside it, as the element reports them.
    ///
    /// # Errors
    /// [`Error::Inference`].
    pub fn detect(
        &mut self,
        frame: &FrameView<'_>,
        threshold: f32,
    ) -> Result<Vec<Detection>, Error> {
        let settings = DetectorSettings {
            score_threshold: Some(threshold),
            ..self.settings
        };
        let mut found = Vec::new();
        self.detector
            .prepare(&mut self.resizer, frame, settings.scaling)?;
        self.detector.run(&settings, &mut found)?;
        for detection in &mut found {
            detection.rect = detection.rect.truncated(frame.size());
        }
        found.retain(|found| found.rect.area() > 0.0);
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_files_and_how_they_are_used() {
        let entry: Entry = "pair=a/front.onnx+b/rear.onnx,family=3ddfa,crop=square,crop-margin=0,activation-angle=80"
            .parse()
            .unwrap();
        let want = Entry {
            name: Some("pair".into()),
            front: "a/front.onnx".into(),
            rear: Some("b/rear.onnx".into()),
            family: Some(pose_family("3ddfa").unwrap()),
            crop: Some(CropRule::Square),
            crop_margin: Some(0.0),
            activation_angle: Some(80.0),
        };
        assert_eq!(entry, want);
        let entry: Entry = "one.onnx".parse().unwrap();
        assert_eq!((entry.name, entry.rear), (None, None));
    }

    #[test]
    fn an_entry_that_means_nothing_is_refused() {
        for (text, said) in [
            ("name=", "expected a model file"),
            ("a.onnx,size=3", "found \"size\""),
            ("a.onnx,crop-margin=wide", "is not a number"),
            ("a.onnx,family=nonsense", "expected one of auto"),
        ] {
            let error = text.parse::<Entry>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}

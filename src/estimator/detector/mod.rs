// SPDX-License-Identifier: MPL-2.0
//! Head detectors: a frame in, boxes in frame pixels out. One file for each output contract.

mod centerface;
mod deim;
mod detection;
mod end2end;
mod face;
mod families;
mod family;
mod grid;
mod headnet;
mod nms;
mod post;
mod rows;
mod watch;
mod yolov5;
mod yolov8;
mod yolox;
mod yunet;

pub use detection::Detection;
pub(super) use detection::better_first;
pub use families::{DetectorFamily, Recognised, recognise};
pub(crate) use families::{detector_families, open_sizes, score_thresholds, using_nms_iou};
pub(crate) use family::scalings;
pub use family::{InputContract, Scaling};

use super::error::Error;
use super::geometry::Size;
use super::image::frame::FrameView;
use super::image::preprocess::{self, Placement};
use super::image::resize::Resizer;
use super::image::tensor::Layout;
use super::onnx::signature::{MAX_FRAME_SIDE, values};
use super::onnx::{ExecutionProvider, Model};
use family::{Boxes, Overlaps};
use watch::Watch;

/// What may change from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectorSettings {
    /// Boxes must score above it, strictly; `None`: the family's own.
    pub score_threshold: Option<f32>,
    /// Of two boxes with a larger IoU the one with the lower score is dropped. For families without NMS in the graph.
    pub nms_iou: f32,
    /// The class that is a head, for families with several classes; `None`: the family's own.
    pub head_class: Option<u32>,
    pub scaling: Scaling,
}

impl DetectorSettings {
    pub const DEFAULT: Self = Self {
        score_threshold: None,
        nms_iou: 0.3,
        head_class: None,
        scaling: Scaling::Auto,
    };
}

#[derive(Debug)]
pub struct Detector {
    model: Model,
    recognised: Recognised,
    input: InputContract,
    /// Longer side of the input where the model leaves its size open.
    free_size: u32,
    image: Vec<f32>,
    placement: Option<Placement>,
    watch: Watch,
}

impl Detector {
    /// Recognises the contract of `model` and runs it once, so that a model that cannot run, or whose
    /// outputs contradict its signature, is refused now. `free_size` is the longer side of the
    /// input, in pixels, of models that leave their input's size open; 0: the family's own.
    ///
    /// # Errors
    /// [`Error::Contract`] and [`Error::Inference`].
    pub fn new(model: Model, wanted: DetectorFamily, free_size: u32) -> Result<Self, Error> {
        let recognised = recognise(model.signature(), wanted)
            .map_err(|expected| model.contract_error(expected))?;
        let free_size = match free_size {
            0 => recognised.contract.open_size.unwrap_or(640),
            chosen => chosen,
        };
        let mut detector = Self {
            input: recognised.input,
            model,
            recognised,
            free_size,
            image: Vec::new(),
            placement: None,
            watch: Watch::default(),
        };
        let frame = Size::new(16, 9);
        detector.place(frame, DetectorSettings::DEFAULT.scaling)?;
        detector.try_out()?;
        let Recognised { family, doubt, .. } = &mut detector.recognised;
        let hints = &detector.model.signature().hints;
        let path = detector.model.path();
        detector.watch = Watch::new(path, doubt.take(), family.assumed_class(), hints);
        Ok(detector)
    }

    /// Runs the network for the first time.
    fn try_out(&mut self) -> Result<(), Error> {
        let (Some(placement), Some(shape)) = (self.placement, self.input_shape()) else {
            return Ok(());
        };
        let recognised = &mut self.recognised;
        let mut boxes = Boxes {
            input: placement.input,
            score_threshold: recognised.contract.score_threshold,
            head_class: None,
            heads: &mut Vec::new(),
            other: None,
        };
        self.model.run(&shape, &self.image, |outputs| {
            if let Some(name) = recognised.family.settle(outputs)? {
                recognised.name = name;
            }
            recognised.family.decode(outputs, &mut boxes)
        })
    }

    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.watch.warnings)
    }

    /// The contract's name, as the property `detector-family` spells it.
    pub fn family(&self) -> &'static str {
        self.recognised.name
    }

    /// The family's score threshold, used where the settings have none.
    pub fn score_threshold(&self) -> f32 {
        self.recognised.score_threshold()
    }

    pub fn path(&self) -> &std::path::Path {
        self.model.path()
    }

    pub fn provider(&self) -> ExecutionProvider {
        self.model.provider()
    }

    /// Writes `frame` into the network's input.
    ///
    /// # Errors
    /// [`Error::Inference`] where there is no memory for the input.
    pub fn prepare(
        &mut self,
        resizer: &mut Resizer,
        frame: &FrameView<'_>,
        scaling: Scaling,
    ) -> Result<(), Error> {
        let placement = self.place(frame.size(), scaling)?;
        let encoding = self.input.encoding;
        preprocess::encode_frame(resizer, frame, &placement, &encoding, &mut self.image);
        Ok(())
    }

    /// Shape and values of the network's input; `None` before the first frame.
    pub fn input(&self) -> Option<([i64; 4], &[f32])> {
        Some((self.input_shape()?, &self.image))
    }

    fn input_shape(&self) -> Option<[i64; 4]> {
        let Size { width, height } = self.placement?.input;
        let (width, height) = (i64::from(width), i64::from(height));
        Some(match self.input.encoding.layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        })
    }

    /// Runs the network on what [`Detector::prepare`] wrote and replaces `detections` by the result.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn run(
        &mut self,
        settings: &DetectorSettings,
        detections: &mut Vec<Detection>,
    ) -> Result<(), Error> {
        detections.clear();
        let (Some(placement), Some(shape)) = (self.placement, self.input_shape()) else {
            return Ok(());
        };
        let Recognised {
            contract, family, ..
        } = &self.recognised;
        let mut boxes = Boxes {
            input: placement.input,
            score_threshold: settings.score_threshold.unwrap_or(contract.score_threshold),
            head_class: settings.head_class.or(self.watch.head),
            heads: detections,
            other: None,
        };
        self.model.run(&shape, &self.image, |outputs| {
            family.decode(outputs, &mut boxes)
        })?;
        let (head_class, other) = (boxes.head_class, boxes.other);
        if contract.overlaps != Overlaps::InGraph {
            let voting = contract.overlaps == Overlaps::Voting;
            nms::suppress_overlaps(detections, settings.nms_iou, voting);
        }
        let chosen = settings.head_class.is_some();
        self.watch.look(head_class, chosen, detections, other);
        for detection in detections.iter_mut() {
            detection.rect = placement.to_frame(family.head(detection.rect));
        }
        Ok(())
    }

    /// Decides how a frame is placed in the input, and allocates the input.
    fn place(&mut self, frame: Size, scaling: Scaling) -> Result<Placement, Error> {
        let input = self.input.size;
        let input = input.unwrap_or_else(|| free_input(frame, self.free_size));
        let scaling = match scaling {
            Scaling::Auto => self.input.scaling,
            chosen => chosen,
        };
        let placement = match scaling {
            Scaling::Letterbox => Placement::letterbox(frame, input),
            _ => Placement::stretch(frame, input),
        };
        if self.placement != Some(placement) {
            self.placement = None;
            self.model.make_room(&mut self.image, values(1, input))?;
            let InputContract { encoding, pad, .. } = self.input;
            encoding.fill(&mut self.image, pad);
            self.placement = Some(placement);
        }
        Ok(placement)
    }
}

/// The input for a frame where the model takes any multiple of 32: the longer side is `long_side`, the
/// other follows the frame's aspect ratio; both are rounded up.
fn free_input(frame: Size, long_side: u32) -> Size {
    let long_side = long_side.clamp(1, MAX_FRAME_SIDE);
    let scale = f64::from(long_side) / f64::from(frame.width.max(frame.height));
    let fit = |len: u32| {
        ((f64::from(len) * scale).round() as u32)
            .max(1)
            .next_multiple_of(32)
    };
    Size::new(fit(frame.width), fit(frame.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_inputs_follow_the_aspect_ratio() {
        let size = |width, height| Size { width, height };
        assert_eq!(free_input(size(1280, 720), 640), size(640, 384));
        assert_eq!(free_input(size(720, 1280), 640), size(384, 640));
        assert_eq!(free_input(size(176, 144), 640), size(640, 544));
        assert_eq!(free_input(size(1, 1), 640), size(640, 640));
        assert_eq!(free_input(size(100_000, 1), 640), size(640, 32));
        assert_eq!(free_input(size(1, 1), u32::MAX), size(4096, 4096));
    }
}

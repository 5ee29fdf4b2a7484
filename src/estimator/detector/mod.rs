// SPDX-License-Identifier: MPL-2.0
//! Head detectors: a frame in, boxes in frame pixels out. One file for each output contract.

mod centerface;
pub mod contract;
mod deim;
mod end2end;
mod face;
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

use std::cmp::Ordering;

pub use family::DetectorFamily;
use family::{Others, Recognised};
pub(crate) use family::{detector_families, open_sizes, score_thresholds, using_nms_iou};

use super::choices::choices;
use super::error::Error;
use super::geometry::{Rect, Size};
use super::image::frame::FrameView;
use super::image::preprocess::{self, Placement};
use super::image::resize::Resizer;
use super::image::tensor::{Layout, PixelEncoding};
use super::onnx::signature::{MAX_FRAME_SIDE, values};
use super::onnx::{ElementType, ExecutionProvider, Model, Signature};
use watch::Watch;

choices! {
    /// How a frame is fitted into the detector's input.
    pub enum Scaling in scalings {
        #[default]
        Auto, "auto", "As the detector's family was made for";
        Stretch, "stretch", "Fill the detector's input";
        Letterbox, "letterbox", "Keep the aspect ratio, pad the rest";
    }
}

/// What may change from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectorSettings {
    /// Boxes must score above it, strictly; `None`: the family's own.
    pub score_threshold: Option<f32>,
    /// Of two boxes that overlap more, the better one stays. For families without NMS inside.
    pub nms_iou: f32,
    /// The class that is a head, for families with several classes; `None`: the family's own.
    pub head_class: Option<u32>,
    pub scaling: Scaling,
}

impl DetectorSettings {
    /// The element's defaults.
    pub const DEFAULT: Self = Self {
        score_threshold: None,
        nms_iou: 0.3,
        head_class: None,
        scaling: Scaling::Auto,
    };
}

/// The box of a head in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Pixels of the frame; may reach beyond it.
    pub rect: Rect,
    pub score: f32,
}

impl Detection {
    /// A head that is there for sure.
    pub fn known(rect: Rect) -> Self {
        Self { rect, score: 1.0 }
    }

    /// Box and score are numbers: networks may answer NaN or infinity.
    pub(super) fn is_finite(&self) -> bool {
        let Self { rect, score } = *self;
        [rect.x, rect.y, rect.w, rect.h, score]
            .iter()
            .all(|v| v.is_finite())
    }
}

/// The better one of two scored boxes first; equal scores go by place. A total order: sorting needs no memory
/// to keep the order of equals.
pub(super) fn better_first(a: (f32, &Rect), b: (f32, &Rect)) -> Ordering {
    let (above, left) = (a.1.y.total_cmp(&b.1.y), a.1.x.total_cmp(&b.1.x));
    b.0.total_cmp(&a.0).then(above).then(left)
}

/// The size of a detector's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InputSize {
    Fixed(Size),
    /// Any multiple of 32 both ways.
    Free,
}

/// What a family wants as input, by default.
#[derive(Clone, Copy, Debug, PartialEq)]
struct InputContract {
    size: InputSize,
    encoding: PixelEncoding,
    scaling: Scaling,
    /// Level of the padding of a letterbox.
    pad: u8,
}

/// What `decode` needs to know beside the outputs.
#[derive(Clone, Copy, Debug)]
struct DecodeSettings {
    input: Size,
    score_threshold: f32,
    nms_iou: f32,
    head_class: Option<u32>,
}

impl DecodeSettings {
    /// Takes a row that scores enough: as a detection if it is a head, else as one of the others.
    fn take(
        &self,
        rect: Rect,
        class: f32,
        score: f32,
        boxes: &mut Vec<Detection>,
        others: &mut Others,
    ) {
        if score > self.score_threshold {
            match self.head_class {
                Some(head) if class != head as f32 => others.add(class, score),
                _ => boxes.push(Detection { rect, score }),
            }
        }
    }

    /// Which of so many classes is the head: the only one, or 1, as where bodies are 0 and heads 1.
    fn head_among(&self, classes: usize) -> usize {
        match self.head_class {
            Some(class) => class as usize,
            None => usize::from(classes > 1),
        }
    }
}

/// A loaded head detector.
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
    /// Recognises the contract of `model` and runs it once, so that a model that cannot run, or answers
    /// something else than its signature says, is refused now. `free_size` is the longer side of the
    /// input, in pixels, of models that leave their input's size open; 0: the family's own.
    ///
    /// # Errors
    /// [`Error::Contract`] and [`Error::Inference`].
    pub fn new(model: Model, wanted: DetectorFamily, free_size: u32) -> Result<Self, Error> {
        let recognised = family::recognise(model.signature(), wanted)
            .map_err(|expected| model.contract_error(expected))?;
        let free_size = match free_size {
            0 => recognised.open_size,
            chosen => chosen,
        };
        let mut detector = Self {
            input: recognised.family.input(),
            model,
            recognised,
            free_size,
            image: Vec::new(),
            placement: None,
            watch: Watch::default(),
        };
        let frame = Size {
            width: 16,
            height: 9,
        };
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
        let decode = DecodeSettings {
            input: placement.input,
            score_threshold: recognised.score_threshold,
            nms_iou: DetectorSettings::DEFAULT.nms_iou,
            head_class: None,
        };
        self.model.run(&shape, &self.image, |outputs| {
            if let Some(name) = recognised.family.settle(outputs)? {
                recognised.name = name;
            }
            recognised
                .family
                .decode(outputs, &decode, &mut Vec::new())?;
            Ok(())
        })
    }

    /// Warnings that have come since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.watch.warnings)
    }

    /// The contract's name, as the property `detector-family` spells it.
    pub fn family(&self) -> &'static str {
        self.recognised.name
    }

    /// The score above which boxes count where none is chosen.
    pub fn score_threshold(&self) -> f32 {
        self.recognised.score_threshold
    }

    /// The model's file.
    pub fn path(&self) -> &std::path::Path {
        self.model.path()
    }

    /// What runs the network.
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

    /// Shape and values of what the network got; `None` before the first frame.
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

    /// Runs the network on what [`Detector::prepare`] wrote and replaces `detections` by what it finds.
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
            family,
            score_threshold,
            ..
        } = &self.recognised;
        let decode = DecodeSettings {
            input: placement.input,
            score_threshold: settings.score_threshold.unwrap_or(*score_threshold),
            nms_iou: settings.nms_iou,
            head_class: settings.head_class.or(self.watch.head),
        };
        let others = self.model.run(&shape, &self.image, |outputs| {
            family.decode(outputs, &decode, detections)
        })?;
        let chosen = settings.head_class.is_some();
        self.watch
            .look(decode.head_class, chosen, detections, others);
        for detection in detections.iter_mut() {
            detection.rect = placement.to_frame(family.head(detection.rect));
        }
        Ok(())
    }

    /// Decides where a frame of `size` goes in the input, and makes room for it.
    fn place(&mut self, frame: Size, scaling: Scaling) -> Result<Placement, Error> {
        let input = match self.input.size {
            InputSize::Fixed(size) => size,
            InputSize::Free => free_input(frame, self.free_size),
        };
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
    Size {
        width: fit(frame.width),
        height: fit(frame.height),
    }
}

/// Height and width of an image input `[1, 3, H, W]`, -1 where open; `None` if it is none.
fn image_input(signature: &Signature) -> Option<(Layout, i64, i64)> {
    let [input] = signature.inputs.as_slice() else {
        return None;
    };
    if input.element != ElementType::Float32 {
        return None;
    }
    match *input.shape.as_slice() {
        [1 | -1, 3, height, width] => Some((Layout::Nchw, height, width)),
        [1 | -1, height, width, 3] => Some((Layout::Nhwc, height, width)),
        _ => None,
    }
}

/// The input's size where the graph fixes it, else any.
fn any_size(height: i64, width: i64) -> InputSize {
    fixed_size(height, width).map_or(InputSize::Free, InputSize::Fixed)
}

/// The input's size where the graph fixes it.
fn fixed_size(height: i64, width: i64) -> Option<Size> {
    let side = |len: i64| u32::try_from(len).ok().filter(|&len| len > 0);
    Some(Size {
        width: side(width)?,
        height: side(height)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::onnx::TensorInfo;
    use super::*;

    /// A graph with one float32 input and one float32 output.
    pub(super) fn one_output(input: &[i64], output: &[i64]) -> Signature {
        let tensor = |name: &str, shape: &[i64]| TensorInfo {
            name: name.into(),
            element: ElementType::Float32,
            shape: shape.into(),
        };
        Signature {
            inputs: vec![tensor("images", input)],
            outputs: vec![tensor("output", output)],
            hints: Default::default(),
        }
    }

    pub(super) fn decode_settings(
        width: u32,
        height: u32,
        score_threshold: f32,
        head_class: Option<u32>,
    ) -> DecodeSettings {
        DecodeSettings {
            input: Size { width, height },
            score_threshold,
            nms_iou: 0.3,
            head_class,
        }
    }

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

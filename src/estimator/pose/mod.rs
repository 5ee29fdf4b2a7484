// SPDX-License-Identifier: MPL-2.0
//! Pose models: crops of heads in, angles out. One file for each output contract; [`fusion`] puts a front
//! and a rear model together, and `seam` says whose answer counts.

mod axes;
mod blend;
mod columns;
mod families;
mod family;
mod fsanet;
pub mod fusion;
mod hopenet;
pub(super) mod seam;
mod sixdrepnet;
mod tddfa;
mod triple;
mod turnnet;
mod whenet;

pub(crate) use families::pose_families;
pub use families::{PoseFamily, Recognised, recognise};
pub use family::InputContract;

use super::angles::Angles;
use super::error::Error;
use super::geometry::Size;
use super::image::frame::FrameView;
use super::image::preprocess;
use super::image::resize::{PixelRect, Resizer};
use super::image::tensor::Layout;
use super::onnx::signature::values;
use super::onnx::{ExecutionProvider, Model};
use family::Answers;
use seam::Seam;

/// So many crops run through the network at once where nothing else is asked for.
pub const MAX_BATCH: usize = 8;

#[derive(Debug)]
pub struct PoseModel {
    model: Model,
    recognised: Recognised,
    input: InputContract,
    max_batch: usize,
    images: Vec<f32>,
    crops: usize,
    /// Standard deviations in degrees of what the last run answered; empty where the network states none.
    uncertainties: Vec<f32>,
}

impl PoseModel {
    /// Recognises the contract of `model` and runs it once, so that a model that cannot run, or answers
    /// something else than its signature says, is refused now. At most `max_batch` crops run at once.
    ///
    /// # Errors
    /// [`Error::Contract`] and [`Error::Inference`].
    pub fn new(model: Model, wanted: PoseFamily, max_batch: usize) -> Result<Self, Error> {
        let recognised = recognise(model.signature(), wanted)
            .map_err(|expected| model.contract_error(expected))?;
        let mut pose = Self {
            input: recognised.input,
            model,
            recognised,
            max_batch: max_batch.max(1),
            images: Vec::new(),
            crops: 0,
            uncertainties: Vec::new(),
        };
        pose.make_room(1)?;
        pose.run(&mut Vec::new())?;
        pose.crops = 0;
        Ok(pose)
    }

    /// What is not sure about the model, once.
    pub fn take_warning(&mut self) -> Option<String> {
        let doubt = self.recognised.doubt.take()?;
        Some(format!("pose model {}: {doubt}", self.path().display()))
    }

    /// The contract's name, as the property `pose-family` spells it.
    pub fn family(&self) -> &'static str {
        self.recognised.name
    }

    pub fn path(&self) -> &std::path::Path {
        self.model.path()
    }

    /// Where its answers give way to those of the model for heads from behind.
    fn seam_with(&self, rear: &Self) -> Seam {
        match (self.family(), rear.family()) {
            ("3ddfa" | "3ddfa-denormalised", "dmhead" | "whenet") => Seam::Blend(&blend::WHENET),
            ("3ddfa" | "3ddfa-denormalised", "turnnet") => Seam::Blend(&blend::TURNNET),
            _ => Seam::UPSTREAM,
        }
    }

    fn image_len(&self) -> usize {
        3 * self.input.size.width as usize * self.input.size.height as usize
    }

    /// Makes the input large enough for `crops` crops.
    fn make_room(&mut self, crops: usize) -> Result<(), Error> {
        self.crops = 0;
        // A network with a fixed batch gets whatever lies behind the last crop; its answer is dropped.
        let images = crops.checked_next_multiple_of(self.input.fixed_batch.unwrap_or(1));
        let values = images.and_then(|images| values(images, self.input.size));
        if values.is_none_or(|values| self.images.len() < values) {
            self.model.make_room(&mut self.images, values)?;
        }
        self.crops = crops;
        Ok(())
    }

    /// Writes the crops of `frame` into the network's input, one image each.
    ///
    /// # Errors
    /// [`Error::Inference`] where there is no memory for the input.
    pub fn prepare(
        &mut self,
        resizer: &mut Resizer,
        frame: &FrameView<'_>,
        crops: impl ExactSizeIterator<Item = PixelRect> + Clone + Send,
    ) -> Result<(), Error> {
        self.make_room(crops.len())?;
        let InputContract { size, encoding, .. } = self.input;
        preprocess::encode_crops(resizer, frame, crops, size, &encoding, &mut self.images);
        Ok(())
    }

    /// Runs the network on what [`PoseModel::prepare`] wrote and replaces `angles` by its answers, one for
    /// each crop. They are as the network gave them: perhaps not finite.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn run(&mut self, angles: &mut Vec<Angles>) -> Result<(), Error> {
        angles.clear();
        self.uncertainties.clear();
        let image_len = self.image_len();
        let InputContract {
            size,
            encoding,
            fixed_batch,
        } = self.input;
        let (height, width) = (i64::from(size.height), i64::from(size.width));
        while angles.len() < self.crops {
            let first = angles.len();
            let crops = (self.crops - first).min(fixed_batch.unwrap_or(self.max_batch));
            let images = fixed_batch.unwrap_or(crops);
            let shape = match encoding.layout {
                Layout::Nchw => [images as i64, 3, height, width],
                Layout::Nhwc => [images as i64, height, width, 3],
            };
            let family = &self.recognised.family;
            let images = &self.images[first * image_len..(first + images) * image_len];
            let mut answers = Answers {
                crops,
                angles,
                uncertainties: &mut self.uncertainties,
            };
            self.model.run(&shape, images, |outputs| {
                family.decode(outputs, &mut answers)
            })?;
            let answered = angles.len() - first;
            if answered < crops {
                return Err(self.model.output_error(format!(
                    "expected the angles of {crops} crops, found {answered}"
                )));
            }
        }
        Ok(())
    }

    pub fn provider(&self) -> ExecutionProvider {
        self.model.provider()
    }

    pub fn input_size(&self) -> Size {
        self.input.size
    }

    /// What the network got of crop number `index`: for `dmhead` models `[3, H, W]`, RGB 0..=255.
    pub fn crop_image(&self, index: usize) -> Option<&[f32]> {
        if index >= self.crops {
            return None;
        }
        self.images.chunks_exact(self.image_len()).nth(index)
    }
}

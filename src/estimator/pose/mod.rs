// SPDX-License-Identifier: MPL-2.0
//! Pose models: crops of heads in, angles out. One file for each output contract.

mod triple;

use super::angles::Angles;
use super::error::Error;
use super::frame::FrameView;
use super::geometry::Size;
use super::preprocess::{self, ChannelOrder, PixelEncoding};
use super::resize::{PixelRect, Resizer};
use super::runtime::{Model, Role};

pub const ROLE: Role = "pose";

/// Which output contract a pose model keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoseFamily {
    /// Recognised by the graph's signature.
    #[default]
    Auto,
    /// Three angles in degrees, pre- and post-processing inside: DMHead, WHENet as `make models` converts it.
    DmHead,
}

/// Crops run through the network at once; more heads take several runs. Bounds the memory.
const MAX_BATCH: usize = 16;

/// A loaded pose model.
#[derive(Debug)]
pub struct PoseModel {
    model: Model,
    family: triple::Triple,
    images: Vec<f32>,
    crops: usize,
}

impl PoseModel {
    /// Recognises the contract of `model` and runs it once, so that a model that cannot run, or answers
    /// something else than its signature says, is refused now.
    ///
    /// # Errors
    /// [`Error::Contract`] and [`Error::Inference`].
    pub fn new(model: Model, wanted: PoseFamily) -> Result<Self, Error> {
        let family = match wanted {
            PoseFamily::Auto | PoseFamily::DmHead => triple::Triple::recognise(model.signature()),
        };
        let family = family.ok_or_else(|| {
            model.contract_error(format!(
                "the signature of a pose model: {}",
                triple::EXPECTED
            ))
        })?;
        let mut pose = Self {
            model,
            family,
            images: Vec::new(),
            crops: 1,
        };
        pose.images.resize(pose.image_len(), 0.0);
        pose.run(&mut Vec::new())?;
        pose.crops = 0;
        Ok(pose)
    }

    /// The contract's name, as the property `pose-family` spells it.
    pub fn family(&self) -> &'static str {
        "dmhead"
    }

    /// The model's file.
    pub fn path(&self) -> &std::path::Path {
        self.model.path()
    }

    fn image_len(&self) -> usize {
        3 * self.family.input.width as usize * self.family.input.height as usize
    }

    /// Writes the crops of `frame` into the network's input, one image each.
    pub fn prepare(
        &mut self,
        resizer: &mut Resizer,
        frame: &FrameView<'_>,
        crops: impl ExactSizeIterator<Item = PixelRect>,
    ) {
        let image_len = self.image_len();
        self.crops = crops.len();
        if self.images.len() < self.crops * image_len {
            self.images.resize(self.crops * image_len, 0.0);
        }
        let encoding = PixelEncoding::levels(ChannelOrder::Rgb);
        for (crop, image) in crops.zip(self.images.chunks_exact_mut(image_len)) {
            preprocess::encode_crop(resizer, frame, crop, self.family.input, &encoding, image);
        }
    }

    /// Runs the network on what [`PoseModel::prepare`] wrote and replaces `angles` by its answers, one for
    /// each crop. They are as the network gave them: perhaps not finite.
    ///
    /// # Errors
    /// [`Error::Inference`] and [`Error::Exiting`].
    pub fn run(&mut self, angles: &mut Vec<Angles>) -> Result<(), Error> {
        angles.clear();
        let image_len = self.image_len();
        let batch = self.family.fixed_batch.unwrap_or(MAX_BATCH);
        let Size { width, height } = self.family.input;
        let mut first = 0;
        while first < self.crops {
            let crops = (self.crops - first).min(batch);
            // A network with a fixed batch gets whatever lies behind the last crop; its answer is dropped.
            let images = self.family.fixed_batch.unwrap_or(crops);
            let values = (first + images) * image_len;
            if self.images.len() < values {
                self.images.resize(values, 0.0);
            }
            let shape = [images as i64, 3, i64::from(height), i64::from(width)];
            let family = self.family;
            let images = &self.images[first * image_len..values];
            let answered = self.model.run(&shape, images, |outputs| {
                let (_, rows) = outputs.float32(0)?;
                let rows = rows.as_chunks::<3>().0;
                angles.extend(rows.iter().take(crops).map(|row| family.angles(row)));
                Ok(rows.len())
            })?;
            if answered < crops {
                return Err(self.model.output_error(format!(
                    "expected {crops} rows of 3 angles, found {answered}"
                )));
            }
            first += crops;
        }
        Ok(())
    }

    /// The size of the network's crops.
    pub fn input_size(&self) -> Size {
        self.family.input
    }

    /// The pixels of crop number `index` as the network saw them: `[3, H, W]`, RGB 0..=255.
    pub fn crop_image(&self, index: usize) -> Option<&[f32]> {
        if index >= self.crops {
            return None;
        }
        self.images.chunks_exact(self.image_len()).nth(index)
    }
}

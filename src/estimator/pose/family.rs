// SPDX-License-Identifier: MPL-2.0
//! What a family of pose models is: the trait that each implements in a file of its own, and what it works with.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::geometry::{CropMode, Size};
use super::super::image::tensor::{Layout, PixelEncoding};
use super::super::onnx::{Outputs, Signature};

/// A family as recognised in the signature of one model.
pub(super) trait Family: std::fmt::Debug + Send + Sync {
    /// How much around a head the networks of this family were made to see.
    fn crop_mode(&self) -> CropMode {
        CropMode::Upstream
    }

    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error>;

    /// What the signature leaves open, and how it was taken.
    fn doubt(&self) -> Option<String> {
        None
    }

    /// Columns of yaw, pitch and roll in an output of DMHead's kind.
    fn columns(&self) -> Option<[usize; 3]> {
        None
    }
}

/// How a family is recognised.
pub(super) struct Contract {
    /// The signature, in words.
    pub expected: &'static str,
    /// `named`: the property names this family. Where it does not, a family whose signature is that of another
    /// one declines.
    pub recognise: fn(&Signature, named: bool) -> Option<Match>,
}

/// What the network of a recognised family wants, and how its answers are read.
pub(super) type Match = (InputContract, Box<dyn Family>);

pub(super) fn boxed<F: Family + 'static>((input, family): (InputContract, F)) -> Match {
    (input, Box::new(family))
}

#[derive(Debug)]
pub(super) struct Answers<'a> {
    pub crops: usize,
    pub angles: &'a mut Vec<Angles>,
    /// Empty where the network states none.
    pub uncertainties: &'a mut Vec<f32>,
}

impl Answers<'_> {
    /// Appends the angles of each crop. A network with a fixed batch may answer for more than there are.
    pub fn extend(&mut self, angles: impl Iterator<Item = Angles>) {
        self.angles.extend(angles.take(self.crops));
    }

    /// Appends the standard deviation of each crop's angles, in degrees.
    pub fn extend_uncertainties(&mut self, degrees: impl Iterator<Item = f32>) {
        self.uncertainties.extend(degrees.take(self.crops));
    }
}

/// What a family wants as input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputContract {
    pub size: Size,
    pub encoding: PixelEncoding,
    /// Set where the graph takes exactly so many crops.
    pub fixed_batch: Option<usize>,
}

/// The input of crops of a graph: float32 `[N, 3, H, W]` or `[N, H, W, 3]`, its size fixed.
#[derive(Clone, Copy, Debug)]
pub(super) struct CropInput {
    pub layout: Layout,
    pub size: Size,
    fixed_batch: Option<usize>,
}

impl CropInput {
    /// `None` where the graph has another input.
    pub fn of(signature: &Signature) -> Option<Self> {
        let (layout, batch, [width, height]) = signature.image()?;
        Some(Self {
            layout,
            size: Size::new(width?, height?),
            fixed_batch: usize::try_from(batch).ok().filter(|&n| n > 0),
        })
    }

    pub fn encoded(self, encoding: PixelEncoding) -> InputContract {
        let Self {
            layout,
            size,
            fixed_batch,
        } = self;
        InputContract {
            size,
            encoding: PixelEncoding { layout, ..encoding },
            fixed_batch,
        }
    }
}

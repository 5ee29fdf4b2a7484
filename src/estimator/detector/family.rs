// SPDX-License-Identifier: MPL-2.0
//! What a family of detectors is: the trait that each implements in a file of its own, and what it works with.

use super::super::choices::choices;
use super::super::error::Error;
use super::super::geometry::{Rect, Size};
use super::super::image::tensor::{Layout, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::detection::Detection;

/// A family as recognised in the signature of one model.
pub(super) trait Family: std::fmt::Debug + Send + Sync {
    /// Adds the boxes, in pixels of the network's input. Overlaps are suppressed later, see
    /// [`Overlaps`].
    fn decode(&self, outputs: &Outputs<'_>, boxes: &mut Boxes<'_>) -> Result<(), Error>;

    /// The class that counts as head if neither settings nor file name it; `None`: there is one class, or any counts.
    fn assumed_class(&self) -> Option<Assumed> {
        None
    }

    /// What the signature leaves open, and what was assumed.
    fn doubt(&self) -> Option<String> {
        None
    }

    /// Decides what the signature left open by the first outputs. Returns the family's name if it changes.
    fn settle(&mut self, _outputs: &Outputs<'_>) -> Result<Option<&'static str>, Error> {
        Ok(None)
    }

    /// The box of the head that belongs to a detected box.
    fn head(&self, rect: Rect) -> Rect {
        rect
    }
}

/// The class that is assumed to be heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assumed {
    pub class: u32,
    /// The family's published files have it so.
    pub published: bool,
}

impl Assumed {
    /// A class that other files of the family may use for something else.
    pub fn guess(class: u32) -> Self {
        Self {
            class,
            published: false,
        }
    }
}

/// What becomes of boxes that overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overlaps {
    /// The graph suppresses them.
    InGraph,
    /// The best box is kept.
    Suppressed,
    /// The best box is kept, at the place that all give it together.
    Voting,
}

/// How a family is recognised, and its defaults.
#[derive(Debug)]
pub(super) struct Contract {
    /// The signature, in words.
    pub expected: &'static str,
    pub score_threshold: f32,
    pub overlaps: Overlaps,
    /// The longer side of the input, in pixels, where the graph may leave its size open.
    pub open_size: Option<u32>,
    /// `named`: the property names this family. If it does not, a family declines signatures that another one
    /// shares.
    pub recognise: fn(&Signature, named: bool) -> Option<Match>,
}

/// The input of a recognised model, and the decoder of its outputs.
pub(super) type Match = (InputContract, Box<dyn Family>);

pub(super) fn boxed<F: Family + 'static>((input, family): (InputContract, F)) -> Match {
    (input, Box::new(family))
}

choices! {
    /// How a frame is fitted into the detector's input.
    pub enum Scaling in scalings {
        #[default]
        Auto, "auto", "As the detector's family was made for";
        Stretch, "stretch", "Fill the detector's input";
        Letterbox, "letterbox", "Keep the aspect ratio, pad the rest";
    }
}

/// The input that a family expects, by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputContract {
    /// `None`: any multiple of 32 both ways.
    pub size: Option<Size>,
    pub encoding: PixelEncoding,
    pub scaling: Scaling,
    /// Level of the padding of a letterbox.
    pub pad: u8,
}

/// The image input of a graph: float32 `[1, 3, H, W]` or `[1, H, W, 3]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ImageInput {
    pub layout: Layout,
    /// `None`: any multiple of 32 both ways.
    pub size: Option<Size>,
}

impl ImageInput {
    /// `None` where the graph has another input.
    pub fn of(signature: &Signature) -> Option<Self> {
        let (layout, batch, sides) = signature.image()?;
        let size = match sides {
            [Some(width), Some(height)] => Some(Size { width, height }),
            _ => None,
        };
        matches!(batch, 1 | -1).then_some(Self { layout, size })
    }

    /// `None` also where the graph leaves the size open.
    pub fn fixed(signature: &Signature) -> Option<Self> {
        Self::of(signature).filter(|input| input.size.is_some())
    }

    pub fn stretched(self, encoding: PixelEncoding) -> InputContract {
        InputContract {
            scaling: Scaling::Stretch,
            ..self.letterboxed(encoding, 114)
        }
    }

    /// Frames keep their aspect ratio; the rest is filled with the level `pad`.
    pub fn letterboxed(self, encoding: PixelEncoding, pad: u8) -> InputContract {
        let Self { layout, size } = self;
        InputContract {
            size,
            encoding: PixelEncoding { layout, ..encoding },
            scaling: Scaling::Letterbox,
            pad,
        }
    }
}

/// Collects the boxes of one frame, with the settings that decoding needs.
#[derive(Debug)]
pub(super) struct Boxes<'a> {
    pub input: Size,
    pub score_threshold: f32,
    /// The class that counts as head; `None`: any, or the one that the family assumes.
    pub head_class: Option<u32>,
    pub heads: &'a mut Vec<Detection>,
    /// Class and score of the best row of another class.
    pub other: Option<(f32, f32)>,
}

impl Boxes<'_> {
    pub fn add(&mut self, score: f32, rect: impl FnOnce() -> Rect) {
        if score > self.score_threshold {
            let rect = rect();
            self.heads.push(Detection { rect, score });
        }
    }

    /// Takes a row that scores above the threshold: as a head if it is of that class, else as one of the others.
    pub fn take(&mut self, rect: Rect, class: f32, score: f32) {
        match self.head_class {
            Some(head) if class != head as f32 => {
                let best = self.other.map_or(self.score_threshold, |(_, best)| best);
                if score > best {
                    self.other = Some((class, score));
                }
            }
            _ => self.add(score, || rect),
        }
    }

    /// Which of the classes is the head: the only one, or 1, as where bodies are 0 and heads 1.
    pub fn head_among(&self, classes: usize) -> usize {
        match self.head_class {
            Some(class) => class as usize,
            None => usize::from(classes > 1),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    pub(in super::super) use super::super::super::onnx::signature::tests::signature;
    use super::*;

    /// The heads that `decode` finds.
    pub(in super::super) fn found(
        (width, height): (u32, u32),
        score_threshold: f32,
        head_class: Option<u32>,
        decode: impl FnOnce(&mut Boxes<'_>),
    ) -> Vec<Detection> {
        let mut heads = Vec::new();
        decode(&mut Boxes {
            input: Size { width, height },
            score_threshold,
            head_class,
            heads: &mut heads,
            other: None,
        });
        heads
    }

    /// There is one head, here and with this score.
    pub(in super::super) fn assert_near(found: &[Detection], want: Rect, score: f32) {
        let [head] = found else {
            panic!("expected one head, found {found:?}");
        };
        assert!((head.score - score).abs() < 1e-6, "{head:?}");
        let sides = |rect: Rect| [rect.x, rect.y, rect.w, rect.h];
        for (got, want) in sides(head.rect).iter().zip(sides(want)) {
            assert!((got - want).abs() < 1e-4, "{head:?}");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The signature of a graph, by which contracts are recognised: names, types and shapes of its inputs and outputs.

use std::fmt;

use super::hints::Hints;
use crate::estimator::geometry::Size;
use crate::estimator::image::tensor::Layout;

/// Largest side of a detector's input, in pixels. The largest published ones take 1280 to 1536.
pub const MAX_FRAME_SIDE: u32 = 4096;

/// Largest side of a crop for a pose model, in pixels. Published ones take 60 to 256.
pub const MAX_CROP_SIDE: u32 = 1024;

/// Most images that a network may take at once where its graph fixes their number.
const MAX_FIXED_BATCH: i64 = 256;

/// Most values of one tensor whose size the graph fixes: 1 GiB of float32.
const MAX_VALUES: i64 = 1 << 28;

/// Element types of tensors that the contracts know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    Float32,
    Int32,
    Int64,
    /// Another one, by its name.
    Other(&'static str),
    NoTensor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    pub element: ElementType,
    /// -1 where the graph leaves a dimension open.
    pub shape: Vec<i64>,
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float32 => f.write_str("float32"),
            Self::Int32 => f.write_str("int32"),
            Self::Int64 => f.write_str("int64"),
            Self::Other(name) => f.write_str(name),
            Self::NoTensor => f.write_str("not a tensor"),
        }
    }
}

impl fmt::Display for TensorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = self.element;
        if element == ElementType::NoTensor {
            return write!(f, "{} ({element})", self.name);
        }
        let dims: Vec<String> = self
            .shape
            .iter()
            .map(|&d| if d < 0 { "?".into() } else { d.to_string() })
            .collect();
        write!(f, "{} {element}[{}]", self.name, dims.join(","))
    }
}

/// The inputs and outputs of a graph: what a contract is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub inputs: Vec<TensorInfo>,
    pub outputs: Vec<TensorInfo>,
    pub hints: Hints,
}

/// The number of values of `images` images of this size; `None` on overflow.
pub(crate) fn values(images: usize, size: Size) -> Option<usize> {
    let [width, height] = [size.width, size.height].map(|side| side as usize);
    images
        .checked_mul(3)?
        .checked_mul(width)?
        .checked_mul(height)
}

impl Signature {
    /// Layout, batch, width and height of the only input, if that is float32 `[N, 3, H, W]` or `[N, H, W, 3]`; `None`
    /// for sides that the graph leaves open.
    pub fn image(&self) -> Option<(Layout, i64, [Option<u32>; 2])> {
        let [input] = self.inputs.as_slice() else {
            return None;
        };
        let (layout, batch, width, height) = match *input.shape.as_slice() {
            [batch, 3, height, width] => (Layout::Nchw, batch, width, height),
            [batch, height, width, 3] => (Layout::Nhwc, batch, width, height),
            _ => return None,
        };
        let side = |len: i64| u32::try_from(len).ok().filter(|&len| len > 0);
        let is_float32 = input.element == ElementType::Float32;
        is_float32.then(|| (layout, batch, [width, height].map(side)))
    }

    /// The only output, if that is float32.
    pub fn only_output(&self) -> Option<&TensorInfo> {
        match self.outputs.as_slice() {
            [output] if output.element == ElementType::Float32 => Some(output),
            _ => None,
        }
    }

    pub fn float32_output(&self, name: &str) -> Option<usize> {
        self.outputs
            .iter()
            .position(|output| output.name == name && output.element == ElementType::Float32)
    }

    /// Refuses a graph that needs far more memory than any useful one, before anything is allocated for it.
    /// `max_side` bounds height and width of its input.
    ///
    /// # Errors
    /// What was expected, in words.
    pub fn check_size(&self, max_side: u32) -> Result<(), String> {
        for tensor in self.inputs.iter().chain(&self.outputs) {
            let fixed = tensor.shape.iter().filter(|&&len| len >= 0);
            let values = fixed.copied().try_fold(1, i64::checked_mul);
            if values.is_none_or(|values| values > MAX_VALUES) {
                return Err(format!(
                    "at most {MAX_VALUES} values in {}, as a network for video has",
                    tensor.name
                ));
            }
        }
        for input in &self.inputs {
            let (&batch, sides) = input.shape.split_first().unwrap_or((&1, &[]));
            if sides.iter().any(|&len| len > i64::from(max_side)) {
                return Err(format!(
                    "an input {} of at most {max_side}x{max_side} pixels",
                    input.name
                ));
            }
            if batch > MAX_FIXED_BATCH {
                return Err(format!(
                    "at most {MAX_FIXED_BATCH} images at once in {}: export with a batch of 1 or an open one",
                    input.name
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |tensors: &[TensorInfo]| {
            let names: Vec<String> = tensors.iter().map(TensorInfo::to_string).collect();
            names.join(", ")
        };
        write!(f, "({}) -> ({})", list(&self.inputs), list(&self.outputs))
    }
}

#[cfg(test)]
pub(in super::super) mod tests {
    use super::*;

    /// The signature in short, as in `images[1,3,32,32], more:int64[?,2] -> output[?,7]`; float32 where nothing else
    /// is said.
    pub(in super::super::super) fn signature(text: &str) -> Signature {
        let tensor = |text: &str| {
            let (name, shape) = text.trim_end_matches(']').split_once('[').unwrap();
            let (name, element) = name.split_once(':').unwrap_or((name, "float32"));
            let dims = shape.split(',').filter(|dim| !dim.is_empty());
            TensorInfo {
                name: name.into(),
                element: match element {
                    "float32" => ElementType::Float32,
                    "int32" => ElementType::Int32,
                    "int64" => ElementType::Int64,
                    other => ElementType::Other(String::leak(other.into())),
                },
                shape: dims.map(|dim| dim.parse().unwrap_or(-1)).collect(),
            }
        };
        let tensors = |text: &str| {
            let tensors = text.split(", ").filter(|text| !text.is_empty());
            tensors.map(tensor).collect()
        };
        let (inputs, outputs) = text.split_once(" -> ").unwrap();
        Signature {
            inputs: tensors(inputs),
            outputs: tensors(outputs),
            hints: Hints::default(),
        }
    }

    #[test]
    fn absurd_sizes_are_refused_without_overflow() {
        let most = i64::MAX;
        for (text, expected) in [
            ("i[1,3,5000,640] -> o[?,7]", "4096x4096"),
            ("i[257,3,224,224] -> o[?,3]", "at most 256 images"),
            (
                &format!("i[1,3,640,640] -> o[1,{most},8400]"),
                "values in o",
            ),
            (&format!("i[1,3,640,640] -> o[1,{most},?]"), "values in o"),
            (&format!("i[{most},{most},{most}] -> o[?,7]"), "values in i"),
            ("i[256,3,4096,4096] -> o[?,7]", "values in i"),
            ("i[1,3,4096,4096] -> o[1,84,348160]", ""),
            ("i[256,3,224,224] -> o[256,3]", ""),
            ("i[?,3,?,?] -> o[?,?,?]", ""),
            ("i[0,3,640,640] -> o[0,7]", ""),
            ("i[] -> o[]", ""),
        ] {
            let checked = signature(text).check_size(MAX_FRAME_SIDE);
            let refused = checked.err().unwrap_or_default();
            assert!(refused.contains(expected), "{text}: {refused}");
            assert_eq!(refused.is_empty(), expected.is_empty(), "{text}: {refused}");
        }
        let crop = signature("i[1,3,1025,32] -> o[1,3]");
        assert!(crop.check_size(MAX_CROP_SIDE).is_err());
    }

    #[test]
    fn values_that_no_number_counts() {
        assert_eq!(values(2, Size::new(10, 10)), Some(600));
        assert_eq!(values(usize::MAX, Size::new(1, 1)), None);
        let largest = Size::new(u32::MAX, u32::MAX);
        assert_eq!(values(usize::MAX / 3, largest), None);
    }
}

// SPDX-License-Identifier: MPL-2.0
//! The signature of a graph: names, types and shapes of its inputs and outputs, what contracts are recognised
//! by.

use std::fmt;

/// Element types of tensors that the contracts know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    Float32,
    Int64,
    /// Another one, by its name.
    Other(&'static str),
    NoTensor,
}

/// Name, type and shape of one input or output of a graph.
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

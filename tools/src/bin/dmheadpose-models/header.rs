// SPDX-License-Identifier: MPL-2.0
//! The header of an ONNX file: what ONNX Runtime does not report about a model.

use std::path::Path;

use prost::Message;
use serde::Serialize;

/// The fields of ONNX's `ModelProto` that are needed here; all others are skipped.
#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(string, tag = "2")]
    producer_name: String,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSetIdProto>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSetIdProto {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

/// One set of operators that a graph uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opset {
    /// Empty for ONNX's own operators.
    pub domain: String,
    pub version: i64,
}

/// Versions and origin of an ONNX file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    pub ir_version: i64,
    pub opsets: Vec<Opset>,
    pub producer: String,
}

impl Header {
    /// `None` for a file that cannot be read or is not a protocol buffer of a model.
    pub fn read(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let model = ModelProto::decode(bytes).ok()?;
        let opsets = model.opset_import.into_iter().map(|opset| Opset {
            // "ai.onnx" is another spelling of the default domain.
            domain: match opset.domain.as_str() {
                "ai.onnx" => String::new(),
                _ => opset.domain,
            },
            version: opset.version,
        });
        Some(Self {
            ir_version: model.ir_version,
            opsets: opsets.collect(),
            producer: model.producer_name,
        })
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Writes ONNX files of a few nodes: graphs with the signature of any model and answers that are known.

use std::path::PathBuf;

/// Element types of tensors, numbered as ONNX does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Float32 = 1,
    UInt8 = 2,
    Int32 = 6,
    Int64 = 7,
    Float16 = 10,
}

/// A tensor of the signature; sides below 0 are dynamic.
pub type Tensor<'a> = (&'a str, Kind, &'a [i64]);

/// The source of an output.
pub enum Answer {
    /// These values in the shape of the output; the dynamic side adapts.
    Constant(Vec<f32>),
    /// The mean of each channel of each image, `[N, 3]`: the network's input.
    Means,
}

#[derive(Default)]
pub struct Graph {
    graph: Vec<u8>,
    metadata: Vec<u8>,
    first_input: String,
}

impl Graph {
    pub fn new(inputs: &[Tensor<'_>]) -> Self {
        let mut this = Self::default();
        for input in inputs {
            if this.first_input.is_empty() {
                this.first_input = input.0.into();
            }
            message(&mut this.graph, 11, &value_info(*input));
        }
        this
    }

    pub fn output(mut self, output: Tensor<'_>, answer: Answer) -> Self {
        let (name, kind, shape) = output;
        message(&mut self.graph, 12, &value_info(output));
        match answer {
            Answer::Constant(values) => {
                let constant = format!("{name}_constant");
                let values = initializer(&constant, kind, shape, &values);
                message(&mut self.graph, 5, &values);
                self.node("Identity", &constant, name, None);
            }
            Answer::Means => {
                let input = self.first_input.clone();
                self.node("ReduceMean", &input, name, Some(&[2, 3]));
            }
        }
        self
    }

    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        let mut entry = Vec::new();
        message(&mut entry, 1, key.as_bytes());
        message(&mut entry, 2, value.as_bytes());
        message(&mut self.metadata, 14, &entry);
        self
    }

    fn node(&mut self, operator: &str, input: &str, output: &str, axes: Option<&[i64]>) {
        let mut node = Vec::new();
        message(&mut node, 1, input.as_bytes());
        message(&mut node, 2, output.as_bytes());
        message(&mut node, 4, operator.as_bytes());
        if let Some(axes) = axes {
            let mut attribute = Vec::new();
            message(&mut attribute, 1, b"axes");
            for &axis in axes {
                number(&mut attribute, 8, axis);
            }
            number(&mut attribute, 20, 7);
            message(&mut node, 5, &attribute);
            let mut keep = Vec::new();
            message(&mut keep, 1, b"keepdims");
            number(&mut keep, 3, 0);
            number(&mut keep, 20, 2);
            message(&mut node, 5, &keep);
        }
        message(&mut self.graph, 1, &node);
    }

    pub fn bytes(mut self) -> Vec<u8> {
        message(&mut self.graph, 2, b"toy");
        let (mut model, mut opset) = (Vec::new(), Vec::new());
        number(&mut model, 1, 8);
        message(&mut model, 7, &self.graph);
        number(&mut opset, 2, 13);
        message(&mut model, 8, &opset);
        model.extend(self.metadata);
        model
    }

    /// Writes the file under this name, `.onnx` included, and returns its path.
    pub fn save(self, name: &str) -> String {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("onnx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, self.bytes()).unwrap();
        path.to_str().unwrap().into()
    }
}

fn value_info((name, kind, shape): Tensor<'_>) -> Vec<u8> {
    let (mut dims, mut tensor, mut kinds, mut info) = (vec![], vec![], vec![], vec![]);
    for (index, &len) in shape.iter().enumerate() {
        let mut dim = Vec::new();
        match len {
            0.. => number(&mut dim, 1, len),
            _ => message(&mut dim, 2, format!("{name}_{index}").as_bytes()),
        }
        message(&mut dims, 1, &dim);
    }
    number(&mut tensor, 1, kind as i64);
    message(&mut tensor, 2, &dims);
    message(&mut kinds, 1, &tensor);
    message(&mut info, 1, name.as_bytes());
    message(&mut info, 2, &kinds);
    info
}

fn initializer(name: &str, kind: Kind, shape: &[i64], values: &[f32]) -> Vec<u8> {
    let known: i64 = shape.iter().filter(|&&len| len > 0).product();
    let mut tensor = Vec::new();
    for &len in shape {
        let open = values.len() as i64 / known.max(1);
        number(&mut tensor, 1, if len < 0 { open } else { len });
    }
    number(&mut tensor, 2, kind as i64);
    message(&mut tensor, 8, name.as_bytes());
    let bytes = values.iter().flat_map(|&value| match kind {
        Kind::Float32 => value.to_le_bytes().to_vec(),
        Kind::UInt8 => vec![value as u8],
        Kind::Int32 => (value as i32).to_le_bytes().to_vec(),
        Kind::Int64 => (value as i64).to_le_bytes().to_vec(),
        // Such a file is never read: any bytes will do.
        Kind::Float16 => vec![0, 0],
    });
    message(&mut tensor, 9, &bytes.collect::<Vec<_>>());
    tensor
}

pub fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn number(into: &mut Vec<u8>, field: u64, value: i64) {
    varint(into, field << 3);
    varint(into, value as u64);
}

fn message(into: &mut Vec<u8>, field: u64, content: &[u8]) {
    varint(into, field << 3 | 2);
    varint(into, content.len() as u64);
    into.extend_from_slice(content);
}

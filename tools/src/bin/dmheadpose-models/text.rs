// SPDX-License-Identifier: MPL-2.0
//! A report of `check` as text.

use std::fmt::{Display, Formatter, Result};

use crate::header::Header;
use crate::report::{Contract, Input, Report, Tensor};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}", self.file.display())?;
        let mut line = |label: &str, text: &dyn Display| writeln!(f, "  {label:<9} {text}");
        if !self.inputs.is_empty() {
            line("inputs", &list(&self.inputs))?;
            line("outputs", &list(&self.outputs))?;
        }
        if let Some(header) = &self.header {
            line("opset", header)?;
        }
        match &self.contract {
            Some(contract) => line("contract", contract)?,
            None => line("contract", &"none")?,
        }
        match self.runs {
            Some(true) => line("dummy run", &"succeeds")?,
            Some(false) => line("dummy run", &"fails")?,
            None => {}
        }
        for warning in &self.warnings {
            line("warning", warning)?;
        }
        if let Some(problem) = &self.problem {
            line("expected", &problem.expected)?;
            line("found", &problem.found)?;
        }
        Ok(())
    }
}

fn list(tensors: &[Tensor]) -> String {
    let texts: Vec<&str> = tensors.iter().map(|tensor| tensor.text.as_str()).collect();
    texts.join(", ")
}

impl Display for Header {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, opset) in self.opsets.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match opset.domain.as_str() {
                "" => write!(f, "{comma}{}", opset.version)?,
                domain => write!(f, "{comma}{domain} {}", opset.version)?,
            }
        }
        write!(f, " (IR version {}", self.ir_version)?;
        match self.producer.as_str() {
            "" => f.write_str(")"),
            producer => write!(f, ", made by {producer})"),
        }
    }
}

impl Display for Contract {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Detector {
                family,
                input,
                scaling,
                score_threshold,
            } => write!(
                f,
                "detector, family {family}: {input}, frames fitted by {scaling}, scores above \
                 {score_threshold}"
            ),
            Self::Pose {
                family,
                input,
                angles,
            } => {
                write!(f, "pose model, family {family}: {input}")?;
                match angles {
                    Some(angles) => write!(f, ", output {}", angles.join(", ")),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Display for Input {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match (self.width, self.height) {
            (Some(width), Some(height)) => write!(f, "{width}x{height}")?,
            _ => f.write_str("any multiple of 32")?,
        }
        match self.batch {
            Some(batch) => write!(f, ", batch {batch}")?,
            None => f.write_str(", any batch")?,
        }
        write!(f, ", {} {}", self.layout, self.pixels)
    }
}

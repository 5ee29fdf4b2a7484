// SPDX-License-Identifier: MPL-2.0
//! TurnNet, the project's own pose model (`train/pose`): a rotation from every side, and how sure it is.
//!
//! Input `image`: float32 `[N, 3, H, W]` (224x224, which the graph halves), BGR, (level - 127.5) / 128: the square of
//! the head's longer side with a tenth of it on each side. Output `pose`: float32 `[N, 7]`, the first two columns of the
//! rotation matrix of [`Angles::rotation`] one after the other, before Gram-Schmidt, and the standard deviation of the
//! rotation angle in degrees. Both names are part of the contract: shapes alone do not tell it from a classifier.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::geometry::CropMode;
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::axes;
use super::family::{Answers, Contract, CropInput, Family, InputContract, boxed};

pub(super) const CONTRACT: Contract = Contract {
    expected: "TurnNet (image float32[N,3,H,W] or [N,H,W,3]) -> (pose float32[N,7])",
    recognise: |signature, _| TurnNet::recognise(signature).map(boxed),
};

/// What is added to the head's longer side on each side, as a share of it.
const MARGIN: f32 = 0.1;

const COLUMNS: usize = 7;

#[derive(Clone, Copy, Debug, PartialEq)]
struct TurnNet;

impl TurnNet {
    fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let crops = CropInput::of(signature)?;
        let output = signature.only_output()?;
        let is_ours = signature.inputs.first()?.name == "image"
            && output.name == "pose"
            && matches!(output.shape[..], [_, 7]);
        is_ours.then_some((
            crops.encoded(PixelEncoding::centred(ChannelOrder::Bgr)),
            Self,
        ))
    }
}

impl Family for TurnNet {
    fn crop_mode(&self) -> CropMode {
        CropMode::Square(MARGIN)
    }

    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let values = outputs.values::<f32>(0)?;
        answers.extend(rows(values).map(pose));
        answers.extend_uncertainties(rows(values).map(|row| row[COLUMNS - 1]));
        Ok(())
    }
}

fn rows(values: &[f32]) -> impl Iterator<Item = &[f32; COLUMNS]> {
    values.as_chunks().0.iter()
}

/// [`axes::angles`] takes the axes with y up.
fn pose(&[x0, x1, x2, y0, y1, y2, _]: &[f32; COLUMNS]) -> Angles {
    axes::angles_of_columns([x0, x1, x2], [y0, y1, y2])
}

#[cfg(test)]
mod tests {
    use super::super::axes::tests::assert_near;
    use super::*;

    #[test]
    fn columns_of_any_length_become_angles() {
        for want in [
            Angles::new(0.0, 0.0, 0.0),
            Angles::new(30.0, -20.0, 10.0),
            Angles::new(-150.0, 25.0, -5.0),
            Angles::new(179.0, 0.0, 40.0),
        ] {
            let r = want.matrix().as_mat3();
            let (first, second) = (r.x_axis, 3.0 * r.y_axis);
            // The first keeps its direction.
            for second in [second, second + 0.5 * first] {
                let [a, b, c] = first.to_array();
                let [d, e, f] = second.to_array();
                assert_near(pose(&[a, b, c, d, e, f, 9.0]), want);
            }
        }
        assert!(!pose(&[0.0; COLUMNS]).is_finite());
    }
}

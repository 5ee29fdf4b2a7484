// SPDX-License-Identifier: MPL-2.0
//! 6DRepNet and 6DRepNet360: a rotation.
//!
//! Input float32 `[N, 3, H, W]` (224x224), RGB normalised as for ImageNet. Output float32, one of:
//! - `[N, 3, 3]`, the rotation matrix `Rz(roll) * Ry(yaw) * Rx(pitch)`: what both networks are trained for;
//! - `[N, 6]`, its first two columns one after the other, before Gram-Schmidt
//!   (`compute_rotation_matrix_from_ortho6d` of 6DRepNet); classifiers of six classes look alike, so only
//!   `pose-family=6drepnet` takes it;
//! - `[N, 3]`, angles in degrees in the order that the output's name tells, which looks like DMHead's with another
//!   input: `yaw_pitch_roll` of 224x224, as the PINTO model zoo has it, is taken for 6DRepNet360, any other one
//!   by `pose-family=6drepnet` alone.
//!
//! Where the head is seen from the front the angles are those of 6DRepNet's
//! `compute_euler_angles_from_rotation_matrices`. That function keeps yaw within 90 degrees and turns pitch
//! and roll over beyond; here, as everywhere, pitch stays within 90 degrees and yaw goes to 180. Both
//! name the same rotation.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::geometry::Size;
use super::super::image::tensor::PixelEncoding;
use super::super::onnx::{Outputs, Signature};
use super::family::{Answers, Contract, CropInput, Family, InputContract, boxed};
use super::{axes, columns};

pub(super) const CONTRACT: Contract = Contract {
    expected: "6DRepNet (crops float32[N,3,H,W] or [N,H,W,3]) -> (rotation float32[N,3,3] or \
     [N,6], or angles [N,3] of an output whose name lists yaw, pitch and roll in their order)",
    recognise: |signature, named| {
        let family = match named {
            true => SixDRepNet::recognise_any(signature),
            false => SixDRepNet::recognise(signature),
        };
        family.map(boxed)
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Output {
    Matrix,
    TwoColumns,
    Angles([usize; 3]),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SixDRepNet {
    output: Output,
}

impl SixDRepNet {
    /// What no other contract looks like: matrices, and the published name and size of the zoo's file.
    pub fn recognise(signature: &Signature) -> Option<(InputContract, Self)> {
        let is_published = |input: &InputContract| {
            let Size { width, height } = input.size;
            (width, height) == (224, 224) && signature.outputs[0].name == "yaw_pitch_roll"
        };
        Self::recognise_any(signature)
            .filter(|(input, family)| family.output == Output::Matrix || is_published(input))
    }

    pub fn recognise_any(signature: &Signature) -> Option<(InputContract, Self)> {
        let input = CropInput::of(signature)?;
        let output = signature.only_output()?;
        let output = match output.shape[..] {
            [_, 3, 3] => Output::Matrix,
            [_, 6] => Output::TwoColumns,
            [_, 3] => Output::Angles(columns::order(&output.name)?),
            _ => return None,
        };
        Some((input.encoded(PixelEncoding::imagenet()), Self { output }))
    }

    fn append(&self, values: &[f32], answers: &mut Answers<'_>) {
        match self.output {
            Output::Matrix => {
                // The third column follows from the others.
                let columns = |&[a, d, _, b, e, _, c, f, _]: &[f32; 9]| ([a, b, c], [d, e, f]);
                let matrices = values.as_chunks::<9>().0.iter().map(columns);
                answers.extend(matrices.map(|(first, second)| axes::angles(first, second)));
            }
            Output::TwoColumns => {
                let columns = values.as_chunks::<6>().0.iter();
                let angles_of = |&[a, b, c, d, e, f]: &[f32; 6]| axes::angles([a, b, c], [d, e, f]);
                answers.extend(columns.map(angles_of));
            }
            Output::Angles(order) => {
                let rows = values.as_chunks::<3>().0.iter();
                answers.extend(rows.map(|row| {
                    let [yaw, pitch, roll] = order.map(|column| row[column]);
                    upright(Angles::new(yaw, pitch, roll))
                }));
            }
        }
    }
}

impl Family for SixDRepNet {
    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let values = outputs.values::<f32>(0)?;
        self.append(values, answers);
        Ok(())
    }
}

/// The same rotation with pitch within 90 degrees.
fn upright(angles: Angles) -> Angles {
    let wrapped = angles.wrapped();
    if wrapped.pitch.abs() <= 90.0 || !angles.is_finite() {
        return angles;
    }
    Angles::from_matrix(&wrapped.matrix())
}

#[cfg(test)]
mod tests {
    use super::super::super::onnx::signature::tests::signature;
    use super::super::axes::tests::{assert_near, sixdrepnet_columns};
    use super::*;

    fn decode(output: &str, values: &[f32]) -> Vec<Angles> {
        let signature = signature(&format!("i[?,3,224,224] -> {output}"));
        let (_, family) = SixDRepNet::recognise_any(&signature).unwrap();
        let mut angles = Vec::new();
        let mut answers = Answers {
            crops: 2,
            angles: &mut angles,
            uncertainties: &mut Vec::new(),
        };
        family.append(values, &mut answers);
        angles
    }

    /// 6DRepNet's own formula: pitch, yaw, roll from a row-major matrix.
    fn as_6drepnet_does(r: &[f32]) -> Angles {
        let pitch = r[7].atan2(r[8]);
        let yaw = (-r[6]).atan2(r[0].hypot(r[3]));
        let roll = r[3].atan2(r[0]);
        let [yaw, pitch, roll] = [yaw, pitch, roll].map(f32::to_degrees);
        Angles::new(yaw, pitch, roll)
    }

    fn matrix(yaw: f64, pitch: f64, roll: f64) -> [f32; 9] {
        let [[a, b, c], [d, e, f]] = sixdrepnet_columns(yaw, pitch, roll);
        let third = [b * f - c * e, c * d - a * f, a * e - b * d];
        [a, d, third[0], b, e, third[1], c, f, third[2]]
    }

    #[test]
    fn heads_from_behind_keep_their_yaw() {
        let rear = matrix(150.0, -20.0, 10.0);
        let found = decode("r[?,3,3]", &rear);
        assert_near(found[0], Angles::new(150.0, -20.0, 10.0));
        // The same rotation, told as 6DRepNet does: 30, 160, -170.
        let told = as_6drepnet_does(&rear);
        assert_near(told, Angles::new(30.0, 160.0, -170.0));
        let row = [told.yaw, told.pitch, told.roll];
        let found = decode("yaw_pitch_roll[?,3]", &row);
        assert!((found[0].yaw.abs() - 150.0).abs() < 1e-3, "{found:?}");
        assert!(found[0].pitch.abs() <= 90.0, "{found:?}");
    }

    #[test]
    fn angles_in_the_order_of_the_name() {
        let found = decode("pitch_yaw_roll[?,3]", &[1.0, 2.0, 3.0]);
        assert_eq!(found, [Angles::new(2.0, 1.0, 3.0)]);
        let found = decode("yaw_pitch_roll[?,3]", &[f32::NAN, 170.0, 3.0]);
        assert!(!found[0].is_finite());
    }
}

// SPDX-License-Identifier: MPL-2.0
//! 3DDFA_V2 and SynergyNet: 62 parameters of a face model, of which the first twelve are the pose.
//!
//! Input float32 `[N, 3, 120, 120]` (or `[N, 120, 120, 3]`), BGR, (level - 127.5) / 128. Output float32
//! `[N, 62]`, whose first twelve are the rows of a 3x4 matrix: a rotation times a scale, and an offset. It
//! takes the face to the image with y up; see [`axes`] for the signs. The third row follows from the
//! first two, as in `P2sRt` of both projects.
//!
//! The networks answer standardised parameters, (parameter - mean) / deviation, and leave it to the caller to
//! undo that (`parse_pose` of SynergyNet, `TDDFA_ONNX` of 3DDFA_V2). Some exports do it inside. No
//! shape tells which, so `auto` takes a network only where the name of its output has `standardised` or
//! `denormalised` in it, as `make models` writes it. Of others `pose-family=3ddfa` is the network as it is,
//! `pose-family=3ddfa-denormalised` the parameters themselves.
//!
//! The angles are those whose 300W-LP matrix this is. SynergyNet's `matrix2angle_corr` reads yaw off another
//! element of it, which differs by some degrees where pitch and roll are both large; 3DDFA_V2's
//! `matrix2angle` gives pitch and roll the opposite sign. All agree on turns about one axis.

use super::super::angles::Angles;
use super::super::error::Error;
use super::super::geometry::{CropMode, Size};
use super::super::image::tensor::{ChannelOrder, PixelEncoding};
use super::super::onnx::{Outputs, Signature};
use super::axes;
use super::family::{Answers, Contract, CropInput, Family, InputContract, Match, boxed};

pub(super) const CONTRACT: Contract = Contract {
    expected: "3DDFA (crops float32[N,3,120,120] or [N,120,120,3]) -> (parameters float32[N,62])",
    recognise: |signature, named| recognise(signature, named, true),
};

/// The same with mean and deviation given back.
pub(super) const DENORMALISED: Contract = Contract {
    recognise: |signature, named| recognise(signature, named, false),
    ..CONTRACT
};

fn recognise(signature: &Signature, named: bool, standardised: bool) -> Option<Match> {
    let says = |word| {
        let mut outputs = signature.outputs.iter();
        outputs.any(|output| output.name.contains(word))
    };
    let known = match standardised {
        true => says("standardised"),
        false => says("denormalised"),
    };
    let family = Tddfa::recognise(signature, standardised).filter(|_| named || known);
    family.map(boxed)
}

const SIZE: Size = Size::new(120, 120);

const PARAMETERS: usize = 62;

/// Mean and deviation of the rotation's first two rows, as 3DDFA_V2 publishes them with its networks
/// (`param_mean_std_62d_120x120`).
const MEAN: [[f32; 3]; 2] = [
    [3.492_636_3e-4, 2.527_901_3e-7, -6.875_198e-7],
    [-6.295_513e-7, 5.757_200_4e-4, -5.085_391_2e-5],
];
const DEVIATION: [[f32; 3]; 2] = [
    [1.763_215_3e-4, 6.737_943_5e-5, 4.470_849e-4],
    [1.231_377e-4, 4.493_021_7e-5, 7.923_671e-5],
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tddfa {
    standardised: bool,
}

impl Tddfa {
    pub fn recognise(signature: &Signature, standardised: bool) -> Option<(InputContract, Self)> {
        let input = CropInput::of(signature)?;
        let output = signature.only_output()?;
        let matches = input.size == SIZE
            && matches!(output.shape[..], [_, n] if usize::try_from(n) == Ok(PARAMETERS));
        let input = input.encoded(PixelEncoding::centred(ChannelOrder::Bgr));
        matches.then_some((input, Self { standardised }))
    }

    fn angles(&self, parameters: &[f32; PARAMETERS]) -> Angles {
        let &[a, b, c, _, d, e, f, ..] = parameters;
        let [first, second] = [0, 1].map(|row: usize| {
            let values = [[a, b, c], [d, e, f]][row];
            if self.standardised {
                std::array::from_fn(|i| values[i] * DEVIATION[row][i] + MEAN[row][i])
            } else {
                values
            }
        });
        axes::angles(first, second)
    }
}

impl Family for Tddfa {
    fn crop_mode(&self) -> CropMode {
        CropMode::Square(0.0)
    }

    fn decode(&self, outputs: &Outputs<'_>, answers: &mut Answers<'_>) -> Result<(), Error> {
        let values = outputs.values::<f32>(0)?;
        let faces = values.as_chunks::<PARAMETERS>().0.iter();
        answers.extend(faces.map(|face| self.angles(face)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::onnx::signature::tests::signature;
    use super::super::axes::tests::{assert_near, sixdrepnet_columns};
    use super::*;

    fn parameters(rows: [[f32; 3]; 2]) -> [f32; PARAMETERS] {
        let mut parameters = [0.5; PARAMETERS];
        parameters[..3].copy_from_slice(&rows[0]);
        parameters[4..7].copy_from_slice(&rows[1]);
        parameters
    }

    fn family(standardised: bool) -> Tddfa {
        let signature = signature("i[1,3,120,120] -> params[1,62]");
        Tddfa::recognise(&signature, standardised).unwrap().1
    }

    #[test]
    fn rows_of_a_scaled_rotation_become_angles() {
        let rows = sixdrepnet_columns(35.0, -15.0, 20.0).map(|row| row.map(|v| v * 6e-4));
        let found = family(false).angles(&parameters(rows));
        assert_near(found, Angles::new(35.0, -15.0, 20.0));
    }

    /// `matrix2angle_corr` of SynergyNet: yaw = asin(R20), pitch = atan2(R12, R22), roll = atan2(R01, R00).
    #[test]
    fn turns_about_one_axis_are_those_of_synergynet() {
        let (s, c) = 25f32.to_radians().sin_cos();
        for (rows, want) in [
            ([[c, 0.0, -s], [0.0, 1.0, 0.0]], Angles::new(25.0, 0.0, 0.0)),
            ([[1.0, 0.0, 0.0], [0.0, c, s]], Angles::new(0.0, 25.0, 0.0)),
            ([[c, s, 0.0], [-s, c, 0.0]], Angles::new(0.0, 0.0, 25.0)),
        ] {
            assert_near(family(false).angles(&parameters(rows)), want);
        }
    }

    #[test]
    fn the_mean_face_looks_ahead() {
        let found = family(true).angles(&parameters([[0.0; 3]; 2]));
        // Off the axes by 6.9e-7 / 3.5e-4 and 5.1e-5 / 5.8e-4.
        assert_near(found, Angles::new(0.11279, -5.0480, 0.04147));
        // One deviation of its third number is 4.47e-4 beside 3.49e-4: atan2(-0.4464, 0.3493) of yaw.
        let found = family(true).angles(&parameters([[0.0, 0.0, 1.0], [0.0; 3]]));
        assert!((found.yaw + 51.96).abs() < 0.01, "{found:?}");
    }
}

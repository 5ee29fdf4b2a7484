// SPDX-License-Identifier: MPL-2.0
//! Angles from the rotation matrices of pose models.
//!
//! Hopenet's angles come from 300W-LP, whose matrix takes the head to the image with y **up**:
//! `R = Rx(-pitch) * Ry(-yaw) * Rz(-roll)` with the textbook elementary rotations (`RotationMatrix` of 3DDFA,
//! `angle2matrix_3ddfa` of face3d). Ours ([`Angles::matrix`]) has y down, so that with F = diag(1, -1, 1) ours
//! is `F R F`. 6DRepNet trains on `Rz(roll) * Ry(yaw) * Rx(pitch)` (`get_R` of its utilities), which is the
//! transpose of R. So the rows of the one and the columns of the other are the same three axes.

use glam::{DMat3, DVec3, Vec3};

use super::super::angles::Angles;

/// The angles of the head whose first two axes these are: rows of 300W-LP's matrix, columns of
/// 6DRepNet's. They may have any length and need not be exactly at right angles: the first keeps its
/// direction (Gram-Schmidt). Not finite where they give no rotation.
pub(super) fn angles(first: [f32; 3], second: [f32; 3]) -> Angles {
    let flip = DMat3::from_diagonal(DVec3::new(1.0, -1.0, 1.0));
    checked(flip * basis(first, second).transpose() * flip)
}

/// The angles of the head whose first two axes, columns of [`Angles::matrix`], these are, with the same liberties.
pub(super) fn angles_of_columns(first: [f32; 3], second: [f32; 3]) -> Angles {
    checked(basis(first, second))
}

/// The axes as columns, by Gram-Schmidt.
fn basis(first: [f32; 3], second: [f32; 3]) -> DMat3 {
    let [first, second] = [first, second].map(|axis| Vec3::from(axis).as_dvec3());
    let x = first.normalize();
    let z = x.cross(second).normalize();
    DMat3::from_cols(x, z.cross(x), z)
}

fn checked(matrix: DMat3) -> Angles {
    if matrix.is_finite() {
        Angles::from_matrix(&matrix)
    } else {
        Angles::new(f32::NAN, f32::NAN, f32::NAN)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// First and second column of `Rz(roll) * Ry(yaw) * Rx(pitch)`, written out.
    pub fn sixdrepnet_columns(yaw: f64, pitch: f64, roll: f64) -> [[f32; 3]; 2] {
        let (sy, cy) = yaw.to_radians().sin_cos();
        let (sp, cp) = pitch.to_radians().sin_cos();
        let (sr, cr) = roll.to_radians().sin_cos();
        [
            [cr * cy, sr * cy, -sy],
            [cr * sy * sp - sr * cp, sr * sy * sp + cr * cp, cy * sp],
        ]
        .map(|column| column.map(|v| v as f32))
    }

    pub fn assert_near(got: Angles, want: Angles) {
        let off = [
            got.yaw - want.yaw,
            got.pitch - want.pitch,
            got.roll - want.roll,
        ];
        assert!(off.iter().all(|v| v.abs() < 1e-3), "{got:?}, not {want:?}");
    }

    #[test]
    fn all_angles_come_back() {
        for yaw in [-170.0, -100.0, -45.0, 0.0, 30.0, 89.0, 135.0] {
            for pitch in [-60.0, 0.0, 35.0] {
                for roll in [-120.0, -10.0, 50.0] {
                    let [first, second] = sixdrepnet_columns(yaw, pitch, roll);
                    let want = [yaw, pitch, roll].map(|v| v as f32);
                    let want = Angles::new(want[0], want[1], want[2]);
                    assert_near(angles(first, second), want);
                    // Any length, and not at right angles.
                    let skewed = std::array::from_fn(|i| 3.0 * second[i] - 0.7 * first[i]);
                    assert_near(angles(first.map(|v| v * 1e-4), skewed), want);
                }
            }
        }
    }

    #[test]
    fn what_is_no_rotation_is_not_finite() {
        let x = [1.0, 0.0, 0.0];
        for (first, second) in [
            ([0.0; 3], [0.0, 1.0, 0.0]),
            (x, [0.0; 3]),
            (x, [-2.0, 0.0, 0.0]),
            ([f32::NAN, 0.0, 0.0], [0.0, 1.0, 0.0]),
            ([f32::INFINITY, 0.0, 0.0], [0.0, 1.0, 0.0]),
            (x, [0.0, f32::NEG_INFINITY, 0.0]),
        ] {
            let angles = angles(first, second);
            assert!(!angles.is_finite(), "{first:?} {second:?}: {angles:?}");
        }
        let most = f32::MAX;
        assert!(angles([most, most, 0.0], [0.0, most, most]).is_finite());
    }
}

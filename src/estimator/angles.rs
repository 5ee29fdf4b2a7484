// SPDX-License-Identifier: MPL-2.0
//! Yaw, pitch and roll: THE place where signs and axes are defined.
//!
//! Degrees, in the Hopenet / 300W-LP convention that DMHead and its parts use:
//! - **yaw** in (-180, 180]: 0 faces the camera, positive turns the face to the *image's left*, beyond
//!   90 in magnitude the head is seen from behind;
//! - **pitch** positive looks up;
//! - **roll** positive tilts clockwise in the image (the top of the head moves to the image's right).

/// A head's orientation in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Angles {
    pub yaw: f32,
    pub pitch: f32,
    pub roll: f32,
}

impl Angles {
    pub const fn new(yaw: f32, pitch: f32, roll: f32) -> Self {
        Self { yaw, pitch, roll }
    }

    pub fn is_finite(&self) -> bool {
        self.yaw.is_finite() && self.pitch.is_finite() && self.roll.is_finite()
    }

    /// The head is seen from behind.
    pub fn is_rear(&self) -> bool {
        self.yaw.abs() > 90.0
    }

    /// Rotation matrix, row-major, that takes directions of the head to directions of the image
    /// (x right, y down, z towards the camera).
    ///
    /// Its columns are the head's axes as they are drawn: X leaves through the head's side that is on
    /// the image's right when it faces the camera, Y runs from crown to chin, Z leaves through the
    /// nose. `R = Rx(pitch) * Ry(-yaw) * Rz(roll)` with the textbook elementary rotations; the x and y
    /// of its columns are Hopenet's `draw_axis` formulas.
    pub fn rotation(&self) -> [f64; 9] {
        let (sy, cy) = (-f64::from(self.yaw)).to_radians().sin_cos();
        let (sp, cp) = f64::from(self.pitch).to_radians().sin_cos();
        let (sr, cr) = f64::from(self.roll).to_radians().sin_cos();
        [
            cy * cr,
            -cy * sr,
            sy,
            cp * sr + cr * sp * sy,
            cp * cr - sp * sy * sr,
            -cy * sp,
            sp * sr - cp * sy * cr,
            sp * cr + cp * sy * sr,
            cp * cy,
        ]
    }
}

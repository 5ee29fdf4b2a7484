// SPDX-License-Identifier: MPL-2.0
//! Unit quaternions: rotations that can be multiplied and walked along. What they mean for a head is
//! said in [`super::angles`].

/// The rotation about the axis `(x, y, z)`: `w` is the cosine of half its angle. `q` and `-q` are the same
/// rotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quaternion {
    w: f64,
    v: [f64; 3],
}

impl Quaternion {
    /// The rotation about the direction of `vector`, by its length in radians.
    pub fn from_vector(vector: [f64; 3]) -> Self {
        let angle = length(vector);
        // sin(x/2) / x, which is 1/2 in the limit.
        let scale = if angle < 1e-9 {
            0.5
        } else {
            (angle / 2.0).sin() / angle
        };
        Self {
            w: (angle / 2.0).cos(),
            v: vector.map(|c| c * scale),
        }
    }

    /// Axis times angle in radians, of the two ways round the shorter one: the length is at most pi.
    pub fn to_vector(self) -> [f64; 3] {
        let sine = length(self.v);
        // The shorter way is that of the quaternion whose w is not negative.
        let sign = if self.w < 0.0 { -1.0 } else { 1.0 };
        let scale = if sine < 1e-9 {
            2.0
        } else {
            2.0 * sine.atan2(self.w.abs()) / sine
        };
        self.v.map(|c| c * scale * sign)
    }

    /// First `self`, then `next`.
    pub fn then(self, next: Self) -> Self {
        let ([ax, ay, az], [bx, by, bz]) = (next.v, self.v);
        let (aw, bw) = (next.w, self.w);
        Self {
            w: aw * bw - ax * bx - ay * by - az * bz,
            v: [
                aw * bx + ax * bw + ay * bz - az * by,
                aw * by + ay * bw + az * bx - ax * bz,
                aw * bz + az * bw + ax * by - ay * bx,
            ],
        }
        .normalized()
    }

    /// The rotation back.
    pub fn inverse(self) -> Self {
        Self {
            w: self.w,
            v: self.v.map(|c| -c),
        }
    }

    /// The rotation that takes `self` to `other`, as [`to_vector`](Self::to_vector) has it.
    pub fn vector_to(self, other: Self) -> [f64; 3] {
        self.inverse().then(other).to_vector()
    }

    /// The rotation matrix, row-major.
    pub fn matrix(self) -> [f64; 9] {
        let Self { w, v: [x, y, z] } = self;
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - w * z),
            2.0 * (x * z + w * y),
            2.0 * (x * y + w * z),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - w * x),
            2.0 * (x * z - w * y),
            2.0 * (y * z + w * x),
            1.0 - 2.0 * (x * x + y * y),
        ]
    }

    /// Products of many drift off length 1 by rounding.
    fn normalized(self) -> Self {
        let scale = 1.0 / self.w.hypot(length(self.v));
        Self {
            w: self.w * scale,
            v: self.v.map(|c| c * scale),
        }
    }
}

fn length([x, y, z]: [f64; 3]) -> f64 {
    (x * x + y * y + z * z).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{FRAC_PI_2, PI};

    #[track_caller]
    fn assert_near(a: &[f64], b: &[f64]) {
        let near = a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(near, "{a:?} {b:?}");
    }

    #[test]
    fn vectors_come_back_by_the_shorter_way() {
        for vector in [[0.0; 3], [1e-12, 0.0, 0.0], [0.3, -1.0, 2.0]] {
            assert_near(&Quaternion::from_vector(vector).to_vector(), &vector);
        }
        let three_quarters = Quaternion::from_vector([0.0, 3.0 * FRAC_PI_2, 0.0]);
        assert_near(&three_quarters.to_vector(), &[0.0, -FRAC_PI_2, 0.0]);
    }

    #[test]
    fn a_full_turn_is_none() {
        let turn = Quaternion::from_vector([0.0, 0.0, 2.0 * PI]);
        let none = Quaternion::from_vector([0.0; 3]);
        assert_near(&none.vector_to(turn), &[0.0; 3]);
        assert_near(&turn.matrix(), &none.matrix());
    }

    #[test]
    fn products_are_those_of_the_matrices() {
        let a = Quaternion::from_vector([0.4, 0.2, -0.7]);
        let b = Quaternion::from_vector([-1.1, 0.5, 0.3]);
        let (ma, mb) = (a.matrix(), b.matrix());
        let product: Vec<f64> = (0..9)
            .map(|i| (0..3).map(|k| mb[i / 3 * 3 + k] * ma[k * 3 + i % 3]).sum())
            .collect();
        assert_near(&a.then(b).matrix(), &product);
        let stepped = a.then(Quaternion::from_vector(a.vector_to(b)));
        assert_near(&stepped.matrix(), &mb);
    }
}

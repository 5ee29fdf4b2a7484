// SPDX-License-Identifier: MPL-2.0
//! How one coordinate of a box moves.

/// One coordinate that moves at constant velocity, seen with noise: a Kalman filter with two states.
///
/// All noise is in units of the box size, which the callers pass in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Motion {
    pub position: f32,
    pub velocity: f32,
    /// Covariance of position and velocity.
    p: [[f32; 2]; 2],
}

impl Motion {
    /// Standard deviation of a detector's boxes.
    const SEEN_NOISE: f32 = 0.1;
    /// Standard deviation of what a head's velocity changes in a second.
    const ACCELERATION: f32 = 4.0;
    /// Standard deviation of the velocity of a head seen once.
    const FIRST_VELOCITY: f32 = 3.0;

    pub fn new(position: f32, size: f32) -> Self {
        let square = |v: f32| (v * size) * (v * size);
        Self {
            position,
            velocity: 0.0,
            p: [
                [square(Self::SEEN_NOISE), 0.0],
                [0.0, square(Self::FIRST_VELOCITY)],
            ],
        }
    }

    pub fn predict(&mut self, dt: f32, size: f32) {
        self.position += self.velocity * dt;
        let [[pp, pv], [vp, vv]] = self.p;
        // White noise of acceleration, integrated over dt.
        let q = (Self::ACCELERATION * size) * (Self::ACCELERATION * size) * dt;
        self.p = [
            [
                pp + dt * (pv + vp) + dt * dt * vv + q * dt * dt / 3.0,
                pv + dt * vv + q * dt / 2.0,
            ],
            [vp + dt * vv + q * dt / 2.0, vv + q],
        ];
    }

    pub fn after(&self, dt: f32) -> f32 {
        self.position + self.velocity * dt
    }

    /// Variance of a measurement around the position.
    fn seen_variance(&self, size: f32) -> f32 {
        self.p[0][0] + (Self::SEEN_NOISE * size) * (Self::SEEN_NOISE * size)
    }

    /// How unlikely a measurement at `seen` is: -2 times the logarithm of the probability density, in box sizes,
    /// less the constant ln(2 pi).
    pub fn surprise(&self, seen: f32, size: f32) -> f32 {
        let variance = self.seen_variance(size);
        let off = seen - self.position;
        off * off / variance + (variance / (size * size)).ln()
    }

    pub fn correct(&mut self, seen: f32, size: f32) {
        let [[pp, pv], [vp, vv]] = self.p;
        let variance = self.seen_variance(size);
        if variance <= 0.0 {
            self.position = seen;
            return;
        }
        let (gain, gain_velocity) = (pp / variance, vp / variance);
        let surprise = seen - self.position;
        self.position += gain * surprise;
        self.velocity += gain_velocity * surprise;
        self.p = [
            [(1.0 - gain) * pp, (1.0 - gain) * pv],
            [vp - gain_velocity * pp, vv - gain_velocity * pv],
        ];
    }
}

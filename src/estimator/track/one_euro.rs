// SPDX-License-Identifier: MPL-2.0
//! Smooths the pose and the box of a head that is followed: One-Euro filters.
//!
//! G. Casiez, N. Roussel, D. Vogel: "1 EUR Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
//! Interactive Systems", CHI 2012. A low-pass of the first order whose cutoff rises with the speed of what
//! it follows: a head that is still is held still, one that moves is followed closely.
//!
//! Three things are our own. Rotations are smoothed as rotations and never angle by angle, so 179 and -179 degrees
//! meet at 180. Speed that noise explains does not count: a still head is held still however noisy its
//! model is, so that the cutoff may rise steeply for one that moves. And where the model states how sure it is, a
//! pose that is less sure than those before it weighs less.

use std::f64::consts::TAU;
use std::time::Duration;

use glam::{DMat3, DQuat};

use super::time::elapsed;
use crate::estimator::angles::{Angles, rotation_between};
use crate::estimator::geometry::Rect;

/// Cutoff of the low-passes for the velocity and its square, in Hz; the paper's.
const SPEED_CUTOFF: f64 = 1.0;

/// By which factor noise may exceed its expected level before it counts as speed.
const NOISE_MARGIN: f64 = 1.25;

/// After a longer gap the filter starts anew.
const LARGEST_GAP: Duration = Duration::from_secs(1);

/// The share of a new pose in the mean variance.
const VARIANCE_SHARE: f64 = 0.1;

/// A box that moves by its own size counts like a head that turns by this many degrees, that is, by two radii on its
/// surface.
const DEGREES_PER_SIZE: f64 = 360.0 / std::f64::consts::PI;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Cutoff for a head that is still, in Hz: lower is steadier.
    pub cutoff: f32,
    /// By how many Hz the cutoff rises with each degree per second: higher follows a turn more closely.
    pub beta: f32,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self {
            cutoff: 1.0,
            beta: 0.4,
        }
    }
}

/// The cutoff of one filter over `N` coordinates, which share it.
#[derive(Clone, Copy, Debug)]
struct OneEuro<const N: usize> {
    /// Degrees a second, low-passed. A vector: noise, which has no direction, averages out.
    velocity: [f64; N],
    /// Its square without what noise has in it, low-passed. Less than 0 by chance only.
    squared_speed: f64,
    last_time: Option<Duration>,
}

impl<const N: usize> OneEuro<N> {
    fn new(time: Option<Duration>) -> Self {
        Self {
            velocity: [0.0; N],
            squared_speed: 0.0,
            last_time: time,
        }
    }

    /// How far the smoothed value goes towards a measured one, 0..=1; `step` is the way from the measured
    /// one before, in degrees. `None` after a gap.
    fn gain(
        &mut self,
        smoothing: &Smoothing,
        time: Option<Duration>,
        step: [f64; N],
    ) -> Option<f64> {
        let dt = elapsed(self.last_time, time);
        if dt > LARGEST_GAP {
            return None;
        }
        self.last_time = time;
        let dt = dt.as_secs_f64();
        let share = low_pass_gain(SPEED_CUTOFF, dt);
        let (mut squared, mut squared_change) = (0.0, 0.0);
        for (velocity, step) in self.velocity.iter_mut().zip(step) {
            let change = step / dt - *velocity;
            *velocity += share * change;
            squared += *velocity * *velocity;
            squared_change += change * change;
        }
        // If all that is measured were white noise, the two would have this ratio.
        let noise = squared_change * share * share / (2.0 + share);
        self.squared_speed += share * (squared - NOISE_MARGIN * noise - self.squared_speed);
        let speed = self.squared_speed.max(0.0).sqrt();
        let Smoothing { cutoff, beta } = *smoothing;
        let cutoff = f64::from(cutoff) + f64::from(beta) * speed;
        Some(low_pass_gain(cutoff, dt))
    }
}

/// The share of a new value in an exponential average with this cutoff in Hz, `dt` seconds after the one
/// before.
fn low_pass_gain(cutoff: f64, dt: f64) -> f64 {
    let r = TAU * cutoff * dt;
    r / (1.0 + r)
}

#[derive(Clone, Copy, Debug, Default)]
pub struct PoseFilter(Option<PoseState>);

#[derive(Clone, Copy, Debug)]
struct PoseState {
    measured: DQuat,
    smoothed: DQuat,
    /// The last answer: `smoothed` as angles.
    angles: Angles,
    one_euro: OneEuro<3>,
    /// Mean variance of the poses so far, in square degrees, where the model states one.
    variance: Option<f64>,
}

impl PoseFilter {
    /// The smoothed orientation after `angles` were measured at stream time `time`. Angles that are not
    /// finite come back as they are and leave no trace.
    pub fn filter(
        &mut self,
        smoothing: &Smoothing,
        time: Option<Duration>,
        angles: Angles,
    ) -> Angles {
        self.filter_weighed(smoothing, time, angles, None)
    }

    /// The same for angles whose standard deviation, in degrees, is known.
    pub fn filter_weighed(
        &mut self,
        smoothing: &Smoothing,
        time: Option<Duration>,
        angles: Angles,
        uncertainty: Option<f32>,
    ) -> Angles {
        if !angles.is_finite() {
            return angles;
        }
        // A network may answer numbers so large that their difference is not finite.
        let angles = angles.wrapped();
        let measured = angles.quaternion();
        let variance = uncertainty.map(|degrees| f64::from(degrees.clamp(0.5, 180.0)).powi(2));
        if let Some(state) = &mut self.0 {
            let step = rotation_between(state.measured, measured).to_array();
            let step = step.map(f64::to_degrees);
            if let Some(gain) = state.one_euro.gain(smoothing, time, step) {
                let gain = gain_of_unsure(gain, variance, &mut state.variance);
                state.advance(gain, measured, &angles);
                return state.angles;
            }
        }
        self.0 = Some(PoseState {
            measured,
            smoothed: measured,
            angles,
            one_euro: OneEuro::new(time),
            variance,
        });
        angles
    }
}

/// The gain for a pose of this variance: what it says and what is remembered count in inverse proportion to their
/// variances, so that a pose as sure as those before it keeps `gain`. Surer ones do as well: `smoothing` alone
/// decides how closely a head is followed at most. Updates the `mean` variance.
fn gain_of_unsure(gain: f64, variance: Option<f64>, mean: &mut Option<f64>) -> f64 {
    let Some(variance) = variance else {
        return gain;
    };
    let usual = mean.unwrap_or(variance);
    *mean = Some(usual + VARIANCE_SHARE * (variance - usual));
    let weight = (usual / variance).min(1.0);
    gain * weight / (gain * weight + 1.0 - gain)
}

impl PoseState {
    fn advance(&mut self, gain: f64, measured: DQuat, angles: &Angles) {
        self.smoothed = self.smoothed.slerp(measured, gain);
        self.measured = measured;
        // Decides only what the rotation leaves open.
        let pitch = Angles::new(0.0, angles.pitch - self.angles.pitch, 0.0)
            .wrapped()
            .pitch;
        let pitch = self.angles.pitch + pitch * gain as f32;
        self.angles = Angles::from_matrix_near(&DMat3::from_quat(self.smoothed), pitch);
    }
}

/// Smooths the box of one head, centre and size.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoxFilter(Option<BoxState>);

#[derive(Clone, Copy, Debug)]
struct BoxState {
    measured: [f64; 4],
    smoothed: [f64; 4],
    one_euro: OneEuro<4>,
}

impl BoxFilter {
    /// The smoothed box after `rect` was seen at stream time `time`. Boxes that are not finite or have no
    /// area come back as they are and leave no trace.
    pub fn filter(&mut self, smoothing: &Smoothing, time: Option<Duration>, rect: Rect) -> Rect {
        let (x, y) = rect.center();
        let measured = [x, y, rect.w, rect.h].map(f64::from);
        let size = (measured[2] * measured[3]).sqrt();
        // Not `size <= 0.0`, which lets NaN pass.
        if !(size > 0.0 && measured.iter().all(|c| c.is_finite())) {
            return rect;
        }
        if let Some(state) = &mut self.0 {
            let mut step = measured;
            for (step, before) in step.iter_mut().zip(state.measured) {
                *step = (*step - before) / size * DEGREES_PER_SIZE;
            }
            if let Some(gain) = state.one_euro.gain(smoothing, time, step) {
                state.measured = measured;
                for (smoothed, measured) in state.smoothed.iter_mut().zip(measured) {
                    *smoothed += gain * (measured - *smoothed);
                }
                let [x, y, w, h] = state.smoothed.map(|c| c as f32);
                return Rect::from_center(x, y, w, h);
            }
        }
        self.0 = Some(BoxState {
            measured,
            smoothed: measured,
            one_euro: OneEuro::new(time),
        });
        rect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOOTHING: Smoothing = Smoothing {
        cutoff: 1.0,
        beta: 0.0,
    };

    fn ms(ms: u64) -> Option<Duration> {
        Some(Duration::from_millis(ms))
    }

    fn yaw(yaw: f32) -> Angles {
        Angles::new(yaw, 0.0, 0.0)
    }

    #[test]
    fn a_step_is_followed_as_the_low_pass_says() {
        let mut filter = PoseFilter::default();
        assert_eq!(filter.filter(&SMOOTHING, ms(0), yaw(0.0)), yaw(0.0));
        // r = tau * 1 Hz * 0.04 s = 0.2513; r / (1 + r) = 0.2008.
        let first = filter.filter(&SMOOTHING, ms(40), yaw(10.0)).yaw;
        assert!((first - 2.008).abs() < 1e-3, "{first}");
        let second = filter.filter(&SMOOTHING, ms(80), yaw(10.0)).yaw;
        assert!((second - (2.008 + 0.2008 * 7.992)).abs() < 1e-3, "{second}");
    }

    #[test]
    fn a_pose_that_is_less_sure_than_those_before_weighs_less() {
        let after = |uncertainties: [Option<f32>; 2]| {
            let mut filter = PoseFilter::default();
            filter.filter_weighed(&SMOOTHING, ms(0), yaw(0.0), uncertainties[0]);
            filter
                .filter_weighed(&SMOOTHING, ms(40), yaw(10.0), uncertainties[1])
                .yaw
        };
        for same in [Some(4.0), None] {
            assert!((after([same; 2]) - 2.008).abs() < 1e-3);
        }
        // A quarter of the weight: 0.2008 / 4 / (0.2008 / 4 + 0.7992) = 0.05911.
        assert!((after([Some(4.0), Some(8.0)]) - 0.5911).abs() < 1e-3);
        let surer = after([Some(8.0), Some(4.0)]);
        assert!(
            (surer - 2.008).abs() < 1e-3,
            "no faster than smoothing allows"
        );
    }

    #[test]
    fn what_is_not_finite_leaves_no_trace() {
        let (mut a, mut b) = (PoseFilter::default(), PoseFilter::default());
        let nan = yaw(f32::NAN);
        a.filter(&SMOOTHING, ms(0), yaw(5.0));
        assert!(a.filter(&SMOOTHING, ms(20), nan).yaw.is_nan());
        b.filter(&SMOOTHING, ms(0), yaw(5.0));
        let next = |filter: &mut PoseFilter| filter.filter(&SMOOTHING, ms(40), yaw(9.0));
        assert_eq!(next(&mut a), next(&mut b));

        let wild = Angles::new(f32::MAX, f32::MAX, f32::MIN);
        for (t, angles) in [
            (80, wild),
            (120, Angles::new(0.0, f32::MIN, 0.0)),
            (160, yaw(3.0)),
        ] {
            let got = a.filter(&SMOOTHING, ms(t), angles);
            assert!(got.is_finite(), "{got:?}");
        }

        let mut boxes = BoxFilter::default();
        boxes.filter(&SMOOTHING, ms(0), Rect::new(0.0, 0.0, 10.0, 10.0));
        let empty = Rect::new(0.0, 0.0, 0.0, 10.0);
        assert_eq!(boxes.filter(&SMOOTHING, ms(40), empty), empty);
        let infinite = Rect::new(f32::INFINITY, 0.0, 5.0, 10.0);
        assert_eq!(boxes.filter(&SMOOTHING, ms(40), infinite), infinite);
        let got = boxes.filter(&SMOOTHING, ms(80), Rect::new(1.0, 0.0, 10.0, 10.0));
        assert!(got.x > 0.0 && got.x < 1.0 && got.w == 10.0, "{got:?}");
    }

    #[test]
    fn time_may_be_missing_stand_still_or_run_backwards() {
        // Without times a frame lasts 40 ms. So does one at the time of the frame before, one of a clip that is
        // played backwards, and one after a source has started its clock anew.
        for (from, to) in [
            (None, None),
            (None, ms(5)),
            (ms(5), None),
            (ms(500), ms(500)),
            (ms(500), ms(460)),
            (ms(86_400_000), ms(0)),
        ] {
            let mut filter = PoseFilter::default();
            filter.filter(&SMOOTHING, from, yaw(0.0));
            let next = filter.filter(&SMOOTHING, to, yaw(10.0)).yaw;
            assert!(
                (next - 2.008).abs() < 1e-3,
                "{next} from {from:?} to {to:?}"
            );
        }
    }

    #[test]
    fn a_gap_starts_anew() {
        let mut filter = PoseFilter::default();
        filter.filter(&SMOOTHING, ms(0), yaw(0.0));
        assert_eq!(filter.filter(&SMOOTHING, ms(1001), yaw(50.0)), yaw(50.0));
        let mut boxes = BoxFilter::default();
        let far = Rect::new(100.0, 50.0, 20.0, 20.0);
        boxes.filter(&SMOOTHING, ms(0), Rect::new(0.0, 0.0, 10.0, 10.0));
        assert_eq!(boxes.filter(&SMOOTHING, ms(1001), far), far);
    }

    #[test]
    fn the_rate_of_frames_does_not_matter() {
        let smoothing = Smoothing {
            cutoff: 1.0,
            beta: 0.05,
        };
        // A turn of 60 degrees a second, seen at 100 and at 25 frames a second.
        let lag = |step: u64| {
            let mut filter = PoseFilter::default();
            let mut last = Angles::default();
            for t in (0..=2000).step_by(step as usize) {
                last = filter.filter(&smoothing, ms(t), yaw(t as f32 * 0.06 - 60.0));
            }
            (60.0 - last.yaw) / 0.06
        };
        let (fine, coarse) = (lag(10), lag(40));
        assert!((fine - coarse).abs() < 1.0, "{fine} ms and {coarse} ms");
        // 1 / (tau * (1 + 0.05 * 60) Hz) = 39.8 ms.
        assert!((fine - 39.8).abs() < 2.0, "{fine} ms");
    }
}

// SPDX-License-Identifier: MPL-2.0
//! Generated scenes: boxes as from a detector, and the owner of each.

use std::time::Duration;

use gstdmheadpose::estimator::geometry::Rect;

use crate::common::random::Noise;

const WIDTH: f64 = 1280.0;
const HEIGHT: f64 = 720.0;

pub struct Seen {
    pub rect: Rect,
    /// Number of the person, `None` for a false box.
    pub person: Option<usize>,
}

pub struct Scene {
    pub name: &'static str,
    pub frame_rate: u64,
    pub frames: Vec<Vec<Seen>>,
}

impl Scene {
    pub fn time(&self, frame: usize) -> Duration {
        Duration::from_micros(frame as u64 * 1_000_000 / self.frame_rate)
    }
}

struct Detector {
    noise: Noise,
    /// Standard deviation of centre and size, in head sizes.
    jitter: f64,
    /// Share of missed heads.
    misses: f64,
    /// False boxes in a frame, on average.
    false_boxes: f64,
}

/// A head's true box: centre, width, height.
type Truth = [f64; 4];

impl Detector {
    fn new(seed: u64, jitter: f64, misses: f64, false_boxes: f64) -> Self {
        Self {
            noise: Noise::new(seed),
            jitter,
            misses,
            false_boxes,
        }
    }

    /// The detections of a frame's heads. If one of two heads covers most of the other, the one
    /// further away, which is the smaller one, is hidden.
    fn look(&mut self, heads: &[Option<Truth>]) -> Vec<Seen> {
        let rect = |[x, y, w, h]: Truth| Rect::from_center(x as f32, y as f32, w as f32, h as f32);
        let mut seen = Vec::new();
        for (person, head) in heads.iter().enumerate() {
            let Some(head) = *head else { continue };
            let hides = |other: &Truth| other[3] > head[3] && rect(*other).iou(&rect(head)) > 0.4;
            let hidden = heads.iter().flatten().any(hides);
            let missed = self.noise.uniform() < self.misses;
            let jitter: Truth =
                std::array::from_fn(|_| self.noise.normal() * self.jitter * head[3]);
            if hidden || missed {
                continue;
            }
            seen.push(Seen {
                rect: rect(std::array::from_fn(|i| head[i] + jitter[i])),
                person: Some(person),
            });
        }
        if self.noise.uniform() < self.false_boxes {
            let height = self.noise.between(40.0, 100.0);
            let x = self.noise.between(0.0, WIDTH);
            let y = self.noise.between(0.0, HEIGHT);
            seen.push(Seen {
                rect: rect([x, y, height * 0.8, height]),
                person: None,
            });
        }
        // In random order.
        for last in (1..seen.len()).rev() {
            let other = (self.noise.uniform() * (last + 1) as f64) as usize;
            seen.swap(last, other);
        }
        seen
    }
}

/// A scene in which each person's box is a function of seconds.
fn scripted(
    name: &'static str,
    seconds: u64,
    mut detector: Detector,
    persons: usize,
    person: impl Fn(usize, f64) -> Option<Truth>,
) -> Scene {
    const FRAME_RATE: u64 = 25;
    let frames = (0..seconds * FRAME_RATE)
        .map(|frame| {
            let t = frame as f64 / FRAME_RATE as f64;
            let heads: Vec<_> = (0..persons).map(|number| person(number, t)).collect();
            detector.look(&heads)
        })
        .collect();
    Scene {
        name,
        frame_rate: FRAME_RATE,
        frames,
    }
}

/// Scenes in which a tracker must not make a mistake.
pub fn simple() -> Vec<Scene> {
    let good = |seed| Detector::new(seed, 0.02, 0.0, 0.0);
    vec![
        scripted("two cross, both in sight", 4, good(1), 2, |number, t| {
            let x = 200.0 + 220.0 * t;
            Some(match number {
                0 => [x, 300.0, 60.0, 80.0],
                _ => [WIDTH - x, 325.0, 60.0, 80.0],
            })
        }),
        scripted(
            "two cross, one hides the other",
            5,
            good(2),
            2,
            |number, t| {
                // Out of sight for 0.4 s.
                let x = 490.0 + 60.0 * t;
                Some(match number {
                    0 => [x, 300.0, 72.0, 90.0],
                    _ => [WIDTH - x, 305.0, 60.0, 80.0],
                })
            },
        ),
        scripted("hidden for 0.4 s while walking", 6, good(3), 1, |_, t| {
            let hidden = (2.0..2.4).contains(&t) || (4.0..4.4).contains(&t);
            (!hidden).then_some([200.0 + 150.0 * t, 300.0, 60.0, 80.0])
        }),
        scripted(
            "hidden for 0.4 s beside another",
            6,
            good(4),
            2,
            |number, t| {
                let hidden = number == 0 && (2.0..2.4).contains(&t);
                let x = 200.0 + 120.0 * t + 75.0 * number as f64;
                (!hidden).then_some([x, 300.0, 60.0, 80.0])
            },
        ),
        scripted("entering and leaving", 12, good(5), 8, |number, t| {
            // One every second, each for 4 s, from left to right or back.
            let t = t - number as f64;
            let x = 320.0 * t;
            let x = if number.is_multiple_of(2) {
                x
            } else {
                WIDTH - x
            };
            let y = 120.0 + 110.0 * (number % 5) as f64;
            (0.0..4.0).contains(&t).then_some([x, y, 60.0, 80.0])
        }),
        scripted(
            "one stands, badly seen",
            20,
            Detector::new(6, 0.04, 0.3, 0.0),
            1,
            |_, _| Some([640.0, 300.0, 60.0, 80.0]),
        ),
        scripted("one runs by and turns back", 8, good(7), 1, |_, t| {
            // 480 pixels a second: a third of the box from frame to frame.
            let way = (480.0 * t) % 1920.0;
            let x = if way < 960.0 { way } else { 1920.0 - way };
            Some([160.0 + x, 300.0, 60.0, 80.0])
        }),
        scripted("two run as a pair", 4, good(8), 2, |number, t| {
            let x = 100.0 + 300.0 * t - 64.0 * number as f64;
            Some([x, 300.0, 60.0, 80.0])
        }),
    ]
}

/// A person who walks at random.
struct Walker {
    at: [f64; 2],
    velocity: [f64; 2],
    height: f64,
}

impl Walker {
    fn new(noise: &mut Noise) -> Self {
        Self {
            at: [noise.between(0.0, WIDTH), noise.between(0.0, HEIGHT)],
            velocity: [noise.normal() * 100.0, noise.normal() * 50.0],
            height: noise.between(50.0, 100.0),
        }
    }

    /// A velocity that varies around zero, as fast and as irregularly as `pace` says, within walls.
    fn step(&mut self, dt: f64, pace: f64, noise: &mut Noise) {
        for (axis, (limit, speed)) in [(WIDTH, 120.0), (HEIGHT, 60.0)].into_iter().enumerate() {
            let (at, velocity) = (&mut self.at[axis], &mut self.velocity[axis]);
            // It forgets its direction in about a second.
            *velocity -= *velocity * dt;
            *velocity += noise.normal() * speed * pace * (2.0 * dt).sqrt();
            *at += *velocity * dt;
            if *at < 0.0 || *at > limit {
                *at = at.clamp(0.0, limit);
                *velocity = -*velocity;
            }
        }
    }

    fn truth(&self) -> Truth {
        [self.at[0], self.at[1], self.height * 0.8, self.height]
    }
}

/// 20 heads that walk at random through each other.
fn crowd(
    name: &'static str,
    seed: u64,
    frame_rate: u64,
    pace: f64,
    mut detector: Detector,
) -> Scene {
    const SECONDS: u64 = 40;
    let mut noise = Noise::new(seed);
    let mut walkers: Vec<_> = (0..20).map(|_| Walker::new(&mut noise)).collect();
    let dt = 1.0 / frame_rate as f64;
    let frames = (0..SECONDS * frame_rate)
        .map(|_| {
            for walker in &mut walkers {
                walker.step(dt, pace, &mut noise);
            }
            let heads: Vec<_> = walkers.iter().map(|walker| Some(walker.truth())).collect();
            detector.look(&heads)
        })
        .collect();
    Scene {
        name,
        frame_rate,
        frames,
    }
}

/// Scenes in which no tracker can be right all the time.
pub fn hard() -> Vec<Scene> {
    // Seeds of the walk and the detector; frame rate and pace; jitter, misses, false boxes.
    [
        ("crowd", [11, 21], (25, 1.0), [0.03, 0.05, 0.5]),
        ("crowd, many misses", [12, 22], (25, 1.0), [0.03, 0.3, 0.5]),
        ("crowd, rough boxes", [13, 23], (25, 1.0), [0.08, 0.1, 0.5]),
        (
            "crowd, many false boxes",
            [14, 24],
            (25, 1.0),
            [0.03, 0.05, 1.0],
        ),
        ("crowd in a hurry", [15, 25], (25, 2.5), [0.03, 0.05, 0.5]),
        (
            "crowd at 8 frames a second",
            [16, 26],
            (8, 1.0),
            [0.03, 0.05, 0.5],
        ),
    ]
    .map(
        |(name, [walk, seen], (rate, pace), [jitter, misses, false_boxes])| {
            let detector = Detector::new(seen, jitter, misses, false_boxes);
            crowd(name, walk, rate, pace, detector)
        },
    )
    .into()
}

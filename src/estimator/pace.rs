// SPDX-License-Identifier: MPL-2.0
//! Which frames of a stream go to the detector, and which are predicted.
//!
//! With adaptive detection two more things call for it: what the tracker made of earlier detections, a fixed number of
//! frames later, and a scene that has changed since the last detection, at once.

use std::collections::VecDeque;
use std::time::Duration;

use super::geometry::{Rect, Size};
use super::image::frame::FrameView;
use super::image::scene::{Cells, Scene};
use super::job::FrameJob;
use super::track::time::elapsed;
use super::track::tracker::Tracker;

/// What the heads of a detected frame let expect.
#[derive(Clone, Copy, Debug)]
struct Outlook {
    number: u64,
    /// Heads came or went, so that one more detection is wanted.
    changed: bool,
    /// For how long the heads can be predicted.
    rest: Duration,
    /// Where they may move about without being something new.
    people: Cells,
}

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Number of the last frame that began, from 1; 0 before the first.
    pub begun: u64,
    /// Its time.
    time: Option<Duration>,
    /// Its size; `None`: the next frame begins a new shot.
    size: Option<Size>,
    /// Number of the first frame of its shot.
    shot: u64,
    /// Number of the last frame that goes to the detector and can be predicted from; 0 before the first.
    detected: u64,
    /// Stream time since then.
    since_detected: Duration,
    /// What was seen in it.
    scene: Option<Scene>,
    /// Number of the last frame that failed: later frames must not rely on it.
    pub failed: u64,
    /// Of detected frames, which later frames may not know yet.
    shown: VecDeque<Outlook>,
    /// Of the last detected frame that may be known; `None`: of none in this shot.
    outlook: Option<Outlook>,
}

impl Pace {
    /// Begins a new shot with the next frame.
    pub fn cut(&mut self) {
        self.size = None;
    }

    /// Numbers the next frame and decides whether it is detected or predicted. It is detected where its boxes cannot
    /// be predicted: at the start of a shot, and `max-lost-time` after the last detection at the latest.
    ///
    /// `frame` is `None` if it cannot be read; `known`: its boxes come from elsewhere. What frames show is used `delay`
    /// frames later.
    pub fn begin(
        &mut self,
        job: &mut FrameJob,
        frame: Option<&FrameView<'_>>,
        known: bool,
        delay: u64,
    ) {
        self.begun += 1;
        let number = self.begun;
        let size = frame.map(FrameView::size);
        if size.is_some() && self.size != size {
            (self.size, self.shot) = (size, number);
            (self.outlook, self.scene) = (None, None);
        }
        let elapsed = elapsed(self.time, job.time);
        self.time = job.time;
        self.since_detected = self.since_detected.saturating_add(elapsed);
        let mut scene = None;
        if job.settings.detection_adaptive {
            scene = frame.map(Scene::of);
            // With every frame, whatever decides about its detection: what is never learned is never forgotten.
            self.learn(number.saturating_sub(delay));
        }
        let detect = match job.settings.tracking {
            None => true,
            Some(max_lost) => {
                known
                    || self.detected < self.shot
                    || self.detected <= self.failed
                    || number >= self.detected + u64::from(job.settings.detection_interval)
                    || self.since_detected > max_lost
                    || job.settings.detection_adaptive && self.is_due(scene.as_ref())
            }
        };
        if detect {
            // Boxes of heads that are not followed cannot be predicted from.
            self.detected = match job.settings.tracking {
                Some(_) => number,
                None => 0,
            };
            self.since_detected = Duration::ZERO;
            self.scene = scene;
        }
        (job.number, job.shot, job.detect) = (number, self.shot, detect);
    }

    /// Takes note of what frame `number` showed, whose `heads` were detected and are followed by `tracker`.
    pub fn show(&mut self, number: u64, tracker: &Tracker, heads: &[Rect], frame: Size) {
        let mut people = Cells::default();
        for head in heads {
            people.add_person(head, frame);
        }
        self.shown.push_back(Outlook {
            number,
            changed: tracker.has_changed(),
            rest: tracker.rest(),
            people,
        });
    }

    /// Learns what the detected frames of this shot up to `last` showed.
    fn learn(&mut self, last: u64) {
        let is_old = |outlook: &mut Outlook| outlook.number <= last;
        while let Some(outlook) = self.shown.pop_front_if(is_old) {
            if outlook.number >= self.shot {
                self.outlook = Some(outlook);
            }
        }
    }

    /// Whether what is known calls for the detection of a frame with this scene.
    fn is_due(&self, scene: Option<&Scene>) -> bool {
        let Some(outlook) = &self.outlook else {
            return true;
        };
        let scenes = scene.zip(self.scene.as_ref());
        scenes.is_none_or(|(now, then)| now.is_new_since(then, &outlook.people))
            || self.since_detected >= outlook.rest
            || outlook.changed && outlook.number == self.detected
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::super::detector::Detection;
    use super::super::image::frame::{Colorimetry, PixelFormat, Plane};
    use super::super::stream::{FRAMES_TO_LEARN, StreamState};
    use super::*;

    const SIZE: Size = Size::new(640, 480);

    fn settings(detection_interval: u32) -> Settings {
        Settings {
            tracking: Some(Duration::from_secs(1)),
            detection_interval,
            ..Settings::DEFAULT
        }
    }

    /// Begins a frame with bright boxes on `ground`.
    fn begin_with(
        stream: &mut StreamState,
        settings: Settings,
        time: u64,
        ground: u8,
        boxes: &[Rect],
    ) -> FrameJob {
        let mut job = FrameJob {
            time: Some(Duration::from_millis(time)),
            settings,
            ..FrameJob::default()
        };
        let (width, height) = (SIZE.width as usize, SIZE.height as usize);
        let mut bytes = vec![ground; width * height];
        for rect in boxes {
            let columns = rect.x as usize..(rect.right() as usize).min(width);
            for row in rect.y as usize..(rect.bottom() as usize).min(height) {
                bytes[row * width..][columns.clone()].fill(200);
            }
        }
        let (gray, color) = (PixelFormat::Gray8, Colorimetry::BT601);
        let frame = FrameView::new(gray, SIZE, color, &[Plane::new(&bytes, width)]).unwrap();
        stream.begin(&mut job, Some(&frame), false);
        job
    }

    fn begin(stream: &mut StreamState, settings: Settings, time: u64) -> FrameJob {
        begin_with(stream, settings, time, 100, &[])
    }

    /// Which of the frames at these times are given to the detector.
    fn detected(interval: u32, times: impl Iterator<Item = u64>) -> Vec<u64> {
        let (mut stream, settings) = (StreamState::new(), settings(interval));
        let detects = |(time, n)| {
            let job = begin(&mut stream, settings, time);
            job.detect.then_some(n)
        };
        times.zip(0..).filter_map(detects).collect()
    }

    #[test]
    fn the_detector_looks_before_prediction_would_give_up() {
        let every = |step: u64| (0..70).map(move |n| n * step);
        assert_eq!(detected(30, every(30)), [0, 30, 60]);
        // 24 frames a second, and 2.
        assert_eq!(detected(30, every(42)), [0, 24, 48]);
        let at_two = detected(5, every(500));
        assert!(at_two.iter().copied().eq((0..70).step_by(3)), "{at_two:?}");
        // A source that starts its clock anew: the frames between do not take longer.
        let anew = (0..20).chain(0..10).map(|n| n * 40);
        assert_eq!(detected(25, anew), [0, 25]);
    }

    #[test]
    fn a_frame_after_failed_detections_is_detected() {
        let (mut stream, settings) = (StreamState::new(), settings(30));
        let begin = |stream: &mut StreamState, n: u64| begin(stream, settings, 40 * n);
        let first = begin(&mut stream, 0);
        let second = begin(&mut stream, 1);
        assert!(first.detect && !second.detect);
        stream.fail(&first);
        assert!(stream.lacks_boxes(&second), "it has to detect by itself");
        let mut third = begin(&mut stream, 2);
        assert!(third.detect);
        stream.follow(&mut third, SIZE);
        let mut fourth = begin(&mut stream, 3);
        assert!(
            !fourth.detect && !stream.lacks_boxes(&fourth),
            "there is no head"
        );
        stream.pace.cut();
        let mut fifth = begin(&mut stream, 4);
        assert!(fifth.detect);
        // It comes later than the cut.
        stream.follow(&mut fourth, SIZE);
        fifth.detect = false;
        assert!(stream.lacks_boxes(&fifth));
    }

    /// Which of 60 frames, 40 ms apart, a detector that misses nothing has to look at, and where the heads are in each.
    /// `scene` has the ground and the heads of a frame. Frames get their boxes as late as possible, or at once.
    fn followed(
        depth: usize,
        late: bool,
        scene: impl Fn(u64) -> (u8, Vec<Rect>),
    ) -> (Vec<u64>, Vec<Vec<Rect>>) {
        let mut stream = StreamState::new().deepened(depth);
        let settings = Settings {
            detection_adaptive: true,
            ..settings(10)
        };
        let (mut detected, mut heads) = (Vec::new(), Vec::new());
        let mut in_flight = VecDeque::new();
        let mut follow = |stream: &mut StreamState, job: &mut FrameJob| {
            stream.follow(job, SIZE);
            heads.push(job.targets.iter().map(|target| target.rect).collect());
        };
        for n in 0..60 {
            if in_flight.len() == depth {
                let mut job = in_flight.pop_front().unwrap();
                if late {
                    follow(&mut stream, &mut job);
                }
                stream.finish(&mut job);
            }
            let (ground, boxes) = scene(n);
            let mut job = begin_with(&mut stream, settings, 40 * n, ground, &boxes);
            if job.detect {
                detected.push(n);
                let found = boxes.iter().map(|&rect| Detection { rect, score: 0.9 });
                job.detections.extend(found);
            }
            if !late {
                follow(&mut stream, &mut job);
            }
            in_flight.push_back(job);
        }
        if late {
            in_flight
                .iter_mut()
                .for_each(|job| follow(&mut stream, job));
        }
        (detected, heads)
    }

    /// The frames that are detected, which have to be the same whatever the number of frames in flight.
    fn adaptive(scene: impl Fn(u64) -> (u8, Vec<Rect>)) -> Vec<u64> {
        let alone = followed(1, false, &scene);
        for depth in [1, 2, 4] {
            for late in [false, true] {
                let (detected, heads) = followed(depth, late, &scene);
                assert_eq!(detected, alone.0, "depth {depth}, late {late}");
                assert_eq!(heads, alone.1, "depth {depth}, late {late}");
            }
        }
        alone.0
    }

    const STILL: Rect = Rect::new(100.0, 100.0, 60.0, 80.0);

    /// Where something else than the scene asks for every detection.
    #[test]
    fn what_frames_showed_is_forgotten_though_all_are_detected() {
        let mut stream = StreamState::new();
        let settings = Settings {
            detection_adaptive: true,
            ..settings(1)
        };
        for n in 0..100 {
            let mut job = begin_with(&mut stream, settings, 40 * n, 100, &[STILL]);
            assert!(job.detect);
            stream.follow(&mut job, SIZE);
            stream.finish(&mut job);
        }
        let kept = stream.pace.shown.len() as u64;
        assert!(kept <= FRAMES_TO_LEARN, "{kept}");
    }

    #[test]
    fn where_nothing_moves_the_detector_runs_at_its_interval() {
        // At first until the tracker has made something of the heads.
        let expected = [0, 1, 2, 3, 13, 23, 33, 43, 53];
        assert_eq!(adaptive(|_| (100, vec![STILL])), expected);
        let empty = adaptive(|_| (100, vec![]));
        assert_eq!(empty, expected);
    }

    #[test]
    fn a_head_that_enters_or_jumps_is_detected_at_once() {
        let enters = Rect::new(400.0, 200.0, 60.0, 80.0);
        let jumps = Rect::new(500.0, 20.0, 60.0, 80.0);
        let detected = adaptive(|n| match n {
            0..20 => (100, vec![STILL]),
            20..30 => (100, vec![STILL, enters]),
            30..50 => (100, vec![STILL, jumps]),
            _ => (100, vec![STILL]),
        });
        // What it means for the tracks is known four frames later. One that leaves is missed at the interval only, as
        // people may move about.
        let expected = [0, 1, 2, 3, 13, 20, 24, 30, 34, 44, 54, 58];
        assert_eq!(detected, expected);
    }

    #[test]
    fn a_fast_head_is_detected_more_often() {
        let walks = |pixels: f32| {
            let at = move |n: u64| Rect::new(50.0 + n as f32 * pixels, 100.0, 60.0, 80.0);
            adaptive(|n| (100, vec![at(n)])).len()
        };
        let (slow, fast, faster) = (walks(0.1), walks(4.0), walks(8.0));
        assert!(slow < fast && fast < faster, "{slow} {fast} {faster}");
        assert!(slow < 12, "{slow}");
        assert!(faster > 14, "{faster}");
    }

    #[test]
    fn a_cut_is_detected_at_once() {
        let detected = adaptive(|n| (if n < 20 { 100 } else { 60 }, vec![STILL]));
        assert!(detected.contains(&20), "{detected:?}");
        let other = Rect::new(300.0, 200.0, 120.0, 160.0);
        let detected = adaptive(|n| {
            if n < 20 {
                (100, vec![STILL])
            } else {
                (160, vec![other])
            }
        });
        assert_eq!(detected[5..], [20, 24, 34, 44, 54], "{detected:?}");
    }
}

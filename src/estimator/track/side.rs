// SPDX-License-Identifier: MPL-2.0
//! Which side a head that is followed shows, and when the rear model has to run on it.
//!
//! A head seen from the front cannot be seen from behind without passing through profile. So the front model may
//! answer alone once the rear model has said the same, until its answer nears the profile; the rear model checks
//! now and then.

/// The side of a head in a finished frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The front model counted most.
    pub is_front: bool,
    /// Both models had the head far from the seam, on the front's side; `None` where the rear model did not
    /// run.
    pub is_sure: Option<bool>,
}

/// The side of one head, by the frames that are finished.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Side {
    was_front: Option<bool>,
    is_sure: bool,
    /// The frame since which it has been in sight; the side in earlier frames may be outdated.
    since: u64,
    /// The frame in which the rear model ran last; `None`: not since it came into sight.
    asked: Option<u64>,
}

impl Side {
    /// Whether the front model counted most for it last.
    pub fn was_front(&self) -> Option<bool> {
        self.was_front
    }

    pub fn learn(&mut self, frame: u64, seen: Seen) {
        self.was_front = Some(seen.is_front);
        if let Some(sure) = seen.is_sure
            && frame >= self.since
        {
            self.is_sure = sure;
        }
    }

    /// It was out of sight, and may show another side now.
    pub fn doubt(&mut self) {
        self.is_sure = false;
        self.asked = None;
    }

    /// Whether the front model may answer alone in frame `number`, if the rear model has to run on every
    /// `interval`th frame at least. Otherwise remembers that the rear model runs in this frame.
    pub fn is_front_first(&mut self, number: u64, interval: u64) -> bool {
        let Some(asked) = self.asked else {
            (self.since, self.asked) = (number, Some(number));
            return false;
        };
        if self.is_sure && number < asked + interval {
            return true;
        }
        self.asked = Some(number);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: Seen = Seen {
        is_front: true,
        is_sure: Some(true),
    };

    /// The frames of 1 to 12 in which the front model may answer alone, with the side `seen` in each.
    fn alone(side: &mut Side, interval: u64, seen: impl Fn(u64) -> Seen) -> Vec<u64> {
        let mut frames = Vec::new();
        for number in 1..=12 {
            let first = side.is_front_first(number, interval);
            frames.extend(first.then_some(number));
            let seen = seen(number);
            side.learn(
                number,
                Seen {
                    is_sure: seen.is_sure.filter(|_| !first),
                    ..seen
                },
            );
        }
        frames
    }

    #[test]
    fn the_rear_model_looks_at_every_interval() {
        let frames = alone(&mut Side::default(), 5, |_| FRONT);
        assert_eq!(frames, [2, 3, 4, 5, 7, 8, 9, 10, 12]);
        assert!(alone(&mut Side::default(), 1, |_| FRONT).is_empty());
    }

    #[test]
    fn a_head_near_the_seam_is_looked_at_by_both() {
        let unsure = Seen {
            is_sure: Some(false),
            ..FRONT
        };
        assert!(alone(&mut Side::default(), 5, |_| unsure).is_empty());
        let turns = |number| if number < 6 { FRONT } else { unsure };
        assert_eq!(alone(&mut Side::default(), 5, turns), [2, 3, 4, 5]);
    }

    /// With frames in flight, what was seen before it was lost comes in after it was found.
    #[test]
    fn a_head_that_was_out_of_sight_is_a_new_one() {
        let mut side = Side::default();
        alone(&mut side, 100, |_| FRONT);
        side.doubt();
        assert!(!side.is_front_first(20, 100));
        side.learn(19, FRONT);
        assert!(!side.is_front_first(21, 100));
        side.learn(20, FRONT);
        assert!(side.is_front_first(22, 100));
    }
}

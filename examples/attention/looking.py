# SPDX-License-Identifier: MPL-2.0
"""Who looks at the camera, and when. Pure functions; times are whole nanoseconds, angles degrees."""

import math
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Rule:
    """What counts as looking at the camera; docs/attention.md explains it."""

    look_angle: float = 20.0  # a look begins when the face points to within this of the camera ...
    away_angle: float = 25.0  # ... and ends when it points further away than this
    min_duration: int = 300_000_000  # shorter changes in either direction do not count
    max_gap: int = 500_000_000  # a head missing for longer counts as away; through shorter gaps it keeps its pose
    min_visible: int = SECOND  # heads seen for less in total are left out


class Sample(NamedTuple):
    """A head as seen in one frame."""

    time: int
    off_camera: float
    yaw: float
    pitch: float


class Interval(NamedTuple):
    start: int
    end: int

    @property
    def duration(self):
        return self.end - self.start


@dataclass(frozen=True)
class Person:
    """One head number: `visits` is when it was in view, `looks` when it looked at the camera."""

    id: int
    samples: list[Sample]
    visits: list[Interval]
    looks: list[Interval]

    @property
    def visible(self):
        return total(self.visits)

    @property
    def looking(self):
        return total(self.looks)

    @property
    def longest(self):
        return max((look.duration for look in self.looks), default=0)


def off_camera(rotation):
    """Angle between the direction of the face and the direction to the camera, from a row-major 3x3 rotation.

    The pose model sees only a crop, not its place in the frame, so its poses are relative to the
    line of sight: a head at the frame's edge that faces the camera has the rotation of one in the middle.
    The last column is the nose's direction; its last entry is the component towards the camera.
    """
    return math.degrees(math.acos(min(1.0, max(-1.0, rotation[8]))))


def gap_limit(frame_time, rule):
    """The longest gap that does not end a visit. At low frame rates one missing frame does not count as a gap."""
    return max(rule.max_gap, 2 * frame_time)


def split_visits(samples, limit):
    """The samples of one head, cut where it was not seen for longer than `limit`."""
    visits = []
    for sample in samples:
        if visits and sample.time - visits[-1][-1].time <= limit:
            visits[-1].append(sample)
        else:
            visits.append([sample])
    return visits


def looks_of(visit, end, rule):
    """When the head of one visit looks. Each sample holds until the next, the last one until `end`."""
    near, runs = False, []
    for sample, until in zip(visit, [*(sample.time for sample in visit[1:]), end]):
        near = sample.off_camera <= (rule.away_angle if near else rule.look_angle)
        runs.append((near, sample.time, until))
    # A run that is long enough decides whether the head looks; shorter runs change nothing.
    looking, states = False, []
    for near, run in groupby(runs, key=lambda run: run[0]):
        run = list(run)
        start, until = run[0][1], run[-1][2]
        if until - start >= rule.min_duration:
            looking = near
        states.append((looking, start, until))
    return merge(Interval(start, until) for looking, start, until in states if looking)


def merge(intervals):
    """The time that at least one of the intervals covers, as intervals that do not touch."""
    merged = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return merged


def total(intervals):
    return sum(interval.duration for interval in intervals)


def person(identity, samples, frame_time, rule):
    visits, looks = [], []
    for visit in split_visits(samples, gap_limit(frame_time, rule)):
        # The last frame with the head lasts for a frame's time, too.
        end = visit[-1].time + frame_time
        visits.append(Interval(visit[0].time, end))
        looks += looks_of(visit, end, rule)
    return Person(identity, samples, visits, looks)


def people(recording, rule):
    """All heads of a recording that were in view for long enough, those that looked longest first."""
    everybody = (person(head, samples, recording.frame_time, rule) for head, samples in recording.samples.items())
    return sorted(
        (one for one in everybody if one.visible >= rule.min_visible),
        key=lambda one: (-one.looking, -one.visible, one.id),
    )

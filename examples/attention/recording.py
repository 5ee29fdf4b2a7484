# SPDX-License-Identifier: MPL-2.0
"""Reads the JSON lines of dmheadposejson (docs/pose-line.schema.json) into one series of poses per head."""

import json
import math
import sys
from dataclasses import dataclass, field
from statistics import median

from looking import Sample, off_camera


# The largest 32-bit float, the number type of the lines.
LARGEST = float.fromhex("0x1.fffffep127")


class RecordingError(Exception):
    """The lines cannot be evaluated; the text says what to do."""


@dataclass
class Recording:
    """Times are nanoseconds since the first line."""

    name: str | None = None  # source_name of the lines
    began: str | None = None  # time of day of the first line, if present
    duration: int = 0
    frame_time: int = 0  # median step from line to line
    samples: dict[int, list[Sample]] = field(default_factory=dict)  # by the head's id
    lines: int = 0
    skipped: int = 0
    skipped_reason: str = ""


def read(lines):
    """Reads a recording from an iterable of lines. Ctrl-C ends it, so that a live pipe gets its report too.

    A line that cannot be read is skipped and counted, so that one bad line does not spoil a day's recording.
    """
    recording = Recording()
    times = []
    start = 0
    try:
        for number, text in enumerate(lines, start=1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
                time, age, heads = _time(line), _age(line), [_pose(head) for head in line["heads"]]
                source = line.get("source_name")
            except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
                recording.skipped += 1
                recording.skipped_reason = recording.skipped_reason or f"line {number}: {error!r} in {text[:60].strip()!r}"
                continue
            if not times:
                start = time
                recording.name, recording.began = source, line.get("timestamp")
            elif source != recording.name:
                raise RecordingError(
                    f"line {number} is of the source {source!r}, those before it are of {recording.name!r}: "
                    "a report covers one camera. Choose it with: jq -c 'select(.source_name == \"...\")'"
                )
            elif time - start < times[-1]:
                raise RecordingError(
                    f"line {number}: the time goes back, from {times[-1] / 1e9:.3f} s to {(time - start) / 1e9:.3f} s. "
                    "A report covers one run of a pipeline: split the file there"
                )
            times.append(time - start)
            for head, angle, yaw, pitch in heads:
                series = recording.samples.setdefault(head, [])
                # A head seen before the recording began counts from its beginning.
                sample = Sample(max(0, time - start - age), angle, yaw, pitch)
                # A pose that is held over several frames is one estimate, not several.
                if not series or sample.time > series[-1].time:
                    series.append(sample)
    except KeyboardInterrupt:
        print("Interrupted: the report covers the lines read so far.", file=sys.stderr)
    if not times:
        raise RecordingError("expected lines of dmheadposejson, found none" + (f"; {recording.skipped_reason}" if recording.skipped else ""))
    if 0 in recording.samples:
        raise RecordingError(
            "heads without a number: set tracking=true (better with smoothing=true) on dmheadpose, "
            "so that each head can be tracked"
        )
    recording.lines = len(times)
    recording.frame_time = int(median([b - a for a, b in zip(times, times[1:]) if b > a] or [0]))
    # The duration of a single frame is unknown, but the drawings need a duration.
    recording.duration = max(1, times[-1] + recording.frame_time)
    return recording


def _time(line):
    """Running time if there is one: it does not jump when the stream's own timestamps do."""
    time = line.get("running_time")
    return _whole(line["pts"] if time is None else time, "time")


def _age(line):
    """The time back to the frame in which the head was seen: a held pose was not estimated from this one."""
    return _whole(line["age"], "age") if line.get("source") == "held" else 0


def _pose(head):
    identity, rotation = _whole(head["id"], "id"), head["rotation"]
    if type(rotation) is not list or len(rotation) != 9:
        raise ValueError(f"expected a rotation of 9 numbers, found {rotation!r:.60}")
    yaw, pitch = _angle(head["yaw"], "yaw"), _angle(head["pitch"], "pitch")
    return identity, off_camera([_number(value, "rotation") for value in rotation]), yaw, pitch


def _whole(value, what):
    """An integer of 64 bits, as for times and ids."""
    if type(value) is not int or not 0 <= value < 2**64:
        raise ValueError(f"expected a whole number of 64 bits as {what}, found {value!r:.60}")
    return value


def _angle(value, what):
    """In degrees. Rounding may exceed half a turn by a millionth."""
    if abs(_number(value, what)) > 180.001:
        raise ValueError(f"expected -180 to 180 degrees as {what}, found {value!r:.60}")
    return value


def _number(value, what):
    # An integer may be too large to be compared with infinity.
    if type(value) not in (int, float) or not -LARGEST <= value <= LARGEST:
        raise ValueError(f"expected a finite number as {what}, found {value!r:.60}")
    return value

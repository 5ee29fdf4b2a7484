# SPDX-License-Identifier: MPL-2.0
"""Reads the JSON lines of dmheadposejson and tracks each head through the frames."""

import json
from collections import Counter
from dataclasses import dataclass, field

# A track continues with a box that overlaps its last one by at least this IoU ...
MIN_IOU = 0.3
# ... if it was last seen at most this long ago.
MAX_GAP_S = 1.0


@dataclass
class Track:
    """One head over time; the lists run in parallel."""

    name: str
    times: list[float] = field(default_factory=list)
    heads: list[dict] = field(default_factory=list)

    def append(self, time, head):
        self.times.append(time)
        self.heads.append(head)


def read_frames(path):
    """All frames of a JSON lines file, in order."""
    frames = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                frame = json.loads(line)
                frame["heads"], frame["pts"]
            except (ValueError, KeyError, TypeError) as error:
                raise SystemExit(
                    f"error: {path}:{number}: expected one JSON object with pts and heads, "
                    f"found {line[:80]!r} ({error})"
                ) from error
            frames.append(frame)
    return frames


def times(frames):
    """Seconds since the first frame with a timestamp, one per frame."""
    start = next((frame["pts"] for frame in frames if frame["pts"] is not None), 0)
    seconds = []
    for frame in frames:
        if frame["pts"] is None:
            # No timestamp (a raw stream): use the previous frame's.
            seconds.append(seconds[-1] if seconds else 0.0)
        else:
            seconds.append((frame["pts"] - start) / 1e9)
    return seconds


def iou(a, b):
    """Intersection over union of two boxes."""
    width = min(a["x"] + a["w"], b["x"] + b["w"]) - max(a["x"], b["x"])
    height = min(a["y"] + a["h"], b["y"] + b["h"]) - max(a["y"], b["y"])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (a["w"] * a["h"] + b["w"] * b["h"] - common)


def follow(frames):
    """The heads as tracks, the longest first.

    A head with an id belongs to the track with that id. Heads without one (id 0) are matched
    greedily: pairs of a recent track and a head of this frame are taken in order of IoU,
    each track and each head once; an unmatched head starts a track.
    """
    by_id, loose = {}, []
    for time, frame in zip(times(frames), frames):
        unnamed = []
        for head in frame["heads"]:
            if head.get("id", 0) > 0:
                by_id.setdefault(head["id"], Track(f"id {head['id']}")).append(time, head)
            else:
                unnamed.append(head)
        recent = [track for track in loose if time - track.times[-1] <= MAX_GAP_S]
        pairs = [
            (overlap, t, h)
            for t, track in enumerate(recent)
            for h, head in enumerate(unnamed)
            if (overlap := iou(track.heads[-1]["box"], head["box"])) >= MIN_IOU
        ]
        tracks_taken, heads_taken = set(), set()
        for _, t, h in sorted(pairs, reverse=True):
            if t not in tracks_taken and h not in heads_taken:
                tracks_taken.add(t)
                heads_taken.add(h)
                recent[t].append(time, unnamed[h])
        for h, head in enumerate(unnamed):
            if h not in heads_taken:
                loose.append(Track(""))
                loose[-1].append(time, head)
    loose.sort(key=lambda track: -len(track.times))
    for number, track in enumerate(loose, start=1):
        track.name = f"head {number}"
    return sorted([*by_id.values(), *loose], key=lambda track: -len(track.times))


def summary(frames):
    """The results as lines of text."""
    counts = Counter(len(frame["heads"]) for frame in frames)
    heads = sum(number * times for number, times in counts.items())
    looked = [head for frame in frames for head in frame["heads"]]
    per_frame = ", ".join(f"{number} in {counts[number]} frames" for number in sorted(counts))
    lines = [
        f"frames  {len(frames)}",
        f"heads   {heads} ({per_frame})",
    ]
    for angle in ("yaw", "pitch", "roll"):
        values = [head[angle] for head in looked]
        if values:
            lines.append(f"{angle:<7} {min(values):+.1f} to {max(values):+.1f} degrees")
    return lines

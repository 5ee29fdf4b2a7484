# SPDX-License-Identifier: MPL-2.0
"""How often public trackers take one person for another on the scenes of tests/tracking.

Needs trackers 2.6.1 (Apache-2.0; SORT and ByteTrack) and motmetrics 1.4.0 (MIT; counts the switches),
see requirements-tracks.txt. The scenes are written by `cargo test --test tracking`, which fails as long as
the stored values are not theirs; then run this, and the test again. Writes sort_tracks.json: per scene
the FNV-1a hash of its table and IDSW of each tracker.

The trackers use their own defaults, and remember unseen heads for 1 s, as ours does. SORT
numbers a head after three frames; the share of true boxes that got a number is printed.
"""

import json
import pathlib

import motmetrics
import numpy as np
import supervision
import trackers

HERE = pathlib.Path(__file__).resolve().parent
TABLES = HERE.parent.parent / "target" / "tmp" / "tracks"


def sort(frame_rate):
    return trackers.SORTTracker(lost_track_buffer=30, frame_rate=frame_rate)


def byte_track(frame_rate):
    return trackers.ByteTrackTracker(lost_track_buffer=30, frame_rate=frame_rate)


TRACKERS = {"SORT": sort, "ByteTrack": byte_track}


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def read(path):
    """Name, frames a second, hash, and for each frame its rows of x, y, w, h, person."""
    about, table = path.read_text().split("\n", 1)
    name, rate = about.removeprefix("# ").removesuffix(" frames a second").rsplit(", ", 1)
    rows = np.array([line.split(",") for line in table.split()], dtype=np.float64)
    frames = [rows[rows[:, 0] == number, 1:] for number in range(1, int(rows[-1, 0]) + 1)]
    return name, int(rate), fnv1a(table), frames


def switches(tracker, frames):
    """IDSW of CLEAR MOT, and the share of true boxes that got a number."""
    counter = motmetrics.MOTAccumulator(auto_id=True)
    numbered = 0
    for rows in frames:
        corners = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]]).astype(np.float32)
        seen = supervision.Detections(xyxy=corners, confidence=np.full(len(rows), 0.9),
                                      class_id=rows[:, 4].astype(int))
        seen = tracker.update(seen)
        pairs = [(person, number) for person, number in zip(seen.class_id, seen.tracker_id)
                 if person >= 0 and number >= 0]
        numbered += len(pairs)
        # The owner of each box is known: each person is at distance 0 from its own box's number only.
        persons, numbers = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        distances = np.where(np.eye(len(pairs), dtype=bool), 0.0, np.nan)
        counter.update(persons, numbers, distances)
    true = sum(int((rows[:, 4] >= 0).sum()) for rows in frames)
    counted = motmetrics.metrics.create().compute(counter, metrics=["num_switches"], name="scene")
    return int(counted["num_switches"].iloc[0]), numbered / true


def main():
    scenes = {}
    for path in sorted(TABLES.glob("*.csv")):
        name, rate, digest, frames = read(path)
        found = {label: switches(make(rate), frames) for label, make in TRACKERS.items()}
        print(f"{name:36}" + "".join(f"  {label} {count:4} (numbered {share:.3f})"
                                     for label, (count, share) in found.items()), flush=True)
        scenes[name] = {"fnv1a": digest,
                        "switches": {label: count for label, (count, _) in found.items()}}
    about = {"made_by": "tests/reference/sort_tracks.py", "trackers": "2.6.1", "motmetrics": "1.4.0"}
    with open(HERE / "sort_tracks.json", "w") as file:
        json.dump({"about": about, "scenes": scenes}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MPL-2.0
"""Selects what the demo's pictures show: heads from each side, the frame with most sides, and a turn."""

import itertools
from statistics import median

import poses

# Largest |yaw| of each side, in degrees.
SIDES = {"front": 50, "profile": 120, "behind": 180}
# A head counts for a side if most of its poses this long before and after are of that side.
STEADY_S = 0.4
# Minimum of score times steadiness times relative size for a head to be shown.
MIN_WORTH = 0.35
# A turn is evaluated and drawn for this long before and after the head passes 90 degrees.
TURN_S = 2.0


def side(head):
    return next(name for name, limit in SIDES.items() if abs(head["yaw"]) <= limit)


def share(track, first, last, fits):
    """The share of the track's heads between two times that fit, and these heads."""
    heads = [head for time, head in zip(track.times, track.heads) if first <= time <= last]
    return sum(map(fits, heads)) / max(1, len(heads)), heads


def heads_by_side(tracks, count):
    """For each side at most `count` pairs of time and head: certain, steady and large enough, from as many
    tracks as possible."""
    # A box larger than most is no better: it may not be a head.
    usual = median(h["box"]["w"] for track in tracks for h in track.heads)
    chosen = {}
    for name in SIDES:
        of_tracks = []
        for track in tracks:
            candidates = []
            for time, head in zip(track.times, track.heads):
                steady, around = share(track, time - STEADY_S, time + STEADY_S, lambda h: side(h) == name)
                if side(head) == name and not (head["predicted"] or head["truncated"]) and len(around) > 2:
                    large = min(1, head["box"]["w"] / usual, 2 * usual / head["box"]["w"])
                    worth = steady * head["score"] * large
                    if worth >= MIN_WORTH:
                        candidates.append((worth, time, head))
            of_tracks.append(sorted(candidates, key=lambda c: -c[0]))
        # First the best of each track, then heads of the same tracks at other times.
        picks = []
        for turn in range(count):
            for candidates in of_tracks:
                taken = [time for _, time, head in picks if candidates and head["id"] == candidates[0][2]["id"]]
                fresh = [c for c in candidates if all(abs(c[1] - time) > 1 for time in taken)]
                if len(taken) == turn and fresh:
                    picks.append(fresh[0])
            if len(picks) >= count:
                break
        chosen[name] = [(time, head) for _, time, head in sorted(picks, key=lambda p: -p[0])[:count]]
    return chosen


def richest_frame(frames):
    """The number of the frame with the most sides, then with the most heads of the rarest side."""
    usual = median(head["box"]["w"] for frame in frames for head in frame["heads"])

    def worth(number):
        heads = [head for head in frames[number]["heads"] if usual / 2 <= head["box"]["w"] <= usual * 2]
        counts = [sum(side(head) == name for head in heads) for name in SIDES]
        return sum(count > 0 for count in counts), min(c for c in counts if c) if any(counts) else 0, sum(counts)

    return max(range(len(frames)), key=worth)


def find_turn(tracks):
    """The clearest turn of a head from front to behind or the reverse: its track and the time, or None."""
    best, found = 0.0, None
    for track in tracks:
        for (before, a), (after, b) in itertools.pairwise(zip(track.times, track.heads)):
            if a["rear"] == b["rear"]:
                continue
            # Close to the seam a head may still be in profile.
            sides = ("behind", "front") if a["rear"] else ("front", "behind")
            clear_before, earlier = share(track, before - TURN_S, before - STEADY_S, lambda h: side(h) == sides[0])
            clear_after, later = share(track, after + STEADY_S, after + TURN_S, lambda h: side(h) == sides[1])
            least = min(len(earlier), len(later))
            if least < 5:
                continue
            widths = median(h["box"]["w"] for h in earlier), median(h["box"]["w"] for h in later)
            steps = [abs(abs(c["yaw"]) - abs(d["yaw"])) for c, d in itertools.pairwise(earlier + later)]
            calm = 1 / (1 + sum(steps) / len(steps) / 20)
            worth = min(clear_before, clear_after) * min(1, least / 10) * calm * min(widths) / max(widths)
            if worth > best:
                best, found = worth, (track, (before + after) / 2)
    return found


def turn_heads(track, time, count):
    """Times and heads of the track, spread evenly over the turn."""
    inside = [(t, head) for t, head in zip(track.times, track.heads) if abs(t - time) <= TURN_S]
    count = min(count, len(inside))
    return [inside[round(i * (len(inside) - 1) / max(1, count - 1))] for i in range(count)]


def sides_summary(frames):
    """The number of heads seen from each side, as lines of text."""
    heads = [head for frame in frames for head in frame["heads"]]
    counts = {name: sum(side(head) == name for head in heads) for name in SIDES}
    lines = ["sides   " + ", ".join(f"{count} {name}" for name, count in counts.items())]
    if turn := find_turn(poses.follow(frames)):
        track, time = turn
        lines.append(f"turn    {track.name} passes 90 degrees at {time:.1f} s")
    return lines

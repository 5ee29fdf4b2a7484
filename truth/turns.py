# SPDX-License-Identifier: MPL-2.0
"""Clips of rendered people who turn round or walk away, and how two runs of the element differ on a clip.

    python3 truth/turns.py render OUT --people 12 [--away]
    for interval in 15 1; do
      gst-launch-1.0 filesrc location=OUT/turn-00.avi ! decodebin ! videoconvert \\
        ! dmheadpose tracking=true rear-interval=$interval ! dmheadposejson ! filesink location=00-$interval.jsonl
    done
    python3 truth/turns.py compare 00-15.jsonl 00-1.jsonl

`compare` takes any number of pairs: the share of heads whose poses are within half a degree of each other, and the most
frames in a row in which one run has a head in front and the other has it behind.
"""

import argparse
import json
import math
import pathlib

import cv2
import numpy as np

from geometry import apart

FRAMES_PER_SECOND = 25
SAME = 0.5


def path(rng, frames):
    """Yaw of each frame: stops of up to a second, between them turns of 30 to 270 degrees at 20 to 240 degrees a second."""
    yaws, yaw = [], rng.uniform(-60, 60)
    while len(yaws) < frames:
        yaws += [yaw] * int(rng.integers(2, FRAMES_PER_SECOND))
        turn = rng.choice([-1, 1]) * rng.uniform(30, 270)
        steps = math.ceil(abs(turn) / math.exp(rng.uniform(math.log(20), math.log(240))) * FRAMES_PER_SECOND)
        # It starts and stops gently.
        part = (1 - np.cos(np.linspace(0, math.pi, steps))) / 2
        yaws += list(yaw + turn * part)
        yaw += turn
    return [(yaw + 180) % 360 - 180 for yaw in yaws[:frames]]


def turning(rng, frames):
    """Yaw and size of each frame; None: of any size, but the same in all."""
    return [(yaw, None) for yaw in path(rng, frames)]


def walking_away(rng, frames):
    """Yaw of each frame, swaying once a second, and the head's height from 160 pixels down to 12."""
    sway = 8 * np.sin(2 * math.pi * np.arange(frames) / FRAMES_PER_SECOND + rng.uniform(0, 2 * math.pi))
    yaws = (180 + rng.uniform(-15, 15) + sway + 180) % 360 - 180
    # At a steady pace the distance grows by as much in each frame.
    return list(zip(yaws, 1 / np.linspace(1 / 160, 1 / 12, frames)))


def clips(out, count, frames, seed, assets, motion):
    # Comparing needs none of what these import.
    import people
    import render

    render.start(assets, [])
    out.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        person = people.make(render.ASSETS, "test", number, seed)
        name = "turn" if motion is turning else "away"
        file, coding = out / f"{name}-{number:02}.avi", cv2.VideoWriter_fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(file), coding, FRAMES_PER_SECOND, (render.SIDE, render.SIDE))
        for yaw, tall in motion(np.random.default_rng([seed, 9, number]), frames):
            # The same camera, light and background in each frame; only the person moves.
            rng = np.random.default_rng([seed, 10, number])
            writer.write(render.picture(person, rng, yaw, render.NOD["test"], tall)[0])
        writer.release()
        print(f"\rturns: {number + 1} of {count} clips", end="", flush=True)
    print(f"\nturns: {out}")


def heads(path):
    """(frame, id): rotation and side."""
    return {
        (n, head["id"]): (np.reshape(head["rotation"], (3, 3)), head["rear"])
        for n, line in enumerate(path.read_text().splitlines())
        for head in json.loads(line)["heads"]
        if "rotation" in head
    }


def compare(files):
    same, total, longest = 0, 0, 0
    for first, second in zip(files[::2], files[1::2]):
        a, b = heads(first), heads(second)
        row = {}
        for frame, head in sorted(a.keys() & b.keys()):
            (pose, side), (other, other_side) = a[frame, head], b[frame, head]
            same, total = same + (apart(pose, other) <= SAME), total + 1
            row[head] = row.get(head, 0) + 1 if side != other_side else 0
            longest = max(longest, row[head])
        if a.keys() != b.keys():
            print(f"{first}, {second}: {len(a.keys() ^ b.keys())} heads are in one of them only")
    print(f"{same / total:.4f} of {total} heads within {SAME} degrees; the other side for {longest} frames in a row at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    make = commands.add_parser("render")
    make.add_argument("out", type=pathlib.Path)
    make.add_argument("--away", action="store_true", help="they walk away from the camera instead of turning")
    make.add_argument("--people", type=int, default=12)
    make.add_argument("--frames", type=int, default=200)
    make.add_argument("--seed", type=int, default=3)
    make.add_argument("--assets", default=".setup/truth/assets", help="where assets.py put them")
    pairs = commands.add_parser("compare")
    pairs.add_argument("files", type=pathlib.Path, nargs="+", help="what dmheadposejson wrote, two files of each clip")
    options = parser.parse_args()
    if options.command == "compare":
        compare(options.files)
    else:
        clips(options.out, options.people, options.frames, options.seed, options.assets,
              walking_away if options.away else turning)


if __name__ == "__main__":
    main()

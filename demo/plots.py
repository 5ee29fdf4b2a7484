# SPDX-License-Identifier: MPL-2.0
"""Draws pictures of a demo run: the angles over time, enlarged heads from every side, and a turn.

Usage: plots.py poses.jsonl clip annotated.mp4 poses.png contact-sheet.png turn.png
"""

import math
import subprocess
import sys
from statistics import median

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import picks
import poses

# More heads than this make the plot unreadable: shorter tracks are grey.
NAMED_TRACKS = 8
SHEET_COLUMNS = 6
TURN_COLUMNS = 9
# Size of the picture of a head, in sizes of its box.
CROP_SIZE = 2.2
COLORS = {"front": "#1f6fd6", "profile": "#8a4fbf", "behind": "#d62728"}
ROWS = {
    "front": "from the front: what a face tracker sees",
    "profile": "in profile: where face trackers give up",
    "behind": "from behind: no face to find",
}

PANELS = (
    ("yaw", "yaw (°)\n+ face turns to the image's left"),
    ("pitch", "pitch (°)\n+ face looks up"),
    ("roll", "roll (°)\n+ head tilts clockwise"),
)


def broken_line(track, angle, frame_time):
    """Times and angles with a NaN wherever the line must be interrupted: across frames without this head,
    and where the angle passes from +180 to -180 degrees."""
    xs, ys = [], []
    for time, head in zip(track.times, track.heads):
        if xs and (time - xs[-1] > 1.5 * frame_time or abs(head[angle] - ys[-1]) > 180):
            xs.append(time)
            ys.append(math.nan)
        xs.append(time)
        ys.append(head[angle])
    return xs, ys


def angle_limit(tracks, angle):
    """Half of the axis' range: all values fit, and the jitter of a still head is not magnified."""
    largest = max((abs(h[angle]) for track in tracks for h in track.heads), default=0)
    return min(180, max(30, 15 * math.ceil((largest + 3) / 15)))


def plot_poses(frames, path):
    tracks = poses.follow(frames)
    seconds = poses.times(frames)
    steps = [b - a for a, b in zip(seconds, seconds[1:]) if b > a]
    frame_time = median(steps) if steps else 1.0
    figure, axes = plt.subplots(len(PANELS), sharex=True, figsize=(12, 8), layout="constrained")
    for axis, (angle, label) in zip(axes, PANELS):
        for number, track in enumerate(tracks):
            named = number < NAMED_TRACKS
            axis.plot(
                *broken_line(track, angle, frame_time),
                color=f"C{number}" if named else "0.7",
                linewidth=1.4 if named else 0.8,
                # Small dots: a frame between two gaps has no line.
                marker=".",
                markersize=3,
                label=f"{track.name} (in {len(track.times)} of {len(frames)} frames)" if named else None,
                zorder=3 if named else 2,
            )
        limit = angle_limit(tracks, angle)
        axis.set_ylim(-limit, limit)
        axis.yaxis.set_major_locator(plt.MaxNLocator(nbins=8, steps=[1, 1.5, 3, 4.5, 10]))
        axis.axhline(0, color="0.4", linewidth=0.8)
        axis.grid(True, color="0.9")
        axis.set_ylabel(label)
        if angle == "yaw" and limit > 90:
            for side in (-1, 1):
                axis.axhspan(side * 90, side * limit, color="C3", alpha=0.08, linewidth=0)
            axis.text(0.995, 0.97, "shaded: seen from behind", transform=axis.transAxes,
                      ha="right", va="top", fontsize="small", color="C3")
    axes[-1].set_xlabel("time (s)")
    axes[-1].set_xlim(seconds[0], max(seconds[-1], seconds[0] + frame_time))
    axes[0].set_title("Head pose by dmheadpose")
    more = len(tracks) - NAMED_TRACKS
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper",
                  title=f"and {more} shorter ones in grey" if more > 0 else None)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def decode(video, size, wanted):
    """The wanted frames of a video as RGB arrays by number, and its number of frames; GStreamer decodes,
    rotates upright and scales them."""
    width, height = size
    command = [
        "gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "!",
        "videoconvert", "!", "videoflip", "video-direction=auto", "!", "videoconvertscale", "!",
        f"video/x-raw,format=RGB,width={width},height={height},pixel-aspect-ratio=1/1", "!",
        "fdsink", "fd=1",
    ]  # fmt: skip
    stride = -(-width * 3 // 4) * 4
    pictures, number = {}, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while len(data := process.stdout.read(stride * height)) == stride * height:
            if number in wanted:
                rows = np.frombuffer(data, np.uint8).reshape(height, stride)
                pictures[number] = rows[:, : width * 3].reshape(height, width, 3)
            number += 1
    if process.returncode != 0 or data:
        raise SystemExit(f"error: {video} could not be decoded (gst-launch-1.0 returned {process.returncode})")
    return pictures, number


def show_head(axis, picture, head):
    """An enlarged head with its box and the direction of its nose."""
    box = head["box"]
    x, y = box["x"] + box["w"] / 2, box["y"] + box["h"] / 2
    height, width = picture.shape[:2]
    half = min(CROP_SIZE * max(box["w"], box["h"]), width, height) / 2
    # At the border the view is shifted rather than filled.
    middle_x, middle_y = (min(max(m, half), size - half) for m, size in ((x, width), (y, height)))
    color = COLORS[picks.side(head)]
    axis.imshow(picture, interpolation="lanczos", extent=(0, width, height, 0))
    axis.add_patch(plt.Rectangle((box["x"], box["y"]), box["w"], box["h"], fill=False, color=color, linewidth=1.5))
    # The head's third axis points out of the nose.
    nose_x, nose_y, _ = head["rotation"][2::3]
    axis.annotate("", (x + half * 0.8 * nose_x, y + half * 0.8 * nose_y), (x, y),
                  arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 2, "shrinkA": 0, "shrinkB": 0})
    axis.set_xlim(middle_x - half, middle_x + half)
    axis.set_ylim(middle_y + half, middle_y - half)
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set(color=color, linewidth=3)


def frame_size(frames):
    return frames[0]["frame"]["width"], frames[0]["frame"]["height"]


def contact_sheet(frames, clip, video, path):
    """The frame with the most sides, as the element drew it, and beside it a row of enlarged heads per side."""
    seconds = poses.times(frames)
    chosen = {name: heads for name, heads in picks.heads_by_side(poses.follow(frames), SHEET_COLUMNS).items() if heads}
    richest = picks.richest_frame(frames)
    width, height = frame_size(frames)
    large = 1280, round(1280 * height / width)
    annotated, decoded = decode(video, large, {richest})
    if decoded != len(frames):
        raise SystemExit(f"error: {video} has {decoded} frames, but poses of {len(frames)} frames were written: both must come from the same run")
    numbers = {time: seconds.index(time) for heads in chosen.values() for time, _ in heads}
    pictures, _ = decode(clip, (width, height), set(numbers.values()))

    figure = plt.figure(figsize=(18, 7.6), layout="constrained")
    left, right = figure.subfigures(1, 2)
    if not chosen:
        right.text(0.5, 0.5, "no head was large, certain and steady enough to be shown", ha="center")
    axis = left.subplots()
    axis.imshow(annotated[richest])
    axis.axis("off")
    axis.set_title(f"{seconds[richest]:.1f} s: {len(frames[richest]['heads'])} heads, as dmheadpose drew them "
                   "(blue: front, red: behind)", fontsize=12)
    rows = right.subfigures(max(1, len(chosen)), 1, squeeze=False)[:, 0]
    for row, (name, heads) in zip(rows, chosen.items()):
        row.suptitle(ROWS[name], color=COLORS[name], fontsize=15, fontweight="bold", x=0.01, ha="left")
        axes = row.subplots(1, SHEET_COLUMNS, squeeze=False)[0]
        for axis in axes[len(heads):]:
            axis.axis("off")
        for axis, (time, head) in zip(axes, heads):
            show_head(axis, pictures[numbers[time]], head)
            axis.set_title(f"yaw {head['yaw']:+.0f}°", fontsize=11, color=COLORS[name])
            axis.set_xlabel(f"{time:.1f} s, {head['box']['w']:.0f} px", fontsize=9)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def plot_turn(frames, clip, path):
    """One head that turns past 90 degrees: enlarged pictures above its yaw. False if there is none."""
    turn = picks.find_turn(poses.follow(frames))
    if turn is None:
        return False
    track, middle = turn
    seconds = poses.times(frames)
    shown = picks.turn_heads(track, middle, TURN_COLUMNS)
    pictures, _ = decode(clip, frame_size(frames), {seconds.index(time) for time, _ in shown})

    figure = plt.figure(figsize=(14, 6.5), layout="constrained")
    grid = figure.add_gridspec(2, len(shown), height_ratios=(1, 2.2))
    for column, (time, head) in enumerate(shown):
        axis = figure.add_subplot(grid[0, column])
        show_head(axis, pictures[seconds.index(time)], head)
        axis.set_title(f"{time:.1f} s\n{head['yaw']:+.0f}°", fontsize=11, color=COLORS[picks.side(head)])
    axis = figure.add_subplot(grid[1, :])
    around = [(time, head) for time, head in zip(track.times, track.heads) if abs(time - middle) <= 2 * picks.TURN_S]
    # The angle in either direction: 180 and -180 are the same.
    axis.plot([time for time, _ in around], [abs(head["yaw"]) for _, head in around], color="0.6", zorder=2)
    axis.scatter([time for time, _ in around], [abs(head["yaw"]) for _, head in around],
                 color=[COLORS[picks.side(head)] for _, head in around], s=30, zorder=3)
    for time, head in shown:
        axis.axvline(time, color="0.85", linewidth=1, zorder=1)
    axis.axhspan(90, 200, color=COLORS["behind"], alpha=0.08, linewidth=0)
    axis.axhline(90, color=COLORS["behind"], linewidth=1, linestyle="--")
    axis.text(0.995, 0.97, "seen from behind: no face to find", transform=axis.transAxes, ha="right", va="top",
              fontsize=12, color=COLORS["behind"])
    axis.text(0.005, 0.03, "seen from the front", transform=axis.transAxes, ha="left", va="bottom",
              fontsize=12, color=COLORS["front"])
    axis.set_ylim(0, 200)
    axis.set_yticks(range(0, 181, 30))
    axis.set_xlabel("time (s)")
    axis.set_ylabel("|yaw| (°)")
    axis.grid(True, color="0.92")
    figure.suptitle(f"One head turns and keeps its number: {track.name}", fontsize=15, fontweight="bold")
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return True


def main():
    if len(sys.argv) != 7:
        raise SystemExit(__doc__)
    jsonl, clip, video, plot, sheet, turn = sys.argv[1:]
    frames = poses.read_frames(jsonl)
    if not any(frame["heads"] for frame in frames):
        raise SystemExit(f"error: no head in any of the {len(frames)} frames of {jsonl}: nothing to plot")
    plot_poses(frames, plot)
    contact_sheet(frames, clip, video, sheet)
    plot_turn(frames, clip, turn)
    print("\n".join([*poses.summary(frames), *picks.sides_summary(frames)]))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MPL-2.0
"""Pictures of a demo run: the angles over time, and a sheet of annotated frames.

Usage: plots.py poses.jsonl annotated.mp4 poses.png contact-sheet.png
"""

import math
import subprocess
import sys
from statistics import median

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import poses

# More heads than this make a plot that nobody can read: the shorter tracks become grey.
NAMED_TRACKS = 8
SHEET_COLUMNS, SHEET_ROWS = 4, 4
SHEET_CELL_WIDTH = 400  # pixels; a multiple of 4, so that RGB rows are not padded

PANELS = (
    ("yaw", "yaw (°)\n+ face turns to the image's left"),
    ("pitch", "pitch (°)\n+ face looks up"),
    ("roll", "roll (°)\n+ head tilts clockwise"),
)


def broken_line(track, angle, frame_time):
    """Times and angles with a NaN wherever the line must not go on: where frames without this head
    lie between, and where the angle passes from +180 to -180 degrees."""
    xs, ys = [], []
    for time, head in zip(track.times, track.heads):
        if xs and (time - xs[-1] > 1.5 * frame_time or abs(head[angle] - ys[-1]) > 180):
            xs.append(time)
            ys.append(math.nan)
        xs.append(time)
        ys.append(head[angle])
    return xs, ys


def angle_limit(tracks, angle):
    """Half of the axis' range: all values fit, and a calm head does not look wild."""
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


def decode(video, width, height):
    """The frames of a video as RGB arrays, decoded and scaled by GStreamer."""
    command = [
        "gst-launch-1.0", "-q", "filesrc", f"location={video}", "!", "decodebin", "!",
        "videoconvertscale", "!",
        f"video/x-raw,format=RGB,width={width},height={height},pixel-aspect-ratio=1/1", "!",
        "fdsink", "fd=1",
    ]  # fmt: skip
    size = width * height * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while len(data := process.stdout.read(size)) == size:
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)
    if process.returncode != 0 or data:
        raise SystemExit(f"error: {video} could not be decoded (gst-launch-1.0 returned {process.returncode})")


def caption(time, heads):
    lines = [f"{time:.2f} s, {len(heads)} head{'' if len(heads) == 1 else 's'}"]
    # Left to right, as they stand in the picture.
    for head in sorted(heads, key=lambda head: head["box"]["x"])[:2]:
        lines.append("  ".join(f"{angle} {round(head[angle]):+d}" for angle in ("yaw", "pitch", "roll")))
    if len(heads) > 2:
        lines[-1] += "  ..."
    return "\n".join(lines)


def contact_sheet(frames, video, path):
    size = frames[0]["frame"]
    height = round(SHEET_CELL_WIDTH * size["height"] / size["width"])
    cells = min(SHEET_COLUMNS * SHEET_ROWS, len(frames))
    wanted = {round(i * (len(frames) - 1) / max(1, cells - 1)) for i in range(cells)}
    pictures, decoded = [], 0
    for decoded, picture in enumerate(decode(video, SHEET_CELL_WIDTH, height), start=1):
        if decoded - 1 in wanted:
            pictures.append((decoded - 1, picture))
    if decoded != len(frames):
        raise SystemExit(f"error: {video} has {decoded} frames, but {len(frames)} poses were written: both must come from the same run")
    seconds = poses.times(frames)
    dpi = 100
    text_height = 56  # pixels: three lines
    figure, axes = plt.subplots(
        math.ceil(len(pictures) / SHEET_COLUMNS), SHEET_COLUMNS, squeeze=False, layout="constrained",
        figsize=(SHEET_COLUMNS * SHEET_CELL_WIDTH / dpi,
                 math.ceil(len(pictures) / SHEET_COLUMNS) * (height + text_height) / dpi),
    )  # fmt: skip
    for axis in axes.flat:
        axis.axis("off")
    for axis, (number, picture) in zip(axes.flat, pictures):
        axis.imshow(picture)
        axis.set_title(caption(seconds[number], frames[number]["heads"]), fontsize=9)
    figure.savefig(path, dpi=dpi)
    plt.close(figure)


def main():
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    jsonl, video, plot, sheet = sys.argv[1:]
    frames = poses.read_frames(jsonl)
    if not any(frame["heads"] for frame in frames):
        raise SystemExit(f"error: no head in any of the {len(frames)} frames of {jsonl}: nothing to plot")
    plot_poses(frames, plot)
    contact_sheet(frames, video, sheet)
    print("\n".join(poses.summary(frames)))


if __name__ == "__main__":
    main()

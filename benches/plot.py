# SPDX-License-Identifier: MPL-2.0
"""Plots results.csv of the benchmark end_to_end as results.png in the same folder."""

import csv
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TITLES = {
    "floor": "Element over ONNX Runtime alone",
    "upstream": "1280x720",
    "pair": "The default models, 1280x720",
    "intervals": "Intervals, 640x360, 1 head",
    "heads": "Heads, 1920x1080",
    "formats": "Formats, 1280x720, 2 heads",
    "sizes": "Frame sizes, 2 heads",
    "start": "Start to first frame",
    "schedule": "Threads and frames in flight, 2 heads",
    "streams": "Streams, 2 heads each",
}


def read(file):
    """experiment -> case -> subject -> median wall milliseconds, in the order of the file."""
    turns = {}
    with open(file, newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            case = turns.setdefault(row["experiment"], {}).setdefault(row["case"], {})
            case.setdefault(row["subject"], {})[int(row["round"])] = float(row["wall_ms"])
    return {
        experiment: {
            case: {subject: statistics.median(rounds.values())
                   for subject, rounds in sorted(subjects.items(), key=lambda item: min(item[1]))}
            for case, subjects in cases.items()
        }
        for experiment, cases in turns.items()
    }


def main():
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} FOLDER   (the one with results.csv)")
    folder = pathlib.Path(sys.argv[1])
    experiments = read(folder / "results.csv")
    figure, axes = plt.subplots(-(-len(experiments) // 2), 2, figsize=(13, 3.6 * -(-len(experiments) // 2)),
                                squeeze=False, layout="constrained")
    for axis in axes.flat[len(experiments):]:
        axis.set_visible(False)
    for axis, (name, cases) in zip(axes.flat, experiments.items()):
        labels, values, colours = [], [], []
        for number, (case, subjects) in enumerate(cases.items()):
            for subject, milliseconds in subjects.items():
                labels.append(f"{case}: {subject}" if len(cases) > 1 else subject)
                values.append(milliseconds)
                colours.append(f"C{number}")
        bars = axis.barh(labels[::-1], values[::-1], color=colours[::-1])
        axis.bar_label(bars, fmt="%.1f", padding=3, fontsize=7)
        axis.tick_params(labelsize=7)
        axis.margins(x=0.12)
        axis.set_title(TITLES.get(name, name), fontsize=10)
        axis.set_xlabel("milliseconds per frame", fontsize=8)
    figure.savefig(folder / "results.png", dpi=110)
    print(f"Plot: {folder / 'results.png'}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Who looks at the camera, and for how long? Reads the JSON lines of dmheadposejson, writes an HTML report.

    gst-launch-1.0 -q filesrc location=in.mp4 ! decodebin ! videoconvert \\
      ! videoflip video-direction=auto ! dmheadpose tracking=true smoothing=true ! dmheadposejson ! fdsink | attention.py -o attention.html

Needs Python 3.11 and nothing else. docs/attention.md explains what counts as looking.
"""

import argparse
import contextlib
import math
import pathlib
import sys

import looking
import recording
import report
from drawing import spell


def arguments():
    default = looking.Rule()
    seconds = lambda ns: ns / looking.SECOND  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("poses", nargs="?", default="-", help="file of JSON lines; default: standard input")
    parser.add_argument("-o", "--output", type=pathlib.Path, default="attention.html", help="the report (default: %(default)s)")
    parser.add_argument("--title", default="Who looks at the camera?", help="heading of the report")
    parser.add_argument("--look-angle", type=number, default=default.look_angle, metavar="DEGREES",
                        help="a look begins when the face points to within this angle of the camera (default: %(default)g)")
    parser.add_argument("--away-angle", type=number, default=default.away_angle, metavar="DEGREES",
                        help="and ends when the face points further away than this (default: %(default)g)")
    parser.add_argument("--min-duration", type=number, default=seconds(default.min_duration), metavar="SECONDS",
                        help="shorter glances, and looking away for less, do not count (default: %(default)g)")
    parser.add_argument("--max-gap", type=number, default=seconds(default.max_gap), metavar="SECONDS",
                        help="a head that is missing for longer counts as away (default: %(default)g)")
    parser.add_argument("--min-visible", type=number, default=seconds(default.min_visible), metavar="SECONDS",
                        help="heads in view for less in total are left out (default: %(default)g)")  # fmt: skip
    options = parser.parse_args()
    if not options.look_angle <= options.away_angle <= 180:
        parser.error(f"expected --look-angle <= --away-angle <= 180, found {options.look_angle:g} and {options.away_angle:g}")
    return options


def number(text):
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, found {text}")
    return value


def opened(poses):
    """The lines. Bytes that are not text spoil only their line, not the recording."""
    if poses == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        return contextlib.nullcontext(sys.stdin)
    return open(poses, encoding="utf-8", errors="replace")


def main():
    options = arguments()
    rule = looking.Rule(
        options.look_angle,
        options.away_angle,
        *(round(seconds * looking.SECOND) for seconds in (options.min_duration, options.max_gap, options.min_visible)),
    )
    try:
        with opened(options.poses) as lines:
            poses = recording.read(lines)
        people = looking.people(poses, rule)
        page = report.html(poses, people, rule, options.title)
        # A name in JSON may contain half a surrogate pair.
        options.output.write_text(page, encoding="utf-8", errors="replace")
    except (OSError, recording.RecordingError) as error:
        raise SystemExit(f"error: {'standard input' if options.poses == '-' else options.poses}: {error}") from error
    if poses.skipped:
        print(f"warning: {poses.skipped} lines left out; {poses.skipped_reason}", file=sys.stderr)
    for one in people:
        print(
            f"person {one.id}: in view {spell(one.visible)}, looked {spell(one.looking)} "
            f"({report.percent(one.looking, one.visible)}) in {report.count(len(one.looks), 'glance')}, "
            f"longest {spell(one.longest)}"
        )
    print(f"{options.output}: {len(people)} {'person' if len(people) == 1 else 'people'} in {spell(poses.duration)}")


if __name__ == "__main__":
    main()

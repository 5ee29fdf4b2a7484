#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Prints the head poses that arrive at the sinks of a pipeline.

Needs only Debian's python3-gi and gir1.2-gstreamer-1.0 (no python3-gst-1.0):

    read_meta.py "filesrc location=in.mp4 ! decodebin ! videoconvert ! dmheadpose ! fakesink"

head_poses() is the part to take along.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

HEAD_FIELDS = (
    "id", "x", "y", "w", "h", "score", "yaw", "pitch", "roll",
    "rear", "truncated", "seam", "predicted",
)


def head_dict(head):
    fields = {name: head.get_value(name) for name in HEAD_FIELDS}
    # get_value() cannot return a Gst.ValueArray to plain gi; get_array() makes a GObject.ValueArray.
    _, rotation = head.get_array("rotation")
    fields["rotation"] = [rotation.get_nth(i) for i in range(rotation.n_values)]
    return fields


def head_poses(buffer):
    """The head poses of a Gst.Buffer as a dict, or None when it carries none.

    Angles in degrees, boxes in pixels of the buffer, times in nanoseconds.
    """
    meta = buffer.get_custom_meta("DmHeadPoseMeta")
    if meta is None:
        return None
    poses = meta.get_structure()
    if poses.get_value("version") != 1:
        return None
    heads = (poses.get_value(f"head-{i}") for i in range(poses.get_value("n")))
    return {
        "width": poses.get_value("width"),
        "height": poses.get_value("height"),
        "source": poses.get_value("source"),
        "age": poses.get_value("age"),
        "inference_time": poses.get_value("inference-time"),
        "heads": [head_dict(head) for head in heads],
    }


def print_poses(_pad, info):
    buffer = info.get_buffer()
    poses = head_poses(buffer)
    time = "no time" if buffer.pts == Gst.CLOCK_TIME_NONE else f"{buffer.pts / Gst.SECOND:.3f} s"
    if poses is None:
        print(f"{time}: no poses")
        return Gst.PadProbeReturn.OK
    print(f"{time}: {len(poses['heads'])} heads ({poses['source']})")
    for head in poses["heads"]:
        print(
            "  #{id} at {x:.0f},{y:.0f} {w:.0f}x{h:.0f} score {score:.2f}: "
            "yaw {yaw:.1f} pitch {pitch:.1f} roll {roll:.1f}".format(**head)
            + (" (from behind)" if head["rear"] else "")
        )
        nose = head["rotation"][2::3]
        print("     nose towards x {:+.2f} y {:+.2f} z {:+.2f}".format(*nose))
    return Gst.PadProbeReturn.OK


def main(arguments):
    if not arguments:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    Gst.init(None)
    try:
        pipeline = Gst.parse_launch(" ".join(arguments))
    except GLib.Error as error:
        print(f"The pipeline cannot be built: {error.message}", file=sys.stderr)
        return 1
    sinks = pipeline.iterate_sinks()
    while True:
        result, sink = sinks.next()
        if result != Gst.IteratorResult.OK:
            break
        sink.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, print_poses)

    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    try:
        # Short waits, so that Ctrl-C gets through.
        message = None
        while message is None:
            message = bus.timed_pop_filtered(
                100 * Gst.MSECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS
            )
        if message.type == Gst.MessageType.ERROR:
            error, _ = message.parse_error()
            print(f"{message.src.get_name()}: {error.message}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        pass
    finally:
        pipeline.set_state(Gst.State.NULL)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

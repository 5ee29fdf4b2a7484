#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Prints the head poses in a video, one line of JSON per frame:

    head_poses.py video.mp4

Needs only Debian's python3-gi and gir1.2-gstreamer-1.0 (no python3-gst-1.0) and dmheadpose.py, which
is beside it. The lines are those of dmheadposejson with fewer fields.
"""

import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

from dmheadpose import head_poses  # noqa: E402

HEAD = (
    '{{"id":{id},"box":{{"x":{x:.3f},"y":{y:.3f},"w":{w:.3f},"h":{h:.3f}}},'
    '"yaw":{yaw:.3f},"pitch":{pitch:.3f},"roll":{roll:.3f}}}'
)


def on_frame(_sink, buffer, _pad):
    """Called by the sink, in the streaming thread, for each frame."""
    poses = head_poses(buffer)
    if poses is None:
        return  # this frame was not analysed
    pts = "null" if buffer.pts == Gst.CLOCK_TIME_NONE else buffer.pts
    heads = ",".join(HEAD.format(**head) for head in poses["heads"])
    print(f'{{"pts":{pts},"heads":[{heads}]}}', flush=True)


def play(pipeline):
    """Plays to the end; an error is raised."""
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR | Gst.MessageType.EOS
    )
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        raise message.parse_error()[0]


def main(arguments):
    if len(arguments) != 1:
        print(f"usage: {sys.argv[0]} FILE|URI", file=sys.stderr)
        return 2
    [video] = arguments
    # While a C function waits, Python would notice neither Ctrl-C nor a closed pipe.
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    Gst.init(None)
    try:
        pipeline = Gst.parse_launch(
            "uridecodebin name=source ! videoconvert ! videoflip video-direction=auto ! dmheadpose tracking=true "
            "! fakesink name=sink signal-handoffs=true"
        )
        uri = video if Gst.uri_is_valid(video) else Gst.filename_to_uri(video)
        pipeline.get_by_name("source").set_property("uri", uri)
        pipeline.get_by_name("sink").connect("handoff", on_frame)
        play(pipeline)
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

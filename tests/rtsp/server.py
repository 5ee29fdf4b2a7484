# SPDX-License-Identifier: MPL-2.0
"""A camera on this machine: serves a file of H.264 (byte stream, 25 frames a second) for ever.

    python3 server.py CLIP.h264 PORT     # 0: any free port; prints the port once it serves

The address is rtsp://127.0.0.1:PORT/camera. All clients see the same stream, as with a camera. A camera that
dies or hangs is this process, killed or stopped.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

# The parser gives the frames their times, by the rate in the caps. SPS and PPS go in front of every key
# frame, so that a clip may change its size.
LAUNCH = """( multifilesrc location="{}" loop=true
    caps=video/x-h264,stream-format=byte-stream,framerate=25/1
    ! h264parse ! rtph264pay name=pay0 config-interval=-1 )"""


def main():
    clip, port = sys.argv[1:]
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(LAUNCH.format(clip))
    factory.set_shared(True)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    server.get_mount_points().add_factory("/camera", factory)
    if not server.attach(None):
        sys.exit(f"server.py: cannot listen on port {port}")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()

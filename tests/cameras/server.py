# SPDX-License-Identifier: MPL-2.0
"""A camera on this machine: serves a clip as rtsp://127.0.0.1:PORT/stream.

    python3 server.py PORT CLIP [--lose-udp]     # port 0: any free port; prints the port when it is ready

A byte stream (CLIP.h264, 25 frames a second) repeats endlessly, and all clients see the same part of it, as with a
camera. An .mp4 is played once, from its beginning, for each client. A camera that dies or hangs is this process,
killed or stopped; with --lose-udp its UDP packets are lost, as behind a firewall.
Needs python3-gi and gir1.2-gst-rtsp-server-1.0.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

# The parser timestamps the frames of a byte stream by the frame rate in the caps.
ENDLESS = 'multifilesrc location="{}" loop=true caps=video/x-h264,stream-format=byte-stream,framerate=25/1'
ONCE = 'filesrc location="{}" ! qtdemux'
# SPS and PPS go in front of every key frame, so that a clip may change its size.
PAYLOADER = "h264parse ! rtph264pay name=pay0 config-interval=-1"


def lose_udp(_factory, media):
    """The UDP sink is added to the pipeline when a client requests it."""
    def added(_pipeline, _bin, element):
        if element.get_factory() and element.get_factory().get_name() == "multiudpsink":
            pad = element.get_static_pad("sink")
            pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, lambda *_: Gst.PadProbeReturn.DROP)

    media.connect("prepared", lambda media: media.get_element().get_parent().connect("deep-element-added", added))


def main():
    port, clip, *options = sys.argv[1:]
    endless = clip.endswith(".h264")
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(f"( {(ENDLESS if endless else ONCE).format(clip)} ! {PAYLOADER} )")
    factory.set_shared(endless)
    if options == ["--lose-udp"]:
        factory.connect("media-configure", lose_udp)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    server.get_mount_points().add_factory("/stream", factory)
    if not server.attach(None):
        sys.exit(f"server.py: cannot listen on port {port}")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()

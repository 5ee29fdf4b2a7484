# SPDX-License-Identifier: MPL-2.0
"""A camera on this machine: shows a clip as rtsp://127.0.0.1:PORT/stream.

    python3 server.py PORT CLIP [--lose-udp]     # port 0: any that is free; prints the port once it serves

A byte stream (CLIP.h264, 25 frames a second) goes on for ever, and all clients see the same of it, as with a
camera. An .mp4 is shown once, from its beginning, to each client. A camera that dies or hangs is this process,
killed or stopped; with --lose-udp what it sends by UDP gets lost, as in a firewall.
Needs python3-gi and gir1.2-gst-rtsp-server-1.0.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

# The parser gives the frames of a byte stream their times, by the rate in the caps.
ENDLESS = 'multifilesrc location="{}" loop=true caps=video/x-h264,stream-format=byte-stream,framerate=25/1'
ONCE = 'filesrc location="{}" ! qtdemux'
# SPS and PPS go in front of every key frame, so that a clip may change its size.
PAYLOADER = "h264parse ! rtph264pay name=pay0 config-interval=-1"


def lose_udp(_factory, media):
    """What sends by UDP comes into the pipeline when a client asks for it."""
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

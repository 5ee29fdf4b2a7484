#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""An RTSP camera on this machine: rtsp_camera.py CLIP.mp4 serves the clip as rtsp://127.0.0.1/stream, once a viewer.
Needs python3-gi and gir1.2-gst-rtsp-server-1.0."""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f'( filesrc location="{sys.argv[1]}" ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 )')
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("554")
server.get_mount_points().add_factory("/stream", factory)
if not server.attach(None):
    sys.exit("rtsp_camera: cannot serve on port 554")
GLib.MainLoop().run()

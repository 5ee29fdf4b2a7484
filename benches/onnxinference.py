# SPDX-License-Identifier: MPL-2.0
"""Compares GStreamer's own onnxinference with dmheadpose: the pose network on one picture of its input size.

Neither detects or resizes anything. Needs GStreamer 1.28 with its onnx plugin: benches/onnxinference.sh provides it.

    onnxinference.py POSE_MODEL LIBONNXRUNTIME [--rounds N] [--frames N]
"""

import argparse
import statistics
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstVideo

SIZE = 224
PICTURE = bytes(range(256)) * (SIZE * SIZE * 3 // 256)


class Subject:
    """`appsrc ! ELEMENT ! fakesink`, playing."""

    def __init__(self, element):
        caps = f"video/x-raw,format=RGB,width={SIZE},height={SIZE},framerate=25/1"
        self.pipeline = Gst.parse_launch(
            f"appsrc name=source format=time max-bytes=0 caps={caps} ! {element} "
            "! fakesink name=sink sync=false signal-handoffs=true")
        self.source = self.pipeline.get_by_name("source")
        self.arrived = threading.Semaphore(0)
        self.pipeline.get_by_name("sink").connect("handoff", lambda *_: self.arrived.release())
        self.pipeline.set_state(Gst.State.PLAYING)
        self.sent = 0
        self.run(3)

    def run(self, frames):
        """Milliseconds per frame."""
        start = time.perf_counter()
        for _ in range(frames):
            buffer = Gst.Buffer.new_wrapped(PICTURE)
            buffer.pts = self.sent * 40 * Gst.MSECOND
            GstVideo.buffer_add_video_region_of_interest_meta(buffer, "head", 0, 0, SIZE, SIZE)
            self.sent += 1
            self.source.emit("push-buffer", buffer)
        for _ in range(frames):
            while not self.arrived.acquire(timeout=1):
                message = self.pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
                if message:
                    error, details = message.parse_error()
                    sys.exit(f"error: {message.src.get_name()}: {error.message} ({details})")
        return (time.perf_counter() - start) / frames * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pose_model")
    parser.add_argument("onnxruntime")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--frames", type=int, default=20)
    arguments = parser.parse_args()
    Gst.init(None)
    stock = f"onnxinference model-file={arguments.pose_model}"
    own = (f"dmheadpose heads-from=roi-meta pose-model={arguments.pose_model} "
           f"onnxruntime-library={arguments.onnxruntime} pipeline-depth=1")
    subjects = {
        "dmheadpose": Subject(own),
        "onnxinference, its defaults": Subject(stock),
        "onnxinference, all optimisations": Subject(f"{stock} optimization-level=enable-all"),
    }
    times = {name: [] for name in subjects}
    for _ in range(arguments.rounds):
        for name, subject in subjects.items():
            times[name].append(subject.run(arguments.frames))
    for name, each in times.items():
        ratio = statistics.median(a / b for a, b in zip(each, times["dmheadpose"]))
        print(f"{name:34} {statistics.median(each):7.2f} ms per frame  x{ratio:.2f}")


if __name__ == "__main__":
    main()

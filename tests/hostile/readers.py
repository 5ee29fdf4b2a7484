# SPDX-License-Identifier: MPL-2.0
"""Compares the results of examples/python/dmheadpose.py for hostile metas with those of the C header:

    readers.py LIBRARY FIRST COUNT    (the library is tests/c/hostile_meta.c)
"""

import ctypes
import pathlib
import struct
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/python"))
import dmheadpose  # noqa: E402


def text_of(poses):
    """In the format of hostile_read()."""
    if poses is None:
        return "none"
    times = [Gst.CLOCK_TIME_NONE if poses[name] is None else poses[name] for name in ("age", "inference_time")]
    lines = [[poses["width"], poses["height"], dmheadpose.SOURCES.index(poses["source"]), *times]]
    for head in poses["heads"]:
        uncertainty = -1.0 if head["uncertainty"] is None else head["uncertainty"]
        numbers = [*(head[name] for name in dmheadpose.NUMBERS), uncertainty]
        numbers = [struct.pack(">f", number).hex() for number in numbers]
        lines.append([head["id"], *numbers, *(int(head[name]) for name in dmheadpose.FLAGS)])
    return "\n".join(" ".join(map(str, line)) for line in lines)


def main(library, first, count):
    Gst.init(None)
    hostile = ctypes.CDLL(library)
    hostile.hostile_attach.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
    hostile.hostile_read.argtypes = [ctypes.c_void_p]
    hostile.hostile_read.restype = ctypes.c_void_p
    hostile.g_free.argtypes = [ctypes.c_void_p]
    for number in range(int(first), int(first) + int(count)):
        buffer = Gst.Buffer.new()
        # The hash of such an object is its address.
        hostile.hostile_attach(hash(buffer), number)
        text = hostile.hostile_read(hash(buffer))
        expected = ctypes.string_at(text).decode()
        hostile.g_free(text)
        found = text_of(dmheadpose.head_poses(buffer))
        if found != expected:
            sys.exit(f"meta {number}: C reads\n{expected}\nand Python\n{found}")
    print(f"{count} metas")


if __name__ == "__main__":
    main(*sys.argv[1:])

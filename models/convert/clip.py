# SPDX-License-Identifier: MPL-2.0
"""Cuts off the beginning of an AVI file without decoding it: the demo runs on the last 32 seconds of its clip.

    python3 models/convert/clip.py vtest.avi people.avi

The result begins with the first key frame at or after FIRST_FRAME.
"""

import pathlib
import struct
import sys

FIRST_FRAME = 480
KEY_FRAME = 0x10  # AVIIF_KEYFRAME
HEADER = 8  # every chunk: name and length


def chunks(data, start, end):
    """Name and position of each RIFF chunk; its length excludes the padding to an even number."""
    while start + HEADER <= end:
        name, length = struct.unpack_from("<4sI", data, start)
        yield name, start, length
        start += HEADER + length + length % 2


def chunk(name, content):
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)


def cut(data):
    if data[:4] != b"RIFF" or data[8:12] != b"AVI ":
        raise SystemExit(f"clip: expected an AVI file, found one that begins with {data[:12]!r}")
    headers, movie, index = b"", None, None
    for name, start, length in chunks(data, 12, len(data)):
        content = slice(start + HEADER, start + HEADER + length)
        if name == b"LIST" and data[start + HEADER:start + 12] == b"movi":
            movie = start + 12, start + HEADER + length
        elif name == b"idx1":
            index = data[content]
        else:
            headers += chunk(name, data[content])
    if movie is None or index is None:
        raise SystemExit("clip: expected an AVI file with frames (movi) and an index (idx1), found one without")

    frames = [(name, data[start + HEADER:start + HEADER + length], flags)
              for (name, start, length), (_, flags, _, _) in zip(chunks(data, *movie),
                                                                 struct.iter_unpack("<4sIII", index))]
    first = next((number for number, (_, _, flags) in enumerate(frames)
                  if number >= FIRST_FRAME and flags & KEY_FRAME), None)
    if first is None:
        raise SystemExit(f"clip: expected a key frame after frame {FIRST_FRAME}, found none in {len(frames)} frames")
    body, entries = b"movi", b""
    for name, content, flags in frames[first:]:
        entries += struct.pack("<4sIII", name, flags, len(body), len(content))
        body += chunk(name, content)
    inside = b"AVI " + headers + chunk(b"LIST", body) + chunk(b"idx1", entries)
    return chunk(b"RIFF", inside)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = map(pathlib.Path, sys.argv[1:])
    target.write_bytes(cut(source.read_bytes()))


if __name__ == "__main__":
    main()

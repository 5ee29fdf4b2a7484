# SPDX-License-Identifier: MPL-2.0
"""Converts any picture to an RGB PNG, so that every reader gets the same pixels.

Usage: picture.py PICTURE.jpg PICTURE.png

JPEG decoders differ by a level in places, which changes the results of pose models. The PNG is written
uncompressed: compressed bytes would depend on the version of zlib, and its hash is pinned.
"""

import struct
import sys
import zlib

from PIL import Image

STORED_MAX = 0xFFFF  # bytes in one stored deflate block


def stored_zlib(data):
    """A zlib stream that stores the data uncompressed."""
    blocks = [data[i:i + STORED_MAX] for i in range(0, len(data), STORED_MAX)] or [b""]
    parts = [b"\x78\x01"]
    for number, block in enumerate(blocks, 1):
        parts.append(struct.pack("<BHH", number == len(blocks), len(block), len(block) ^ 0xFFFF))
        parts.append(block)
    parts.append(struct.pack(">I", zlib.adler32(data)))
    return b"".join(parts)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def convert(source, target):
    with Image.open(source) as image:
        rgb = image.convert("RGB")
    pixels, stride = rgb.tobytes(), rgb.width * 3
    # Filter type 0 in front of every row.
    rows = b"".join(b"\0" + pixels[y * stride:(y + 1) * stride] for y in range(rgb.height))
    with open(target, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", rgb.width, rgb.height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", stored_zlib(rows)))
        file.write(chunk(b"IEND", b""))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    convert(sys.argv[1], sys.argv[2])

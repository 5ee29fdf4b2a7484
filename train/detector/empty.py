# SPDX-License-Identifier: MPL-2.0
"""Pictures of what is no head, from Debian's packages: wallpapers, and cut-out things for children to stamp.

    apt-get install --no-install-recommends plasma-workspace-wallpapers gnome-backgrounds mate-backgrounds \\
      ukui-wallpapers lomiri-wallpapers-20.04 lomiri-wallpapers-16.04 tuxpaint-stamps-default
    train/venv/bin/python train/detector/empty.py OUT

Writes OUT/train and OUT/val, JPEG pictures, every fourth for `val`, and OUT/objects, PNG pictures.
"""

import argparse
import re
import subprocess
from pathlib import Path

import cv2
import numpy as np

WALLPAPERS = (
    "plasma-workspace-wallpapers gnome-backgrounds mate-backgrounds ukui-wallpapers lomiri-wallpapers-20.04 lomiri-wallpapers-16.04"
)
# Painted people.
PEOPLE = re.compile("wallpapers/(Autumn|SafeLanding)/")
STAMPS = re.compile(
    "stamps/(animals|food|plants|household|vehicles|space|sports|hobbies|medical|symbols/(money|music|chess)|seasonal"
    "|naturalforces|town/roadsigns)"
)
# Faces and what stands for one, helmets, drivers.
HEADS = re.compile(
    "halloween|faces|people|00_symbols|iguana|apes/chimp|German_Christmas|[Ss]anta|spacewalk|football_helmet|money/us"
    "|construction/dumper|tux_tractor"
)
WALLPAPER_SIDE, STAMP_SIDE = 768, 200


def files(package):
    listed = subprocess.run(["dpkg", "-L", package], check=True, capture_output=True, text=True).stdout
    pictures = (Path(line) for line in listed.splitlines() if re.search(r"\.(jpe?g|png|webp)$", line, re.I))
    return [path for path in pictures if path.is_file()]


def wallpapers():
    """The largest picture of each; of one motif there are many sizes."""
    largest = {}
    for path in (path for package in WALLPAPERS.split() for path in files(package)):
        motif, size = path.parent if "contents" in path.parts else path, path.stat().st_size
        if size > 100_000 and size > largest.get(motif, (0, None))[0]:
            largest[motif] = size, path
    return [path for _, path in largest.values()]


def shrunk(image, side):
    scale = min(1, side / max(image.shape[:2]))
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def cut_out(path):
    """What is opaque of a stamp; None if it has no transparency or is too small."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim < 3 or image.shape[2] < 4:
        return None
    if image.dtype != np.uint8:
        image = (image / 257).astype(np.uint8)
    opaque = image[..., 3] > 128
    if opaque.mean() < 0.05:
        return None
    y, x = np.nonzero(opaque)
    image = shrunk(image[y.min() : y.max() + 1, x.min() : x.max() + 1], STAMP_SIDE)
    return image if min(image.shape[:2]) >= 12 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    for part in ("train", "val", "objects"):
        (out / part).mkdir(parents=True)
    images = [(path, image) for path in wallpapers() if (image := cv2.imread(str(path))) is not None]
    for number, (path, image) in enumerate(images):
        if not PEOPLE.search(str(path)):
            file = out / ("train" if number % 4 else "val") / f"{number:03}.jpg"
            cv2.imwrite(str(file), shrunk(image, WALLPAPER_SIDE), [cv2.IMWRITE_JPEG_QUALITY, 90])
    stamps = [path for path in files("tuxpaint-stamps-default") if STAMPS.search(str(path)) and not HEADS.search(str(path))]
    things = [image for path in stamps if (image := cut_out(path)) is not None]
    for number, image in enumerate(things):
        cv2.imwrite(str(out / "objects" / f"{number:03}.png"), image)
    counts = ", ".join(f"{len(list((out / part).iterdir()))} in {part}" for part in ("train", "val", "objects"))
    print(f"empty: {counts}")


if __name__ == "__main__":
    main()

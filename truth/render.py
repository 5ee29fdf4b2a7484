# SPDX-License-Identifier: MPL-2.0
"""Renders people at known head poses: pictures and a heads.csv that dmheadpose-eval reads.

    python3 truth/render.py OUT --people test --count 700 --seed 1

The same people, count and seed give the same pictures, whatever --jobs is. See README.md.
"""

import argparse
import concurrent.futures
import csv
import os
import pathlib
import sys

import cv2
import numpy as np

import assets as parts
from geometry import about, angles, rotation
import people
import raster

SIDE = 320
OVERSAMPLING = 2
SHADOW = 320
# Deviation of how far heads nod, in degrees. A profile that nods by n has a yaw of 90 - n or 90 + n and a
# pitch near +-90: where errors of yaw are to be read, nods are small.
NOD = {"train": 12, "fit": 5, "test": 5}
COLUMNS = ["file", "x", "y", "w", "h", "yaw", "pitch", "roll", "person", "hair", "split", "attributes"]
# From the base mesh (y up) to the convention's axes (y down).
DOWN = np.diag([1.0, -1.0, 1.0])
# The pitch of the base mesh in rest pose, in degrees (README.md, "Convention").
REST = -3.0


def turned(vectors, axis_angle, share):
    """Vectors turned by a share of a rotation each (Rodrigues)."""
    angle = np.linalg.norm(axis_angle)
    if angle < 1e-9:
        return vectors
    axis = axis_angle / angle
    s, c = np.sin(angle * share)[:, None], np.cos(angle * share)[:, None]
    along = vectors @ axis
    return vectors * c + np.cross(axis, vectors) * s + axis * along[:, None] * (1 - c)


def background(rng):
    """Something behind the head: surfaces, edges, noise of all sizes; out of focus more or less."""
    if PICTURES and rng.random() < 0.7:
        return photograph(rng)
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    colourful = rng.uniform(0, 0.18)

    def colour():
        return np.clip(rng.uniform(0, 1) + rng.normal(0, colourful, 3), 0, 1)

    a, b, c = colour(), colour(), colour()
    image += a + (b - a) * y[..., None] + (c - a) * 0.5 * x[..., None]
    for _ in range(rng.integers(0, 16)):
        paint = [float(v) for v in colour()]
        p, q = rng.integers(-60, SIDE + 60, 2), rng.integers(-60, SIDE + 60, 2)
        p, q = [tuple(int(v) for v in point) for point in (p, q)]
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(image, p, q, paint, -1)
        elif kind == 1:
            cv2.line(image, p, q, paint, int(rng.integers(1, 16)))
        elif kind == 2:
            size = tuple(int(v) for v in rng.integers(5, 90, 2))
            cv2.ellipse(image, p, size, float(rng.uniform(0, 180)), 0, 360, paint, -1)
        else:
            cv2.fillPoly(image, [rng.integers(-40, SIDE + 40, (int(rng.integers(3, 6)), 2)).astype(np.int32)], paint)
    for size in (4, 12, 40, 120):
        noise = rng.normal(0, 1, (size, size, 1)) + colourful * rng.normal(0, 1, (size, size, 3))
        noise = noise.astype(np.float32)
        image += rng.uniform(0, 0.08) * cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 7)))
    return np.clip(image, 0, 1) ** 2.2


def photograph(rng):
    """A piece of one of the pictures of --backgrounds, mirrored and blurred at random."""
    image = cv2.imread(PICTURES[rng.integers(len(PICTURES))])
    side = int(min(image.shape[:2]) * rng.uniform(0.4, 1))
    y, x = (int(rng.integers(0, extent - side + 1)) for extent in image.shape[:2])
    image = cv2.resize(image[y:y + side, x:x + side], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 6)))
    # The renderer's pixels are linear light, RGB.
    return np.clip(image[..., ::-1] / 255 * rng.uniform(0.5, 1.2), 0, 1).astype(np.float32) ** 2.2


def picture(person, rng, yaw, spread, tall=None):
    """An image (BGR, 8 bits), the head's box, its rotation and what varied; `tall`: about its height in pixels."""
    # The camera looks down by `above`; the head is turned against the trunk.
    above = rng.uniform(-10, 18) if rng.random() < 0.8 else rng.uniform(15, 35)
    if ABOVE:
        above = rng.uniform(*ABOVE)
    aside = np.clip(rng.normal(0, 22), -55, 55)
    nod, tilt = np.clip(rng.normal(0, spread), -2.5 * spread, 2.5 * spread), np.clip(rng.normal(0, 7), -20, 20)
    trunk = rotation(yaw - aside, -above, 0)
    head = rotation(aside, 0, 0) @ about(0, nod) @ about(2, tilt)
    pose = trunk @ head @ about(0, REST)
    axis_angle = cv2.Rodrigues(DOWN @ head @ DOWN)[0][:, 0]
    view = DOWN @ trunk @ DOWN
    points = person.pivot + turned(person.points - person.pivot, axis_angle, person.head)
    centre = person.pivot + turned((person.centre - person.pivot)[None], axis_angle, np.ones(1))[0]
    points = (points - centre) @ view.T
    normals = turned(person.normals, axis_angle, person.head) @ view.T

    any_size = float(np.exp(rng.uniform(np.log(52), np.log(165))))
    tall = any_size if tall is None else tall
    distance = float(np.exp(rng.uniform(np.log(7), np.log(40))))
    focal = tall * OVERSAMPLING * distance / 2.6
    side = SIDE * OVERSAMPLING
    middle = side * np.array([0.5 + rng.uniform(-0.07, 0.07), 0.43 + rng.uniform(-0.05, 0.05)])
    depth = distance - points[:, 2]
    screen = np.stack([middle[0] + focal * points[:, 0] / depth, middle[1] - focal * points[:, 1] / depth,
                       depth], 1).astype(np.float32)
    mesh = (person.triangles, person.uvs, person.texture, person.textures)
    _, index, weights = raster.visible(screen, *mesh, side, side)

    from_side, from_above = np.radians(rng.uniform(-120, 120)), np.radians(rng.uniform(-5, 70))
    light = np.array([np.sin(from_side) * np.cos(from_above), np.sin(from_above),
                      np.cos(from_side) * np.cos(from_above)])
    right = np.cross([0.0, 1.0, 0.0], light)
    right /= np.linalg.norm(right)
    up = np.cross(light, right)
    zoom = SHADOW / 7.0
    to_light = np.zeros((3, 4))
    to_light[0, :3], to_light[1, :3], to_light[2, :3] = right * zoom, -up * zoom, -light
    to_light[:, 3] = SHADOW / 2, SHADOW / 2 - 0.8 * zoom, 100
    seen = (points @ to_light[:, :3].T + to_light[:, 3]).astype(np.float32)
    shadow, _, _ = raster.visible(seen, *mesh, SHADOW, SHADOW)
    warm = 1 + rng.normal(0, 0.08) * np.array([1, 0, -1])
    ambient = rng.uniform(0.12, 0.7) * (1 + rng.normal(0, 0.06) * np.array([1, 0, -1]))
    colours = raster.shade(
        index, weights, points.astype(np.float32), normals.astype(np.float32), *mesh, person.tint,
        person.gloss, light.astype(np.float32), ambient.astype(np.float32),
        (rng.uniform(0.15, 1.4) * warm).astype(np.float32), np.full(3, rng.uniform(0, 0.4), np.float32),
        to_light, shadow)

    rows, columns = np.nonzero((index >= 0) & person.boxed[np.maximum(index, 0)])
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / OVERSAMPLING
    colours = cv2.resize(colours, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    cover = colours[..., 3:]
    level = colours[..., :3].sum() / 3 / max(cover.sum(), 1)
    gain = rng.uniform(0.10, 0.30) / max(level, 0.02)
    image = np.clip(colours[..., :3] * gain + background(rng) * (1 - cover), 0, 1)[..., ::-1]
    image = 255 * image ** (1 / rng.uniform(1.9, 2.5))
    blur = float(rng.uniform(0, 0.011) * tall) if rng.random() < 0.7 else 0.0
    if blur > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    if rng.random() < 0.1:
        length = int(rng.uniform(0.02, 0.06) * tall)
        if length > 1:
            image = cv2.blur(image, (length, 1) if rng.random() < 0.7 else (1, length))
    noise = float(rng.uniform(0, 7))
    image = image + rng.normal(0, noise, image.shape[:2])[..., None] + rng.normal(0, noise / 2, image.shape)
    varied = {"style": person.style, "above": f"{above:.0f}", "light": f"{np.degrees(from_side):.0f}",
              "blur": f"{blur:.1f}", "noise": f"{noise:.0f}"}
    return np.clip(image + 0.5, 0, 255).astype(np.uint8), box, pose, varied


def start(folder, pictures, above=None):
    global ASSETS, PICTURES, ABOVE
    cv2.setNumThreads(1)
    PICTURES, ABOVE = pictures, above
    ASSETS = parts.Assets(folder)


def render_person(out, split, number, seed, count, first):
    """All pictures of one person; their rows."""
    person = people.make(ASSETS, split, number, seed)
    rng = np.random.default_rng([seed, 7, people.SPLITS.index(split), number])
    yaws = rng.permutation(-180 + 360 * (np.arange(count) + rng.random(count)) / count)
    rows = []
    for n, yaw in enumerate(yaws):
        rng = np.random.default_rng([seed, 8, people.SPLITS.index(split), number, n])
        image, box, pose, varied = picture(person, rng, yaw, NOD[split])
        quality = int(rng.integers(35, 96))
        name = f"images/{split}-{first + n:06}.jpg"
        cv2.imwrite(str(out / name), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        x, y, right, bottom = box
        varied["jpeg"] = quality
        rows.append([name, *(f"{v:.1f}" for v in (x, y, right - x, bottom - y)),
                     *(f"{v:.3f}" for v in angles(pose)), person.name, person.hair, split,
                     ";".join(f"{key}={value}" for key, value in varied.items())])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path, help="folder for images/ and heads.csv; it must not exist")
    parser.add_argument("--people", nargs="+", choices=people.SPLITS, default=["fit", "test"],
                        help="who is rendered; no two of these share a person or a hairstyle")
    parser.add_argument("--count", type=int, default=600, help="pictures of each")
    parser.add_argument("--each", type=int, default=24, help="pictures of one person")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--assets", default=".setup/truth/assets", help="where assets.py put them")
    parser.add_argument("--backgrounds", type=pathlib.Path,
                        help="a folder of JPEG pictures without people to put behind most heads")
    parser.add_argument("--above", type=float, nargs=2, metavar=("LOW", "HIGH"),
                        help="how far cameras look down, in degrees; default: mostly -10 to 18, at times up to 35")
    options = parser.parse_args()
    parts.fetch(options.assets)
    if options.out.exists():
        sys.exit(f"truth: {options.out}: expected a folder that does not exist yet. Remove it or name another.")
    (options.out / "images").mkdir(parents=True)
    tasks = []
    for split in options.people:
        for first in range(0, options.count, options.each):
            tasks.append((options.out, split, first // options.each, options.seed,
                          min(options.each, options.count - first), first))
    pictures = sorted(str(file) for file in options.backgrounds.glob("*.jpg")) if options.backgrounds else []
    if options.backgrounds and not pictures:
        sys.exit(f"truth: --backgrounds {options.backgrounds}: expected .jpg files in it, found none.")
    done = 0
    with (concurrent.futures.ProcessPoolExecutor(options.jobs, initializer=start, initargs=(options.assets, pictures, options.above)) as pool,
          open(options.out / "heads.csv", "w", newline="") as file):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for rows in pool.map(render_person, *zip(*tasks)):
            table.writerows(rows)
            file.flush()
            done += len(rows)
            print(f"\rtruth: {done} of {options.count * len(options.people)} pictures", end="", flush=True)
    print(f"\ntruth: {options.out}/heads.csv")


if __name__ == "__main__":
    main()

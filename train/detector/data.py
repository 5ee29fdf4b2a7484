# SPDX-License-Identifier: MPL-2.0
"""Pictures with head boxes, and what is done to them before the network sees them.

`annotations.json` holds a list of pictures: `file`, `width`, `height`, `source`, `licence`, `split` ("train" or
"val") and `boxes`, each `[x, y, width, height, ignore]` in pixels. A box with ignore = 1 is neither a positive nor a
negative.
"""

import csv
import json
import math
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

# Heads below this many pixels in the augmented picture are ignored: too small to learn from.
MIN_HEAD = 6.0
PAD_LEVEL = 0
# Painted distractors begin at this sample (step 2250): the network sees heads first.
DISTRACTORS_FROM = 2250 * 64

# The second cycle of the schedule begins at this step: rendered people join, heads may be smaller.
SECOND_CYCLE = 6500
SECOND_FROM = SECOND_CYCLE * 64

# The third one begins at this step: with pictures of things, and cut-out things, that are no heads. Of each batch the
# first PAIRED pictures are pairs, the same picture twice, as it might come a frame later.
THIRD_CYCLE = 11500
THIRD_FROM = THIRD_CYCLE * 64
PAIRED = 8

# How often a source is drawn, relative to its number of pictures. SCUT-HEAD A shows a few rooms again and again;
# pictures without people are few and hold the false detections down.
WEIGHTS = {"SCUT-HEAD A": 0.5, "ImageNet": 4.0, "empty": 4.0}
# One picture in six of the second cycle is a rendered one, however many there are.
RENDERED_SHARE = 1 / 6


def load(root, split, licensed_only=False):
    """The annotated pictures of `split`; with `licensed_only`, those whose source states a licence."""
    pictures = json.loads((Path(root) / "annotations.json").read_text())
    pictures = [p for p in pictures if p["split"] == split]
    if licensed_only:
        pictures = [p for p in pictures if not p["licence"].lower().startswith("none")]
    for picture in pictures:
        picture["boxes"] = np.array(picture["boxes"], np.float32).reshape(-1, 5)
    return pictures


def load_rendered(root):
    """The pictures of `truth/render.py --backgrounds`, each with one head."""
    with (Path(root) / "heads.csv").open() as file:
        return [
            {
                "file": str(Path(root).resolve() / row["file"]),
                "source": "rendered",
                "boxes": np.array([[*(float(row[key]) for key in "xywh"), 0]], np.float32),
            }
            for row in csv.DictReader(file)
        ]


def load_empty(root):
    """All JPEG pictures of a folder; none has a head in it."""
    none = np.zeros((0, 5), np.float32)
    return [{"file": str(file.resolve()), "source": "empty", "boxes": none} for file in sorted(Path(root).glob("*.jpg"))]


def load_objects(root):
    """Cut-out pictures of things that are no heads: PNG files, transparent around them."""
    return [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in sorted(Path(root).glob("*.png"))]


def source_weight(source):
    return next((w for name, w in WEIGHTS.items() if source.startswith(name)), 1.0)


def ellipse_bounds(boxes, matrix):
    """Bounding boxes of the ellipses inscribed in `boxes` (x, y, w, h) after the affine map `matrix`."""
    centre = boxes[:, :2] + boxes[:, 2:4] / 2
    centre = centre @ matrix[:, :2].T + matrix[:, 2]
    half = boxes[:, 2:4] / 2
    # The half extent of a mapped ellipse along an axis is the norm of the mapped half axes' components.
    extent = np.sqrt((half**2) @ (matrix[:, :2] ** 2).T)
    return np.concatenate([centre - extent, 2 * extent], 1)


def distract(rng, image, boxes):
    """Paints round things of the size of heads where no head is: lenses, knobs, balls, helmets on a shelf."""
    size = image.shape[0]
    for _ in range(int(rng.integers(1, 7))):
        w = math.exp(rng.uniform(math.log(8), math.log(72)))
        h = w * math.exp(rng.normal(0, 0.25))
        x, y = rng.uniform(0, size - w), rng.uniform(0, size - h)
        box = np.array([x - 2, y - 2, w + 4, h + 4, 0], np.float32)
        if len(boxes) and overlap(boxes, box).max() > 0:
            continue
        shade = rng.uniform(0, 60) if rng.random() < 0.6 else rng.uniform(0, 255)
        colour = np.clip(shade + rng.normal(0, 12 if rng.random() < 0.7 else 60, 3), 0, 255)
        layer = image.copy()
        centre, axes = (int(x + w / 2), int(y + h / 2)), (max(2, int(w / 2)), max(2, int(h / 2)))
        turn = rng.uniform(-30, 30)
        if rng.random() < 0.75:
            cv2.ellipse(layer, centre, axes, turn, 0, 360, colour.tolist(), -1, cv2.LINE_AA)
        else:
            cv2.rectangle(layer, (int(x), int(y)), (int(x + w), int(y + h)), colour.tolist(), -1)
        if rng.random() < 0.5:  # a ring, a shine or a second colour
            inner = np.clip(colour + rng.normal(0, 70, 3), 0, 255).tolist()
            at = (int(x + w * rng.uniform(0.3, 0.7)), int(y + h * rng.uniform(0.3, 0.7)))
            part = rng.uniform(0.15, 0.6)
            thickness = -1 if rng.random() < 0.7 else max(1, int(w / 12))
            cv2.ellipse(layer, at, (max(1, int(axes[0] * part)), max(1, int(axes[1] * part))), 0, 0, 360, inner, thickness, cv2.LINE_AA)
        if rng.random() < 0.5:
            layer = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 1.2))
        x0, y0, x1, y1 = (int(v) for v in (max(x - 1, 0), max(y - 1, 0), min(x + w + 2, size), min(y + h + 2, size)))
        image[y0:y1, x0:x1] = layer[y0:y1, x0:x1]


def scatter(rng, image, boxes, objects):
    """Puts things where no head is."""
    size = image.shape[0]
    for _ in range(int(rng.integers(1, 6))):
        thing = objects[rng.integers(len(objects))]
        side = math.exp(rng.uniform(math.log(10), math.log(size / 2)))
        scale = side / math.sqrt(thing.shape[0] * thing.shape[1])
        radians, middle = rng.normal(0, 0.4), rng.uniform(0, size, 2)
        turn = np.array([[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]])
        linear = scale * turn @ np.diag([1 if rng.random() < 0.5 else -1, 1])
        centre = np.array(thing.shape[1::-1]) / 2
        reach = np.abs(linear) @ centre
        box = np.array([*(middle - reach), *(2 * reach), 0], np.float32)
        if len(boxes) and overlap(boxes, box).max() > 0:
            continue
        if scale < 0.6:
            thing = cv2.blur(thing, (max(1, round(0.7 / scale)),) * 2)
        matrix = np.concatenate([linear, (middle - linear @ centre)[:, None]], 1)
        laid = cv2.warpAffine(thing, matrix, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32)
        cover = laid[..., 3:] / 255
        image[:] = (laid[..., :3] * cover + image * (1 - cover)).astype(np.uint8)


class HeadCrops(Dataset):
    """Endless augmented crops; sample i of a seed is always the same."""

    def __init__(self, root, pictures, rendered, objects, seed, length):
        self.objects = objects
        self.photographs, self.pictures, self.seed, self.length = len(pictures), pictures + rendered, seed, length
        weights = np.array([source_weight(p["source"]) for p in pictures])
        self.weights = np.cumsum(weights) / weights.sum()
        self.encoded = [np.fromfile(Path(root) / p["file"], np.uint8) for p in self.pictures]
        self.second = False

    def __len__(self):
        return self.length

    def draw(self, rng):
        rendered = len(self.pictures) - self.photographs
        if self.second and rendered and rng.random() < RENDERED_SHARE:
            index = self.photographs + int(rng.integers(rendered))
        else:
            index = min(int(np.searchsorted(self.weights, rng.random())), self.photographs - 1)
        image = cv2.imdecode(self.encoded[index], cv2.IMREAD_COLOR)
        return image, self.pictures[index]["boxes"]

    def __getitem__(self, item):
        index, size = item
        if index < THIRD_FROM or index % 64 >= PAIRED:
            image, boxes = self.sample(index, size)
        else:
            image, boxes = shake(np.random.default_rng((self.seed, index, 2)), *self.sample(index & ~1, size))
        return torch.from_numpy(image.transpose(2, 0, 1).copy()), torch.from_numpy(boxes)

    def sample(self, index, size):
        rng = np.random.default_rng((self.seed, index))
        self.second = index >= SECOND_FROM
        if rng.random() < 0.2:
            image, boxes = self.mosaic(rng, size)
        else:
            image, boxes = self.view(rng, size)
        if rng.random() < 0.15:
            image, boxes = self.paste(rng, image, boxes)
        if index >= DISTRACTORS_FROM and rng.random() < 0.35:
            distract(rng, image, boxes)
        if self.objects and index >= THIRD_FROM and rng.random() < 0.35:
            scatter(rng, image, boxes, self.objects)
        image = photometric(rng, image)
        ignore = (boxes[:, 4] > 0) | (np.minimum(boxes[:, 2], boxes[:, 3]) < MIN_HEAD)
        boxes[:, 4] = ignore
        return image, boxes

    def view(self, rng, size):
        """One picture, scaled, turned, mirrored and cut to size x size."""
        image, boxes = self.draw(rng)
        height, width = image.shape[:2]
        fit = size / max(height, width)
        heads = boxes[boxes[:, 4] == 0]
        centre = np.array([width, height], np.float32) * rng.uniform(0.3, 0.7, 2)
        if rng.random() < 0.3:
            scale = fit * rng.uniform(0.8, 1.1)
            centre = np.array([width, height], np.float32) / 2
        elif len(heads) and rng.random() < 0.8:
            # Any size of head alike, from tiny to filling the picture.
            head = heads[rng.integers(len(heads))]
            side = math.sqrt(max(head[2] * head[3], 1.0))
            smallest, least = (7, 0.5) if self.second else (9, 0.7)
            scale = math.exp(rng.uniform(math.log(smallest), math.log(0.95 * size))) / side
            scale = float(np.clip(scale, least * fit, 4.0))
            centre = head[:2] + head[2:4] / 2 + rng.uniform(-0.4, 0.4, 2) * size / scale
        else:
            scale = fit * math.exp(rng.uniform(math.log(0.7), math.log(3.0)))
        angle = rng.uniform(-30, 30) if rng.random() < 0.25 else rng.normal(0, 4)
        return self.warp(rng, image, boxes, size, scale, angle, centre, np.array([size, size]) / 2)

    def warp(self, rng, image, boxes, size, scale, angle, centre, target):
        radians = math.radians(angle)
        stretch = math.exp(rng.normal(0, 0.06))
        turn = np.array([[math.cos(radians), -math.sin(radians)], [math.sin(radians), math.cos(radians)]])
        linear = turn @ np.diag([scale * stretch * (1 if rng.random() < 0.5 else -1), scale / stretch])
        matrix = np.concatenate([linear, (target - linear @ centre)[:, None]], 1).astype(np.float32)
        if scale < 0.6:
            # Shrinking without aliasing, as most scalers do it; the network must also bear the aliased kind.
            if rng.random() < 0.6:
                image = cv2.blur(image, (max(1, round(0.7 / scale)),) * 2)
        pad = PAD_LEVEL if rng.random() < 0.7 else int(rng.integers(256))
        # Boxes count from the edge of the first pixel, OpenCV from its centre.
        of_pixels = matrix + np.pad((linear @ [[0.5], [0.5]] - 0.5), ((0, 0), (2, 0)))
        out = cv2.warpAffine(image, of_pixels, (size, size), flags=cv2.INTER_LINEAR, borderValue=(pad,) * 3)
        return out, clip(ellipse_bounds(boxes, matrix), boxes[:, 4], size)

    def mosaic(self, rng, size):
        """Four pictures around a random cross."""
        out = np.full((size, size, 3), PAD_LEVEL, np.uint8)
        cross = rng.integers(size // 4, 3 * size // 4, 2)
        every = []
        for x0, x1, y0, y1 in (
            (0, cross[0], 0, cross[1]), (cross[0], size, 0, cross[1]),
            (0, cross[0], cross[1], size), (cross[0], size, cross[1], size),
        ):
            image, boxes = self.draw(rng)
            span = max(x1 - x0, y1 - y0)
            scale = span / min(image.shape[:2]) * math.exp(rng.uniform(math.log(0.6), math.log(1.6)))
            centre = np.array(image.shape[1::-1], np.float32) * rng.uniform(0.35, 0.65, 2)
            target = np.array([x0 + x1, y0 + y1]) / 2
            tile, mapped = self.warp(rng, image, boxes, size, scale, rng.normal(0, 4), centre, target)
            out[y0:y1, x0:x1] = tile[y0:y1, x0:x1]
            every.append(cut(mapped, x0, y0, x1, y1))
        return out, np.concatenate(every)

    def paste(self, rng, image, boxes):
        """Small heads of another picture where none is."""
        donor, donor_boxes = self.draw(rng)
        heads = donor_boxes[(donor_boxes[:, 4] == 0) & (donor_boxes[:, 2:4].min(1) >= 24)]
        size = image.shape[0]
        added = []
        for head in heads[rng.permutation(len(heads))[:4]]:
            x, y, w, h = head[:4]
            x0, y0, x1, y1 = (int(round(v)) for v in (x - 0.1 * w, y - 0.1 * h, x + 1.1 * w, y + 1.1 * h))
            if x0 < 0 or y0 < 0 or x1 > donor.shape[1] or y1 > donor.shape[0]:
                continue
            side = math.exp(rng.uniform(math.log(10), math.log(48)))
            scale = side / math.sqrt(w * h)
            if scale > 1.2:
                continue
            tw, th = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
            if tw >= size or th >= size:
                continue
            px, py = int(rng.integers(size - tw)), int(rng.integers(size - th))
            box = np.array([px + tw / 12, py + th / 12, tw / 1.2, th / 1.2, 0], np.float32)
            taken = np.concatenate([boxes[:, :5], np.array(added, np.float32).reshape(-1, 5)])
            if len(taken) and overlap(taken, box).max() > 0:
                continue
            piece = cv2.resize(donor[y0:y1, x0:x1], (tw, th), interpolation=cv2.INTER_AREA)
            mask = np.zeros((th, tw), np.float32)
            cv2.ellipse(mask, (tw // 2, th // 2), (int(tw * 0.46), int(th * 0.46)), 0, 0, 360, 1.0, -1)
            mask = cv2.blur(mask, (3, 3))[..., None]
            region = image[py : py + th, px : px + tw]
            region[:] = (piece * mask + region * (1 - mask)).astype(np.uint8)
            added.append(box)
        if added:
            boxes = np.concatenate([boxes, np.array(added, np.float32)])
        return image, boxes


def shake(rng, image, boxes):
    """Moves the picture by up to four pixels, scales it by some 2 %, adds a little light and noise. All boxes stay."""
    size = image.shape[0]
    scale, move = math.exp(rng.normal(0, 0.02)), rng.uniform(-4, 4, 2)
    move += (1 - scale) * size / 2
    # Boxes count from the edge of the first pixel, OpenCV from its centre.
    matrix = np.array([[scale, 0, move[0] + (scale - 1) / 2], [0, scale, move[1] + (scale - 1) / 2]])
    image = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    noise = rng.normal(0, 1, image.shape[:2] + (1,)) * rng.uniform(0, 4) + rng.uniform(-4, 4)
    image = np.clip(image + noise, 0, 255).astype(np.uint8)
    low = np.clip(boxes[:, :2] * scale + move, 0, size)
    high = np.clip((boxes[:, :2] + boxes[:, 2:4]) * scale + move, 0, size)
    left_over = (high - low).prod(1) / np.maximum(boxes[:, 2:4].prod(1) * scale**2, 1e-6)
    ignore = np.where(left_over < 0.5, 1.0, boxes[:, 4])
    return image, np.concatenate([low, np.maximum(high - low, 1e-3), ignore[:, None]], 1).astype(np.float32)


def overlap(boxes, box):
    """Area that `box` shares with each of `boxes`."""
    right = np.minimum(boxes[:, 0] + boxes[:, 2], box[0] + box[2])
    lower = np.minimum(boxes[:, 1] + boxes[:, 3], box[1] + box[3])
    shared = np.maximum(right - np.maximum(boxes[:, 0], box[0]), 0)
    return shared * np.maximum(lower - np.maximum(boxes[:, 1], box[1]), 0)


def cut(boxes, x0, y0, x1, y1):
    """Boxes inside a rectangle. One that loses more than half is ignored, one that loses nearly all is dropped."""
    area = boxes[:, 2] * boxes[:, 3]
    left, upper = np.maximum(boxes[:, 0], x0), np.maximum(boxes[:, 1], y0)
    width = np.minimum(boxes[:, 0] + boxes[:, 2], x1) - left
    height = np.minimum(boxes[:, 1] + boxes[:, 3], y1) - upper
    left_over = np.maximum(width, 0) * np.maximum(height, 0) / np.maximum(area, 1e-6)
    keep = left_over > 0.05
    ignore = np.where(left_over < 0.5, 1.0, boxes[:, 4])
    return np.stack([left, upper, width, height, ignore], 1)[keep].astype(np.float32)


def clip(bounds, ignore, size):
    return cut(np.concatenate([bounds, ignore[:, None]], 1).astype(np.float32), 0, 0, size, size)


def photometric(rng, image):
    """Light, colour, blur, noise and compression of cameras."""
    if rng.random() < 0.6:
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(np.int16)
        hsv[..., 0] = (hsv[..., 0] + rng.integers(-9, 10)) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.4, 1.5), 0, 255)
        image = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    if rng.random() < 0.7:
        gamma = math.exp(rng.normal(0, 0.35))
        if rng.random() < 0.1:
            gamma = rng.uniform(1.8, 3.0)  # low light
        gain, offset = rng.uniform(0.7, 1.3), rng.uniform(-25, 25)
        levels = 255 * (np.arange(256) / 255) ** gamma * gain + offset
        image = cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))
    if rng.random() < 0.12:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.2:
        if rng.random() < 0.5:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0))
        else:
            length = int(rng.integers(3, 9))
            kernel = np.zeros((length, length), np.float32)
            slope = rng.uniform(-1, 1)
            for i in range(length):
                row = int(round((length - 1) / 2 + (i - (length - 1) / 2) * slope))
                kernel[row, i] = 1.0
            kernel = kernel if rng.random() < 0.5 else kernel.T
            image = cv2.filter2D(image, -1, kernel / kernel.sum())
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(2, 14), image.shape[:2] + (1,))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        quality = int(rng.integers(25, 90))
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return image


class Batches:
    """Indices of each batch with the crop size that its samples share; the cost of a batch stays about the same."""

    def __init__(self, seed, steps, first, shapes):
        self.seed, self.steps, self.first, self.shapes = seed, steps, first, shapes

    def __len__(self):
        return self.steps - self.first

    def __iter__(self):
        for step in range(self.first, self.steps):
            rng = np.random.default_rng((self.seed, step, 1))
            size, count = self.shapes[rng.integers(len(self.shapes))]
            yield [(step * 64 + i, size) for i in range(count)]


def collate(samples):
    images, boxes = zip(*samples)
    return torch.stack(images), list(boxes)

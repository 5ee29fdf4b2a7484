# SPDX-License-Identifier: MPL-2.0
"""Heads with their rotations, and what is done to them before the network sees them.

Three kinds: RENDERED, whose rotation is exact (folders of truth/render.py); LABELLED, photographs whose rotation two
networks agree on (teach.py); UNKNOWN, photographs without a label, mostly seen from behind: the mean of what the
network itself says of the plain crop and of its mirror image is their label later on. Of many of them it is known
whether they are seen from the front or from behind.

Turning a crop in its plane by a and mirroring it change the rotation R in a known way: Rz(a) R, and M R M with
M = diag(-1, 1, 1).
"""

import copy
import csv
import math
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from model import SIDE, SQUARE

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "truth"))
from detector.data import photometric  # noqa: E402
from geometry import about, rotation  # noqa: E402

RENDERED, LABELLED, UNKNOWN = range(3)
MIRROR = np.diag([-1.0, 1.0, 1.0])
# The second part of the schedule begins at this step: more photographs, and every third head is shown twice.
SECOND_PART = 3800
BATCH = 64
UNKNOWN_COUNT = 12
LABELLED_COUNTS = 20, 28
SHAKEN = 3
# Of the unknown heads at least this share is seen from behind.
BEHIND_SHARE = 0.5
# Limits of the groups of labelled heads, in degrees of pitch.
TILTS = [-20, -10, 0, 10]


def rendered(folder):
    """(file, box, rotation, side) of each head of a heads.csv."""
    with open(folder / "heads.csv", newline="") as file:
        for row in csv.DictReader(file):
            x, y, w, h = (float(row[key]) for key in ("x", "y", "w", "h"))
            pose = rotation(*(float(row[key]) for key in ("yaw", "pitch", "roll")))
            yield folder / row["file"], (x, y, x + w, y + h), pose, 0


def photographs(folder, answers):
    """The labelled and the unknown heads of teach.py, in the same form."""
    kinds = {LABELLED: [], UNKNOWN: []}
    for file, box, pose, known, side in zip(*(answers[key] for key in ("picture", "box", "pose", "known", "side"))):
        head = folder / str(file), tuple(float(v) for v in box), pose.astype(float), int(side)
        kinds[LABELLED if known else UNKNOWN].append(head)
    kinds[UNKNOWN].sort(key=lambda head: head[3])
    return kinds


def counts(step):
    """How many heads of each kind a batch has; they come in this order."""
    labelled = LABELLED_COUNTS[step >= SECOND_PART]
    return {RENDERED: BATCH - labelled - UNKNOWN_COUNT, LABELLED: labelled, UNKNOWN: UNKNOWN_COUNT}


def square(box):
    """Centre and side of what the network is shown of a head."""
    x0, y0, x1, y1 = box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2]), SQUARE * max(x1 - x0, y1 - y0)


def plain_crop(image, box):
    """As the plugin cuts it: the square within the picture, resized to the network's input."""
    centre, side = square(box)
    height, width = image.shape[:2]
    x0, y0 = (max(0, int(v)) for v in centre - side / 2)
    x1, y1 = min(width, int(centre[0] + side / 2)), min(height, int(centre[1] + side / 2))
    return cv2.resize(image[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def tensor(crop):
    return torch.from_numpy(((crop.astype(np.float32) - 127.5) / 128).transpose(2, 0, 1).copy())


def placed(rng, box):
    """A square around the head, turned, moved and stretched: the map to the crop (between pixel edges), the angle of the
    turn (degrees, clockwise) and whether it is mirrored."""
    centre, side = square(box)
    side *= math.exp(rng.normal(0, 0.07))
    centre = centre + rng.normal(0, 0.035, 2) * side
    turn = rng.normal(0, 8) if rng.random() < 0.7 else rng.uniform(-40, 40)
    mirrored = rng.random() < 0.5
    # The detector's boxes differ from the true ones, and the crop of a head at the picture's edge is stretched.
    stretch = np.exp(rng.normal(0, 0.04, 2))
    shift = np.zeros(2)
    if rng.random() < 0.15:
        axis, part = rng.integers(2), rng.uniform(0, 0.25)
        stretch[axis] /= 1 - part
        shift[axis] = rng.choice([-1, 1]) * part / 2 * side
    s, c = math.sin(math.radians(turn)), math.cos(math.radians(turn))
    linear = np.diag(stretch) @ np.array([[c, -s], [s, c]]) * SIDE / side
    if mirrored:
        linear = linear @ np.diag([-1, 1])
    return np.concatenate([linear, (np.full(2, SIDE / 2) - linear @ (centre + shift))[:, None]], 1), turn, mirrored


def shaken(rng, matrix):
    """The map of the same head a frame later: its box is a little elsewhere and a little larger or smaller."""
    zoom = np.exp(rng.normal(0, 0.04, 2))
    move = SIDE / 2 * (1 - zoom) + rng.normal(0, 0.03, 2) * SIDE
    return np.concatenate([zoom[:, None] * matrix[:, :2], (zoom * matrix[:, 2] + move)[:, None]], 1)


def shown(rng, image, matrix):
    """The crop, with or without a filter where it shrinks: the plugin has none."""
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if scale < 0.6 and rng.random() < 0.5:
        image = cv2.blur(image, (max(1, round(0.7 / scale)),) * 2)
    edge = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    # OpenCV counts from the centre of the first pixel.
    of_pixels = np.concatenate([matrix[:, :2], matrix[:, :2] @ [[0.5], [0.5]] + matrix[:, 2:] - 0.5], 1)
    return cv2.warpAffine(image, of_pixels, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=edge)


def coarse(rng, crop, box):
    """Fewer pixels: heads from 16 on."""
    size = max(box[2] - box[0], box[3] - box[1])
    wanted = math.exp(rng.uniform(math.log(16), math.log(100)))
    if wanted >= size:
        return crop
    side = max(12, round(wanted * SQUARE))
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_LINEAR)
    return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def cover(rng, crop):
    """Something in front of the head or on it: a hand, a cap, a mask, a pillar."""
    colour = [float(v) for v in np.clip(rng.uniform(0, 255) + rng.normal(0, 40, 3), 0, 255)]
    kind, middle = rng.random(), SIDE / 2
    if kind < 0.35:  # a cap or a hood: the upper part of the head
        x, y = middle + rng.normal(0, 5), middle - SIDE * rng.uniform(0.22, 0.36)
        axes = (int(SIDE * rng.uniform(0.28, 0.44)), int(SIDE * rng.uniform(0.12, 0.26)))
        cv2.ellipse(crop, (int(x), int(y)), axes, rng.normal(0, 12), 0, 360, colour, -1, cv2.LINE_AA)
    elif kind < 0.55:  # over mouth and chin
        x, y = middle + rng.normal(0, 9), middle + SIDE * rng.uniform(0.15, 0.3)
        axes = (int(SIDE * rng.uniform(0.12, 0.3)), int(SIDE * rng.uniform(0.08, 0.18)))
        cv2.ellipse(crop, (int(x), int(y)), axes, rng.normal(0, 15), 0, 360, colour, -1, cv2.LINE_AA)
    else:
        w, h = rng.uniform(0.08, 0.4, 2) * SIDE
        x, y = rng.uniform(-0.1, 1, 2) * SIDE
        points = cv2.boxPoints(((float(x), float(y)), (float(w), float(h)), float(rng.uniform(0, 180))))
        cv2.fillConvexPoly(crop, points.astype(np.int32), colour, cv2.LINE_AA)
    return crop


def seen(rng, image, matrix, box):
    """An augmented crop."""
    crop = shown(rng, image, matrix)
    if rng.random() < 0.45:
        crop = coarse(rng, crop, box)
    if rng.random() < 0.2:
        crop = cover(rng, crop)
    return photometric(rng, crop)


def noisy(rng, crop):
    """A little noise, as from frame to frame."""
    return np.clip(crop + rng.normal(0, rng.uniform(0, 5), crop.shape), 0, 255).astype(np.uint8)


class Heads(Dataset):
    """Endless augmented heads; sample i of a seed is always the same."""

    def __init__(self, kinds, seed):
        self.kinds, self.seed, self.files = kinds, seed, {}
        for file in {head[0] for heads in kinds.values() for head in heads}:
            self.files[file] = np.fromfile(file, np.uint8)
        self.behind = sum(head[3] < 0 for head in kinds[UNKNOWN])
        # Labelled heads are drawn evenly by how far they look up or down: most of them look straight ahead.
        pitch = np.array([math.degrees(math.asin(np.clip(-head[2][1, 2], -1, 1))) for head in kinds[LABELLED]])
        tilt = np.digitize(pitch, TILTS)
        self.even = [np.flatnonzero(tilt == n) for n in range(len(TILTS) + 1)]

    def __len__(self):
        return 1 << 40

    def pick(self, rng, kind, second):
        heads = self.kinds[kind]
        if kind == UNKNOWN and rng.random() < BEHIND_SHARE:
            return heads[rng.integers(self.behind)]
        if kind == LABELLED and second:
            some = self.even[rng.integers(len(self.even))]
            return heads[some[rng.integers(len(some))]]
        return heads[rng.integers(len(heads))]

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, index))
        step, place = divmod(index, BATCH)
        second = step >= SECOND_PART
        kind = [kind for kind, count in counts(step).items() for _ in range(count)][place]
        file, box, pose, side = self.pick(rng, kind, second)
        image = cv2.imdecode(self.files[file], cv2.IMREAD_COLOR)
        matrix, turn, mirrored = placed(rng, box)
        later = shaken(rng, matrix)
        # Both views get the same light, blur and cover.
        same = copy.deepcopy(rng) if second and place % SHAKEN == 0 else None
        views = [tensor(seen(rng, image, matrix, box))]
        if same:
            views.append(tensor(noisy(rng, seen(same, image, later, box))))
        spin = about(2, turn)
        if mirrored:
            pose = MIRROR @ pose @ MIRROR
        clean = plain_crop(image, box) if kind == UNKNOWN else np.zeros((1, 1, 3), np.uint8)
        unknown = torch.from_numpy(spin).float(), mirrored, side
        return views, torch.from_numpy(spin @ pose).float(), tensor(clean), *unknown


class Batches:
    def __init__(self, first, steps):
        self.first, self.steps = first, steps

    def __len__(self):
        return self.steps - self.first

    def __iter__(self):
        for step in range(self.first, self.steps):
            yield range(step * BATCH, (step + 1) * BATCH)


def collate(samples):
    """Crops, those of shaken heads once more behind the others; rotations; and of the unknown heads the rest."""
    views, poses, *of_unknown = zip(*samples)
    # Unknown heads come last, and only they have a clean crop.
    cleans, spins, mirrored, sides = (values[-UNKNOWN_COUNT:] for values in of_unknown)
    crops = torch.stack([first for first, *_ in views] + [again for _, *more in views for again in more])
    return crops, torch.stack(poses), torch.stack(cleans), torch.stack(spins), torch.tensor(mirrored), torch.tensor(sides)

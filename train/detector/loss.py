# SPDX-License-Identifier: MPL-2.0
"""Which cell answers for which head, and how wrong it is.

Task-aligned assignment (Feng et al., TOOD, ICCV 2021): a head's positives are the cells inside its box with the
highest score^0.5 * IoU^6; a positive's target is its IoU, scaled so that the best one of each head reaches the best
IoU. With `slack`, that IoU is the one of boxes that small heads share with a margin. Scores are trained with binary cross-entropy, boxes with CIoU (Zheng et al., AAAI 2020).
"""

import math

import torch
from torch.nn import functional as F

from model import STRIDES

TOP_CELLS = 9
SCORE_POWER, IOU_POWER = 0.5, 6.0
BOX_WEIGHT = 2.0
# Of the distance between the boxes of a head in both pictures of a pair.
PAIR_WEIGHT = 2.0
# Of what is taken for a head in a picture without heads, in the third cycle.
EMPTY_WEIGHT = 3.0
# Sides to which `slack` grows the boxes of smaller heads before their overlap with a cell's box is taken: a pixel that the
# box of a small head is off then costs no more score than one of a head of this size.
SLACK_SIDE = 16.0
# Cells near the centre of a head smaller than this may answer for it.
MIN_REACH = 12.0


def grid(outputs):
    """Centres (in pixels) and strides of all cells, in the order of `flatten`."""
    centres, strides = [], []
    for output, stride in zip(outputs, STRIDES):
        rows, columns = output.shape[2:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centres.append(torch.stack([x, y], -1).reshape(-1, 2).float() * stride)
        strides.append(torch.full((rows * columns,), float(stride)))
    return torch.cat(centres), torch.cat(strides)


def flatten(outputs):
    return torch.cat([o.flatten(2).transpose(1, 2) for o in outputs], 1)


def decode(cells, corners, strides):
    """Boxes x0, y0, x1, y1 in pixels: the cell's upper left corner plus what the network adds, in strides."""
    centre = corners + cells[..., 1:3] * strides[:, None]
    half = cells[..., 3:5].clamp(-4, 6).exp() * strides[:, None] / 2
    return torch.cat([centre - half, centre + half], -1)


def iou(a, b, complete=False):
    """IoU of boxes, broadcast; with `complete` the CIoU."""
    upper, lower = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (lower - upper).clamp(min=0).prod(-1)
    size_a, size_b = (a[..., 2:] - a[..., :2]).clamp(min=1e-3), (b[..., 2:] - b[..., :2]).clamp(min=1e-3)
    value = shared / (size_a.prod(-1) + size_b.prod(-1) - shared + 1e-7)
    if not complete:
        return value
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    distance = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) ** 2).sum(-1) / 4
    diagonal = (hull**2).sum(-1) + 1e-7
    shape = 4 / math.pi**2 * (torch.atan(size_b[..., 0] / size_b[..., 1]) - torch.atan(size_a[..., 0] / size_a[..., 1])) ** 2
    with torch.no_grad():
        weight = shape / (1 - value + shape + 1e-7)
    return value - distance / diagonal - weight * shape


def with_slack(heads, boxes):
    """Heads and boxes, all pairs, both grown by what each head lacks of `SLACK_SIDE`."""
    lacks = ((SLACK_SIDE - (heads[:, 2:] - heads[:, :2]).prod(-1).sqrt()) / 2).clamp(min=0)[:, None, None]
    sign = torch.tensor([-1.0, -1.0, 1.0, 1.0])
    return heads[:, None] + lacks * sign, boxes[None] + lacks * sign


@torch.no_grad()
def assign(scores, boxes, middles, heads, slack):
    """For one picture: index of the head (or -1) and the target score of each cell."""
    cells = len(middles)
    target = torch.zeros(cells)
    owner = torch.full((cells,), -1, dtype=torch.long)
    if not len(heads):
        return owner, target
    size = heads[:, 2:] - heads[:, :2]
    grown = ((MIN_REACH - size) / 2).clamp(min=0)
    low, high = heads[:, :2] - grown, heads[:, 2:] + grown
    inside = ((middles > low[:, None]) & (middles < high[:, None])).all(-1)
    overlaps = iou(*(with_slack(heads, boxes) if slack else (heads[:, None], boxes[None]))) * inside
    metric = scores[None] ** SCORE_POWER * overlaps**IOU_POWER + 1e-9 * inside
    top = metric.topk(min(TOP_CELLS, cells), 1).indices
    chosen = torch.zeros_like(inside).scatter_(1, top, True) & inside
    # A cell that several heads choose answers for the one that it overlaps most.
    overlaps_chosen = torch.where(chosen, overlaps + 1e-6, torch.zeros(()))
    best, who = overlaps_chosen.max(0)
    owner[best > 0] = who[best > 0]
    mine = F.one_hot(owner.clamp(min=0), len(heads)).T.bool() & (owner >= 0)
    metric = torch.where(mine, metric, torch.zeros(()))
    overlaps = torch.where(mine, overlaps, torch.zeros(()))
    scale = overlaps.max(1, keepdim=True).values / metric.max(1, keepdim=True).values.clamp(min=1e-12)
    target = (metric * scale).max(0).values
    return owner, target


def background_weight(probability, empty, severe):
    """Focal weight of cells without a head: easy background is most of a picture."""
    if not severe:
        return probability**1.5 * 0.75
    return probability * (EMPTY_WEIGHT if empty else 1.0)


def mean_errors(predicted, heads, owner, target, label):
    """For each label: how far the mean of its cells' boxes is from it, in head sizes; NaN without cells."""
    sums, weights = torch.zeros(len(heads), 4), torch.zeros(len(heads), 1)
    mine = owner >= 0
    if mine.any():
        weight = target[mine, None]
        sums = sums.index_add(0, owner[mine], predicted[mine] * weight)
        weights = weights.index_add(0, owner[mine], weight)
    size = (heads[:, 2:] - heads[:, :2]).repeat(1, 2)
    errors = torch.full((len(label), 4), torch.nan)
    errors[label[:, 4] == 0] = torch.where(weights > 1e-3, (sums / weights.clamp(min=1e-3) - heads) / size, torch.nan)
    return errors


def detection_loss(outputs, labels, slack=False, paired=0, severe=False):
    """Score loss, box loss and pair loss of a batch; `labels`: per picture [n, 5] of x, y, w, h, ignore.

    `paired`: so many pictures at the beginning are pairs, each of the same heads in the same order, whose errors should be
    the same. `severe`: boxes where no head is cost more.
    """
    cells = flatten(outputs)
    corners, strides = grid(outputs)
    middles = corners + strides[:, None] / 2
    boxes = decode(cells, corners, strides)
    scores = cells[..., 0]
    score_loss = box_loss = pair_loss = cells.sum() * 0
    total = 0.0
    errors = []
    for index, (logits, predicted, label) in enumerate(zip(scores, boxes, labels)):
        corner_form = torch.cat([label[:, :2], label[:, :2] + label[:, 2:4]], 1)
        heads, ignored = corner_form[label[:, 4] == 0], corner_form[label[:, 4] != 0]
        owner, target = assign(logits.sigmoid().detach(), predicted.detach(), middles, heads, slack)
        weight = torch.ones_like(target)
        if len(ignored):
            grown = strides[None, :, None] / 2
            near = (middles[None] > ignored[:, None, :2] - grown) & (middles[None] < ignored[:, None, 2:] + grown)
            weight[near.all(-1).any(0) & (owner < 0)] = 0
        positive = owner >= 0
        probability = logits.detach().sigmoid()
        weight = weight * torch.where(positive, torch.ones(()), background_weight(probability, len(label) == 0, severe))
        score_loss = score_loss + (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight).sum()
        if positive.any():
            quality = iou(predicted[positive], heads[owner[positive]], complete=True)
            box_loss = box_loss + ((1 - quality) * target[positive]).sum()
        if index < paired:
            errors.append(mean_errors(predicted, heads, owner, target, label))
        total += float(target.sum())
    apart = [(a - b).abs().sum(1) for a, b in zip(errors[::2], errors[1::2])]
    if apart and (known := ~torch.cat(apart).isnan()).any():
        pair_loss = torch.cat(apart)[known].mean()
    total = max(total, 1.0)
    return score_loss / total, BOX_WEIGHT * box_loss / total, PAIR_WEIGHT * pair_loss

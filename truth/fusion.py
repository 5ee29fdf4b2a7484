# SPDX-License-Identifier: MPL-2.0
"""Derives the dual model's constants from rendered heads, and judges them on others.

    python3 truth/fusion.py BED.npz [--pointing POINTING.npz] [--mirrored HEADS.npz]

The files are those of networks.py. The constants are fitted on the bed's `fit` part and judged on its `test`
part and on Pointing'04, of which nothing is fitted. See "Which model counts" in README.md.
"""

import argparse
import dataclasses
import itertools

import numpy as np

from geometry import angles, rotation

BINS = [(0, 52), (52, 82), (82, 98), (98, 128), (128, 180)]


@dataclasses.dataclass(frozen=True)
class Rule:
    """See README.md."""

    # Between these two the rear model's share grows from 0 to 1.
    low: float = 65.0
    high: float = 85.0
    # How far the rear model's yaw is moved outwards at 90 degrees, fading out over 30 on both sides.
    push: float = 8.0
    # Added to the rear model's pitch from 120 degrees of yaw on, nothing up to 60.
    rear_pitch: float = 8.0
    # Added to the front model's yaw from 45 degrees on to either side, nothing at 0.
    front_yaw: float = -1.5
    front_pitch: float = 3.0


def wrap(degrees):
    return (np.asarray(degrees) + 180) % 360 - 180


def ramp(x, low, high):
    return np.clip((x - low) / (high - low), 0, 1)


def pan(answers):
    """Where noses point, about the vertical: yaw and pitch alone are ambiguous at the profile."""
    yaw, pitch = np.radians(answers[:, 0]), np.radians(answers[:, 1])
    return np.degrees(np.arctan2(np.sin(yaw), np.cos(yaw) * np.cos(pitch)))


def share(rule, rear, front):
    """Of the rear model in the answer, from both raw answers."""
    return ramp(np.abs(pan(rear)) / 2 + np.abs(wrap(pan(rear) - pan(front))), rule.low, rule.high)


def fuse(rule, rear, front):
    """Yaw, pitch and roll of the pair."""
    part = share(rule, rear, front)
    rear, front = rear.astype(float), front.astype(float)
    far, near = np.abs(rear[:, 0]), np.abs(front[:, 0])
    rear[:, 0] = wrap(rear[:, 0] + np.sign(rear[:, 0]) * rule.push * np.clip(1 - np.abs(far - 90) / 30, 0, 1))
    rear[:, 1] += rule.rear_pitch * ramp(far, 60, 120)
    front[:, 0] += rule.front_yaw * ramp(near, 0, 45)
    front[:, 1] += rule.front_pitch
    out = np.where(part[:, None] < 0.5, front, rear)
    for n in np.nonzero((part > 0) & (part < 1))[0]:
        out[n] = angles(between(rotation(*front[n]), rotation(*rear[n]), part[n]))
    return out


def between(a, b, part):
    """The rotation a share of the way from a to b (slerp)."""
    d = a.T @ b
    angle = np.arccos(np.clip((np.trace(d) - 1) / 2, -1, 1))
    if angle < 1e-9:
        return a
    k = (d - d.T) / (2 * np.sin(angle))
    angle *= part
    return a @ (np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k)


def errors(yaw, truth, heads):
    """Mean absolute error of yaw in each bin, that of all rear heads, and the share of rear called front."""
    off, far = np.abs(wrap(yaw - truth)), np.abs(truth)
    by_bin = [off[heads & (far >= low) & (far < high)].mean() for low, high in BINS]
    behind = heads & (far > 120)
    return by_bin, off[heads & (far > 90)].mean(), 100 * (np.abs(yaw[behind]) <= 90).mean()


def line(name, yaw, truth, heads):
    by_bin, rear, called = errors(yaw, truth, heads)
    print(f"{name:<34}" + " ".join(f"{value:5.1f}" for value in by_bin) + f"  {rear:5.1f}  {called:5.1f} %")


def pan_tilt_roll(answers):
    """As Pointing'04 labels: about the vertical, then up, then about the nose."""
    out = []
    for answer in answers:
        r = rotation(*answer)
        turn = -np.degrees(np.arctan2(r[0, 2], r[2, 2]))
        tilt = np.degrees(np.arcsin(np.clip(-r[1, 2], -1, 1)))
        rest = (rotation(turn, 0, 0) @ rotation(0, tilt, 0)).T @ r
        out.append([turn, tilt, np.degrees(np.arctan2(rest[1, 0], rest[0, 0]))])
    return np.array(out)


def pointing(name, answers, labels):
    found = pan_tilt_roll(answers)
    off = np.abs(wrap(found - labels))
    front = (np.abs(labels[:, 0]) <= 45) & (np.abs(labels[:, 1]) <= 30)
    level = np.abs(labels[:, 1]) <= 15
    median = {label: np.median(found[level & (labels[:, 0] == label), 0]) for label in np.unique(labels[:, 0])}
    each = off[front].mean(0)
    print(f"{name:<34}" + " ".join(f"{value:5.2f}" for value in each) + f"  mean {each.mean():.2f}"
          + "  left-right at 15 30 45 60: " + " ".join(f"{abs(median[p] + median[-p]):.1f}" for p in (15, 30, 45, 60)))


def lopsided(photos):
    """How far a model's yaw and that of the mirrored picture miss being opposite, by half their difference."""
    for model in ("front", "rear"):
        seen, mirrored = photos[model][:, 0], photos[model + "_mirrored"][:, 0]
        middle, even = (seen - mirrored) / 2, (seen + mirrored) / 2
        for low, high in ((0, 15), (15, 30), (30, 45), (45, 60), (60, 75)):
            near = (np.abs(middle) >= low) & (np.abs(middle) < high) & (np.abs(even) < 12)
            if near.any():
                print(f"{model} yaw {low}-{high}: off by {even[near].mean():+.1f} ({near.sum()} pairs)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bed")
    parser.add_argument("--pointing", help="answers on Pointing'04")
    parser.add_argument("--mirrored", help="answers of networks.py --mirrored on any heads")
    options = parser.parse_args()
    bed = np.load(options.bed)
    truth, rear, front = bed["truth"], bed["rear"], bed["front"]
    plain = bed["hair"] == "plain"
    fit, test = plain & (bed["split"] == "fit"), plain & (bed["split"] == "test")

    facing = fit & (np.abs(truth[:, 0]) < 52)
    behind = fit & (np.abs(truth[:, 0]) > 110)
    print("front: pitch of the front model less the rear model's, median:"
          f" {np.median(front[facing, 1] - rear[facing, 1]):.1f}")
    print(f"rear: pitch of the rear model less the truth, median: {np.median(rear[behind, 1] - truth[behind, 1]):.1f}")

    if options.mirrored:
        lopsided(np.load(options.mirrored))

    def cost(rule):
        by_bin, _, _ = errors(fuse(rule, rear[fit], front[fit])[:, 0], truth[fit, 0], np.ones(fit.sum(), bool))
        return np.mean(by_bin)

    tried = [Rule(low=low, high=low + width, push=push) for low, width, push in
             itertools.product(range(50, 81, 5), (10, 15, 20, 30), (0, 4, 8, 12))]
    costs = [cost(rule) for rule in tried]
    order = np.argsort(costs)
    print("best on fit (low, high, push; mean of the bins):")
    for n in order[:8]:
        print(f"  {tried[n].low} {tried[n].high} {tried[n].push}: {costs[n]:.2f}")
    rule = Rule()
    print(f"the rule: {rule}: {cost(rule):.2f}")
    for part, heads in (("fit", fit), ("test", test)):
        print(f"{part + ', plain hair, ' + str(heads.sum()) + ' heads':<34}"
              + " ".join(f"{low}-{high}".rjust(5) for low, high in BINS) + "   rear  called front")
        line("rear model alone", rear[:, 0], truth[:, 0], heads)
        line("front model alone", front[:, 0], truth[:, 0], heads)
        for angle in (80, 90):
            line(f"front where rear says <= {angle}", np.where(np.abs(rear[:, 0]) <= angle, front[:, 0], rear[:, 0]),
                 truth[:, 0], heads)
        line("the rule", fuse(rule, rear, front)[:, 0], truth[:, 0], heads)
    if options.pointing:
        photos = np.load(options.pointing)
        print("Pointing'04, |pan| <= 45, |tilt| <= 30: pan, tilt, roll")
        pointing("rear model alone", photos["rear"], photos["truth"])
        pointing("front model alone", photos["front"], photos["truth"])
        pointing("the rule", fuse(rule, photos["rear"], photos["front"]), photos["truth"])


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MPL-2.0
"""Trains the head-pose network. See ../README.md for the commands, times and figures."""

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from data import BATCH, LABELLED, RENDERED, SECOND_PART, SHAKEN, UNKNOWN, UNKNOWN_COUNT, Batches, Heads, collate, counts, photographs, rendered
from evaluate import summary
from model import PoseNet, angle, load_lite0, rotation

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from schedule import adamw, cosines, follow, options, resume, runner, save  # noqa: E402

# Peak rate of the second part, as a share of the first one's.
SECOND_PEAK = 0.2
# The network's own answers are labels from this step on.
OWN_FROM = 1330
# They are, where plain and mirrored answer are within so much of each other, in radians.
OWN_AGREE = math.radians(30)
WEIGHTS = {RENDERED: 1.0, LABELLED: 1.0, UNKNOWN: 0.3}
SPREAD_WEIGHT = 0.2
# Where the side of a head is known, its nose must point this much (a cosine) towards the camera, or away from it.
SIDE_MARGIN = 0.3
SIDE_WEIGHT = 0.15
# The answers for a head and for the same head shaken should be the same.
STEADY_WEIGHT = 1.0
LOGGED = "rendered", "labelled", "own", "spread", "side", "steady"
MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))


@torch.no_grad()
def own_answers(network, clean):
    """The mean of the answers for a crop and its mirror image, and whether they agree."""
    both = rotation(network(torch.cat([clean, clean.flip(3)])))
    plain, other = both.chunk(2)
    other = MIRROR @ other @ MIRROR
    u, _, v = torch.linalg.svd(plain + other)
    sign = torch.det(u @ v)
    u = torch.cat([u[:, :, :2], u[:, :, 2:] * sign[:, None, None]], 2)
    return u @ v, angle(plain, other) < OWN_AGREE


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="folder for checkpoints; a run there is taken up again")
    parser.add_argument("--rendered", type=Path, nargs="+", required=True, help="folders of truth/render.py")
    parser.add_argument("--photographs", type=Path, required=True, help="the folder that train/detector learns from")
    parser.add_argument("--answers", type=Path, required=True, help="what teach.py wrote")
    parser.add_argument("--lite0", type=Path, required=True, help="efficientnet-lite0-57934424.pth")
    parser.add_argument("--bed", type=Path, help="heads.csv of `make truth`, judged now and then")
    parser.add_argument("--pointing", type=Path, help="heads.csv of Pointing'04, judged now and then")
    parser.add_argument("--steps", type=int, default=5800, help="length of the schedule")
    parser.add_argument("--until", type=int, default=5800, help="stop after this step")
    args = options(parser, 1.5e-3)

    net = PoseNet()
    load_lite0(net, args.lite0)
    for layer in net.low():
        layer.requires_grad_(False)
    net = net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval()
    run = runner(net, args.bf16)
    trained = [p for p in net.parameters() if p.requires_grad]
    optimizer = adamw(trained)
    checkpoint = args.output / "last.pt"
    first = resume(checkpoint, net, average, optimizer)

    until = min(args.until, args.steps)
    kinds = photographs(args.photographs, np.load(args.answers))
    kinds[RENDERED] = [head for folder in args.rendered for head in rendered(folder)]
    print({kind: len(heads) for kind, heads in kinds.items()}, flush=True)
    loader = DataLoader(
        Heads(kinds, args.seed), batch_sampler=Batches(first, until), collate_fn=collate,
        num_workers=args.workers, prefetch_factor=4 if args.workers else None,
    )
    own = slice(BATCH - UNKNOWN_COUNT, BATCH)
    log = (args.output / "log.jsonl").open("a")
    began, sums = time.monotonic(), np.zeros(6)
    for step, (crops, poses, clean, spins, mirrored, sides) in enumerate(loader, first):
        for group in optimizer.param_groups:
            group["lr"] = cosines(step, (0, SECOND_PART), args.steps, (args.rate, SECOND_PEAK * args.rate))
        weights = torch.cat([torch.full((count,), WEIGHTS[kind]) for kind, count in counts(step).items()])
        if step >= OWN_FROM:
            labels, agreed = own_answers(average, clean.contiguous(memory_format=torch.channels_last))
            labels = torch.where(mirrored[:, None, None], MIRROR @ labels @ MIRROR, labels)
            poses[own] = spins @ labels
            weights[own] *= agreed & (sides * labels[:, 2, 2] >= 0)
        else:
            weights[own] = 0
        net.train()
        for layer in net.low():
            layer.eval()
        output = run(crops).float()
        answer, again = rotation(output).split([BATCH, len(output) - BATCH])
        steady = (answer[::SHAKEN] - again).flatten(1).norm(dim=1).mean() if len(again) else torch.zeros(())
        output = output[:BATCH]
        distance = (answer - poses).flatten(1).norm(dim=1)
        loss = (distance * weights).sum() / weights.sum()
        wrong_side = ((SIDE_MARGIN - sides * answer[own, 2, 2]).clamp(min=0) * sides.abs()).mean()
        # Laplace's negative log-likelihood of the rotation angle; labels of networks say nothing of its true size.
        error, spread = angle(answer.detach(), poses), output[:, 6].clamp(-6, 2)
        exact = slice(0, counts(step)[RENDERED])
        unsure = (error[exact] / spread[exact].exp() + spread[exact]).mean()
        optimizer.zero_grad()
        (loss + SPREAD_WEIGHT * unsure + SIDE_WEIGHT * wrong_side + STEADY_WEIGHT * steady).backward()
        torch.nn.utils.clip_grad_norm_(trained, 2.0)
        optimizer.step()
        follow(average, net, step, 0.999)
        with torch.no_grad():
            for mean, new in zip(average.buffers(), net.buffers()):
                mean.copy_(new)
        degrees = torch.rad2deg(error)
        labelled = slice(exact.stop, own.start)
        sums += [degrees[part].mean().item() for part in (exact, labelled, own)] + [unsure.item(), wrong_side.item(), steady.item()]
        done = step + 1
        if done % 50 == 0:
            entry = {"step": done, **dict(zip(LOGGED, (sums / 50).round(3).tolist()))}
            entry["seconds"] = round(time.monotonic() - began, 1)
            print(json.dumps(entry), file=log, flush=True)
            sums[:] = 0
        if done % 250 == 0 or done == until:
            save(checkpoint, net, average, optimizer, done)
        if done % args.judge_every == 0 or done == until:
            for line in summary(average, args.bed, args.pointing):
                print(json.dumps({"step": done, **line}), file=log, flush=True)


if __name__ == "__main__":
    main()

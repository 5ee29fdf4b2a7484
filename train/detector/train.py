# SPDX-License-Identifier: MPL-2.0
"""Trains the head detector. See README.md for the commands, times and figures."""

import argparse
import copy
import json
import sys
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from data import SECOND_CYCLE, Batches, HeadCrops, collate, load, load_rendered
from evaluate import average_precision, judge, torch_detector
from loss import detection_loss
from model import HeadNet
from yunet import load_yunet

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from schedule import adamw, follow, options, resume, runner, save, two_cosines  # noqa: E402

# Side of the crops and how many make a batch.
SHAPES = [(320, 16), (320, 16), (256, 24), (448, 8)]
# Peak rate of the second cycle, as a part of the first one's.
SECOND_PEAK = 0.6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with annotations.json and images/")
    parser.add_argument("output", type=Path, help="folder for checkpoints; a run there is taken up again")
    parser.add_argument("--yunet", type=Path, help="face_detection_yunet_2023mar*.onnx to start from")
    parser.add_argument("--rendered", type=Path, nargs="*", default=[], help="folders of truth/render.py --backgrounds")
    parser.add_argument("--licensed-only", action="store_true", help="only sources that state a licence")
    parser.add_argument("--steps", type=int, default=11500)
    args = options(parser, 1e-3)

    net = HeadNet()
    if args.yunet:
        load_yunet(net, args.yunet)
        # Edges and colours are the same for faces and heads; the layers of the highest resolution cost the most.
        for layer in (net.stem, net.stem_unit):
            layer.requires_grad_(False)
    net = net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    run = runner(net, args.bf16)
    trained = [p for p in net.parameters() if p.requires_grad]
    optimizer = adamw(trained)
    checkpoint = args.output / "last.pt"
    first = resume(checkpoint, net, average, optimizer)

    pictures = load(args.data, "train", args.licensed_only)
    rendered = [picture for folder in args.rendered for picture in load_rendered(folder)]
    held_out = load(args.data, "val")[::3]
    crops = HeadCrops(args.data, pictures, rendered, args.seed, 1 << 40)
    batches = Batches(args.seed, args.steps, first, SHAPES)
    loader = DataLoader(
        crops, batch_sampler=batches, collate_fn=collate, num_workers=args.workers, prefetch_factor=4 if args.workers else None
    )
    log = (args.output / "log.jsonl").open("a")
    began, sums = time.monotonic(), [0.0, 0.0]
    for step, (images, labels) in enumerate(loader, first):
        for group in optimizer.param_groups:
            group["lr"] = two_cosines(step, args.steps, SECOND_CYCLE, args.rate, SECOND_PEAK)
        outputs = [output.float() for output in run(images.float())]
        score_loss, box_loss = detection_loss(outputs, labels, slack=step >= SECOND_CYCLE)
        optimizer.zero_grad()
        (score_loss + box_loss).backward()
        torch.nn.utils.clip_grad_norm_(trained, 5.0)
        optimizer.step()
        follow(average, net, step, 0.9995)
        sums[0] += score_loss.item()
        sums[1] += box_loss.item()
        done = step + 1
        if done % 50 == 0:
            entry = {"step": done, "score": round(sums[0] / 50, 4), "box": round(sums[1] / 50, 4)}
            entry["seconds"] = round(time.monotonic() - began, 1)
            print(json.dumps(entry), file=log, flush=True)
            sums = [0.0, 0.0]
        if done % 250 == 0 or done == args.steps:
            save(checkpoint, net, average, optimizer, done)
        if done == SECOND_CYCLE:
            save(args.output / "first.pt", net, average, optimizer, done)
        if done % args.judge_every == 0 or done == args.steps:
            found = judge(torch_detector(average.eval(), 640), args.data, held_out)
            entry = {"step": done, **{f"ap {key or 'all'}": round(average_precision(*value), 4) for key, value in sorted(found.items())}}
            print(json.dumps(entry), file=log, flush=True)


if __name__ == "__main__":
    main()

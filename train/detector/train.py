# SPDX-License-Identifier: MPL-2.0
"""Trains the head detector. See README.md for the commands, times and figures."""

import argparse
import copy
import json
import sys
import time
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch.utils.data import DataLoader

from data import PAIRED, SECOND_CYCLE, THIRD_CYCLE, Batches, HeadCrops, collate, load, load_empty, load_objects, load_rendered
from evaluate import average_precision, judge, torch_detector
from loss import detection_loss
from model import HeadNet
from yunet import load_yunet

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from schedule import adamw, cosines, follow, options, resume, runner, save  # noqa: E402

# Side of the crops and how many make a batch.
SHAPES = [(320, 16), (320, 16), (256, 24), (448, 8)]
# Steps at which the cycles begin, and their peak rates as parts of the first one's.
CYCLES = (0, SECOND_CYCLE, THIRD_CYCLE)
PEAKS = (1.0, 0.6, 0.5)


def load_exported(net, path):
    """The weights of a file that export.py wrote; its calibration does not matter."""
    weights = {w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in onnx.load(path).graph.initializer}
    net.load_state_dict({key: weights[key].reshape(value.shape) for key, value in net.state_dict().items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with annotations.json and images/")
    parser.add_argument("output", type=Path, help="folder for checkpoints; a run there is taken up again")
    parser.add_argument("--yunet", type=Path, help="face_detection_yunet_2023mar*.onnx to start from")
    parser.add_argument("--rendered", type=Path, nargs="*", default=[], help="folders of truth/render.py --backgrounds")
    parser.add_argument("--empty", type=Path, nargs="*", default=[], help="folders of JPEG pictures without heads")
    parser.add_argument("--objects", type=Path, help="folder of PNG pictures of cut-out things")
    parser.add_argument("--third-cycle", type=Path, help="headnet.onnx of two cycles: only the third one is run")
    parser.add_argument("--licensed-only", action="store_true", help="only sources that state a licence")
    parser.add_argument("--steps", type=int, default=15000)
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
    if args.third_cycle and not first:
        load_exported(net, args.third_cycle)
        average.load_state_dict(net.state_dict())
        first = THIRD_CYCLE

    pictures = load(args.data, "train", args.licensed_only)
    pictures += [picture for folder in args.empty for picture in load_empty(folder)]
    objects = load_objects(args.objects) if args.objects else []
    rendered = [picture for folder in args.rendered for picture in load_rendered(folder)]
    held_out = load(args.data, "val")[::3]
    crops = HeadCrops(args.data, pictures, rendered, objects, args.seed, 1 << 40)
    batches = Batches(args.seed, args.steps, first, SHAPES)
    loader = DataLoader(
        crops, batch_sampler=batches, collate_fn=collate, num_workers=args.workers, prefetch_factor=4 if args.workers else None
    )
    log = (args.output / "log.jsonl").open("a")
    began, sums = time.monotonic(), [0.0] * 3
    for step, (images, labels) in enumerate(loader, first):
        for group in optimizer.param_groups:
            group["lr"] = cosines(step, CYCLES, args.steps, [peak * args.rate for peak in PEAKS])
        outputs = [output.float() for output in run(images.float())]
        third = step >= THIRD_CYCLE
        losses = detection_loss(outputs, labels, slack=step >= SECOND_CYCLE, paired=PAIRED if third else 0, severe=third)
        optimizer.zero_grad()
        sum(losses).backward()
        torch.nn.utils.clip_grad_norm_(trained, 5.0)
        optimizer.step()
        follow(average, net, step, 0.9995)
        sums = [so_far + loss.item() for so_far, loss in zip(sums, losses)]
        done = step + 1
        if done % 50 == 0:
            entry = {"step": done} | {name: round(s / 50, 4) for name, s in zip(("score", "box", "pair"), sums)}
            entry["seconds"] = round(time.monotonic() - began, 1)
            print(json.dumps(entry), file=log, flush=True)
            sums = [0.0] * 3
        if done % 250 == 0 or done == args.steps:
            save(checkpoint, net, average, optimizer, done)
        if done in CYCLES:
            save(args.output / f"cycle-{CYCLES.index(done)}.pt", net, average, optimizer, done)
        if done % args.judge_every == 0 or done == args.steps:
            found = judge(torch_detector(average.eval(), 640), args.data, held_out)
            entry = {"step": done, **{f"ap {key or 'all'}": round(average_precision(*value), 4) for key, value in sorted(found.items())}}
            print(json.dumps(entry), file=log, flush=True)


if __name__ == "__main__":
    main()

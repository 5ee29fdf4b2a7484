# SPDX-License-Identifier: MPL-2.0
"""What both trainings share: options, the learning rate, how the network runs, the optimiser, and runs that are resumed."""

import math

import torch

WARM_UP = 200


def options(parser, rate):
    """Adds the common options, with this peak rate, and prepares the run."""
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="compiled, with bfloat16; faster on processors with AVX512_BF16")
    parser.add_argument("--judge-every", type=int, default=1000)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    return args


def rate(step, steps, peak):
    """Linear warm-up, then a cosine down to a hundredth."""
    if step < WARM_UP:
        return peak * (step + 1) / WARM_UP
    part = (step - WARM_UP) / max(steps - WARM_UP, 1)
    return peak * (0.01 + 0.99 * (1 + math.cos(math.pi * min(part, 1.0))) / 2)


def cosines(step, starts, steps, peaks):
    """Schedules in a row: the n-th begins at step starts[n] and rises to the rate peaks[n]."""
    now = max(n for n, start in enumerate(starts) if step >= start)
    end = min([steps, *starts[now + 1 :]])
    return rate(step - starts[now], end - starts[now], peaks[now])


def runner(net, bf16):
    """Runs the network on a batch, compiled and in bfloat16 if that is wanted."""
    compiled = torch.compile(net, dynamic=False) if bf16 else net

    def run(images):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return compiled(images.contiguous(memory_format=torch.channels_last))

    return run


def adamw(parameters):
    """Weight decay for matrices, none for biases and scales."""
    groups = [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.02}]
    groups += [{"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups)


def follow(average, net, step, slowest):
    """Moves the average of the parameters after a step; it follows faster at first."""
    decay = min(slowest, (step + 1) / (step + 20))
    with torch.no_grad():
        for mean, new in zip(average.parameters(), net.parameters()):
            mean.lerp_(new, 1 - decay)


def resume(checkpoint, net, average, optimizer):
    """Loads a checkpoint if there is one; the step to go on with."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint)
    net.load_state_dict(state["net"])
    average.load_state_dict(state["average"])
    if state["optimizer"]:
        optimizer.load_state_dict(state["optimizer"])
    return state["step"]


def save(checkpoint, net, average, optimizer, step):
    state = {"net": net.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    torch.save(state, checkpoint.with_suffix(".new"))
    checkpoint.with_suffix(".new").replace(checkpoint)

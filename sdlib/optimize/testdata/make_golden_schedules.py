"""Makes schedules.json: the learning rates of torch.optim.lr_scheduler.

    pip install torch==2.15.0
    python sdlib/optimize/testdata/make_golden_schedules.py
"""

import json
import platform
import warnings
from pathlib import Path

import torch
from torch.optim import lr_scheduler

EPOCHS, STEPS, WARMUP, LR = 24, 3, 5, 3e-6
SEED = 9

generator = torch.Generator().manual_seed(SEED)
# Validation accuracies that rise, stay, and rise by less than one in ten thousand.
steps_up = torch.tensor([0.5, 0.6, 0.6, 0.59, 0.7, 0.70001, 0.70002, 0.7, 0.69, 0.71] + [0.71] * (EPOCHS - 10), dtype=torch.float64)
noisy = 0.5 + 0.4 * torch.rand(EPOCHS, generator=generator, dtype=torch.float64)


def rates(make, per_step=False, metric=None):
    """The learning rate of every step; metric[e] is what the schedule is told after epoch e."""
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    schedule = make(optimizer)
    out = []
    for epoch in range(EPOCHS):
        for _ in range(STEPS):
            out.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if per_step:
                schedule.step()
        if not per_step:
            schedule.step() if metric is None else schedule.step(metric[epoch].item())
    return out


def warm(after):
    """A linear warm-up to the whole rate, then the given schedule of the remaining steps."""
    rise = lambda o: lr_scheduler.LinearLR(o, start_factor=1 / WARMUP, end_factor=1, total_iters=WARMUP - 1)
    return lambda o: lr_scheduler.SequentialLR(o, [rise(o), after(o)], milestones=[WARMUP])


rest = EPOCHS * STEPS - WARMUP
plateau = lambda **how: lambda o: lr_scheduler.ReduceLROnPlateau(o, mode="max", **how)
exponential = lambda gamma: lambda o: lr_scheduler.ExponentialLR(o, gamma)
warnings.simplefilter("ignore")  # ExponentialLR warns that its step was given an epoch
cases = [
    dict(recipe=dict(schedule="constant"), rates=rates(lambda o: lr_scheduler.ConstantLR(o, factor=1))),
    dict(recipe=dict(schedule="cosine", warmup=WARMUP), rates=rates(warm(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=rest)), per_step=True)),
    dict(recipe=dict(schedule="linear", warmup=WARMUP),
         rates=rates(warm(lambda o: lr_scheduler.LinearLR(o, start_factor=1, end_factor=0, total_iters=rest)), per_step=True)),
    dict(recipe=dict(schedule="exponential"), rates=rates(exponential(0.95))),
    dict(recipe=dict(schedule="exponential", gamma=0.8), rates=rates(exponential(0.8))),
    dict(recipe=dict(schedule="exponential", faithful=dict(decay_by_accuracy=True)), val=noisy.tolist(), rates=rates(exponential(0.95), metric=noisy)),
    dict(recipe=dict(schedule="plateau"), val=steps_up.tolist(), rates=rates(plateau(patience=40), metric=steps_up)),
    dict(recipe=dict(schedule="plateau", patience=2), val=steps_up.tolist(), rates=rates(plateau(patience=2), metric=steps_up)),
    dict(recipe=dict(schedule="plateau", patience=1, factor=0.5), val=noisy.tolist(), rates=rates(plateau(patience=1, factor=0.5), metric=noisy)),
]
about = dict(script="sdlib/optimize/testdata/make_golden_schedules.py", seed=SEED, python=platform.python_version(), torch=torch.__version__,
             epochs=EPOCHS, steps=STEPS, lr=LR)
(Path(__file__).parent / "schedules.json").write_text(json.dumps(dict(about=about, cases=cases), indent=1))

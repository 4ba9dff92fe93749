"""Makes optimizers.safetensors: 30 steps of torch.optim.AdamW and Adam on a small network.

    pip install torch==2.15.0 safetensors==0.8.0 numpy==2.4.6
    python sdlib/optimize/testdata/make_golden.py

With one group of parameters and with two, with other decays of the moments, and with
gradients clipped by torch.nn.utils.clip_grad_norm_. Go repeats the steps from the same
start on the same batches.
"""

import platform
from pathlib import Path

import torch
from safetensors.torch import save_file

SEED, STEPS, BATCH, N = 11, 30, 8, 24
IN, HIDDEN, OUT = 5, 7, 3
HERE = Path(__file__).parent

torch.manual_seed(SEED)
x, y = torch.randn(N, IN), torch.randn(N, OUT)
order = torch.stack([torch.randperm(N)[:BATCH] for _ in range(STEPS)]).int()
start = dict(w1=torch.randn(HIDDEN, IN), b1=torch.randn(HIDDEN), w2=torch.randn(OUT, HIDDEN), b2=torch.randn(OUT))
out = dict(x=x, y=y, order=order, **{f"start/{k}": v for k, v in start.items()})


def train(case, kind, lr, decay, deep=None, clip=None, betas=(0.9, 0.999)):
    """deep is the learning rate and the decay of w1 and b1, where they are a group of their own."""
    p = {k: v.clone().requires_grad_() for k, v in start.items()}
    groups = [dict(params=[p[k] for k in ("w2", "b2")] + ([] if deep else [p["w1"], p["b1"]]), lr=lr, weight_decay=decay)]
    if deep:
        groups.append(dict(params=[p["w1"], p["b1"]], lr=deep[0], weight_decay=deep[1]))
    optimizer = kind(groups, betas=betas)
    losses, clipped = [], 0
    for i in order:
        i = i.long()
        loss = ((torch.tanh(x[i] @ p["w1"].T + p["b1"]) @ p["w2"].T + p["b2"] - y[i]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        if clip:
            clipped += torch.nn.utils.clip_grad_norm_(list(p.values()), clip).item() > clip
        optimizer.step()
        losses.append(loss.item())
    print(case, f"clipped in {clipped} of {STEPS} steps" if clip else "")
    out[f"{case}/losses"] = torch.tensor(losses)
    out.update({f"{case}/{k}": v.detach() for k, v in p.items()})


train("adamw", torch.optim.AdamW, 0.01, 0.1)
train("adamw-groups-clip", torch.optim.AdamW, 0.005, 0.1, deep=(0.02, 0.5), clip=4)
train("adam", torch.optim.Adam, 0.01, 0)
train("adam-groups-clip", torch.optim.Adam, 0.005, 0.1, deep=(0.02, 0.5), clip=4, betas=(0.8, 0.95))
about = dict(script="sdlib/optimize/testdata/make_golden.py", seed=SEED, python=platform.python_version(), torch=torch.__version__, steps=STEPS)
save_file(out, HERE / "optimizers.safetensors", {k: str(v) for k, v in about.items()})

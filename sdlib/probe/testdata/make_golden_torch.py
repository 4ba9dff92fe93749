"""Makes torch.safetensors: the first 20 steps of the paper's probe at two places, in PyTorch.

    pip install torch==2.15.0 safetensors==0.8.0 numpy==2.4.6
    python sdlib/probe/testdata/make_golden_torch.py

nn.Linear(F, 2), cross-entropy, torch.optim.AdamW(lr=.01) with its default decay, batches of 64.
"""

import platform
from pathlib import Path

import torch
from safetensors.torch import save_file

SEED, STEPS, BATCH, PLACES, F = 3, 20, 64, 2, 32
HERE = Path(__file__).parent

torch.manual_seed(SEED)
x = torch.randn(STEPS, BATCH, PLACES, F) * 2 + 0.3  # the batch of each step
true = torch.randn(PLACES, F)
y = ((x * true).sum(-1).mean(-1) > 0.3 * true.sum(-1).mean()).int()
first = torch.nn.Linear(F, 2)
out = {"x": x, "y": y, "start/weight": first.weight.detach().clone(), "start/bias": first.bias.detach().clone()}
for place in range(PLACES):
    probe = torch.nn.Linear(F, 2)
    probe.load_state_dict(first.state_dict())
    optimizer = torch.optim.AdamW(probe.parameters(), lr=0.01)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(probe(x[step, :, place]), y[step].long())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    out[f"{place}/weight"], out[f"{place}/bias"] = probe.weight.detach(), probe.bias.detach()
    out[f"{place}/loss"] = torch.tensor(losses)
    print(place, losses[0], losses[-1])

versions = dict(torch=torch.__version__, python=platform.python_version(), seed=str(SEED))
save_file({k: v.contiguous() for k, v in out.items()}, HERE / "torch.safetensors", metadata=versions)

"""Makes forms.safetensors: 20 steps of low-rank and of boundless distributed alignment search.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6 pyvene==0.1.8
    python sdlib/das/testdata/make_forms.py

The layers are pyvene's: LowRankRotateLayer, and the rotation and boundary of
BoundlessRotatedSpaceIntervention. Low rank has torch's orthogonal parametrization by the matrix
exponential; pyvene leaves torch its default, which for a matrix that is not square are Householder
reflections: the same subspaces in other numbers. Batches and frozen blocks are those of
make_golden.py, read from search.safetensors. Go repeats the steps.
"""

import contextlib
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file
from torch.nn.utils import parametrizations

with contextlib.redirect_stdout(sys.stderr):  # it prints what it does not find
    from pyvene.models.basic_utils import sigmoid_boundary
    from pyvene.models.interventions import BoundlessRotatedSpaceIntervention
    from pyvene.models.layers import LowRankRotateLayer

SEED, WARMUP, BLOCK, RANK = 4, 4, 0, 5
LR, BOUNDARY_LR, SPARSITY, FROM, TO = 0.05, 0.02, 0.01, 1.0, 0.05
HERE = Path(__file__).parent

model = transformers.ViTForImageClassification.from_pretrained(
    HERE.parents[1] / "finetune/testdata/model", attn_implementation="eager"
).eval()
for p in model.parameters():
    p.requires_grad_(False)
given = load_file(HERE / "search.safetensors")
STEPS, BATCH, T, D = given["base"].shape
rows = torch.arange(BATCH)[:, None]


def upper(stream):
    """The logits of a stream as block BLOCK left it."""
    for layer in model.vit.layers[BLOCK + 1 :]:
        stream = layer(stream)
        stream = stream[0] if isinstance(stream, tuple) else stream
    return model.classifier(model.vit.layernorm(stream)[:, 0])


def search(groups, edit, penalty):
    """Losses of all steps. edit(base, source, T) are the new states, penalty(T) is the sum of s."""
    optimizer = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: (i + 1) / WARMUP if i < WARMUP else 1 - (i - WARMUP) / (STEPS - WARMUP)
    )
    losses = []
    for step in range(STEPS):
        temperature = FROM * (TO / FROM) ** (step / (STEPS - 1))
        at, order = given["tokens"][step].long(), given["order"][step].long()
        base, source = given["base"][step], given["source"][step][rows, order]
        edited = base.clone()
        edited[rows, at] = edit(base[rows, at], source, temperature)
        loss = F.cross_entropy(upper(edited), given["targets"][step].long()) + SPARSITY * penalty(temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return torch.tensor(losses)


def low_rank():
    torch.manual_seed(SEED)
    layer = LowRankRotateLayer(D, RANK)
    start = torch.nn.init.orthogonal_(torch.empty(D, D))  # whose first columns R starts at
    layer = parametrizations.orthogonal(layer, orthogonal_map="matrix_exp")
    layer.parametrizations.weight[0].base = start
    losses = search(
        [dict(params=layer.parameters(), lr=LR)],
        lambda b, c, _: b + (layer(c) - layer(b)) @ layer.weight.T,
        lambda _: float(RANK),
    )
    return dict(lowrank_start=start, lowrank_losses=losses, lowrank_rotation=layer.weight.detach().clone())


def boundless():
    torch.manual_seed(SEED)
    made = BoundlessRotatedSpaceIntervention(embed_dim=D)
    start = made.rotate_layer.weight.detach().clone()

    def mask(temperature):
        end = torch.clamp(made.intervention_boundaries, 1e-3, 1)[0] * D
        return sigmoid_boundary(made.intervention_population, 0.0, end, temperature * D / 16)

    def edit(b, c, temperature):
        s, R = mask(temperature), made.rotate_layer.weight
        return ((1 - s) * (b @ R) + s * (c @ R)) @ R.T

    losses = search(
        [dict(params=made.rotate_layer.parameters(), lr=LR), dict(params=[made.intervention_boundaries], lr=BOUNDARY_LR)],
        edit,
        lambda temperature: mask(temperature).sum(),
    )
    return dict(
        boundless_start=start, boundless_losses=losses, boundless_rotation=made.rotate_layer.weight.detach().clone(),
        boundless_end=made.intervention_boundaries.detach() * D,
    )  # fmt: skip


out = low_rank() | boundless()
save_file(
    out,
    HERE / "forms.safetensors",
    dict(
        seed=str(SEED), pyvene=version("pyvene"), torch=torch.__version__, transformers=transformers.__version__,
        python=platform.python_version(), script="sdlib/das/testdata/make_forms.py",
    ),
)  # fmt: skip
for name in ["lowrank_losses", "boundless_losses", "boundless_end"]:
    print(name, [round(x, 4) for x in out[name].tolist()])

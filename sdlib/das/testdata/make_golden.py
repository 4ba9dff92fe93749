"""Makes search.safetensors: 20 steps of distributed alignment search in PyTorch.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    python sdlib/das/testdata/make_golden.py

The rotation is torch.nn.utils.parametrizations.orthogonal, with its default for a square
matrix, the matrix exponential; the mask is a sigmoid whose temperature falls exponentially. The
frozen blocks are those of transformers' ViTForImageClassification in
sdlib/finetune/testdata/model. Go repeats the steps from the same start on the same batches.
"""

import platform
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations

SEED, STEPS, WARMUP, BATCH, P, BLOCK = 3, 20, 4, 8, 4, 0
LR, MASK_LR, SPARSITY, FROM, TO = 0.05, 0.1, 0.01, 1.0, 0.05
HERE = Path(__file__).parent

torch.manual_seed(SEED)
model = transformers.ViTForImageClassification.from_pretrained(
    HERE.parents[1] / "finetune/testdata/model", attn_implementation="eager"
).eval()
for p in model.parameters():
    p.requires_grad_(False)
D, T = model.config.hidden_size, 1 + (model.config.image_size // model.config.patch_size) ** 2

base, source = torch.randn(STEPS, BATCH, T, D), torch.randn(STEPS, BATCH, P, D)
tokens = torch.stack([torch.stack([1 + torch.randperm(T - 1)[:P] for _ in range(BATCH)]) for _ in range(STEPS)]).int()
order = torch.stack([torch.stack([torch.randperm(P) for _ in range(BATCH)]) for _ in range(STEPS)]).int()
targets = torch.randint(0, 2, (STEPS, BATCH), dtype=torch.int32)

rotate = nn.Linear(D, D, bias=False)
nn.init.orthogonal_(rotate.weight)
start = rotate.weight.detach().clone()
rotate = parametrizations.orthogonal(rotate)
start_mask = 0.1 * torch.randn(D)  # where all are equal the loss does not depend on the rotation, and Adam steps along noise
mask = nn.Parameter(start_mask.clone())
optimizer = torch.optim.Adam([dict(params=rotate.parameters(), lr=LR), dict(params=[mask], lr=MASK_LR)])
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda i: (i + 1) / WARMUP if i < WARMUP else 1 - (i - WARMUP) / (STEPS - WARMUP)
)


def upper(stream):
    """The logits of a stream as block BLOCK left it."""
    for layer in model.vit.layers[BLOCK + 1 :]:
        stream = layer(stream)
        stream = stream[0] if isinstance(stream, tuple) else stream
    return model.classifier(model.vit.layernorm(stream)[:, 0])


losses, correct = [], []
rows = torch.arange(BATCH)[:, None]
for step in range(STEPS):
    at = tokens[step].long()
    R, s = rotate.weight, torch.sigmoid(mask / (FROM * (TO / FROM) ** (step / (STEPS - 1))))
    b, c = base[step][rows, at] @ R, source[step][rows, order[step].long()] @ R
    edited = base[step].clone()
    edited[rows, at] = ((1 - s) * b + s * c) @ R.T
    logits = upper(edited)
    loss = F.cross_entropy(logits, targets[step].long()) + SPARSITY * s.sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
    correct.append((logits.argmax(1) == targets[step]).float().mean().item())

save_file(
    dict(
        base=base, source=source, tokens=tokens, order=order, targets=targets, start=start, start_mask=start_mask,
        losses=torch.tensor(losses), correct=torch.tensor(correct),
        rotation=rotate.weight.detach().clone(), mask=mask.detach(),
    ),
    HERE / "search.safetensors",
    dict(
        seed=str(SEED), torch=torch.__version__, transformers=transformers.__version__, python=platform.python_version(),
        script="sdlib/das/testdata/make_golden.py",
    ),
)
print("losses", [round(x, 4) for x in losses])

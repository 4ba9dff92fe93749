"""Makes training.safetensors: 20 training steps of a tiny ViT in PyTorch.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    python sdlib/finetune/testdata/make_golden.py

The model is transformers' ViTForImageClassification; the loss is cross-entropy plus the
disentanglement loss of the paper's section 7 (two linear probes, on the halves of the
residual stream after block 1, at each object token); the optimizer is torch.optim.AdamW
with a linear warm-up and torch's cosine decay. Go repeats the steps from the same start.
"""

import json
import platform
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from torch import nn

SEED, STEPS, WARMUP, BATCH, N = 7, 20, 4, 6, 24
LR, DECAY, WEIGHT, AFTER = 2e-3, 0.01, 0.5, 1
IMAGE, PATCH, WIDTH = 16, 4, 12

torch.manual_seed(SEED)
config = transformers.ViTConfig(
    image_size=IMAGE, patch_size=PATCH, hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=3,
    intermediate_size=4 * WIDTH, num_labels=2, attn_implementation="eager",
)
model = transformers.ViTForImageClassification(config).train()
for p in model.parameters():  # biases and gains too, so that no gradient is checked at a special point
    p.data.add_(0.1 * torch.randn_like(p))
shape, color = nn.Linear(WIDTH // 2, 16), nn.Linear(WIDTH // 2, 16)

start = Path(__file__).parent / "model"
model.save_pretrained(start)
(start / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}))

pixels = torch.randint(0, 256, (N, IMAGE, IMAGE, 3), dtype=torch.uint8)
labels = torch.randint(0, 2, (N,), dtype=torch.int32)
tokens = torch.stack([torch.randperm((IMAGE // PATCH) ** 2)[:8].reshape(2, 4) for _ in range(N)]).int()
shapes, colors = torch.randint(0, 16, (2, N, 2), dtype=torch.int32)
order = torch.stack([torch.randperm(N)[:BATCH] for _ in range(STEPS)]).int()

out = dict(pixels=pixels, labels=labels, tokens=tokens, shapes=shapes.contiguous(), colors=colors.contiguous(), order=order)
for name, probe in (("shape", shape), ("color", color)):
    out[f"start.{name}.weight"], out[f"start.{name}.bias"] = probe.weight.detach().clone(), probe.bias.detach().clone()

optimizer = torch.optim.AdamW([*model.parameters(), *shape.parameters(), *color.parameters()], lr=LR, weight_decay=DECAY)
schedule = torch.optim.lr_scheduler.SequentialLR(
    optimizer,
    [
        torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / WARMUP, end_factor=1, total_iters=WARMUP - 1),
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS - WARMUP),
    ],
    milestones=[WARMUP],
)
losses, rates = [], []
for i in order:
    i = i.long()
    x = (pixels[i].permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
    result = model(pixel_values=x, output_hidden_states=True)
    task = F.cross_entropy(result.logits, labels[i].long())
    resid = result.hidden_states[AFTER + 1]  # hidden_states[0] is the embedding
    at = tokens[i].long().reshape(BATCH, -1, 1) + 1
    picked = resid.gather(1, at.expand(-1, -1, WIDTH)).reshape(-1, WIDTH)
    values = [v[i].long().repeat_interleave(4) for v in (shapes, colors)]
    aux = WEIGHT * (
        F.cross_entropy(shape(picked[:, : WIDTH // 2]), values[0]) + F.cross_entropy(color(picked[:, WIDTH // 2 :]), values[1])
    )
    optimizer.zero_grad()
    (task + aux).backward()
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    schedule.step()
    losses.append([task.item() + aux.item(), task.item(), aux.item()])

out["losses"], out["rates"] = torch.tensor(losses), torch.tensor(rates, dtype=torch.float64)
end = Path(__file__).parent / "end"
model.save_pretrained(end)
for name, probe in (("shape", shape), ("color", color)):
    out[f"end.{name}.weight"], out[f"end.{name}.bias"] = probe.weight.detach(), probe.bias.detach()
(Path(__file__).parent / "end" / "preprocessor_config.json").write_text((start / "preprocessor_config.json").read_text())
about = dict(script="sdlib/finetune/testdata/make_golden.py", seed=SEED, python=platform.python_version(),
             torch=torch.__version__, transformers=transformers.__version__,
             warmup=WARMUP, steps=STEPS, lr=LR, weight_decay=DECAY, weight=WEIGHT, after=AFTER)
save_file(out, Path(__file__).parent / "training.safetensors", {k: str(v) for k, v in about.items()})

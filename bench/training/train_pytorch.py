"""The peer of bench/training: the same vision transformer, loss and optimizer in PyTorch.

Reads commands on stdin, one per line: MODEL AUX BATCH STEPS, and answers each with a
line: images per second of training, and of the forward pass alone. So that the Go side
can take turns with it in one run. Needs torch (requirements.txt beside this file).
"""

import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

MODELS = {  # image, patch, width, blocks, heads
    "course-quick": (64, 16, 96, 4, 3),
    "course": (64, 8, 96, 6, 3),
    "b32": (224, 32, 768, 12, 12),
}


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-12), nn.LayerNorm(d, eps=1e-12)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        z = F.scaled_dot_product_attention(q, k, v)  # PyTorch's fused attention
        x = x + self.out(z.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class ViT(nn.Module):
    def __init__(self, image, patch, d, blocks, heads):
        super().__init__()
        g = image // patch
        self.patch = nn.Conv2d(3, d, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, d) * 0.02)
        self.pos = nn.Parameter(torch.randn(1, g * g + 1, d) * 0.02)
        self.blocks = nn.ModuleList(Block(d, heads) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(d, eps=1e-12), nn.Linear(d, 2)

    def forward(self, images, after):
        x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        kept = None
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i == after:
                kept = x
        return self.head(self.norm(x)[:, 0]), kept


def measure(name, aux, batch, steps):
    image, patch, d, blocks, heads = MODELS[name]
    torch.manual_seed(0)
    model = ViT(image, patch, d, blocks, heads)
    per_object = 4 if patch == 8 else 1
    tokens = (image // patch) ** 2
    shape, color = nn.Linear(d // 2, 16), nn.Linear(d // 2, 16)
    parameters = [*model.parameters()] + ([*shape.parameters(), *color.parameters()] if aux else [])
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, fused=True)
    n = max(2 * batch, 256)
    data = torch.randint(0, 256, (n, image, image, 3), dtype=torch.uint8)
    labels = torch.randint(0, 2, (n,))
    where = torch.randint(0, tokens, (n, 2, per_object))
    values = torch.randint(0, 16, (2, n, 2))

    def step():
        i = torch.randint(0, n, (batch,))
        logits, kept = model(data[i], 1 if aux else None)
        loss = F.cross_entropy(logits, labels[i])
        if aux:
            at = where[i].reshape(batch, -1, 1) + 1
            x = kept.gather(1, at.expand(-1, -1, d)).reshape(-1, d)
            for probe, half, value in ((shape, x[:, : d // 2], values[0]), (color, x[:, d // 2 :], values[1])):
                loss = loss + F.cross_entropy(probe(half), value[i].repeat_interleave(per_object))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def forward():
        with torch.inference_mode():
            model(data[torch.randint(0, n, (batch,))], None)

    rates = []
    for run in (step, forward):
        run()
        run()
        begin = time.perf_counter()
        for _ in range(steps):
            run()
        rates.append(batch * steps / (time.perf_counter() - begin))
    return rates


def main():
    print("pytorch", torch.__version__, "threads", torch.get_num_threads(), flush=True)
    for line in sys.stdin:
        name, aux, batch, steps = line.split()
        print(*(f"{r:.1f}" for r in measure(name, aux == "aux", int(batch), int(steps))), flush=True)


if __name__ == "__main__":
    main()

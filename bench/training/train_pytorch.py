"""The peer of bench/training: the same vision transformer, loss and optimizer in PyTorch.

Reads commands on stdin, one per line: MODEL LOSSES BATCH STEPS, and answers each with a
line: images per second of training, and of the forward pass alone. So that the Go side
can take turns with it in one run. With --cpu, per second of processor time. Needs torch (requirements.txt beside this file).
"""

import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

now = time.process_time if "--cpu" in sys.argv else time.perf_counter

MODELS = {  # image, patch, width, blocks, heads
    "course-quick": (64, 16, 96, 4, 3),
    "course": (64, 8, 96, 6, 3),
    "b32": (224, 32, 768, 12, 12),
    "b16": (224, 16, 768, 12, 12),
}


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-12), nn.LayerNorm(d, eps=1e-12)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x, want_attention=False):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        attention = None
        if want_attention:  # the pipeline loss needs the weights, which fused attention does not give
            attention = (q @ k.transpose(-2, -1) / (d // self.heads) ** 0.5).softmax(-1)
            z = attention @ v
        else:
            z = F.scaled_dot_product_attention(q, k, v)  # PyTorch's fused attention
        x = x + self.out(z.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm2(x)))), attention


class ViT(nn.Module):
    def __init__(self, image, patch, d, blocks, heads):
        super().__init__()
        g = image // patch
        self.patch = nn.Conv2d(3, d, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, d) * 0.02)
        self.pos = nn.Parameter(torch.randn(1, g * g + 1, d) * 0.02)
        self.blocks = nn.ModuleList(Block(d, heads) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(d, eps=1e-12), nn.Linear(d, 2)

    def forward(self, images, after=None, attend=()):
        x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        kept, attention = None, {}
        for i, block in enumerate(self.blocks):
            x, a = block(x, i in attend)
            if i in attend:
                attention[i] = a
            if i == after:
                kept = x
        return self.head(self.norm(x)[:, 0]), kept, attention


def measure(name, losses, batch, steps):
    image, patch, d, blocks, heads = MODELS[name]
    torch.manual_seed(0)
    model = ViT(image, patch, d, blocks, heads)
    per_object = 4 if (image, patch) == (64, 8) else 1
    tokens = (image // patch) ** 2
    disentangle, pipeline, relation = ("disentangle" in losses, "pipeline" in losses, "relation" in losses)
    shape, color, same = nn.Linear(d // 2, 16), nn.Linear(d // 2, 16), nn.Linear(d, 2)
    parameters = [*model.parameters()]
    for on, probes in ((disentangle, (shape, color)), (relation, (same,))):
        if on:
            parameters += [p for probe in probes for p in probe.parameters()]
    within_object = sorted({b * blocks // 12 for b in (3, 4, 5)}) if pipeline else []
    within_pair = sorted({b * blocks // 12 for b in (6, 7)}) if pipeline else []
    chosen = torch.randperm(heads)[: 2 * heads // 3]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, fused=True)
    n = max(2 * batch, 256)
    data = torch.randint(0, 256, (n, image, image, 3), dtype=torch.uint8)
    labels = torch.randint(0, 2, (n,))
    where = torch.randint(0, tokens, (n, 2, per_object))
    values = torch.randint(0, 16, (2, n, 2))

    def step():
        i = torch.randint(0, n, (batch,))
        logits, kept, attention = model(data[i], 2 if disentangle or relation else None, {*within_object, *within_pair})
        loss = F.cross_entropy(logits, labels[i])
        member = F.one_hot(where[i] + 1, tokens + 1).sum(2).float()  # [batch, object, token]
        if disentangle:
            at = where[i].reshape(batch, -1, 1) + 1
            x = kept.gather(1, at.expand(-1, -1, d)).reshape(-1, d)
            for probe, half, value in ((shape, x[:, : d // 2], values[0]), (color, x[:, d // 2 :], values[1])):
                loss = loss + F.cross_entropy(probe(half), value[i].repeat_interleave(per_object))
        if relation:
            pair = torch.einsum("bot,btd->bd", member, kept) / (2 * per_object)
            loss = loss + F.cross_entropy(same(pair), labels[i])
        for layers, to in ((within_object, member), (within_pair, member.flip(1))):
            for layer in layers:
                rows = torch.einsum("boq,bhqk->bhok", member / per_object, attention[layer][:, chosen])
                score = torch.einsum("bhok,bok->bho", rows, to).mean()
                loss = loss + (1 - score) / len(layers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def forward():
        with torch.inference_mode():
            model(data[torch.randint(0, n, (batch,))])

    rates = []
    for run in (step, forward):
        run()
        run()
        begin = now()
        for _ in range(steps):
            run()
        rates.append(batch * steps / (now() - begin))
    return rates


def main():
    print("pytorch", torch.__version__, "threads", torch.get_num_threads(), flush=True)
    for line in sys.stdin:
        name, losses, batch, steps = line.split()
        print(*(f"{r:.1f}" for r in measure(name, losses, int(batch), int(steps))), flush=True)


if __name__ == "__main__":
    main()

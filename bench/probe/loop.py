"""The peer of bench/probe: the same interventions in PyTorch, one at a time, as the paper's code does, and in batches.

A model of the Course geometry (64 px, 8-px patches, width 96, 6 blocks, 3 heads) with random
weights. For every block and image, and either pair, two directions are added to the pair's
tokens after the block, and the whole model runs again, as with a hook.

Reads commands on stdin, one per line: IMAGES BATCH, and answers each with a line: answers per
second one at a time (over a sixteenth of the images), and in batches. Needs torch
(bench/training/requirements.txt).
"""

import sys
import time

import torch
from torch import nn

IMAGE, PATCH, WIDTH, BLOCKS, HEADS, PAIRS, DIRECTIONS, TOKENS = 64, 8, 96, 6, 3, 2, 2, 8


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, 1e-12), nn.LayerNorm(WIDTH, 1e-12)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        z = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(z.transpose(1, 2).reshape(b, t, WIDTH))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.cls = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, (IMAGE // PATCH) ** 2 + 1, WIDTH) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm, self.head = nn.LayerNorm(WIDTH, 1e-12), nn.Linear(WIDTH, 2)

    def forward(self, images):
        x = self.patch(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


@torch.no_grad()
def run(model, images, tokens, directions, batch):
    """Answers per second with batches of a number of images."""
    begin, answers = time.perf_counter(), 0
    for block in model.blocks:
        for at in range(0, len(images), batch):
            x, where = images[at : at + batch], tokens[at : at + batch]
            rows = torch.arange(len(x))[:, None]
            for pair in range(PAIRS):
                for direction in directions:

                    def add(module, args, out):
                        out = out.clone()
                        out[rows, where[:, pair]] += direction
                        return out

                    hook = block.register_forward_hook(add)
                    answers += len(model(x).argmax(1))
                    hook.remove()
    return answers / (time.perf_counter() - begin)


def measure(n, batch):
    torch.manual_seed(1)
    model = ViT().eval()
    images = torch.rand(n, 3, IMAGE, IMAGE)
    cells = [torch.randperm((IMAGE // PATCH) ** 2)[: PAIRS * TOKENS].view(PAIRS, TOKENS) for _ in range(n)]
    tokens = 1 + torch.stack(cells)
    directions = torch.randn(DIRECTIONS, TOKENS, WIDTH)
    run(model, images[:8], tokens[:8], directions, 8)  # warms up
    some = max(1, n // 16)
    return run(model, images[:some], tokens[:some], directions, 1), run(model, images, tokens, directions, batch)


def main():
    print("pytorch", torch.__version__, "threads", torch.get_num_threads(), flush=True)
    for line in sys.stdin:
        print(*("%.3f" % x for x in measure(*map(int, line.split()))), flush=True)


if __name__ == "__main__":
    main()

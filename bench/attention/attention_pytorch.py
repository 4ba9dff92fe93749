"""The peer of bench/attention: head scores as one would compute them in PyTorch, from attention maps that transformers returns.

Reads commands on stdin, one per line: IMAGE PATCH WIDTH BLOCKS HEADS IMAGES BATCH; answers each with the seconds and the peak memory
of the process in MB. The model is a ViT with random weights; output_attentions=True needs its plain ("eager") attention. Needs torch and
transformers (bench/parity/requirements.txt).
"""

import resource
import sys
import time
from importlib.metadata import version

import torch
from transformers import ViTConfig, ViTForImageClassification


def score(attentions, objects):
    """Within object, within pair and background of every head, [B, L, H] each: two objects of some patches, B x 2 x P."""
    A = torch.stack(attentions, 1)  # [B, L, H, T, T]
    T = A.shape[-1]
    member = torch.zeros(objects.shape[0], 2, T).scatter_(2, objects + 1, 1.0)  # behind CLS
    rows = torch.einsum("bot,blhtk->blhok", member / member.sum(-1, keepdim=True), A)
    ground = 1 - member.sum(1)
    ground[:, 0] = 0
    own = torch.einsum("blhok,bok->blho", rows, member)
    pair = torch.einsum("blhok,bok->blho", rows, member.flip(1))
    background = torch.einsum("blhok,bk->blho", rows, ground)
    return own.amin(-1), pair.amax(-1), background.amax(-1)


def measure(size, patch, width, blocks, heads, images, batch):
    torch.manual_seed(0)
    config = ViTConfig(
        image_size=size,
        patch_size=patch,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=blocks,
        num_attention_heads=heads,
        num_labels=2,
        attn_implementation="eager",
    )
    model = ViTForImageClassification(config).eval()
    g = size // patch
    objects = torch.tensor([[[0, 1, g, g + 1], [g * g - 2 - g, g * g - 1 - g, g * g - 2, g * g - 1]]]).repeat(batch, 1, 1)
    pixels = torch.rand(batch, 3, size, size)
    sums = [0, 0, 0]
    with torch.inference_mode():
        model(pixels[:1], output_attentions=True)  # warms up
        begin = time.perf_counter()
        for at in range(0, images, batch):
            n = min(batch, images - at)
            out = model(pixels[:n], output_attentions=True)
            sums = [s + m.sum(0) for s, m in zip(sums, score(out.attentions, objects[:n]))]
    return time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    print("pytorch", torch.__version__, "transformers", version("transformers"), "threads", torch.get_num_threads(), flush=True)
    for line in sys.stdin:
        print(*("%.3f" % x for x in measure(*map(int, line.split()))), flush=True)


if __name__ == "__main__":
    main()

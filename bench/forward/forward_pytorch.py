"""The peer of bench/forward: the forward pass of the same vision transformer in PyTorch.

Reads commands on stdin, one per line: MODEL KEPT BATCH PASSES, where KEPT is 0 for the
logits alone (fused attention), 1 for one attention map besides, 2 for all; answers each
with images per second. Needs torch (bench/training/requirements.txt).
"""

import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "training"))
from train_pytorch import MODELS, ViT  # noqa: E402


def measure(name, kept, batch, passes):
    image, patch, d, blocks, heads = MODELS[name]
    torch.manual_seed(0)
    model = ViT(image, patch, d, blocks, heads).eval()
    attend = [(), (1,), range(blocks)][kept]
    images = torch.randint(0, 256, (batch, image, image, 3), dtype=torch.uint8)
    with torch.inference_mode():
        model(images, attend=attend)
        begin = time.perf_counter()
        for _ in range(passes):
            model(images, attend=attend)
    return batch * passes / (time.perf_counter() - begin)


def main():
    print("pytorch", torch.__version__, "threads", torch.get_num_threads(), flush=True)
    for line in sys.stdin:
        name, kept, batch, passes = line.split()
        print(f"{measure(name, int(kept), int(batch), int(passes)):.3f}", flush=True)


if __name__ == "__main__":
    main()

"""The peer of bench/gpu: the same vision transformer in PyTorch, on the same card.

    python torch_peer.py cuda|cpu

Says "ready" and its versions, or "error" and why not. Then reads questions on stdin, a line
each: MODEL PRECISION BATCH ENGINE SECONDS. MODEL is one of bench/training/train_pytorch.py,
or "product"; PRECISION is f32, tf32 or bf16 (autocast, weights in float32); ENGINE is
"torch" (eager) or "torch.compile". Answers with lines of a name and a number, then "done":

    training  images per second, AdamW (fused), cross-entropy, data on the device
    forward   images per second to the logits
    compile   seconds until the first step was done
    memory    MiB that the process took of the GPU's memory
    product   TFLOP/s of a product of two square matrices of BATCH rows

or with "error" and why. Attention is torch's scaled_dot_product_attention.
"""

import sys
import time
import traceback
from pathlib import Path


def say(*words):
    print(*words, flush=True)


try:
    import torch
    import torch.nn.functional as F
except Exception as e:  # a Python without torch, or one that does not load here
    say("error no torch:", str(e).splitlines()[0] if str(e) else type(e).__name__)
    sys.exit(0)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "training"))
from train_pytorch import MODELS, ViT  # noqa: E402

device = torch.device(sys.argv[1])


def wait():
    if device.type == "cuda":
        torch.cuda.synchronize()


def free():
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def memory():
    """MiB that torch holds of the GPU's memory, context apart; on a CPU the largest resident size."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved() / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def set_precision(precision):
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")


def rate(run, amount, seconds):
    """Work per second of a function, over about so many seconds."""
    for _ in range(2):
        run()
    wait()
    begin, n = time.perf_counter(), 0
    while n < 2 or time.perf_counter() - begin < seconds:
        for _ in range(2 if seconds == 0 else 8):
            run()
            n += 1
        wait()
    return amount * n / (time.perf_counter() - begin)


def product(precision, n, seconds):
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    torch.manual_seed(0)
    x = (2 * torch.rand(n, n, device=device) - 1).to(dtype)
    w = ((2 * torch.rand(n, n, device=device) - 1) * (3 / n) ** 0.5).to(dtype)
    out = torch.empty_like(x)
    with torch.inference_mode():
        say("product", f"{rate(lambda: torch.mm(x, w, out=out), 2 * n**3 / 1e12, seconds):.6g}")


def measure(name, precision, batch, engine, seconds):
    image, patch, d, blocks, heads = MODELS[name]
    torch.manual_seed(0)
    model = ViT(image, patch, d, blocks, heads).to(device)
    n = 4 * batch
    data = torch.randint(0, 256, (n, image, image, 3), dtype=torch.uint8, device=device)
    labels = torch.randint(0, 2, (n,), device=device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=0.01, fused=True)
    call = model
    if engine == "torch.compile":
        torch._dynamo.reset()
        call = torch.compile(model, dynamic=False)

    def autocast():
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")

    def step():
        i = torch.randint(0, n, (batch,), device=device)
        with autocast():
            logits, _, _ = call(data[i])
            loss = F.cross_entropy(logits, labels[i])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def forward():
        i = torch.randint(0, n, (batch,), device=device)
        with torch.inference_mode(), autocast():
            call(data[i])

    begin = time.perf_counter()
    step()
    wait()
    say("compile", f"{time.perf_counter() - begin:.3g}")
    say("training", f"{rate(step, batch, seconds):.6g}")
    say("memory", f"{memory():.6g}")
    say("forward", f"{rate(forward, batch, seconds):.6g}")


def main():
    if device.type == "cuda" and not torch.cuda.is_available():
        say("error torch", torch.__version__, "sees no GPU")
        return
    card = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    say("ready torch", torch.__version__, "on", card)
    for line in sys.stdin:
        name, precision, batch, engine, seconds = line.split()
        try:
            set_precision(precision)
            if name == "product":
                product(precision, int(batch), float(seconds))
            else:
                measure(name, precision, int(batch), engine, float(seconds))
            say("done")
        except Exception as e:
            traceback.print_exc()
            say("error", type(e).__name__, str(e).splitlines()[0] if str(e) else "")
        free()


if __name__ == "__main__":
    main()

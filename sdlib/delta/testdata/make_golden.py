"""Writes what the tests of package delta compare with, by NumPy alone: a model that fine-tuning might have made of the tiny CLIP
of package vit (tuned.safetensors), packed as docs/formats.md describes in 16 bits (packed/) and in 8 (packed-8/), and base and
difference put together again (whole/, whole-8/), each product and each sum rounded to float32, in the order that the format prescribes.

    python -m venv env && env/bin/pip install numpy safetensors && env/bin/python make_golden.py

The metadata of tuned.safetensors name versions and seed.
"""

import hashlib
import json
import platform
import re
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

SEED, RANK = 20240611, 2
here = Path(__file__).parent
base_dir = here / "../../vit/testdata/clip"
rng = np.random.default_rng(SEED)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def natural(name):
    """Sorts numbers in names as numbers."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


base = load_file(base_dir / "model.safetensors")
HEAD = "visual_projection.weight"
STILL = "vision_model.encoder.layers.1.mlp.fc2.weight"  # what fine-tuning left alone

tuned = {}
for name in sorted(base, key=natural):
    w = base[name]
    rows = w.shape[0]
    if name == HEAD:
        tuned[name] = normal(2, w.shape[1])
    elif name == STILL:
        tuned[name] = w
    elif w.ndim == 1:
        tuned[name] = w + np.float32(1e-3) * normal(*w.shape)
    else:  # a spectrum that falls: 1, 1/2, 1/4, ...
        cols = w.size // rows
        k = min(rows, cols)
        diff = (normal(rows, k) * np.float32(1e-2) * np.float32(0.5) ** np.arange(k, dtype=np.float32)) @ normal(k, cols)
        tuned[name] = w + diff.reshape(w.shape)
about = {"numpy": version("numpy"), "safetensors": version("safetensors"), "python": platform.python_version(), "seed": str(SEED), "rank": str(RANK)}
save_file(tuned, here / "tuned.safetensors", metadata={"format": "pt", **about})


def eight(x, axis):
    """Multiples of a step, -127 to 127, and the steps: one for each component."""
    step = np.abs(x).max(axis, keepdims=True) / 127
    return np.round(x / step).astype(np.int8), step


def pack(bits):
    """What is kept of each weight, base and difference together, ranks, and the share that is lost."""
    kept, whole, ranks, cut, all_ = {}, {}, {}, 0.0, 0.0
    for name, w in base.items():
        if name == HEAD:
            kept[name] = whole[name] = tuned[name]
            continue
        diff = tuned[name].astype(np.float64) - w.astype(np.float64)
        whole[name] = w.copy()
        if w.ndim == 1:
            kept[name + ".change"] = diff.astype(np.float16)
            whole[name] = w + kept[name + ".change"].astype(np.float32)
        elif not diff.any():
            ranks[name] = 0
        else:
            rows = w.shape[0]
            U, S, V = np.linalg.svd(diff.reshape(rows, -1), full_matrices=False)
            A, B = U[:, :RANK] * np.sqrt(S[:RANK]), np.sqrt(S[:RANK])[:, None] * V[:RANK]
            if bits == 8:
                (A, a), (B, b) = eight(A, 0), eight(B, 1)
                step = (a.reshape(RANK) * b.reshape(RANK)).astype(np.float32)
                kept[name + ".A"], kept[name + ".B"], kept[name + ".step"] = A, B, step
                A, B = A.astype(np.float32) * step, B.astype(np.float32)
            else:
                A, B = A.astype(np.float16), B.astype(np.float16)
                kept[name + ".A"], kept[name + ".B"] = A, B
            ranks[name] = RANK
            total = np.zeros((rows, w.size // rows), np.float32)
            for k in range(RANK):  # float32 throughout: a product is rounded, then the sum
                total = total + A[:, k, None].astype(np.float32) * B[None, k].astype(np.float32)
            whole[name] = w + total.reshape(w.shape)
        cut += ((whole[name].astype(np.float64) - tuned[name].astype(np.float64)) ** 2).sum()
        all_ += (diff**2).sum()
    return kept, whole, ranks, float(np.sqrt(cut / all_))


lines = "".join(f"{hashlib.sha256(base[name].astype('<f4').tobytes()).hexdigest()}  {name}\n" for name in sorted(base) if name != HEAD)

for bits, suffix in ((16, ""), (8, "-8")):
    kept, whole, ranks, lost = pack(bits)
    packed_dir, whole_dir = here / f"packed{suffix}", here / f"whole{suffix}"
    for folder in (packed_dir, whole_dir):
        folder.mkdir(exist_ok=True)
        shutil.copy(base_dir / "preprocessor_config.json", folder)
        config = json.loads((base_dir / "config.json").read_text())
        config["projection_dim"] = 2
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(whole, whole_dir / "model.safetensors", metadata={"format": "pt"})
    save_file(kept, packed_dir / "delta.safetensors", metadata={"format": "samediff delta"})
    (packed_dir / "delta.json").write_text(json.dumps({
        "format": "samediff delta", "version": 1,
        "base": {"name": "../../../vit/testdata/clip", "hash": hashlib.sha256(lines.encode()).hexdigest()},
        "method": {"rank": RANK} | ({"bits": 8} if bits == 8 else {}), "lost": lost,
        "sha256": hashlib.sha256((packed_dir / "delta.safetensors").read_bytes()).hexdigest(),
        "ranks": ranks}, indent=2) + "\n")

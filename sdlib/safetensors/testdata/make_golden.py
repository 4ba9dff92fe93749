"""Writes golden.safetensors with the reference implementation, and golden.json: what it holds, and what wrote it.

    pip install safetensors==0.8.0 numpy torch && python make_golden.py

The Go tests read golden.safetensors, compare every value with golden.json, and write the same bytes again.
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

SEED = 20240521
here = Path(__file__).parent
rng = torch.Generator().manual_seed(SEED)


def normal(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=rng, dtype=torch.float64).to(dtype)


def integers(*shape, dtype):
    return torch.randint(0, 100, shape, generator=rng).to(dtype)


half = torch.tensor([0, -0.0, 1, -1, 2**-24, -(2**-24), 2**-14, 65504, -65504, float("inf"), float("-inf")])
tensors = {
    "f32": normal(2, 3),
    "f32.scalar": normal(),
    "f32.empty": normal(0, 4),
    "f64": normal(3, dtype=torch.float64),
    "f16": half.to(torch.float16),
    "bf16": normal(5, dtype=torch.bfloat16),
    "f8_e5m2": normal(3, dtype=torch.float8_e5m2),
    "f8_e4m3": normal(3, dtype=torch.float8_e4m3fn),
    "f8_e8m0": torch.tensor([1.0, 2.0, 0.5]).to(torch.float8_e8m0fnu),
    "f8_e4m3fnuz": normal(3, dtype=torch.float8_e4m3fnuz),
    "f8_e5m2fnuz": normal(3, dtype=torch.float8_e5m2fnuz),
    "c64": torch.complex(normal(2), normal(2)),
    "bool": torch.tensor([True, False, True]),
    **{name: integers(3, dtype=getattr(torch, long)) for name, long in {
        "u8": "uint8", "i8": "int8", "i16": "int16", "u16": "uint16", "i32": "int32", "u32": "uint32", "i64": "int64", "u64": "uint64",
    }.items()},
    'odd "name" \\ / <&> é 世 \t\n\r\b\f\x0b\x01\x7f \u2028\u2029': normal(1),
}
# One key only: the reference writer leaves the order of several to chance.
metadata = {"format": 'pt "\u2028" é\x1f'}

save_file(tensors, here / "golden.safetensors", metadata)
record = {
    "seed": SEED,
    "versions": {"python": platform.python_version(), **{name: version(name) for name in ("safetensors", "torch")}},
    "metadata": metadata,
    # Floating-point values as strings, because JSON has no infinity; complex numbers are checked by their bytes alone.
    "tensors": {
        name: {"shape": list(t.shape), "values": [repr(float(v)) for v in t.flatten()] if not t.is_complex() else None}
        for name, t in tensors.items()
    },
}
(here / "golden.json").write_text(json.dumps(record, indent=1) + "\n")

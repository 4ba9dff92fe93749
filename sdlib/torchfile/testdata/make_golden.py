"""Writes the golden files with PyTorch, and golden.json: what they hold, and what wrote them.

    pip install torch==2.15.0 && python make_golden.py

The Go tests open each file and compare every element, as its bytes, with golden.json; those of hostile.json must be refused.
"""

import json
import os
import platform
from collections import OrderedDict
from pathlib import Path

import torch

SEED = 20240613
here = Path(__file__).parent
rng = torch.Generator().manual_seed(SEED)


def normal(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=rng, dtype=torch.float64).to(dtype)


def integers(*shape, dtype):
    return torch.randint(0, 100, shape, generator=rng).to(dtype)


base = normal(4, 6)
state = OrderedDict(
    f32=normal(2, 3),
    f16=normal(5, dtype=torch.float16),
    bf16=normal(5, dtype=torch.bfloat16),
    f64=normal(3, dtype=torch.float64),
    **{name: integers(3, dtype=getattr(torch, long)) for name, long in {
        "i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8", "u8": "uint8",
    }.items()},
    bool=torch.tensor([True, False, True]),
    c64=torch.complex(normal(2), normal(2)),
    scalar=normal(),
    empty=normal(0, 4),
    parameter=torch.nn.Parameter(normal(2, 2)),
    base=base,  # the next ones share its storage
    tied=base,
    transposed=base.t(),
    part=base[1:3, 2:5],
    every_second=base[:, ::2],
    row=base[2],
    expanded=base[:1, :1].expand(3, 2),
    position_ids=torch.arange(7).expand(1, -1),
    permuted=normal(2, 3, 4, 2).permute(3, 0, 2, 1),
)
state["names of any kind é 世"] = normal(1)
attributed = torch.nn.Parameter(normal(2))
attributed.tag = "an attribute"
state["attributed"] = attributed
state._metadata = OrderedDict({"": {"version": 1}})  # as Module.state_dict adds it
small = OrderedDict(weight=normal(2, 3).t(), bias=normal(2))
new = {**small, "u16": torch.tensor([1, 2, 65535], dtype=torch.uint16), "f8": normal(4, dtype=torch.float8_e4m3fn)}

files = {
    "zip.pt": (state, state, {}),
    "legacy.pt": (state, state, {"_use_new_zipfile_serialization": False}),
    "untyped.pt": (new, new, {}),  # _rebuild_tensor_v3 on untyped storages
    "protocol4.pt": (small, small, {"pickle_protocol": 4}),
    "checkpoint.pt": ({"epoch": 3, "model": small, "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "lr": 1e-6}}, small, {}),
}
record = {"seed": SEED, "versions": {"python": platform.python_version(), "torch": torch.__version__}, "files": {}}
for name, (checkpoint, tensors, options) in files.items():
    torch.save(checkpoint, here / name, **options)
    record["files"][name] = [
        {"name": key, "dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape),
         "hex": t.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes().hex() if t.numel() else ""}
        for key, t in tensors.items()
    ]
(here / "golden.json").write_text(json.dumps(record, indent=0, ensure_ascii=False) + "\n")


class Evil:
    """Runs a command where it is unpickled by Python."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


# Each of these leaves a file called owned behind when Python loads it.
COMMAND = "touch owned"
hostile = {
    "system.pt": (Evil(os.system, COMMAND), "posix.system"),
    "hidden.pt": (OrderedDict(weight=torch.ones(2), extra=Evil(eval, f"__import__('os').system('{COMMAND}')")), "__builtin__.eval"),
    "popen.pt": ({"state_dict": {"weight": Evil(os.popen, COMMAND)}}, "os.popen"),
    "module.pt": (torch.nn.Linear(1, 1), "torch.nn.modules.linear.Linear"),
}
for name, (checkpoint, _) in hostile.items():
    torch.save(checkpoint, here / name)
torch.save(hostile["system.pt"][0], here / "system_legacy.pt", _use_new_zipfile_serialization=False)
(here / "hostile.json").write_text(json.dumps(
    {**{name: refused for name, (_, refused) in hostile.items()}, "system_legacy.pt": "posix.system"}, indent=1) + "\n")

"""Loads what write_test.go wrote and compares it with what the test's sample holds.

    pip install torch==2.15.0 && python check_written.py FILE
"""

import sys

import torch

state = torch.load(sys.argv[1], weights_only=True)
expected = {
    "layer.weight": torch.tensor([[0, 1, 2], [3, 4, float("-inf")]]),
    "mask": torch.tensor([True, False, True]),
    "none": torch.empty(2, 0, dtype=torch.float64),
    "step 世": torch.tensor(7),
    "long": torch.full((300, 300), 5, dtype=torch.uint8),
}
types = {"F16": torch.float16, "BF16": torch.bfloat16, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "C64": torch.complex64}
for i, (name, dtype) in enumerate(types.items()):
    raw = torch.full((1, 2 * dtype.itemsize), i + 1, dtype=torch.uint8)
    expected[name] = raw.view(dtype)
assert list(state) == list(expected), list(state)
for name, want in expected.items():
    got = state[name]
    assert got.dtype == want.dtype and got.shape == want.shape and got.stride() == want.stride() and torch.equal(got, want), name
for mapped in torch.load(sys.argv[1], weights_only=True, mmap=True).values():
    assert mapped.numel() == 0 or mapped.data_ptr() % 64 == 0
print(f"{len(state)} tensors as expected by PyTorch {torch.__version__}")

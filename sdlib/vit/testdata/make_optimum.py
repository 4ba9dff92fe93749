"""Writes the ONNX files of make_onnx.py that optimum exports, with names, axes and outputs of its own.

    python -m venv env && env/bin/pip install torch==2.15.0 optimum-onnx==0.1.0 onnx==1.23.2 onnxruntime==1.32.0 safetensors pillow
    env/bin/python make_optimum.py

optimum-onnx 0.1.0 goes with transformers 4.57. onnx/optimum.zip has the files, FAMILY/WAY.onnx, onnx/optimum.safetensors what transformers
computes, as onnx/golden.safetensors has it. Only what optimum exports for image-classification has a head.
"""

import json
import platform
import tempfile
import warnings
import zipfile
from importlib.metadata import version
from pathlib import Path

import onnx
import torch
from optimum.exporters.onnx import main_export
from safetensors.torch import save_file
from transformers import (
    CLIPVisionConfig, CLIPVisionModelWithProjection, DeiTConfig, DeiTForImageClassification, Dinov2Config, Dinov2ForImageClassification,
    Dinov2Model, ViTConfig, ViTForImageClassification, ViTImageProcessor, ViTModel)

from make_golden import CLIP, HALF, IMAGENET, randomize, trunk

warnings.filterwarnings("ignore")
here = Path(__file__).parent / "onnx"
SEED = 40
TINY = dict(image_size=20, patch_size=5, hidden_size=12, num_hidden_layers=2, num_attention_heads=3)
MODELS = {
    "vit/optimum": (ViTForImageClassification, ViTConfig(**TINY, intermediate_size=20, num_labels=5), HALF, "image-classification"),
    "vit/optimum-backbone": (ViTModel, ViTConfig(**TINY, intermediate_size=20), HALF, "feature-extraction"),
    "deit/optimum": (DeiTForImageClassification, DeiTConfig(**TINY, intermediate_size=20, num_labels=3), IMAGENET, "image-classification"),
    "clip/optimum": (CLIPVisionModelWithProjection, CLIPVisionConfig(**TINY, intermediate_size=20, projection_dim=4), CLIP, "feature-extraction"),
    "dinov2/optimum": (Dinov2ForImageClassification, Dinov2Config(**TINY, mlp_ratio=2, num_labels=2), IMAGENET, "image-classification"),
    "dinov2/optimum-backbone": (Dinov2Model, Dinov2Config(**TINY, mlp_ratio=2), IMAGENET, "feature-extraction"),
}


def main():
    files, tensors = {}, {}
    for i, (name, (cls, config, norm, task)) in enumerate(MODELS.items()):
        model = cls(config).eval()
        randomize(model, torch.Generator().manual_seed(SEED + i))
        processor = ViTImageProcessor(image_mean=norm["mean"], image_std=norm["std"], size={"height": 20, "width": 20})
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            processor.save_pretrained(folder)
            main_export(folder, output=folder + "/out", task=task, do_validation=False, library_name="transformers")
            exported = onnx.load(folder + "/out/model.onnx")
        for n in exported.graph.node:
            n.doc_string = ""
        files[name + ".onnx"] = exported.SerializeToString()
        images = torch.randint(0, 256, (1, 20, 20, 3), generator=torch.Generator().manual_seed(SEED + 100 + i), dtype=torch.uint8)
        pixels = processor([x.numpy() for x in images], return_tensors="pt")["pixel_values"]
        base = model if not hasattr(model, model.base_model_prefix) and not hasattr(model, "vision_model") else None
        blocks, last = (base.encoder.layer, base.layernorm) if base else trunk(model)[1:3]
        kept = {}
        handle = blocks[-1].register_forward_hook(lambda _, __, out: kept.update(final=last(out[0] if isinstance(out, tuple) else out)))
        with torch.no_grad():
            out = model(pixels)
        handle.remove()
        tensors[name + "/images"], tensors[name + "/final"] = images, kept["final"].detach().contiguous()
        if task == "image-classification":
            tensors[name + "/logits"] = out["logits"].detach().contiguous()
        print(f"{name:24} {len(files[name + '.onnx']):7} bytes, opset {exported.opset_import[0].version}")
    with zipfile.ZipFile(here / "optimum.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for name, content in sorted(files.items()):
            z.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
    packages = ("torch", "transformers", "optimum", "optimum-onnx", "onnx", "safetensors")
    record = {"script": "make_optimum.py", "seed": SEED, "python": platform.python_version(), **{p: version(p) for p in packages}}
    save_file(tensors, here / "optimum.safetensors", {"made_with": json.dumps(record)})
    (here / "optimum.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()

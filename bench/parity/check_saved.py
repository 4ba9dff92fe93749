"""Loads the models that bench/parity wrote with transformers and holds what it computes against what is recorded there.

    go run ./bench/parity -out DIR && python bench/parity/check_saved.py DIR

Everything goes through the files alone: the normalization through preprocessor_config.json, the labels through
config.json, the weights through model.safetensors, none missing, none left over. Exits with 1 when a value is further
than 1e-5 of its tensor's scale from transformers'.
"""

import inspect
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import safe_open
import transformers
from transformers import AutoConfig, AutoImageProcessor

TOLERANCE = 1e-5
print(f"python {platform.python_version()}, torch {version('torch')}, transformers {version('transformers')}")
folders = sorted(p.parent for p in Path(sys.argv[1]).glob("*/computed.safetensors"))
failed = not folders
for folder in folders:
    with safe_open(folder / "computed.safetensors", "pt") as f:
        backend, ours = f.metadata()["backend"], {name: f.get_tensor(name) for name in f.keys()}
    processor = AutoImageProcessor.from_pretrained(folder)
    pixels = processor([image.numpy() for image in ours["images"]], return_tensors="pt")["pixel_values"]
    name = AutoConfig.from_pretrained(folder).architectures[0]
    model, loading = getattr(transformers, name).from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    problems = {what: names for what, names in loading.items() if names}
    classes = ours["logits"].shape[1]
    labels = {0: "different", 1: "same"} if classes == 2 else {i: f"LABEL_{i}" for i in range(classes)}
    if model.config.id2label != labels:
        problems["labels"] = model.config.id2label
    # Positions that were learned at another size: the DINOv2s always resample them, the others when told to.
    options = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in inspect.signature(model.forward).parameters else {}
    with torch.no_grad():
        base = model.vision_model if hasattr(model, "vision_model") else model.base_model
        final = base(pixels, **options).last_hidden_state
        if "CLIP" in name:
            final = base.post_layernorm(final)
        out = model(pixels, **options)
        theirs = {"final": final, "logits": out.image_embeds if "image_embeds" in out else out.logits}
    distance = {name: float((ours[name] - x).abs().max() / x.abs().max()) for name, x in theirs.items()}
    bad = problems or not all(d <= TOLERANCE for d in distance.values())
    failed = failed or bool(bad)
    print(f"{folder.name:22} {backend:8}", *(f"{name} {d:.1e}" for name, d in distance.items()), "FAILED" if bad else "ok", problems or "")
sys.exit(1 if failed else 0)

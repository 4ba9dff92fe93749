"""Writes the golden files of package vit: two tiny ViTs with random weights, and what transformers computes with them.

    python -m venv env && env/bin/pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 pillow torchvision
    env/bin/python make_golden.py

For each model a folder with config.json, preprocessor_config.json and model.safetensors, as save_pretrained writes
them, and golden.safetensors: the images' bytes and every value that vit.Config.Nodes names, in PyTorch's layout.
Its metadata say which versions and seed made it, and how far from it the same computation in float64 is.

Every parameter is random, biases and LayerNorm gains and shifts included, and large enough that attention is far from
uniform: with a fresh model's zeros and ones, a forgotten bias or a gain in the wrong place would go unseen.
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

MODELS = {
    # The defaults of transformers, so that config.json leaves out the labels; three heads and more tokens than components per head.
    "square": dict(seed=1, batch=1, mean=[0.5] * 3, std=[0.5] * 3, config=dict(
        image_size=32, patch_size=8, hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=36)),
    # Everything else than that: sizes, number of classes, epsilon, normalization (ImageNet's), several images.
    "other": dict(seed=2, batch=2, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225], config=dict(
        image_size=18, patch_size=6, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=30,
        layer_norm_eps=1e-6, num_labels=5)),
}
here = Path(__file__).parent


def randomize(model, rng):
    """Draws every parameter: matrices scaled to keep the size of their input, gains near 1, the rest near 0."""
    for name, p in model.named_parameters():
        x = torch.randn(p.shape, generator=rng)
        if p.dim() > 1 and "embeddings.position" not in name and "cls_token" not in name:
            x *= 1.5 / p[0].numel() ** 0.5
        elif "layernorm" in name and name.endswith("weight"):
            x = 1 + 0.3 * x
        else:
            x *= 0.3
        p.data.copy_(x)


def trace(model, pixels):
    """Runs the model and returns everything it computes on the way, by the names of vit.Config.Nodes."""
    kept, config = {}, model.config
    heads = lambda x: x.unflatten(-1, (config.num_attention_heads, -1))  # [B, T, D] -> [B, T, H, D/H]

    def keep(module, name, what=lambda x: x, of="output"):
        def hook(_, inputs, output):
            x = inputs[0] if of == "input" else output
            kept[name] = what(x[0] if isinstance(x, tuple) else x)
        module.register_forward_hook(hook)

    keep(model.vit.embeddings, "embed")
    for i, layer in enumerate(model.vit.layers):
        at, a, mlp = f"block{i:02d}/", layer.attention, layer.mlp
        keep(layer, at + "resid_pre", of="input")
        keep(a.q_proj, at + "attn/q", heads)
        keep(a.k_proj, at + "attn/k", heads)
        keep(a.v_proj, at + "attn/v", heads)
        keep(a.o_proj, at + "attn/heads", heads, of="input")
        keep(a, at + "attn/out")
        keep(layer.layernorm_after, at + "resid_mid", of="input")
        keep(mlp.fc2, at + "mlp/hidden", of="input")
        keep(mlp, at + "mlp/out")
        keep(layer, at + "resid_post")
    keep(model.vit.layernorm, "final")
    out = model(pixels, output_attentions=True, output_hidden_states=True)
    for i, weights in enumerate(out.attentions):
        kept[f"block{i:02d}/attn/weights"] = weights
    kept["logits"] = out.logits
    # What transformers itself hands out is what the hooks saw.
    states = [kept["embed"]] + [kept[f"block{i:02d}/resid_post"] for i in range(config.num_hidden_layers)]
    assert len(states) == len(out.hidden_states) and all(torch.equal(a, b) for a, b in zip(states, out.hidden_states))
    # Equal to resid_post of the block below, or to embed: not worth the bytes.
    return {name: x.detach() for name, x in kept.items() if not name.endswith("resid_pre")}


for name, m in MODELS.items():
    rng = torch.Generator().manual_seed(m["seed"])
    model = ViTForImageClassification._from_config(ViTConfig(**m["config"]), attn_implementation="eager").eval()
    randomize(model, rng)
    size = m["config"]["image_size"]
    images = torch.randint(0, 256, (m["batch"], size, size, 3), generator=rng, dtype=torch.uint8)
    processor = ViTImageProcessor(image_mean=m["mean"], image_std=m["std"], size={"height": size, "width": size})
    pixels = processor([image.numpy() for image in images], return_tensors="pt")["pixel_values"]

    model.save_pretrained(here / name)
    processor.save_pretrained(here / name)
    golden = trace(model, pixels)
    exact = trace(model.double(), pixels.double())
    error = {k: float((golden[k] - exact[k]).abs().max() / exact[k].abs().max()) for k in golden}
    worst = max(error, key=error.get)
    record = {
        "script": "make_golden.py", "seed": m["seed"], "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "transformers", "safetensors")},
        "distance to float64": f"{error[worst]:.1e} of the scale of {worst}",
    }
    tensors = {k: v.contiguous() for k, v in {"images": images, **golden}.items()}
    save_file(tensors, here / name / "golden.safetensors", {"made_with": json.dumps(record)})
    for file in (here / name).iterdir():
        file.chmod(0o644)
    print(name, f"worst distance to float64: {error[worst]:.1e} at {worst}")

"""Writes the golden files of package vit: tiny models of every family with random weights, and what transformers computes
with them; and the parameter counts of all variants.

    python -m venv env && env/bin/pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 pillow
    env/bin/python make_golden.py

For each model a folder with config.json, preprocessor_config.json and model.safetensors, as save_pretrained writes them,
and golden.safetensors: the images' bytes and every value that vit.Config.Nodes names, in PyTorch's layout. For images of
other sizes than the folder's, with positions resampled by transformers, golden-<size>.safetensors: the hidden states, the
attention maps and the logits. The metadata say which versions and seed made a file, and how far from it the same
computation in float64 is.

Every parameter is random, biases, gains and shifts of norms, LayerScale, positions and tokens included, and large enough
that attention is far from uniform: with a fresh model's zeros and ones, a forgotten bias or a gain in the wrong place
would go unseen.
"""

import inspect
import json
import platform
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection, DeiTConfig, DeiTForImageClassification,
    Dinov2Config, Dinov2ForImageClassification, Dinov2WithRegistersConfig, Dinov2WithRegistersForImageClassification, SiglipConfig,
    SiglipForImageClassification, ViTConfig, ViTForImageClassification, ViTImageProcessor, ViTMAEConfig, ViTMAEForPreTraining)

HALF = dict(mean=[0.5] * 3, std=[0.5] * 3)
IMAGENET = dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
CLIP = dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711])
TINY = dict(image_size=32, patch_size=8, hidden_size=24, num_hidden_layers=2, num_attention_heads=3)
TEXT = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=10, max_position_embeddings=4)


def siglip(num_labels=2, **vision):
    return SiglipConfig(vision_config=dict(vision, vision_use_head=False), text_config=TEXT, num_labels=num_labels)


# name: class, configuration, then the seed, images per batch and normalization. size: of the folder's images, where it is not
# the one that positions were learned at. sizes: more of them.
MODELS = {
    # The defaults of transformers, so that config.json leaves out the labels; three heads and more tokens than components per head.
    "square": dict(model=ViTForImageClassification, seed=1, batch=1, **HALF, sizes=[48], config=ViTConfig(
        image_size=32, patch_size=8, hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=36)),
    # Everything else than that: sizes, number of classes, epsilon, normalization (ImageNet's), several images.
    "other": dict(model=ViTForImageClassification, seed=2, batch=2, **IMAGENET, config=ViTConfig(
        image_size=18, patch_size=6, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=30,
        layer_norm_eps=1e-6, num_labels=5)),
    # mask_ratio 0 keeps all patches, and the fixed noise in trace() keeps their order.
    "mae": dict(model=ViTMAEForPreTraining, seed=3, batch=1, **IMAGENET, config=ViTMAEConfig(
        **TINY, intermediate_size=36, mask_ratio=0.0, decoder_hidden_size=8, decoder_num_hidden_layers=1,
        decoder_num_attention_heads=1, decoder_intermediate_size=8)),
    "clip": dict(model=CLIPVisionModelWithProjection, seed=4, batch=1, **CLIP, config=CLIPVisionConfig(
        **TINY, intermediate_size=36, projection_dim=3)),
    "dinov2": dict(model=Dinov2ForImageClassification, seed=5, batch=1, **IMAGENET, size=48, sizes=[32, 24, 56], config=Dinov2Config(
        **TINY, mlp_ratio=2)),
    "registers": dict(model=Dinov2WithRegistersForImageClassification, seed=6, batch=1, **IMAGENET, size=24, sizes=[32, 16, 56],
        config=Dinov2WithRegistersConfig(**TINY, mlp_ratio=2, num_register_tokens=3)),
    "deit": dict(model=DeiTForImageClassification, seed=7, batch=1, **IMAGENET, sizes=[24], config=DeiTConfig(
        **TINY, intermediate_size=36)),
    "siglip": dict(model=SiglipForImageClassification, seed=8, batch=1, **HALF, sizes=[40], config=siglip(**TINY, intermediate_size=36, num_labels=3)),
}
EXTRA = ("embed", "resid_post", "attn/weights", "final", "logits")  # kept of other sizes
here = Path(__file__).parent


def randomize(model, rng):
    """Draws every parameter: matrices scaled to keep the size of their input, gains near 1, the rest near 0."""
    for name, p in model.named_parameters():
        if name.endswith("embeddings.mask_token"):
            continue  # classification never reads it; it stays 0, as vit writes it
        x = torch.randn(p.shape, generator=rng)
        if p.dim() > 1 and "position" not in name and not name.endswith(("_token", "_tokens")):
            x *= 1.5 / p[0].numel() ** 0.5
        elif "norm" in name and name.endswith("weight") or "layer_scale" in name:
            x = 1 + 0.3 * x
        else:
            x *= 0.3
        p.data.copy_(x)


def trunk(model):
    """The part of a model between pixels and head: itself, its blocks, its last norm, and the module that makes its first residual stream."""
    if hasattr(model, "vision_model"):
        m = model.vision_model
        return m, m.encoder.layers, m.post_layernorm, getattr(m, "pre_layrnorm", m.embeddings)
    m = getattr(model, model.base_model_prefix)
    return m, m.layers if hasattr(m, "layers") else m.encoder.layer, m.layernorm, m.embeddings


def trace(model, pixels):
    """Runs the model and returns everything it computes on the way, by the names of vit.Config.Nodes."""
    kept = {}
    base, blocks, norm, first = trunk(model)
    config = base.config
    heads = lambda x: x.unflatten(-1, (config.num_attention_heads, -1))  # [B, T, D] -> [B, T, H, D/H]

    def keep(module, name, what=lambda x: x, of="output"):
        def hook(_, inputs, output):
            x = inputs[0] if of == "input" else output
            kept[name] = what(x[0] if isinstance(x, tuple) else x)
        handles.append(module.register_forward_hook(hook))

    handles = []
    keep(first, "embed")
    for i, layer in enumerate(blocks):
        at, mlp = f"block{i:02d}/", layer.mlp
        a = layer.self_attn if hasattr(layer, "self_attn") else layer.attention
        keep(a.q_proj, at + "attn/q", heads)
        keep(a.k_proj, at + "attn/k", heads)
        keep(a.v_proj, at + "attn/v", heads)
        keep(a.o_proj if hasattr(a, "o_proj") else a.out_proj, at + "attn/heads", heads, of="input")
        keep(getattr(layer, "layer_scale1", a), at + "attn/out")
        second = next(getattr(layer, n) for n in ("layernorm_after", "norm2", "layer_norm2") if hasattr(layer, n))
        keep(second, at + "resid_mid", of="input")
        keep(mlp.fc2, at + "mlp/hidden", of="input")
        keep(getattr(layer, "layer_scale2", mlp), at + "mlp/out")
        keep(layer, at + "resid_post")
    options = dict(output_attentions=True, output_hidden_states=True)
    if isinstance(model, ViTMAEForPreTraining):
        n = base.embeddings.patch_embeddings.num_patches
        out = base(pixels, noise=torch.arange(n).expand(len(pixels), -1).to(pixels), **options)
    else:
        run = model.forward
        if "interpolate_pos_encoding" in inspect.signature(run).parameters:
            options["interpolate_pos_encoding"] = True  # the DINOv2s always do; where there is nothing to do it does nothing
        out = model(pixels, **options)
    for handle in handles:
        handle.remove()
    kept["final"] = norm(kept[f"block{len(blocks) - 1:02d}/resid_post"])
    for i, weights in enumerate(out.attentions):
        kept[f"block{i:02d}/attn/weights"] = weights
    for name in ("logits", "image_embeds"):
        if name in out:
            kept["logits"] = out[name]
    # What transformers itself hands out is what the hooks saw.
    states = [kept["embed"]] + [kept[f"block{i:02d}/resid_post"] for i in range(len(blocks))]
    assert len(states) == len(out.hidden_states) and all(torch.equal(a, b) for a, b in zip(states, out.hidden_states))
    return {name: x.detach() for name, x in kept.items()}


def write(name, m, model, size, file, only=None):
    rng = torch.Generator().manual_seed(1000 * m["seed"] + size)
    images = torch.randint(0, 256, (m["batch"], size, size, 3), generator=rng, dtype=torch.uint8)
    processor = ViTImageProcessor(image_mean=m["mean"], image_std=m["std"], size={"height": size, "width": size})
    pixels = processor([image.numpy() for image in images], return_tensors="pt")["pixel_values"]
    golden = trace(model.float(), pixels)
    exact = trace(model.double(), pixels.double())
    model.float()
    golden = {k: x for k, x in golden.items() if only is None or k.endswith(only)}
    error = {k: float((golden[k] - exact[k]).abs().max() / exact[k].abs().max()) for k in golden}
    worst = max(error, key=error.get)
    record = {
        "script": "make_golden.py", "seed": m["seed"], "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "transformers", "safetensors")},
        "distance to float64": f"{error[worst]:.1e} of the scale of {worst}",
    }
    tensors = {k: v.contiguous() for k, v in {"images": images, **golden}.items()}
    save_file(tensors, here / name / file, {"made_with": json.dumps(record)})
    print(f"{name:10} {size:3} worst distance to float64: {error[worst]:.1e} at {worst}")
    return processor


def models():
    for name, m in MODELS.items():
        model = m["model"]._from_config(m["config"], attn_implementation="eager").eval()
        randomize(model, torch.Generator().manual_seed(m["seed"]))
        model.save_pretrained(here / name)
        native = getattr(m["config"], "vision_config", m["config"]).image_size
        write(name, m, model, m.get("size", native), "golden.safetensors").save_pretrained(here / name)
        for size in m.get("sizes", []):
            write(name, m, model, size, f"golden-{size}.safetensors", EXTRA)
    # A whole CLIP with the vision tower of the one above.
    vision = CLIPVisionModelWithProjection.from_pretrained(here / "clip")
    whole = CLIPModel(CLIPConfig(vision_config={**vision.config.to_dict(), "_name_or_path": ""}, text_config=TEXT, projection_dim=4))
    randomize(whole, torch.Generator().manual_seed(9))
    whole.vision_model.load_state_dict(vision.vision_model.state_dict())
    whole.save_pretrained(here / "clip-whole")
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(here / "clip-whole")
    for folder in here.iterdir():
        for file in folder.iterdir() if folder.is_dir() else []:
            file.chmod(0o644)


def variants():
    """Counts the parameters of every variant, but for those that classification never reads."""
    sizes = {"ti": (192, 12, 3), "s": (384, 12, 6), "b": (768, 12, 12), "l": (1024, 24, 16)}

    def shape(size, patch, image=224):
        width, blocks, heads = sizes[size]
        return dict(image_size=image, patch_size=patch, hidden_size=width, num_hidden_layers=blocks, num_attention_heads=heads)

    def mlp(size, *args):
        return dict(shape(size, *args), intermediate_size=4 * sizes[size][0])

    table = {f"{s}{p}": (ViTForImageClassification, ViTConfig(**mlp(s, p))) for s in "sbl" for p in (16, 32)}
    table |= {f"{s}8": (ViTForImageClassification, ViTConfig(**mlp(s, 8))) for s in "sb"}
    for name, patch, blocks in (("course", 8, 6), ("course-quick", 16, 4)):
        table[name] = ViTForImageClassification, ViTConfig(
            image_size=64, patch_size=patch, hidden_size=96, num_hidden_layers=blocks, num_attention_heads=3, intermediate_size=384)
    table |= {f"deit-{s}16": (DeiTForImageClassification, DeiTConfig(**mlp(s, 16))) for s in ("ti", "s", "b")}
    table |= {f"clip-{s}{p}": (CLIPVisionModelWithProjection, CLIPVisionConfig(**mlp(s, p), projection_dim=2)) for s, p in (("b", 16), ("b", 32), ("l", 14))}
    table |= {f"siglip-{s}16": (SiglipForImageClassification, siglip(**mlp(s, 16, i))) for s, i in (("b", 224), ("l", 256))}
    table |= {f"dinov2-{s}14": (Dinov2ForImageClassification, Dinov2Config(**shape(s, 14, 518))) for s in "sbl"}
    table |= {f"dinov2-reg-{s}14": (Dinov2WithRegistersForImageClassification, Dinov2WithRegistersConfig(**shape(s, 14, 518), num_register_tokens=4)) for s in "sbl"}
    counts = {}
    for name, (cls, config) in sorted(table.items()):
        with torch.device("meta"):
            parameters = cls(config).named_parameters()
            counts[name] = {"class": cls.__name__, "parameters": sum(p.numel() for n, p in parameters if not n.endswith("mask_token"))}
    (here / "variants.json").write_text(json.dumps({"transformers": version("transformers"), "variants": counts}, indent=1) + "\n")


if __name__ == "__main__":
    models()
    variants()

"""Writes the golden files of what a model of a family may do in another way than the family's own models: another activation, no
biases of queries, keys and values, images whose side is no multiple of the patch.

    python -m venv env && env/bin/pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 pillow onnx==1.23.2
    env/bin/python make_variations.py

variations/NAME.safetensors is a whole model in one small file: its weights under the names that save_pretrained gives them, the
images' bytes, and what transformers computes of them under golden/, by the names of vit.Config.Nodes. The metadata are the texts of
config.json and preprocessor_config.json, as save_pretrained writes them, and the record of versions and seed. variations/vit-relu-no-bias-odd.onnx
is the same model, exported. All parameters are random, as in make_golden.py.
"""

import json
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

import onnx
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPVisionConfig, CLIPVisionModelWithProjection, DeiTConfig, DeiTForImageClassification, Dinov2Config, Dinov2ForImageClassification,
    Dinov2WithRegistersConfig, Dinov2WithRegistersForImageClassification, SiglipForImageClassification, ViTConfig, ViTForImageClassification,
    ViTImageProcessor)

from make_golden import CLIP, EXTRA, HALF, IMAGENET, randomize, siglip, trace

TINY = dict(image_size=12, patch_size=4, hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
MLP = dict(TINY, intermediate_size=12)
ODD = dict(MLP, image_size=33, patch_size=7)  # 4 x 4 patches; five rows and columns of pixels fill none

# name: class, configuration, normalization, side of the images where it is not the configuration's.
MODELS = {
    "vit-relu-no-bias-odd": (ViTForImageClassification, ViTConfig(**ODD, hidden_act="relu", qkv_bias=False), HALF, 33),
    "deit-gelu-new": (DeiTForImageClassification, DeiTConfig(**MLP, hidden_act="gelu_new"), IMAGENET, 12),
    "clip-gelu": (CLIPVisionModelWithProjection, CLIPVisionConfig(**MLP, hidden_act="gelu", projection_dim=2), CLIP, 12),
    "siglip-quick-gelu-odd": (SiglipForImageClassification, siglip(**dict(MLP, image_size=14), hidden_act="quick_gelu"), HALF, 14),
    "dinov2-tanh-no-bias-odd": (Dinov2ForImageClassification, Dinov2Config(
        **dict(TINY, image_size=14), mlp_ratio=2, hidden_act="gelu_pytorch_tanh", qkv_bias=False), IMAGENET, 19),  # positions of 3 x 3 for 4 x 4
    "registers-relu": (Dinov2WithRegistersForImageClassification, Dinov2WithRegistersConfig(
        **TINY, mlp_ratio=2, num_register_tokens=2, hidden_act="relu"), IMAGENET, 12),
}
EXPORTED = "vit-relu-no-bias-odd"
here = Path(__file__).parent / "variations"


def write(name, seed):
    cls, config, norm, side = MODELS[name]
    model = cls._from_config(config, attn_implementation="eager").eval()
    randomize(model, torch.Generator().manual_seed(seed))
    images = torch.randint(0, 256, (1, side, side, 3), generator=torch.Generator().manual_seed(1000 + seed), dtype=torch.uint8)
    processor = ViTImageProcessor(image_mean=norm["mean"], image_std=norm["std"], size={"height": side, "width": side})
    pixels = processor([image.numpy() for image in images], return_tensors="pt")["pixel_values"]
    golden = {k: x for k, x in trace(model, pixels).items() if k.endswith((*EXTRA, "mlp/hidden"))}
    exact = trace(model.double(), pixels.double())
    model.float()
    error = {k: float((x - exact[k]).abs().max() / exact[k].abs().max()) for k, x in golden.items()}
    worst = max(error, key=error.get)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
        tensors = {**load_file(folder / "model.safetensors"), "images": images, **{f"golden/{k}": x.contiguous() for k, x in golden.items()}}
        texts = {file: (folder / file).read_text() for file in ("config.json", "preprocessor_config.json")}
        if name == EXPORTED:
            path = folder / "model.onnx"
            torch.onnx.export(Logits(model), (pixels[:1],), str(path), dynamo=False, opset_version=14, input_names=["pixel_values"],
                              output_names=["logits"], dynamic_axes={"pixel_values": {0: "batch"}})
            slim = onnx.load(path)
            shorten(slim.graph)
            onnx.save(slim, here / f"{name}.onnx")
    record = {
        "script": "make_variations.py", "seed": seed, "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "transformers", "safetensors")},
        "distance to float64": f"{error[worst]:.1e} of the scale of {worst}",
    }
    save_file(tensors, here / f"{name}.safetensors", {**texts, "made_with": json.dumps(record)})
    print(f"{name:24} worst distance to float64: {error[worst]:.1e} at {worst}")


def shorten(graph):
    """Drops names that are longer than the tiny model itself."""
    kept = {value.name for value in (*graph.input, *graph.output)}
    short = {}
    new = lambda name: name if name in kept or not name else short.setdefault(name, f"v{len(short)}")
    for node in graph.node:
        node.name = ""
        for names in (node.input, node.output):
            names[:] = [new(name) for name in names]
    for weight in graph.initializer:
        weight.name = new(weight.name)


class Logits(torch.nn.Module):
    """A model from pixels to logits alone: exporters know no dictionaries."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values).logits


if __name__ == "__main__":
    here.mkdir(exist_ok=True)
    for i, name in enumerate(MODELS):
        write(name, 40 + i)
    for file in here.iterdir():
        file.chmod(0o644)

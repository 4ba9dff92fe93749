"""Writes the ONNX files that package vit is tested with: tiny models of every family, exported in every way that the package reads,
and what transformers computes with the weights in them.

    python -m venv env && env/bin/pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 pillow==13.0.0 onnx==1.23.2 \\
        onnxscript==0.7.2 onnxruntime==1.32.0 onnxconverter-common==1.16.0
    env/bin/python make_onnx.py

onnx/models.zip has the files, FAMILY/WAY.onnx; onnx/golden.safetensors the images' bytes, FAMILY/SIZE/images, and for each file
the tokens after the last LayerNorm and the logits, FAMILY/WAY/final and FAMILY/WAY/logits. Those of float16 and 8-bit files are computed
by transformers in float32 from the weights as they stand in the file, which this script reads and scales itself (weights_in_file).
onnx/config/FAMILY has config.json and preprocessor_config.json. The metadata of the golden file say which versions and seeds made it.

optimum does not go with this version of transformers: make_optimum.py makes its files in an environment of its own.

Every parameter is random, as in make_golden.py, and the sizes are as unlike each other as they can be: with width = MLP, or as many
heads as components, a transposed matrix would go unseen.
"""

import io
import json
import platform
import tempfile
import warnings
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxconverter_common import float16
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import save_file
from transformers import (
    CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection, DeiTConfig, DeiTForImageClassification, Dinov2Config,
    Dinov2ForImageClassification, Dinov2WithRegistersConfig, Dinov2WithRegistersForImageClassification, SiglipForImageClassification, ViTConfig,
    ViTForImageClassification, ViTImageProcessor, ViTModel)

from make_golden import CLIP, HALF, IMAGENET, TEXT, randomize, siglip, trunk

warnings.filterwarnings("ignore")
here = Path(__file__).parent / "onnx"
TINY = dict(image_size=20, patch_size=5, hidden_size=12, num_hidden_layers=2, num_attention_heads=3)

MODELS = {
    "vit": (ViTForImageClassification, ViTConfig(**TINY, intermediate_size=20, num_labels=5), HALF),
    "deit": (DeiTForImageClassification, DeiTConfig(**TINY, intermediate_size=20, num_labels=3), IMAGENET),
    "clip": (CLIPVisionModelWithProjection, CLIPVisionConfig(**TINY, intermediate_size=20, projection_dim=4), CLIP),
    "siglip": (SiglipForImageClassification, siglip(**TINY, intermediate_size=20, num_labels=3), HALF),
    "dinov2": (Dinov2ForImageClassification, Dinov2Config(**TINY, mlp_ratio=2, num_labels=2), IMAGENET),
    "dinov2_with_registers": (
        Dinov2WithRegistersForImageClassification, Dinov2WithRegistersConfig(**TINY, mlp_ratio=2, num_register_tokens=3, num_labels=2), IMAGENET),
}
SEED = 20  # of family i: SEED + i


class Logits(torch.nn.Module):
    """A model from pixels to logits alone: exporters know no dictionaries."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        out = self.model(pixel_values)
        return out["image_embeds"] if "image_embeds" in out else out["logits"]


class Outputs(torch.nn.Module):
    """A model from pixels to some of its outputs."""

    def __init__(self, model, *names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, pixel_values):
        out = self.model(pixel_values)
        return tuple(out[name] for name in self.names)


def export_whole(model):
    """The ONNX file of a CLIP with both of its towers."""

    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, pixel_values):
            out = self.model(input_ids=input_ids, pixel_values=pixel_values)
            return out["logits_per_image"], out["image_embeds"]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        inputs = (torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 3, 20, 20))
        torch.onnx.export(Both(), inputs, str(path), dynamo=False, opset_version=14, input_names=["input_ids", "pixel_values"],
                          output_names=["logits_per_image", "image_embeds"])
        return onnx.load(path)


def build(family, attention="sdpa"):
    cls, config, norm = MODELS[family]
    model = cls._from_config(config, attn_implementation=attention).eval()
    return draw(model, SEED + list(MODELS).index(family))


def draw(model, seed):
    """Random weights, of 12 bits behind the point: files of them are a third smaller when packed."""
    randomize(model, torch.Generator().manual_seed(seed))
    for p in model.parameters():
        p.data = (p.data.contiguous().view(torch.int32) & ~0x7FF).view(torch.float32)
    return model


def export(model, size, opset=None, dynamo=False, batch=True, sides=False, **options):
    """The ONNX file of a model for images of a size: with PyTorch's older exporter, or its newer one (dynamo)."""
    x = torch.zeros(1 if not (dynamo and batch) else 2, 3, size, size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        if dynamo:
            shapes = ({0: torch.export.Dim.DYNAMIC},) if batch else None
            torch.onnx.export(model, (x,), path, dynamo=True, opset_version=opset, dynamic_shapes=shapes, input_names=["pixel_values"],
                              external_data=False, verbose=False, **options)
        else:
            axes = ({0: "batch"} if batch else {}) | ({2: "height", 3: "width"} if sides else {})
            torch.onnx.export(model, (x,), str(path), dynamo=False, opset_version=opset or 14, input_names=["pixel_values"], output_names=["logits"],
                              dynamic_axes={"pixel_values": axes} if axes else None, **options)
        return onnx.load(path)


def slim(model):
    """Drops what tells where in Python a node comes from: most of the file, and no part of the model."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    del model.graph.value_info[:]
    return model


def anonymous(model):
    """Gives every tensor and node a number for a name."""
    names = {}
    rename = lambda name: names.setdefault(name, str(len(names))) if name and name not in kept else name
    kept = {v.name for v in (*model.graph.input, *model.graph.output)}
    for t in model.graph.initializer:
        t.name = rename(t.name)
    for i, n in enumerate(model.graph.node):
        n.name = ""
        n.input[:] = [rename(name) for name in n.input]
        n.output[:] = [rename(name) for name in n.output]
    return model


def converted(model, convert):
    """What a function makes of the model's file."""
    with tempfile.TemporaryDirectory() as folder:
        a, b = Path(folder) / "a.onnx", Path(folder) / "b.onnx"
        onnx.save(model, a)
        convert(str(a), str(b))
        return onnx.load(b)


def int8(model, **options):
    return converted(model, lambda a, b: quantize_dynamic(a, b, **options))


def arrays(model):
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for n in model.graph.node:
        if n.op_type == "Constant" and n.attribute[0].name == "value":
            values[n.output[0]] = numpy_helper.to_array(n.attribute[0].t)
        if n.op_type == "Identity" and n.input[0] in values:
            values[n.output[0]] = values[n.input[0]]
    return values


def weights_in_file(model, torch_model):
    """A copy of the model with the weights as they stand in a float16 or 8-bit file.

    Each weight of the model is looked for in the file by its values: among arrays of its shape, transposed or not, scaled back where
    they are whole numbers, the one that is nearest, which has to be near."""
    values, found = arrays(model), {}
    for name, a in values.items():
        if a.dtype in (np.int8, np.uint8) and name.endswith("_quantized"):
            base = name.removesuffix("_quantized")
            scale, zero = values[base + "_scale"].astype(np.float32), values[base + "_zero_point"].astype(np.float32)
            if a.ndim == 4 and scale.ndim == 1 and scale.size > 1:
                scale, zero = scale[:, None, None, None], zero[:, None, None, None]
            found[name] = (a.astype(np.float32) - zero) * scale
        elif a.dtype in (np.float16, np.float32):
            found[name] = a.astype(np.float32)
    copy = type(torch_model)._from_config(torch_model.config).eval()
    state = {}
    for name, p in torch_model.state_dict().items():
        if not p.is_floating_point():
            continue
        want = p.numpy()
        near = [(np.abs(c.reshape(want.shape) - want).max(), c.reshape(want.shape)) for a in found.values() for c in ((a, a.T) if a.ndim == 2 else (a,))
                if c.size == want.size and c.squeeze().shape == want.squeeze().shape]
        # positions that exporters have cut in two
        if "position" in name and not (near and min(near, key=lambda x: x[0])[0] < 0.05):
            flat = [a.reshape(-1, want.shape[-1]) for a in found.values() if a.ndim > 1 and a.shape[-1] == want.shape[-1]]
            near += [(np.abs(c - want).max(), c) for a in flat for b in flat if len(a) + len(b) == want.shape[-2]
                     for c in [np.concatenate([a, b]).reshape(want.shape)]]
        if name.endswith("mask_token"):
            state[name] = p
            continue
        distance, value = min(near, key=lambda x: x[0])
        assert distance < 0.02 * max(1, np.abs(want).max()), (name, distance)
        state[name] = torch.from_numpy(np.ascontiguousarray(value))
    copy.load_state_dict(state, strict=False)
    return copy


def joined(model, style):
    """Replaces the three layers that make queries, keys and values by one of three times the width, as timm's models have it, and takes
    its outputs apart: "reshape" to (3, H, d), "chunk" into three, or "heads" to (H, 3, d), where the rows are in another order."""
    _, blocks, _, _ = trunk(model)

    class Attention(torch.nn.Module):
        def __init__(self, old, heads):
            super().__init__()
            self.heads, layers = heads, (old.q_proj, old.k_proj, old.v_proj)
            W, b = torch.stack([l.weight for l in layers]), torch.stack([l.bias for l in layers])
            if style == "heads":
                W, b = W.unflatten(1, (heads, -1)).transpose(0, 1), b.unflatten(1, (heads, -1)).transpose(0, 1)
            self.qkv = torch.nn.Linear(W.shape[-1], W[..., 0].numel())
            self.qkv.weight.data, self.qkv.bias.data = W.reshape(-1, W.shape[-1]).contiguous(), b.reshape(-1).contiguous()
            self.out = getattr(old, "o_proj", None) or old.out_proj

        def forward(self, *args, hidden_states=None, **_):
            x = args[0] if args else hidden_states
            B, T, D = x.shape
            y = self.qkv(x)
            if style == "reshape":
                q, k, v = y.reshape(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
            elif style == "chunk":
                q, k, v = (a.reshape(B, T, self.heads, -1).transpose(1, 2) for a in y.chunk(3, -1))
            else:
                q, k, v = y.reshape(B, T, self.heads, 3, -1).permute(3, 0, 2, 1, 4).unbind(0)
            A = (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
            return self.out((A @ v).transpose(1, 2).reshape(B, T, D)), None

    for layer in blocks:
        name = "self_attn" if hasattr(layer, "self_attn") else "attention"
        old = getattr(layer, name)
        setattr(layer, name, Attention(old, model.config.num_attention_heads if hasattr(model.config, "num_attention_heads") else 3))
    return model


def external(model):
    """The files of a model whose weights lie in another file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "external.onnx"
        onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location="external.onnx_data", size_threshold=0)
        return {p.name: p.read_bytes() for p in Path(folder).iterdir()}


class Golden:
    def __init__(self):
        self.files, self.tensors = {}, {}

    def images(self, family, size):
        name = f"{family}/{size}/images"
        if name not in self.tensors:
            rng = torch.Generator().manual_seed(1000 * (SEED + list(MODELS).index(family)) + size)
            self.tensors[name] = torch.randint(0, 256, (1, size, size, 3), generator=rng, dtype=torch.uint8)
        norm = MODELS[family][2]
        processor = ViTImageProcessor(image_mean=norm["mean"], image_std=norm["std"], size={"height": size, "width": size})
        return processor, processor([i.numpy() for i in self.tensors[name]], return_tensors="pt")["pixel_values"]

    def add(self, family, way, model, computes, size=20, data=None):
        """Adds a file, and what a model of transformers computes with its weights."""
        files = data or {f"{way}.onnx": slim(model).SerializeToString()}
        for name, content in files.items():
            self.files[f"{family}/{name}"] = content
        _, pixels = self.images(family, size)
        kept = {}
        if isinstance(computes, ViTModel):
            blocks, norm = computes.layers, computes.layernorm
        else:
            _, blocks, norm, _ = trunk(computes)
        handle = blocks[-1].register_forward_hook(lambda _, __, out: kept.update(final=norm(out[0] if isinstance(out, tuple) else out)))
        options = {"interpolate_pos_encoding": True} if size != 20 and family not in ("dinov2", "dinov2_with_registers") else {}
        with torch.no_grad():
            out = computes(pixels, **options)
        handle.remove()
        self.tensors[f"{family}/{way}/final"] = kept["final"].detach().contiguous()
        if (logits := out.get("image_embeds", out.get("logits"))) is not None:
            self.tensors[f"{family}/{way}/logits"] = logits.detach().contiguous()
        print(f"{family:22} {way:22} {sum(len(c) for c in files.values()):7} bytes")

    def write(self):
        here.mkdir(exist_ok=True)
        with zipfile.ZipFile(here / "models.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for name, content in sorted(self.files.items()):
                z.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
        packages = ("torch", "transformers", "safetensors", "onnx", "onnxscript", "onnxruntime", "onnxconverter-common")
        record = {"script": "make_onnx.py", "seed": SEED, "python": platform.python_version(), **{p: version(p) for p in packages}}
        save_file(self.tensors, here / "golden.safetensors", {"made_with": json.dumps(record)})
        (here / "golden.safetensors").chmod(0o644)


def main():
    g = Golden()
    for family in MODELS:
        model = build(family)
        folder = here / "config" / family
        model.save_pretrained(folder)
        (folder / "model.safetensors").unlink()
        g.images(family, 20)[0].save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)
        older = newer = export(Logits(model), 20, dynamo=True)
        g.add(family, "newer", newer, model)
        if family != "dinov2_with_registers":  # the older exporter has no resampling with antialiasing, which its trace of this family contains
            older = export(Logits(model), 20)
            g.add(family, "older", older, model)
        half = float16.convert_float_to_float16(onnx.ModelProto.FromString(older.SerializeToString()), keep_io_types=True)
        g.add(family, "float16", half, weights_in_file(half, model))
        ways = {
            "int8-tensor": dict(weight_type=QuantType.QInt8),
            "int8-channel": dict(weight_type=QuantType.QInt8, per_channel=True),
            "int8-channel-asymmetric": dict(weight_type=QuantType.QInt8, per_channel=True, extra_options={"WeightSymmetric": False}),
            "uint8-tensor": dict(weight_type=QuantType.QUInt8),
        }
        few = {"int8-tensor", "int8-channel-asymmetric"}
        for way in ways if family in ("clip", "dinov2") else few:
            q = int8(older, **ways[way])
            g.add(family, way, q, weights_in_file(q, model))

    for family in ("siglip", "dinov2_with_registers"):
        g.add(family, "newer-fixed", export(Logits(build(family, "eager")), 20, dynamo=True, batch=False), build(family))
    for family in ("vit", "dinov2"):
        g.add(family, "older-eager-17", export(Logits(build(family, "eager")), 20, opset=17), build(family))
    g.add("vit", "anonymous", anonymous(export(Logits(build("vit")), 20)), build("vit"))
    g.add("clip", "anonymous", anonymous(int8(export(Logits(build("clip")), 20), weight_type=QuantType.QInt8, per_channel=True)), build("clip"))
    g.tensors.pop("clip/anonymous/final"), g.tensors.pop("clip/anonymous/logits")
    g.tensors["clip/anonymous/final"], g.tensors["clip/anonymous/logits"] = (g.tensors["clip/int8-channel/" + k].clone() for k in ("final", "logits"))
    g.add("siglip", "external", None, build("siglip"), data=external(slim(export(Logits(build("siglip")), 20))))
    for family, style, dynamo in (("vit", "reshape", False), ("deit", "chunk", True), ("dinov2", "heads", False), ("clip", "reshape", True)):
        g.add(family, f"joined-{style}", export(Logits(joined(build(family, "eager"), style)), 20, dynamo=dynamo), build(family))
    q = int8(export(Logits(joined(build("clip", "eager"), "reshape")), 20), weight_type=QuantType.QInt8, per_channel=True)
    g.add("clip", "joined-int8", q, build("clip"))
    g.tensors["clip/joined-int8/final"], g.tensors["clip/joined-int8/logits"] = (g.tensors["clip/int8-channel/" + k].clone() for k in ("final", "logits"))
    g.add("vit", "attention-23", export(Logits(build("vit")), 20, dynamo=True, opset=23), build("vit"))
    g.add("siglip", "attention-23", export(Logits(build("siglip")), 20, dynamo=True, opset=23, batch=False), build("siglip"))
    g.add("vit", "any-size", export(Logits(build("vit")), 20, sides=True), build("vit"))
    g.add("dinov2", "any-size", export(Logits(build("dinov2")), 20, sides=True), build("dinov2"), size=30)
    g.add("dinov2", "resampled", export(Logits(build("dinov2")), 30), build("dinov2"), size=30)
    g.add("dinov2_with_registers", "resampled", export(Logits(build("dinov2_with_registers")), 30, dynamo=True), build("dinov2_with_registers"), size=30)
    pooled = draw(ViTModel._from_config(MODELS["vit"][1]).eval(), 30)
    g.add("vit", "backbone", export(Outputs(pooled, "last_hidden_state", "pooler_output"), 20), pooled)
    whole = draw(CLIPModel(CLIPConfig(vision_config=MODELS["clip"][1].to_dict(), text_config=TEXT, projection_dim=4)).eval(), 31)
    tower = CLIPVisionModelWithProjection._from_config(MODELS["clip"][1]).eval()
    tower.load_state_dict({k: v for k, v in whole.state_dict().items() if k in tower.state_dict()})
    g.add("clip", "text-and-image", export_whole(whole), tower)
    g.tensors.pop("clip/text-and-image/logits")
    g.write()


if __name__ == "__main__":
    main()

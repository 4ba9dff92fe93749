"""The PyTorch side of bench/parity: makes random models, and reads what Go has written of them.

Reads a line of words, answers with a line of numbers:

    write DIR DRAWING    makes the model of a drawing (JSON, draw.go) in DIR: its folders safetensors, sharded and bin, and
                         golden.safetensors with the images, hidden states, attention maps and logits. Answers how far
                         these are from the same computation in float64.
    read DIR FOLDER      reads FOLDER, and computes the logits of the images in DIR. Answers how far they are from those in
                         DIR/computed.safetensors: for from_pretrained, and for torch.load where there is a .bin.

Distances are the largest difference over the largest absolute value.
"""

import inspect
import json
import sys
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
from transformers import AutoConfig, ViTImageProcessor  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[2] / "sdlib/vit/testdata"))
from make_golden import CLIP, EXTRA, HALF, IMAGENET, randomize, siglip, trace  # noqa: E402

NORMALIZATION = {"vit": HALF, "siglip": HALF, "clip": CLIP}


def distance(got, want):
    return float((got.double() - want.double()).abs().max() / want.double().abs().max())


def make(d):
    """The model of a drawing, without weights worth having."""
    config = dict(image_size=d["learned"], patch_size=d["patch"], hidden_size=d["width"], num_hidden_layers=d["blocks"],
                  num_attention_heads=d["heads"])
    mlp, labels = dict(config, intermediate_size=d["mlp"]), dict(num_labels=d["classes"])
    ratio = dict(config, mlp_ratio=d["mlp"] // d["width"], **labels)
    t = transformers
    cls, config = {
        "vit": lambda: (t.ViTForImageClassification, t.ViTConfig(**mlp, **labels)),
        "mae": lambda: (t.ViTMAEForPreTraining, t.ViTMAEConfig(
            **mlp, mask_ratio=0.0, decoder_hidden_size=8, decoder_num_hidden_layers=1, decoder_num_attention_heads=1, decoder_intermediate_size=8)),
        "deit": lambda: (t.DeiTForImageClassification, t.DeiTConfig(**mlp, **labels)),
        "clip": lambda: (t.CLIPVisionModelWithProjection, t.CLIPVisionConfig(**mlp, projection_dim=d["classes"])),
        "siglip": lambda: (t.SiglipForImageClassification, siglip(**mlp, **labels)),
        "dinov2": lambda: (t.Dinov2ForImageClassification, t.Dinov2Config(**ratio)),
        "dinov2_with_registers": lambda: (t.Dinov2WithRegistersForImageClassification,
                                          t.Dinov2WithRegistersConfig(**ratio, num_register_tokens=d["registers"])),
    }[d["kind"]]()
    return cls._from_config(config, attn_implementation="eager").eval()


def write(dir, drawing):
    d = json.loads(drawing)
    rng = torch.Generator().manual_seed(d["seed"])
    model = make(d)
    randomize(model, rng)
    norm = NORMALIZATION.get(d["kind"], IMAGENET)
    processor = ViTImageProcessor(image_mean=norm["mean"], image_std=norm["std"], size={"height": d["image"], "width": d["image"]})
    images = torch.randint(0, 256, (d["batch"], d["image"], d["image"], 3), generator=rng, dtype=torch.uint8)

    size = sum(p.numel() * p.element_size() for p in model.parameters())
    model.save_pretrained(dir / "safetensors")
    model.save_pretrained(dir / "sharded", max_shard_size=size // 3)
    assert (dir / "sharded/model.safetensors.index.json").exists(), "transformers wrote no shards"
    model.config.save_pretrained(dir / "bin")
    # Under the names of files: in memory transformers 5 has others, to which from_pretrained converts.
    torch.save(load_file(dir / "safetensors/model.safetensors"), dir / "bin/pytorch_model.bin")
    for format in ("safetensors", "sharded", "bin"):
        processor.save_pretrained(dir / format)

    pixels = processor([image.numpy() for image in images], return_tensors="pt")["pixel_values"]
    golden = {name: x for name, x in trace(model, pixels).items() if name.endswith(EXTRA)}
    exact = trace(model.double(), pixels.double())
    save_file({"images": images, **{name: x.contiguous() for name, x in golden.items()}}, dir / "golden.safetensors")
    return [max(distance(x, exact[name]) for name, x in golden.items())]


def read(dir, folder):
    images = load_file(dir / "golden.safetensors")["images"]
    theirs = load_file(dir / "computed.safetensors")["logits"]
    processor = ViTImageProcessor.from_pretrained(folder)
    pixels = processor([image.numpy() for image in images], return_tensors="pt")["pixel_values"]
    config = AutoConfig.from_pretrained(folder)
    cls = getattr(transformers, config.architectures[0])

    def logits(model):
        # Positions that were learned at another size: the DINOv2s always resample them, the others when told to.
        options = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in inspect.signature(model.forward).parameters else {}
        with torch.no_grad():
            out = model.eval()(pixels, **options)
        return out.image_embeds if "image_embeds" in out else out.logits

    model, loading = cls.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    wrong = {what: names for what, names in loading.items() if names}
    assert not wrong, wrong
    distances = [distance(theirs, logits(model))]
    if (folder / "pytorch_model.bin").exists():
        state = torch.load(folder / "pytorch_model.bin", weights_only=True)
        model = cls.from_pretrained(None, config=AutoConfig.from_pretrained(folder), state_dict=state, attn_implementation="eager")
        distances.append(distance(theirs, logits(model)))
    return distances


print(*(f"{name} {version(name)}" for name in ("transformers", "torch", "safetensors")), flush=True)
for line in sys.stdin:
    what, *words = line.rstrip("\n").split(" ", 2)
    answer = {"write": lambda a, b: write(Path(a), b), "read": lambda a, b: read(Path(a), Path(b))}[what](*words)
    print(*answer, flush=True)

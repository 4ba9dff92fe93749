"""Applies a learned intervention in PyTorch to exported counterfactual pairs, one by one.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6 pillow
    sd stimuli export pairs --geometry course --split test-iid --counterfactual color --pairs 200
    python sdlib/das/testdata/apply.py models/discrimination-256-course \\
        models/interventions/discrimination-256-course/block01-color pairs --out answers.safetensors

Nothing of this repository computes here: the model is transformers' ViTForImageClassification,
the images and their tokens are those of the folder (docs/formats.md). The residual stream after
the intervention's block gets, at the edited object's tokens, the source's state in the subspace:

    out = [(1 - s) * bR + s * cR] Rᵀ,    s = 1 where mask > 0, else 0

Prints the accuracies; --out keeps the logits of every pair with and without the intervention.
"""

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

# Where an intervention that was learned as a control reads in the counterfactual image.
SOURCES = {"": "source_tokens", "wrong-object": "other_tokens", "random-patch": "random_tokens"}


def images(folder, names, config):
    """Pixels [N, 3, H, W] as the model was trained on them."""
    pixels = np.stack([np.asarray(Image.open(folder / name).convert("RGB")) for name in names])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(config[key]).float().view(1, 3, 1, 1) for key in ("mean", "std"))
    return (x - mean) / std


def replace_output(module, edit):
    """Replaces what a module gives; the handle that is returned ends it."""

    def hook(_, __, output):
        if isinstance(output, tuple):
            return (edit(output[0]), *output[1:])
        return edit(output)

    return module.register_forward_hook(hook)


@torch.inference_mode()
def answers(model, about, tensors, base, cf, edited, source):
    """Logits [N, 2] of the base images with the intervention, and without."""
    R, s = tensors["rotation"], (tensors["mask"] > 0).float()
    block, rows = model.vit.layers[about["block"]], torch.arange(len(base))[:, None]
    kept = []
    handle = replace_output(block, lambda x: kept.append(x) or x)
    model(cf)
    without = model(base).logits
    handle.remove()
    state = kept[0][rows, source]  # [N, P, D]

    def swap(x):
        x = x.clone()
        x[rows, edited] = ((1 - s) * (x[rows, edited] @ R) + s * (state @ R)) @ R.T
        return x

    handle = replace_output(block, swap)
    logits = model(base).logits
    handle.remove()
    return logits, without


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("intervention", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()

    about = json.loads((args.intervention / "intervention.json").read_text())
    tensors = load_file(args.intervention / "intervention.safetensors")
    exported = json.loads((args.pairs / "set.json").read_text())["counterfactuals"]
    records = [json.loads(line) for line in (args.pairs / "metadata.jsonl").read_text().splitlines()]
    if exported["property"] != about["pairs"]["property"]:
        raise SystemExit(f"apply: the intervention is for {about['pairs']['property']}, the pairs are for {exported['property']}")
    model = transformers.ViTForImageClassification.from_pretrained(
        args.model, dtype=torch.float32, attn_implementation="eager"
    ).eval()

    def tokens(key):  # patches count from 0, the model's tokens from CLS
        return 1 + torch.tensor([r[key] for r in records])

    def pixels(key):
        return images(args.pairs, [r[key] for r in records], about["config"])

    logits, without = answers(
        model, about, tensors, pixels("file_name"), pixels("cf_file_name"),
        tokens("edited_tokens"), tokens(SOURCES[about.get("control", "")]),
    )  # fmt: skip
    targets = torch.tensor([r["target"] for r in records], dtype=torch.int32)
    for name, x in (("with", logits), ("without", without)):
        print(f"{name} the intervention {int((x.argmax(1) == targets).sum())} of {len(records)} answers are the target")
    if args.out:
        save_file(
            dict(logits=logits, without=without, targets=targets),
            args.out,
            dict(
                pairs=json.dumps(exported), model=about["model"], script="sdlib/das/testdata/apply.py",
                torch=torch.__version__, transformers=transformers.__version__, python=platform.python_version(),
            ),
        )  # fmt: skip


if __name__ == "__main__":
    main()

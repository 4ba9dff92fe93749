"""Distributed alignment search with pyvene: the peer of bench/das.

Takes a model's folder and a folder of counterfactual pairs that `sd stimuli export` wrote. Reads
questions on stdin, one per line: BLOCK BATCH STEPS, and answers each with a line: seconds per step,
so that the Go side can take turns with it in one run. sdlib/das/testdata/make_pyvene.py searches
with the same functions. Needs pyvene (requirements.txt beside this file).

pyvene 0.1.8 has no entry for ViT, so the component is named by its module. Its
SigmoidMaskRotatedSpaceIntervention is used with its parameters, but for two things: its mask has the
shape [B, D], which several tokens [B, P, D] cannot take, and its temperature is a parameter.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from PIL import Image

with contextlib.redirect_stdout(sys.stderr):  # it prints what it does not find; standard output is for answers
    import pyvene


class MaskedRotation(pyvene.SigmoidMaskRotatedSpaceIntervention):
    """The same subspace for every token: base and source are [B, P, D]."""

    def __init__(self, width):
        super().__init__(embed_dim=width, keep_last_dim=True)
        self.temperature.requires_grad_(False)

    def forward(self, base, source, subspaces=None):
        R = self.rotate_layer.weight
        s = torch.sigmoid(self.masks / self.temperature)
        return ((1 - s) * (base @ R) + s * (source @ R)) @ R.T


class Pairs:
    """Exported pairs: pixels [N, 3, H, W], tokens [N, P] counted from CLS, targets [N]."""

    def __init__(self, folder, model_folder):
        folder = Path(folder)
        prepare = json.loads((Path(model_folder) / "preprocessor_config.json").read_text())
        mean, std = (np.float32(prepare[key]) for key in ("image_mean", "image_std"))
        records = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]

        def pixels(key):
            x = np.stack([np.asarray(Image.open(folder / r[key]).convert("RGB"), np.float32) for r in records])
            return torch.from_numpy((x / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()

        def tokens(key):
            return 1 + torch.tensor([r[key] for r in records])

        self.config = json.loads((folder / "set.json").read_text())["counterfactuals"]
        self.base, self.cf = pixels("file_name"), pixels("cf_file_name")
        self.edited, self.source = tokens("edited_tokens"), tokens("source_tokens")
        self.targets = torch.tensor([r["target"] for r in records])

    def __len__(self):
        return len(self.targets)


def load(folder):
    kind = json.loads((Path(folder) / "config.json").read_text())["architectures"][0]
    return getattr(transformers, kind).from_pretrained(folder, dtype=torch.float32).eval()


def is_clip(model):
    return isinstance(model, transformers.CLIPVisionModelWithProjection)


def inputs(model, pixels):
    """What a model is called with; CLIP's positions are for images of 224 pixels."""
    return dict(pixel_values=pixels, interpolate_pos_encoding=True) if is_clip(model) else dict(pixel_values=pixels)


class Search:
    """A search after a block, by the recipe that is called Course in Go (a step of another takes as long)."""

    def __init__(self, model, block, steps, lr=0.004, mask_lr=0.02, warmup=0.1, sparsity=0.001, temperature=(1, 0.005)):
        self.steps, self.sparsity, self.temperature = steps, sparsity, temperature
        self.intervention = MaskedRotation(model.config.hidden_size)
        self.vit, blocks = model, "vision_model.encoder.layers" if is_clip(model) else "vit.layers"
        component = dict(
            component=f"{blocks}[{block}].output", unit="pos", max_number_of_units=4, intervention=self.intervention
        )
        self.model = pyvene.IntervenableModel(pyvene.IntervenableConfig([component]), model)
        self.model.disable_model_gradients()
        with torch.no_grad():
            self.intervention.masks.zero_()
        warm = round(warmup * steps)
        self.optimizer = torch.optim.Adam([
            dict(params=self.intervention.rotate_layer.parameters(), lr=lr),
            dict(params=[self.intervention.masks], lr=mask_lr),
        ])  # fmt: skip
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda i: (i + 1) / warm if i < warm else 1 - (i - warm) / (steps - warm)
        )
        self.done = 0

    def logits(self, pairs, rows, order=None):
        """The answers with the intervention; order [B, P] permutes the source's tokens."""
        source = pairs.source[rows]
        if order is not None:
            source = source.gather(1, order)
        _, out = self.model(
            base=inputs(self.vit, pairs.base[rows]),
            sources=[inputs(self.vit, pairs.cf[rows])],
            unit_locations={"sources->base": ([source.tolist()], [pairs.edited[rows].tolist()])},
        )
        return out.image_embeds if is_clip(self.vit) else out.logits

    def step(self, pairs, rows, order):
        first, last = self.temperature
        T = first * (last / first) ** (self.done / (self.steps - 1))
        self.intervention.set_temperature(torch.tensor(T))
        s = torch.sigmoid(self.intervention.masks / T)
        loss = F.cross_entropy(self.logits(pairs, rows, order), pairs.targets[rows]) + self.sparsity * s.sum()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.done += 1
        return loss.item()

    @torch.no_grad()
    def answers(self, pairs, batch=50):
        """The answers in a test: tokens aligned, the mask 0 or 1."""
        self.intervention.set_temperature(torch.tensor(1e-12))
        rows = torch.arange(len(pairs)).split(batch)
        return torch.cat([self.logits(pairs, r).argmax(1) for r in rows])


def permutations(batch, tokens):
    return torch.rand(batch, tokens).argsort(1)


def main():
    model_folder, pairs_folder = sys.argv[1:]
    model, pairs = load(model_folder), Pairs(pairs_folder, model_folder)
    print(f"pyvene 0.1.8, pytorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    for line in sys.stdin:
        block, batch, steps = map(int, line.split())
        search = Search(model, block, steps + 2)
        for i in range(steps + 2):
            if i == 2:  # the first two warm up
                begin = time.perf_counter()
            search.step(pairs, torch.randperm(len(pairs))[:batch], permutations(batch, pairs.source.shape[1]))
        print((time.perf_counter() - begin) / steps, flush=True)


if __name__ == "__main__":
    main()

"""Makes losses.safetensors: 20 training steps in PyTorch with each auxiliary loss, and
with clipped and accumulated gradients.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    python sdlib/finetune/testdata/make_golden_losses.py

Each case starts from testdata/model (make_golden.py) and learns the same images of four
objects in two pairs, one to four tokens each. Attention weights are those of transformers'
eager attention; scores are taken by plain loops over images, heads and objects.
"""

import platform
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file
from torch import nn

SEED, STEPS, BATCH, N, LR, DECAY = 8, 20, 6, 24, 2e-3, 0.01
HERE = Path(__file__).parent

torch.manual_seed(SEED)
WIDTH, PATCHES = 12, 16
pixels = torch.randint(0, 256, (N, 16, 16, 3), dtype=torch.uint8)
labels = torch.randint(0, 2, (N,), dtype=torch.int32)
tokens = torch.stack([torch.randperm(PATCHES).reshape(4, 4) for _ in range(N)]).int()
covered = torch.randint(1, 5, (N, 4, 1))
tokens[torch.arange(4).expand(N, 4, 4) >= covered] = -1  # objects that cover fewer than 4 patches
shapes, colors = torch.randint(0, 16, (2, N, 4), dtype=torch.int32)
pairs = torch.tensor([[0, 1], [2, 3]], dtype=torch.int32).expand(N, 2, 2).contiguous()
relations = torch.randint(0, 2, (N, 2), dtype=torch.int32)
order = torch.stack([torch.randperm(N)[:BATCH] for _ in range(STEPS)]).int()
out = dict(pixels=pixels, labels=labels, tokens=tokens, shapes=shapes.contiguous(), colors=colors.contiguous(),
           pairs=pairs, relations=relations, order=order)
about = dict(script="sdlib/finetune/testdata/make_golden_losses.py", seed=SEED, python=platform.python_version(),
             torch=torch.__version__, transformers=transformers.__version__, steps=STEPS, lr=LR, weight_decay=DECAY)


def covers(image, o):
    """Where object o's tokens are among all, CLS in front."""
    return [1 + t for t in tokens[image, o].tolist() if t >= 0]


def score(A, terms, image):
    """Mean over the terms o → p of the attention mass that o's rows give to p's columns. A is [T, T]."""
    mass = [A[covers(image, o)][:, covers(image, p)].sum() / A[covers(image, o)].sum() for o, p in terms]
    return torch.stack(mass).mean()


def terms(kind):
    pair = [(0, 1), (1, 0), (2, 3), (3, 2)]
    if kind == "wo":
        return [(o, o) for o in range(4)]
    if kind == "wp":
        return pair
    return [(o, p) for o in range(4) for p in range(4) if o // 2 != p // 2]


def pipeline(attentions, images, blocks, heads, log):
    total, means = 0, {}
    for kind, where in blocks.items():
        losses, scores = [], []
        for l in where:
            s = torch.stack([score(attentions[l][b, h], terms(kind), i) for b, i in enumerate(images.tolist()) for h in heads[l]])
            losses.append(-s.log().mean() if log else 1 - s.mean())
            scores.append(s.mean().item())
        total = total + sum(losses) / len(losses)
        means[kind] = sum(scores) / len(scores)
    return total, means


def pair_means(resid, images):
    """The mean over a pair's objects of the mean over an object's tokens: [B·2, D]."""
    rows = []
    for b, i in enumerate(images.tolist()):
        objects = [resid[b, covers(i, o)].mean(0) for o in range(4)]
        rows += [(objects[0] + objects[1]) / 2, (objects[2] + objects[3]) / 2]
    return torch.stack(rows)


def losses_of(model, i, weight, probe, how):
    """The task's loss, the weighted auxiliary loss, and what is logged, on the images i."""
    x = (pixels[i].permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
    result = model(pixel_values=x, output_hidden_states=True, output_attentions=True)
    task = F.cross_entropy(result.logits, labels[i].long())
    if "blocks" in how:
        aux, means = pipeline(result.attentions, i, **how)
        return task, weight * aux, [means.get(k, 0) for k in ("wo", "wp", "bp")]
    resid = result.hidden_states[how["after"] + 1]  # hidden_states[0] is the embedding
    if how["reads"] == "relation":
        logits, want = probe(pair_means(resid, i)), relations[i].reshape(-1).long()
    else:
        rows = [(b, j, o) for b, j in enumerate(i.tolist()) for o in range(4)]
        logits = torch.cat([probe(resid[b, covers(j, o)]) for b, j, o in rows])
        want = torch.cat([(16 * shapes[j, o] + colors[j, o]).long().expand(len(covers(j, o))) for _, j, o in rows])
    return task, weight * F.cross_entropy(logits, want), [(logits.argmax(-1) == want).float().mean().item()]


def train(case, weight, probe=None, clip=None, parts=1, lr=LR, **how):
    torch.manual_seed(SEED)
    model = transformers.ViTForImageClassification.from_pretrained(HERE / "model", attn_implementation="eager").train()
    parameters = list(model.parameters())
    if probe is not None:
        parameters += list(probe.parameters())
        out[f"{case}/start.weight"], out[f"{case}/start.bias"] = probe.weight.detach().clone(), probe.bias.detach().clone()
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=DECAY)
    logged, seen, clipped = [], [], 0
    for i in order:
        optimizer.zero_grad()
        numbers = []
        for part in i.long().chunk(parts):
            task, aux, measured = losses_of(model, part, weight, probe, how)
            ((task + aux) / parts).backward()
            numbers.append([task.item() + aux.item(), task.item(), aux.item(), *measured])
        if clip:
            clipped += torch.nn.utils.clip_grad_norm_(parameters, clip).item() > clip
        optimizer.step()
        mean = torch.tensor(numbers, dtype=torch.float64).mean(0).tolist()
        logged.append(mean[:3])
        seen.append(mean[3:])
    print(case, f"clipped in {clipped} steps" if clip else "")
    out[f"{case}/losses"], out[f"{case}/seen"] = torch.tensor(logged), torch.tensor(seen)
    with tempfile.TemporaryDirectory() as folder:  # which gives the weights their names in files
        model.save_pretrained(folder)
        for name, p in load_file(f"{folder}/model.safetensors").items():
            out[f"{case}/end/{name}"] = p
    if probe is not None:
        out[f"{case}/end.weight"], out[f"{case}/end.bias"] = probe.weight.detach(), probe.bias.detach()


# The heads are those that Go draws for these seeds; its test checks that.
own, shared = {0: [0, 1], 1: [0, 1], 2: [0, 2]}, {0: [0, 1], 1: [0, 1], 2: [0, 1]}
train("pipeline", 0.5, blocks={"wo": [0, 1], "wp": [1], "bp": [2]}, heads=own, log=False)
train("pipeline-log", 0.5, blocks={"wo": [0], "wp": [1, 2]}, heads=shared, log=True)
train("relation", 0.7, nn.Linear(WIDTH, 2), reads="relation", after=1)
train("identity", 0.3, nn.Linear(WIDTH, 256), reads="identity", after=0)
train("clip", 0.7, nn.Linear(WIDTH, 2), clip=2, lr=LR / 4, reads="relation", after=1)
train("accumulate", 0.7, nn.Linear(WIDTH, 2), clip=2, parts=3, lr=LR / 4, reads="relation", after=1)
save_file(out, HERE / "losses.safetensors", {k: str(v) for k, v in about.items()})

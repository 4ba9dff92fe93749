"""Makes the golden files of this folder: 20 training steps of each objective in PyTorch, on tiny models.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    python sdlib/pretrain/testdata/make_golden.py

The models are those of transformers: ViTForImageClassification, CLIPVisionModelWithProjection, ViTMAEForPreTraining, whose
own loss is used, and ViTModel. The losses of the others are written as in the papers' code: F.cross_entropy and
F.binary_cross_entropy_with_logits; CLIP's two cross-entropies; DINO's DINOHead and DINOLoss, with torch's weight_norm. The
optimizer is torch.optim.AdamW, with decay for matrices and tables alone, and a cosine decay of the learning rate. Go
repeats the steps from the same start on the same batches.
"""

import copy
import math
import platform
import re
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from transformers.models.vit_mae.modeling_vit_mae import build_2d_sinusoidal_position_embedding

SEED, STEPS, BATCH, N = 5, 20, 4, 12
LR, DECAY = 5e-4, 0.05
IMAGE, PATCH, WIDTH = 16, 4, 8
HERE = Path(__file__).parent
SIZES = dict(image_size=IMAGE, patch_size=PATCH, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
             intermediate_size=4 * WIDTH, attn_implementation="eager")
HALF = [0.5] * 3


def hub(name):
    """The name that a weight has in files, of the one that transformers 5 has for it in memory."""
    name = re.sub(r"^decoder\.decoder_layers\.", "decoder.vit.layers.", name)
    name = name.replace("decoder.decoder_norm", "decoder.vit.layernorm").replace("decoder.decoder_pred", "decoder.classifier")
    name = name.replace("decoder.decoder_embed", "decoder.embed")
    if "vit.layers." in name:
        name = name.replace("vit.layers.", "vit.encoder.layer.").replace("attention.o_proj", "attention.output.dense")
        for short, long in (("q", "query"), ("k", "key"), ("v", "value")):
            name = name.replace(f"attention.{short}_proj", f"attention.attention.{long}")
        name = name.replace("mlp.fc1", "intermediate.dense").replace("mlp.fc2", "output.dense")
    return name


def normalize(pixels, mean, std):
    return ((pixels.float() / 255 - torch.tensor(mean)) / torch.tensor(std)).movedim(-1, -3)


def shake(module):
    """Biases and gains too, so that no gradient is checked at a special point."""
    for p in module.parameters():
        if p.requires_grad:
            p.data.add_(0.1 * torch.randn_like(p))
    return module


def train(case, named, columns, loss_of, after=lambda step, lr: None, carried=lambda: {}):
    """named are the parameters by their names in Go, columns the rows [N, ...], loss_of maps a batch of them to the loss."""
    out = dict(columns)
    out["order"] = order = torch.stack([torch.randperm(N)[:BATCH] for _ in range(STEPS)]).int()
    out.update({f"start/{k}": v.detach().clone() for k, v in named.items()})
    tables = [k for k, v in named.items() if v.dim() >= 2 or k.endswith("class_embedding")]
    optimizer = torch.optim.AdamW([
        dict(params=[named[k] for k in tables], weight_decay=DECAY),
        dict(params=[v for k, v in named.items() if k not in tables], weight_decay=0),
    ], lr=LR)
    losses = []
    for step, rows in enumerate(order):
        for group in optimizer.param_groups:
            group["lr"] = LR * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        loss = loss_of(*(x[rows.long()] for x in columns.values()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after(step, STEPS)
        losses.append(loss.item())
    print(f"{case}: {losses[0]:.4f} to {losses[-1]:.4f}")
    out["losses"] = torch.tensor(losses, dtype=torch.float64).float()
    ends = carried() or {k: v for k, v in named.items() if not k.startswith("decoder.")}  # those that are kept
    out.update({f"end/{k}": v.detach().clone() for k, v in ends.items()})
    about = dict(script="sdlib/pretrain/testdata/make_golden.py", seed=SEED, python=platform.python_version(), torch=torch.__version__,
                 transformers=transformers.__version__, steps=STEPS, batch=BATCH, lr=LR, weight_decay=DECAY)
    save_file({k: v.contiguous() for k, v in out.items()}, HERE / f"{case}.safetensors", {k: str(v) for k, v in about.items()})


def pixels(*shape):
    return torch.randint(0, 256, (N, *shape, 3), dtype=torch.uint8)


def supervised(case, sigmoid):
    torch.manual_seed(SEED)
    C = 7
    model = shake(transformers.ViTForImageClassification(transformers.ViTConfig(**SIZES, num_labels=C)).train())
    kinds = torch.stack([torch.randperm(C)[:2] for _ in range(N)]).int()
    kinds[::3, 1] = -1  # one thing alone

    def loss(images, kinds):
        z = model(normalize(images, HALF, HALF)).logits
        there = torch.stack([F.one_hot(k[k >= 0].long(), C).sum(0) for k in kinds]).float()
        if sigmoid:
            return F.binary_cross_entropy_with_logits(z, there, reduction="none").sum(-1).mean()
        return F.cross_entropy(z, there / there.sum(-1, keepdim=True))

    train(case, {hub(k): v for k, v in model.named_parameters()}, dict(images=pixels(IMAGE, IMAGE), kinds=kinds), loss)


def contrastive():
    torch.manual_seed(SEED)
    V, DIM = 9, 6
    model = shake(transformers.CLIPVisionModelWithProjection(transformers.CLIPVisionConfig(**SIZES, projection_dim=DIM)).train())
    words, scale = nn.Parameter(0.3 * torch.randn(V, DIM)), nn.Parameter(torch.tensor(math.log(1 / 0.07)))
    tokens = torch.randint(0, V, (N, 4)).int()
    tokens[::2, 3] = -1
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]

    def loss(images, tokens):
        u = F.normalize(model(normalize(images, mean, std)).image_embeds, dim=-1)
        v = F.normalize(torch.stack([words[t[t >= 0].long()].mean(0) for t in tokens]), dim=-1)
        s = scale.clamp(max=math.log(100)).exp() * u @ v.T
        own = torch.arange(len(s))
        return (F.cross_entropy(s, own) + F.cross_entropy(s.T, own)) / 2

    named = dict(model.named_parameters()) | {"text.words": words, "logit_scale": scale}
    train("contrastive", named, dict(images=pixels(IMAGE, IMAGE), tokens=tokens), loss)


def masked():
    torch.manual_seed(SEED)
    config = transformers.ViTMAEConfig(**SIZES, mask_ratio=0.75, norm_pix_loss=True, layer_norm_eps=1e-12, decoder_hidden_size=12,
                                       decoder_num_hidden_layers=1, decoder_num_attention_heads=3, decoder_intermediate_size=48)
    model = transformers.ViTMAEForPreTraining(config).train()
    model.vit.embeddings.position_embeddings.requires_grad = True  # learned, as all positions of this library are
    # transformers leaves the decoder's positions at 0 unless a file has them: MAE's are as the encoder's
    at = build_2d_sinusoidal_position_embedding(IMAGE // PATCH, IMAGE // PATCH, config.decoder_hidden_size, cls_token=True)
    model.decoder.decoder_pos_embed.data.copy_(torch.cat(at.chunk(2, dim=-1)[::-1], dim=-1))
    shake(model)
    patches = (IMAGE // PATCH) ** 2
    order = torch.stack([torch.randperm(patches) for _ in range(N)]).int()

    def loss(images, order):
        noise = torch.argsort(order.long(), dim=1).float()  # the first of the order has the least
        return model(normalize(images, HALF, HALF), noise=noise).loss

    named = {hub(k): v for k, v in model.named_parameters() if v.requires_grad}
    train("masked", named, dict(images=pixels(IMAGE, IMAGE), order_of_patches=order), loss)


class DINOHead(nn.Module):
    def __init__(self, width, hidden, bottleneck, out):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, bottleneck))
        self.last = weight_norm(nn.Linear(bottleneck, out, bias=False))
        gain = self.last.parametrizations.weight.original0
        gain.data.fill_(1)
        gain.requires_grad = False

    def forward(self, x):
        return self.last(F.normalize(self.mlp(x), dim=-1))

    def named(self):
        names = {f"head.{i}.{part}": getattr(self.mlp[2 * i], part) for i in range(3) for part in ("weight", "bias")}
        return names | {"head.prototypes": self.last.parametrizations.weight.original1}


def distilled():
    torch.manual_seed(SEED)
    K, HIDDEN, BOTTLENECK, LOCAL, TAU, BASE = 8, 10, 6, 2, 0.06, 0.9
    vit = shake(transformers.ViTModel(transformers.ViTConfig(**SIZES), add_pooling_layer=False).train())
    head = shake(DINOHead(WIDTH, HIDDEN, BOTTLENECK, K))
    teacher = copy.deepcopy(vit), copy.deepcopy(head)
    center, said = torch.zeros(K), []

    def names(vit, head):
        return {hub("vit." + k): v for k, v in vit.named_parameters()} | head.named()

    student_named, teacher_named = names(vit, head), names(*teacher)

    def project(vit, head, x):
        return head(vit(x, interpolate_pos_encoding=True).last_hidden_state[:, 0])

    def loss(global_views, local_views):
        views = [normalize(global_views[:, v], HALF, HALF) for v in range(2)] + [normalize(local_views[:, v], HALF, HALF) for v in range(LOCAL)]
        students = [project(vit, head, x) for x in views]
        with torch.no_grad():
            teachers = [project(*teacher, x) for x in views[:2]]
        said.append(torch.cat(teachers).mean(0))
        total, n = 0, 0
        for g, t in enumerate(teachers):
            q = F.softmax((t - center) / TAU, dim=-1)
            for v, s in enumerate(students):
                if v != g:
                    total, n = total + torch.sum(-q * F.log_softmax(s / 0.1, dim=-1), dim=-1).mean(), n + 1
        return total / n

    def after(step, steps):
        m = 1 - (1 - BASE) * (math.cos(math.pi * step / steps) + 1) / 2
        with torch.no_grad():
            for k, p in teacher_named.items():
                p.mul_(m).add_((1 - m) * student_named[k].detach())
            center.mul_(0.9).add_(0.1 * said[-1])

    def carried():
        return {f"teacher.{k}": v for k, v in teacher_named.items()} | {"center": center}

    train("distilled", student_named, dict(globals=pixels(2, IMAGE, IMAGE), locals=pixels(LOCAL, IMAGE // 2, IMAGE // 2)), loss, after, carried)


torch.set_num_threads(1)
supervised("supervised", sigmoid=False)
supervised("supervised-sigmoid", sigmoid=True)
contrastive()
masked()
distilled()

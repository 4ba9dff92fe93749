"""Writes the golden files of package patch: a tiny ViT with random weights, a few images, and what a plain NumPy
implementation answers under knock-outs, with edges of attention cut, and with values interchanged between images.

    python -m venv env && env/bin/pip install numpy==2.3.5
    env/bin/python make_golden.py

model/ is in the layout of ViTForImageClassification, images/ an ImageFolder, golden.json the answers: margins, that is
logit(same) - logit(different), in float64. It shares no code with the library and walks through one image, one head and
one query at a time.
"""

import json
import platform
import struct
import zlib
from math import erf, sqrt
from pathlib import Path

import numpy as np

SEED = 7
SIZE, PATCH, D, L, H, MLP = 32, 8, 24, 3, 3, 36
d, G = D // H, SIZE // PATCH
T = 1 + G * G
HERE = Path(__file__).parent
rng = np.random.default_rng(SEED)


def weights():
    w = {}

    def linear(name, out, into, gain=1.0):
        w[name + ".weight"] = rng.normal(0, gain / sqrt(np.prod(into)), (out, *np.atleast_1d(into)))
        w[name + ".bias"] = rng.normal(0, 0.1, out)

    def norm(name):
        w[name + ".weight"] = rng.normal(1, 0.2, D)
        w[name + ".bias"] = rng.normal(0, 0.2, D)

    w["vit.embeddings.cls_token"] = rng.normal(0, 1, (1, 1, D))
    w["vit.embeddings.position_embeddings"] = rng.normal(0, 0.5, (1, T, D))
    linear("vit.embeddings.patch_embeddings.projection", D, (3, PATCH, PATCH), 3)
    for l in range(L):
        b = f"vit.encoder.layer.{l}."
        norm(b + "layernorm_before"), norm(b + "layernorm_after")
        for name in ("query", "key"):
            linear(b + "attention.attention." + name, D, D, 1.8)  # attention far from uniform
        linear(b + "attention.attention.value", D, D)
        linear(b + "attention.output.dense", D, D)
        linear(b + "intermediate.dense", MLP, D)
        linear(b + "output.dense", D, MLP)
    norm("vit.layernorm")
    linear("classifier", 2, D)
    return {k: v.astype(np.float32) for k, v in w.items()}


def save_safetensors(path, tensors):
    header, data = {}, b""
    for name, x in tensors.items():
        raw = np.ascontiguousarray(x).tobytes()
        header[name] = dict(dtype="F32", shape=list(x.shape), data_offsets=[len(data), len(data) + len(raw)])
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def save_png(path, image):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def norm(x, w, name):
    return (x - x.mean()) / sqrt(x.var() + 1e-12) * w[name + ".weight"] + w[name + ".bias"]


def linear(x, w, name):
    return w[name + ".weight"] @ x + w[name + ".bias"]


def forward(image, w, replace=None, cut=None, after=False):
    """Returns the margin and every value by name. replace maps names to functions (value, token) -> value; a head's name
    is "heads l h". cut(l, q, k) says whether query q of block l may not read key k."""
    values = {}

    def node(name, x, t):
        if replace and name in replace:
            x = replace[name](x, t)
        values.setdefault(name, {})[t] = x
        return x

    pixels = (image / 255 - 0.5) / 0.5
    x = {0: w["vit.embeddings.cls_token"][0, 0] + w["vit.embeddings.position_embeddings"][0, 0]}
    kernel = w["vit.embeddings.patch_embeddings.projection.weight"]
    for p in range(G * G):
        r, c = p // G * PATCH, p % G * PATCH
        patch = pixels[r:r + PATCH, c:c + PATCH].transpose(2, 0, 1)
        x[1 + p] = (kernel * patch).sum((1, 2, 3)) + w["vit.embeddings.patch_embeddings.projection.bias"] \
            + w["vit.embeddings.position_embeddings"][0, 1 + p]
    x = {t: node("stream 0", x[t], t) for t in range(T)}
    for l in range(L):
        b = f"vit.encoder.layer.{l}."
        y = {t: norm(x[t], w, b + "layernorm_before") for t in range(T)}
        q, k, v = ({t: linear(y[t], w, b + "attention.attention." + n).reshape(H, d) for t in range(T)} for n in ("query", "key", "value"))
        for t in range(T):
            z = []
            for h in range(H):
                score = np.array([q[t][h] @ k[s][h] / sqrt(d) for s in range(T)])
                kept = np.array([not (cut and cut(l, t, s)) for s in range(T)])
                e = np.exp(score - score.max())
                a = np.where(kept, e, 0)
                total = e.sum() if after else a.sum()
                a = a / total if total > 0 else a
                z.append(node(f"heads {l} {h}", sum(a[s] * v[s][h] for s in range(T)), t))
            out = node(f"attention {l}", linear(np.concatenate(z), w, b + "attention.output.dense"), t)
            m = x[t] + out
            u = linear(norm(m, w, b + "layernorm_after"), w, b + "intermediate.dense")
            u = np.array([i * 0.5 * (1 + erf(i / sqrt(2))) for i in u])
            x[t] = node(f"stream {l + 1}", m + node(f"mlp {l}", linear(u, w, b + "output.dense"), t), t)
    logits = linear(norm(x[0], w, "vit.layernorm"), w, "classifier")
    return logits[1] - logits[0], values


# Images with two pairs of objects of one or two patches. In the last image two objects share a patch.
PLACES = [[[5], [6], [0], [1]], [[10, 11], [13], [0], [1, 2]], [[3], [15], [0, 4], [2]], [[9], [8, 12], [0], [1]], [[7, 11], [11], [0], [1]]]
ROLES = ["sample 1", "sample 2", "display 1", "display 2"]


def box(patches):
    rows, cols = [p // G for p in patches], [p % G for p in patches]
    return [min(cols) * PATCH, min(rows) * PATCH, (max(cols) + 1) * PATCH, (max(rows) + 1) * PATCH]


def edge_cut(places, edges, blocks):
    """Which (query, key) the edges join in an image, in these blocks."""
    objects = [{1 + p for p in patches} for patches in places]
    anywhere = set().union(*objects)
    groups = {"CLS": {0}, "objects": anywhere, "background": set(range(1, T)) - anywhere, "all": set(range(T)),
              "sample": objects[0] | objects[1], "display": objects[2] | objects[3], **dict(zip(ROLES, objects))}
    partner = [1, 0, 3, 2]
    joined = set()
    for source, to in edges:
        if source in groups and to in groups:
            joined |= {(q, k) for q in groups[to] for k in groups[source]}
            continue
        for o, own in enumerate(objects):
            mate = objects[partner[o]] - own
            seen = {"own": own, "partner": mate, "others": anywhere - own - mate}
            if to == "objects":
                joined |= {(q, k) for q in own for k in seen[source]}
            else:
                joined |= {(q, k) for q in seen[to] for k in own}
    return lambda l, q, k: blocks[0] <= l <= blocks[1] and (q, k) in joined


def main():
    w = weights()
    (HERE / "model").mkdir(exist_ok=True), (HERE / "images").mkdir(exist_ok=True)
    save_safetensors(HERE / "model" / "model.safetensors", w)
    (HERE / "model" / "config.json").write_text(json.dumps(dict(
        model_type="vit", architectures=["ViTForImageClassification"], image_size=SIZE, patch_size=PATCH, num_channels=3, hidden_size=D,
        num_hidden_layers=L, num_attention_heads=H, intermediate_size=MLP, hidden_act="gelu", layer_norm_eps=1e-12, qkv_bias=True), indent=1) + "\n")
    (HERE / "model" / "preprocessor_config.json").write_text(json.dumps(dict(image_mean=[0.5] * 3, image_std=[0.5] * 3)) + "\n")

    images, lines = [], []
    for i, places in enumerate(PLACES):
        image = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        images.append(image)
        save_png(HERE / "images" / f"{i}.png", image)
        lines.append(json.dumps(dict(file_name=f"{i}.png", label=i % 2, objects=[dict(role=r, box=box(p)) for r, p in zip(ROLES, places)],
                                     pairs=[dict(first=0, second=1, label=1), dict(first=2, second=3, label=i % 2)])))
    (HERE / "images" / "metadata.jsonl").write_text("\n".join(lines) + "\n")

    w = {k: v.astype(np.float64) for k, v in w.items()}
    n = range(len(images))
    clean = [forward(image, w) for image in images]
    base, values = [m for m, _ in clean], [v for _, v in clean]

    def put(names, instead):  # replaces values by instead(name, token)
        return {name: (lambda name: lambda x, t: instead(name, t, x))(name) for name in names}

    knockouts = []
    for heads in ([[0, 1]], [[2, 2]], [[0, 0], [1, 2], [1, 1]]):
        names = [f"heads {l} {h}" for l, h in heads]
        mean = {name: {t: sum(v[name][t] for v in values) / len(values) for t in range(T)} for name in names}
        knockouts.append(dict(
            heads=heads,
            zero=[forward(image, w, put(names, lambda name, t, x: 0 * x))[0] for image in images],
            mean=[forward(image, w, put(names, lambda name, t, x: mean[name][t]))[0] for image in images],
            # row: the image; column: the image that the heads' outputs are of
            other=[[forward(image, w, put(names, lambda name, t, x: values[j][name][t]))[0] for j in n] for image in images]))

    cuts = []
    for edges, blocks in (([["objects", "CLS"]], [1, 2]), ([["own", "objects"]], [0, 0]), ([["partner", "objects"]], [0, 2]),
                          ([["others", "objects"], ["background", "CLS"]], [1, 1]), ([["objects", "others"]], [0, 1]), ([["sample", "display"]], [0, 2]),
                          ([["sample 1", "background"]], [0, 1]), ([["all", "CLS"]], [1, 1]), ([["background", "background"]], [2, 2])):
        cut = [edge_cut(places, edges, blocks) for places in PLACES]
        cuts.append(dict(edges=edges, blocks=blocks,
                         before=[forward(images[i], w, cut=cut[i])[0] for i in n], after=[forward(images[i], w, cut=cut[i], after=True)[0] for i in n]))

    # Values of image i replaced by those of image j at the same tokens.
    interchanges = []
    groups = {"CLS": lambda places: {0}, "sample": lambda places: {1 + p for o in places[:2] for p in o}, "all": lambda places: set(range(T)),
              "background": lambda places: set(range(1, T)) - {1 + p for o in places for p in o}}
    for site, at in (("stream", "0"), ("stream", "2"), ("attention", "1"), ("mlp", "0"), ("heads", "1 2")):
        for group, tokens in groups.items():
            name = f"{site} {at}"
            interchanges.append(dict(site=site, at=[int(i) for i in at.split()], group=group, margins=[
                [forward(images[i], w, put([name], lambda name, t, x: values[j][name][t] if t in tokens(PLACES[i]) else x))[0] for j in n] for i in n]))

    # Path patching: the sender's output is that on image j; heads and MLPs on the way keep what they are on image i, but for
    # those that pass it on; the receivers' outputs that follow are put into image i. Without receivers the logits follow.
    def path(i, j, sender, to, through, mlps):
        heard = {}

        def keep(name):
            def value(x, t):
                heard[name, t] = values[j][name][t] if name == sender else x
                passes = name == sender or name in through or (mlps and name.startswith("mlp"))
                return heard[name, t] if passes else values[i][name][t]
            return value

        names = [f"heads {l} {h}" for l in range(L) for h in range(H)] + [f"mlp {l}" for l in range(L)]
        margin, _ = forward(images[i], w, {name: keep(name) for name in names})
        if not to:
            return margin
        return forward(images[i], w, put(to, lambda name, t, x: heard[name, t]))[0]

    paths = []
    for sender, to, through, mlps in (([0, 1], [[2, 0]], [], False), ([0, 2], [[1, 0], [2, 1]], [], True), ([0, 0], [[2, 2]], [[1, 0], [1, 1]], False),
                                      ([1, 2], [], [], False), ([0, 1], [], [[2, 1]], True)):
        name = "heads {} {}".format
        paths.append(dict(sender=sender, to=to, through=through, mlps=mlps, margins=[
            [path(i, j, name(*sender), [name(*h) for h in to], [name(*h) for h in through], mlps) for j in n] for i in n]))

    head = dict(made_by="make_golden.py", numpy=np.__version__, python=platform.python_version(), seed=SEED, base=base)
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
    for name, cases in (("knockouts", knockouts), ("cuts", cuts), ("interchanges", interchanges), ("paths", paths)):
        text += f',\n"{name}": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]"
    (HERE / "golden.json").write_text("{\n" + text + "\n}\n")


main()

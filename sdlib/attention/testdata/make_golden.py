"""Writes golden.json: every score of package attention, computed with NumPy from attention maps that transformers computed.

    python -m venv env && env/bin/pip install numpy==2.3.5
    env/bin/python make_golden.py

The maps are those of ../../vit/testdata, where the versions and seeds that made them are recorded: tiny models with random
weights, one of each family. Objects are laid over their images by hand: one patch each, 2 x 2 patches, irregular ones that
share a patch, three at a time, and the four of relational match-to-sample. Each layout counts as an image of its own.

Nothing here is random. Sums are taken in float64, token by token: the definitions in docs/paper.md 4.1 as they stand there,
without the indicator matrices of the Go code. `original` follows the second table there, what the paper's released code
computes, along another path than the rest: from blocks of the matrix instead of sets of tokens.
"""

import json
import platform
import struct
from pathlib import Path

import numpy as np

here = Path(__file__).parent
vit = here / "../../vit/testdata"

# folder: file with the maps, side of its images in pixels, patches per side, tokens in front of the patches
MODELS = {
    "square": ("golden-48.safetensors", 48, 6, 1),  # ViT
    "mae": ("golden.safetensors", 32, 4, 1),
    "clip": ("golden.safetensors", 32, 4, 1),
    "deit": ("golden.safetensors", 32, 4, 2),  # CLS, distillation
    "dinov2": ("golden-56.safetensors", 56, 7, 1),
    "registers": ("golden-56.safetensors", 56, 7, 4),  # CLS, 3 registers
    "siglip": ("golden-40.safetensors", 40, 5, 0),
}


def layouts(g):
    """The objects of each image, as lists of patches of a grid of g x g, and the pairs that are compared."""
    def square(row, col):
        return [r * g + c for r in (row, row + 1) for c in (col, col + 1)]

    bend = [0, 1, g]  # three patches round a corner
    snake = [g, 2 * g, 2 * g + 1, 3]  # shares patch g with it, and has one that lies apart
    pair, all3, two = [[0, 1]], [[0, 1], [0, 2], [1, 2]], [[0, 1], [2, 3]]
    return {
        "discrimination": [
            dict(label=1, objects=[[5], [g * g - 2]], pairs=pair),
            dict(label=0, objects=[square(0, 1), square(2, 2)], pairs=pair),
            dict(label=0, objects=[bend, snake], pairs=pair),
            dict(label=1, objects=[bend, snake, square(2, 2)], pairs=all3),
            dict(label=0, objects=[square(1, 0), square(2, 2), [3]], pairs=pair),  # the third belongs to no pair
        ],
        "rmts": [
            dict(label=1, objects=[[g + 1], [g * g - 1], [0], [1]], pairs=two),
            dict(label=0, objects=[square(2, 0), square(2, 2), square(0, 0), square(0, 2)], pairs=two),  # fills a grid of 4 x 4
            dict(label=0, objects=[bend, snake, [2, 3], [g * g - 1]], pairs=two),
        ],
    }


def read(path, name):
    """One tensor of float32 of a safetensors file."""
    file = path.read_bytes()
    n = struct.unpack("<Q", file[:8])[0]
    entry = json.loads(file[8:8 + n])[name]
    assert entry["dtype"] == "F32"
    begin, end = entry["data_offsets"]
    return np.frombuffer(file[8 + n:][begin:end], "<f4").reshape(entry["shape"]).astype(np.float64)


def mass(A, rows, columns):
    """The share of the attention of some tokens that goes to some tokens."""
    return sum(A[q, k] for q in rows for k in columns) / len(rows)


def measure(A, image, front):
    """The scores of one head on one image."""
    T = len(A)
    objects = [set(front + p for p in o) for o in image["objects"]]
    anything = set().union(*objects)
    patches = set(range(front, T))
    seen = []
    for i, own in enumerate(objects):
        partner = set()
        for a, b in image["pairs"]:
            if i in (a, b):
                partner |= objects[b if i == a else a]
        partner -= own
        parts = dict(cls=set(range(front)), own=own, partner=partner, others=anything - own - partner, background=patches - anything)
        assert sum(map(len, parts.values())) == T, "the parts are the whole"
        masses = {name: mass(A, own, part) for name, part in parts.items()}
        assert abs(sum(masses.values()) - 1) < 1e-5, "rows sum to 1"
        masses["elsewhere"] = mass(A, own, patches - own)
        seen.append(masses)

    def group(of, pairs):
        return dict(local=max(seen[i]["elsewhere"] for i in of), within=min(seen[i]["own"] for i in of),
                    pair=max(seen[i]["partner"] for i in of), background=max(seen[i]["background"] for i in of),
                    between=max((seen[a]["others"] + seen[b]["others"]) / 2 for a, b in pairs))

    pairs = image["pairs"][:2]
    out = dict(all=group(range(len(objects)), pairs),
               shares={name: float(np.mean([s[name] for s in seen])) for name in ("cls", "own", "partner", "others", "background")})
    for name, p in zip(("first", "second"), pairs):
        out[name] = group(p, [p])
    return out


def original(maps, images, front):
    """What the paper's released code computes, from all images: sample objects (or the pair) alone, blocks of the matrix."""
    pair_term, ground_term = [], []
    for A, image in zip(maps, images):
        a, b = (np.array([front + p for p in image["objects"][i]]) for i in image["pairs"][0])
        ground = np.ones(len(A), bool)
        ground[:front] = False
        for o in image["objects"]:
            ground[[front + p for p in o]] = False
        only = lambda x, y: np.array([t for t in x if t not in y], int)  # a shared patch is each object's own
        pair_term.append(max(A[np.ix_(a, only(b, a))].sum() / len(a), A[np.ix_(b, only(a, b))].sum() / len(b)))
        ground_term.append(max(A[a][:, ground].sum() / len(a), A[b][:, ground].sum() / len(b)))
    wp, bg = float(np.mean(pair_term)), float(np.mean(ground_term))
    heat = float(np.mean([p + g for p, g in zip(pair_term, ground_term)]))
    return dict(local=heat, within=1 - heat, pair=wp, background=bg)


def matrices(heads):
    """[L][H] dictionaries as a dictionary of [L][H] numbers."""
    first = heads[0][0]
    if isinstance(first, dict):
        return {key: matrices([[h[key] for h in block] for block in heads]) for key in first}
    return [[round(x, 9) for x in block] for block in heads]


golden = []
for name, (file, size, grid, front) in MODELS.items():
    blocks = []
    while True:
        try:
            blocks.append(read(vit / name / file, f"block{len(blocks):02}/attn/weights")[0])  # [H, T, T]
        except KeyError:
            break
    assert blocks[0].shape[-1] == front + grid * grid
    assert all(np.abs(A.sum(-1) - 1).max() < 1e-5 for A in blocks)
    for task, images in layouts(grid).items():
        two = [i for i, image in enumerate(images) if len(image["pairs"]) < 3]  # it compares no object with two others
        golden.append(dict(
            model=name, maps=file, size=size, front=front, task=task, layouts=images,
            images=[matrices([[measure(A, image, front) for A in block] for block in blocks]) for image in images],
            two=two, original=matrices([[original([A] * len(two), [images[i] for i in two], front) for A in block] for block in blocks])))

made_with = dict(script="make_golden.py", python=platform.python_version(), numpy=np.__version__, seed="none: nothing is random")
lines = ",\n".join(json.dumps(g, separators=(",", ":")) for g in golden)
(here / "golden.json").write_text('{"made_with":' + json.dumps(made_with) + ',\n"cases":[\n' + lines + "\n]}\n")
print(len(golden), "cases", made_with)

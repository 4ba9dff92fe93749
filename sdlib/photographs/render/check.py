"""Checks pictures, masks and labels of the photorealistic set, without the code that made or reads them.

    python check.py ../photographs.zip [--csv ../testdata/checked.csv]      # or a folder
    python check.py FOLDER --sheet sheet.png

Needs numpy and Pillow. Fails at the first thing that is wrong, or prints what was checked; --csv writes what the Go package is held
against: each picture's label and boxes, and which patches of 16 pixels its objects cover, in pictures of 224 and of 112 pixels.
"""

import argparse
import csv
import io
import json
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE, PATCH = 224, 16


def check(condition, *what):
    if not condition:
        sys.exit("check: " + " ".join(map(str, what)))


def opener(path):
    """A function that reads a file of the folder or archive."""
    if path.is_dir():
        return lambda name: (path / name).read_bytes()
    return zipfile.ZipFile(path).read


def covered(mask, side):
    """Raster indices of the patches with a pixel of the object, after masks were scaled by area: half of a pixel is a pixel."""
    if side != SIDE:
        mask = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize((side, side), Image.Resampling.BOX)) > 127
    grid = side // PATCH
    return np.flatnonzero(mask.reshape(grid, PATCH, grid, PATCH).any(axis=(1, 3)).ravel()).tolist()


def colors(pixels):
    """How often each of 125 colors is among pixels [n, 3], as a vector of length 1."""
    bins = np.minimum(pixels.astype(int) // 52, 4) @ (25, 5, 1)
    counts = np.sqrt(np.bincount(bins, minlength=125) / len(bins))
    return counts / np.linalg.norm(counts)


def check_picture(record, read):
    """Checks one picture. Returns its pixels, its masks and a line about it."""
    name, objects = record["file_name"], record["objects"]
    pixels = np.asarray(Image.open(io.BytesIO(read(name))))
    check(pixels.shape == (SIDE, SIDE, 3) and pixels.dtype == np.uint8, name, "has shape", pixels.shape)
    check(pixels.std() > 20 and 40 < pixels.mean() < 200, name, "is too dark, too bright or of one color: mean", pixels.mean())
    check(len(objects) == 2, name, "has", len(objects), "objects")
    check(record["label"] == int(objects[0]["object"] == objects[1]["object"]), name, "has label", record["label"])
    check(record["kind"] == ("same" if record["label"] else "both"), name, "has kind", record["kind"])
    check(name.startswith(f"{'ds'[record['label']]}{record['pair']:02}-a{record['arrangement']}-c{record['camera']}-{record['seed']:08x}."), name, "does not say what is in it")
    masks = []
    for o in objects:
        mask = np.asarray(Image.open(io.BytesIO(read(o["mask"]))))
        check(mask.shape == (SIDE, SIDE) and mask.dtype == bool, o["mask"], "is no mask of one bit:", mask.shape, mask.dtype)
        check(mask.sum() >= 150, o["mask"], "has", mask.sum(), "pixels")
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        check(o["box"] == box, o["mask"], "has box", o["box"], "and not", box)
        check(min(box[:2]) > 0 and max(box[2:]) < SIDE, o["mask"], "reaches the picture's edge:", box)
        check(0.6 <= o["visible"] <= 1, o["mask"], "is visible to", o["visible"])
        masks.append(mask)
    check(not (masks[0] & masks[1]).any(), name, "has pixels of both objects")
    line = [name, record["label"], *objects[0]["box"], *objects[1]["box"]]
    for side in (SIDE, SIDE // 2):
        line += [" ".join(map(str, covered(m, side))) for m in masks]
    return pixels, masks, line


def check_balance(records):
    """Every pair in equally many pictures, each arrangement and camera equally often; each object in two of the different pairs."""
    n = len(records)
    check(len({r["file_name"] for r in records}) == n, "names are not unique")
    pairs = {(r["label"], r["pair"]): tuple(o["object"] for o in r["objects"]) for r in records}
    check(all(pairs[r["label"], r["pair"]] == tuple(o["object"] for o in r["objects"]) for r in records), "a pair has other objects in another picture")
    same = [p for (label, _), p in pairs.items() if label]
    different = [p for (label, _), p in pairs.items() if not label]
    check(len(set(same)) == 16 and len({frozenset(p) for p in different}) == 16, "expected 16 same and 16 different pairs, and not", len(same), len(different))
    check(set(Counter(o for p in different for o in p).values()) == {2}, "an object is not in two different pairs")
    for what in ("label", "arrangement", "camera"):
        counts = Counter(r[what] for r in records)
        check(len(set(counts.values())) == 1, what, "is not balanced:", dict(counts))
    each = Counter((r["label"], r["pair"]) for r in records)
    check(len(each) == 32 and set(each.values()) == {n // 32}, "pairs are in different numbers of pictures:", dict(each))
    views = Counter((r["label"], r["pair"], r["arrangement"], r["camera"]) for r in records)
    check(max(views.values()) == 1, "a picture is there twice")
    scenes = {(r["label"], r["pair"], r["arrangement"]): r["seed"] for r in records}
    check(len(set(scenes.values())) == len(scenes), "two scenes have one seed")


def check_colors(views):
    """The pixels under a mask have the colors of its object: they resemble those of its other pictures more than any other object's."""
    names = np.array([name for name, _ in views])
    vectors = np.array([v for _, v in views])
    kinds = sorted(set(names))
    right = 0
    for i, name in enumerate(names):
        like = {}
        for kind in kinds:
            others = (names == kind) & (np.arange(len(names)) != i)
            like[kind] = vectors[i] @ vectors[others].mean(axis=0)
        right += max(like, key=like.get) == name
    return right / len(names)


def sheet(pictures, path, outlines):
    columns = 16
    out = Image.new("RGB", (columns * SIDE, -(-len(pictures) // columns) * SIDE))
    for i, (pixels, masks) in enumerate(pictures):
        image = Image.fromarray(pixels)
        if outlines:
            for mask, color in zip(masks, ("red", "cyan")):
                edge = mask & ~(np.roll(mask, 1, 0) & np.roll(mask, -1, 0) & np.roll(mask, 1, 1) & np.roll(mask, -1, 1))
                ImageDraw.Draw(image).point([(int(x), int(y)) for y, x in zip(*np.nonzero(edge))], fill=color)
        out.paste(image, (i % columns * SIDE, i // columns * SIDE))
    out.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--csv", type=Path, help="write a line for each picture")
    parser.add_argument("--sheet", type=Path, help="draw the pictures on one sheet, for looking at")
    parser.add_argument("--outlines", action="store_true", help="and the masks' outlines on them")
    parser.add_argument("--some", action="store_true", help="the set is not complete: its balance is not checked")
    a = parser.parse_args()
    read = opener(a.path)
    records = [json.loads(line) for line in read("metadata.jsonl").splitlines()]
    lines, pictures, views = [], [], []
    for record in records:
        pixels, masks, line = check_picture(record, read)
        lines.append(line)
        pictures.append((pixels, masks))
        views += [(o["object"], colors(pixels[m])) for o, m in zip(record["objects"], masks)]
    if a.sheet:
        sheet(pictures, a.sheet, a.outlines)
    if not a.some:
        check_balance(records)
        known = check_colors(views)
        check(known > 0.9, f"only {known:.1%} of the masks show their object's colors")
        hidden = [o["visible"] for r in records for o in r["objects"] if o["visible"] < 1]
        print(f"{len(records)} pictures, {sum(r['label'] for r in records)} same; {len(hidden)} of {len(views)} objects partly hidden, at least {min(hidden):.0%} visible;"
              f" {known:.1%} of the objects known by their colors")
    if a.csv:
        with open(a.csv, "w", newline="") as to:
            out = csv.writer(to, lineterminator="\n")
            out.writerow(["file_name", "label", *(f"{o}_{c}" for o in (1, 2) for c in ("x0", "y0", "x1", "y1")), *(f"patches_{o}_of_{s}" for s in (SIDE, SIDE // 2) for o in (1, 2))])
            out.writerows(lines)


if __name__ == "__main__":
    main()

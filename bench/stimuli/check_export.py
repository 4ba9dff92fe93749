"""Checks an exported folder of stimuli from Python: pixels against records, records against each other.

    python check_export.py FOLDER [--datasets]

Needs pillow and numpy; --datasets also loads the folder with Hugging Face datasets
(ImageFolder) and compares what it gives. Prints what was checked, or fails. Works for
sets and counterfactual pairs that this repository's `Export` wrote; what the pixels
are held against depends on the set's factors. docs/formats.md describes the fields.
"""

import json
import pathlib
import sys

import numpy as np
from PIL import Image

COLORS = np.array(
    [
        (233, 30, 99), (156, 39, 176), (103, 58, 183), (63, 81, 181),
        (3, 169, 244), (0, 188, 212), (0, 150, 136), (76, 175, 80),
        (139, 195, 74), (205, 220, 57), (255, 235, 59), (255, 152, 0),
        (255, 87, 34), (121, 85, 72), (158, 158, 158), (120, 144, 156),
        (103, 110, 0), (255, 155, 238), (145, 0, 0), (194, 188, 255),
    ]
)


def check(condition, *what):
    if not condition:
        sys.exit("check_export: " + " ".join(map(str, what)))


def same(a, b):
    return int(a["shape"] == b["shape"] and a["color"] == b["color"])


def covered(box, patch, grid):
    """Raster indices of the patches that a box [x0, y0, x1, y1] touches."""
    x0, y0, x1, y1 = box
    rows, cols = range(y0 // patch, (y1 - 1) // patch + 1), range(x0 // patch, (x1 - 1) // patch + 1)
    return [row * grid + col for row in rows for col in cols]


def check_scene(name, pixels, scene, config):
    geometry = config["geometry"]
    side, patch, cell = geometry["image"], geometry["patch"], geometry["cell"]
    factors = config.get("factors", {})
    check(pixels.shape == (side, side, 3) and pixels.dtype == np.uint8, name, "has shape", pixels.shape)

    for pair in scene["pairs"]:
        first, second = scene["objects"][pair["first"]], scene["objects"][pair["second"]]
        check(pair["label"] == same(first, second), name, "pair", pair)
    labels = [pair["label"] for pair in scene["pairs"]]
    label = int(labels[0] == labels[1]) if config["task"] == "rmts" else int(all(labels))
    check(scene["label"] == label, name, "has label", scene["label"], "and pairs", labels)

    outside = np.ones((side, side), bool)
    taken = set()
    for o in scene["objects"]:
        x0, y0, x1, y1 = o["box"]
        outside[y0:y1, x0:x1] = False
        if factors.get("off_grid"):
            check(o["tokens"] == covered(o["box"], patch, side // patch), name, "tokens of", o)
        else:
            corner = (o["col"] * patch, o["row"] * patch)
            check((x0, y0) == (corner[0] + o["dx"], corner[1] + o["dy"]), name, "jitter of", o)
            box = [corner[0], corner[1], corner[0] + cell, corner[1] + cell]
            check(o["tokens"] == covered(box, patch, side // patch), name, "tokens of", o)
            check(not taken & set(o["tokens"]), name, "patches are shared by", o)
            taken |= set(o["tokens"])
        drawn = (pixels[y0:y1, x0:x1] != 255).any(-1)
        if not factors.get("background_noise"):
            check(0.1 < drawn.mean() < 0.9, name, "object fills", drawn.mean(), "of its box", o)
            if o["texture"] == "" and o["contrast"] == 100:
                # Clipping moves the mean of levels near 0 and 255 by up to 10, and noise by 10/sqrt(pixels).
                mean = pixels[y0:y1, x0:x1][drawn].mean(0)
                check((abs(mean - COLORS[o["color"]]) < 16).all(), name, "has mean color", mean, "for", o)
    if not factors.get("background_noise"):
        check((pixels[outside] == 255).all(), name, "has color outside the objects' boxes")


def check_pair(name, record):
    """One counterfactual pair: the target follows from carrying the property over."""
    base, cf = record["base_scene"], record["cf_scene"]
    check(record["target"] == 1 - base["label"], name, "target", record["target"])
    for key, scene in (("edited", base), ("non_edited", base), ("source", cf), ("other", cf)):
        check(record[key + "_tokens"] == scene["objects"][record[key]]["tokens"], name, key + "_tokens")
    source, edited = cf["objects"][record["source"]], base["objects"][record["edited"]]
    partner = base["objects"][record["non_edited"]]
    return {p: same({**edited, p: source[p]}, partner) == record["relation"] for p in ("shape", "color")}


def main():
    folder = pathlib.Path(sys.argv[1])
    manifest = json.loads((folder / "set.json").read_text())
    check(manifest["format"] == "samediff stimuli" and manifest["version"] == 1, "unknown format", manifest)
    records = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]

    def load(name):
        return np.asarray(Image.open(folder / name))

    if "set" in manifest:
        for record in records:
            check_scene(record["file_name"], load(record["file_name"]), record, manifest["set"])
        print(len(records), "stimuli,", sum(r["label"] for r in records), "of them same")
    else:
        config = manifest["counterfactuals"]
        for record in records:
            check_scene(record["file_name"], load(record["file_name"]), record["base_scene"], config["set"])
            check_scene(record["cf_file_name"], load(record["cf_file_name"]), record["cf_scene"], config["set"])
            works = check_pair(record["file_name"], record)
            check(works[config["property"]], record["file_name"], "the property does not bring the target about")
        print(len(records), "counterfactual pairs,", sum(r["target"] for r in records), "of them become same")

    if "--datasets" in sys.argv:
        import datasets

        loaded = datasets.load_dataset("imagefolder", data_dir=str(folder), split="train")
        check(len(loaded) == len(records), "datasets found", len(loaded), "records")
        columns = {"image": "file_name"} | ({} if "set" in manifest else {"cf": "cf_file_name"})
        for row, record in zip(loaded, records):
            for column, name in columns.items():
                check((np.asarray(row[column]) == load(record[name])).all(), "datasets has other pixels for", record[name])
            for key in record.keys() - set(columns.values()):
                check(row[key] == record[key], "datasets has other", key, row[key], "for", record[key])
        print("datasets", datasets.__version__, "reads the same")


main()

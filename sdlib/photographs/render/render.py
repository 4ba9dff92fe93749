"""Renders the photorealistic set: 1,024 pictures of two objects on a table in a sunlit room, with masks and metadata.jsonl.

    python -m venv env && env/bin/pip install -r requirements.txt       # Python 3.11
    env/bin/python render.py FOLDER [--part 1/4] [--samples 4] [--threads 1]

A picture that is there is not made again, so that an interrupted run goes on, and several runs may share a folder: each takes its
own --part. Made again, a picture has the same masks to the bit, and the same pixels but for one level in a dozen of them. Two seconds
a picture on one core.
"""

import argparse
import json
import os
import random
import sys
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from PIL import Image

import plan
import room
from place import Solid, masks, place
from things import MAKERS


def scene_of(picture):
    """Builds a picture's scene in Blender. Returns its camera, the objects' masks and visible shares, and what was drawn."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rng = random.Random(picture.seed)
    drawn = room.build(rng)
    solids = [MAKERS[name]() for name in picture.objects]
    shapes = [Solid(o.data) for o in solids]
    cameras = [room.camera(i) for i in range(plan.CAMERAS)]
    eyes = [c.matrix_world.copy() for c in cameras]
    at = place(rng, shapes, eyes)
    for o, where in zip(solids, at):
        o.matrix_world = where
        bpy.context.scene.collection.objects.link(o)
    return cameras[picture.camera], masks(shapes, at, eyes[picture.camera]), drawn


def set_up(samples, threads, seed):
    """Path tracing of few samples, cleaned by a denoiser that knows the surfaces: of 224 pixels, 16 look no better than 4."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    c = scene.cycles
    c.device, c.samples, c.seed = "CPU", samples, seed & 0x7FFFFFFF
    c.use_adaptive_sampling, c.use_denoising, c.denoiser = False, True, "OPENIMAGEDENOISE"
    c.max_bounces, c.diffuse_bounces, c.glossy_bounces = 5, 3, 3
    c.caustics_reflective = c.caustics_refractive = False
    c.sample_clamp_indirect = 5.0
    scene.render.resolution_x = scene.render.resolution_y = room.SIDE
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = 0.15


def draw(picture, folder, samples, threads):
    """Makes a picture's files: masks first and the picture last, each written aside and renamed."""
    camera, (visible, shares), drawn = scene_of(picture)
    objects = []
    for i, (name, mask, share) in enumerate(zip(picture.objects, visible, shares), 1):
        file = f"masks/{picture.name}-{i}.png"
        aside(folder / file, lambda path: Image.fromarray(mask).convert("1").save(path, optimize=True))
        rows, columns = np.nonzero(mask)
        box = [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]
        objects.append({"object": name, "box": box, "mask": file, "visible": round(float(share), 3)})
    record = {"file_name": picture.name + ".png", "label": picture.label, "kind": ("both", "same")[picture.label], "objects": objects} | {
        "pair": picture.pair, "arrangement": picture.arrangement, "camera": picture.camera, "seed": picture.seed, **drawn}
    aside(folder / "records" / (picture.name + ".json"), lambda path: path.write_text(json.dumps(record)))
    set_up(samples, threads, picture.seed * plan.CAMERAS + picture.camera)
    bpy.context.scene.camera = camera

    def render(path):
        bpy.context.scene.render.filepath = str(path)
        with silent():
            bpy.ops.render.render(write_still=True)

    aside(folder / (picture.name + ".png"), render)


def aside(path, write):
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}-{path.name}")
    write(beside)
    os.replace(beside, path)


@contextmanager
def silent():
    """Blender prints a line for every sample."""
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        sys.stdout.flush()
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)


def collect(folder):
    """Writes metadata.jsonl: a line for each picture that is there, in the plan's order."""
    there = [p for p in plan.pictures() if (folder / (p.name + ".png")).exists()]
    lines = [(folder / "records" / (p.name + ".json")).read_text() for p in there]
    aside(folder / "metadata.jsonl", lambda path: path.write_text("".join(line + "\n" for line in lines)))
    return len(there)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="1/1", help="1/4 is the first quarter; 3/4 the third (default all)")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", type=int, help="this many pictures of the part")
    a = parser.parse_args()
    part, parts = map(int, a.part.split("/"))
    if not 1 <= part <= parts:
        parser.error(f"--part {a.part}: expected I/N with I of 1 to N")
    all = plan.pictures()
    chosen = all[len(all) * (part - 1) // parts : len(all) * part // parts][: a.only]
    a.folder.mkdir(parents=True, exist_ok=True)
    for i, picture in enumerate(chosen, 1):
        if not (a.folder / (picture.name + ".png")).exists():
            draw(picture, a.folder, a.samples, a.threads)
        print(f"\r{i} of {len(chosen)}", end="", flush=True)
    print(f"\n{collect(a.folder)} pictures in {a.folder}")


if __name__ == "__main__":
    main()

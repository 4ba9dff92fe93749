"""Where the two objects stand, and which pixels show each of them: rays through the middle of every pixel, on the meshes themselves."""

from math import hypot, tau

import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

from room import LENS, SENSOR, SIDE

REACH = (0.19, 0.15)  # of the middle of the table, in meters
MARGIN = 5  # pixels that stay free at the picture's edge
VISIBLE = 0.6  # of an object's pixels, at the least, in every camera


class Solid:
    """An object that can be turned, put somewhere, and looked at."""

    def __init__(self, mesh):
        self.vertices = [v.co.copy() for v in mesh.vertices]
        self.faces = [tuple(p.vertices) for p in mesh.polygons]
        self.radius = max(hypot(v.x, v.y) for v in self.vertices)
        self.tree = BVHTree.FromPolygons(self.vertices, self.faces)

    def depth(self, at, eye):
        """How far away the object is in each pixel of a camera [SIDE, SIDE], infinite where it is not. at and eye are matrices."""
        out = np.full((SIDE, SIDE), np.inf)
        see = eye.inverted() @ at  # the object in the camera's coordinates
        seen = [see @ v for v in self.vertices]
        scale = SIDE * LENS / SENSOR
        columns = [SIDE / 2 + scale * v.x / -v.z for v in seen]
        rows = [SIDE / 2 - scale * v.y / -v.z for v in seen]
        if min(min(columns), min(rows)) < MARGIN or max(max(columns), max(rows)) > SIDE - MARGIN:
            return None
        back = see.inverted()
        start, turn = back.translation, back.to_3x3()
        for row in range(int(min(rows)), int(max(rows)) + 1):
            for column in range(int(min(columns)), int(max(columns)) + 1):
                ray = turn @ Vector(((column + 0.5 - SIDE / 2) / scale, (SIDE / 2 - row - 0.5) / scale, -1))
                hit = self.tree.ray_cast(start, ray)[0]
                if hit is not None:
                    out[row, column] = (hit - start).length
        return out


def place(rng, solids, eyes):
    """Draws places for two objects until every camera has them in its picture, each mostly visible. Returns their matrices."""
    for _ in range(2000):
        spots = [(rng.uniform(-REACH[0], REACH[0]), rng.uniform(-REACH[1], REACH[1]), rng.uniform(0, tau)) for _ in solids]
        apart = hypot(spots[0][0] - spots[1][0], spots[0][1] - spots[1][1])
        if apart < sum(s.radius for s in solids) + 0.01:
            continue
        at = [Matrix.Translation((x, y, 0)) @ Matrix.Rotation(turn, 4, "Z") for x, y, turn in spots]
        if all(m is not None and all(share >= VISIBLE for share in m[1]) for m in (masks(solids, at, eye) for eye in eyes)):
            return at
    raise RuntimeError("no place was found for two objects in 2,000 tries: expected a larger REACH or a smaller VISIBLE")


def masks(solids, at, eye):
    """The visible pixels of each object [SIDE, SIDE], and which share of its outline they are; None if one leaves the picture."""
    depths = []
    for solid, where in zip(solids, at):
        depths.append(solid.depth(where, eye))
        if depths[-1] is None:
            return None
    nearest = np.minimum(*depths)
    visible = [np.isfinite(d) & (d <= nearest) for d in depths]
    return visible, [v.sum() / np.isfinite(d).sum() for v, d in zip(visible, depths)]

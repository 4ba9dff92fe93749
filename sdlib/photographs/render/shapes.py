"""Meshes from a few kinds of parts: turned on a lathe, bent tubes, boxes, balls. Lengths are arbitrary: objects are scaled to size."""

from math import cos, tau

import bmesh
import bpy
from mathutils import Matrix, Vector


def smoothed(points, steps=6):
    """A Catmull-Rom curve through points, which may be tuples of any length."""
    out = []
    at = lambda i: Vector(points[max(0, min(i, len(points) - 1))])
    for i in range(len(points) - 1):
        p0, p1, p2, p3 = at(i - 1), at(i), at(i + 1), at(i + 2)
        for s in range(steps):
            t = s / steps
            out.append(0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3))
    return out + [Vector(points[-1])]


def mesh(rings, paint, caps=True):
    """A surface through rings of as many points each, with flat caps at both ends."""
    n = len(rings[0])
    vertices = [p for ring in rings for p in ring]
    faces = []
    for r in range(len(rings) - 1):
        a, b = r * n, (r + 1) * n
        faces += [(a + i, a + (i + 1) % n, b + (i + 1) % n, b + i) for i in range(n)]
    if caps:
        faces += [tuple(range(n))[::-1], tuple(range(len(vertices) - n, len(vertices)))]
    return part(vertices, faces, paint)


def part(vertices, faces, paint):
    m = bpy.data.meshes.new("part")
    m.from_pydata([tuple(v) for v in vertices], [], faces)
    return finish(m, paint)


def finish(m, paint, sharp=0.7):
    """Faces point outward and are smooth, but where they meet at more than sharp radians."""
    b = bmesh.new()
    b.from_mesh(m)
    bmesh.ops.remove_doubles(b, verts=b.verts, dist=1e-5)
    bmesh.ops.recalc_face_normals(b, faces=b.faces)
    b.to_mesh(m)
    b.free()
    m.shade_smooth()
    m.set_sharp_from_angle(angle=sharp)
    m.materials.append(paint)
    return m


def lathe(profile, paint, steps=5, around=40, caps=True):
    """Turns (radius, height), ... about the z axis. steps 0 keeps the corners."""
    points = smoothed(profile, steps) if steps else [Vector(p) for p in profile]
    turn = [Matrix.Rotation(tau * i / around, 3, "Z") for i in range(around)]
    return mesh([[t @ Vector((max(p[0], 1e-4), 0, p[1])) for t in turn] for p in points], paint, caps=caps)


def tube(path, radius, paint, steps=6, around=14, ribs=0):
    """A round tube along (x, y, z), ...; the radius is a number, or one for each point. ribs are ridges along it."""
    radii = radius if isinstance(radius, (tuple, list)) else [radius] * len(path)
    line = smoothed([(*p, r) for p, r in zip(path, radii)], steps)
    rings, side = [], None
    for i, p in enumerate(line):
        along = (line[min(i + 1, len(line) - 1)].xyz - line[max(i - 1, 0)].xyz).normalized()
        if side is None:
            side = along.orthogonal()
        side = (side - along * side.dot(along)).normalized()
        turns = [tau * k / around for k in range(around)]
        rings.append([p.xyz + Matrix.Rotation(t, 3, along) @ side * p.w * (1 + 0.09 * cos(ribs * t) if ribs else 1) for t in turns])
    return mesh(rings, paint)


def box(size, paint, edge=0.0, at=(0, 0, 0)):
    """A box about a point, with rounded edges."""
    m = bpy.data.meshes.new("part")
    b = bmesh.new()
    bmesh.ops.create_cube(b, size=1, matrix=Matrix.Translation(at) @ Matrix.Diagonal((*size, 1)))
    if edge:
        bmesh.ops.bevel(b, geom=b.edges, offset=edge, segments=3, affect="EDGES", profile=0.5)
    b.to_mesh(m)
    b.free()
    return finish(m, paint)


def ball(size, paint, at=(0, 0, 0), u=32, v=18):
    """An ellipsoid with these radii."""
    m = bpy.data.meshes.new("part")
    b = bmesh.new()
    bmesh.ops.create_uvsphere(b, u_segments=u, v_segments=v, radius=1, matrix=Matrix.Translation(at) @ Matrix.Diagonal((*size, 1)))
    b.to_mesh(m)
    b.free()
    return finish(m, paint)


def disk(radius, thick, paint, at=(0, 0, 0), axis="Z", edge=0.15):
    """A cylinder about a point."""
    e = thick * edge
    m = lathe([(0, -thick / 2), (radius - e, -thick / 2), (radius, -thick / 2 + e), (radius, thick / 2 - e), (radius - e, thick / 2), (0, thick / 2)], paint, steps=0)
    turn = {"Z": Matrix(), "X": Matrix.Rotation(tau / 4, 4, "Y"), "Y": Matrix.Rotation(-tau / 4, 4, "X")}[axis]
    return moved(m, Matrix.Translation(at) @ turn)


def moved(m, by):
    """A part, moved by a matrix or a vector."""
    m.transform(by if isinstance(by, Matrix) else Matrix.Translation(by))
    return m


def joined(name, parts, size):
    """One object of several parts, standing on z = 0 about the z axis, its longest side of a size in meters."""
    b = bmesh.new()
    materials = []
    for m in parts:
        paint = m.materials[0]
        if paint not in materials:
            materials.append(paint)
        first = len(b.faces)
        b.from_mesh(m)
        b.faces.ensure_lookup_table()
        for face in b.faces[first:]:
            face.material_index = materials.index(paint)
        bpy.data.meshes.remove(m)
    low = [min(v.co[i] for v in b.verts) for i in range(3)]
    high = [max(v.co[i] for v in b.verts) for i in range(3)]
    scale = size / max(h - l for l, h in zip(low, high))
    middle = Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]))
    for v in b.verts:
        v.co = (v.co - middle) * scale
    m = bpy.data.meshes.new(name)
    b.to_mesh(m)
    b.free()
    for paint in materials:
        m.materials.append(paint)
    return bpy.data.objects.new(name, m)

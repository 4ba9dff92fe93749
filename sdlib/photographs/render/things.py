"""The 16 objects. Each differs from the others in shape, in color and in texture; lengths are in centimeters until they are joined."""

from math import cos, sin, tau

import bmesh
import bpy
from mathutils import Matrix, Vector

from materials import dots, material, mottle, speckles, stripes, wood
from shapes import ball, box, disk, finish, joined, lathe, moved, tube


def apple():
    skin = material("apple skin", pattern=mottle("#5f9e1f", "#b7c93a", 0.09, (1, 1, 0.35)), rough=0.32, coat=0.3)
    body = [(0, 6.3), (0.5, 6.2), (1.2, 6.9), (2.4, 7.3), (3.6, 6.4), (4.1, 4.6), (3.6, 2.3), (2.6, 0.6), (1.6, 0.0), (0.8, 0.3), (0, 0.5)]
    stem = material("apple stem", "#4a3420", rough=0.8)
    return joined("apple", [lathe(body, skin), lathe([(0.22, 6.0), (0.16, 7.4), (0.24, 8.3)], stem, around=12)], 0.125)


def books():
    paper = material("paper", pattern=stripes("#efe6d2", "#cfc2a5", 0.0011), rough=0.9)
    parts, z = [], 0.0
    for cloth, (w, d, h), turn in (
        (material("red cloth", pattern=speckles("#7d1f24", "#97383a", 0.002), rough=0.85), (15, 20, 2.6), 0.05),
        (material("blue cloth", pattern=speckles("#22365f", "#3a5080", 0.002), rough=0.85), (13.5, 18.5, 3.2), -0.16),
        (material("ocher cloth", pattern=speckles("#c08a2d", "#d7a650", 0.002), rough=0.85), (12, 17, 2.0), 0.22),
    ):
        pieces = [
            box((w, d, 0.25), cloth, 0.1, (0, 0, 0.125)),
            box((w, d, 0.25), cloth, 0.1, (0, 0, h - 0.125)),
            box((0.3, d, h), cloth, 0.12, (-w / 2 + 0.15, 0, h / 2)),
            box((w - 0.9, d - 0.8, h - 0.4), paper, 0, (-0.2, 0, h / 2)),
        ]
        parts += [moved(p, Matrix.Translation((0, 0, z)) @ Matrix.Rotation(turn, 4, "Z")) for p in pieces]
        z += h
    return joined("books", parts, 0.20)


def bottle():
    glass = material("bottle glass", "#0d3b22", rough=0.06, coat=1.0)
    foil = material("bottle foil", "#a8842c", rough=0.35, metal=1.0)
    body = [(0, 0.3), (2.6, 0), (3.5, 0.4), (3.7, 1.2), (3.7, 15), (3.6, 17), (2.2, 20), (1.45, 22), (1.4, 26)]
    cap = [(0, 30), (1.45, 30), (1.55, 29.8), (1.55, 24.5), (1.45, 24.5)]
    return joined("bottle", [lathe(body, glass), lathe(cap, foil, steps=0)], 0.27)


def bowl():
    grain = material("bowl wood", pattern=wood("#c98f52", "#7a4620", 0.05), rough=0.45)
    profile = [(0, 0), (3.0, 0), (3.4, 0.5), (6.0, 2.0), (8.2, 4.6), (9.0, 7.4), (8.7, 7.6), (8.4, 7.3), (7.4, 4.6), (5.2, 2.4), (2.5, 1.3), (0, 1.2)]
    return joined("bowl", [lathe(profile, grain, around=56)], 0.185)


def cactus():
    flesh = material("cactus flesh", pattern=speckles("#2f6b3a", "#dfe8c0", 0.0045), rough=0.7)
    clay = material("pot clay", pattern=mottle("#a9532f", "#c4714a", 0.03), rough=0.9)
    earth = material("earth", "#2c1d13", rough=1.0)
    pot = [(0, 0), (3.6, 0), (4.6, 5.6), (5.2, 5.7), (5.2, 7.2), (4.7, 7.2), (4.5, 6.4), (0, 6.3)]

    parts = [
        lathe(pot, clay, steps=0),
        disk(4.5, 0.3, earth, (0, 0, 6.6)),
        tube([(0, 0, 6), (0, 0, 9), (0, 0, 15), (0, 0, 18.2), (0, 0, 19)], [2.0, 2.3, 2.3, 1.6, 0.3], flesh, around=48, ribs=12),
        tube([(1.5, 0, 10), (3.9, 0, 10.2), (4.9, 0, 11.4), (5.0, 0, 14), (5.0, 0, 15)], [1.2, 1.3, 1.3, 1.0, 0.2], flesh, around=48, ribs=8),
        tube([(-1.5, 0, 12), (-3.4, 0, 12.2), (-4.2, 0, 13.2), (-4.3, 0, 16), (-4.3, 0, 16.9)], [1.0, 1.1, 1.1, 0.9, 0.2], flesh, around=48, ribs=8),
    ]
    return joined("cactus", parts, 0.20)


def camera():
    leather = material("leather", pattern=mottle("#16161a", "#2b2b30", 0.0035), rough=0.6, bump=0.5)
    chrome = material("chrome", "#c9c9cc", rough=0.22, metal=1.0)
    black = material("black plastic", "#0c0c0d", rough=0.35)
    lens = material("lens", "#101a3c", rough=0.03, coat=1.0)
    parts = [
        box((13, 4.2, 5.6), leather, 0.5, (0, 0, 3.0)),
        box((13, 4.3, 1.9), chrome, 0.4, (0, 0, 6.4)),
        box((4.2, 3.8, 1.8), chrome, 0.5, (0, 0, 7.9)),
        disk(3.0, 2.4, chrome, (0, -3.0, 3.6), "Y"),
        disk(2.7, 2.2, black, (0, -4.8, 3.6), "Y"),
        disk(1.9, 0.4, lens, (0, -5.8, 3.6), "Y"),
        disk(0.9, 1.0, chrome, (4.8, 0, 7.7)),
        disk(1.1, 0.8, black, (-4.7, 0, 7.6)),
    ]
    return joined("camera", parts, 0.175)


def candle():
    brass = material("brass", "#c79a3a", rough=0.22, metal=1.0)
    wax = material("wax", "#e58aa0", rough=0.5, coat=0.2)
    wick = material("wick", "#1d1712", rough=1.0)
    foot = [(0, 0), (4.8, 0), (5.0, 0.5), (4.4, 1.0), (1.6, 1.6), (0.9, 2.6), (0.9, 4.0), (1.6, 4.8), (0.9, 5.6), (0.8, 7.2), (2.4, 8.0), (2.5, 8.5), (1.4, 8.4), (1.3, 9.4), (0, 9.4)]
    parts = [
        lathe(foot, brass),
        lathe([(0, 9.2), (1.15, 9.2), (1.15, 21.5), (0.95, 21.9), (0, 21.7)], wax, steps=0),
        lathe([(0.12, 21.5), (0.1, 22.9)], wick, around=8),
    ]
    return joined("candle", parts, 0.24)


def car():
    body = material("car paint", "#e8641b", rough=0.25, coat=1.0)
    glass = material("car glass", "#1b2430", rough=0.08)
    tire = material("tire", "#141414", rough=0.8)
    hub = material("hub", "#d9d9d9", rough=0.25, metal=1.0)
    light = material("car lights", "#f6ecc0", rough=0.2)
    white = material("car stripe", "#f2efe6", rough=0.3, coat=1.0)
    parts = [
        box((17, 7.4, 3.0), body, 0.9, (0, 0, 3.2)),
        box((8.6, 6.4, 3.4), glass, 1.0, (-0.9, 0, 5.9)),
        box((8.0, 6.6, 0.9), body, 0.4, (-0.9, 0, 7.4)),
        box((0.5, 6.5, 2.8), body, 0.1, (-0.9, 0, 6.0)),
        box((17.1, 1.6, 0.6), white, 0.2, (0, 0, 4.5)),
    ]
    for x in (-5.2, 5.2):
        for y in (-3.4, 3.4):
            parts += [disk(2.1, 1.5, tire, (x, y, 2.1), "Y", 0.3), disk(1.1, 1.7, hub, (x, y, 2.1), "Y")]
    for y in (-2.4, 2.4):
        parts.append(ball((0.4, 0.8, 0.6), light, (8.4, y, 3.5)))
    return joined("car", parts, 0.20)


def clock():
    shell = material("clock shell", "#3fb8a5", rough=0.3, coat=0.6)
    face = material("clock face", "#f7f4ea", rough=0.6)
    black = material("clock hands", "#161616", rough=0.5)
    bell = material("clock bells", "#c9a24a", rough=0.2, metal=1.0)
    parts = [disk(6.0, 4.0, shell, (0, 0, 8), "Y", 0.2), disk(5.2, 0.3, face, (0, -2.0, 8), "Y")]
    for hour in range(12):
        a = tau * hour / 12
        parts.append(box((0.3, 0.2, 1.0), black, 0, (0, -2.15, 0)))
        moved(parts[-1], Matrix.Translation((4.4 * sin(a), 0, 8 + 4.4 * cos(a))) @ Matrix.Rotation(a, 4, "Y"))
    for a, length, width in ((-1.05, 2.6, 0.5), (1.05, 3.8, 0.36)):
        parts.append(box((width, 0.2, length), black, 0, (0, -2.25, length / 2 - 0.4)))
        moved(parts[-1], Matrix.Translation((0, 0, 8)) @ Matrix.Rotation(a, 4, "Y"))
    for s in (-1, 1):
        half = lathe([(0, 2.0), (1.3, 1.7), (2.2, 0.8), (2.5, 0.0), (2.2, -0.1), (0, 0.4)], bell, around=28)
        parts.append(moved(half, Matrix.Translation((3.6 * s, 0, 13.4)) @ Matrix.Rotation(0.55 * s, 4, "Y")))
        parts.append(tube([(2.8 * s, 0, 3.4), (3.9 * s, 0, 1.2), (4.5 * s, 0, 0.3)], [0.6, 0.6, 0.7], bell))
    parts.append(tube([(-3.0, 0, 15.0), (-1.8, 0, 17.2), (1.8, 0, 17.2), (3.0, 0, 15.0)], 0.32, bell))
    return joined("clock", parts, 0.175)


def cube():
    black = material("cube body", "#101012", rough=0.4)
    colors = {c: material("sticker " + c, c, rough=0.3) for c in ("#f4f4f0", "#f2c90f", "#c1121f", "#e8590c", "#1453b8", "#159447")}
    sides = ((Vector((0, 0, 1)), "#f4f4f0"), (Vector((1, 0, 0)), "#c1121f"), (Vector((-1, 0, 0)), "#e8590c"), (Vector((0, 1, 0)), "#1453b8"), (Vector((0, -1, 0)), "#159447"))
    names = list(colors)
    parts = [box((5.7, 5.7, 5.7), black, 0.3, (0, 0, 2.85))]
    for s, (normal, own) in enumerate(sides):
        turn = normal.to_track_quat("Z", "Y").to_matrix().to_4x4()
        for i in range(9):
            mixed = own if i in (0, 4, 7) else names[(i * 5 + s * 2) % 6]
            sticker = box((1.62, 1.62, 0.12), colors[mixed], 0.05, (1.86 * (i % 3 - 1), 1.86 * (i // 3 - 1), 2.86))
            parts.append(moved(sticker, Matrix.Translation((0, 0, 2.85)) @ turn))
    return joined("cube", parts, 0.115)


def duck():
    rubber = material("duck rubber", "#f5c518", rough=0.35, coat=0.3)
    beak = material("duck beak", "#e2571e", rough=0.4)
    eye = material("duck eyes", "#0d0d0d", rough=0.1)
    tail = tube([(-2.5, 0, 3.6), (-5.0, 0, 4.6), (-6.6, 0, 6.4)], [2.6, 1.6, 0.25], rubber)
    parts = [ball((5.4, 4.2, 3.5), rubber, (0, 0, 3.3)), tail, ball((3.1, 2.9, 3.0), rubber, (3.0, 0, 8.4)), ball((1.9, 1.6, 0.55), beak, (6.0, 0, 8.0)), ball((1.6, 1.3, 0.4), beak, (5.9, 0, 7.5))]
    for s in (-1, 1):
        parts += [ball((0.45, 0.35, 0.55), eye, (5.2, 1.55 * s, 9.4)), moved(ball((3.0, 0.9, 1.9), rubber), Matrix.Translation((-0.8, 3.9 * s, 4.2)) @ Matrix.Rotation(0.35, 4, "Y"))]
    return joined("duck", parts, 0.165)


def gift():
    paper = material("gift paper", pattern=dots("#5b2a86", "#e8d9f5", 0.022), rough=0.35, coat=0.3)
    ribbon = material("ribbon", "#e6b422", rough=0.28, metal=0.4)
    parts = [
        box((12, 9, 8), paper, 0.2, (0, 0, 4)),
        box((12.6, 9.6, 1.8), paper, 0.2, (0, 0, 7.4)),
        box((1.7, 9.8, 8.5), ribbon, 0.1, (0, 0, 4.25)),
        box((12.8, 1.7, 8.5), ribbon, 0.1, (0, 0, 4.25)),
        ball((0.9, 0.9, 0.7), ribbon, (0, 0, 9.0)),
    ]
    for a in (0.5, 2.3, 3.7, 5.4):
        loop = [(0, 0, 0.2), (1.4, 0.5, 1.6), (3.2, 0.3, 1.9), (3.6, -0.3, 0.9), (2.0, -0.4, 0.2), (0, 0, 0.1)]
        parts.append(moved(tube(loop, 0.42, ribbon, around=8), Matrix.Translation((0, 0, 8.6)) @ Matrix.Rotation(a, 4, "Z")))
    return joined("gift", parts, 0.16)


def monkey():
    bronze = material("bronze", pattern=mottle("#7a4a24", "#b0763a", 0.03), rough=0.3, metal=0.9)
    m = bpy.data.meshes.new("part")
    b = bmesh.new()
    bmesh.ops.create_monkey(b)
    bmesh.ops.subdivide_edges(b, edges=b.edges, cuts=1, use_grid_fill=True, smooth=0.6)
    b.to_mesh(m)
    b.free()
    head = moved(finish(m, bronze, sharp=1.4), Matrix.Translation((0, 0, 1.0)) @ Matrix.Rotation(-0.25, 4, "X"))
    stone = material("plinth", "#2a2622", rough=0.25, coat=0.5)
    return joined("monkey", [head, box((1.5, 1.3, 0.35), stone, 0.06, (0, 0.15, -0.05))], 0.175)


def mug():
    enamel = material("mug enamel", pattern=dots("#b3161b", "#f5efe6", 0.024), rough=0.15, coat=1.0)
    inner = material("mug rim", "#f5efe6", rough=0.2, coat=1.0)
    wall = [(0, 0.2), (3.6, 0), (4.2, 0.4), (4.3, 1.4), (4.3, 9.4)]
    rim = [(4.3, 9.4), (4.3, 9.8), (4.05, 9.9), (3.9, 9.5), (3.9, 1.4), (3.2, 0.8), (0, 0.8)]
    handle = tube([(4.1, 0, 8.4), (6.2, 0, 8.3), (7.0, 0, 6.2), (6.6, 0, 3.4), (4.1, 0, 2.0)], 0.62, inner)
    return joined("mug", [lathe(wall, enamel, steps=0, around=56, caps=False), lathe(rim, inner, steps=0, around=56, caps=False), handle], 0.145)


def teapot():
    glaze = material("teapot glaze", pattern=stripes("#1f4fa3", "#e9edf2", 0.0125), rough=0.12, coat=1.0)
    blue = material("teapot blue", "#1f4fa3", rough=0.12, coat=1.0)
    body = [(0, 0), (3.2, 0), (3.6, 0.4), (5.6, 2.2), (6.5, 4.8), (5.9, 7.4), (3.9, 9.2), (3.2, 9.5)]
    lid = [(3.3, 9.4), (3.4, 9.8), (2.4, 10.5), (0.8, 10.9), (0.6, 11.3), (1.1, 12.0), (0.7, 12.7), (0, 12.8)]
    spout = tube([(5.2, 0, 3.2), (8.0, 0, 4.2), (9.2, 0, 7.0), (10.8, 0, 9.4)], [1.6, 1.2, 0.85, 0.75], blue)
    handle = tube([(-5.2, 0, 7.6), (-8.4, 0, 8.6), (-9.8, 0, 6.2), (-8.6, 0, 3.2), (-5.6, 0, 2.6)], 0.65, blue)
    return joined("teapot", [lathe(body, glaze, around=56), lathe(lid, blue), spout, handle], 0.215)


def vase():
    clay = material("vase clay", pattern=stripes("#f1ece2", "#1c1b1a", 0.0115), rough=0.55)
    profile = [(0, 0), (3.0, 0), (3.4, 0.6), (5.6, 5.0), (6.2, 8.6), (5.0, 12.6), (2.6, 15.6), (2.2, 17.6), (3.2, 19.8), (2.9, 19.9), (1.9, 17.6), (2.2, 15.6), (0, 14)]
    return joined("vase", [lathe(profile, clay, around=56)], 0.225)


MAKERS = {f.__name__: f for f in (apple, books, bottle, bowl, cactus, camera, candle, car, clock, cube, duck, gift, monkey, mug, teapot, vase)}

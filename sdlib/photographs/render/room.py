"""The room: a table under a window through which the sun shines, walls, floor and furniture out of focus. Meters; the table top is z = 0."""

from math import cos, radians, sin

import bpy
from mathutils import Vector

from materials import checks, marble, material, mottle, rgb, speckles, wood
from plan import CAMERAS
from shapes import ball, box, lathe, moved, tube

SIDE = 224  # pixels
LENS, SENSOR = 86.0, 36.0  # mm
TARGET = Vector((0, 0.03, 0.06))
FLOOR, CEILING = -0.74, 1.85

# Angle about the table (-90 is the front), angle above it, distance. The window is on the left.
VIEWS = ((-122, 21, 1.38), (-98, 16, 1.42), (-74, 26, 1.36), (-50, 19, 1.40))
assert len(VIEWS) == CAMERAS

TABLES = {
    "oak": lambda: material("oak", pattern=wood("#b98450", "#855527", 0.09), rough=0.38, bump=0.05),
    "walnut": lambda: material("walnut", pattern=wood("#6b4226", "#3a2213", 0.08), rough=0.33, bump=0.05),
    "white": lambda: material("white lacquer", "#e6e3dc", rough=0.22, coat=0.3),
    "marble": lambda: material("marble", pattern=marble("#dcd9d3", "#9b9894", 0.25), rough=0.15),
    "linen": lambda: material("linen", pattern=speckles("#8f9a93", "#a7b1a9", 0.0025), rough=0.95),
    "gingham": lambda: material("gingham", pattern=checks("#d9d4c8", "#6f8fae", 0.035), rough=0.95),
}
WALLS = ("#d8cdbb", "#9fb3b0", "#c7a48b", "#b9bfc9", "#8a9a83", "#d9d6cf")
FLOORS = (("#8a5a30", "#5a371b"), ("#b58c5e", "#8b6439"), ("#4b3626", "#2f2118"))
CLOTHS = ("#4f6367", "#8c4a3a", "#6d7f5a", "#3d4a6b", "#a58a5f")
SPINES = ("#7d2e2e", "#2e4a6b", "#c9b48a", "#3f5b45", "#d8d2c4", "#5b4a6b", "#b5712d", "#22262e")


def link(mesh, name="part"):
    o = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(o)
    return o


def build(rng):
    """The room of a scene: which table, paint, floor and furniture is drawn from rng. Returns what was drawn."""
    table = rng.choice(sorted(TABLES))
    wall = rng.choice(WALLS)
    shell(material("wall", wall, rough=0.9), material("floor", pattern=wood(*rng.choice(FLOORS), 0.25), rough=0.45))
    desk(TABLES[table]())
    bookcase(rng, Vector((rng.uniform(-1.5, -0.5), 2.05, FLOOR)))
    sofa(rng, Vector((rng.uniform(0.8, 1.5), rng.uniform(1.4, 1.6), FLOOR)))
    plant(rng, Vector((rng.uniform(-0.35, 0.35), rng.uniform(1.5, 1.8), FLOOR)))
    chair(rng, Vector((rng.uniform(-0.5, 0.5), rng.uniform(0.72, 0.9), FLOOR)))
    plant(rng, Vector((-1.8, rng.uniform(0.4, 1.2), FLOOR)))
    light(rng)
    return {"table": table, "wall": wall}


def shell(wall, floor):
    left, right, front, back = -2.2, 2.6, -2.6, 2.3
    wide, deep, high = right - left, back - front, CEILING - FLOOR
    middle = ((left + right) / 2, (front + back) / 2, (FLOOR + CEILING) / 2)
    white = material("white paint", "#ece8e0", rough=0.6)
    link(box((wide, deep, 0.1), floor, at=(middle[0], middle[1], FLOOR - 0.05)))
    link(box((wide, deep, 0.1), white, at=(middle[0], middle[1], CEILING + 0.05)))
    link(box((wide, 0.1, high), wall, at=(middle[0], back + 0.05, middle[2])))
    link(box((wide, 0.1, high), wall, at=(middle[0], front - 0.05, middle[2])))
    link(box((0.1, deep, high), wall, at=(right + 0.05, middle[1], middle[2])))
    link(box((wide, 0.02, 0.12), white, at=(middle[0], back - 0.01, FLOOR + 0.06)))
    # The left wall has a window of 3 x 2 panes.
    y0, y1, z0, z1 = -0.9, 1.5, 0.05, 1.65
    for size_y, size_z, y, z in (
        (deep, z0 - FLOOR, middle[1], (z0 + FLOOR) / 2), (deep, CEILING - z1, middle[1], (z1 + CEILING) / 2),
        (y0 - front, z1 - z0, (y0 + front) / 2, (z0 + z1) / 2), (back - y1, z1 - z0, (back + y1) / 2, (z0 + z1) / 2),
    ):
        link(box((0.1, size_y, size_z), wall, at=(left - 0.05, y, z)))
    for y in (y0, y0 + (y1 - y0) / 3, y1 - (y1 - y0) / 3, y1):
        link(box((0.05, 0.045, z1 - z0), white, at=(left - 0.05, y, (z0 + z1) / 2)))
    for z in (z0, (z0 + z1) / 2 + 0.15, z1):
        link(box((0.05, y1 - y0, 0.045), white, at=(left - 0.05, (y0 + y1) / 2, z)))


def desk(top):
    legs = material("table legs", "#3b2a1c", rough=0.5)
    link(box((1.5, 0.95, 0.035), top, 0.006, (0, 0.02, -0.0175)))
    link(box((1.3, 0.78, 0.07), legs, at=(0, 0.02, -0.07)))
    for x in (-0.66, 0.66):
        for y in (-0.38, 0.42):
            link(box((0.06, 0.06, -FLOOR - 0.035), legs, at=(x, y, (FLOOR - 0.035) / 2)))


def bookcase(rng, at):
    board = material("shelf", pattern=wood("#9a7148", "#6b4a2a", 0.1), rough=0.5)
    paints = [material("spine", c, rough=0.7) for c in SPINES]
    for z in (0.05, 0.38, 0.71, 1.04, 1.37):
        link(box((1.0, 0.28, 0.03), board, at=at + Vector((0, 0, z))))
    for x in (-0.5, 0.5):
        link(box((0.03, 0.28, 1.4), board, at=at + Vector((x, 0, 0.7))))
    for z in (0.065, 0.395, 0.725, 1.055):
        x = -0.46
        while x < 0.42:
            w, h = rng.uniform(0.025, 0.06), rng.uniform(0.17, 0.27)
            if rng.random() < 0.9:
                link(box((w * 0.94, 0.18, h), rng.choice(paints), at=at + Vector((x + w / 2, -0.02, z + h / 2))))
            x += w


def sofa(rng, at):
    color = rng.choice(CLOTHS)
    cloth = material("sofa", pattern=mottle(color, color, 0.01), rough=1.0)
    for size, offset in (((1.5, 0.8, 0.3), (0, 0, 0.2)), ((1.5, 0.22, 0.55), (0, 0.3, 0.5)), ((0.2, 0.8, 0.36), (-0.72, 0, 0.4)), ((0.2, 0.8, 0.36), (0.72, 0, 0.4))):
        link(box(size, cloth, 0.06, at + Vector(offset)))
    pillow = material("pillow", rng.choice(CLOTHS), rough=1.0)
    link(moved(ball((0.2, 0.08, 0.18), pillow), at + Vector((rng.uniform(-0.45, 0.45), 0.1, 0.5))))


def plant(rng, at):
    pot = material("plant pot", rng.choice(("#cfc8bb", "#7c4a35", "#3a4246")), rough=0.7)
    leaf = material("leaf", pattern=mottle("#2c5a2a", "#4f8440", 0.06), rough=0.45)
    link(moved(lathe([(0, 0), (0.11, 0), (0.15, 0.28), (0.13, 0.28), (0, 0.26)], pot, steps=0), at))
    for i in range(16):
        turn, lean, long = rng.uniform(0, 6.28), rng.uniform(0.15, 1.0), rng.uniform(0.3, 0.62)
        out = Vector((cos(turn) * sin(lean), sin(turn) * sin(lean), cos(lean)))
        end = Vector((0, 0, 0.26)) + out * long
        link(moved(tube([(0, 0, 0.24), tuple(Vector((0, 0, 0.25)) + out * long * 0.5), tuple(end)], 0.006, leaf, steps=3, around=6), at))
        blade = ball((0.05, 0.014, 0.13), leaf, u=12, v=8)
        blade.transform(out.to_track_quat("Z", "Y").to_matrix().to_4x4())
        link(moved(blade, at + end + out * 0.09))


def chair(rng, at):
    paint = material("chair", rng.choice(("#5a3a22", "#d9d5cc", "#24272b", "#a0703f")), rough=0.5)
    for x in (-0.2, 0.2):
        link(box((0.035, 0.035, 0.98), paint, at=at + Vector((x, 0.2, 0.49))))
        link(box((0.035, 0.035, 0.45), paint, at=at + Vector((x, -0.2, 0.225))))
    link(box((0.44, 0.44, 0.035), paint, 0.01, at + Vector((0, 0, 0.46))))
    for z in (0.62, 0.76, 0.9):
        link(box((0.4, 0.02, 0.06), paint, 0.005, at + Vector((0, 0.2, z))))


def light(rng):
    """The sun through the window, the sky behind it, and what a large white room gives back."""
    scene = bpy.context.scene
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle, sun.color = rng.uniform(8.0, 11.0), radians(0.9), (1.0, rng.uniform(0.84, 0.92), rng.uniform(0.66, 0.78))
    turn, height = radians(rng.uniform(4, 26)), radians(rng.uniform(24, 34))
    towards = Vector((-cos(height) * cos(turn), cos(height) * sin(turn), sin(height)))
    o = link(sun, "sun")
    o.rotation_euler = towards.to_track_quat("Z", "Y").to_euler()

    scene.world = bpy.data.worlds.new("sky")
    scene.world.use_nodes = True
    background = scene.world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value, background.inputs["Strength"].default_value = rgb("#bcd4f2"), 3.0

    for name, at, turn, wide, high, power, color in (
        ("window", (-2.12, 0.3, 0.85), (0, radians(-90), 0), 1.5, 2.3, 34.0, "#dbe8ff"),
        ("ceiling", (0.3, -0.6, CEILING - 0.05), (0, 0, 0), 3.0, 3.0, 15.0, "#fff4e4"),
    ):
        area = bpy.data.lights.new(name, "AREA")
        area.shape, area.size, area.size_y = "RECTANGLE", wide, high
        area.energy, area.color = power, rgb(color)[:3]
        o = link(area, name)
        o.location, o.rotation_euler = at, turn
        o.visible_camera = o.visible_glossy = False


def camera(number):
    """One of the four cameras, focused on the middle of the table."""
    around, above, away = VIEWS[number]
    around, above = radians(around), radians(above)
    lens = bpy.data.cameras.new("camera")
    lens.lens, lens.sensor_width = LENS, SENSOR
    lens.dof.use_dof, lens.dof.focus_distance, lens.dof.aperture_fstop = True, away, 2.8
    o = link(lens, "camera")
    o.location = TARGET + away * Vector((cos(around) * cos(above), sin(around) * cos(above), sin(above)))
    o.rotation_euler = (TARGET - o.location).to_track_quat("-Z", "Y").to_euler()
    bpy.context.view_layer.update()
    return o

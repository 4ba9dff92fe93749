"""What things are made of: a color, how it shines, and a pattern in the object's own coordinates."""

import bpy


def rgb(code, alpha=1.0):
    """A color as on the web, "#c0392b", in the linear light that Blender computes with."""
    levels = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return (*(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels), alpha)


class Nodes:
    """The nodes of a material, wired up by calls."""

    def __init__(self, material):
        material.use_nodes = True
        self.tree = material.node_tree
        self.surface = self.tree.nodes["Principled BSDF"]

    def add(self, kind, **inputs):
        """A node with some inputs set or linked; names have _ for blanks."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in inputs.items():
            self.set(node.inputs[name.replace("_", " ")], value)
        return node

    def set(self, socket, value):
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def ramp(self, value, *stops, sharp=False):
        """Colors along a value from 0 to 1: (position, color), ..."""
        node = self.add("ValToRGB", Fac=value)
        ramp = node.color_ramp
        ramp.interpolation = "CONSTANT" if sharp else "LINEAR"
        while len(ramp.elements) < len(stops):
            ramp.elements.new(1.0)
        for element, (position, color) in zip(ramp.elements, stops):
            element.position, element.color = position, rgb(color)
        return node.outputs["Color"]

    def where(self, stretch=(1, 1, 1)):
        """The object's own coordinates in meters."""
        node = self.add("Mapping", Vector=self.add("TexCoord").outputs["Object"], Scale=stretch)
        return node.outputs["Vector"]


def material(name, color=None, pattern=None, rough=0.5, metal=0.0, coat=0.0, bump=0.0):
    """A material of one color, or of a pattern: a function of Nodes that returns a color, and a height where bump is not 0."""
    m = bpy.data.materials.new(name)
    n = Nodes(m)
    height = None
    if pattern:
        color = pattern(n)
        if isinstance(color, tuple):
            color, height = color
    else:
        color = rgb(color)
    for socket, value in (("Base Color", color), ("Roughness", rough), ("Metallic", metal), ("Coat Weight", coat), ("Coat Roughness", 0.08)):
        n.set(n.surface.inputs[socket], value)
    if bump and height:
        node = n.add("Bump", Height=height, Strength=bump, Distance=0.004)
        n.set(n.surface.inputs["Normal"], node.outputs["Normal"])
    return m


def stripes(a, b, width, axis="Z"):
    """Bands across an axis, each of a width in meters."""

    def pattern(n):
        wave = n.add("TexWave", Vector=n.where(), Scale=0.314 / (2 * width))
        wave.wave_type, wave.bands_direction = "BANDS", axis
        return n.ramp(wave.outputs["Fac"], (0, a), (0.5, b), sharp=True)

    return pattern


def dots(ground, dot, apart):
    """Round dots, about so many meters apart."""

    def pattern(n):
        cells = n.add("TexVoronoi", Vector=n.where(), Scale=1 / apart, Randomness=0.35)
        return n.ramp(cells.outputs["Distance"], (0, dot), (0.3, ground), sharp=True)

    return pattern


def speckles(ground, fleck, size):
    """Small irregular flecks."""

    def pattern(n):
        noise = n.add("TexNoise", Vector=n.where(), Scale=1 / size, Detail=2.0)
        return n.ramp(noise.outputs["Fac"], (0.0, ground), (0.58, ground), (0.62, fleck))

    return pattern


def mottle(a, b, size, stretch=(1, 1, 1)):
    """One color that passes into another, as on fruit, rust or leather. Its height is the same pattern."""

    def pattern(n):
        noise = n.add("TexNoise", Vector=n.where(stretch), Scale=1 / size, Detail=4.0)
        return n.ramp(noise.outputs["Fac"], (0.38, a), (0.62, b)), noise.outputs["Fac"]

    return pattern


def wood(light, dark, size, along="X"):
    """Grain along an axis: stretched noise bends stretched noise."""
    stretch = {"X": (0.12, 1, 1), "Y": (1, 0.12, 1), "Z": (1, 1, 0.12)}[along]

    def pattern(n):
        at = n.where(stretch)
        noise = n.add("TexNoise", Vector=at, Scale=1 / size, Detail=6.0, Roughness=0.6, Distortion=0.8)
        fibers = n.add("TexNoise", Vector=at, Scale=9 / size, Detail=2.0)
        mix = n.add("Math", Value=noise.outputs["Fac"])
        mix.operation = "MULTIPLY_ADD"
        n.set(mix.inputs[1], 0.8)
        scaled = n.add("Math", Value=fibers.outputs["Fac"])
        scaled.operation = "MULTIPLY"
        n.set(scaled.inputs[1], 0.2)
        n.set(mix.inputs[2], scaled.outputs["Value"])
        return n.ramp(mix.outputs["Value"], (0.34, dark), (0.62, light)), mix.outputs["Value"]

    return pattern


def marble(ground, vein, size):
    """Stone with veins where noise passes through its middle."""

    def pattern(n):
        noise = n.add("TexNoise", Vector=n.where(), Scale=1 / size, Detail=8.0, Roughness=0.65, Distortion=1.2)
        return n.ramp(noise.outputs["Fac"], (0.44, ground), (0.5, vein), (0.54, ground))

    return pattern


def checks(a, b, size):
    """A checkered cloth."""

    def pattern(n):
        return n.add("TexChecker", Vector=n.where(), Color1=rgb(a), Color2=rgb(b), Scale=1 / size).outputs["Color"]

    return pattern

"""The peer of bench/stimuli: the same discrimination stimuli with NumPy and PIL.

Reads commands on stdin, one per line: IMAGE PATCH CELL OBJECT JITTER COUNT METHOD, and
answers each with a line: images per second on one core. So that the Go side can take
turns with it in one run. METHOD is "pil" (paste noise tiles on a canvas, as the paper's
code does) or "numpy" (write noise into the array, which is faster). Both draw into
memory only, and masks are resized once per set. Needs numpy and pillow.

    python generate.py MASKS     MASKS: a folder with 0.png .. 15.png, black on white
"""

import sys
import time

import numpy as np
from PIL import Image

COLORS = np.array(
    [
        (233, 30, 99), (156, 39, 176), (103, 58, 183), (63, 81, 181),
        (3, 169, 244), (0, 188, 212), (0, 150, 136), (76, 175, 80),
        (139, 195, 74), (205, 220, 57), (255, 235, 59), (255, 152, 0),
        (255, 87, 34), (121, 85, 72), (158, 158, 158), (120, 144, 156),
    ],
    dtype=np.float32,
)


class Generator:
    def __init__(self, folder, image, patch, cell, size, jitter):
        self.image, self.patch, self.cell, self.size, self.jitter = image, patch, cell, size, jitter
        self.corners = (image - cell) // patch + 1
        self.rng = np.random.default_rng(0)
        self.masks, self.pil_masks = [], []
        for shape in range(16):
            mask = Image.open(f"{folder}/{shape}.png").convert("L").resize((size, size), Image.NEAREST)
            mask = np.asarray(mask) == 0
            self.masks.append(mask)
            self.pil_masks.append(Image.fromarray(mask))

    def stimulus(self):
        """Two items and two disjoint places, half of the time the same item twice."""
        first, second = self.rng.integers(256, size=2)
        if self.rng.random() < 0.5:
            second = first
        while True:
            (r1, c1), (r2, c2) = self.rng.integers(self.corners, size=(2, 2)) * self.patch
            if abs(r1 - r2) >= self.cell or abs(c1 - c2) >= self.cell:
                break
        jitter = self.rng.integers(self.jitter + 1, size=4)
        return [(first, r1 + jitter[0], c1 + jitter[1]), (second, r2 + jitter[2], c2 + jitter[3])]

    def tile(self, color):
        noise = self.rng.standard_normal((self.size, self.size, 3), dtype=np.float32)
        return np.clip(COLORS[color] + 10 * noise, 0, 250).astype(np.uint8)

    def pil(self, out):
        canvas = Image.new("RGB", (self.image, self.image), (255, 255, 255))
        for item, row, col in self.stimulus():
            canvas.paste(Image.fromarray(self.tile(item // 16)), (int(col), int(row)), self.pil_masks[item % 16])
        out[:] = np.asarray(canvas)

    def numpy(self, out):
        out.fill(255)
        for item, row, col in self.stimulus():
            mask = self.masks[item % 16]
            region = out[row : row + self.size, col : col + self.size]
            region[mask] = self.tile(item // 16)[mask]


def main():
    for line in sys.stdin:
        *geometry, count, method = line.split()
        generator = Generator(sys.argv[1], *map(int, geometry))
        draw = getattr(generator, method)
        images = np.empty((16, generator.image, generator.image, 3), np.uint8)  # reused, as on the Go side
        draw(images[0])
        start = time.perf_counter()
        for i in range(int(count)):
            draw(images[i % 16])
        print(int(count) / (time.perf_counter() - start), flush=True)


main()

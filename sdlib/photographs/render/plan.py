"""Which pictures there are: the design of the set, before anything is drawn (paper, appendix A.3).

32 pairs of 16 objects, 16 of them the same object twice and 16 of two objects, so that each object is in two of those; 8
arrangements of each pair; 4 cameras. A picture's name says all of it, and the seed of its scene:

    d05-a3-c1-9f2c01ab     pair 5 of the different ones, arrangement 3, camera 1

No bpy here, so that any Python can read the plan.
"""

import hashlib
from dataclasses import dataclass

ARRANGEMENTS, CAMERAS = 8, 4

# Different pairs are neighbors on this ring, on which no neighbors are of one color.
OBJECTS = (
    "apple", "camera", "duck", "bottle", "gift", "candle", "clock", "books",
    "vase", "monkey", "cube", "bowl", "teapot", "cactus", "mug", "car",
)

# Turned about the vertical axis, these look the same; the other 11 do not.
ROUND = ("apple", "bottle", "bowl", "candle", "vase")


@dataclass(frozen=True)
class Picture:
    label: int  # 1 same, 0 different
    pair: int  # 0..15 among those of its label
    arrangement: int
    camera: int

    @property
    def objects(self):
        return OBJECTS[self.pair], OBJECTS[(self.pair + 1 - self.label) % len(OBJECTS)]

    @property
    def scene(self):
        return f"{'ds'[self.label]}{self.pair:02}-a{self.arrangement}"

    @property
    def seed(self):
        """Of the scene: all cameras see the same one."""
        return int(hashlib.sha256(self.scene.encode()).hexdigest()[:8], 16)

    @property
    def name(self):
        return f"{self.scene}-c{self.camera}-{self.seed:08x}"


def pictures():
    """All 1,024 in rounds of 32, one of every pair. The first 4 have each camera once, the first 8 each arrangement once."""
    return [
        Picture(label, pair, turn % ARRANGEMENTS, (turn + turn // ARRANGEMENTS) % CAMERAS)
        for turn in range(ARRANGEMENTS * CAMERAS)
        for pair in range(len(OBJECTS))
        for label in (1, 0)
    ]

"""Images, and what Pillow makes of them: python pillow.py FOLDER. Written with Pillow 12.0.0 (libjpeg-turbo 3.1.2, libwebp 1.6.0)."""

import random
import sys
from pathlib import Path

from PIL import Image, ImageOps

FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


def picture(width, height, seed):
    """Smooth colors, an edge and noise."""
    rng = random.Random(seed)
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            edge = 90 if (x * 3 + y * 2) % 70 < 30 else 0
            noise = rng.randrange(24)
            image.putpixel((x, y), ((x * 255 // width + edge + noise) % 256, (y * 200 // height + noise) % 256, (255 - edge - noise)))
    return image


def shortest_edge(image, edge, resample):
    """get_resize_output_image_size of transformers.image_transforms with default_to_square=False."""
    width, height = image.size
    short, long = (width, height) if width <= height else (height, width)
    long = int(edge * long / short)
    return image.resize((edge, long) if width <= height else (long, edge), resample)


def center_crop(image, side):
    """center_crop of transformers.image_transforms: the top left corner is rounded down, what is beyond the image is black."""
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def main(folder):
    folder.mkdir(exist_ok=True)
    source = picture(90, 130, 1)
    source.save(folder / "source.png", optimize=True)
    for name, resample in FILTERS.items():
        source.resize((37, 41), resample).save(folder / f"small-{name}.png", optimize=True)
        source.resize((113, 151), resample).crop((0, 0, 113, 40)).save(folder / f"large-{name}.png", optimize=True)
    shortest_edge(source, 48, 3).save(folder / "edge.png", optimize=True)
    center_crop(shortest_edge(source, 48, 3), 43).save(folder / "clip.png", optimize=True)
    center_crop(source.resize((40, 40), 3), 47).save(folder / "beyond.png", optimize=True)

    # A smooth image, whose colors change along edges: what chroma upsampling is about.
    for name, sampling in (("420", "4:2:0"), ("422", "4:2:2"), ("444", "4:4:4")):
        exif = Image.Exif()
        exif[274] = {"420": 6, "422": 2, "444": 1}[name]
        flat = picture(61, 47, 2).resize((23, 19), 4).resize((61, 47), 3)
        flat.save(folder / f"jpeg-{name}.jpg", quality=92, subsampling=sampling, exif=exif)
        ImageOps.exif_transpose(Image.open(folder / f"jpeg-{name}.jpg")).save(folder / f"jpeg-{name}.png", optimize=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        picture(9, 5, 3).save(folder / f"turn-{orientation}.png", exif=exif)
        ImageOps.exif_transpose(Image.open(folder / f"turn-{orientation}.png")).save(folder / f"turned-{orientation}.png", exif=Image.Exif())
    exif = Image.Exif()
    exif[274] = 8
    picture(16, 12, 4).save(folder / "lossless.webp", lossless=True, exif=exif)
    ImageOps.exif_transpose(Image.open(folder / "lossless.webp")).save(folder / "lossless.png", exif=Image.Exif())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Packs a part of the rendered set into photographs.zip, which comes with the package: JPEG pictures, masks of one bit, metadata.jsonl.

    python pack.py FOLDER [--part 1/8] [--quality 80] [-o ../photographs.zip]

The same pictures give the same bytes. Prints the archive's SHA-256, which open.go has as archiveHash.
"""

import argparse
import hashlib
import io
import json
import zipfile
from pathlib import Path

from PIL import Image

import plan


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="1/8")
    parser.add_argument("--quality", type=int, default=80)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent.parent / "photographs.zip")
    a = parser.parse_args()
    part, parts = map(int, a.part.split("/"))
    all = plan.pictures()
    chosen = all[len(all) * (part - 1) // parts : len(all) * part // parts]
    records = [json.loads((a.folder / "records" / (p.name + ".json")).read_text()) for p in chosen]

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as to:

        def add(name, data, how=zipfile.ZIP_STORED):
            to.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, how)

        for r in records:
            picture = io.BytesIO()
            Image.open(a.folder / r["file_name"]).convert("RGB").save(picture, "JPEG", quality=a.quality, optimize=True)
            r["file_name"] = Path(r["file_name"]).with_suffix(".jpg").name
            add(r["file_name"], picture.getvalue())
            for o in r["objects"]:
                add(o["mask"], (a.folder / o["mask"]).read_bytes())
        add("metadata.jsonl", "".join(json.dumps(r) + "\n" for r in records), zipfile.ZIP_DEFLATED)
    a.output.write_bytes(out.getvalue())
    print(f"{len(records)} pictures, {len(out.getvalue())} bytes, SHA-256 {hashlib.sha256(out.getvalue()).hexdigest()}")


if __name__ == "__main__":
    main()

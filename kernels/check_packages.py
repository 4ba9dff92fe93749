#!/usr/bin/env python3
"""Says which package of requirements files is not in .venv as it was installed, and exits with status 1; else says nothing.

    kernels/check_packages.py requirements.txt requirements-cuda.txt

Looked at are versions, and for each package the Python files at its top and all its libraries: whether each is there and has the size
that pip recorded. That takes a tenth of a second, which every "make" does; a flipped bit goes unseen.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def normal(name):
    return re.sub(r"[-_.]+", "_", name).lower()


def pins(path):
    """The names and versions that a requirements file may ask for: of one name several, each for some Python."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if pin := re.match(r"([A-Za-z0-9._-]+)==([^ ;]+)(.*)", line):
            name, version, marker = pin.groups()
            found.setdefault(normal(name), ([], bool(marker)))[0].append(version)
    return found


def damaged(record):
    """The first file of a package that is not as its RECORD says, or None."""
    site = record.parent.parent
    for line in record.read_text(encoding="utf-8").splitlines():
        name, _, size = line.rsplit(",", 2)
        if not size or not (name.endswith(".so") or name.endswith(".py") and name.count("/") <= 1):
            continue
        try:
            if (site / name).stat().st_size != int(size):
                return f"{site / name} has not the {size} bytes that were installed"
        except OSError:
            return f"{site / name} is missing"
    return None


def main(files):
    installed = {}
    for folder in ROOT.glob(".venv/lib/python3*/site-packages/*.dist-info"):
        name, version = folder.name.removesuffix(".dist-info").rsplit("-", 1)
        installed[normal(name)] = version, folder / "RECORD"
    for file in files:
        for name, (versions, conditional) in pins(Path(__file__).parent / file).items():
            if name not in installed:
                if not conditional:  # else it may be meant for another Python or system
                    return f"{name} is not installed in .venv ({file})"
                continue
            version, record = installed[name]
            if version not in versions:
                return f"{name} in .venv is of version {version}, expected {' or '.join(versions)} ({file})"
            try:
                if problem := damaged(record):
                    return problem
            except (OSError, ValueError):
                return f"{record} can't be read"
    return None


if __name__ == "__main__":
    if problem := main(sys.argv[1:]):
        sys.exit(problem)

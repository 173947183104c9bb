"""Has the public face changed since the last release? ``python tests/contract/compare_api.py``.

Compares the tree with the last tag that names a version (``v0.1.0`` or ``0.1.0``), as griffe reads both, without
importing either. Ends with 1 where something that callers rely on broke and the version was not raised enough for it:
the first number from 1.0 on, and the second before. Where there is no tag yet it says so, and passes.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from griffe import Breakage, Module

ROOT = Path(__file__).parents[2]
INNER_ROOMS = ("shequn.interop.engines",)  # rooms inside of rooms
NAME = "shequn"
VERSION = re.compile(r'^__version__ = "(\d+)\.(\d+)\.(\d+)"$', flags=re.MULTILINE)
TAG = re.compile(r"v?\d+\.\d+\.\d+")


def main(root: Path) -> int:
    tag = last_tag(root)
    if tag is None:
        sys.stdout.write("no tag yet: nothing to compare the public face with\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["git", "archive", tag, "src"], cwd=root, check=True, capture_output=True).stdout  # noqa: S607
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        released = Path(folder) / "src"
        found = breakages(released, root / "src")
        may_break = numbers(root / "src") > numbers(released)
    for each in found:
        sys.stdout.write(f"{each.obj.path}: {each.kind.value}\n")
    sys.stdout.write(f"{len(found)} breaking changes since {tag}\n")
    return int(bool(found) and not may_break)


def last_tag(root: Path) -> str | None:
    """The highest version among the tags that lead here."""
    told = subprocess.run(["git", "tag", "--merged", "HEAD"], cwd=root, check=True, capture_output=True, text=True)  # noqa: S607
    tags = [tag for tag in told.stdout.split() if TAG.fullmatch(tag)]
    return max(tags, key=lambda tag: [int(part) for part in tag.removeprefix("v").split(".")], default=None)


def breakages(old: Path, new: Path) -> list[Breakage]:
    import griffe  # noqa: PLC0415

    before, after = (griffe.load(NAME, search_paths=[place], try_relative_path=False) for place in (old, new))
    public = public_paths(before)
    return [each for each in griffe.find_breaking_changes(before, after) if is_within(each.obj.path, public)]


def public_paths(package: Module) -> set[str]:
    """Each name that the front door or a room lists, where it is listed and where it is defined."""
    outer = [room for name, room in package.modules.items() if not name.startswith("_")]
    inner = [part for room in outer for part in room.modules.values() if part.path in INNER_ROOMS]
    rooms = [package, *outer, *inner]
    found = set()
    for room in rooms:
        for name in map(str, room.exports or ()):
            if name in room.members:
                found |= {f"{room.path}.{name}", room.members[name].canonical_path}
    return found - {room.path for room in rooms}


def is_within(path: str, public: set[str]) -> bool:
    """Whether callers may rely on it: a public name, or what stands in one and begins with no single underscore."""
    parts = path.split(".")
    owners = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
    inside = next((parts[n:] for n, owner in enumerate(owners, start=1) if owner in public), None)
    return inside is not None and not any(name.startswith("_") and not name.startswith("__") for name in inside)


def numbers(source: Path) -> tuple[int, ...]:
    """The part of the version that has to be raised where something breaks."""
    found = VERSION.search((source / NAME / "__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{source}: expected a version of three numbers")
    major, minor, _ = map(int, found.groups())
    return (major,) if major else (major, minor)


if __name__ == "__main__":
    sys.exit(main(ROOT))

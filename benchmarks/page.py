"""Put what was measured into a page of the docs: ``python -m benchmarks.page survival benchmarks.survival --rows 1e6``.

The page has a place for each part, between ``<!-- measured: survival -->`` and ``<!-- end of survival -->``. What
stands there is replaced by what the command prints, with the day, the command and the machine; words around it stay.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PAGE", "parts_of", "write"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

_PLACE = re.compile(r"<!-- measured: (?P<part>[\w-]+) -->\n(?P<text>.*?)<!-- end of (?P=part) -->", flags=re.DOTALL)


def parts_of(page: Path) -> dict[str, str]:
    """Return what stands in each place of a page, by its part."""
    return {found["part"]: found["text"] for found in _PLACE.finditer(page.read_text(encoding="utf-8"))}


def write(page: Path, part: str, command: str, text: str) -> None:
    """Replace what stands in the place of a part."""
    day = datetime.now(tz=UTC).date().isoformat()
    told = text.strip("\n").rstrip()
    measured = f"Measured on {day} with `{command}`:\n\n```text\n{machine()}\n\n{told}\n```\n"
    places = [found for found in _PLACE.finditer(page.read_text(encoding="utf-8")) if found["part"] == part]
    if len(places) != 1:
        raise ValueError(f"{page}: expected one place for what was measured of {part}, got {len(places)}")
    whole = page.read_text(encoding="utf-8")
    start, end = places[0].span("text")
    page.write_text(whole[:start] + measured + whole[end:], encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    part, *command = arguments
    if part not in parts_of(PAGE) or not command:
        sys.exit(f"python -m benchmarks.page PART MODULE [OPTION]...; parts: {', '.join(parts_of(PAGE))}")
    done = subprocess.run([sys.executable, "-m", *command], check=True, stdout=subprocess.PIPE, text=True)
    write(PAGE, part, " ".join(["python -m", *command]), done.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Tables of text, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["README", "Table", "machine", "mega", "ratio", "seconds", "spread", "write_readme"]

README = Path(__file__).with_name("README.md")

_PACKAGES = ("numpy", "attrs", "pendulum", "chdb", "duckdb", "polars", "pandas", "pyarrow")
_MEASURED = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end of measured -->)", flags=re.DOTALL)


class Table(NamedTuple):
    """Rows of text under a header; the first column is aligned to the left, the others to the right."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __str__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        body = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
        rule = "─" * (sum(widths) + 2 * len(widths) - 2)
        return "\n".join([self.title, "", body[0], rule, *body[1:], *([self.note] if self.note else [])])


def seconds(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def ratio(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 3 else f"{value:.2f}"


def spread(values: Sequence[float]) -> str:
    """Write the median, and in brackets the least and the most."""
    return f"{ratio(median(values))} ({ratio(min(values))} – {ratio(max(values))})"


def mega(n_bytes: int | None) -> str:
    return "–" if n_bytes is None else f"{n_bytes / 1e6:,.0f} MB"


def machine() -> str:
    """Describe machine and versions in two lines."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    hardware = f"{_processor()}, {os.cpu_count()} cores, {memory / 2**30:.0f} GB, {platform.system()}"
    held = {each.metadata["Name"].lower() for each in distributions()}  # a peer that is not needed may be missing
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES if name in held)
    return f"{hardware}\nPython {platform.python_version()}, {versions}"


def _processor() -> str:
    details = Path("/proc/cpuinfo")
    if details.exists():
        models = [line.split(":", 1)[1] for line in details.read_text().splitlines() if line.startswith("model name")]
        return models[0].strip() if models else platform.machine()
    return platform.processor() or platform.machine()


def write_readme(command: str, blocks: Iterable[str]) -> None:
    """Put what was printed into the README, between its two marks."""
    day = datetime.now(tz=UTC).date().isoformat()
    text = "\n\n".join(blocks)
    measured = f"Measured on {day} with `{command}`:\n\n```text\n{text}\n```\n"
    page, found = _MEASURED.subn(lambda _: measured, README.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"{README}: expected one place between the marks of what was measured, got {found}")
    README.write_text(page, encoding="utf-8")

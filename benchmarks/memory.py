"""How much memory does this process hold, and how much did it hold at most? Known on Linux alone; elsewhere None."""

from __future__ import annotations

import gc
from pathlib import Path

__all__ = ["forget_peak", "held", "held_at_most"]

_PROCESS = Path("/proc/self")


def held() -> int | None:
    """Return the resident bytes."""
    gc.collect()
    return _status("VmRSS")


def forget_peak() -> None:
    """Let `held_at_most` begin anew."""
    if _PROCESS.exists():
        (_PROCESS / "clear_refs").write_text("5")


def held_at_most() -> int | None:
    """Return the most resident bytes since the last `forget_peak`."""
    return _status("VmHWM")


def _status(name: str) -> int | None:
    if not _PROCESS.exists():
        return None
    lines = (_PROCESS / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

"""Arrays that nobody writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["frozen", "read_only", "read_only_or_none"]


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array of one's own read-only, and return it."""
    array.setflags(write=False)
    return array


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only array: the one given, or a copy of it where its owner may still write to it."""
    return frozen(array.copy()) if array.flags.writeable else array


def read_only_or_none(array: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return None, or what `read_only` returns."""
    return None if array is None else read_only(array)

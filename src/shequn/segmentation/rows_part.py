"""Some rows of a log, read to be added to columns of all members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["ReadColumn", "RowsPart"]


class ReadColumn(NamedTuple):
    """A column of a log, and what is read of it: what `read` makes of its numbers and as much room, of a type."""

    source: NDArray[Any]
    read: Callable[[NDArray[Any], IntArray], NDArray[Any]]
    dtype: np.dtype[Any]


class RowsPart(NamedTuple):
    """First all of `sums`, then all of `instants`, each once: what was given is written over when more is asked for.

    Attributes
    ----------
    sums : iterable of (ndarray of int64, ndarray or None)
        Members of some rows, and what to add for each; None without values.
    instants : iterable of (ndarray of int64, ndarray)
        Members of the same rows, and when.
    """

    sums: Iterable[tuple[IntArray, NDArray[Any] | None]]
    instants: Iterable[tuple[IntArray, NDArray[Any]]]

"""Do the columns of ties fit each other, and are they in order?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats._checks import counts_column, instance, reals_column, whole
from shequn.values.instants import FIRST_US, LAST_US

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.graph._summing import TieColumns

__all__ = [
    "MOST_MEMBERS",
    "instants_of_ties",
    "require_members",
    "require_no_self",
    "require_ties",
    "rows_to_oneself",
    "sources_of_ties",
    "targets_of_ties",
    "weights_of_ties",
]

MOST_MEMBERS = 2**31 - 1  # codes of an index are int32
_MOST_WEIGHT = 2.0**62
_OF_TIES = "each tie"


def sources_of_ties(source: ArrayLike) -> IntArray:
    """Return who talked, as the converter of the field `source`."""
    return counts_column("source", source, (-1,), of=_OF_TIES, most=MOST_MEMBERS)


def targets_of_ties(target: ArrayLike) -> IntArray:
    """Return whom they talked to, as the converter of the field `target`."""
    return counts_column("target", target, (-1,), of=_OF_TIES, most=MOST_MEMBERS)


def weights_of_ties(weight: ArrayLike) -> NDArray[Any]:
    """Return how much they talked, as the converter of the field `weight`."""
    return reals_column("weight", weight, (-1,), of=_OF_TIES, least=0, above=True, whole_too=True)


def instants_of_ties(last_us: ArrayLike) -> IntArray:
    """Return when they talked last, as the converter of the field `last_us`."""
    return counts_column("last_us", last_us, (-1,), of=_OF_TIES, least=FIRST_US, most=LAST_US - 1)


def rows_to_oneself(n_self: int) -> int:
    """Return how many rows went to oneself, as the converter of the field `n_self`."""
    number = whole("n_self", n_self)
    if not 0 <= number <= np.iinfo(np.int64).max:
        raise InvalidValueError(message("n_self", "a number of rows in [0, 2**63)", number))
    return number


def require_ties(members: Index, ties: TieColumns, /) -> None:
    """Raise unless ties fit each other, and stand in order, each once, between members there are.

    Examples
    --------
    >>> from shequn.graph._summing import TieColumns
    >>> require_ties(Index(["ann", "bo"]), TieColumns(np.array([0]), np.array([1]), np.array([3]), None))
    """
    instance("members", members, Index, expected="an Index")
    lengths = {len(column) for column in ties if column is not None}
    if len(lengths) != 1:
        raise MisalignedError(
            message("weight", f"one entry for each of {counted(len(ties.source), 'tie')}", sorted(lengths))
        )
    for name, codes in (("source", ties.source), ("target", ties.target)):
        require_members(name, codes, len(members))
    require_no_self(ties.source, ties.target)
    with np.errstate(over="ignore"):
        total = 2 * float(ties.weight.sum(dtype=np.float64))
    if not total < (_MOST_WEIGHT if ties.weight.dtype.kind == "i" else np.inf):
        raise InvalidValueError(message("weight", "weights whose sum, both ways, fits 64 bits", total))
    key = ties.source * len(members) + ties.target
    if (key[1:] <= key[:-1]).any():
        row = int(np.flatnonzero(key[1:] <= key[:-1])[0]) + 1
        got = (int(ties.source[row]), int(ties.target[row]))
        raise InvalidValueError(message("source", "ties in order of (source, target), each once", got, row=row))


def require_members(argument: str, codes: IntArray, n_members: int, /) -> None:
    """Raise unless each code is one of so many members."""
    bad = (codes < 0) | (codes >= n_members)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        expected = f"codes of {counted(n_members, 'member')}, in [0, {n_members})"
        raise InvalidValueError(
            message(argument, expected, int(codes[row]), row=row, bad=int(bad.sum()), total=len(codes))
        )


def require_no_self(source: IntArray, target: IntArray, /) -> None:
    """Raise where somebody is tied to themselves."""
    is_self = source == target
    if is_self.any():
        row = int(np.flatnonzero(is_self)[0])
        text = message("target", "somebody else than the source", int(target[row]), row=row, bad=int(is_self.sum()))
        raise InvalidValueError(text + '; self_ties="drop" leaves such ties out')

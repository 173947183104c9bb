"""Which score does a value have, and from which value on?

A member's score in one respect is floor(bins × #(worse) / n) + 1. Everything here reads values in ascending order, the
worst first. Of equal values, which stand at places L to R when all are put in order (counted from 0), #(worse) is L
under ``"value-left"``, R under ``"value-right"`` and their mean under ``"midrank"``: never the order of rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.stats._checks import one_of, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = [
    "Cut",
    "Ties",
    "at_least",
    "bins_of",
    "cuts_of_table",
    "doubled_worse",
    "scores_by_cuts",
    "thresholds",
    "ties_of",
]

Ties: TypeAlias = Literal["value-left", "value-right", "midrank"]
Cut: TypeAlias = "int | float | None"
"""The least value that gets a score; None where nobody got it."""

_MOST_BINS = 127  # scores are int8
_FEW_CUTS = 16  # as many are compared one by one faster than they are searched
_INT64 = range(-(2**63), 2**63)


def bins_of(bins: int) -> int:
    """Return a number of scores, checked.

    Examples
    --------
    >>> bins_of(5)
    5
    """
    number = whole("bins", bins)
    if not 1 <= number <= _MOST_BINS:
        raise InvalidValueError(message("bins", f"an integer from 1 to {_MOST_BINS}", bins))
    return number


def ties_of(ties: Ties) -> Ties:
    """Return how equal values are scored, checked.

    Examples
    --------
    >>> ties_of("midrank")
    'midrank'
    """
    one_of("ties", ties, get_args(Ties))
    return ties


def doubled_worse(ties: Ties, first: IntArray, last: IntArray) -> IntArray:
    """Return twice the number that counts as worse than values that stand at the places first to last.

    Examples
    --------
    >>> doubled_worse("midrank", np.array([0, 3]), np.array([2, 3])).tolist()
    [2, 6]
    """
    if ties == "midrank":
        return first + last
    return 2 * (first if ties == "value-left" else last)


def thresholds(bins: int, n: int) -> IntArray:
    """Return what ``bins × twice the worse`` must reach for the scores 2, 3, …, bins, shape (bins - 1,).

    Examples
    --------
    >>> thresholds(5, 10).tolist()
    [20, 40, 60, 80]
    """
    return 2 * n * np.arange(1, bins, dtype=np.int64)


def cuts_of_table(values: NDArray[Any], counts: IntArray, bins: int, ties: Ties) -> tuple[Cut, ...]:
    """Return the least value that gets each of the scores 2, 3, …, bins.

    Parameters
    ----------
    values : ndarray, shape (m,)
        Distinct, ascending.
    counts : ndarray of int64, shape (m,)
        How many members have each.

    Examples
    --------
    >>> cuts_of_table(np.array([1, 2, 3]), np.array([5, 3, 2]), 5, "value-left")
    (2, 2, 3, 3)
    """
    after = np.cumsum(counts)
    reached = bins * doubled_worse(ties, after - counts, after - 1)
    places = np.searchsorted(reached, thresholds(bins, int(counts.sum())))
    return tuple(values[place].item() if place < len(values) else None for place in places.tolist())


def scores_by_cuts(values: NDArray[Any], cuts: Sequence[Cut]) -> NDArray[np.int8]:
    """Return one more than the number of cuts that each value reaches, shape (n,).

    Examples
    --------
    >>> scores_by_cuts(np.array([1, 2, 3]), (2, 2, 3, None)).tolist()
    [1, 3, 4]
    """
    bounds = [at_least(values.dtype, cut) for cut in cuts if cut is not None]
    known = [bound for bound in bounds if bound is not None]
    if len(known) > _FEW_CUTS:
        ascending = np.array(known, dtype=values.dtype)
        return (np.searchsorted(ascending, values, side="right") + 1).astype(np.int8)
    scores = np.ones(len(values), dtype=np.int8)
    for bound in known:
        scores += (values >= bound).view(np.int8)
    return scores


def at_least(dtype: np.dtype[Any], cut: float) -> int | float | None:
    """Return the least number of a type that is not below a cut; None where there is none.

    NumPy would compare an int64 with a float as floats, and large integers are not exact as such.

    Examples
    --------
    >>> at_least(np.dtype(np.int64), 2.5), at_least(np.dtype(np.float64), 2**53 + 1)
    (3, 9007199254740994.0)
    """
    if dtype.kind == "i":
        bound = math.ceil(cut)
        return None if bound > _INT64[-1] else max(bound, _INT64[0])
    number = float(cut)
    return number if number >= cut else math.nextafter(number, math.inf)


def reaches(value: float, cut: Cut) -> bool:
    """Return whether one value reaches a cut.

    Examples
    --------
    >>> reaches(3, 2.5), reaches(3, None)
    (True, False)
    """
    return cut is not None and value >= cut

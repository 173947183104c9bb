"""Who comes first, and what happens to equals (排名)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import MisalignedError, message
from shequn.stats._checks import one_of, plain_array, reals_column
from shequn.values.instants import to_instants

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["Best", "RankTies", "instants_of", "rank", "ranking_order"]

RankTies: TypeAlias = Literal["min", "max", "dense", "ordinal", "average"]
Best: TypeAlias = Literal["highest", "lowest"]


def rank(
    scores: ArrayLike,
    /,
    *,
    ties: RankTies = "min",
    best: Best = "highest",
    at: Sequence[dt.datetime] | ArrayLike | None = None,
) -> NDArray[Any]:
    """Rank scores, the best being 1, by a stated rule for equal ones.

    Parameters
    ----------
    scores : array_like of numbers, shape (n,)
        All finite.
    ties : {"min", "max", "dense", "ordinal", "average"}
        What equals get. ``min``: the best of their places, and the next one goes on after all of them (1, 2, 2, 4).
        ``max``: the worst of their places (1, 3, 3, 4). ``dense``: one place together (1, 2, 2, 3). ``ordinal``: places
        of their own, in the order of rows (1, 2, 3, 4). ``average``: the mean of their places (1, 2.5, 2.5, 4).
    best : {"highest", "lowest"}
    at : sequence of aware datetimes, or array of int64 microseconds, shape (n,), optional
        When each score was reached. Of equal scores the earlier one is then better, and equal are only those of the
        same score and instant.

    Returns
    -------
    ndarray of int64, shape (n,), or of float64 for ``average``
        Ranks from 1 on, read-only.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used, such as a score that is NaN: who has no score has no rank.

    References
    ----------
    Rows I3 of the domain table; the rules are those of ``scipy.stats.rankdata``.

    Examples
    --------
    >>> rank([30, 50, 50, 10]).tolist(), rank([30, 50, 50, 10], ties="dense").tolist()
    ([3, 1, 1, 4], [2, 1, 1, 3])
    >>> rank([30, 50, 50, 10], at=np.array([0, 9, 2, 4])).tolist()
    [3, 2, 1, 4]
    """
    one_of("ties", ties, get_args(RankTies))
    one_of("best", best, get_args(Best))
    given = reals_column("scores", scores, (-1,), of="each row", whole_too=True)
    order, opens = ranking_order(given, None if at is None else instants_of(at, len(given)), best)
    group = np.cumsum(opens) - 1
    starts = np.flatnonzero(opens)
    ends = np.append(starts[1:], len(given))
    places: NDArray[Any]
    match ties:
        case "min":
            places = starts[group] + 1
        case "max":
            places = ends[group]
        case "dense":
            places = group + 1
        case "ordinal":
            places = np.arange(1, len(given) + 1)
        case _:
            places = (starts[group] + 1 + ends[group]) / 2
    ranks = np.empty(len(given), dtype=np.float64 if ties == "average" else np.int64)
    ranks[order] = places
    return frozen(ranks)


def ranking_order(scores: NDArray[Any], at_us: IntArray | None, best: Best) -> tuple[IntArray, BoolArray]:
    """Return rows from the best to the worst, and where something not equal to the one before begins."""
    _, code = np.unique(scores, return_inverse=True)  # a score may have no negative that fits
    keys = [-code if best == "highest" else code]
    if at_us is not None:
        keys.insert(0, at_us)
    order: IntArray = np.lexsort(keys)
    opens = np.ones(len(scores), dtype=np.bool_)
    if len(scores):
        opens[1:] = np.logical_or.reduce([key[order][1:] != key[order][:-1] for key in keys])
    return order, opens


def instants_of(at: Sequence[dt.datetime] | ArrayLike, n: int) -> IntArray:
    """Return instants in microseconds, one for each of n rows."""
    given = plain_array("at", at, expected="instants")
    found = to_instants(at, argument="at", time_unit="us" if given.dtype.kind in "iu" else None).us
    if found.shape != (n,):
        raise MisalignedError(
            message("at", f"one instant for each of the {n} rows", f"an array of shape {found.shape}")
        )
    return found

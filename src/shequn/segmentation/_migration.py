"""Who moved between segments from one day to another?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.labels import Assignment, Index
from shequn.segmentation.movement import Migration
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import IntArray
    from shequn.labels import Label

__all__ = ["migration"]


def migration(
    before: Assignment, after: Assignment, /, *, segments: Index | Iterable[Label] | None = None
) -> Migration:
    """Count how many members moved from each segment to each other one.

    Parameters
    ----------
    before, after : Assignment
        The segment of each member on two days. Members are matched by label, in whatever order they stand; where one of
        the two has unnamed members, they are matched by position.
    segments : Index or iterable of labels, optional
        All segments, in the order of rows and columns. By default those of `before` in their order, then those that
        only `after` knows. Parts that shall merge need the same ones.

    Returns
    -------
    Migration
        Ordered where both assignments are.

    Raises
    ------
    InvalidTypeError
        An argument is no assignment, or members (or segments) are `str` here and `int` there.
    InvalidValueError
        Both are ordered, and the order of all their segments does not follow from the two; give `segments` then. Or
        `segments` lacks one of theirs.
    MisalignedError
        Members are unnamed, and there are not as many in the other.

    Notes
    -----
    Two ordered assignments agree on an order when the segments of one contain those of the other in their order. A
    member without a segment on one of the days, or who is in one of the assignments only, moved from or to no segment:
    they are counted beside the matrix and are in no rate and no test.

    Examples
    --------
    >>> layers = {"segments": ["low", "high"], "ordered": True}
    >>> spring = Assignment.from_mapping({"ann": "low", "bo": "low", "cy": "high"}, **layers)
    >>> autumn = Assignment.from_mapping({"bo": "high", "ann": "low", "dee": "low"}, **layers)
    >>> moves = migration(spring, autumn)
    >>> moves.counts.tolist(), moves.entered.tolist(), moves.left.tolist()
    ([[1, 1], [0, 0]], [1, 0], [0, 1])
    """
    for name, assignment in (("before", before), ("after", after)):
        instance(name, assignment, Assignment, expected="an Assignment")
    labels = _segments_of_both(before, after, None if segments is None else Index(segments, argument="segments"))
    codes = [
        np.append(labels.places_of(part.segments), np.int32(len(labels)))[part.codes].astype(np.int64)
        for part in (before, after)
    ]
    pairs = _matched(before, after, *codes, absent=len(labels) + 1)
    width = len(labels) + 2
    moves = np.bincount(pairs[0] * width + pairs[1], minlength=width * width).reshape(width, width)
    return Migration(segments=tuple(labels), moves=moves, ordered=before.ordered and after.ordered)


def _matched(
    before: Assignment, after: Assignment, codes_before: IntArray, codes_after: IntArray, *, absent: int
) -> tuple[IntArray, IntArray]:
    """Return the code before and the code after of each member of either."""
    if before.members.is_positional or after.members.is_positional:
        before.members.require_aligned(after.members, argument="after")
        return codes_before, codes_after
    if len(before) and len(after) and before.members.is_text != after.members.is_text:
        before.members.union(after.members, argument="after")  # raises: it words what is wrong
    places = after.members.places_of(before.members)
    is_new = np.ones(len(after), dtype=np.bool_)
    is_new[places[places >= 0]] = False
    codes_there = np.append(codes_after, absent)[places]
    newcomers = codes_after[is_new]
    return (
        np.concatenate([codes_before, np.full(len(newcomers), absent)]),
        np.concatenate([codes_there, newcomers]),
    )


def _segments_of_both(before: Assignment, after: Assignment, wanted: Index | None) -> Index:
    first, second = before.segments, after.segments
    if wanted is None and not (before.ordered and after.ordered):
        new = np.flatnonzero(first.places_of(second) < 0)
        first.union(second, argument="after")  # raises where labels are of two types
        return Index([*first, *second.take(new)], argument="segments")
    if wanted is None:
        longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
        wanted = longer
        if not _in_order(longer.places_of(shorter)):
            expected = f"the order of all segments, which {list(first)} and {list(second)} leave open"
            raise InvalidValueError(message("segments", expected, None))
    for name, index in (("before", first), ("after", second)):
        places = wanted.places_of(index)
        if (places < 0).any():
            lacking = index[int(np.flatnonzero(places < 0)[0])]
            raise InvalidValueError(message("segments", f"all segments of `{name}`, {lacking!r} too", list(wanted)))
        if before.ordered and after.ordered and not _in_order(places):
            raise InvalidValueError(message("segments", f"the order that `{name}` has ({list(index)})", list(wanted)))
    return wanted


def _in_order(places: np.ndarray[Any, np.dtype[np.int32]]) -> bool:
    return bool((places >= 0).all() and (np.diff(places) > 0).all())

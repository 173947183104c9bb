"""Whom does a caller name? Labels as codes, and in the caller's words what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message
from shequn.labels import Index
from shequn.stats._checks import items_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Label

__all__ = ["codes_named", "who_stays"]


def codes_named(
    argument: str, labels: Iterable[Label], known: Index, expected: str, /, *, once: bool = False
) -> IntArray:
    """Return the code in an index of each label that a caller gave.

    Examples
    --------
    >>> codes_named("left", ["cy", "ann"], Index(["ann", "bo", "cy"]), "a member of the groups").tolist()
    [2, 0]
    """
    given = items_of(argument, labels, expected="labels of members")
    distinct, rows = Index.encode(given, argument=argument)
    codes: IntArray = known.places_of(distinct)[rows].astype(np.int64)
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        bad = int((codes < 0).sum())
        raise UnknownLabelError(message(argument, expected, given[row], row=row, bad=bad, total=len(given)))
    if once and len(distinct) < len(given):
        again = np.ones(len(rows), dtype=np.bool_)
        again[np.unique(rows, return_index=True)[1]] = False
        row = int(np.flatnonzero(again)[0])
        raise InvalidValueError(message(argument, "each member once", given[row], row=row))
    return codes


def who_stays(fixed: Iterable[Label], present: Index, members: Index, expected: str, /) -> BoolArray | None:
    """Return who keeps their seat, shape (len(members),), None where nobody is named.

    Examples
    --------
    >>> members = Index(["ann", "bo"])
    >>> who_stays(["bo"], members, members, "a member of the groups").tolist()
    [False, True]
    """
    if isinstance(fixed, Mapping):
        raise InvalidTypeError(message("fixed", "labels of members, who keep their groups", "a mapping"))
    codes = codes_named("fixed", fixed, present, expected)
    if not len(codes):
        return None
    mask = np.zeros(len(members), dtype=np.bool_)
    mask[members.places_of(present)[codes]] = True
    return mask

"""Which members does an argument mean, given as one label, some labels or a mask?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import MisalignedError, UnknownLabelError, counted, message, suggest
from shequn.labels import Index
from shequn.stats._checks import is_integer, items_of, plain_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import BoolArray
    from shequn.labels import Label

    Whom: TypeAlias = Label | Iterable[Label] | BoolArray

__all__ = ["mask_of"]

_FEW_ENOUGH_TO_SUGGEST = 1_000


def mask_of(whom: Whom | None, members: Index, /, *, argument: str) -> BoolArray:
    """Return which members are meant, shape (n_members,), read-only; None means nobody.

    Raises
    ------
    InvalidTypeError
        It is neither labels nor a mask.
    MisalignedError
        It is a mask of another length.
    UnknownLabelError
        It names somebody who is no member; the message suggests the closest one.

    Examples
    --------
    >>> mask_of(["bo"], Index(["ann", "bo"]), argument="who").tolist()
    [False, True]
    """
    if whom is None:
        return frozen(np.zeros(len(members), dtype=np.bool_))
    given: Any = [whom] if isinstance(whom, str) or is_integer(whom) else whom
    if not hasattr(given, "__array__"):
        given = items_of(argument, given, expected="labels of members or a mask")
    array = plain_array(argument, given, expected="labels of members or a mask")
    if array.dtype.kind == "b":
        if array.shape != (len(members),):
            expected = f"a mask of {counted(len(members), 'member')}"
            raise MisalignedError(message(argument, expected, f"one of shape {array.shape}"))
        return frozen(array.copy())
    mask = np.zeros(len(members), dtype=np.bool_)
    if array.size:
        mask[_codes_of(given, members, argument)] = True
    return frozen(mask)


def _codes_of(labels: Any, members: Index, argument: str) -> Any:  # noqa: ANN401
    named, rows = Index.encode(labels, argument=argument)
    places = members.places_of(named)[rows]
    unknown = places < 0
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        label = named[int(rows[row])]
        hint = suggest(label, members) if len(members) <= _FEW_ENOUGH_TO_SUGGEST else ""
        expected = f"labels of {counted(len(members), 'member')}"
        text = message(argument, expected, label, row=row, bad=int(unknown.sum()), total=len(rows))
        raise UnknownLabelError(text + hint)
    return places

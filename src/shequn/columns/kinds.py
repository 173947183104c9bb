"""Which rows are of the kinds that a definition names?"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from shequn.entities.taxonomies import PASSIVE_KINDS
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownKindWarning, UnknownLabelError, message, suggest
from shequn.stats._checks import items_of, one_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from shequn._typing import BoolArray
    from shequn.columns.log import EventLog

__all__ = ["UnknownKinds", "kind_names", "kind_set", "of_kinds"]

UnknownKinds: TypeAlias = Literal["warn", "ignore", "raise"]


def kind_set(kinds: Collection[str] | str, /, *, argument: str) -> frozenset[str]:
    """Return the kinds a caller named, as plain strings.

    Raises
    ------
    InvalidTypeError
        Something in it is not a string.
    InvalidValueError
        There is none.

    Examples
    --------
    >>> kind_set("post", argument="kinds")
    frozenset({'post'})
    """
    named = kind_names(kinds, argument=argument)
    if not named:
        raise InvalidValueError(message(argument, "at least one kind", kinds))
    return frozenset(named)


def kind_names(kinds: Collection[str] | str, /, *, argument: str) -> list[str]:
    """Return the kinds a caller named, as plain strings in the order given; there may be none.

    Examples
    --------
    >>> kind_names(["post", "like"], argument="kinds")
    ['post', 'like']
    """
    expected = "kinds of event as str"
    named = [kinds] if isinstance(kinds, str) else items_of(argument, kinds, expected=expected)
    for kind in named:
        if not isinstance(kind, str):
            raise InvalidTypeError(message(argument, expected, kind))
    return [str.__str__(kind) for kind in named]


def of_kinds(
    log: EventLog,
    kinds: Collection[str] | str | None,
    /,
    *,
    argument: str = "kinds",
    unknown_kinds: UnknownKinds = "warn",
) -> BoolArray:
    """Return which codes of ``log.kinds`` a definition means, shape (n_kinds,).

    Parameters
    ----------
    kinds : collection of str, or None
        None stands for every kind that is activity: all but apply, receive, leave, remove, mute and role.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know. A part of a log knows the kinds of the whole.

    Warns
    -----
    UnknownKindWarning
        With ``unknown_kinds="warn"``, once for all unknown kinds together.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["a", "a"], kind=["post", "receive"], at=[0, 1], time_unit="s")
    >>> of_kinds(log, None).tolist(), of_kinds(log, {"receive"}).tolist()
    ([True, False], [False, True])
    """
    one_of("unknown_kinds", unknown_kinds, get_args(UnknownKinds))
    known = [str(kind) for kind in log.kinds]
    if kinds is None:
        return np.array([kind not in PASSIVE_KINDS for kind in known], dtype=np.bool_)
    wanted = kind_set(kinds, argument=argument)
    unknown = sorted(wanted.difference(known))
    if unknown and known and unknown_kinds != "ignore":
        text = message(argument, "kinds that the log contains", unknown[0]) + suggest(unknown[0], known)
        if unknown_kinds == "raise":
            raise UnknownLabelError(text)
        warnings.warn(text, UnknownKindWarning, stacklevel=_level_of_the_caller())
    return np.array([kind in wanted for kind in known], dtype=np.bool_)


def _level_of_the_caller() -> int:
    """Return how many frames up the code stands that is not this library's: a warning should point there."""
    level, frame = 1, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "shequn":
        level, frame = level + 1, frame.f_back
    return level

"""Are the labels of two things of one type, so that some can be found again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shequn.labels import Index

__all__ = ["require_comparable"]


def require_comparable(argument: str, given: Index, known: Index, /) -> None:
    """Raise unless labels are all str or all int in both: ``1`` and ``"1"`` would else pass for two.

    Examples
    --------
    >>> from shequn.labels import Index
    >>> require_comparable("muted", Index(["1"]), Index([1]))
    Traceback (most recent call last):
    shequn.errors.InvalidTypeError: muted: expected labels of one type (int, as 1), got '1', a label of type str
    """
    if len(given) and len(known) and given.is_text != known.is_text:
        known.union(given, argument=argument)  # raises: it words what is wrong

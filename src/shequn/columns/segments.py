"""Which segment is each member in, whatever form a caller told it in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shequn.errors import InvalidTypeError, message
from shequn.labels import Assignment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shequn.labels import Index, Label

__all__ = ["assignment_of"]


def assignment_of(by: Assignment | Mapping[Label, Label | None], members: Index, /) -> Assignment:
    """Return what a caller gave as ``by=`` as an assignment over the members of the data.

    Raises
    ------
    MisalignedError
        It is an assignment of other members.
    InvalidTypeError
        It is neither an assignment nor a mapping.

    Examples
    --------
    >>> from shequn.labels import Index
    >>> assignment_of({"bo": "gold"}, Index(["ann", "bo"])).codes.tolist()
    [-1, 0]
    """
    if isinstance(by, Assignment):
        members.require_aligned(by.members, argument="by")
        return by
    if hasattr(by, "items"):
        return Assignment.from_mapping(by).align(members)
    raise InvalidTypeError(message("by", "an Assignment, a mapping or the name of a column", by))

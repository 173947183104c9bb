"""Who must sit where, with whom and away from whom: a caller's labels as codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import items_of

if TYPE_CHECKING:
    from shequn.labels import Index, Label

__all__ = ["Asked"]


@attrs.frozen
class Asked:
    """Seats that are given, and sets of members who must or must not share a group, by code.

    Attributes
    ----------
    fixed : dict of int to label
        The group of a member.
    together, apart : list of list of int
        Sets of two members or more, each ascending.

    Examples
    --------
    >>> from shequn.labels import Index
    >>> Asked.of(Index(["ann", "bo"]), together=[{"bo", "ann"}]).together
    [[0, 1]]
    """

    fixed: dict[int, Label]
    together: list[list[int]]
    apart: list[list[int]]

    @classmethod
    def of(
        cls,
        members: Index,
        /,
        *,
        fixed: Mapping[Label, Label] | None = None,
        together: Iterable[Iterable[Label]] = (),
        apart: Iterable[Iterable[Label]] = (),
    ) -> Asked:
        """Read what a caller asked of members.

        Raises
        ------
        InvalidTypeError
            Something is no mapping, or no set of members.
        InvalidValueError
            Somebody is asked to be apart from themselves.
        UnknownLabelError
            Somebody is no member.
        """
        if fixed is not None and not isinstance(fixed, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("fixed", "a mapping of member to group", fixed))
        for group in () if fixed is None else fixed.values():
            if isinstance(group, bool) or not isinstance(group, str | int):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidTypeError(message("fixed", "groups as str or int", group))
        seats = {} if fixed is None else {members.code(m, argument="fixed"): group for m, group in fixed.items()}
        return cls(seats, _sets("together", together, members), _sets("apart", apart, members))

    def __bool__(self) -> bool:
        """Return whether anything was asked."""
        return bool(self.fixed or self.together or self.apart)


def _sets(argument: str, sets: Iterable[Iterable[Label]], members: Index) -> list[list[int]]:
    found: list[list[int]] = []
    for row, some in enumerate(items_of(argument, sets, expected="sets of members")):
        if isinstance(some, str):
            raise InvalidTypeError(message(argument, "sets of members", some, row=row))
        labels = items_of(argument, some, expected="sets of members")
        named = [members.code(label, argument=argument) for label in labels]
        codes = sorted(set(named))
        if argument == "apart" and len(codes) < len(named):
            again = next(code for place, code in enumerate(named) if code in named[:place])
            expected = "sets that name each member once: nobody is apart from themselves"
            raise InvalidValueError(message(argument, expected, members[again], row=row))
        if len(codes) > 1:
            found.append(codes)
    return found

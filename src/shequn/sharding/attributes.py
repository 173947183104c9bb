"""Which value of an attribute (a tier, a city, an interest) has each member?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, MisalignedError, UnknownLabelError, message, suggest
from shequn.labels import Assignment, Coded, Index
from shequn.stats._checks import items_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.labels import Label

    ByMember: TypeAlias = Assignment | Mapping[Label, Label | None] | Sequence[Label | None] | ArrayLike

__all__ = ["Aim", "Attribute", "ByMember", "attribute_of"]


class Aim(Taxonomy):
    """What groups should be like as to an attribute of their members.

    Examples
    --------
    >>> Aim.SPREAD.zh
    '均匀分布'
    """

    SPREAD = "spread", "均匀分布", "spread"
    COHERE = "cohere", "同类相聚", "alike"


class Attribute(NamedTuple):
    """The value of each member; nobody knowing it is a value too, the last one.

    Attributes
    ----------
    codes : array of int64, shape (n_members,)
        From 0 on.
    values : array of object, shape (n_values,)
        Each occurs; None for the value nobody knows.

    Examples
    --------
    >>> attribute_of("city", ["沪", None, "京"], Index(["ann", "bo", "cy"])).values.tolist()
    ['沪', '京', None]
    """

    codes: IntArray
    values: NDArray[Any]

    @property
    def counts(self) -> IntArray:
        """How many members have each value."""
        return np.bincount(self.codes, minlength=len(self.values))


def attribute_of(argument: str, given: ByMember, members: Index, /) -> Attribute:
    """Return the value of each of the members.

    Parameters
    ----------
    argument : str
        Name that errors use.
    given : Assignment, mapping of member to value, or sequence, shape (n_members,)
        Values are all str or all int. An assignment speaks of these members at least, in any order; in a mapping, who
        is left out has no known value, nor who has None.
    members : Index

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A value is neither str nor int, or they are mixed, or this is no column.
    MisalignedError
        There is not one value for each member.
    UnknownLabelError
        A mapping names somebody who is no member.

    Examples
    --------
    >>> attribute_of("tier", {"bo": "gold"}, Index(["ann", "bo"])).codes.tolist()
    [1, 0]
    """
    if isinstance(given, Assignment):
        column, index = _aligned(argument, given, members).astype(np.int64), given.segments
    elif isinstance(given, Mapping):
        column, index = _looked_up(argument, given, members)
    else:
        expected = "an Assignment, a mapping of member to value, or a value for each member"
        if isinstance(given, set | frozenset):
            raise InvalidTypeError(message(argument, expected, given))
        values: Any = given if hasattr(given, "__array__") else items_of(argument, given, expected=expected)
        coded = Coded.of(values, argument=argument, nulls=True)
        if len(coded) != len(members):
            raise MisalignedError(message(argument, f"one value for each of {len(members)} members", len(coded)))
        column, index = coded.codes.astype(np.int64), coded.index
    labels = np.array([*index, None], dtype=object)
    used, codes = np.unique(np.where(column < 0, len(index), column), return_inverse=True)
    return Attribute(codes.astype(np.int64), labels[used])


def _aligned(argument: str, given: Assignment, members: Index) -> NDArray[np.int32]:
    """Return the codes of an assignment that knows every member, in the order of the members."""
    if members.aligns_with(given.members):
        return given.codes
    if members.is_positional or given.members.is_positional:
        members.require_aligned(given.members, argument=argument)
    at = given.members.places_of(members)
    if len(at) and int(at.min()) < 0:
        row = int(np.flatnonzero(at < 0)[0])
        text = message(
            argument, "a value for each member", members[row], row=row, bad=int((at < 0).sum()), total=len(at)
        )
        raise MisalignedError(text + "; see `.align(index)`, after which their value is unknown")
    return given.codes[at]


def _looked_up(argument: str, given: Mapping[Any, Any], members: Index) -> tuple[IntArray, Index]:
    """Return the codes of a mapping's values, -1 for those it does not name, and the index of the values."""
    named = Index(list(given), argument=argument)
    values = Coded.of(list(given.values()), argument=argument, nulls=True)
    at = members.places_of(named)
    if len(at) and int(at.min()) < 0:
        row = int(np.flatnonzero(at < 0)[0])
        expected = f"one of {len(members)} known labels"
        text = message(argument, expected, named[row], row=row, bad=int((at < 0).sum()), total=len(at))
        raise UnknownLabelError(text + (suggest(named[row], members) if len(members) <= 1000 else ""))  # noqa: PLR2004
    codes = np.full(len(members), -1, dtype=np.int64)
    codes[at] = values.codes
    return codes, values.index

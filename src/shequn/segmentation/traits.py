"""Which labels does each member of a roster carry under a name: a field, or a set of tags?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.errors import InvalidTypeError, UnknownLabelError, message, suggest
from shequn.labels import Assignment, Index
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from shequn._typing import BoolArray, IntArray
    from shequn.columns import Roster

__all__ = ["Trait", "labelled_names", "trait_of"]


class Trait(NamedTuple):
    """What members carry under one name, as pairs of a member and a label.

    Attributes
    ----------
    labels : Index
        The m labels.
    rows, codes : ndarray of int64, shape (n_pairs,)
        Place of the member in the roster, and code of the label.
    known : ndarray of bool, shape (n_members,)
        Of whom it is known. Of tags it always is: who has none has none.
    is_tags : bool
        Whether a member may carry several.
    """

    labels: Index
    rows: IntArray
    codes: IntArray
    known: BoolArray
    is_tags: bool

    def counts(self, segment: IntArray, k: int, /) -> IntArray:
        """Return how many members of each segment carry each label, shape (k, m); a segment of -1 is none.

        Examples
        --------
        >>> from shequn.columns import Roster
        >>> roster = Roster.from_columns(member=["ann", "bo"], fields={"city": ["上海", None]})
        >>> trait_of(roster, "city", argument="trait").counts(np.array([0, 0]), 1).tolist()
        [[1]]
        """
        m = len(self.labels)
        of = segment[self.rows]
        cell = of[of >= 0] * m + self.codes[of >= 0]
        return np.bincount(cell, minlength=k * m).reshape(k, m)

    def sizes(self, segment: IntArray, k: int, /) -> IntArray:
        """Return of how many members of each segment it is known, shape (k,).

        Examples
        --------
        >>> from shequn.columns import Roster
        >>> roster = Roster.from_columns(member=["ann", "bo"], fields={"city": ["上海", None]})
        >>> trait_of(roster, "city", argument="trait").sizes(np.array([0, 0]), 1).tolist()
        [1]
        """
        return np.bincount(segment[self.known & (segment >= 0)], minlength=k)


def trait_of(roster: Roster, name: str, /, *, argument: str) -> Trait:
    """Return what the members of a roster carry under a name.

    Raises
    ------
    UnknownLabelError
        The roster has neither a field nor tags of that name.
    InvalidTypeError
        It is a field of numbers.

    Examples
    --------
    >>> from shequn.columns import Roster
    >>> roster = Roster.from_columns(member=["ann", "bo"], tags={"interests": [{"tea", "go"}, None]})
    >>> trait_of(roster, "interests", argument="trait").labels
    Index(['go', 'tea'])
    """
    instance(argument, name, str, expected="the name of a field or of tags")
    if name in roster.tags:
        tags = roster.tags[name]
        rows = np.repeat(np.arange(len(roster)), np.diff(tags.offsets))
        known = np.ones(len(roster), dtype=np.bool_)
        return Trait(tags.labels.index, rows, tags.labels.codes.astype(np.int64), known, is_tags=True)
    if name not in roster.fields:
        names = (*roster.fields, *roster.tags)
        expected = f"one of the roster's fields and tags ({', '.join(names)})"
        raise UnknownLabelError(message(argument, expected, name) + suggest(name, names))
    field = roster.fields[name]
    if not isinstance(field, Assignment):
        expected = "a field of labels, or tags; put numbers into bands first"
        raise InvalidTypeError(message(argument, expected, name))
    known = np.asarray(field.codes >= 0)
    rows = np.flatnonzero(known)
    return Trait(field.segments, rows, field.codes[rows].astype(np.int64), known, is_tags=False)


def labelled_names(roster: Roster, /) -> tuple[str, ...]:
    """Return the names of all fields of labels, and of all tags.

    Examples
    --------
    >>> from shequn.columns import Roster
    >>> labelled_names(Roster.from_columns(member=["ann"], fields={"age": [30], "city": ["上海"]}))
    ('city',)
    """
    fields = (name for name, field in roster.fields.items() if isinstance(field, Assignment))
    return (*fields, *roster.tags)

"""How are columns that have one entry a member put together again, whatever part a member was in?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels.index import index_of_unique
from shequn.labels.order import ascending_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn.labels import Index

__all__ = ["PerMember"]


@attrs.frozen(kw_only=True, eq=False)
class PerMember:
    """Columns of the members of some parts, kept as they came: putting them into one array is left for the end.

    Attributes
    ----------
    members : tuple of Index, one a part
    columns : tuple of tuple of ndarray
        Of each part, columns with one entry a member.
    """

    members: tuple[Index, ...]
    columns: tuple[tuple[NDArray[Any], ...], ...]

    @classmethod
    def of(cls, members: Index, /, *columns: NDArray[Any]) -> PerMember:
        """Keep the columns of one part, in ascending order of its members: that much is done where the part lies."""
        order = ascending_order(members.labels)
        return cls(members=(members.take(order),), columns=(tuple(frozen(column[order]) for column in columns),))

    def merge(self, other: PerMember, /) -> PerMember:
        """Return those of both, who are other members."""
        return PerMember(members=self.members + other.members, columns=self.columns + other.columns)

    def ascending(self) -> tuple[Index, tuple[NDArray[Any], ...]]:
        """Return all members in ascending order, and their columns.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            Members of one part are `str` and of another `int`, or a member is in two.
        """
        held = [place for place, members in enumerate(self.members) if len(members)]
        if len({self.members[place].is_text for place in held}) > 1:
            raise InvalidTypeError(message("member", "labels that are all str or all int", "both, in different parts"))
        if not held:
            return self.members[0], self.columns[0]
        labels = np.concatenate([self.members[place].labels for place in held])
        order = ascending_order(labels)
        labels = labels[order]
        twice = np.flatnonzero(labels[1:] == labels[:-1])
        if len(twice):
            expected = "members whose rows are all in one part"
            raise InvalidValueError(message("parts", expected, labels[twice[0]], bad=len(twice), total=len(labels)))
        columns = zip(*(self.columns[place] for place in held), strict=True)
        return index_of_unique(labels), tuple(frozen(np.concatenate(column)[order]) for column in columns)

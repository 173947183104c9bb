"""With whom is each member tied? Rows of neighbours one after the other, as algorithms read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.stats._checks import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["Neighbours"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Neighbours:
    """The neighbours of each member, and how strong each tie is: compressed sparse rows.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n_members + 1,)
        The neighbours of member i are the entries ``offsets[i]`` up to ``offsets[i + 1]``.
    neighbour : ndarray of int64, shape (n_entries,)
        Codes of the neighbours, ascending in each row.
    weight : ndarray of int64 or float64, shape (n_entries,)
        How strong each tie is, more than 0.

    Raises
    ------
    MisalignedError
        The arrays don't fit each other.

    Examples
    --------
    >>> ties = Neighbours(offsets=np.array([0, 1, 2, 2]), neighbour=np.array([1, 0]), weight=np.array([5, 5]))
    >>> ties.degree.tolist(), ties.strength.tolist(), ties.of(1)
    ([1, 1, 0], [5, 5, 0], (array([0]), array([5])))
    """

    offsets: IntArray
    neighbour: IntArray
    weight: NDArray[Any]

    def __attrs_post_init__(self) -> None:
        """Check that the arrays fit each other, and see to it that nobody writes to them."""
        for name in ("offsets", "neighbour", "weight"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        n_entries = int(self.offsets[-1]) if len(self.offsets) else -1
        if n_entries != len(self.neighbour) or len(self.weight) != n_entries:
            text = f"offsets that end with the number of neighbours ({len(self.neighbour)}) and weights"
            raise MisalignedError(message("offsets", text, (n_entries, len(self.weight))))

    @property
    def n_members(self) -> int:
        """Number of members, those without neighbours included."""
        return len(self.offsets) - 1

    @property
    def degree(self) -> IntArray:
        """How many neighbours each member has, shape (n_members,)."""
        return frozen(np.diff(self.offsets))

    @property
    def strength(self) -> NDArray[Any]:
        """Sum of the weights of each member's ties, shape (n_members,)."""
        total = np.zeros(self.n_members, dtype=self.weight.dtype)
        tied = np.flatnonzero(self.degree)
        if len(tied):
            total[tied] = np.add.reduceat(self.weight, self.offsets[tied])
        return frozen(total)

    def rows(self) -> IntArray:
        """Return the member whose neighbour each entry is, shape (n_entries,)."""
        return frozen(np.repeat(np.arange(self.n_members), self.degree))

    def of(self, member: int, /) -> tuple[IntArray, NDArray[Any]]:
        """Return the neighbours of one member, by code, and the weights of the ties.

        Raises
        ------
        InvalidValueError
            There is no member of that code.
        """
        code = whole("member", member)
        if not 0 <= code < self.n_members:
            raise InvalidValueError(message("member", f"a code in [0, {self.n_members})", code))
        held = slice(int(self.offsets[code]), int(self.offsets[code + 1]))
        return self.neighbour[held], self.weight[held]

    def __reduce__(self) -> tuple[Callable[..., Neighbours], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the size, not the entries."""
        return f"Neighbours({self.n_members:,} members, {len(self.neighbour):,} entries)"

"""With whom is each member tied? Rows of neighbours one after the other, as algorithms read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.stats._checks import counts_column, reals_column, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray

__all__ = ["Neighbours"]

_OF_ENTRIES = "each entry"


def _offsets(offsets: ArrayLike) -> IntArray:
    return counts_column("offsets", offsets, (-1,), of="each member, and one more")


def _neighbour(neighbour: ArrayLike) -> IntArray:
    return counts_column("neighbour", neighbour, (-1,), of=_OF_ENTRIES)


def _weight(weight: ArrayLike) -> NDArray[Any]:
    return reals_column("weight", weight, (-1,), of=_OF_ENTRIES, least=0, above=True, whole_too=True)


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
    InvalidTypeError
        An array does not hold numbers.
    InvalidValueError
        A neighbour is no member, or a row is not in order.
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
        """Check that the arrays fit each other, that rows are in order, and that nobody writes to them."""
        # Converters would hide the arrays from type checkers that hold this class against the engine's protocol.
        object.__setattr__(self, "offsets", _offsets(self.offsets))
        object.__setattr__(self, "neighbour", _neighbour(self.neighbour))
        object.__setattr__(self, "weight", _weight(self.weight))
        n_entries = int(self.offsets[-1]) if len(self.offsets) else -1
        if n_entries != len(self.neighbour) or len(self.weight) != n_entries:
            text = f"offsets that end with the number of neighbours ({len(self.neighbour)}) and weights"
            raise MisalignedError(message("offsets", text, (n_entries, len(self.weight))))
        if int(self.offsets[0]) or (self.offsets[1:] < self.offsets[:-1]).any():
            raise InvalidValueError(message("offsets", "numbers that start at 0 and never fall", self.offsets))
        bad = self.neighbour >= self.n_members
        if bad.any():
            refuse("neighbour", f"codes in [0, {self.n_members})", self.neighbour, np.asarray(bad))
        falls = np.flatnonzero(self.neighbour[1:] <= self.neighbour[:-1]) + 1
        if len(falls) and (is_inside := np.isin(falls, self.offsets, invert=True)).any():
            row = int(falls[is_inside][0])
            text = "neighbours in ascending order in each row, each once"
            raise InvalidValueError(message("neighbour", text, int(self.neighbour[row]), row=row))

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
        entries = counted(len(self.neighbour), "entry", "entries")
        return f"Neighbours({counted(self.n_members, 'member')}, {entries})"

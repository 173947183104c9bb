"""Roughly when is each row? In a byte, which a window reads instead of eight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.columns.halves import in_halves
from shequn.columns.readonly import by_fields, frozen, read_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Eras"]

_BITS = 8
_BLOCK = 1 << 15
_SAMPLED = 64  # one row in so many tells how crowded an era is
_CROWDED = 16  # more than one row in so many of one era


@attrs.frozen(eq=False)
class Eras:
    """In which of up to 256 eras of equal length, from the first instant of a log to the last, each row lies.

    A window reads them in an eighth of the time that instants take, and then the instants of two eras: that in which it
    begins, and that in which it ends.

    Attributes
    ----------
    of_rows : ndarray of uint8, shape (n,)
    first_us : int
        When era 0 begins.
    length_bits : int
        An era lasts 2**length_bits microseconds.

    Examples
    --------
    >>> eras = Eras.of_instants(np.array([5_000, 3_000, 8_000]), 3_000, 8_000)
    >>> eras.of_rows, eras.at(5_000), eras.at(9_000)
    (array([ 62,   0, 156], dtype=uint8), 62, 187)
    """

    of_rows: NDArray[np.uint8] = attrs.field(converter=read_only)
    first_us: int
    length_bits: int

    @classmethod
    def of_instants(cls, at_us: NDArray[np.int64], earliest_us: int, latest_us: int, /) -> Eras:
        """Find the eras of rows with these instants, of which the extreme ones are known."""
        length_bits = max((latest_us - earliest_us).bit_length() - _BITS, 0)
        of_rows = np.empty(len(at_us), dtype=np.uint8)

        def some(rows: range) -> None:
            for start in range(rows.start, rows.stop, _BLOCK):
                block = slice(start, min(start + _BLOCK, rows.stop))
                # Without sign, as two instants may be further apart than the largest number with sign.
                since = (at_us[block] - earliest_us).view(np.uint64)
                since >>= np.uint64(length_bits)
                of_rows[block] = since

        in_halves(len(at_us), some)
        return cls(frozen(of_rows), earliest_us, length_bits)

    def is_crowded(self) -> bool:
        """Return whether an era has so many of the rows that they tell a window little, as a sample has it.

        So it is where a few rows lie years before the others.
        """
        sample = self.of_rows[::_SAMPLED]
        return bool(np.bincount(sample).max(initial=0) * _CROWDED > len(sample))

    def at(self, us: int, /) -> int:
        """Return the era of an instant; outside of those of the rows it is negative, or later than theirs."""
        return (us - self.first_us) >> self.length_bits

    def __reduce__(self) -> tuple[Callable[..., Eras], tuple[()]]:
        """Pickle so that the copy's array is read-only too."""
        return by_fields(self)

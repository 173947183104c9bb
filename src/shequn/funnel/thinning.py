"""Which entries can't be in any chain? They need not be sorted.

A chain lies inside one window that begins at a row of the first step. So time is cut into stretches of a good part of a
window, the stretches that a window can touch are marked for each unit, and entries elsewhere are left out. It costs a
few operations a row, where sorting costs some thirty; it pays where the window is short against the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray

__all__ = ["Stretches"]

_PARTS_OF_WINDOW = 4
_CELLS_PER_ENTRY = 16  # marks are a byte each, and should not outgrow the entries
_WORTH_IT = 2  # times that the stretches which a window touches go into the log


@attrs.frozen(eq=False)
class Stretches:
    """Stretches of time of some units, numbered unit by unit by the upper bits of a key.

    Attributes
    ----------
    shift : int
        Lower bits of a key that don't matter.
    n_cells : int
        Number of stretches of all units.
    ahead : int
        Number of stretches after its own that the window of an entry can touch.
    """

    shift: int
    n_cells: int
    ahead: int

    @classmethod
    def of(cls, *, n_units: int, bits: int, span: int, within: int, n_entries: int, low_bits: int) -> Stretches | None:
        """Choose the stretches; None where leaving entries out isn't worth the while.

        Parameters
        ----------
        n_units, n_entries : int
        bits : int
            Bits of an instant.
        span, within : int
            Length of the log and of the window, in ticks.
        low_bits : int
            Bits of a key below the instant.
        """
        width = (within // _PARTS_OF_WINDOW).bit_length()
        while n_units << max(bits - width, 0) > _CELLS_PER_ENTRY * n_entries and width < bits:
            width += 1
        ahead = -(-within // (1 << width))
        if (ahead + 1 << width) * _WORTH_IT > span or width >= bits:
            return None
        return cls(low_bits + width, n_units << (bits - width), ahead)

    def cells(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the stretch of each key."""
        return (keys >> np.uint64(self.shift)).view(np.int64)

    def after(self, cells: NDArray[np.int64]) -> BoolArray:
        """Mark the stretches that a window which begins in one of some stretches can touch."""
        # What runs over into another unit marks too much, which does no harm.
        marked = np.zeros(self.n_cells + self.ahead, dtype=np.bool_)
        for further in range(self.ahead + 1):
            marked[further:][cells] = True
        return marked

    def before(self, cells: NDArray[np.int64]) -> BoolArray:
        """Mark the stretches in which a window can begin that touches one of some stretches."""
        marked = np.zeros(self.n_cells + self.ahead, dtype=np.bool_)
        for further in range(self.ahead + 1):
            marked[further:][cells] = True
        return marked[self.ahead :]

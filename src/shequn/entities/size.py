"""Is a group of n people of a size at which it works, and how many pairs can talk in it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import array_of, plain, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import FloatArray

__all__ = ["OPTIMAL_SIZE", "SizeBand", "pairs", "size_band_of"]


def _lo(lo: int) -> int:
    return whole("lo", lo)


def _hi(hi: int) -> int:
    return whole("hi", hi)


@attrs.frozen
class SizeBand(Doors):
    """The sizes at which a group works well, both ends included (规模区间).

    Parameters
    ----------
    lo, hi : int
        Fewest and most members, 1 or more.

    Raises
    ------
    InvalidTypeError
        An end is not an integer.
    InvalidValueError
        `lo` is below 1 or above `hi`.

    Examples
    --------
    >>> band = SizeBand(26, 36)
    >>> 30 in band, 37 in band
    (True, False)
    """

    lo: int = attrs.field(converter=_lo)
    hi: int = attrs.field(converter=_hi)

    def __attrs_post_init__(self) -> None:
        """Check the order of the ends."""
        if self.lo < 1:
            raise InvalidValueError(message("lo", "a number of members >= 1", self.lo))
        if self.hi < self.lo:
            raise InvalidValueError(message("hi", f"a number of members >= lo ({self.lo})", self.hi))

    def __contains__(self, n: int) -> bool:
        """Return whether `n` members are inside the band."""
        number = plain(n)
        return isinstance(number, int | float) and self.lo <= number <= self.hi

    @overload
    def size_fit(self, n: int) -> float: ...
    @overload
    def size_fit(self, n: Sequence[int] | NDArray[np.integer[Any]]) -> FloatArray: ...
    def size_fit(self, n: int | Sequence[int] | NDArray[np.integer[Any]]) -> float | FloatArray:
        """Return how well `n` members fit the band: 1 inside, falling towards 0 outside.

        Parameters
        ----------
        n : int or array_like of int, shape (k,)
            Numbers of members, 0 or more.

        Returns
        -------
        float or ndarray of float64, shape (k,)
            In [0, 1]; a number for a number.

        Raises
        ------
        InvalidTypeError
            `n` is not made of integers.
        InvalidValueError
            A number of members is negative.

        Notes
        -----
        ``min(1, n / lo, hi / n)``, and 0 for an empty group: half the fewest is as bad as twice the most.

        References
        ----------
        S1 §三(五), row N3 of the domain table; the form of the fall is ours.

        Examples
        --------
        >>> OPTIMAL_SIZE.size_fit(30), OPTIMAL_SIZE.size_fit(13), OPTIMAL_SIZE.size_fit(500)
        (1.0, 0.5, 0.072)
        >>> OPTIMAL_SIZE.size_fit([0, 26, 72])
        array([0. , 1. , 0.5])
        """
        members = array_of("n", n, kinds="iu", expected="integers")
        if (members < 0).any():
            refuse("n", "numbers of members >= 0", members, np.asarray(members < 0))
        fit: FloatArray = np.minimum(np.minimum(members / self.lo, self.hi / np.maximum(members, 1)), 1.0)
        if fit.ndim == 0:
            return float(fit)
        fit.setflags(write=False)
        return fit


def size_band_of(size_band: SizeBand) -> SizeBand:
    """Return a SizeBand as it is, as the converter of the field `size_band`."""
    if not isinstance(size_band, SizeBand):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("size_band", "a SizeBand", size_band))
    return size_band


OPTIMAL_SIZE = SizeBand(26, 36)
"""The size at which a group works best (最佳规模): 26 to 36 members. S1 §三(五), row N3 of the domain table."""


def pairs(n: int, /) -> int:
    """Return how many pairs of people there are among `n`, which is how many ties a group can have.

    Parameters
    ----------
    n : int
        Number of members, 0 or more.

    Returns
    -------
    int
        ``n (n - 1) / 2``, exactly.

    Raises
    ------
    InvalidTypeError
        `n` is not an integer.
    InvalidValueError
        `n` is negative.

    References
    ----------
    S1 §三(五), row N3 of the domain table.

    Examples
    --------
    >>> pairs(26), pairs(36), pairs(500)
    (325, 630, 124750)
    """
    members = whole("n", n)
    if members < 0:
        raise InvalidValueError(message("n", "a number of members >= 0", n))
    return members * (members - 1) // 2

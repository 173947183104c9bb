"""A threshold that does not flicker: one value to enter, a lower one to leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import array_of, flag, plain

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray

__all__ = ["Band"]


def _enter(enter: float) -> float:
    return _threshold("enter", enter)


def _leave(leave: float) -> float:
    return _threshold("leave", leave)


def _threshold(argument: str, value: object) -> float:
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise InvalidTypeError(message(argument, "a number", value))
    if isinstance(number, float) and math.isnan(number):
        raise InvalidValueError(message(argument, "a number other than NaN", value))
    return number


def _same_as_enter(band: Band) -> float:
    return band.enter


@attrs.frozen
class Band(Doors):
    """A threshold with hysteresis: who is outside enters at `enter`, who is inside stays while at `leave` or above.

    It keeps a member's tier or a community's stage from changing back and forth with every small movement around one
    threshold.

    Parameters
    ----------
    enter : float
        Least value to come in. Integers are kept as integers, and compared exactly.
    leave : float, optional
        Least value to stay in, at most `enter`; the same as `enter` by default. Minus infinity lets nobody fall out.

    Raises
    ------
    InvalidTypeError
        If a threshold is not a number.
    InvalidValueError
        If a threshold is NaN, or `leave` is above `enter`.

    Examples
    --------
    >>> gold = Band(enter=5_000, leave=4_500)
    >>> gold.holds(4_620, inside=True), gold.holds(4_620, inside=False)
    (True, False)
    """

    enter: float = attrs.field(converter=_enter)
    leave: float = attrs.field(converter=_leave, default=attrs.Factory(_same_as_enter, takes_self=True))

    def __attrs_post_init__(self) -> None:
        if self.leave > self.enter:
            raise InvalidValueError(message("leave", f"at most enter ({self.enter})", self.leave))

    def holds(self, value: float, *, inside: bool) -> bool:
        """Tell whether one value is inside, given whether it was.

        Parameters
        ----------
        value : float
            The value now. NaN is outside.
        inside : bool
            Whether it was inside until now.

        Returns
        -------
        bool
            ``value >= leave`` if it was inside, else ``value >= enter``.

        Raises
        ------
        InvalidTypeError
            If `value` is not a number, or `inside` neither True nor False.

        Examples
        --------
        >>> Band(10, 8).holds(8, inside=True)
        True
        """
        number = plain(value)
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise InvalidTypeError(message("value", "a number", value))
        return number >= (self.leave if flag("inside", inside) else self.enter)

    def mask(self, values: ArrayLike, inside: ArrayLike) -> BoolArray:
        """Tell which values are inside, given which were.

        Parameters
        ----------
        values : array_like of numbers, shape (n,)
            The values now. NaN is outside.
        inside : array_like of bool, shape (n,) or a single bool
            Whether each was inside until now.

        Returns
        -------
        ndarray of bool, shape (n,)
            `holds` of each value, read-only.

        Raises
        ------
        InvalidTypeError
            If `values` are not numbers or `inside` not booleans.
        InvalidValueError
            If `inside` has neither one entry nor one a value.

        Examples
        --------
        >>> Band(10, 8).mask([12, 9, 9, 7], [False, False, True, True])
        array([ True, False,  True, False])
        """
        now = array_of("values", values, kinds="iuf", expected="numbers")
        before = array_of("inside", inside, kinds="b", expected="booleans")
        if before.ndim and before.shape != now.shape:
            raise InvalidValueError(message("inside", f"one boolean, or shape {now.shape} as the values", before.shape))
        held: BoolArray = np.asarray(np.where(before, now >= self.leave, now >= self.enter))
        held.setflags(write=False)
        return held

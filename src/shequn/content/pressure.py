"""How much has this member had to take lately? A pressure that every message raises and time relieves."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  # attrs resolves the annotations of fields
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn._doors import Doors
from shequn._typing import FloatArray, IntArray  # noqa: TC001  # resolved at run time by attrs
from shequn.errors import MisalignedError, message
from shequn.stats._checks import number_between, reals, refuse
from shequn.values._daily import instants_column
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["PRESSURE_SLACK", "Pressure", "weights_of_messages"]

# What rounding may add to a pressure, as a share of the cap.
PRESSURE_SLACK = 1e-9


def _check_half_life(_pressure: Pressure, field: attrs.Attribute[dt.timedelta], value: object) -> None:
    elapsed_us(field.name, value, at_least=1)


def _cap(cap: float) -> float:
    return number_between("cap", cap, 0.0, excluding="least")


def weights_of_messages(weight: ArrayLike, /) -> FloatArray:
    """Return what messages add to a pressure, checked.

    Examples
    --------
    >>> weights_of_messages([1, 0.5]).tolist()
    [1.0, 0.5]
    """
    weights = reals("weight", weight)
    bad = np.asarray(~(weights >= 0.0) | (weights == np.inf))
    if bad.any():
        refuse("weight", "finite numbers of 0 or more", weights, bad)
    return weights


@attrs.frozen(kw_only=True)
class Pressure(Doors):
    """Fatigue (疲劳度) of one member: each message adds its weight, and half of it is gone after every half-life.

    Parameters
    ----------
    half_life : timedelta
        In which time without messages the pressure halves.
    cap : float
        The pressure that a message may not exceed, its own weight included.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If `half_life` is no positive duration, or `cap` no positive number.

    Notes
    -----
    The pressure at t is the sum over messages i sent by then of ``w_i * 2 ** (-(t - t_i) / half_life)``. It is kept as
    one number a member, the bucket that leaks in proportion to what is in it.

    References
    ----------
    ``spec/domain.md``, row I17.

    Examples
    --------
    >>> import pendulum
    >>> fatigue = Pressure(half_life=pendulum.duration(hours=12), cap=2.5)
    >>> fatigue.level([0, 43_200_000_000], at=pendulum.datetime(1970, 1, 1, 12))
    1.5
    """

    half_life: dt.timedelta = attrs.field(validator=_check_half_life)
    cap: float = attrs.field(converter=_cap)

    def __deepcopy__(self, memo: dict[int, Any], /) -> Pressure:
        """Return itself: nothing in it changes, and pendulum 3.0 loses the weeks of a duration it copies."""
        return self

    @property
    def half_life_us(self) -> int:
        """The half-life in microseconds."""
        return elapsed_us("half_life", self.half_life, at_least=1)

    def level(self, sent_us: IntArray, /, *, at: dt.datetime, weight: FloatArray | float = 1.0) -> float:
        """Return the pressure on one member at an instant.

        Parameters
        ----------
        sent_us : ndarray of int64, shape (n,)
            When they were sent something, in microseconds since 1970-01-01T00:00Z; what is later than `at` doesn't
            count.
        at : datetime
            An aware datetime.
        weight : float, or array_like of shape (n,)
            What each message adds.

        Returns
        -------
        float

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            If `sent_us` is no column of instants, or `weight` has another length or a negative number.

        Examples
        --------
        >>> import pendulum
        >>> Pressure(half_life=pendulum.duration(days=1), cap=5).level([], at=pendulum.datetime(2024, 3, 1))
        0.0
        """
        sent = instants_column(sent_us, argument="sent_us")
        weights = weights_of_messages(weight)
        if weights.ndim and weights.shape != sent.shape:
            raise MisalignedError(message("weight", f"one for each of the {len(sent)} messages", weights.shape))
        ago = instant_us(at) - sent
        shares = np.where(ago < 0, 0.0, np.exp2(-np.maximum(ago, 0) / self.half_life_us))
        return float((shares * weights).sum())

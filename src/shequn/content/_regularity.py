"""Do posts come regularly, at random or in bursts?"""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.content._cadence_violations import instants_of
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import number, whole

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from shequn.columns import EventLog
    from shequn.content.schedules import Schedule

__all__ = ["Regularity", "regularity"]

_FEWEST_GAPS = 2
_ROUNDING = 1e-9


def regularity(at: EventLog | Schedule | Sequence[dt.datetime] | ArrayLike, /) -> Regularity:
    r"""Measure how regular the gaps between posts are.

    Parameters
    ----------
    at : EventLog, Schedule, or column of aware datetimes, shape (m,)
        When something was posted, in any order; of a log, every row.

    Returns
    -------
    Regularity

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `at` can't be read as instants.

    Notes
    -----
    With n = m − 1 gaps of mean :math:`\mu` and standard deviation :math:`\sigma` (divided by n), the coefficient of
    variation is :math:`r = \sigma / \mu`, and

    .. math:: B = \frac{r - 1}{r + 1}, \qquad
        B_n = \frac{\sqrt{n + 1}\, r - \sqrt{n - 1}}{(\sqrt{n + 1} - 2)\, r + \sqrt{n - 1}}

    Both are −1 for equal gaps. B tends to 0 for posts at random times and to 1 for bursts, but only as n grows;
    :math:`B_n` is 1 for the most bursty n gaps there can be, and 0 where r is that of posts at random times.

    References
    ----------
    Row K7 of the domain table; Goh, K.-I. and Barabási, A.-L. (2008). Burstiness and memory in complex systems.
    EPL 81, 48002. https://doi.org/10.1209/0295-5075/81/48002; Kim, E.-K. and Jo, H.-H. (2016). Measuring burstiness for
    finite event sequences. Physical Review E 94, 032311. https://doi.org/10.1103/PhysRevE.94.032311

    Examples
    --------
    >>> import pendulum
    >>> start = pendulum.datetime(2024, 3, 1)
    >>> regularity([start.add(days=n) for n in range(5)])
    Regularity(n_gaps=4, mean_gap_hours=24.0, cv=0.0)
    >>> regularity([start.add(minutes=n * n * n) for n in range(9)]).burstiness > 0
    True
    """
    gaps = np.diff(np.sort(instants_of(at))) / 3_600_000_000
    if not len(gaps):
        return Regularity(n_gaps=0, mean_gap_hours=nan, cv=nan)
    mean = float(gaps.mean())
    cv = float(gaps.std()) / mean if len(gaps) >= _FEWEST_GAPS and mean > 0 else nan
    return Regularity(n_gaps=len(gaps), mean_gap_hours=mean, cv=cv)


def _n_gaps(n_gaps: int) -> int:
    n = whole("n_gaps", n_gaps)
    if n < 0:
        raise InvalidValueError(message("n_gaps", "0 or more", n_gaps))
    return n


def _mean_gap_hours(value: float) -> float:
    return _none_or_more("mean_gap_hours", value)


def _cv(value: float) -> float:
    return _none_or_more("cv", value)


def _none_or_more(argument: str, value: float) -> float:
    given = number(argument, value)
    if not (isnan(given) or 0 <= given < float("inf")):
        raise InvalidValueError(message(argument, "a number of 0 or more, or NaN", value))
    return given


def _none_if_nan(value: float) -> float | None:
    """Return what two records are compared by: NaN would differ from itself, in a copy out of a pickle."""
    return None if isnan(value) else value


@attrs.frozen(kw_only=True)
class Regularity:
    """How regular the gaps between posts are; made by `regularity`, where the formulas are.

    Parameters
    ----------
    n_gaps : int
        Gaps between posts.
    mean_gap_hours : float
        Their mean; NaN without any.
    cv : float
        Their coefficient of variation; NaN for fewer than two, or where all are 0.

    Examples
    --------
    >>> gaps = Regularity(n_gaps=8, mean_gap_hours=24.0, cv=1.0)
    >>> gaps.burstiness_raw, round(gaps.burstiness, 3)
    (0.0, 0.097)
    """

    n_gaps: int = attrs.field(converter=_n_gaps)
    mean_gap_hours: float = attrs.field(converter=_mean_gap_hours, eq=_none_if_nan)
    cv: float = attrs.field(converter=_cv, eq=_none_if_nan)

    def __attrs_post_init__(self) -> None:
        """Check that so few gaps can vary so much."""
        if self.cv > sqrt(max(self.n_gaps - 1, 0)) * (1 + _ROUNDING):
            raise InvalidValueError(message("cv", f"at most √(n − 1), of {self.n_gaps} gaps, or NaN", self.cv))

    @property
    def burstiness_raw(self) -> float:
        """Goh and Barabási's B, which is too low for few gaps."""
        return (self.cv - 1) / (self.cv + 1)

    @property
    def burstiness(self) -> float:
        """Kim and Jo's B_n, the same corrected for the number of gaps, in [−1, 1]."""
        up, down = sqrt(self.n_gaps + 1), sqrt(max(self.n_gaps - 1, 0))
        return (up * self.cv - down) / ((up - 2) * self.cv + down) if self.n_gaps >= _FEWEST_GAPS else nan

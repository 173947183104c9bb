"""What share has converted after so much time, counting those who may still do so?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, overload

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown, Tally
from shequn.columns.readonly import frozen
from shequn.columns.segments import assignment_of
from shequn.columns.table import Column
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.asked import Asked
from shequn.funnel.matcher import find_first
from shequn.stats import Interval, SurvivalTable
from shequn.values.elapsed import elapsed_us, from_elapsed_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import pendulum

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang
    from shequn.funnel.definition import Funnel
    from shequn.labels import Assignment, Label

__all__ = ["ConversionCurve", "ConversionCurveRow", "conversion_curve"]

_HOUR_US = 3_600_000_000
_N_ROWS = 12


@attrs.frozen(kw_only=True)
class ConversionCurveRow:
    """One time on a conversion curve."""

    elapsed_hours: float
    at_risk: int
    converted: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class ConversionCurve(Tally[ConversionCurveRow]):
    """The share of members who have converted, by time since their first entry; made by `conversion_curve`.

    Attributes
    ----------
    funnel : Funnel
        The definition.
    survival : SurvivalTable
        Conversions and those whose observation ended, by time since the entry in microseconds.

    Examples
    --------
    >>> from pendulum import datetime, duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind=["join", "post", "join"], at=[0, 5400, 0], time_unit="s"
    ... )
    >>> curve = conversion_curve(
    ...     log, Funnel(steps=("join", "post"), within=duration(hours=3)), observed_until=datetime(1970, 1, 2)
    ... )
    >>> curve.converted_at(duration(hours=1)), curve.converted_at(duration(hours=2))
    (0.0, 0.5)
    """

    funnel: Funnel
    survival: SurvivalTable

    _Row: ClassVar[type[Any] | None] = ConversionCurveRow

    @property
    def n_members(self) -> int:
        """Members who entered."""
        return self.survival.n_followed

    def converted_at(self, elapsed: dt.timedelta, /) -> float:
        """Return the share that has converted within a time since the entry; NaN where nobody was followed so long.

        Parameters
        ----------
        elapsed : timedelta

        Returns
        -------
        float
            1 − S, of the Kaplan–Meier estimate S.
        """
        return 1 - float(self.survival.at(elapsed_us("elapsed", elapsed)))

    def quantile(self, q: float, /) -> pendulum.Duration | None:
        """Return the time within which a share `q` of all who entered has converted; None where it was not reached.

        Examples
        --------
        >>> from pendulum import datetime, duration
        >>> from shequn.columns import EventLog
        >>> from shequn.funnel import Funnel
        >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 5400], time_unit="s")
        >>> funnel = Funnel(steps=("join", "post"), within=duration(hours=3))
        >>> conversion_curve(log, funnel, observed_until=datetime(1970, 1, 2)).quantile(0.5).in_minutes()
        90
        """
        found = float(self.survival.quantile(q))
        return None if np.isnan(found) else from_elapsed_us(int(found))

    def intervals(self, *, level: float = 0.95) -> Interval:
        """Return log-log intervals of the share converted at each time of the table.

        Parameters
        ----------
        level : float
            Confidence, between 0 and 1.

        Returns
        -------
        Interval
        """
        lower, upper = self.survival.intervals(level=level)
        return Interval(frozen(1 - upper), frozen(1 - lower))

    def merge(self, other: ConversionCurve, /) -> ConversionCurve:
        """Return the curve of the members of both.

        Parameters
        ----------
        other : ConversionCurve
            Of other members, with the same funnel.

        Returns
        -------
        ConversionCurve

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is none, or one of another funnel.
        """
        if not isinstance(other, ConversionCurve):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a ConversionCurve", other))
        if self.funnel != other.funnel:
            raise InvalidValueError(message("funnel", f"the same in both parts ({self.funnel})", other.funnel))
        return attrs.evolve(self, survival=self.survival.merge(other.survival))

    def _headcount(self) -> IntArray:
        return np.array([self.n_members], dtype=np.int64)

    def _emptied(self) -> ConversionCurve:
        return attrs.evolve(self, survival=SurvivalTable.from_durations(np.zeros(0, dtype=np.int64)))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        within = self.funnel.within_us
        step = max(within // _N_ROWS, 1)
        return self._at(np.unique(np.append(np.arange(0, within, step), within)))

    def _tidy(self) -> Sequence[Column]:
        return self._at(np.asarray(self.survival.times))

    def _at(self, elapsed: IntArray) -> Sequence[Column]:
        """Return the columns of what the curve says at some times."""
        times = np.asarray(self.survival.times)
        place = np.searchsorted(times, elapsed, side="right") - 1
        lower, upper = (self._step(bound, place, 0.0) for bound in self.intervals())
        converted = 1 - self.survival.at(elapsed)
        unknown = np.isnan(converted)
        for bound in (lower, upper):
            bound[unknown] = np.nan
        first = np.searchsorted(times, elapsed)
        at_risk = np.append(self.survival.at_risk, 0)[first]
        return [
            Column(
                key="elapsed_hours",
                en="elapsed, h",
                zh="经过（时）",
                values=frozen(elapsed / _HOUR_US),
                format="number",
            ),
            Column(key="at_risk", en="at risk", zh="在观察", values=at_risk, format="count"),
            Column(key="converted", en="converted", zh="已转化", values=frozen(converted), format="rate"),
            Column(key="lower", en="lower", zh="下限", values=frozen(lower), format="rate"),
            Column(key="upper", en="upper", zh="上限", values=frozen(upper), format="rate"),
        ]

    @staticmethod
    def _step(values: FloatArray, place: IntArray, before: float) -> FloatArray:
        return np.append(values, before)[place]  # place -1 is before the first time

    def __repr__(self) -> str:
        """Show the steps and how many entered."""
        return f"ConversionCurve({' → '.join(self.funnel.names)}, {self.n_members:,} members)"


@overload
def conversion_curve(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> ConversionCurve: ...


@overload
def conversion_curve(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: Assignment | Mapping[Label, Label | None],
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Breakdown[ConversionCurve]: ...


def conversion_curve(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: Assignment | Mapping[Label, Label | None] | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> ConversionCurve | Breakdown[ConversionCurve]:
    """Estimate the share that has converted by elapsed time, with those counted who are still on their way.

    Parameters
    ----------
    log, funnel, start, end, unknown_kinds
        As in `convert`.
    by : Assignment or mapping, optional
        The segment of each member.
    observed_until : aware datetime
        End of observation: rows at or after it are ignored.

    Returns
    -------
    ConversionCurve, or Breakdown of them with `by`

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError, MisalignedError
        As in `convert`; there is no end of observation.

    Notes
    -----
    One observation a member, which begins at their first entry between `start` and `end`: the time until the chain of
    that entry is complete, or, where it is not, until its window or the observation ends (censored). A later entry of
    the same member is no second observation. At one time conversions precede what is censored. The estimate is that of
    Kaplan and Meier, the interval Greenwood's on the log-log scale.

    References
    ----------
    E. L. Kaplan and P. Meier (1958), Nonparametric estimation from incomplete observations,
    doi:10.1080/01621459.1958.10501452.

    Examples
    --------
    >>> from pendulum import datetime, duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind=["join", "post", "join"], at=[0, 5400, 0], time_unit="s"
    ... )
    >>> funnel = Funnel(steps=("join", "post"), within=duration(hours=3))
    >>> print(conversion_curve(log, funnel, observed_until=datetime(1970, 1, 2)).table(max_rows=4))
    elapsed, h  at risk  converted  lower  upper
    ────────────────────────────────────────────
          0.00        2       0.0%   0.0%   0.0%
          0.25        2       0.0%   0.0%   0.0%
    … 9 rows left out …
          2.75        1      50.0%   9.0%  99.4%
          3.00        1      50.0%   9.0%  99.4%
    """
    if observed_until is None:
        raise InvalidTypeError(
            message("observed_until", "an aware datetime: the same for every part of a log", observed_until)
        )
    asked = Asked.of(
        log, funnel, start=start, end=end, maturity="all", observed_until=observed_until, unknown_kinds=unknown_kinds
    )
    none = np.zeros(0, dtype=np.int64)
    member, elapsed, converted = none, none, none.astype(np.bool_)
    if len(asked.log):
        first = find_first(asked.reading(), asked.entered)
        member = first.member
        converted = first.depth == (funnel.n_steps if funnel.order == "any" else funnel.n_required)
        followed = np.minimum((asked.until_us or 0) - first.entry_us, funnel.within_us)
        elapsed = np.where(converted, first.elapsed_us, followed)

    def curve(chosen: slice | np.ndarray[Any, Any]) -> ConversionCurve:
        return ConversionCurve(funnel=funnel, survival=SurvivalTable.from_durations(elapsed[chosen], converted[chosen]))

    if by is None:
        return curve(slice(None))
    assignment = assignment_of(by, log.members)
    if asked.log is not log:
        assignment = assignment.align(asked.log.members)
    segment = assignment.codes[member]
    return Breakdown(
        total=curve(slice(None)),
        parts={label: curve(segment == code) for code, label in enumerate(assignment.segments)},
        unassigned=curve(segment < 0) if bool((assignment.codes < 0).any()) else None,
    )

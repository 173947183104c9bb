"""How long does it take from step to step?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, overload

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.readonly import added, by_fields, counts_field, frozen
from shequn.columns.table import Column
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.asked import Asked, Maturity
from shequn.funnel.segments import Keys, find_asked, segmented
from shequn.stats import quantile_interval, weighted_quantile
from shequn.values.elapsed import elapsed_us, from_elapsed_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    import pendulum
    from numpy.typing import NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.breakdown import Breakdown
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang
    from shequn.funnel.attempts import Found
    from shequn.funnel.definition import Funnel
    from shequn.labels import Assignment, Label

__all__ = ["TimeToConvert", "TimeToConvertRow", "time_to_convert"]

_NONE = int(np.iinfo(np.int64).min)
_HOUR_US = 3_600_000_000
_WORDS: dict[Lang, tuple[str, str]] = {"en": ("(whole way)", " (optional)"), "zh": ("（全程）", "（可跳过）")}

_DAYS: dict[Lang, str] = {"en": "d", "zh": "天"}
# Each unit is used below two of the next one.
_UNITS: tuple[tuple[int, int, dict[Lang, str]], ...] = (
    (1, 120, {"en": "s", "zh": "秒"}),
    (60, 7_200, {"en": "min", "zh": "分"}),
    (3_600, 172_800, {"en": "h", "zh": "时"}),
)


@attrs.frozen(kw_only=True)
class TimeToConvertRow:
    """The way to one step; the last row is the whole way. Times are in hours."""

    step: str | None
    members: int
    p25: float
    median: float
    median_lower: float
    median_upper: float
    p75: float
    p90: float


@attrs.frozen(kw_only=True, repr=False)
class TimeToConvert(Tally[TimeToConvertRow]):
    """How long members took to each step and over the whole way; made by `time_to_convert`.

    An exact table of durations, so that results of parts split by member merge by adding; quantiles are read from it.

    Attributes
    ----------
    funnel : Funnel
        The definition.
    step : ndarray of int64, shape (m,)
        Position of the step that was reached; n_steps stands for the whole way.
    duration_us : ndarray of int64, shape (m,)
        Time since the step matched before, or since the entry; ascending within a step.
    members : ndarray of int64, shape (m,)
        Members who took that long.
    bin_us : int
        What durations were rounded down to; 1 where they are exact.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 5400], time_unit="s")
    >>> print(time_to_convert(log, Funnel(steps=("join", "post"), within=duration(days=1))))
    to           members  p25       median    lower  upper  p75       p90
    ──────────────────────────────────────────────────────────────────────────
    post               1  90.0 min  90.0 min  –      –      90.0 min  90.0 min
    (whole way)        1  90.0 min  90.0 min  –      –      90.0 min  90.0 min
    """

    funnel: Funnel
    step: IntArray = counts_field()
    duration_us: IntArray = counts_field()
    members: IntArray = counts_field()
    bin_us: int = 1

    _Row: ClassVar[type[Any] | None] = TimeToConvertRow

    def n_members(self, step: int | str | None = None, /) -> int:
        """Return how many members reached a step, or with None went the whole way.

        Examples
        --------
        >>> from pendulum import duration
        >>> from shequn.columns import EventLog
        >>> from shequn.funnel import Funnel
        >>> funnel = Funnel(steps=("join", "post"), within=duration(days=1))
        >>> time_to_convert(EventLog.empty(), funnel).n_members("post")
        0
        """
        return int(self.members[self._of(step)].sum())

    def quantile(self, q: float, /, *, step: int | str | None = None) -> pendulum.Duration | None:
        """Return the shortest time that a share `q` of those who got there needed at most.

        Parameters
        ----------
        q : float
            The share, between 0 and 1.
        step : int or str, optional
            The step, counted from the one matched before; by default the whole way.

        Returns
        -------
        pendulum.Duration or None
            None where nobody got there.

        Examples
        --------
        >>> from pendulum import duration
        >>> from shequn.columns import EventLog
        >>> from shequn.funnel import Funnel
        >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 5400], time_unit="s")
        >>> time_to_convert(log, Funnel(steps=("join", "post"), within=duration(days=1))).quantile(0.5).in_minutes()
        90
        """
        of = self._of(step)
        found = float(weighted_quantile(self.duration_us[of], self.members[of], q))
        return None if np.isnan(found) else from_elapsed_us(int(found))

    def interval(
        self, q: float, /, *, step: int | str | None = None, level: float = 0.95
    ) -> tuple[pendulum.Duration | None, pendulum.Duration | None]:
        """Return an interval for a quantile that holds for any distribution (order statistics, exact binomial ranks).

        Parameters
        ----------
        q, step
            As in `quantile`.
        level : float
            Confidence, between 0 and 1.

        Returns
        -------
        (Duration or None, Duration or None)
            None for an end that so few members cannot bound.
        """
        of = self._of(step)
        ends = quantile_interval(self.duration_us[of], self.members[of], q, level=level)
        lower, upper = (None if np.isnan(end) else from_elapsed_us(int(end)) for end in map(float, ends))
        return lower, upper

    def _of(self, step: int | str | None) -> slice:
        place = self.funnel.n_steps if step is None else self.funnel.position(step)
        if place == 0:
            expected = "a step after the first, which everybody who enters is at"
            raise InvalidValueError(message("step", expected, step))
        start, stop = np.searchsorted(self.step, [place, place + 1]).tolist()
        return slice(start, stop)

    def merge(self, other: TimeToConvert, /) -> TimeToConvert:
        """Return the times of the members of both.

        Parameters
        ----------
        other : TimeToConvert
            Of other members, with the same funnel and bins.

        Returns
        -------
        TimeToConvert

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is none, or one of another funnel or other bins.
        """
        if not isinstance(other, TimeToConvert):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a TimeToConvert", other))
        for name in ("funnel", "bin_us"):
            if getattr(self, name) != getattr(other, name):
                expected = f"the same in both parts ({getattr(self, name)})"
                raise InvalidValueError(message(name, expected, getattr(other, name)))
        step, duration_us, members = (
            np.concatenate([getattr(self, name), getattr(other, name)]) for name in ("step", "duration_us", "members")
        )
        added([self.members.sum(keepdims=True), other.members.sum(keepdims=True)], argument="members")
        return _tabulated(self.funnel, step, duration_us, members, self.bin_us)

    def _headcount(self) -> IntArray:
        return np.array([self.n_members(step) for step in (*range(1, self.funnel.n_steps), None)], dtype=np.int64)

    def _emptied(self) -> TimeToConvert:
        none = np.zeros(0, dtype=np.int64)
        return attrs.evolve(self, step=none, duration_us=none, members=none)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        whole, optional = _WORDS[lang]
        steps = range(1, self.funnel.n_steps)
        names = [self.funnel.names[step] + (optional if step in self.funnel.skippable else "") for step in steps]
        step, members, *times = self._tidy()
        return [
            attrs.evolve(step, values=np.array([*names, whole], dtype=object)),
            members,
            *(attrs.evolve(time, values=_told(time.values, lang), format="text") for time in times),
        ]

    def _tidy(self) -> Sequence[Column]:
        of = [self._of(step) for step in (*range(1, self.funnel.n_steps), None)]

        def quantiles(q: float) -> FloatArray:
            return np.array([weighted_quantile(self.duration_us[s], self.members[s], q) for s in of])

        bounds = [quantile_interval(self.duration_us[s], self.members[s], 0.5) for s in of]
        lower, upper = (np.array([float(bound[end]) for bound in bounds]) for end in (0, 1))

        def hours(key: str, en: str, zh: str, us: FloatArray) -> Column:
            return Column(key=key, en=en, zh=zh, values=frozen(us / _HOUR_US), format="number")

        names = np.array([*self.funnel.names[1:], None], dtype=object)
        return [
            Column(key="step", en="to", zh="到", values=names),
            Column(key="members", en="members", zh="人数", values=self._headcount(), format="count"),
            hours("p25", "p25", "25 分位", quantiles(0.25)),
            hours("median", "median", "中位数", quantiles(0.5)),
            hours("median_lower", "lower", "下限", lower),
            hours("median_upper", "upper", "上限", upper),
            hours("p75", "p75", "75 分位", quantiles(0.75)),
            hours("p90", "p90", "90 分位", quantiles(0.9)),
        ]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the steps and how many went the whole way."""
        return f"TimeToConvert({' → '.join(self.funnel.names)}, {self.n_members():,} members went the whole way)"


def _told(hours: FloatArray, lang: Lang) -> NDArray[Any]:
    """Return times in the unit that a reader would use."""
    told = [None if np.isnan(each) else _in_words(float(each) * 3600, lang) for each in hours]
    return np.array(told, dtype=object)


def _in_words(seconds: float, lang: Lang) -> str:
    for length, most, words in _UNITS:
        if seconds < most:
            return f"{seconds / length:.{0 if length == 1 else 1}f} {words[lang]}"
    return f"{seconds / 86_400:.1f} {_DAYS[lang]}"


@overload
def time_to_convert(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: None = None,
    bins: dt.timedelta | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> TimeToConvert: ...


@overload
def time_to_convert(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: Assignment | Mapping[Label, Label | None] | str,
    bins: dt.timedelta | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Breakdown[TimeToConvert]: ...


def time_to_convert(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    bins: dt.timedelta | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> TimeToConvert | Breakdown[TimeToConvert]:
    """Measure how long members took from each matched step to the next, and over the whole way.

    Parameters
    ----------
    log, funnel, by, start, end, maturity, observed_until, unknown_kinds
        As in `convert`.
    bins : timedelta, optional
        Round durations down to multiples of this, which bounds the size of the table. By default they are exact.

    Returns
    -------
    TimeToConvert, or Breakdown of them with `by`

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError, MisalignedError
        As in `convert`; `bins` is no duration longer than 0.

    See Also
    --------
    conversion_curve : Which counts those who have not got there yet.

    Notes
    -----
    Times are those of each member's witness (see `match`), and none is negative. They are of members who got there:
    without ``maturity="complete"`` fast ways are seen more often than slow ones. Where any order counts, the times are
    from the first row used to the second in time, from the second to the third, and so on.

    By a column, a member has a witness for each value they entered with: that of the attempts which begin with it.

    Quantiles are inverses of the empirical distribution, and intervals are distribution-free.

    References
    ----------
    W. J. Conover (1999), Practical Nonparametric Statistics, 3rd ed., section 3.2.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 5400], time_unit="s")
    >>> time_to_convert(log, Funnel(steps=("join", "post"), within=duration(days=1))).duration_us.tolist()
    [5400000000, 5400000000]

    Segment by segment:

    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "bo"], kind=["join", "post"] * 2, at=[0, 5400, 0, 600], time_unit="s"
    ... )
    >>> funnel = Funnel(steps=("join", "post"), within=duration(days=1))
    >>> by_tier = time_to_convert(log, funnel, by={"ann": "silver", "bo": "gold"})
    >>> {tier: times.quantile(0.5).in_minutes() for tier, times in by_tier.items()}
    {'silver': 90, 'gold': 10}
    """
    asked = Asked.of(
        log, funnel, start=start, end=end, maturity=maturity, observed_until=observed_until, unknown_kinds=unknown_kinds
    )
    bin_us = 1 if bins is None else elapsed_us("bins", bins, at_least=1)

    def found(keys: Keys) -> tuple[Found]:
        return (find_asked(asked, asked.eligible, keys),)

    return segmented(asked, log, by, found).tallied(partial(_times, funnel, bin_us))


def _times(funnel: Funnel, bin_us: int, found: Found) -> TimeToConvert:
    """Return the gaps of the witnesses of some groups."""
    at_us = np.where(found.places >= 0, found.at_us, _NONE)
    if funnel.order == "any":
        at_us = _in_time(at_us)
    last = np.maximum.accumulate(at_us, axis=1)  # the instant of the step matched last
    steps: list[IntArray] = []
    durations: list[IntArray] = []
    for step in range(1, funnel.n_steps):
        taken = at_us[:, step] != _NONE
        durations.append(at_us[taken, step] - last[taken, step - 1])
        steps.append(np.full(len(durations[-1]), step))
    complete = found.level == (funnel.n_steps if funnel.order == "any" else funnel.n_required)
    durations.append(last[complete, funnel.required[-1]] - at_us[complete, 0])
    steps.append(np.full(len(durations[-1]), funnel.n_steps))
    reached, duration_us = np.concatenate(steps), np.concatenate(durations)
    members = np.ones(len(reached), dtype=np.int64)
    return _tabulated(funnel, reached, duration_us // bin_us * bin_us, members, bin_us)


def _in_time(at_us: IntArray) -> IntArray:
    """Return the instants of each row in the order of time, those that are missing last."""
    late = np.iinfo(np.int64).max
    ordered = np.sort(np.where(at_us == _NONE, late, at_us), axis=1)
    return np.where(ordered == late, _NONE, ordered)


def _tabulated(funnel: Funnel, step: IntArray, duration_us: IntArray, members: IntArray, bin_us: int) -> TimeToConvert:
    """Add up the members of each step and duration."""
    order = np.lexsort((duration_us, step))
    step, duration_us, members = step[order], duration_us[order], members[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (step[1:] != step[:-1]) | (duration_us[1:] != duration_us[:-1])
    totals = np.add.reduceat(members, np.flatnonzero(new)) if len(order) else members
    return TimeToConvert(funnel=funnel, step=step[new], duration_us=duration_us[new], members=totals, bin_us=bin_us)

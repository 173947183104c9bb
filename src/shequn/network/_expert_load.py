"""Are the experts served well or worn out: how many requests reach each of them a day (牛人入群)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.network._concentration import ContributionShares, concentration
from shequn.network.load_hazard import LoadHazard
from shequn.stats._checks import counts, counts_column, instance, items_of, refuse, whole
from shequn.stats.distinct import each_once
from shequn.values import Calendar
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["ExpertLoad", "ExpertRow", "caps_of", "expert_index", "expert_load"]


def expert_load(
    log: EventLog,
    experts: Iterable[Label] | Index,
    /,
    *,
    cap: int | ArrayLike,
    tz: str | dt.tzinfo,
    kinds: Collection[str] | str = EventKind.ASK.value,
    unknown_kinds: UnknownKinds = "warn",
) -> ExpertLoad:
    """Count the requests that reach each expert on each local day, and how many exceed what was agreed.

    Parameters
    ----------
    log : EventLog
        With requests, ``member`` → ``target``. Its first and last rows tell which days were watched.
    experts : labels
        Whom to protect; each once.
    cap : int or array_like of int, shape (n_experts,)
        How many requests a day are fine, 1 or more.
    tz : str or tzinfo
        Zone of the days.
    kinds : collection of str, default "ask"
        Kinds of event that are requests.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    ExpertLoad
        Requests of each expert and day.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used.

    Notes
    -----
    A request counts if its target is an expert, and not who asks. A day is over the cap if it has more requests than
    the cap, and those beyond it are above the cap.

    The log need not know an expert: nobody asked them and they did nothing, so they stand in the table with 0 requests
    and among those never asked. A name that is spelt in another way than in the log looks the same.

    References
    ----------
    S1 §三(五), row C26 of the domain table.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "cy", "ann"], kind="ask", target=["wu"] * 4, at=[0, 1, 2, 90_000], time_unit="s"
    ... )
    >>> print(expert_load(log, ["wu", "li"], cap=2, tz="UTC"))
    expert  cap  requests  days asked  busiest day  days over  above the cap
    ────────────────────────────────────────────────────────────────────────
    wu        2         4           2            3          1              1
    li        2         0           0            0          0              0
    2 days; 25.0% of 4 requests above the cap; 1 of 2 experts never asked; Gini 0.50
    """
    instance("log", log, EventLog, expected="an EventLog")
    named = expert_index(experts)
    caps = caps_of(cap, len(named))
    days = Calendar.of("day", tz=tz)
    is_request = of_kinds(log, kinds, unknown_kinds=unknown_kinds)[log.kind_codes]
    none = np.zeros(0, dtype=np.int64)
    if not len(log):
        return ExpertLoad(experts=named, cap=caps, expert=none, day=none, requests=none, calendar=days)
    first, last = (days.index_one(int(at)) for at in (log.at_us.min(), log.at_us.max()))
    if log.target is None:
        expert = day = number = none
    else:
        place = np.append(named.places_of(log.target.index), -1)[log.target.codes].astype(np.int64)
        asks = named.places_of(log.members)[log.member_codes]
        rows = np.flatnonzero(is_request & (place >= 0) & (place != asks))
        span = last - first + 1
        key, number = np.unique(
            place[rows] * span + (days.index(log.at_us[rows]).astype(np.int64) - first), return_counts=True
        )
        expert, day = np.divmod(key, span)
    return ExpertLoad(
        experts=named,
        cap=caps,
        expert=expert,
        day=day + first,
        requests=number,
        first_day=first,
        n_days=last - first + 1,
        calendar=days,
    )


def expert_index(experts: Iterable[Label] | Index, /) -> Index:
    """Return an index of experts, each named once.

    Examples
    --------
    >>> expert_index(["wu", "li"])
    Index(['wu', 'li'])
    """
    if isinstance(experts, Index):
        return experts
    named = items_of("experts", experts, expected="labels of experts")
    return Index(named, argument="experts")


def caps_of(cap: int | ArrayLike, n: int, /) -> IntArray:
    """Return how much each of n experts can bear, shape (n,), read-only.

    Examples
    --------
    >>> caps_of(3, 2).tolist()
    [3, 3]
    """
    given = counts("cap", cap)
    if given.ndim and given.shape != (n,):
        expected = f"one number, or one for each of the {n} experts"
        raise MisalignedError(message("cap", expected, f"an array of shape {given.shape}"))
    if (given < 1).any():
        refuse("cap", "at least 1 request a day", given, given < 1)
    return frozen(np.broadcast_to(given, (n,)).copy())


class ExpertRow(NamedTuple):
    """One expert; the names are those of `ExpertLoad`.

    Examples
    --------
    >>> ExpertRow("wu", 2, 4, 2, 3, 1, 1).above
    1
    """

    expert: Label
    cap: int
    total: int
    days_asked: int
    busiest: int
    days_over: int
    above: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ExpertLoad(Tabular[ExpertRow]):
    """How many requests reached each expert on each day, beside their cap; made by `expert_load`.

    Parameters
    ----------
    experts : Index
        The n experts.
    cap : ndarray of int64, shape (n,)
        How many requests a day each can bear.
    expert, day, requests : ndarray of int64, shape (m,)
        Code of an expert, number of a day by `calendar`, and their requests on it, more than 0; in order of expert and
        day.
    calendar : Calendar
        Of local days.
    first_day, n_days : int
        The days that were watched.

    Examples
    --------
    >>> load = ExpertLoad(
    ...     experts=Index(["wu", "li"]), cap=[2, 2], expert=[0, 0], day=[0, 1], requests=[3, 1], n_days=2,
    ...     calendar=Calendar.of("day", tz="UTC"),
    ... )
    >>> load, load.total.tolist(), load.quiet.tolist(), load.above.tolist()
    (ExpertLoad(2 experts, 4 requests in 2 days), [4, 0], [False, True], [1, 0])
    """

    experts: Index
    cap: IntArray
    expert: IntArray
    day: IntArray
    requests: IntArray
    calendar: Calendar
    first_day: int = 0
    n_days: int = 0

    _Row: ClassVar[type[Any] | None] = ExpertRow

    def __attrs_post_init__(self) -> None:
        """Check that each expert and day stands once, within what was watched."""
        instance("experts", self.experts, Index, expected="an Index")
        instance("calendar", self.calendar, Calendar, expected="a Calendar")
        object.__setattr__(self, "cap", caps_of(self.cap, len(self.experts)))
        for name, least in (("expert", 0), ("day", -(2**31)), ("requests", 0)):
            given = counts_column(name, getattr(self, name), (-1,), of="each day of an expert", least=least)
            object.__setattr__(self, name, given)
        for name in ("day", "requests"):
            values = getattr(self, name)
            if values.shape != self.expert.shape:
                expected = f"as many as experts' days, {self.expert.size}"
                raise MisalignedError(message(name, expected, f"an array of shape {values.shape}"))
        if whole("n_days", self.n_days) < 0:
            raise InvalidValueError(message("n_days", "0 or more", self.n_days))
        bad = (self.expert < 0) | (self.expert >= len(self.experts))
        if bad.any():
            refuse("expert", f"codes in [0, {len(self.experts)})", self.expert, bad)
        day = self.day - whole("first_day", self.first_day)
        bad = (day < 0) | (day >= self.n_days)
        if bad.any():
            refuse("day", f"one of the {self.n_days} days from {self.first_day} on", self.day, bad)
        key = self.expert * max(self.n_days, 1) + day
        bad = np.concatenate([np.zeros(min(len(key), 1), dtype=np.bool_), key[1:] <= key[:-1]])
        if bad.any():
            refuse("day", "each day of an expert once, in order", self.day, bad)
        if (self.requests < 1).any():
            refuse("requests", "at least 1", self.requests, self.requests < 1)

    def __len__(self) -> int:
        """Return the number of experts."""
        return len(self.experts)

    # ── of each expert ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def total(self) -> IntArray:
        """Requests of each expert, shape (n,)."""
        return self._summed(self.requests)

    @property
    def days_asked(self) -> IntArray:
        """Days on which each was asked, shape (n,)."""
        return self._summed(np.ones(len(self.expert), dtype=np.int64))

    @property
    def busiest(self) -> IntArray:
        """Requests on the busiest day of each, shape (n,)."""
        most = np.zeros(len(self), dtype=np.int64)
        np.maximum.at(most, self.expert, self.requests)
        return frozen(most)

    @property
    def days_over(self) -> IntArray:
        """Days on which each had more requests than the cap, shape (n,)."""
        return self._summed((self._excess() > 0).astype(np.int64))

    @property
    def above(self) -> IntArray:
        """Requests of each beyond the cap of their day, shape (n,)."""
        return self._summed(self._excess())

    @property
    def quiet(self) -> BoolArray:
        """Who was never asked, shape (n,)."""
        return frozen(self.total == 0)

    def _excess(self) -> IntArray:
        excess: IntArray = np.maximum(self.requests - self.cap[self.expert], 0)
        return excess

    def _summed(self, values: IntArray) -> IntArray:
        sums = np.zeros(len(self), dtype=np.int64)
        np.add.at(sums, self.expert, values)
        return frozen(sums)

    # ── of all ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def above_share(self) -> float:
        """Share of requests beyond the cap of their expert's day; NaN without requests."""
        asked = int(self.requests.sum())
        return int(self._excess().sum()) / asked if asked else float("nan")

    @property
    def shares(self) -> ContributionShares:
        """How unevenly requests are spread over experts, those never asked included."""
        return concentration(self.total)

    def hazard(
        self,
        log: EventLog,
        /,
        *,
        idle_weeks: int = 4,
        kinds: Collection[str] | str | None = None,
        observed_until: dt.datetime | None = None,
        unknown_kinds: UnknownKinds = "warn",
    ) -> LoadHazard:
        """Tell whether experts evaporate (蒸发) more often after weeks in which they were asked too much.

        Parameters
        ----------
        log : EventLog
            With what the experts did.
        idle_weeks : int, default 4
            An expert has evaporated who does nothing in so many weeks after an active one.
        kinds : collection of str, optional
            Kinds that count as doing something; by default all that are activity.
        observed_until : aware datetime, optional
            Up to when the log is complete; by default its last row.
        unknown_kinds : {"warn", "ignore", "raise"}
            What to do about a kind that the log does not know.

        Returns
        -------
        LoadHazard
            Active weeks of experts, with a day over the cap and without, and after how many they evaporated.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            An argument can't be used.

        Notes
        -----
        Weeks are local ones from Monday to Sunday. A week of an expert counts if they were active in it and the weeks
        in which they would have to come back had all ended by `observed_until`. As in a life table, the weeks of one
        expert are taken for independent. That those who are asked most differ from others in more than their load is
        not made up for.

        Examples
        --------
        >>> week = 7 * 86_400
        >>> log = EventLog.from_columns(
        ...     member=["wu", "ann", "bo", "li", "li"], kind=["post", "ask", "ask", "post", "post"],
        ...     target=[None, "wu", "wu", None, None], at=[0, 1, 2, 3, 3 * week], time_unit="s",
        ... )
        >>> load = expert_load(log, ["wu", "li"], cap=1, tz="UTC")
        >>> print(load.hazard(log, idle_weeks=2))
        weeks                weeks  evaporated  hazard  lower   upper
        ─────────────────────────────────────────────────────────────
        with a day over cap      1           1  100.0%  20.7%  100.0%
        without                  1           1  100.0%  20.7%  100.0%
        2 weeks of silence; difference 0.0% (-79.3% to 79.3%)
        """
        instance("log", log, EventLog, expected="an EventLog")
        idle = whole("idle_weeks", idle_weeks)
        if idle < 1:
            raise InvalidValueError(message("idle_weeks", "at least 1", idle_weeks))
        weeks = Calendar.of("week", tz=self.calendar.tz)
        is_active = of_kinds(log, kinds, unknown_kinds=unknown_kinds)[log.kind_codes]
        until = (
            int(log.at_us.max(initial=0))
            if observed_until is None
            else instant_us(observed_until, argument="observed_until")
        )
        who = self.experts.places_of(log.members)[log.member_codes].astype(np.int64)
        rows = np.flatnonzero(is_active & (who >= 0))
        if not len(rows):
            return LoadHazard(weeks=[0, 0], evaporated=[0, 0], idle_weeks=idle)
        week = weeks.index(log.at_us[rows]).astype(np.int64)
        least = int(week.min())
        span = int(week.max()) - least + idle + 2
        active = each_once(who[rows] * span + (week - least))
        after = np.append(active[1:], np.iinfo(np.int64).max) - active
        evaporated = after > idle
        # The last week in which they could come back has to be over.
        judged = weeks.end_us(active % span + least + idle) <= until
        over = np.isin(active, self._weeks_over(weeks, least, span))
        return LoadHazard(
            weeks=[int((judged & over).sum()), int((judged & ~over).sum())],
            evaporated=[int((judged & over & evaporated).sum()), int((judged & ~over & evaporated).sum())],
            idle_weeks=idle,
        )

    def _weeks_over(self, weeks: Calendar, least: int, span: int) -> IntArray:
        """Return expert × span + week of each week that has a day over the cap."""
        days = np.flatnonzero(self._excess() > 0)
        week = weeks.index(self.calendar.start_us(self.day[days])).astype(np.int64) - least
        fits = (week >= 0) & (week < span)
        return self.expert[days[fits]] * span + week[fits]

    # ── as a table ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        numbers = {
            "cap": ("cap", "每日上限", self.cap),
            "total": ("requests", "求助数", self.total),
            "days_asked": ("days asked", "被问天数", self.days_asked),
            "busiest": ("busiest day", "最忙一天", self.busiest),
            "days_over": ("days over", "超限天数", self.days_over),
            "above": ("above the cap", "超限求助", self.above),
        }
        return [
            Column(key="expert", en="expert", zh="牛人", values=self.experts.labels),
            *(
                Column(key=key, en=en, zh=zh, values=values, format="count")
                for key, (en, zh, values) in numbers.items()
            ),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        asked, quiet, n = int(self.requests.sum()), int(self.quiet.sum()), len(self)
        if lang == "zh":
            if not asked:
                return (f"{self.n_days:,} 天；{n:,} 位牛人，无求助",)
            return (
                f"{self.n_days:,} 天；{asked:,} 次求助中 {self.above_share:.1%} 超限；"
                f"{n:,} 位牛人中 {quiet:,} 位从未被问；基尼系数 {self.shares.gini:.2f}",
            )
        days, experts = counted(self.n_days, "day"), counted(n, "expert")
        if not asked:
            return (f"{days}; {experts}, no requests",)
        return (
            f"{days}; {self.above_share:.1%} of {counted(asked, 'request')} above the cap; "
            f"{quiet:,} of {experts} never asked; Gini {self.shares.gini:.2f}",
        )

    def __repr__(self) -> str:
        """Show how many experts, requests and days there are."""
        experts, asked = counted(len(self), "expert"), counted(int(self.requests.sum()), "request")
        return f"ExpertLoad({experts}, {asked} in {counted(self.n_days, 'day')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

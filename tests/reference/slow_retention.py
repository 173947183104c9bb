"""Retention by its definitions, slowly: dicts, sets, `datetime` and `zoneinfo`, one member and one period at a time.

Nothing here imports the library. Every rule is written as the definition says it, so that a reader can check this file
against the definitions and a test can check the library against this file. At its end, the random communities that
the tests try it on.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
WALL_EPOCH = EPOCH.replace(tzinfo=None)
DAY_US = 86_400_000_000
PASSIVE = {"receive", "leave", "remove", "mute", "role"}


class Row(NamedTuple):
    member: str | int
    kind: str
    at: int  # microseconds since 1970 UTC
    group: str | None = None
    channel: str | None = None


class SlowCalendar(NamedTuple):
    """Periods on the wall clock of a zone; numbers count periods from the one that holds 1970-01-01 or the anchor."""

    unit: str
    tz: str
    n: int = 1
    week_start: str = "monday"
    anchor: dt.date = dt.date(1970, 1, 1)

    def number(self, at: int) -> int:
        return _number(self, at)

    def number_of_date(self, day: dt.date) -> int:
        return self._units(dt.datetime.combine(day, dt.time())) // self.n

    def label(self, number: int) -> dt.date:
        """Return the local start date of a period, of hours the naive local time."""
        units = number * self.n + self._unit_number(dt.datetime.combine(self.anchor, dt.time()))
        if self.unit == "hour":
            return WALL_EPOCH + dt.timedelta(hours=units)
        if self.unit == "day":
            return dt.date(1970, 1, 1) + dt.timedelta(days=units)
        if self.unit == "week":
            return self._first_week() + dt.timedelta(weeks=units)
        months = units * {"month": 1, "quarter": 3, "year": 12}[self.unit]
        return dt.date(1970 + months // 12, months % 12 + 1, 1)

    def start(self, number: int) -> int:
        """Return the first instant at which the wall clock shows the start of the period or later, to the minute."""
        return _start(self, number)

    def length(self) -> int:
        return self.n * {"hour": DAY_US // 24, "day": DAY_US, "week": 7 * DAY_US}[self.unit]

    def last(self, until: int) -> int:
        """Return the latest period that an instant before `until` fell into."""
        return _latest_before(self, until)

    def is_complete(self, number: int, until: int) -> bool:
        """Whether no instant from `until` on falls into the period or an earlier one.

        Clocks are set back by less than a day, so two days of minutes after `until` see the earliest period to come.
        """
        return number < _earliest_from(self, until)

    def has_time(self, number: int) -> bool:
        """Whether the clocks ever showed a minute of the period: a zone may have skipped an hour, or a day."""
        return self.unit not in ("hour", "day") or _has_time(self, number)

    def _units(self, wall: dt.datetime) -> int:
        return self._unit_number(wall) - self._unit_number(dt.datetime.combine(self.anchor, dt.time()))

    def _unit_number(self, wall: dt.datetime) -> int:
        since = wall - WALL_EPOCH
        if self.unit == "hour":
            return since // dt.timedelta(hours=1)
        if self.unit == "day":
            return since // dt.timedelta(days=1)
        if self.unit == "week":
            return (wall.date() - self._first_week()) // dt.timedelta(weeks=1)
        months = (wall.year - 1970) * 12 + wall.month - 1
        return months // {"month": 1, "quarter": 3, "year": 12}[self.unit]

    def _first_week(self) -> dt.date:
        return dt.date(1969, 12, 29) if self.week_start == "monday" else dt.date(1969, 12, 28)


@lru_cache(maxsize=1 << 14)
def _number(calendar: SlowCalendar, at: int) -> int:
    local = (EPOCH + dt.timedelta(microseconds=at)).astimezone(ZoneInfo(calendar.tz))
    return calendar._units(local.replace(tzinfo=None)) // calendar.n


@lru_cache(maxsize=1 << 14)
def _has_time(calendar: SlowCalendar, number: int) -> bool:
    label, zone = calendar.label(number), ZoneInfo(calendar.tz)
    start = label if isinstance(label, dt.datetime) else dt.datetime.combine(label, dt.time())
    walls = [start + dt.timedelta(minutes=m) for m in range(0, calendar.length() // 60_000_000, 5)]
    there_and_back = [wall.replace(tzinfo=zone).astimezone(dt.UTC).astimezone(zone) for wall in walls]
    return any(wall == back.replace(tzinfo=None) for wall, back in zip(walls, there_and_back, strict=True))


@lru_cache(maxsize=1 << 14)
def _start(calendar: SlowCalendar, number: int) -> int:
    label = calendar.label(number)
    wall = label if calendar.unit == "hour" else dt.datetime.combine(label, dt.time())
    near = (wall - WALL_EPOCH) // dt.timedelta(microseconds=1)
    minutes = range(near - DAY_US, near + 2 * DAY_US, 60_000_000)
    return next(at for at in minutes if _number.__wrapped__(calendar, at) >= number)


@lru_cache(maxsize=1 << 14)
def _latest_before(calendar: SlowCalendar, until: int) -> int:
    minute = 60_000_000
    last_minute = until // minute * minute - minute
    uncached = _number.__wrapped__
    return max(uncached(calendar, at) for at in (until - 1, *range(last_minute, last_minute - 2 * DAY_US, -minute)))


@lru_cache(maxsize=1 << 14)
def _earliest_from(calendar: SlowCalendar, until: int) -> int:
    minute = 60_000_000
    next_minute = -(-until // minute) * minute
    uncached = _number.__wrapped__
    return min(uncached(calendar, at) for at in (until, *range(next_minute, next_minute + 2 * DAY_US, minute)))


def resolution(rows: list[Row]) -> int:
    """Return the coarsest of second, millisecond and microsecond that all instants are multiples of."""
    return next(step for step in (1_000_000, 1_000, 1) if all(row.at % step == 0 for row in rows))


def end_of_observation(rows: list[Row], observed_until: int | None) -> int | None:
    """Return the given end, else one resolution after the last row; None where there is neither."""
    if observed_until is not None:
        return observed_until
    return max(row.at for row in rows) + resolution(rows) if rows else None


def is_active(kind: str, kinds: set[str] | None) -> bool:
    return kind not in PASSIVE if kinds is None else kind in kinds


# --- presence --------------------------------------------------------------------------------------------------------


def active_periods(
    rows: list[Row], calendar: SlowCalendar, *, kinds: set[str] | None = None, observed_until: int | None = None
) -> dict[str | int, set[int]]:
    """Return the periods that each member was active in; members never active have an empty set."""
    until = end_of_observation(rows, observed_until)
    found: dict[str | int, set[int]] = {row.member: set() for row in rows}
    for row in rows:
        if row.at < until and is_active(row.kind, kinds):
            found[row.member].add(calendar.number(row.at))
    return found


# --- membership ------------------------------------------------------------------------------------------------------


class Fact(NamedTuple):
    period: int
    group: str | None
    is_join: bool


def facts_of(
    rows: list[Row], calendar: SlowCalendar, *, join: set[str], leave: set[str], until: int
) -> dict[str | int, list[Fact]]:
    """Return each member's membership facts by instant, those of one instant in the order of the rows.

    Where clocks go back over midnight an earlier day comes twice; what happens then counts in the later one.
    """
    facts = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.at):
        if row.at < until and row.kind in join | leave:
            period = max([calendar.number(row.at), *(fact.period for fact in facts[row.member])])
            facts[row.member].append(Fact(period, row.group, row.kind in join))
    return facts


def groups_inside(facts: list[Fact]) -> set[str | None]:
    """Return the groups a member is in after the facts; no group is a group of its own."""
    groups: set[str | None] = set()
    for fact in facts:
        groups = groups | {fact.group} if fact.is_join else groups - {fact.group}
    return groups


# --- the ledger ------------------------------------------------------------------------------------------------------


def ledger(
    rows: list[Row],
    calendar: SlowCalendar,
    *,
    basis: str = "activity",
    grace: int = 0,
    kinds: set[str] | None = None,
    join: set[str] = frozenset({"join"}),
    leave: set[str] = frozenset({"leave", "remove"}),
    start: int | None = None,
    observed_until: int | None = None,
    axis: range | None = None,
    facts_from: list[Row] | None = None,
) -> dict[str, list]:
    """Return every column of the ledger, a value a period.

    `facts_from` are the rows that tell who joined and left, where those are not `rows`: a member in a channel is inside
    while the member is, wherever the join was noted.
    """
    until = end_of_observation(rows, observed_until)
    if until is None:
        return {name: [] for name in LEDGER_COLUMNS}
    active = active_periods(rows, calendar, kinds=kinds, observed_until=until)
    facts = facts_of(rows if facts_from is None else facts_from, calendar, join=join, leave=leave, until=until)
    members = sorted({row.member for row in rows}, key=str)

    if basis == "activity":
        first = {m: min(active[m]) for m in members if active[m]}
    else:
        first = {m: min(f.period for f in facts[m] if f.is_join) for m in members if any(f.is_join for f in facts[m])}
    if axis is None:
        axis = ledger_axis(calendar, basis, active, facts, start=start, until=until)

    def is_inside(member, p):
        so_far = [fact for fact in facts[member] if fact.period <= p]
        was_active = any(q <= p for q in active[member])
        if facts_from is not None and not was_active:
            return False
        if so_far:
            return bool(groups_inside(so_far))
        return basis == "activity" and was_active

    def is_present(member, p):
        if basis == "membership":
            return is_inside(member, p)
        return any(q in active[member] for q in range(p - grace, p + 1))

    table = {name: [] for name in LEDGER_COLUMNS}
    for p in axis:
        now = {m for m in members if is_present(m, p)}
        earlier = {m for m in members if is_present(m, p - 1)}
        inside = {m for m in members if is_inside(m, p)}
        joined = {m for m in now if first[m] == p}
        revived = now - earlier - joined
        gone = earlier - now
        turnover, ignored = turnover_and_ignored(facts, p) if basis == "membership" else (0, 0)
        complete = calendar.is_complete(p, until)
        counts = {
            "opening": len(earlier),
            "joined": len(joined),
            "revived": len(revived),
            "flow": len(joined) + len(revived),
            "stayed": len(now & earlier),
            "evaporated": len(gone),
            "left": len(gone - inside),
            "silent": len(gone & inside),
            "retained": len(now),
            "inside": len(inside),
            "dormant": len(inside - now),
            "turnover": turnover,
            "ignored": ignored,
        }
        has_rates = complete and calendar.has_time(p)
        rates = ledger_rates(counts) if has_rates else dict.fromkeys(LEDGER_RATES, math.nan)
        for name, value in {"period": calendar.label(p), "complete": complete, **counts, **rates}.items():
            table[name].append(value)
    return table


LEDGER_RATES = ("evaporation_rate", "quick_ratio", "net_growth", "half_life")
LEDGER_COUNTS = (
    "opening",
    "joined",
    "revived",
    "flow",
    "stayed",
    "evaporated",
    "left",
    "silent",
    "retained",
    "inside",
    "dormant",
    "turnover",
    "ignored",
)
LEDGER_COLUMNS = ("period", *LEDGER_COUNTS, "complete", *LEDGER_RATES)


def ledger_axis(calendar, basis, active, facts, *, start, until) -> range:
    """Return the periods of a ledger: from the first that holds anything, or `start`, to the last observed one."""
    held = [fact.period for of_member in facts.values() for fact in of_member]
    if basis == "activity":
        held += [p for periods in active.values() for p in periods]
    if not held and start is None:
        return range(0)
    low = min(held) if start is None else calendar.number(start)
    return range(low, calendar.last(until) + 1)


def ledger_rates(counts: dict[str, int]) -> dict[str, float]:
    opening, evaporated = counts["opening"], counts["evaporated"]
    rate = evaporated / opening if opening else math.nan
    if math.isnan(rate):
        half_life = math.nan
    elif rate == 0:
        half_life = math.inf
    elif rate == 1:
        half_life = 0.0
    else:
        half_life = math.log(2) / -math.log1p(-rate)
    return {
        "evaporation_rate": rate,
        "quick_ratio": counts["flow"] / evaporated if evaporated else math.nan,
        "net_growth": (counts["retained"] - opening) / opening if opening else math.nan,
        "half_life": half_life,
    }


def turnover_and_ignored(facts: dict[str | int, list[Fact]], p: int) -> tuple[int, int]:
    """Count, in one period, the pairs of coming into and going out of the community, and the facts that did nothing."""
    turnover = ignored = 0
    for of_member in facts.values():
        groups: set[str | None] = set()
        changes = Counter()
        for fact in of_member:
            after = groups | {fact.group} if fact.is_join else groups - {fact.group}
            if fact.period == p:
                ignored += after == groups
                changes["came"] += not groups and bool(after)
                changes["went"] += bool(groups) and not after
            groups = after
        turnover += min(changes["came"], changes["went"])
    return turnover, ignored


# --- cohorts ---------------------------------------------------------------------------------------------------------


class Start(NamedTuple):
    """One member's start: in which period, and at which instant."""

    member: str | int
    period: int
    at: int


def starts_of(
    rows: list[Row], calendar: SlowCalendar, *, anchor: str, clock: str, start: int | None, end: int | None
) -> list[Start]:
    """Return who began when; a recurring anchor gives a member one start for each active period.

    The range is one of instants on the elapsed clock, and of whole periods on the calendar clock.
    """

    def is_in_range(at: int) -> bool:
        if clock == "elapsed":
            return (start is None or start <= at) and (end is None or at < end)
        p = calendar.number(at)
        return (start is None or calendar.number(start) <= p) and (end is None or p <= calendar.last(end))

    def order(at: int) -> tuple[int, int]:
        return (calendar.number(at) if clock == "calendar" else 0, at)

    found = []
    for member in sorted({row.member for row in rows}, key=str):
        own = sorted((row.at for row in rows if row.member == member), key=order)
        in_range = [at for at in own if is_in_range(at)]
        if anchor == "recurring":
            found += [Start(member, p, -1) for p in sorted({calendar.number(at) for at in in_range})]
        elif in_range and (anchor == "first_in_range" or in_range[0] == own[0]):
            found.append(Start(member, calendar.number(in_range[0]), in_range[0]))
    return found


def cohorts(
    rows: list[Row],
    calendar: SlowCalendar,
    *,
    anchor: str = "first_ever",
    mode: str = "on",
    clock: str = "calendar",
    brackets: tuple[tuple[int, int], ...] = (),
    max_offset: int | None = None,
    min_occurrences: int = 1,
    kinds: set[str] | None = None,
    anchor_kinds: set[str] | None = None,
    start: int | None = None,
    end: int | None = None,
    observed_until: int | None = None,
) -> dict[str, object]:
    """Return cohort labels, sizes, and counts and eligible as dicts by (cohort label, first offset of the column)."""
    until = end_of_observation(rows, observed_until)
    seen = [row for row in rows if until is not None and row.at < until]
    returns = [row for row in seen if is_active(row.kind, kinds)]
    anchors = [row for row in seen if is_active(row.kind, kinds if anchor_kinds is None else anchor_kinds)]
    starts = starts_of(anchors, calendar, anchor=anchor, clock=clock, start=start, end=end)

    def age(own: Start, at: int) -> int:
        return calendar.number(at) - own.period if clock == "calendar" else (at - own.at) // calendar.length()

    def is_observed(own: Start, offset: int) -> bool:
        if clock == "calendar":
            return calendar.is_complete(own.period + offset, until)
        return own.at + (offset + 1) * calendar.length() <= until

    if mode == "brackets":
        columns = list(brackets)
    else:
        # As for a member who began when the first cohort did.
        if clock == "calendar":
            ages = [calendar.last(until) - own.period for own in starts]
        else:
            ages = [(until - 1 - calendar.start(own.period)) // calendar.length() for own in starts]
        n_columns = max(*ages, 0) + 1 if ages else 0
        columns = [(offset, offset) for offset in range(n_columns) if max_offset is None or offset <= max_offset]

    sizes = Counter(calendar.label(own.period) for own in starts)
    counts: Counter = Counter()
    eligible: Counter = Counter()
    for own in starts:
        ages = [age(own, row.at) for row in returns if row.member == own.member]
        for first, last in columns:
            if not is_observed(own, last):
                continue
            cell = calendar.label(own.period), first
            eligible[cell] += 1
            hits = sum(a >= first and (mode == "on_or_after" or a <= last) for a in ages)
            is_the_cohort_itself = first == 0 and mode != "brackets"
            counts[cell] += is_the_cohort_itself or hits >= min_occurrences
    return {"sizes": sizes, "columns": columns, "counts": counts, "eligible": eligible}


# --- random communities ----------------------------------------------------------------------------------------------

KINDS = ("post", "reply", "join", "leave", "remove", "receive", "role")
GROUPS = (None, "g1", "g2")
CHANNELS = (None, "douyin", "weibo")

# Instants at which something happens to the clock of the zone.
MOMENTS = (
    ("UTC", "2024-02-29T00:00Z"),
    ("Asia/Shanghai", "1988-04-16T18:00Z"),  # summer time began, as in no year after 1991
    ("Asia/Shanghai", "2023-12-31T16:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00Z"),  # 00:00 was skipped
    ("America/Sao_Paulo", "2018-02-18T02:00Z"),  # 23:00 came twice
    ("Australia/Lord_Howe", "2024-04-06T15:00Z"),  # back by half an hour
    ("Australia/Lord_Howe", "2024-10-05T15:30Z"),
    ("Europe/Berlin", "2024-10-27T01:00Z"),
    ("America/St_Johns", "2010-11-07T02:30Z"),  # midnight, and a minute later back over it
    ("Pacific/Apia", "2011-12-30T10:00Z"),  # a day was skipped
)
UNIT_US = {
    "hour": DAY_US // 24,
    "day": DAY_US,
    "week": 7 * DAY_US,
    "month": 30 * DAY_US,
    "quarter": 91 * DAY_US,
    "year": 365 * DAY_US,
}
CLOCK_UNITS = ("hour", "day", "week")


class Community(NamedTuple):
    """Rows, the periods to count them in, and instants worth asking about."""

    rows: list[Row]
    calendar: SlowCalendar
    instants: tuple[int, ...]


@st.composite
def calendars_and_moments(draw, units=tuple(UNIT_US)):
    tz, instant = draw(st.sampled_from(MOMENTS))
    unit = draw(st.sampled_from(units))
    n = draw(st.sampled_from((1, 1, 1, 2, 3)))
    week_start = draw(st.sampled_from(("monday", "sunday"))) if unit == "week" else "monday"
    anchor = draw(st.dates(dt.date(1969, 1, 1), dt.date(2024, 12, 31))) if n > 1 else dt.date(1970, 1, 1)
    moment = (dt.datetime.fromisoformat(instant) - EPOCH) // dt.timedelta(microseconds=1)
    return SlowCalendar(unit, tz, n, week_start, anchor), moment


@st.composite
def communities(draw, units=tuple(UNIT_US), max_rows=24, kinds=KINDS):
    """Draw a few members over a few periods, many of them at the same instants and on the edges of periods."""
    calendar, moment = draw(calendars_and_moments(units))
    step = UNIT_US[calendar.unit] * calendar.n // draw(st.sampled_from((1, 2, 5)))
    fine = draw(st.sampled_from((1_000_000, 1_000, 1)))

    def at(tick: int, jitter: int) -> int:
        return moment + tick * step + jitter * fine

    ticks = st.integers(-8, 8)
    jitters = st.sampled_from((-1, 0, 0, 0, 1, 60))
    rows = draw(
        st.lists(
            st.builds(
                lambda member, kind, tick, jitter, group, channel: Row(member, kind, at(tick, jitter), group, channel),
                st.sampled_from("abcde"),
                st.sampled_from(kinds),
                ticks,
                jitters,
                st.sampled_from(GROUPS),
                st.sampled_from(CHANNELS),
            ),
            max_size=max_rows,
        )
    )
    instants = draw(st.tuples(*[st.builds(at, st.integers(-11, 12), jitters)] * 3))
    return Community(rows, calendar, instants)

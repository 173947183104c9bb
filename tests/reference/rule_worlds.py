"""Random rules for random communities: little is known of members, rows stand on edges of windows, clocks go back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st
from tests.reference.slow_rules import DAY_US, EPOCH, Fact, Person, Tree

from shequn.columns import EventLog, Roster
from shequn.labels import Assignment

if TYPE_CHECKING:
    from shequn.entities import Event

NEW_YORK = ZoneInfo("America/New_York")
KINDS = ["post", "purchase", "like", "receive", "leave"]
CITIES = ["上海", "北京", "x')"]
TIERS = ["silver", "gold", "black"]
GRADES = [3, 1, 2]  # ordered, and not as numbers are
CLUBS = [70, 5, -(2**62)]
TAGS = ["tea", "hiking", "baking"]
LUCKY = [7, 13]
SPANS = [0, 1, 3_600_000_000, DAY_US, 7 * DAY_US, 30 * DAY_US]
# Half past one strikes twice on that night; two readings of one clock are an hour apart.
AS_OFS = [
    datetime(2024, 11, 3, 1, 30, tzinfo=NEW_YORK, fold=0),
    datetime(2024, 11, 3, 1, 30, tzinfo=NEW_YORK, fold=1),
    datetime(2024, 3, 10, 3, 0, tzinfo=NEW_YORK),
    datetime(2024, 5, 1, tzinfo=UTC),
]


def us_of(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


@dataclass
class World:
    """A community as columns, and the same as people; `rows` is the log line by line."""

    as_of: datetime
    roster: Roster
    log: EventLog
    rows: list[dict[str, Any]]
    people: list[Person]

    @property
    def as_of_us(self) -> int:
        return us_of(self.as_of)

    def histories(self) -> list[list[Event]]:
        """The rows of each member of the roster as records."""
        events = list(self.log.to_events())
        return [[event for event in events if event.member == member] for member in self.roster.members]


def instants(as_of: int) -> st.SearchStrategy[int]:
    """On the edges of the windows that rules ask about, a microsecond beside them, and about the two clock changes."""
    edges = [as_of - one - other for one in SPANS for other in SPANS]
    edges += [us_of(instant) for instant in AS_OFS]
    return st.builds(lambda edge, beside: edge + beside, st.sampled_from(edges), st.sampled_from([0, 0, 0, -1, 1]))


maybe_ints = st.none() | st.integers(-3, 40)
floats = st.sampled_from([0.1, 0.2, 0.3, 0.5, 2.0, -0.0, 1e16, -1e16, 1.0, math.inf, -math.inf, 2.0**53])
big_ints = st.sampled_from([2**53 + 1, 2**53, -(2**55) - 1])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    as_of = draw(st.sampled_from(AS_OFS))
    at_us = instants(us_of(as_of))
    everybody: list[Any] = draw(st.sampled_from([["ann", "bo", "cy", "dee", "eve"], [9, 4, 7, 2**62, -5]]))
    members = draw(st.lists(st.sampled_from(everybody), unique=True, max_size=4))

    def column(values: st.SearchStrategy[Any], n: int = len(members)) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    def labels(names: list[Any]) -> list[Any]:
        return column(st.none() | st.sampled_from(names))

    known = {
        "age": column(maybe_ints),
        "score": column(floats | st.none()),
        "points": column(st.integers(-3, 3) | big_ints),
        "city": labels(CITIES),
        "tier": labels(TIERS),
        "grade": labels(GRADES),
        "club": labels(CLUBS),
        "joined": column(st.none() | at_us),
    }
    tags = {"interests": column(st.sets(st.sampled_from(TAGS))), "lucky": column(st.sets(st.sampled_from(LUCKY)))}
    roster = Roster.from_columns(
        member=members,
        joined=np.array([-(2**63) if us is None else us for us in known["joined"]], dtype="M8[us]"),
        at_tz="UTC",
        fields={
            "age": np.array([math.nan if age is None else age for age in known["age"]], dtype=np.float64),
            "score": np.array([math.nan if score is None else score for score in known["score"]], dtype=np.float64),
            "points": np.array(known["points"], dtype=np.int64),
            **{
                name: Assignment.from_labels(members, known[name], segments=names, ordered=name != "club")
                for name, names in (("tier", TIERS), ("grade", GRADES), ("club", CLUBS))
            },
            "city": known["city"],
        },
        tags=tags,
    )
    rows = draw(log_rows(everybody, at_us))
    people = [
        Person(
            known={name: values[place] for name, values in known.items()} | {"member": member},
            orders={"tier": TIERS, "grade": GRADES},
            tags={name: sets[place] for name, sets in tags.items()},
            rows=[line for line in rows if line["member"] == member],
        )
        for place, member in enumerate(members)
    ]
    return World(as_of, roster, log_of(rows), rows, people)


@st.composite
def log_rows(draw: st.DrawFn, everybody: list[Any], at_us: st.SearchStrategy[int]) -> list[dict[str, Any]]:
    n = draw(st.integers(0, 12))
    values = draw(
        st.sampled_from([st.integers(-3, 100) | big_ints, st.none() | st.integers(-3, 100), floats | st.none()])
    )
    line = st.fixed_dictionaries(
        {
            "member": st.sampled_from(everybody),
            "kind": st.sampled_from(KINDS),
            "at": at_us,
            "value": values,
            "target": st.sampled_from(everybody) | st.none(),
            "group": st.sampled_from([1, 2, None]),
            "item": st.sampled_from(["a", "b", None]),
            "channel": st.sampled_from(["抖音", "微博", None]),
            "amount": st.integers(0, 2),
            "weight": floats | st.none(),
        }
    )
    return draw(st.lists(line, min_size=n, max_size=n))


def log_of(rows: list[dict[str, Any]]) -> EventLog:
    columns = {name: [line[name] for line in rows] for name in COLUMNS}
    extra = {name: columns.pop(name) for name in ("channel", "amount", "weight")}
    extra["weight"] = np.array([math.nan if w is None else w for w in extra["weight"]], dtype=np.float64)
    if None in columns["value"]:
        columns["value"] = np.array([math.nan if v is None else v for v in columns["value"]], dtype=np.float64)
    return EventLog.from_columns(**columns, time_unit="us", extra=extra)


COLUMNS = ("member", "kind", "at", "value", "target", "group", "item", "channel", "amount", "weight")


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────

numbers = st.integers(-3, 40) | floats | st.sampled_from([2**53, 2**53 + 1, 2**64, -(2**70), True, 1.0, 0.1 + 0.2])
EQUALITIES = ["==", "!=", "isin", "is_known"]
ORDERS = ["<", "<=", ">", ">=", "between"]


def operands_of(operator: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    if operator in {"is_known", "is_missing"}:
        return st.just(())
    if operator == "isin":
        return st.lists(values, max_size=3).map(tuple)
    if operator == "between":
        return st.tuples(values, values).map(lambda pair: tuple(sorted(pair)))
    return st.tuples(values)


@st.composite
def row_conditions(draw: st.DrawFn) -> Tree:
    name = draw(st.sampled_from(["value", "amount", "weight", "item", "channel", "group"]))
    values: dict[str, st.SearchStrategy[Any]] = {
        "item": st.sampled_from(["a", "zzz"]),
        "channel": st.sampled_from(["抖音", "zzz"]),
        "group": st.sampled_from([1, 3]),
    }
    orders = [] if name in values else ORDERS
    operator = draw(st.sampled_from(["==", "!=", "isin", "is_missing", *orders]))
    test = (name, operator, draw(operands_of(operator, values.get(name, numbers))))
    form = draw(st.integers(0, 5))
    return ("not", (test,)) if form == 0 else ("or", (test, draw(row_conditions()))) if form == 1 else test


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    measure = draw(st.sampled_from(["count", "count", "sum", "distinct", "days_since", "first", "last"]))
    columns = {
        "sum": ["value", "amount", "weight"],
        "distinct": ["item", "target", "group", "channel", "amount", "kind", "value"],
    }
    return Fact(
        measure=measure,
        kinds=draw(
            st.none() | st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True).map(sorted).map(tuple)
        ),
        column=draw(st.sampled_from(columns[measure])) if measure in columns else None,
        within=draw(st.none() | st.sampled_from(SPANS)),
        before=draw(st.just(0) | st.sampled_from(SPANS)),
        where=draw(st.none() | st.none() | row_conditions()),
    )


def between_grades(pair: tuple[int, int]) -> bool:
    """Whether two grades are in order both as numbers, which is asked at once, and as labels."""
    return pair[0] <= pair[1] and GRADES.index(pair[0]) <= GRADES.index(pair[1])


@st.composite
def single_tests(draw: st.DrawFn) -> Tree:
    if draw(st.booleans()):
        source: Any = draw(facts())
        sort = "instant" if source.measure in {"first", "last"} else "number"
    else:
        name = draw(st.sampled_from([*SORTS, "tier", "age"]))
        source, sort = ("field", name), SORTS[name]
    operator, operands = draw(ASK[sort])
    return "test", source, operator, operands


def ask(operators: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.sampled_from(operators).flatmap(
        lambda operator: st.tuples(st.just(operator), operands_of(operator, values))
    )


SORTS = {
    "age": "number",
    "score": "number",
    "points": "number",
    "city": "city",
    "tier": "tier",
    "grade": "grade",
    "club": "club",
    "member": "member",
    "joined": "instant",
    "interests": "interests",
    "lucky": "lucky",
}
# Operands near any of the instants that a world may ask about.
moments = st.sampled_from([us_of(as_of) for as_of in AS_OFS]).flatmap(instants)
some_tags = st.lists(st.sampled_from([*TAGS, "zzz"]), min_size=1, max_size=3).map(tuple)
some_lucky = st.lists(st.sampled_from([*LUCKY, 0]), min_size=1, max_size=3).map(tuple)
ASK: dict[str, st.SearchStrategy[tuple[str, tuple[Any, ...]]]] = {
    "number": ask([*EQUALITIES, *ORDERS, *ORDERS], numbers),
    "city": ask(EQUALITIES, st.sampled_from([*CITIES, "unseen"])),
    "tier": ask(["<", "<=", ">", ">="], st.sampled_from(TIERS))
    | ask(EQUALITIES, st.sampled_from([*TIERS, "unseen"]))
    | st.tuples(st.just("between"), st.sampled_from([(TIERS[i], TIERS[j]) for i in range(3) for j in range(i, 3)])),
    "grade": ask([*EQUALITIES, "<", "<=", ">", ">="], st.sampled_from(GRADES))
    | st.tuples(
        st.just("between"), st.sampled_from([(a, b) for a in GRADES for b in GRADES if between_grades((a, b))])
    ),
    "club": ask(EQUALITIES, st.sampled_from([*CLUBS, 6])),
    "member": st.just(("is_known", ())),
    "instant": ask(["==", "!=", "is_known", *ORDERS], moments)
    | st.tuples(st.just("within_last"), st.sampled_from(SPANS).map(lambda span: (span,))),
    "interests": st.just(("is_known", ())) | st.tuples(st.sampled_from(["has_all", "has_any"]), some_tags),
    "lucky": st.tuples(st.sampled_from(["has_all", "has_any"]), some_lucky),
}


def combined(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    parts = st.lists(trees, max_size=3).map(tuple)
    return st.tuples(st.sampled_from(["and", "or"]), parts) | st.tuples(st.just("not"), st.tuples(trees))


segment_names = st.sampled_from(["vip", "quiet", "either"])
plain_rules = st.recursive(single_tests(), combined, max_leaves=4)
rules = st.recursive(
    single_tests() | single_tests() | st.tuples(st.just("segment"), segment_names), combined, max_leaves=8
)
# Segments that name others, down to those that don't.
named_segments = st.fixed_dictionaries(
    {
        "vip": plain_rules,
        "quiet": plain_rules | st.just(("not", (("segment", "vip"),))),
        "either": st.just(("or", (("segment", "vip"), ("not", (("segment", "quiet"),))))) | plain_rules,
    }
)

"""What goes with taking a step, counted again in plain Python from the attempts of each member."""
# ruff: noqa: S311 - a case a line; what is drawn is no secret

from __future__ import annotations

import random

import pytest
from pendulum import duration

import shequn as sq
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.funnel import correlate

WITHIN = 6
KINDS = ("join", "post", "buy", "like", "read")


def drawn(rnd):
    return [(rnd.randrange(6), rnd.randrange(14), rnd.choice(KINDS)) for _ in range(rnd.randint(1, 60))]


def log_of(rows):
    member, at, kind = zip(*rows, strict=True)
    return sq.EventLog.from_columns(member=member, kind=kind, at=at, time_unit="s")


FUNNEL = sq.Funnel(steps=("join", "post", "buy"), within=duration(seconds=WITHIN))


def in_plain_python(rows, lookback):
    """Return members before the purchase, who bought, and for each kind who did it and who of those bought."""
    stood, bought, did = {}, set(), {"like": set(), "read": set()}
    for who in {row[0] for row in rows}:
        at = {kind: sorted(t for m, t, k in rows if m == who and k == kind) for kind in KINDS}
        posted = [next((p for p in at["post"] if j <= p <= j + WITHIN), None) for j in at["join"]]
        there = [p for p in posted if p is not None]
        if not there:
            continue
        stood[who] = there[0]  # of the first attempt that got so far
        if any(j <= p <= b <= j + WITHIN for j in at["join"] for p in at["post"] for b in at["buy"]):
            bought.add(who)
        for kind, members in did.items():
            if any(stood[who] - lookback <= t <= stood[who] for t in at[kind]):
                members.add(who)
    return stood, bought, did


@pytest.mark.parametrize("lookback", [0, 3, WITHIN])
def test_counts_are_those_of_plain_python(lookback):
    for number in range(150):
        rows = drawn(random.Random(f"{lookback} {number}"))
        log = log_of(rows)
        found = correlate(
            log, FUNNEL, kinds=["like", "read"], lookback=duration(seconds=lookback), unknown_kinds="ignore"
        )
        stood, bought, did = in_plain_python(rows, lookback)
        assert (found.members, found.took) == (len(stood), len(bought))
        assert dict(zip(found.kinds, found.with_kind.tolist(), strict=True)) == {k: len(m) for k, m in did.items()}
        taken = dict(zip(found.kinds, found.took_with_kind.tolist(), strict=True))
        assert taken == {kind: len(members & bought) for kind, members in did.items()}
        parts = [
            correlate(part, FUNNEL, kinds=["like", "read"], lookback=duration(seconds=lookback), unknown_kinds="ignore")
            for part in log.partition(3)
        ]
        assert parts[1].merge(parts[2]).merge(parts[0]) == found


def test_kinds_that_no_step_names_are_looked_at_and_the_strongest_stands_first():
    rows = [(who, 0, "join") for who in range(40)]
    rows += [(who, 1, "post") for who in range(40)]
    rows += [(who, 1, "like") for who in range(20)] + [(who, 1, "read") for who in range(10, 30)]
    rows += [(who, 2, "buy") for who in range(15)]
    found = correlate(log_of(rows), FUNNEL)
    assert set(found.kinds) == {"like", "read"}
    assert found.table().splitlines()[2].startswith("like")
    assert "no cause" in found.table()
    assert "相关不等于因果" in found.table(lang="zh")
    by_kind = dict(zip(found.kinds, found.odds().estimate.tolist(), strict=True))
    assert by_kind["read"] == pytest.approx((5 * 10) / (15 * 10))
    assert (found.p_adjusted >= found.odds().p_value).all()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"step": "join"},
            InvalidValueError,
            r"^step: expected a step that may not be skipped, after the first, got 'join'",
        ),
        ({"step": "by"}, InvalidValueError, r"^step: expected the name of a step, got 'by'"),
        ({"lookback": 5}, InvalidTypeError, r"^lookback: expected a duration"),
        ({"kinds": 5}, InvalidTypeError, r"^kinds: expected kinds of event as str, got 5"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        correlate(log_of([(0, 0, "join")]), FUNNEL, **options)


def test_in_any_order_no_step_comes_before_another():
    funnel = sq.Funnel(steps=("join", "post"), within=duration(days=1), order="any")
    with pytest.raises(
        InvalidValueError, match=r"^funnel: expected an order in which a step comes before another, got 'any'"
    ):
        correlate(log_of([(0, 0, "join")]), funnel)

"""Was the door held as it should be? Rates read off stored facts, counted by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.admission import Onboarding, acceptance_rates, false_accepts, response_times, scarcity_effect
from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values.instants import from_us

DAY = 86_400
S = 1_000_000
WITHIN = dt.timedelta(seconds=5)

rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["join", "join", "leave", "remove", "refuse", "wait", "post"]),
        st.integers(0, 12),
        st.sampled_from(["g", "h"]),
        st.sampled_from(["open", "approval"]),
    ),
    max_size=14,
)


def log_of(given_rows):
    outcome = {"refuse": "refused", "wait": "waitlisted"}
    return EventLog.from_columns(
        member=[who for who, *_ in given_rows],
        kind=["apply" if kind in outcome else kind for _, kind, *_ in given_rows],
        at=[at for *_, at, _, _ in given_rows],
        time_unit="s",
        group=[group for *_, group, _ in given_rows],
        extra={"mode": [mode for *_, mode in given_rows], "outcome": [outcome.get(kind) for _, kind, *_ in given_rows]},
    )


def stays(given_rows, until):
    """(join row, left at or None, removed) of each stay, by the definition."""
    found, open_ = [], {}
    for row, (who, kind, at, group, _) in sorted(enumerate(given_rows), key=lambda one: (one[1][2], one[0])):
        if at > until:
            continue
        if kind == "join" and (who, group) not in open_:
            open_[who, group] = len(found)
            found.append([row, None, False])
        elif kind in {"leave", "remove"} and (who, group) in open_:
            found[open_.pop((who, group))][1:] = [at, kind == "remove"]
    return found


def counts(rates):
    return {row.segment: (row.hits, row.trials, row.undecided) for row in rates.rows() if row.trials or row.undecided}


@given(rows, st.integers(0, 13))
def test_acceptance_is_counted_by_mode(given_rows, until):
    expected = {}
    for row, (who, kind, at, group, mode) in enumerate(given_rows):
        if at > until or kind not in {"join", "refuse", "wait"}:
            continue
        later = [
            (other_at, other)
            for other, (other_who, what, other_at, where, _) in enumerate(given_rows)
            if (other_who, where) == (who, group) and what != "post" and other_at <= until
        ]
        if kind == "wait" and max(later) != (at, row):
            continue
        hits, trials, left = expected.get(mode, (0, 0, 0))
        expected[mode] = (hits + (kind == "join"), trials + (kind != "wait"), left + (kind == "wait"))
    found = acceptance_rates(log_of(given_rows), as_of=from_us(until * S), by="mode")
    assert counts(found) == expected
    assert found.total.trials == sum(trials for _, trials, _ in expected.values())


@given(rows, st.integers(0, 13))
def test_false_accepts_are_removals_soon_after_joining(given_rows, until):
    expected = {}
    for row, left, removed in stays(given_rows, until):
        joined, group = given_rows[row][2], given_rows[row][3]
        judged = joined + 5 <= until
        hits, trials, young = expected.get(group, (0, 0, 0))
        hit = judged and removed and left - joined < 5
        expected[group] = (hits + hit, trials + judged, young + (not judged))
    found = false_accepts(log_of(given_rows), as_of=from_us(until * S), within=WITHIN, by="group")
    assert counts(found) == expected


@given(rows, st.integers(0, 13))
def test_scarcity_puts_each_newcomer_in_the_band_of_their_group(given_rows, until):
    log = log_of(given_rows)
    accepted = {row.segment: row.rate for row in acceptance_rates(log, as_of=from_us(until * S), by="group").rows()}
    stayed, active = {}, {}
    for row, left, _ in stays(given_rows, until):
        who, _, joined, group, _ = given_rows[row]
        rate = accepted[group]
        band = "≤ 50%" if rate <= 0.5 else "≤ 80%" if rate <= 0.8 else "> 80%"
        judged = joined + 5 <= until
        did = any(w == who and kind == "post" and joined < at < joined + 5 for w, kind, at, _, _ in given_rows)
        for found, hit in ((stayed, left is None or left >= joined + 5), (active, did)):
            hits, trials, young = found.get(band, (0, 0, 0))
            found[band] = (hits + (judged and hit), trials + judged, young + (not judged))
    effect = scarcity_effect(log, as_of=from_us(until * S), within=WITHIN, unknown_kinds="ignore")
    assert counts(effect.retention) == stayed
    assert counts(effect.activity) == active
    assert str(effect)
    assert effect.table(lang="zh")


@pytest.mark.parametrize(("seconds", "hits"), [(4, 1), (5, 0), (6, 0)])
def test_a_removal_is_soon_before_the_time_is_over(seconds, hits):
    log = log_of([("a", "join", 0, "g", "open"), ("a", "remove", seconds, "g", "open")])
    assert false_accepts(log, as_of=from_us(20 * S), within=WITHIN).total.hits == hits


def test_where_few_are_let_in_more_stay():
    member = [f"m{n}" for n in range(400)]
    group = ["strict"] * 200 + ["open"] * 200
    kind = ["join" if n < 50 or n >= 200 else "apply" for n in range(400)]
    outcome = [None if one == "join" else "refused" for one in kind]
    leavers = [*member[0:5], *member[200:300]]
    log = EventLog.from_columns(
        member=member + leavers,
        kind=kind + ["leave"] * len(leavers),
        at=[0] * 400 + [DAY] * len(leavers),
        time_unit="s",
        group=group + ["strict"] * 5 + ["open"] * 100,
        extra={"outcome": outcome + [None] * len(leavers)},
    )
    effect = scarcity_effect(log, as_of=from_us(90 * DAY * S))
    assert effect.retention.rate("≤ 50%").value == pytest.approx(0.9)
    assert effect.retention.rate("> 80%").value == pytest.approx(0.5)
    assert effect.difference.lower > 0.2
    assert effect.association.p_value < 1e-5


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda log, at: scarcity_effect(log, as_of=at, bands=[]), InvalidValueError, "bands: expected ends between"),
        (lambda log, at: scarcity_effect(log, as_of=at, bands=[0.8, 0.5]), InvalidValueError, "ascending"),
        (lambda log, at: false_accepts(log, as_of=at, within=dt.timedelta(0)), InvalidValueError, "within: expected"),
        (lambda log, at: acceptance_rates(log, as_of=at, by="city"), UnknownLabelError, "city"),
        (lambda _, at: acceptance_rates([], as_of=at), InvalidTypeError, "log: expected an EventLog"),
        (lambda log, at: response_times(log, as_of=at, match="thread"), InvalidValueError, "match: expected one of"),
        (
            lambda log, at: response_times(log, as_of=at, match="item", unknown_kinds="ignore"),
            InvalidValueError,
            "log has no items",
        ),
        (
            lambda log, at: response_times(log, as_of=at, ask_kinds="post", reply_kinds={"post"}),
            InvalidValueError,
            "reply_kinds: expected kinds that `ask_kinds` doesn't name",
        ),
        (lambda *_: Onboarding(steps=[]), InvalidValueError, "steps: expected at least one step"),
        (lambda *_: Onboarding(steps=["a", "a"]), InvalidValueError, "steps: expected each step once"),
        (
            lambda *_: Onboarding(steps=["a"], received=["b"]),
            InvalidValueError,
            "received: expected steps among a",
        ),
        (
            lambda *_: Onboarding(steps=["a"], within=dt.timedelta(0)),
            InvalidValueError,
            "within: expected a duration longer",
        ),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(call, error, match):
    log = log_of([("a", "join", 0, "g", "open"), ("a", "post", 0, "g", "open")])
    with pytest.raises(error, match=match):
        call(log, from_us(20 * S))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Onboarding(steps=[["post"]]), "steps: expected names that are non-empty str, got"),
        (lambda: Onboarding(steps=["post"], received=None), "received: expected names of steps, got None"),
        (
            lambda: scarcity_effect(
                EventLog.from_columns(member=["a"], kind="join", at=[0], time_unit="s", group=["g"]),
                as_of=from_us(1),
                bands=None,
            ),
            "bands: expected ends between 0 and 1, ascending, got None",
        ),
    ],
)
def test_what_is_no_collection_is_named(make, match):
    with pytest.raises(InvalidTypeError, match=match):
        make()

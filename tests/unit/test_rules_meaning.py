"""Rules: what each source and each operator means, and what unknown means to them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pendulum
import pytest

from shequn import rules as r
from shequn.columns import EventLog, Roster, row
from shequn.entities import Event, EventKind, Member
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Assignment
from shequn.rules import asking

NOW = pendulum.datetime(2024, 5, 1)
days = lambda n: pendulum.duration(days=n)  # noqa: E731


def ago(**elapsed: float) -> pendulum.DateTime:
    return NOW.subtract(**elapsed)


TIERS = Assignment.from_mapping(
    {"ann": "gold", "bo": "silver", "cy": "black"}, segments=["silver", "gold", "black"], ordered=True
)
ROSTER = Roster.from_columns(
    member=["ann", "bo", "cy", "dee"],
    joined=[ago(days=3), ago(days=400), None, NOW],
    fields={
        "age": [30, 17, None, 18],
        "city": ["上海", "北京", None, "上海"],
        "tier": Assignment.from_mapping(
            {"ann": "gold", "bo": "silver", "cy": "black", "dee": None}, segments=TIERS.segments, ordered=True
        ),
    },
    tags={"interests": [{"tea", "hiking"}, {"tea"}, None, {"baking"}]},
)
LOG = EventLog.from_columns(
    member=["ann", "ann", "ann", "bo", "bo", "zoe"],
    kind=["post", "post", "purchase", "purchase", "receive", "post"],
    at=[ago(days=1), ago(days=10), ago(days=40), NOW, ago(days=2), NOW],
    value=[None, None, 19_900, 5_000, None, None],
    item=[None, None, "cup", "tea", None, None],
    extra={"channel": ["抖音", "微博", None, None, None, None]},
)


def chosen(rule: r.Rule, **options: Any) -> list[str]:
    """Whom a rule selects; each member alone gets the same verdict."""
    options = {"as_of": NOW} | options
    answers = rule.verdicts(ROSTER, LOG, **options).tolist()
    options.pop("unknown_kinds", None)
    for member, answer in zip(ROSTER.to_members(), answers, strict=True):
        history = [event for event in LOG.to_events() if event.member == member.id]
        alone = rule.verdict(member, history, schema=ROSTER.schema, **options)
        assert alone is {1: True, 0: False, -1: None}[answer]
    return [name for name, answer in zip(ROSTER.members, answers, strict=True) if answer == 1]


age, city, tier, joined, interests = map(r.field, ("age", "city", "tier", "joined", "interests"))


@pytest.mark.parametrize(
    ("rule", "expected", "opposite"),
    [
        (age == 30, ["ann"], ["bo", "dee"]),
        (age != 30, ["bo", "dee"], ["ann"]),
        (age < 18, ["bo"], ["ann", "dee"]),
        (age <= 18, ["bo", "dee"], ["ann"]),
        (age > 17.5, ["ann", "dee"], ["bo"]),
        (age >= 18, ["ann", "dee"], ["bo"]),
        (np.float64(18) <= age, ["ann", "dee"], ["bo"]),
        (age.between(17, 18), ["bo", "dee"], ["ann"]),
        (age.isin({17, 30, 99}), ["ann", "bo"], ["dee"]),
        (age.isin(np.array([17, 30])), ["ann", "bo"], ["dee"]),
        (age.isin([]), [], ["ann", "bo", "dee"]),
        (age.is_known(), ["ann", "bo", "dee"], ["cy"]),
        (city == "上海", ["ann", "dee"], ["bo"]),
        (city != "上海", ["bo"], ["ann", "dee"]),
        (city == "somewhere", [], ["ann", "bo", "dee"]),
        (city.isin(["北京", "somewhere"]), ["bo"], ["ann", "dee"]),
        (tier >= "gold", ["ann", "cy"], ["bo"]),
        (tier > "gold", ["cy"], ["ann", "bo"]),
        (tier < "gold", ["bo"], ["ann", "cy"]),
        (tier <= "gold", ["ann", "bo"], ["cy"]),
        (tier.between("silver", "gold"), ["ann", "bo"], ["cy"]),
        (tier.is_known(), ["ann", "bo", "cy"], ["dee"]),
        (joined >= ago(days=3), ["ann", "dee"], ["bo"]),
        (joined == NOW, ["dee"], ["ann", "bo"]),
        (joined != NOW, ["ann", "bo"], ["dee"]),
        (joined.between(ago(days=500), ago(days=3)), ["ann", "bo"], ["dee"]),
        (joined.between(NOW, NOW), ["dee"], ["ann", "bo"]),
        (joined.within_last(days(3)), ["dee"], ["ann", "bo"]),
        (joined.within_last(days(4)), ["ann", "dee"], ["bo"]),
        (joined.is_known(), ["ann", "bo", "dee"], ["cy"]),
        (interests.has("tea"), ["ann", "bo"], ["cy", "dee"]),
        (interests.has_all("tea", "hiking"), ["ann"], ["bo", "cy", "dee"]),
        (interests.has_any("hiking", "baking", "chess"), ["ann", "dee"], ["bo", "cy"]),
        (interests.is_known(), ["ann", "bo", "cy", "dee"], []),
        (r.field("member").isin(["bo", "zoe"]), ["bo"], ["ann", "cy", "dee"]),
        (r.did("post"), ["ann"], ["bo", "cy", "dee"]),
        (r.did({"post", "purchase"}), ["ann", "bo"], ["cy", "dee"]),
        (r.never("purchase"), ["cy", "dee"], ["ann", "bo"]),
        (r.count("post") >= 2, ["ann"], ["bo", "cy", "dee"]),
        (r.count("post", within=days(10)) == 1, ["ann"], ["bo", "cy", "dee"]),
        (r.count(EventKind.POST).between(1, 5), ["ann"], ["bo", "cy", "dee"]),
        (r.count("post") == 0, ["bo", "cy", "dee"], ["ann"]),
        (r.count("post").is_known(), ["ann", "bo", "cy", "dee"], []),
        (r.sum("value", kinds="purchase") >= 10_000, ["ann"], ["bo", "cy", "dee"]),
        (r.sum("value") == 0, ["cy", "dee"], ["ann", "bo"]),
        (r.distinct("item") == 1, ["ann", "bo"], ["cy", "dee"]),
        (r.distinct("value") == 1, ["ann", "bo"], ["cy", "dee"]),
        (r.distinct("kind") == 2, ["ann"], ["bo", "cy", "dee"]),
        (r.days_since("purchase") >= 40, ["ann"], ["bo"]),
        (r.days_since("purchase") == 0, ["bo"], ["ann"]),
        (r.days_since("purchase").is_known(), ["ann", "bo"], ["cy", "dee"]),
        (r.first("post") <= ago(days=10), ["ann"], []),
        (r.last("post").within_last(days(1)), [], ["ann"]),
        (r.last("post").within_last(pendulum.duration(days=1, microseconds=1)), ["ann"], []),
        (r.last().is_known(), ["ann", "bo"], ["cy", "dee"]),
    ],
    ids=repr,
)
def test_each_source_and_operator_has_one_meaning(rule, expected, opposite):
    assert chosen(rule) == expected
    assert chosen(~rule) == opposite


@pytest.mark.parametrize("n_values", [1, 16, 17, 300])
@pytest.mark.parametrize("factor", [1, 2**45, 0.5])
def test_a_long_list_of_numbers_is_asked_as_a_short_one_is(n_values, factor):
    held = [place * factor for place in [*range(-50, 700), 2**16, -(2**17)]]
    wanted = [place * factor for place in range(3, 3 + 2 * n_values, 2)]
    roster = Roster.from_columns(member=range(len(held)), fields={"x": held})
    for asked in (wanted, [*wanted, 2**70, -(2**63) - 1, float("inf"), 0.1]):
        rule = r.field("x").isin(asked)
        assert np.flatnonzero(rule.mask(roster)).tolist() == [i for i, number in enumerate(held) if number in wanted]
        assert np.flatnonzero((~rule).mask(roster)).tolist() == [i for i, x in enumerate(held) if x not in wanted]


@pytest.mark.parametrize("n_rows", [2, 50])
def test_a_count_is_compared_with_what_no_count_is(n_rows):
    # Fewer rows than members are counted in fewer bits.
    roster = Roster.from_columns(member=range(5))
    kinds = ["join"] * 5 + ["post"] * n_rows
    log = EventLog.from_columns(member=[*range(5), *[3] * n_rows], kind=kinds, at=range(5 + n_rows), time_unit="s")
    posts = r.count("post")
    for beyond in (2**31, 10**16, 2**64, 10**300, 1e300, float("inf")):
        for true in (posts < beyond, posts > -beyond, posts != beyond, posts.between(-beyond, beyond)):
            assert true.mask(roster, log, as_of=NOW).all()
            assert not (~true).mask(roster, log, as_of=NOW).any()
        listed = posts.isin([n_rows, beyond, -beyond, 0.5])
        assert listed.mask(roster, log, as_of=NOW).tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("of_one", [126, 127, 128, 129, 255, 256, 257, 300, 512, 40_000])
@pytest.mark.parametrize("most_of_others", [1, 2])
@pytest.mark.parametrize("at_once", [True, False])
def test_heavy_members_are_counted_though_the_others_have_few_rows(of_one, most_of_others, at_once):
    # Counts of few rows each are kept in 8 bits, which these run over: on a whole number of turns without a trace.
    n_members = 5_100
    others = np.arange(1, n_members).repeat(np.arange(1, n_members) % (most_of_others + 1))
    members = np.concatenate([np.zeros(of_one, dtype=np.int64), others])
    if not at_once:
        members = np.random.default_rng(1).permutation(members)
    joined = np.arange(n_members)  # so that everybody is in the log, in this order
    log = EventLog.from_columns(
        member=np.concatenate([joined, members]),
        kind=["join"] * n_members + ["post"] * len(members),
        at=np.arange(n_members + len(members)),
        time_unit="s",
    )
    roster = Roster.from_columns(member=log.members.labels)
    counts = np.bincount(members, minlength=n_members)
    for least in (1, 2, 126, 127, 128, 255, 256, 257):
        assert np.array_equal((r.count("post") >= least).mask(roster, log, as_of=NOW), counts >= least)
    assert np.array_equal((r.count("post") == of_one).mask(roster, log, as_of=NOW), counts == of_one)


def test_many_members_are_asked_some_at_a_time():
    n = 2 * asking._BLOCK + 7
    age = np.random.default_rng(1).integers(10, 90, size=n)
    city = np.array(["Shanghai", "Hangzhou", "Suzhou", "Wuxi", "Ningbo"], dtype=object)[age % 5]
    likes = [("tea",) if years % 3 else () for years in age.tolist()]
    roster = Roster.from_columns(member=np.arange(n), fields={"age": age, "city": city}, tags={"likes": likes})
    is_old, is_tea = age >= 60, age % 3 != 0
    in_two, in_four = np.isin(city, ["Suzhou", "Wuxi"]), city != "Ningbo"
    asked = (r.field("age") >= 60) & r.field("likes").has("tea") & r.in_segment("near")
    near = r.field("city").isin(["Suzhou", "Wuxi"]) | r.field("city").isin(["Shanghai", "Hangzhou", "Suzhou", "Wuxi"])
    assert np.array_equal(asked.mask(roster, segments={"near": near}), is_old & is_tea & (in_two | in_four))
    assert np.array_equal((~asked).mask(roster, segments={"near": near}), ~(is_old & is_tea & (in_two | in_four)))
    some = np.arange(n)[:: asking._BLOCK // 3]
    assert np.flatnonzero(r.field("member").isin(some.tolist()).mask(roster)).tolist() == some.tolist()
    assert (r.all_of() & r.field("member").is_known()).mask(roster).all()


def test_what_is_no_activity_counts_only_where_it_is_named():
    assert chosen(r.count() >= 1) == ["ann", "bo"]
    assert chosen(r.count() == 1) == ["bo"]
    assert chosen(r.did("receive")) == ["bo"]


def test_only_rows_of_which_a_condition_is_true_are_told_of():
    assert chosen(r.did("purchase", where=row("value") >= 10_000)) == ["ann"]
    assert chosen(r.count("post", where=row("channel") != "抖音") == 1) == ["ann"]
    assert chosen(r.sum("value", where=row("item") == "tea") == 5_000) == ["bo"]
    assert chosen(r.first(where=row("channel") == "微博") == ago(days=10)) == ["ann"]


def test_windows_one_after_the_other_share_no_row_and_leave_none_out():
    edge = [
        NOW,
        ago(days=30),
        ago(days=30, microseconds=-1),
        ago(days=60),
        ago(days=60, microseconds=1),
        NOW.add(microseconds=1),
    ]
    log = EventLog.from_columns(member=["ann"] * 6, kind="post", at=edge)
    roster = Roster.from_columns(member=["ann"])
    counted = {"this month": (days(30), None), "the month before": (days(30), days(30)), "till then": (None, days(60))}
    expected = {"this month": 2, "the month before": 1, "till then": 2}
    for name, (within, before) in counted.items():
        rule = r.count("post", within=within, before=before) == expected[name]
        assert rule.mask(roster, log, as_of=NOW).tolist() == [True], name


def test_a_microsecond_decides_at_both_ends_of_a_window():
    rule = r.did("post", within=days(30), before=days(30))
    roster = Roster.from_columns(member=["ann"])
    for at, expected in [
        (ago(days=60), False),
        (ago(days=60, microseconds=-1), True),
        (ago(days=30), True),
        (ago(days=30, microseconds=-1), False),
    ]:
        log = EventLog.from_columns(member=["ann"], kind="post", at=[at])
        assert rule.mask(roster, log, as_of=NOW).tolist() == [expected]
        assert rule.matches(Member(id="ann"), log.to_events(), as_of=NOW) is expected


def test_a_window_of_no_length_holds_nothing():
    assert chosen(r.did("purchase", within=days(0))) == []


def test_a_window_that_begins_before_time_was_kept_holds_everything_since():
    assert chosen(r.did("purchase", within=pendulum.duration(days=399 * 365))) == ["ann", "bo"]


def test_days_are_24_hours_whatever_the_clocks_did():
    new_york = ZoneInfo("America/New_York")
    first, second = (dt.datetime(2024, 11, 3, 1, 30, tzinfo=new_york, fold=fold) for fold in (0, 1))
    log = EventLog.from_columns(member=["ann"], kind="post", at=[first])
    roster = Roster.from_columns(member=["ann"], joined=[first])
    hour = dt.timedelta(hours=1)
    assert (r.days_since("post") == 1 / 24).mask(roster, log, as_of=second).tolist() == [True]
    assert r.never("post", within=hour).mask(roster, log, as_of=second).tolist() == [True]
    assert r.did("post", within=hour).mask(roster, log, as_of=first).tolist() == [True]
    assert (r.field("joined") < second).mask(roster).tolist() == [True]
    assert (r.field("joined") == second).mask(roster).tolist() == [False]
    assert repr(r.field("joined") == first) != repr(r.field("joined") == second)


# ── joined rules ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_logic_has_three_values():
    """Rows are the nine pairs of yes, no and unknown."""
    answers = [1, 0, None]
    roster = Roster.from_columns(
        member=range(9), fields={"x": [a for a in answers for _ in answers], "y": [b for _ in answers for b in answers]}
    )
    x, y = r.field("x") == 1, r.field("y") == 1
    assert (x & y).verdicts(roster).tolist() == [1, 0, -1, 0, 0, 0, -1, 0, -1]
    assert (x | y).verdicts(roster).tolist() == [1, 1, 1, 1, 0, -1, 1, -1, -1]
    assert (~x).verdicts(roster).tolist() == [0, 0, 0, 1, 1, 1, -1, -1, -1]
    assert (x | ~x).verdicts(roster).tolist() == [1, 1, 1, 1, 1, 1, -1, -1, -1]


def test_joining_nothing_means_everybody_or_nobody():
    everybody = list(ROSTER.members)
    assert chosen(r.all_of()) == everybody
    assert chosen(r.any_of()) == []
    assert chosen(~r.any_of()) == everybody
    assert chosen(r.all_of() & (age >= 18)) == chosen(age >= 18) == chosen(r.any_of(age >= 18))
    assert repr(r.all_of() & (age >= 18)) == "field('age') >= 18"
    assert repr(~r.any_of() | (age >= 18)) == "~any_of() | (field('age') >= 18)"


def test_whom_a_segment_does_not_select_is_outside_it_even_if_something_is_unknown():
    segments = {"adults": age >= 18, "others": ~r.in_segment("adults")}
    assert chosen(r.in_segment("adults"), segments=segments) == ["ann", "dee"]
    assert chosen(~r.in_segment("adults"), segments=segments) == ["bo", "cy"]
    assert chosen(r.in_segment("others"), segments=segments) == ["bo", "cy"]
    assert chosen(~(age >= 18), segments=segments) == ["bo"]


def test_a_chain_of_thousands_of_segments_is_no_deep_recursion():
    segments = {
        f"s{n}": r.in_segment(f"s{n + 1}") & ~r.in_segment(f"s{n + 1}") | r.in_segment(f"s{n + 1}")
        for n in range(3_000)
    }
    segments["s3000"] = age >= 18
    rule = r.in_segment("s0")
    assert rule.mask(ROSTER, segments=segments).tolist() == [True, False, False, True]
    assert rule.matches(Member(id="ann", fields={"age": 30}), segments=segments)
    assert rule.explain(Member(id="bo", fields={"age": 3}), segments=segments).verdict is False


# ── who is asked about ───────────────────────────────────────────────────────────────────────────────────────────────


def test_answers_are_over_the_roster_in_its_order():
    rule = r.count("post") >= 1
    roster = Roster.from_columns(member=["never seen", "zoe", "ann"])
    assert rule.mask(roster, LOG, as_of=NOW).tolist() == [False, True, True]
    assert rule.mask(Roster.from_columns(member=[]), LOG, as_of=NOW).tolist() == []
    assert not rule.mask(roster, LOG, as_of=NOW).flags.writeable


def test_an_empty_log_has_counts_of_nothing_and_no_instants():
    log = EventLog.from_columns(member=[], kind=[], at=[], time_unit="s")
    assert r.never("post").mask(ROSTER, log, as_of=NOW).all()
    assert (r.count("post") == 0).verdicts(ROSTER, log, as_of=NOW).tolist() == [1] * 4
    assert (r.days_since("post") > 3).verdicts(ROSTER, log, as_of=NOW).tolist() == [-1] * 4


def test_a_field_of_which_nothing_is_known_is_unknown_whatever_is_asked():
    nobodys = Roster.from_columns(
        member=["ann", "bo"],
        fields={"age": [None, None], "tier": TIERS.from_labels(["ann", "bo"], [None, None], segments=[], ordered=True)},
    )
    for rule in (age >= 18, age == "x", age.between(1, 2), age.isin([1]), tier >= "gold", tier == "gold", age != 3):
        assert rule.verdicts(nobodys).tolist() == [-1, -1], rule
        assert [rule.verdict(member, schema=nobodys.schema) for member in nobodys.to_members()] == [None, None]
    assert age.is_known().verdicts(nobodys).tolist() == [0, 0]


def test_what_a_record_says_of_itself_can_be_asked():
    members = [Member(id="ann", community="c1", invited_by="bo"), Member(id="bo", community="c1")]
    roster = Roster.from_members(members)
    rule = (r.field("community") == "c1") & (r.field("invited_by") == "bo")
    assert rule.verdicts(roster).tolist() == [1, -1]
    assert [rule.verdict(member, schema=roster.schema) for member in members] == [True, None]
    assert [rule.verdict(member) for member in members] == [True, None]


def test_booleans_are_asked_as_0_and_1():
    members = [Member(id=1, fields={"is_staff": True}), Member(id=2, fields={"is_staff": False})]
    rule = r.field("is_staff") == 1
    assert rule.mask(Roster.from_members(members)).tolist() == [rule.matches(member) for member in members]


def test_without_a_schema_a_field_that_is_not_there_is_unknown():
    ann = Member(id="ann")
    assert (r.field("age") >= 18).verdict(ann) is None
    assert not (r.field("age") >= 18).matches(ann)
    assert r.field("interests").has("tea").verdict(ann) is False


@pytest.mark.parametrize("order", ["any", "of time"])
def test_a_log_of_more_than_a_million_rows_is_told_of_as_a_short_one_is(order):
    n, now_s = (1 << 20) + 77_777, 10_000_000
    rng = np.random.default_rng(7)
    member, kind = rng.integers(0, 1_000, n), rng.integers(0, 5, n)
    at, value = rng.integers(now_s - 1_000_000, now_s + 1_000, n), rng.integers(0, 100, n)
    if order == "of time":
        at.sort()
    names = np.array(["post", "like", "read", "ask", "receive"], dtype=object)
    log = EventLog.from_columns(member=member, kind=names[kind], at=at, time_unit="s", value=value)
    roster, as_of = Roster.from_columns(member=np.arange(1_000)), pendulum.from_timestamp(now_s)
    known = at <= now_s
    recent = known & (at > now_s - 86_400)

    def counted(rows: np.ndarray) -> list[int]:
        return np.bincount(member[rows], minlength=1_000).tolist()

    everything = ["post", "like", "read", "ask", "receive"]
    for term, rows in [
        (r.count("post"), known & (kind == 0)),
        (r.count({"post", "read"}, within=days(1)), recent & np.isin(kind, [0, 2])),
        (r.count(), known & (kind != 4)),
        (r.count(everything), known),
        (r.count(everything, within=days(1)), recent),
        (r.count("post", where=row("value") < 50), known & (kind == 0) & (value < 50)),
    ]:
        expected = counted(rows)
        for bound in (0, 1, int(np.median(expected))):
            assert (term > bound).mask(roster, log, as_of=as_of).tolist() == [held > bound for held in expected]
    # Every row is one that counts: nothing is left out of any block.
    whole = log.where(rows=known)
    assert (r.count(everything) > 3).mask(roster, whole, as_of=as_of).all()
    total = np.bincount(member[known], value[known])
    assert (r.sum("value", kinds=everything) >= 50_000).mask(roster, whole, as_of=as_of).tolist() == (
        total >= 50_000
    ).tolist()


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_integers_are_added_exactly_and_a_sum_that_does_not_fit_is_an_error():
    top = 2**63 - 1
    roster = Roster.from_columns(member=["ann"])
    log = EventLog.from_columns(member=["ann"] * 3, kind="purchase", at=[0, 1, 2], time_unit="s", value=[top, -1, 1])
    rule = r.sum("value") == top
    events = list(log.to_events())
    assert rule.mask(roster, log, as_of=NOW).tolist() == [rule.matches(Member(id="ann"), events, as_of=NOW)] == [True]
    log = EventLog.from_columns(member=["ann"] * 2, kind="purchase", at=[0, 1], time_unit="s", value=[top, 1])
    for ask in (
        lambda: rule.mask(roster, log, as_of=NOW),
        lambda: rule.matches(Member(id="ann"), list(log.to_events()), as_of=NOW),
    ):
        with pytest.raises(
            InvalidValueError, match=r"^sum\('value'\): expected sums that fit 64 bits with sign, got 92"
        ):
            ask()


def test_floats_are_added_so_that_the_order_of_rows_makes_no_difference():
    values = [1e16, 1.0, -1e16, 0.1]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3]):
        log = EventLog.from_columns(
            member=["ann"] * 4,
            kind="purchase",
            at=[0, 0, 0, 0],
            time_unit="s",
            value=[values[place] for place in order],
        )
        rule = r.sum("value") == -1e16 + 0.1 + 1.0 + 1e16
        assert rule.mask(Roster.from_columns(member=["ann"]), log, as_of=NOW).tolist() == [True]
        assert rule.matches(Member(id="ann"), list(log.to_events()), as_of=NOW)


def test_infinities_of_both_signs_have_no_sum():
    inf = float("inf")
    log = EventLog.from_columns(member=["ann"] * 2, kind="purchase", at=[0, 1], time_unit="s", value=[inf, -inf])
    roster, events = Roster.from_columns(member=["ann"]), list(log.to_events())
    for rule in (r.sum("value") >= 0, r.sum("value") != 0, ~(r.sum("value") >= 0)):
        assert rule.verdicts(roster, log, as_of=NOW).tolist() == [-1]
        assert rule.verdict(Member(id="ann"), events, as_of=NOW) is None
    assert r.sum("value").is_known().verdicts(roster, log, as_of=NOW).tolist() == [0]


# ── what an answer needs ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_kind_that_the_log_does_not_know_is_warned_of_once():
    rule = (r.count("purchse") >= 1) | (r.count("purchse", within=days(3)) >= 1) | ~r.did("purchse")
    with pytest.warns(UnknownKindWarning, match="did you mean 'purchase'") as told:
        rule.verdicts(ROSTER, LOG, as_of=NOW)
    assert len(told) == 1
    assert told[0].filename == __file__
    with pytest.raises(UnknownLabelError, match="kinds: expected kinds that the log contains, got 'purchse'"):
        rule.mask(ROSTER, LOG, as_of=NOW, unknown_kinds="raise")
    assert rule.mask(ROSTER, LOG, as_of=NOW, unknown_kinds="ignore").all()


@pytest.mark.parametrize(
    ("ask", "error", "text"),
    [
        (
            lambda: r.did("post").mask(ROSTER, as_of=NOW),
            InvalidTypeError,
            r"^log: expected an EventLog, as the rule asks",
        ),
        (
            lambda: r.did("post").mask(ROSTER, LOG),
            InvalidTypeError,
            r"^as_of: expected an aware datetime, as count\('po",
        ),
        (
            lambda: r.did("post").matches(Member(id=1)),
            InvalidTypeError,
            r"^as_of: expected an aware datetime, as count",
        ),
        (
            lambda: joined.within_last(days(3)).mask(ROSTER),
            InvalidTypeError,
            r"^as_of: expected an aware datetime, as f",
        ),
        (lambda: r.did("post").mask(ROSTER, LOG, as_of=dt.datetime(2024, 5, 1)), InvalidValueError, "^as_of: "),  # noqa: DTZ001
        (
            lambda: r.did("post").mask(LOG, ROSTER, as_of=NOW),
            InvalidTypeError,
            "^roster: expected a Roster, got EventLog",
        ),
        (
            lambda: r.did("post").mask(ROSTER, ROSTER, as_of=NOW),
            InvalidTypeError,
            "^log: expected an EventLog, got Roster",
        ),
        (lambda: r.did("post").matches("ann", as_of=NOW), InvalidTypeError, "^member: expected a Member, got 'ann'"),
        (
            lambda: r.did("post").matches(Member(id=1), 7, as_of=NOW),
            InvalidTypeError,
            "^history: expected the member's ev",
        ),
        (
            lambda: r.did("post").matches(Member(id=1), ["post"], as_of=NOW),
            InvalidTypeError,
            "^history: expected Event records, got 'post' at row 0",
        ),
        (
            lambda: r.did("post").matches(Member(id=1), [Event(member=2, kind="post", at=NOW)], as_of=NOW),
            InvalidValueError,
            "^history: expected events of 1, got 2 at row 0",
        ),
        (
            lambda: (r.sum("prize") > 0).mask(ROSTER, LOG, as_of=NOW),
            UnknownLabelError,
            r"^sum\('prize'\): expected one of",
        ),
        (
            lambda: (r.distinct("x") > 0).mask(ROSTER, LOG, as_of=NOW),
            UnknownLabelError,
            r"^distinct\('x'\): expected one",
        ),
        (
            lambda: (r.sum("item") > 0).mask(ROSTER, LOG, as_of=NOW),
            InvalidTypeError,
            r"^sum\('item'\): expected a column of",
        ),
        (
            lambda: (r.sum("item") > 0).matches(
                Member(id=1), [Event(member=1, kind="post", at=NOW, item="a")], as_of=NOW
            ),
            InvalidTypeError,
            r"^sum\('item'\): expected numbers to add up, got 'a'",
        ),
        (
            lambda: r.did(where=row("x") == 1).mask(ROSTER, LOG, as_of=NOW),
            UnknownLabelError,
            "^where: expected one of the",
        ),
        (
            lambda: r.did("post").mask(ROSTER, LOG, as_of=NOW, unknown_kinds="shout"),
            InvalidValueError,
            "^unknown_kinds: ",
        ),
        (
            lambda: (age > 3).verdict(Member(id=1, fields={"age": "old"})),
            InvalidTypeError,
            "expected a value of the type of 3",
        ),
        (
            lambda: (tier > "a").verdict(Member(id=1, fields={"tier": "b"})),
            InvalidTypeError,
            "^schema: expected schema=roster",
        ),
        (
            lambda: (age == 3).verdict(Member(id=1, tags={"age": [3]})),
            InvalidTypeError,
            "expected a single value to ask '=='",
        ),
        (
            lambda: interests.has("tea").verdict(Member(id=1, fields={"interests": "tea"})),
            InvalidTypeError,
            "expected a set of",
        ),
        (
            lambda: (age == 3).verdict(Member(id=1, fields={"age": dt.date(2024, 1, 1)})),
            InvalidTypeError,
            "text or a number",
        ),
        (
            lambda: (r.field("x") > NOW).verdict(Member(id=1, fields={"x": 3})),
            InvalidTypeError,
            "expected an instant, got 3",
        ),
        (
            lambda: (tier >= "gold").verdict(Member(id=1, fields={"tier": "glod"}), schema=ROSTER.schema),
            UnknownLabelError,
            r"^field\('tier'\): expected one of 3 known labels, got 'glod'; did you mean 'gold'",
        ),
    ],
)
def test_what_is_missing_or_of_another_type_is_told(ask, error, text):
    with pytest.raises(error, match=text):
        ask()

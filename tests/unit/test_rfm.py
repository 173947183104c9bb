"""Recency, frequency and money of each member, their scores, cuts and named segments."""

from __future__ import annotations

import datetime as dt
import json
import pickle

import attrs
import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import (
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    ShequnWarning,
    UnknownKindWarning,
    UnknownLabelError,
)
from shequn.labels import Index
from shequn.segmentation import (
    GRID5,
    RfmCounts,
    RfmCuts,
    RfmGrid,
    RfmQuadrant,
    RfmScore,
    RfmSegment,
    RfmValues,
    ValueCounts,
    ValueSketch,
    dealt,
    packed,
    packed_sums,
    rfm,
    rfm_values,
)
from shequn.segmentation.scoring import at_least

DAY = 86_400
AS_OF = pendulum.datetime(1970, 1, 11)
ONE = {"recency_days": 1, "frequency": 1, "monetary": 1}


def purchases(*rows, kind="purchase"):
    """A log of (member, day, value)."""
    member, day, value = zip(*rows, strict=True)
    at = [round(d * DAY) for d in day]
    return EventLog.from_columns(member=list(member), kind=kind, at=at, time_unit="s", value=list(value))


LOG = purchases(("ann", 1, 100), ("bo", 4, 50), ("ann", 9.5, 300), ("cy", 10, 20), ("dee", 2, 20), ("cy", 8, 5))


# ── which rows count ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_recency_is_measured_from_the_last_row_to_the_instant_asked_for():
    found = rfm_values(LOG, as_of=AS_OF)
    assert dict(zip(found.members, found.recency_days.tolist(), strict=True)) == {
        "ann": 0.5, "bo": 6.0, "cy": 0.0, "dee": 8.0,
    }  # fmt: skip
    assert found.frequency.tolist() == [2, 1, 2, 1]
    assert found.monetary.tolist() == [400, 50, 25, 20]
    assert found.as_of == AS_OF


def test_a_row_at_the_instant_counts_and_a_later_one_is_not_known():
    at = pendulum.datetime(1970, 1, 10, 12)
    found = rfm_values(LOG, as_of=at)
    assert found.frequency.tolist() == [2, 1, 1, 1]
    assert found.recency_days[0] == 0


def test_a_window_leaves_out_its_beginning_and_holds_its_end():
    found = rfm_values(LOG, as_of=AS_OF, within=pendulum.duration(days=6))
    assert found.frequency.tolist() == [1, 0, 2, 0]
    longer = rfm_values(LOG, as_of=AS_OF, within=dt.timedelta(days=6, microseconds=1))
    assert longer.frequency.tolist() == [1, 1, 2, 0]


def test_members_without_a_row_score_0_and_have_no_recency():
    log = EventLog.concat([LOG, purchases(("eve", 3, 9), kind="post")])
    found = rfm(log, as_of=AS_OF, bins=2)
    assert found.scores[-1].tolist() == [0, 0, 0]
    assert np.isnan(found.recency_days[-1])
    assert (found.frequency[-1], found.monetary[-1]) == (0, 0)
    assert np.array_equal(found.scores[:-1], rfm(LOG, as_of=AS_OF, bins=2).scores)
    assert "1 have no row that counts: score 0." in str(found)
    assert "1 名成员没有计入的记录" in found.table(lang="zh")


def test_scores_are_decided_by_microseconds():
    at = [0, 1, 2, 3]
    log = EventLog.from_columns(member=list("abcd"), kind="purchase", at=at, time_unit="us", value=[1, 1, 1, 1])
    found = rfm(log, as_of=pendulum.datetime(2030, 1, 1), bins=4, few_values="ignore")
    assert found.scores[:, 0].tolist() == [1, 2, 3, 4]


def test_days_are_counted_once_each():
    log = purchases(("ann", 1, 1), ("ann", 1.2, 1), ("ann", 1.7, 1), ("bo", 3, 1))
    assert rfm_values(log, as_of=AS_OF, frequency="days", tz="UTC").frequency.tolist() == [1, 1]
    # 1.7 days after midnight UTC is past midnight in Shanghai
    assert rfm_values(log, as_of=AS_OF, frequency="days", tz="Asia/Shanghai").frequency.tolist() == [2, 1]
    none = rfm_values(log, as_of=pendulum.datetime(1969, 1, 1), frequency="days", tz="UTC")
    assert none.frequency.tolist() == [0, 0]


def test_another_column_may_be_summed_or_none():
    log = EventLog.from_columns(
        member=["ann", "bo", "ann"], kind="purchase", at=[0, 1, 2], time_unit="s", extra={"points": [5, 6, 7]}
    )
    assert rfm_values(log, as_of=AS_OF, value="points").monetary.tolist() == [12, 6]
    none = rfm(log, as_of=AS_OF, value=None, bins=2)
    assert none.monetary.tolist() == [0, 0]
    assert none.scores.tolist() == [[2, 2, 1], [1, 1, 1]]


def test_any_kinds_may_count():
    log = EventLog.concat([LOG, purchases(("bo", 10, 7), kind="post")])
    assert rfm_values(log, as_of=AS_OF, kinds={"post"}).frequency.tolist() == [0, 1, 0, 0]
    assert rfm_values(log, as_of=AS_OF, kinds=None).frequency.tolist() == [2, 2, 2, 1]
    assert rfm_values(log, as_of=AS_OF, kinds=["post", "purchase"]).frequency.tolist() == [2, 2, 2, 1]


def test_an_empty_log_has_no_members():
    found = rfm(EventLog.empty(), as_of=AS_OF)
    assert (len(found), found.scores.shape, found.scores.dtype) == (0, (0, 3), np.int8)
    assert found.assign("grid5").codes.tolist() == []
    assert found.assign("quadrant8").codes.tolist() == []
    nested = rfm(EventLog.empty(), as_of=AS_OF, nested=True)
    assert nested.cuts.is_nested


def test_a_log_in_which_nobody_has_a_row_gives_cuts_that_nobody_reaches():
    found = rfm(LOG, as_of=pendulum.datetime(1969, 1, 1), nested=True)
    assert not found.scores.any()
    assert found.assign("quadrant8").n_unassigned == len(LOG.members)
    assert found.cuts.frequency == (None,) * 4
    assert found.score_one(**ONE) == (1, 1, 1)


def test_integers_are_summed_exactly_where_floats_would_round():
    big = 2**53
    log = purchases(("ann", 1, big), ("ann", 2, 1), ("ann", 3, 1), ("bo", 1, -big))
    assert rfm_values(log, as_of=AS_OF).monetary.tolist() == [big + 2, -big]


def test_sums_may_pass_what_64_bits_hold_on_their_way():
    log = purchases(("ann", 1, 2**62), ("ann", 2, 2**62), ("ann", 3, -(2**62)))
    assert rfm_values(log, as_of=AS_OF).monetary.tolist() == [2**62]


def test_a_row_at_the_very_beginning_of_a_window_does_not_count():
    log = purchases(("ann", 2, 1), ("bo", 3, 1))
    assert rfm_values(log, as_of=AS_OF, within=pendulum.duration(days=8)).frequency.tolist() == [0, 1]


def test_sums_of_floats_do_not_depend_on_the_order_of_rows(monkeypatch):
    # 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in the last digit.
    sums = [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1]
    assert sums[0] != sums[1]
    for rows_at_a_time in (1 << 22, 1):
        monkeypatch.setattr(dealt, "_ROWS_AT_A_TIME", rows_at_a_time)
        for amounts in ((0.1, 0.2, 0.3), (0.3, 0.2, 0.1), (0.2, 0.3, 0.1)):
            log = purchases(*(("ann", 1, amount) for amount in amounts))
            assert rfm_values(log, as_of=AS_OF).monetary.tolist() == [sums[0]]


def test_whole_floats_too_large_to_be_added_exactly_do_not_depend_on_the_order_of_rows_either():
    # From the lowest to the highest: 1 + 1 + 2**53; the other way round each 1 would be lost.
    for amounts in ((2.0**53, 1.0, 1.0), (1.0, 2.0**53, 1.0), (1.0, 1.0, 2.0**53)):
        log = purchases(*(("ann", 1, amount) for amount in amounts))
        assert rfm_values(log, as_of=AS_OF).monetary.tolist() == [2.0**53 + 2]


@pytest.mark.parametrize("value", [2**35, -(2**35)])
def test_a_value_of_half_of_what_counts_a_row_is_not_taken_for_a_row(value, monkeypatch):
    monkeypatch.setattr(packed_sums, "_SUM_BITS", 30)  # so that it is summed apart, where 2**36 counts a row
    found = rfm_values(purchases(("ann", 1, value)), as_of=AS_OF)
    assert (found.frequency.tolist(), found.monetary.tolist()) == ([1], [value])


@pytest.mark.parametrize(("unit", "a_second"), [("s", 1), ("ms", 1_000), ("us", 1_000_000)])
@pytest.mark.parametrize("first_s", [-(2 * 10**9), -5, 0, 2**31 - 5, 2**32 - 5])
@pytest.mark.parametrize("n_ticks", [1, 2**31, 2**32 - 1, 2**32])  # of which the last no longer fit 32 bits
def test_the_last_instant_is_exact_in_every_unit_and_however_long_a_log_is(unit, a_second, first_s, n_ticks):
    first = first_s * a_second + 1
    at = [first, first + n_ticks, first + n_ticks // 2]
    log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="purchase", at=at, time_unit=unit)
    assert log.resolution_us * a_second == 1_000_000
    as_of = dt.datetime(2260, 1, 1, tzinfo=dt.UTC)
    ago = rfm_values(log, as_of=as_of, value=None).recency_us.tolist()
    as_of_us = round(as_of.timestamp()) * 1_000_000
    assert [as_of_us - us for us in ago] == [at[2] * log.resolution_us, at[1] * log.resolution_us]


@pytest.mark.parametrize(
    ("unit", "apart", "heavy", "every", "least"),
    [
        ("s", 1, 1, 1, 0),
        ("us", 1_000, 1, 3, 0),  # 2**32 ticks and more
        ("s", 1, 200, 3, 0),  # rows of one member, whose sum takes 64 bits
        ("us", 1_000, 200, 1, -5),
        ("us", 1_000, 600_000, 1, 0),  # and whose number does not fit beside it
    ],
)
def test_more_members_than_a_cache_holds_get_the_same_numbers(unit, apart, heavy, every, least):
    rng = np.random.default_rng(heavy)
    n_members = packed._MOST_STRAIGHT + 1
    member = np.concatenate([rng.permutation(n_members), rng.integers(n_members, size=400_000), np.full(heavy, 7)])
    at = rng.integers(-(10**7), 10**7, size=len(member)) * apart
    value = rng.integers(least, 100_000, size=len(member))
    kind = np.where(np.arange(len(member)) % every == 0, "purchase", "post")
    log = EventLog.from_columns(member=member, kind=kind, at=at, time_unit=unit, value=value)
    found = rfm_values(log, as_of=pendulum.datetime(1971, 1, 1))
    code, us = log.member_codes[::every], log.at_us[::every]
    last_us = np.empty(len(log.members), dtype=np.int64)
    last_us[code[np.argsort(us, kind="stable")]] = np.sort(us)
    held = found.has_row
    assert np.array_equal(365 * DAY * 1_000_000 - found.recency_us[held], last_us[held])
    assert np.array_equal(found.frequency, np.bincount(code, minlength=len(log.members)))
    assert np.array_equal(held, found.frequency > 0)
    assert np.array_equal(found.monetary, np.bincount(code, weights=value[::every], minlength=len(log.members)))


# ── the scores ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        # places from the worst: 1 1 1 at 0-2, 2 at 3, 3 at 4; score = floor(5 × #(worse) / 5) + 1
        ("value-left", [1, 1, 1, 4, 5]),
        ("value-right", [3, 3, 3, 4, 5]),
        ("midrank", [2, 2, 2, 4, 5]),
    ],
)
def test_equal_values_share_a_score(ties, expected):
    rows = [(name, 1, 1) for name in "abc"] + [("d", 1, 1)] * 2 + [("e", 1, 1)] * 3
    found = rfm(purchases(*rows), as_of=AS_OF, ties=ties, few_values="ignore")
    assert found.scores[:, 1].tolist() == expected


def test_a_middle_rank_may_be_a_half():
    # Two equal ones at places 0 and 1 have half a member worse: floor(4 × 0.5 / 2) + 1
    found = rfm(purchases(("a", 1, 1), ("b", 1, 1)), as_of=AS_OF, bins=4, ties="midrank", few_values="ignore")
    assert found.scores.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_there_may_be_many_scores():
    rows = [(number, number / 20, number) for number in range(1, 101)]
    found = rfm(purchases(*rows), as_of=AS_OF, bins=50, few_values="ignore")
    assert found.scores[:, 0].tolist() == [number // 2 + 1 for number in range(100)]
    assert found.scores[:, 2].tolist() == [number // 2 + 1 for number in range(100)]


def test_there_are_127_scores_at_most():
    rows = [(number, number / 20, number) for number in range(1, 128)]
    found = rfm(purchases(*rows), as_of=AS_OF, bins=127, few_values="ignore")
    assert found.scores[:, 0].tolist() == found.scores[:, 2].tolist() == list(range(1, 128))
    with pytest.raises(InvalidValueError, match="bins: expected an integer from 1 to 127, got 128"):
        rfm(LOG, as_of=AS_OF, bins=128)


@pytest.mark.parametrize(
    ("cut", "bound"),
    [
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (2.0**63, None),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, -(2**63)),
        (-1e30, -(2**63)),
        (2.5, 3),
        (-2.5, -2),
    ],
)
def test_of_integers_the_least_that_reaches_a_cut_is_one_of_64_bits_or_there_is_none(cut, bound):
    assert at_least(np.dtype(np.int64), cut) == bound


def test_rows_may_be_more_than_a_century_old():
    found = rfm_values(LOG, as_of=pendulum.datetime(2150, 1, 11))
    assert found.frequency.tolist() == [2, 1, 2, 1]
    assert (found.recency_days - rfm_values(LOG, as_of=AS_OF).recency_days).tolist() == [65_744.0] * 4


def test_nested_scores_compare_with_those_of_the_same_scores_before():
    rows = [("a", 1, 1), *[("b", 1, 1)] * 2, *[("c", 9, 1)] * 3, *[("d", 9, 1)] * 4]
    plain, nested = (rfm(purchases(*rows), as_of=AS_OF, bins=2, nested=n, few_values="ignore") for n in (False, True))
    assert plain.scores[:, :2].tolist() == [[1, 1], [1, 1], [2, 2], [2, 2]]
    assert nested.scores[:, :2].tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    assert nested.cuts.frequency_within == ((2,), (4,))
    assert "nested" in repr(nested.cuts)


def test_nested_money_compares_with_those_of_the_same_recency_and_frequency():
    rows = [("a", 1, 5), ("b", 1, 7), *[("c", 1, 1)] * 2, *[("d", 1, 2)] * 2]
    found = rfm(purchases(*rows), as_of=AS_OF, bins=2, nested=True, few_values="ignore")
    assert found.scores.tolist() == [[1, 1, 1], [1, 1, 2], [1, 2, 1], [1, 2, 2]]
    assert found.cuts.monetary_within[:2] == ((7,), (4,))
    assert [found.score_one(recency_days=9, frequency=n, monetary=5) for n in (1, 2)] == [(1, 1, 1), (1, 2, 2)]


def test_a_group_in_which_nobody_stood_takes_the_cuts_of_everybody():
    rows = [("a", 1, 5), *[("b", 1, 3)] * 2]
    cuts = rfm(purchases(*rows), as_of=AS_OF, bins=2, nested=True, few_values="ignore").cuts
    assert cuts.recency_us == (None,)
    assert cuts.frequency_within == ((2,), (2,))
    assert cuts.frequency_within[1] == cuts.frequency
    assert cuts.monetary_within[2:] == (cuts.monetary,) * 2


def test_more_bins_than_distinct_values_are_refused_unless_allowed():
    with pytest.raises(InvalidValueError, match="bins: expected at most the 2 distinct values of frequency, got 4"):
        rfm(LOG, as_of=AS_OF, bins=4)
    with pytest.raises(InvalidValueError, match="distinct values of recency, got 5"):
        rfm(LOG, as_of=AS_OF)
    with pytest.warns(ShequnWarning, match="at most the 2 distinct values of frequency, got 4; equal values share"):
        warned = rfm(LOG, as_of=AS_OF, bins=4, few_values="warn")
    assert warned == rfm(LOG, as_of=AS_OF, bins=4, few_values="ignore")


def test_a_warning_points_at_the_caller():
    with pytest.warns(ShequnWarning) as caught:
        rfm(LOG, as_of=AS_OF, bins=4, few_values="warn")
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"bins": 0}, InvalidValueError, "bins: expected an integer from 1 to 127, got 0"),
        ({"bins": 128}, InvalidValueError, "bins: expected an integer from 1 to 127, got 128"),
        ({"bins": 2.0}, InvalidTypeError, "bins: expected an integer, got 2.0"),
        ({"bins": True}, InvalidTypeError, "bins: expected an integer, got True"),
        ({"ties": "first"}, InvalidValueError, "ties: expected one of 'value-left', 'value-right', 'midrank', got"),
        ({"ties": "midrnk"}, InvalidValueError, "did you mean 'midrank'"),
        ({"nested": 1}, InvalidTypeError, "nested: expected True or False, got 1"),
        ({"few_values": "no"}, InvalidValueError, "few_values: expected one of 'raise', 'warn', 'ignore', got 'no'"),
        ({"within": dt.timedelta(days=-1)}, InvalidValueError, "within: .* a window can't lie in the future, got"),
        ({"within": dt.timedelta(0)}, InvalidValueError, "within: expected a duration longer than 0"),
        ({"within": 30}, InvalidTypeError, "within: expected a duration such as"),
        ({"as_of": dt.datetime(1970, 1, 1)}, InvalidValueError, "as_of: "),  # noqa: DTZ001
        ({"value": "price"}, UnknownLabelError, "value: expected one of the log's columns .*value=None counts without"),
        ({"value": "member"}, InvalidTypeError, "value: expected the name of a column of numbers, got 'member'"),
        ({"value": 3}, InvalidTypeError, "value: expected the name of a column, got 3"),
        ({"frequency": "weeks"}, InvalidValueError, "frequency: expected one of 'rows', 'days', got 'weeks'"),
        ({"frequency": "days"}, InvalidValueError, "tz: expected a zone with frequency='days', and none otherwise"),
        ({"tz": "UTC"}, InvalidValueError, "tz: expected a zone with frequency='days', and none otherwise"),
        ({"kinds": ()}, InvalidValueError, "kinds: expected at least one kind"),
        ({"unknown_kinds": "raise", "kinds": "buy"}, UnknownLabelError, "kinds: expected kinds that the log contains"),
        ({"cuts": (1, 2)}, InvalidTypeError, "cuts: expected RfmCuts"),
    ],
)
def test_what_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        rfm(LOG, **{"as_of": AS_OF, "bins": 2, **options})


def test_an_unknown_kind_warns_once():
    with pytest.warns(UnknownKindWarning, match="'purchas'.*did you mean 'purchase'") as caught:
        found = rfm(LOG, as_of=AS_OF, kinds="purchas")
    assert len(caught) == 1
    assert not found.has_row.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_money_that_counts_must_be_finite(bad):
    log = purchases(("ann", 1, 1.5), ("bo", 2, bad), ("cy", 3, bad))
    with pytest.raises(InvalidValueError, match=r"value: expected finite numbers, got .* at row 1 \(2 of 3 rows\)"):
        rfm(log, as_of=AS_OF, bins=1)
    kept = rfm(log, as_of=pendulum.datetime(1970, 1, 2), bins=1)
    assert kept.monetary.tolist() == [1.5, 0, 0]
    assert rfm(log, as_of=AS_OF, bins=1, value=None).monetary.tolist() == [0, 0, 0]


def test_a_sum_that_does_not_fit_is_refused():
    whole = purchases(("bo", 1, 2**62), ("bo", 2, 2**62), ("bo", 3, -5), ("ann", 1, 2**62), ("ann", 2, 2**62))
    text = f"value: expected integers whose sum for each member fits 64 bits, got {2**63} for member 'ann'"
    with pytest.raises(InvalidValueError, match=text):
        rfm_values(whole, as_of=AS_OF)
    floats = purchases(("bo", 1, 1.5e308), ("bo", 2, 1.5e308))
    with pytest.raises(
        InvalidValueError, match="floats whose sum for each member fits 64 bits, got inf for member 'bo'"
    ):
        rfm_values(floats, as_of=AS_OF)


# ── cuts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


CUTS = RfmCuts.of(recency_days=(6, 1), frequency=(2, 3), monetary=(30, 60.5))


def test_cuts_made_by_hand_score_a_log():
    found = rfm(LOG, as_of=AS_OF, cuts=CUTS)
    assert found.scores.tolist() == [[3, 2, 3], [2, 1, 2], [3, 2, 1], [1, 1, 1]]
    assert found.cuts == CUTS


def test_found_cuts_tell_the_least_value_of_each_score():
    cuts = rfm(LOG, as_of=AS_OF, bins=2).cuts
    assert (cuts.recency_days, cuts.frequency, cuts.monetary) == ((0.5,), (2,), (50,))
    assert repr(cuts) == "RfmCuts(2 bins, recency_days ≤ [0.5], frequency ≥ [2], monetary ≥ [50])"


def test_cuts_are_values():
    again = RfmCuts.of(
        recency_days=(pendulum.duration(days=6), dt.timedelta(days=1)), frequency=(2, 3), monetary=(30, 60.5)
    )
    assert again == CUTS
    assert hash(again) == hash(CUTS)
    assert pickle.loads(pickle.dumps(CUTS)) == CUTS  # noqa: S301
    assert attrs.evolve(CUTS, monetary=(1, 2)) != CUTS
    assert RfmCuts.from_dict(json.loads(json.dumps(CUTS.to_dict()))) == CUTS
    nested = rfm(LOG, as_of=AS_OF, bins=2, nested=True).cuts
    assert RfmCuts.from_dict(json.loads(json.dumps(nested.to_dict()))) == nested


def test_a_live_app_scores_one_member():
    assert CUTS.score_one(recency_days=1, frequency=2, monetary=60) == RfmScore(3, 2, 2)
    assert CUTS.score_one(recency_days=np.float64(1.0000001), frequency=np.int64(3), monetary=61) == (2, 3, 3)
    assert CUTS.score_one(recency_days=dt.timedelta(days=6, microseconds=1), frequency=1) == (1, 1, 1)
    assert CUTS.score_one(recency_days=float("nan"), frequency=0) == (0, 0, 0)
    assert rfm(LOG, as_of=AS_OF, cuts=CUTS).score_one(recency_days=1, frequency=2, monetary=60) == (3, 2, 2)


def test_money_that_is_not_told_is_none():
    cuts = RfmCuts.of(recency_days=(6, 1), frequency=(2, 3), monetary=(1, 60))
    assert cuts.score_one(recency_days=1, frequency=2) == RfmScore(3, 2, 1)


def test_days_tell_microseconds_apart_for_more_than_a_century():
    century = 100 * 365 * DAY * 1_000_000
    for us in [*range(1, 300), *range(century, century + 300)]:
        cuts = RfmCuts(bins=2, recency_us=(us,), frequency=(1,), monetary=(1,))
        scores = [cuts.score_one(recency_days=ago / (DAY * 1_000_000), frequency=1).recency for ago in (us, us + 1)]
        assert scores == [2, 1]


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"frequency": -1}, InvalidValueError, "frequency: expected a number of 0 or more, got -1"),
        ({"frequency": 1.5}, InvalidTypeError, "frequency: expected an integer, got 1.5"),
        ({"frequency": 0}, InvalidValueError, "frequency: expected 0 where there is no recency, and else 1 or more"),
        ({"recency_days": None}, InvalidValueError, "frequency: expected 0 where there is no recency"),
        ({"recency_days": -0.1}, InvalidValueError, "recency_days: expected a finite number of days, 0 or more"),
        ({"recency_days": np.inf}, InvalidValueError, "recency_days: expected a finite number of days, 0 or more"),
        ({"recency_days": dt.timedelta(-1)}, InvalidValueError, "recency_days: expected a duration that is not"),
        ({"recency_days": "1"}, InvalidTypeError, "recency_days: expected a number of days, or a duration, got '1'"),
        ({"monetary": np.nan}, InvalidValueError, "monetary: expected a finite number, got nan"),
        ({"monetary": True}, InvalidTypeError, "monetary: expected a number, got True"),
        ({"monetary": None}, InvalidTypeError, "monetary: expected a number, got None"),
    ],
)
def test_one_member_is_checked(change, error, text):
    with pytest.raises(error, match=text):
        CUTS.score_one(**(ONE | change))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            {"recency_days": (1, 6)},
            InvalidValueError,
            r"recency_days: expected cuts in order, .* got \[1, 6\] at row 1",
        ),
        ({"frequency": (3, 2)}, InvalidValueError, r"frequency: expected cuts in order, .* got \[3, 2\] at row 1"),
        ({"frequency": (3,)}, InvalidValueError, "frequency: expected 2 cuts, one for each score from 2 to 3, got '1"),
        ({"frequency": (None, 2)}, InvalidValueError, "None at the end alone"),
        ({"frequency": 3}, InvalidTypeError, "frequency: expected a sequence of cuts, got 3"),
        ({"frequency": ("3", 4)}, InvalidTypeError, "frequency: expected numbers, or None .*, got '3' at row 0"),
        ({"monetary": (1, np.nan)}, InvalidValueError, "monetary: expected finite numbers, or None, got nan at row 1"),
        ({"recency_days": ("x", 1)}, InvalidTypeError, "recency_days: expected a number of days"),
        ({"recency_days": (3, -1)}, InvalidValueError, "recency_days: expected a finite number of days, 0 or more"),
    ],
)
def test_cuts_are_checked(change, error, text):
    given = {"recency_days": (6, 1), "frequency": (2, 3), "monetary": (30, 60)} | change
    with pytest.raises(error, match=text):
        RfmCuts.of(**given)


def test_recency_cuts_are_checked_as_they_were_given():
    with pytest.raises(InvalidValueError, match=r"recency_us: expected cuts in order, .* got \[1, 5\] at row 1"):
        RfmCuts(bins=3, recency_us=(1, 5), frequency=(1, 2), monetary=(1, 2))
    with pytest.raises(InvalidValueError, match="recency_us: expected times that are not negative, got -1 at row 1"):
        RfmCuts(bins=3, recency_us=(1, -1), frequency=(1, 2), monetary=(1, 2))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"schema": 2}, InvalidValueError, "document: expected one of schema 1, got 2"),
        ({"frequncy": 1}, InvalidValueError, "document: expected no keys but .*did you mean 'frequency'"),
        ({"bins": None}, InvalidTypeError, "bins: expected an integer, got None"),
        ({"recency_us": [1.5, 1]}, InvalidTypeError, "recency_us: expected an integer, got 1.5"),
        ({"recency_us": {}}, InvalidValueError, "recency_us: expected 2 cuts"),
        ({"frequency_within": [[1, 2]]}, InvalidValueError, "frequency_within: expected cuts for each of the 3 groups"),
        ({"frequency_within": 7}, InvalidTypeError, "frequency_within: expected a sequence of cuts, got 7"),
        (
            {"monetary_within": [[1]] * 9, "frequency_within": [[1, 2]] * 3},
            InvalidValueError,
            "monetary_within: expect",
        ),
    ],
)
def test_a_document_is_checked(change, error, text):
    with pytest.raises(error, match=text):
        RfmCuts.from_dict(CUTS.to_dict() | change)


def test_a_document_must_be_whole():
    short = CUTS.to_dict()
    del short["monetary"]
    with pytest.raises(InvalidValueError, match="document: expected the key 'monetary'"):
        RfmCuts.from_dict(short)
    with pytest.raises(InvalidTypeError, match="document: expected a mapping that `to_dict` gave"):
        RfmCuts.from_dict([])


def test_cuts_leave_no_room_for_other_options():
    for options in ({"bins": 4}, {"ties": "midrank"}, {"nested": True}):
        with pytest.raises(InvalidValueError, match="cuts: expected no bins, ties or nested beside it"):
            rfm(LOG, as_of=AS_OF, cuts=CUTS, **options)
    assert rfm(LOG, as_of=AS_OF, cuts=CUTS, bins=3) == rfm(LOG, as_of=AS_OF, cuts=CUTS)


# ── from a warehouse, and in parts ───────────────────────────────────────────────────────────────────────────────────


def test_numbers_counted_in_a_warehouse_are_scored_alike():
    own = rfm_values(LOG, as_of=AS_OF)
    given = RfmValues.from_columns(
        member=["ann", "bo", "cy", "dee"],
        last=[round(day * DAY) for day in (9.5, 4, 10, 2)],
        time_unit="s",
        frequency=[2, 1, 2, 1],
        monetary=[400, 50, 25, 20],
        as_of=AS_OF,
    )
    assert np.array_equal(given.score(bins=2).scores, own.score(bins=2).scores)
    assert given.score(bins=2).cuts == own.score(bins=2).cuts


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"member": ["a", "a"]}, InvalidValueError, "member: expected each label once"),
        ({"frequency": [1]}, MisalignedError, "frequency: expected one entry for each of the 2 members"),
        (
            {"frequency": [1, 0]},
            InvalidValueError,
            r"frequency: expected numbers of 1 or more, got 0 at row 1 \(1 of 2",
        ),
        ({"last": [0, 11 * DAY]}, InvalidValueError, "last: expected instants up to as_of"),
        ({"monetary": [1, np.inf]}, InvalidValueError, "monetary: expected finite numbers, got inf at row 1"),
        ({"monetary": [1.5, None]}, InvalidValueError, "monetary: expected finite numbers, got nan at row 1"),
    ],
)
def test_numbers_from_a_warehouse_are_checked(change, error, text):
    given = {"member": ["a", "b"], "last": [0, 1], "frequency": [1, 2], "monetary": [1, 2], "as_of": AS_OF}
    with pytest.raises(error, match=text):
        RfmValues.from_columns(**(given | change), time_unit="s")


def test_counts_put_together_by_hand_are_of_everybody_and_have_cuts():
    made = rfm_values(LOG, as_of=AS_OF).counts()
    by_hand = RfmCounts(
        definition=made.definition, recency=made.recency, frequency=made.frequency, monetary=made.monetary
    )
    assert by_hand == made
    assert by_hand.cuts(bins=2) == made.cuts(bins=2)


def test_counts_of_different_questions_do_not_merge():
    one = rfm_values(LOG, as_of=AS_OF)
    other = rfm_values(LOG, as_of=AS_OF.add(days=1))
    for tally in (RfmValues.counts, RfmValues.sketch):
        with pytest.raises(InvalidValueError, match="as_of_us: expected the same in both parts"):
            tally(one).merge(tally(other))
        with pytest.raises(InvalidTypeError, match="other: expected an Rfm"):
            tally(one).merge(ValueCounts.of([1]))
    brackets = one.sketch().brackets(bins=2)
    with pytest.raises(InvalidValueError, match="is_partial=False"):
        one.counts().merge(one.counts(brackets))
    with pytest.raises(InvalidValueError, match="counts: expected counts of all values"):
        one.counts(brackets).cuts()
    with pytest.raises(InvalidValueError, match=r"counts: expected what `RfmValues\.counts\(brackets\)` gives"):
        brackets.cuts(one.counts())
    with pytest.raises(InvalidValueError, match="brackets: expected those of"):
        other.counts(brackets)
    with pytest.raises(InvalidTypeError, match="brackets: expected RfmBrackets"):
        one.counts(3)
    with pytest.raises(InvalidTypeError, match="other: expected an RfmCounts"):
        brackets.cuts(3)


def test_tallies_tell_their_sizes():
    values = rfm_values(LOG, as_of=AS_OF)
    assert repr(values) == "RfmValues(4 members, 4 with a row)"
    assert repr(values.counts()) == "RfmCounts(4 members, 4 recencies, 2 frequencies, 4 sums)"
    assert repr(values.sketch()) == "RfmSketch(4 members, 10 buckets)"
    brackets = values.sketch().brackets(bins=2)
    assert repr(brackets) == "RfmBrackets(2 bins, of 4 members)"
    assert repr(values.counts(brackets)).endswith("sums near the cuts)")
    assert repr(brackets.frequency) == "Brackets(1 of 1 cuts, of 4 members)"
    assert repr(ValueCounts.of([1, 1])) == "ValueCounts(1 values, 2 members)"
    assert repr(ValueSketch.of([1, 1])) == "ValueSketch(1 buckets, 2 members)"
    assert values.counts().n_members == values.sketch().n_members == 4


@pytest.mark.parametrize("kind", [ValueCounts, ValueSketch])
def test_values_that_are_counted_are_checked(kind):
    for bad, error, text in (
        ([1.5, np.nan], InvalidValueError, "values: expected finite numbers, got nan at row 1"),
        (["a"], InvalidTypeError, "values: expected numbers, got"),
        ([[1, 2]], InvalidTypeError, "values: expected a 1-D array of numbers"),
        (np.array([2**63], dtype=np.uint64), InvalidValueError, "values: expected integers that fit 64 bits"),
    ):
        with pytest.raises(error, match=text):
            kind.of(bad)
    with pytest.raises(InvalidTypeError, match="other: expected a Value"):
        kind.of([1]).merge(3)
    with pytest.raises(InvalidValueError, match=r"values: expected integers up to 2\*\*53 beside floats"):
        kind.of([2**53 + 1]).merge(kind.of([0.5]))
    mixed = kind.of([1]).merge(kind.of([0.5]))
    assert mixed == kind.of([0.5, 1.0])


def test_counts_behind_values_are_checked():
    assert ValueCounts.of([3, 1, 3], counts=[1, 0, 2]) == ValueCounts.of([3, 3, 3])
    with pytest.raises(InvalidValueError, match="counts: expected one count for each of the 2 values"):
        ValueCounts.of([1, 2], counts=[1])
    with pytest.raises(InvalidValueError, match="counts: expected integers in"):
        ValueCounts.of([1], counts=[-1])


def test_cuts_in_neighbouring_buckets_are_told_apart():
    values = [8192, 8193, 8194, 8195]
    brackets = ValueSketch.of(values).brackets(bins=4)
    assert brackets.buckets.tolist() == [brackets.buckets[0], brackets.buckets[0] + 1, brackets.buckets[0] + 1]
    assert brackets.cuts(brackets.inside(values)) == (8193, 8194, 8195)


def test_brackets_refuse_the_values_of_others():
    brackets = ValueSketch.of([1, 2, 3, 4]).brackets(bins=2)
    with pytest.raises(InvalidValueError, match="inside: expected the 1 members whose values were sketched"):
        brackets.cuts(ValueCounts.of([3, 3]))
    with pytest.raises(InvalidValueError, match="inside: expected values in the buckets of the cuts alone"):
        brackets.cuts(ValueCounts.of([1, 3]))
    with pytest.raises(InvalidTypeError, match="inside: expected a ValueCounts"):
        brackets.cuts([3])


# ── named segments ───────────────────────────────────────────────────────────────────────────────────────────────────


def given_scores(*scores):
    """An Rfm of some scores of 1 to 5."""
    n = len(scores)
    values = RfmValues.from_columns(
        member=np.arange(n), last=np.zeros(n, dtype=int), time_unit="s", frequency=np.ones(n, dtype=int), as_of=AS_OF
    )
    return attrs.evolve(values.score(few_values="ignore"), scores=np.array(scores, dtype=np.int8))


def test_grid5_names_the_corners_as_everybody_does():
    found = given_scores((5, 5, 1), (5, 1, 1), (1, 5, 1), (1, 1, 5), (3, 3, 3), (4, 1, 1), (2, 2, 2), (0, 0, 0))
    assert found.assign().labels().tolist() == [
        "Champions", "New", "Can't lose them", "Lost", "Need attention", "Promising", "Hibernating", None,
    ]  # fmt: skip
    assert found.assign("grid5", lang="zh").of(0) == "冠军"


def test_grid5_has_each_cell_once_and_each_name():
    grid = RfmGrid(cells=GRID5)
    assert set(grid.names) == set(RfmSegment)
    assert sum(len(cells) for cells in grid.cells.values()) == 25
    assert "champions: 2" in repr(grid)


def test_an_operator_may_name_cells_anew():
    cells = {"核心": GRID5[RfmSegment.CHAMPIONS], **{k: v for k, v in GRID5.items() if k != RfmSegment.CHAMPIONS}}
    found = given_scores((5, 5, 1), (1, 1, 1))
    assert found.assign(cells, lang="zh").labels().tolist() == ["核心", "已流失"]
    cube = {"top": [(r, f, m) for r in (4, 5) for f in range(1, 6) for m in range(1, 6)]}
    cube["rest"] = [(r, f, m) for r in (1, 2, 3) for f in range(1, 6) for m in range(1, 6)]
    assert found.assign(RfmGrid(cells=cube)).labels().tolist() == ["top", "rest"]


@pytest.mark.parametrize(
    ("cells", "error", "text"),
    [
        ({"a": [(1, 1), (1, 2), (2, 1)]}, InvalidValueError, r"cells: .* 1 of 4 are in none, got \(2, 2\)"),
        ({"a": [(1, 1), (1, 2)], "b": [(2, 1), (2, 2), (1, 2)]}, InvalidValueError, "this one is in 'a' as well"),
        ({"a": [(1, 1), (1, 1)]}, InvalidValueError, r"cells\['a'\]: expected each cell in one segment"),
        ({"a": [(1, 3)]}, InvalidValueError, r"cells\['a'\]: expected scores from 1 to 2, got \(1, 3\)"),
        ({"a": [(0, 1)]}, InvalidValueError, "scores from 1 to 2"),
        ({"a": [(1, 1)], "b": [(1, 1, 1)]}, InvalidValueError, "all of two scores, or all of three"),
        ({}, InvalidValueError, "all of two scores, or all of three"),
        ({"a": [(1,)]}, InvalidTypeError, "tuples of two scores"),
        ({"a": [11]}, InvalidTypeError, "tuples of two scores"),
        ({"a": [(1, 1.0)]}, InvalidTypeError, "tuples of two scores"),
        ({"a": 3}, InvalidTypeError, r"cells\['a'\]: expected cells, got 3"),
        ({"": [(1, 1)]}, InvalidTypeError, "cells: expected names that are non-empty str, got ''"),
        ([(1, 1)], InvalidTypeError, "cells: expected a mapping of name to cells"),
    ],
)
def test_a_grid_is_checked(cells, error, text):
    with pytest.raises(error, match=text):
        RfmGrid(cells=cells, bins=2)


def test_a_grid_knows_its_cells():
    grid = RfmGrid(cells={"a": [(1, 1), (1, 2)], "b": [(2, 1), (2, 2)]}, bins=2)
    assert grid.of(recency=2, frequency=1, monetary=2) == "b"
    with pytest.raises(InvalidValueError, match=r"cell: expected 2 scores from 1 to 2, got \(3, 1\)"):
        grid.of(recency=3, frequency=1)
    assert pickle.loads(pickle.dumps(grid)) == grid  # noqa: S301
    assert grid == RfmGrid(cells={"a": [(1, 2), (1, 1)], "b": [(2, 1), (2, 2)]}, bins=2)
    assert grid != RfmGrid(cells={"b": [(2, 1), (2, 2)], "a": [(1, 1), (1, 2)]}, bins=2)
    assert grid != 3


def test_quadrants_are_eight_and_named_as_operators_do():
    high = {"recency_days": 5, "frequency": 2, "monetary": 100}
    rows = []
    expected = {}
    for number, quadrant in enumerate(RfmQuadrant):
        rich, often, recent = number < 4, number % 2 == 0, number % 4 < 2
        times = 2 if often else 1
        rows += [(number, 8 if recent else 2, (100 if rich else 60) / times)] * times
        expected[number] = quadrant.zh
    found = rfm(purchases(*rows), as_of=AS_OF, bins=2)
    named = found.assign("quadrant8", high=high, lang="zh")
    assert dict(zip(named.members, named.labels(), strict=True)) == expected
    assert found.assign("quadrant8", lang="zh") == named
    assert found.assign("quadrant8").of(0) == "Important, to value"
    assert [q.zh for q in RfmQuadrant] == [
        "重要价值", "重要发展", "重要保持", "重要挽留", "一般价值", "一般发展", "一般保持", "一般挽留",
    ]  # fmt: skip


def test_quadrants_may_compare_scores():
    found = given_scores((5, 5, 5), (1, 1, 1), (5, 1, 1), (0, 0, 0))
    # means of those with a row: 11/3, 7/3, 7/3
    labels = found.assign("quadrant8", by="scores", lang="zh").labels().tolist()
    assert labels == ["重要价值", "一般挽留", "一般发展", "一般挽留"]


def test_what_is_high_is_at_least_as_good():
    found = rfm(purchases(("ann", 5, 10), ("bo", 4, 10)), as_of=AS_OF, bins=1)
    named = found.assign("quadrant8", high={"recency_days": 5, "monetary": 10.5}, lang="zh")
    assert named.labels().tolist() == ["一般价值", "一般保持"]


def test_the_mean_of_integers_is_exact():
    # A float would round it up past them all.
    large = 2**60 + 200
    assert float(large) > large
    found = rfm(purchases(("ann", 1, large), ("bo", 1, large), ("cy", 1, large)), as_of=AS_OF, bins=1)
    assert set(found.assign("quadrant8", lang="zh").labels()) == {"重要价值"}


def test_the_mean_of_floats_is_no_median():
    found = rfm(purchases(("ann", 1, 1.0), ("bo", 1, 2.5), ("cy", 1, 9.5)), as_of=AS_OF, bins=1)
    assert found.assign("quadrant8", lang="zh").labels().tolist() == ["一般价值", "一般价值", "重要价值"]


@pytest.mark.parametrize(
    ("segments", "options", "error", "text"),
    [
        ("grid6", {}, InvalidValueError, "segments: expected one of 'quadrant8', 'grid5', got 'grid6'"),
        ("grid5", {"lang": "fr"}, InvalidValueError, "lang: expected one of 'en', 'zh'"),
        ("grid5", {"by": "scores"}, InvalidValueError, "by: expected it with 'quadrant8' alone"),
        ("grid5", {"high": {}}, InvalidValueError, "high: expected it with 'quadrant8' alone"),
        (3, {}, InvalidTypeError, "cells: expected a mapping"),
        (RfmGrid(cells={"a": [(1, 1)]}, bins=1), {}, InvalidValueError, "segments: expected cells of 5 scores, got"),
        ("quadrant8", {"by": "ranks"}, InvalidValueError, "by: expected one of 'values', 'scores'"),
        ("quadrant8", {"by": "scores", "high": {}}, InvalidValueError, "high: expected it with by='values' alone"),
        (
            "quadrant8",
            {"high": {"recency_day": 3}},
            InvalidValueError,
            "high: expected the keys .*did you mean 'recency_days'",
        ),
        ("quadrant8", {"high": {"frequency": "3"}}, InvalidTypeError, r"high\['frequency'\]: expected a number"),
        ("quadrant8", {"high": {"monetary": np.nan}}, InvalidValueError, r"high\['monetary'\]: expected a finite"),
        ("quadrant8", {"high": {"recency_days": -1}}, InvalidValueError, "0 or more, got -1"),
        ("quadrant8", {"high": 3}, InvalidTypeError, "high: expected a mapping"),
    ],
)
def test_segments_are_checked(segments, options, error, text):
    with pytest.raises(error, match=text):
        given_scores((1, 1, 1)).assign(segments, **options)


def test_two_names_that_read_alike_are_refused():
    cells = {**GRID5, "Champions": GRID5[RfmSegment.CHAMPIONS]}
    del cells[RfmSegment.CHAMPIONS]
    cells["New"] = cells.pop(RfmSegment.NEW)
    assert given_scores((5, 1, 1)).assign(cells).labels().tolist() == ["New"]
    cells["Lost"] = cells.pop(RfmSegment.NEW.value, None) or cells.pop("New")
    with pytest.raises(InvalidValueError, match="cells: expected each label once, got 'Lost'"):
        given_scores((5, 1, 1)).assign(cells)


# ── how it looks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_result_prints_as_a_table():
    assert (
        str(rfm(LOG, as_of=AS_OF, bins=2))
        == """\
RFM of 4 members as of 1970-01-11 00:00 UTC, scores 1 to 2
member  days since  times  spent  R  F  M
─────────────────────────────────────────
ann            0.5      2    400  2  2  2
bo             6.0      1     50  1  1  2
cy             0.0      2     25  2  2  1
dee            8.0      1     20  1  1  1"""
    )
    assert rfm(LOG, as_of=AS_OF, bins=2).table(lang="zh").splitlines()[:2] == [
        "截至 1970-01-11 00:00 UTC：4 名成员的 RFM，评分 1 至 2",
        "成员  距今天数  次数  金额  R  F  M",
    ]


@pytest.mark.parametrize(("amounts", "shown"), [((2.5, 4.0), ["2.5", "4.0"]), ((2, 4), ["2", "4"])])
def test_money_is_printed_with_its_fractions_where_it_has_some(amounts, shown):
    found = rfm(purchases(("ann", 1, amounts[0]), ("bo", 2, amounts[1])), as_of=AS_OF, bins=1)
    assert [line.split()[3] for line in str(found).splitlines()[3:5]] == shown


def test_a_result_becomes_columns_rows_and_json():
    found = rfm(LOG, as_of=AS_OF, bins=2)
    columns = found.to_columns()
    assert list(columns) == [
        "member", "recency_days", "frequency", "monetary", "recency_score", "frequency_score", "monetary_score",
    ]  # fmt: skip
    assert not any(column.flags.writeable for column in columns.values())
    assert found.last()._asdict() == {
        "member": "dee", "recency_days": 8.0, "frequency": 1, "monetary": 20,
        "recency_score": 1, "frequency_score": 1, "monetary_score": 1,
    }  # fmt: skip
    json.dumps(found.to_dict(), allow_nan=False)
    assert (found.as_of, found.members) == (AS_OF, LOG.members)
    assert repr(found) == "Rfm(4 members, 4 with a row, scores 1 to 2)"
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301
    assert found != rfm(LOG, as_of=AS_OF, bins=1)
    assert found != 3
    assert found.values != 3


def test_results_keep_no_log_alive():
    found = rfm(LOG, as_of=AS_OF, bins=2)
    assert isinstance(found.members, Index)
    assert {type(getattr(found.values, field.name)).__name__ for field in attrs.fields(RfmValues)} == {
        "Index", "ndarray", "RfmDefinition",
    }  # fmt: skip


def test_the_caller_must_give_a_log_and_an_instant():
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog, got 3"):
        rfm(3, as_of=AS_OF)

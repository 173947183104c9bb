"""Which posts and which responses count for which hour of the week."""

from __future__ import annotations

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.content import SlotResponse, best_slots, slot_of
from shequn.entities import ContentItem
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError

SHANGHAI = "Asia/Shanghai"
POSTED = pendulum.datetime(2024, 3, 4, 21, 30, tz=SHANGHAI)  # a Monday
DAY = pendulum.duration(days=1)
LATER = POSTED.add(days=30)


def log_of(*rows):
    member, kind, at = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, kind=kind, at=at, item=["tea"] * len(rows))


def counted(response):
    return {int(s): (int(k), int(n)) for s, k, n in zip(response.slot, response.hits, response.trials, strict=True)}


def asked(log, **options):
    options = {"tz": SHANGHAI, "within": DAY, "observed_until": LATER, "unknown_kinds": "ignore"} | options
    return best_slots(log, {"tea": POSTED}, **options)


def test_a_post_counts_for_the_hour_that_the_local_clock_shows():
    log = log_of(("ann", "receive", POSTED), ("bo", "receive", POSTED), ("ann", "read", POSTED.add(hours=1)))
    assert counted(asked(log)) == {21: (1, 2)}
    assert counted(asked(log, tz="UTC")) == {13: (1, 2)}
    assert counted(asked(log, tz="+10:00")) == {23: (1, 2)}


@pytest.mark.parametrize(
    ("after", "hits"),
    [(pendulum.duration(microseconds=0), 1), (DAY - pendulum.duration(microseconds=1), 1), (DAY, 0)],
)
def test_a_response_counts_from_the_post_on_until_its_time_is_over(after, hits):
    log = log_of(("ann", "receive", POSTED), ("ann", "read", POSTED + after))
    assert counted(asked(log)) == {21: (hits, 1)}


def test_a_response_before_the_post_does_not_count():
    log = log_of(("ann", "receive", POSTED), ("ann", "read", POSTED.subtract(microseconds=1)))
    assert counted(asked(log)) == {21: (0, 1)}


def test_who_was_not_reached_is_not_counted_among_those_who_responded():
    log = log_of(("ann", "receive", POSTED), ("bo", "read", POSTED), ("ann", "read", POSTED), ("ann", "read", POSTED))
    assert counted(asked(log)) == {21: (1, 1)}


def test_without_rows_of_who_was_reached_a_number_does():
    log = log_of(("ann", "read", POSTED), ("bo", "read", POSTED), ("bo", "read", POSTED))
    assert counted(asked(log, reached=40)) == counted(asked(log, reached={"tea": 40})) == {21: (2, 40)}
    with pytest.raises(InvalidValueError, match="reached: expected at least the 2 who responded to 'tea', got 1"):
        asked(log, reached=1)
    with pytest.raises(UnknownLabelError, match="reached: expected a number for each post, got 'tea'; did you mean"):
        asked(log, reached={"teas": 40})
    with pytest.raises(InvalidValueError, match="reached: expected 0 or more members, got -1"):
        asked(log, reached=-1)


@pytest.mark.parametrize(
    ("until", "young"),
    [(POSTED + DAY - pendulum.duration(microseconds=1), 1), (POSTED + DAY, 0)],
)
def test_a_post_whose_time_is_not_over_is_left_out_and_counted(until, young):
    log = log_of(("ann", "receive", POSTED), ("ann", "read", POSTED))
    response = asked(log, observed_until=until)
    assert (response.n_young, len(response.slot)) == (young, 1 - young)


def test_without_an_end_the_last_row_is_the_end():
    log = log_of(("ann", "receive", POSTED), ("bo", "post", POSTED + DAY))
    assert asked(log, observed_until=None).n_young == 0
    assert asked(log_of(("ann", "receive", POSTED)), observed_until=None).n_young == 1


def test_the_hour_that_a_change_of_clocks_repeats_is_one_slot_and_the_skipped_one_has_no_post():
    berlin = "Europe/Berlin"
    first, second = (pendulum.datetime(2024, 10, 27, hour, 30, tz="UTC") for hour in (0, 1))  # both 02:30
    before, after = (pendulum.datetime(2024, 3, 31, hour, 30, tz="UTC") for hour in (0, 1))  # 01:30 and 03:30
    at = np.array([int(when.timestamp()) * 1_000_000 for when in (first, second, before, after)])
    assert slot_of(at, tz=berlin).tolist() == [146, 146, 145, 147]
    assert slot_of(at, tz=berlin, days="weekend").tolist() == [26, 26, 25, 27]


def test_a_local_hour_is_the_same_slot_in_summer_and_in_winter():
    at = [pendulum.datetime(2024, month, 1, 9, tz="America/New_York") for month in (1, 7)]  # both Mondays
    us = np.array([int(when.timestamp()) * 1_000_000 for when in at])
    assert slot_of(us, tz="America/New_York").tolist() == [9, 9]


def test_each_hour_of_a_week_has_a_slot_of_its_own():
    monday = int(pendulum.datetime(2024, 3, 4, tz=SHANGHAI).timestamp()) * 1_000_000
    hours = monday + np.arange(168) * 3_600_000_000
    assert slot_of(hours, tz=SHANGHAI).tolist() == list(range(168))
    weekend = slot_of(hours, tz=SHANGHAI, days="weekend").reshape(7, 24)
    assert (weekend[:5] == np.arange(24)).all()
    assert (weekend[5:] == np.arange(24, 48)).all()


def test_content_items_are_posts_where_they_were_published():
    created = POSTED.subtract(days=2)
    items = [
        ContentItem(id="tea", kind="informational", created=created, published=POSTED),
        ContentItem(id="cake", kind="informational", created=created),
    ]
    log = log_of(("ann", "receive", POSTED), ("ann", "read", POSTED))
    response = best_slots(log, items, tz=SHANGHAI, observed_until=LATER)
    assert counted(response) == {21: (1, 1)}


def test_what_is_no_post_or_no_log_is_refused():
    log = log_of(("ann", "receive", POSTED), ("ann", "read", POSTED))
    with pytest.raises(InvalidTypeError, match=r"posts: expected content items, or instants by the label .* at row 0"):
        best_slots(log, ["tea"], tz=SHANGHAI)
    with pytest.raises(InvalidTypeError, match=r"posts: expected labels of the type of the log's items, got 7"):
        best_slots(log, {7: POSTED}, tz=SHANGHAI)
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog"):
        best_slots([], {}, tz=SHANGHAI)
    bare = EventLog.from_columns(member=["ann", "ann"], kind=["read", "receive"], at=[POSTED, POSTED])
    with pytest.raises(InvalidValueError, match="log: expected a log whose rows name items"):
        best_slots(bare, {"tea": POSTED}, tz=SHANGHAI)
    with pytest.raises(InvalidValueError, match="days: expected one of 'each', 'weekend', got 'all'"):
        best_slots(log, {"tea": POSTED}, tz=SHANGHAI, days="all")


def test_of_nothing_nothing_is_known():
    for response in (
        best_slots(EventLog.from_columns(member=[], kind=[], at=[], time_unit="s"), {}, tz=SHANGHAI),
        SlotResponse(slot=[], hits=[], trials=[]),
        SlotResponse(slot=[3], hits=[0], trials=[0]),
    ):
        assert np.isnan(response.mean).all()
        assert (response.lower == 0).all()
        assert (response.upper == 1).all()
        assert (response.thompson().alpha == 1).all()
        assert len(response.top(200)) == 168
        assert "post" in str(response)


def test_slots_that_mirror_each_other_are_equal_and_the_earlier_comes_first():
    response = SlotResponse(slot=[12], hits=[30], trials=[100], days="weekend")
    ranking = response.ranking.tolist()
    for apart in range(1, 12):
        assert response.lower[12 - apart] == pytest.approx(response.lower[12 + apart], rel=1e-12)
        assert ranking.index(12 + apart) == ranking.index(12 - apart) + 1
    near = abs(np.arange(48) - 12) <= 2
    assert [row.slot for row in response.top(5, by="mean", where=near)] == [10, 14, 11, 13, 12]


def test_slots_known_to_be_good_come_first_by_the_lower_end_and_hopeful_ones_by_the_estimate():
    response = SlotResponse(slot=[9, 21], hits=[10, 90], trials=[400, 400])
    assert response.top(1)[0].slot == 21
    assert response.ranking[0] == 21
    hopeful = response.top(1, by="mean")[0]
    assert hopeful.mean >= response.top(1)[0].mean
    assert [row.slot for row in response.top(1, where=np.arange(168) == 9)] == [9]
    assert response.top(0) == ()
    with pytest.raises(MisalignedError, match="where: expected one for each of the 168 slots"):
        response.top(where=[True])
    with pytest.raises(InvalidValueError, match="n: expected 0 or more, got -1"):
        response.top(-1)


def test_counts_of_slots_added_up_elsewhere_do():
    trials, hits = np.zeros((2, 48), dtype=np.int64)
    trials[[9, 21, 45]], hits[[9, 21]] = [50, 60, 70], [5, 20]
    response = SlotResponse.from_counts(hits, trials, tz=SHANGHAI)
    assert (response.days, response.posts.sum(), response.clustering) == ("weekend", 3, 0.0)
    assert response.slot_trials.tolist() == trials.tolist()
    assert response.slot_hits.tolist() == hits.tolist()
    with pytest.raises(MisalignedError, match="one for each of 168 or of 48 slots"):
        SlotResponse.from_counts([1], [2])
    with pytest.raises(InvalidValueError, match="hits: expected no more than `trials`"):
        SlotResponse.from_counts(trials + 1, trials)


def test_only_what_was_counted_by_the_same_clock_is_merged():
    one = SlotResponse(slot=[1], hits=[1], trials=[2], tz=SHANGHAI)
    with pytest.raises(InvalidValueError, match="tz: expected 'Asia/Shanghai' in each, got 'UTC'"):
        one.merge(SlotResponse(slot=[1], hits=[1], trials=[2], tz="UTC"))
    with pytest.raises(InvalidTypeError, match="others: expected SlotResponse records"):
        one.merge(7)


@pytest.mark.parametrize(
    ("columns", "error", "match"),
    [
        ({"slot": [168], "hits": [0], "trials": [1]}, InvalidValueError, r"slot: expected integers in \[0, 167\]"),
        ({"slot": [1], "hits": [2], "trials": [1]}, InvalidValueError, "hits: expected no more than `trials`"),
        ({"slot": [1], "hits": [2, 3], "trials": [1]}, MisalignedError, "hits: expected one for each of 1 post"),
        ({"slot": [1], "hits": [0], "trials": [1], "n_young": -1}, InvalidValueError, "n_young: expected 0 or more"),
        ({"slot": [1], "hits": [0], "trials": [1], "clustering": 1.0}, InvalidValueError, "clustering"),
        ({"slot": [1], "hits": [0], "trials": [1], "level": 1.0}, InvalidValueError, "level"),
    ],
)
def test_counts_that_cannot_be_are_refused(columns, error, match):
    with pytest.raises(error, match=match):
        SlotResponse(**columns)


def test_posts_of_a_slot_that_differ_more_than_chance_widen_its_interval():
    slot, trials = np.repeat([9, 21], 6), np.full(12, 100)
    even = SlotResponse(slot=slot, hits=np.tile([20, 20, 20, 40, 40, 40], 2)[np.argsort(slot)], trials=trials)
    uneven = SlotResponse(slot=slot, hits=np.tile([0, 60], 6), trials=trials)
    assert uneven.clustering > even.clustering > 0
    assert (uneven.upper - uneven.lower)[21] > 1.5 * (even.upper - even.lower)[21]
    alone = SlotResponse(slot=[9, 21], hits=[20, 40], trials=[100, 100])
    assert alone.clustering == 0.0


def test_it_reads_well_in_both_languages():
    response = SlotResponse(slot=[21, 165], hits=[30, 50], trials=[100, 100], n_young=2)
    assert "Mon 21:00" in str(response)
    assert "Sun 21:00" in str(response)
    assert "2 posts, clustering 0.000; 2 more too young" in str(response)
    zh = response.table(lang="zh")
    assert "周日 21:00" in zh
    assert "2 篇帖子，同帖相关 0.000；另有 2 篇时间未到" in zh
    assert len(list(response.rows())) == len(response) == 168
    assert next(response.rows())._fields == tuple(response.to_columns())


def test_more_members_than_an_integer_holds_are_refused():
    with pytest.raises(InvalidValueError, match="reached: expected at most 2,147,483,647 members"):
        best_slots(log_of(("ann", "read", POSTED)), {"tea": POSTED}, tz=SHANGHAI, reached=10**30)


def test_sums_of_members_reached_do_not_overflow():
    with pytest.raises(InvalidValueError, match=r"trials: expected integers in \[0, 2147483647\]"):
        SlotResponse(slot=[0, 0, 0], hits=[1, 1, 1], trials=[2**62] * 3)
    assert SlotResponse(slot=[0, 0, 0], hits=[1, 1, 1], trials=[2**31 - 1] * 3).slot_trials[0] == 3 * (2**31 - 1)


@pytest.mark.parametrize("hits", [0, 2**31 - 1])
def test_rates_next_to_nothing_or_all_of_billions_still_have_an_interval(hits):
    response = SlotResponse(slot=list(range(48)) * 40, hits=[hits] * 1920, trials=[2**31 - 1] * 1920, days="weekend")
    assert (response.lower <= response.upper).all()
    assert "1,920 posts" in str(response)

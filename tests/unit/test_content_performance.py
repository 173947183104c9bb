from __future__ import annotations

import math

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog, Roster
from shequn.content import ContentPerformance, ContentStanding, performance
from shequn.entities import ContentItem
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning
from shequn.labels import Index
from shequn.values.instants import instant_us

DAY = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
NOW = DAY.add(days=30)
HOUR = pendulum.duration(hours=1)


def item(name="a", *, kind="educational", published=DAY, **more):
    return ContentItem(id=name, kind=kind, created=DAY.subtract(days=5), published=published, **more)


def log_of(*rows):
    """Rows of (member, kind, item, hours after DAY)."""
    member, kind, about, hours = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, kind=kind, item=about, at=[DAY + h * HOUR for h in hours])


def counts_of(hits, reached, *, rank_by="read", **more):
    hits, none = np.asarray(hits), np.zeros(len(hits), dtype=np.int64)
    items = [item(n) for n in range(len(hits))]
    return ContentPerformance(
        items=items,
        reached=reached,
        readers=hits if rank_by == "read" else none,
        reads=hits if rank_by == "read" else none,
        engaged=none,
        engagement=none,
        sharers=none,
        shares=none,
        as_of_us=instant_us(NOW),
        rank_by=rank_by,
        **more,
    )


def test_a_read_rate_of_50_in_10000_and_one_of_81_in_263_have_the_published_intervals():
    done = counts_of([50, 81], [10_000, 263])
    lower, upper = done.interval("read")
    assert done.read_rate[0] == 0.005
    np.testing.assert_allclose([lower[0], upper[0]], [0.00379, 0.00659], atol=5e-6)
    np.testing.assert_allclose([lower[1], upper[1]], [0.2553, 0.3662], atol=5e-5)


def test_a_member_counts_once_however_often_they_read_and_each_reading_counts():
    done = performance(
        log_of(("ann", "read", "a", 1), ("ann", "read", "a", 2), ("bo", "receive", "a", 1)), [item()], as_of=NOW
    )
    assert (done.reached[0], done.readers[0], done.reads[0], done.read_rate[0]) == (2, 1, 2, 0.5)


def test_who_reacted_was_reached_even_without_a_row_that_says_so_but_did_not_read():
    done = performance(log_of(("ann", "like", "a", 1)), [item()], as_of=NOW)
    assert (done.reached[0], done.readers[0], done.engaged[0]) == (1, 0, 1)


def test_a_repost_is_a_share_and_a_reaction_of_weight_3():
    done = performance(log_of(("ann", "repost", "a", 1), ("ann", "like", "a", 2)), [item()], as_of=NOW)
    assert (done.sharers[0], done.shares[0], done.engaged[0], done.engagement[0]) == (1, 1, 1, 4.0)
    assert (done.read_rate[0], done.engagement_rate[0], done.share_rate[0]) == (0, 1, 1)


def test_weights_say_what_is_a_reaction():
    log = log_of(("ann", "repost", "a", 1), ("bo", "click", "a", 2), ("cy", "like", "a", 2))
    done = performance(log, [item()], as_of=NOW, weights={"click": 0.5, "like": 0})
    assert (done.engaged[0], done.engagement[0], done.sharers[0], done.reached[0]) == (1, 0.5, 1, 2)


@pytest.mark.parametrize(("hours", "seen"), [(-1, 0), (0, 1), (30 * 24, 1), (30 * 24 + 1, 0)])
def test_rows_count_from_publication_up_to_and_with_the_instant_of_the_question(hours, seen):
    done = performance(log_of(("ann", "read", "a", hours)), [item()], as_of=NOW)
    assert done.readers[0] == seen
    assert done.n_early == (hours < 0)


@pytest.mark.parametrize(("seconds", "seen"), [(3599, 1), (3600, 0), (3601, 0)])
def test_within_is_a_half_open_stretch_from_publication(seconds, seen):
    log = EventLog.from_columns(member=["ann"], kind="read", item=["a"], at=[DAY.add(seconds=seconds)])
    assert performance(log, [item()], as_of=NOW, within=HOUR).readers[0] == seen


@pytest.mark.parametrize(
    ("age", "standing"),
    [(23, ContentStanding.TOO_YOUNG), (24, ContentStanding.RANKED), (25, ContentStanding.RANKED)],
)
def test_an_item_is_ranked_from_a_day_after_publication(age, standing):
    log = log_of(("ann", "read", "a", 0))
    done = performance(log, [item()], as_of=DAY + age * HOUR)
    assert done.standing.tolist() == [standing]
    assert done.rank.tolist() == [1 if standing is ContentStanding.RANKED else -1]


def test_within_is_also_the_age_from_which_items_are_ranked_and_must_not_be_longer():
    two_days = pendulum.duration(days=2)
    done = performance(log_of(("ann", "read", "a", 0)), [item()], as_of=DAY + 40 * HOUR, within=two_days)
    assert done.standing.tolist() == [ContentStanding.TOO_YOUNG]
    assert "1 item published less than 2 days ago: not ranked." in str(done)
    assert "1 条内容发布未满2天，不参与排名。" in done.table(lang="zh")
    with pytest.raises(InvalidValueError, match=r"^mature_after: expected at least as long as within"):
        performance(EventLog.empty(), [], as_of=NOW, within=two_days, mature_after=HOUR)


def test_what_is_not_published_or_reached_nobody_has_no_place():
    items = [item("a"), item("b", published=None), item("c", published=NOW.add(days=1)), item("d")]
    done = performance(log_of(("ann", "read", "a", 1), ("ann", "read", "b", 1)), items, as_of=NOW)
    assert [s.value for s in done.standing] == ["ranked", "not_published", "not_published", "nobody_reached"]
    assert done.reached.tolist() == [1, 0, 0, 0]
    assert np.isnan(done.read_rate[1:]).all()
    assert done.rank.tolist() == [1, -1, -1, -1]


def test_the_lower_bound_ranks_so_that_30_of_100_stand_before_1_of_2():
    assert counts_of([1, 30, 290], [2, 100, 1000]).rank.tolist() == [3, 2, 1]


def test_items_that_are_alike_share_a_place():
    assert counts_of([3, 5, 3, 1], [10, 10, 10, 10]).rank.tolist() == [2, 1, 2, 4]


def test_the_table_is_ordered_by_place_and_the_columns_as_the_items_were_given():
    done = counts_of([3, 5, 0], [10, 10, 0])
    assert [line.split()[1] for line in str(done).splitlines()[3:5]] == ["1", "0"]
    assert done.to_columns()["item"].tolist() == [0, 1, 2]
    assert [row.rank for row in done.rows()] == [2, 1, -1]


def test_what_the_author_did_with_the_item_does_not_count_unless_asked():
    log = log_of(("ann", "like", "a", 1), ("bo", "like", "a", 1))
    mine = item(author="ann")
    assert performance(log, [mine], as_of=NOW).engaged.tolist() == [1]
    assert performance(log, [mine], as_of=NOW, own="include").engaged.tolist() == [2]


def test_with_an_audience_all_of_it_was_reached_and_nobody_else_counts():
    log = log_of(("ann", "read", "a", 1), ("eve", "read", "a", 1))
    roster = Roster.from_columns(member=["ann", "bo", "cy", "di"])
    for audience in (roster, roster.members):
        done = performance(log, [item(), item("b", published=None)], as_of=NOW, audience=audience)
        assert (done.reached.tolist(), done.readers.tolist()) == ([4, 0], [1, 0])


def test_how_many_were_reached_may_be_known_from_elsewhere():
    log = log_of(("ann", "read", "a", 1))
    items = [item(), item("b")]
    for reached in ({"a": 10_000, "b": 5}, [10_000, 5]):
        assert performance(log, items, as_of=NOW, reached=reached).reached.tolist() == [10_000, 5]
    with pytest.raises(InvalidValueError, match=r"^reached: expected at least the 1 members that the log shows"):
        performance(log, items, as_of=NOW, reached=[0, 5])
    with pytest.raises(InvalidValueError, match=r"^reached: expected a count for each item, also for 'b'"):
        performance(log, items, as_of=NOW, reached={"a": 5})
    with pytest.raises(MisalignedError, match=r"^reached: expected one for each of the 2 items"):
        performance(log, items, as_of=NOW, reached=[5])
    with pytest.raises(InvalidValueError, match=r"^reached: expected None where audience is given"):
        performance(log, items, as_of=NOW, reached=[5, 5], audience=Index(["ann"]))


def test_a_log_without_items_or_rows_gives_items_that_reached_nobody():
    bare = EventLog.from_columns(member=["ann"], kind="read", at=[DAY])
    for log in (bare, EventLog.empty()):
        assert performance(log, [item()], as_of=NOW).reached.tolist() == [0]
    assert len(performance(bare, [], as_of=NOW)) == 0
    assert "0 items" in repr(performance(bare, [], as_of=NOW))


def test_rows_about_other_items_and_about_none_do_not_count():
    log = EventLog.from_columns(
        member=["ann", "ann", "bo"], kind="read", item=["zz", None, "a"], at=[DAY.add(hours=1)] * 3
    )
    assert performance(log, [item()], as_of=NOW).reached.tolist() == [1]


def test_a_kind_that_was_named_and_is_unknown_warns():
    log = log_of(("ann", "read", "a", 1))
    with pytest.warns(UnknownKindWarning, match="receive_kinds"):
        performance(log, [item()], as_of=NOW, receive_kinds="recieve")


def test_what_cannot_be_used_is_refused():
    log = log_of(("ann", "read", "a", 1))
    with pytest.raises(InvalidTypeError, match=r"^log: expected an EventLog"):
        performance([], [item()], as_of=NOW)
    with pytest.raises(InvalidTypeError, match=r"^items: expected ContentItem records, got 'a' at row 0"):
        performance(log, ["a"], as_of=NOW)
    with pytest.raises(InvalidValueError, match=r"^items: "):
        performance(log, [item(), item()], as_of=NOW)
    with pytest.raises(InvalidValueError, match=r"^rank_by: expected one of"):
        performance(log, [item()], as_of=NOW, rank_by="reads")
    with pytest.raises(InvalidValueError, match=r"^own: "):
        performance(log, [item()], as_of=NOW, own="drop")
    with pytest.raises(InvalidValueError, match=r"^weights: expected a weight above 0"):
        performance(log, [item()], as_of=NOW, weights={"like": 0})
    with pytest.raises(InvalidValueError, match=r"^weights\['like'\]: "):
        performance(log, [item()], as_of=NOW, weights={"like": -1})
    with pytest.raises(InvalidTypeError, match=r"^weights: expected kinds of event as str"):
        performance(log, [item()], as_of=NOW, weights={1: 1})
    with pytest.raises(InvalidTypeError, match=r"^audience: "):
        performance(log, [item()], as_of=NOW, audience=["ann"])


def test_counts_that_contradict_each_other_are_refused():
    with pytest.raises(InvalidValueError, match=r"^readers: expected at most as many as reached, got 11"):
        counts_of([11], [10])
    with pytest.raises(InvalidValueError, match=r"^reached: expected counts of 0 or more"):
        counts_of([0], [-1])
    with pytest.raises(MisalignedError, match=r"^reached: expected one for each of the 2 items"):
        counts_of([0, 0], [1])
    with pytest.raises(InvalidValueError, match=r"^mature_after_us: expected 0 or more"):
        counts_of([0], [1], mature_after_us=-1)


def test_results_of_other_questions_do_not_merge():
    one = counts_of([1], [2])
    assert one.merge(one).reached.tolist() == [4]
    with pytest.raises(InvalidValueError, match=r"^other: expected one with the same level"):
        one.merge(counts_of([1], [2], level=0.9))
    with pytest.raises(InvalidTypeError, match=r"^other: "):
        one.merge(3)


def test_early_rows_are_told_in_both_languages():
    done = performance(log_of(("ann", "read", "a", -1), ("ann", "read", "a", 1)), [item()], as_of=NOW)
    assert "1 row before the item was published: left out." in str(done)
    assert "1 条记录早于内容发布时间，未计入。" in done.table(lang="zh")
    assert done.table(lang="zh").startswith("截至 2024-03-30 16:00 UTC 的内容效果，按互动率下限排名")
    assert not math.isnan(done.last().read_rate)


def test_ids_and_labels_of_another_type_are_refused():
    log = log_of(("ann", "read", "a", 1))
    with pytest.raises(InvalidTypeError, match="items: expected labels of one type"):
        performance(log, [item(7)], as_of=NOW)
    with pytest.raises(InvalidTypeError, match="audience: expected labels of one type"):
        performance(log, [item()], as_of=NOW, audience=Index([1, 2]))

from __future__ import annotations

import copy
import datetime as dt

import attrs
import numpy as np
import pytest

from shequn.columns import EventLog, Roster
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Index
from shequn.network import AdminCandidates, AdminCover, CoverGaps, admin_candidates, admin_cover

MONDAY = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
START = int(MONDAY.timestamp())
HOUR, DAY, WEEK = 3_600, 86_400, 7 * 86_400
NOW = MONDAY + dt.timedelta(weeks=4)


def log_of(*rows: tuple[str, str, int, str | None]) -> EventLog:
    member, kind, at, target = zip(*rows, strict=True)
    return EventLog.from_columns(
        member=list(member), kind=list(kind), at=[START + t for t in at], target=list(target), time_unit="s"
    )


# Ann takes part in four weeks and is answered by two, bo in one and is answered by one, cy talks and nobody answers.
LOG = log_of(
    *(("ann", "post", WEEK * week, None) for week in range(4)),
    ("bo", "reply", 10, "ann"), ("cy", "reply", 20, "ann"), ("ann", "reply", 30, "bo"),
    *(("cy", "post", 40 + i, None) for i in range(9)),
    ("boss", "reply", 60, "cy"), ("boss", "mute", 70, "cy"),
)  # fmt: skip


def ranked(log: EventLog = LOG, **options: object) -> AdminCandidates:
    return admin_candidates(log, **{"as_of": NOW, "tz": "UTC", "exclude": "boss", **options})


# --- candidates ---


def test_who_is_loyal_takes_part_and_is_trusted_comes_first():
    found = ranked()
    assert found.labels == ("ann", "bo", "cy")
    first, second, last = found.rows()
    assert (first.loyalty, first.participation, first.trust) == pytest.approx((5 / 6, 3 / 6, 5 / 6))
    assert (first.weeks_active, first.n_rows, first.answered_by, first.muted_by) == (4, 5, 2, 0)
    assert (second.participation, second.trust) == pytest.approx((1 / 6, 3 / 6))
    # One answered cy and one muted them.
    assert (last.trust, last.score, last.answered_by, last.muted_by) == (0.0, 0.0, 1, 1)
    assert found.mask.tolist() == [True, True, True, False]
    assert found.n_excluded == 1


def test_who_left_or_was_removed_is_no_candidate_and_who_came_back_is():
    gone = (("ann", "leave", 3 * WEEK + 9, None), ("bo", "leave", 11, None), ("bo", "join", 12, None))
    log = EventLog.concat([LOG, log_of(*gone, ("cy", "remove", 13, None), ("cy", "join", 14, None))])
    found = ranked(log)
    assert found.labels == ("bo",)
    assert found.n_gone == 2
    assert "beside 1 excluded and 2 who left or were removed" in str(found)
    assert "另有排除 1 人，已退群或被移出 2 人" in found.table(lang="zh")
    assert str(ranked(log, exclude=None)).endswith("\nbeside 2 who left or were removed")
    assert ranked(log, exclude=None).table(lang="zh").endswith("\n另有已退群或被移出 2 人")
    assert str(ranked()).endswith("\nbeside 1 excluded")
    assert "beside" not in str(ranked(exclude=None))


def test_who_came_back_did_so_by_the_clock_and_not_by_the_order_of_rows():
    log = log_of(
        ("ann", "join", 20, None), ("ann", "leave", 10, None), ("bo", "leave", 20, None), ("bo", "join", 10, None)
    )
    assert ranked(log, exclude=None).labels == ("ann",)


def test_what_comes_later_is_not_known_yet():
    early = ranked(as_of=MONDAY + dt.timedelta(days=8))
    assert early.to_columns()["weeks_active"].max() == 2
    assert ranked(as_of=MONDAY - dt.timedelta(days=8)).labels == ()


def test_weeks_are_local():
    log = log_of(("ann", "post", 0, None), ("ann", "post", 6 * DAY + 20 * HOUR, None))
    assert ranked(log, exclude=None).weeks_active.tolist() == [1]
    assert ranked(log, exclude=None, tz="Asia/Shanghai").weeks_active.tolist() == [2]


def test_a_roster_knows_since_when():
    joined = [MONDAY - dt.timedelta(days=72), None, NOW + dt.timedelta(days=1)]
    roster = Roster.from_columns(member=["ann", "bo", "cy"], joined=joined)
    days = dict(zip(ranked().labels, ranked(roster=roster).tenure_days.tolist(), strict=True))
    assert days["ann"] == pytest.approx(100)
    assert days["bo"] == pytest.approx(28, abs=0.01)
    assert days["cy"] == pytest.approx(28, abs=0.01)


def test_a_log_without_targets_trusts_nobody():
    log = EventLog.from_columns(member=["ann"], kind="post", at=[START], time_unit="s")
    found = ranked(log, exclude=None)
    assert found.score.tolist() == [0.0]
    assert ranked(EventLog.empty(), exclude=None).labels == ()


def test_a_candidate_is_explained():
    found = ranked()
    assert found.explain("ann") == (
        "ann: member for 28 days, took part in 4 weeks with 5 rows, answered by 2 members, muted by 0"
    )
    assert found.explain("cy", lang="zh") == "cy：入群 27 天，1 周有参与，共 10 次，得到 1 人回应，被 1 人屏蔽"
    early = ranked(as_of=MONDAY + dt.timedelta(days=1)).explain("bo")
    assert early == "bo: member for 0 days, took part in 1 week with 1 row, answered by 1 member, muted by 0"
    assert "信任" in found.table(lang="zh")
    with pytest.raises(UnknownLabelError, match="member: expected one of the 3 candidates, got 'boss'"):
        found.explain("boss")


# --- cover ---


def posts(*rows: tuple[str, int, str | None], group: bool = True) -> EventLog:
    member, hour, where = zip(*rows, strict=True)
    return EventLog.from_columns(
        member=list(member),
        kind="post",
        at=[START + HOUR * h for h in hour],
        group=list(where) if group else None,
        time_unit="s",
    )


WEEKS = [(member, hour + 168 * week, group) for week in (0, 1) for member, hour, group in (
    ("ann", 9, "g1"), ("ann", 10, "g1"), ("bo", 10, "g1"), ("bo", 20, "g2"), ("cy", 20, "g2"),
)] + [("x", 9, "g1"), ("x", 9, "g1"), ("x", 10, "g1"), ("y", 20, "g2"), ("y", 3, "g2"), ("y", 3, None)]  # fmt: skip


def test_the_fewest_are_chosen_that_cover_what_can_be_covered():
    found = admin_cover(posts(*WEEKS), ["cy", "bo", "ann"], tz="UTC")
    assert [(row.member, row.slots, row.gained) for row in found.rows()] == [("ann", 2, 3), ("cy", 1, 1)]
    assert found.cover.tolist() == [3 / 6, 4 / 6]
    assert found.share.hits == 4
    assert [(row.group, row.weekday, row.hour, row.reachable) for row in found.gaps.rows()] == [
        ("g2", 1, 3, False), (None, 1, 3, False),
    ]  # fmt: skip
    assert "4 of 6 rows of demand covered; 2 of 5 slots without anybody" in str(found)
    assert "需求 6 次中已覆盖 4 次；5 个时段中 2 个无人" in found.table(lang="zh")
    assert "有人可补" in found.gaps.table(lang="zh")
    assert repr(found.gaps) == "CoverGaps(2 slots, 2 rows)"
    assert repr(admin_cover(posts(("x", 9, None)), [], tz="UTC").gaps) == "CoverGaps(1 slot, 1 row)"


def test_gaps_name_the_day_of_the_week_to_readers_and_number_it_for_programs():
    gaps = CoverGaps(
        groups=Index(), group=[-1] * 7, hour_of_week=np.arange(7) * 24, demand=[1] * 7, reachable=[False] * 7
    )
    assert [line.split()[1] for line in str(gaps).splitlines()[2:]] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert [line.split()[1] for line in gaps.table(lang="zh").splitlines()[2:]] == [
        f"周{day}" for day in "一二三四五六日"
    ]
    assert gaps.to_columns()["weekday"].tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_a_slot_that_somebody_could_still_cover_is_said_to_be_one():
    found = admin_cover(posts(*WEEKS), ["ann", "bo", "cy"], tz="UTC", most=1)
    assert found.labels == ("ann",)
    assert [row.reachable for row in found.gaps.rows()] == [False, True, False]


def test_who_was_there_once_is_not_there_every_week():
    once = posts(("ann", 9, "g1"), ("x", 9, "g1"))
    assert len(admin_cover(once, ["ann"], tz="UTC")) == 0
    assert len(admin_cover(once, ["ann"], tz="UTC", min_weeks=1)) == 1


def test_hours_are_local_and_groups_may_be_missing():
    log = posts(("ann", 20, None), ("x", 20, None), group=False)
    found = admin_cover(log, [], tz="Asia/Shanghai")
    (gap,) = found.gaps.rows()
    assert (gap.group, gap.weekday, gap.hour) == (None, 2, 4)
    assert "(no rows)" in str(found)


def test_nothing_asked_needs_nobody():
    found = admin_cover(posts(("ann", 9, "g1")), ["ann"], tz="UTC", min_weeks=1)
    assert repr(found) == "AdminCover(0 of 1 candidate cover –)"
    assert np.isnan(found.share.value)
    assert "no demand" in str(found)
    assert "无需求" in found.table(lang="zh")


# --- what is refused ---


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"as_of": "now"}, InvalidTypeError, "as_of"),
        ({"tz": None}, InvalidValueError, "tz"),
        ({"exclude": "bos"}, UnknownLabelError, "exclude: expected labels of (the )?4 members, got 'bos'"),
        ({"roster": []}, InvalidTypeError, r"roster: expected a Roster, got \[\]"),
        ({"kinds": []}, InvalidValueError, "kinds: expected at least one kind"),
    ],
)
def test_candidates_that_cannot_be_ranked_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        ranked(**options)


def test_kinds_that_the_log_lacks_are_told_on_request():
    with pytest.warns(UnknownKindWarning, match="reply: expected kinds that the log contains, got 'answer'"):
        ranked(reply="answer", unknown_kinds="warn", remove="post", mute="mute")


@pytest.mark.parametrize(
    ("given", "options", "error", "text"),
    [
        ((None, ["ann"]), {}, InvalidTypeError, "log: expected an EventLog, got None"),
        ((LOG, "ann"), {}, InvalidTypeError, "candidates: expected labels of members, got 'ann'"),
        ((LOG, ["ann", "ann"]), {}, InvalidValueError, "candidates"),
        ((LOG, ["zoe"]), {}, UnknownLabelError, "candidates: expected labels of (the )?4 members, got 'zoe'"),
        ((LOG, ["ann"]), {"most": 0}, InvalidValueError, "most: expected at least 1, or None, got 0"),
        ((LOG, ["ann"]), {"min_weeks": 0}, InvalidValueError, "min_weeks: expected at least 1, got 0"),
    ],
)
def test_cover_that_cannot_be_found_is_refused(given, options, error, text):
    with pytest.raises(error, match=text):
        admin_cover(*given, **{"tz": "UTC", **options})


def test_results_check_their_fields():
    found = ranked()
    for fields, error, text in (
        ({"member": [0, 1, 9]}, InvalidValueError, r"member: expected codes in \[0, 4\), got 9"),
        ({"trust": [0.5]}, MisalignedError, "trust: expected one for each of the 3 candidates"),
        ({"trust": [0.5, -1, 0]}, InvalidValueError, "loyalty, participation, trust, tenure_days: expected finite"),
    ):
        with pytest.raises(error, match=text):
            attrs.evolve(found, **fields)
    cover: AdminCover = admin_cover(posts(*WEEKS), ["cy", "bo", "ann"], tz="UTC")
    for fields, error, text in (
        ({"demand": 9}, InvalidValueError, "demand: expected what is covered and what is not, 6, got 9"),
        ({"n_slots": 9}, InvalidValueError, "n_slots: expected what is covered and what is not, 5, got 9"),
        ({"chosen": [7, 0]}, InvalidValueError, r"chosen: expected codes in \[0, 3\), got 7"),
        ({"slots": [7]}, MisalignedError, "slots: expected one for each of the 2 chosen"),
    ):
        with pytest.raises(error, match=text):
            attrs.evolve(cover, **fields)
    gaps: CoverGaps = cover.gaps
    for fields, error, text in (
        ({"hour_of_week": [168, 0]}, InvalidValueError, r"hour_of_week: expected numbers in \[0, 168\), got 168"),
        ({"reachable": [True]}, MisalignedError, "reachable: expected one for each of the 2 slots"),
    ):
        with pytest.raises(error, match=text):
            attrs.evolve(gaps, **fields)


def test_copies_are_read_only():
    assert not copy.deepcopy(ranked()).trust.flags.writeable
    back = copy.deepcopy(admin_cover(posts(*WEEKS), ["ann"], tz="UTC"))
    assert not back.gaps.reachable.flags.writeable

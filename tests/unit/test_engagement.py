from __future__ import annotations

import math

import attrs
import numpy as np
import pytest

from shequn.columns import EventLog, Roster
from shequn.content import Engagement, engagement
from shequn.errors import (
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    UnknownKindWarning,
    UnknownLabelError,
)
from shequn.labels import Index

LOG = EventLog.from_columns(
    member=["ann", "ann", "bo", "ann", "cy", "bo"],
    kind=["post", "like", "reply", "like", "read", "repost"],
    group=["g1", "g1", "g1", "g2", "g2", None],
    at=range(6),
    time_unit="s",
)


def test_each_act_counts_by_its_weight():
    done = engagement(LOG)
    assert dict(zip(done.units, done.score.tolist(), strict=True)) == {"ann": 5, "bo": 5, "cy": 0}
    assert (done.total, done.per_member, done.n_active) == (10, 10 / 3, 2)


def test_weights_of_your_own_replace_all_the_usual_ones():
    assert engagement(LOG, weights={"read": 0.25, "like": 0}).score.tolist() == [0, 0, 0.25]
    with pytest.warns(UnknownKindWarning, match="weights"):
        engagement(LOG, weights={"read": 1, "lik": 1})


def test_silent_members_of_a_roster_count_and_strangers_do_not():
    done = engagement(LOG, members=Roster.from_columns(member=["bo", "di", "ed"]))
    assert done.score.tolist() == [5, 0, 0]
    assert (done.n_members, done.n_active) == (3, 1)


def test_a_group_has_a_head_for_each_member_with_an_act_that_counts():
    done = engagement(LOG, by="group")
    assert (done.score.tolist(), done.heads.tolist(), done.per_head.tolist()) == ([6, 1], [2, 1], [3, 1])
    assert done.n_unlabelled == 1
    assert "1 act without group: left out." in str(done)
    assert "1 次互动没有群，未计入。" in done.table(lang="zh")


def test_a_group_without_an_act_that_counts_has_no_score_a_head():
    done = engagement(LOG, by="group", weights={"post": 1})
    assert done.score.tolist() == [1, 0]
    assert np.isnan(done.per_head[1])


def test_the_spread_over_members():
    alike = Engagement(
        by="member",
        units=Index([1, 2]),
        kinds=("like",),
        weights=[1],
        counts=[[3], [3]],
        heads=[1, 1],
        n_members=2,
        n_active=2,
    )
    assert alike.gini == 0
    one = engagement(EventLog.from_columns(member=[1], kind="like", at=[0], time_unit="s"), members=Index(range(10)))
    assert one.gini == pytest.approx(0.9)
    assert one.top_share() == one.top_share(1) == 1
    assert one.quantile([0.5, 0.95]).tolist() == [0, 1]


def test_the_top_tenth_of_30_are_3():
    log = EventLog.from_columns(member=range(30), kind="like", at=range(30), time_unit="s")
    assert engagement(log).top_share(0.1) == pytest.approx(0.1)
    assert engagement(log).top_share(0.101) == pytest.approx(4 / 30)


def test_nothing_gives_nothing():
    done = engagement(EventLog.empty())
    assert len(done) == 0
    assert math.isnan(done.gini)
    assert math.isnan(done.top_share())
    assert math.isnan(done.per_member)
    assert repr(done) == "Engagement(0 over 0 members)"
    assert np.isnan(engagement(LOG, weights={"join": 1}, unknown_kinds="ignore").share).all()


def test_the_table_starts_with_the_highest():
    assert str(engagement(LOG, by="group")).splitlines()[3].startswith("g1")
    assert engagement(LOG).table(lang="zh").startswith("按成员的互动")
    assert next(engagement(LOG).rows()).unit == "ann"


def test_what_cannot_be_used_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^log: "):
        engagement(3)
    with pytest.raises(UnknownLabelError, match=r"^by: "):
        engagement(LOG, by="grop")
    with pytest.raises(InvalidTypeError, match=r"^members: "):
        engagement(LOG, members=["ann"])
    with pytest.raises(InvalidValueError, match=r"^share: "):
        engagement(LOG).top_share(0)
    with pytest.raises(MisalignedError, match=r"^counts: "):
        Engagement(
            by="member",
            units=Index([1]),
            kinds=("like",),
            weights=[1],
            counts=[[1, 2]],
            heads=[1],
            n_members=1,
            n_active=1,
        )
    with pytest.raises(InvalidValueError, match=r"^heads: "):
        Engagement(
            by="member",
            units=Index([1]),
            kinds=("like",),
            weights=[1],
            counts=[[1]],
            heads=[-1],
            n_members=1,
            n_active=1,
        )


def test_members_of_another_type_are_not_taken_for_silent():
    with pytest.raises(InvalidTypeError, match="members: expected labels of one type"):
        engagement(LOG, members=Index([1, 2]))


def test_kinds_that_are_none_are_refused():
    with pytest.raises(InvalidTypeError, match="kinds: expected kinds of act"):
        attrs.evolve(engagement(LOG), kinds=None)

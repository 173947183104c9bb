from __future__ import annotations

import math
import pickle

import attrs
import numpy as np
import pendulum
import pytest

from shequn import rules
from shequn.columns import EventLog, Roster
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Assignment, Index
from shequn.segmentation import Audience, AudienceReason, audience

NOW = pendulum.datetime(2024, 5, 1)
TREATED, HELD_OUT, OVER_LIMIT, UNKNOWN_SCORE, UNKNOWN, NOT_SELECTED = AudienceReason


def roster_of(n: int, **fields: object) -> Roster:
    return Roster.from_columns(member=[f"u{place}" for place in range(n)], fields=fields)


def reasons(chosen: Audience) -> list[AudienceReason]:
    return [row.reason for row in chosen.rows()]


def test_without_limit_and_holdout_all_whom_the_rule_selects_are_treated():
    chosen = audience([True, False, True], roster_of(3), as_of=NOW)
    assert reasons(chosen) == [TREATED, NOT_SELECTED, TREATED]
    assert chosen.treated.tolist() == [True, False, True]
    assert chosen.left_out.tolist() == [False, True, False]
    assert not chosen.held_out.any()


def test_who_is_unknown_to_the_rule_is_left_out_and_it_is_said():
    rule = rules.field("age") >= 18
    chosen = audience(rule, roster_of(3, age=[30, None, 17]), as_of=NOW)
    assert reasons(chosen) == [TREATED, UNKNOWN, NOT_SELECTED]
    by_verdicts = audience(rule.verdicts(roster_of(3, age=[30, None, 17])), roster_of(3), as_of=NOW)
    assert reasons(by_verdicts) == reasons(chosen)


def test_a_rule_reads_the_log_as_of_the_instant():
    log = EventLog.from_columns(member=["u0", "u1"], kind="purchase", at=[NOW.subtract(days=2), NOW.add(seconds=1)])
    rule = rules.did("purchase", within=pendulum.duration(days=7))
    assert reasons(audience(rule, roster_of(2), log, as_of=NOW)) == [TREATED, NOT_SELECTED]


def test_anything_with_a_mask_is_a_rule():
    class Everybody:
        def mask(self, roster, log, /, *, as_of):
            assert log is None
            assert as_of == NOW
            return np.ones(len(roster), dtype=np.bool_)

    assert audience(Everybody(), roster_of(3), as_of=NOW).treated.all()


def test_a_kind_that_the_log_lacks_warns_or_not_as_a_rule_does():
    log = EventLog.from_columns(member=["u0"], kind="post", at=[NOW])
    rule = rules.did("purchse", within=pendulum.duration(days=7))
    with pytest.warns(UnknownKindWarning, match="purchse"):
        audience(rule, roster_of(1), log, as_of=NOW)
    assert reasons(audience(rule, roster_of(1), log, as_of=NOW, unknown_kinds="ignore")) == [NOT_SELECTED]


def test_a_rule_may_name_other_segments():
    adults = rules.field("age") >= 18
    chosen = audience(rules.in_segment("adults"), roster_of(2, age=[30, 3]), as_of=NOW, segments={"adults": adults})
    assert reasons(chosen) == [TREATED, NOT_SELECTED]


# --- the limit ---


def test_the_highest_scores_come_first():
    chosen = audience([True] * 4, roster_of(4), as_of=NOW, limit=2, score=[3, 9, 1, 5])
    assert reasons(chosen) == [OVER_LIMIT, TREATED, OVER_LIMIT, TREATED]


def test_the_extremes_of_64_bits_are_ranked_too():
    chosen = audience([True] * 3, roster_of(3), as_of=NOW, limit=1, score=[-(2**63), 2**63 - 1, 2**63 - 2])
    assert reasons(chosen) == [OVER_LIMIT, TREATED, OVER_LIMIT]


def test_a_score_of_those_who_are_not_selected_takes_no_room():
    chosen = audience([False, True, True], roster_of(3), as_of=NOW, limit=1, score=[100, 2, 1])
    assert reasons(chosen) == [NOT_SELECTED, TREATED, OVER_LIMIT]


def test_who_has_no_score_has_no_place_where_there_is_a_limit():
    scores = [math.nan, 2.0, math.nan]
    assert reasons(audience([True] * 3, roster_of(3), as_of=NOW, limit=2, score=scores)) == [
        UNKNOWN_SCORE, TREATED, UNKNOWN_SCORE,
    ]  # fmt: skip
    assert audience([True] * 3, roster_of(3), as_of=NOW, score=scores).treated.all()


def test_a_field_of_numbers_or_of_ordered_labels_is_a_score():
    tiers = Assignment.from_mapping(
        {"u0": "silver", "u1": None, "u2": "gold"}, segments=["silver", "gold"], ordered=True
    )
    roster = roster_of(3, spent=[7, 8, 9]).with_field("tier", tiers)
    assert audience([True] * 3, roster, as_of=NOW, limit=1, score="spent").treated.tolist() == [False, False, True]
    chosen = audience([True] * 3, roster, as_of=NOW, limit=1, score="tier")
    assert reasons(chosen) == [OVER_LIMIT, UNKNOWN_SCORE, TREATED]


@pytest.mark.parametrize("limit", [5, 6, None])
def test_where_there_is_room_for_all_the_limit_does_nothing(limit):
    assert audience([True] * 5, roster_of(5), as_of=NOW, limit=limit, rng=1).treated.all()


def test_a_limit_of_zero_treats_nobody():
    chosen = audience([True] * 3, roster_of(3), as_of=NOW, limit=0, holdout=0.5)
    assert reasons(chosen) == [OVER_LIMIT] * 3


def test_without_a_score_chance_decides_and_everybody_has_the_same():
    treated = np.zeros(10)
    for seed in range(600):
        chosen = audience([True] * 10, roster_of(10), as_of=NOW, limit=3, rng=seed)
        assert chosen.treated.sum() == 3
        treated += chosen.treated
    # Of each, 180 are expected with a standard deviation of 11.2.
    assert abs(treated - 180).max() < 5 * 11.2


def test_of_equal_scores_at_the_limit_chance_decides_and_not_the_row():
    first = [
        audience([True] * 4, roster_of(4), as_of=NOW, limit=2, score=[9, 5, 5, 5], rng=seed).treated
        for seed in range(300)
    ]
    told = np.array(first).sum(axis=0)
    assert told[0] == 300
    assert abs(told[1:] - 100).max() < 5 * 8.2


# --- the holdout ---


@pytest.mark.parametrize(
    ("n", "holdout", "held_out"),
    [
        (10, 0.1, 1),
        (10, 0.0, 0),
        (10, 0.05, 1),
        (10, 0.04, 0),
        (100, 0.29, 29),
        (3, 0.5, 2),
        (1, 0.9, 0),
        (2, 0.99, 1),
        (0, 0.5, 0),
    ],
)  # fmt: skip
def test_the_holdout_is_the_nearest_number_and_never_everybody(n, holdout, held_out):
    chosen = audience([True] * n, roster_of(n), as_of=NOW, holdout=holdout, rng=3)
    assert chosen.held_out.sum() == held_out
    assert chosen.treated.sum() == n - held_out


def test_the_holdout_comes_out_of_those_who_would_have_been_treated():
    scores = np.arange(100)
    chosen = audience([True] * 100, roster_of(100), as_of=NOW, limit=20, score=scores, holdout=0.25, rng=3)
    assert (chosen.treated | chosen.held_out).tolist() == (scores >= 80).tolist()
    assert chosen.held_out.sum() == 5


def test_each_has_the_same_chance_to_be_held_out_also_who_came_in_by_lot():
    held_out = np.zeros(8)
    for seed in range(800):
        chosen = audience(
            [True] * 8, roster_of(8), as_of=NOW, limit=4, score=[9, 9, 5, 5, 5, 5, 5, 5], holdout=0.5, rng=seed
        )
        assert chosen.held_out.sum() == 2
        held_out += chosen.held_out
    # The two of the highest score are held out in half of all cases; each of the six in 2/6 of that.
    assert abs(held_out[:2] - 400).max() < 5 * 14.2
    assert abs(held_out[2:] - 400 / 3).max() < 5 * 10.6


def test_the_same_seed_gives_the_same_audience_and_another_one_another():
    def once(rng: object) -> Audience:
        return audience([True] * 200, roster_of(200), as_of=NOW, limit=100, holdout=0.2, rng=rng)

    assert once(7) == once(7) == once(np.random.default_rng(7))
    assert once(7) != once(8)
    assert once(np.random.SeedSequence(7)) == once(7)
    assert once(None) != once(None)


def test_a_generator_gives_the_same_bytes_whether_they_are_needed_or_not():
    one, other = np.random.default_rng(5), np.random.default_rng(5)
    audience([True] * 4, roster_of(4), as_of=NOW, rng=one)
    audience([True] * 4, roster_of(4), as_of=NOW, limit=1, holdout=0.5, rng=other)
    assert one.random() == other.random()


def test_a_number_and_its_text_are_different_members():
    n = 200
    numbers = audience([True] * n, Roster.from_columns(member=list(range(n))), as_of=NOW, limit=100, rng=1)
    texts = audience([True] * n, Roster.from_columns(member=list(map(str, range(n)))), as_of=NOW, limit=100, rng=1)
    assert numbers.treated.tolist() != texts.treated.tolist()


# --- what it says ---


def chosen_of_each() -> Audience:
    return audience(
        [1, 1, 1, 1, -1, 0],
        roster_of(6),
        as_of=NOW,
        limit=2,
        score=[1500.0, 8.5, 1.25, math.nan, 2, 2],
        holdout=0.5,
        rng=2,
    )


def test_every_member_has_a_reason_in_both_languages():
    chosen = chosen_of_each()
    assert [reason.en for reason in reasons(chosen)[2:]] == [
        "over the limit", "score unknown", "unknown to the rule", "not selected",
    ]  # fmt: skip
    told = {place: chosen.explain(f"u{place}") for place in range(6)}
    assert chosen.held_out.tolist()[:2] == [False, True]
    assert told[0] == "u0: treated: selected by the rule; score 1,500.0"
    assert told[1] == "u1: held out: selected by the rule, and drawn by lot to compare with; score 8.5"
    assert told[2] == "u2: over the limit: selected, but there was room for 2 of 3, by score; score 1.25"
    assert told[3] == "u3: score unknown: selected, but without a score there is no place among the first 2"
    assert told[4] == "u4: unknown to the rule: the rule asks for something that is not known of this member"
    assert told[5] == "u5: not selected: the rule does not select this member"
    assert chosen.explain("u2", lang="zh") == "u2：超出名额：符合规则，但 3 人中名额只有 2，按得分；得分 1.25"
    assert all("{" not in chosen.explain(f"u{place}", lang="zh") for place in range(6))
    by_lot = audience([True] * 3, roster_of(3), as_of=NOW, limit=1, rng=1)
    over = by_lot.members[int(np.flatnonzero(by_lot.left_out)[0])]
    assert by_lot.explain(over) == f"{over}: over the limit: selected, but there was room for 1 of 3, by lot"


def test_the_table_counts_by_reason():
    assert str(chosen_of_each()).splitlines() == [
        "Audience as of 2024-05-01 00:00 UTC",
        "reason               members  share",
        "───────────────────────────────────",
        "treated                    1  16.7%",
        "held out                   1  16.7%",
        "over the limit             1  16.7%",
        "score unknown              1  16.7%",
        "unknown to the rule        1  16.7%",
        "not selected               1  16.7%",
    ]
    assert chosen_of_each().table(lang="zh").splitlines()[3].split() == ["触达", "1", "16.7%"]
    assert repr(chosen_of_each()) == "Audience(1 treated, 1 held out, 4 left out)"
    assert len(chosen_of_each()) == 6


def test_the_columns_have_a_row_a_member():
    columns = chosen_of_each().to_columns()
    assert columns["member"].tolist() == [f"u{place}" for place in range(6)]
    assert columns["score"].tolist()[:2] == [1500, 8.5]
    assert np.isnan(audience([True], roster_of(1), as_of=NOW).to_columns()["score"]).all()
    assert chosen_of_each().to_dict()["columns"]["reason"][-1] == "not_selected"


def test_the_arms_are_an_assignment():
    arms = chosen_of_each().assignment
    assert arms.sizes() == {"treated": 1, "held_out": 1, "left_out": 4}
    assert arms.labels().tolist()[2:] == ["left_out"] * 4


def test_an_empty_roster_has_an_empty_audience():
    chosen = audience([], roster_of(0), as_of=NOW, limit=3, holdout=0.5)
    assert len(chosen) == 0
    assert "treated" in str(chosen)


def test_it_comes_back_from_a_pickle():
    chosen = chosen_of_each()
    again = pickle.loads(pickle.dumps(chosen))  # noqa: S301
    assert again == chosen
    assert not again.codes.flags.writeable
    assert chosen != "an audience"
    assert chosen != attrs.evolve(chosen, score=None)


# --- what is refused ---


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"limit": -1}, InvalidValueError, "limit: expected a number of members of 0 or more, got -1"),
        ({"limit": 2.5}, InvalidTypeError, "limit: expected an integer, got 2.5"),
        ({"holdout": 1}, InvalidValueError, r"holdout: expected a number in \[0, 1\), got 1"),
        ({"holdout": -0.1}, InvalidValueError, r"holdout: expected a number in \[0, 1\), got -0.1"),
        ({"holdout": math.nan}, InvalidValueError, r"holdout: expected a number in \[0, 1\), got nan"),
        ({"holdout": True}, InvalidTypeError, r"holdout: expected a number in \[0, 1\), got True"),
        ({"holdout": "10%"}, InvalidTypeError, r"holdout: expected a number in \[0, 1\), got '10%'"),
        ({"rng": "seven"}, InvalidTypeError, "rng: expected a seed of 0 or more"),
        ({"rng": -7}, InvalidTypeError, "rng: expected a seed of 0 or more, .* got -7"),
        ({"score": [1]}, MisalignedError, "score: expected one for each of the 3 members, got 1 scores"),
        ({"score": [True, False, True]}, InvalidTypeError, "score: expected int or float"),
        ({"score": "age"}, UnknownLabelError, "score: expected one of the roster's fields"),
        (
            {"score": "city"},
            InvalidTypeError,
            "score: expected a field of numbers, or of labels that have an order, got 'city'",
        ),
        ({"as_of": "2024-05-01"}, InvalidTypeError, "as_of: expected"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        audience([True] * 3, roster_of(3, city=["沪", "京", "沪"]), **({"as_of": NOW} | options))


@pytest.mark.parametrize(
    ("rule", "error", "text"),
    [
        ([True], MisalignedError, r"rule: expected one verdict for each of the 2 members, got \(1,\)"),
        ([2, 0], InvalidValueError, r"rule: expected verdicts that are -1, 0 or 1, got 2 at row 0 \(1 of 2 rows\)"),
        ([0, -128], InvalidValueError, "rule: expected verdicts that are -1, 0 or 1, got -128 at row 1"),
        ([0, 256], InvalidValueError, "rule: expected verdicts that are -1, 0 or 1, got 256 at row 1"),
        ([0.5, 1.0], InvalidTypeError, "rule: expected a rule, or an array of bool"),
        ("age >= 18", InvalidTypeError, "rule: expected a rule, or an array of bool"),
        (Assignment(members=Index(["u0"]), codes=[0], segments=Index(["a"])), InvalidTypeError, "assignment.mask"),
    ],
)
def test_what_is_no_rule_is_refused(rule, error, text):
    with pytest.raises(error, match=text):
        audience(rule, roster_of(2), as_of=NOW)


def test_a_roster_and_a_log_must_be_ones():
    with pytest.raises(InvalidTypeError, match="roster: expected a Roster, got 3"):
        audience([True], 3, as_of=NOW)
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog or None, got 3"):
        audience([True], roster_of(1), 3, as_of=NOW)


def test_the_constructor_checks_its_columns():
    members = Index(["a", "b"])
    with pytest.raises(MisalignedError, match=r"codes: expected one entry for each of the 2 members, got \(1,\)"):
        Audience(members=members, codes=[0], as_of_us=0)
    with pytest.raises(InvalidValueError, match="codes: expected codes of the 6 reasons, got 6 at row 1"):
        Audience(members=members, codes=[0, 6], as_of_us=0)


def test_an_unknown_member_has_no_reason():
    with pytest.raises(UnknownLabelError, match="member: expected one of 6 known labels, got 'u7'"):
        chosen_of_each().reason("u7")

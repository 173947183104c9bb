from __future__ import annotations

import math
import pickle

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog, Roster
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Assignment, Index
from shequn.segmentation import Concentration, Needs, Persona, location_quotient, needs, persona
from shequn.stats import share_ratio

NOW = pendulum.datetime(2024, 5, 1)
DAYS = pendulum.duration(days=1)

ROSTER = Roster.from_columns(
    member=["ann", "bo", "cy", "dee", "eve"],
    fields={"city": ["沪", "沪", "京", None, "京"], "age": [30, 31, 32, 33, 34]},
    tags={"interests": [{"tea"}, {"tea", "go"}, None, {"go"}, None]},
)
LOG = EventLog.from_columns(
    member=["ann", "ann", "cy", "cy", "zoe"],
    kind=["purchase", "purchase", "purchase", "read", "purchase"],
    at=[NOW.subtract(days=ago) for ago in (1, 40, 2, 2, 2)],
    item=["pot", "pot", None, "cake", "cake"],
)


# --- needs ---


def test_tags_and_purchases_each_take_a_share_of_the_doubt():
    found = needs(ROSTER, LOG, as_of=NOW, topics={"pot": "tea"}, tag_says=0.4, purchase_says=0.5)
    assert list(found.labels) == ["go", "tea"]
    assert found.scores[:, 1] == pytest.approx([1 - 0.6 * 0.25, 0.4, 0, 0, 0])
    assert found.purchases.tolist() == [[0, 2], [0, 0], [0, 0], [0, 0], [0, 0]]


def test_only_purchases_of_the_roster_in_the_window_with_a_label_count():
    found = needs(ROSTER, LOG, as_of=NOW, within=30 * DAYS)
    assert list(found.labels) == ["go", "pot", "tea"]
    assert found.purchases.sum() == 1
    assert needs(ROSTER, LOG, as_of=NOW, column=None).purchases.sum() == 0
    assert list(needs(ROSTER, LOG, as_of=NOW, kinds="read", tags=None).labels) == ["cake"]


def test_a_field_of_labels_can_tell_interests_too():
    assert list(needs(ROSTER, LOG, as_of=NOW, tags="city", column=None).labels) == ["京", "沪"]


def test_what_is_wanted_most_is_a_segment_and_weak_wishes_are_none():
    found = needs(ROSTER, LOG, as_of=NOW, topics={"pot": "tea"})
    assert found.assignment().labels().tolist() == ["tea", "go", None, "go", None]
    assert found.assignment(at_least=0.6).labels().tolist() == ["tea", None, None, None, None]


def test_no_amount_of_evidence_is_beyond_doubt():
    found = Needs(members=Index(["ann"]), labels=Index(["tea"]), tagged=[[True]], purchases=[[10_000]], as_of_us=0)
    assert found.scores[0, 0] < 1
    assert found.score_one(tagged=True, purchases=10_000) == found.scores[0, 0]


def test_needs_explain_themselves_in_both_languages():
    found = needs(ROSTER, LOG, as_of=NOW, topics={"pot": "tea"})
    assert found.explain("ann") == "ann: tea 0.88 (tagged, purchases: 2)"
    assert found.explain("bo", lang="zh") == "bo：go 0.50（有标签），tea 0.50（有标签）"
    assert found.explain("eve") == "eve: nothing is known"
    assert [line.split() for line in str(found).splitlines()[3:]] == [
        ["go", "2", "0", "0.200", "2"],
        ["tea", "2", "1", "0.275", "1"],
    ]
    assert found.table(lang="zh").splitlines()[0] == "需求分层，截至 2024-05-01 00:00 UTC"
    assert [(row.member, row.label) for row in found.rows()] == [
        ("ann", "tea"),
        ("bo", "go"),
        ("bo", "tea"),
        ("dee", "go"),
    ]
    assert repr(found) == "Needs(5 members, 2 labels)"
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301


def test_nobody_needs_nothing():
    nobody = needs(Roster.from_columns(member=[], tags={"interests": []}), EventLog.empty(), as_of=NOW)
    assert nobody.scores.shape == (0, 0)
    assert len(nobody.assignment()) == 0
    assert "(no rows)" in str(nobody)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"tags": "hobbies"},
            UnknownLabelError,
            r"tags: expected one of the roster's fields and tags \(city, age, ",
        ),
        ({"tags": "age"}, InvalidTypeError, "tags: expected a field of labels, or tags; put numbers into bands first"),
        ({"column": "sku"}, UnknownLabelError, "column: expected one of the log's columns"),
        ({"topics": ["tea"]}, InvalidTypeError, "topics: expected a mapping of label to label"),
        ({"tag_says": 1}, InvalidValueError, r"says: expected a share in \[0, 1\), got 1"),
        ({"purchase_says": "half"}, InvalidTypeError, r"says: expected a share in \[0, 1\), got 'half'"),
        ({"within": -DAYS}, InvalidValueError, "within: expected a duration longer than 0"),
    ],
)
def test_an_option_of_needs_that_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        needs(ROSTER, LOG, **({"as_of": NOW} | options))


@pytest.mark.parametrize("at_least", [0, 1.1, math.nan])
def test_a_least_score_lies_between_zero_and_one(at_least):
    with pytest.raises(InvalidValueError, match=r"at_least: expected a number in \(0, 1\]"):
        needs(ROSTER, LOG, as_of=NOW).assignment(at_least=at_least)
    with pytest.raises(InvalidTypeError, match=r"at_least: expected a number in \(0, 1\], got '0.5'"):
        needs(ROSTER, LOG, as_of=NOW).assignment(at_least="0.5")


def test_the_arrays_of_needs_must_fit():
    with pytest.raises(MisalignedError, match=r"purchases: expected an array of shape \(1, 1\), got \(1, 2\)"):
        Needs(members=Index(["a"]), labels=Index(["t"]), tagged=[[True]], purchases=[[1, 2]], as_of_us=0)
    with pytest.raises(InvalidValueError, match="purchases: expected a count of 0 or more, got -1"):
        needs(ROSTER, LOG, as_of=NOW).score_one(tagged=True, purchases=-1)


# --- the ratio of shares ---


def test_the_ratio_of_a_part_that_is_the_whole_is_one():
    assert [end.tolist() for end in share_ratio([3, 0], [10, 10], [3, 0], [10, 10])] == [
        [1, pytest.approx(math.nan, nan_ok=True)]
    ] * 3


def test_without_a_hit_in_the_rest_the_ratio_is_as_large_as_it_can_be():
    ratio = share_ratio(5, 10, 5, 100)
    assert ratio.estimate == ratio.upper == pytest.approx(10)
    assert 1 < ratio.lower < 10


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((3, 2, 3, 9), "hits: expected at most as many as trials, got 3"),
        ((3, 4, 2, 9), "hits: expected at most as many as all_hits, got 3"),
        ((3, 9, 3, 8), "trials: expected at most as many as all_trials, got 9"),
        ((0, 8, 3, 9), "hits: expected so many that the rest has no more hits than trials, got 0"),
        ((-1, 8, 3, 9), "hits: expected integers in"),
    ],
)
def test_a_part_that_does_not_fit_into_its_whole_is_refused(given, text):
    with pytest.raises(InvalidValueError, match=text):
        share_ratio(*given)


def test_the_interval_of_a_ratio_holds_what_it_says():
    rng = np.random.default_rng(20240501)
    for n, rest, p, q in [(50, 500, 0.3, 0.1), (100, 200, 0.5, 0.5), (200, 200, 0.05, 0.1), (1000, 9000, 0.2, 0.1)]:
        hits, others = rng.binomial(n, p, 4_000), rng.binomial(rest, q, 4_000)
        ratio = share_ratio(hits, n, hits + others, n + rest)
        true = p / ((n * p + rest * q) / (n + rest))
        covered = ((ratio.lower <= true) & (true <= ratio.upper)).mean()
        # Of 4,000 the share has a standard deviation of 0.0034; the interval is an approximation itself.
        assert 0.93 < covered < 0.975


# --- concentration ---


def test_the_location_quotient_is_a_ratio_of_shares_among_those_of_whom_it_is_known():
    by = Assignment.from_mapping({"ann": "x", "bo": "y", "cy": "y", "dee": "y", "eve": None})
    found = location_quotient(ROSTER, by, trait="city")
    assert found.labels == ("沪", "京")
    assert found.sizes.tolist() == [1, 2]  # of dee it is not known
    assert found.n_members == 4
    assert found.quotient.tolist() == [[2, 0], [1, 1]]
    assert found.base.tolist() == [0.5, 0.5]
    assert found.lower[0, 0] < 2 <= found.upper[0, 0]


def test_a_mapping_may_leave_members_out_and_a_field_may_be_the_segment():
    assert location_quotient(ROSTER, {"ann": "x"}).sizes.tolist() == [1]
    by_city = location_quotient(ROSTER, ROSTER.field("city"))
    assert by_city.segments == ("沪", "京")
    assert by_city.counts.tolist() == [[1, 2], [0, 0]]


def test_segments_of_nobody_and_labels_of_nobody_have_no_quotient():
    found = Concentration(
        segments=["a", "b"], labels=["t", "u"], counts=[[2, 0], [0, 0]], sizes=[4, 0], totals=[2, 0], n_members=4
    )
    np.testing.assert_array_equal(found.quotient, [[1, math.nan], [math.nan, math.nan]])
    np.testing.assert_array_equal(found.share, [[0.5, 0], [math.nan, math.nan]])
    nobody = Concentration(segments=[], labels=["t"], counts=np.zeros((0, 1), int), sizes=[], totals=[0], n_members=0)
    assert np.isnan(nobody.base).all()
    assert "(no rows)" in str(nobody)


def test_a_concentration_speaks_both_languages():
    found = location_quotient(ROSTER, {"ann": "x", "bo": "x"})
    assert str(found).splitlines()[0].split() == [
        "segment",
        "label",
        "members",
        "share",
        "base",
        "LQ",
        "lower",
        "upper",
    ]
    assert found.table(lang="zh").splitlines()[0].split() == [
        "分组",
        "标签",
        "成员",
        "占比",
        "总体占比",
        "区位商",
        "下限",
        "上限",
    ]
    assert found.last().total == 2
    assert repr(found) == "Concentration(1 segments, 2 labels, 5 members)"
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"counts": [[1, 2]]}, MisalignedError, r"counts: expected an array of shape \(1, 1\)"),
        ({"counts": [[3]]}, InvalidValueError, "hits: expected at most as many as trials"),
        ({"totals": [-1]}, InvalidValueError, "totals: expected integers in"),
        ({"level": 1.5}, InvalidValueError, "level: expected a number between 0 and 1"),
        ({"n_members": 2.5}, InvalidTypeError, "n_members: expected an integer"),
    ],
)
def test_counts_of_a_concentration_must_fit(changed, error, text):
    with pytest.raises(error, match=text):
        Concentration(
            **(
                {"segments": ["a"], "labels": ["t"], "counts": [[1]], "sizes": [2], "totals": [1], "n_members": 4}
                | changed
            )
        )


# --- personas ---


def test_a_persona_compares_the_segment_with_all():
    found = persona(ROSTER, [True, True, False, False, False], name="茶友")
    assert list(dict.fromkeys(found.traits)) == ["city", "interests"]
    rows = {(row.trait, row.label): row for row in found.rows()}
    assert rows["city", "沪"].lift == 2
    assert rows["city", "沪"].base == 0.5  # of dee it is not known
    assert rows["interests", "tea"].share == 1
    assert rows["interests", "tea"].base == 0.4
    assert rows["interests", "go"].lift == pytest.approx(0.5 / 0.4)
    assert rows["interests", "go"].share_lower < 0.5 < rows["interests", "go"].share_upper
    assert found.tag_names == ("interests",)
    assert found.n_members == 2


def test_a_persona_may_be_of_some_traits_of_nobody_or_of_none():
    assert set(persona(ROSTER, np.ones(5, bool), traits="city").traits) == {"city"}
    nobody = persona(ROSTER, np.zeros(5, bool))
    assert np.isnan(nobody.lift).all()
    assert np.isnan(nobody.share).all()
    assert nobody.fit(ROSTER)[0] == 0.5
    blank = persona(Roster.from_columns(member=["ann"]), [True])
    assert len(blank) == 0
    assert np.isnan(blank.fit(ROSTER)).all()


def test_the_fit_is_that_of_the_written_formula():
    found = persona(ROSTER, [True, True, False, False, False])
    city = (2 * 2 + 1) / 3
    tea, go = (2 * 2.5 + 1) / 3, (2 * 1.25 + 1) / 3
    ann, bo = math.sqrt(city * tea), math.sqrt(city * math.sqrt(tea * go))
    assert found.fit(ROSTER)[:2] == pytest.approx([ann / (1 + ann), bo / (1 + bo)])
    assert found.fit(ROSTER)[3] == pytest.approx(go / (1 + go))
    assert found.fit(ROSTER)[4] == pytest.approx((1 / 3) / (1 + 1 / 3))


def test_those_who_are_like_the_segment_fit_better_and_of_strangers_nothing_is_known():
    found = persona(ROSTER, [True, True, False, False, False])
    fits = found.fit(ROSTER)
    assert fits[0] > 0.5 > fits[2]
    others = Roster.from_columns(
        member=["x", "y"], fields={"city": ["穗", "沪"]}, tags={"interests": [{"chess"}, None]}
    )
    assert np.isnan(found.fit(others)[0])
    assert found.fit(others)[1] > 0.5
    assert math.isnan(found.fit_one({"city": "穗", "interests": ["chess"]}))
    assert math.isnan(found.fit_one({"city": None}))


def test_a_persona_speaks_both_languages():
    found = persona(ROSTER, [True, True, False, False, False], name="茶友", traits=["interests"])
    assert str(found).splitlines()[0] == "茶友: 2 members"
    assert found.table(lang="zh").splitlines()[:2] == [
        "茶友：2 名成员",
        "特征       标签  成员    占比  总体占比  提升度  下限  上限",
    ]
    assert persona(ROSTER, [True] * 5).table(lang="zh").splitlines()[0] == "5 名成员"
    assert repr(found) == "Persona('茶友', 2 members, 1 traits, 2 labels)"
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301
    assert (found.lower <= found.lift).all()
    assert (found.lift <= found.upper).all()


@pytest.mark.parametrize(
    ("mask", "options", "error", "text"),
    [
        ([True], {}, MisalignedError, r"mask: expected one entry for each of the 5 members, got \(1,\)"),
        ([1, 0, 0, 0, 0], {}, InvalidTypeError, "mask: expected an array of bool, got 'int64'"),
        ([True] * 5, {"traits": ["citty"]}, UnknownLabelError, "traits: expected one of .* did you mean 'city'"),
        ([True] * 5, {"traits": "age"}, InvalidTypeError, "traits: expected a field of labels"),
        ([True] * 5, {"traits": 3}, InvalidTypeError, "traits: expected names, got 3"),
        ([True] * 5, {"level": 0}, InvalidValueError, "level: expected a number between 0 and 1"),
    ],
)
def test_an_argument_of_a_persona_that_cannot_be_used_is_refused(mask, options, error, text):
    with pytest.raises(error, match=text):
        persona(ROSTER, mask, **options)


def test_a_roster_is_needed_to_describe_and_to_fit():
    with pytest.raises(InvalidTypeError, match="roster: expected a Roster, got 3"):
        persona(3, [True])
    with pytest.raises(InvalidTypeError, match="roster: expected a Roster, got 3"):
        persona(ROSTER, [True] * 5).fit(3)
    with pytest.raises(
        UnknownLabelError, match=r"roster: expected one of the roster's fields and tags \(\), got 'city'"
    ):
        persona(ROSTER, [True] * 5).fit(Roster.from_columns(member=["x"]))
    with pytest.raises(InvalidTypeError, match="traits: expected a mapping of trait to label"):
        persona(ROSTER, [True] * 5).fit_one(["沪"])
    with pytest.raises(InvalidTypeError, match=r"traits\['interests'\]: expected a collection of tags, got 'tea'"):
        persona(ROSTER, [True] * 5).fit_one({"interests": "tea"})


def test_the_columns_of_a_persona_must_fit():
    given = {"traits": ["city"], "labels": ["沪"], "counts": [3], "known": [4], "base_counts": [5], "base_known": [9]}
    assert Persona(**given, n_members=4).lift[0] == pytest.approx(0.75 / (5 / 9))
    with pytest.raises(MisalignedError, match="known: expected 1 entries, as `traits` has, got 2"):
        Persona(**(given | {"known": [4, 4]}), n_members=4)
    with pytest.raises(InvalidValueError, match="hits: expected at most as many as trials"):
        Persona(**(given | {"counts": [5]}), n_members=4)

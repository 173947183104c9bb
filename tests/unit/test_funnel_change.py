from __future__ import annotations

import json
import pickle
from fractions import Fraction

import attrs
import numpy as np
import pendulum
import pytest

from shequn.columns import Breakdown, EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.funnel import Exclusion, Funnel, FunnelResult, Step, convert
from shequn.funnel.change import bottleneck, decompose, what_if
from shequn.funnel.comparison import compare
from shequn.values import Rate

STEPS = ["join", "post", "purchase"]
NAN = float("nan")


def funnel(*reached, steps=None, optional=()):
    return FunnelResult.from_counts(steps=steps or STEPS[: len(reached)], reached=reached, optional=optional)


def breakdown(unassigned=None, **parts):
    found = {label: funnel(*counts) for label, counts in parts.items()}
    rest = None if unassigned is None else funnel(*unassigned)
    every = np.sum([part.reached for part in [*found.values(), *([rest] if rest else [])]], axis=0)
    return Breakdown(total=funnel(*every), parts=found, unassigned=rest)


MAY, JUNE = funnel(1200, 480, 60), funnel(1500, 540, 90)


# --- compare ---


def test_a_comparison_has_a_row_for_each_later_step_and_one_for_the_whole_way():
    post, purchase, overall = compare(MAY, JUNE).rows()
    assert (post.step, purchase.step, overall.step) == ("post", "purchase", None)
    assert (post.rate_before, post.rate_after) == (0.4, 0.36)
    assert (overall.rate_before, overall.rate_after) == (0.05, 0.06)
    assert purchase.difference == pytest.approx(1 / 6 - 1 / 8)
    assert overall.lower < overall.difference < overall.upper


def test_the_adjustment_is_over_the_steps_and_leaves_the_whole_way_out():
    found = compare(MAY, JUNE)
    smaller, larger = sorted(found.p_value[:2])
    assert found.p_adjusted[:2].tolist() == [max(2 * smaller, larger)] * 2
    assert np.isnan(found.p_adjusted[2])
    assert "unadjusted" in found.table()
    assert "不参与校正" in found.table(lang="zh")


def test_where_nobody_was_there_is_no_difference_and_no_test():
    found = compare(funnel(10, 0, 0), funnel(10, 5, 1))
    assert np.isnan([found.difference[1], found.lower[1], found.upper[1], found.p_value[1], found.p_adjusted[1]]).all()
    assert found.p_adjusted[0] == found.p_value[0]
    assert found.difference[2] == 0.1


def test_an_optional_step_is_compared_over_the_required_one_before_it():
    steps = ["join", "like", "post"]
    found = compare(funnel(10, 2, 8, steps=steps, optional=[1]), funnel(10, 5, 4, steps=steps, optional=[1]))
    assert found.rate_before.tolist() == [0.2, 0.8, 0.8]
    assert found.rate_after.tolist() == [0.5, 0.4, 0.4]
    assert "like (optional)" in found.table()
    assert "like（可跳过）" in found.table(lang="zh")
    assert found.to_columns()["step"].tolist() == ["like", "post", None]


def test_the_whole_way_ends_with_the_last_required_step():
    steps = ["join", "post", "share"]
    found = compare(funnel(10, 6, 1, steps=steps, optional=[2]), funnel(10, 8, 1, steps=steps, optional=[2]))
    assert found.rate_after.tolist() == [0.8, 0.125, 0.8]


def test_a_wider_level_gives_wider_intervals():
    narrow, wide = compare(MAY, JUNE, level=0.5), compare(MAY, JUNE, level=0.99)
    assert (wide.lower < narrow.lower).all()
    assert (wide.upper > narrow.upper).all()
    assert narrow.level == 0.5


def test_a_comparison_reads_in_both_languages():
    found = compare(MAY, JUNE)
    assert found.table().startswith("step       before  after  difference  lower  upper       p  p (Holm)\n")
    assert found.table(lang="zh").splitlines()[0].split()[:4] == ["步骤", "之前", "之后", "差值"]
    assert "（总体）" in found.table(lang="zh")
    assert repr(found) == "FunnelComparison(join → post → purchase: 5.0% → 6.0%)"
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["columns"]["p_adjusted"][-1] is None


def test_segments_of_a_breakdown_are_compared():
    by_source = breakdown(ad=[100, 10], friend=[100, 50])
    assert compare(by_source["ad"], by_source["friend"]).difference[0] == 0.4


@pytest.mark.parametrize("question", [compare, decompose])
def test_funnels_of_other_steps_are_refused(question):
    with pytest.raises(InvalidValueError, match=r"after\.steps: expected those of `before`, \('join', 'post'\), got"):
        question(funnel(3, 1), funnel(3, 1, steps=["join", "buy"]))
    with pytest.raises(InvalidValueError, match=r"after\.optional: expected those of `before`, \(\), got \(1,\)"):
        question(MAY, funnel(3, 1, 1, optional=[1]))


@pytest.mark.parametrize("question", [compare, decompose])
def test_what_is_no_funnel_is_refused(question):
    with pytest.raises(InvalidTypeError, match=r"before: expected a FunnelResult .*, got 7"):
        question(7, MAY)
    with pytest.raises(InvalidTypeError, match=r"after: expected a FunnelResult .*, got None"):
        question(MAY, None)


def test_a_breakdown_as_a_whole_is_not_compared():
    with pytest.raises(InvalidTypeError, match=r"before: expected a FunnelResult \(of a Breakdown, its total or a seg"):
        compare(breakdown(ad=[3, 1]), breakdown(ad=[3, 1]))


WEEK = Funnel(steps=STEPS, within=pendulum.duration(days=7))


@pytest.mark.parametrize("question", [compare, decompose, lambda one, other: bottleneck(one, to=other)])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("within", pendulum.duration(days=14)),
        ("order", "strict"),
        ("exclusions", Exclusion(kinds="leave", after="join", before="post")),
        ("steps", [Step(kinds="follow", name="join"), *STEPS[1:]]),
    ],
)
def test_answers_to_two_questions_are_refused(question, field, value):
    other = attrs.evolve(WEEK, **{field: value})
    before, after = (attrs.evolve(counts, funnel=asked) for counts, asked in ((MAY, WEEK), (JUNE, other)))
    with pytest.raises(InvalidValueError, match=rf"^\w+\.funnel\.{field}: expected that of `\w+`, .*, got "):
        question(before, after)
    question(before, attrs.evolve(after, funnel=attrs.evolve(WEEK)))
    question(before, attrs.evolve(after, funnel=None))


@pytest.mark.parametrize(("level", "error"), [(1.0, InvalidValueError), ("high", InvalidTypeError)])
def test_a_level_that_is_none_is_refused(level, error):
    with pytest.raises(error, match="level: expected a number between 0 and 1"):
        compare(MAY, JUNE, level=level)


# --- decompose ---


def test_of_two_factors_each_has_its_own_change_and_half_of_the_shared_one():
    change = decompose(funnel(100, 40), funnel(200, 60))
    # 100 more entered, at 40 % or 30 %; the rate fell by a tenth, of 100 or of 200.
    assert change.exact == (Fraction(100 * 35, 100), Fraction(-15))
    assert change.change == 20
    assert change.residual == 0
    assert change.parts == ("entries", "rate of post")


def test_a_change_of_one_factor_is_all_its_own():
    assert decompose(funnel(100, 40, 20), funnel(200, 80, 40)).exact == (20, 0, 0)
    assert decompose(funnel(100, 40, 20), funnel(100, 80, 40)).exact == (0, 20, 0)


def test_a_rate_that_nobody_knows_before_is_taken_from_after():
    # 8 of 10 and 4 of 8 after; before, nobody posted, so that nobody could purchase.
    change = decompose(funnel(10, 0, 0), funnel(10, 8, 4))
    assert change.exact == (0, 4, 0)
    assert decompose(funnel(10, 8, 4), funnel(10, 0, 0)).exact == (0, -4, 0)


def test_where_nobody_entered_before_all_of_the_change_is_entries():
    assert decompose(funnel(0, 0, 0), funnel(10, 8, 4)).exact == (4, 0, 0)
    assert decompose(funnel(0, 0, 0), funnel(0, 0, 0)).exact == (0, 0, 0)
    assert decompose(funnel(10, 0, 0), funnel(20, 0, 0)).exact == (0, 0, 0)


def test_a_funnel_of_one_step_changes_by_its_entries_alone():
    change = decompose(funnel(10), funnel(7))
    assert change.parts == ("entries",)
    assert change.exact == (-3,)


def test_optional_steps_take_no_part():
    steps = ["join", "like", "post"]
    one, two = funnel(10, 2, 8, steps=steps, optional=[1]), funnel(10, 9, 8, steps=steps, optional=[1])
    assert decompose(one, two).exact == (0, 0)
    assert decompose(one, two).parts == ("entries", "rate of post")


def test_better_rates_everywhere_can_meet_a_worse_mix():
    # Both segments convert better, and the weak one has grown: the total rate falls from 30 % to 25 %.
    before, after = breakdown(ad=[100, 10], friend=[100, 50]), breakdown(ad=[300, 45], friend=[100, 55])
    change = decompose(before, after)
    entries, mix, rate = change.exact
    assert change.parts == ("entries", "segment mix", "rate of post")
    assert mix < 0 < rate
    assert entries + mix + rate == change.change == 40
    assert decompose(before.total, after.total).exact[1] < 0


def test_a_segment_of_only_one_of_the_two_brings_no_change_of_rate():
    change = decompose(breakdown(ad=[100, 10]), breakdown(ad=[100, 10], friend=[100, 50]))
    assert change.by_segment.segments == ("ad", "friend")
    assert change.exact[2] == 0
    # friend: 100 or 200 entered, share 0 or 1/2, rate 1/2 in both.
    assert change.by_segment.exact[1] == (Fraction(25, 2), Fraction(75, 2), 0)
    gone = decompose(breakdown(ad=[100, 10], friend=[100, 50]), breakdown(ad=[100, 10]))
    assert gone.exact == tuple(-part for part in change.exact)


def test_those_in_no_segment_are_a_segment():
    change = decompose(breakdown(ad=[100, 10], unassigned=[10, 1]), breakdown(ad=[100, 10]))
    assert change.by_segment.segments == ("ad", None)
    assert change.by_segment.change.tolist() == [0, -1]
    assert change.residual == 0
    assert "(unassigned)" in change.by_segment.table()
    assert "（未分组）" in change.by_segment.table(lang="zh")
    assert "not what caused" in change.by_segment.table()
    assert [row.segment for row in change.by_segment.rows()] == ["ad"] * 3 + [None] * 3
    assert [row.step for row in change.by_segment.rows()] == [None, None, "post"] * 2
    assert [row.effect for row in change.by_segment.rows()] == change.by_segment.effects.ravel().tolist()


def test_where_nobody_entered_before_the_mix_is_that_of_after():
    change = decompose(breakdown(ad=[0, 0], friend=[0, 0]), breakdown(ad=[30, 3], friend=[10, 5]))
    assert change.exact == (8, 0, 0)


def test_breakdowns_without_any_segment_have_nothing_to_split():
    empty = Breakdown(total=funnel(0, 0), parts={})
    change = decompose(empty, empty)
    assert change.exact == (0, 0, 0)
    assert change.by_segment.effects.shape == (0, 3)
    assert list(change.by_segment.rows()) == []
    assert "(no rows)" in change.by_segment.table()


def test_segments_that_share_members_are_refused():
    log = EventLog.from_columns(
        member=["ann", "ann", "bo"], kind="join", at=[0, 60, 60], time_unit="s", group=["摄影", "徒步", "徒步"]
    )
    by_group = convert(log, Funnel(steps=("join",), within=pendulum.duration(days=1)), by="group")
    with pytest.raises(InvalidValueError, match=r"after: .* add up to the total, no member .* step 'join', got '\+1'"):
        decompose(Breakdown(total=funnel(3), parts={"徒步": funnel(3)}), by_group)


def test_segments_that_leave_members_out_are_refused():
    with pytest.raises(InvalidValueError, match=r"before: expected segments that add up .* at step 'join', got '-5'"):
        decompose(Breakdown(total=funnel(8, 2), parts={"ad": funnel(3, 2)}), breakdown(ad=[3, 2]))


def test_overlap_at_an_optional_step_does_not_matter():
    total, part = funnel(8, 2, 4, optional=[1]), funnel(8, 3, 4, optional=[1])
    assert decompose(*[Breakdown(total=total, parts={"ad": part})] * 2).exact == (0, 0, 0)


def test_a_segment_with_other_steps_is_refused():
    odd = Breakdown(total=funnel(8, 2), parts={"ad": funnel(8, 2, steps=["join", "buy"])})
    with pytest.raises(InvalidValueError, match=r"before\['ad'\]\.steps: expected those of `before\.total`"):
        decompose(odd, odd)
    odd = Breakdown(total=funnel(8, 2), parts={}, unassigned=funnel(8, 2, steps=["join", "buy"]))
    with pytest.raises(InvalidValueError, match=r"after\.unassigned\.steps: expected those of `after\.total`"):
        decompose(breakdown(ad=[8, 2]), odd)


def test_breakdowns_of_other_steps_or_other_results_are_refused():
    with pytest.raises(InvalidValueError, match=r"after\.total\.steps: expected those of `before\.total`"):
        decompose(breakdown(ad=[8, 2]), breakdown(ad=[8, 2, 1]))
    nested = Breakdown(total=breakdown(ad=[8, 2]), parts={})
    with pytest.raises(InvalidTypeError, match=r"before\.total: expected a FunnelResult"):
        decompose(nested, nested)


@pytest.mark.parametrize("sides", [(MAY, breakdown(ad=[1, 1, 1])), (breakdown(ad=[1, 1, 1]), MAY)])
def test_a_result_and_a_breakdown_are_not_decomposed(sides):
    with pytest.raises(InvalidTypeError, match="before, after: expected two FunnelResults or two Breakdowns"):
        decompose(*sides)


def test_a_decomposition_reads_in_both_languages():
    change = decompose(MAY, JUNE)
    assert change.table().splitlines()[-2].split() == ["(completions)", "60", "90", "30.0"]
    assert "not what caused" in change.table()
    zh = change.table(lang="zh")
    assert "进入人数" in zh
    assert "post的转化率" in zh
    assert "（完成人数）" in zh
    assert "不说明因果" in zh
    assert repr(change) == "Decomposition(+30 completions: entries +16.6, rate of post -7.9, rate of purchase +21.3)"


def test_a_decomposition_has_tidy_rows_of_its_parts():
    entries, post, _ = decompose(MAY, JUNE).rows()
    assert (entries.part, entries.step, entries.before, entries.after) == ("entries", None, 1200, 1500)
    assert (post.part, post.step, post.before, post.after) == ("rate of post", "post", 0.4, 0.36)
    assert post.effect == float(decompose(MAY, JUNE).exact[1])


def test_a_decomposition_of_segments_shows_the_rates_of_everybody_and_no_number_for_the_mix():
    change = decompose(breakdown(ad=[100, 10], friend=[100, 50]), breakdown(ad=[300, 45], friend=[100, 55]))
    _, mix, post = change.rows()
    assert np.isnan([mix.before, mix.after]).all()
    assert mix.step is None
    assert (post.before, post.after) == (0.3, 0.25)
    assert change.table().splitlines()[3].split()[:4] == ["segment", "mix", "–", "–"]
    assert "within the segments" in change.table()
    assert "分组构成" in change.table(lang="zh")
    assert "各分组内" in change.table(lang="zh")
    assert repr(change.by_segment) == "SegmentEffects(2 segments, 3 parts)"
    assert change.by_segment.effects.sum(axis=0) == pytest.approx(change.effects)
    assert change.by_segment.last().effect == float(change.by_segment.exact[1][2])
    assert change.by_segment.table(lang="zh").split()[:4] == ["分组", "之前", "之后", "变化"]


def test_a_rate_that_nobody_knows_shows_as_a_dash():
    assert decompose(funnel(10, 0, 0), funnel(10, 8, 4)).table().splitlines()[4].split()[3:] == ["–", "50.0%", "0.0"]


def test_many_segments_stay_exact():
    rng = np.random.default_rng(7)
    sides = []
    for _ in range(2):
        counts = -np.sort(-rng.integers(1, 10**6, size=(150, 4)), axis=1)
        steps = ["a", "b", "c", "d"]
        parts = {row: funnel(*reached, steps=steps) for row, reached in enumerate(counts)}
        sides.append(Breakdown(total=funnel(*counts.sum(axis=0), steps=steps), parts=parts))
    change = decompose(*sides)
    assert change.residual == 0
    assert change.effects.sum() == pytest.approx(change.change)


# --- what if ---


def test_a_given_rate_carries_through_to_the_later_steps():
    found = what_if(MAY, {"post": 0.5})
    assert found.expected.tolist() == [1200, 600, 75]
    assert found.gained.tolist() == [0, 120, 15]
    assert found.completed == 75
    np.testing.assert_array_equal(found.new_rates, [NAN, 0.5, 0.125])


@pytest.mark.parametrize("rate", [0.5, Fraction(1, 2), Rate(50, 100), np.float64(0.5)], ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("step", ["post", 1, np.int64(1)], ids=lambda s: type(s).__name__)
def test_a_step_is_named_or_numbered_and_a_rate_comes_in_any_form(step, rate):
    assert what_if(MAY, {step: rate}).expected.tolist() == [1200, 600, 75]


def test_a_rate_may_be_all_or_nothing():
    assert what_if(MAY, {"post": 1, "purchase": 0}).expected.tolist() == [1200, 1200, 0]


def test_an_optional_step_keeps_its_rate_and_does_not_stand_in_the_way():
    result = funnel(100, 40, 20, 10, steps=["join", "post", "like", "buy"], optional=[2])
    with pytest.raises(
        InvalidValueError, match="rates: expected steps after the first that may not be skipped, got 'l"
    ):
        what_if(result, {"like": 0.5})
    assert what_if(result, {"post": 0.8}).expected.tolist() == [100, 80, 40, 20]
    assert "like (optional)" in what_if(result, {}).table()
    assert [row.step for row in what_if(result, {}).rows()] == ["join", "post", "like", "buy"]


def test_beyond_a_step_that_nobody_reached_the_rates_are_unknown():
    np.testing.assert_array_equal(what_if(funnel(100, 0, 0), {"post": 0.5}).expected, [100, 50, NAN])
    assert what_if(funnel(100, 0, 0), {"post": 0.5, "purchase": 0.1}).expected.tolist() == [100, 50, 5]
    assert what_if(funnel(100, 0, 0), {}).expected.tolist() == [100, 0, 0]
    assert what_if(funnel(100, 0, 0, 0, steps=[*"abcd"]), {"b": 0.5, "d": 0}).completed == 0


def test_a_what_if_reads_in_both_languages():
    found = what_if(MAY, {"post": 0.5})
    assert "not what caused" in found.table()
    assert found.table(lang="zh").split()[:6] == ["步骤", "到达", "步骤转化率", "假设转化率", "预计到达", "增加"]
    assert "不说明因果" in found.table(lang="zh")
    assert repr(found) == "WhatIf(60 → 75.0 completions)"


@pytest.mark.parametrize("rate", [1.5, -0.1, NAN, float("inf"), Rate(0, 0)])
def test_a_rate_outside_the_unit_is_refused(rate):
    with pytest.raises(InvalidValueError, match=r"rates\['post'\]: expected a rate in \[0, 1\], got"):
        what_if(MAY, {"post": rate})


@pytest.mark.parametrize("rate", ["half", None, True, 0.5j])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(InvalidTypeError, match=r"rates\['post'\]: expected a rate in \[0, 1\], got"):
        what_if(MAY, {"post": rate})


def test_a_step_that_is_not_there_is_refused_with_a_suggestion():
    with pytest.raises(UnknownLabelError, match="got 'purchse'; did you mean 'purchase'"):
        what_if(MAY, {"purchse": 0.5})
    with pytest.raises(UnknownLabelError, match=r"rates: expected steps of \('join', 'post', 'purchase'\), got 3"):
        what_if(MAY, {3: 0.5})
    with pytest.raises(UnknownLabelError, match="got -1"):
        what_if(MAY, {-1: 0.5})
    with pytest.raises(UnknownLabelError, match="got True"):
        what_if(MAY, {True: 0.5})


def test_a_name_that_two_steps_bear_asks_for_a_position():
    result = funnel(9, 6, 3, steps=["join", "post", "post"])
    with pytest.raises(UnknownLabelError, match="expected positions of steps, since several are called 'post'"):
        what_if(result, {"post": 1.0})
    assert what_if(result, {1: 1}).expected.tolist() == [9, 9, 4.5]


@pytest.mark.parametrize("first", ["join", 0])
def test_the_first_step_has_no_rate(first):
    with pytest.raises(InvalidValueError, match="rates: expected steps after the first"):
        what_if(MAY, {first: 0.5})


def test_a_step_given_twice_is_refused():
    with pytest.raises(InvalidValueError, match="rates: expected each step once, by name or by position, got 1"):
        what_if(MAY, {"post": 0.5, 1: 0.6})


def test_what_if_needs_a_funnel_and_a_mapping():
    with pytest.raises(InvalidTypeError, match="result: expected a FunnelResult"):
        what_if(breakdown(ad=[3, 1]), {})
    with pytest.raises(InvalidTypeError, match=r"rates: expected a mapping from step to rate, got 0\.5"):
        what_if(MAY, 0.5)


# --- bottleneck ---


def test_by_default_a_tenth_of_those_who_drop_out_go_on():
    found = bottleneck(MAY)
    assert found.steps == ("purchase", "post")
    assert found.targets.tolist() == [0.2125, 0.46]
    assert found.gained.tolist() == [480 * 0.2125 - 60, 1200 * 0.46 * 0.125 - 60]
    assert bottleneck(MAY, lift=0.1) == found


def test_with_a_lift_of_one_nobody_drops_out_at_the_step():
    assert bottleneck(MAY, lift=1).completed.tolist() == [480, 150]
    assert bottleneck(MAY, lift=0).gained.tolist() == [0, 0]


def test_against_a_benchmark_a_step_that_is_better_already_loses():
    found = bottleneck(JUNE, to=MAY)
    assert found.steps == ("post", "purchase")
    assert found.gained.tolist() == [10, -22.5]


def test_only_the_steps_that_have_a_target_are_ranked():
    assert bottleneck(MAY, to={"post": 0.5}).steps == ("post",)
    assert bottleneck(MAY, to={2: 0.2, "post": 0.5}).gained.tolist() == [36, 15]
    assert bottleneck(MAY, to={}).steps == ()


def test_one_rate_is_a_target_for_every_step():
    found = bottleneck(MAY, to=0.5)
    assert found.targets.tolist() == [0.5, 0.5]
    assert found.gained.tolist() == [180, 15]


def test_equal_gains_stay_in_the_order_of_the_funnel():
    assert bottleneck(funnel(100, 50, 25)).steps == ("post", "purchase")
    # 70 each by the decimals as written; the float nearest to 0.1 is a little more, that of 0.7 a little less.
    assert bottleneck(funnel(2000, 700, 35), to={"purchase": 0.1, "post": 0.7}).steps == ("post", "purchase")


def test_an_unknown_gain_stands_last():
    found = bottleneck(funnel(100, 0, 0))
    assert found.steps == ("purchase", "post")
    np.testing.assert_array_equal(found.gained, [0, NAN])
    found = bottleneck(MAY, to=funnel(10, 0, 0))
    assert found.steps == ("post", "purchase")
    np.testing.assert_array_equal(found.targets, [0, NAN])
    np.testing.assert_array_equal(found.gained, [-60, NAN])


def test_bottlenecks_read_in_both_languages():
    found = bottleneck(MAY, to=0.5)
    assert "not what caused" in found.table()
    assert found.table(lang="zh").split()[:5] == ["步骤", "步骤转化率", "目标转化率", "预计完成", "增加"]
    assert "不说明因果" in found.table(lang="zh")
    assert repr(found) == "Bottlenecks(purchase +180.0, post +15.0)"
    row = next(found.rows())
    assert (row.step, row.step_rate, row.target, row.completed, row.gained) == ("purchase", 0.125, 0.5, 240, 180)


def test_a_target_and_a_lift_contradict_each_other():
    with pytest.raises(InvalidValueError, match=r"lift: expected None beside `to`, .* got 0\.2"):
        bottleneck(MAY, to=0.5, lift=0.2)


@pytest.mark.parametrize(
    ("asked", "error", "match"),
    [
        ({"to": 1.2}, InvalidValueError, r"to: expected a rate in \[0, 1\].*got 1\.2"),
        (
            {"to": "best"},
            InvalidTypeError,
            r"to: expected a rate in \[0, 1\], a mapping .* or a FunnelResult, got 'best'",
        ),
        ({"to": breakdown(ad=[3, 1, 1])}, InvalidTypeError, "to: expected a rate .*, got Breakdown"),
        ({"to": {"pots": 0.5}}, UnknownLabelError, "did you mean 'post'"),
        ({"to": {"join": 0.5}}, InvalidValueError, "to: expected steps after the first"),
        ({"to": {"post": 2}}, InvalidValueError, r"to\['post'\]: expected a rate in \[0, 1\], got 2"),
        ({"to": funnel(3, 1)}, InvalidValueError, r"to\.steps: expected those of `result`"),
        ({"lift": 1.1}, InvalidValueError, r"lift: expected a rate in \[0, 1\], got 1\.1"),
        ({"lift": "much"}, InvalidTypeError, r"lift: expected a rate in \[0, 1\], got 'much'"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused(asked, error, match):
    with pytest.raises(error, match=match):
        bottleneck(MAY, **asked)


def test_a_bottleneck_is_of_one_funnel():
    with pytest.raises(InvalidTypeError, match="result: expected a FunnelResult"):
        bottleneck([100, 40])


# --- what every result does ---

CHANGE = decompose(breakdown(ad=[9, 3], unassigned=[2, 1]), breakdown(ad=[9, 5], friend=[4, 1]))


@pytest.mark.parametrize(
    "result",
    [compare(MAY, JUNE), decompose(MAY, JUNE), CHANGE, CHANGE.by_segment, what_if(MAY, {"post": 1}), bottleneck(MAY)],
    ids=["comparison", "decomposition", "by segment", "segment effects", "what if", "bottlenecks"],
)
def test_a_result_survives_pickling_and_hands_out_nothing_to_write_to(result):
    copy = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert copy == result
    for made in (result, copy):
        assert not any(values.flags.writeable for values in made.to_columns().values())
        arrays = [getattr(made, name) for name in dir(made) if not name.startswith("_")]
        assert not any(array.flags.writeable for array in arrays if isinstance(array, np.ndarray))
    assert len(list(result.rows())) == len(next(iter(result.to_columns().values())))
    json.dumps(result.to_dict(lang="zh"), allow_nan=False)

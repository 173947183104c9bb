from __future__ import annotations

import json
import math
import pickle

import attrs
import numpy as np
import pendulum
import pytest

from shequn.campaigns import form_effects
from shequn.entities import Campaign, InteractionForm
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.stats import newcombe, wilson
from shequn.values import Money, Rate, Window

WEEK = Window(pendulum.datetime(2024, 9, 1), pendulum.datetime(2024, 9, 8))


def past(*sets):
    return [Campaign(id=n, forms=of.split(), window=WEEK) for n, of in enumerate(sets)]


def yuan(amount):
    return Money.of(amount, "CNY")


def test_a_campaign_of_two_forms_counts_for_each_of_them():
    result = form_effects(past("lottery poll", "poll"), reached=[100, 50], participants=[30, 5])
    assert result.forms == (InteractionForm.LOTTERY, InteractionForm.POLL)
    assert result.campaigns.tolist() == [1, 2]
    assert result.reached.tolist() == [100, 150]
    assert result.participants.tolist() == [30, 35]


def test_without_a_baseline_a_form_is_compared_with_the_campaigns_that_lack_it():
    result = form_effects(past("lottery poll", "poll"), reached=[100, 50], participants=[30, 5])
    assert result.uplift.tolist() == pytest.approx([0.3 - 0.1, math.nan], nan_ok=True)


def test_a_form_may_be_the_baseline_and_is_no_better_than_itself():
    result = form_effects(
        past("lottery", "poll", "check_in"), reached=[100, 50, 80], participants=[30, 5, 8], baseline="投票"
    )
    assert result.uplift.tolist() == pytest.approx([0.2, 0, 0])


def test_alone_and_without_dispersion_the_intervals_are_wilsons_and_newcombes():
    # Newcombe's own example: 56 of 70 against 48 of 80.
    result = form_effects(past("lottery", "poll"), reached=[70, 80], participants=[56, 48])
    assert (result.freedom, result.dispersion) == (0, 1.0)
    for end, expected in zip(result.rate_interval, wilson([56, 48], [70, 80]), strict=True):
        assert end == pytest.approx(expected)
    assert [float(end[0]) for end in result.uplift_interval] == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert "intervals are too narrow" in str(result)
    assert "区间偏窄" in result.table(lang="zh")


def test_a_baseline_from_elsewhere_does_not_vary_as_these_campaigns_do():
    given = form_effects(past("lottery"), reached=[70], participants=[56], baseline=Rate(48, 80))
    expected = newcombe(56, 70, 48, 80)
    assert [float(end[0]) for end in given.uplift_interval] == pytest.approx([float(end) for end in expected])
    wide = form_effects(past("poll", "poll"), reached=[70, 70], participants=[60, 20], baseline=Rate(48, 80))
    as_wide = attrs.evolve(wide, base_is_given=False)
    assert as_wide.uplift_interval[0][0] < wide.uplift_interval[0][0]


def test_campaigns_that_differ_more_than_chance_widen_the_interval():
    alike = form_effects(past("poll", "poll", "poll"), reached=[100] * 3, participants=[20, 20, 20])
    unlike = form_effects(past("poll", "poll", "poll"), reached=[100] * 3, participants=[5, 15, 40])
    assert (alike.dispersion, alike.freedom) == (1.0, 2)
    # By hand: p = 1/5, each variance 16, squares 225, 25 and 400, two degrees of freedom.
    assert unlike.dispersion == pytest.approx((225 + 25 + 400) / 16 / 2)
    assert unlike.rate_interval[0][0] < alike.rate_interval[0][0] < 0.2
    assert "Dispersion 20.31 with 2 degrees of freedom; interval: 95%." in str(unlike)
    assert "离散系数 20.31，自由度 2" in unlike.table(lang="zh")


def test_depth_is_actions_for_each_participant_and_cost_what_one_costs():
    result = form_effects(
        past("lottery", "poll"),
        reached=[100, 50],
        participants=[30, 0],
        actions=[75, 0],
        cost=[yuan("100.00"), yuan(1)],
    )
    assert result.depth.tolist() == pytest.approx([2.5, math.nan], nan_ok=True)
    assert result.cost == (yuan(100), yuan(1))
    assert result.cost_each.tolist() == pytest.approx([100 / 30, math.nan], nan_ok=True)
    headings = result.table(lang="zh").splitlines()[0].split()
    assert headings[-4:] == ["深度", "深度下限", "深度上限", "人均成本"]
    json.dumps(result.to_dict(), allow_nan=False)
    assert result.last().form == "poll"
    assert str(pickle.loads(pickle.dumps(result))) == str(result)  # noqa: S301


def test_nobody_reached_nobody_took_part_and_nothing_run_are_no_errors():
    nobody = form_effects(past("poll"), reached=[0], participants=[0], actions=[0])
    assert np.isnan([nobody.rate[0], nobody.rate_interval[0][0], nobody.uplift[0], nobody.depth[0]]).all()
    none = form_effects(past("poll"), reached=[10], participants=[0], actions=[0])
    assert (none.rate[0], none.rate_interval[0][0]) == (0, 0)
    everybody = form_effects(past("poll"), reached=[10], participants=[10])
    assert (everybody.rate[0], everybody.rate_interval[1][0]) == (1, 1)
    assert "(no rows)" in str(form_effects([], reached=[], participants=[], cost=[]))


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (
            {"participants": [3, 11]},
            InvalidValueError,
            r"^participants: expected at most reached, got 11 at row 1 \(1 of",
        ),
        ({"participants": [3]}, MisalignedError, r"^participants: expected one for each of 2 campaigns"),
        ({"reached": [10, -1]}, InvalidValueError, r"^reached: expected integers in \[0"),
        ({"reached": [10.5, 3]}, InvalidTypeError, r"^reached: expected integers"),
        ({"actions": [1, 1]}, InvalidValueError, r"^actions: expected 0 where nobody took part, got 1 at row 1"),
        ({"cost": [yuan(1)]}, MisalignedError, r"^cost: expected one for each of 2 campaigns, got '1'$"),
        ({"cost": [yuan(1), 2]}, InvalidTypeError, r"^cost: expected Money, one for each campaign, got 2 at row 1$"),
        ({"cost": [yuan(1), yuan(-1)]}, InvalidValueError, r"^cost: expected amounts of 0 or more, got '-1.00 CNY' at"),
        (
            {"cost": [yuan(1), Money(1, "USD")]},
            InvalidValueError,
            r"^cost: expected amounts in CNY, got '0.01 USD' at row 1",
        ),
        ({"baseline": "lotery"}, UnknownLabelError, r"^baseline: .*did you mean 'lottery'"),
        ({"baseline": "qa"}, InvalidValueError, r"^baseline: expected a form that occurs in the campaigns, got 'qa'$"),
        ({"baseline": 0.5}, InvalidTypeError, r"^baseline: expected an InteractionForm, a Rate or None, got 0.5$"),
        ({"level": 95}, InvalidValueError, r"^level: expected a number between 0 and 1"),
    ],
)
def test_input_that_cannot_be_used_is_refused(options, error, says):
    with pytest.raises(error, match=says):
        form_effects(past("lottery", "poll"), **{"reached": [10, 10], "participants": [3, 0], **options})


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"freedom": -1}, InvalidValueError, r"^freedom: expected 0 or more, got -1$"),
        ({"dispersion": 0.9}, InvalidValueError, r"^dispersion: expected a finite number of 1 or more"),
        ({"participants": [11]}, InvalidValueError, r"^participants: expected at most as many as were reached"),
        ({"cost": ()}, MisalignedError, r"^cost: expected one for each of 1 form"),
        ({"cost": ["1"]}, InvalidTypeError, r"^cost: expected Money"),
        ({"forms": None}, InvalidTypeError, r"^forms: expected a collection of InteractionForm"),
        ({"forms": ["pol"]}, UnknownLabelError, r"^forms: "),
        ({"reached": None}, InvalidTypeError, r"^reached: expected integers"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(changes, error, says):
    table = form_effects(past("poll"), reached=[10], participants=[3])
    with pytest.raises(error, match=says):
        attrs.evolve(table, **changes)

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import attrs
import numpy as np
import pytest

from shequn.entities.size import OPTIMAL_SIZE
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.sharding.capacity import CapacityPlan, plan_capacity


def test_the_ideal_band_decides_how_many_groups_there_are():
    plan = plan_capacity(1_000)
    assert plan.n_groups == 32  # 1000 / 31, the middle of 26 and 36
    assert plan.in_band
    assert plan.reason is None


@pytest.mark.parametrize("n", [26, 36, 52, 61, 72, 1_000, 99_999, 2**31 - 1])
def test_a_plan_seats_everybody_inside_the_band(n):
    plan = plan_capacity(n)
    assert sum(row.size * row.groups for row in plan.rows()) == n
    assert all(row.size in plan.ideal for row in plan.rows())
    assert sum(row.groups for row in plan.rows()) == plan.n_groups


def test_sizes_differ_by_one_at_most_and_the_largest_come_first():
    assert plan_capacity(100).sizes.tolist() == [34, 33, 33]
    assert plan_capacity(100).sizes.flags.writeable is False


def test_no_other_number_of_groups_in_the_band_is_nearer_to_its_middle():
    for n in range(26, 800):
        plan = plan_capacity(n)
        off = {k: abs(n / k - 31) for k in range(1, n + 1) if 26 * k <= n <= 36 * k}
        if off:
            assert off[plan.n_groups] == min(off.values())
        else:
            assert not plan.in_band


def test_a_number_of_members_that_no_groups_of_the_band_hold_says_why():
    plan = plan_capacity(40)
    assert (plan.n_groups, plan.in_band) == (1, False)  # one of 40 fits better than two of 20
    assert plan.reason == (
        "no number of groups k has 26 k <= 40 <= 36 k: 1 group holds at most 36, and 2 groups need at least 52"
    )
    assert "没有群数 k 能满足 26 k ≤ 40 ≤ 36 k" in plan.table(lang="zh")


def test_out_of_the_band_the_better_mean_size_fit_is_chosen():
    assert plan_capacity(38).n_groups == 1
    assert plan_capacity(50).n_groups == 2  # 25 each beats one of 50


def test_the_cap_binds_below_the_band():
    plan = plan_capacity(100, cap=20)
    assert plan.sizes.tolist() == [20] * 5
    assert "at most 20 seats in a group" in plan.reason
    assert "上限与预留后每群最多 20 人" in plan.table(lang="zh")


def test_the_cap_binds_where_one_group_alone_would_fit_better():
    assert plan_capacity(40, cap=38).n_groups == 2


def test_a_reserve_is_kept_free_in_each_group():
    plan = plan_capacity(1_000, reserve=6)
    assert plan.room == 30
    assert max(plan.sizes) <= 30
    assert plan.n_groups == 36  # 1000 / 28


@pytest.mark.parametrize(("cap", "reserve"), [(500, 0), (500, 4), (500, 12), (500, 30), (30, 12), (20, 0), (40, 10)])
def test_no_other_number_of_groups_fits_better_now_and_with_the_reserve_taken(cap, reserve):
    fits = OPTIMAL_SIZE.size_fit(np.arange(300))
    fit = np.minimum(fits[: 300 - reserve], fits[reserve:])
    fit[0] = 0
    for n in range(1, 200):
        k = np.arange(-(-n // (cap - reserve)), n + 1)
        size, larger = np.divmod(n, k)
        mean = (fit[size] * size * (k - larger) + fit[size + 1] * (size + 1) * larger) / n
        chosen = plan_capacity(n, cap=cap, reserve=reserve).n_groups
        assert mean[k == chosen] == pytest.approx(mean.max())


def test_a_reserve_larger_than_the_band_is_kept_as_far_as_can_be():
    plan = plan_capacity(1_000, reserve=12)
    assert plan.sizes.tolist()[0] == 25  # 25 / 26 now, 36 / 37 once the 12 have come
    assert not plan.in_band
    assert "at most 24 seats in a group" in plan.reason


def test_one_is_not_told_as_many():
    assert repr(plan_capacity(1, ideal=(1, 1))) == "CapacityPlan(1 member, 1 group, in the band)"
    assert str(plan_capacity(1, ideal=(1, 1))).startswith("1 member in 1 group\n")
    assert "at most 1 seat in a group" in plan_capacity(5, cap=1).reason
    assert "1 group cannot all have" in attrs.evolve(plan_capacity(60), n_groups=1).reason


def test_a_reserve_that_leaves_no_seat_is_refused():
    with pytest.raises(InvalidValueError, match="reserve: expected fewer seats than the 36 of a group, got 36"):
        plan_capacity(100, reserve=36)


def test_pairs_and_size_fit_stand_beside_each_size():
    assert plan_capacity(36).last() == (36, 1, 630, 1.0)
    assert plan_capacity(26).last().pairs == 325
    assert plan_capacity(500, ideal=(400, 500)).last().pairs == 124_750


def test_headroom_is_what_fits_before_a_further_group_is_needed():
    plan = plan_capacity(100)
    assert plan.headroom == 8
    assert plan.cap_headroom == 1_400


def test_groups_that_are_just_full_have_room_for_nobody_and_are_not_over():
    plan = plan_capacity(72)
    assert (plan.sizes.tolist(), plan.headroom) == ([36, 36], 0)
    assert "room for 0 more" in str(plan)
    assert "余量 0 人" in plan.table(lang="zh")


def test_the_next_group_is_needed_on_the_first_day_on_which_members_no_longer_fit():
    plan = plan_capacity(100, growth_per_day=4, as_of=date(2025, 1, 1))
    assert plan.days_to_next_group == 3  # 104, 108, 112 > 108
    assert plan.next_group_on == date(2025, 1, 4)
    assert "the next group is needed on 2025-01-04" in str(plan)
    assert "2025-01-04 起需要下一个群" in plan.table(lang="zh")


@pytest.mark.parametrize("growth", [1, 0.3, Fraction(1, 7), 9, 8, 4])
def test_the_day_of_the_next_group_is_the_first_one_counted_day_by_day(growth):
    plan = plan_capacity(100, growth_per_day=growth)
    days = next(d for d in range(10_000) if 100 + Fraction(growth) * d > plan.n_groups * plan.room)
    assert plan.days_to_next_group == days


def test_without_growth_or_day_no_date_is_named():
    assert plan_capacity(100, as_of=date(2025, 1, 1)).next_group_on is None
    assert plan_capacity(100, growth_per_day=-2, as_of=date(2025, 1, 1)).days_to_next_group is None
    assert plan_capacity(100, growth_per_day=2).next_group_on is None
    assert plan_capacity(100, growth_per_day=1e-9, as_of=date(2025, 1, 1)).next_group_on is None


def test_who_is_over_needs_the_next_group_at_once():
    plan = plan_capacity(40, as_of=date(2025, 1, 1))
    assert plan.next_group_on == date(2025, 1, 1)
    assert "a further group is due" in str(plan)
    assert "超员 4 人，需要再开一个群" in plan.table(lang="zh")


def test_nobody_needs_no_group():
    plan = plan_capacity(0)
    assert (plan.n_groups, plan.sizes.tolist(), plan.in_band, len(plan)) == (0, [], True, 0)


def test_a_plan_can_be_changed_and_is_then_told_truthfully():
    plan = attrs.evolve(plan_capacity(1_000), n_groups=20)
    assert not plan.in_band
    assert "20 groups cannot all have 26 to 36 of 1,000 members" in plan.reason
    assert "20 个群不能使每群都在 26–36 人之间" in plan.table(lang="zh")


def test_a_plan_of_more_groups_than_members_is_refused():
    with pytest.raises(InvalidValueError, match="n_groups: expected a number of groups that 3 members can fill"):
        attrs.evolve(plan_capacity(3), n_groups=4)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"n_members": -1}, InvalidValueError, "n_members: expected a number of members in"),
        ({"n_members": 1.5}, InvalidTypeError, "n_members: expected an integer"),
        ({"cap": 2**31}, InvalidValueError, "cap: expected a number of members >= 1"),
        ({"cap": 0}, InvalidValueError, "cap: expected a number of members >= 1"),
        ({"ideal": (36, 26)}, InvalidValueError, "1 <= fewest <= most"),
        ({"ideal": (1, 2, 3)}, InvalidTypeError, "ideal: expected the fewest and the most members"),
        ({"ideal": 30}, InvalidTypeError, "ideal: expected the fewest and the most members"),
        ({"reserve": -1}, InvalidValueError, "reserve: expected a number of seats >= 0"),
        ({"growth_per_day": float("nan")}, InvalidValueError, "growth_per_day: expected a finite number"),
        ({"growth_per_day": "2"}, InvalidTypeError, "growth_per_day: expected a number"),
        ({"as_of": datetime(2025, 1, 1, tzinfo=UTC)}, InvalidTypeError, "as_of: expected a date without a time"),
    ],
)
def test_what_a_plan_cannot_use_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        plan_capacity(**({"n_members": 100} | options))


def test_numbers_of_numpy_are_taken():
    assert plan_capacity(np.int64(100), growth_per_day=np.float64(1.5)) == plan_capacity(100, growth_per_day=1.5)
    assert isinstance(plan_capacity(np.int64(100)), CapacityPlan)

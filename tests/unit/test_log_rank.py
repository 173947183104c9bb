from __future__ import annotations

import copy
import math
import pickle

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import LogRank, SurvivalTable, log_rank

NOBODY = SurvivalTable.from_durations([])
QUICK = SurvivalTable.from_durations([1, 2, 2, 3, 5])
SLOW = SurvivalTable.from_durations([4, 6, 7, 7, 9], [True, False, True, True, False])


def test_scores_add_up_to_zero_and_so_does_each_row_of_the_variance():
    third = SurvivalTable.from_durations([2, 3, 8], [True, False, True])
    for weights in ("log-rank", "wilcoxon", "tarone-ware", "peto"):
        found = log_rank([QUICK, SLOW, third], weights=weights)
        assert found.score.sum() == pytest.approx(0, abs=1e-12)
        assert found.variance.sum(axis=1) == pytest.approx(0, abs=1e-12)
        assert found.df == 2
    assert found.observed.sum() == pytest.approx(found.expected.sum())


def test_fleming_and_harrington_without_powers_is_the_log_rank_test():
    plain = log_rank([QUICK, SLOW])
    again = log_rank([QUICK, SLOW], weights="fleming-harrington", p=0, q=0)
    assert attrs.asdict(again, recurse=False).keys() == attrs.asdict(plain, recurse=False).keys()
    assert (again.statistic, again.p_value) == (plain.statistic, plain.p_value)


def test_equal_groups_have_a_statistic_of_zero():
    found = log_rank([SLOW, SLOW])
    assert found.statistic == pytest.approx(0, abs=1e-20)
    assert found.p_value == pytest.approx(1)
    assert found.expected.tolist() == found.observed.tolist()


def test_a_group_that_was_never_there_takes_no_degree_of_freedom():
    two, three = log_rank([QUICK, SLOW]), log_rank([QUICK, NOBODY, SLOW])
    assert (three.df, three.statistic) == (1, pytest.approx(two.statistic))
    assert three.expected[1] == three.observed[1] == 0


def test_groups_that_were_never_at_risk_together_cannot_be_compared():
    early = SurvivalTable.from_durations([1, 2, 3])
    late = SurvivalTable.from_durations([11, 12, 13], entry=[10, 10, 10])
    found = log_rank([early, late])
    assert (found.df, found.statistic) == (0, 0)
    assert math.isnan(found.p_value)
    assert log_rank([early, QUICK, late]).df == 1


@pytest.mark.parametrize("tables", [[NOBODY, NOBODY], [SurvivalTable.from_durations([3, 4], [False, False])] * 2])
def test_without_events_there_is_nothing_to_compare(tables):
    found = log_rank(tables)
    assert (found.df, found.statistic, found.expected.tolist()) == (0, 0, [0, 0])
    assert math.isnan(found.p_value)


def test_a_tiny_group_beside_a_huge_one_is_not_taken_for_rounding():
    huge = SurvivalTable.from_counts(times=[1, 2, 3], events=[10**9, 10**9, 10**9])
    found = log_rank([huge, SurvivalTable.from_durations([3]), huge])
    assert found.df == 2


def test_wilcoxon_sees_an_early_difference_better_and_late_weights_a_late_one():
    base = SurvivalTable.from_durations(np.repeat([1, 2, 3, 4, 5, 6, 7, 8], 10))
    early = SurvivalTable.from_durations(np.repeat([3, 3, 3, 4, 5, 6, 7, 8], 10))
    late = SurvivalTable.from_durations(np.repeat([1, 2, 3, 4, 5, 9, 9, 9], 10))
    assert log_rank([base, early], weights="wilcoxon").statistic > log_rank([base, early]).statistic
    at_the_end = log_rank([base, late], weights="fleming-harrington", p=0, q=1)
    assert at_the_end.statistic > log_rank([base, late], weights="wilcoxon").statistic


def test_whole_times_and_others_compare_where_that_is_exact():
    halves = SurvivalTable.from_durations([4.0, 6.0, 7.0, 7.0, 9.0], [True, False, True, True, False])
    assert log_rank([QUICK, halves]) == log_rank([QUICK, SLOW])
    with pytest.raises(InvalidValueError, match=r"^times: expected integers up to 2\*\*53 beside floats"):
        log_rank([SurvivalTable.from_durations([2**60]), SurvivalTable.from_durations([0.5])])


def test_a_result_is_a_value_and_stays_read_only():
    found = log_rank([QUICK, SLOW])
    for double in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found), attrs.evolve(found)):  # noqa: S301
        assert double == found
        assert not any(
            array.flags.writeable for array in (double.observed, double.expected, double.score, double.variance)
        )
    assert isinstance(found, LogRank)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InvalidValueError, match=r"^tables: expected two groups or more, got 1$"):
        log_rank([QUICK])
    with pytest.raises(InvalidTypeError, match=r"^tables: expected survival tables, one a group, got \[1, 2\]$"):
        log_rank([QUICK, [1, 2]])
    with pytest.raises(InvalidTypeError, match=r"^tables: expected survival tables, one a group, got \{'quick': "):
        log_rank({"quick": QUICK, "slow": SLOW})
    with pytest.raises(InvalidValueError, match=r"^tables: expected two groups or more, got 0$"):
        log_rank({})  # what is empty holds no groups, whatever it is
    with pytest.raises(InvalidTypeError, match=r"^tables: expected survival tables, one a group, got 3$"):
        log_rank(3)
    with pytest.raises(InvalidValueError, match=r"^weights: expected one of 'log-rank', .* did you mean 'wilcoxon'\?$"):
        log_rank([QUICK, SLOW], weights="wilcox")


@pytest.mark.parametrize(("power", "got"), [(-1, "-1"), (math.inf, "inf"), (math.nan, "nan"), (10**400, "10+…")])
def test_powers_are_finite_and_not_negative(power, got):
    with pytest.raises(InvalidValueError, match=rf"^p: expected a finite number of 0 or more, got {got}$"):
        log_rank([QUICK, SLOW], weights="fleming-harrington", p=power, q=0)


def test_powers_belong_to_fleming_and_harrington():
    with pytest.raises(InvalidTypeError, match=r"^q: expected a number of 0 or more with .*, got None$"):
        log_rank([QUICK, SLOW], weights="fleming-harrington", p=1)
    with pytest.raises(InvalidTypeError, match=r"^p: expected a number, got True$"):
        log_rank([QUICK, SLOW], weights="fleming-harrington", p=True, q=1)
    with pytest.raises(InvalidValueError, match=r"^q: expected None beside other weights than .*, got 0$"):
        log_rank([QUICK, SLOW], q=0)

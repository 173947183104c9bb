from __future__ import annotations

import pickle

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.stats import SurvivalTable

# Weeks of remission of 21 patients under 6-MP: Freireich et al. (1963), Blood 21, 699-716. Survival and standard error
# as printed in textbooks since.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PUBLISHED = {
    6: (0.857, 0.0764),
    7: (0.807, 0.0869),
    10: (0.753, 0.0963),
    13: (0.690, 0.1068),
    16: (0.627, 0.1141),
    22: (0.538, 0.1282),
    23: (0.448, 0.1346),
}
REMISSION = SurvivalTable.from_durations(WEEKS, RELAPSED)
NOBODY = SurvivalTable.from_durations([])


def lists(table):
    return [getattr(table, name).tolist() for name in ("times", "events", "censored", "entered")]


# --- counting ---


def test_events_censorings_and_late_entries_are_counted_by_time():
    table = SurvivalTable.from_durations([5, 3, 5, 5], observed=[True, True, False, True], entry=[-1, -1, 3, 0])
    assert lists(table) == [[0, 3, 5], [0, 1, 2], [0, 0, 1], [1, 1, 0]]
    assert table.at_risk.tolist() == [2, 3, 3]
    assert (table.n_followed, table.n_at_start) == (4, 2)


def test_a_unit_is_at_risk_after_its_entry_and_at_its_exit():
    table = SurvivalTable.from_durations([2, 4, 6], entry=[-1, 2, 4])
    assert table.times.tolist() == [2, 4, 6]
    assert table.at_risk.tolist() == [1, 1, 1]
    # Everybody at risk had the event at once: nothing that comes later can bring the survival back.
    assert table.survival.tolist() == [0, 0, 0]


def test_a_duration_of_zero_is_at_risk_at_zero():
    table = SurvivalTable.from_durations([0, 0, 4], [True, False, True])
    assert table.at_risk.tolist() == [3, 1]
    assert table.survival.tolist() == pytest.approx([2 / 3, 0])


def test_an_entry_at_zero_is_not_at_risk_at_zero():
    assert SurvivalTable.from_durations([0, 4, 4], entry=[-1, 0, -1]).at_risk.tolist() == [2, 2]


@pytest.mark.parametrize("no_entry", [-1, -5, -0.5, -np.inf])
def test_an_entry_below_zero_is_no_late_entry(no_entry):
    table = SurvivalTable.from_durations([0, 4], entry=[no_entry, no_entry])
    assert table == SurvivalTable.from_durations([0, 4])
    assert table.times.dtype == np.int64


def test_without_observed_every_exit_is_the_event():
    assert SurvivalTable.from_durations([1, 2, 2]).events.tolist() == [1, 2]


def test_one_and_zero_are_read_as_true_and_false():
    assert SurvivalTable.from_durations([1, 2], [1, 0]) == SurvivalTable.from_durations([1, 2], [True, False])


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i8", "u8"])
def test_whole_times_of_any_type_stay_whole(dtype):
    durations = np.array([9, 7, 9], dtype=dtype)
    durations.setflags(write=False)
    table = SurvivalTable.from_durations(durations)
    assert table.times.dtype == np.int64
    assert table.times.tolist() == [7, 9]


def test_whole_times_far_apart_are_counted_like_close_ones():
    far = SurvivalTable.from_durations([2**62, 5, 2**62], [True, False, False])
    assert lists(far) == [[5, 2**62], [0, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize("most", [30, 40_000, 300_000])
def test_many_whole_times_are_counted_in_blocks_as_all_at_once(most):
    rng = np.random.default_rng(most)
    durations, observed = rng.integers(0, most + 1, 150_000), rng.random(150_000) < 0.4
    table = SurvivalTable.from_durations(durations, observed)
    assert table == SurvivalTable.from_durations(durations.astype(float), observed)
    times, events = np.unique(durations[observed], return_counts=True)
    np.testing.assert_array_equal(table.events[np.isin(table.times, times)], events)
    assert table.n_followed == 150_000


def test_times_with_fractions_are_floats_and_a_whole_entry_beside_them_is_too():
    table = SurvivalTable.from_durations([1.5, 2.5], entry=[-1, 1])
    assert table.times.dtype == np.float64
    assert table.times.tolist() == [1, 1.5, 2.5]


def test_a_negative_zero_is_zero():
    assert not np.signbit(SurvivalTable.from_durations([-0.0, 1.5]).times).any()


def test_counts_from_a_warehouse_come_in_any_order_and_may_repeat_a_time():
    table = SurvivalTable.from_counts(times=[5, 3, 5], events=[1, 1, 1], censored=[1, 0, 0], entered=[0, 2, 0])
    assert lists(table) == [[3, 5], [1, 2], [0, 1], [2, 0]]
    assert table.n_at_start == 2


def test_those_of_the_start_that_nothing_is_told_of_are_censored_at_the_last_time():
    table = SurvivalTable.from_counts(times=[2, 1], events=[126, 131], n_at_start=1000)
    assert lists(table) == [[1, 2], [131, 126], [0, 743], [0, 0]]
    assert table.survival.tolist() == pytest.approx([0.869, 0.743])


def test_those_left_over_are_counted_once_where_the_last_time_has_two_rows():
    table = SurvivalTable.from_counts(times=[2, 1, 2], events=[1, 1, 1], n_at_start=10)
    assert lists(table) == [[1, 2], [1, 2], [0, 7], [0, 0]]


def test_a_start_that_is_accounted_for_changes_nothing():
    given = {"times": [1, 2], "events": [3, 4], "censored": [1, 2]}
    assert SurvivalTable.from_counts(**given, n_at_start=10) == SurvivalTable.from_counts(**given)
    assert SurvivalTable.from_counts(times=[], events=[], n_at_start=0) == NOBODY


def test_a_time_at_which_nothing_happened_stays_where_it_was_given():
    table = SurvivalTable.from_counts(times=[1, 2, 3], events=[1, 0, 1])
    assert table.at_risk.tolist() == [2, 1, 1]
    assert table.survival.tolist() == [0.5, 0.5, 0]


# --- curves ---


def test_the_published_curve_of_a_remission_trial():
    at = REMISSION.times.tolist()
    for week, (survival, error) in PUBLISHED.items():
        row = at.index(week)
        assert REMISSION.survival[row] == pytest.approx(survival, abs=5e-4)
        assert np.sqrt(REMISSION.variance[row]) == pytest.approx(error, abs=5e-5)
    assert REMISSION.median == 23


def test_a_censoring_at_the_time_of_an_event_still_counts_as_at_risk_there():
    table = SurvivalTable.from_durations([6, 6, 6, 6, 9], [*RELAPSED[:4], 0])
    assert table.survival.tolist() == pytest.approx([0.4, 0.4])


def test_the_cumulative_hazard_adds_events_over_those_at_risk():
    table = SurvivalTable.from_durations([1, 1, 2, 3], [True, True, False, True])
    assert table.cumulative_hazard.tolist() == [0.5, 0.5, 1.5]


def test_without_censoring_the_variance_is_that_of_a_binomial_share():
    table = SurvivalTable.from_durations([1, 2, 2, 4, 5])
    share = table.survival[:-1]
    assert table.variance[:-1] == pytest.approx(share * (1 - share) / 5)


def test_where_nobody_is_left_variance_and_interval_are_missing():
    table = SurvivalTable.from_durations([1, 2])
    assert np.isnan([table.variance[-1], table.lower[-1], table.upper[-1]]).all()
    assert not np.isnan([table.variance[0], table.lower[0], table.upper[0]]).any()


def test_before_the_first_event_the_interval_is_one():
    table = SurvivalTable.from_durations([1, 2, 3], [False, True, False])
    assert (table.lower[0], table.upper[0], table.variance[0]) == (1, 1, 0)


def test_a_gap_with_nobody_at_risk_leaves_the_curve_level():
    table = SurvivalTable.from_durations([1, 1, 9, 9], [True, False, True, False], entry=[-1, -1, 4, 4])
    assert table.at_risk.tolist() == [2, 0, 2]
    assert table.survival.tolist() == [0.5, 0.5, 0.25]
    assert table.cumulative_hazard.tolist() == [0.5, 0.5, 1]


def test_the_ends_are_those_of_the_95_percent_interval():
    lower, upper = REMISSION.intervals(level=0.95)
    np.testing.assert_array_equal(REMISSION.lower, lower)
    np.testing.assert_array_equal(REMISSION.upper, upper)
    wide = REMISSION.intervals(level=0.99)
    assert (wide.lower <= lower).all()
    assert wide.lower[0] < lower[0] < upper[0] < wide.upper[0]


# --- readings ---


def test_the_survival_at_a_time_is_that_of_the_last_step_before_or_at_it():
    table = SurvivalTable.from_durations([2, 4, 4, 4], [True, True, False, False])
    np.testing.assert_allclose(table.at([-1, 0, 1.9, 2, 3, 4]), [1, 1, 1, 0.75, 0.75, 0.5])
    assert table.at([[0], [4]]).shape == (2, 1)
    assert float(table.at(2)) == 0.75


def test_after_the_end_of_follow_up_the_survival_is_unknown_unless_nobody_is_left():
    assert np.isnan(SurvivalTable.from_durations([2, 4], [True, False]).at([4.1, np.nan, np.inf])).all()
    assert SurvivalTable.from_durations([2, 4]).at([4, 5, np.inf]).tolist() == [0, 0, 0]
    assert np.isnan(SurvivalTable.from_durations([2, 4]).at(np.nan))


def test_a_quantile_is_the_first_time_by_which_the_share_had_the_event():
    table = SurvivalTable.from_durations(np.arange(1, 11))
    assert table.quantile([0.1, 0.11, 0.5, 0.9, 0.91]).tolist() == [1, 2, 5, 9, 10]
    assert table.quantile([[0.1], [0.2]]).tolist() == [[1], [2]]


@pytest.mark.parametrize("n", [6, 10, 100, 1_000, 9_998])
def test_the_median_of_an_even_number_of_events_is_not_missed_by_rounding(n):
    assert SurvivalTable.from_durations(np.arange(1, n + 1)).median == n // 2


def test_a_quantile_that_is_never_reached_is_missing():
    table = SurvivalTable.from_durations([1, 2, 3], [True, False, False])
    assert np.isnan(table.median)
    assert np.isnan(table.quantile([0.3, 0.5])).tolist() == [False, True]


def test_the_interval_of_a_quantile_holds_the_times_at_which_the_survival_may_have_reached_it():
    # The interval of the survival first lies at or below 1/2 with its lower end at week 13, and with its upper never.
    lower, upper = REMISSION.quantile_interval(0.5)
    assert REMISSION.lower[REMISSION.times == 13] <= 0.5 < REMISSION.lower[REMISSION.times == 11]
    assert lower == 13
    assert np.isnan(upper)
    narrow = REMISSION.intervals(level=0.5)
    ends = REMISSION.quantile_interval([0.2, 0.25], level=0.5)
    for curve, end in zip(narrow, ends, strict=True):
        first = [np.argmax(curve <= share) for share in (0.8, 0.75)]
        assert end.tolist() == REMISSION.times[first].tolist()


def test_one_event_bounds_no_quantile():
    assert np.isnan(SurvivalTable.from_durations([5]).quantile_interval(0.5)).all()


def test_the_restricted_mean_is_the_area_under_the_curve():
    table = SurvivalTable.from_durations([2, 4, 4, 4], [True, True, False, False])
    np.testing.assert_allclose(table.restricted_mean([0, 1, 2, 3, 4]), [0, 1, 2, 2.75, 3.5])
    assert table.restricted_mean([[3], [4]]).shape == (2, 1)
    assert np.isnan(table.restricted_mean([4.5, np.inf, np.nan])).all()


def test_the_published_mean_of_a_remission_trial_and_its_standard_error():
    # survfit of R prints 23.29 and 2.83.
    assert float(REMISSION.restricted_mean(35)) == pytest.approx(23.287, abs=5e-4)
    assert np.sqrt(REMISSION.restricted_mean_variance(35)) == pytest.approx(2.827, abs=5e-4)


def test_without_censoring_the_variance_of_the_restricted_mean_is_that_of_a_mean():
    durations = np.array([0, 1, 1, 3, 4, 7, 9, 9, 12])
    table = SurvivalTable.from_durations(durations)
    for horizon in (0, 1, 2.5, 7, 12, 40):
        cut = np.minimum(durations, horizon)
        assert float(table.restricted_mean(horizon)) == pytest.approx(cut.mean())
        assert float(table.restricted_mean_variance(horizon)) == pytest.approx(cut.var() / len(cut), abs=1e-15)


def test_the_interval_of_the_restricted_mean_lies_within_the_horizon():
    table = SurvivalTable.from_durations([1, 9, 9, 9], [True, False, False, False])
    lower, upper = table.restricted_mean_interval([0, 9, 9.5])
    assert lower[0] == upper[0] == 0
    assert 0 < lower[1] < table.restricted_mean(9) < upper[1] == 9
    assert np.isnan([lower[2], upper[2]]).all()
    narrow = table.restricted_mean_interval(9, level=0.5)
    assert lower[1] < narrow.lower
    half = np.sqrt(table.restricted_mean_variance(9))
    assert float(table.restricted_mean(9) - lower[1]) == pytest.approx(1.959964 * half, rel=1e-6)


def test_those_at_risk_at_any_time_are_those_who_entered_before_it_and_leave_at_it_or_later():
    table = SurvivalTable.from_durations([0, 2, 4, 6], entry=[-1, -1, 2, 0])
    assert table.at_risk_at([-1, 0, 0.5, 2, 2.5, 4, 5, 6, 7]).tolist() == [2, 2, 2, 2, 2, 2, 1, 1, 0]
    assert table.at_risk_at([[0], [9]]).shape == (2, 1)
    assert table.at_risk_at(table.times).tolist() == table.at_risk.tolist()
    assert NOBODY.at_risk_at([0, 1]).tolist() == [0, 0]
    with pytest.raises(InvalidValueError, match=r"^t: expected times, got nan at row 1 \(1 of 2 rows\)$"):
        table.at_risk_at([1, np.nan])


def test_the_interval_at_a_time_is_that_of_the_last_row_before_or_at_it():
    table = SurvivalTable.from_durations([2, 4, 4, 4], [True, True, False, False])
    lower, upper = table.intervals_at([0, 2, 3, 4, 5])
    assert lower.tolist()[:4] == [1, table.lower[0], table.lower[0], table.lower[1]]
    assert upper.tolist()[:4] == [1, table.upper[0], table.upper[0], table.upper[1]]
    assert np.isnan([lower[4], upper[4]]).all()
    assert table.intervals_at(2, level=0.5).lower > lower[1]


def test_the_interval_of_the_hazard_is_symmetric_in_its_logarithm():
    table = SurvivalTable.from_durations([1, 2, 2, 3, 5], [False, True, True, True, False])
    assert table.cumulative_hazard_variance.tolist() == pytest.approx([0, 2 / 16, 2 / 16 + 1 / 4, 2 / 16 + 1 / 4])
    lower, upper = table.cumulative_hazard_intervals()
    assert lower[0] == upper[0] == 0
    assert (lower * upper)[1:] == pytest.approx(table.cumulative_hazard[1:] ** 2)
    assert upper[1] == pytest.approx(0.5 * np.exp(1.959964 * np.sqrt(2 / 16) / 0.5), rel=1e-6)


def test_when_all_had_the_event_the_restricted_mean_ends_at_the_mean():
    assert SurvivalTable.from_durations([0, 2, 7]).restricted_mean([7, 8, np.inf]).tolist() == pytest.approx([3, 3, 3])


def test_a_table_of_censorings_alone_stays_at_one():
    table = SurvivalTable.from_durations([3, 5], [False, False])
    assert table.survival.tolist() == table.upper.tolist() == table.lower.tolist() == [1, 1]
    assert table.restricted_mean(5) == 5
    assert np.isnan(table.median)


def test_an_empty_table_gives_empty_curves_and_knows_nothing():
    for values in (NOBODY.times, NOBODY.at_risk):
        assert values.dtype == np.int64
    for name in ("survival", "cumulative_hazard", "variance", "lower", "upper"):
        assert getattr(NOBODY, name).shape == (0,)
        assert getattr(NOBODY, name).dtype == np.float64
    assert (NOBODY.n_followed, NOBODY.n_at_start) == (0, 0)
    assert np.isnan([NOBODY.at(0), NOBODY.restricted_mean(0), NOBODY.median, *NOBODY.quantile_interval(0.5)]).all()
    assert repr(NOBODY) == "SurvivalTable(n=0, events=0, times=0)"


# --- merging and being a value ---


def test_tables_merge_by_adding_at_each_time():
    one = SurvivalTable.from_durations([3, 5], [True, False], entry=[-1, 2])
    other = SurvivalTable.from_durations([5, 8])
    assert lists(one.merge(other)) == [[2, 3, 5, 8], [0, 1, 1, 1], [0, 0, 1, 0], [1, 0, 0, 0]]
    assert one.merge(other) == other.merge(one)


@pytest.mark.parametrize("durations", [[3, 5], [1.5, 2.5]])
def test_the_table_of_nobody_changes_nothing(durations):
    table = SurvivalTable.from_durations(durations)
    for nobody in (NOBODY, SurvivalTable.from_durations(np.zeros(0)), SurvivalTable.from_counts(times=[], events=[])):
        for merged in (table.merge(nobody), nobody.merge(table)):
            assert merged == table
            assert merged.times.dtype == table.times.dtype


def test_whole_times_merge_with_others_where_that_is_exact():
    merged = SurvivalTable.from_durations([2**53]).merge(SurvivalTable.from_durations([0.5]))
    assert merged.times.tolist() == [0.5, 2.0**53]
    message = r"^times: expected integers up to 2\*\*53 beside floats, got 9007199254740993$"
    with pytest.raises(InvalidValueError, match=message):
        SurvivalTable.from_durations([2**53 + 1]).merge(SurvivalTable.from_durations([0.5]))


def test_counts_too_many_to_add_are_refused():
    half = SurvivalTable.from_counts(times=[1], events=[2**61])
    with pytest.raises(
        InvalidValueError, match=r"^events, censored, entered: expected counts that add up to less than"
    ):
        half.merge(half)
    with pytest.raises(
        InvalidValueError, match=r"^events, censored, entered: expected counts that add up to less than"
    ):
        SurvivalTable.from_counts(times=[1, 1], events=[2**62, 2**62])
    with pytest.raises(InvalidValueError, match=r"^n_at_start: expected fewer than 2\*\*62, got 4611686018427387904$"):
        SurvivalTable.from_counts(times=[1], events=[0], n_at_start=2**62)


def test_only_tables_merge():
    with pytest.raises(InvalidTypeError, match=r"^other: expected a SurvivalTable, got 3$"):
        NOBODY.merge(3)


def test_a_table_is_a_value():
    again = SurvivalTable.from_durations(WEEKS[::-1], RELAPSED[::-1])
    assert again == REMISSION
    assert again != SurvivalTable.from_durations(WEEKS)
    assert pickle.loads(pickle.dumps(again)) == attrs.evolve(again) == again  # noqa: S301
    assert repr(again) == "SurvivalTable(n=21, events=9, times=16, last=35)"


def test_what_comes_in_is_neither_written_nor_kept():
    times, counts = np.array([1, 2]), np.array([1, 1])
    table = SurvivalTable(times=times, events=counts, censored=counts, entered=counts * 0)
    times[0], counts[0] = 0, 9
    assert lists(table) == [[1, 2], [1, 1], [1, 1], [0, 0]]
    assert not table.times.flags.writeable
    assert not table.events.flags.writeable


# --- what is refused ---


@pytest.mark.parametrize("bad", [-1, np.nan, np.inf])
def test_a_duration_that_is_negative_or_not_finite_is_refused_with_its_row(bad):
    expected = r"integers in \[0, 2\*\*63\)" if bad == -1 else "finite numbers of 0 or more"
    with pytest.raises(
        InvalidValueError, match=rf"^durations: expected {expected}, got {bad} at row 1 \(1 of 2 rows\)"
    ):
        SurvivalTable.from_durations([1, bad])
    with pytest.raises(InvalidValueError, match=rf"^times: expected {expected}, got {bad} at row 1 \(1 of 2 rows\)"):
        SurvivalTable.from_counts(times=[1, bad], events=[1, 1])


def test_the_largest_whole_time_is_that_of_64_bits_with_sign():
    table = SurvivalTable.from_durations(np.array([2**63 - 1, 0], dtype=np.uint64))
    assert table.times.tolist() == [0, 2**63 - 1]
    with pytest.raises(
        InvalidValueError, match=r"^durations: expected integers in \[0, 2\*\*63\), got 9223372036854775808 at row 1"
    ):
        SurvivalTable.from_durations(np.array([5, 2**63], dtype=np.uint64))


def test_what_is_not_a_column_of_numbers_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^durations: expected real numbers, got '<U1 values'$"):
        SurvivalTable.from_durations(["a"])
    with pytest.raises(InvalidTypeError, match=r"^durations: expected real numbers, got 'timedelta64\[D\] values'$"):
        SurvivalTable.from_durations(np.array([1], "m8[D]"))
    with pytest.raises(InvalidTypeError, match=r"^durations: expected an array of real numbers, got \[1, \[2\]\]$"):
        SurvivalTable.from_durations([1, [2]])
    for shape in (3, [[1]]):
        with pytest.raises(InvalidValueError, match=r"^durations: expected one axis, got 'shape"):
            SurvivalTable.from_durations(shape)
    with pytest.raises(InvalidValueError, match=r"^durations: .* without masked entries, got 'a masked one' at row 1$"):
        SurvivalTable.from_durations(np.ma.array([1, 2], mask=[False, True]))
    with pytest.raises(InvalidValueError, match=r"^events: expected one axis, got 'shape \(1, 1\)'$"):
        SurvivalTable.from_counts(times=[1], events=[[1]])


def test_an_entry_that_is_not_before_its_exit_is_refused_with_its_row():
    expected = r"^entry: expected a time before the exit \(4\), below 0 for no late entry, got "
    with pytest.raises(InvalidValueError, match=expected + r"4 at row 1 \(1 of 2 rows\)$"):
        SurvivalTable.from_durations([5, 4], entry=[2, 4])
    with pytest.raises(InvalidValueError, match=expected + r"nan at row 1 \(2 of 3 rows\)$"):
        SurvivalTable.from_durations([5, 4, 3], entry=[2, np.nan, 7])
    with pytest.raises(InvalidTypeError, match=r"^entry: expected real numbers, got 'object values'$"):
        SurvivalTable.from_durations([5], entry=[None])


def test_observed_is_true_or_false():
    with pytest.raises(InvalidValueError, match=r"^observed: expected True or False, or 1 or 0, got 2 at row 1"):
        SurvivalTable.from_durations([5, 4], observed=[1, 2])
    with pytest.raises(InvalidTypeError, match=r"^observed: expected booleans, got 'float64 values'$"):
        SurvivalTable.from_durations([5, 4], observed=[1.0, np.nan])


def test_columns_must_be_equally_long():
    for name in ("observed", "entry"):
        with pytest.raises(
            MisalignedError, match=rf"^{name}: expected as many rows as `durations`, which has 2, got 1 rows"
        ):
            SurvivalTable.from_durations([1, 2], **{name: [0]})
    for name in ("censored", "entered"):
        with pytest.raises(
            MisalignedError, match=rf"^{name}: expected as many rows as `times`, which has 2, got 1 rows"
        ):
            SurvivalTable.from_counts(times=[1, 2], events=[1, 1], **{name: [0]})
    with pytest.raises(MisalignedError, match=r"^events: expected as many rows as `times`, which has 2, got 3 rows$"):
        SurvivalTable.from_counts(times=[1, 2], events=[1, 1, 1])
    with pytest.raises(MisalignedError, match=r"^censored: expected as many rows as `times`, which has 1, got 0 rows$"):
        SurvivalTable(times=[1], events=[1], censored=[], entered=[0])


def test_counts_are_integers_of_zero_or_more():
    for name in ("events", "censored", "entered"):
        given = {"times": [1, 2], "events": [1, 1], name: [0, -1]}
        with pytest.raises(
            InvalidValueError, match=rf"^{name}: expected integers in .*, got -1 at row 1 \(1 of 2 rows\)"
        ):
            SurvivalTable.from_counts(**given)
    with pytest.raises(InvalidTypeError, match=r"^events: expected integers, got 'float64 values'$"):
        SurvivalTable.from_counts(times=[1], events=[1.5])


@pytest.mark.parametrize("times", [[1, 1, 2], [2, 1, 3], [2.5, 2.5, 3]])
def test_a_table_has_distinct_ascending_times(times):
    ones, zeros = [1, 1, 1], [0, 0, 0]
    with pytest.raises(InvalidValueError, match=r"^times: expected distinct times in ascending order, got .* at row 1"):
        SurvivalTable(times=times, events=ones, censored=zeros, entered=zeros)


def test_nobody_enters_who_does_not_leave_later():
    with pytest.raises(
        InvalidValueError, match=r"^entered: expected at most 1 from this time on, .* got 2 at row 1 \(1 of"
    ):
        SurvivalTable.from_counts(times=[1, 2, 3], events=[3, 1, 1], entered=[0, 2, 0])
    with pytest.raises(
        InvalidValueError, match=r"^entered: expected at most 0 from this time on, .* got 1 at row 0 \(1 of"
    ):
        SurvivalTable.from_counts(times=[1], events=[1], entered=[1])


def test_nobody_leaves_who_was_not_there():
    with pytest.raises(InvalidValueError, match=r"^n_at_start: expected at least the 5 that are counted, got 4$"):
        SurvivalTable.from_counts(times=[1, 2], events=[4, 2], entered=[1, 0], n_at_start=4)
    with pytest.raises(InvalidValueError, match=r"^n_at_start: expected at least the 0 that are counted, got -1$"):
        SurvivalTable.from_counts(times=[1], events=[0], n_at_start=-1)
    with pytest.raises(InvalidTypeError, match=r"^n_at_start: expected an integer, got 1.5$"):
        SurvivalTable.from_counts(times=[1], events=[0], n_at_start=1.5)
    with pytest.raises(InvalidValueError, match=r"^times: expected a last time, .*, got 'none'$"):
        SurvivalTable.from_counts(times=[], events=[], n_at_start=1)


@pytest.mark.parametrize("q", [0, 1, -0.1, 50, np.nan])
def test_a_quantile_is_of_a_share_between_zero_and_one(q):
    for read in (REMISSION.quantile, REMISSION.quantile_interval):
        with pytest.raises(
            InvalidValueError, match=r"^q: expected shares between 0 and 1, both excluded, got .* at row 1"
        ):
            read([0.5, q])


def test_a_level_or_a_horizon_that_makes_no_sense_is_refused():
    for read in (lambda: REMISSION.intervals(level=95), lambda: REMISSION.quantile_interval(0.5, level=95)):
        with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1"):
            read()
    with pytest.raises(
        InvalidValueError, match=r"^t: expected horizons of 0 or more, got -1.0 at row 1 \(1 of 2 rows\)"
    ):
        REMISSION.restricted_mean([1, -1])
    with pytest.raises(InvalidTypeError, match=r"^t: expected real numbers, got '<U1 values'$"):
        REMISSION.at(["a"])

from __future__ import annotations

from fractions import Fraction
from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.stats import SurvivalTable

whole_times = st.integers(0, 12) | st.integers(0, 2**50)
float_times = st.integers(0, 40).map(lambda n: n / 4) | st.floats(0, 1e6)
shares = st.floats(0.01, 0.99)


@st.composite
def follow_ups(draw, *, min_size=0, times=whole_times | float_times):
    """Rows of (duration, observed, entry), entry -1 for no late one."""
    rows = []
    for _ in range(draw(st.integers(min_size, 30))):
        duration, observed, earlier = draw(times), draw(st.booleans()), draw(st.none() | times)
        is_late = earlier is not None and earlier < duration
        rows.append((duration, observed, earlier if is_late else -1))
    return rows


def table_of(rows):
    if not rows:
        return SurvivalTable.from_durations([])
    durations, observed, entry = (np.array(column) for column in zip(*rows, strict=True))
    return SurvivalTable.from_durations(durations, observed, entry)


def at_risk_at(rows, t):
    return sum(entry < 0 or entry < t for duration, _, entry in rows if t <= duration)


def same(one, other):
    assert one == other
    assert one.times.dtype == other.times.dtype


@given(st.lists(follow_ups(), min_size=1, max_size=4), st.randoms())
def test_the_tables_of_parts_merge_into_the_table_of_the_whole(parts, random):
    whole = table_of([row for part in parts for row in part])
    random.shuffle(parts)
    same(reduce(SurvivalTable.merge, map(table_of, parts)), whole)


@given(follow_ups(), follow_ups(), follow_ups())
def test_merging_is_associative_and_commutative_and_nobody_is_its_identity(a, b, c):
    x, y, z, nobody = table_of(a), table_of(b), table_of(c), table_of([])
    same(x.merge(y).merge(z), x.merge(y.merge(z)))
    same(x.merge(y), y.merge(x))
    same(x.merge(nobody), x)
    same(nobody.merge(x), x)


@given(follow_ups())
def test_each_time_counts_what_its_definition_says(rows):
    table = table_of(rows)
    times = table.times.tolist()
    assert times == sorted({duration for duration, _, _ in rows} | {entry for _, _, entry in rows if entry >= 0})
    assert table.events.tolist() == [sum(d == t and seen for d, seen, _ in rows) for t in times]
    assert table.censored.tolist() == [sum(d == t and not seen for d, seen, _ in rows) for t in times]
    assert table.entered.tolist() == [sum(entry == t for _, _, entry in rows) for t in times]
    assert table.at_risk.tolist() == [at_risk_at(rows, t) for t in times]
    assert (table.n_followed, table.n_at_start) == (len(rows), sum(entry < 0 for _, _, entry in rows))


@given(follow_ups(times=st.integers(0, 12)))
def test_the_curves_are_those_of_exact_arithmetic(rows):
    table = table_of(rows)
    survival, hazard, greenwood = Fraction(1), Fraction(0), Fraction(0)
    for row, (n, d) in enumerate(zip(table.at_risk.tolist(), table.events.tolist(), strict=True)):
        survival *= Fraction(n - d, n) if n else 1
        hazard += Fraction(d, n) if n else 0
        greenwood += Fraction(d, n * (n - d)) if n > d else 0
        np.testing.assert_allclose(table.survival[row], float(survival), rtol=1e-13)
        np.testing.assert_allclose(table.cumulative_hazard[row], float(hazard), rtol=1e-13)
        expected = float(survival**2 * greenwood) if survival else np.nan
        np.testing.assert_allclose(table.variance[row], expected, rtol=1e-12)


@given(follow_ups(times=st.integers(0, 12)), st.integers(1, 19))
def test_a_quantile_is_that_of_exact_arithmetic(rows, twentieths):
    table, survival, expected = table_of(rows), Fraction(1), np.nan
    for t, n, d in zip(table.times.tolist(), table.at_risk.tolist(), table.events.tolist(), strict=True):
        survival *= Fraction(n - d, n) if n else 1
        if np.isnan(expected) and survival <= 1 - Fraction(twentieths, 20):
            expected = t
    np.testing.assert_equal(float(table.quantile(twentieths / 20)), float(expected))


@given(follow_ups(min_size=1), st.floats(0.05, 0.999))
def test_survival_never_rises_hazard_never_falls_and_the_interval_holds_the_survival(rows, level):
    table = table_of(rows)
    assert (np.diff(table.survival) <= 0).all()
    assert (np.diff(table.cumulative_hazard) >= 0).all()
    lower, upper = table.intervals(level=level)
    is_left = table.survival > 0
    assert (lower >= 0)[is_left].all()
    assert (lower <= table.survival)[is_left].all()
    assert (table.survival <= upper)[is_left].all()
    assert (upper <= 1)[is_left].all()


@given(follow_ups(min_size=1), st.lists(shares, min_size=2, max_size=5))
def test_quantiles_rise_with_the_share_and_lie_in_their_interval(rows, q):
    table, q = table_of(rows), np.sort(q)
    lower, upper = table.quantile_interval(q)
    for values in (table.quantile(q), lower, upper):
        as_never = np.nan_to_num(values, nan=np.inf)
        assert (as_never[1:] >= as_never[:-1]).all()
    middle = table.quantile(q)
    assert not (lower > middle).any()
    assert not (upper < middle).any()


@given(follow_ups(min_size=1))
def test_the_survival_at_a_time_of_the_table_is_that_of_its_row(rows):
    table = table_of(rows)
    np.testing.assert_array_equal(table.at(table.times), table.survival)


@given(follow_ups(min_size=1, times=st.integers(0, 12)))
def test_the_restricted_mean_adds_up_the_steps(rows):
    table = table_of(rows)
    horizon = int(table.times[-1])
    # Between whole times the curve is level, and its value there is that at the whole time before.
    steps = [table.at(t) for t in range(horizon)]
    np.testing.assert_allclose(table.restricted_mean(horizon), sum(steps), rtol=1e-12)


@given(follow_ups())
def test_counts_that_are_given_back_make_the_same_table(rows):
    table = table_of(rows)
    given_back = {"times": table.times, "events": table.events, "entered": table.entered}
    same(SurvivalTable.from_counts(**given_back, censored=table.censored), table)
    rest = SurvivalTable.from_counts(**given_back, n_at_start=table.n_at_start)
    assert rest.n_followed == table.n_followed

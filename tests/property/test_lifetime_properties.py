"""What holds of lifetime models whatever was seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pendulum import datetime
from tests.reference.slow_lifetime import bgnbd_log_likelihood

from shequn.columns import EventLog
from shequn.lifetime import (
    BetaGeoNBD,
    GammaGamma,
    ShiftedBetaGeometric,
    TransactionSummary,
    transaction_summary,
)
from shequn.lifetime.distinct import distinct_rows
from shequn.stats.gammas import digamma, log_gamma, trigamma
from shequn.stats.quadrature import beta_points, points_needed

positive = st.floats(0.1, 12.0)


@st.composite
def buyers(draw: st.DrawFn) -> tuple[list[int], list[float], list[float]]:
    n = draw(st.integers(1, 25))
    often = draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))
    old = draw(st.lists(st.floats(0.5, 80.0), min_size=n, max_size=n))
    last = [draw(st.floats(0.01, 1.0)) * age if x else 0.0 for x, age in zip(often, old, strict=True)]
    return often, last, old


@settings(max_examples=50)
@given(buyers())
def test_every_fit_converges_or_says_why_not(rows: tuple[list[int], list[float], list[float]]) -> None:
    fit = BetaGeoNBD.fit(frequency=rows[0], recency=rows[1], age=rows[2])
    assert np.isfinite(fit.params).all()
    assert fit.log_likelihood is not None
    assert math.isfinite(fit.log_likelihood)
    assert fit.converged is (fit.standard_errors is not None)
    assert (fit.reason is None) is fit.converged
    # Near a maximum nothing is likelier; without one, nothing is that is not as far out.
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.9, 1.1) if fit.converged else (0.01, 1.0, 100.0):
            near = fit.params._asdict() if fit.converged else {"r": 1.0, "alpha": 10.0, "a": 1.0, "b": 1.0}
            moved = near | {name: near[name] * factor}
            assert _log_likelihood(moved, rows) <= fit.log_likelihood + 1e-7


def _log_likelihood(params: dict[str, float], rows: tuple[list[int], list[float], list[float]]) -> float:
    values = tuple(params.values())
    return sum(bgnbd_log_likelihood(values, x, t_x, age) for x, t_x, age in zip(*rows, strict=True))


@settings(max_examples=30)
@given(buyers(), st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(rows: tuple[list[int], list[float], list[float]], random: object) -> None:
    order = list(range(len(rows[0])))
    random.shuffle(order)  # type: ignore[attr-defined]
    one = BetaGeoNBD.fit(frequency=rows[0], recency=rows[1], age=rows[2])
    other = BetaGeoNBD.fit(
        **{name: [column[k] for k in order] for name, column in zip(("frequency", "recency", "age"), rows, strict=True)}
    )
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-9, abs=1e-9)
    assert one.converged is other.converged


@settings(max_examples=40)
@given(params=st.tuples(positive, positive, positive, positive), rows=buyers(), t=st.floats(0.01, 20.0))
def test_predictions_keep_their_bounds(
    params: tuple[float, float, float, float], rows: tuple[list[int], list[float], list[float]], t: float
) -> None:
    r, alpha, a, b = params
    fit = BetaGeoNBD(r=r, alpha=alpha, a=a, b=b)
    columns = dict(zip(("frequency", "recency", "age"), rows, strict=True))
    alive, later = fit.p_alive(**columns), fit.p_alive(**columns, ahead=t)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (later <= alive * (1 + 1e-12)).all()
    often, quiet = fit.expected_purchases(**columns, horizon=t), fit.p_no_purchase(**columns, horizon=t)
    assert (often >= (1 - quiet) * (1 - 1e-9) - 1e-12).all()  # Markov's inequality
    rate = (r + np.array(rows[0])) / (alpha + np.array(rows[2]))
    assert (often <= alive * rate * t * (1 + 1e-9)).all()
    longer = fit.expected_purchases(**columns, horizon=2 * t)
    assert (longer >= often * (1 - 1e-12)).all()
    assert (longer <= 2 * often * (1 + 1e-9)).all()
    lived = fit.expected_lifetime(**columns, horizon=t)
    assert (lived <= alive * t * (1 + 1e-9)).all()
    assert (lived >= later * t * (1 - 1e-9)).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60), st.integers(1, 9)), max_size=40), st.integers(1, 6))
def test_a_summary_of_parts_is_that_of_the_whole(rows: list[tuple[int, int, int]], n_parts: int) -> None:
    def summary(log: EventLog) -> TransactionSummary:
        return transaction_summary(log, as_of=datetime(1970, 2, 15), every="week", tz="UTC", unknown_kinds="ignore")

    log = EventLog.from_columns(
        member=[row[0] for row in rows],
        kind=["purchase"] * len(rows),
        at=[row[1] * 86_400 for row in rows],
        time_unit="s",
        value=[row[2] for row in rows],
    )
    whole = summary(log)
    parts = [summary(part) for part in log.partition(n_parts)]
    joined = TransactionSummary.concat([part for part in parts if len(part)])
    order = np.argsort(whole.members.labels), np.argsort(joined.members.labels)
    for name in ("frequency", "recency", "age"):
        assert getattr(whole, name)[order[0]].tolist() == getattr(joined, name)[order[1]].tolist()
    assert (whole.recency <= whole.age).all()
    assert (whole.frequency <= whole.recency).all()


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(1, 20), st.floats(0.01, 1000.0)), min_size=1, max_size=25), st.floats(0.01, 100.0)
)
def test_spend_knows_no_currency(rows: list[tuple[int, float]], factor: float) -> None:
    often, spend = [row[0] for row in rows], np.array([row[1] for row in rows])
    one, other = GammaGamma.fit(frequency=often, spend=spend), GammaGamma.fit(frequency=often, spend=spend * factor)
    assert np.isfinite(one.params).all()
    assert one.log_likelihood is not None
    assert other.log_likelihood == pytest.approx(one.log_likelihood - len(rows) * math.log(factor), rel=1e-6, abs=1e-2)
    if one.converged and other.converged and max(one.p, one.q) < 50:
        assert other.v == pytest.approx(one.v * factor, rel=1e-2)


@given(st.lists(st.integers(0, 300), min_size=2, max_size=12))
def test_contracts_converge_or_say_why_not(lost: list[int]) -> None:
    left = np.append(sum(lost), sum(lost) - np.cumsum(lost))
    if not left[0]:
        return
    fit = ShiftedBetaGeometric.fit(left=left)
    assert np.isfinite(fit.params).all()
    assert fit.converged is (fit.standard_errors is not None)
    curve = fit.curve(30)
    assert (np.diff(curve) <= 0).all()
    assert ((curve >= 0) & (curve <= 1)).all()
    if fit.converged:
        lower, upper = fit.survival_interval(np.arange(5))
        assert (lower <= fit.survival(np.arange(5)) + 1e-12).all()
        assert (upper >= fit.survival(np.arange(5)) - 1e-12).all()


@given(st.floats(1e-6, 1e8))
def test_gammas_are_those_of_the_standard_library(x: float) -> None:
    at = np.array([x])
    assert float(log_gamma(at)[0]) == pytest.approx(math.lgamma(x), rel=1e-13, abs=1e-13)
    # Recurrences.
    assert float((digamma(at + 1) - digamma(at))[0]) == pytest.approx(1 / x, rel=1e-6, abs=1e-12)
    assert float((trigamma(at) - trigamma(at + 1))[0]) == pytest.approx(1 / x**2, rel=1e-5, abs=1e-12)


@settings(max_examples=50)
@given(a=positive, b=positive, t=st.floats(0.01, 20.0), s=st.floats(0.1, 60.0))
def test_few_points_are_enough_for_a_mean(a: float, b: float, t: float, s: float) -> None:
    few, many = points_needed(t, s), 3 * points_needed(t, s)
    means = [weights @ (1 + points * t) ** -s for points, weights in (beta_points(a, b, few), beta_points(a, b, many))]
    assert means[0] == pytest.approx(means[1], rel=1e-9, abs=1e-13)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.5, 1.0, 2.25])), max_size=30))
def test_distinct_rows_are_found(rows: list[tuple[int, float]]) -> None:
    columns = [np.array([row[k] for row in rows], dtype=np.float64) for k in (0, 1)]
    first, kind = distinct_rows(*columns)
    assert len(first) == len(set(rows))
    for column in columns:
        assert (column[first][kind] == column).all()

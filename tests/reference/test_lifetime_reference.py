"""Lifetime models against the figures of their papers, plain Python, and the package people use."""

from __future__ import annotations

import itertools
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from pendulum import datetime, duration
from tests.reference import slow_lifetime as slow

from shequn.columns import EventLog
from shequn.lifetime import (
    BetaGeoNBD,
    Discount,
    GammaGamma,
    ShiftedBetaGeometric,
    TransactionSummary,
    customer_lifetime_value,
    holdout_split,
    transaction_summary,
)
from shequn.stats import SurvivalTable
from shequn.stats.quadrature import beta_rule

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lifetimes = pytest.importorskip("lifetimes")
    datasets = pytest.importorskip("lifetimes.datasets")
    pd = pytest.importorskip("pandas")
hyp2f1 = pytest.importorskip("scipy.special").hyp2f1

HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]


@cache
def _sample() -> Any:
    return datasets.load_cdnow_summary_data_with_monetary_value()


@cache
def _fit() -> BetaGeoNBD:
    data = _sample()
    return BetaGeoNBD.fit(frequency=data["frequency"], recency=data["recency"], age=data["T"])


@cache
def _transactions() -> Any:
    path = f"{datasets.__path__[0]}/CDNOW_master.txt"
    data = pd.read_csv(path, sep=r"\s+", header=0, names=["id", "date", "n", "money"])
    data["date"] = pd.to_datetime(data["date"].astype(str), format="%Y%m%d")
    return data


def _log() -> EventLog:
    data = _transactions()
    return EventLog.from_columns(
        member=data["id"].to_numpy(),
        kind="purchase",
        at=data["date"].to_numpy("M8[us]"),
        at_tz="UTC",
        value=data["money"].to_numpy(),
    )


# --- the figures of the papers ---


def test_sbg_finds_the_parameters_of_the_paper() -> None:
    fit = ShiftedBetaGeometric.fit(left=HIGH_END)
    assert fit.params == pytest.approx((0.6681, 3.8061), abs=5e-5)
    assert fit.log_likelihood == pytest.approx(-1611.158, abs=5e-4)
    assert fit.survival([8, 9, 10, 11, 12]) == pytest.approx([0.460, 0.436, 0.414, 0.395, 0.378], abs=5e-4)


def test_sbg_of_the_other_segment_of_the_paper() -> None:
    assert ShiftedBetaGeometric.fit(left=REGULAR).params == pytest.approx((0.704, 1.182), abs=5e-4)


def test_bgnbd_finds_the_parameters_of_the_paper() -> None:
    assert _fit().params == pytest.approx((0.2426, 4.4135, 0.7929, 2.4258), abs=5e-5)
    assert _fit().log_likelihood == pytest.approx(-9582.43, abs=5e-3)
    assert _fit().n_members == 2357


def test_gamma_gamma_finds_the_parameters_of_the_note() -> None:
    fit = GammaGamma.fit(frequency=_sample()["frequency"], spend=_sample()["monetary_value"])
    assert fit.params == pytest.approx((6.249, 3.745, 15.448), abs=5e-4)
    assert fit.log_likelihood == pytest.approx(-4055.92, abs=5e-3)
    assert fit.n_members == 946


# --- plain Python ---


def test_log_likelihoods_are_those_of_the_papers() -> None:
    data = _sample()
    rows = list(zip(data["frequency"].astype(int), data["recency"], data["T"], data["monetary_value"], strict=True))
    fit = _fit()
    total = sum(slow.bgnbd_log_likelihood(fit.params, x, t_x, age) for x, t_x, age, _ in rows)
    assert fit.log_likelihood == pytest.approx(total, rel=1e-12)
    spend = GammaGamma.fit(frequency=data["frequency"], spend=data["monetary_value"])
    total = sum(slow.gamma_gamma_log_likelihood(spend.params, x, m) for x, _, _, m in rows if x)
    assert spend.log_likelihood == pytest.approx(total, rel=1e-12)
    sbg = ShiftedBetaGeometric.fit(left=HIGH_END)
    lost = [before - after for before, after in itertools.pairwise(HIGH_END)]
    assert sbg.log_likelihood == pytest.approx(slow.sbg_log_likelihood(sbg.params, lost, HIGH_END[-1]), rel=1e-12)


def test_standard_errors_are_those_of_the_observed_information() -> None:
    data = _sample()
    kinds, n = np.unique(data[["frequency", "recency", "T"]].to_numpy(), axis=0, return_counts=True)
    fit = _fit()
    information = slow.observed_information(
        lambda q: sum(
            int(k) * slow.bgnbd_log_likelihood(q, int(x), t_x, age) for (x, t_x, age), k in zip(kinds, n, strict=True)
        ),
        fit.params,
    )
    assert fit.standard_errors == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=0.01)

    bought = data[data["frequency"] > 0]
    spend = GammaGamma.fit(frequency=bought["frequency"], spend=bought["monetary_value"])
    pairs = list(zip(bought["frequency"].astype(int), bought["monetary_value"], strict=True))
    information = slow.observed_information(
        lambda q: sum(slow.gamma_gamma_log_likelihood(q, x, m) for x, m in pairs), spend.params
    )
    assert spend.standard_errors == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=0.01)

    sbg = ShiftedBetaGeometric.fit(left=HIGH_END)
    lost = [before - after for before, after in itertools.pairwise(HIGH_END)]
    information = slow.observed_information(lambda q: slow.sbg_log_likelihood(q, lost, HIGH_END[-1]), sbg.params)
    assert sbg.standard_errors == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=0.01)


@pytest.mark.parametrize("params", [(0.24, 4.4, 0.79, 2.4), (2.0, 10.0, 1.7, 0.6), (0.7, 1.0, 0.2, 9.0)])
def test_expected_purchases_are_those_of_the_series(params: tuple[float, float, float, float]) -> None:
    fit = BetaGeoNBD(r=params[0], alpha=params[1], a=params[2], b=params[3])
    for x, t_x, age in ((0, 0.0, 10.0), (1, 3.0, 39.0), (7, 30.5, 39.0), (60, 38.0, 39.0)):
        for t in (0.5, 13.0, 80.0):
            found = fit.expected_purchases(frequency=x, recency=t_x, age=age, horizon=t)
            assert found == pytest.approx(slow.expected_purchases(params, x, t_x, age, t), rel=1e-9)
            assert fit.p_alive(frequency=x, recency=t_x, age=age) == pytest.approx(
                slow.p_alive(params, x, t_x, age), rel=1e-12
            )


def test_a_summary_is_that_of_plain_python() -> None:
    rng = np.random.default_rng(3)
    member, day = rng.integers(40, size=300), rng.integers(90, size=300)
    value = rng.integers(1, 50, size=300)
    log = EventLog.from_columns(
        member=[f"m{code}" for code in member], kind="purchase", at=day * 86_400 + 50, time_unit="s", value=value
    )
    found = transaction_summary(log, as_of=datetime(1970, 3, 11, 12), every="day", tz="UTC")
    wanted = slow.summary_of([(f"m{code}", int(d), int(v)) for code, d, v in zip(member, day, value, strict=True)], 69)
    assert set(found.members.labels) == set(wanted)
    assert found.spend is not None
    columns = (found.members.labels, found.frequency, found.recency, found.age, found.spend)
    for label, often, last, old, spend in zip(*columns, strict=True):
        assert (often, last, old) == wanted[label][:3]
        assert spend == pytest.approx(wanted[label][3]) if often else np.isnan(spend)


# --- the package people use ---


def test_lifetimes_finds_no_likelier_parameters() -> None:
    data = _sample()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = lifetimes.BetaGeoFitter().fit(data["frequency"], data["recency"], data["T"])
        spend = lifetimes.GammaGammaFitter()
        bought = data[data["frequency"] > 0]
        spend.fit(bought["frequency"], bought["monetary_value"])
    assert tuple(_fit().params) == pytest.approx(tuple(peer.params_[["r", "alpha", "a", "b"]]), rel=1e-3)
    theirs = sum(
        slow.bgnbd_log_likelihood(tuple(peer.params_[["r", "alpha", "a", "b"]]), x, t_x, age)
        for x, t_x, age in zip(data["frequency"].astype(int), data["recency"], data["T"], strict=True)
    )
    assert _fit().log_likelihood is not None
    assert _fit().log_likelihood >= theirs - 1e-9  # type: ignore[operator]
    ours = GammaGamma.fit(frequency=bought["frequency"], spend=bought["monetary_value"])
    assert tuple(ours.params) == pytest.approx(tuple(spend.params_[["p", "q", "v"]]), rel=1e-3)
    peer_spend = spend.conditional_expected_average_profit(data["frequency"], data["monetary_value"])
    given = GammaGamma(**dict(zip("pqv", spend.params_[["p", "q", "v"]], strict=True)))
    assert given.expected_spend(frequency=data["frequency"], spend=data["monetary_value"]) == pytest.approx(
        peer_spend.to_numpy(), rel=1e-9
    )


def test_predictions_are_those_of_lifetimes() -> None:
    data = _sample()
    x, t_x, age = data["frequency"].to_numpy(), data["recency"].to_numpy(), data["T"].to_numpy()
    peer = lifetimes.BetaGeoFitter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(x, t_x, age)
    fit = BetaGeoNBD(**dict(zip(("r", "alpha", "a", "b"), peer.params_[["r", "alpha", "a", "b"]], strict=True)))
    assert fit.p_alive(frequency=x, recency=t_x, age=age) == pytest.approx(
        np.asarray(peer.conditional_probability_alive(x, t_x, age)), rel=1e-10
    )
    for t in (1.0, 39.0, 520.0):
        assert fit.expected_purchases(frequency=x, recency=t_x, age=age, horizon=t) == pytest.approx(
            np.asarray(peer.conditional_expected_number_of_purchases_up_to_time(t, x, t_x, age)), rel=1e-9
        )
        assert fit.expected_purchases(horizon=t) == pytest.approx(
            float(peer.expected_number_of_purchases_up_to_time(t)), rel=1e-9
        )


def test_a_daily_summary_is_that_of_lifetimes() -> None:
    found = transaction_summary(_log(), as_of=datetime(1997, 9, 30), every="day", tz="UTC")
    peer = lifetimes.utils.summary_data_from_transaction_data(
        _transactions(), "id", "date", monetary_value_col="money", observation_period_end="1997-09-30", freq="D"
    )
    order = np.argsort(found.members.labels)
    assert found.spend is not None
    for ours, theirs in (
        (found.frequency, "frequency"),
        (found.recency, "recency"),
        (found.age, "T"),
        (np.nan_to_num(found.spend), "monetary_value"),
    ):
        assert ours[order] == pytest.approx(peer[theirs].to_numpy(), abs=1e-9)


def test_a_weekly_summary_knows_nothing_of_later_purchases() -> None:
    """In weeks, lifetimes looks ahead to the end of the last one: 292 members of CDNOW buy again after the end."""
    found = transaction_summary(_log(), as_of=datetime(1997, 9, 30), every="week", tz="UTC")
    peer = lifetimes.utils.summary_data_from_transaction_data(
        _transactions(), "id", "date", observation_period_end="1997-09-30", freq="W"
    )
    order = np.argsort(found.members.labels)
    differs = found.frequency[order] != peer["frequency"].to_numpy()
    assert differs.sum() == 292
    whole = transaction_summary(_log(), as_of=datetime(1997, 10, 5), every="week", tz="UTC")
    order = np.argsort(whole.members.labels)
    assert (whole.frequency[order] == peer["frequency"].to_numpy()).all()


def test_lifetime_value_is_that_of_lifetimes_where_units_are_right() -> None:
    """Of months of 30 days there, so that weekly data and 4-week steps compare."""
    data = _sample().query("frequency > 0")
    fit = _fit()
    spend = GammaGamma.fit(frequency=data["frequency"], spend=data["monetary_value"])
    summary = TransactionSummary(
        members=data.index.to_numpy(),
        frequency=data["frequency"].astype(int),
        recency=data["recency"],
        age=data["T"],
        spend=data["monetary_value"],
    )
    found = customer_lifetime_value(fit, spend, summary, horizon=3, discount=Discount(0.01, per="period"))
    each = spend.expected_spend(summary)
    wanted = np.zeros(len(summary))
    for k in (1, 2, 3):
        bought = fit.expected_purchases(summary, horizon=k) - fit.expected_purchases(summary, horizon=k - 1)
        wanted += bought * each / 1.01**k
    assert found.value == pytest.approx(wanted, rel=1e-12)
    assert found.total == pytest.approx(float(wanted.sum()))


def test_a_holdout_of_cdnow_is_foreseen() -> None:
    split = holdout_split(
        _log(), split_at=datetime(1997, 9, 30), as_of=datetime(1998, 7, 5, 23, 59, 59), every="week", tz="UTC"
    )
    check = split.check()
    assert split.n_periods == 39
    assert int(check.members.sum()) == 23_570
    assert abs(check.bias) < 0.1
    data = _transactions()
    week = (data["date"] - pd.Timestamp("1996-12-30")).dt.days // 7
    later = data[(week > 39) & (week <= 78)].assign(week=week)
    assert int(split.purchases.sum()) == len(later[["id", "week"]].drop_duplicates())


def test_a_survival_table_and_a_row_of_survivors_are_the_same_to_sbg() -> None:
    lost = np.repeat(np.arange(1, 8), -np.diff(HIGH_END))
    durations = np.append(lost, np.full(HIGH_END[-1], 7))
    table = SurvivalTable.from_durations(durations, np.arange(len(durations)) < len(lost))
    one, other = ShiftedBetaGeometric.fit(table), ShiftedBetaGeometric.fit(left=HIGH_END)
    assert one.params == pytest.approx(other.params, rel=1e-9)
    assert one.n_members == other.n_members == 1000


def test_horizons_convert() -> None:
    summary = transaction_summary(_log(), as_of=datetime(1997, 9, 30), every="week", tz="UTC")
    fit = BetaGeoNBD.fit(summary)
    one = fit.expected_purchases(summary, horizon=duration(days=91))
    assert one == pytest.approx(fit.expected_purchases(summary, horizon=13), rel=1e-12)


# --- far out, against mpmath with 60 digits ---


@pytest.mark.parametrize(
    ("params", "horizon", "wanted"),
    [
        ((0.243, 0.001, 0.793, 2.426), 1e6, 352.2695781015988),
        ((0.243, 1e-5, 2.5, 0.4), 1e6, 1.26373570351052),
        ((3.0, 1e-4, 0.05, 0.3), 1e5, 895_902_309.6359898),
    ],
)
def test_purchases_are_those_of_the_hypergeometric_function_at_any_horizon(
    params: tuple[float, float, float, float], horizon: float, wanted: float
) -> None:
    fit = BetaGeoNBD(**dict(zip(("r", "alpha", "a", "b"), params, strict=True)))
    assert float(fit.expected_purchases(horizon=horizon)) == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize(
    ("a", "b", "reach", "power", "wanted"),
    [
        (0.793, 2.426, 1e9, 0.243, 0.011319007826736224),
        (0.05, 0.1, 1e7, 3.0, 0.2790272133876765),
        (30.0, 4.0, 1e6, 20.0, 5.72291159234756e-119),
        (2e4, 3e4, 1e8, 1.5, 3.95306929123823e-12),
        (0.5, 500.0, 1e5, 40.0, 0.011282986045959845),
        (5.6, 0.19, 18542.0, 112.0, 8.621568926722702e-35),
    ],
)
def test_means_over_a_beta_distribution_keep_their_digits(
    a: float, b: float, reach: float, power: float, wanted: float
) -> None:
    rule = beta_rule(a, b, reach, power)
    assert rule is not None
    points, weights = rule
    assert float(weights @ np.exp(-power * np.log1p(points * reach))) == pytest.approx(wanted, rel=1e-10, abs=0.0)


def test_few_points_and_equal_steps_agree_where_the_one_gives_way_to_the_other() -> None:
    for power in (0.3, 2.5, 60.0):
        for reach in np.geomspace(50.0, 5_000.0, 12).tolist():
            rule = beta_rule(0.8, 2.4, reach, power)
            assert rule is not None
            wanted = hyp2f1(power, 0.8, 3.2, -reach)
            assert rule[1] @ (1.0 + rule[0] * reach) ** -power == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("alpha", "beta", "rate", "tenure", "wanted"),
    [
        (0.668, 3.806, 1e-7, 0, 1335.6946179922763),
        (0.668, 3.806, 1e-7, 5, 2183.483407914453),
        (0.05, 2.0, 1e-9, 1, 374_090_546.6342076),
        (1.0, 1.0, 1e-8, 0, 18.420680938159173),
        (50.0, 80.0, 1e-7, 0, 2.632652622449099),
        (2.5, 0.01, 1e-6, 1, 0.006666653231778291),
        (1e5, 2e5, 1e-9, 2, 2.000029996299823),
    ],
)
def test_expected_periods_are_those_of_the_hypergeometric_function(
    alpha: float, beta: float, rate: float, tenure: int, wanted: float
) -> None:
    fit = ShiftedBetaGeometric(alpha=alpha, beta=beta)
    found = fit.expected_periods(tenure=tenure, discount=Discount(rate, per="period"))
    assert found == pytest.approx(wanted, rel=1e-11)


def test_of_members_who_hardly_ever_leave_few_points_tell_all() -> None:
    found = ShiftedBetaGeometric(alpha=1e-6, beta=1.0).expected_periods(discount=Discount(1e-3, per="period"))
    assert found == pytest.approx(hyp2f1(1.0, 1.0, 1.0 + 1e-6, 1 / 1.001), rel=1e-9)


@pytest.mark.parametrize(
    ("alpha", "beta", "t", "wanted"),
    [
        (0.668, 3.806, 2**52, 8.29349918066483e-11),
        (0.01, 0.02, 10**12, 0.5030107769242257),
        (1e5, 2e5, 3, 0.2962977777711934),
        (1e6, 1e6, 1, 0.5),
        (30.0, 0.5, 10**6, 2.7196912502511493e-149),
    ],
)
def test_survival_keeps_its_digits_at_any_tenure(alpha: float, beta: float, t: int, wanted: float) -> None:
    found = float(ShiftedBetaGeometric(alpha=alpha, beta=beta).survival(t))
    assert found == pytest.approx(wanted, rel=1e-12, abs=0.0)


def test_value_finds_the_points_once_for_each_frequency(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    often = rng.integers(0, 6, 400)
    age = rng.integers(30, 365, 400)
    columns = {"frequency": often, "recency": np.where(often > 0, age // 2 + 1, 0), "age": age}
    summary = TransactionSummary(members=np.arange(400), spend=np.ones(400), **columns)
    fit, spend = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), GammaGamma(p=6.25, q=3.74, v=15.45)
    calls: list[float] = []

    def counted(a: float, b: float, reach: float, power: float) -> Any:
        calls.append(b)
        return beta_rule(a, b, reach, power)

    found = customer_lifetime_value(fit, spend, summary, horizon=60, discount=Discount(0.001, per="period"))
    ends = np.arange(1.0, 61.0)
    bought = np.stack([np.zeros(400), *(fit.expected_purchases(summary, horizon=t) for t in ends.tolist())])
    wanted = (np.diff(bought, axis=0) * (1.001**-ends)[:, None]).sum(axis=0) * spend.expected_spend(summary)
    assert found.value == pytest.approx(wanted, rel=1e-10)
    monkeypatch.setattr("shequn.lifetime.bgnbd.beta_rule", counted)
    customer_lifetime_value(fit, spend, summary, horizon=60, discount=Discount(0.001, per="period"))
    assert len(calls) == 2 * len(np.unique(often))  # of the purchases, and of what they are worth

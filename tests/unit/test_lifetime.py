"""What models of lifetime say, and what they refuse."""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pytest
from pendulum import datetime, duration

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.lifetime import (
    AlivePath,
    BetaGeoNBD,
    Discount,
    GammaGamma,
    HoldoutCheck,
    HoldoutSplit,
    ShiftedBetaGeometric,
    TransactionSummary,
    customer_lifetime_value,
    holdout_split,
    transaction_summary,
)
from shequn.lifetime.spans import periods_in
from shequn.retention import cohort_table
from shequn.stats import SurvivalTable
from shequn.values import Calendar

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 86_400
WEEKS = Calendar.of("week", tz="UTC")
MODEL = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
SPEND = GammaGamma(p=6.25, q=3.74, v=15.45)
SUMMARY = TransactionSummary(
    members=["ann", "bo"], frequency=[2, 0], recency=[30.4, 0], age=[38.9, 38.9], spend=[22.35, np.nan], calendar=WEEKS
)


def _log(**columns: Any) -> EventLog:
    given = {"member": ["ann", "bo", "ann", "cy"], "at": [0, DAY, 9 * DAY, 0], "value": [500, 90, 700, 1]}
    kinds = ["purchase", "purchase", "purchase", "post"]
    return EventLog.from_columns(**({"kind": kinds, "time_unit": "s"} | given | columns))


# --- summaries ---


def test_who_never_bought_is_in_no_summary() -> None:
    found = transaction_summary(_log(), as_of=datetime(1970, 2, 1), every="day", tz="UTC")
    assert found.members.labels.tolist() == ["ann", "bo"]


def test_what_comes_later_is_not_known() -> None:
    found = transaction_summary(_log(), as_of=datetime(1970, 1, 5), every="day", tz="UTC")
    assert found.frequency.tolist() == [0, 0]
    assert found.age.tolist() == [4, 3]
    assert transaction_summary(_log(), as_of=datetime(1969, 1, 5), every="day", tz="UTC").members.labels.tolist() == []


def test_spend_is_left_out_when_asked_to() -> None:
    found = transaction_summary(_log(), as_of=datetime(1970, 2, 1), every="day", tz="UTC", value=None)
    assert found.spend is None
    assert "spend" not in str(found)


def test_many_periods_are_counted_by_sorting_as_few_are_by_marking() -> None:
    rng = np.random.default_rng(2)
    member, at = rng.integers(3000, size=4000), rng.integers(40_000 * DAY, size=4000)
    log = EventLog.from_columns(member=member, kind="purchase", at=at, time_unit="s")
    found = transaction_summary(log, as_of=datetime(2100, 1, 1), every="hour", tz="UTC", value=None)
    hours = {(m, t // 3600) for m, t in zip(member.tolist(), at.tolist(), strict=True)}
    assert int(found.frequency.sum()) + len(found) == len(hours)


def test_an_empty_log_has_an_empty_summary() -> None:
    log = EventLog.from_columns(member=[], kind=[], at=[], time_unit="s")
    found = transaction_summary(log, as_of=datetime(1970, 2, 1), every="day", tz="UTC", unknown_kinds="ignore")
    assert len(found) == 0
    assert found.frequency.dtype == np.int64
    assert found.recency.dtype == np.float64


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"as_of": "1970-02-01"}, InvalidTypeError, "as_of"),
        ({"every": "fortnight"}, InvalidValueError, "every"),
        ({"tz": None}, InvalidValueError, "tz: expected a time zone"),
        ({"value": "price"}, UnknownLabelError, "value=None counts without money"),
        ({"kinds": 3}, InvalidTypeError, "kinds"),
        ({"unknown_kinds": "raise", "kinds": {"buy"}}, UnknownLabelError, "buy"),
    ],
)
def test_a_summary_refuses_options_it_cannot_use(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        transaction_summary(_log(), **({"as_of": datetime(1970, 2, 1), "every": "day", "tz": "UTC"} | options))


def test_a_value_that_is_not_finite_is_named_by_its_row() -> None:
    with pytest.raises(InvalidValueError, match=r"value: expected finite numbers, got nan at row 2 \(1 of 4 rows\)"):
        transaction_summary(_log(value=[1.0, 2.0, np.nan, np.nan]), as_of=datetime(1970, 2, 1), every="day", tz="UTC")
    with pytest.raises(InvalidTypeError, match="log"):
        transaction_summary([], as_of=datetime(1970, 2, 1), every="day", tz="UTC")  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="value"):
        transaction_summary(
            _log(extra={"city": ["a", "b", "a", "b"]}), as_of=datetime(1970, 2, 1), every="day", tz="UTC", value="city"
        )


@pytest.mark.parametrize(
    ("columns", "error", "match"),
    [
        ({"frequency": [-1, 0]}, InvalidValueError, "frequency: expected integers in"),
        ({"frequency": [0.5, 0]}, InvalidTypeError, "frequency"),
        ({"recency": [40.0, 0]}, InvalidValueError, r"recency: expected numbers from 0 to the age, got 40\.0 at row 0"),
        ({"recency": [3.0, 1.0]}, InvalidValueError, r"recency: expected 0 where nothing was bought again, .* row 1"),
        ({"recency": [0.0, 0.0]}, InvalidValueError, "recency: expected above 0 where something was bought again"),
        ({"recency": [-1.0, 0.0]}, InvalidValueError, "recency"),
        ({"recency": [np.nan, 0.0]}, InvalidValueError, "recency"),
        ({"age": [np.inf, 1.0]}, InvalidValueError, "age: expected numbers from 0 to 1e12"),
        ({"age": [-1.0, 1.0]}, InvalidValueError, "age"),
        ({"age": ["a", "b"]}, InvalidTypeError, "age"),
        ({"age": [38.9]}, MisalignedError, "age: expected one entry for each of the 2 members"),
        ({"spend": [np.nan, 1.0]}, InvalidValueError, "spend: expected finite numbers where something was bought"),
        ({"spend": [1.0]}, MisalignedError, "spend"),
        ({"members": ["ann", "ann"]}, InvalidValueError, "ann"),
        ({"calendar": "week"}, TypeError, "calendar"),
    ],
)
def test_a_summary_that_cannot_be_is_refused(columns: dict[str, Any], error: type[Exception], match: str) -> None:
    given = {"members": ["ann", "bo"], "frequency": [2, 0], "recency": [30.4, 0], "age": [38.9, 38.9]}
    with pytest.raises(error, match=match):
        TransactionSummary(**(given | columns))


def test_parts_of_a_summary_join_and_some_members_are_taken() -> None:
    one, other = SUMMARY.take([0]), SUMMARY.take(np.array([False, True]))
    whole = TransactionSummary.concat([one, other])
    assert whole.members.labels.tolist() == ["ann", "bo"]
    assert whole.frequency.tolist() == [2, 0]
    assert len(TransactionSummary.concat([])) == 0
    for parts, error in (
        ([one, 3], InvalidTypeError),
        ([one, one], InvalidValueError),
        ([one, attrs.evolve(other, calendar=None)], InvalidValueError),
        ([one, attrs.evolve(other, spend=None)], InvalidValueError),
    ):
        with pytest.raises(error):
            TransactionSummary.concat(parts)  # type: ignore[arg-type]
    for rows, kind in (([2], InvalidValueError), ([True], MisalignedError), (["ann"], InvalidTypeError)):
        with pytest.raises(kind, match="rows"):
            SUMMARY.take(rows)


def test_a_summary_prints_in_both_languages_and_copies_stay_read_only() -> None:
    assert SUMMARY.table(lang="zh").splitlines()[0].split() == ["成员", "复购次数", "末购龄", "观察期", "次均消费"]
    assert "周期：周（周一起）" in SUMMARY.table(lang="zh")
    for copied in (copy.deepcopy(SUMMARY), pickle.loads(pickle.dumps(SUMMARY))):  # noqa: S301
        assert not copied.recency.flags.writeable
        assert copied.members.labels.tolist() == ["ann", "bo"]
    assert next(SUMMARY.rows()).frequency == 2


# --- BG/NBD ---


def test_one_member_and_many_get_the_same_answers() -> None:
    one = MODEL.p_alive(frequency=2, recency=30.4, age=38.9)
    assert one.shape == ()
    assert MODEL.p_alive(SUMMARY).tolist() == [float(one), 1.0]
    grid = MODEL.p_alive(frequency=[[2], [3]], recency=[[30.4, 20.0]], age=38.9)
    assert grid.shape == (2, 2)
    assert grid[0, 0] == one


def test_who_has_waited_longer_is_less_likely_there() -> None:
    path = MODEL.alive_path(purchases=[3, 7], age=40, every=0.5)
    after = path.p_alive[path.age >= 7]
    assert (np.diff(after) < 0).all()
    assert path.repeats[-1] == 2
    assert path.p_alive[-1] == MODEL.p_alive(frequency=2, recency=7, age=40)
    assert MODEL.alive_path(purchases=[], age=0).age.tolist() == [0.0]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"purchases": [3, 3]}, r"purchases: expected ascending ages above 0, up to 9, got 3\.0 at row 1"),
        ({"purchases": [0]}, "purchases"),
        ({"purchases": [10]}, "purchases"),
        ({"purchases": [np.nan]}, "purchases"),
        ({"purchases": 3}, "purchases"),
        ({"purchases": "ab"}, "purchases"),
        ({"age": np.inf}, "age"),
        ({"age": "9"}, "age"),
        ({"every": 0}, "every"),
        ({"every": 1e-9}, "every: expected a step above 0, for at most a million rows"),
    ],
)
def test_a_path_refuses_what_it_cannot_walk(options: dict[str, Any], match: str) -> None:
    with pytest.raises((InvalidTypeError, InvalidValueError), match=match):
        MODEL.alive_path(**({"purchases": [3], "age": 9} | options))


def test_later_and_longer_follow_from_now() -> None:
    now = float(MODEL.p_alive(frequency=2, recency=30.4, age=38.9))
    later = float(MODEL.p_alive(frequency=2, recency=30.4, age=38.9, ahead=10))
    assert 0 < later < now
    # The area under P(alive), by many small steps.
    steps = (np.arange(2000) + 0.5) / 2000 * 10
    area = sum(float(MODEL.p_alive(frequency=2, recency=30.4, age=38.9, ahead=float(u))) for u in steps) / 200
    assert float(MODEL.expected_lifetime(frequency=2, recency=30.4, age=38.9, horizon=10)) == pytest.approx(
        area, rel=1e-6
    )
    at_one = BetaGeoNBD(r=1.0, alpha=4.0, a=1.0, b=2.0)
    nearly = BetaGeoNBD(r=1.0 + 1e-9, alpha=4.0, a=1.0, b=2.0)
    options: dict[str, Any] = {"frequency": 0, "recency": 0, "age": 5, "horizon": 20}
    assert float(at_one.expected_lifetime(**options)) == pytest.approx(
        float(nearly.expected_lifetime(**options)), rel=1e-6
    )


def test_quiet_and_bought_agree_at_short_horizons() -> None:
    quiet = 1 - float(MODEL.p_no_purchase(frequency=2, recency=30.4, age=38.9, horizon=1e-4))
    bought = float(MODEL.expected_purchases(frequency=2, recency=30.4, age=38.9, horizon=1e-4))
    assert quiet == pytest.approx(bought, rel=1e-3)
    assert float(MODEL.expected_purchases(frequency=2, recency=30.4, age=38.9, horizon=0)) == 0


def test_rows_can_stand_for_many_members() -> None:
    rows = {"frequency": [2, 1, 0, 5, 3], "recency": [30.4, 1.7, 0, 20, 38], "age": [38.9] * 5}
    n = [9, 30, 130, 4, 6]
    counted = BetaGeoNBD.fit(**rows, n_members=n)
    listed = BetaGeoNBD.fit(**{name: np.repeat(column, n) for name, column in rows.items()})
    assert counted == listed
    assert BetaGeoNBD.fit(**rows, n_members=[9, 30, 130, 4, 0]).n_members == 173


@pytest.mark.parametrize(
    ("frequency", "recency", "age", "reason"),
    [
        ([0, 0, 0], [0, 0, 0], [5, 6, 7], "nobody bought again"),
        ([0], [0], [5], "nobody bought again"),
        ([3] * 50, [30] * 50, [39] * 50, "members don't differ in how often they buy"),
        ([0, 9] * 50, [0, 38.9] * 50, [39] * 100, "nobody seems to drop out"),
    ],
)
def test_where_there_is_no_maximum_the_reason_is_said(
    frequency: list[int], recency: list[float], age: list[float], reason: str
) -> None:
    fit = BetaGeoNBD.fit(frequency=frequency, recency=recency, age=age)
    assert not fit.converged
    assert reason in str(fit.reason)
    assert fit.standard_errors is None
    assert fit.covariance is None
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.expected_purchases(frequency=frequency, recency=recency, age=age, horizon=5)).all()
    assert "No maximum" in str(fit)
    assert "未收敛" in fit.table(lang="zh")
    assert "no maximum" in repr(fit)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, InvalidTypeError, "frequency: expected a column, or a summary"),
        ({"frequency": [1]}, InvalidTypeError, "recency"),
        ({"frequency": [], "recency": [], "age": []}, InvalidValueError, "at least one member"),
        ({"frequency": [0], "recency": [1], "age": [2]}, InvalidValueError, "recency"),
        ({"frequency": [1], "recency": [3], "age": [2]}, InvalidValueError, "recency"),
        ({"frequency": [1.5], "recency": [1], "age": [2]}, InvalidValueError, "frequency"),
        ({"frequency": [1, 2], "recency": [1, 1, 1], "age": [2]}, MisalignedError, "columns of one shape"),
        ({"frequency": [1], "recency": [1], "age": [2], "n_members": [0]}, InvalidValueError, "n_members"),
        ({"frequency": [1], "recency": [1], "age": [2], "n_members": [1, 2]}, MisalignedError, "n_members"),
        ({"frequency": [1], "recency": [1], "age": [2], "n_members": [-1]}, InvalidValueError, "n_members"),
        ({"frequency": [1], "recency": [1], "age": [2], "every": "week"}, InvalidTypeError, "every"),
        ({"frequency": [2e7], "recency": [1], "age": [2]}, InvalidValueError, "ten million"),
    ],
)
def test_a_fit_refuses_what_cannot_be(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        BetaGeoNBD.fit(**options)


def test_a_summary_and_columns_are_not_taken_together() -> None:
    with pytest.raises(InvalidTypeError, match="age: expected None beside a summary"):
        BetaGeoNBD.fit(SUMMARY, age=[3])
    with pytest.raises(InvalidTypeError, match="summary"):
        BetaGeoNBD.fit([1, 2])  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="periods of week"):
        attrs.evolve(MODEL, calendar=WEEKS).p_alive(attrs.evolve(SUMMARY, calendar=Calendar.of("day", tz="UTC")))


@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan])
def test_parameters_are_positive(bad: float) -> None:
    with pytest.raises(InvalidValueError, match="alpha: expected a finite number above 0"):
        BetaGeoNBD(r=1, alpha=bad, a=1, b=1)
    with pytest.raises(InvalidTypeError, match="r: expected a number, got"):
        BetaGeoNBD(r="1", alpha=1, a=1, b=1)  # type: ignore[arg-type]


def test_a_fit_is_a_value() -> None:
    fit = BetaGeoNBD.fit(
        frequency=[2, 1, 0, 5, 3], recency=[30.4, 1.7, 0, 20, 38], age=38.9, n_members=[9, 30, 130, 4, 6], every=WEEKS
    )
    for copied in (copy.deepcopy(fit), pickle.loads(pickle.dumps(fit))):  # noqa: S301
        assert copied == fit
        assert copied.covariance is not None
        assert not copied.covariance.flags.writeable
    assert fit.standard_errors is not None
    assert next(fit.rows()).standard_error == pytest.approx(fit.standard_errors.r)
    assert fit != MODEL
    assert MODEL.standard_errors is None


# --- spans ---


def test_units_convert_only_where_they_can() -> None:
    months, days = Calendar.of("month", tz="UTC"), Calendar.of("day", tz="UTC")
    assert periods_in(duration(weeks=2), days) == 14
    assert periods_in(dt.timedelta(days=1), WEEKS) == pytest.approx(1 / 7)
    assert periods_in(duration(years=1), months) == 12
    assert periods_in(duration(months=3), Calendar.of("quarter", tz="UTC")) == 1
    assert periods_in(duration(weeks=4), Calendar(unit="week", n=2, tz="UTC")) == 2
    for horizon, calendar, match in (
        (duration(months=3), WEEKS, "months have no one length"),
        (duration(days=90), months, "days make no known number of months"),
        (duration(months=1, days=3), months, "months or years alone"),
        (duration(days=3), None, "nobody said what a period is"),
        (-1, WEEKS, "0 to a million periods"),
        (math.nan, WEEKS, "0 to a million periods"),
        (10**400, WEEKS, "0 to a million periods"),
        (True, WEEKS, "a duration or a number of periods"),
        ("3 weeks", WEEKS, "a duration or a number of periods"),
    ):
        with pytest.raises((InvalidTypeError, InvalidValueError), match=match):
            periods_in(horizon, calendar)  # type: ignore[arg-type]


def test_discounts_convert_to_the_period() -> None:
    assert (1 + Discount(0.1).per_period(WEEKS)) ** (365.2425 / 7) == pytest.approx(1.1)
    assert Discount(0.1).per_period(Calendar.of("year", tz="UTC")) == pytest.approx(0.1)
    assert (1 + Discount(0.01, per="month").per_period(Calendar.of("quarter", tz="UTC"))) == pytest.approx(1.01**3)
    for rate in (-1, -2, math.nan, math.inf):
        with pytest.raises(InvalidValueError, match="rate: expected a finite number above -1"):
            Discount(rate)
    with pytest.raises(InvalidTypeError, match="rate"):
        Discount("10%")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="per"):
        Discount(0.1, per="decade")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="nobody said"):
        Discount(0.1).per_period(None)


# --- spend and value ---


def test_spend_lies_between_ones_own_and_that_of_all() -> None:
    found = SPEND.expected_spend(frequency=[1, 5, 50, 0], spend=[100.0, 100.0, 100.0, 0.0])
    assert SPEND.mean_spend < found[0] < found[1] < found[2] < 100
    assert found[3] == pytest.approx(SPEND.mean_spend)


def test_a_mean_that_does_not_exist_is_refused() -> None:
    wild = GammaGamma(p=0.5, q=0.8, v=3)
    with pytest.raises(InvalidValueError, match="q: expected above 1, or the mean spend over members does not exist"):
        _ = wild.mean_spend
    with pytest.raises(InvalidValueError, match="q: expected above 1"):
        wild.expected_spend(frequency=[0], spend=[0])
    assert wild.expected_spend(frequency=[1], spend=[9.0]).tolist() == pytest.approx([0.5 * 12 / 0.3])
    with pytest.raises(InvalidValueError, match="frequency: expected purchases enough for a mean to exist"):
        GammaGamma(p=0.1, q=0.8, v=3).expected_spend(frequency=[1], spend=[9.0])


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (
            {"frequency": [1, 2], "spend": [3.0, 0.0]},
            InvalidValueError,
            r"spend: expected finite numbers above 0 .* row 1",
        ),
        ({"frequency": [1, 2], "spend": [3.0, -1.0]}, InvalidValueError, "spend"),
        ({"frequency": [1], "spend": [np.inf]}, InvalidValueError, "spend"),
        ({"frequency": [0], "spend": [0.0]}, InvalidValueError, "at least one member with a purchase"),
        ({"frequency": [1, 2], "spend": [3.0]}, MisalignedError, "spend"),
        ({"frequency": [1.5], "spend": [3.0]}, InvalidValueError, "frequency"),
        ({"frequency": [1]}, InvalidTypeError, "spend: expected a column"),
        ({}, InvalidTypeError, "frequency"),
    ],
)
def test_spend_that_cannot_be_explained_is_refused(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        GammaGamma.fit(**options)


def test_spend_from_a_summary() -> None:
    with pytest.raises(InvalidValueError, match="a summary with spend"):
        GammaGamma.fit(attrs.evolve(SUMMARY, spend=None))
    with pytest.raises(InvalidTypeError, match="None beside a summary"):
        GammaGamma.fit(SUMMARY, spend=[1])
    assert SPEND.expected_spend(SUMMARY).tolist() == SPEND.expected_spend(frequency=[2, 0], spend=[22.35, 0]).tolist()
    assert SPEND.standard_errors is None


@pytest.mark.parametrize(
    ("frequency", "spend", "reason"),
    [
        ([1, 1, 1], [5, 5, 5], "always spends the same"),
        ([40, 41, 42] * 20, [5.0, 5.1, 4.9] * 20, "members don't differ in what they spend"),
    ],
)
def test_where_spend_has_no_maximum_the_reason_is_said(frequency: list[int], spend: list[float], reason: str) -> None:
    fit = GammaGamma.fit(frequency=frequency, spend=spend)
    assert reason in str(fit.reason)
    assert fit.standard_errors is None
    assert np.isfinite(fit.params).all()


def test_value_is_purchases_times_spend_and_less_when_later() -> None:
    plain = customer_lifetime_value(MODEL, SPEND, SUMMARY, horizon=duration(weeks=52), margin=0.4)
    assert plain.value == pytest.approx(0.4 * plain.purchases * plain.spend)
    less = customer_lifetime_value(
        MODEL, SPEND, SUMMARY, horizon=duration(weeks=52), margin=0.4, discount=Discount(0.1)
    )
    assert (less.value < plain.value).all()
    assert (less.value > plain.value / 1.1).all()
    cut_short = customer_lifetime_value(MODEL, SPEND, SUMMARY, horizon=2.5, discount=Discount(0.1, per="period"))
    steps = [MODEL.expected_purchases(SUMMARY, horizon=t) for t in (1, 2, 2.5)]
    wanted = steps[0] / 1.1 + (steps[1] - steps[0]) / 1.1**2 + (steps[2] - steps[1]) / 1.1**2.5
    assert cut_short.value == pytest.approx(wanted * cut_short.spend)
    assert "生命周期价值" in less.table(lang="zh")
    assert pickle.loads(pickle.dumps(less)).value.tolist() == less.value.tolist()  # noqa: S301


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"margin": -0.1}, InvalidValueError, "margin"),
        ({"margin": "0.4"}, InvalidTypeError, "margin"),
        ({"margin": math.nan}, InvalidValueError, "margin"),
        ({"discount": 0.1}, InvalidTypeError, "discount: expected a Discount"),
        ({"horizon": duration(months=12)}, InvalidValueError, "months have no one length"),
        ({"horizon": 20_000}, InvalidValueError, "at most 10,000 periods"),
    ],
)
def test_value_refuses_units_it_would_have_to_guess(
    options: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        customer_lifetime_value(MODEL, SPEND, SUMMARY, **({"horizon": 52} | options))


def test_value_refuses_a_model_of_other_periods() -> None:
    with pytest.raises(InvalidValueError, match="periods as the model has"):
        customer_lifetime_value(attrs.evolve(MODEL, calendar=Calendar.of("day", tz="UTC")), SPEND, SUMMARY, horizon=52)
    for args in ((SPEND, SPEND, SUMMARY), (MODEL, MODEL, SUMMARY), (MODEL, SPEND, MODEL)):
        with pytest.raises(InvalidTypeError):
            customer_lifetime_value(*args, horizon=52)  # type: ignore[arg-type]


# --- holdout ---


def test_what_is_bought_in_the_period_of_the_split_is_in_neither_part() -> None:
    log = EventLog.from_columns(
        member=["ann"] * 4, kind="purchase", at=[0, 7 * DAY, 8 * DAY, 20 * DAY], time_unit="s", value=[1, 2, 3, 4]
    )
    split = holdout_split(
        log, split_at=datetime(1970, 1, 8, 12), as_of=datetime(1970, 1, 28), every=Calendar(unit="day", n=2, tz="UTC")
    )
    assert split.summary.frequency.tolist() == [1]
    assert split.purchases.tolist() == [2]
    with pytest.raises(
        InvalidValueError, match="as_of: expected an instant by which a whole week after that of split_at"
    ):
        holdout_split(log, split_at=datetime(1970, 1, 8), as_of=datetime(1970, 1, 9), every="week", tz="UTC")


def test_only_periods_that_are_over_are_held_out() -> None:
    log = EventLog.from_columns(
        member=["ann"] * 4, kind="purchase", at=[0, 8 * DAY, 15 * DAY, 32 * DAY + 60], time_unit="s", value=[1, 2, 3, 4]
    )
    weeks: dict[str, Any] = {"every": "week", "tz": "UTC", "split_at": datetime(1970, 1, 4, 12)}
    for as_of, n_periods in (
        (datetime(1970, 2, 2), 4),  # a Monday at midnight, and the week that begins with it
        (datetime(1970, 2, 1, 23, 59, 59), 4),  # the last second of Sunday, in a log of seconds
        (datetime(1970, 2, 1, 23, 59, 58), 3),
        (datetime(1970, 2, 8, 12), 4),
        (datetime(1970, 2, 9), 5),
    ):
        split = holdout_split(log, as_of=as_of, **weeks)
        assert split.n_periods == n_periods
        # What was bought on February 2 is of a week that is over on the 9th only.
        assert split.purchases.tolist() == [3 if n_periods == 5 else 2]
    with pytest.raises(InvalidValueError, match="as_of: expected an instant by which a whole week"):
        holdout_split(log, as_of=datetime(1970, 1, 11, 12), **weeks)
    with pytest.raises(InvalidTypeError, match="split_at: expected an aware datetime"):
        holdout_split(log, as_of=datetime(1970, 2, 2), **(weeks | {"split_at": "January"}))
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog"):
        holdout_split(None, as_of=datetime(1970, 2, 2), **weeks)  # type: ignore[arg-type]


def test_one_member_and_one_period_are_told_of_in_the_singular() -> None:
    split = HoldoutSplit(summary=SUMMARY.take([0]), purchases=[1], n_periods=1)
    assert repr(split) == "HoldoutSplit(1 member, 1 period held out)"
    check = split.check(MODEL)
    assert "in 1 period:" in str(check)
    assert repr(check).startswith("HoldoutCheck(1 member: 1 purchase,")
    assert "; 1 period, discount" in str(customer_lifetime_value(MODEL, SPEND, SUMMARY, horizon=1))
    assert "1 member, log-likelihood" in str(BetaGeoNBD.fit(frequency=[2], recency=[3], age=[4]))


@pytest.mark.parametrize(
    ("columns", "error", "match"),
    [
        ({"purchases": [1, 2]}, MisalignedError, "purchases: expected one for each number of repeat purchases"),
        ({"foreseen": [[1.0]]}, MisalignedError, "foreseen"),
        ({"squares": ["x"]}, InvalidTypeError, "squares: expected numbers"),
        ({"foreseen": [math.nan]}, InvalidValueError, "foreseen: expected finite numbers of 0 or more"),
        ({"members": 3}, MisalignedError, "members"),
        ({"n_periods": math.inf}, InvalidValueError, "n_periods"),
        ({"n_periods": "x"}, InvalidTypeError, "n_periods"),
        ({"model": None}, InvalidTypeError, "model"),
    ],
)
def test_a_check_from_columns_is_looked_at(columns: dict[str, Any], error: type[Exception], match: str) -> None:
    given: dict[str, Any] = {"members": [1], "purchases": [1], "foreseen": [1.0], "squares": [1.0], "n_periods": 2}
    with pytest.raises(error, match=match):
        HoldoutCheck(**({"model": MODEL} | given | columns))


def test_a_check_adds_up_and_prints() -> None:
    split = HoldoutSplit(summary=SUMMARY, purchases=[1, 0], n_periods=39)
    check = split.check(MODEL)
    assert int(check.members.sum()) == 2
    assert float(check.foreseen.sum()) == pytest.approx(float(MODEL.expected_purchases(SUMMARY, horizon=39).sum()))
    assert check.bias == pytest.approx(float(check.foreseen.sum()) - 1)
    assert "7+" in str(check)
    assert check.table(lang="zh").splitlines()[0].split() == ["复购次数", "成员", "实际", "预测", "下限", "上限"]
    assert np.isnan(attrs.evolve(check, purchases=[0] * 8).bias)
    assert list(check.rows())[2].members == 1
    assert pickle.loads(pickle.dumps(split)).purchases.tolist() == [1, 0]  # noqa: S301
    assert isinstance(pickle.loads(pickle.dumps(check)), HoldoutCheck)  # noqa: S301
    for purchases, n_periods in (([1], 39), ([1, 0], 0), ([1, -1], 39)):
        with pytest.raises((InvalidValueError, MisalignedError)):
            HoldoutSplit(summary=SUMMARY, purchases=purchases, n_periods=n_periods)
    for most in (0, 5000):
        with pytest.raises(InvalidValueError, match="most_repeats"):
            split.check(MODEL, most_repeats=most)


def test_paths_are_checked_and_print() -> None:
    path = AlivePath(age=[0, 4.5], repeats=[0, 0], p_alive=[1.0, 0.5])
    assert path.table(lang="zh").splitlines()[0].split() == ["观察期", "复购次数", "活跃概率"]
    assert pickle.loads(pickle.dumps(path)).age.tolist() == [0, 4.5]  # noqa: S301
    with pytest.raises(MisalignedError, match="p_alive"):
        AlivePath(age=[0, 4.5], repeats=[0, 0], p_alive=[1.0])


# --- contracts ---


def test_rates_of_retention_rise_though_nobody_changes() -> None:
    fit = ShiftedBetaGeometric(alpha=0.668, beta=3.806)
    rates = fit.retention_rate(np.arange(1, 50))
    assert (np.diff(rates) > 0).all()
    assert fit.curve(12)[-1] == pytest.approx(float(fit.survival(12)), rel=1e-12)
    assert fit.survival(0) == 1.0


def test_cohorts_of_different_age_are_fitted_together() -> None:
    both = ShiftedBetaGeometric.fit(left=[[100, 60, 45, 38], [80, 50, -1, -1]])
    lost = SurvivalTable.from_counts(times=[1, 2, 3], events=[70, 15, 7], censored=[50, 0, 38])
    assert both.params == pytest.approx(ShiftedBetaGeometric.fit(lost).params, rel=1e-9)
    late = SurvivalTable.from_durations([1, 3, 3], [True, True, False], entry=[-1, -1, 1])
    assert ShiftedBetaGeometric.fit(late).n_members == 3


def test_a_cohort_table_is_taken() -> None:
    @attrs.frozen
    class Cohorts:
        counts: Any
        eligible: Any

    table = Cohorts(np.array([[100, 60, 45], [80, 50, 0]]), np.array([[100, 100, 100], [80, 80, 0]]))
    assert ShiftedBetaGeometric.fit(table) == ShiftedBetaGeometric.fit(left=[[100, 60, 45], [80, 50, -1]])
    with pytest.raises(InvalidTypeError, match="counts and eligible"):
        ShiftedBetaGeometric.fit(Cohorts(table.counts, table.eligible[:1]))
    with pytest.raises(InvalidTypeError, match="a survival table or a cohort table"):
        ShiftedBetaGeometric.fit(Cohorts(None, None))


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({"mode": "on_or_after"}, "mode: expected 'on'"),
        ({"anchor": "recurring"}, "anchor: expected 'first_ever' or 'first_in_range'"),
        ({"mode": "on", "anchor": "first_ever"}, None),
    ],
)
def test_tables_in_which_periods_are_skipped_are_no_contracts(attributes: dict[str, str], match: str | None) -> None:
    columns = {"counts": np.array([[9, 6, 5, 5]]), "eligible": np.array([[9, 9, 9, 9]])}
    for table in (
        SimpleNamespace(**columns, **attributes),
        SimpleNamespace(**columns, definition=SimpleNamespace(**attributes)),
    ):
        if match is None:
            assert ShiftedBetaGeometric.fit(table).converged
            continue
        with pytest.raises(InvalidValueError, match=match):
            ShiftedBetaGeometric.fit(table)


@pytest.mark.parametrize("anchor", ["first_ever", "recurring"])
@pytest.mark.parametrize("mode", ["on", "on_or_after"])
def test_a_cohort_table_of_a_log_says_whether_it_is_of_contracts(mode: Any, anchor: Any) -> None:
    table = cohort_table(
        _log(), every="day", tz="UTC", kinds={"purchase"}, mode=mode, anchor="first_ever" if mode != "on" else anchor
    )
    if mode == "on" and anchor == "first_ever":
        table = cohort_table(_log(member=list("abcd")), every="day", tz="UTC", kinds={"purchase"})
        assert ShiftedBetaGeometric.fit(table).calendar == table.calendar
        return
    with pytest.raises(InvalidValueError, match="mode: expected" if mode != "on" else "anchor: expected"):
        ShiftedBetaGeometric.fit(table)


@pytest.mark.parametrize("shape", [(0, 0), (2, 0), (0, 3)])
def test_an_empty_cohort_table_is_refused(shape: tuple[int, int]) -> None:
    nobody = SimpleNamespace(counts=np.zeros(shape, dtype=int), eligible=np.zeros(shape, dtype=int))
    with pytest.raises(InvalidValueError, match="data: expected at least one cohort and one offset"):
        ShiftedBetaGeometric.fit(nobody)


def test_of_many_members_who_do_not_differ_the_same_is_said_as_of_few() -> None:
    few, many = (ShiftedBetaGeometric.fit(left=[n, n // 2, n // 4, n // 8]) for n in (1_000, 1_000_000))
    assert few.reason == many.reason
    assert "members don't differ" in str(many)
    assert "成员之间没有差异" in many.table(lang="zh")
    alike = BetaGeoNBD.fit(frequency=[2] * 50, recency=[10] * 50, age=[10] * 50)
    assert alike.reason is not None
    assert alike.reason.endswith("(r and alpha grow without end); nobody seems to drop out (a / b shrinks to 0)")
    assert "购买频率没有差异（r 与 alpha 无限增大）；看不出有人流失" in alike.table(lang="zh")


def test_what_no_float_holds_is_refused_by_name() -> None:
    huge, weeks = 10**400, Calendar.of("week", tz="UTC")
    refusals: list[tuple[Callable[[], object], str]] = [
        (lambda: BetaGeoNBD(r=huge, alpha=1, a=1, b=1), "r: expected a finite number above 0"),
        (lambda: Discount(huge), "rate: expected a finite number above -1"),
        (lambda: Discount(1e13), "rate: expected a finite number above -1"),
        (lambda: Discount(1e11, per="hour").per_period(weeks), "rate: expected a rate that can be told for a week"),
        (lambda: Discount(-0.999, per="hour").per_period(weeks), "rate: expected a rate that can be told for a week"),
        (lambda: ShiftedBetaGeometric(alpha=2, beta=2).expected_periods(tenure=huge), "tenure: expected 0 periods"),
        (lambda: customer_lifetime_value(MODEL, SPEND, SUMMARY, horizon=2, margin=huge), "margin: expected a finite"),
        (lambda: customer_lifetime_value(MODEL, SPEND, SUMMARY, horizon=huge), "horizon: expected 0 to a million"),
        (
            lambda: customer_lifetime_value(
                MODEL, SPEND, SUMMARY, horizon=3_000, discount=Discount(-0.9, per="period")
            ),
            "discount: expected a rate at which the last period is worth a number",
        ),
        (lambda: MODEL.alive_path(purchases=[1], age=huge), "age: expected a finite number"),
        (lambda: MODEL.alive_path(purchases=[1], age=3, every=huge), "every: expected a step above 0"),
        (lambda: MODEL.p_alive(frequency=1, recency=1e13, age=1e14), "age: expected numbers from 0 to 1e12"),
        (lambda: GammaGamma.fit(frequency=[1, 2], spend=[1e300, 2e300]), "spend: expected finite numbers above 0"),
        (lambda: BetaGeoNBD.fit(frequency=[0] * 5, recency=[0] * 5, age=[0] * 5), "age: expected an age above 0"),
    ]
    for refused, match in refusals:
        with pytest.raises(InvalidValueError, match=match):
            refused()


def test_the_calendar_and_the_covariance_are_looked_at() -> None:
    with pytest.raises(InvalidTypeError, match="calendar: expected a Calendar, or None, got 'week'"):
        BetaGeoNBD(r=1, alpha=1, a=1, b=1, calendar="week")  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="calendar: expected a Calendar, or None, got 'week'"):
        TransactionSummary(members=["ann"], frequency=[0], recency=[0], age=[1], calendar="week")  # type: ignore[arg-type]
    with pytest.raises(MisalignedError, match="covariance: expected one for each pair of the 4 parameters"):
        BetaGeoNBD(r=1, alpha=1, a=1, b=1, covariance=[[1.0]])  # type: ignore[arg-type]


def test_spends_of_any_size_are_fitted() -> None:
    often, spend = [1, 1, 2, 2, 3, 4, 6, 9, 12, 1], np.array([8, 31, 44, 19, 14, 55, 23, 16, 60, 88])
    fit = GammaGamma.fit(frequency=often, spend=spend)
    for scale in (1e-90, 1e90):
        scaled = GammaGamma.fit(frequency=often, spend=spend * scale)
        assert scaled.params == pytest.approx((fit.p, fit.q, fit.v * scale), rel=1e-6)


def test_spend_of_other_periods_is_refused() -> None:
    monthly = attrs.evolve(SPEND, calendar=Calendar.of("month", tz="UTC"))
    with pytest.raises(InvalidValueError, match="summary: expected periods of month"):
        monthly.expected_spend(SUMMARY)
    with pytest.raises(InvalidValueError, match="spend: expected periods of week"):
        customer_lifetime_value(MODEL, monthly, SUMMARY, horizon=3)
    weekly = attrs.evolve(SPEND, calendar=WEEKS)
    assert weekly.expected_spend(SUMMARY) == pytest.approx(SPEND.expected_spend(SUMMARY))


def test_where_no_sum_is_exact_nothing_is_said() -> None:
    rare = BetaGeoNBD(r=0.2, alpha=0.001, a=1e-5, b=1e-5)
    with pytest.raises(InvalidValueError, match="horizon: expected a shorter time, as with a = 1e-05"):
        rare.expected_purchases(horizon=1e6)
    with pytest.raises(InvalidValueError, match="ahead: expected a shorter time"):
        rare.p_alive(frequency=0, recency=0, age=0, ahead=1e6)
    with pytest.raises(InvalidValueError, match="discount: expected a larger rate a period"):
        ShiftedBetaGeometric(alpha=1e-6, beta=1e-6).expected_periods(discount=Discount(1e-9, per="period"))


def test_expected_periods_are_the_sum_of_the_curve() -> None:
    fit = ShiftedBetaGeometric(alpha=2.5, beta=3.0)
    curve = fit.survival(np.arange(200_000))
    for rate in (0.1, 0.001):
        worth = (1 + rate) ** -np.arange(200_000.0)
        assert fit.expected_periods(discount=Discount(rate, per="period")) == pytest.approx(curve @ worth, rel=1e-9)
        for n in (1, 4):
            after = curve[n:] / curve[n - 1] @ worth[: len(curve) - n]
            found = fit.expected_periods(tenure=n, discount=Discount(rate, per="period"))
            assert found == pytest.approx(after, rel=1e-9)
    assert fit.expected_periods() == pytest.approx(4.5 / 1.5)
    assert fit.expected_periods(tenure=3) == pytest.approx(curve[3:].sum() / curve[2], rel=1e-2)
    assert math.isinf(ShiftedBetaGeometric(alpha=0.9, beta=3.0).expected_periods())
    assert math.isinf(fit.expected_periods(discount=Discount(-0.1, per="period")))


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        ([10, 10, 10], "nobody left"),
        ([10, 0, 0], "everybody left as soon as they could"),
        ([10, 5], "one period says nothing"),
        ([100, 90, 70, 40], "members don't differ"),
        ([100, 20, 20, 20], "members leave at once or never"),
    ],
)
def test_where_contracts_have_no_maximum_the_reason_is_said(left: list[int], reason: str) -> None:
    fit = ShiftedBetaGeometric.fit(left=left)
    assert reason in str(fit.reason)
    assert fit.standard_errors is None
    assert np.isfinite(fit.curve(20)).all()
    with pytest.raises(InvalidValueError, match="a fit that converged"):
        fit.survival_interval([3])


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, InvalidTypeError, "data: expected a survival table or a cohort table"),
        ({"left": [10, 12]}, InvalidValueError, "left: expected no more members left than a period before"),
        ({"left": [10, -2]}, InvalidValueError, "left"),
        ({"left": [10, -1, 5]}, InvalidValueError, "at the end of a row only"),
        ({"left": [10.5, 3.0]}, InvalidTypeError, "left"),
        ({"left": [10]}, InvalidValueError, "somebody who was observed for a period"),
        ({"left": []}, InvalidValueError, "somebody who was observed for a period"),
        ({"left": [0, 0]}, InvalidValueError, "somebody"),
        ({"left": [[[3]]]}, InvalidTypeError, "left"),
        ({"left": [5, 3], "every": "month"}, InvalidTypeError, "every"),
    ],
)
def test_contracts_refuse_what_cannot_be(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        ShiftedBetaGeometric.fit(**options)


def test_contracts_end_with_whole_periods() -> None:
    for durations in ([0, 1], [1.5, 2.0]):
        with pytest.raises(InvalidValueError, match="events after whole periods, 1 or more"):
            ShiftedBetaGeometric.fit(SurvivalTable.from_durations(durations))
    with pytest.raises(InvalidValueError, match="times up to 10,000,000 periods"):
        ShiftedBetaGeometric.fit(SurvivalTable.from_durations([1, 10**9]))
    for t in ([0.5], [-1], [np.nan]):
        with pytest.raises(InvalidValueError, match="t: expected whole numbers of periods"):
            ShiftedBetaGeometric(alpha=1, beta=1).survival(t)
    for bad, match in (({"tenure": -1}, "tenure"), ({"discount": 0.1}, "discount")):
        with pytest.raises((InvalidValueError, InvalidTypeError), match=match):
            ShiftedBetaGeometric(alpha=1, beta=1).expected_periods(**bad)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="n_periods"):
        ShiftedBetaGeometric(alpha=1, beta=1).curve(0)

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta

import attrs
import numpy as np
import pendulum
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import Dated

FIRST, SECOND = date(2012, 1, 1), date(2014, 3, 1)
CAP = Dated({None: 40, FIRST: 200, SECOND: 500})
DAY = timedelta(days=1)


def test_a_value_is_in_force_from_its_date_until_the_day_before_the_next():
    assert [CAP.at(day) for day in (FIRST - DAY, FIRST, SECOND - DAY, SECOND, SECOND + DAY)] == [40, 200, 200, 500, 500]


def test_an_undated_first_value_holds_since_ever():
    assert CAP.at(date.min) == 40
    assert CAP.at(date.max) == 500


def test_a_value_that_never_changed_is_always_in_force():
    always = Dated.always(2_000)
    assert [always.at(day) for day in (date.min, FIRST, date.max)] == [2_000] * 3
    assert always == Dated([(None, 2_000)])


def test_before_the_first_date_there_is_no_value():
    dated = Dated([(FIRST, "on")])
    assert dated.at(FIRST) == "on"
    with pytest.raises(
        UnknownLabelError,
        match=r"^on: expected a date from 2012-01-01 on, got '2011-12-31'$",
    ) as caught:
        dated.at(FIRST - DAY)
    assert isinstance(caught.value, LookupError)


def test_the_earliest_date_may_be_given_and_asked():
    assert Dated([(date.min, 1), (FIRST, 2)]).at(date.min) == 1


def test_pairs_and_mappings_say_the_same():
    pairs = [(None, 40), [FIRST, 200], (SECOND, 500)]
    assert Dated(pairs) == Dated(tuple(pairs)) == Dated(pair for pair in pairs) == CAP  # type: ignore[arg-type]
    assert CAP.steps == ((None, 40), (FIRST, 200), (SECOND, 500))


def test_a_pendulum_date_is_a_date_and_is_kept_as_a_plain_one():
    dated = Dated([(pendulum.date(2012, 1, 1), 200)])
    assert type(dated.steps[0][0]) is date
    assert dated.at(pendulum.date(2012, 1, 1)) == 200


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2012, 1, 1, tzinfo=UTC),
        datetime(2012, 1, 1),  # noqa: DTZ001
        pendulum.datetime(2012, 1, 1, tz="Asia/Shanghai"),
        "2012-01-01",
        20120101,
        np.datetime64("2012-01-01"),
        None,
    ],
)
def test_a_day_is_neither_an_instant_nor_a_text(instant):
    with pytest.raises(InvalidTypeError, match=r"^on: expected a date without a time of day, got"):
        CAP.at(instant)


@pytest.mark.parametrize("instant", [datetime(2013, 1, 1, tzinfo=UTC), "2013-01-01", 2013])
def test_a_step_begins_on_a_day_with_its_row_named(instant):
    with pytest.raises(InvalidTypeError, match=r"^steps: expected a date without a time of day, got .* at row 1$"):
        Dated([(FIRST, 1), (instant, 2)])


def test_dates_increase():
    with pytest.raises(
        InvalidValueError, match=r"^steps: expected a date after 2014-03-01, got '2012-01-01' at row 2$"
    ):
        Dated([(None, 1), (SECOND, 2), (FIRST, 3)])
    with pytest.raises(
        InvalidValueError, match=r"^steps: expected a date after 2012-01-01, got '2012-01-01' at row 1$"
    ):
        Dated([(FIRST, 1), (FIRST, 2)])


def test_only_the_first_value_may_be_undated():
    with pytest.raises(
        InvalidValueError, match=r"^steps: expected a date on every pair but the first, got None at row 1$"
    ):
        Dated([(FIRST, 1), (None, 2)])
    with pytest.raises(
        InvalidValueError, match=r"^steps: expected a date on every pair but the first, got None at row 1$"
    ):
        Dated([(None, 1), (None, 2)])


@pytest.mark.parametrize("steps", [[], {}, ()])
def test_there_is_at_least_one_step(steps):
    with pytest.raises(InvalidValueError, match=r"^steps: expected at least one \(date, value\) pair, got \(\)$"):
        Dated(steps)


@pytest.mark.parametrize("steps", [500, None, "2012", FIRST])
def test_steps_are_pairs(steps):
    with pytest.raises(InvalidTypeError, match=r"^steps: expected \(date, value\) pairs, got"):
        Dated(steps)


@pytest.mark.parametrize("pair", [500, (FIRST,), (FIRST, 1, 2), "ab"])
def test_each_step_is_a_pair_with_its_row_named(pair):
    with pytest.raises(InvalidTypeError, match=r"^steps: expected \(date, value\) pairs, got .* at row 1$"):
        Dated([(None, 1), pair])


def test_it_is_equal_by_value_and_hashable_when_its_values_are():
    assert Dated([(FIRST, 1)]) == Dated({FIRST: 1})
    assert Dated([(FIRST, 1)]) != Dated([(SECOND, 1)])
    assert len({CAP, Dated(CAP.steps)}) == 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(Dated.always([]))


def test_it_is_frozen_slotted_and_survives_pickle_and_evolve():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        CAP.steps = ()  # type: ignore[misc]
    assert not hasattr(CAP, "__dict__")
    assert pickle.loads(pickle.dumps(CAP)) == CAP  # noqa: S301
    assert attrs.evolve(CAP) == CAP


def test_an_array_without_axes_holds_no_steps():
    with pytest.raises(InvalidTypeError, match=r"^steps: expected \(date, value\) pairs, got 5$"):
        Dated(np.array(5))  # type: ignore[arg-type]

from __future__ import annotations

import copy
import math
import pickle

import attrs
import numpy as np
import pytest

from shequn.entities import ContentKind
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.values import Mix


def test_a_mix_of_counts_is_the_share_of_each():
    assert Mix.of({"poll": 3, "lottery": 1}) == Mix({"lottery": 0.25, "poll": 0.75})
    assert Mix.of({"poll": 1e308, "lottery": 1e308}).shares == {"poll": 0.5, "lottery": 0.5}
    assert Mix.of({1: np.int64(3), 2: 0}).shares == {1: 1.0, 2: 0.0}


def test_a_taxonomy_names_a_kind_as_its_code_does():
    assert Mix({ContentKind.INTERACTIVE: 1}) == Mix({"interactive": 1.0})
    assert Mix({"interactive": 1}).shares[ContentKind.INTERACTIVE] == 1.0
    assert repr(Mix({ContentKind.INTERACTIVE: 1})) == "Mix(interactive 100.0%)"


@pytest.mark.parametrize("n", [1, 2, 4, 1_000])
@pytest.mark.parametrize("q", [0, 0.3, 1 - 1e-12, 1, 1 + 1e-12, 1.49, 1.51, 2, 300, math.inf])
def test_n_equal_kinds_are_effectively_n(n, q):
    assert Mix.of(dict.fromkeys(range(n), 1)).hill(q) == pytest.approx(n, rel=1e-12)


def test_the_orders_0_1_2_and_infinity_are_what_they_are_called():
    mix = Mix({"a": 0.5, "b": 0.25, "c": 0.25, "d": 0.0})
    assert mix.hill(0) == 3
    assert mix.hill(1) == pytest.approx(2**1.5)
    assert mix.entropy == pytest.approx(1.5 * math.log(2))
    assert mix.hill(2) == pytest.approx(1 / 0.375)
    assert mix.hill(math.inf) == pytest.approx(2)


@pytest.mark.parametrize("n", range(1, 40))
def test_the_order_zero_is_a_whole_number(n):
    assert Mix.of({kind: kind + 1 for kind in range(n)}).hill(0) == n


def test_one_kind_has_no_entropy_and_counts_as_one():
    assert (Mix({"a": 1}).entropy, Mix({"a": 1, "b": 0}).hill(1)) == (0.0, 1.0)
    assert math.copysign(1, Mix({"a": 1}).entropy) == 1


def test_the_distance_is_the_share_that_would_have_to_change_its_kind():
    assert Mix({"a": 0.7, "b": 0.3}).distance(Mix({"a": 0.4, "b": 0.6})) == 0.3
    assert Mix({"a": 1}).distance(Mix({"b": 1})) == 1
    assert Mix({"a": 1}).distance(Mix({"a": 1, "b": 0})) == 0


@pytest.mark.parametrize("over", [-2e-9, 2e-9])
def test_shares_sum_to_one_within_a_billionth(over):
    assert Mix({"a": 0.5, "b": 0.5 + over / 4}).shares["a"] == 0.5
    with pytest.raises(InvalidValueError, match=r"^shares: expected shares that sum to 1, got "):
        Mix({"a": 0.5, "b": 0.5 + over})


@pytest.mark.parametrize(
    ("shares", "error", "says"),
    [
        ({}, InvalidValueError, "^shares: expected at least one kind, got {}$"),
        ([0.5, 0.5], InvalidTypeError, "^shares: expected a mapping of kind to share, such as"),
        ({"a": 1.5, "b": -0.5}, InvalidValueError, r"^shares\['b'\]: expected a finite number of 0 or more, got -0.5$"),
        ({"a": math.nan}, InvalidValueError, r"^shares\['a'\]: expected a finite number"),
        ({"a": "all"}, InvalidTypeError, r"^shares\['a'\]: expected a number, got 'all'$"),
        ({"a": True}, InvalidTypeError, r"^shares\['a'\]: expected a number, got True$"),
        ({"": 1}, InvalidValueError, "^shares: expected kinds that are non-empty str, or int, got ''$"),
        ({None: 1}, InvalidTypeError, "^shares: expected kinds that are non-empty str, or int, got None$"),
        ({True: 1}, InvalidTypeError, "^shares: expected kinds that are non-empty str, or int, got True$"),
    ],
)
def test_shares_that_are_none_are_refused(shares, error, says):
    with pytest.raises(error, match=says):
        Mix(shares)


def test_a_mix_of_nothing_is_refused():
    with pytest.raises(InvalidValueError, match=r"^counts: expected an amount above 0, got {'a': 0.0}$"):
        Mix.of({"a": 0})
    with pytest.raises(InvalidValueError, match=r"^counts\['a'\]: expected a finite number of 0 or more, got -1$"):
        Mix.of({"a": -1})


@pytest.mark.parametrize(
    ("q", "error"), [(-1e-9, InvalidValueError), (math.nan, InvalidValueError), ("1", InvalidTypeError)]
)
def test_an_order_that_is_none_is_refused(q, error):
    with pytest.raises(error, match=r"^q: expected a number"):
        Mix({"a": 1}).hill(q)


def test_a_distance_is_one_from_a_mix():
    with pytest.raises(InvalidTypeError, match=r"^other: expected a Mix, got {'a': 1}$"):
        Mix({"a": 1}).distance({"a": 1})


def test_a_mix_is_a_value_that_does_not_change():
    given = {"a": 0.5, "b": 0.5}
    mix = Mix(given)
    given["a"] = 1
    assert mix.shares["a"] == 0.5
    with pytest.raises(TypeError):
        mix.shares["a"] = 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        mix.shares = {}
    assert len({mix, Mix({"b": 0.5, "a": 0.5}), attrs.evolve(mix)}) == 1
    assert mix != Mix({"a": 0.25, "b": 0.75})


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_copy_of_a_mix_is_the_same(duplicate):
    mix = Mix({"b": 0.5, "a": 0.5})
    assert duplicate(mix) == mix
    assert list(duplicate(mix).shares) == ["b", "a"]


def test_shares_whose_sum_is_infinite_are_refused():
    with pytest.raises(InvalidValueError, match="shares: expected shares that sum to 1, got inf"):
        Mix({"poll": 1e308, "lottery": 1e308})


def test_the_largest_orders_see_the_largest_share_alone():
    assert Mix({"poll": 0.35, "lottery": 0.33, "topic": 0.32}).hill(1.79e308) == pytest.approx(1 / 0.35)

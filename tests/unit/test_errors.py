"""What an error says."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import shequn as sq
from shequn.errors import (
    InfeasibleError,
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    UndecidedError,
    UnknownLabelError,
    counted,
    message,
    suggest,
)


def test_a_message_names_argument_expectation_value_row_and_how_many():
    text = message("at", "instants in [1900, 2262)", 99999999999999, row=17, bad=2, total=1000)
    assert text == "at: expected instants in [1900, 2262), got 99999999999999 at row 17 (2 of 1000 rows)"


def test_a_long_value_is_cut_to_eighty_characters():
    text = message("kind", "a kind", "x" * 500)
    assert text == f"kind: expected a kind, got '{'x' * 78}…"


def test_numbers_of_numpy_are_shown_as_plain_ones():
    assert message("n", "n >= 0", np.int64(-1)) == "n: expected n >= 0, got -1"
    assert message("n", "n >= 0", np.array([1, 2])) == "n: expected n >= 0, got array([1, 2])"


def test_an_unknown_label_shows_its_message_and_not_its_repr():
    assert str(UnknownLabelError("kind: expected a kind")) == "kind: expected a kind"
    assert str(UnknownLabelError()) == ""


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (InvalidValueError, ValueError),
        (MisalignedError, ValueError),
        (InfeasibleError, ValueError),
        (UndecidedError, ValueError),
        (InvalidTypeError, TypeError),
        (UnknownLabelError, KeyError),
    ],
)
def test_every_error_is_also_the_builtin_one_that_a_caller_expects(error, builtin):
    assert issubclass(error, sq.ShequnError)
    assert issubclass(error, builtin)


@pytest.mark.parametrize("kind", [InfeasibleError, UndecidedError])
def test_an_error_for_an_operator_speaks_both_languages_and_survives_a_pickle(kind):
    error = kind("sizes: too few", zh="规模：太少")
    for same in (error, pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):  # noqa: S301
        assert (str(same), same.en, same.zh) == ("sizes: too few", "sizes: too few", "规模：太少")
    assert kind("sizes: too few").zh == "sizes: too few"
    assert str(kind()) == ""


def test_one_is_singular_and_all_else_plural():
    assert [counted(n, "tie") for n in (0, 1, 2, 1_000)] == ["0 ties", "1 tie", "2 ties", "1,000 ties"]
    assert counted(2, "entry", "entries") == "2 entries"


def test_a_near_miss_is_suggested_and_a_far_one_is_not():
    assert suggest("Asia/Shangai", ["Asia/Shanghai", "UTC"]) == "; did you mean 'Asia/Shanghai'?"
    assert suggest("zzz", ["Asia/Shanghai"]) == ""

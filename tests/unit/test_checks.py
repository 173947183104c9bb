"""What every argument goes through: which values pass, what comes out, and what the refusal says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.stats import _checks as checks

SPAN, INSTANT = np.timedelta64(3, "s"), np.datetime64("2026-01-01")
ANY = (-1,)


def column(values, shape=ANY, **bounds):
    return checks.reals_column("x", values, shape, of="each member", **bounds)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (
            checks.whole,
            [0, -3, np.int8(3), np.uint64(2**63), 10**400],
            [True, np.True_, 1.0, np.float64(1), "1", None, SPAN],
        ),
        (checks.whole, [np.array(3)], [np.array([3, 4]), np.array(3.0)]),
        (checks.flag, [True, False, np.True_], [0, 1, np.int8(1), "yes", None, np.array([True])]),
        (checks.number, [0, 1.5, -3, np.float32(0.5), math.inf], [True, np.True_, "1", None, SPAN, INSTANT, 1j]),
        (lambda _, value: checks.level_in_unit(value), [0.5, np.float64(0.95), 1e-9], [True, "0.5", None]),
    ],
)
def test_what_a_single_value_may_be(check, good, bad):
    for value in good:
        found = check("x", value)
        assert found == value
        assert type(found) in {int, float, bool}
    for value in bad:
        with pytest.raises(InvalidTypeError, match=r"^(x|level): expected .*, got "):
            check("x", value)


def test_an_integer_is_neither_a_boolean_nor_a_span():
    assert [checks.is_integer(value) for value in (3, np.uint8(3), True, np.True_, SPAN, 3.0, "3", None)] == [
        True, True, False, False, False, False, False, False,
    ]  # fmt: skip
    assert checks.plain(SPAN) is SPAN
    assert checks.plain(INSTANT) is INSTANT
    assert type(checks.plain(np.int32(3))) is int


@pytest.mark.parametrize("level", [0, 1, 0.0, 1.0, -0.1, 1.1, math.nan])
def test_a_level_lies_strictly_between_0_and_1(level):
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1, both excluded"):
        checks.level_in_unit(level)


def test_a_number_that_no_float_holds_is_a_bad_value():
    with pytest.raises(InvalidValueError, match=r"^x: expected a share, got 1000"):
        checks.number("x", 10**400, expected="a share")


@pytest.mark.parametrize(
    ("ends", "excluding", "expected", "good", "bad"),
    [
        ((0, 1), "", "a number in [0, 1]", (0, 0.5, 1), (-1e-9, 1.1)),
        ((0, 1), "most", "a number in [0, 1)", (0, 0.5), (1, -1)),
        ((0, 1), "least", "a number in (0, 1]", (1e-9, 1), (0, 2)),
        ((2,), "", "a finite number of 2 or more", (2, 9e99), (1, math.inf)),
        ((2,), "least", "a finite number above 2", (2.1,), (2, 1)),
    ],
)
def test_a_number_between_two_ends(ends, excluding, expected, good, bad):
    assert [checks.number_between("x", value, *ends, excluding=excluding) for value in good] == list(good)
    for value in (*bad, math.nan, -math.inf):
        with pytest.raises(InvalidValueError) as caught:
            checks.number_between("x", value, *ends, excluding=excluding)
        assert str(caught.value).startswith(f"x: expected {expected}, got ")


def test_a_mapping_of_anything_and_a_text_are_no_items():
    assert checks.items_of("x", {}, expected="labels") == []
    assert checks.items_of("x", ("a",), expected="labels") == ["a"]
    for values in ({"a": 1}, {"a": 1, "b": 2}, "ab", b"ab", 3, None, np.array(3)):
        with pytest.raises(InvalidTypeError, match=r"^x: expected labels, got "):
            checks.items_of("x", values, expected="labels")


def test_an_option_is_one_of_its_words():
    assert checks.one_of("lang", "zh", ("en", "zh")) is None
    with pytest.raises(InvalidValueError, match=r"^lang: expected one of 'en', 'zh', got 'zhh'; did you mean 'zh'\?$"):
        checks.one_of("lang", "zhh", ("en", "zh"))
    with pytest.raises(InvalidTypeError, match=r"^lang: expected one of 'en', 'zh', got 3$"):
        checks.one_of("lang", 3, ("en", "zh"))


def test_columns_of_counts():
    assert checks.counts("x", np.array([3, 0], dtype=np.uint8)).dtype == np.int64
    assert checks.counts("x", np.array([2**63 - 1], dtype=np.uint64)).tolist() == [2**63 - 1]
    assert checks.counts("x", []).dtype == np.int64
    for values, got in (([1, -1], "-1 at row 1"), (np.array([2**63], dtype=np.uint64), "9223372036854775808 at row 0")):
        with pytest.raises(InvalidValueError, match=rf"^x: expected integers in \[0, 2\*\*63\), got {got}"):
            checks.counts("x", values)
    for values in ([1.0], [True], ["1"], [None], [[1], [2, 3]]):
        with pytest.raises(InvalidTypeError, match=r"^x: expected "):
            checks.counts("x", values)
    kept = checks.counts_column("x", [1, 5], (2,), of="each member", least=1, most=5)
    assert (kept.tolist(), kept.flags.writeable) == ([1, 5], False)
    assert checks.counts_column("x", kept, ANY, of="each member") is kept
    for values in ([0, 5], [1, 6]):
        with pytest.raises(InvalidValueError, match=r"^x: expected integers in \[1, 5\], got "):
            checks.counts_column("x", values, ANY, of="each member", least=1, most=5)
    for values in ([1], [[1, 2]], 1):
        with pytest.raises(MisalignedError, match=r"^x: expected one for each member, got 'an array of shape"):
            checks.counts_column("x", values, (2,), of="each member")


@pytest.mark.parametrize(
    ("bounds", "expected", "good", "bad"),
    [
        ({}, "finite numbers", [-1e300, 0.5], [math.inf]),
        ({"least": 0}, "finite numbers of 0 or more", [0, 9e99], [-1e-9]),
        ({"least": 0, "above": True}, "finite numbers above 0", [1e-9], [0]),
        ({"least": 0, "most": 1}, "numbers in [0, 1]", [0, 1], [1.1]),
        ({"least": 0, "most": 1, "above": True}, "numbers in (0, 1]", [1e-9, 1], [0]),
    ],
)
def test_columns_of_numbers(bounds, expected, good, bad):
    found = column(good, **bounds)
    assert (found.tolist(), found.dtype, found.flags.writeable) == (good, np.float64, False)
    assert column(found, **bounds) is found
    for values in (bad, [math.nan]):
        with pytest.raises(InvalidValueError) as caught:
            column([good[0], *values], **bounds)
        assert str(caught.value).startswith(f"x: expected {expected}, got ")
        assert "at row 1" in str(caught.value)


def test_whole_numbers_of_a_column_stay_whole_where_both_are_taken():
    assert column([1, 2], whole_too=True).dtype == np.int64
    assert column([1, 2.5], whole_too=True).dtype == np.float64
    assert column(np.array([2**63 - 1], dtype=np.uint64), whole_too=True).tolist() == [2**63 - 1]
    with pytest.raises(InvalidValueError, match=r"^x: expected finite numbers, got 9223372036854775808"):
        column(np.array([2**63], dtype=np.uint64), whole_too=True)
    assert column(np.array([2**63], dtype=np.uint64)).tolist() == [2.0**63]


def test_masked_entries_are_named():
    table = np.ma.MaskedArray([[1, 2], [3, 4], [5, 6]], mask=[[0, 0], [0, 1], [0, 0]])
    with pytest.raises(
        InvalidValueError, match=r"^x: expected rows without masked entries, got 'a masked one' at row 1$"
    ):
        checks.plain_array("x", table, expected="rows")
    whole = np.ma.MaskedArray([1, 2])
    assert checks.plain_array("x", whole, expected="rows").tolist() == [1, 2]


def test_the_first_bad_value_is_shown_with_its_row_and_how_many_rows_are_bad():
    values = np.array([[1, 2], [3, -4], [-5, -6]])
    with pytest.raises(InvalidValueError, match=r"^x: expected more, got -4 at row 1 \(2 of 3 rows\)$"):
        checks.refuse("x", "more", values, values < 0)
    with pytest.raises(InvalidValueError, match=r"^x: expected more, got -4$"):
        checks.refuse("x", "more", np.array(-4), np.array(True))


def test_shapes_that_do_not_fit_together_are_shown():
    assert [each.tolist() for each in checks.broadcast(a=np.array([1, 2]), b=np.array(4))] == [[1, 2], [4, 4]]
    with pytest.raises(
        InvalidValueError, match=r"^a, b: expected shapes that broadcast together, got \{'a': \(2,\), 'b': \(3,\)\}"
    ):
        checks.broadcast(a=np.zeros(2), b=np.zeros(3))


def test_what_a_generator_is_made_of():
    made = np.random.default_rng(3)
    assert checks.generator(made) is made
    assert checks.generator(3).integers(99) == np.random.default_rng(3).integers(99)
    for rng in (-1, "3", 1.5):
        with pytest.raises(InvalidTypeError, match=r"^rng: expected a seed of 0 or more, a SeedSequence"):
            checks.generator(rng)

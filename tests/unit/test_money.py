from __future__ import annotations

import operator
import pickle
from decimal import Decimal, localcontext
from fractions import Fraction

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.values import Money


def yuan(amount):
    return Money.of(amount, "CNY")


def minors(parts):
    return [part.minor for part in parts]


def test_one_hundred_thousand_yuan_of_a_99_yuan_course_takes_1011_sales():
    price, goal = yuan(99), yuan(100_000)
    assert price * 1_010 < goal <= price * 1_011


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.34", "CNY", 1_234),
        ("-0.05", "CNY", -5),
        ("+7", "CNY", 700),
        ("12.3400", "CNY", 1_234),
        (12, "CNY", 1_200),
        (np.int64(12), "CNY", 1_200),
        (Decimal("0.01"), "USD", 1),
        (Decimal("1E+3"), "USD", 100_000),
        ("500", "JPY", 500),
        ("500.0", "KRW", 500),
        (500, "VND", 500),
        ("1.234", "KWD", 1_234),
        ("1.234", "BHD", 1_234),
        ("1.2345", "CLF", 12_345),
        ("12345678901234567890123456789012345678.91", "CNY", 1234567890123456789012345678901234567891),
    ],
)
def test_an_amount_in_major_units_is_taken_exactly(amount, currency, minor):
    money = Money.of(amount, currency)
    assert (money.minor, type(money.minor), money.currency) == (minor, int, currency)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1_234, "CNY"), "12.34 CNY"),
        (Money(-5, "CNY"), "-0.05 CNY"),
        (Money(0, "CNY"), "0.00 CNY"),
        (Money(500, "JPY"), "500 JPY"),
        (Money(1_234, "KWD"), "1.234 KWD"),
        (Money(10**40, "CNY"), "1" + "0" * 38 + ".00 CNY"),
    ],
)
def test_an_amount_reads_with_all_the_decimals_of_its_currency(money, text):
    assert str(money) == text


def test_major_units_do_not_depend_on_the_decimal_context():
    money = Money(123_456_789, "CNY")
    with localcontext(prec=3):
        assert str(money.major) == "1234567.89"
        assert str(money) == "1234567.89 CNY"
        assert Money.of("1234567.89", "CNY") == money


def test_amounts_of_one_currency_add_subtract_and_multiply():
    assert yuan(3) + yuan(4) == yuan(7)
    assert yuan(3) - yuan(4) == yuan(-1)
    assert yuan(3) * 4 == 4 * yuan(3) == yuan(12)
    assert -yuan(3) == yuan(-3)
    assert abs(yuan(-3)) == abs(yuan(3)) == yuan(3)


def test_a_numpy_integer_multiplies_from_either_side():
    for product in (np.int64(3) * yuan(2), yuan(2) * np.int64(3)):
        assert product == yuan(6)
        assert type(product.minor) is int


def test_amounts_of_one_currency_compare():
    assert yuan(3) < yuan(4)
    assert yuan(3) <= yuan(3)
    assert yuan(4) > yuan(3)
    assert yuan(3) >= yuan(3)
    assert not yuan(3) < yuan(3)
    assert not yuan(3) > yuan(3)
    assert not yuan(4) <= yuan(3)
    assert not yuan(3) >= yuan(4)
    assert sorted([yuan(3), yuan(1), yuan(2)]) == [yuan(1), yuan(2), yuan(3)]


def test_equal_means_the_same_units_of_the_same_currency():
    assert Money(1, "CNY") == Money(1, "CNY")
    assert Money(1, "CNY") != Money(1, "USD")
    assert Money(1, "CNY") != 1  # type: ignore[comparison-overlap]
    assert len({Money(1, "CNY"), Money(1, "CNY"), Money(2, "CNY")}) == 2


def test_only_an_amount_of_zero_is_false():
    assert not Money(0, "CNY")
    assert Money(1, "CNY")
    assert Money(-1, "CNY")


def test_amounts_sum_by_the_built_in_and_by_total():
    amounts = [yuan(1), yuan(2), yuan(3)]
    assert sum(amounts) == yuan(6)
    assert Money.total(iter(amounts), "CNY") == yuan(6)
    assert Money.total([], "JPY") == Money(0, "JPY")


@pytest.mark.parametrize(
    "mix",
    [
        operator.add,
        operator.sub,
        operator.lt,
        operator.le,
        operator.gt,
        operator.ge,
        pytest.param(lambda a, b: sum([a, b]), id="sum"),
        pytest.param(lambda a, b: Money.total([a, b], "CNY"), id="total"),
    ],
)
def test_currencies_do_not_mix(mix):
    with pytest.raises(
        InvalidValueError,
        match=r"^other: expected Money in CNY, got Money\(minor=1, currency='USD'\)$",
    ):
        mix(Money(1, "CNY"), Money(1, "USD"))
    with pytest.raises(InvalidTypeError, match=r"^other: expected Money in CNY, got 1$"):
        mix(Money(1, "CNY"), 1)


def test_nothing_but_the_zero_that_sum_starts_from_adds_from_the_left():
    assert 0 + yuan(1) == yuan(1)
    for other in (1, 0.0, False):
        with pytest.raises(InvalidTypeError, match=r"^other: expected Money in CNY, got"):
            other + yuan(1)


@pytest.mark.parametrize("factor", [0.5, "2", True, Decimal(2), np.float64(0.25), Fraction(1, 2)])
def test_a_product_takes_whole_numbers_only(factor):
    with pytest.raises(InvalidTypeError, match=r"^factor: expected an integer, got"):
        yuan(3) * factor
    with pytest.raises(InvalidTypeError, match=r"^factor: expected an integer, got"):
        factor * yuan(3)


def test_an_array_does_not_multiply_an_amount():
    for multiply in (lambda: np.array([1, 2]) * yuan(1), lambda: yuan(1) * np.array([1, 2])):
        with pytest.raises(InvalidTypeError, match=r"^factor: expected an integer, got array\(\[1, 2\]\)$"):
            multiply()


@pytest.mark.parametrize("minor", [1.0, "1", None, True, np.bool_(True), np.float64(2), Decimal(1)])
def test_minor_units_are_integers(minor):
    with pytest.raises(InvalidTypeError, match=r"^minor: expected an integer, got"):
        Money(minor, "CNY")


@pytest.mark.parametrize("currency", ["cny", "CN", "CNYY", "C1Y", "CNY\n", "\uff23\uff2e\uff39", ""])
def test_a_currency_is_three_upper_case_letters(currency):
    with pytest.raises(InvalidValueError, match=r"^currency: expected three upper-case letters \(ISO 4217\), got"):
        Money(1, currency)
    with pytest.raises(InvalidValueError, match=r"^currency: expected three upper-case letters \(ISO 4217\), got"):
        Money.of("1", currency)


def test_a_currency_is_a_str():
    with pytest.raises(
        InvalidTypeError,
        match=r"^currency: expected a str of three upper-case letters \(ISO 4217\), got 156$",
    ):
        Money(1, 156)  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [12.34, np.float32(1), 0.0])
def test_a_float_amount_is_refused_because_it_is_not_exact(amount):
    with pytest.raises(
        InvalidTypeError, match=r"^amount: expected a str, int or Decimal \(a float is not exact\), got"
    ):
        Money.of(amount, "CNY")


@pytest.mark.parametrize("amount", [None, True, [1], Fraction(1, 2)])
def test_an_amount_of_another_type_is_refused(amount):
    with pytest.raises(InvalidTypeError, match=r"^amount: expected a str, int or Decimal, got"):
        Money.of(amount, "CNY")


@pytest.mark.parametrize(
    "amount", ["", "1,234.50", "¥12", "1e3", " 1", "1_000", "1.", ".5", "NaN", "\uff11\uff12", "1\n"]
)
def test_text_that_is_not_a_plain_number_is_refused(amount):
    with pytest.raises(
        InvalidValueError, match=r"^amount: expected digits with an optional sign and decimal point, got"
    ):
        Money.of(amount, "CNY")


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "0E-999999"])
def test_a_decimal_that_is_not_finite_or_absurdly_long_is_refused(amount):
    with pytest.raises(InvalidValueError, match=r"^amount: expected a finite number of at most 100 digits, got"):
        Money.of(Decimal(amount), "CNY")


@pytest.mark.parametrize(("amount", "currency", "digits"), [("1.234", "CNY", 2), ("1.5", "JPY", 0)])
def test_more_decimals_than_the_currency_has_are_refused(amount, currency, digits):
    with pytest.raises(
        InvalidValueError,
        match=rf"^amount: expected at most {digits} decimals for {currency}, got '{amount}'$",
    ):
        Money.of(amount, currency)


def test_one_hundred_yuan_in_three():
    assert minors(yuan(100).split(3)) == [3_334, 3_333, 3_333]
    assert minors(yuan(-100).split(3)) == [-3_334, -3_333, -3_333]


def test_seats_of_the_textbook_election_by_largest_remainder():
    # The worked Hare quota example of the English Wikipedia's "Quota method": 100,000 votes, 10 seats.
    votes = [47_000, 16_000, 15_900, 12_000, 6_000, 3_100]
    assert minors(Money(10, "XXX").split(votes)) == [5, 2, 1, 1, 1, 0]


def test_equal_fractions_go_to_the_earlier_part():
    assert minors(Money(2, "CNY").split([1, 1, 1, 1])) == [1, 1, 0, 0]
    assert minors(Money(1, "CNY").split([0, 2, 0, 2])) == [0, 1, 0, 0]


def test_amounts_beyond_the_exact_floats_split_exactly():
    amount = 2**60 + 1
    parts = minors(Money(amount, "CNY").split([0.1, 0.2, 0.7]))
    assert sum(parts) == amount
    exact = [Fraction(w) * amount / sum(map(Fraction, (0.1, 0.2, 0.7))) for w in (0.1, 0.2, 0.7)]
    assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))


@pytest.mark.parametrize(
    "weights",
    [
        [3, 1],
        (3.0, 1.0),
        [Fraction(3, 4), Fraction(1, 4)],
        [Decimal("0.75"), Decimal("0.25")],
        np.array([3, 1]),
        np.array([0.75, 0.25], dtype=np.float32),
        (w for w in (3, 1)),
        [3, Fraction(1)],
    ],
)
def test_weights_of_every_kind_give_the_same_split(weights):
    assert minors(Money(10, "CNY").split(weights)) == [8, 2]


def test_a_split_keeps_the_currency_and_gives_plain_integers():
    for part in Money(10, "JPY").split(np.int64(3)):
        assert part.currency == "JPY"
        assert type(part.minor) is int


@pytest.mark.parametrize("parts", [0, -1])
def test_a_split_has_at_least_one_part(parts):
    with pytest.raises(InvalidValueError, match=rf"^into: expected a number of parts in .*, got {parts}$"):
        yuan(1).split(parts)


@pytest.mark.parametrize("weights", [[], [0], [0.0, Fraction(0)]])
def test_a_split_has_at_least_one_weight_above_zero(weights):
    with pytest.raises(InvalidValueError, match=r"^into: expected at least one weight above 0, got \["):
        yuan(1).split(weights)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (-1, "weights of 0 or more"),
        (-0.5, "weights of 0 or more"),
        (float("nan"), "finite weights"),
        (float("-inf"), "finite weights"),
        (np.float64("inf"), "finite weights"),
    ],
)
def test_a_weight_that_cannot_be_shared_by_is_refused_with_its_row(weight, expected):
    with pytest.raises(InvalidValueError, match=rf"^into: expected {expected}, got .* at row 1$"):
        yuan(1).split([1, weight])


def test_a_decimal_weight_is_finite_and_of_sensible_length():
    with pytest.raises(InvalidValueError, match=r"^into: expected a finite number of at most 100 digits, got"):
        yuan(1).split([Decimal("NaN")])


@pytest.mark.parametrize("weight", ["1", None, True, 1j, [1]])
def test_a_weight_that_is_no_number_is_refused_with_its_row(weight):
    with pytest.raises(InvalidTypeError, match=r"^into: expected weights that are numbers, got .* at row 0$"):
        yuan(1).split([weight])


@pytest.mark.parametrize("into", [2.0, None, "12", {1: 2, 2: 3}, {1, 2}, np.array(3.0)])
def test_what_has_no_ordered_weights_is_refused(into):
    with pytest.raises(InvalidTypeError, match=r"^into: expected a number of parts, or one weight a part, got"):
        yuan(1).split(into)


def test_a_boolean_is_not_a_number_of_parts():
    with pytest.raises(InvalidTypeError, match=r"^into: expected an integer, got True$"):
        yuan(1).split(True)


def test_an_amount_is_frozen_slotted_and_survives_pickle_and_evolve():
    money = yuan(1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        money.minor = 2
    assert not hasattr(money, "__dict__")
    assert pickle.loads(pickle.dumps(money)) == money  # noqa: S301
    assert attrs.evolve(money, minor=5) == Money(5, "CNY")
    assert repr(money) == "Money(minor=100, currency='CNY')"

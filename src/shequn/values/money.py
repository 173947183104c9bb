"""Amounts of money that never lose a 分: whole minor units of one currency, and splits that add up exactly."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import SupportsIndex, TypeAlias, cast

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import plain, whole

__all__ = ["Money"]

Weight: TypeAlias = int | float | Fraction | Decimal

_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_CURRENCY_CODE = re.compile(r"[A-Z]{3}")
_MOST_PARTS = 10_000_000
_MOST_DIGITS = 100
_USUAL_EXPONENT = 2
_OTHER_EXPONENTS = MappingProxyType(
    {
        currency: digits
        for digits, currencies in (
            (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
            (3, "BHD IQD JOD KWD LYD OMR TND"),
            (4, "CLF UYW"),
        )
        for currency in currencies.split()
    }
)


def _minor_units(minor: SupportsIndex) -> int:
    return whole("minor", minor)


def _currency_code(currency: str) -> str:
    if not isinstance(currency, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("currency", "a str of three upper-case letters (ISO 4217)", currency))
    if not _CURRENCY_CODE.fullmatch(currency):
        raise InvalidValueError(message("currency", "three upper-case letters (ISO 4217)", currency))
    return str(currency)


@attrs.frozen
class Money(Doors):
    """A whole number of minor units of one currency.

    Sums and differences stay in one currency, products take whole numbers, and a share is cut with `split`, which loses
    nothing. Amounts compare within one currency only; an amount equals another when units and currency are equal. An
    amount of zero is false.

    Parameters
    ----------
    minor : int
        Minor units, of any size and sign: 分 for CNY, yen for JPY, fils for KWD.
    currency : str
        ISO 4217 code, three upper-case letters.

    Raises
    ------
    InvalidTypeError
        If `minor` is not an integer or `currency` not a str; later, if an operand is not what the operation takes.
    InvalidValueError
        If `currency` is not three upper-case letters; later, if an operand is in another currency.

    References
    ----------
    ISO 4217, table A.1, for the number of minor digits.

    Examples
    --------
    >>> price = Money(9_900, "CNY")
    >>> print(price * 1_011)
    100089.00 CNY
    >>> price < Money.of(100, "CNY")
    True
    """

    minor: int = attrs.field(converter=_minor_units)
    currency: str = attrs.field(converter=_currency_code)

    # NumPy numbers then leave `number * money` to this class instead of making an object array.
    __array_ufunc__ = None

    @classmethod
    def of(cls, amount: str | SupportsIndex | Decimal, currency: str) -> Money:
        """Return the amount written in major units, exactly.

        Parameters
        ----------
        amount : str, int or Decimal
            Major units, such as ``"12.34"``: digits with an optional sign and decimal point. A float is refused, since
            0.1 is not one tenth.
        currency : str
            ISO 4217 code.

        Returns
        -------
        Money
            The amount.

        Raises
        ------
        InvalidTypeError
            If `amount` is a float or of another type.
        InvalidValueError
            If `amount` is not a plain finite number, or has more decimals than the currency.

        Examples
        --------
        >>> Money.of("12.34", "CNY")
        Money(minor=1234, currency='CNY')
        >>> Money.of(500, "JPY")
        Money(minor=500, currency='JPY')
        """
        digits = _exponent(_currency_code(currency))
        minor = _exact_decimal(amount) * 10**digits
        if minor.denominator != 1:
            raise InvalidValueError(message("amount", f"at most {digits} decimals for {currency}", amount))
        return cls(minor.numerator, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """Return the sum of amounts in one currency, zero when there are none.

        Parameters
        ----------
        amounts : iterable of Money
            Amounts, all in `currency`.
        currency : str
            ISO 4217 code, so that an empty sum has one too.

        Returns
        -------
        Money
            The sum.

        Raises
        ------
        InvalidTypeError
            If an item is not a Money.
        InvalidValueError
            If an amount is in another currency.

        Examples
        --------
        >>> print(Money.total([], "CNY"))
        0.00 CNY
        """
        zero = cls(0, currency)
        return cls(sum(zero._minor_of(amount) for amount in amounts), currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, exactly.

        Examples
        --------
        >>> Money(-5, "CNY").major
        Decimal('-0.05')
        """
        # Built from its digits: arithmetic would round to the precision of the caller's decimal context.
        sign, digits, _ = Decimal(self.minor).as_tuple()
        return Decimal((sign, digits, -_exponent(self.currency)))

    def split(self, into: SupportsIndex | Iterable[Weight], /) -> tuple[Money, ...]:
        """Cut the amount into parts that add up to it exactly.

        Parameters
        ----------
        into : int or iterable of numbers
            How many equal parts, or one weight a part: ints, fractions, decimals or floats (each taken for the exact
            number it stores), 0 or more, not all 0.

        Returns
        -------
        tuple of Money
            One amount a part, in the given order.

        Raises
        ------
        InvalidTypeError
            If `into` is neither, or a weight is not a number.
        InvalidValueError
            If there are no parts, a weight is negative, NaN or infinite, or all weights are 0.

        Notes
        -----
        Largest remainder: each part gets the whole units of its exact share, and the units left over go one each to the
        largest fractions, the earlier part first among equal ones. So a part is less than one unit away from its exact
        share, a weight of 0 gets nothing, and a negative amount splits as the positive one with the sign turned. It is
        all done in integers.

        Examples
        --------
        >>> [str(part) for part in Money.of("100", "CNY").split(3)]
        ['33.34 CNY', '33.33 CNY', '33.33 CNY']
        >>> [part.minor for part in Money(10, "CNY").split([0.5, 0.25, 0.25])]
        [5, 3, 2]
        """
        parts = _largest_remainder(abs(self.minor), _whole_weights(into))
        sign = -1 if self.minor < 0 else 1
        return tuple(Money(sign * part, self.currency) for part in parts)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._minor_of(other), self.currency)

    def __radd__(self, other: int) -> Money:
        # The built-in `sum` starts from the int 0.
        if type(other) is int and other == 0:
            return self
        raise InvalidTypeError(message("other", f"Money in {self.currency}", other))

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._minor_of(other), self.currency)

    def __mul__(self, factor: SupportsIndex) -> Money:
        return Money(self.minor * whole("factor", factor), self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._minor_of(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._minor_of(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._minor_of(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._minor_of(other)

    def __str__(self) -> str:
        """Return the amount in major units with all its decimals, then the currency."""
        return f"{self.major:f} {self.currency}"

    def _minor_of(self, other: object) -> int:
        if not isinstance(other, Money):
            raise InvalidTypeError(message("other", f"Money in {self.currency}", other))
        if other.currency != self.currency:
            raise InvalidValueError(message("other", f"Money in {self.currency}", other))
        return other.minor


def _exponent(currency: str) -> int:
    return _OTHER_EXPONENTS.get(currency, _USUAL_EXPONENT)


def _exact_decimal(amount: object) -> Fraction:
    number = amount
    if isinstance(number, str):
        if not _PLAIN_NUMBER.fullmatch(number):
            raise InvalidValueError(message("amount", "digits with an optional sign and decimal point", amount))
        number = Decimal(number)
    if isinstance(number, Decimal):
        return _fraction_of("amount", number)
    if isinstance(number, (float, np.floating)):
        raise InvalidTypeError(message("amount", "a str, int or Decimal (a float is not exact)", amount))
    try:
        return Fraction(whole("amount", number))
    except InvalidTypeError:
        raise InvalidTypeError(message("amount", "a str, int or Decimal", amount)) from None


def _fraction_of(argument: str, number: Decimal) -> Fraction:
    # A decimal such as 1E+999999999 is short to write and would fill the memory as a whole number.
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_MOST_DIGITS or number.adjusted() > _MOST_DIGITS:
        raise InvalidValueError(message(argument, f"a finite number of at most {_MOST_DIGITS} digits", number))
    return Fraction(number)


def _whole_weights(into: object) -> list[int]:
    """Return whole numbers in the proportion of the weights, ones for a number of equal parts."""
    if isinstance(plain(into), int):
        parts = whole("into", into)
        if not 1 <= parts <= _MOST_PARTS:
            raise InvalidValueError(message("into", f"a number of parts in [1, {_MOST_PARTS:,}]", parts))
        return [1] * parts
    if not _is_ordered(into):
        raise InvalidTypeError(message("into", "a number of parts, or one weight a part", into))
    weights = [_weight(weight, row) for row, weight in enumerate(cast("Iterable[object]", into))]
    if not any(weights):
        raise InvalidValueError(message("into", "at least one weight above 0", weights))
    common = math.lcm(*(weight.denominator for weight in weights))
    return [weight.numerator * (common // weight.denominator) for weight in weights]


def _is_ordered(into: object) -> bool:
    # The keys of a mapping would pass for weights, and a set has no order to give the parts in.
    if isinstance(into, (str, Mapping, Set)) or (isinstance(into, np.ndarray) and into.ndim == 0):
        return False
    return isinstance(into, Iterable)


def _weight(weight: object, row: int) -> Fraction:
    number = plain(weight)
    if isinstance(number, bool) or not isinstance(number, (int, float, Fraction, Decimal)):
        raise InvalidTypeError(message("into", "weights that are numbers", weight, row=row))
    if isinstance(number, Decimal):
        exact = _fraction_of("into", number)
    elif isinstance(number, float) and not math.isfinite(number):
        raise InvalidValueError(message("into", "finite weights", weight, row=row))
    else:
        exact = Fraction(number)
    if exact < 0:
        raise InvalidValueError(message("into", "weights of 0 or more", weight, row=row))
    return exact


def _largest_remainder(amount: int, weights: list[int]) -> list[int]:
    """Share out whole units in proportion to whole weights, the rest to the largest remainders."""
    total = sum(weights)
    shares, remainders = zip(*(divmod(amount * weight, total) for weight in weights), strict=True)
    parts = list(shares)
    by_remainder = sorted(range(len(parts)), key=lambda part: -remainders[part])
    for part in by_remainder[: amount - sum(parts)]:
        parts[part] += 1
    return parts

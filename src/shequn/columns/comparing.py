"""How is a column compared with a value? Exactly, and with a third answer where the value is missing."""

from __future__ import annotations

import math
import operator as op
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Coded
from shequn.labels.encode import is_null
from shequn.stats._checks import plain
from shequn.values import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from shequn._typing import BoolArray
    from shequn.columns.extra import ExtraColumn

__all__ = [
    "COMPARISONS",
    "INT64",
    "N_OPERANDS",
    "ORDERINGS",
    "Operand",
    "Operator",
    "checked_operands",
    "compare_numbers",
    "compare_one",
    "joined_truth",
    "missing",
    "typed",
]

Operand: TypeAlias = str | int | float
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "between", "isin", "is_missing"]

COMPARISONS: tuple[str, ...] = ("==", "!=", "<", "<=", ">", ">=")
ORDERINGS: tuple[str, ...] = ("<", "<=", ">", ">=", "between")
N_OPERANDS: Mapping[str, int] = MappingProxyType(dict.fromkeys(COMPARISONS, 1) | {"between": 2, "is_missing": 0})

_MOST_BITS = 1024  # no float is larger than an integer of so many
_FEW = 16  # values that are compared one after the other
_WIDE = 1 << 20  # integers up to here may have a table
_BLOCK = 1 << 14
_BEYOND = 1 << 64  # outside the integers of a column
INT64 = range(-(2**63), 2**63)


def checked_operands(
    operator: Operator,
    operands: Iterable[object],
    *,
    locate: Callable[[int], str],
    about_nothing: str = ".is_missing()",
) -> tuple[Operand, ...]:
    """Return what a column is compared with, as plain text and numbers.

    `locate` names the one at a place, and `about_nothing` is the question to ask where somebody compares with nothing.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An operand is neither text nor a number, text is asked for an order, bounds are the wrong way round, or the
        values of `isin` are of both types.

    Examples
    --------
    >>> checked_operands("isin", ["b", "a", "b"], locate=str)
    ('a', 'b')
    """
    given = [_plain_operand(value, operator, locate(place), about_nothing) for place, value in enumerate(operands)]
    if operator == "between" and cast("float", given[0]) > cast("float", given[1]):
        raise InvalidValueError(message(locate(1), f"an upper end not below the lower one ({given[0]!r})", given[1]))
    if operator == "isin":
        first = given[0] if given else None
        for place, value in enumerate(given):
            if isinstance(value, str) is not isinstance(first, str):
                raise InvalidTypeError(message(locate(place), f"all text or all numbers, as {first!r}", value))
        given = [value for _, value in sorted({(type(v).__name__, v) for v in given}, key=_by_value)]
    return tuple(given)


def _by_value(named: tuple[str, Any]) -> tuple[Any, str]:
    return named[1], named[0]


def _plain_operand(value: object, operator: Operator, argument: str, about_nothing: str) -> Operand:
    """Return what a column is compared with, as plain text or a plain number."""
    number = plain(value)
    if isinstance(number, str):
        if operator in ORDERINGS:
            raise InvalidTypeError(message(argument, f"a number to ask {operator!r} of", value) + "; text has no order")
        return str.__str__(number)
    if isinstance(number, bool):
        return number
    if isinstance(number, int):
        if number.bit_length() > _MOST_BITS:
            got = f"one of {number.bit_length()} bits"
            raise InvalidValueError(message(argument, f"an integer of at most {_MOST_BITS} bits", got))
        return int(number)
    if isinstance(number, float) and not math.isnan(number):
        return float(number)
    error = InvalidValueError if isinstance(number, float) else InvalidTypeError
    expected = "a number" if operator in ORDERINGS else "text or a number"
    raise error(message(argument, f"{expected} to compare with", value) + _hint(value, about_nothing))


def _hint(value: object, about_nothing: str) -> str:
    if isinstance(value, Money):
        return f"; give minor units as an int, as in {value.minor}"
    if isinstance(value, Decimal):
        return "; give money in minor units (分) as an int"
    if getattr(value, "is_compared", False):
        return "; a column is compared with a value, and not with another column"
    return f"; ask `{about_nothing}`" if is_null(value) else ""


def typed(operands: tuple[Operand, ...]) -> tuple[tuple[type, Operand], ...]:
    """Tell 1 from 1.0 and from True: only the first is a label."""
    return tuple((type(operand), operand) for operand in operands)


def missing(column: ExtraColumn) -> BoolArray:
    """Return where a column holds nothing.

    Examples
    --------
    >>> missing(np.array([1.0, np.nan])).tolist()
    [False, True]
    """
    if isinstance(column, Coded):
        return column.codes < 0
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=np.bool_)


def compare_numbers(column: NDArray[Any], operator: Operator, operands: tuple[float, ...]) -> BoolArray:
    """Compare by exact value; NaN is never true. ``!=`` is answered as ``==``, for the caller to negate.

    Against a number that the column's type does not hold, each bound moves to the nearest one it does hold that
    makes no difference: x < 2.5 is x < 3 of integers. NumPy would round instead.
    """
    bounds = [_neighbours(number, column.dtype) for number in operands]
    if operator == "between":
        (_, low), (high, _) = bounds
        true: BoolArray = column >= low
        true &= column <= high
        return true
    if operator in {"==", "!=", "isin"}:
        equal = [below for below, above in bounds if below == above and _holds(below, column.dtype)]
        if len(equal) == 1:
            return cast("BoolArray", column == equal[0])
        return _is_any(column, np.array(equal, dtype=column.dtype))
    [(below, above)] = bounds
    compare, bound = {"<": (op.lt, above), "<=": (op.le, below), ">": (op.gt, below), ">=": (op.ge, above)}[operator]
    return cast("BoolArray", compare(column, bound))


def _is_any(column: NDArray[Any], values: NDArray[Any]) -> BoolArray:
    """Return where a column holds one of some values; block by block, as each is looked at several times."""
    found = np.zeros(len(column), dtype=np.bool_)
    low, high = (0, 0) if not len(values) else (values.min().item(), values.max().item())
    is_narrow = column.dtype.kind == "i" and -_WIDE < low <= high < _WIDE and high - low < len(column)
    table = np.isin(np.arange(low - 1, high + 2), values) if is_narrow and len(values) > _FEW else None
    for start in range(0, len(column), _BLOCK):
        part, here = column[start : start + _BLOCK], found[start : start + _BLOCK]
        if len(values) <= _FEW:
            for value in values:
                here |= part == value
        elif table is not None:
            # Whatever lies outside falls on the first or the last place, which are False; a narrow type may lack them.
            table.take(np.clip(part.astype(np.intp, copy=False), low - 1, high + 1) - (low - 1), out=here, mode="clip")
        else:
            here[...] = np.isin(part, values)
    return found


def _neighbours(number: float, dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the largest number of a column's type that is not above `number`, and the smallest not below it.

    For integers both may be beyond their type, which NumPy compares as they are.
    """
    if dtype.kind == "i":
        if isinstance(number, float) and math.isinf(number):
            beyond = _BEYOND if number > 0 else -_BEYOND
            return beyond, beyond
        return math.floor(number), math.ceil(number)
    try:
        nearest = float(number)
    except OverflowError:
        nearest = math.inf if number > 0 else -math.inf
    # Python compares an integer with a float by value, of whatever size.
    below = nearest if nearest <= number else math.nextafter(nearest, -math.inf)
    above = nearest if nearest >= number else math.nextafter(nearest, math.inf)
    return below, above


def _holds(number: float, dtype: np.dtype[Any]) -> bool:
    if dtype.kind != "i":
        return True
    of_type = np.iinfo(dtype)
    return of_type.min <= number <= of_type.max


def compare_one(value: Operand, operator: Operator, operands: tuple[Operand, ...]) -> bool:
    """Compare one value, which is there, as `compare_numbers` compares a column.

    Examples
    --------
    >>> compare_one(2, "between", (1, 3)), compare_one("tea", "isin", ("cup",))
    (True, False)
    """
    number: Any = value
    bounds: tuple[Any, ...] = operands
    if operator == "between":
        answer: bool = bounds[0] <= number <= bounds[1]
        return answer
    if operator == "isin":
        return any(number == bound for bound in bounds)
    compare = {"==": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}[operator]
    return bool(compare(number, bounds[0]))


def joined_truth(operator: Literal["and", "or", "not"], parts: Iterable[bool | None]) -> bool | None:
    """Combine answers of which some may be unknown (Kleene's logic, as SQL's).

    Examples
    --------
    >>> joined_truth("and", [True, None]), joined_truth("or", [True, None]), joined_truth("not", [None])
    (None, True, None)
    """
    answers = list(parts)
    if operator == "not":
        return None if answers[0] is None else not answers[0]
    settles = operator == "or"
    if any(answer is settles for answer in answers):
        return settles
    return None if any(answer is None for answer in answers) else not settles

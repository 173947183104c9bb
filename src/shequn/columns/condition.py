"""Which rows of a log does a definition mean, said as data and not as code?

``row("value") >= 100`` is a value: it can be compared, kept in a set, pickled and written as JSON, and it is applied to
a log later. Logic has three values, as in SQL: what is asked of a missing value is neither true nor false but unknown,
the negation of unknown is unknown, and a row counts only where the whole is true.
"""

from __future__ import annotations

import math
import operator as op
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias, cast

import attrs
import numpy as np

from shequn.columns.log import EventLog
from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, message, suggest
from shequn.labels import Coded, Index
from shequn.labels.encode import is_null
from shequn.stats._checks import instance, items_of, one_of, plain
from shequn.values import Money

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray
    from shequn.columns.extra import ExtraColumn

__all__ = ["RowColumn", "RowCondition", "row"]

Operand: TypeAlias = str | int | float
Number: TypeAlias = float | np.integer[Any] | np.floating[Any]

_DEEPEST = 64
_MOST_SHOWN = 10
_MOST_BITS = 1024  # no float is larger than an integer of so many
_BEYOND = 1 << 64  # outside the integers of a column
_INT64 = range(-(2**63), 2**63)
_IN_PARENTHESES = "; put each comparison in parentheses: (row('value') >= 100) & (row('item') == 'a')"


def row(name: str) -> RowColumn:
    """Return a column of the rows to come, to ask something of.

    Parameters
    ----------
    name : str
        A column of the log: member, kind, value, target, group, item or an extra.

    Returns
    -------
    RowColumn
        What it is compared with makes a `RowCondition`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `name` is no str, or an empty one.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "cy"], kind="purchase", at=[0, 1, 2], time_unit="s", value=[50, 100, None]
    ... )
    >>> (row("value") >= 100).mask(log).tolist()
    [False, True, False]
    """
    return RowColumn(name=name)


def _column_name(name: str) -> str:
    instance("row", name, str, expected="the name of a column")
    if not name:
        raise InvalidValueError(message("row", "the name of a column", name))
    return str.__str__(name)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RowColumn:
    """A column by name; a comparison with it gives a `RowCondition`.

    Since ``==`` makes a condition, two of these cannot be asked whether they are the same, and none can be a key of a
    dict or stand in a set: compare the `name` instead.

    Attributes
    ----------
    name : str
        Name of the column.

    Examples
    --------
    >>> row("channel") == "抖音"
    row('channel') == '抖音'
    """

    name: str = attrs.field(converter=_column_name)

    # NumPy numbers then leave `number <= column` to this class.
    __array_ufunc__ = None

    def __eq__(self, other: object) -> RowCondition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the condition that a row holds this label or number."""
        return self._compared("==", other)

    def __ne__(self, other: object) -> RowCondition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the condition that a row holds another label or number than this; a missing one is no other."""
        return self._compared("!=", other)

    def __lt__(self, other: Number) -> RowCondition:
        """Return the condition that a row's number is less."""
        return self._compared("<", other)

    def __le__(self, other: Number) -> RowCondition:
        """Return the condition that a row's number is this or less."""
        return self._compared("<=", other)

    def __gt__(self, other: Number) -> RowCondition:
        """Return the condition that a row's number is more."""
        return self._compared(">", other)

    def __ge__(self, other: Number) -> RowCondition:
        """Return the condition that a row's number is this or more."""
        return self._compared(">=", other)

    __hash__ = None  # type: ignore[assignment]

    def isin(self, values: Iterable[Operand] | ArrayLike, /) -> RowCondition:
        """Return the condition that a row holds one of these labels or numbers; of none, no row does.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `values` is one text or no collection, mixes text and numbers, or holds something missing.

        Examples
        --------
        >>> row("item").isin(["tea", "cup"])
        row('item').isin(['cup', 'tea'])
        """
        return self._compared("isin", *items_of(f"{self!r}.isin", values, expected="a collection of labels or numbers"))

    def between(self, low: Number, high: Number, /) -> RowCondition:
        """Return the condition that a row's number lies in [low, high], both included.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            One of them is no number, or `high` is below `low`.

        Examples
        --------
        >>> row("value").between(1, 5)
        row('value').between(1, 5)
        """
        return self._compared("between", low, high)

    def is_missing(self) -> RowCondition:
        """Return the condition that a row holds nothing (NaN, no label): the one that sees a missing value.

        Examples
        --------
        >>> ~row("group").is_missing()
        ~row('group').is_missing()
        """
        return self._compared("is_missing")

    def _compared(self, operator: str, *operands: object) -> RowCondition:
        return _tested(self.name, operator, operands, locate=lambda _: repr(self))

    def __bool__(self) -> bool:
        """Refuse: a column is neither true nor false."""
        raise InvalidTypeError(f"{self!r} is a column and no condition; compare it with something")

    def _no_condition(self, _other: object = None) -> NoReturn:
        raise InvalidTypeError(f"{self!r} is a column and no condition{_IN_PARENTHESES}")

    __and__ = __rand__ = __or__ = __ror__ = __invert__ = _no_condition

    def __repr__(self) -> str:
        """Show the source."""
        return f"row({self.name!r})"


class RowCondition(ABC):
    """Which rows count, as a value: made by comparing `row`, combined with ``&``, ``|`` and ``~``.

    Two conditions are equal when they are written alike: the same tests in the same order, the labels of `isin` in any.
    At most 64 levels may be nested; a chain of one operator is one level, however long.

    Notes
    -----
    With x missing, ``row("x") == 1``, ``row("x") != 1``, ``row("x").isin({1})`` and the negation of each are unknown;
    ``unknown & False`` is false, ``unknown | True`` is true, and only what is true counts. Numbers compare by their
    exact values, whether integers or floats, of any size.

    Examples
    --------
    >>> big = (row("value") >= 100) & ~row("channel").isin({"抖音", "微博"})
    >>> big
    (row('value') >= 100) & ~row('channel').isin(['微博', '抖音'])
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "cy"],
    ...     kind="purchase",
    ...     at=[0, 1, 2],
    ...     time_unit="s",
    ...     value=[100, 100, 100],
    ...     extra={"channel": ["抖音", "B站", None]},
    ... )
    >>> big.mask(log).tolist()
    [False, True, False]
    """

    __slots__ = ()

    __array_ufunc__ = None

    def mask(self, log: EventLog, /) -> BoolArray:
        """Return where the condition is true.

        Returns
        -------
        ndarray of bool, shape (n_rows,)
            Read-only.

        Raises
        ------
        UnknownLabelError
            The log has no such column.
        InvalidTypeError
            A column of labels is asked for an order, or compared with another type than its own. A column without
            any value has no type: there, everything but `is_missing` is unknown.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind=["post", "like"], at=[0, 1], time_unit="s")
        >>> (row("kind") != "like").mask(log).tolist()
        [True, False]
        """
        instance("log", log, EventLog, expected="an EventLog")
        return frozen(self._true_rows(log, negated=False))

    @property
    @abstractmethod
    def columns(self) -> frozenset[str]:
        """Names of the columns it asks about."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the condition as a document of dicts, lists, text and numbers, ready for JSON; see `from_dict`.

        An infinite number is written ``{"float": "inf"}``, for which JSON has no word.

        Examples
        --------
        >>> (row("value") >= 100).to_dict()
        {'column': 'value', 'operator': '>=', 'operands': [100]}
        """

    @staticmethod
    def from_dict(document: Mapping[str, Any], /) -> RowCondition:
        """Return the condition that `to_dict` wrote, equal to the one it was.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            The document is none of a condition, or nested deeper than 64 levels; the message says where in it.

        Examples
        --------
        >>> RowCondition.from_dict({"operator": "not", "conditions": [{"column": "item", "operator": "is_missing"}]})
        Traceback (most recent call last):
        ...
        shequn.errors.InvalidValueError: $.conditions[0]: expected the key 'operands', got {'column': 'item', ...
        >>> RowCondition.from_dict({"column": "item", "operator": "isin", "operands": ["tea", "cup"]})
        row('item').isin(['cup', 'tea'])
        """
        return _read(document, path="$", depth=1)

    @abstractmethod
    def _true_rows(self, log: EventLog, *, negated: bool) -> BoolArray:
        """Return a new mask of where the condition, or its negation, is true."""

    def __and__(self, other: RowCondition) -> RowCondition:
        """Return the condition that both hold."""
        return _joined("and", (self, _as_condition(other)))

    def __or__(self, other: RowCondition) -> RowCondition:
        """Return the condition that one of them holds, or both."""
        return _joined("or", (self, _as_condition(other)))

    def __invert__(self) -> RowCondition:
        """Return the condition that this one is false, which is not where it is unknown."""
        return _joined("not", (self,))

    def __rand__(self, other: object) -> NoReturn:
        """Refuse what is no condition."""
        _refuse_operand(other)

    def __ror__(self, other: object) -> NoReturn:
        """Refuse what is no condition."""
        _refuse_operand(other)

    def __bool__(self) -> bool:
        """Refuse: only a row makes it true or false."""
        raise InvalidTypeError(
            f"{self!r} is true or false row by row; combine conditions with & | ~ instead of and, or, not, and ask "
            "`.between(low, high)` instead of a chained comparison"
        )


def _as_condition(other: object) -> RowCondition:
    return other if isinstance(other, RowCondition) else _refuse_operand(other)


def _refuse_operand(other: object) -> NoReturn:
    raise InvalidTypeError(message("condition", "another row condition to combine with", other) + _IN_PARENTHESES)


# --- one test of one column ---

_Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "between", "isin", "is_missing"]
_Located: TypeAlias = Callable[[int], str]

_COMPARISONS: tuple[str, ...] = ("==", "!=", "<", "<=", ">", ">=")
_ORDERINGS: tuple[str, ...] = ("<", "<=", ">", ">=", "between")
_N_OPERANDS: Mapping[str, int] = MappingProxyType(dict.fromkeys(_COMPARISONS, 1) | {"between": 2, "is_missing": 0})


def _typed(operands: tuple[Operand, ...]) -> tuple[tuple[type, Operand], ...]:
    """Tell 1 from 1.0 and from True: only the first is a label."""
    return tuple((type(operand), operand) for operand in operands)


@attrs.frozen(kw_only=True, repr=False)
class _Test(RowCondition):
    """One column, one operator, and operands that `_tested` has checked."""

    column: str
    operator: _Operator
    operands: tuple[Operand, ...] = attrs.field(eq=_typed)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset({self.column})

    def to_dict(self) -> dict[str, Any]:
        operands = [
            {"float": repr(operand)} if isinstance(operand, float) and math.isinf(operand) else operand
            for operand in self.operands
        ]
        return {"column": self.column, "operator": self.operator, "operands": operands}

    def __repr__(self) -> str:
        shown = [repr(operand) for operand in self.operands[:_MOST_SHOWN]]
        if self.operator in _COMPARISONS:
            return f"row({self.column!r}) {self.operator} {shown[0]}"
        if len(self.operands) > _MOST_SHOWN:
            shown.append(f"… {len(self.operands) - _MOST_SHOWN} more")
        inside = ", ".join(shown)
        if self.operator == "isin":
            inside = f"[{inside}]"
        return f"row({self.column!r}).{self.operator}({inside})"

    def _true_rows(self, log: EventLog, *, negated: bool) -> BoolArray:
        column = log.column(self.column, argument="where")
        if self.operator == "is_missing":
            missing = _missing(column)
            return ~missing if negated else missing
        unequal = self.operator == "!="
        if isinstance(column, Coded):
            of_label = self._true_labels(column, negated=negated != unequal)
            true: BoolArray = of_label[column.codes]
            return true
        return self._true_numbers(column, negated=negated != unequal)

    def _true_labels(self, column: Coded, *, negated: bool) -> BoolArray:
        """Return the answer for each label, and last False for the code -1, which is none; shape (n_labels + 1,)."""
        true = np.zeros(len(column.index) + 1, dtype=np.bool_)
        if not len(column.index):
            return true
        self._require_labels(are_text=column.index.is_text)
        fitting = [operand for operand in self.operands if isinstance(operand, str) or operand in _INT64]
        places = column.index.places_of(Index(cast("list[str] | list[int]", fitting)))
        true[places[places >= 0]] = True
        if negated:
            np.logical_not(true[:-1], out=true[:-1])
        return true

    def _require_labels(self, *, are_text: bool) -> None:
        if self.operator in _ORDERINGS:
            text = message("where", f"a column of numbers to ask {self.operator!r} of", self.column)
            raise InvalidTypeError(f"{text}, whose labels are names without an order")
        # bool is a kind of int to Python, and no label.
        wrong = [operand for operand in self.operands if type(operand) is not (str if are_text else int)]
        if wrong:
            expected = f"a label of type {'str' if are_text else 'int'}, as those of column {self.column!r}"
            raise InvalidTypeError(message("where", expected, wrong[0]))

    def _true_numbers(self, column: NDArray[Any], *, negated: bool) -> BoolArray:
        text = next((operand for operand in self.operands if isinstance(operand, str)), None)
        if text is not None:
            if _missing(column).all():
                return np.zeros(len(column), dtype=np.bool_)
            raise InvalidTypeError(message("where", f"a number, as those of column {self.column!r}", text))
        true = _compare_numbers(column, self.operator, cast("tuple[float, ...]", self.operands))
        if negated:
            np.logical_not(true, out=true)
            if column.dtype.kind == "f":
                true &= ~np.isnan(column)
        return true


def _missing(column: ExtraColumn) -> BoolArray:
    if isinstance(column, Coded):
        return column.codes < 0
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=np.bool_)


def _compare_numbers(column: NDArray[Any], operator: _Operator, operands: tuple[float, ...]) -> BoolArray:
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
        return np.isin(column, np.array(equal, dtype=column.dtype))
    [(below, above)] = bounds
    compare, bound = {"<": (op.lt, above), "<=": (op.le, below), ">": (op.gt, below), ">=": (op.ge, above)}[operator]
    return cast("BoolArray", compare(column, bound))


def _neighbours(number: float, dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the largest number of a column's type that is not above `number`, and the smallest not below it.

    For integers both may be out of 64 bits, which NumPy compares as they are.
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
    return dtype.kind == "f" or number in _INT64


def _tested(column: str, operator: str, operands: Iterable[object], *, locate: _Located) -> _Test:
    """Check the operands, and return the test; `locate` names the one at a place."""
    known = cast("_Operator", operator)
    given = [_operand(value, known, locate(place)) for place, value in enumerate(operands)]
    if known == "between" and cast("float", given[0]) > cast("float", given[1]):
        raise InvalidValueError(message(locate(1), f"an upper end not below the lower one ({given[0]!r})", given[1]))
    if known == "isin":
        first = given[0] if given else None
        for place, value in enumerate(given):
            if isinstance(value, str) is not isinstance(first, str):
                raise InvalidTypeError(message(locate(place), f"all text or all numbers, as {first!r}", value))
        given = [value for _, value in sorted({(type(v).__name__, v) for v in given}, key=_by_value)]
    return _Test(column=column, operator=known, operands=tuple(given))


def _by_value(named: tuple[str, Any]) -> tuple[Any, str]:
    return named[1], named[0]


def _operand(value: object, operator: _Operator, argument: str) -> Operand:
    """Return what a column is compared with, as plain text or a plain number."""
    number = plain(value)
    if isinstance(number, str):
        if operator in _ORDERINGS:
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
    expected = "a number" if operator in _ORDERINGS else "text or a number"
    raise error(message(argument, f"{expected} to compare with", value) + _hint(value))


def _hint(value: object) -> str:
    if isinstance(value, Money):
        return f"; give minor units as an int, as in {value.minor}"
    if isinstance(value, Decimal):
        return "; give money in minor units (分) as an int"
    if isinstance(value, RowColumn):
        return "; a column is compared with a value, and not with another column"
    return "; ask `.is_missing()`" if is_null(value) else ""


# --- conditions combined ---

_Joint: TypeAlias = Literal["and", "or", "not"]
_JOINTS: tuple[_Joint, ...] = ("and", "or", "not")


def _level_above(joined: _Joined) -> int:
    return 1 + max(_depth(condition) for condition in joined.conditions)


def _depth(condition: RowCondition) -> int:
    return condition.depth if isinstance(condition, _Joined) else 1


@attrs.frozen(kw_only=True, repr=False)
class _Joined(RowCondition):
    """Conditions under one operator, put together by `_joined`: two or more, but one under "not"."""

    operator: _Joint
    conditions: tuple[RowCondition, ...]
    depth: int = attrs.field(init=False, eq=False, default=attrs.Factory(_level_above, takes_self=True))

    @property
    def columns(self) -> frozenset[str]:
        return frozenset[str]().union(*(condition.columns for condition in self.conditions))

    def to_dict(self) -> dict[str, Any]:
        return {"operator": self.operator, "conditions": [condition.to_dict() for condition in self.conditions]}

    def __repr__(self) -> str:
        shown = [_in_parentheses(condition) for condition in self.conditions]
        return f"~{shown[0]}" if self.operator == "not" else f" {'&' if self.operator == 'and' else '|'} ".join(shown)

    def _true_rows(self, log: EventLog, *, negated: bool) -> BoolArray:
        # Negation moves down to the tests (De Morgan), which alone know where the answer is unknown.
        below = negated != (self.operator == "not")
        parts = (condition._true_rows(log, negated=below) for condition in self.conditions)
        true = next(parts)
        for part in parts:
            if (self.operator == "and") is not negated:
                true &= part
            else:
                true |= part
        return true


def _in_parentheses(condition: RowCondition) -> str:
    """Return the source of a part, in parentheses unless it holds together without."""
    tight = condition.operator == "not" if isinstance(condition, _Joined) else repr(condition).endswith(")")
    return repr(condition) if tight else f"({condition!r})"


def _joined(operator: _Joint, conditions: tuple[RowCondition, ...]) -> RowCondition:
    """Combine conditions; those under the same operator join the others, and two negations are none."""
    flat: list[RowCondition] = []
    for condition in conditions:
        if isinstance(condition, _Joined) and condition.operator == operator:
            flat.extend(condition.conditions)
        else:
            flat.append(condition)
    if operator == "not" and flat[0] is not conditions[0]:
        return flat[0]
    joined = _Joined(operator=operator, conditions=tuple(flat))
    if joined.depth > _DEEPEST:
        raise InvalidValueError(message("condition", f"at most {_DEEPEST} levels of nesting", joined.depth))
    return joined


# --- from a document ---


def _read(document: object, *, path: str, depth: int) -> RowCondition:
    if depth > _DEEPEST:
        raise InvalidValueError(message("$", f"at most {_DEEPEST} levels of nesting", depth))
    operator = _entry(document, "operator", path)
    one_of(f"{path}.operator", operator, (*_JOINTS, *_N_OPERANDS, "isin"))
    if operator in _JOINTS:
        _refuse_other_keys(document, ("operator", "conditions"), path)
        parts = _list(document, "conditions", path)
        if len(parts) != 1 if operator == "not" else len(parts) < 2:  # noqa: PLR2004
            expected = "one condition to negate" if operator == "not" else "two conditions or more to combine"
            raise InvalidValueError(message(f"{path}.conditions", expected, parts))
        inner = [_read(part, path=f"{path}.conditions[{i}]", depth=depth + 1) for i, part in enumerate(parts)]
        return _joined(operator, tuple(inner))
    return _read_test(document, cast("_Operator", operator), path)


def _read_test(document: object, operator: _Operator, path: str) -> RowCondition:
    _refuse_other_keys(document, ("column", "operator", "operands"), path)
    column = _entry(document, "column", path)
    if not isinstance(column, str) or not column:
        error = InvalidValueError if isinstance(column, str) else InvalidTypeError
        raise error(message(f"{path}.column", "the name of a column", column))
    operands = _list(document, "operands", path)
    if len(operands) != _N_OPERANDS.get(operator, len(operands)):
        expected = f"{_N_OPERANDS[operator]} for the operator {operator!r}"
        raise InvalidValueError(message(f"{path}.operands", expected, operands))

    def locate(place: int) -> str:
        return f"{path}.operands[{place}]"

    numbers = [_number_or_text(operand, locate(place)) for place, operand in enumerate(operands)]
    return _tested(str.__str__(column), operator, numbers, locate=locate)


def _number_or_text(operand: object, path: str) -> object:
    if not isinstance(operand, Mapping):
        return operand
    written = cast("Mapping[object, object]", operand)
    for word in ("inf", "-inf"):
        if dict(written) == {"float": word}:
            return float(word)
    raise InvalidValueError(message(path, "text, a number, or {'float': 'inf'} or {'float': '-inf'}", written))


def _entry(document: object, key: str, path: str) -> object:
    instance(path, document, Mapping, expected="a mapping that stands for a condition")
    written = cast("Mapping[object, object]", document)
    if key not in written:
        raise InvalidValueError(message(path, f"the key {key!r}", dict(written)))
    return written[key]


def _list(document: object, key: str, path: str) -> list[object]:
    entry = _entry(document, key, path)
    if not isinstance(entry, list | tuple):
        raise InvalidTypeError(message(f"{path}.{key}", "a list", entry))
    return list(cast("Iterable[object]", entry))


def _refuse_other_keys(document: object, known: tuple[str, ...], path: str) -> None:
    for key in cast("Mapping[object, object]", document):
        if key not in known:
            raise InvalidValueError(message(path, f"no keys but {', '.join(known)}", key) + suggest(key, known))

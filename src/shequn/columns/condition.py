"""Which rows of a log does a definition mean, said as data and not as code?

``row("value") >= 100`` is a value: it can be compared, kept in a set, pickled and written as JSON, and it is applied to
a log later. Logic has three values, as in SQL: what is asked of a missing value is neither true nor false but unknown,
the negation of unknown is unknown, and a row counts only where the whole is true.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, TypeAlias, cast

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.columns.comparing import (
    COMPARISONS,
    INT64,
    N_OPERANDS,
    ORDERINGS,
    Operand,
    Operator,
    checked_operands,
    compare_numbers,
    compare_one,
    joined_truth,
    missing,
    typed,
)
from shequn.columns.log import EventLog
from shequn.columns.readonly import frozen
from shequn.entities import Event
from shequn.errors import InvalidTypeError, InvalidValueError, message, suggest
from shequn.labels import Coded, Index
from shequn.labels.encode import is_null
from shequn.stats._checks import instance, items_of, one_of, plain

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray

__all__ = ["RowColumn", "RowCondition", "row", "value_of"]

Number: TypeAlias = float | np.integer[Any] | np.floating[Any]

_DEEPEST = 64
_MOST_READ = 100_000
_OF_AN_EVENT = ("member", "kind", "value", "target", "group", "item")
_LABELLED = frozenset(_OF_AN_EVENT) - {"value"}
_MOST_SHOWN = 10
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

    is_compared = True

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

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

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
        known = cast("Operator", operator)
        checked = checked_operands(known, operands, locate=lambda _: repr(self))
        return _Test(column=self.name, operator=known, operands=checked)

    def __bool__(self) -> bool:
        """Refuse: a column is neither true nor false."""
        raise InvalidTypeError(f"{self!r} is a column and no condition; compare it with something")

    def _no_condition(self, _other: object = None) -> NoReturn:
        raise InvalidTypeError(f"{self!r} is a column and no condition{_IN_PARENTHESES}")

    __and__ = _no_condition
    __rand__ = _no_condition
    __or__ = _no_condition
    __ror__ = _no_condition
    __invert__ = _no_condition

    def __repr__(self) -> str:
        """Show the source."""
        return f"row({self.name!r})"


class RowCondition(Doors, ABC):
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

    def holds(self, event: Event, /) -> bool:
        """Return whether the condition is true of one row; the same as its place in `mask`.

        Raises
        ------
        InvalidTypeError
            What the event holds is of another type than it is compared with.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> from shequn.entities import Event
        >>> (row("value") >= 100).holds(Event(member="ann", kind="purchase", at=datetime(2024, 1, 1, tzinfo=UTC)))
        False
        """
        instance("event", event, Event, expected="an Event")
        return self._is_true(event) is True

    @abstractmethod
    def _is_true(self, event: Event) -> bool | None:
        """Return whether the condition is true of a row, None where that is unknown."""

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
        return _read(document, path="$", depth=1, left=iter(range(_MOST_READ)))

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


@attrs.frozen(kw_only=True, repr=False)
class _Test(RowCondition):
    """One column, one operator, and operands that `_tested` has checked."""

    column: str
    operator: Operator
    operands: tuple[Operand, ...] = attrs.field(eq=typed)

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
        if self.operator in COMPARISONS:
            return f"row({self.column!r}) {self.operator} {shown[0]}"
        if len(self.operands) > _MOST_SHOWN:
            shown.append(f"… {len(self.operands) - _MOST_SHOWN} more")
        inside = ", ".join(shown)
        if self.operator == "isin":
            inside = f"[{inside}]"
        return f"row({self.column!r}).{self.operator}({inside})"

    def _is_true(self, event: Event) -> bool | None:
        value = value_of(event, self.column)
        if self.operator == "is_missing":
            return value is None
        if value is None:
            return None
        if isinstance(value, str) or self.column in _LABELLED:
            self._require_labels(are_text=isinstance(value, str))
        elif any(isinstance(operand, str) for operand in self.operands):
            text = next(operand for operand in self.operands if isinstance(operand, str))
            raise InvalidTypeError(message("where", f"a number, as those of column {self.column!r}", text))
        return compare_one(value, self.operator, self.operands)

    def _true_rows(self, log: EventLog, *, negated: bool) -> BoolArray:
        column = log.column(self.column, argument="where")
        if self.operator == "is_missing":
            is_missing = missing(column)
            return ~is_missing if negated else is_missing
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
        fitting = [operand for operand in self.operands if isinstance(operand, str) or operand in INT64]
        places = column.index.places_of(Index(cast("list[str] | list[int]", fitting)))
        true[places[places >= 0]] = True
        if negated:
            np.logical_not(true[:-1], out=true[:-1])
        return true

    def _require_labels(self, *, are_text: bool) -> None:
        if self.operator in ORDERINGS:
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
            if missing(column).all():
                return np.zeros(len(column), dtype=np.bool_)
            raise InvalidTypeError(message("where", f"a number, as those of column {self.column!r}", text))
        true = compare_numbers(column, self.operator, cast("tuple[float, ...]", self.operands))
        if negated:
            np.logical_not(true, out=true)
            if column.dtype.kind == "f":
                true &= ~np.isnan(column)
        return true


def value_of(event: Event, column: str, /) -> Operand | None:
    """Return what a row holds in a column, as the log would; None where it holds nothing.

    Raises
    ------
    InvalidTypeError
        It is neither text nor a number.
    """
    held = getattr(event, column) if column in _OF_AN_EVENT else plain(event.extra.get(column))
    if isinstance(held, bool):
        return int(held)
    if is_null(held):
        return None
    if not isinstance(held, str | int | float):
        raise InvalidTypeError(message(column, "text or a number", held))
    return held


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

    def _is_true(self, event: Event) -> bool | None:
        return joined_truth(self.operator, [condition._is_true(event) for condition in self.conditions])

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


def _read(document: object, *, path: str, depth: int, left: Iterator[int]) -> RowCondition:
    if depth > _DEEPEST:
        raise InvalidValueError(message("$", f"at most {_DEEPEST} levels of nesting", depth))
    # One list that stands in a document again and again makes it larger than it looks.
    if next(left, None) is None:
        raise InvalidValueError(message("$", f"at most {_MOST_READ:,} conditions in a document", "more"))
    operator = _entry(document, "operator", path)
    one_of(f"{path}.operator", operator, (*_JOINTS, *N_OPERANDS, "isin"))
    if operator in _JOINTS:
        _refuse_other_keys(document, ("operator", "conditions"), path)
        parts = _list(document, "conditions", path)
        if len(parts) != 1 if operator == "not" else len(parts) < 2:  # noqa: PLR2004
            expected = "one condition to negate" if operator == "not" else "two conditions or more to combine"
            raise InvalidValueError(message(f"{path}.conditions", expected, parts))
        inner = [
            _read(part, path=f"{path}.conditions[{i}]", depth=depth + 1, left=left) for i, part in enumerate(parts)
        ]
        return _joined(operator, tuple(inner))
    return _read_test(document, cast("Operator", operator), path)


def _read_test(document: object, operator: Operator, path: str) -> RowCondition:
    _refuse_other_keys(document, ("column", "operator", "operands"), path)
    column = _entry(document, "column", path)
    if not isinstance(column, str) or not column:
        error = InvalidValueError if isinstance(column, str) else InvalidTypeError
        raise error(message(f"{path}.column", "the name of a column", column))
    operands = _list(document, "operands", path)
    if len(operands) != N_OPERANDS.get(operator, len(operands)):
        expected = f"{N_OPERANDS[operator]} for the operator {operator!r}"
        raise InvalidValueError(message(f"{path}.operands", expected, operands))

    def locate(place: int) -> str:
        return f"{path}.operands[{place}]"

    numbers = [_number_or_text(operand, locate(place)) for place, operand in enumerate(operands)]
    checked = checked_operands(operator, numbers, locate=locate)
    return _Test(column=str.__str__(column), operator=operator, operands=checked)


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

"""What is a field or a fact compared with? Text and numbers, instants, stretches of time, and labels of tags."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import attrs

from shequn.columns.comparing import COMPARISONS, ORDERINGS, Operand, checked_operands, typed
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.rules.sources import shown_span
from shequn.stats._checks import is_integer, plain
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn.columns.schema import Sort
    from shequn.rules.sources import Source

__all__ = [
    "INSTANT_ONLY",
    "OPERATORS",
    "TAGS_ONLY",
    "Instant",
    "RuleOperand",
    "RuleOperator",
    "Span",
    "checked",
    "exactly",
]

RuleOperator: TypeAlias = Literal[
    "==", "!=", "<", "<=", ">", ">=", "between", "isin", "is_known", "has_all", "has_any", "within_last"
]
OPERATORS: tuple[str, ...] = (*COMPARISONS, "between", "isin", "is_known", "has_all", "has_any", "within_last")
TAGS_ONLY = frozenset({"has_all", "has_any"})
INSTANT_ONLY = frozenset({"within_last"})
_NO_LABELS = "labels or numbers; an instant lies `between` two"
_ABOUT_NOTHING = ".is_known()"
_N_OPERANDS = dict.fromkeys(COMPARISONS, 1) | {"between": 2, "is_known": 0, "within_last": 1}


@attrs.frozen(repr=False)
class Instant:
    """An instant as microseconds UTC; two readings of one clock that was set back stay apart."""

    us: int

    def __repr__(self) -> str:
        """Show it in UTC."""
        return from_us(self.us).isoformat()


@attrs.frozen(repr=False)
class Span:
    """A stretch of elapsed time, in microseconds."""

    us: int

    def __repr__(self) -> str:
        """Show it as a duration."""
        return shown_span(self.us)


RuleOperand: TypeAlias = Operand | Instant | Span


def exactly(operands: tuple[RuleOperand, ...]) -> tuple[Any, ...]:
    """Tell 1 from 1.0 and from True, as `typed` does."""
    return typed(cast("tuple[Operand, ...]", operands))


def checked(
    source: Source, operator: RuleOperator, operands: Sequence[object], *, locate: Callable[[int | None], str]
) -> tuple[RuleOperand, ...]:
    """Return what a source is compared with, once it is seen to make sense.

    `locate` names the operand at a place, or with None the whole test.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An operand has a type or value that cannot be used here.
    """
    if len(operands) != _N_OPERANDS.get(operator, len(operands)):
        expected = f"{_N_OPERANDS[operator]} for the operator {operator!r}"
        raise InvalidValueError(message(locate(None), expected, list(operands)))
    if operator in TAGS_ONLY:
        _refuse_sort(source, operator, "tags", locate)
        return _labels(operator, operands, locate)
    if operator == "within_last":
        _refuse_sort(source, operator, "instant", locate)
        return (Span(elapsed_us(locate(0), plain(operands[0]))),)
    if operator == "is_known":
        return ()
    if operands and all(isinstance(operand, dt.datetime | Instant) for operand in operands):
        return _instants(source, operator, operands, locate)
    if source.sort == "instant":
        if operator == "isin":
            raise InvalidTypeError(message(locate(None), _NO_LABELS, "an instant"))
        odd = next(place for place, operand in enumerate(operands) if not isinstance(operand, dt.datetime | Instant))
        raise InvalidTypeError(message(locate(odd), f"an aware datetime, as {source!r} is an instant", operands[odd]))
    known = cast("Any", operator)
    if operator not in ORDERINGS or not any(isinstance(operand, str) for operand in operands):
        given = checked_operands(known, operands, locate=locate, about_nothing=_ABOUT_NOTHING)
        _refuse_text(source, given, locate)
        return given
    # Labels may have an order; which one, the roster tells.
    labels = checked_operands("isin", operands, locate=locate, about_nothing=_ABOUT_NOTHING)
    _refuse_text(source, labels, locate)
    return tuple(str.__str__(cast("str", operand)) for operand in operands)


def _refuse_sort(source: Source, operator: str, needed: Sort, locate: Callable[[int | None], str]) -> None:
    if source.sort not in {None, needed}:
        what = {"tags": "a set of labels", "instant": "an instant"}[needed]
        raise InvalidTypeError(message(locate(None), f"{what} to ask {operator!r} of", f"a {source.sort}"))


def _refuse_text(source: Source, operands: tuple[Operand, ...], locate: Callable[[int | None], str]) -> None:
    if source.sort != "number":
        return
    for place, operand in enumerate(operands):
        if isinstance(operand, str):
            raise InvalidTypeError(message(locate(place), f"a number to compare {source!r} with", operand))


def _labels(operator: str, operands: Sequence[object], locate: Callable[[int | None], str]) -> tuple[Operand, ...]:
    if not operands:
        raise InvalidValueError(message(locate(None), f"at least one label to ask {operator!r} of", list(operands)))
    labels: list[str | int] = []
    for place, operand in enumerate(operands):
        label = plain(operand)
        if isinstance(label, str):
            labels.append(str.__str__(label))
        elif is_integer(label):
            labels.append(int(label))
        else:
            raise InvalidTypeError(message(locate(place), "a label, str or int", operand))
        if isinstance(labels[-1], str) is not isinstance(labels[0], str):
            raise InvalidTypeError(message(locate(place), f"all text or all integers, as {labels[0]!r}", operand))
    return tuple(sorted(set(labels), key=lambda label: (str(type(label)), label)))


def _instants(
    source: Source, operator: RuleOperator, operands: Sequence[object], locate: Callable[[int | None], str]
) -> tuple[Instant, ...]:
    if source.sort not in {None, "instant"}:
        what = "a label" if source.sort == "label" else "a number"
        raise InvalidTypeError(message(locate(0), f"{what} to compare {source!r} with", operands[0]))
    if operator == "isin":
        raise InvalidTypeError(message(locate(0), _NO_LABELS, operands[0]))
    us = [
        operand.us if isinstance(operand, Instant) else instant_us(cast("dt.datetime", operand), argument=locate(place))
        for place, operand in enumerate(operands)
    ]
    if operator == "between" and us[0] > us[1]:
        raise InvalidValueError(
            message(locate(1), f"an upper end not below the lower one ({operands[0]})", operands[1])
        )
    return tuple(map(Instant, us))

"""Which rows of a dirty source can be taken, and why not the others?

`EventLog.from_columns` refuses a column at its first bad row. Here each row is judged: first by itself, then against
the others, since a column holds `str` or `int` labels and not both. The accepted and the rejected add up to the given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np

from shequn.entities import Event
from shequn.errors import InvalidTypeError, message
from shequn.labels.encode import is_null
from shequn.stats._checks import items_of
from shequn.values.instants import instant_faults, to_instants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn.columns.log import EventLog

__all__ = ["Ingested", "Judged", "Rejected", "judge_rows"]

_LABELLED = ("member", "target", "group", "item")
_OWN = ("member", "kind", "at", "value", "target", "group", "item")
_INT64 = range(-(2**63), 2**63)
_EXACT_FLOAT = range(-(2**53), 2**53 + 1)


class Rejected(NamedTuple):
    """A row that was not taken.

    Attributes
    ----------
    row : int
        Its position among the rows given, from 0.
    reason : str
        What was expected and what came.
    given : object
        The row itself.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> _, rejected = EventLog.ingest([{"member": "ann", "kind": "join", "at": "2024-02-10"}])
    >>> print(rejected[0])
    row 0: at: expected aware datetimes, got '2024-02-10'; text is not parsed
    """

    row: int
    reason: str
    given: object

    def __str__(self) -> str:
        """Return the reason with its row."""
        return f"row {self.row}: {self.reason}"


class Ingested(NamedTuple):
    """What became of the rows given.

    Attributes
    ----------
    accepted : EventLog
        The good rows, in their order.
    rejected : tuple of Rejected
        The others, in their order.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> rows = [{"member": "ann", "kind": "join", "at": 0}, {"member": "bo", "kind": "join"}]
    >>> ingested = EventLog.ingest(rows, time_unit="s")
    >>> len(ingested.accepted), len(ingested.rejected)
    (1, 1)
    """

    accepted: EventLog
    rejected: tuple[Rejected, ...]


class Judged(NamedTuple):
    """The columns of the accepted rows, as `EventLog.from_columns` takes them, and the rejected rows."""

    columns: dict[str, Any]
    rejected: tuple[Rejected, ...]


class _Row(NamedTuple):
    """A row under judgement: its place among those given, the log's own fields, and its extras."""

    row: int
    own: dict[str, Any]
    extra: dict[str, Any]


def judge_rows(
    rows: Iterable[Mapping[str, Any] | Event],
    /,
    *,
    at_tz: str | None = None,
    time_unit: Literal["s", "ms", "us"] | None = None,
) -> Judged:
    """Sort rows into those that make up a log and those that don't: the work of `EventLog.ingest`.

    Raises
    ------
    InvalidTypeError
        `rows` is nothing to iterate over, or a data frame.

    Examples
    --------
    >>> judge_rows([{"member": "ann", "kind": "", "at": 0}], time_unit="s").rejected[0].reason
    "kind: expected a str that is not empty, got ''"
    """
    given = _as_list(rows)
    reasons: dict[int, str] = {}
    judged: list[_Row] = []
    for row, record in enumerate(given):
        fields = _fields(record)
        reason = fields if isinstance(fields, str) else _fault(*fields)
        if reason is not None:
            reasons[row] = reason
        else:
            judged.append(_Row(row, *cast("tuple[dict[str, Any], dict[str, Any]]", fields)))
    judged = _with_instants(judged, reasons, at_tz, time_unit)
    names = list(dict.fromkeys(name for row in judged for name in row.extra))
    for name in (*_LABELLED, *names):
        judged = _of_one_sort(judged, reasons, name)
    for name in ("value", *names):
        judged = _kept_exact(judged, reasons, name)
    return Judged(_columns(judged), tuple(Rejected(row, reasons[row], given[row]) for row in sorted(reasons)))


def _as_list(rows: object) -> list[object]:
    expected = "an iterable of mappings or Event records"
    if isinstance(rows, Mapping) or hasattr(rows, "columns"):
        raise InvalidTypeError(message("rows", expected, type(rows).__name__))  # pyright: ignore[reportUnknownArgumentType]
    return items_of("rows", rows, expected=expected)


def _fields(record: object) -> tuple[dict[str, Any], dict[str, Any]] | str:
    """Return the log's own fields of a row and its extras, or why there are none."""
    if isinstance(record, Event):
        return {name: getattr(record, name) for name in _OWN} | {"at_us": record.at_us}, dict(record.extra)
    if not isinstance(record, Mapping):
        return message("rows", "a mapping or an Event", record)
    extra = dict(cast("Mapping[str, Any]", record))
    own = {name: extra.pop(name, None) for name in _OWN}
    below = extra.pop("extra", None)
    if below is None:
        return own, extra
    if not isinstance(below, Mapping):
        return message("extra", "a mapping of name to value", below)
    more = dict(cast("Mapping[str, Any]", below))
    for name in more:
        if name in extra:
            return message("extra", "each name once", name)
    return own, extra | more


# --- a row by itself ---


def _fault(own: dict[str, Any], extra: dict[str, Any]) -> str | None:
    """Return what is wrong with a row, its instant apart; None if nothing is."""
    faults = [
        None
        if isinstance(own["kind"], str) and own["kind"]
        else message("kind", "a str that is not empty", own["kind"])
    ]
    faults += [_label_fault(name, own[name]) for name in _LABELLED if name == "member" or not is_null(own[name])]
    faults.append(_value_fault("value", own["value"], "int or float", {"integer", "float"}))
    for name, value in extra.items():
        if not isinstance(name, str) or not name or name in _OWN:  # pyright: ignore[reportUnnecessaryIsInstance]
            faults.append(message("extra", f"names that are non-empty str, other than {', '.join(_OWN)}", name))
        else:
            faults.append(_value_fault(name, value, "a number, a bool or a text", set(_PLURALS)))
    return next((fault for fault in faults if fault is not None), None)


def _label_fault(name: str, label: object) -> str | None:
    if _sort(label) not in {"text", "integer"}:
        return message(name, "a label that is str or int", label)
    if isinstance(label, str):
        return None if label else message(name, "a label that is not empty", label)
    return _value_fault(name, label, "", {"integer"})


def _value_fault(name: str, value: Any, expected: str, sorts: set[str]) -> str | None:  # noqa: ANN401
    if is_null(value):
        return None
    sort = _sort(value)
    if sort not in sorts:
        return message(name, expected, value)
    if sort == "integer" and int(value) not in _INT64:
        return message(name, "an integer that fits 64 bits with sign", value)
    return None


_SORTS: dict[type, str] = {
    str: "text", bool: "bool", np.bool_: "bool", np.timedelta64: "span", int: "integer", np.integer: "integer",
    float: "float", np.floating: "float",
}  # fmt: skip


def _sort(value: object) -> str | None:
    """Return the sort of a single value; bool and a span of time come before the integers they pass for."""
    return next((sort for kind, sort in _SORTS.items() if isinstance(value, kind)), None)


def _with_instants(
    judged: list[_Row], reasons: dict[int, str], at_tz: str | None, time_unit: Literal["s", "ms", "us"] | None
) -> list[_Row]:
    """Reject rows without an instant, and note the others' as ``at_us``."""
    to_read = [row for row in judged if "at_us" not in row.own]
    faults = instant_faults([row.own["at"] for row in to_read], argument="at", at_tz=at_tz, time_unit=time_unit)
    reasons.update({to_read[place].row: reason for place, reason in faults.items()})
    good = [row for place, row in enumerate(to_read) if place not in faults]
    read = to_instants([row.own["at"] for row in good], argument="at", at_tz=at_tz, time_unit=time_unit)
    for row, us in zip(good, read.us.tolist(), strict=True):
        row.own["at_us"] = us
    return [row for row in judged if row.row not in reasons]


# --- a row against the others ---


def _of_one_sort(judged: list[_Row], reasons: dict[int, str], name: str) -> list[_Row]:
    """Reject the rows whose value is not of the sort that most rows have: text, numbers or booleans."""
    values = [_value_of(row, name) for row in judged]
    sorts = [None if is_null(value) else _PLURALS[str(_sort(value))] for value in values]
    counts = Counter(sort for sort in sorts if sort is not None)
    if len(counts) <= 1:
        return judged
    common, n = counts.most_common(1)[0]  # of equally common ones, the first that came
    for row, value, sort in zip(judged, values, sorts, strict=True):
        if sort not in {None, common}:
            reasons[row.row] = message(name, f"{common}, as in {n} of {counts.total()} rows", value)
    return [row for row in judged if row.row not in reasons]


_PLURALS = {"text": "text", "integer": "numbers", "float": "numbers", "bool": "booleans"}


def _kept_exact(judged: list[_Row], reasons: dict[int, str], name: str) -> list[_Row]:
    """Reject integers beyond 2**53 where a float or a missing value makes the column one of floats."""
    values = [_value_of(row, name) for row in judged]
    sorts = {None if is_null(value) else _sort(value) for value in values}
    if "integer" not in sorts or sorts == {"integer"}:
        return judged
    for row, value in zip(judged, values, strict=True):
        if not is_null(value) and _sort(value) == "integer" and int(value) not in _EXACT_FLOAT:
            expected = "an integer up to 2**53 beside floats or missing values"
            reasons[row.row] = message(name, expected, value)
    return [row for row in judged if row.row not in reasons]


def _value_of(row: _Row, name: str) -> Any:  # noqa: ANN401
    return row.own[name] if name in _OWN else row.extra.get(name)


def _columns(judged: list[_Row]) -> dict[str, Any]:
    """Return the columns of the rows that are left; one that nobody fills is left out."""
    columns: dict[str, Any] = {name: [row.own[name] for row in judged] for name in _OWN if name != "at"}
    for name in ("value", "target", "group", "item"):
        if all(map(is_null, columns[name])):
            del columns[name]
    names = dict.fromkeys(name for row in judged for name in row.extra)
    return columns | {
        "at": np.array([row.own["at_us"] for row in judged], dtype=np.int64),
        "time_unit": "us",
        "extra": {name: [row.extra.get(name) for row in judged] for name in names},
    }

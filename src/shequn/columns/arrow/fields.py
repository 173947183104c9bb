"""How is a column of ours laid out in Arrow? Numbers, instants and codes stay where they are.

Missing is null: NaT, code -1, None, and the integer that a result's column names as its null. A NaN among floats stays
NaN, as changing it would copy every column of rates. Labels are a dictionary, dates are days, booleans are bits.
"""

from __future__ import annotations

import datetime as dt
from enum import Enum
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from shequn.columns.arrow.exporting import Field
from shequn.errors import InvalidValueError, message
from shequn.labels import Coded, Index
from shequn.values.instants import instant_us
from shequn.values.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["field_of", "instants_field", "labels_field", "lists_field"]

_NUMBERS = {
    "i1": "c", "u1": "C", "i2": "s", "u2": "S", "i4": "i", "u4": "I", "i8": "l", "u8": "L",
    "f2": "e", "f4": "f", "f8": "g",
}  # fmt: skip
_TIME_UNITS = {"s": "s", "ms": "m", "us": "u", "ns": "n"}
_DAYS = {"Y", "M", "W", "D", "generic"}
_MOST_INT32 = 2**31 - 1
_INT64 = range(-(2**63), 2**63)


def field_of(name: str, values: NDArray[Any] | Coded | Index, /, *, null: int | None = None) -> Field:
    """Lay out a column of a result.

    Parameters
    ----------
    name : str
    values : ndarray, Coded or Index, shape (n,)
        ``datetime64`` becomes days or timestamps without a zone. Objects become booleans, integers, floats, dates,
        instants (UTC) or a struct of ``minor`` and ``currency`` where all are of that type, else text.
    null : int, optional
        The integer that stands for a missing value.

    Raises
    ------
    InvalidValueError
        A text holds half of a surrogate pair, which UTF-8 can't; or an amount of money does not fit 64 bits.

    Examples
    --------
    >>> field_of("rate", np.array([0.5, np.nan])).format, field_of("city", Coded.of(["沪"], argument="x")).format
    ('g', 'c')
    """
    if isinstance(values, Coded):
        return labels_field(name, values)
    if isinstance(values, Index):
        return field_of(name, values.labels)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)  # Arrow has no other
    if values.dtype.kind in "OU":
        return _objects(name, values.tolist())
    if values.dtype.kind == "b":
        return _bits(name, values, None)
    if values.dtype.kind == "M":
        return _times(name, values)
    if values.dtype.kind == "f" and values.dtype.itemsize > np.dtype(np.float64).itemsize:
        values = values.astype(np.float64)
    return _numbers(name, values, None if null is None else values == null)


def instants_field(name: str, at_us: IntArray, /, *, missing: BoolArray | None = None) -> Field:
    """Lay out instants: microseconds UTC.

    Examples
    --------
    >>> instants_field("at", np.array([0])).format
    'tsu:UTC'
    """
    return _numbers(name, at_us, missing, layout="tsu:UTC")


def labels_field(name: str, labels: Coded, /, *, is_ordered: bool = False) -> Field:
    """Lay out labelled rows: text as a dictionary whose indices are the codes, integers as they are.

    Examples
    --------
    >>> labels_field("city", Coded.of(["沪", None], argument="city", nulls=True)).n_null
    1
    """
    missing = labels.codes < 0 if labels.has_nulls else None
    codes = labels.codes if missing is None else np.where(missing, labels.codes.dtype.type(0), labels.codes)
    if not labels.index.is_text:
        if missing is not None and not len(labels.index):
            return _numbers(name, np.zeros(len(codes), dtype=np.int64), missing)
        return _numbers(name, labels.index.labels[codes], missing)
    indices = _numbers(name, codes, missing)
    return Field(
        name=name,
        format=indices.format,
        length=indices.length,
        n_null=indices.n_null,
        buffers=indices.buffers,
        dictionary=_text("", labels.index.labels.tolist()),
        is_ordered=is_ordered,
    )


def lists_field(name: str, labels: Coded, offsets: IntArray, /) -> Field:
    """Lay out rows of several labels, those of row i at ``offsets[i]`` to ``offsets[i + 1]``.

    Examples
    --------
    >>> lists_field("interests", Coded.of(["tea"], argument="x"), np.array([0, 1, 1])).format
    '+L'
    """
    inner = field_of("item", labels.labels())
    return Field(name=name, format="+L", length=len(offsets) - 1, buffers=[None, offsets], children=[inner])


# --- by type ---


def _numbers(name: str, values: NDArray[Any], missing: BoolArray | None, *, layout: str | None = None) -> Field:
    n_null = 0 if missing is None else int(missing.sum())
    return Field(
        name=name,
        format=layout or _NUMBERS[values.dtype.str[1:]],
        length=len(values),
        n_null=n_null,
        buffers=[_validity(missing) if n_null else None, values],
    )


def _validity(missing: BoolArray | None) -> NDArray[np.uint8] | None:
    return None if missing is None else np.packbits(~missing, bitorder="little")


def _bits(name: str, values: NDArray[Any], missing: BoolArray | None) -> Field:
    whole = _numbers(name, values.view(np.uint8), missing)
    packed = np.packbits(values, bitorder="little")
    return Field(name=name, format="b", length=len(values), n_null=whole.n_null, buffers=[whole.buffers[0], packed])


def _times(name: str, values: NDArray[Any]) -> Field:
    unit, multiple = np.datetime_data(values.dtype)
    missing = np.isnat(values)
    if unit in _DAYS:
        days = np.where(missing, 0, values.astype("M8[D]").view(np.int64)).astype(np.int32)
        return _numbers(name, days, missing, layout="tdD")
    kept = unit if unit in _TIME_UNITS and multiple == 1 else "s" if unit in {"h", "m", "s"} else "ns"
    return _numbers(name, values.astype(f"M8[{kept}]").view(np.int64), missing, layout=f"ts{_TIME_UNITS[kept]}:")


def _objects(name: str, items: list[Any]) -> Field:
    """Lay out Python values by what all of them are."""
    plain: list[Any] = [_plain(item) for item in items]
    missing = np.fromiter((item is None for item in plain), dtype=np.bool_, count=len(plain))
    types: set[Any] = {*map(type, plain)} - {type(None)}
    only = next(iter(types)) if len(types) == 1 else None
    if only is Money:
        return _money(name, plain, missing)
    if only is bool:
        return _bits(name, np.array([item is True for item in plain], dtype=np.bool_), missing)
    if only is float or (only is int and all(item is None or item in _INT64 for item in plain)):
        dtype = np.float64 if only is float else np.int64
        return _numbers(name, np.array([0 if item is None else item for item in plain], dtype=dtype), missing)
    return _dates(name, plain, types, missing) or _text(name, [None if item is None else str(item) for item in plain])


def _plain(item: object) -> Any:  # noqa: ANN401
    if isinstance(item, np.generic):
        return cast("Any", item).item()
    return item.value if isinstance(item, Enum) else item


def _dates(name: str, items: list[Any], types: set[Any], missing: BoolArray) -> Field | None:
    """Lay out dates, or instants that all have a zone; None for anything else."""
    if types and all(issubclass(kind, dt.datetime) for kind in types):
        if any(item is not None and item.tzinfo is None for item in items):
            return None
        at_us = [0 if item is None else instant_us(item, argument=name) for item in items]
        return instants_field(name, np.array(at_us, dtype=np.int64), missing=missing)
    if types and all(issubclass(kind, dt.date) and not issubclass(kind, dt.datetime) for kind in types):
        return _times(name, np.array(items, dtype="M8[D]"))
    return None


def _money(name: str, items: Sequence[Money | None], missing: BoolArray) -> Field:
    """Lay out amounts of money: exact in minor units, each with its currency."""
    row = next((row for row, item in enumerate(items) if item is not None and item.minor not in _INT64), None)
    if row is not None:
        raise InvalidValueError(message(name, "amounts of money that fit 64 bits with sign", items[row], row=row))
    minor = np.array([0 if item is None else item.minor for item in items], dtype=np.int64)
    currency = ["" if item is None else item.currency for item in items]
    n_null = int(missing.sum())
    return Field(
        name=name,
        format="+s",
        length=len(items),
        n_null=n_null,
        buffers=[_validity(missing) if n_null else None],
        children=[_numbers("minor", minor, None), _text("currency", currency)],
    )


def _text(name: str, items: Sequence[str | None]) -> Field:
    try:
        raw = [b"" if item is None else item.encode() for item in items]
    except UnicodeEncodeError:
        row = next(row for row, item in enumerate(items) if item is not None and _is_broken(item))
        raise InvalidValueError(message(name or "label", "text that UTF-8 can hold", items[row], row=row)) from None
    missing = np.fromiter((item is None for item in items), dtype=np.bool_, count=len(items))
    data = b"".join(raw)
    is_large = len(data) > _MOST_INT32
    offsets = np.fromiter(accumulate(map(len, raw), initial=0), np.int64 if is_large else np.int32, count=len(raw) + 1)
    n_null = int(missing.sum())
    return Field(
        name=name,
        format="U" if is_large else "u",
        length=len(raw),
        n_null=n_null,
        buffers=[_validity(missing) if n_null else None, offsets, np.frombuffer(data, dtype=np.uint8)],
    )


def _is_broken(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)

"""How the fields of a record are brought into one form and checked, in a few tenths of a microsecond a record.

Each function takes the name of the field and its value, and returns the value that is kept, or raises. The common
case comes first. A record gives each field a converter of its own name that calls one of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast
from zoneinfo import ZoneInfo

import numpy as np
import pendulum

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import items_of, plain
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn.labels import Label

__all__ = [
    "EMPTY",
    "Entity",
    "FrozenMapping",
    "aware",
    "label",
    "number",
    "records",
    "tag_sets",
    "text",
    "values",
]

V = TypeVar("V")
R = TypeVar("R")

_LABEL = "a non-empty str or an int"
_TEXT = "a non-empty str"
_AWARE = "an aware datetime"

# Inside these years no offset of a zone can push an instant out of the range that `instant_us` takes.
_FIRST_YEAR, _LAST_YEAR = 1901, 2260
# Other classes of datetime may be finer than a microsecond, and other zones may know no offset.
_DATETIMES = frozenset({datetime, pendulum.DateTime})
_ZONES = frozenset({timezone, ZoneInfo, pendulum.Timezone, pendulum.FixedTimezone})

# As Python objects these may be mere counts of nanoseconds.
_TIMES: tuple[type, ...] = (np.datetime64, np.timedelta64)
_NAMES = frozenset({str})
_SETS = frozenset({set, frozenset})
_PLAIN = frozenset({str, int, float, bool, type(None), date, datetime, pendulum.DateTime})


class Entity(Doors):
    """What has an identity: two records of one class are the same thing when their ids are equal."""

    __slots__ = ()

    id: str | int

    def __eq__(self, other: object) -> bool:
        """Return whether both are of one class and have one id."""
        if not isinstance(other, Entity) or other.__class__ is not self.__class__:
            return NotImplemented
        return self.id == other.id

    def __hash__(self) -> int:
        """Return the hash of the class and the id."""
        return hash((self.__class__, self.id))


class FrozenMapping(dict[str, V]):
    """A dict that refuses to change, and has a hash when its values have one.

    Examples
    --------
    >>> FrozenMapping({"city": "上海"})
    {'city': '上海'}
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the fields of a record don't change; make another record with attrs.evolve")

    __setitem__ = _refuse
    __delitem__ = _refuse
    __ior__ = _refuse  # pyright: ignore[reportAssignmentType]
    clear = _refuse
    pop = _refuse
    popitem = _refuse
    setdefault = _refuse  # pyright: ignore[reportAssignmentType]
    update = _refuse  # pyright: ignore[reportAssignmentType]

    def __hash__(self) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """Return a hash that doesn't depend on the order."""
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[FrozenMapping[V]], tuple[dict[str, V]]]:
        """Pickle and copy as a whole: item by item would be a change."""
        return type(self), (dict(self),)


EMPTY: FrozenMapping[Any] = FrozenMapping()
# How a frozen mapping is filled before anybody has seen it.
_put = cast("Callable[[dict[str, Any], str, object], None]", dict.__setitem__)  # pyright: ignore[reportUnknownMemberType]


def _python(value: object) -> object:
    return value if isinstance(value, _TIMES) else plain(value)


def label(argument: str, value: object) -> Label:
    """Return a non-empty `str` or an `int`, without what NumPy or an enum adds to it."""
    if type(value) is str and value:
        return value
    given = _python(value)
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise InvalidTypeError(message(argument, _LABEL, value))
    if given == "":
        raise InvalidValueError(message(argument, _LABEL, value))
    return str(given) if isinstance(given, str) else int(given)


def text(argument: str, value: object) -> str:
    """Return a `str` that holds more than blanks."""
    if not isinstance(value, str):
        raise InvalidTypeError(message(argument, _TEXT, value))
    if not value or value.isspace():
        raise InvalidValueError(message(argument, _TEXT, value))
    return str(value)


def aware(argument: str, value: object) -> datetime:
    """Return an aware datetime that `instant_us` takes, as it is."""
    if not isinstance(value, datetime):
        raise InvalidTypeError(message(argument, _AWARE, value))
    if value.tzinfo is None or (type(value.tzinfo) not in _ZONES and value.utcoffset() is None):
        raise InvalidValueError(message(argument, _AWARE, value))
    if type(value) not in _DATETIMES or not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        instant_us(value, argument=argument)
    return value


def number(argument: str, value: object) -> float:
    """Return an `int`, or a `float` other than NaN."""
    given = _python(value)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise InvalidTypeError(message(argument, "an int, a float or None", value))
    if isinstance(given, float) and math.isnan(given):
        raise InvalidValueError(message(argument, "a number, or None where there is none", value))
    return given


def values(argument: str, items: object) -> FrozenMapping[Any]:
    """Return a frozen copy of a mapping of `str` to values that can't change: texts, numbers, dates."""
    if not isinstance(items, dict):
        if not isinstance(items, Mapping):
            raise InvalidTypeError(message(argument, "a mapping of name to value", items))
        items = dict(cast("Mapping[object, object]", items))
    given = cast("dict[str, object]", items)
    if not given:
        return EMPTY
    plain_ones = True
    for name, value in given.items():
        if type(name) is not str or not name:
            _refuse_name(argument, name)
        if type(value) not in _PLAIN:
            plain_ones = False
    if plain_ones:
        return FrozenMapping(given)
    return FrozenMapping({name: _single(f"{argument}[{name!r}]", value) for name, value in given.items()})


def _single(argument: str, value: object) -> object:
    given = _python(value)
    try:
        hash(given)
    except TypeError:
        raise InvalidTypeError(message(argument, "a text, a number, a date or the like", value)) from None
    return given


def tag_sets(argument: str, tags: object) -> FrozenMapping[tuple[Label, ...]]:
    """Return a frozen copy of named sets of labels, each set a tuple in ascending order."""
    if not isinstance(tags, (dict, Mapping)):
        raise InvalidTypeError(message(argument, 'a mapping such as {"interests": {"tea", "hiking"}}', tags))
    given = cast("Mapping[str, Iterable[str]]", tags)
    if not given:
        return EMPTY
    sets: FrozenMapping[tuple[Label, ...]] = FrozenMapping()
    for name, labels in given.items():
        if type(name) is not str or not name:
            _refuse_name(argument, name)
        kept = tuple(labels) if type(labels) in _SETS else ()
        if len(kept) == 1 and type(kept[0]) is str:
            _put(sets, name, kept)
        elif kept and _NAMES.issuperset(map(type, kept)):
            _put(sets, name, tuple(sorted(kept)))
        else:
            _put(sets, name, _tag_set(f"{argument}[{name!r}]", labels))
    return sets


def _tag_set(argument: str, labels: object) -> tuple[Label, ...]:
    plain_labels = [_python(value) for value in items_of(argument, labels, expected="a set of labels")]
    if {type(value) for value in plain_labels} not in ({str}, {int}, set()):
        raise InvalidTypeError(message(argument, "labels that are all str or all int", plain_labels))
    return tuple(sorted(set(cast("list[Label]", plain_labels))))


def _refuse_name(argument: str, name: object) -> NoReturn:
    raise InvalidTypeError(message(argument, "names that are non-empty str", name))


def records(argument: str, kind: type[R], given: object) -> tuple[R, ...]:
    """Return a tuple of records of one class, each of which stands there once."""
    expected = f"a collection of {kind.__name__}"
    if isinstance(given, kind):
        raise InvalidTypeError(message(argument, expected, given))
    found: list[R] = []
    for row, record in enumerate(items_of(argument, given, expected=expected)):
        if not isinstance(record, kind):
            raise InvalidTypeError(message(argument, expected, record, row=row))
        if record in found:
            raise InvalidValueError(message(argument, f"each {kind.__name__} once", record, row=row))
        found.append(record)
    return tuple(found)

"""What waits to be sent, to whom and until when is it worth anything? One message, or a stream of them as columns."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np

from shequn._doors import Doors
from shequn._typing import FloatArray, IntArray  # noqa: TC001  # resolved at run time by attrs
from shequn.columns.frames import decoded, plain_column, present_rows
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import by_fields
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.labels import Coded, Index
from shequn.stats._checks import array_of, counts_column, instance, number_between, plain, reals_column, whole
from shequn.values.instants import instant_us, to_instants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn.labels import Label

__all__ = ["Message", "Messages"]

_MOST_PRIORITY = 2**31


def _priority(priority: int) -> int:
    given = whole("priority", priority)
    if not -_MOST_PRIORITY <= given < _MOST_PRIORITY:
        raise InvalidValueError(message("priority", "an integer in [-2**31, 2**31)", given))
    return given


def _weight(weight: float) -> float:
    return number_between("weight", weight, 0.0)


def _check_expires(_message: Message, field: attrs.Attribute[dt.datetime | None], value: Any) -> None:  # noqa: ANN401
    if value is not None:
        instant_us(value, argument=field.name)


@attrs.frozen(kw_only=True)
class Message(Doors):
    """One message for one member that asks to be sent.

    Parameters
    ----------
    priority : int
        Of messages at one instant, that of the higher number goes first. 0 by default.
    expires : datetime, optional
        The aware instant from which on it is worth nothing.
    weight : float
        What it adds to the fatigue pressure, 1 by default.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If one has another type, or the weight is negative.

    Examples
    --------
    >>> Message(priority=2)
    Message(priority=2, expires=None, weight=1.0)
    """

    priority: int = attrs.field(default=0, converter=_priority)
    expires: dt.datetime | None = attrs.field(default=None, validator=_check_expires)
    weight: float = attrs.field(default=1.0, converter=_weight)


def _instants(values: IntArray) -> IntArray:
    return counts_column("at_us", values, (-1,), of="each message", least=NO_INSTANT)


def _instants_or_none(values: IntArray | None) -> IntArray | None:
    return None if values is None else counts_column("expires_us", values, (-1,), of="each message", least=NO_INSTANT)


def _priorities(values: IntArray | None) -> IntArray | None:
    if values is None:
        return None
    most = _MOST_PRIORITY - 1
    return counts_column("priority", values, (-1,), of="each message", least=-_MOST_PRIORITY, most=most)


def _weights(values: FloatArray | None) -> FloatArray | None:
    return None if values is None else reals_column("weight", values, (-1,), of="each message", least=0.0)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Messages:
    """A stream of messages that ask to be sent, one row for each message to each member; made by `from_columns`.

    Attributes
    ----------
    member : Coded
        To whom.
    at_us : ndarray of int64, shape (n,)
        When it asks: microseconds since 1970-01-01T00:00Z.
    resolution_us : int
        1, 1_000 or 1_000_000: all instants are multiples of it.
    priority : ndarray of int64, shape (n,), or None
        The higher goes first at one instant; None stands for zeros.
    expires_us : ndarray of int64, shape (n,), or None
        From when on it is worth nothing; -2**63 (NumPy's NaT) for never. None stands for never throughout.
    weight : ndarray of float64, shape (n,), or None
        What it adds to the fatigue pressure; None stands for ones.
    item : Coded or None
        The content item or campaign it is about, for the facts to store.

    Examples
    --------
    >>> messages = Messages.from_columns(member=["ann", "bo", "ann"], at=[0, 0, 60], time_unit="s", priority=[0, 0, 5])
    >>> messages, messages.members
    (Messages(3 messages to 2 members), Index(['ann', 'bo']))
    """

    member: Coded
    at_us: IntArray = attrs.field(converter=_instants)
    resolution_us: int = 1
    priority: IntArray | None = attrs.field(default=None, converter=_priorities)
    expires_us: IntArray | None = attrs.field(default=None, converter=_instants_or_none)
    weight: FloatArray | None = attrs.field(default=None, converter=_weights)
    item: Coded | None = None

    def __attrs_post_init__(self) -> None:
        instance("member", self.member, Coded, expected="a Coded column")
        if self.item is not None:
            instance("item", self.item, Coded, expected="a Coded column or None")
        for name in ("member", "priority", "expires_us", "weight", "item"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self.at_us):
                raise MisalignedError(message(name, f"one entry for each of the {len(self.at_us)} rows", len(column)))

    @classmethod
    def from_columns(
        cls,
        *,
        member: ArrayLike | Sequence[Label],
        at: ArrayLike | Sequence[dt.datetime],
        at_tz: str | None = None,
        time_unit: Literal["s", "ms", "us"] | None = None,
        priority: ArrayLike | int = 0,
        expires: ArrayLike | Sequence[dt.datetime | None] | dt.datetime | None = None,
        weight: ArrayLike | float = 1.0,
        item: ArrayLike | Sequence[Label | None] | Label | None = None,
    ) -> Messages:
        """Build from a column for each thing a message says.

        Parameters
        ----------
        member : array_like of str or int, shape (n,)
            To whom; a null is refused.
        at : array_like, shape (n,)
            When each asks to be sent, in the forms of `EventLog.from_columns`.
        at_tz, time_unit
            As in `EventLog.from_columns`, for `at` and `expires`.
        priority : int, or array_like of int, shape (n,)
            The higher goes first at one instant.
        expires : datetime, or array_like, shape (n,), optional
            From when on it is worth nothing; one aware datetime stands for every row, None or NaT for never.
        weight : float, or array_like, shape (n,)
            What it adds to the fatigue pressure.
        item : label, or array_like of labels, shape (n,), optional
            The content item or campaign it is about; it goes into the facts to store.

        Returns
        -------
        Messages

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            If a column holds something else, or has another length.

        Examples
        --------
        >>> Messages.from_columns(member=[7, 7], at=["2024-03-01T08", "2024-03-01T09"], at_tz="Asia/Shanghai")
        Traceback (most recent call last):
        shequn.errors.InvalidTypeError: at: expected wall clock times without a zone (at_tz='Asia/Shanghai'),
        got '2024-03-01T08' at row 0 (2 of 2 rows); text is not parsed
        """
        told = to_instants(decoded(plain_column(at)), argument="at", at_tz=at_tz, time_unit=time_unit)
        codes = Coded.of(plain_column(member), argument="member")
        n = len(told.us)
        return cls(
            member=codes,
            at_us=told.us,
            resolution_us=told.resolution_us,
            priority=_column("priority", priority, n, kinds="iu", nothing=0),
            expires_us=_expiries(expires, n, at_tz, time_unit),
            weight=_column("weight", weight, n, kinds="iuf", nothing=1.0),
            item=_items(item, n),
        )

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.at_us)

    @property
    def members(self) -> Index:
        """The distinct members who would get something."""
        return self.member.index

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        return f"Messages({counted(len(self), 'message')} to {counted(len(self.members), 'member')})"


def _column(argument: str, values: Any, n: int, *, kinds: str, nothing: float) -> Any:  # noqa: ANN401
    """Return a column, or None where one number that changes nothing stands for every row."""
    given = array_of(argument, values, kinds=kinds, expected="integers" if kinds == "iu" else "numbers")
    if given.ndim:
        return given
    return None if given == nothing else np.full(n, given)


def _items(values: Any, n: int) -> Coded | None:  # noqa: ANN401
    if values is None:
        return None
    one = plain(values)
    if isinstance(one, str | int):
        return Coded.of([one], argument="item").take(np.zeros(n, dtype=np.int64))
    return Coded.of(plain_column(values), argument="item", nulls=True)


def _expiries(
    values: Any,  # noqa: ANN401
    n: int,
    at_tz: str | None,
    time_unit: Literal["s", "ms", "us"] | None,
) -> IntArray | None:
    if values is None:
        return None
    if isinstance(values, dt.datetime):
        return np.full(n, instant_us(values, argument="expires"))
    known, missing = present_rows(decoded(plain_column(values)), argument="expires")
    if missing.all():
        return None
    if not missing.any():
        return to_instants(known, argument="expires", at_tz=at_tz, time_unit=time_unit).us
    at_us = np.full(len(missing), NO_INSTANT, dtype=np.int64)
    told = to_instants(known, argument="expires, of rows that have one", at_tz=at_tz, time_unit=time_unit)
    at_us[~missing] = told.us
    return at_us

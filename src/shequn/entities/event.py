"""Who did what, when, to whom, and in which group? One fact."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  (who resolves the annotations of a record finds them)
from datetime import datetime  # noqa: TC003

import attrs

from shequn._doors import Doors
from shequn.entities._fields import EMPTY, aware, label, number, text, values
from shequn.values.instants import instant_us

__all__ = ["Event"]


# The first condition of each is the common case, spelt out to spare a call for each of many events.


def _member(member: str | int) -> str | int:
    return member if type(member) is str and member else label("member", member)


def _kind(kind: str) -> str:
    return text("kind", kind)


def _at(at: datetime) -> datetime:
    return aware("at", at)


def _value(value: float | None) -> float | None:
    return value if value is None or type(value) is int else number("value", value)


def _target(target: str | int | None) -> str | int | None:
    return target if target is None or (type(target) is str and target) else label("target", target)


def _group(group: str | int | None) -> str | int | None:
    return group if group is None or (type(group) is str and group) else label("group", group)


def _item(item: str | int | None) -> str | int | None:
    return item if item is None or (type(item) is str and item) else label("item", item)


def _extra(extra: Mapping[str, object]) -> Mapping[str, object]:
    return EMPTY if extra is EMPTY else values("extra", extra)


@attrs.frozen(kw_only=True)
class Event(Doors):
    """One fact about one member (事件): what happened at an instant.

    Two events are equal when all they say is equal. Instants are compared as microseconds UTC, so that the two that
    share a reading of the clock when it is set back differ.

    Parameters
    ----------
    member : str or int
        Id of who did it, or to whom it happened.
    kind : str
        What happened: a bare verb, one of `EventKind` or one of your own.
    at : datetime
        When; aware.
    value : int or float, optional
        How much: money in minor units, points, seconds. An integer stays one.
    target : str or int, optional
        Id of the other member it was directed at.
    group : str or int, optional
        Id of the group it happened in.
    item : str or int, optional
        Id of the content, product or campaign it was about.
    extra : mapping of str to a value, optional
        Anything else: the channel of a join, the role of a role change. Each value is one text, number or date.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used, such as a naive instant, a `value` of NaN or a list in `extra`.

    References
    ----------
    S3 §3.4, row T7 of the domain table.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> event = Event(
    ...     member="u1", kind="join", at=datetime(2024, 3, 1, 12, tzinfo=UTC), group="g7", extra={"channel": "抖音"}
    ... )
    >>> event.extra["channel"], event.at_us
    ('抖音', 1709294400000000)
    """

    member: str | int = attrs.field(converter=_member)
    kind: str = attrs.field(converter=_kind)
    at: datetime = attrs.field(converter=_at, eq=instant_us)
    value: float | None = attrs.field(default=None, converter=_value)
    target: str | int | None = attrs.field(default=None, converter=_target)
    group: str | int | None = attrs.field(default=None, converter=_group)
    item: str | int | None = attrs.field(default=None, converter=_item)
    extra: Mapping[str, object] = attrs.field(default=EMPTY, converter=_extra)

    @property
    def at_us(self) -> int:
        """When, in microseconds since 1970-01-01T00:00Z."""
        return instant_us(self.at)

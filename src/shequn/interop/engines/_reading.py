"""Which columns of a frame say what, so that a worker reads a frame as the caller meant it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, UnknownLabelError, message, suggest
from shequn.stats._checks import items_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Columns"]

_REQUIRED = ("member", "kind", "at")
_OPTIONAL = ("value", "target", "group", "item")
_MOST_NAMES = 20


@attrs.frozen(kw_only=True)
class Columns:
    """The names of columns, as `EventLog.from_frame` takes them; member, kind and at may be missing for logs alone."""

    member: str | None = None
    kind: str | None = None
    at: str | None = None
    at_tz: str | None = None
    time_unit: Literal["s", "ms", "us"] | None = None
    value: str | None = None
    target: str | None = None
    group: str | None = None
    item: str | None = None
    extra: tuple[str, ...] = ()

    @classmethod
    def of(cls, *, extra: Iterable[str], **named: Any) -> Columns:  # noqa: ANN401 - checked where they are used
        """Return the names that a caller gave."""
        names = [extra] if isinstance(extra, str) else items_of("extra", extra, expected="names of columns")
        return cls(**named, extra=tuple(names))

    def names_in(self, known: Sequence[Any], /) -> list[str]:
        """Return the names of all columns that are read from a frame which has columns of these names.

        Raises
        ------
        InvalidTypeError, UnknownLabelError
            One that is needed was not named, or the frame has none of that name.
        """
        given = {name: getattr(self, name) for name in (*_REQUIRED, *_OPTIONAL)}
        for name in _REQUIRED:
            if given[name] is None:
                raise InvalidTypeError(message(name, "the name of a column", None))
        wanted = [(argument, name) for argument, name in given.items() if name is not None]
        wanted += [("extra", name) for name in self.extra]
        for argument, name in wanted:
            if name not in known:
                shown = ", ".join(map(str, known[:_MOST_NAMES])) + (", …" if len(known) > _MOST_NAMES else "")
                expected = f"one of the frame's columns ({shown})"
                raise UnknownLabelError(message(argument, expected, name) + suggest(name, known))
        return list(dict.fromkeys(name for _, name in wanted))

    def read(self, frame: Any, /) -> EventLog:  # noqa: ANN401 - any frame
        """Return the rows of a frame as a log; a log is one."""
        if isinstance(frame, EventLog):
            return frame
        named = {name: getattr(self, name) for name in _OPTIONAL}
        for name in _REQUIRED:
            named[name] = getattr(self, name)
            if named[name] is None:
                raise InvalidTypeError(message(name, "the name of a column", None))
        return EventLog.from_frame(frame, **named, at_tz=self.at_tz, time_unit=self.time_unit, extra=self.extra)

    def no_rows(self) -> EventLog:
        """Return the log of a frame that has these columns and no rows."""
        named: dict[str, Any] = {name: [] for name in _OPTIONAL if getattr(self, name) is not None}
        return EventLog.from_columns(member=[], kind=[], at=[], **named, extra={name: [] for name in self.extra})

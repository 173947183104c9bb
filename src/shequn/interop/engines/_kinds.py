"""Which kinds and columns are there in a log that nobody holds as a whole?

A part may lack a kind that the whole has, so a part is counted without a word about unknown kinds. What it sends along
is the part without its rows: kinds and columns stay. Merged, they are those of the whole, and a function that is asked
about a log without rows says of them what it would say of the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import attrs

from shequn.columns import EventLog
from shequn.columns.kinds import UnknownKinds
from shequn.errors import InvalidTypeError, message
from shequn.labels import Coded
from shequn.stats._checks import one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Tallied", "policy_of"]


@attrs.frozen
class Tallied:
    """What was counted in a part, and the part without its rows."""

    tally: Any
    kinds: EventLog
    is_text: Mapping[str, bool]  # of each column whose labels are known

    @classmethod
    def of(cls, tally: Any, log: EventLog) -> Tallied:  # noqa: ANN401 - whatever a plan counts
        """Keep what was counted in a log."""
        named = {"member": log.members, **{name: column.index for name, column in _labelled(log)}}
        return cls(tally, log.where(rows=[]), {name: index.is_text for name, index in named.items() if len(index)})

    def merge(self, other: Tallied, merge: Callable[[Any, Any], Any], /) -> Tallied:
        """Return both.

        Raises
        ------
        InvalidTypeError
            A column's labels are `str` in one and `int` in the other: nobody would be the same in both.
        """
        for name in self.is_text.keys() & other.is_text.keys():
            if self.is_text[name] != other.is_text[name]:
                raise InvalidTypeError(message(name, "labels that are all str or all int", "both, in different parts"))
        kinds = EventLog.concat([self.kinds, other.kinds])
        return Tallied(merge(self.tally, other.tally), kinds, {**self.is_text, **other.is_text})


def _labelled(log: EventLog) -> list[tuple[str, Coded]]:
    columns: dict[str, Any] = {"target": log.target, "group": log.group, "item": log.item, **log.extra}
    return [(name, column) for name, column in columns.items() if isinstance(column, Coded)]


def policy_of(unknown_kinds: UnknownKinds) -> UnknownKinds:
    """Return what to do about a kind that no part knows, checked before anything is sent about."""
    one_of("unknown_kinds", unknown_kinds, get_args(UnknownKinds))
    return unknown_kinds

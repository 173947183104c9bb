"""What is in this log?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.columns.numbers import exact_sum
from shequn.columns.table import Column, Tabular
from shequn.entities._fields import FrozenMapping
from shequn.labels import Coded
from shequn.stats.distinct import each_once
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pendulum
    from numpy.typing import NDArray

    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang

__all__ = ["LogSummary", "summarise"]

_SMALL_TABLE = 1 << 20


@attrs.frozen(kw_only=True)
class KindRow(Doors):
    """One kind of event; `value` is the sum of its values, None where it has none.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["ann", "bo"], kind="purchase", at=[0, 60], time_unit="s", value=[9900, 100])
    >>> next(log.describe().rows())
    KindRow(kind='purchase', rows=2, members=2, value=10000)
    """

    kind: str
    rows: int
    members: int
    value: int | float | None


def _by_kind(counts: Mapping[str, Any]) -> FrozenMapping[Any]:
    return FrozenMapping(counts)


@attrs.frozen(kw_only=True)
class LogSummary(Tabular[KindRow]):
    """Rows, members, kinds, span, resolution and nulls of a log.

    Attributes
    ----------
    n_rows, n_members : int
    kinds : mapping of str to int
        Rows of each kind, most frequent first.
    members_by_kind : mapping of str to int
        Distinct members of each kind.
    value_by_kind : mapping of str to int or float
        Sum of the values of each kind: integers exactly, missing ones left out. Empty where the log has no values.
    first_at, last_at : pendulum.DateTime or None
        The earliest and the latest instant, in UTC; None for an empty log.
    resolution : str
        ``"s"``, ``"ms"`` or ``"us"``.
    nulls : mapping of str to int
        Rows without a value, for each optional column the log has.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["ann", "bo"], kind=["post", "like"], at=[0, 60], time_unit="s")
    >>> log.describe().kinds
    {'post': 1, 'like': 1}
    """

    n_rows: int
    n_members: int
    kinds: Mapping[str, int] = attrs.field(converter=_by_kind)
    members_by_kind: Mapping[str, int] = attrs.field(converter=_by_kind)
    value_by_kind: Mapping[str, int | float] = attrs.field(converter=_by_kind)
    first_at: pendulum.DateTime | None
    last_at: pendulum.DateTime | None
    resolution: str
    nulls: Mapping[str, int] = attrs.field(converter=_by_kind)

    _Row: ClassVar[type[Any] | None] = KindRow

    def _tidy(self) -> Sequence[Column]:
        sums = [self.value_by_kind.get(kind) for kind in self.kinds]
        return [
            Column(key="kind", en="kind", zh="行为", values=list(self.kinds)),
            Column(key="rows", en="rows", zh="行数", values=list(self.kinds.values()), format="count"),
            Column(key="members", en="members", zh="成员", values=list(self.members_by_kind.values()), format="count"),
            Column(key="value", en="value", zh="数值", values=sums, format="number"),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if column.key != "value" or self.value_by_kind]

    def _title(self, lang: Lang) -> str:
        rows, members = f"{self.n_rows:,}", f"{self.n_members:,}"
        if self.first_at is None or self.last_at is None:
            return f"{rows} rows, {members} members" if lang == "en" else f"{rows} 行，{members} 名成员"
        span = f"{self.first_at:YYYY-MM-DD HH:mm} – {self.last_at:YYYY-MM-DD HH:mm} UTC"
        if lang == "en":
            return f"{rows} rows, {members} members, {span}, resolution {self.resolution}"
        return f"{rows} 行，{members} 名成员，{span}，精度 {self.resolution}"

    def _notes(self, lang: Lang) -> Sequence[str]:
        word = "nulls" if lang == "en" else "空值"
        return [f"{word}: " + ", ".join(f"{name} {n:,}" for name, n in self.nulls.items())] if self.nulls else []


def summarise(log: EventLog, /) -> LogSummary:
    """Return the summary of a log: the work of `EventLog.describe`."""
    rows = np.bincount(log.kind_codes, minlength=len(log.kinds))
    members = _members_by_kind(log)
    order = [code for code in np.argsort(-rows, kind="stable").tolist() if rows[code]]
    columns = {name: getattr(log, name) for name in ("value", "target", "group", "item")} | dict(log.extra)
    nulls = {
        name: int((column.codes < 0).sum() if isinstance(column, Coded) else np.isnan(column).sum())
        for name, column in columns.items()
        if column is not None
    }
    return LogSummary(
        n_rows=len(log),
        n_members=len(log.members),
        kinds={str(log.kinds[code]): int(rows[code]) for code in order},
        members_by_kind={str(log.kinds[code]): int(members[code]) for code in order},
        value_by_kind={} if log.value is None else _value_by_kind(log, log.value, order),
        first_at=from_us(int(log.at_us.min())) if len(log) else None,
        last_at=from_us(int(log.at_us.max())) if len(log) else None,
        resolution=log.resolution,
        nulls=nulls,
    )


def _value_by_kind(log: EventLog, value: NDArray[Any], order: list[int]) -> dict[str, int | float]:
    """Sum the values of each kind that has any."""
    known = ~np.isnan(value) if value.dtype.kind == "f" else np.ones(len(value), dtype=np.bool_)
    of_kind = {code: value[known & (log.kind_codes == code)] for code in order}
    return {str(log.kinds[code]): exact_sum(own, argument="value") for code, own in of_kind.items() if len(own)}


def _members_by_kind(log: EventLog) -> NDArray[np.integer[Any]]:
    """Count the distinct members of each kind: in a table of bits unless that would outgrow the log."""
    if len(log.kinds) * len(log.members) <= max(8 * len(log), _SMALL_TABLE):
        seen = np.zeros((len(log.kinds), len(log.members)), dtype=np.bool_)
        seen[log.kind_codes, log.member_codes] = True
        members: NDArray[np.integer[Any]] = np.count_nonzero(seen, axis=1)
        return members
    pairs = each_once(log.kind_codes.astype(np.int64) * len(log.members) + log.member_codes)
    return np.bincount(pairs // len(log.members), minlength=len(log.kinds))

"""What happened: one row an event, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import attrs
import numpy as np

from shequn.columns.arrow import field_of, instants_field, stream_of
from shequn.columns.describe import LogSummary, summarise
from shequn.columns.extra import ExtraColumn, extra_column, same_columns, stack_columns
from shequn.columns.frames import frame_columns, instants_of, numbers_of, plain_column
from shequn.columns.ingest import Ingested, judge_rows
from shequn.columns.kinds import kind_names
from shequn.columns.partition import part_of_members
from shequn.columns.readonly import frozen, read_only, read_only_or_none
from shequn.columns.spans import Spans
from shequn.entities import Event
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message, suggest
from shequn.labels import Assignment, Coded, Index
from shequn.stats._checks import instance, is_integer, items_of, plain_array, whole
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn.labels import Label

__all__ = ["EventLog", "sorted_rows"]

_LABELLED = ("target", "group", "item")
_REQUIRED = ("member", "kind", "at")
_NAMES = (*_REQUIRED, "value", *_LABELLED)
_MOST_PARTS = 1 << 16


def _frozen_columns(columns: Mapping[str, ExtraColumn]) -> Mapping[str, ExtraColumn]:
    return MappingProxyType(
        {name: column if isinstance(column, Coded) else read_only(column) for name, column in columns.items()}
    )


def _spans(log: EventLog) -> Spans:
    return Spans.of_rows(log.at_us)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class EventLog:
    """Rows of events as read-only columns of equal length, in the order they were given.

    Build one with `from_columns`, `from_frame`, `from_events` or `ingest`. A labelled column is a `Coded`: an index of
    its distinct labels and one small integer a row.

    Attributes
    ----------
    member, kind : Coded
        Who, and what they did.
    at_us : ndarray of int64, shape (n,)
        When: microseconds since 1970-01-01T00:00Z.
    resolution_us : int
        The coarsest of 1, 1_000 and 1_000_000 µs that all instants are multiples of; a part of a log keeps that of the
        whole.
    value : ndarray of int64 or float64, shape (n,), or None
        How much. Integers (money in minor units) are kept exactly; a missing value is NaN.
    target, group, item : Coded or None
        To whom, in which group, about what.
    extra : mapping of str to Coded or ndarray
        The caller's own columns.
    is_sorted : bool
        Whether rows are ordered by member and instant, see `sorted`.
    source_rows : ndarray of int64, shape (n,), or None
        After `sorted`: where each row stood before.
    spans : Spans
        Between which instants each block of rows lies, and in a long log in no order roughly when each row is.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind=["join", "join", "post"], at=[0, 60, 3600], time_unit="s"
    ... )
    >>> len(log), log.members, log.kinds
    (3, Index(['ann', 'bo']), Index(['join', 'post']))
    """

    member: Coded
    kind: Coded
    at_us: NDArray[np.int64] = attrs.field(converter=read_only)
    resolution_us: int
    value: NDArray[Any] | None = attrs.field(default=None, converter=read_only_or_none)
    target: Coded | None = None
    group: Coded | None = None
    item: Coded | None = None
    extra: Mapping[str, ExtraColumn] = attrs.field(factory=dict[str, ExtraColumn], converter=_frozen_columns)
    is_sorted: bool = False
    source_rows: NDArray[np.int64] | None = attrs.field(default=None, converter=read_only_or_none)
    spans: Spans = attrs.field(init=False, default=attrs.Factory(_spans, takes_self=True))

    # ── facts in ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def from_columns(
        cls,
        *,
        member: ArrayLike | Sequence[Label],
        kind: ArrayLike | Sequence[str],
        at: ArrayLike | Sequence[dt.datetime],
        at_tz: str | None = None,
        time_unit: Literal["s", "ms", "us"] | None = None,
        value: ArrayLike | Sequence[float | None] | None = None,
        target: ArrayLike | Sequence[Label | None] | None = None,
        group: ArrayLike | Sequence[Label | None] | None = None,
        item: ArrayLike | Sequence[Label | None] | None = None,
        extra: Mapping[str, ArrayLike | Sequence[object]] | None = None,
    ) -> EventLog:
        """Build from one column for each thing an event says.

        A column is a list, an array, a pandas column, or what offers itself through Arrow's C interface (a column of a
        Polars data frame or of an Arrow table). Arrow's memory is kept and not copied where it holds what the log does:
        int64 and float64 values, microseconds UTC, indices of a dictionary. As there, nobody may write to it.

        Parameters
        ----------
        member : array_like of str or int, shape (n,)
            Who acted. A null is refused.
        kind : array_like of str, shape (n,), or one str
            What they did; one string stands for every row.
        at : array_like, shape (n,)
            When: aware datetimes; integers with `time_unit`; wall-clock datetimes or ``datetime64`` with `at_tz`; a
            data frame's column that has a time zone.
        at_tz : str, optional
            Zone of a column that carries none. A wall clock that the zone skipped or repeated is refused.
        time_unit : {"s", "ms", "us"}, optional
            Unit of integer instants, counted from 1970-01-01T00:00Z.
        value : array_like of int or float, shape (n,), optional
            Integers stay exact (money in minor units).
        target, group, item : array_like of str or int, shape (n,), optional
            The member addressed, the chat group, the content item or product. None or NaN stands for none.
        extra : mapping of str to array_like, optional
            More columns: numbers stay numbers, booleans become 0 and 1, text becomes labels.

        Returns
        -------
        EventLog

        Raises
        ------
        MisalignedError
            Columns differ in length.
        InvalidTypeError, InvalidValueError
            A column holds something else, or an empty text where a label must be; the message names the column, the
            first bad row and how many there are.

        Examples
        --------
        >>> log = EventLog.from_columns(
        ...     member=[7, 9],
        ...     kind="purchase",
        ...     at=np.array(["2024-02-10T00:00", "2024-02-10T00:05"], "M8[m]"),
        ...     at_tz="Asia/Shanghai",
        ...     value=[9900, 19900],
        ...     extra={"channel": ["抖音", None]},
        ... )
        >>> log.value.tolist(), log.extra["channel"].labels().tolist()
        ([9900, 19900], ['抖音', None])
        """
        who = _labels(member, "member")
        n = len(who)
        if isinstance(kind, str):
            what = Coded(index=_labels([kind], "kind").index, codes=np.zeros(n, dtype=np.int8))
        else:
            what = _labels(kind, "kind")
        if len(what) and not what.index.is_text:
            raise InvalidTypeError(message("kind", "labels that are all str", what.index[0], row=0))
        instants = instants_of(at, argument="at", at_tz=at_tz, time_unit=time_unit)
        numbers = None if value is None else numbers_of(value, argument="value")
        labelled: dict[str, Any] = {
            name: None if column is None else _labels(column, name, nulls=True)
            for name, column in zip(_LABELLED, (target, group, item), strict=True)
        }
        if extra is not None:
            instance("extra", extra, Mapping, expected="a mapping of name to column")
        more = {name: extra_column(column, name=name, reserved=_NAMES) for name, column in (extra or {}).items()}
        lengths = {"kind": what, "at": instants.us, "value": numbers, **labelled, **more}
        for name, column in lengths.items():
            if column is not None and len(column) != n:
                raise MisalignedError(message(name, f"as many rows as `member`, which has {n}", len(column)) + " rows")
        return cls(
            member=who,
            kind=what,
            at_us=instants.us,
            resolution_us=instants.resolution_us,
            value=numbers,
            extra=more,
            **labelled,
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,  # noqa: ANN401
        /,
        *,
        member: str,
        kind: str,
        at: str,
        at_tz: str | None = None,
        time_unit: Literal["s", "ms", "us"] | None = None,
        value: str | None = None,
        target: str | None = None,
        group: str | None = None,
        item: str | None = None,
        extra: Iterable[str] = (),
    ) -> EventLog:
        """Build from the named columns of a data frame: pandas, Polars, anything of Arrow, or a mapping of arrays.

        Parameters
        ----------
        frame : data frame, mapping of str to array_like, or object with ``__arrow_c_stream__``
            The last is an Arrow table or reader, a DuckDB relation, an Ibis table: what is no frame in memory is read
            once, as a stream.
        member, kind, at, value, target, group, item : str
            Names of its columns; see `from_columns` for what each holds.
        at_tz, time_unit
            As in `from_columns`; a column of zone-aware timestamps takes neither.
        extra : iterable of str
            Names of more columns to keep.

        Raises
        ------
        UnknownLabelError
            The frame has no such column; the message suggests the closest one.

        Notes
        -----
        Through Arrow, numbers, instants and the indices of categories are read where they lie: an Arrow table, a Polars
        frame or a DuckDB relation over memory that is written to afterwards, such as a pandas frame or an array, must
        be made from a copy of it. What is read as a stream is read to its end: a reader of pyarrow that was read before
        has no rows any more and makes an empty log, as it can't be told from one that never had any.

        Examples
        --------
        >>> frame = {"user_id": ["ann"], "event": ["post"], "ts": [0]}
        >>> EventLog.from_frame(frame, member="user_id", kind="event", at="ts", time_unit="s").kinds
        Index(['post'])
        """
        named = {
            "member": member,
            "kind": kind,
            "at": at,
            "value": value,
            "target": target,
            "group": group,
            "item": item,
        }
        wanted: dict[str, Any] = {key: name for key, name in named.items() if name is not None or key in _REQUIRED}
        names = [extra] if isinstance(extra, str) else items_of("extra", extra, expected="names of columns")
        found = frame_columns(frame, [*wanted.items(), *(("extra", name) for name in names)])
        columns: dict[str, Any] = dict(zip(wanted, found, strict=False))
        more = dict(zip(names, found[len(wanted) :], strict=True))
        return cls.from_columns(**columns, extra=more, at_tz=at_tz, time_unit=time_unit)

    @classmethod
    def from_events(cls, events: Iterable[Event], /) -> EventLog:
        """Build from `Event` records.

        Examples
        --------
        >>> at = from_us(1_707_523_200_000_000)
        >>> event = Event(member="ann", kind="join", at=at, extra={"channel": "抖音"})
        >>> EventLog.from_events([event]).extra["channel"].labels().tolist()
        ['抖音']
        """
        rows = items_of("events", events, expected="Event records")
        for row, event in enumerate(rows):
            if not isinstance(event, Event):
                raise InvalidTypeError(message("events", "Event records", event, row=row))
        given = {name: [getattr(event, name) for event in rows] for name in ("value", *_LABELLED)}
        columns: dict[str, Any] = {
            name: column for name, column in given.items() if any(value is not None for value in column)
        }
        names = dict.fromkeys(name for event in rows for name in event.extra)
        return cls.from_columns(
            member=[event.member for event in rows],
            kind=[event.kind for event in rows],
            at=[event.at for event in rows],
            extra={name: [event.extra.get(name) for event in rows] for name in names},
            **columns,
        )

    @classmethod
    def ingest(
        cls,
        rows: Iterable[Mapping[str, Any] | Event],
        /,
        *,
        at_tz: str | None = None,
        time_unit: Literal["s", "ms", "us"] | None = None,
    ) -> Ingested:
        """Build from rows of which some may be bad: take the good ones, and tell why each of the others was rejected.

        Parameters
        ----------
        rows : iterable of mapping, or of Event
            A mapping has the keys ``member``, ``kind`` and ``at``, may have ``value``, ``target``, ``group`` and
            ``item``, and what else it has is an extra (those under ``extra`` too). A key that is left out is missing.
        at_tz, time_unit
            As in `from_columns`; integers need `time_unit`, and aware datetimes do without either.

        Returns
        -------
        Ingested
            The log of the accepted rows, in their order, and the rejected rows: together as many as were given.

        Notes
        -----
        A row is judged by itself, then against the others: where a column mixes `str` and `int` labels, or numbers and
        text, rows of the rarer sort are rejected (of the one that came later, if they are as many).

        Examples
        --------
        >>> log, rejected = EventLog.ingest(
        ...     [{"member": "ann", "kind": "join", "at": 0}, {"member": None, "kind": "join", "at": 60}], time_unit="s"
        ... )
        >>> len(log), rejected[0].reason
        (1, 'member: expected a label that is str or int, got None')
        """
        judged = judge_rows(rows, at_tz=at_tz, time_unit=time_unit)
        return Ingested(cls.from_columns(**judged.columns), judged.rejected)

    # ── what it holds ────────────────────────────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.at_us)

    @property
    def members(self) -> Index:
        """The distinct members who acted."""
        return self.member.index

    @property
    def kinds(self) -> Index:
        """The kinds of event; a part of a log keeps the kinds of the whole."""
        return self.kind.index

    @property
    def member_codes(self) -> NDArray[Any]:
        """Code of each row's member in `members`, shape (n,)."""
        return self.member.codes

    @property
    def kind_codes(self) -> NDArray[Any]:
        """Code of each row's kind in `kinds`, shape (n,)."""
        return self.kind.codes

    @property
    def resolution(self) -> Literal["s", "ms", "us"]:
        """The coarsest unit of which all instants are multiples."""
        return _RESOLUTIONS[self.resolution_us]

    def column(self, name: str, /, *, argument: str = "column") -> ExtraColumn:
        """Return a column by name: member, kind, value, target, group, item or an extra.

        Raises
        ------
        UnknownLabelError
            The log has no such column.
        InvalidTypeError
            `name` is no str.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s", group=["g1"])
        >>> log.column("group").labels().tolist()
        ['g1']
        """
        instance(argument, name, str, expected="the name of a column")
        own = {name: getattr(self, name) for name in ("member", "kind", "value", *_LABELLED)}
        found: ExtraColumn | None = own[name] if name in own else self.extra.get(name)
        if found is None:
            known = [key for key, column in own.items() if column is not None] + list(self.extra)
            raise UnknownLabelError(
                message(argument, f"one of the log's columns ({', '.join(known)})", name) + suggest(name, known)
            )
        return found

    def labelled_column(self, name: str, /, *, argument: str = "by") -> Coded:
        """Return a column as labels, as every ``by=`` reads it; whole numbers count as labels.

        Raises
        ------
        UnknownLabelError
            The log has no such column.
        InvalidTypeError
            It holds numbers that are no labels, or `name` is no str.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s", extra={"age": [30]})
        >>> log.labelled_column("age").index
        Index([30])
        """
        found = self.column(name, argument=argument)
        return found if isinstance(found, Coded) else Coded.of(found, argument=argument)

    def describe(self) -> LogSummary:
        """Return rows, members, kinds with their counts, span, resolution and nulls.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind="post", at=[0, 60], time_unit="s")
        >>> log.describe().n_members
        2
        """
        return summarise(self)

    # ── parts and wholes ─────────────────────────────────────────────────────────────────────────────────────────────

    def where(
        self,
        *,
        kinds: Collection[str] | str | None = None,
        members: Collection[Label] | Index | Label | None = None,
        groups: Collection[Label] | Label | None = None,
        items: Collection[Label] | Label | None = None,
        rows: ArrayLike | None = None,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> EventLog:
        """Return the rows that meet every condition, in the same order.

        Parameters
        ----------
        kinds, members, groups, items : collection of labels, or one label, optional
            Keep rows with one of these; a label that the log lacks matches nothing.
        rows : array_like of bool, shape (n,), or of int, optional
            Keep by a mask, or by distinct row numbers.
        start, end : aware datetime, optional
            Keep instants in [start, end).

        Returns
        -------
        EventLog
            Its indexes hold the labels that are left; `kinds` stays whole.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind=["post", "like"], at=[0, 60], time_unit="s")
        >>> log.where(kinds="like").members
        Index(['bo'])
        """
        mask = np.ones(len(self), dtype=np.bool_)
        wanted = {"kind": kinds, "member": members, "group": groups, "item": items}
        for name, labels in wanted.items():
            if labels is not None:
                mask &= self._has_label(name, labels)
        start_us = None if start is None else instant_us(start, argument="start")
        end_us = None if end is None else instant_us(end, argument="end")
        if start_us is not None and end_us is not None and start_us > end_us:
            raise InvalidValueError(message("end", f"an instant not before start ({start})", end))
        if start_us is not None:
            mask &= self.at_us >= start_us
        if end_us is not None:
            mask &= self.at_us < end_us
        if rows is not None:
            mask &= _row_mask(rows, len(self))
        return self if mask.all() else self._take(mask)

    def _has_label(self, name: str, labels: Any) -> NDArray[np.bool_]:  # noqa: ANN401
        argument = f"{name}s"
        column = self.labelled_column(name, argument=argument)
        if name == "kind":
            labels = kind_names(labels, argument=argument)
        elif isinstance(labels, str) or is_integer(labels):
            labels = [labels]
        elif not hasattr(labels, "__array__"):
            labels = items_of(argument, labels, expected="labels")
        index, _ = Index.encode(labels, argument=argument)
        wanted = np.zeros(len(column.index) + 1, dtype=np.bool_)
        places = column.index.places_of(index)
        wanted[places[places >= 0]] = True
        mask: NDArray[np.bool_] = wanted[column.codes]
        return mask

    def _take(self, rows: NDArray[Any], *, is_sorted: bool | None = None) -> EventLog:
        """Return some rows, in the order given, under indexes of the labels that are left."""
        labelled: dict[str, Coded | None] = {name: getattr(self, name) for name in _LABELLED}
        taken: dict[str, Any] = {
            name: None if column is None else column.take(rows).compact() for name, column in labelled.items()
        }
        return attrs.evolve(
            self,
            member=self.member.take(rows).compact(),
            kind=self.kind.take(rows),
            at_us=frozen(self.at_us[rows]),
            value=None if self.value is None else frozen(self.value[rows]),
            extra={
                name: column.take(rows).compact() if isinstance(column, Coded) else frozen(column[rows])
                for name, column in self.extra.items()
            },
            is_sorted=self.is_sorted if is_sorted is None else is_sorted,
            source_rows=None if self.source_rows is None else frozen(self.source_rows[rows]),
            **taken,
        )

    def sorted(self) -> EventLog:
        """Return the rows ordered by (member, instant, row), with `source_rows` telling where each stood.

        Members come in the order of `members`.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["bo", "ann", "bo"], kind="post", at=[60, 0, 30], time_unit="s")
        >>> log.sorted().source_rows.tolist()
        [2, 0, 1]
        """
        if self.is_sorted:
            return self
        order = sorted_rows(self.member_codes, self.at_us, self.resolution_us)
        new = self._take(order, is_sorted=True)
        return new if self.source_rows is not None else attrs.evolve(new, source_rows=frozen(order))

    def partition(self, n: int, /) -> tuple[EventLog, ...]:
        """Split by member into `n` logs: a member goes to the same part in every process and in every log.

        The part is a stable hash of the label and its type, modulo `n`.

        Parameters
        ----------
        n : int
            Number of parts, at least 1 and at most 65,536. Parts may be empty.

        Returns
        -------
        tuple of EventLog, length n

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann", "bo", "cy"], kind="post", at=[0, 1, 2], time_unit="s")
        >>> [part.members for part in log.partition(2)]
        [Index(['bo', 'cy']), Index(['ann'])]
        """
        n_parts = whole("n", n)
        if not 1 <= n_parts <= _MOST_PARTS:
            raise InvalidValueError(message("n", f"a number of parts in [1, {_MOST_PARTS:,}]", n))
        part_of_row = part_of_members(self.members, n_parts)[self.member_codes]
        order = np.argsort(part_of_row, kind="stable")
        bounds = np.searchsorted(part_of_row[order], np.arange(n_parts + 1))
        return tuple(self._take(order[a:b]) for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))

    @classmethod
    def concat(cls, logs: Iterable[EventLog], /) -> EventLog:
        """Stack logs; indexes are united by label and codes follow.

        A column that some logs lack is null there (an integer `value` then becomes float64 with NaN). `source_rows` and
        the order that `sorted` made are lost.

        Raises
        ------
        InvalidTypeError
            A column holds `str` labels in one log and `int` labels or numbers in another.

        Examples
        --------
        >>> a = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s")
        >>> b = EventLog.from_columns(member=["bo", "ann"], kind="like", at=[1, 2], time_unit="s")
        >>> EventLog.concat([a, b]).member_codes.tolist()
        [0, 1, 0]
        """
        parts: list[EventLog] = items_of("logs", logs, expected="EventLog objects")
        for row, log in enumerate(parts):
            if not isinstance(log, EventLog):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidTypeError(message("logs", "EventLog objects", log, row=row))
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        lengths = [len(log) for log in parts]
        names = dict.fromkeys(name for log in parts for name in log.extra)
        extra = {name: stack_columns([log.extra.get(name) for log in parts], lengths, name=name) for name in names}
        optional: dict[str, Any] = {
            name: stack_columns([getattr(log, name) for log in parts], lengths, name=name)
            for name in ("value", *_LABELLED)
        }
        return cls(
            member=Coded.concat([log.member for log in parts], argument="member"),
            kind=Coded.concat([log.kind for log in parts], argument="kind"),
            at_us=frozen(np.concatenate([log.at_us for log in parts])),
            resolution_us=min((log.resolution_us for log in parts if len(log)), default=1_000_000),
            extra={name: column for name, column in extra.items() if column is not None},
            **optional,
        )

    @classmethod
    def empty(cls) -> EventLog:
        """Return the log of no rows: what every tally's identity is computed from.

        Examples
        --------
        >>> len(EventLog.empty())
        0
        """
        return cls.from_columns(member=[], kind=[], at=[])

    # ── per member ───────────────────────────────────────────────────────────────────────────────────────────────────

    def first(self, column: str, /, *, kinds: Collection[str] | str | None = None) -> Assignment:
        """Return each member's label in `column` at the first row that has one: the segment by first touch.

        Parameters
        ----------
        column : str
            A labelled column: ``"group"``, ``"item"``, ``"kind"``, an extra.
        kinds : collection of str, optional
            Look at rows of these kinds only.

        Returns
        -------
        Assignment
            Over `members`; a member without such a row is in no segment. Of rows at the same instant, the first in the
            log counts.

        Examples
        --------
        >>> log = EventLog.from_columns(
        ...     member=["ann", "ann"], kind="join", at=[60, 0], time_unit="s", extra={"channel": ["抖音", "微博"]}
        ... )
        >>> log.first("channel").of("ann"), log.last("channel").of("ann")
        ('微博', '抖音')
        """
        return self._touch(column, kinds, last=False)

    def last(self, column: str, /, *, kinds: Collection[str] | str | None = None) -> Assignment:
        """Return each member's label in `column` at the last row that has one: the segment by last touch.

        Of rows at the same instant, the last in the log counts. See `first`.
        """
        return self._touch(column, kinds, last=True)

    def _touch(self, column: str, kinds: Collection[str] | str | None, *, last: bool) -> Assignment:
        labels = self.labelled_column(column, argument="column")
        mask = labels.codes >= 0
        if kinds is not None:
            mask &= self._has_label("kind", kinds)
        rows = np.flatnonzero(mask)
        who = self.member_codes[rows]
        direction = -1 if last else 1
        at = direction * self.at_us[rows]
        extreme = np.full(len(self.members), np.iinfo(np.int64).max)
        np.minimum.at(extreme, who, at)
        at_extreme = at == extreme[who]
        chosen = np.full(len(self.members), np.iinfo(np.int64).max)
        np.minimum.at(chosen, who[at_extreme], direction * rows[at_extreme])
        codes = np.full(len(self.members), -1, dtype=np.int32)
        has_row = chosen != np.iinfo(np.int64).max
        codes[has_row] = labels.codes[direction * chosen[has_row]]
        return Assignment(members=self.members, codes=codes, segments=labels.index)

    # ── facts out ────────────────────────────────────────────────────────────────────────────────────────────────────

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return every column of the log as an array of shape (n,), labels decoded; ``at`` is datetime64[us] in UTC.

        ``EventLog.from_columns(**columns, at_tz="UTC")`` gives the log back, with the extras passed as ``extra=``.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s")
        >>> {name: column.tolist() for name, column in log.to_columns().items() if name != "at"}
        {'member': ['ann'], 'kind': ['post']}
        """
        columns: dict[str, NDArray[Any]] = {
            "member": self.member.labels(),
            "kind": self.kind.labels(),
            "at": self.at_us.view("M8[us]"),
        }
        if self.value is not None:
            columns["value"] = self.value
        for name in _LABELLED:
            if (column := getattr(self, name)) is not None:
                columns[name] = column.labels()
        return columns | {
            name: column.labels() if isinstance(column, Coded) else column for name, column in self.extra.items()
        }

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Lend the log to any library of Arrow's C interface: ``pl.DataFrame(log)``, ``pa.table(log)``.

        ``from_frame`` of what it makes is this log. ``at`` is a timestamp in UTC, text a dictionary whose indices are
        the codes, no label null; a missing value is NaN, as here. `requested_schema` is left aside, as it may be.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s", group=["g1"])
        >>> log == EventLog.from_frame(log, member="member", kind="kind", at="at", group="group")
        True
        """
        named: dict[str, Any] = {name: getattr(self, name) for name in ("value", *_LABELLED)}
        columns = {name: column for name, column in named.items() if column is not None} | dict(self.extra)
        return stream_of(
            [
                field_of("member", self.member),
                field_of("kind", self.kind),
                instants_field("at", self.at_us),
                *(field_of(name, column) for name, column in columns.items()),
            ],
            len(self),
        )

    def to_events(self) -> Iterator[Event]:
        """Yield one `Event` a row, instants in UTC.

        Examples
        --------
        >>> log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s")
        >>> next(log.to_events()).at.isoformat()
        '1970-01-01T00:00:00+00:00'
        """
        columns = self.to_columns()
        del columns["at"]
        for row, at in enumerate(self.at_us.tolist()):
            fields = {name: _plain_value(column[row]) for name, column in columns.items()}
            extra = {name: value for name in self.extra if (value := fields.pop(name)) is not None}
            yield Event(at=from_us(at), extra=extra, **fields)

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same rows in the same order, labels compared by label."""
        if not isinstance(other, EventLog):
            return NotImplemented
        if len(self) != len(other) or set(self.extra) != set(other.extra):
            return False
        names = ("member", "kind", "at_us", "value", *_LABELLED)
        pairs = [(getattr(self, name), getattr(other, name)) for name in names]
        pairs += [(self.extra[name], other.extra[name]) for name in self.extra]
        return all(same_columns(a, b) for a, b in pairs)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., EventLog], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        given = [field.name for field in attrs.fields(EventLog) if field.init]
        fields: dict[str, Any] = {name: getattr(self, name) for name in given}
        return partial(EventLog, **(fields | {"extra": dict(self.extra)})), ()

    def __repr__(self) -> str:
        """Show the size of the log, not its rows."""
        return f"EventLog({len(self):,} rows, {len(self.members):,} members, {len(self.kinds):,} kinds)"


_KEY_BITS = 63
_RESOLUTIONS: dict[int, Literal["s", "ms", "us"]] = {1_000_000: "s", 1_000: "ms", 1: "us"}


def sorted_rows(codes: NDArray[Any], at_us: NDArray[np.int64], resolution_us: int = 1) -> NDArray[np.int64]:
    """Return the row numbers ordered by (code, instant, row); codes are not negative.

    Code and instant are packed into one integer where they fit, which they mostly do in units of the resolution.

    Examples
    --------
    >>> sorted_rows(np.array([1, 0, 1], dtype=np.int32), np.array([5, 5, 3])).tolist()
    [1, 2, 0]
    """
    if not len(at_us):
        return np.empty(0, dtype=np.int64)
    low, high = int(at_us.min()), int(at_us.max())
    time_bits = ((high - low) // resolution_us).bit_length()
    if int(codes.max()).bit_length() + time_bits <= _KEY_BITS:
        key = at_us - low
        if resolution_us > 1:
            key //= resolution_us
        key |= codes.astype(np.int64) << time_bits
        return np.argsort(key, kind="stable")
    return np.lexsort((at_us, codes))


def _labels(values: object, name: str, *, nulls: bool = False) -> Coded:
    """Encode a column of labels that stand for something, as those of an `Event` do: an empty text names nothing."""
    column = Coded.of(plain_column(values), argument=name, nulls=nulls)
    if column.index.is_text and "" in column.index.labels.tolist():  # one look at each, and no dictionary of them
        bad = column.codes == column.index.code("")
        expected = "labels that are not empty" + (" (None for none)" if nulls else "")
        row = int(np.flatnonzero(bad)[0])
        raise InvalidValueError(message(name, expected, "", row=row, bad=int(bad.sum()), total=len(bad)))
    return column


def _row_mask(rows: ArrayLike, n: int) -> NDArray[np.bool_]:
    given = plain_array("rows", rows, expected="a mask or row numbers")
    if given.ndim != 1:
        raise InvalidValueError(message("rows", "a 1-D mask or row numbers", f"an array of shape {given.shape}"))
    if given.dtype == np.bool_:
        if len(given) != n:
            raise MisalignedError(message("rows", f"a mask of {n} rows", len(given)) + " rows")
        return given
    if given.size and given.dtype.kind not in "iu":
        raise InvalidTypeError(message("rows", "a mask or row numbers", given.dtype.name))
    bad = (given < 0) | (given >= n)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InvalidValueError(
            message("rows", f"row numbers in [0, {n})", given[row], row=row, bad=int(bad.sum()), total=given.size)
        )
    mask = np.zeros(n, dtype=np.bool_)
    mask[given.astype(np.int64)] = True
    return mask


def _plain_value(value: object) -> Any:  # noqa: ANN401
    plain = cast("Any", value.item() if isinstance(value, np.generic) else value)
    return None if plain != plain else plain  # noqa: PLR0124  (NaN)

"""Who got how far, by which rows?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.funnel.asked import Asked, Maturity
from shequn.funnel.matcher import find

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang
    from shequn.funnel.definition import Funnel
    from shequn.labels import Index

__all__ = ["Matches", "match"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Matches:
    """The witness chain of each member who entered; made by `match`.

    Attributes
    ----------
    members : Index
        The n members who entered, in the order of the log's members.
    member_codes : ndarray of int64, shape (n,)
        Their codes in the log.
    level : ndarray of int16, shape (n,)
        How many required steps each reached; 0 where every attempt was tainted.
    rows : ndarray of int64, shape (n, n_steps)
        The matched row of the log for each step; -1 where the step was skipped or not reached.
    at_us : ndarray of int64, shape (n, n_steps)
        Its instant, in microseconds since 1970-01-01T00:00Z; the least int64 (NaT) where there is none.
    funnel : Funnel
        The definition.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 3600], time_unit="s")
    >>> found = match(log, Funnel(steps=("join", "post"), within=duration(days=1)))
    >>> found.level.tolist(), found.rows.tolist()
    ([2], [[0, 1]])
    """

    members: Index
    member_codes: IntArray = attrs.field(converter=read_only)
    level: NDArray[np.int16] = attrs.field(converter=read_only)
    rows: IntArray = attrs.field(converter=read_only)
    at_us: IntArray = attrs.field(converter=read_only)
    funnel: Funnel

    @property
    def is_tainted(self) -> BoolArray:
        """Whether an excluding row stood in the way of each attempt, shape (n,)."""
        return frozen(self.level == 0)

    @property
    def is_complete(self) -> BoolArray:
        """Whether the member reached every required step, shape (n,)."""
        return frozen(self.level == self.funnel.n_required)

    def __len__(self) -> int:
        return len(self.members)

    def table(self, *, lang: Lang = "en", max_rows: int | None = None) -> str:
        """Return an aligned table: member, level and the instant of each step, in UTC.

        Parameters
        ----------
        lang : {"en", "zh"}, default "en"
            Language of the headers.
        max_rows : int, optional
            Show at most this many rows, the first and the last ones. By default all.
        """
        return _Matches(self).table(lang=lang, max_rows=max_rows)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return member, level and the instant of each step (datetime64 in UTC, NaT where there is none)."""
        return _Matches(self).to_columns()

    def __str__(self) -> str:
        """Return the table in English, of a long result its first and last 50 rows."""
        return str(_Matches(self))

    def _repr_html_(self) -> str:
        return _Matches(self)._repr_html_()  # pyright: ignore[reportPrivateUsage]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many members entered and how many went all the way."""
        return f"Matches({len(self):,} members, {int(self.is_complete.sum()):,} complete)"


@attrs.frozen(eq=False)
class _Matches(Tabular[Any]):
    """What a reader sees of matches, whose own `rows` are rows of the log."""

    found: Matches

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        found = self.found
        names = found.funnel.names
        taken = ("member", "level", *names)
        keys = [name if taken.count(name) == 1 else f"{name} #{step}" for step, name in enumerate(names)]
        return [
            Column(key="member", en="member", zh="成员", values=found.members.labels),
            Column(key="level", en="level", zh="层级", values=found.level, format="count"),
            *(
                Column(key=key, en=name, zh=name, values=self._instants(step), format="date")
                for step, (key, name) in enumerate(zip(keys, names, strict=True))
            ),
        ]

    def _instants(self, step: int) -> NDArray[Any]:
        """Return the instants of a step, to the second where all instants are whole ones."""
        at = self.found.at_us[:, step].astype("datetime64[us]")
        seen = self.found.at_us[self.found.rows >= 0]
        return at.astype("datetime64[s]") if not (seen % 1_000_000).any() else at


def match(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Matches:
    """Return for each member who entered how far they got, and the rows that show it.

    Parameters
    ----------
    log, funnel, start, end, maturity, observed_until, unknown_kinds
        As in `convert`.

    Returns
    -------
    Matches

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        As in `convert`.

    Notes
    -----
    The witness is one of the clean chains of the member's level: the one with the most optional steps; of these the
    one that ``funnel.entry`` names; then the one with the earliest instants, step by step; then with the lowest rows.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind=["join", "post", "join"], at=[0, 3600, 60], time_unit="s"
    ... )
    >>> print(match(log, Funnel(steps=("join", "post"), within=duration(days=1))))
    member  level  join                 post
    ───────────────────────────────────────────────────────
    ann         2  1970-01-01 00:00:00  1970-01-01 01:00:00
    bo          1  1970-01-01 00:01:00  –
    """
    asked = Asked.of(
        log, funnel, start=start, end=end, maturity=maturity, observed_until=observed_until, unknown_kinds=unknown_kinds
    )
    if not len(asked.log):
        nobody = np.zeros(0, dtype=np.int64)
        nothing = np.zeros((0, funnel.n_steps), dtype=np.int64)
        return Matches(
            members=log.members.take(nobody),
            member_codes=nobody,
            level=nobody.astype(np.int16),
            rows=nothing,
            at_us=nothing,
            funnel=funnel,
        )
    found = find(asked.reading(), asked.eligible)
    members = asked.log.members.take(found.member)
    rows, codes = found.places, found.member
    if asked.log is not log:
        # What was not observed was cut off: rows and codes are told in the caller's log.
        kept = np.flatnonzero(log.at_us < (asked.until_us or 0))
        rows = np.where(rows < 0, -1, kept[rows])
        codes = log.members.codes_of(members.labels).astype(np.int64)
    return Matches(
        members=members,
        member_codes=frozen(codes),
        level=frozen(found.level),
        rows=frozen(rows),
        at_us=frozen(found.at_us),
        funnel=funnel,
    )

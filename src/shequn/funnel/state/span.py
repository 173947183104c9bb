"""Who got how far by tonight, without reading again what was read before? The state of a funnel, merged over time.

A way may begin in one shard of a log and end in the next, so levels of shards don't add. What does is kept here: of
each member the latest start of a chain that reached each step, and, for whatever comes before the shard, how early the
shard completes the steps from any step on. Both take a fixed number of integers a member, however many rows there are.
"""

# Longer than most files by its examples, one for each method.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.kinds import of_kinds
from shequn.columns.log import EventLog
from shequn.columns.readonly import by_fields, frozen, read_only, read_only_or_none
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.definition import Funnel
from shequn.funnel.parts import for_each_part
from shequn.funnel.reading import Reading
from shequn.funnel.result import FunnelResult
from shequn.funnel.state import merging, storage
from shequn.funnel.state.filling import NEVER, NOT_YET, Filling, columns_of_pairs
from shequn.stats._checks import flag, instance
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Index

__all__ = ["FunnelState", "funnel_state"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FunnelState:
    r"""How far each member got in a span of time, in a form that continues; made by `funnel_state`.

    Attributes
    ----------
    members : Index
        The n members of whom something is known: those who entered, and, while the state is kept for a merge with what
        comes before it, those who did a later step.
    funnel : Funnel
        The definition.
    start_us, end_us : int
        The span [start, end) of the rows that were read, in microseconds since 1970-01-01T00:00Z.
    latest_us : ndarray of int64, shape (n, n_steps)
        The latest start of a chain that reached each step, in microseconds; the least int64 (NaT) where there is none.
    earliest_us : ndarray of int64, shape (n, n_steps * (n_steps - 1) / 2), or None
        For each two steps i < j, ordered as (0, 1), (0, 2), …, (1, 2), …, the earliest instant of the span by which
        the steps i + 1 to j are completed, one after the other, whatever the window; the largest int64 where they are
        not. None where it was dropped, and the state cannot be the later part of a merge.

    See Also
    --------
    funnel_state : Makes one of the rows of a span.

    Notes
    -----
    With S the latest starts, E the earliest ends and w the window, parts 1 and 2 that follow each other merge as

    .. math::

        S[j] = \max(S_1[j],\ S_2[j],\ S_1[i] \text{ for each } i < j \text{ with } E_2[i, j] - S_1[i] \le w)

        E[i, j] = \min(E_1[i, j],\ E_2[i, j],\ E_2[m, j] \text{ for each } i < m < j \text{ where }
        E_1[i, m] \text{ exists})

    That is exact and associative. A start more than w before the end of the span leads to no further level, yet it is
    kept: it tells that the member got there.

    A state gives levels and counts. The rows and instants of a way, and with them durations, trends and maturity, need
    the rows.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.funnel.definition import Funnel
    >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=7))
    >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 90_000], time_unit="s")
    >>> days = [pendulum.datetime(1970, 1, day) for day in (1, 2, 3)]
    >>> thursday, friday = (
    ...     funnel_state(log.where(start=start, end=end), funnel, start=start, end=end)
    ...     for start, end in zip(days, days[1:])
    ... )
    >>> thursday.levels.tolist(), friday.levels.tolist(), thursday.merge(friday).levels.tolist()
    ([1], [0], [2])
    """

    members: Index
    funnel: Funnel
    start_us: int
    end_us: int
    latest_us: IntArray = attrs.field(converter=read_only)
    earliest_us: IntArray | None = attrs.field(default=None, converter=read_only_or_none)

    @property
    def start(self) -> pendulum.DateTime:
        """First instant of the span, in UTC."""
        return from_us(self.start_us)

    @property
    def end(self) -> pendulum.DateTime:
        """End of the span, which is outside, in UTC."""
        return from_us(self.end_us)

    @property
    def keeps_left(self) -> bool:
        """Whether it can be the later part of a merge."""
        return self.earliest_us is not None

    @property
    def levels(self) -> NDArray[np.int16]:
        """How many steps each member reached within the span, shape (n,); 0 where the member did not enter in it."""
        return frozen((self.latest_us != NEVER).sum(axis=1).astype(np.int16))

    @property
    def reached(self) -> IntArray:
        """Members who reached each step within the span, shape (n_steps,)."""
        return frozen((self.latest_us != NEVER).sum(axis=0).astype(np.int64))

    def result(self) -> FunnelResult:
        """Return the counts as `convert` gives them for the rows of the span.

        Returns
        -------
        FunnelResult

        Examples
        --------
        >>> import pendulum
        >>> from shequn.funnel.definition import Funnel
        >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=7))
        >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 60], time_unit="s")
        >>> start, end = pendulum.datetime(1970, 1, 1), pendulum.datetime(1970, 1, 2)
        >>> funnel_state(log, funnel, start=start, end=end).result()
        FunnelResult(join 1 → post 1)
        """
        return FunnelResult(steps=self.funnel.names, reached=self.reached, funnel=self.funnel)

    def without_left(self) -> FunnelState:
        """Return the state without what only a merge with an earlier part needs: all that a nightly job must store.

        Members who did not enter are left out.

        Returns
        -------
        FunnelState

        Examples
        --------
        >>> import pendulum
        >>> from shequn.funnel.definition import Funnel
        >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=7))
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind=["join", "post"], at=[0, 60], time_unit="s")
        >>> state = funnel_state(log, funnel, start=pendulum.datetime(1970, 1, 1), end=pendulum.datetime(1970, 1, 2))
        >>> state.members, state.without_left().members
        (Index(['ann', 'bo']), Index(['ann']))
        """
        return merging.known_only(attrs.evolve(self, earliest_us=None))

    def merge(self, other: FunnelState, /) -> FunnelState:
        """Return the state of both parts: of the two spans, or of the members of both.

        Parameters
        ----------
        other : FunnelState
            A state of the same funnel whose span begins where this one ends; or of other members over the same span,
            where a log was split by member. It does not matter in which order merges by time are grouped.

        Returns
        -------
        FunnelState
            It can be the later part of a further merge if this one can; of parts split by member, if both can.

        Raises
        ------
        InvalidTypeError
            `other` is no FunnelState, or one has `str` and the other `int` members.
        InvalidValueError
            It is of another funnel, begins earlier or later than this one ends, or has dropped what a later part needs;
            or spans are the same and a member is in both.

        Notes
        -----
        Rows of one instant never fall on both sides of a cut, since spans are half-open. A span without rows is no gap
        once it has a state: that of an empty log.

        Examples
        --------
        >>> import pendulum
        >>> from shequn.funnel.definition import Funnel
        >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=7))
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind=["join", "post"], at=[0, 60], time_unit="s")
        >>> first, second, third = (pendulum.datetime(1970, 1, day) for day in (1, 2, 3))
        >>> state = funnel_state(log, funnel, start=first, end=second)
        >>> quiet = funnel_state(EventLog.empty(), funnel, start=second, end=third)
        >>> state.merge(quiet)
        FunnelState(join 1 → post 0, 1970-01-01T00:00:00Z to 1970-01-03T00:00:00Z)
        """
        if not isinstance(other, FunnelState):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a FunnelState", other))
        if self.funnel != other.funnel:
            raise InvalidValueError(message("other", f"a state of the same funnel ({self.funnel})", other.funnel))
        if self.end_us == other.start_us:
            return merging.in_turn(self, other)
        if (self.start_us, self.end_us) == (other.start_us, other.end_us):
            return merging.side_by_side(self, other)
        expected = f"a span that begins at {merging.shown(self.end_us)}, where this one ends"
        raise InvalidValueError(message("other", expected, merging.span(other)) + merging.hint_about_spans(self, other))

    def to_member_columns(self) -> dict[str, NDArray[Any]]:
        """Return one row a member, from which `from_state` continues.

        Columns are ``member``; ``latest_0``, ``latest_1``, … , one a step, as in `latest_us`; and, where they are kept,
        ``earliest_0_1``, … , one for each two steps, as in `earliest_us`.

        Returns
        -------
        dict of str to ndarray, shape (n,)

        Examples
        --------
        >>> import pendulum
        >>> from shequn.funnel.definition import Funnel
        >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=7))
        >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 60], time_unit="s")
        >>> state = funnel_state(log, funnel, start=pendulum.datetime(1970, 1, 1), end=pendulum.datetime(1970, 1, 2))
        >>> {name: column.tolist() for name, column in state.without_left().to_member_columns().items()}
        {'member': ['ann'], 'latest_0': [0], 'latest_1': [0]}
        """
        return storage.member_columns(self.members, self.latest_us, self.earliest_us)

    def to_state(self) -> dict[str, Any]:
        """Return what `from_state` needs beside the columns: a small JSON-ready mapping.

        Returns
        -------
        dict
            ``start_us``, ``end_us``, ``keeps_left``, and what the funnel counts, so that another one is refused.

        Examples
        --------
        >>> import pendulum
        >>> from shequn.funnel.definition import Funnel
        >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=7))
        >>> day = pendulum.datetime(1970, 1, 2)
        >>> funnel_state(EventLog.empty(), funnel, start=day, end=day).to_state()["start_us"]
        86400000000
        """
        span = {"start_us": self.start_us, "end_us": self.end_us, "keeps_left": self.keeps_left}
        return span | storage.definition(self.funnel)

    @classmethod
    def from_state(
        cls, columns: Mapping[str, ArrayLike], state: Mapping[str, Any], /, *, funnel: Funnel
    ) -> FunnelState:
        """Rebuild a state from `to_member_columns` and `to_state`, stored the night before.

        Parameters
        ----------
        columns : mapping of str to array_like, or a data frame
            As `to_member_columns` gives them.
        state : mapping
            As `to_state` gives it.
        funnel : Funnel
            The funnel that was stored; steps may bear other names now.

        Returns
        -------
        FunnelState

        Raises
        ------
        UnknownLabelError
            A column or an entry is missing.
        MisalignedError
            Columns differ in length.
        InvalidTypeError, InvalidValueError
            The funnel counts something else, or an instant lies outside the span or contradicts another one.

        Examples
        --------
        >>> import pendulum
        >>> from shequn.funnel.definition import Funnel
        >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=7))
        >>> log = EventLog.from_columns(member=["ann", "ann"], kind=["join", "post"], at=[0, 60], time_unit="s")
        >>> state = funnel_state(log, funnel, start=pendulum.datetime(1970, 1, 1), end=pendulum.datetime(1970, 1, 2))
        >>> FunnelState.from_state(state.to_member_columns(), state.to_state(), funnel=funnel) == state
        True
        """
        _require_mergeable(funnel)
        stored = storage.read(columns, state, funnel)
        return merging.known_only(
            cls(
                members=stored.members,
                funnel=funnel,
                start_us=stored.start_us,
                end_us=stored.end_us,
                latest_us=stored.latest_us,
                earliest_us=stored.earliest_us,
            )
        )

    def __eq__(self, other: object) -> bool:
        """Return whether both tell the same of the same members, in whatever order they list them."""
        if not isinstance(other, FunnelState):
            return NotImplemented
        if (self.funnel, self.start_us, self.end_us) != (other.funnel, other.start_us, other.end_us):
            return False
        place = self.members.places_of(other.members)
        if len(self.members) != len(other.members) or (place < 0).any():
            return False
        if self.earliest_us is None or other.earliest_us is None:
            is_same = self.earliest_us is other.earliest_us
        else:
            is_same = np.array_equal(self.earliest_us[place], other.earliest_us)
        return is_same and np.array_equal(self.latest_us[place], other.latest_us)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., FunnelState], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many reached each step, and the span."""
        steps = zip(self.funnel.names, self.reached.tolist(), strict=True)
        counts = " → ".join(f"{name} {count:,}" for name, count in steps)
        return f"FunnelState({counts}, {merging.shown(self.start_us)} to {merging.shown(self.end_us)})"


def funnel_state(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    start: dt.datetime,
    end: dt.datetime,
    keep_left: bool = True,
    unknown_kinds: UnknownKinds = "warn",
) -> FunnelState:
    """Return how far each member got in a span of time, in a form that merges with the spans before and after it.

    Parameters
    ----------
    log : EventLog
        All rows of the span, and no others; it may be empty.
    funnel : Funnel
        With ``order="ordered"``, ``ties="free"`` and ``reuse="allow"``, without exclusions, optional steps, gaps and
        `hold_constant`. Steps may have conditions, and overlap.
    start, end : aware datetime
        The span [start, end) that the log covers, whether or not there are rows near its bounds.
    keep_left : bool
        Whether to keep what a merge with an earlier part needs. The first part of all does without.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know; a short span may well lack one.

    Returns
    -------
    FunnelState

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option cannot be used, a row lies outside the span, a column is not there, or the funnel has a condition for
        which no state of fixed size is known.

    See Also
    --------
    FunnelState.merge : Puts spans, or members, together.

    Notes
    -----
    A member's level is that which `match` gives for the rows of the span: both the entry and the rest of the way lie in
    it. A way that is still open at its end may get further in a later part.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.funnel.definition import Funnel
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind=["join", "post", "join"], at=[0, 3600, 60], time_unit="s"
    ... )
    >>> funnel = Funnel(steps=("join", "post"), within=pendulum.duration(days=1))
    >>> funnel_state(log, funnel, start=pendulum.datetime(1970, 1, 1), end=pendulum.datetime(1970, 1, 2))
    FunnelState(join 2 → post 1, 1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z)
    """
    instance("log", log, EventLog, expected="an EventLog")
    _require_mergeable(funnel)
    keep_left = flag("keep_left", keep_left)
    start_us, end_us = instant_us(start, argument="start"), instant_us(end, argument="end")
    if start_us > end_us:
        raise InvalidValueError(message("end", f"an instant not before start ({start})", end))
    _require_inside(log, start_us, end_us)
    of_kinds(log, funnel.kinds, argument="steps", unknown_kinds=unknown_kinds)
    n = len(log.members)
    latest = np.full((n, funnel.n_steps), NEVER, dtype=np.int64)
    earliest = np.full((n, len(columns_of_pairs(funnel.n_steps))), NOT_YET, dtype=np.int64) if keep_left else None
    if len(log):
        reading = Reading.of(log, funnel, "ignore")
        for_each_part(reading, Filling(reading, latest, earliest), with_rows=False)
    return merging.known_only(
        FunnelState(
            members=log.members,
            funnel=funnel,
            start_us=start_us,
            end_us=end_us,
            latest_us=latest,
            earliest_us=earliest,
        )
    )


def _require_mergeable(funnel: Funnel) -> None:
    """Raise where a state of fixed size would not tell the levels exactly."""
    instance("funnel", funnel, Funnel, expected="a Funnel")
    unfit = {
        "order": (funnel.order != "ordered", "'ordered': what else happened in between is not kept"),
        "ties": (funnel.ties != "free", "'free', as it is when states are merged"),
        "reuse": (funnel.reuse != "allow", "'allow': which rows were used is not kept"),
        "exclusions": (bool(funnel.exclusions), "none: when each step was done is not kept"),
        "optional": (bool(funnel.optional), "none: which steps were skipped is not kept"),
        "min_gap": (funnel.min_gap is not None, "None: when the step before was done is not kept"),
        "max_gap": (funnel.max_gap is not None, "None: when the step before was done is not kept"),
        "hold_constant": (funnel.hold_constant is not None, "None: a state tells members apart, and not values"),
    }
    for name, (is_unfit, expected) in unfit.items():
        if is_unfit:
            got = getattr(funnel, name)
            raise InvalidValueError(message(f"funnel.{name}", f"{expected} in a state that merges over time", got))


def _require_inside(log: EventLog, start_us: int, end_us: int) -> None:
    outside: BoolArray = (log.at_us < start_us) | (log.at_us >= end_us)
    if outside.any():
        row, bad = int(np.argmax(outside)), int(np.count_nonzero(outside))
        expected = f"instants in the span [{merging.shown(start_us)}, {merging.shown(end_us)})"
        text = message("log.at", expected, merging.shown(int(log.at_us[row])), row=row, bad=bad, total=len(log))
        raise InvalidValueError(text + "; cut it by log.where(start=…, end=…)")

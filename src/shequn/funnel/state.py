"""Who got how far by tonight, without reading again what was read before? The state of a funnel, merged over time.

A way may begin in one shard of a log and end in the next, so levels of shards don't add. What does is kept here: of
each member the latest start of a chain that reached each step, and, for whatever comes before the shard, how early the
shard completes the steps from any step on. Both take a fixed number of integers a member, however many rows there are.
"""

# Longer than most files: what a state holds, how two are merged and how one is stored must agree, or counts go wrong.

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.log import EventLog
from shequn.columns.readonly import by_fields, frozen, read_only, read_only_or_none
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message
from shequn.funnel.definition import Funnel
from shequn.funnel.parts import for_each_part
from shequn.funnel.reading import Reading
from shequn.funnel.result import FunnelResult
from shequn.labels import Index
from shequn.stats._checks import array_of, flag, instance, plain, refuse, whole
from shequn.values.instants import FIRST_US, LAST_US, from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.funnel.parts import Part

__all__ = ["FunnelState", "funnel_state"]

_NEVER = int(np.iinfo(np.int64).min)  # no chain reached the step; earlier than any start
_NOT_YET = int(np.iinfo(np.int64).max)  # the steps are not completed; later than any instant
_STATE_ENTRIES = ("start_us", "end_us", "keeps_left", "steps", "within_us")


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
        return frozen((self.latest_us != _NEVER).sum(axis=1).astype(np.int16))

    @property
    def reached(self) -> IntArray:
        """Members who reached each step within the span, shape (n_steps,)."""
        return frozen((self.latest_us != _NEVER).sum(axis=0).astype(np.int64))

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
        return _of_known(attrs.evolve(self, earliest_us=None))

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
            return self._followed_by(other)
        if (self.start_us, self.end_us) == (other.start_us, other.end_us):
            return self._beside(other)
        expected = f"a span that begins at {_shown(self.end_us)}, where this one ends"
        raise InvalidValueError(message("other", expected, _span(other)) + _hint_about_spans(self, other))

    def _followed_by(self, other: FunnelState) -> FunnelState:
        if other.earliest_us is None:
            expected = "a later part that was made with keep_left=True and has not dropped it"
            raise InvalidValueError(message("other", expected, other))
        members = self.members.union(other.members)
        first, second = (members.places_of(part.members) for part in (self, other))
        n, n_steps, within = len(members), self.funnel.n_steps, self.funnel.within_us
        column = _columns_of_pairs(n_steps)
        earlier = _placed(self.latest_us, first, n, _NEVER)
        ends = _placed(other.earliest_us, second, n, _NOT_YET)
        latest = np.maximum(earlier, _placed(other.latest_us, second, n, _NEVER))
        for (step, last), at in column.items():
            in_time = ends[:, at] - within <= earlier[:, step]
            np.maximum(latest[:, last], earlier[:, step], out=latest[:, last], where=in_time)
        earliest = None
        if self.earliest_us is not None:
            begun = _placed(self.earliest_us, first, n, _NOT_YET)
            earliest = np.minimum(begun, ends)
            for (step, last), at in column.items():
                for between in range(step + 1, last):
                    way = np.where(begun[:, column[step, between]] < _NOT_YET, ends[:, column[between, last]], _NOT_YET)
                    np.minimum(earliest[:, at], way, out=earliest[:, at])
        return _of_known(
            attrs.evolve(self, members=members, end_us=other.end_us, latest_us=latest, earliest_us=earliest)
        )

    def _beside(self, other: FunnelState) -> FunnelState:
        in_both = self.members.places_of(other.members) >= 0
        if in_both.any():
            expected = f"other members, or a span that begins at {_shown(self.end_us)}: spans are the same"
            refuse("other", expected, other.members.labels, in_both)
        earliest = None
        if self.earliest_us is not None and other.earliest_us is not None:
            earliest = np.concatenate([self.earliest_us, other.earliest_us])
        members = self.members.union(other.members)
        latest = np.concatenate([self.latest_us, other.latest_us])
        # A union of integers is ascending, whatever the order of its parts.
        order = np.empty(len(members), dtype=np.int64)
        order[np.concatenate([members.places_of(part.members) for part in (self, other)])] = np.arange(len(members))
        earliest = None if earliest is None else earliest[order]
        return _of_known(attrs.evolve(self, members=members, latest_us=latest[order], earliest_us=earliest))

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
        columns: dict[str, NDArray[Any]] = {"member": self.members.labels}
        for name, values in _by_name(self.funnel.n_steps, self.latest_us, self.earliest_us).items():
            columns[name] = frozen(values.copy())
        return columns

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
        return {**span, **_definition(self.funnel)}

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
        _require_entries("state", state, _STATE_ENTRIES)
        for name, stored in _definition(funnel).items():
            if (plain(state[name]) == stored) is not True:
                raise InvalidValueError(message("funnel", f"what was stored as {name} ({state[name]})", stored))
        start_us, end_us = (whole(name, state[name]) for name in ("start_us", "end_us"))
        if not FIRST_US <= start_us <= end_us < LAST_US:
            raise InvalidValueError(message("state", "a span [start_us, end_us) in [1900, 2262)", (start_us, end_us)))
        names = _names_of_columns(funnel.n_steps, keeps_left=flag("keeps_left", state["keeps_left"]))
        _require_entries("columns", columns, ("member", *names))
        members = Index(columns["member"], argument="member")
        stored = {name: _instants(name, columns[name], len(members), start_us, end_us) for name in names}
        latest = np.stack([stored[name] for name in names[: funnel.n_steps]], axis=1)
        pairs = [stored[name] for name in names[funnel.n_steps :]]
        earliest = np.stack(pairs, axis=1) if pairs else np.empty((len(members), 0), dtype=np.int64)
        _require_in_order(stored, funnel.n_steps)
        return _of_known(
            cls(
                members=members,
                funnel=funnel,
                start_us=start_us,
                end_us=end_us,
                latest_us=latest,
                earliest_us=earliest if state["keeps_left"] else None,
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

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., FunnelState], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many reached each step, and the span."""
        steps = zip(self.funnel.names, self.reached.tolist(), strict=True)
        counts = " → ".join(f"{name} {count:,}" for name, count in steps)
        return f"FunnelState({counts}, {_shown(self.start_us)} to {_shown(self.end_us)})"


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
    n = len(log.members)
    latest = np.full((n, funnel.n_steps), _NEVER, dtype=np.int64)
    earliest = np.full((n, len(_columns_of_pairs(funnel.n_steps))), _NOT_YET, dtype=np.int64) if keep_left else None
    if len(log):
        reading = Reading.of(log, funnel, unknown_kinds)
        for_each_part(reading, _Filling(reading, latest, earliest), with_rows=False)
    return _of_known(
        FunnelState(
            members=log.members,
            funnel=funnel,
            start_us=start_us,
            end_us=end_us,
            latest_us=latest,
            earliest_us=earliest,
        )
    )


# ── from rows ────────────────────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(eq=False)
class _Filling:
    """Writes what the entries of a part say into the rows of its members; parts have no member in common."""

    reading: Reading
    latest: IntArray
    earliest: IntArray | None

    def __call__(self, part: Part) -> None:
        at = [np.flatnonzero(part.step == step) for step in range(self.reading.n_steps)]
        self._fill_latest(part, at)
        if self.earliest is not None:
            self._fill_earliest(part, at, self.earliest)

    def _fill_latest(self, part: Part, at: list[IntArray]) -> None:
        """Hand the latest start on from step to step.

        An entry follows any entry of the step before that stands before it, as entries at one instant are ordered by
        step. The last of those has the latest start: the first step's own instants ascend, and so do all that are
        handed on. A member's bits lead, so that the start of another member's chain is further away than any window.
        """
        places, starts = at[0], part.clock[at[0]]
        self._write_latest(part, 0, starts)
        for step in range(1, self.reading.n_steps):
            n_before = np.searchsorted(places, at[step])
            entries, n_before = at[step][n_before > 0], n_before[n_before > 0]
            latest = starts[n_before - 1]
            in_time = part.clock[entries] - latest <= self.reading.clock.within
            places, starts = entries[in_time], latest[in_time]
            self._write_latest(part, step, starts)

    def _write_latest(self, part: Part, step: int, starts: IntArray) -> None:
        """Write the last of each member's starts; they ascend."""
        unit = part.units(starts)
        last = np.flatnonzero(np.diff(unit, append=-1))
        at_us = self.reading.clock.instants(part.ticks(starts[last]))
        self.latest[part.first_member + unit[last], step] = at_us

    def _fill_earliest(self, part: Part, at: list[IntArray], earliest: IntArray) -> None:
        """Hop from the first entry of a step to the next entry of each step after it."""
        column = _columns_of_pairs(self.reading.n_steps)
        for step in range(self.reading.n_steps - 1):
            unit = part.units(part.clock[at[step + 1]])
            place = at[step + 1][np.diff(unit, prepend=-1) != 0]
            for last in range(step + 1, self.reading.n_steps):
                if last > step + 1:
                    place = _next_of_member(part, place, at[last])
                clock = part.clock[place]
                at_us = self.reading.clock.instants(part.ticks(clock))
                earliest[part.first_member + part.units(clock), column[step, last]] = at_us


def _next_of_member(part: Part, place: IntArray, entries: IntArray) -> IntArray:
    """Return the next of ascending entries after each place, where the same member has one."""
    number = np.searchsorted(entries, place)
    is_any = number < len(entries)
    before, after = place[is_any], entries[number[is_any]]
    found: IntArray = after[part.units(part.clock[after]) == part.units(part.clock[before])]
    return found


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
        expected = f"instants in the span [{_shown(start_us)}, {_shown(end_us)})"
        text = message("log.at", expected, _shown(int(log.at_us[row])), row=row, bad=bad, total=len(log))
        raise InvalidValueError(text + "; cut it by log.where(start=…, end=…)")


# ── parts together ───────────────────────────────────────────────────────────────────────────────────────────────────


def _columns_of_pairs(n_steps: int) -> dict[tuple[int, int], int]:
    """Return the column of each two steps, of which the first comes before the second."""
    return {pair: column for column, pair in enumerate(combinations(range(n_steps), 2))}


def _placed(values: IntArray, place: NDArray[np.int32], n: int, missing: int) -> IntArray:
    placed = np.full((n, values.shape[1]), missing, dtype=np.int64)
    placed[place] = values
    return placed


def _of_known(state: FunnelState) -> FunnelState:
    """Return the state without members of whom nothing is known, so that equal knowledge makes equal states."""
    known = (state.latest_us != _NEVER).any(axis=1)
    if state.earliest_us is not None:
        known |= (state.earliest_us != _NOT_YET).any(axis=1)
    if known.all():
        return state
    earliest = None if state.earliest_us is None else state.earliest_us[known]
    return attrs.evolve(
        state, members=state.members.take(known), latest_us=state.latest_us[known], earliest_us=earliest
    )


def _shown(us: int) -> str:
    return from_us(us).isoformat().replace("+00:00", "Z")


def _span(state: FunnelState) -> str:
    return f"[{_shown(state.start_us)}, {_shown(state.end_us)})"


def _hint_about_spans(state: FunnelState, other: FunnelState) -> str:
    if other.end_us == state.start_us:
        return "; merge them the other way round"
    if other.start_us > state.end_us:
        return "; a time without rows has a state too, that of EventLog.empty()"
    return f", which does not follow {_span(state)}; no row may be in two parts"


# ── stored ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _names_of_columns(n_steps: int, *, keeps_left: bool) -> list[str]:
    names = [f"latest_{step}" for step in range(n_steps)]
    return names + [f"earliest_{i}_{j}" for i, j in _columns_of_pairs(n_steps)] if keeps_left else names


def _by_name(n_steps: int, latest: IntArray, earliest: IntArray | None) -> dict[str, IntArray]:
    names = _names_of_columns(n_steps, keeps_left=earliest is not None)
    columns = [*latest.T] if earliest is None else [*latest.T, *earliest.T]
    return dict(zip(names, columns, strict=True))


def _definition(funnel: Funnel) -> dict[str, Any]:
    """Return what a funnel counts; the names of its steps, and which chain is the witness, make no difference."""
    steps = [
        {"kinds": sorted(step.kinds), "where": None if step.where is None else step.where.to_dict()}
        for step in funnel.steps
    ]
    return {"steps": steps, "within_us": funnel.within_us}


def _require_entries(argument: str, given: Any, names: tuple[str, ...]) -> None:  # noqa: ANN401
    # A data frame is looked up by name as a mapping is; a text or a sequence is not.
    is_mapping = hasattr(given, "keys") or hasattr(given, "columns")
    if not (is_mapping and hasattr(given, "__contains__") and hasattr(given, "__getitem__")):
        raise InvalidTypeError(message(argument, "a mapping, or a data frame", given))
    known = list(given.keys() if hasattr(given, "keys") else given.columns)
    for name in names:
        if name not in known:
            raise UnknownLabelError(message(argument, f"an entry {name!r}", sorted(map(str, known))))


def _instants(name: str, values: ArrayLike, n: int, start_us: int, end_us: int) -> IntArray:
    """Return a stored column, whose instants lie in the span or are missing."""
    given = array_of(name, values, kinds="iu", expected="integers")
    if given.ndim != 1 or len(given) != n:
        raise MisalignedError(message(name, f"one integer for each of the {n} members", given.shape))
    missing = _NEVER if name.startswith("latest") else _NOT_YET
    outside = ((given < start_us) | (given >= end_us)) & (given != missing)
    if outside.any():
        refuse(name, f"microseconds in [{start_us}, {end_us}), or {missing} for none", given, outside)
    return given.astype(np.int64)


def _require_in_order(stored: Mapping[str, IntArray], n_steps: int) -> None:
    """Raise where a chain would start later for a later step, or where more steps would be done earlier than fewer."""
    for step in range(1, n_steps):
        name, before = f"latest_{step}", f"latest_{step - 1}"
        late = stored[name] > stored[before]
        if late.any():
            expected = f"no instant after that of {before}, as who reached a step reached those before"
            refuse(name, expected, stored[name], late)
    for i, j in _columns_of_pairs(n_steps):
        for fewer in (f"earliest_{i}_{j - 1}", f"earliest_{i + 1}_{j}"):
            name = f"earliest_{i}_{j}"
            if fewer in stored and (stored[name] < stored[fewer]).any():
                expected = f"no instant before that of {fewer}, which are fewer steps"
                refuse(name, expected, stored[name], stored[name] < stored[fewer])

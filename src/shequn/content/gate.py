"""May this message go to this member now? One gate for every message, asked once or for a whole stream."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  # attrs resolves the annotations of converters
from collections.abc import Iterable  # noqa: TC003  # attrs resolves the annotations of converters
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.columns.halves import in_halves
from shequn.columns.kinds import of_kinds
from shequn.columns.log import EventLog
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import frozen
from shequn.content._comparable import require_comparable
from shequn.content._gate_run import GAP, PRESSURE, SENT, Cap, Outcome, Requests, Rules, run
from shequn.content.decisions import ACTION_CODE, REASON_CODE, GateAction, GateDecision, GateDecisions, GateReason
from shequn.content.messages import Message, Messages
from shequn.content.pressure import Pressure, weights_of_messages
from shequn.errors import InvalidTypeError, MisalignedError, message
from shequn.labels import Coded, Index
from shequn.stats._checks import flag, instance, items_of, refuse, whole
from shequn.values._daily import instants_column
from shequn.values.cadence import Cadence
from shequn.values.calendar import Calendar, Unit
from shequn.values.daily_window import DailyWindow  # noqa: TC001  # attrs resolves the annotations of converters
from shequn.values.instants import from_us, instant_us
from shequn.values.quiet_hours import QuietHours
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Label

__all__ = ["Gate"]

_CAPS: tuple[tuple[int, Unit, GateReason], ...] = (
    (2, "day", GateReason.PER_DAY),
    (4, "week", GateReason.PER_WEEK),
    (8, "month", GateReason.PER_MONTH),
)
_MOST_RANKS = 1 << 16
_FOREVER = np.iinfo(np.int64).max


def _quiet(quiet: QuietHours | DailyWindow | Iterable[DailyWindow] | None) -> QuietHours:
    return QuietHours.of(quiet)


def _cadence(cadence: Cadence | None) -> Cadence:
    return Cadence() if cadence is None else cadence


def _name_of(tz: str | dt.tzinfo) -> str:
    return zone_name(tz)


def _urgent(urgent: int | None) -> int | None:
    return None if urgent is None else whole("urgent", urgent)


@attrs.frozen(kw_only=True)
class Gate(Doors):
    """What every message to a member must pass (发送闸门): quiet hours, a cadence, and a cap on fatigue.

    Parameters
    ----------
    quiet : QuietHours, DailyWindow, iterable of DailyWindow, or None
        When nothing is sent.
    cadence : Cadence, optional
        Caps for one member per local day, week and month, and the least time between two messages.
    pressure : Pressure, optional
        Cap on the fatigue of one member.
    tz : str or tzinfo
        The zone whose days, weeks and months the caps count in.
    urgent : int, optional
        Messages of this priority and higher do not heed quiet hours. They heed everything else: caps hold whatever the
        priority, and who muted the community or left it gets nothing.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an option is of another type, or the windows leave nothing.
    UnknownLabelError
        If there is no such zone.

    Notes
    -----
    Messages of one member are judged in the order of (instant, priority from high to low, row). One is

    - dropped, if the member muted the community or left it, or its `expires` has come;
    - sent, if it is not quiet, `min_gap` or more has passed since the last, each period has had less than its cap, and
      the pressure with its weight does not exceed the cap;
    - else held until the earliest instant at which all of that is so, should nothing be sent before; or dropped, if
      that is not before its `expires`, or never comes since a cap is 0.

    What is sent counts for what follows; what is held does not. Whoever asks offers a held message again at its
    `next_allowed`, when the gate may find that others went before. A full period is over when its calendar's `end_us`
    says so.

    A message that must go whatever was sent before, a receipt for a payment say, should not ask; as a fact in the
    history it counts like any other.

    References
    ----------
    ``spec/domain.md``, rows A5 and I17, and section 3, "Sending".

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> gate = Gate(
    ...     quiet=sq.DailyWindow(start="22:00", end="08:00", tz="Asia/Shanghai"),
    ...     cadence=sq.Cadence(per_day=2, min_gap=pendulum.duration(hours=3)), tz="Asia/Shanghai",
    ... )
    >>> nine = pendulum.datetime(2024, 3, 1, 9, tz="Asia/Shanghai")
    >>> gate.decide(Message(), [], at=nine).action
    <GateAction.SEND: 'send'>
    >>> later = gate.decide(Message(), [nine], at=nine.add(hours=1))
    >>> later.reason.en, later.next_allowed.isoformat()
    ('too soon after the last', '2024-03-01T12:00:00+08:00')
    """

    quiet: QuietHours = attrs.field(default=None, converter=_quiet)
    cadence: Cadence = attrs.field(default=None, converter=_cadence)
    pressure: Pressure | None = None
    tz: str = attrs.field(converter=_name_of)
    urgent: int | None = attrs.field(default=None, converter=_urgent)

    def __attrs_post_init__(self) -> None:
        instance("cadence", self.cadence, Cadence, expected="a Cadence")
        if self.pressure is not None:
            instance("pressure", self.pressure, Pressure, expected="a Pressure, or None")

    def decide(
        self,
        what: Message,
        sent: ArrayLike | Iterable[dt.datetime],
        /,
        *,
        at: dt.datetime,
        weight: ArrayLike = 1.0,
        is_muted: bool = False,
        has_left: bool = False,
    ) -> GateDecision:
        """Decide about one message to one member.

        Parameters
        ----------
        what : Message
            The message.
        sent : iterable of datetime, or ndarray of int64, shape (n,)
            When the member was sent something: aware datetimes, or microseconds since 1970-01-01T00:00Z. What is later
            than `at` doesn't count.
        at : datetime
            The aware instant at which it asks.
        weight : float, or array_like of float, shape (n,)
            What each message in `sent` added to the pressure.
        is_muted, has_left : bool
            Whether the member has muted the community, or left it.

        Returns
        -------
        GateDecision
            What to do, why, and when it may go at the earliest, in the zone of the gate.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            If `what` is no Message, `sent` or `at` are no instants, or weights are negative, of another number, or that
            of the message not below the cap of the pressure.

        Examples
        --------
        >>> import pendulum
        >>> import shequn as sq
        >>> gate = Gate(cadence=sq.Cadence(per_day=1), tz="Asia/Shanghai")
        >>> noon = pendulum.datetime(2024, 3, 1, 12, tz="Asia/Shanghai")
        >>> gate.decide(Message(expires=noon.add(hours=3)), [noon.subtract(hours=1)], at=noon).action.en
        'drop'
        """
        instance("message", what, Message, expected="a Message")
        at_us = instant_us(at)
        sent_us = _sent_us(sent)
        weights = weights_of_messages(weight)
        if weights.ndim and weights.shape != sent_us.shape:
            raise MisalignedError(message("weight", f"one for each of the {len(sent_us)} messages", weights.shape))
        keep = sent_us <= at_us
        facts = _Facts(
            np.zeros(int(keep.sum()), dtype=np.int64),
            sent_us[keep],
            np.broadcast_to(weights, keep.shape)[keep],
        )
        expires_us = None if what.expires is None else np.array([instant_us(what.expires, argument="expires")])
        one = Messages(
            member=Coded(index=Index(["member"]), codes=np.zeros(1, dtype=np.int8)),
            at_us=np.array([at_us]),
            priority=np.array([what.priority]),
            expires_us=expires_us,
            weight=np.array([what.weight]),
        )
        barred = _barred(one, np.array([flag("is_muted", is_muted)]), np.array([flag("has_left", has_left)]))
        decided = self._judged(one, facts, barred)
        next_us = int(decided.next_us[0])
        return GateDecision(
            action=decided.actions[0],
            reason=decided.reasons[0],
            next_allowed=None if next_us == NO_INSTANT else from_us(next_us, self.tz),
        )

    def decide_all(
        self,
        messages: Messages,
        /,
        *,
        history: EventLog | None = None,
        kinds: Collection[str] | str = "receive",
        weight: str | None = None,
        muted: ArrayLike | Collection[Label] | None = None,
        left: ArrayLike | Collection[Label] | None = None,
        unknown_kinds: UnknownKinds = "ignore",
    ) -> GateDecisions:
        """Decide about a stream of messages.

        Parameters
        ----------
        messages : Messages
            The messages, in any order.
        history : EventLog, optional
            What members were sent otherwise. A row counts from its instant on, before messages of the same instant.
        kinds : str or collection of str
            Kinds of event in the history that are messages to the member.
        weight : str, optional
            Column of the history with what each added to the pressure; 1 by default.
        muted, left : array_like of bool, shape (n_members,), or collection of labels, optional
            Members who muted the community or left it: a mask over ``messages.members``, or their labels.
        unknown_kinds : {"warn", "ignore", "raise"}
            What to do about a kind that the history does not know.

        Returns
        -------
        GateDecisions
            An answer for each message, as `decide` gives it when asked in their order with what was sent by then.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
            If an argument is of another type, a mask has another length, the history has no such column, or a weight is
            negative or, of a message, not below the cap of the pressure.

        Notes
        -----
        Time and memory grow with messages and with rows of the history that can still count: of members with messages,
        and not older than what the rules look back on.

        Examples
        --------
        >>> import shequn as sq
        >>> gate = Gate(cadence=sq.Cadence(per_day=2), tz="Asia/Shanghai")
        >>> messages = Messages.from_columns(member=["ann"] * 3, at=[60, 0, 120], time_unit="s", priority=[0, 0, 9])
        >>> gate.decide_all(messages).sent
        array([ True,  True, False])
        """
        instance("messages", messages, Messages, expected="Messages")
        facts = None
        if history is not None:
            instance("history", history, EventLog, expected="an EventLog, or None")
            is_kind = of_kinds(history, kinds, unknown_kinds=unknown_kinds)
            facts = self._facts(history, is_kind, weight, messages)
        return self._judged(messages, facts, _barred(messages, muted, left))

    # ── one stream, step by step ─────────────────────────────────────────────────────────────────────────────────────

    def _facts(self, history: EventLog, is_kind: BoolArray, weight: str | None, messages: Messages) -> _Facts | None:
        """Return the rows of a history that can still count."""
        weights = None
        if weight is not None:
            column = history.column(weight, argument="weight")
            if isinstance(column, Coded):
                raise InvalidTypeError(message("weight", "a column of numbers", weight))
            weights = weights_of_messages(column)
        if not len(messages) or not len(history):
            return None
        require_comparable("history", history.members, messages.members)
        codes = messages.members.places_of(history.members)[history.member_codes]
        counts = is_kind[history.kind_codes] & (codes >= 0)
        counts &= history.at_us <= int(messages.at_us.max())
        counts &= history.at_us >= self._looks_back_to(int(messages.at_us.min()))
        rows = np.flatnonzero(counts)
        if not len(rows):
            return None
        return _Facts(codes[rows], history.at_us[rows], None if weights is None else weights[rows])

    def _looks_back_to(self, at_us: int) -> int:
        """Return an instant before which nothing matters for a message of an instant."""
        if self.pressure is not None:
            return NO_INSTANT
        first = at_us - self.cadence.min_gap_us
        for cap in self._caps():
            period = cap.calendar.index_one(at_us)
            # One period earlier, for clocks that were set back over its start.
            first = min(first, int(cap.calendar.start_us([period - 1])[0]))
        return first

    def _caps(self) -> list[Cap]:
        caps: list[Cap] = []
        for bit, unit, reason in _CAPS:
            most = getattr(self.cadence, reason.value)
            if most is not None:
                week_start = self.cadence.week_start if unit == "week" else "monday"
                caps.append(Cap(bit, Calendar(unit=unit, tz=self.tz, week_start=week_start), most))
        return caps

    def _judged(self, messages: Messages, facts: _Facts | None, barred: NDArray[np.int8] | None) -> GateDecisions:
        at_us, expires_us = instants_column(messages.at_us), messages.expires_us
        self._check_weights(messages.weight)
        reasons = np.zeros(len(at_us), dtype=np.int8) if barred is None else barred
        if expires_us is not None:
            gone = (expires_us != NO_INSTANT) & (expires_us <= at_us) & (reasons == 0)
            reasons[gone] = REASON_CODE[GateReason.EXPIRED]
        alive = None if barred is None and expires_us is None else np.flatnonzero(reasons == 0)
        some = slice(None) if alive is None or len(alive) == len(at_us) else alive
        heeds_quiet = self._heeds_quiet(messages, some)
        is_open = self.quiet.allowed(at_us[some])
        if heeds_quiet is not None:
            is_open = is_open | ~heeds_quiet
        caps = self._caps()
        rules = Rules(self.cadence.min_gap_us, caps, self.pressure)
        outcome = run(_requests(messages, some, is_open, facts), rules)
        next_us = np.full(len(at_us), NO_INSTANT, dtype=np.int64)
        next_us[some], reasons[some] = self._next(at_us[some], outcome, is_open, heeds_quiet, caps)
        is_sent = np.zeros(len(at_us), dtype=np.bool_)
        is_sent[some] = outcome.bits[: len(is_open)] >= SENT
        actions = np.full(len(at_us), ACTION_CODE[GateAction.HOLD])
        actions[is_sent] = ACTION_CODE[GateAction.SEND]
        drop = next_us == NO_INSTANT
        if expires_us is not None:
            drop |= ~is_sent & (expires_us != NO_INSTANT) & (next_us >= expires_us)
        actions[drop] = ACTION_CODE[GateAction.DROP]
        return GateDecisions(
            messages=messages, action_codes=frozen(actions), reason_codes=frozen(reasons), next_us=frozen(next_us)
        )

    def _check_weights(self, weight: FloatArray | None) -> None:
        if self.pressure is None:
            return
        given = np.ones(1) if weight is None else weight
        bad = given >= self.pressure.cap
        if bad.any():
            refuse("weight", f"weights below the cap of the pressure ({self.pressure.cap:g})", given, bad)

    def _heeds_quiet(self, messages: Messages, some: slice | IntArray) -> BoolArray | None:
        """Return which messages heed quiet hours; None where all do."""
        if self.urgent is None:
            return None
        if messages.priority is None:
            return None if self.urgent > 0 else np.zeros(len(messages.at_us[some]), dtype=np.bool_)
        return np.asarray(messages.priority[some] < self.urgent)

    def _next(
        self, at_us: IntArray, outcome: Outcome, is_open: BoolArray, heeds_quiet: BoolArray | None, caps: list[Cap], /
    ) -> tuple[IntArray, NDArray[np.int8]]:
        """Return from when on nothing stands in the way, and the rule that stands in it for longest."""
        next_us: IntArray = at_us.copy()
        reasons = np.zeros(len(at_us), dtype=np.int8)
        waits = np.flatnonzero(outcome.bits[: len(at_us)] < SENT)

        def some(which: range) -> None:
            rows = waits[which.start : which.stop]
            if len(rows):
                heed = None if heeds_quiet is None else heeds_quiet[rows]
                held = Outcome(outcome.bits[rows], outcome.wait_us[rows])
                next_us[rows], reasons[rows] = self._held(at_us[rows], held, is_open[rows], heed, caps)

        in_halves(len(waits), some)
        return next_us, reasons

    def _held(
        self, asked_us: IntArray, held: Outcome, is_open: BoolArray, heeds_quiet: BoolArray | None, caps: list[Cap], /
    ) -> tuple[IntArray, NDArray[np.int8]]:
        bits = held.bits
        free_us = asked_us + held.wait_us
        why = np.full(len(bits), REASON_CODE[GateReason.QUIET])
        why[(bits & GAP) > 0] = REASON_CODE[GateReason.MIN_GAP]
        why[(bits & PRESSURE) > 0] = REASON_CODE[GateReason.PRESSURE]
        for cap, (_, _, reason) in ((cap, each) for cap in caps for each in _CAPS if each[0] == cap.bit):
            full = np.flatnonzero(bits & cap.bit)
            end_us = _ends(cap, asked_us[full])
            longer = end_us > free_us[full]
            free_us[full[longer]] = end_us[longer]
            why[full[longer]] = REASON_CODE[reason]
        both = np.flatnonzero(~is_open & (bits > 0))
        longer = self.quiet.next_allowed(asked_us[both]) >= free_us[both]
        why[both[longer]] = REASON_CODE[GateReason.QUIET]
        never = free_us == _FOREVER
        free_us[never] = asked_us[never]
        heed = slice(None) if heeds_quiet is None else np.flatnonzero(heeds_quiet)
        free_us[heed] = self.quiet.next_allowed(free_us[heed])
        free_us[never] = NO_INSTANT
        return free_us, why


def _ends(cap: Cap, at_us: IntArray) -> IntArray:
    """Return the ends of the periods of instants; never, if nothing may be sent in any."""
    if cap.most == 0 or not len(at_us):
        return np.full(len(at_us), _FOREVER)
    periods = cap.calendar.index(at_us)
    first = int(periods.min())
    ends = cap.calendar.end_us(np.arange(first, int(periods.max()) + 1))
    return ends[periods - first]


class _Facts(NamedTuple):
    """What was sent already: member by code, when, and what it added to the pressure (None: 1 each)."""

    code: NDArray[np.integer[Any]]
    at_us: IntArray
    weight: FloatArray | None


def _requests(messages: Messages, some: slice | IntArray, is_open: BoolArray, facts: _Facts | None) -> Requests:
    """Put messages and facts into one set of rows, messages first."""
    code, at_us = messages.member.codes[some], messages.at_us[some]
    rank = None if messages.priority is None else _ranks(messages.priority[some])
    weight = None if messages.weight is None else messages.weight[some]
    if facts is None:
        return Requests(code, at_us, messages.resolution_us, rank, None, is_open, weight)
    n, m = len(at_us), len(facts.at_us)
    if weight is not None or facts.weight is not None:
        parts = (part if part is not None else np.ones(k) for part, k in ((weight, n), (facts.weight, m)))
        weight = np.concatenate(list(parts))
    later = np.ones(n, dtype=np.int64) if rank is None else rank + 1
    return Requests(
        code=np.concatenate([code.astype(np.int32), facts.code.astype(np.int32)]),
        at_us=np.concatenate([at_us, facts.at_us]),
        resolution_us=1 if (facts.at_us % messages.resolution_us).any() else messages.resolution_us,
        rank=np.concatenate([later, np.zeros(m, dtype=np.int64)]),
        is_fact=np.arange(n + m) >= n,
        is_open=np.concatenate([is_open, np.zeros(m, dtype=np.bool_)]),
        weight=weight,
    )


def _ranks(priority: IntArray) -> IntArray | None:
    """Return the order of priorities, the highest first as 0; None where all are one."""
    if not len(priority):
        return None
    low, high = int(priority.min()), int(priority.max())
    if low == high:
        return None
    ranks: IntArray = high - priority
    if high - low > _MOST_RANKS:
        ranks = np.unique(ranks, return_inverse=True)[1].astype(np.int64)
    return ranks


def _barred(messages: Messages, muted: Any, left: Any) -> NDArray[np.int8] | None:  # noqa: ANN401
    """Return the reason code of messages to members who get nothing, 0 for the others; None where nobody is named."""
    if muted is None and left is None:
        return None
    by_member = np.zeros(len(messages.members), dtype=np.int8)
    by_member[_named("left", left, messages.members)] = REASON_CODE[GateReason.LEFT]
    by_member[_named("muted", muted, messages.members)] = REASON_CODE[GateReason.MUTED]
    reasons: NDArray[np.int8] = by_member[messages.member.codes]
    return reasons


def _named(argument: str, given: Any, members: Index) -> BoolArray:  # noqa: ANN401
    named = np.zeros(len(members), dtype=np.bool_)
    if given is None:
        return named
    if isinstance(given, np.ndarray) and cast("NDArray[Any]", given).dtype == np.bool_:
        mask = cast("BoolArray", given)
    else:
        column = cast("NDArray[Any]", given).tolist() if isinstance(given, np.ndarray) else given
        labels = items_of(argument, cast("object", column), expected="a mask or labels")
        if not labels:
            return named
        if not all(isinstance(each, bool | np.bool_) for each in labels):
            index = Index.encode(labels, argument=argument)[0]
            require_comparable(argument, index, members)
            places = members.places_of(index)
            named[places[places >= 0]] = True
            return named
        mask = np.array(labels, dtype=np.bool_)
    if mask.shape != named.shape:
        expected = f"a mask of the {len(members)} members, or labels"
        raise MisalignedError(message(argument, expected, f"shape {mask.shape}"))
    return mask


def _sent_us(sent: Any) -> IntArray:  # noqa: ANN401
    if isinstance(sent, np.ndarray):
        column = cast("NDArray[Any]", sent)
        if column.dtype.kind in "iu":
            return instants_column(column, argument="sent")
    items = items_of("sent", cast("object", sent), expected="instants")
    return np.array([instant_us(each, argument="sent") for each in items], dtype=np.int64)

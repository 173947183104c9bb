"""May it go? The answers of a gate: send, hold until an instant, or drop, each with its reason."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  # attrs resolves the annotations of fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray  # noqa: TC002  # resolved at run time by attrs

from shequn._doors import Doors
from shequn._typing import IntArray  # noqa: TC001  # resolved at run time by attrs
from shequn.columns.log import EventLog
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import by_fields, codes_column, frozen
from shequn.columns.table import Column, Tabular
from shequn.content.messages import Messages
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, MisalignedError, counted, message
from shequn.labels import Coded, Index
from shequn.stats._checks import counts_column, instance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import BoolArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["ACTION_CODE", "REASON_CODE", "GateAction", "GateDecision", "GateDecisions", "GateReason", "GateRow"]


class GateAction(Taxonomy):
    """What becomes of a message.

    Examples
    --------
    >>> GateAction.HOLD.zh
    '暂缓'
    """

    SEND = "send", "发送", "send"
    HOLD = "hold", "暂缓", "hold"
    DROP = "drop", "放弃", "drop"


class GateReason(Taxonomy):
    """Why a message is sent, held or dropped: of rules that stand in the way, the one that does so for longest.

    Examples
    --------
    >>> GateReason.QUIET.zh, GateReason.from_label("cap of the day")
    ('免打扰时段', <GateReason.PER_DAY: 'per_day'>)
    """

    SENT = "sent", "可发送", "nothing in the way"
    MUTED = "muted", "已屏蔽", "muted"
    LEFT = "left", "已退出", "has left"
    EXPIRED = "expired", "已过期", "expired"
    QUIET = "quiet", "免打扰时段", "quiet hours"
    MIN_GAP = "min_gap", "间隔过短", "too soon after the last"
    PER_DAY = "per_day", "当日上限", "cap of the day"
    PER_WEEK = "per_week", "当周上限", "cap of the week"
    PER_MONTH = "per_month", "当月上限", "cap of the month"
    PRESSURE = "pressure", "疲劳度过高", "fatigue pressure"


_ACTIONS, _REASONS = tuple(GateAction), tuple(GateReason)
ACTION_CODE = {action: np.int8(code) for code, action in enumerate(_ACTIONS)}
REASON_CODE = {reason: np.int8(code) for code, reason in enumerate(_REASONS)}


def _action(action: GateAction | str) -> GateAction:
    return GateAction.from_label(action, argument="action")


def _reason(reason: GateReason | str) -> GateReason:
    return GateReason.from_label(reason, argument="reason")


@attrs.frozen(kw_only=True)
class GateDecision(Doors):
    """What becomes of one message; made by `Gate.decide`.

    Attributes
    ----------
    action : GateAction
        Send, hold or drop.
    reason : GateReason
        Of the rules that stand in the way, the one that does so for longest.
    next_allowed : pendulum.DateTime or None
        When it may go if nothing else is sent before: now where it is sent. None where that is never.

    Examples
    --------
    >>> GateDecision(action="drop", reason="muted").reason.en
    'muted'
    """

    action: GateAction = attrs.field(converter=_action)
    reason: GateReason = attrs.field(converter=_reason)
    next_allowed: dt.datetime | None = None

    @property
    def is_sent(self) -> bool:
        """Whether it goes now."""
        return self.action is GateAction.SEND


class GateRow(NamedTuple):
    """One message of `GateDecisions`.

    Attributes
    ----------
    member : str or int
    at : pendulum.DateTime
        When it asked, in UTC without a zone.
    action : GateAction
    reason : GateReason
    next_allowed : pendulum.DateTime or None
        When it may go, in UTC without a zone.

    Examples
    --------
    >>> import pendulum
    >>> at = pendulum.naive(2024, 3, 1)
    >>> GateRow(member="ann", at=at, action=GateAction.SEND, reason=GateReason.SENT, next_allowed=at).action.zh
    '发送'
    """

    member: Label
    at: dt.datetime
    action: GateAction
    reason: GateReason
    next_allowed: dt.datetime | None


def _action_codes(values: Any) -> NDArray[np.int8]:  # noqa: ANN401
    return codes_column("action_codes", values, len(_ACTIONS), of="actions")


def _reason_codes(values: Any) -> NDArray[np.int8]:  # noqa: ANN401
    return codes_column("reason_codes", values, len(_REASONS), of="reasons")


def _instants(values: IntArray) -> IntArray:
    return counts_column("next_us", values, (-1,), of="each message", least=NO_INSTANT)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GateDecisions(Tabular[GateRow]):
    """What becomes of each message of a stream; made by `Gate.decide_all`.

    Attributes
    ----------
    messages : Messages
        The n messages.
    action_codes, reason_codes : ndarray of int8, shape (n,)
        Positions in `GateAction` and `GateReason`.
    next_us : ndarray of int64, shape (n,)
        When each may go if nothing else is sent before, in microseconds since 1970-01-01T00:00Z: its own instant where
        it is sent. -2**63 (NumPy's NaT) where that is never.

    Examples
    --------
    >>> messages = Messages.from_columns(member=["ann", "bo"], at=[0, 0], time_unit="s")
    >>> decisions = GateDecisions(messages=messages, action_codes=[0, 1], reason_codes=[0, 4], next_us=[0, 10**9])
    >>> print(decisions)
    What the gate decided
    action  reason              messages  share
    ───────────────────────────────────────────
    send    nothing in the way         1  50.0%
    hold    quiet hours                1  50.0%
    """

    messages: Messages
    action_codes: NDArray[np.int8] = attrs.field(converter=_action_codes)
    reason_codes: NDArray[np.int8] = attrs.field(converter=_reason_codes)
    next_us: IntArray = attrs.field(converter=_instants)

    _Row: ClassVar[type[Any] | None] = GateRow

    def __attrs_post_init__(self) -> None:
        instance("messages", self.messages, Messages, expected="Messages")
        shape = (len(self.messages),)
        for name in ("action_codes", "reason_codes", "next_us"):
            if getattr(self, name).shape != shape:
                expected = f"one for each of the {len(self.messages)} messages"
                raise MisalignedError(message(name, expected, getattr(self, name).shape))

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.messages)

    @property
    def members(self) -> Index:
        """The members the messages are for."""
        return self.messages.members

    @property
    def sent(self) -> BoolArray:
        """Which messages go now, shape (n,)."""
        return self._are(GateAction.SEND)

    @property
    def held(self) -> BoolArray:
        """Which messages are to be offered again at `next_us`, shape (n,)."""
        return self._are(GateAction.HOLD)

    @property
    def dropped(self) -> BoolArray:
        """Which messages are worth nothing by the time they may go, or may never go, shape (n,)."""
        return self._are(GateAction.DROP)

    def _are(self, action: GateAction) -> BoolArray:
        return frozen(self.action_codes == ACTION_CODE[action])

    @property
    def actions(self) -> NDArray[Any]:
        """The `GateAction` of each message, shape (n,)."""
        return frozen(np.fromiter(_ACTIONS, dtype=object, count=len(_ACTIONS))[self.action_codes])

    @property
    def reasons(self) -> NDArray[Any]:
        """The `GateReason` of each message, shape (n,)."""
        return frozen(np.fromiter(_REASONS, dtype=object, count=len(_REASONS))[self.reason_codes])

    @property
    def sizes(self) -> dict[tuple[GateAction, GateReason], int]:
        """How many messages there are of each action and reason that occur."""
        pair = self.action_codes.astype(np.int64) * len(_REASONS) + self.reason_codes
        counts = np.bincount(pair, minlength=len(_ACTIONS) * len(_REASONS))
        return {
            (_ACTIONS[code // len(_REASONS)], _REASONS[code % len(_REASONS)]): int(counts[code])
            for code in np.flatnonzero(counts).tolist()
        }

    def receipts(self, *, kind: str = "receive") -> EventLog:
        """Return the facts to store: a row for each message that goes now.

        Parameters
        ----------
        kind : str, default "receive"
            Kind of event.

        Returns
        -------
        EventLog
            In the order of the messages, with their items, and their weights as `value`, where they have any.

        Examples
        --------
        >>> messages = Messages.from_columns(member=["ann", "bo"], at=[0, 0], time_unit="s")
        >>> given = GateDecisions(messages=messages, action_codes=[0, 1], reason_codes=[0, 4], next_us=[0, 1])
        >>> [event.member for event in given.receipts().to_events()]
        ['ann']
        """
        if not isinstance(kind, str) or not kind:
            raise InvalidTypeError(message("kind", "a kind of event", kind))
        rows = np.flatnonzero(self.sent)
        weight, item = self.messages.weight, self.messages.item
        return EventLog(
            member=self.messages.member.take(rows),
            kind=Coded(index=Index([kind]), codes=np.zeros(len(rows), dtype=np.int8)),
            at_us=frozen(self.messages.at_us[rows]),
            resolution_us=self.messages.resolution_us,
            value=None if weight is None else frozen(weight[rows]),
            item=None if item is None else item.take(rows),
        )

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        sizes = self.sizes
        counts = np.array(list(sizes.values()), dtype=np.int64)
        return [
            Column(key="action", en="action", zh="处理", values=_objects([action for action, _ in sizes])),
            Column(key="reason", en="reason", zh="原因", values=_objects([reason for _, reason in sizes])),
            Column(key="messages", en="messages", zh="消息数", values=counts, format="count"),
            Column(key="share", en="share", zh="占比", values=counts / max(len(self), 1), format="rate"),
        ]

    def _tidy(self) -> Sequence[Column]:
        at, upcoming = (us.view("datetime64[us]") for us in (self.messages.at_us, self.next_us))
        return [
            Column(key="member", en="member", zh="成员", values=self.messages.member.labels()),
            Column(key="at", en="at (UTC)", zh="时刻（UTC）", values=at),
            Column(key="action", en="action", zh="处理", values=self.actions),
            Column(key="reason", en="reason", zh="原因", values=self.reasons),
            Column(key="next_allowed", en="next allowed (UTC)", zh="最早可发（UTC）", values=upcoming),
        ]

    def _title(self, lang: Lang, /) -> str:
        return "发送闸门的决定" if lang == "zh" else "What the gate decided"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        sent, held, dropped = (int(mask.sum()) for mask in (self.sent, self.held, self.dropped))
        return f"GateDecisions({counted(len(self), 'message')}: {sent:,} sent, {held:,} held, {dropped:,} dropped)"


def _objects(values: Sequence[object]) -> NDArray[Any]:
    return np.fromiter(values, dtype=object, count=len(values))

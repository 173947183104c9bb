"""How does each member take part: core, regular, now and then, lurking 潜水, muted, cold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np
from pendulum import duration

from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column
from shequn.entities.taxonomies import EventKind
from shequn.errors import InvalidValueError, message
from shequn.segmentation.layered import Layers, MemberPosture, as_of_title, assigned_to, one_number, spelt
from shequn.segmentation.member_facts import MemberFacts, kinds_of, window_us
from shequn.stats._checks import flag, whole
from shequn.values.calendar import Calendar
from shequn.values.instants import from_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns import EventLog, Roster
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Assignment, Label

__all__ = ["PostureLayers", "PostureRow", "posture_layers"]

_MONTH = duration(days=30)
_VOICE = tuple(
    kind.value
    for kind in (
        EventKind.POST,
        EventKind.REPLY,
        EventKind.ASK,
        EventKind.LIKE,
        EventKind.REPOST,
        EventKind.CHECK_IN,
        EventKind.INVITE,
    )
)
_READING = (EventKind.READ.value, EventKind.CLICK.value)
_MUTE = (EventKind.MUTE.value,)


def posture_layers(
    roster: Roster,
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    tz: str | dt.tzinfo,
    within: dt.timedelta = _MONTH,
    core_days: int = 12,
    regular_days: int = 4,
    voice_kinds: Collection[str] | str = _VOICE,
    reading_kinds: Collection[str] | str = _READING,
    mute_kinds: Collection[str] | str = _MUTE,
    unmute_kinds: Collection[str] | str = (),
    unknown_kinds: UnknownKinds = "warn",
) -> PostureLayers:
    """Tell how each member takes part, by the days on which they did, by what they read, and by mutes.

    Parameters
    ----------
    roster : Roster
        The members that are asked about.
    log : EventLog
        Their rows; those of others don't count.
    as_of : aware datetime
        Rows at this instant or before it are known.
    tz : str or tzinfo
        Where days are counted.
    within : timedelta, default 30 days
        The window (as_of - within, as_of] of taking part and reading.
    core_days, regular_days : int, default 12 and 4
        Distinct local days of taking part that make a member core, and regular. With 30 days these are about three
        days a week, and one.
    voice_kinds : collection of str, default post, reply, ask, like, repost, check_in, invite
        What counts as taking part.
    reading_kinds : collection of str, default read, click
        What counts as reading along.
    mute_kinds, unmute_kinds : collection of str, default mute, and none
        What turns the group off for a member, and on again.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind named here that the log does not know; those named by default need not occur.

    Returns
    -------
    PostureLayers
        The posture of each member, with the numbers behind it.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option can't be used: a window in the future, or not ``1 <= regular_days <= core_days``.

    Notes
    -----
    With v the distinct local days in the window on which a member took part (a row of the voice kinds), and r the rows
    of reading in it::

        muted       after the member's latest mute there is no taking part, reading or unmuting
        core        not muted, and v >= core_days
        regular     not muted, and regular_days <= v < core_days
        occasional  not muted, and 1 <= v < regular_days
        lurker      not muted, v = 0 and r >= 1
        cold        not muted, v = 0 and r = 0

    Everybody is in exactly one. A mute has no window: it lasts until the member comes back.

    What was done at the very instant of the mute is not after it.

    References
    ----------
    S1 §三(二)(四), row T21 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> log = sq.EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "cy", "cy"],
    ...     kind=["post", "reply", "read", "post", "mute"],
    ...     at=np.array(["2024-04-20", "2024-04-28", "2024-04-25", "2024-04-26", "2024-04-27"], dtype="M8[D]"),
    ...     at_tz="Asia/Shanghai",
    ... )
    >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy", "dee"])
    >>> layers = posture_layers(roster, log, as_of=pendulum.datetime(2024, 5, 1), tz="Asia/Shanghai")
    >>> layers.assignment.labels().tolist()
    ['occasional', 'lurker', 'muted', 'cold']
    >>> print(layers.explain("bo", lang="zh"))
    bo：潜水：近 30 天内参与 0 天，阅读 1 次
    """
    facts = MemberFacts.of(roster, log, as_of, unknown_kinds)
    calendar = Calendar.of("day", tz=tz)
    within_us = window_us("within", within)
    core, regular = whole("core_days", core_days), whole("regular_days", regular_days)
    if not 1 <= regular <= core:
        raise InvalidValueError(message("regular_days", f"from 1 to core_days ({core})", regular_days))
    given = {
        "voice_kinds": (voice_kinds, _VOICE),
        "reading_kinds": (reading_kinds, _READING),
        "mute_kinds": (mute_kinds, _MUTE),
        "unmute_kinds": (unmute_kinds, ()),
    }
    voice, reading, mute, unmute = (
        facts.kinds(kinds_of(name, kinds), argument=name, named=kinds is not default)
        for name, (kinds, default) in given.items()
    )
    if (mute & (voice | reading | unmute)).any():
        twice = facts.log.kinds[int(np.flatnonzero(mute & (voice | reading | unmute))[0])]
        raise InvalidValueError(message("mute_kinds", "kinds that mean nothing else too", twice))

    voice_days = facts.days(facts.rows(voice, within_us), calendar)
    reads = facts.count(facts.rows(reading, within_us))
    muted_us = facts.last_us(facts.rows(mute, None))
    came_back_us = facts.last_us(facts.rows(voice | reading | unmute, None))
    muted_us[muted_us < came_back_us] = NO_INSTANT  # which is less than any instant
    codes = _codes(voice_days, reads, muted_us != NO_INSTANT, regular_days=regular, core_days=core)
    return PostureLayers(
        assignment=assigned_to(roster.members, MemberPosture, codes),
        voice_days=voice_days,
        reads=reads,
        muted_us=frozen(muted_us),
        core_days=core,
        regular_days=regular,
        within_us=within_us,
        as_of_us=facts.as_of_us,
    )


def _codes(
    voice_days: IntArray, reads: IntArray, is_muted: BoolArray, *, regular_days: int, core_days: int
) -> NDArray[np.int8]:
    place = {posture: np.int8(position) for position, posture in enumerate(MemberPosture)}
    rungs = [
        (is_muted, place[MemberPosture.MUTED]),
        (voice_days >= core_days, place[MemberPosture.CORE]),
        (voice_days >= regular_days, place[MemberPosture.REGULAR]),
        (voice_days >= 1, place[MemberPosture.OCCASIONAL]),
        (reads >= 1, place[MemberPosture.LURKER]),
    ]
    return np.select([holds for holds, _ in rungs], [code for _, code in rungs], place[MemberPosture.COLD])


class PostureRow(NamedTuple):
    """One member; the names are those of `PostureLayers`.

    Attributes
    ----------
    member : str or int
    layer : MemberPosture
    voice_days, reads : int
    muted : bool

    Examples
    --------
    >>> PostureRow(member="ann", layer=MemberPosture.LURKER, voice_days=0, reads=7, muted=False).layer.zh
    '潜水'
    """

    member: Label
    layer: MemberPosture
    voice_days: int
    reads: int
    muted: bool


@attrs.frozen(kw_only=True, repr=False)
class PostureLayers(Layers[PostureRow]):
    """How each member takes part; made by `posture_layers`.

    Attributes
    ----------
    assignment : Assignment
        The posture of each of the n members: ``muted``, ``cold``, ``lurker``, ``occasional``, ``regular``, ``core``, in
        this order, from the farthest to the closest.
    voice_days : ndarray of int64, shape (n,)
        Distinct local days in the window on which the member took part.
    reads : ndarray of int64, shape (n,)
        Rows of reading in the window.
    muted_us : ndarray of int64, shape (n,)
        Since when the member has the group muted, in microseconds since 1970-01-01T00:00Z; -2**63 for who has not.
    core_days, regular_days : int
        The thresholds.
    within_us : int
        The window, in microseconds.
    as_of_us : int
        The instant of the question.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> log = sq.EventLog.from_columns(member=["ann", "bo"], kind=["post", "read"], at=[0, 0], time_unit="s")
    >>> roster = sq.Roster.from_columns(member=["ann", "bo"])
    >>> posture_layers(roster, log, as_of=pendulum.datetime(1970, 1, 2), tz="UTC")
    PostureLayers(0 core, 0 regular, 1 occasional, 1 lurker, 0 cold, 0 muted)
    """

    assignment: Assignment
    voice_days: IntArray = counts_field()
    reads: IntArray = counts_field()
    muted_us: IntArray = counts_field()
    core_days: int
    regular_days: int
    within_us: int
    as_of_us: int

    _Layer: ClassVar[type[MemberPosture]] = MemberPosture  # pyright: ignore[reportIncompatibleVariableOverride]
    _Row: ClassVar[type[Any] | None] = PostureRow

    @property
    def is_muted(self) -> BoolArray:
        """Who has the group muted, shape (n,)."""
        return frozen(self.muted_us != NO_INSTANT)

    def place_one(self, *, voice_days: int, reads: int, muted: bool) -> MemberPosture:
        """Return the posture of one member with these numbers, by the same rule.

        Examples
        --------
        >>> import pendulum
        >>> import shequn as sq
        >>> log, roster = sq.EventLog.empty(), sq.Roster.from_columns(member=["ann"])
        >>> layers = posture_layers(roster, log, as_of=pendulum.datetime(2024, 5, 1), tz="UTC")
        >>> layers.place_one(voice_days=5, reads=0, muted=False)
        <MemberPosture.REGULAR: 'regular'>
        """
        days, n_reads = one_number("voice_days", voice_days), one_number("reads", reads)
        if flag("muted", muted):
            return MemberPosture.MUTED
        if days >= self.core_days:
            return MemberPosture.CORE
        if days >= self.regular_days:
            return MemberPosture.REGULAR
        if days >= 1:
            return MemberPosture.OCCASIONAL
        return MemberPosture.LURKER if n_reads >= 1 else MemberPosture.COLD

    def _evidence(self) -> Sequence[Column]:
        return [
            Column(key="voice_days", en="days of taking part", zh="参与天数", values=self.voice_days, format="count"),
            Column(key="reads", en="reads", zh="阅读", values=self.reads, format="count"),
            Column(key="muted", en="muted", zh="屏蔽", values=self.is_muted),
        ]

    def _why(self, place: int, lang: Lang, /) -> str:
        muted_us = int(self.muted_us[place])
        if muted_us != NO_INSTANT:
            return _MUTED[lang].format(at=f"{from_us(muted_us):YYYY-MM-DD HH:mm}")
        days, reads = int(self.voice_days[place]), int(self.reads[place])
        return _TOLD[lang].format(days=days, reads=reads, window=spelt(self.within_us, lang))

    def _title(self, lang: Lang, /) -> str:
        return as_of_title(self.as_of_us, "参与姿态", "Posture", lang)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_MUTED: dict[Lang, str] = {
    "en": "muted the group on {at} UTC and has not come back since",
    "zh": "于 {at} UTC 屏蔽本群，此后未再出现",
}
_TOLD: dict[Lang, str] = {
    "en": "days of taking part in the last {window}: {days:,}, reads: {reads:,}",
    "zh": "近 {window}内参与 {days:,} 天，阅读 {reads:,} 次",
}

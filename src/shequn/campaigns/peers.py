"""Do members begin to check in when they see others do it (自愿打卡, 同伴带动)?"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Assignment
from shequn.stats import wilson
from shequn.stats._checks import counts_column, instance, items_of, refuse, whole
from shequn.stats.distinct import each_once
from shequn.values import Calendar, Rate, RateDifference
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang

__all__ = ["PeerEffect", "PeerRow", "peer_effect"]

_MOST_CELLS = 100_000_000


def _cuts(cuts: Iterable[int]) -> tuple[int, ...]:
    given = tuple(whole("cuts", cut) for cut in items_of("cuts", cuts, expected="numbers of check-ins"))
    if not given or given[0] < 1 or any(one >= other for one, other in pairwise(given)):
        raise InvalidValueError(message("cuts", "ascending numbers of 1 or more", cuts))
    return given


class PeerRow(NamedTuple):
    """Days after equally many check-ins of peers; the names are those of `PeerEffect.to_columns`.

    Examples
    --------
    >>> PeerRow(least=1, most=2, member_days=50, firsts=5, hazard=0.1, lower=0.043, upper=0.214).hazard
    0.1
    """

    least: int
    most: int
    member_days: int
    firsts: int
    hazard: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PeerEffect(Tabular[PeerRow]):
    """How often members check in for the first time, by how many peers did so the day before; made by `peer_effect`.

    Attributes
    ----------
    cuts : tuple of int
        The least number of check-ins of each bin but the first, which begins at 0.
    member_days : ndarray of int64, shape (n_bins,)
        Days of members who had not checked in before.
    firsts : ndarray of int64, shape (n_bins,)
        Of these, the days on which they did for the first time.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        The cuts don't ascend, a column has another length, or there are more first check-ins than days.

    Examples
    --------
    >>> found = PeerEffect(cuts=(1, 3), member_days=[400, 100, 50], firsts=[4, 5, 10])
    >>> found, found.difference.lower > 0
    (PeerEffect(1.0% after a day without check-ins of peers, 20.0% after 3 and more), True)
    """

    cuts: tuple[int, ...] = attrs.field(converter=_cuts)
    member_days: IntArray
    firsts: IntArray

    _Row: ClassVar[type[Any] | None] = PeerRow

    def __attrs_post_init__(self) -> None:
        """Check lengths, and that nobody begins more often than once a day."""
        shape = (len(self.cuts) + 1,)
        for name in ("member_days", "firsts"):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), shape, of="each bin"))
        if (self.firsts > self.member_days).any():
            refuse("firsts", "no more than member_days", self.firsts, self.firsts > self.member_days)

    @property
    def hazard(self) -> FloatArray:
        """First check-ins a member-day, shape (n_bins,); NaN where there was none."""
        shares: FloatArray = np.divide(
            self.firsts, self.member_days, out=np.full(len(self.firsts), np.nan), where=self.member_days > 0
        )
        return frozen(shares)

    @property
    def difference(self) -> RateDifference:
        """By how much the hazard of the last bin exceeds that of the first, with its interval."""
        first, last = (Rate(int(self.firsts[bin_]), int(self.member_days[bin_])) for bin_ in (0, -1))
        return last.minus(first)

    def _tidy(self) -> Sequence[Column]:
        least = np.array([0, *self.cuts])
        most = np.array([*(cut - 1 for cut in self.cuts), -1])
        return [
            Column(key="least", en="from", zh="起", values=least, format="count"),
            Column(key="most", en="to", zh="止", values=most, format="count", null=-1),
            *self._numbers(),
        ]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        more = "及以上" if lang == "zh" else " and more"
        spans = zip((0, *self.cuts), (*(cut - 1 for cut in self.cuts), None), strict=True)
        named = [
            f"{low}{more}" if high is None else f"{low}" if low == high else f"{low}–{high}" for low, high in spans
        ]
        peers = Column(key="peers", en="peers' check-ins", zh="前一日同伴打卡", values=np.array(named, dtype=object))
        return [peers, *self._numbers()]

    def _numbers(self) -> list[Column]:
        lower, upper = wilson(self.firsts, self.member_days)
        return [
            Column(key="member_days", en="member-days", zh="人日", values=self.member_days, format="count"),
            Column(key="firsts", en="first check-ins", zh="首次打卡", values=self.firsts, format="count"),
            Column(key="hazard", en="hazard", zh="首次打卡率", values=self.hazard, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if lang == "zh":
            return ("关联而非因果：有活动的日子人人更常打卡。",)
        return ("Association, not cause: on a day with a campaign everybody checks in more.",)

    def __repr__(self) -> str:
        """Show the hazards of the first and the last bin."""
        first, last = (f"{rate:.1%}" if rate == rate else "–" for rate in self.hazard[[0, -1]].tolist())  # noqa: PLR0124
        return f"PeerEffect({first} after a day without check-ins of peers, {last} after {self.cuts[-1]:,} and more)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def peer_effect(
    log: EventLog,
    /,
    *,
    tz: str | dt.tzinfo,
    as_of: dt.datetime,
    peers: Assignment | None = None,
    kinds: Collection[str] | str = EventKind.CHECK_IN.value,
    cuts: Iterable[int] = (1, 3, 10),
    unknown_kinds: UnknownKinds = "warn",
) -> PeerEffect:
    """Tell how likely a first check-in is on a day, by how many peers checked in the day before.

    Parameters
    ----------
    log : EventLog
        Of whatever members do; who never does anything is not known to have been there.
    tz : str or tzinfo
        Zone of the days.
    as_of : aware datetime
        Rows up to it, itself included, are known; its own local day isn't over and not counted.
    peers : Assignment, optional
        Members of one segment are each other's peers, and who has none is left out. By default all members are.
    kinds : collection of str, default "check_in"
        Kinds of event that are check-ins.
    cuts : iterable of int, default (1, 3, 10)
        Where bins of peers' check-ins begin, after the one that begins at 0.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    PeerEffect

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    The discrete-time hazard: of the days on which members who had never checked in could have done so, the share on
    which they did. A member is at risk from the local day of their first row to that of their first check-in; the first
    day of the log, of which nobody knows the day before, is left out. A peer who checks in several times a day counts
    once. Wilson intervals take member-days for independent, but members share their days: they are too short if days
    differ in more than what peers did.

    It is an association. Peers check in on the days of a campaign, and so do others, for the same reason.

    References
    ----------
    S4, row I4 of the domain table. Manski, C. F. (1993). Identification of endogenous social effects: the reflection
    problem. Review of Economic Studies 60(3), 531-542. https://doi.org/10.2307/2298123

    Examples
    --------
    >>> import pendulum
    >>> day = 86_400
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "cy", "ann", "ann", "bo"],
    ...     kind=["join", "join", "join", "check_in", "check_in", "check_in"],
    ...     at=[0, 0, 0, day, 2 * day, 3 * day], time_unit="s",
    ... )
    >>> print(peer_effect(log, tz="UTC", as_of=pendulum.datetime(1970, 1, 5, 9), cuts=[1]))
    peers' check-ins  member-days  first check-ins  hazard  lower  upper
    ────────────────────────────────────────────────────────────────────
    0                           3                1   33.3%   6.1%  79.2%
    1 and more                  4                1   25.0%   4.6%  69.9%
    Association, not cause: on a day with a campaign everybody checks in more.
    """
    instance("log", log, EventLog, expected="an EventLog")
    edges = _cuts(cuts)
    as_of_us = instant_us(as_of, argument="as_of")
    calendar = Calendar.of("day", tz=tz)
    is_check_in = of_kinds(log, kinds, unknown_kinds=unknown_kinds)
    segment, n_segments = _segments(log, peers)
    rows = np.flatnonzero((log.at_us <= as_of_us) & (segment[log.member_codes] >= 0))
    if not len(rows):
        nothing = np.zeros(len(edges) + 1, dtype=np.int64)
        return PeerEffect(cuts=edges, member_days=nothing, firsts=nothing)
    member, day = log.member_codes[rows].astype(np.int64), calendar.index(log.at_us[rows]).astype(np.int64)
    low, today = int(day.min()), max(calendar.index_one(as_of_us), int(day.max()))
    day -= low
    n_days = today - low + 1
    if n_segments * (n_days + 1) > _MOST_CELLS:
        expected = f"segments and days whose product is at most {_MOST_CELLS:,}"
        raise InvalidValueError(message("peers", expected, f"{n_segments:,} × {n_days:,}"))
    used = is_check_in[log.kind_codes[rows]]
    seen = _earliest(member, day, len(log.members), none=n_days)
    began = _earliest(member[used], day[used], len(log.members), none=n_days)
    cell = each_once(member[used] * n_days + day[used])
    others = np.zeros((n_segments, n_days), dtype=np.int64)
    np.add.at(others, (segment[cell // n_days], cell % n_days), 1)
    stop = np.minimum(began, n_days - 2)  # today isn't over
    is_there = (segment >= 0) & (seen <= stop)
    at_risk = np.zeros((n_segments, n_days + 1), dtype=np.int64)
    np.add.at(at_risk, (segment[is_there], seen[is_there]), 1)
    np.add.at(at_risk, (segment[is_there], stop[is_there] + 1), -1)
    firsts = np.zeros((n_segments, n_days), dtype=np.int64)
    begins = is_there & (began == stop)
    np.add.at(firsts, (segment[begins], began[begins]), 1)
    # What peers did before the first day is not known: the days from the second on, each beside the one before.
    bin_ = np.searchsorted(np.array(edges), others[:, :-1], side="right").ravel()
    return PeerEffect(
        cuts=edges,
        member_days=_summed(bin_, np.cumsum(at_risk, axis=1)[:, 1:n_days], len(edges) + 1),
        firsts=_summed(bin_, firsts[:, 1:], len(edges) + 1),
    )


def _segments(log: EventLog, peers: Assignment | None) -> tuple[IntArray, int]:
    """Return the segment of each member of the log, -1 for none, and how many there are."""
    if peers is None:
        return np.zeros(len(log.members), dtype=np.int64), 1
    if not isinstance(peers, Assignment):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("peers", "an Assignment, or None", peers))
    place = peers.members.places_of(log.members)
    # -1, who has none, stands at the end
    return np.append(peers.codes, -1)[place].astype(np.int64), max(len(peers.segments), 1)


def _earliest(member: IntArray, day: IntArray, n_members: int, *, none: int) -> IntArray:
    found = np.full(n_members, none, dtype=np.int64)
    np.minimum.at(found, member, day)
    return found


def _summed(bin_: IntArray, counts: IntArray, n_bins: int) -> IntArray:
    sums = np.zeros(n_bins, dtype=np.int64)
    np.add.at(sums, bin_, counts.ravel())
    return sums

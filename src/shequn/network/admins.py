"""Which loyal and active members could be given the keys (忠诚高参与者授管理权)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.kinds import kind_set, of_kinds
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.entities import EventKind
from shequn.errors import MisalignedError, UnknownLabelError, counted, message
from shequn.labels import Index
from shequn.network.whom import mask_of
from shequn.stats._checks import counts_column, instance, one_of, reals, refuse
from shequn.stats.distinct import each_once
from shequn.values import Calendar
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["AdminCandidates", "CandidateRow", "admin_candidates"]

_DAY_US = 86_400_000_000
_COUNTS = ("weeks_active", "n_rows", "answered_by", "muted_by")
_BACK = frozenset({EventKind.JOIN.value})
_GONE = frozenset({EventKind.LEAVE.value, EventKind.REMOVE.value})


def admin_candidates(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    tz: str | dt.tzinfo,
    exclude: Label | Iterable[Label] | BoolArray | None = None,
    roster: Roster | None = None,
    kinds: Collection[str] | str | None = None,
    reply: Collection[str] | str = EventKind.REPLY.value,
    mute: Collection[str] | str = EventKind.MUTE.value,
    remove: Collection[str] | str = EventKind.REMOVE.value,
    unknown_kinds: UnknownKinds = "ignore",
) -> AdminCandidates:
    r"""Rank members by loyalty × participation × trust, without staff and without who is gone.

    Parameters
    ----------
    log : EventLog
        What members do, and ``member`` → ``target`` whom they answer and mute.
    as_of : aware datetime
        Rows at this instant or before it are known, later ones are not.
    tz : str or tzinfo
        Zone of the weeks.
    exclude : label, labels or mask over ``log.members``, optional
        Who can't be chosen: staff, owners, bots, those who are administrators already.
    roster : Roster, optional
        Since when each is a member; where it doesn't know, and without one, since their first row.
    kinds : collection of str, optional
        Kinds of event that count as taking part; by default all that are activity.
    reply, mute, remove : collection of str
        Kinds by which a member answers another, mutes another, and is removed.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    AdminCandidates
        All who can be chosen, the first one first, with the evidence.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    Three things are measured of everybody who can be chosen:

    - loyalty: the local weeks, Monday to Sunday, in which they took part; nobody has many who came lately,
    - participation: the rows by which they took part,
    - trust: how many different members answered them, less how many muted them, and no less than 0.

    Each is turned into its percentile rank among them, the share of those with less plus half of those with as much,
    and into 0 where the measure is 0. The score is the product of the three ranks: who lacks one of them is far down.

    Who took part in nothing, was ever removed, or whose last join, leave or removal is no join, can't be chosen.

    References
    ----------
    S1 §四(五), row A16 of the domain table.

    Examples
    --------
    >>> from shequn.values.instants import from_us
    >>> week = 7 * 86_400
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "cy", "cy"], kind=["post", "post", "reply", "reply", "post"],
    ...     target=[None, None, "ann", "ann", None], at=[0, week, 10, 20, 30], time_unit="s",
    ... )
    >>> found = admin_candidates(log, as_of=from_us(2 * week * 1_000_000), tz="UTC")
    >>> print(found.table(max_rows=1))
    #  member  score  loyalty  participation  trust  weeks active  rows  answered by  muted by
    ──────────────────────────────────────────────────────────────────────────────────────────
    1  ann      0.46     0.83           0.67   0.83             2     2            2         0
    … 2 rows left out …
    >>> found.explain("ann")
    'ann: member for 14 days, took part in 2 weeks with 2 rows, answered by 2 members, muted by 0'
    """
    instance("log", log, EventLog, expected="an EventLog")
    n, until = len(log.members), instant_us(as_of, argument="as_of")
    excluded = mask_of(exclude, log.members, argument="exclude")
    known = log.at_us <= until
    is_active = _of(log, kinds, "kinds", unknown_kinds) & known
    is_removal = _of(log, remove, "remove", unknown_kinds) & known
    removed = np.bincount(log.member_codes[is_removal], minlength=n) > 0
    n_rows = np.bincount(log.member_codes[is_active], minlength=n)
    able = ~excluded & ~removed & ~_gone(log, known, kind_set(remove, argument="remove")) & (n_rows > 0)
    since_us = _since(log, known, roster, until)
    answered_by = _different(log, _of(log, reply, "reply", unknown_kinds) & known)
    muted_by = _different(log, _of(log, mute, "mute", unknown_kinds) & known)

    chosen = np.flatnonzero(able)
    weeks = _weeks(log, is_active, tz)[chosen]
    rows, answered, muted = n_rows[chosen], answered_by[chosen], muted_by[chosen]
    ranks = [_percentile_rank(measure) for measure in (weeks, rows, np.maximum(answered - muted, 0))]
    order = np.lexsort((chosen, -(ranks[0] * ranks[1] * ranks[2])))
    loyalty, participation, trust = (rank[order] for rank in ranks)
    return AdminCandidates(
        members=log.members,
        member=chosen[order],
        loyalty=loyalty,
        participation=participation,
        trust=trust,
        tenure_days=((until - since_us) / _DAY_US)[chosen][order],
        weeks_active=weeks[order],
        n_rows=rows[order],
        answered_by=answered[order],
        muted_by=muted[order],
        n_excluded=int(excluded.sum()),
        n_gone=int((~excluded & ~able & (n_rows > 0)).sum()),
    )


def _of(log: EventLog, kinds: Collection[str] | str | None, argument: str, unknown_kinds: UnknownKinds) -> BoolArray:
    rows: BoolArray = of_kinds(log, kinds, argument=argument, unknown_kinds=unknown_kinds)[log.kind_codes]
    return rows


def _gone(log: EventLog, known: BoolArray, remove: frozenset[str]) -> BoolArray:
    """Return whose last fact of membership is that they went."""
    back, gone = (of_kinds(log, kinds, unknown_kinds="ignore") for kinds in (_BACK, _GONE | remove))
    rows = np.flatnonzero(known & (back | gone)[log.kind_codes])
    order = rows[np.lexsort((rows, log.at_us[rows]))]
    went = np.zeros(len(log.members), dtype=np.bool_)
    went[log.member_codes[order]] = gone[log.kind_codes[order]]  # of several, the last one is written last
    return went


def _since(log: EventLog, known: BoolArray, roster: Roster | None, until: int) -> IntArray:
    """Return since when each is a member."""
    since = np.full(len(log.members), until)
    np.minimum.at(since, log.member_codes[known], log.at_us[known])
    if roster is None:
        return since
    instance("roster", roster, Roster, expected="a Roster")
    places = roster.members.places_of(log.members)
    joined = np.append(roster.joined_us, NO_INSTANT)[places]
    return np.where((joined != NO_INSTANT) & (joined <= until), joined, since)


def _weeks(log: EventLog, is_active: BoolArray, tz: str | dt.tzinfo) -> IntArray:
    """Return in how many local weeks each took part."""
    weeks = Calendar.of("week", tz=tz)
    rows = np.flatnonzero(is_active)
    week = weeks.index(log.at_us[rows]).astype(np.int64)
    least = int(week.min(initial=0))
    span = int(week.max(initial=0)) - least + 1
    key = each_once(log.member_codes[rows].astype(np.int64) * span + (week - least))
    return np.bincount(key // span, minlength=len(log.members))


def _different(log: EventLog, rows: BoolArray) -> IntArray:
    """Return how many different others each member is the target of in some rows."""
    n = len(log.members)
    if log.target is None:
        return np.zeros(n, dtype=np.int64)
    told = np.flatnonzero(rows & (log.target.codes >= 0))
    target = log.members.places_of(log.target.index)[log.target.codes[told]].astype(np.int64)
    source = log.member_codes[told].astype(np.int64)
    counts = (target >= 0) & (target != source)
    return np.bincount(each_once(target[counts] * n + source[counts]) // max(n, 1), minlength=n)


def _percentile_rank(measure: IntArray) -> FloatArray:
    """Return the share with less plus half of those with as much, 0 where there is nothing."""
    ordered = np.sort(measure)
    below, up_to = (np.searchsorted(ordered, measure, side=side) for side in ("left", "right"))
    rank: FloatArray = np.where(measure > 0, (below + up_to) / (2.0 * max(len(measure), 1)), 0.0)
    return rank


class CandidateRow(NamedTuple):
    """One candidate; the names are those of `AdminCandidates`.

    Examples
    --------
    >>> CandidateRow(1, "ann", 0.7, 0.9, 0.9, 0.87, 400.0, 52, 800, 61, 0).member
    'ann'
    """

    place: int
    member: Label
    score: float
    loyalty: float
    participation: float
    trust: float
    tenure_days: float
    weeks_active: int
    n_rows: int
    answered_by: int
    muted_by: int


def _numbers(values: ArrayLike) -> FloatArray:
    given = reals("loyalty, participation, trust, tenure_days", values)
    bad = ~(given >= 0) | np.isinf(given)
    if bad.any():
        refuse("loyalty, participation, trust, tenure_days", "finite numbers of 0 or more", given, bad)
    return read_only(given)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdminCandidates(Tabular[CandidateRow]):
    """Who could be given the keys, and why; made by `admin_candidates`, where the ranking is defined.

    Parameters
    ----------
    members : Index
        All members.
    member : ndarray of int64, shape (m,)
        Code of each candidate, the first one first.
    loyalty, participation, trust : ndarray of float64, shape (m,)
        Percentile ranks, in [0, 1].
    tenure_days : ndarray of float64, shape (m,)
        Since when each is a member.
    weeks_active, n_rows : ndarray of int64, shape (m,)
        Local weeks in which they took part, and rows by which they did.
    answered_by, muted_by : ndarray of int64, shape (m,)
        Different members who answered and who muted them.
    n_excluded, n_gone : int
        Members who were excluded, and of the others those who took part and left or were removed.

    Examples
    --------
    >>> found = AdminCandidates(
    ...     members=Index(["ann", "bo"]), member=[1], loyalty=[0.9], participation=[0.5], trust=[0.5],
    ...     tenure_days=[30.0], weeks_active=[4], n_rows=[12], answered_by=[3], muted_by=[0], n_excluded=1, n_gone=0,
    ... )
    >>> found, found.labels, found.mask.tolist()
    (AdminCandidates(1 of 2 members), ('bo',), [False, True])
    """

    members: Index
    member: IntArray
    loyalty: FloatArray = attrs.field(converter=_numbers)
    participation: FloatArray = attrs.field(converter=_numbers)
    trust: FloatArray = attrs.field(converter=_numbers)
    tenure_days: FloatArray = attrs.field(converter=_numbers)
    weeks_active: IntArray
    n_rows: IntArray
    answered_by: IntArray
    muted_by: IntArray
    n_excluded: int = 0
    n_gone: int = 0

    _Row: ClassVar[type[Any] | None] = CandidateRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one entry a candidate."""
        instance("members", self.members, Index, expected="an Index")
        for name in ("member", *_COUNTS):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), (-1,), of="each candidate"))
        for name in ("loyalty", "participation", "trust", "tenure_days", *_COUNTS):
            values: NDArray[Any] = getattr(self, name)
            if values.shape != self.member.shape:
                expected = f"one for each of the {self.member.size} candidates"
                raise MisalignedError(message(name, expected, f"an array of shape {values.shape}"))
        bad = (self.member < 0) | (self.member >= len(self.members))
        if bad.any():
            refuse("member", f"codes in [0, {len(self.members)})", self.member, bad)

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.member)

    @property
    def score(self) -> FloatArray:
        """Loyalty × participation × trust, shape (m,)."""
        return frozen(self.loyalty * self.participation * self.trust)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The candidates, the first one first; what `admin_cover` takes."""
        return tuple(self.members[int(code)] for code in self.member)

    @property
    def mask(self) -> BoolArray:
        """Which members are candidates, shape (n_members,)."""
        mask = np.zeros(len(self.members), dtype=np.bool_)
        mask[self.member] = True
        return frozen(mask)

    def explain(self, member: Label, /, *, lang: Lang = "en") -> str:
        """Return what speaks for a candidate.

        Raises
        ------
        UnknownLabelError
            There is no such member, or they are no candidate.
        """
        one_of("lang", lang, ("en", "zh"))
        found = np.flatnonzero(self.member == self.members.code(member, argument="member"))
        if not len(found):
            raise UnknownLabelError(message("member", f"one of the {len(self)} candidates", member))
        row = int(found[0])
        days, weeks = int(self.tenure_days[row]), int(self.weeks_active[row])
        rows, answered, muted = (int(column[row]) for column in (self.n_rows, self.answered_by, self.muted_by))
        if lang == "zh":
            return (
                f"{member}：入群 {days:,} 天，{weeks:,} 周有参与，共 {rows:,} 次，"
                f"得到 {answered:,} 人回应，被 {muted:,} 人屏蔽"
            )
        return (
            f"{member}: member for {counted(days, 'day')}, took part in {counted(weeks, 'week')} "
            f"with {counted(rows, 'row')}, answered by {counted(answered, 'member')}, muted by {muted:,}"
        )

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if column.key != "tenure_days"]

    def _tidy(self) -> Sequence[Column]:
        ranks = {
            "score": ("score", "得分", self.score),
            "loyalty": ("loyalty", "忠诚", self.loyalty),
            "participation": ("participation", "参与", self.participation),
            "trust": ("trust", "信任", self.trust),
        }
        numbers = {
            "weeks_active": ("weeks active", "活跃周数", self.weeks_active),
            "n_rows": ("rows", "参与次数", self.n_rows),
            "answered_by": ("answered by", "被回应人数", self.answered_by),
            "muted_by": ("muted by", "被屏蔽人数", self.muted_by),
        }
        return [
            Column(key="place", en="#", zh="#", values=np.arange(1, len(self) + 1), format="count"),
            Column(key="member", en="member", zh="成员", values=self.members.labels[self.member]),
            *(
                Column(key=key, en=en, zh=zh, values=values, format="number", digits=2)
                for key, (en, zh, values) in ranks.items()
            ),
            Column(key="tenure_days", en="days", zh="入群天数", values=self.tenure_days, format="number", digits=1),
            *(
                Column(key=key, en=en, zh=zh, values=values, format="count")
                for key, (en, zh, values) in numbers.items()
            ),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        excluded, gone = self.n_excluded, self.n_gone
        if not (excluded or gone):
            return ()
        if lang == "zh":
            told = ((excluded, f"排除 {excluded:,} 人"), (gone, f"已退群或被移出 {gone:,} 人"))
            return ("另有" + "，".join(text for n, text in told if n),)
        told = ((excluded, f"{excluded:,} excluded"), (gone, f"{gone:,} who left or were removed"))
        return ("beside " + " and ".join(text for n, text in told if n),)

    def __repr__(self) -> str:
        """Show how many candidates there are."""
        return f"AdminCandidates({len(self):,} of {counted(len(self.members), 'member')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

"""Who has to be on duty so that somebody is there whenever members are, in each group and hour of the week?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.labels import Coded, Index
from shequn.network.whom import mask_of
from shequn.stats._checks import array_of, counts_column, instance, items_of, refuse, whole
from shequn.stats.distinct import each_once
from shequn.values import Calendar, Rate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["AdminCover", "CoverGaps", "CoverRow", "GapRow", "admin_cover"]

_HOURS = 168
_EPOCH_HOUR = 72  # 1970-01-01 was a Thursday; hours count from Monday
_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}


def admin_cover(
    log: EventLog,
    candidates: Iterable[Label],
    /,
    *,
    tz: str | dt.tzinfo,
    most: int | None = None,
    min_weeks: int = 2,
    kinds: Collection[str] | str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> AdminCover:
    r"""Choose few candidates so that in each group and hour of the week in which others are active, one of them is.

    Parameters
    ----------
    log : EventLog
        With a ``group`` for each row; without one all rows are of one group.
    candidates : labels
        Who could be chosen, of equals the earlier one first: ``admin_candidates(...).labels``.
    tz : str or tzinfo
        Zone of the hours.
    most : int, optional
        Choose no more than so many; by default until nothing more can be covered.
    min_weeks : int, default 2
        A candidate is there in an hour of the week who was active in it in so many different weeks.
    kinds : collection of str, optional
        Kinds of event that count, of candidates and of others; by default all that are activity.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    AdminCover
        The chosen in the order of their choice, and what stays uncovered.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used, or a candidate never acts in the log.

    Notes
    -----
    The demand of a slot, one hour of the local week in one group, is the number of rows of those who are no candidates.
    Each time the candidate is chosen who adds most covered demand. Finding the best choice is NP-hard; this one covers,
    for each number of chosen, at least :math:`1 - 1/e \approx 63\,\%` of what the best of as many could (Nemhauser,
    Wolsey & Fisher 1978), and no quick method can promise more (Feige 1998).

    References
    ----------
    S1 §四(五), row A16 of the domain table; Nemhauser, G. L., Wolsey, L. A. & Fisher, M. L. (1978). An analysis of
    approximations for maximizing submodular set functions. Mathematical Programming 14, 265-294.
    https://doi.org/10.1007/BF01588971; Feige, U. (1998). A threshold of ln n for approximating set cover. Journal of
    the ACM 45, 634-652. https://doi.org/10.1145/285055.285059

    Examples
    --------
    >>> week, hour = 7 * 86_400, 3_600
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "bo", "cy", "cy", "cy"], kind="post",
    ...     at=[0, week, hour, week + hour, 10, 20, 2 * hour], time_unit="s",
    ... )
    >>> found = admin_cover(log, ["ann", "bo"], tz="UTC")
    >>> print(found)
    #  member  slots  demand  cover
    ───────────────────────────────
    1  ann         1       2  66.7%
    2 of 3 rows of demand covered; 1 of 2 slots without anybody
    >>> print(found.gaps)
    group  weekday  hour  demand  somebody could
    ────────────────────────────────────────────
    –      Thu         2       1  no
    """
    instance("log", log, EventLog, expected="an EventLog")
    limit = None if most is None else whole("most", most)
    if limit is not None and limit < 1:
        raise InvalidValueError(message("most", "at least 1, or None", most))
    weeks_needed = whole("min_weeks", min_weeks)
    if weeks_needed < 1:
        raise InvalidValueError(message("min_weeks", "at least 1", min_weeks))
    named = items_of("candidates", candidates, expected="labels of members")
    listed = Index(named, argument="candidates")
    is_candidate = mask_of(named, log.members, argument="candidates")
    hours = Calendar.of("hour", tz=tz)
    rows = np.flatnonzero(of_kinds(log, kinds, unknown_kinds=unknown_kinds)[log.kind_codes])
    wall = hours.label(hours.index(log.at_us[rows])).astype("datetime64[h]").astype(np.int64) + _EPOCH_HOUR
    groups, group = _groups(log, rows)
    slot = group * _HOURS + wall % _HOURS
    who = log.member_codes[rows]
    theirs = is_candidate[who]
    demand = np.bincount(slot[~theirs], minlength=(len(groups) + 1) * _HOURS)
    candidate, there = _presence(
        listed.places_of(log.members)[who[theirs]].astype(np.int64), slot[theirs], wall[theirs] // _HOURS, weeks_needed
    )
    wanted = demand[there] > 0
    candidate, there = candidate[wanted], there[wanted]
    chosen, slots, gained, covered = _greedy(candidate, there, demand, len(listed), limit)
    could = np.zeros(len(demand), dtype=np.bool_)
    could[there] = True
    gaps = np.flatnonzero((demand > 0) & ~covered)
    gaps = gaps[np.argsort(-demand[gaps], kind="stable")]
    return AdminCover(
        candidates=listed,
        chosen=chosen,
        slots=slots,
        gained=gained,
        demand=int(demand.sum()),
        n_slots=int((demand > 0).sum()),
        gaps=CoverGaps(
            groups=groups,
            group=np.where(gaps // _HOURS < len(groups), gaps // _HOURS, -1),
            hour_of_week=gaps % _HOURS,
            demand=demand[gaps],
            reachable=could[gaps],
        ),
    )


def _groups(log: EventLog, rows: IntArray) -> tuple[Index, IntArray]:
    """Return the groups, and the code of each row's, one more than there are for none."""
    if log.group is None:
        return Index(), np.zeros(len(rows), dtype=np.int64)
    codes = log.group.codes[rows].astype(np.int64)
    return log.group.index, np.where(codes >= 0, codes, len(log.group.index))


def _presence(who: IntArray, slot: IntArray, week: IntArray, least: int) -> tuple[IntArray, IntArray]:
    """Return pairs (candidate, slot) that were active together in enough weeks, in order."""
    if not len(who):
        return who, slot
    n_slots, first = int(slot.max()) + 1, int(week.min())
    n_weeks = int(week.max()) - first + 1
    each = each_once((who * n_slots + slot) * n_weeks + (week - first)) // n_weeks
    pair, n = np.unique(each, return_counts=True)
    candidate, there = np.divmod(pair[n >= least], n_slots)
    return candidate, there


def _greedy(
    candidate: IntArray, slot: IntArray, demand: IntArray, n: int, most: int | None
) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
    """Choose again and again who adds most; return whom, their new slots and demand, and which slots are covered."""
    covered = np.zeros(len(demand), dtype=np.bool_)
    chosen: list[int] = []
    slots: list[int] = []
    gained: list[int] = []
    while most is None or len(chosen) < most:
        gains = np.zeros(n, dtype=np.int64)
        np.add.at(gains, candidate, demand[slot])
        best = int(gains.argmax()) if n else -1
        if best < 0 or not gains[best]:
            break
        new = slot[candidate == best]
        chosen.append(best)
        slots.append(len(new))
        gained.append(int(gains[best]))
        covered[new] = True
        left = ~covered[slot]
        candidate, slot = candidate[left], slot[left]
    whom, new_slots, new_demand = (np.array(column, dtype=np.int64) for column in (chosen, slots, gained))
    return whom, new_slots, new_demand, covered


class GapRow(NamedTuple):
    """One slot without anybody; the names are those of `CoverGaps`.

    Examples
    --------
    >>> GapRow("g1", 7, 23, 40, False).weekday
    7
    """

    group: Label | None
    weekday: int
    hour: int
    demand: int
    reachable: bool


def _mask(values: ArrayLike) -> BoolArray:
    return frozen(array_of("reachable", values, kinds="b", expected="booleans").copy())


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CoverGaps(Tabular[GapRow]):
    """In which groups and hours members are active and nobody who was chosen is; a part of `AdminCover`.

    Parameters
    ----------
    groups : Index
        All groups.
    group : ndarray of int64, shape (k,)
        Code of the group of each slot, -1 for rows without one.
    hour_of_week : ndarray of int64, shape (k,)
        From 0, Monday at 00:00, to 167.
    demand : ndarray of int64, shape (k,)
        Rows of others in it; the largest first.
    reachable : ndarray of bool, shape (k,)
        Whether a candidate who was not chosen is there.

    Examples
    --------
    >>> print(CoverGaps(groups=Index(["g1"]), group=[0], hour_of_week=[25], demand=[7], reachable=[True]))
    group  weekday  hour  demand  somebody could
    ────────────────────────────────────────────
    g1     Tue         1       7  yes
    """

    groups: Index
    group: IntArray
    hour_of_week: IntArray
    demand: IntArray
    reachable: BoolArray = attrs.field(converter=_mask)

    _Row: ClassVar[type[Any] | None] = GapRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one entry a slot."""
        instance("groups", self.groups, Index, expected="an Index")
        for name, least in (("group", -1), ("hour_of_week", 0), ("demand", 0)):
            given = counts_column(name, getattr(self, name), (-1,), of="each slot", least=least)
            object.__setattr__(self, name, given)
        for name in ("hour_of_week", "demand", "reachable"):
            if getattr(self, name).shape != self.group.shape:
                expected = f"one for each of the {self.group.size} slots"
                raise MisalignedError(message(name, expected, f"an array of shape {getattr(self, name).shape}"))
        for name, least, end in (("group", -1, len(self.groups)), ("hour_of_week", 0, _HOURS)):
            values = getattr(self, name)
            bad = (values < least) | (values >= end)
            if bad.any():
                refuse(name, f"numbers in [{least}, {end})", values, bad)

    def __len__(self) -> int:
        """Return the number of slots without anybody."""
        return len(self.group)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        return self._with(np.array(_WEEKDAYS[lang], dtype=object)[self.hour_of_week // 24])

    def _tidy(self) -> Sequence[Column]:
        return self._with(self.hour_of_week // 24 + 1)

    def _with(self, weekday: NDArray[Any]) -> list[Column]:
        labels = Coded(index=self.groups, codes=self.group).labels()
        return [
            Column(key="group", en="group", zh="群", values=labels),
            Column(key="weekday", en="weekday", zh="星期", values=weekday),
            Column(key="hour", en="hour", zh="时", values=self.hour_of_week % 24),
            Column(key="demand", en="demand", zh="需求", values=self.demand, format="count"),
            Column(key="reachable", en="somebody could", zh="有人可补", values=self.reachable),
        ]

    def __repr__(self) -> str:
        """Show how many slots have nobody."""
        return f"CoverGaps({counted(len(self), 'slot')}, {counted(int(self.demand.sum()), 'row')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


class CoverRow(NamedTuple):
    """One chosen; the names are those of `AdminCover`.

    Examples
    --------
    >>> CoverRow(1, "ann", 30, 200, 0.4).cover
    0.4
    """

    place: int
    member: Label
    slots: int
    gained: int
    cover: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdminCover(Tabular[CoverRow]):
    """Who should be on duty, and what stays uncovered; made by `admin_cover`.

    Parameters
    ----------
    candidates : Index
        Who could be chosen.
    chosen : ndarray of int64, shape (k,)
        Code of each of the chosen, in the order of their choice.
    slots, gained : ndarray of int64, shape (k,)
        Slots that each adds, and the demand in them.
    demand, n_slots : int
        All demand, and in how many slots there is some.
    gaps : CoverGaps
        The slots that stay uncovered.

    Examples
    --------
    >>> gaps = CoverGaps(groups=Index(), group=[-1], hour_of_week=[3], demand=[2], reachable=[False])
    >>> found = AdminCover(
    ...     candidates=Index(["ann", "bo"]), chosen=[1], slots=[2], gained=[6], demand=8, n_slots=3, gaps=gaps
    ... )
    >>> found, found.labels, found.share.value
    (AdminCover(1 of 2 candidates cover 75.0%), ('bo',), 0.75)
    """

    candidates: Index
    chosen: IntArray
    slots: IntArray
    gained: IntArray
    demand: int
    n_slots: int
    gaps: CoverGaps

    _Row: ClassVar[type[Any] | None] = CoverRow

    def __attrs_post_init__(self) -> None:
        """Check that what is covered and what is not make up the whole."""
        instance("candidates", self.candidates, Index, expected="an Index")
        instance("gaps", self.gaps, CoverGaps, expected="CoverGaps")
        for name in ("chosen", "slots", "gained"):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), (-1,), of="each of the chosen"))
        for name in ("slots", "gained"):
            if getattr(self, name).shape != self.chosen.shape:
                expected = f"one for each of the {self.chosen.size} chosen"
                raise MisalignedError(message(name, expected, f"an array of shape {getattr(self, name).shape}"))
        bad = (self.chosen < 0) | (self.chosen >= len(self.candidates))
        if bad.any():
            refuse("chosen", f"codes in [0, {len(self.candidates)})", self.chosen, bad)
        parts = {
            "demand": (whole("demand", self.demand), int(self.gained.sum()) + int(self.gaps.demand.sum())),
            "n_slots": (whole("n_slots", self.n_slots), int(self.slots.sum()) + len(self.gaps)),
        }
        for name, (total, summed) in parts.items():
            if total != summed:
                raise InvalidValueError(message(name, f"what is covered and what is not, {summed}", total))

    def __len__(self) -> int:
        """Return the number of the chosen."""
        return len(self.chosen)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The chosen, in the order of their choice."""
        return tuple(self.candidates[int(code)] for code in self.chosen)

    @property
    def cover(self) -> FloatArray:
        """Share of all demand that each covers together with those before, shape (k,)."""
        return frozen(np.cumsum(self.gained) / max(self.demand, 1))

    @property
    def share(self) -> Rate:
        """Demand that is covered, of all."""
        return Rate(int(self.gained.sum()), self.demand)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="place", en="#", zh="#", values=np.arange(1, len(self) + 1), format="count"),
            Column(key="member", en="member", zh="成员", values=self.candidates.labels[self.chosen]),
            Column(key="slots", en="slots", zh="新增时段", values=self.slots, format="count"),
            Column(key="gained", en="demand", zh="新增需求", values=self.gained, format="count"),
            Column(key="cover", en="cover", zh="累计覆盖", values=self.cover, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        covered, gaps = int(self.gained.sum()), len(self.gaps)
        if not self.demand:
            return ("无需求" if lang == "zh" else "no demand",)
        if lang == "zh":
            return (f"需求 {self.demand:,} 次中已覆盖 {covered:,} 次；{self.n_slots:,} 个时段中 {gaps:,} 个无人",)
        return (
            f"{covered:,} of {counted(self.demand, 'row')} of demand covered; "
            f"{gaps:,} of {counted(self.n_slots, 'slot')} without anybody",
        )

    def __repr__(self) -> str:
        """Show how many cover how much."""
        share = f"{self.share.value:.1%}" if self.demand else "–"
        return f"AdminCover({len(self):,} of {counted(len(self.candidates), 'candidate')} cover {share})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

"""Into how many groups does a community of n members go, how big are they, and when is the next one needed?"""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np
import pendulum

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities.size import OPTIMAL_SIZE, SizeBand, pairs
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.sharding.bounds import counts_of_groups, member_count, size_band, why_no_count, why_no_count_zh
from shequn.stats._checks import plain, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import IntArray
    from shequn.columns.table import Lang

__all__ = ["CapacityPlan", "CapacityRow", "plan_capacity"]

_LAST_DAY = dt.date.max.toordinal()
_MOST_MEMBERS = 2**31 - 1  # codes of an index are int32


def plan_capacity(
    n_members: int,
    *,
    cap: int = 500,
    ideal: SizeBand | Sequence[int] = OPTIMAL_SIZE,
    growth_per_day: float | Fraction = 0,
    reserve: int = 0,
    as_of: dt.date | None = None,
) -> CapacityPlan:
    """Plan into how many groups a community goes: the ideal band decides, the cap binds.

    Parameters
    ----------
    n_members : int
        Members now, 0 or more.
    cap : int, default 500
        The most members that the platform allows in a group (微信群: 500).
    ideal : SizeBand or pair of int, default `OPTIMAL_SIZE`
        Sizes at which a group works well.
    growth_per_day : int, float or Fraction, default 0
        Members gained a day, joins less leaves.
    reserve : int, default 0
        Seats kept free in each group for those still to come: below the cap in any case, below the top of the band as
        far as can be.
    as_of : date, optional
        The calendar day of `n_members`; without it the plan counts days and names no date.

    Returns
    -------
    CapacityPlan
        Number of groups, their sizes, the room that is left and when it is used up.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument is not a number that can be used, `reserve` leaves no seat in a group, or `as_of` is no date.

    Notes
    -----
    A group is judged as it is and as it will be once its reserve is taken: it fits as well as the worse of the two
    sizes, ``min(fit(size), fit(size + reserve))``, and no group has more than ``cap - reserve`` members. The plan has
    the k of the best mean fit per member. Sizes differ by one at most.

    With ``room = min(hi, cap) - reserve`` the fit is 1, and the plan in the band, where ``k lo <= n <= k room``. Of
    several such k it is the one whose groups come nearest to the middle of lo and room, of two equally near the
    smaller. Where there is none the plan says why (`reason`).

    The next group is needed on the first day on which the members no longer fit, ``n + growth d > k room``.

    References
    ----------
    S1 §三(五), rows N1 to N3 of the domain table.

    Examples
    --------
    >>> from datetime import date
    >>> plan = plan_capacity(1_000, growth_per_day=4, as_of=date(2025, 1, 1))
    >>> plan.n_groups, plan.headroom, plan.next_group_on
    (32, 152, Date(2025, 2, 9))
    >>> print(plan.table(lang="zh"))
    1,000 名成员分为 32 个群
    人数  群数  两两关系  规模适合度
    ────────────────────────────────
      32     8       496      100.0%
      31    24       465      100.0%
    余量 152 人；2025-02-09 起需要下一个群
    """
    members, band = member_count("n_members", n_members), size_band("ideal", ideal)
    most, free = _cap(cap), _reserve(reserve)
    return CapacityPlan(
        n_members=members,
        n_groups=_n_groups(members, most, band, free),
        cap=most,
        ideal=band,
        growth_per_day=growth_per_day,
        reserve=free,
        as_of=as_of,
    )


class CapacityRow(NamedTuple):
    """The groups of one size in a plan; the names are those of `CapacityPlan.to_columns`.

    Attributes
    ----------
    size : int
        Members of each.
    groups : int
        How many groups.
    pairs : int
        Pairs of people in each, see `shequn.entities.pairs`.
    size_fit : float
        How well the size fits the ideal band, in [0, 1].

    Examples
    --------
    >>> CapacityRow(size=31, groups=24, pairs=465, size_fit=1.0).groups
    24
    """

    size: int
    groups: int
    pairs: int
    size_fit: float


def _count(n_members: int) -> int:
    return member_count("n_members", n_members)


def _group_count(n_groups: int) -> int:
    return member_count("n_groups", n_groups)


def _cap(cap: int) -> int:
    most = whole("cap", cap)
    if not 1 <= most <= _MOST_MEMBERS:
        raise InvalidValueError(message("cap", "a number of members >= 1, less than 2**31", most))
    return most


def _ideal(ideal: SizeBand | Sequence[int]) -> SizeBand:
    return size_band("ideal", ideal)


def _reserve(reserve: int) -> int:
    free = whole("reserve", reserve)
    if free < 0:
        raise InvalidValueError(message("reserve", "a number of seats >= 0", free))
    return free


def _growth(growth_per_day: float | Fraction) -> Fraction:
    number = plain(growth_per_day)
    if isinstance(number, bool) or not isinstance(number, int | float | Fraction):
        raise InvalidTypeError(message("growth_per_day", "a number", growth_per_day))
    if isinstance(number, float) and not math.isfinite(number):
        raise InvalidValueError(message("growth_per_day", "a finite number", growth_per_day))
    return Fraction(number)


def _as_of(as_of: dt.date | None) -> pendulum.Date | None:
    if as_of is None:
        return None
    if isinstance(as_of, dt.datetime) or not isinstance(as_of, dt.date):
        raise InvalidTypeError(message("as_of", "a date without a time of day, or None", as_of))
    return pendulum.date(as_of.year, as_of.month, as_of.day)


@attrs.frozen(kw_only=True, repr=False)
class CapacityPlan(Tabular[CapacityRow]):
    """Into how many groups a community goes; made by `plan_capacity`, whose arguments it keeps.

    Attributes
    ----------
    n_members : int
        Members now.
    n_groups : int
        How many groups they go into.
    cap : int
        The most members that the platform allows in a group.
    ideal : SizeBand
        Sizes at which a group works well.
    growth_per_day : Fraction
        Members gained a day.
    reserve : int
        Seats kept free in each group.
    as_of : pendulum.Date or None
        The day of `n_members`.

    Examples
    --------
    >>> plan_capacity(40)
    CapacityPlan(40 members, 1 group, not in the band)
    >>> print(plan_capacity(40).reason)
    no number of groups k has 26 k <= 40 <= 36 k: 1 group holds at most 36, and 2 groups need at least 52
    """

    n_members: int = attrs.field(converter=_count)
    n_groups: int = attrs.field(converter=_group_count)
    cap: int = attrs.field(converter=_cap)
    ideal: SizeBand = attrs.field(converter=_ideal)
    growth_per_day: Fraction = attrs.field(converter=_growth)
    reserve: int = attrs.field(converter=_reserve)
    as_of: pendulum.Date | None = attrs.field(default=None, converter=_as_of)

    _Row: ClassVar[type[Any] | None] = CapacityRow

    def __attrs_post_init__(self) -> None:
        """Check that there are groups where there are members, and none without a member."""
        _room(self.cap, self.ideal, self.reserve)
        if not min(self.n_members, 1) <= self.n_groups <= self.n_members:
            expected = f"a number of groups that {counted(self.n_members, 'member')} can fill, each having one"
            raise InvalidValueError(message("n_groups", expected, self.n_groups))

    @property
    def sizes(self) -> IntArray:
        """Members of each group, the largest first, shape (n_groups,)."""
        return frozen(np.repeat(np.array([size for size, _ in self._kinds()], dtype=np.int64), self._repeats()))

    @property
    def room(self) -> int:
        """The most members a group is planned with: the top of the band or the cap, less the reserve."""
        return _room(self.cap, self.ideal, self.reserve)

    @property
    def in_band(self) -> bool:
        """Whether every group lies in the ideal band, under the cap, with its reserve free."""
        return not self.n_members or (self.n_groups * self.ideal.lo <= self.n_members <= self.n_groups * self.room)

    @property
    def reason(self) -> str | None:
        """Why no number of groups puts all of them in the band; None where the plan does."""
        return None if self.in_band else self._why("en")

    @property
    def headroom(self) -> int:
        """How many more members fit before a further group is needed; negative where too many are in already."""
        return self.n_groups * self.room - self.n_members

    @property
    def cap_headroom(self) -> int:
        """How many more members the cap of the platform allows in these groups."""
        return self.n_groups * self.cap - self.n_members

    @property
    def days_to_next_group(self) -> int | None:
        """Days until a further group is needed: 0 for now, None where the community does not grow that far."""
        if self.headroom < 0:
            return 0
        if self.growth_per_day <= 0:
            return None
        return math.floor(Fraction(self.headroom) / self.growth_per_day) + 1

    @property
    def next_group_on(self) -> pendulum.Date | None:
        """The day a further group is needed; None without `as_of` or growth, or after the year 9999."""
        days = self.days_to_next_group
        if self.as_of is None or days is None or self.as_of.toordinal() + days > _LAST_DAY:
            return None
        return self.as_of.add(days=days)

    def __len__(self) -> int:
        """Return the number of rows: the different sizes."""
        return len(self._kinds())

    def _kinds(self) -> list[tuple[int, int]]:
        """Return each size with the number of groups that have it, the largest first."""
        if not self.n_groups:
            return []
        size, larger = divmod(self.n_members, self.n_groups)
        return [kind for kind in ((size + 1, larger), (size, self.n_groups - larger)) if kind[1]]

    def _repeats(self) -> list[int]:
        return [groups for _, groups in self._kinds()]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        sizes = [size for size, _ in self._kinds()]
        fits = [float(self.ideal.size_fit(size)) for size in sizes]
        return [
            Column(key="size", en="size", zh="人数", values=sizes, format="count"),
            Column(key="groups", en="groups", zh="群数", values=self._repeats(), format="count"),
            Column(key="pairs", en="pairs", zh="两两关系", values=[pairs(size) for size in sizes], format="count"),
            Column(key="size_fit", en="size fit", zh="规模适合度", values=fits, format="rate"),
        ]

    def _title(self, lang: Lang, /) -> str:
        if lang == "zh":
            return f"{self.n_members:,} 名成员分为 {self.n_groups:,} 个群"
        return f"{counted(self.n_members, 'member')} in {counted(self.n_groups, 'group')}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        when = self.next_group_on
        notes = [] if self.in_band else [self._why(lang)]
        if self.headroom < 0:
            over = -self.headroom
            zh = f"超员 {over:,} 人，需要再开一个群"
            notes.append(zh if lang == "zh" else f"{over:,} more than fit: a further group is due")
        elif lang == "zh":
            notes.append(f"余量 {self.headroom:,} 人" + (f"；{when} 起需要下一个群" if when else ""))
        else:
            notes.append(f"room for {self.headroom:,} more" + (f"; the next group is needed on {when}" if when else ""))
        return notes

    def _why(self, lang: Lang, /) -> str:
        """Say why the plan is not in the band."""
        lo, hi, n = self.ideal.lo, self.room, self.n_members
        if hi < lo:
            if lang == "zh":
                return f"上限与预留后每群最多 {hi:,} 人，少于合适的 {lo:,} 人"
            seats = counted(hi, "seat")
            return f"the cap and the reserve leave at most {seats} in a group, and a good one has {lo:,} or more"
        if counts_of_groups(n, SizeBand(lo, hi)):
            if lang == "zh":
                return f"{self.n_groups:,} 个群不能使每群都在 {lo:,}–{hi:,} 人之间"
            groups, members = counted(self.n_groups, "group"), counted(n, "member")
            return f"{groups} cannot all have {lo:,} to {hi:,} of {members}; other numbers could"
        return (why_no_count_zh if lang == "zh" else why_no_count)(n, SizeBand(lo, hi))

    def __repr__(self) -> str:
        """Show members and groups, and whether these are in the band."""
        members, groups = counted(self.n_members, "member"), counted(self.n_groups, "group")
        return f"CapacityPlan({members}, {groups}, {'' if self.in_band else 'not '}in the band)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle by the constructor."""
        return by_fields(self)


def _room(cap: int, band: SizeBand, reserve: int) -> int:
    """Return the most members a group is planned with."""
    room = min(cap, band.hi) - reserve
    if room < 1:
        raise InvalidValueError(message("reserve", f"fewer seats than the {min(cap, band.hi)} of a group", reserve))
    return room


def _n_groups(n: int, cap: int, band: SizeBand, reserve: int) -> int:
    """Return the number of groups of a plan, see the Notes of `plan_capacity`."""
    room = _room(cap, band, reserve)
    if not n:
        return 0
    fitting = counts_of_groups(n, SizeBand(band.lo, room)) if room >= band.lo else range(0)
    if fitting:
        middle = Fraction(band.lo + room, 2)
        near = (fitting[0], fitting[-1], *(k for k in _around(n / middle) if k in fitting))
        return min(near, key=lambda k: (abs(Fraction(n, k) - middle), k))
    fewest = -(-n // (cap - reserve))
    # The fit rises up to its best sizes and falls from there on, so that the best k is next to one that has them.
    by_size = {k for size in _best_sizes(band, room, reserve) for k in (n // size, n // size + 1)}
    return max({min(max(k, fewest), n) for k in by_size}, key=lambda k: (_mean_fit(n, k, band, reserve), -k))


def _around(groups: Fraction) -> tuple[int, int]:
    return math.floor(groups), math.ceil(groups)


def _best_sizes(band: SizeBand, room: int, reserve: int) -> tuple[int, int]:
    """Return sizes next to which no group fits better, itself and with its reserve taken."""
    if room >= band.lo:
        return band.lo, room
    # Where s / lo = hi / (s + reserve); no size of 1 or more fits better than that.
    size = max((math.isqrt(reserve * reserve + 4 * band.lo * band.hi) - reserve) // 2, 1)
    return size, size + 1


def _mean_fit(n: int, k: int, band: SizeBand, reserve: int) -> Fraction:
    """Return how well k even groups fit, averaged over members."""
    size, larger = divmod(n, k)
    fits = sum(_fit(s, band, reserve) * s * groups for s, groups in ((size, k - larger), (size + 1, larger)))
    return Fraction(fits) / n


def _fit(size: int, band: SizeBand, reserve: int) -> Fraction:
    """Return the worse of the fits of a size now and with the reserve taken, see `SizeBand.size_fit`, exactly."""
    return min(Fraction(size, band.lo), Fraction(band.hi, size + reserve), Fraction(1)) if size else Fraction(0)

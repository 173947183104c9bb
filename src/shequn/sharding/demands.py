"""What must groups keep, whatever moves: sizes, leaders, seats, and who sits with whom?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs
import numpy as np

from shequn.errors import InfeasibleError, UndecidedError, counted, message
from shequn.sharding.asking import Asked
from shequn.sharding.feasibility import feasible
from shequn.sharding.fewest import why_seats_do_not_fit
from shequn.sharding.possible import Requirement
from shequn.sharding.seats import Seats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.entities.size import SizeBand
    from shequn.labels import Index, Label
    from shequn.sharding.possible import Feasibility

__all__ = ["Demands"]


@attrs.frozen(kw_only=True)
class Demands:
    """What groups of n members must keep, by code.

    Attributes
    ----------
    band : SizeBand
        The fewest and the most members of a group.
    leaders : ndarray of bool, shape (n,), or None
        Who can lead.
    min_leaders : int
        Leaders that each group must have.
    fixed : ndarray of bool, shape (n,), or None
        Who keeps their seat.
    together, apart : list of list of int
        Who must share a group, and of which sets every two must not.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> Demands(band=SizeBand(2, 3), together=[[0, 2]]).hold(np.array([0, 0, 1]))
    False
    """

    band: SizeBand
    leaders: BoolArray | None = None
    min_leaders: int = 0
    fixed: BoolArray | None = None
    together: Sequence[list[int]] = ()
    apart: Sequence[list[int]] = ()

    @property
    def n_leaders(self) -> int:
        """How many can lead."""
        return 0 if self.leaders is None else int(self.leaders.sum())

    @property
    def room(self) -> SizeBand:
        """The bounds under which a group has room for its leaders."""
        return attrs.evolve(self.band, lo=min(max(self.band.lo, self.min_leaders), self.band.hi))

    def require_leaders(self, n_groups: int) -> None:
        """Raise where there are too few leaders for so many groups."""
        needed = self.min_leaders * n_groups
        if self.n_leaders < needed:
            expected = f"at least {needed:,}, {self.min_leaders:,} for each of {counted(n_groups, 'group')}"
            raise InfeasibleError(
                message("leaders", expected, self.n_leaders),
                zh=f"负责人：{n_groups:,} 个群、每群 {self.min_leaders:,} 名，至少需要 {needed:,} 名，"
                f"而只有 {self.n_leaders:,} 名",
            )

    def hold(self, codes: IntArray) -> bool:
        """Return whether every set sits as it must."""
        return all(len(set(codes[members].tolist())) == 1 for members in self.together) and all(
            len(set(codes[members].tolist())) == len(members) for members in self.apart
        )

    def seats(self, codes: IntArray) -> Seats:
        """Return the blocks of members who sit together; whoever is fixed has the seat that `codes` say."""
        who = np.zeros(0, dtype=np.int64) if self.fixed is None else np.flatnonzero(self.fixed)
        fixed: dict[int, Label] = dict(zip(who.tolist(), codes[who].tolist(), strict=True))
        asked = Asked(fixed, list(self.together), list(self.apart))
        return Seats(asked, 0 if self.leaders is None or not self.min_leaders else self.leaders)

    def numbers(self, codes: IntArray, stays: BoolArray | None, n_groups: int) -> range:
        """Return into how many groups members can be dealt, whoever stays being where `codes` say."""
        n, needed, least = len(codes), self.min_leaders, self.room.lo
        kept = self._kept(codes, stays, n_groups)
        seated = len(kept.demand)
        if (kept.demand > self.band.hi).any() or (n and needed > self.band.hi):
            return range(0)
        most = seated + (n - int(np.maximum(kept.demand, least).sum())) // least
        if needed:
            most = min(most, seated + (kept.free_leaders - kept.missing) // needed)
        return range(max(-(-n // self.band.hi), seated), most + 1)

    def _kept(self, codes: IntArray, stays: BoolArray | None, n_groups: int) -> _Kept:
        keep = np.zeros(len(codes), dtype=np.bool_) if stays is None else stays
        held = np.bincount(codes[keep], minlength=n_groups)
        leads = np.zeros(len(codes), dtype=np.bool_) if self.leaders is None else self.leaders
        in_place = np.bincount(codes[keep & leads], minlength=n_groups)
        missing = np.maximum(self.min_leaders - in_place, 0)[held > 0]
        return _Kept(held[held > 0] + missing, int(missing.sum()), self.n_leaders - int((keep & leads).sum()))

    def possible(self, codes: IntArray, groups: Index | None = None) -> Feasibility:
        """Return into how many groups members can be dealt, every set taken into account."""
        who = np.zeros(0, dtype=np.int64) if self.fixed is None else np.flatnonzero(self.fixed)
        names: list[Label] = codes[who].tolist() if groups is None else [groups[code] for code in codes[who].tolist()]
        can_lead = np.zeros(len(codes), dtype=np.bool_) if self.leaders is None else self.leaders
        return feasible(
            len(codes),
            self.band,
            leaders=can_lead if self.min_leaders else None,
            min_leaders=self.min_leaders,
            together=self.together,
            fixed=dict(zip(who.tolist(), names, strict=True)),
            apart=self.apart,
        )

    def refusal(
        self, codes: IntArray, *, members: Index | None = None, groups: Index | None = None
    ) -> InfeasibleError | UndecidedError:
        """Return the error that says why members can't be dealt so, or that none of the ways that were tried led there.

        Members and groups are called by their labels, where these are given.
        """
        found = self.possible(codes, groups)
        what, why, why_zh = found.conditions[-1].what, found.reason, found.reason_zh
        if found.verdict != "infeasible":
            why, why_zh = why or "no deal was found", why_zh or "未找到分法"
            return UndecidedError(f"{what.en}: {why}", zh=f"{what.zh}：{why_zh}")
        met = self.seats(codes).met
        if met is not None and members is not None:  # `feasible` calls members by code
            one, other = met
            who, who_zh = f"members {members[one]!r} and {members[other]!r}", f"{members[one]!r} 与 {members[other]!r}"
            why = str(why).replace(f"members {one} and {other}", who)
            why_zh = str(why_zh).replace(f"{one} 与 {other}", who_zh)
        if what is Requirement.ALL and not self.together and not self.apart:
            what = Requirement.FIXED
            why, why_zh = self._why_seats_do_not_fit(codes)
        return InfeasibleError(f"{what.en}: {why}", zh=f"{what.zh}：{why_zh}")

    def _why_seats_do_not_fit(self, codes: IntArray) -> tuple[str, str]:
        """Say what is too few beside the seats that are kept, where sizes and leaders alone would do."""
        n = len(codes)
        kept = self._kept(codes, self.fixed, int(codes.max(initial=-1)) + 1)
        others = max(-(-n // self.band.hi) - len(kept.demand), 0)
        lacking = kept.missing + others * self.min_leaders
        if lacking > kept.free_leaders:
            free = "leader who may move is" if kept.free_leaders == 1 else "leaders who may move are"
            return (
                f"beside the seats that are kept, groups lack {counted(lacking, 'leader')}, and {kept.free_leaders:,} "
                f"{free} left",
                f"除固定席位外还缺 {lacking:,} 名负责人，可调动的负责人只有 {kept.free_leaders:,} 名",
            )
        return why_seats_do_not_fit(kept.demand, n, self.room)


class _Kept(NamedTuple):
    """What is asked beside the members who stay: of each of their groups, and of all leaders."""

    demand: IntArray  # seats of a group, those kept for leaders still missing among them
    missing: int  # leaders of these groups
    free_leaders: int

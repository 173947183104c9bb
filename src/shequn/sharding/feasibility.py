"""Can the members be dealt into groups as asked, into how many, and if not, why?

The conditions are looked at one after the other, and the first that leaves no number of groups is the reason. All but
the last are arithmetic; the last, whether sets of members that must stay together fit into groups, is bin packing,
which nobody can decide for every large case. There an answer may be that it is not decided; it is never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from shequn.entities.size import OPTIMAL_SIZE, SizeBand
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.sharding.asking import Asked
from shequn.sharding.bounds import counts_of_groups, member_count, size_band, why_no_count, why_no_count_zh
from shequn.sharding.packing_search import decide
from shequn.sharding.possible import Condition, Feasibility, Requirement, Verdict, verdict_of
from shequn.sharding.seats import Seats
from shequn.stats._checks import array_of, is_integer, items_of, plain_array, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray
    from shequn.labels import Label

__all__ = ["Condition", "Feasibility", "Requirement", "Verdict", "feasible"]


def feasible(
    n_members: int,
    sizes: SizeBand | Sequence[int] = OPTIMAL_SIZE,
    *,
    leaders: int | ArrayLike | None = None,
    min_leaders: int = 0,
    together: Iterable[Iterable[int]] = (),
    fixed: Mapping[int, Label] | ArrayLike | None = None,
    apart: Iterable[Iterable[int]] = (),
) -> Feasibility:
    """Answer whether members can be dealt into groups as asked.

    Parameters
    ----------
    n_members : int
        How many members; they are called 0 to n - 1.
    sizes : SizeBand or pair of int, default `OPTIMAL_SIZE`
        The fewest and the most members of a group.
    leaders : int, or array_like of bool, shape (n_members,), optional
        How many members can lead, or which; which, where `together`, `fixed` or `apart` is asked as well.
    min_leaders : int, default 0
        Leaders that each group must have.
    together : iterable of sets of members
        Each set must be in one group.
    fixed : mapping of member to group, or array_like of int, shape (n_members,), optional
        Seats that are given: in the array, the group of each member, -1 for any.
    apart : iterable of sets of members
        Of each set, every two must be in different groups.

    Returns
    -------
    Feasibility
        Which numbers of groups work; where none does, the reason.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used, or names a member that is not there.

    Notes
    -----
    Without sets to pack every answer is exact, at any size: with f members and l leaders seated in a group before, its
    demand is ``d = max(lo, f + max(0, min_leaders - l))``, and k groups work exactly when ``d <= hi`` in each, the sum
    of d is at most n, n is at most ``k hi``, and the free leaders cover the missing ones. With sets, a greedy deal
    proves that it can be done; where that fails and there are at most 60 sets, a search goes through every deal, up to
    a number of steps.

    Examples
    --------
    >>> print(feasible(80, together=[range(20), range(20, 40), range(40, 60)]))
    80 members, 26 to 36 a group: feasible
    asked        verdict   fewest groups  most groups
    ─────────────────────────────────────────────────
    sizes        feasible              3            3
    together     feasible              3            3
    all at once  feasible              3            3
    >>> feasible(60, together=[range(20), range(20, 40), range(40, 60)]).verdict
    'infeasible'
    """
    n, band = member_count("n_members", n_members), size_band("sizes", sizes)
    needed = member_count("min_leaders", min_leaders)
    asked = Asked(
        together=_sets("together", together, n),
        fixed=_seats(fixed, n),
        apart=_sets("apart", apart, n),
    )
    can_lead = _leaders(leaders, n, needed, asked)
    looked = _Conditions(n, band)
    looked.add(Requirement.SIZES, looked.left, *_sizes_in_words(n, band))
    if needed:
        looked.limit_leaders(int(can_lead.sum()) if isinstance(can_lead, np.ndarray) else can_lead, needed)
    seats = Seats(asked, can_lead)
    looked.limit_sets(asked, seats)
    return looked.answer(seats, needed)


def _sets(argument: str, sets: Iterable[Iterable[int]], n: int) -> list[list[int]]:
    found: list[list[int]] = []
    for row, members in enumerate(items_of(argument, sets, expected="sets of members")):
        try:
            if isinstance(members, str | bytes):
                raise TypeError
            codes = iter(members)
        except TypeError:
            raise InvalidTypeError(message(argument, "sets of members", members, row=row)) from None
        # One by one: whoever is no member ends a set that would never end.
        found.append(sorted({_member(argument, code, n, row) for code in codes}))
    return found


def _member(argument: str, code: object, n: int, row: int) -> int:
    if not is_integer(code):
        raise InvalidTypeError(message(argument, f"members as integers in [0, {n})", code, row=row))
    if not 0 <= code < n:
        raise InvalidValueError(message(argument, f"members in [0, {n})", code, row=row))
    return int(code)


def _seats(fixed: Mapping[int, Label] | ArrayLike | None, n: int) -> dict[int, Label]:
    if fixed is None:
        return {}
    if isinstance(fixed, Mapping):
        return {
            _member("fixed", code, n, row): _group(group, row)
            for row, (code, group) in enumerate(cast("Mapping[object, object]", fixed).items())
        }
    groups = array_of("fixed", fixed, kinds="iu", expected="groups as integers, -1 for any")
    if groups.shape != (n,):
        raise MisalignedError(message("fixed", f"one group for each of {counted(n, 'member')}", groups.shape))
    return {code: int(groups[code]) for code in np.flatnonzero(groups >= 0).tolist()}


def _group(group: object, row: int) -> Label:
    if isinstance(group, str):
        return group
    if not is_integer(group):
        raise InvalidTypeError(message("fixed", "groups as str or int", group, row=row))
    return int(group)


def _leaders(leaders: int | ArrayLike | None, n: int, needed: int, asked: Asked) -> int | BoolArray:
    """Return how many members can lead, or which."""
    if leaders is None:
        if needed:
            raise InvalidTypeError(message("leaders", "who can lead, as each group needs leaders", leaders))
        return 0
    if is_integer(leaders):
        many = whole("leaders", leaders)
        if not 0 <= many <= n:
            raise InvalidValueError(message("leaders", f"a number of members in [0, {n}]", many))
        if needed and asked:
            raise InvalidTypeError(message("leaders", "a mask of those who can lead, as some members are named", many))
        return many
    mask = plain_array("leaders", leaders, expected="a mask of members")
    if mask.dtype.kind != "b":
        raise InvalidTypeError(message("leaders", "a number, or an array of booleans", f"{mask.dtype} values"))
    if mask.shape != (n,):
        raise MisalignedError(message("leaders", f"one entry for each of {counted(n, 'member')}", mask.shape))
    return mask


def _sizes_in_words(n: int, band: SizeBand) -> tuple[str, str]:
    if not counts_of_groups(n, band):
        return why_no_count(n, band), why_no_count_zh(n, band)
    return f"{band.lo:,} k <= {n:,} <= {band.hi:,} k", f"{band.lo:,} k ≤ {n:,} ≤ {band.hi:,} k"


class _Conditions:
    """The conditions looked at so far, and the numbers of groups they leave."""

    def __init__(self, n: int, band: SizeBand) -> None:
        self.n = n
        self.band = band
        self.left = counts_of_groups(n, band)
        self.found: list[Condition] = []

    @property
    def is_over(self) -> bool:
        return bool(self.found) and not self.left

    def add(self, what: Requirement, left: range, why: str, why_zh: str) -> None:
        """Note a condition and the numbers of groups it leaves, unless one before left none."""
        if self.is_over:
            return
        self.left = left
        few, many = (left[0], left[-1]) if left else (-1, -1)
        self.found.append(Condition(what, "feasible" if left else "infeasible", few, many, why, why_zh))

    def limit_leaders(self, leaders: int, needed: int) -> None:
        """Keep the numbers of groups for which there are leaders enough."""
        if self.is_over:
            return
        if needed > self.band.hi and self.n:
            text = f"{needed:,} leaders do not fit into a group of at most {self.band.hi:,}"
            self.add(Requirement.LEADERS, range(0), text, f"每群最多 {self.band.hi:,} 人，容不下 {needed:,} 名负责人")
            return
        most = leaders // needed
        left = range(self.left.start, min(self.left.stop, most + 1))
        text = f"{counted(leaders, 'leader')} {'seats' if leaders == 1 else 'seat'} {needed:,} each "
        text += f"in at most {counted(most, 'group')}"
        text_zh = f"{leaders:,} 名负责人、每群 {needed:,} 名，最多 {most:,} 个群"
        if not left:
            text += f", and {self._members('needs', 'need')} at least {counted(self.left.start, 'group')}"
            text_zh += f"；而 {self.n:,} 名成员至少需要 {self.left.start:,} 个群"
        self.add(Requirement.LEADERS, left, text, text_zh)

    def limit_sets(self, asked: Asked, seats: Seats) -> None:
        """Look at each kind of set by itself: too large, in two places at once, or more of them than groups."""
        biggest = max((block.size for block in seats.blocks), default=0)
        seated = max((block.size for block in seats.blocks if block.is_seated), default=0)
        hi = self.band.hi
        if asked.together:
            is_over = biggest > hi and biggest > seated
            text = f"the largest set that must be together has {counted(biggest, 'member')}" + (
                f", and a group at most {hi:,}" if is_over else ""
            )
            text_zh = f"必须同群的最大一组有 {biggest:,} 人" + (f"，而每群最多 {hi:,} 人" if is_over else "")
            self.add(Requirement.TOGETHER, range(0) if is_over else self.left, text, text_zh)
        if asked.fixed:
            self.add(Requirement.FIXED, *self._after_seats(seats, seated))
        if asked.apart:
            if seats.met is not None:
                one, other = seats.met
                text = f"members {one} and {other} must be apart, and are in one group by `together` or `fixed`"
                text_zh = f"成员 {one} 与 {other} 必须不同群，却又必须同群"
                self.add(Requirement.APART, range(0), text, text_zh)
            elif seats.widest == 1:
                self.add(
                    Requirement.APART, self.left, "nobody has to be apart from anybody else", "没有必须不同群的成员"
                )
            else:
                text = f"{seats.widest:,} members who must all be apart need as many groups"
                text_zh = f"{seats.widest:,} 名两两不同群的成员至少需要同样多的群"
                if self.left and self.left[-1] < seats.widest:
                    text += f", and {self._members('fills', 'fill')} at most {self.left[-1]:,}"
                    text_zh += f"，而 {self.n:,} 名成员最多组成 {self.left[-1]:,} 个群"
                self.add(Requirement.APART, self._from(seats.widest), text, text_zh)

    def _after_seats(self, seats: Seats, largest: int) -> tuple[range, str, str]:
        if seats.clash is not None:
            one, other = seats.clash
            text = f"members who must be together have seats in group {one!r} and in group {other!r}"
            return range(0), text, f"必须同群的成员分别固定在群 {one!r} 与群 {other!r}"
        if largest > self.band.hi:
            text = f"{largest:,} members have seats in one group, or must join them, and a group has at most "
            return range(0), f"{text}{self.band.hi:,}", f"一个群固定了 {largest:,} 人，而每群最多 {self.band.hi:,} 人"
        groups = len(seats.group_of)
        text = f"{counted(groups, 'group')} {'has' if groups == 1 else 'have'} seats given"
        text_zh = f"{groups:,} 个群有固定席位"
        if self.left and self.left[-1] < groups:
            text += f", and {self._members('fills', 'fill')} at most {self.left[-1]:,}"
            text_zh += f"，而 {self.n:,} 名成员最多组成 {self.left[-1]:,} 个群"
        return self._from(groups), text, text_zh

    def _members(self, one_does: str, they_do: str) -> str:
        return f"{counted(self.n, 'member')} {one_does if self.n == 1 else they_do}"

    def _from(self, fewest: int) -> range:
        return range(max(self.left.start, fewest), self.left.stop)

    def answer(self, seats: Seats, needed: int) -> Feasibility:
        """Look at all conditions at once, and sum up."""
        yes, undecided = [self.left] if self.left else [], list[range]()
        if self.left and seats.blocks:
            yes, undecided = decide(seats.problem(self.n, self.band, needed), self.left)
            self._sum_up(yes, undecided)
        return Feasibility(
            n_members=self.n,
            sizes=self.band,
            runs=np.array([(run[0], run[-1]) for run in yes], dtype=np.int64),
            undecided_runs=np.array([(run[0], run[-1]) for run in undecided], dtype=np.int64),
            conditions=tuple(self.found),
        )

    def _sum_up(self, yes: list[range], undecided: list[range]) -> None:
        verdict = verdict_of(len(yes), len(undecided))
        open_counts = yes or undecided
        few, many = (open_counts[0][0], open_counts[-1][-1]) if open_counts else (-1, -1)
        why, why_zh = _ALL_IN_WORDS[verdict]
        self.found.append(Condition(Requirement.ALL, verdict, few, many, why, why_zh))


_ALL_IN_WORDS: dict[Verdict, tuple[str, str]] = {
    "feasible": ("a deal that meets every condition exists", "存在满足全部条件的分法"),
    "infeasible": (
        "each condition can be met, and no deal meets all of them at once: every deal was ruled out",
        "各条件可单独满足，但任何分法都不能同时满足：已逐一排除",
    ),
    "not decided": (
        "no deal that meets every condition was found, and not every deal could be ruled out",
        "未找到满足全部条件的分法，也未能排除所有分法",
    ),
}

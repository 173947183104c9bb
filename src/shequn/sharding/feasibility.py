"""Can the members be dealt into groups as asked, into how many, and if not, why?

The conditions are looked at one after the other, and the first that leaves no number of groups is the reason. All but
the last are arithmetic; the last, whether sets of members that must stay together fit into groups, is bin packing,
which nobody can decide for every large case. There an answer may be that it is not decided; it is never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field
from shequn.columns.table import Column, Tabular
from shequn.entities.size import OPTIMAL_SIZE, SizeBand
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.sharding.asking import Asked
from shequn.sharding.bounds import counts_of_groups, member_count, size_band, why_no_count
from shequn.sharding.packing_search import decide
from shequn.sharding.seats import Seats
from shequn.stats._checks import array_of, is_integer, items_of, plain_array, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["Condition", "Feasibility", "Requirement", "Verdict", "feasible"]

Verdict: TypeAlias = Literal["feasible", "infeasible", "not decided"]


class Requirement(Taxonomy):
    """What was asked of the groups.

    Examples
    --------
    >>> Requirement.LEADERS.zh
    '负责人'
    """

    SIZES = "sizes", "规模", "sizes"
    LEADERS = "leaders", "负责人", "leaders"
    TOGETHER = "together", "同群", "together"
    FIXED = "fixed", "固定席位", "fixed seats"
    APART = "apart", "不同群", "apart"
    ALL = "all", "全部条件", "all at once"


class Condition(NamedTuple):
    """One requirement, and which numbers of groups it and those before it leave.

    Attributes
    ----------
    what : Requirement
        What is asked.
    verdict : {"feasible", "infeasible", "not decided"}
        Whether any number of groups is left.
    fewest, most : int
        The smallest and the largest number of groups left; -1 where there is none.
    why : str
        In words.
    why_zh : str
        The same in Chinese.

    Examples
    --------
    >>> feasible(100).rows().__next__().fewest
    3
    """

    what: Requirement
    verdict: Verdict
    fewest: int
    most: int
    why: str
    why_zh: str


def _conditions(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(conditions)


@attrs.frozen(kw_only=True, repr=False)
class Feasibility(Tabular[Condition]):
    """Whether members can be dealt into groups as asked; made by `feasible`.

    Attributes
    ----------
    n_members : int
        How many members.
    sizes : SizeBand
        The fewest and the most members of a group.
    n_groups : ndarray of int64
        The numbers of groups into which it can be done, ascending.
    undecided : ndarray of int64
        The numbers of groups for which the search was given up.
    conditions : tuple of Condition
        What was looked at, up to the first that leaves nothing.

    Examples
    --------
    >>> feasible(100)
    Feasibility(feasible, 100 members in 3 groups)
    >>> feasible(1_000, leaders=50, min_leaders=2)
    Feasibility(infeasible: leaders)
    >>> print(feasible(1_000, leaders=50, min_leaders=2).reason)
    50 leaders seat 2 each in at most 25 groups, and 1,000 members need at least 28 groups
    """

    n_members: int
    sizes: SizeBand
    n_groups: IntArray = counts_field()
    undecided: IntArray = counts_field()
    conditions: tuple[Condition, ...] = attrs.field(converter=_conditions)

    _Row: ClassVar[type[Any] | None] = Condition

    @property
    def verdict(self) -> Verdict:
        """The answer: "feasible", "infeasible" or "not decided"."""
        return _verdict(self.n_groups, self.undecided)

    @property
    def reason(self) -> str | None:
        """Why it can't be done, or why that is not decided; None where it can."""
        return None if self.verdict == "feasible" else self.conditions[-1].why

    def __len__(self) -> int:
        """Return the number of conditions looked at."""
        return len(self.conditions)

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="what", en="asked", zh="要求", values=[c.what for c in self.conditions]),
            Column(key="verdict", en="verdict", zh="结论", values=[c.verdict for c in self.conditions]),
            *self._counts(),
            Column(key="why", en="why", zh="说明（英文）", values=[c.why for c in self.conditions]),
            Column(key="why_zh", en="why (zh)", zh="说明", values=[c.why_zh for c in self.conditions]),
        ]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        words = [_VERDICTS_ZH[c.verdict] if lang == "zh" else c.verdict for c in self.conditions]
        return [
            Column(key="what", en="asked", zh="要求", values=[c.what for c in self.conditions]),
            Column(key="verdict", en="verdict", zh="结论", values=words),
            *self._counts(),
        ]

    def _counts(self) -> list[Column]:
        return [
            Column(key=key, en=en, zh=zh, values=[getattr(c, key) for c in self.conditions], format="count", null=-1)
            for key, en, zh in (("fewest", "fewest groups", "最少群数"), ("most", "most groups", "最多群数"))
        ]

    def _title(self, lang: Lang, /) -> str:
        lo, hi = self.sizes.lo, self.sizes.hi
        if lang == "zh":
            return f"{self.n_members:,} 名成员，每群 {lo:,}–{hi:,} 人：{_VERDICTS_ZH[self.verdict]}"
        return f"{self.n_members:,} members, {lo:,} to {hi:,} a group: {self.verdict}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        last = self.conditions[-1]
        return [] if self.verdict == "feasible" else [last.why_zh if lang == "zh" else last.why]

    def __repr__(self) -> str:
        """Show the verdict and what it turns on."""
        if self.verdict != "feasible":
            return f"Feasibility({self.verdict}: {self.conditions[-1].what.en})"
        few, many = int(self.n_groups[0]), int(self.n_groups[-1])
        groups = f"{few:,} to {many:,}" if many > few else f"{few:,}"
        return f"Feasibility(feasible, {self.n_members:,} members in {groups} group{'s' * (many != 1)})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_VERDICTS_ZH: dict[Verdict, str] = {"feasible": "可行", "infeasible": "不可行", "not decided": "未能判定"}


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
        codes = [_member(argument, code, n, row) for code in items_of(argument, members, expected="sets of members")]
        found.append(sorted(set(codes)))
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
        return {_member("fixed", code, n, row): group for row, (code, group) in enumerate(fixed.items())}
    groups = array_of("fixed", fixed, kinds="iu", expected="groups as integers, -1 for any")
    if groups.shape != (n,):
        raise MisalignedError(message("fixed", f"one group for each of the {n} members", groups.shape))
    return {code: int(groups[code]) for code in np.flatnonzero(groups >= 0).tolist()}


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
        raise MisalignedError(message("leaders", f"one entry for each of the {n} members", mask.shape))
    return mask


def _sizes_in_words(n: int, band: SizeBand) -> tuple[str, str]:
    if not counts_of_groups(n, band):
        return why_no_count(n, band), f"没有群数 k 能满足 {band.lo} k ≤ {n} ≤ {band.hi} k"
    return f"{band.lo} k <= {n} <= {band.hi} k", f"{band.lo} k ≤ {n} ≤ {band.hi} k"


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
            self.add(Requirement.LEADERS, range(0), text, f"每群最多 {self.band.hi} 人，容不下 {needed} 名负责人")
            return
        most = leaders // needed
        left = range(self.left.start, min(self.left.stop, most + 1))
        text = f"{leaders:,} leaders seat {needed:,} each in at most {most:,} groups"
        text_zh = f"{leaders:,} 名负责人、每群 {needed:,} 名，最多 {most:,} 个群"
        if not left:
            text += f", and {self.n:,} members need at least {self.left.start:,} groups"
            text_zh += f"；而 {self.n:,} 名成员至少需要 {self.left.start:,} 个群"
        self.add(Requirement.LEADERS, left, text, text_zh)

    def limit_sets(self, asked: Asked, seats: Seats) -> None:
        """Look at each kind of set by itself: too large, in two places at once, or more of them than groups."""
        biggest = max((block.size for block in seats.blocks), default=0)
        seated = max((block.size for block in seats.blocks if block.is_seated), default=0)
        hi = self.band.hi
        if asked.together:
            is_over = biggest > hi and biggest > seated
            text = f"the largest set that must be together has {biggest:,} members" + (
                f", and a group at most {hi:,}" if is_over else ""
            )
            text_zh = f"必须同群的最大集合有 {biggest:,} 人" + (f"，而每群最多 {hi:,} 人" if is_over else "")
            self.add(Requirement.TOGETHER, range(0) if is_over else self.left, text, text_zh)
        if asked.fixed:
            self.add(Requirement.FIXED, *self._after_seats(seats, seated))
        if asked.apart:
            if seats.met is not None:
                one, other = seats.met
                text = f"members {one} and {other} must be apart, and are in one group by `together` or `fixed`"
                text_zh = f"成员 {one} 与 {other} 必须不同群，却又必须同群"
                self.add(Requirement.APART, range(0), text, text_zh)
            else:
                text = f"{seats.widest:,} members who must all be apart need as many groups"
                text_zh = f"{seats.widest:,} 名两两不同群的成员至少需要同样多的群"
                if self.left and self.left[-1] < seats.widest:
                    text += f", and {self.n:,} members fill at most {self.left[-1]:,}"
                    text_zh += f"，而 {self.n:,} 名成员最多 {self.left[-1]:,} 个群"
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
        text, text_zh = f"{groups:,} groups have seats given", f"{groups:,} 个群有固定席位"
        if self.left and self.left[-1] < groups:
            text += f", and {self.n:,} members fill at most {self.left[-1]:,}"
            text_zh += f"，而 {self.n:,} 名成员最多 {self.left[-1]:,} 个群"
        return self._from(groups), text, text_zh

    def _from(self, fewest: int) -> range:
        return range(max(self.left.start, fewest), self.left.stop)

    def answer(self, seats: Seats, needed: int) -> Feasibility:
        """Look at all conditions at once, and sum up."""
        yes = np.arange(self.left.start, self.left.stop, dtype=np.int64)
        undecided = np.zeros(0, dtype=np.int64)
        if self.left and seats.blocks:
            yes, undecided = decide(seats.problem(self.n, self.band, needed), self.left)
            self._sum_up(yes, undecided)
        return Feasibility(
            n_members=self.n, sizes=self.band, n_groups=yes, undecided=undecided, conditions=tuple(self.found)
        )

    def _sum_up(self, yes: IntArray, undecided: IntArray) -> None:
        verdict = _verdict(yes, undecided)
        open_counts = yes if len(yes) else undecided
        few, many = (int(open_counts[0]), int(open_counts[-1])) if len(open_counts) else (-1, -1)
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


def _verdict(yes: IntArray, undecided: IntArray) -> Verdict:
    return "feasible" if len(yes) else "not decided" if len(undecided) else "infeasible"

"""Which numbers of groups are possible, and what is in the way of the others?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.sharding.bounds import member_count, size_band
from shequn.stats._checks import counts_column, items_of, plain_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import IntArray
    from shequn.columns.table import Lang
    from shequn.entities.size import SizeBand

__all__ = ["Condition", "Feasibility", "Requirement", "Verdict", "verdict_of"]

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
    >>> Condition(Requirement.SIZES, "feasible", 3, 3, "26 k <= 100 <= 36 k", "26 k ≤ 100 ≤ 36 k").fewest
    3
    """

    what: Requirement
    verdict: Verdict
    fewest: int
    most: int
    why: str
    why_zh: str


def _n_members(n_members: int) -> int:
    return member_count("n_members", n_members)


def _sizes(sizes: SizeBand | Sequence[int]) -> SizeBand:
    return size_band("sizes", sizes)


def _conditions(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    found = items_of("conditions", conditions, expected="at least one Condition")
    for row, condition in enumerate(found):
        if not isinstance(condition, Condition):
            raise InvalidTypeError(message("conditions", "conditions", condition, row=row))
    if not found:
        raise InvalidValueError(message("conditions", "at least one Condition", found))
    return tuple(found)


def _feasible_runs(runs: ArrayLike) -> IntArray:
    return _runs("runs", runs)


def _undecided_runs(runs: ArrayLike) -> IntArray:
    return _runs("undecided_runs", runs)


def _runs(argument: str, runs: ArrayLike) -> IntArray:
    given = plain_array(argument, runs, expected="the first and the last of each run of numbers of groups")
    pairs = counts_column(argument, given if given.size else np.zeros((0, 2), dtype=np.int64), (-1, 2), of="each run")
    flat = pairs.ravel()
    falls = flat[1:] < flat[:-1]
    falls[1::2] |= flat[2::2] == flat[1:-1:2]
    if falls.any():
        raise InvalidValueError(message(argument, "ascending runs, the first of each up to its last", pairs.tolist()))
    return pairs


@attrs.frozen(kw_only=True, repr=False)
class Feasibility(Tabular[Condition]):
    """Whether members can be dealt into groups as asked; made by `feasible`.

    Attributes
    ----------
    n_members : int
        How many members.
    sizes : SizeBand
        The fewest and the most members of a group.
    runs : ndarray of int64, shape (m, 2)
        The numbers of groups into which it can be done: the first and the last of each run of them, ascending.
    undecided_runs : ndarray of int64, shape (p, 2)
        The numbers of groups for which the search was given up, alike.
    conditions : tuple of Condition
        What was looked at, up to the first that leaves nothing.

    Examples
    --------
    >>> from shequn.sharding.feasibility import feasible
    >>> feasible(100)
    Feasibility(feasible, 100 members in 3 groups)
    >>> feasible(1_000, leaders=50, min_leaders=2)
    Feasibility(infeasible: leaders)
    >>> print(feasible(1_000, leaders=50, min_leaders=2).reason)
    50 leaders seat 2 each in at most 25 groups, and 1,000 members need at least 28 groups
    """

    n_members: int = attrs.field(converter=_n_members)
    sizes: SizeBand = attrs.field(converter=_sizes)
    runs: IntArray = attrs.field(converter=_feasible_runs, eq=attrs.cmp_using(eq=np.array_equal))
    undecided_runs: IntArray = attrs.field(converter=_undecided_runs, eq=attrs.cmp_using(eq=np.array_equal))
    conditions: tuple[Condition, ...] = attrs.field(converter=_conditions)

    _Row: ClassVar[type[Any] | None] = Condition

    @property
    def verdict(self) -> Verdict:
        """The answer: "feasible", "infeasible" or "not decided"."""
        return verdict_of(len(self.runs), len(self.undecided_runs))

    @property
    def n_groups(self) -> IntArray:
        """The numbers of groups into which it can be done, ascending: all of them, and there may be millions."""
        return _numbers_in(self.runs)

    @property
    def undecided(self) -> IntArray:
        """The numbers of groups for which the search was given up, ascending."""
        return _numbers_in(self.undecided_runs)

    @property
    def reason(self) -> str | None:
        """Why it can't be done, or why that is not decided; None where it can."""
        return None if self.verdict == "feasible" else self.conditions[-1].why

    @property
    def reason_zh(self) -> str | None:
        """The same in Chinese."""
        return None if self.verdict == "feasible" else self.conditions[-1].why_zh

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
        return f"{counted(self.n_members, 'member')}, {lo:,} to {hi:,} a group: {self.verdict}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        last = self.conditions[-1]
        return [] if self.verdict == "feasible" else [last.why_zh if lang == "zh" else last.why]

    def __repr__(self) -> str:
        """Show the verdict and what it turns on."""
        if self.verdict != "feasible":
            return f"Feasibility({self.verdict}: {self.conditions[-1].what.en})"
        few, many = int(self.runs[0, 0]), int(self.runs[-1, 1])
        groups = f"{few:,} to {counted(many, 'group')}" if many > few else counted(few, "group")
        return f"Feasibility(feasible, {counted(self.n_members, 'member')} in {groups})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_VERDICTS_ZH: dict[Verdict, str] = {"feasible": "可行", "infeasible": "不可行", "not decided": "未能判定"}


def verdict_of(n_yes: int, n_undecided: int, /) -> Verdict:
    """Return the answer, of how many numbers of groups work, and for how many that is not decided."""
    return "feasible" if n_yes else "not decided" if n_undecided else "infeasible"


def _numbers_in(runs: IntArray) -> IntArray:
    """Return every number of some runs."""
    parts: list[IntArray] = [np.arange(first, last + 1, dtype=np.int64) for first, last in runs.tolist()]
    return frozen(np.concatenate([*parts, np.zeros(0, dtype=np.int64)]))

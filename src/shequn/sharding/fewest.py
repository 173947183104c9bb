"""How many members must move, at least, when people came and went, and which groups close or open for that?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InfeasibleError, InvalidValueError, MisalignedError, counted, message
from shequn.sharding import engine
from shequn.sharding.bounds import counts_of_groups, member_count, size_band, why_no_count, why_no_count_zh
from shequn.stats._checks import counts, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.entities.size import SizeBand

__all__ = ["FewestMoves", "GroupMoves", "cheapest_plan", "fewest_moves", "why_seats_do_not_fit"]


class GroupMoves(NamedTuple):
    """What becomes of one group; the names are those of `FewestMoves.to_columns`.

    Attributes
    ----------
    group : int
        Position of the group; those after the given ones are new.
    size : int
        Members before anybody joins or moves.
    closed : bool
        Whether it closes.
    leave : int
        Members who must leave it: all of a group that closes, those above the bounds of another.
    missing : int
        Members it must get.

    Examples
    --------
    >>> fewest_moves([40, 30], (26, 36)).last()
    GroupMoves(group=1, size=30, closed=False, leave=0, missing=0)
    """

    group: int
    size: int
    closed: bool
    leave: int
    missing: int


@attrs.frozen(kw_only=True, repr=False)
class FewestMoves(Tabular[GroupMoves]):
    """The fewest moves that bring groups into bounds; made by `fewest_moves`.

    Attributes
    ----------
    sizes : ndarray of int64, shape (n_groups,)
        Members of each group before, newcomers not among them.
    bounds : SizeBand
        The fewest and the most members of a group.
    joined : int
        Newcomers, whose seats cost no move.
    moves : int
        Members, of those present, who must change their group.
    closed : ndarray of bool, shape (n_groups,)
        Groups that close.
    n_new : int
        Groups that open.

    Examples
    --------
    >>> fewest_moves([5, 30, 34], (26, 36))
    FewestMoves(5 moves, 1 closed, 0 new)
    """

    sizes: IntArray = counts_field()
    bounds: SizeBand
    joined: int
    moves: int
    closed: BoolArray = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=np.array_equal))
    n_new: int

    _Row: ClassVar[type[Any] | None] = GroupMoves

    @property
    def n_groups(self) -> int:
        """Number of groups afterwards."""
        return len(self.sizes) - int(self.closed.sum()) + self.n_new

    @property
    def leave(self) -> IntArray:
        """Members who must leave each group, new ones at the end, shape (n_groups + n_new,)."""
        sizes, closed = self._padded()
        return frozen(np.where(closed, sizes, np.maximum(sizes - self.bounds.hi, 0)))

    @property
    def missing(self) -> IntArray:
        """Members each group must get, new ones at the end, shape (n_groups + n_new,)."""
        sizes, closed = self._padded()
        return frozen(np.where(closed, 0, np.maximum(self.bounds.lo - sizes, 0)))

    @property
    def stays(self) -> BoolArray:
        """Whether each group is there afterwards, new ones at the end, shape (n_groups + n_new,)."""
        return frozen(~self._padded()[1])

    def __len__(self) -> int:
        """Return the number of groups, closed and new ones included."""
        return len(self.sizes) + self.n_new

    def _padded(self) -> tuple[IntArray, BoolArray]:
        new = np.zeros(self.n_new, dtype=np.int64)
        return np.concatenate([self.sizes, new]), np.concatenate([self.closed, new.astype(np.bool_)])

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        sizes, closed = self._padded()
        return [
            Column(key="group", en="group", zh="群", values=np.arange(len(self))),
            Column(key="size", en="size", zh="人数", values=sizes, format="count"),
            Column(key="closed", en="closes", zh="关闭", values=closed),
            Column(key="leave", en="must leave", zh="须迁出", values=self.leave, format="count"),
            Column(key="missing", en="missing", zh="缺员", values=self.missing, format="count"),
        ]

    def _title(self, lang: Lang, /) -> str:
        if lang == "zh":
            return f"至少迁移 {self.moves:,} 人，{self.joined:,} 名新成员"
        return f"at least {counted(self.moves, 'move')}, with {counted(self.joined, 'newcomer')}"

    def __repr__(self) -> str:
        """Show the number of moves, and the groups that close and open."""
        return f"FewestMoves({counted(self.moves, 'move')}, {int(self.closed.sum()):,} closed, {self.n_new:,} new)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def fewest_moves(
    sizes: ArrayLike, bounds: SizeBand | Sequence[int], *, joined: int = 0, fixed: ArrayLike | None = None
) -> FewestMoves:
    """Return how many members who are present must move, at least, so that every group lies within bounds.

    Parameters
    ----------
    sizes : array_like of int, shape (n_groups,)
        Members of each group, those who left taken away and newcomers not yet added.
    bounds : SizeBand or pair of int
        The fewest and the most members of a group.
    joined : int, default 0
        Newcomers, who may be seated anywhere.
    fixed : array_like of int, shape (n_groups,), optional
        How many members of each group keep their seat. A group that has any does not close.

    Returns
    -------
    FewestMoves
        The number, the groups that close and how many open. Of several ways with as few moves it is the one that ends
        nearest to the number of groups there were; among those, with fewer groups.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used.
    InfeasibleError
        No number of groups fits all members, or the seats that are kept: the message says why.

    Notes
    -----
    With s the sizes and J newcomers, keeping a set of groups costs ``max(sum closed s + sum kept (s - hi)+, sum kept
    (lo - s)+ - J)``: whoever has to get out, or whoever is needed elsewhere and is no newcomer. Both terms are least
    where the smallest groups close, so that the minimum runs over their number alone, new groups being of size 0, as
    far as ``k lo <= n <= k hi`` holds for the k that are kept.

    Examples
    --------
    >>> plan = fewest_moves([5, 30, 34], (26, 36))
    >>> plan.moves, plan.closed.tolist(), plan.n_new
    (5, [True, False, False], 0)
    >>> fewest_moves([5, 30, 34], (26, 36), joined=21).moves
    0
    >>> fewest_moves([5, 30, 34], (20, 36), fixed=[1, 0, 0]).moves
    15
    >>> fewest_moves([70], (26, 36))
    FewestMoves(34 moves, 0 closed, 1 new)
    """
    given = _counts("sizes", sizes)
    band = size_band("bounds", bounds)
    newcomers = member_count("joined", joined)
    n = member_count("sizes", int(given.sum(dtype=object)) + newcomers)
    stay = None if fixed is None else _counts("fixed", fixed)
    if stay is not None:
        _require_seats(stay, given)
    if not counts_of_groups(n, band):
        raise InfeasibleError(f"sizes: {why_no_count(n, band)}", zh=f"规模：{why_no_count_zh(n, band)}")
    if stay is not None and int(stay.max(initial=0)) > band.hi:
        most = int(stay.max())
        text = message("fixed", f"at most {band.hi:,} members of one group", most)
        raise InfeasibleError(text, zh=f"固定席位：一个群固定了 {most:,} 人，而每群最多 {band.hi:,} 人")
    plan = cheapest_plan(given, band, newcomers, free=None if stay is None else given - stay)
    if plan is None:
        assert stay is not None  # noqa: S101  (where everybody may move, a number of groups that fits can be had)
        why, why_zh = why_seats_do_not_fit(stay[stay > 0], n, band)
        raise InfeasibleError(f"fixed: {why}", zh=f"固定席位：{why_zh}")
    return plan


def cheapest_plan(
    sizes: IntArray,
    band: SizeBand,
    joined: int,
    /,
    *,
    numbers: Sequence[int] | IntArray | None = None,
    free: IntArray | None = None,
) -> FewestMoves | None:
    """Return the fewest moves that end in one of these numbers of groups, None where there is no way.

    Of each group as many may move as `free` says, and one in which somebody may not does not close.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> cheapest_plan(np.array([30, 30, 30]), SizeBand(26, 45), 0, numbers=[2]).moves
    30
    """
    found = engine.fewest_moves(
        sizes,
        (band.lo, band.hi),
        newcomers=joined,
        free=free,
        numbers=numbers,
        near=int(np.count_nonzero(sizes)),
    )
    if found is None:
        return None
    return FewestMoves(
        sizes=sizes,
        bounds=band,
        joined=joined,
        moves=found.moves,
        closed=found.close[: len(sizes)],
        n_new=int(np.count_nonzero(~found.close[len(sizes) :])),
    )


def _counts(argument: str, values: ArrayLike) -> IntArray:
    given = counts(argument, values)
    if given.ndim != 1:
        raise InvalidValueError(message(argument, "a 1-D array", f"an array of shape {given.shape}"))
    return given


def _require_seats(stay: IntArray, sizes: IntArray) -> None:
    """Raise unless of each group no more stay than there are."""
    if len(stay) != len(sizes):
        raise MisalignedError(message("fixed", f"one count for each of {counted(len(sizes), 'group')}", len(stay)))
    if (stay > sizes).any():
        refuse("fixed", "at most the members of each group", stay, stay > sizes)


def why_seats_do_not_fit(demand: IntArray, n: int, band: SizeBand) -> tuple[str, str]:
    """Say why groups that must have so many members each leave no way to deal n members, where that is so.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> why_seats_do_not_fit(np.array([4, 4]), 9, SizeBand(3, 4))[0]
    '2 groups with seats given take at least 8 members, which leaves 1 for 1 group more'
    """
    seated, most = len(demand), n // band.lo
    if seated > most:
        return (
            f"{counted(seated, 'group')} have seats given, and {counted(n, 'member')} fill at most {most:,}",
            f"{seated:,} 个群有固定席位，而 {n:,} 名成员最多 {most:,} 个群",
        )
    taken, others = int(np.maximum(demand, band.lo).sum()), max(-(-n // band.hi) - seated, 0)
    left = f"which leaves {max(n - taken, 0):,} for {counted(others, 'group')} more" if others else f"of {n:,}"
    left_zh = f"余下 {max(n - taken, 0):,} 人不够另外 {others:,} 个群" if others else f"而成员只有 {n:,} 名"
    return (
        f"{counted(seated, 'group')} with seats given take at least {counted(taken, 'member')}, {left}",
        f"{seated:,} 个有固定席位的群至少需要 {taken:,} 人，{left_zh}",
    )

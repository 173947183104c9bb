"""How many members must move, at least, when people came and went, and which groups close or open for that?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, message
from shequn.sharding.bounds import counts_of_groups, member_count, size_band, why_no_count
from shequn.stats._checks import counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.entities.size import SizeBand

__all__ = ["FewestMoves", "GroupMoves", "cheapest_plan", "fewest_moves"]


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
        return f"at least {self.moves:,} moves, with {self.joined:,} newcomers"

    def __repr__(self) -> str:
        """Show the number of moves, and the groups that close and open."""
        return f"FewestMoves({self.moves:,} moves, {int(self.closed.sum()):,} closed, {self.n_new:,} new)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def fewest_moves(sizes: ArrayLike, bounds: SizeBand | Sequence[int], *, joined: int = 0) -> FewestMoves:
    """Return how many members who are present must move, at least, so that every group lies within bounds.

    Parameters
    ----------
    sizes : array_like of int, shape (n_groups,)
        Members of each group, those who left taken away and newcomers not yet added.
    bounds : SizeBand or pair of int
        The fewest and the most members of a group.
    joined : int, default 0
        Newcomers, who may be seated anywhere.

    Returns
    -------
    FewestMoves
        The number, the groups that close and how many open. Of several ways with as few moves it is the one that ends
        nearest to the number of groups there were; among those, with fewer groups.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used, or no number of groups fits all members: the message says why.

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
    >>> fewest_moves([70], (26, 36))
    FewestMoves(34 moves, 0 closed, 1 new)
    """
    given = counts("sizes", sizes)
    if given.ndim != 1:
        raise InvalidValueError(message("sizes", "a 1-D array", f"an array of shape {given.shape}"))
    band = size_band("bounds", bounds)
    newcomers = member_count("joined", joined)
    n = member_count("sizes", int(given.sum(dtype=object)) + newcomers)
    if not counts_of_groups(n, band):
        raise InvalidValueError(f"sizes: {why_no_count(n, band)}")
    return cheapest_plan(given, band, newcomers, counts_of_groups(n, band))


def cheapest_plan(
    sizes: IntArray, band: SizeBand, joined: int, allowed: range, /, *, stays: BoolArray | None = None
) -> FewestMoves:
    """Return the fewest moves that end in one of the `allowed` numbers of groups, all of which fit the members.

    Groups that `stays` names cannot close.

    Raises
    ------
    InvalidValueError
        More groups stay than are allowed.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> cheapest_plan(np.array([30, 30, 30]), SizeBand(26, 45), 0, range(2, 3)).moves
    30
    """
    n_new = max(allowed[-1] - int(np.count_nonzero(sizes)), 0)
    # New groups close first among the empty ones, so that a group that exists is filled before one is opened.
    padded = np.concatenate([np.zeros(n_new, dtype=np.int64), sizes])
    last = np.zeros(len(padded), dtype=np.bool_)
    last[n_new:] = False if stays is None else stays
    order = np.lexsort((padded, last))
    ascending = padded[order]
    over = np.maximum(ascending - band.hi, 0)
    closing = _running(ascending)
    out = closing + over.sum() - _running(over)
    needed = _running(np.maximum(band.lo - ascending, 0)[::-1])[::-1]
    moves = np.maximum(out, needed - joined)
    kept = len(padded) - np.arange(len(padded) + 1)
    candidates = np.flatnonzero((kept >= allowed[0]) & (kept <= allowed[-1]) & (kept >= last.sum()))
    if not len(candidates):
        expected = f"members of at most {allowed[-1]:,} groups"
        raise InvalidValueError(message("fixed", expected, int(last.sum())) + " groups")
    cheapest = candidates[moves[candidates] == moves[candidates].min()]
    n_before = int(np.count_nonzero(sizes))
    n_closed = int(cheapest[np.lexsort((kept[cheapest], np.abs(kept[cheapest] - n_before)))[0]])
    closed = np.zeros(len(padded), dtype=np.bool_)
    closed[order[:n_closed]] = True
    return FewestMoves(
        sizes=sizes,
        bounds=band,
        joined=joined,
        moves=int(moves[n_closed]),
        closed=closed[n_new:],
        n_new=n_new - int(closed[:n_new].sum()),
    )


def _running(values: IntArray) -> IntArray:
    """Return the sums of the first 0, 1, 2 … values."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(values)])

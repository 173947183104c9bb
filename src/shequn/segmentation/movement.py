"""How many moved between segments, is it more than chance, and where does it lead? The migration matrix."""

# Longer than most files: one result class with all readings of its counts, more than half of it docstrings.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.readonly import added, by_fields, counts_field, frozen
from shequn.columns.table import Column
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.labels import Index
from shequn.segmentation.flows import Direction, Flows, objects
from shequn.stats import (
    Interval,
    SymmetryTest,
    bowker,
    closed_classes,
    stationary_distribution,
    stuart_maxwell,
    transition_power,
    wilson,
)
from shequn.stats._checks import counts as checked_counts
from shequn.stats._checks import flag, instance, one_of, reals, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label
    from shequn.segmentation.flows import Which

__all__ = ["Migration", "MigrationRow"]

_NONE, _ABSENT = -2, -1  # the last two rows and columns of `moves`


def _labels(segments: Sequence[Label]) -> tuple[Label, ...]:
    return tuple(Index(segments, argument="segments"))


def _is_ordered(ordered: bool) -> bool:
    return flag("ordered", ordered)


class MigrationRow(NamedTuple):
    """One cell of a `Migration`: the members of a segment who were in a segment later.

    Attributes
    ----------
    before, after : str or int
        The two segments.
    direction : Direction
        Held, up or down; moved, where the segments have no order.
    members : int
        How many.
    rate : float
        Share of those who were in the segment before and in one after; NaN where nobody was.
    lower, upper : float
        Ends of its 95 % Wilson interval.

    Examples
    --------
    >>> Migration.from_counts(segments=["a", "b"], counts=[[3, 1], [0, 2]]).last().rate
    1.0
    """

    before: Label
    after: Label
    direction: Direction
    members: int
    rate: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class Migration(Tally[MigrationRow]):
    """How many members moved between segments; made by `migration`, or from counts by `from_counts`.

    Migrations of parts of a community split by member merge by adding, exactly.

    Attributes
    ----------
    segments : tuple of str or of int
        The k segments; from the lowest to the highest where `ordered`.
    moves : ndarray of int64, shape (k + 2, k + 2)
        Members by where they were before (rows) and after (columns). The last row and column but one stand for members
        in no segment, the last ones for members who were not there.
    ordered : bool
        Whether the order of the segments means something, so that there is an up and a down.

    Examples
    --------
    >>> print(Migration.from_counts(segments=["silver", "gold"], counts=[[90, 10], [4, 16]], ordered=True))
    from / to  silver  gold  members   held     up   down
    ─────────────────────────────────────────────────────
    silver          90    10      100  90.0%  10.0%   0.0%
    gold             4    16       20  80.0%   0.0%  20.0%
    Of 120 members 106 held (88.3%), 10 moved up (8.3%), 4 moved down (3.3%).
    """

    segments: tuple[Label, ...] = attrs.field(converter=_labels)
    moves: IntArray = counts_field()
    ordered: bool = attrs.field(default=False, converter=_is_ordered)

    _Row: ClassVar[type[Any] | None] = MigrationRow

    def __attrs_post_init__(self) -> None:
        """Check the shape of the counts."""
        width = len(self.segments) + 2
        if self.moves.shape != (width, width):
            raise MisalignedError(message("moves", f"an array of shape ({width}, {width})", self.moves.shape))
        if (self.moves < 0).any():
            refuse("moves", "counts of 0 or more", self.moves, self.moves < 0)

    @classmethod
    def from_counts(
        cls,
        *,
        segments: Iterable[Label],
        counts: ArrayLike,
        entered: ArrayLike | None = None,
        left: ArrayLike | None = None,
        ordered: bool = False,
    ) -> Migration:
        """Build from counts that a warehouse made.

        Parameters
        ----------
        segments : iterable of str or of int
            The k segments, in order.
        counts : array_like of int, shape (k, k)
            Members by segment before (rows) and after (columns).
        entered, left : array_like of int, shape (k,), optional
            Members who were there after only, and before only, by their segment.
        ordered : bool, default False
            Whether the order of the segments means something.

        Returns
        -------
        Migration

        Raises
        ------
        MisalignedError
            There are not as many counts as segments.
        InvalidTypeError, InvalidValueError
            A count is no whole number or negative, or a segment stands twice.

        Examples
        --------
        >>> Migration.from_counts(segments=["a", "b"], counts=[[3, 1], [0, 2]], left=[5, 0]).left.tolist()
        [5, 0]
        """
        labels = Index(segments, argument="segments")
        k = len(labels)
        moves = np.zeros((k + 2, k + 2), dtype=np.int64)
        moves[:k, :k] = _of_shape("counts", counts, (k, k))
        if entered is not None:
            moves[_ABSENT, :k] = _of_shape("entered", entered, (k,))
        if left is not None:
            moves[:k, _ABSENT] = _of_shape("left", left, (k,))
        return cls(segments=tuple(labels), moves=moves, ordered=ordered)

    # ── what it counts ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def counts(self) -> IntArray:
        """Members in a segment both times, by segment before (rows) and after (columns), shape (k, k)."""
        return frozen(self.moves[:_NONE, :_NONE])

    @property
    def entered(self) -> IntArray:
        """Members who were not there before, by segment after, shape (k,)."""
        return frozen(self.moves[_ABSENT, :_NONE])

    @property
    def left(self) -> IntArray:
        """Members who were not there after, by segment before, shape (k,)."""
        return frozen(self.moves[:_NONE, _ABSENT])

    @property
    def assigned(self) -> IntArray:
        """Members who were there in no segment before, by segment after, shape (k,)."""
        return frozen(self.moves[_NONE, :_NONE])

    @property
    def unassigned(self) -> IntArray:
        """Members who were there in no segment after, by segment before, shape (k,)."""
        return frozen(self.moves[:_NONE, _NONE])

    @property
    def n_outside(self) -> int:
        """Members of either assignment who were in no segment at all, before or after."""
        return int(self.moves[_NONE:, _NONE:].sum())

    @property
    def n_compared(self) -> int:
        """Members in a segment both times: those that rates and tests are about."""
        return int(self.counts.sum())

    @property
    def held(self) -> IntArray:
        """Members who were in the same segment after, by segment, shape (k,)."""
        return frozen(self.counts.diagonal().copy())

    @property
    def moved_up(self) -> IntArray:
        """Members who were in a higher segment after, by segment before, shape (k,).

        Raises
        ------
        InvalidValueError
            The segments have no order.
        """
        self._require_order()
        return frozen(np.triu(self.counts, 1).sum(axis=1))

    @property
    def moved_down(self) -> IntArray:
        """Members who were in a lower segment after, by segment before, shape (k,).

        Raises
        ------
        InvalidValueError
            The segments have no order.
        """
        self._require_order()
        return frozen(np.tril(self.counts, -1).sum(axis=1))

    def _require_order(self) -> None:
        if not self.ordered:
            raise InvalidValueError(message("ordered", "segments that have an order, to tell up from down", False))

    # ── what that means ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def rates(self) -> FloatArray:
        """Counts / members of the segment before, shape (k, k): rows add up to 1, or are NaN where nobody was."""
        total = self.counts.sum(axis=1, keepdims=True)
        return frozen(np.divide(self.counts, total, out=np.full(self.counts.shape, np.nan), where=total > 0))

    def intervals(self, *, level: float = 0.95) -> Interval:
        """Return Wilson intervals of the rates.

        Parameters
        ----------
        level : float
            Confidence of each by itself, between 0 and 1.

        Returns
        -------
        Interval
            `lower` and `upper`, shape (k, k); NaN where nobody was.

        Examples
        --------
        >>> lower, upper = Migration.from_counts(segments=["a", "b"], counts=[[9, 1], [0, 2]]).intervals()
        >>> f"{lower[0, 1]:.3f} to {upper[0, 1]:.3f}"
        '0.018 to 0.404'
        """
        return wilson(self.counts, self.counts.sum(axis=1, keepdims=True), level=level)

    def bowker(self) -> SymmetryTest:
        """Test whether as many members moved from each segment to each other one as moved back.

        Returns
        -------
        SymmetryTest
            See `shequn.stats.bowker`.

        Examples
        --------
        >>> test = Migration.from_counts(segments=["a", "b"], counts=[[50, 20], [5, 25]]).bowker()
        >>> test.statistic, test.df
        (9.0, 1)
        """
        return bowker(self.counts)

    def stuart_maxwell(self) -> SymmetryTest:
        """Test whether the sizes of the segments changed, among the members who are in one both times.

        Returns
        -------
        SymmetryTest
            See `shequn.stats.stuart_maxwell`.

        Examples
        --------
        >>> test = Migration.from_counts(segments=["a", "b"], counts=[[50, 20], [5, 25]]).stuart_maxwell()
        >>> test.statistic, test.df
        (9.0, 1)
        """
        return stuart_maxwell(self.counts)

    def rates_after(self, n: int, /) -> FloatArray:
        """Return the share of the members of each segment that is in each segment `n` periods later.

        Parameters
        ----------
        n : int
            Periods as long as the one between `before` and `after`.

        Returns
        -------
        ndarray of float64, shape (k, k)
            Rows add up to 1, or are NaN where members may come into a segment that nobody was seen to start from.

        Notes
        -----
        The n-th power of `rates`. It holds where members move at the same rates in each period, by the segment they are
        in and not by how they came there, and nobody enters or leaves.

        Examples
        --------
        >>> Migration.from_counts(segments=["a", "b"], counts=[[9, 1], [3, 7]]).rates_after(2).round(2).tolist()
        [[0.84, 0.16], [0.48, 0.52]]
        """
        return transition_power(self.rates, n)

    def expected(self, n: int, /, *, start: ArrayLike | None = None) -> FloatArray:
        """Return how many members to expect in each segment `n` periods from now.

        Parameters
        ----------
        n : int
            Periods as long as the one between `before` and `after`.
        start : array_like, shape (k,), optional
            Members in each segment now. By default those of `after`, who entered and were assigned included.

        Returns
        -------
        ndarray of float64, shape (k,)
            NaN throughout where some of them may come into a segment that nobody was seen to start from.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            `n` is no number of periods, or `start` no numbers of 0 or more, one a segment.

        Notes
        -----
        ``start @ rates_after(n)``, under the conditions of `rates_after`. Members who enter or leave later are not
        foreseen, so that the sum stays what it is.

        Examples
        --------
        >>> Migration.from_counts(segments=["a", "b"], counts=[[9, 1], [3, 7]]).expected(1).round(1).tolist()
        [13.2, 6.8]
        """
        k = len(self.segments)
        now = self.moves[:, :k].sum(axis=0).astype(np.float64) if start is None else reals("start", start)
        if now.shape != (k,):
            raise MisalignedError(message("start", f"a number for each of the {k} segments", now.shape))
        bad = ~((now >= 0) & np.isfinite(now))
        if bad.any():
            refuse("start", "finite numbers of 0 or more", now, bad)
        # A segment without members sends nobody anywhere, also where its rates are not known.
        is_there = now > 0
        return frozen(np.asarray(now[is_there] @ self.rates_after(n)[is_there], dtype=np.float64))

    def stationary(self) -> FloatArray:
        """Return the shares of the segments in the long run, if members go on to move at these rates.

        Returns
        -------
        ndarray of float64, shape (k,)
            Adds up to 1.

        Raises
        ------
        InvalidValueError
            Members end up in one of several sets of segments, so that the shares depend on where they start; the
            message names the sets. Or a segment is entered and nobody was seen to start from it.

        Notes
        -----
        The stationary distribution of the Markov chain of `rates`, see `shequn.stats.stationary_distribution`. A
        segment that is left for good has share 0.

        Examples
        --------
        >>> Migration.from_counts(segments=["a", "b"], counts=[[9, 1], [3, 7]]).stationary().round(4).tolist()
        [0.75, 0.25]
        """
        rates = self.rates
        entered = np.isnan(rates).any(axis=1) & (self.counts.sum(axis=0) > 0)
        if entered.any():
            name = self.segments[int(np.flatnonzero(entered)[0])]
            raise InvalidValueError(message("counts", "members who start from each segment that is entered", name))
        closed = closed_classes(rates)
        if len(closed) != 1:
            sets = [[self.segments[place] for place in places] for places in closed]
            expected = "one set of segments that is never left, or the long run depends on the start"
            raise InvalidValueError(message("counts", expected, sets))
        return stationary_distribution(rates)

    def flows(self, *, which: Which = "moved") -> Flows:
        """Return who went from where to where, the largest stream first.

        Parameters
        ----------
        which : {"moved", "all"}
            Moves from one segment to another; or also who held, entered, left, or was in no segment.

        Returns
        -------
        Flows
            Streams of nobody are left out. Of equal ones that from the earlier segment stands first, then that to the
            earlier.

        Examples
        --------
        >>> tiers = Migration.from_counts(segments=["silver", "gold"], counts=[[90, 10], [4, 16]], ordered=True)
        >>> print(tiers.flows())
        from       to      direction  members  of from
        ──────────────────────────────────────────────
        silver  →  gold    up              10    10.0%
        gold    →  silver  down             4    20.0%
        """
        one_of("which", which, ("moved", "all"))
        return Flows.of(self.segments, self.moves, ordered=self.ordered, which=which)

    # ── parts and wholes ─────────────────────────────────────────────────────────────────────────────────────────────

    def merge(self, other: Migration, /) -> Migration:
        """Return the migration of the members of both.

        Parameters
        ----------
        other : Migration
            Of other members, between the same segments in the same order. One without any segment fits all.

        Returns
        -------
        Migration

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is no migration, or one between other segments; give `migration` its ``segments=`` then.

        Examples
        --------
        >>> part = Migration.from_counts(segments=["a", "b"], counts=[[3, 1], [0, 2]])
        >>> part.merge(part).counts.tolist()
        [[6, 2], [0, 4]]
        """
        instance("other", other, Migration, expected="a Migration")
        if not self.segments or not other.segments:
            named = self if self.segments else other
            # Nobody of the other one is in a segment: its four counts of those outside go into the corner.
            rest = other if named is self else self
            padded = np.zeros_like(named.moves)
            padded[_NONE:, _NONE:] = rest.moves
            ordered = named.ordered if named.segments else self.ordered and other.ordered
            return attrs.evolve(named, moves=added([named.moves, padded], argument="moves"), ordered=ordered)
        for name in ("segments", "ordered"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise InvalidValueError(message(f"other.{name}", f"the same in both parts ({mine})", theirs))
        return attrs.evolve(self, moves=added([self.moves, other.moves], argument="moves"))

    def _headcount(self) -> IntArray:
        return self.moves

    def _emptied(self) -> Migration:
        return attrs.evolve(self, moves=np.zeros_like(self.moves))

    # ── how it looks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        counts, total = self.counts, self.counts.sum(axis=1)
        rows = np.arange(len(self.segments))
        columns = [Column(key="before", en="from / to", zh="从 / 到", values=objects(self.segments))]
        columns += [
            Column(key=f"to_{place}", en=str(name), zh=str(name), values=counts[:, place], format="count")
            for place, name in enumerate(self.segments)
        ]
        shares = {Direction.HELD: self.held} | (
            {Direction.UP: self.moved_up, Direction.DOWN: self.moved_down}
            if self.ordered
            else {Direction.MOVED: total - self.held}
        )
        columns.append(Column(key="members", en="members", zh="成员", values=total, format="count"))
        return columns + [
            Column(
                key=direction.value,
                en=direction.en,
                zh=direction.zh,
                values=np.divide(part, total, out=np.full(len(rows), np.nan), where=total > 0),
                format="rate",
            )
            for direction, part in shares.items()
        ]

    def _tidy(self) -> Sequence[Column]:
        k = len(self.segments)
        row, column = (places.ravel() for places in np.indices((k, k)))
        names, interval = objects(self.segments), self.intervals()
        directions = [Direction.between(a, b, self.ordered) for a, b in zip(row.tolist(), column.tolist(), strict=True)]
        return [
            Column(key="before", en="before", zh="之前", values=names[row]),
            Column(key="after", en="after", zh="之后", values=names[column]),
            Column(key="direction", en="direction", zh="方向", values=objects(directions)),
            Column(key="members", en="members", zh="成员", values=self.counts.ravel(), format="count"),
            Column(key="rate", en="rate", zh="比率", values=self.rates.ravel(), format="rate"),
            Column(key="lower", en="lower", zh="下限", values=interval.lower.ravel(), format="rate"),
            Column(key="upper", en="upper", zh="上限", values=interval.upper.ravel(), format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n = self.n_compared
        held = int(self.held.sum())
        parts = [("held", held)]
        if self.ordered:
            parts += [("up", int(self.moved_up.sum())), ("down", int(self.moved_down.sum()))]
        else:
            parts.append(("moved", n - held))
        told = _AND[lang].join(_TOLD[lang][name].format(n=part, share=part / n) for name, part in parts) if n else ""
        notes = [_OF[lang].format(n=n, told=told)] if n else []
        outside = [
            ("entered", int(self.entered.sum())),
            ("left", int(self.left.sum())),
            ("assigned", int(self.assigned.sum())),
            ("unassigned", int(self.unassigned.sum())),
            ("outside", self.n_outside),
        ]
        notes += [_TOLD[lang][name].format(n=part) for name, part in outside if part]
        return notes

    def __repr__(self) -> str:
        """Show how many members there are between how many segments."""
        moved = self.n_compared - int(self.held.sum())
        return f"Migration({self.n_compared:,} members, {len(self.segments)} segments, {moved:,} moved)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_OF: dict[Lang, str] = {"en": "Of {n:,} members {told}.", "zh": "{n:,} 名成员中，{told}。"}
_AND: dict[Lang, str] = {"en": ", ", "zh": "，"}
_TOLD: dict[Lang, dict[str, str]] = {
    "en": {
        "held": "{n:,} held ({share:.1%})",
        "up": "{n:,} moved up ({share:.1%})",
        "down": "{n:,} moved down ({share:.1%})",
        "moved": "{n:,} moved ({share:.1%})",
        "entered": "{n:,} more are in a segment and were not there before.",
        "left": "{n:,} more were in a segment and are not there any more.",
        "assigned": "{n:,} more were in no segment before and are in one now.",
        "unassigned": "{n:,} more were in a segment and are in none now.",
        "outside": "{n:,} more were in no segment, before or after.",
    },
    "zh": {
        "held": "保持 {n:,}（{share:.1%}）",
        "up": "上升 {n:,}（{share:.1%}）",
        "down": "下降 {n:,}（{share:.1%}）",
        "moved": "转移 {n:,}（{share:.1%}）",
        "entered": "另有 {n:,} 名成员为新进，之前不在名单。",
        "left": "另有 {n:,} 名成员已离开名单。",
        "assigned": "另有 {n:,} 名成员之前未分组，现已归入分组。",
        "unassigned": "另有 {n:,} 名成员之前有分组，现未分组。",
        "outside": "另有 {n:,} 名成员前后均未分组。",
    },
}


def _of_shape(name: str, values: ArrayLike, shape: tuple[int, ...]) -> IntArray:
    numbers = checked_counts(name, values)
    if numbers.shape != shape:
        raise MisalignedError(message(name, f"an array of shape {shape}, as there are segments", numbers.shape))
    return numbers

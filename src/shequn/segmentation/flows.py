"""From where to where did members go, the largest stream first?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["Direction", "Flow", "Flows", "Which", "objects"]

Which: TypeAlias = Literal["moved", "all"]


class Direction(Taxonomy):
    """Which way a member went between two days.

    Up and down exist where the segments have an order; elsewhere a move is just a move.

    Examples
    --------
    >>> Direction.UP.zh, Direction.from_label("下降")
    ('上升', <Direction.DOWN: 'down'>)
    """

    HELD = "held", "保持", "held"
    UP = "up", "上升", "up"
    DOWN = "down", "下降", "down"
    MOVED = "moved", "转移", "moved"
    ENTERED = "entered", "新进", "entered"
    LEFT = "left", "离开", "left"
    ASSIGNED = "assigned", "归入分组", "assigned"
    UNASSIGNED = "unassigned", "移出分组", "unassigned"
    OUTSIDE = "outside", "未分组", "outside"

    @classmethod
    def between(cls, before: int, after: int, ordered: bool, /) -> Direction:
        """Return the direction from one segment to another, by their positions.

        Examples
        --------
        >>> Direction.between(0, 2, True), Direction.between(0, 2, False)
        (<Direction.UP: 'up'>, <Direction.MOVED: 'moved'>)
        """
        if before == after:
            return cls.HELD
        if not ordered:
            return cls.MOVED
        return cls.UP if after > before else cls.DOWN


class Flow(NamedTuple):
    """One stream of members; the names are those of `Flows`.

    Attributes
    ----------
    before, after : str, int or None
        The two segments; None for no segment, or for not there (see `direction`).
    direction : Direction
        Which way.
    members : int
        How many.
    rate : float
        Share of the members of the segment before, whatever became of them; NaN for those who were in none.

    Examples
    --------
    >>> Flow(before="gold", after="silver", direction=Direction.DOWN, members=4, rate=0.2).members
    4
    """

    before: Label | None
    after: Label | None
    direction: Direction
    members: int
    rate: float


@attrs.frozen(kw_only=True, repr=False)
class Flows(Tabular[Flow]):
    """Who went from where to where, the largest stream first; made by `Migration.flows`.

    Attributes
    ----------
    before, after : ndarray of labels, shape (n,)
        From which segment to which; None for no segment, or for not there.
    direction : ndarray of Direction, shape (n,)
        Which way; it tells apart the two that None stands for.
    members : ndarray of int64, shape (n,)
        How many, falling.
    rate : ndarray of float64, shape (n,)
        Share of the members of the segment before: of those who were in one after too, or, where everybody is shown
        (``which="all"``), of all. NaN for those who were in none.

    Examples
    --------
    >>> from shequn.segmentation.movement import Migration
    >>> tiers = Migration.from_counts(segments=["银卡", "金卡"], counts=[[90, 10], [4, 16]], left=[6, 0], ordered=True)
    >>> print(tiers.flows(which="all").table(lang="zh"))
    从       到        方向  成员  占来源
    ─────────────────────────────────────
    银卡  →  银卡      保持    90   84.9%
    金卡  →  金卡      保持    16   80.0%
    银卡  →  金卡      上升    10    9.4%
    银卡  →  （离开）  离开     6    5.7%
    金卡  →  银卡      下降     4   20.0%
    """

    before: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=np.array_equal))
    after: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=np.array_equal))
    direction: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=np.array_equal))
    members: IntArray = counts_field()
    rate: FloatArray = attrs.field(
        converter=read_only, eq=attrs.cmp_using(eq=lambda a, b: np.array_equal(a, b, equal_nan=True))
    )

    _Row: ClassVar[type[Any] | None] = Flow

    @classmethod
    def of(cls, segments: Sequence[Label], moves: IntArray, /, *, ordered: bool, which: Which) -> Flows:
        """Return the streams of a matrix of moves, as `Migration` holds one.

        Examples
        --------
        >>> moves = np.zeros((3, 3), dtype=np.int64)
        >>> moves[2, 0] = 5
        >>> Flows.of(["a"], moves, ordered=False, which="all").last().direction
        <Direction.ENTERED: 'entered'>
        """
        k = len(segments)
        shown = moves.copy()
        # Whoever was in no segment at all is one stream, present or not.
        shown[k:, k:] = 0
        shown[k, k] = moves[k:, k:].sum()
        if which == "moved":
            np.fill_diagonal(shown, 0)
            shown[k:, :] = shown[:, k:] = 0
        row, column = np.nonzero(shown)
        order = np.argsort(-shown[row, column], kind="stable")
        row, column = row[order], column[order]
        labels = np.array([*segments, None, None], dtype=object)
        directions = (_direction(a, b, k, ordered=ordered) for a, b in zip(row.tolist(), column.tolist(), strict=True))
        members = shown[row, column]
        base = (shown if which == "all" else moves[:k, :k]).sum(axis=1)
        return cls(
            before=labels[row],
            after=labels[column],
            direction=np.fromiter(directions, dtype=object, count=len(row)),
            members=members,
            rate=np.divide(members, base[row], out=np.full(len(row), np.nan), where=row < k),
        )

    def __len__(self) -> int:
        """Return the number of streams."""
        return len(self.members)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        directions = self.direction.tolist()
        before = [_FROM[lang].get(way, label) for way, label in zip(directions, self.before.tolist(), strict=True)]
        after = [_TO[lang].get(way, label) for way, label in zip(directions, self.after.tolist(), strict=True)]
        return [
            Column(key="before", en="from", zh="从", values=objects(before)),
            Column(key="arrow", en="", zh="", values=["→"] * len(self)),
            Column(key="after", en="to", zh="到", values=objects(after)),
            *self._numbers(),
        ]

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="before", en="from", zh="从", values=self.before),
            Column(key="after", en="to", zh="到", values=self.after),
            *self._numbers(),
        ]

    def _numbers(self) -> list[Column]:
        return [
            Column(key="direction", en="direction", zh="方向", values=self.direction),
            Column(key="members", en="members", zh="成员", values=self.members, format="count"),
            Column(key="rate", en="of from", zh="占来源", values=self.rate, format="rate"),
        ]

    def __repr__(self) -> str:
        """Show how many streams there are."""
        return f"Flows({len(self)} streams, {int(self.members.sum()):,} members)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_FROM: dict[Lang, dict[Direction, str]] = {
    "en": {Direction.ENTERED: "(new)", Direction.ASSIGNED: "(none)", Direction.OUTSIDE: "(none)"},
    "zh": {Direction.ENTERED: "（新进）", Direction.ASSIGNED: "（未分组）", Direction.OUTSIDE: "（未分组）"},
}
_TO: dict[Lang, dict[Direction, str]] = {
    "en": {Direction.LEFT: "(left)", Direction.UNASSIGNED: "(none)", Direction.OUTSIDE: "(none)"},
    "zh": {Direction.LEFT: "（离开）", Direction.UNASSIGNED: "（未分组）", Direction.OUTSIDE: "（未分组）"},
}


def objects(values: Sequence[object], /) -> NDArray[Any]:
    """Return a read-only array that holds what is given as it is.

    Examples
    --------
    >>> objects(["gold", None, 7]).tolist()
    ['gold', None, 7]
    """
    return frozen(np.fromiter(values, dtype=object, count=len(values)))


def _direction(before: int, after: int, k: int, *, ordered: bool) -> Direction:
    """Return the direction from a place to another, where k stands for no segment and k + 1 for not there."""
    if before >= k:
        return Direction.OUTSIDE if after >= k else Direction.ASSIGNED if before == k else Direction.ENTERED
    if after >= k:
        return Direction.UNASSIGNED if after == k else Direction.LEFT
    return Direction.between(before, after, ordered)

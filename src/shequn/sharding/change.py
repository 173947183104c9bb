"""Who moved from which group to which, why, what did it cost and what did it buy?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label
    from shequn.sharding.shards import Shards

__all__ = ["Change", "GroupChange", "Move", "MoveReason", "Moves"]


class MoveReason(Taxonomy):
    """Why a member goes to another group.

    Examples
    --------
    >>> MoveReason.CLOSED.zh, MoveReason.TIES.en
    ('原群关闭', 'more ties there')
    """

    CLOSED = "closed", "原群关闭", "the group closes"
    OVERFULL = "overfull", "原群超员", "the group is overfull"
    SHORT = "short", "新群缺员", "the new group is short of members"
    LEADER = "leader", "负责人席位", "a leader's seat"
    TOGETHER = "together", "须同群", "must be together"
    APART = "apart", "不得同群", "must be apart"
    TIES = "ties", "联系更多", "more ties there"
    ROOM = "room", "让位", "makes room"
    SPLIT = "split", "群拆分", "the group is split"
    MERGED = "merged", "群合并", "the groups are joined"
    JOINED = "joined", "新加入", "new in the community"


class Move(NamedTuple):
    """One member who goes to a group; the names are those of `Moves.to_columns`.

    Attributes
    ----------
    member : str or int
        Who.
    from_group : str, int or None
        From which group; None for a newcomer.
    to_group : str or int
        To which group.
    reason : MoveReason
        Why.
    gained : float
        Weight of their ties that lie inside a group now and did not before, less that of those which did and do not. Of
        a tie to somebody who moves too it is half, so that all moves, those of newcomers among them, add up to what the
        change gained among those who are here.

    Examples
    --------
    >>> Move(member="ann", from_group="g1", to_group="g2", reason=MoveReason.TIES, gained=12).reason.zh
    '联系更多'
    """

    member: Label
    from_group: Label | None
    to_group: Label
    reason: MoveReason
    gained: float


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return bool(np.array_equal(one, other))


@attrs.frozen(kw_only=True, repr=False)
class Moves(Tabular[Move]):
    """Members who go to groups, a row each.

    Attributes
    ----------
    member, from_group, to_group : ndarray of labels, shape (n,)
        Who, from which group (None for a newcomer) and to which.
    reason : ndarray of MoveReason, shape (n,)
        Why.
    gained : ndarray of float64, shape (n,)
        What the move buys in tie weight, see `Move`.

    Examples
    --------
    >>> from shequn.segmentation.flows import objects
    >>> moves = Moves(
    ...     member=objects(["ann"]),
    ...     from_group=objects(["一群"]),
    ...     to_group=objects(["二群"]),
    ...     reason=objects([MoveReason.TIES]),
    ...     gained=np.array([12.0]),
    ... )
    >>> print(moves.table(lang="zh"))
    成员  从    到    原因      增加联系
    ────────────────────────────────────
    ann   一群  二群  联系更多        12
    """

    member: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=_same))
    from_group: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=_same))
    to_group: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=_same))
    reason: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=_same))
    gained: NDArray[Any] = attrs.field(converter=read_only, eq=attrs.cmp_using(eq=_same))

    _Row: ClassVar[type[Any] | None] = Move

    def __len__(self) -> int:
        """Return the number of members who go."""
        return len(self.member)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="member", en="member", zh="成员", values=self.member),
            Column(key="from_group", en="from", zh="从", values=self.from_group),
            Column(key="to_group", en="to", zh="到", values=self.to_group),
            Column(key="reason", en="reason", zh="原因", values=self.reason),
            Column(key="gained", en="gained", zh="增加联系", values=self.gained, format="number"),
        ]

    def __repr__(self) -> str:
        """Show how many go."""
        return f"Moves({counted(len(self), 'member')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


class GroupChange(NamedTuple):
    """What became of one group; the names are those of `Change.to_columns`.

    Attributes
    ----------
    group : str or int
        The group.
    before : int
        Its members before; 0 for a new one.
    left : int
        Of those, who left the community.
    moved_out, moved_in : int
        Members who went to other groups, and who came from there.
    joined : int
        Newcomers.
    after : int
        Its members afterwards: ``before - left - moved_out + moved_in + joined``; 0 for one that closed.

    Examples
    --------
    >>> GroupChange(group="g1", before=30, left=2, moved_out=1, moved_in=0, joined=3, after=30).after
    30
    """

    group: Label
    before: int
    left: int
    moved_out: int
    moved_in: int
    joined: int
    after: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Change(Tabular[GroupChange]):
    """Groups before and after, and every member who goes; made by `rebalance`, `staff`, `split` and `join_groups`.

    Attributes
    ----------
    before, shards : Shards
        The groups as they were, and as they are now. Groups that live on keep their labels.
    moves : Moves
        Members who were there and are in another group now.
    joined : Moves
        Newcomers and where they are seated.
    left : ndarray of labels
        Who left the community.
    lower_bound : int
        The fewest moves with which the sizes could be kept within bounds, fixed seats being kept, see `fewest_moves`.
    kept_before, kept_after : float
        Share of the tie weight of the graph given that lies inside groups: of the old groups, whoever left among them,
        and of the new ones. NaN where there are no ties.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.sharding.rebalancing import rebalance
    >>> from shequn.sharding.shards import Shards
    >>> graph = InteractionGraph.from_ties([0, 1, 3, 4, 5, 2], [1, 2, 4, 5, 2, 3], n_members=7)
    >>> shards = Shards.of(graph, [0, 0, 0, 1, 1, 1, 1], sizes=(2, 4))
    >>> change = rebalance(shards, graph, left=[0, 1])
    >>> print(change)
    1 moved (1 for the sizes), 0 joined, 2 left; kept inside groups 66.7% before, 50.0% after
    group  before  left  moved out  moved in  joined  after
    ───────────────────────────────────────────────────────
        0       3     2          0         1       0      2
        1       4     0          1         0       0      3
    """

    before: Shards
    shards: Shards
    moves: Moves
    joined: Moves
    left: NDArray[Any] = attrs.field(converter=read_only)
    lower_bound: int
    kept_before: float
    kept_after: float

    _Row: ClassVar[type[Any] | None] = GroupChange

    @property
    def n_moves(self) -> int:
        """Members, of those who were there before, who are in another group now."""
        return len(self.moves)

    def __len__(self) -> int:
        """Return the number of groups, old and new."""
        return len(self._groups())

    def _groups(self) -> list[Label]:
        return list(dict.fromkeys((*self.before.groups, *self.shards.groups)))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        groups = self._groups()
        at = {group: place for place, group in enumerate(groups)}

        def count(labels: Sequence[Label]) -> IntArray:
            places = np.array([at[label] for label in labels], dtype=np.int64)
            return frozen(np.bincount(places, minlength=len(groups)).astype(np.int64))

        def sizes(shards: Shards) -> IntArray:
            found = np.zeros(len(groups), dtype=np.int64)
            found[[at[label] for label in shards.groups]] = shards.sizes
            return frozen(found)

        who_left = self.before.group[self.before.members.codes_of(self.left)]
        return [
            Column(key="group", en="group", zh="群", values=_labels(groups)),
            Column(key="before", en="before", zh="原有", values=sizes(self.before), format="count"),
            Column(
                key="left",
                en="left",
                zh="离开",
                values=count([self.before.groups[code] for code in who_left.tolist()]),
                format="count",
            ),
            Column(
                key="moved_out", en="moved out", zh="迁出", values=count(self.moves.from_group.tolist()), format="count"
            ),
            Column(
                key="moved_in", en="moved in", zh="迁入", values=count(self.moves.to_group.tolist()), format="count"
            ),
            Column(key="joined", en="joined", zh="新加入", values=count(self.joined.to_group.tolist()), format="count"),
            Column(key="after", en="after", zh="现有", values=sizes(self.shards), format="count"),
        ]

    def _title(self, lang: Lang, /) -> str:
        before, after = (f"{share:.1%}" if share == share else "–" for share in (self.kept_before, self.kept_after))  # noqa: PLR0124
        if lang == "zh":
            return (
                f"迁移 {self.n_moves:,} 人（规模所需 {self.lower_bound:,} 人），新加入 {len(self.joined):,} 人，"
                f"离开 {len(self.left):,} 人；群内保留联系由 {before} 变为 {after}"
            )
        return (
            f"{self.n_moves:,} moved ({self.lower_bound:,} for the sizes), {len(self.joined):,} joined, "
            f"{len(self.left):,} left; kept inside groups {before} before, {after} after"
        )

    def __repr__(self) -> str:
        """Show how many moved, and how few could have."""
        return (
            f"Change({self.n_moves:,} moved, {self.lower_bound:,} for the sizes; {len(self.joined):,} joined, "
            f"{len(self.left):,} left; kept {self.kept_before:.3f} -> {self.kept_after:.3f})"
        )

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _labels(groups: list[Label]) -> NDArray[Any]:
    """Return labels as a column: integers where all are."""
    if groups and all(isinstance(group, int) for group in groups):
        return frozen(np.array(groups, dtype=np.int64))
    return frozen(np.fromiter(groups, dtype=object, count=len(groups)))

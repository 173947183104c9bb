"""Who is in which group, and how much of the talk stays inside?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns import Column, Tabular
from shequn.columns.readonly import by_fields, frozen, read_only, read_only_or_none
from shequn.entities.size import OPTIMAL_SIZE, SizeBand
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.sharding.bounds import size_band
from shequn.stats._checks import instance, one_of, plain, plain_array, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["DealtBy", "Seat", "ShardRow", "Shards", "leader_mask"]

DealtBy: TypeAlias = Literal["ties", "attributes", "hash"]

_MOST_WEIGHT = 2.0**62


class ShardRow(NamedTuple):
    """One group.

    Attributes
    ----------
    group : str or int
    size : int
        Its members.
    leaders : int
        Those of them who may lead it.
    inside, across : int or float
        Weight of the ties among its members, and of those to other groups.
    kept : float
        inside / (inside + across); NaN where its members have no ties.

    Examples
    --------
    >>> ShardRow(group="一群", size=30, leaders=2, inside=90, across=10, kept=0.9).kept
    0.9
    """

    group: Label
    size: int
    leaders: int
    inside: float
    across: float
    kept: float


class Seat(NamedTuple):
    """A seat that one newcomer is offered.

    Attributes
    ----------
    group : str, int or None
        The group; None where every group is full.
    weight : int or float
        Weight of the newcomer's ties to its members.
    room : int
        Seats it has left, this one included.

    Examples
    --------
    >>> Seat(group="一群", weight=12, room=3).room
    3
    """

    group: Label | None
    weight: float
    room: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Shards(Tabular[ShardRow]):
    """Everybody in exactly one group.

    `shard` makes one; `Shards.of` measures groups that exist.

    Attributes
    ----------
    members : Index
        The n members.
    groups : Index
        The k groups.
    group : ndarray of int32, shape (n,)
        Code of each member's group in `groups`.
    bounds : SizeBand
        The sizes asked for.
    inside, across : ndarray of int64 or float64, shape (k,)
        Weight of the ties among the members of each group, and of those from it to other groups.
    leaders : ndarray of bool, shape (n,), or None
        Who may lead a group.
    min_leaders : int
        Leaders each group should have.
    dealt_by : {"ties", "attributes", "hash"} or None
        What `shard` went by: ties, or where there are none `cohere` and `spread`, or without those the names of the
        members, as `hash_shards` does; None of groups that were measured. Two can be equal whatever it says.

    Raises
    ------
    MisalignedError, InvalidValueError
        The columns don't fit each other, or a code names no group.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> graph = InteractionGraph.from_ties([0, 2, 1], [1, 3, 2], [5, 4, 1])
    >>> shards = Shards.of(graph, [0, 0, 1, 1], sizes=(2, 2))
    >>> print(shards.table())
    4 members in 2 groups of 2 to 2
    group  size  leaders  tie weight inside  to other groups   kept
    ───────────────────────────────────────────────────────────────
        0     2        0                  5                1  83.3%
        1     2        0                  4                1  80.0%
    Kept inside groups: 90.0% of all tie weight.
    """

    members: Index
    groups: Index
    group: NDArray[np.int32] = attrs.field(converter=read_only)
    bounds: SizeBand
    inside: NDArray[Any] = attrs.field(converter=read_only)
    across: NDArray[Any] = attrs.field(converter=read_only)
    leaders: BoolArray | None = attrs.field(default=None, converter=read_only_or_none)
    min_leaders: int = 0
    dealt_by: DealtBy | None = None

    _Row: ClassVar[type[Any] | None] = ShardRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        n, k = len(self.members), len(self.groups)
        if len(self.group) != n:
            raise MisalignedError(message("group", f"one code for each of {n} members", len(self.group)))
        if n and not 0 <= int(self.group.min()) <= int(self.group.max()) < k:
            raise InvalidValueError(message("group", f"codes of {k} groups", int(self.group.max())))
        if (len(self.inside), len(self.across)) != (k, k):
            got = (len(self.inside), len(self.across))
            raise MisalignedError(message("inside", f"one weight for each of {k} groups", got))
        if self.leaders is not None and len(self.leaders) != n:
            raise MisalignedError(message("leaders", f"one entry for each of {n} members", len(self.leaders)))
        if self.dealt_by is not None:
            one_of("dealt_by", self.dealt_by, get_args(DealtBy))

    @classmethod
    def of(
        cls,
        graph: InteractionGraph,
        assignment: Assignment | Mapping[Label, Label] | ArrayLike,
        /,
        *,
        sizes: SizeBand | tuple[int, int] = OPTIMAL_SIZE,
        leaders: ArrayLike | None = None,
        min_leaders: int = 0,
    ) -> Shards:
        """Measure groups, wherever they come from.

        Parameters
        ----------
        graph : InteractionGraph
        assignment : Assignment, mapping of member to group, or array_like of int, shape (n,)
            The group of each member of the graph; of an array, codes from 0 on.
        sizes : (int, int) or SizeBand
            The sizes the groups should have; `audit` tells which have not.
        leaders : array_like of bool, shape (n,), or labels, optional
            Who may lead a group.
        min_leaders : int, default 0
            Leaders each group should have.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
            An argument can't be used, or somebody is in no group.

        Examples
        --------
        >>> from shequn.graph import InteractionGraph
        >>> graph = InteractionGraph.from_ties([0, 2], [1, 3])
        >>> Shards.of(graph, [0, 0, 1, 1], sizes=(2, 2)).kept
        1.0
        """
        instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
        groups, codes = _codes_of(assignment, graph)
        inside, across = _weights_by_group(graph, codes, len(groups))
        return cls(
            members=graph.members,
            groups=groups,
            group=frozen(codes.astype(np.int32)),
            bounds=size_band("sizes", sizes),
            inside=frozen(inside),
            across=frozen(across),
            leaders=None if leaders is None else leader_mask(leaders, graph.members),
            min_leaders=_at_least_none("min_leaders", min_leaders),
        )

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.groups)

    @property
    def sizes(self) -> IntArray:
        """Members of each group, shape (n_groups,)."""
        return frozen(np.bincount(self.group, minlength=len(self.groups)))

    @property
    def assignment(self) -> Assignment:
        """The group of each member, as every ``by=`` takes it."""
        return Assignment(members=self.members, codes=self.group, segments=self.groups)

    @property
    def n_leaders(self) -> IntArray:
        """Leaders in each group, shape (n_groups,)."""
        if self.leaders is None:
            return frozen(np.zeros(len(self.groups), dtype=np.int64))
        return frozen(np.bincount(self.group[self.leaders], minlength=len(self.groups)))

    @property
    def kept_weight(self) -> float:
        """Weight of the ties inside groups."""
        total: float = self.inside.sum().item()
        return total

    @property
    def total_weight(self) -> float:
        """Weight of all ties."""
        across: float = self.across.sum().item() / 2
        return self.kept_weight + across

    @property
    def kept(self) -> float:
        """Share of the weight of ties that lies inside groups; NaN where there are no ties."""
        return self.kept_weight / self.total_weight if self.total_weight else float("nan")

    def of_member(self, member: Label, /) -> Label:
        """Return the group of a member.

        Raises
        ------
        UnknownLabelError
            There is no such member.
        """
        return self.groups[int(self.group[self.members.code(member, argument="member")])]

    def mask(self, group: Label, /) -> BoolArray:
        """Return who is in a group, shape (n_members,)."""
        return frozen(self.group == self.groups.code(group, argument="group"))

    def place(self, ties: Mapping[Label, float], /) -> Seat:
        """Offer a newcomer a seat: in the group with room that they have the strongest ties to.

        Of groups that are tied, the smallest, and of these the first. It is what `place_all` answers for one member.

        Parameters
        ----------
        ties : mapping of member to number
            Whom the newcomer knows, and how well; nobody is fine.

        Raises
        ------
        UnknownLabelError
            Somebody is no member.
        InvalidValueError
            A weight is negative or NaN.

        Examples
        --------
        >>> from shequn.graph import InteractionGraph
        >>> shards = Shards.of(InteractionGraph.from_ties([0, 2], [1, 3]), [0, 0, 1, 1], sizes=(2, 3))
        >>> shards.place({2: 5, 0: 1})
        Seat(group=1, weight=5, room=1)
        """
        instance("ties", ties, Mapping, expected="a mapping of member to weight")
        known = [self.members.code(member, argument="ties") for member in ties]
        weight = np.zeros(len(self.groups), dtype=object)
        for code, given in zip(known, ties.values(), strict=True):
            value = plain(given)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise InvalidTypeError(message("ties", "numbers as weights", given))
            if not 0 <= value < _MOST_WEIGHT:
                raise InvalidValueError(message("ties", "finite weights of 0 or more", given))
            weight[self.group[code]] += value
        sizes = self.sizes.tolist()
        best = min(
            (code for code, size in enumerate(sizes) if size < self.bounds.hi),
            key=lambda code: (-weight[code], sizes[code], code),
            default=None,
        )
        if best is None:
            return Seat(group=None, weight=0, room=0)
        return Seat(group=self.groups[best], weight=weight[best], room=self.bounds.hi - sizes[best])

    def place_all(self, graph: InteractionGraph, /) -> Assignment:
        """Offer each member of another graph a seat, each as if they came alone.

        Parameters
        ----------
        graph : InteractionGraph
            Of newcomers, and of the members they are tied to. Who is a member already keeps their group.

        Returns
        -------
        Assignment
            Over ``graph.members``; without group who finds every group full.

        Examples
        --------
        >>> from shequn.graph import InteractionGraph
        >>> shards = Shards.of(InteractionGraph.from_ties([0, 2], [1, 3]), [0, 0, 1, 1], sizes=(2, 3))
        >>> shards.place_all(InteractionGraph.from_ties([4], [3])).of(4)
        1
        """
        instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
        n, k = len(graph), len(self.groups)
        at = self.members.places_of(graph.members)
        group = np.where(at >= 0, self.group.take(at, mode="clip") if len(self.group) else -1, -1).astype(np.int64)
        sizes = self.sizes
        free = np.flatnonzero(sizes < self.bounds.hi)
        if not len(free):
            return Assignment(members=graph.members, codes=group, segments=self.groups)
        ties = graph.neighbours()
        rows = ties.rows()
        counts = np.flatnonzero((group[rows] < 0) & (group[ties.neighbour] >= 0))
        to = group[ties.neighbour[counts]]
        counts, to = counts[sizes[to] < self.bounds.hi], to[sizes[to] < self.bounds.hi]
        pair, place = np.unique(rows[counts] * k + to, return_inverse=True)
        weight = np.zeros(len(pair), dtype=ties.weight.dtype)
        np.add.at(weight, place, ties.weight[counts])
        who, which = pair // max(k, 1), pair % max(k, 1)
        order = np.lexsort((which, sizes[which], -weight, who))
        first = order[np.concatenate([[True], who[order][1:] != who[order][:-1]])] if len(order) else order
        best = np.full(n, free[np.lexsort((free, sizes[free]))[0]], dtype=np.int64)
        best[who[first]] = which[first]
        return Assignment(members=graph.members, codes=np.where(group >= 0, group, best), segments=self.groups)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        weights: Literal["number", "count"] = "number" if self.inside.dtype.kind == "f" else "count"
        total = self.inside + self.across
        kept = np.divide(self.inside, total, out=np.full(len(total), np.nan), where=total > 0)
        return [
            Column(key="group", en="group", zh="群", values=self.groups.labels, format="text"),
            Column(key="size", en="size", zh="人数", values=self.sizes, format="count"),
            Column(key="leaders", en="leaders", zh="负责人", values=self.n_leaders, format="count"),
            Column(key="inside", en="tie weight inside", zh="群内联系", values=self.inside, format=weights),
            Column(key="across", en="to other groups", zh="群外联系", values=self.across, format=weights),
            Column(key="kept", en="kept", zh="群内占比", values=kept, format="rate"),
        ]

    def _title(self, lang: Lang, /) -> str | None:
        lo, hi = self.bounds.lo, self.bounds.hi
        if lang == "zh":
            return f"{len(self.members):,} 人，{len(self.groups):,} 个群，每群 {lo:,}–{hi:,} 人"
        return f"{counted(len(self.members), 'member')} in {counted(len(self.groups), 'group')} of {lo:,} to {hi:,}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not self.total_weight:
            how = _DEALT_WITHOUT_TIES.get(self.dealt_by or "")
            no_ties = "没有联系可保留。" if lang == "zh" else "There are no ties to keep."
            return [no_ties] if how is None else [how[lang == "zh"], no_ties]
        share = f"{self.kept:.1%}"
        return [f"群内联系占全部的 {share}。" if lang == "zh" else f"Kept inside groups: {share} of all tie weight."]

    def __eq__(self, other: object) -> bool:
        """Return whether both have the same members in the same groups, under the same bounds and leaders."""
        if not isinstance(other, Shards):
            return NotImplemented
        same = self.members == other.members and self.groups == other.groups and self.bounds == other.bounds
        same = same and self.min_leaders == other.min_leaders and np.array_equal(self.group, other.group)
        pairs = ((self.inside, other.inside), (self.across, other.across), (self.leaders, other.leaders))
        return same and all(np.array_equal(a, b) if a is not None and b is not None else a is b for a, b in pairs)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Shards], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the size and how much is kept."""
        size = f"{counted(len(self.members), 'member')} in {counted(len(self.groups), 'group')}"
        size += f" of {self.bounds.lo:,}–{self.bounds.hi:,}"
        how = f", dealt by {self.dealt_by}" if self.dealt_by in _DEALT_WITHOUT_TIES else ""
        return f"Shards({size}, kept {self.kept:.3f}{how})"


_DEALT_WITHOUT_TIES = {
    "attributes": ("Dealt by attributes of the members.", "按成员属性分群。"),
    "hash": ("Dealt by hashing the names of the members.", "按成员名称哈希分群。"),
}


def leader_mask(leaders: ArrayLike, members: Index, /) -> BoolArray:
    """Return who may lead, shape (n_members,), of a mask or of labels.

    Raises
    ------
    MisalignedError
        A mask has not one entry for each member.
    InvalidValueError
        Somebody stands twice.
    UnknownLabelError
        Somebody is no member.

    Examples
    --------
    >>> leader_mask(["bo"], Index(["ann", "bo"])).tolist()
    [False, True]
    """
    if isinstance(leaders, (set, frozenset)):
        leaders = list(leaders)
    given = plain_array("leaders", leaders, expected="a mask of members, or their labels")
    if given.dtype == np.bool_:
        if given.shape != (len(members),):
            raise MisalignedError(message("leaders", f"one entry for each of {len(members)} members", given.shape))
        return given.copy()
    mask = np.zeros(len(members), dtype=np.bool_)
    for row, label in enumerate(given.ravel().tolist()):
        code = members.code(label, argument="leaders")
        if mask[code]:  # as of a mask of 0 and 1, whose numbers would pass for labels
            expected = "each member once, or a mask of True and False"
            raise InvalidValueError(message("leaders", expected, label, row=row))
        mask[code] = True
    return mask


def _weights_by_group(graph: InteractionGraph, codes: IntArray, n_groups: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the weight of the ties inside each group and from it to others, each tie in both directions together."""
    inside, across = (np.zeros(n_groups, dtype=graph.weight.dtype) for _ in range(2))
    source, target = codes.take(graph.source), codes.take(graph.target)
    stays = source == target
    np.add.at(inside, source[stays], graph.weight[stays])
    for side in (source, target):
        np.add.at(across, side[~stays], graph.weight[~stays])
    return inside, across


def _codes_of(
    assignment: Assignment | Mapping[Label, Label] | ArrayLike, graph: InteractionGraph
) -> tuple[Index, IntArray]:
    members = graph.members
    if isinstance(assignment, Assignment):
        given = assignment.align(members)
        groups, codes = given.segments, given.codes.astype(np.int64)
    elif isinstance(assignment, Mapping):
        given = Assignment.from_mapping(assignment)
        codes = np.full(len(members), -1, dtype=np.int64)
        codes[[members.code(member, argument="assignment") for member in given.members]] = given.codes
        groups = given.segments
    else:
        array = plain_array("assignment", assignment, expected="an Assignment, a mapping, or a code for each member")
        if array.dtype.kind not in "iu" and array.size:
            raise InvalidTypeError(message("assignment", "codes of groups, from 0 on", array.dtype.name))
        if array.shape != (len(members),):
            expected = f"one group for each of {len(members)} members"
            raise MisalignedError(message("assignment", expected, array.shape))
        codes = array.astype(np.int64)
        groups = Index.positional(int(codes.max(initial=-1)) + 1)
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        expected = "a group for each member"
        raise InvalidValueError(
            message("assignment", expected, members[row], row=row, bad=int((codes < 0).sum()), total=len(codes))
        )
    return groups, codes


def _at_least_none(argument: str, number: int) -> int:
    found = whole(argument, number)
    if found < 0:
        raise InvalidValueError(message(argument, "0 or more", found))
    return found

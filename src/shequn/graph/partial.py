"""A graph of a part of the rows: it can be merged with those of the other parts, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.readonly import by_fields
from shequn.errors import InvalidTypeError, counted, message
from shequn.graph._checking import (
    instants_of_ties,
    require_ties,
    rows_to_oneself,
    sources_of_ties,
    targets_of_ties,
    weights_of_ties,
)
from shequn.graph._summing import TieColumns, summed
from shequn.graph.interactions import InteractionGraph, ties_of_log
from shequn.labels import Index
from shequn.labels.order import ascending_order
from shequn.stats._checks import instance
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns import EventLog
    from shequn.columns.kinds import UnknownKinds

__all__ = ["PartialGraph"]

_NOBODY = Index()


def _nothing() -> IntArray:
    return np.zeros(0, dtype=np.int64)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PartialGraph:
    """Ties found in a part of a log, split in whatever way; the graph of the whole is that of all parts merged.

    A part knows some of a member's ties and not others: what could be read off it would be wrong. So it merges,
    exports, and turns into an `InteractionGraph` once all parts are in it.

    Attributes
    ----------
    members : Index
        Whoever stands in the part, ascending.
    source, target, weight, last_us : ndarray, shape (n_ties,)
        As of an `InteractionGraph`.
    n_self : int
        Rows in which a member talked to themselves.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["ann", "bo"], kind="reply", at=[0, 1], time_unit="s", target=["bo", "ann"])
    >>> parts = [PartialGraph.of(log.where(rows=[row])) for row in (0, 1)]
    >>> parts[0].merge(parts[1]).whole()
    InteractionGraph(2 members, 2 ties)
    """

    members: Index = _NOBODY
    source: IntArray = attrs.field(factory=_nothing, converter=sources_of_ties)
    target: IntArray = attrs.field(factory=_nothing, converter=targets_of_ties)
    weight: NDArray[Any] = attrs.field(factory=_nothing, converter=weights_of_ties)
    last_us: IntArray = attrs.field(factory=_nothing, converter=instants_of_ties)
    n_self: int = attrs.field(default=0, converter=rows_to_oneself)

    def __attrs_post_init__(self) -> None:
        """Check that the ties stand in order, each once, between members there are."""
        require_ties(self.members, TieColumns(self.source, self.target, self.weight, self.last_us))

    @classmethod
    def of(
        cls,
        log: EventLog,
        /,
        *,
        kinds: Collection[str] | str | None = None,
        weight: str = "rows",
        unknown_kinds: UnknownKinds = "warn",
    ) -> PartialGraph:
        """Tie the members of a part of a log, as `InteractionGraph.from_log` does those of a whole one."""
        members, columns, n_self = ties_of_log(log, kinds=kinds, weight=weight, unknown_kinds=unknown_kinds)
        there = np.zeros(len(members), dtype=np.bool_)
        there[members.places_of(log.members).take(each_once(log.member_codes))] = True
        if log.target is not None:
            named = each_once(log.target.codes)
            there[members.places_of(log.target.index).take(named[named >= 0])] = True
        return cls._ascending(members, there, columns, n_self)

    @classmethod
    def _ascending(cls, members: Index, there: NDArray[np.bool_], columns: TieColumns, n_self: int) -> PartialGraph:
        """Return a part whose members, of whom some are there, stand in ascending order."""
        held = np.flatnonzero(there)
        order = held.take(ascending_order(members.labels[held]))
        at = np.full(len(members), -1, dtype=np.int64)
        at[order] = np.arange(len(order))
        ties = summed(columns._replace(source=at.take(columns.source), target=at.take(columns.target)), len(order))
        return cls(
            members=members.take(order),
            source=ties.source,
            target=ties.target,
            weight=ties.weight,
            last_us=_nothing() if ties.last_us is None else ties.last_us,
            n_self=n_self,
        )

    def merge(self, other: PartialGraph, /) -> PartialGraph:
        """Return the ties of both parts; which comes first makes no difference.

        Integer weights are exact. Sums of floats may differ in the last digit with how many parts there were.

        Raises
        ------
        InvalidTypeError
            Members of one are `str` and of the other `int`, or `other` is no part.
        """
        if not isinstance(other, PartialGraph):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a PartialGraph", other))
        members = self.members.union(other.members, argument="other")
        at = [members.places_of(part.members).astype(np.int64) for part in (self, other)]
        columns = TieColumns(
            np.concatenate([at[0].take(self.source), at[1].take(other.source)]),
            np.concatenate([at[0].take(self.target), at[1].take(other.target)]),
            np.concatenate([self.weight, other.weight]),
            np.concatenate([self.last_us, other.last_us]),
        )
        everybody = np.ones(len(members), dtype=np.bool_)
        return PartialGraph._ascending(members, everybody, columns, self.n_self + other.n_self)

    def whole(self, members: Index | None = None, /) -> InteractionGraph:
        """Return the graph, once all parts are merged; of members in ascending order, or of these.

        Raises
        ------
        UnknownLabelError
            Somebody who has a tie is not among `members`.
        """
        graph = InteractionGraph(
            members=self.members,
            source=self.source,
            target=self.target,
            weight=self.weight,
            last_us=self.last_us,
            n_self=self.n_self,
        )
        if members is None:
            return graph
        instance("members", members, Index, expected="an Index")
        for member in each_once(np.concatenate([self.source, self.target])).tolist():
            members.code(self.members[member], argument="members")
        return attrs.evolve(graph.align(members), n_self=self.n_self)

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return one row a tie: source and target as labels, weight, and the last instant."""
        return self.whole().to_columns()

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same members and ties."""
        if not isinstance(other, PartialGraph):
            return NotImplemented
        return self.whole() == other.whole()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., PartialGraph], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the size of the part."""
        return f"PartialGraph({counted(len(self.members), 'member')}, {counted(len(self.source), 'tie')})"

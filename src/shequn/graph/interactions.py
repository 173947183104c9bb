"""Who talks to whom, how much, and when last?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

import attrs
import numpy as np

from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.columns.readonly import by_fields, frozen
from shequn.errors import (
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    UnknownLabelError,
    counted,
    message,
    suggest,
)
from shequn.graph._checking import (
    MOST_MEMBERS,
    instants_of_ties,
    require_members,
    require_no_self,
    require_ties,
    rows_to_oneself,
    sources_of_ties,
    targets_of_ties,
    weights_of_ties,
)
from shequn.graph._summing import TieColumns, summed, turned
from shequn.graph.neighbours import Neighbours
from shequn.labels import Coded, Index
from shequn.stats._checks import instance, one_of, plain_array, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.columns.kinds import UnknownKinds

__all__ = ["Direction", "InteractionGraph", "ties_of_log"]

Direction: TypeAlias = Literal["both", "out", "in"]
_WEIGHT_KINDS = "iuf"


def _or_none(last_us: ArrayLike | None) -> IntArray | None:
    return None if last_us is None else instants_of_ties(last_us)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class InteractionGraph:
    """Members, and directed ties between them: who talked to whom, how much, and when last.

    Build one with `from_log` or `from_ties`. Nobody is tied to themselves, and each tie stands once.

    Attributes
    ----------
    members : Index
        The n members, with or without ties.
    source, target : ndarray of int64, shape (n_ties,)
        Codes of who talked and whom they talked to, in order of (source, target).
    weight : ndarray of int64 or float64, shape (n_ties,)
        How much, more than 0.
    last_us : ndarray of int64, shape (n_ties,), or None
        When last: microseconds since 1970-01-01T00:00Z; None where ties came without instants.
    n_self : int
        Rows of the log in which a member talked to themselves; they make no tie.

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1, 2], [1, 0, 1], [3, 1, 2])
    >>> graph
    InteractionGraph(3 members, 3 ties)
    >>> graph.neighbours().of(1)
    (array([0, 2]), array([4, 2]))
    """

    members: Index
    source: IntArray = attrs.field(converter=sources_of_ties)
    target: IntArray = attrs.field(converter=targets_of_ties)
    weight: NDArray[Any] = attrs.field(converter=weights_of_ties)
    last_us: IntArray | None = attrs.field(default=None, converter=_or_none)
    n_self: int = attrs.field(default=0, converter=rows_to_oneself)

    def __attrs_post_init__(self) -> None:
        """Check that the ties stand in order, each once, between members there are."""
        require_ties(self.members, TieColumns(self.source, self.target, self.weight, self.last_us))

    @classmethod
    def from_log(
        cls,
        log: EventLog,
        /,
        *,
        kinds: Collection[str] | str | None = None,
        weight: str = "rows",
        members: Index | None = None,
        unknown_kinds: UnknownKinds = "warn",
    ) -> InteractionGraph:
        """Tie each member to those their events are directed at: ``member`` to ``target``.

        Parameters
        ----------
        log : EventLog
            Rows without a target make no tie.
        kinds : collection of str, optional
            Kinds of event that count; by default all that are activity.
        weight : str, default "rows"
            How much a tie weighs: its number of rows, or the sum of a column of numbers.
        members : Index, optional
            Whom the graph is about; by default whoever stands in the log as member or as target.
        unknown_kinds : {"warn", "ignore", "raise"}
            What to do about a kind that the log does not know.

        Raises
        ------
        UnknownLabelError
            The log has no such column, or somebody who has a tie is not among `members`.
        InvalidValueError
            A weight is negative or NaN; a row that weighs 0 makes no tie.

        Examples
        --------
        >>> log = EventLog.from_columns(
        ...     member=["ann", "bo", "ann"], kind="reply", at=[0, 1, 2], time_unit="s", target=["bo", "ann", "bo"]
        ... )
        >>> InteractionGraph.from_log(log).to_columns()["weight"].tolist()
        [2, 1]
        """
        index, columns, n_self = ties_of_log(log, kinds=kinds, weight=weight, unknown_kinds=unknown_kinds)
        if members is not None:
            instance("members", members, Index, expected="an Index")
            columns = _among(columns, index, members)
            index = members
        source, target, weights, last_us = summed(columns, len(index))
        return cls(members=index, source=source, target=target, weight=weights, last_us=last_us, n_self=n_self)

    @classmethod
    def from_ties(
        cls,
        source: ArrayLike,
        target: ArrayLike,
        weight: ArrayLike | None = None,
        /,
        *,
        n_members: int | None = None,
        members: Index | None = None,
        self_ties: Literal["raise", "drop"] = "raise",
    ) -> InteractionGraph:
        """Build a graph of ties that exist as columns; ties that stand several times are summed.

        Parameters
        ----------
        source, target : array_like, shape (m,)
            Codes from 0 on; with `members`, their labels.
        weight : array_like of numbers, shape (m,), optional
            0 or more; by default 1 each. A tie of weight 0 is none.
        n_members : int, optional
            By default one more than the largest code.
        members : Index, optional
            Labels of all members.
        self_ties : {"raise", "drop"}
            What to do about a tie of somebody to themselves.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
            A column can't be used: a weight is negative, NaN or infinite, a member is out of range or unknown.

        Examples
        --------
        >>> InteractionGraph.from_ties(["ann"], ["bo"], members=Index(["ann", "bo", "cy"]))
        InteractionGraph(3 members, 1 tie)
        """
        one_of("self_ties", self_ties, ("raise", "drop"))
        if members is None:
            codes = [_codes("source", source), _codes("target", target)]
            most = max((int(code.max()) + 1 for code in codes if len(code)), default=0)
            index = Index.positional(most if n_members is None else _n_members(n_members))
            for name, code in zip(("source", "target"), codes, strict=True):
                require_members(name, code, len(index))
        else:
            instance("members", members, Index, expected="an Index")
            if n_members is not None and whole("n_members", n_members) != len(members):
                raise MisalignedError(message("n_members", f"the number of members ({len(members)})", n_members))
            index = members
            codes = [_codes_of("source", source, members), _codes_of("target", target, members)]
        weights = np.ones(len(codes[0]), dtype=np.int64) if weight is None else _weights(weight)
        if len({len(codes[0]), len(codes[1]), len(weights)}) != 1:
            got = (len(codes[0]), len(codes[1]), len(weights))
            raise MisalignedError(message("source", "as many sources as targets and weights", got))
        _checked_weights(weights, "weight", zero=True)
        is_self = codes[0] == codes[1]
        if self_ties == "raise":
            require_no_self(*codes)
        keep = np.flatnonzero(~is_self & (weights > 0))
        columns = summed(TieColumns(codes[0].take(keep), codes[1].take(keep), weights.take(keep), None), len(index))
        return cls(
            members=index,
            source=columns.source,
            target=columns.target,
            weight=columns.weight,
            n_self=int(is_self.sum()),
        )

    @property
    def n_members(self) -> int:
        """Number of members, those without ties included."""
        return len(self.members)

    @property
    def n_ties(self) -> int:
        """Number of directed ties."""
        return len(self.source)

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def neighbours(self, direction: Direction = "both", /) -> Neighbours:
        """Return each member's neighbours: whom they talk to ("out"), who talks to them ("in"), or both, summed.

        Examples
        --------
        >>> graph = InteractionGraph.from_ties([0, 1, 2], [1, 0, 1], [3, 1, 2])
        >>> graph.neighbours("in").degree.tolist(), graph.neighbours("both").strength.tolist()
        ([1, 2, 0], [4, 6, 2])
        """
        one_of("direction", direction, get_args(Direction))
        columns = TieColumns(self.source, self.target, self.weight, None)
        if direction == "in":
            columns = turned(columns)
        elif direction == "both":
            columns = summed(_stacked(columns, turned(columns)), len(self), pairs=True)
        offsets = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(np.bincount(columns.source, minlength=len(self)), out=offsets[1:])
        return Neighbours(offsets=frozen(offsets), neighbour=frozen(columns.target), weight=frozen(columns.weight))

    def align(self, members: Index, /) -> InteractionGraph:
        """Return the graph of other members: ties of those who are not among them are left out, new ones have none.

        Examples
        --------
        >>> graph = InteractionGraph.from_ties(["ann"], ["bo"], members=Index(["ann", "bo"]))
        >>> graph.align(Index(["bo", "cy", "ann"])).source.tolist()
        [2]
        """
        instance("members", members, Index, expected="an Index")
        if members is self.members:
            return self
        at = members.places_of(self.members).astype(np.int64)
        source, target = at.take(self.source), at.take(self.target)
        keep = np.flatnonzero((source >= 0) & (target >= 0))
        last_us = None if self.last_us is None else self.last_us.take(keep)
        columns = TieColumns(source.take(keep), target.take(keep), self.weight.take(keep), last_us)
        ties = summed(columns, len(members))
        return InteractionGraph(
            members=members,
            source=ties.source,
            target=ties.target,
            weight=ties.weight,
            last_us=ties.last_us,
            n_self=self.n_self,
        )

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return one row a tie: source and target as labels, weight, and the last instant where it is known.

        Examples
        --------
        >>> list(InteractionGraph.from_ties([0], [1]).to_columns())
        ['source', 'target', 'weight']
        """
        labels = self.members.labels
        columns = {"source": labels[self.source], "target": labels[self.target], "weight": self.weight}
        return columns if self.last_us is None else {**columns, "last_at": self.last_us.view("datetime64[us]")}

    def __eq__(self, other: object) -> bool:
        """Return whether both have the same members in the same order, and the same ties."""
        if not isinstance(other, InteractionGraph):
            return NotImplemented
        if self.members != other.members or (self.last_us is None) is not (other.last_us is None):
            return False
        names = ("source", "target", "weight") if self.last_us is None else ("source", "target", "weight", "last_us")
        return self.n_self == other.n_self and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in names
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., InteractionGraph], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the size of the graph, not its ties."""
        return f"InteractionGraph({counted(self.n_members, 'member')}, {counted(self.n_ties, 'tie')})"


def ties_of_log(
    log: EventLog, /, *, kinds: Collection[str] | str | None, weight: str, unknown_kinds: UnknownKinds
) -> tuple[Index, TieColumns, int]:
    """Return who stands in a log as member or target, a tie for each row that counts, and how many were to oneself."""
    instance("log", log, EventLog, expected="an EventLog")
    is_meant = of_kinds(log, kinds, unknown_kinds=unknown_kinds)
    weights = _weights_of_rows(log, weight)
    if log.target is None or not len(log):
        none = np.zeros(0, dtype=np.int64)
        return log.members, TieColumns(none, none, weights[:0], none), 0
    members = log.members.union(log.target.index, argument="target")
    counts = is_meant[log.kind_codes] & (log.target.codes >= 0)
    _checked_weights(weights, weight, zero=True, where=counts)
    rows = np.flatnonzero(counts & (weights > 0))
    source = members.places_of(log.members).take(log.member_codes.take(rows)).astype(np.int64)
    target = members.places_of(log.target.index).take(log.target.codes.take(rows)).astype(np.int64)
    others = np.flatnonzero(source != target)
    kept = rows.take(others)
    columns = TieColumns(source.take(others), target.take(others), weights.take(kept), log.at_us.take(kept))
    return members, columns, len(rows) - len(others)


def _weights_of_rows(log: EventLog, weight: str) -> NDArray[Any]:
    instance("weight", weight, str, expected='"rows" or the name of a column of numbers')
    if weight == "rows":
        return np.ones(len(log), dtype=np.int64)
    column = log.column(weight, argument="weight")
    if isinstance(column, Coded) or column.dtype.kind not in _WEIGHT_KINDS:
        raise InvalidTypeError(message("weight", '"rows" or the name of a column of numbers', weight))
    return column


def _stacked(one: TieColumns, other: TieColumns) -> TieColumns:
    source, target, weight = (np.concatenate(pair) for pair in zip(one[:3], other[:3], strict=True))
    return TieColumns(source, target, weight, None)


def _among(columns: TieColumns, index: Index, members: Index) -> TieColumns:
    """Return ties by the codes of the members a caller named."""
    at = members.places_of(index).astype(np.int64)
    source, target = at.take(columns.source), at.take(columns.target)
    for codes, found in ((columns.source, source), (columns.target, target)):
        if (found < 0).any():
            label = index[int(codes[found < 0][0])]
            text = message("members", "an index of whoever has a tie", label)
            raise UnknownLabelError(text + "; leave the rows of others out first")
    return columns._replace(source=source, target=target)


def _n_members(n_members: int) -> int:
    number = whole("n_members", n_members)
    if not 0 <= number <= MOST_MEMBERS:
        raise InvalidValueError(message("n_members", "0 or more, and less than 2**31", number))
    return number


def _codes(argument: str, codes: ArrayLike) -> IntArray:
    given = plain_array(argument, codes, expected="a column of codes of members")
    if given.ndim != 1:
        raise InvalidValueError(message(argument, "one dimension", given.shape))
    if given.dtype.kind not in "iu" and given.size:
        raise InvalidTypeError(message(argument, "whole numbers, or labels together with members=", given.dtype.name))
    if given.size and int(given.max()) > MOST_MEMBERS:
        raise InvalidValueError(message(argument, "codes of members, less than 2**31", int(given.max())))
    return given.astype(np.int64)


def _codes_of(argument: str, labels: ArrayLike, members: Index) -> IntArray:
    given, rows = Index.encode(labels, argument=argument)
    codes = members.places_of(given).astype(np.int64)[rows]
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        label = plain_array(argument, labels, expected="a column of labels")[row]
        text = message(argument, "labels of members", label, row=row, bad=int((codes < 0).sum()), total=len(codes))
        raise UnknownLabelError(text + suggest(label, members))
    return codes


def _weights(weight: ArrayLike) -> NDArray[Any]:
    given = plain_array("weight", weight, expected="a column of numbers")
    if given.ndim != 1:
        raise InvalidValueError(message("weight", "one dimension", given.shape))
    if given.dtype.kind not in _WEIGHT_KINDS and given.size:
        raise InvalidTypeError(message("weight", "numbers", given.dtype.name))
    if given.dtype.kind == "u" and given.size and int(given.max()) > np.iinfo(np.int64).max:
        refuse("weight", "whole numbers below 2**63", given, given > np.iinfo(np.int64).max)
    return given.astype(np.float64 if given.dtype.kind == "f" else np.int64)


def _checked_weights(
    weight: NDArray[Any], argument: str, *, zero: bool = False, where: NDArray[np.bool_] | None = None
) -> None:
    bad = ~(weight >= 0) if zero else ~(weight > 0)
    if weight.dtype.kind == "f":
        bad |= np.isinf(weight)
    if where is not None:
        bad &= where
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        expected = f"finite weights {'of 0 or more' if zero else 'above 0'}"
        raise InvalidValueError(
            message(argument, expected, weight[row].item(), row=row, bad=int(bad.sum()), total=len(weight))
        )

"""How mixed are the groups: by city, by tier, by any attribute of their members?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.sharding.attributes import attribute_of
from shequn.sharding.shards import Shards
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Index, Label
    from shequn.sharding.attributes import Attribute, ByMember

__all__ = ["Mixture", "MixtureRow", "commonest", "mixture", "mixture_of"]


class MixtureRow(NamedTuple):
    """One group.

    Attributes
    ----------
    group : str or int
    size : int
        Its members.
    most_common : str, int or None
        The value that most of them have, of several the first; None where that is the unknown one, or nobody is there.
    n_most_common : int
        How many have it.
    share : float
        n_most_common / size; NaN where nobody is there.
    n_values : int
        How many different values its members have.

    Examples
    --------
    >>> MixtureRow(group="一群", size=30, most_common="上海", n_most_common=24, share=0.8, n_values=3).share
    0.8
    """

    group: Label
    size: int
    most_common: Label | None
    n_most_common: int
    share: float
    n_values: int


def _values(values: Iterable[Label | None]) -> tuple[Label | None, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True, repr=False)
class Mixture(Tabular[MixtureRow]):
    """Which values the members of each group have; made by `mixture`.

    Attributes
    ----------
    groups : Index
        The k groups.
    values : tuple of str, int or None
        The v values; None stands for members whose value nobody knows, and counts like any other.
    counts : ndarray of int64, shape (v,)
        How many members have each value.
    sizes, most_common, n_most_common, n_values, pairs_alike : ndarray of int64, shape (k,)
        Of each group: its members; the place in `values` of the value that most have, -1 if nobody is there; how many
        have it; how many values there are; and how many pairs of its members have the same one.

    Raises
    ------
    MisalignedError, InvalidValueError
        The columns don't fit each other.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> shards = Shards.of(InteractionGraph.from_ties([0, 2], [1, 3], n_members=5), [0, 0, 1, 1, 1], sizes=(2, 3))
    >>> found = mixture(shards, ["沪", "沪", "沪", "京", None])
    >>> print(found)
    5 members in 2 groups, 3 values
    group  size  most common  members   share  values
    ─────────────────────────────────────────────────
        0     2  沪                 2  100.0%       1
        1     3  沪                 1   33.3%       3
    Alike throughout: 1 of 2 groups, 2 members (40.0%).
    Pairs within groups who are alike: 25.0%; dealt at random, 30.0%.
    """

    groups: Index
    values: tuple[Label | None, ...] = attrs.field(converter=_values)
    counts: IntArray = counts_field()
    sizes: IntArray = counts_field()
    most_common: IntArray = counts_field()
    n_most_common: IntArray = counts_field()
    n_values: IntArray = counts_field()
    pairs_alike: IntArray = counts_field()

    _Row: ClassVar[type[Any] | None] = MixtureRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        if len(self.counts) != len(self.values):
            raise MisalignedError(message("counts", f"one for each of {len(self.values)} values", len(self.counts)))
        for name in ("sizes", "most_common", "n_most_common", "n_values", "pairs_alike"):
            if getattr(self, name).shape != (len(self.groups),):
                expected = f"one entry for each of {len(self.groups)} groups"
                raise MisalignedError(message(name, expected, getattr(self, name).shape))
        bad = (self.most_common < -1) | (self.most_common >= len(self.values))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            expected = f"places of {len(self.values)} values, or -1"
            raise InvalidValueError(message("most_common", expected, int(self.most_common[row]), row=row))

    @property
    def shares(self) -> FloatArray:
        """Share of each group's members who have its most common value, shape (n_groups,); NaN where there are none."""
        nothing = np.full(len(self.sizes), np.nan)
        return frozen(np.divide(self.n_most_common, self.sizes, out=nothing, where=self.sizes > 0))

    @property
    def is_pure(self) -> BoolArray:
        """Which groups have members of one value alone, shape (n_groups,)."""
        return frozen(self.n_values == 1)

    @property
    def n_pure(self) -> int:
        """How many members sit in such groups."""
        return int(self.sizes[self.is_pure].sum())

    @property
    def alike(self) -> float:
        """Share of the pairs of members of one group who have the same value; NaN where there are no pairs."""
        pairs = int((self.sizes * (self.sizes - 1) // 2).sum())
        return int(self.pairs_alike.sum()) / pairs if pairs else float("nan")

    @property
    def alike_at_random(self) -> float:
        """What `alike` is on average where members are dealt at random into groups of these sizes.

        It is the share among all pairs there are, ``Σ c (c - 1) / N (N - 1)``, whatever the sizes.
        """
        n = int(self.counts.sum())
        return int((self.counts * (self.counts - 1)).sum()) / (n * (n - 1)) if n > 1 else float("nan")

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        values = [*self.values, None]
        common = np.array(values, dtype=object)[self.most_common]
        return [
            Column(key="group", en="group", zh="群", values=self.groups.labels, format="text"),
            Column(key="size", en="size", zh="人数", values=self.sizes, format="count"),
            Column(key="most_common", en="most common", zh="最多的值", values=common),
            Column(key="n_most_common", en="members", zh="其人数", values=self.n_most_common, format="count"),
            Column(key="share", en="share", zh="占比", values=self.shares, format="rate"),
            Column(key="n_values", en="values", zh="值数", values=self.n_values, format="count"),
        ]

    def _title(self, lang: Lang, /) -> str:
        n, k, v = int(self.counts.sum()), len(self.groups), len(self.values)
        if lang == "zh":
            return f"{n:,} 人，{k:,} 个群，{v:,} 个值"
        return f"{_some(n, 'member')} in {_some(k, 'group')}, {_some(v, 'value')}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n, k, pure = int(self.counts.sum()), len(self.groups), int(self.is_pure.sum())
        if not n:
            return []
        share, alike, random = f"{self.n_pure / n:.1%}", f"{self.alike:.1%}", f"{self.alike_at_random:.1%}"
        has_pairs = bool((self.sizes > 1).any())
        if lang == "zh":
            notes = [f"值全同的群：{pure:,} / {k:,} 个，{self.n_pure:,} 人（{share}）。"]
            return [*notes, f"同群两人同值的占 {alike}；随机分群为 {random}。"] if has_pairs else notes
        notes = [f"Alike throughout: {pure:,} of {_some(k, 'group')}, {_some(self.n_pure, 'member')} ({share})."]
        pairs = f"Pairs within groups who are alike: {alike}; dealt at random, {random}."
        return [*notes, pairs] if has_pairs else notes

    def __repr__(self) -> str:
        """Show how much is alike."""
        k, v = len(self.groups), len(self.values)
        alike = f"{self.alike:.3f} of pairs alike"
        return f"Mixture({_some(k, 'group')}, {_some(v, 'value')}, {alike}, {self.alike_at_random:.3f} at random)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def mixture(shards: Shards, attribute: ByMember, /) -> Mixture:
    """Count how mixed groups are as to an attribute of their members.

    It reads what `shard` was asked for by ``cohere=`` (few values in a group) or by ``spread=`` (as many of each in
    every group).

    Parameters
    ----------
    shards : Shards
        The groups.
    attribute : Assignment, mapping of member to value, or array_like, shape (n_members,)
        The value of each member, all str or all int. Who has none, or is left out of a mapping, counts as having one
        more value: that nobody knows it.

    Returns
    -------
    Mixture
        A row a group.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> shards = Shards.of(InteractionGraph.from_ties([0, 2], [1, 3]), [0, 0, 1, 1], sizes=(2, 2))
    >>> mixture(shards, ["沪", "沪", "京", "沪"])
    Mixture(2 groups, 2 values, 0.500 of pairs alike, 0.500 at random)
    """
    instance("shards", shards, Shards, expected="Shards")
    return mixture_of(shards, attribute_of("attribute", attribute, shards.members))


def mixture_of(shards: Shards, given: Attribute, /) -> Mixture:
    """Count how mixed groups are as to an attribute that has been read.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> shards = Shards.of(InteractionGraph.from_ties([0], [1]), [0, 0], sizes=(2, 2))
    >>> mixture_of(shards, attribute_of("city", ["沪", "京"], shards.members)).n_values
    array([2])
    """
    k, v = shards.n_groups, len(given.values)
    cell, count = np.unique(shards.group * np.int64(v) + given.codes, return_counts=True)
    group = cell // max(v, 1)
    most_common, most = commonest(cell, count, v, k)
    pairs = np.zeros(k, dtype=np.int64)
    np.add.at(pairs, group, count * (count - 1) // 2)
    return Mixture(
        groups=shards.groups,
        values=given.values.tolist(),
        counts=given.counts,
        sizes=shards.sizes,
        most_common=most_common,
        n_most_common=most,
        n_values=np.bincount(group, minlength=k),
        pairs_alike=pairs,
    )


def commonest(cell: IntArray, count: IntArray, n_values: int, n_groups: int, /) -> tuple[IntArray, IntArray]:
    """Return which value most members of each group have, -1 where nobody is there, and how many have it.

    Parameters
    ----------
    cell : array of int64
        ``group * n_values + value``, each once and ascending.
    count : array of int64
        How many members there are of it.

    Examples
    --------
    >>> commonest(np.array([0, 1, 3]), np.array([2, 5, 4]), 2, 3)
    (array([ 1,  1, -1]), array([5, 4, 0]))
    """
    group = cell // max(n_values, 1)
    order = np.lexsort((cell, -count, group))
    first = order[np.unique(group[order], return_index=True)[1]]
    value, most = np.full(n_groups, -1, dtype=np.int64), np.zeros(n_groups, dtype=np.int64)
    value[group[first]], most[group[first]] = cell[first] % max(n_values, 1), count[first]
    return value, most


def _some(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"

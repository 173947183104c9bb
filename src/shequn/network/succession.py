"""Whom do the leaders of a group reach, and whom still if one of them goes?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import counted
from shequn.labels import Index
from shequn.stats._checks import counts_column, instance, refuse
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.graph import InteractionGraph

__all__ = ["Succession", "succession_of"]


def succession_of(inside: InteractionGraph, group: IntArray, groups: Index, leaders: IntArray, /) -> Succession:
    """Count who has a tie with a leader, and who would if the leader who is hardest to replace went.

    Parameters
    ----------
    inside : InteractionGraph
        Ties inside a group only.
    group : ndarray of int64, shape (n_members,)
        Code of the group of each member, -1 for none.
    groups : Index
        The groups.
    leaders : ndarray of int64, shape (m,)
        Codes of the leaders.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> star = InteractionGraph.from_ties([0, 0, 3], [1, 2, 2])
    >>> found = succession_of(star, np.zeros(4, dtype=np.int64), Index(["g1"]), np.array([0, 3]))
    >>> found.covered.tolist(), found.covered_without_one.tolist()
    ([2], [1])
    """
    n, n_groups = inside.n_members, len(groups)
    leads = np.zeros(n, dtype=np.bool_)
    leads[leaders] = True
    other = np.concatenate([inside.source, inside.target])
    leader = np.concatenate([inside.target, inside.source])
    reached = leads[leader] & ~leads[other]
    other, leader = np.divmod(each_once(other[reached] * n + leader[reached]), max(n, 1))
    n_leaders = np.bincount(other, minlength=n)
    sole = n_leaders[other] == 1
    lost = np.bincount(leader[sole], minlength=n)
    worst = np.zeros(n_groups, dtype=np.int64)
    np.maximum.at(worst, group[leaders], lost[leaders])
    covered = np.bincount(group[n_leaders > 0], minlength=n_groups)
    placed = group >= 0
    return Succession(
        groups=groups,
        leaders=np.bincount(group[leaders], minlength=n_groups),
        others=np.bincount(group[placed & ~leads], minlength=n_groups),
        covered=covered,
        covered_without_one=covered - worst,
    )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Succession(Tabular[Any]):
    """Whom the leaders of each group reach, and whom still if one of them goes; a part of `Leaders`.

    Parameters
    ----------
    groups : Index
        The k groups.
    leaders, others : ndarray of int64, shape (k,)
        Leaders found, and the members there are beside them and those excluded.
    covered : ndarray of int64, shape (k,)
        Others with a tie, one way or the other, to a leader.
    covered_without_one : ndarray of int64, shape (k,)
        The same when the leader goes whose leaving leaves most without one.

    Examples
    --------
    >>> print(Succession(groups=Index(["g1"]), leaders=[2], others=[10], covered=[8], covered_without_one=[5]))
    group  leaders  others  covered  cover  without one
    ───────────────────────────────────────────────────
    g1           2      10        8  80.0%        50.0%
    """

    groups: Index
    leaders: IntArray
    others: IntArray
    covered: IntArray
    covered_without_one: IntArray

    def __attrs_post_init__(self) -> None:
        """Check that there is one number a group."""
        instance("groups", self.groups, Index, expected="an Index")
        k = len(self.groups)
        for name in ("leaders", "others", "covered", "covered_without_one"):
            counts = counts_column(name, getattr(self, name), (k,), of=f"each of {counted(k, 'group')}")
            object.__setattr__(self, name, counts)
        for name, part, whole in (
            ("covered", self.covered, self.others),
            ("covered_without_one", self.covered_without_one, self.covered),
        ):
            if (part > whole).any():
                refuse(name, "no more than there are", part, part > whole)

    @property
    def cover(self) -> FloatArray:
        """Share of the others whom a leader reaches, shape (k,); NaN without others."""
        return self._share(self.covered)

    @property
    def cover_without_one(self) -> FloatArray:
        """The same when the leader goes who is hardest to replace, shape (k,); NaN without others."""
        return self._share(self.covered_without_one)

    def _share(self, counts: IntArray) -> FloatArray:
        return frozen(np.divide(counts, self.others, out=np.full(len(counts), np.nan), where=self.others > 0))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if column.key != "covered_without_one"]

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="group", en="group", zh="群", values=self.groups.labels),
            Column(key="leaders", en="leaders", zh="草根领袖", values=self.leaders, format="count"),
            Column(key="others", en="others", zh="其余成员", values=self.others, format="count"),
            Column(key="covered", en="covered", zh="覆盖人数", values=self.covered, format="count"),
            Column(key="cover", en="cover", zh="覆盖率", values=self.cover, format="rate"),
            Column(
                key="covered_without_one",
                en="covered without one",
                zh="少一人后覆盖人数",
                values=self.covered_without_one,
                format="count",
            ),
            Column(
                key="cover_without_one",
                en="without one",
                zh="少一人后覆盖率",
                values=self.cover_without_one,
                format="rate",
            ),
        ]

    def __repr__(self) -> str:
        """Show how many groups and leaders there are."""
        leaders = counted(int(self.leaders.sum()), "leader")
        return f"Succession({counted(len(self.groups), 'group')}, {leaders})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

"""Do weak ties become strong ones?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import counted
from shequn.network.strength import TieStrength
from shequn.stats._checks import counts_column, instance
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["TieTransitions", "tie_transitions"]

_MOST_PAIRS = 2**61  # of the most members there can be; a row of three does not overflow


def tie_transitions(before: TieStrength, after: TieStrength, /) -> TieTransitions:
    """Count how ties went from weak to strong and back between two times.

    Parameters
    ----------
    before, after : TieStrength
        Of the same members in the same order; `InteractionGraph.align` brings a graph there.

    Returns
    -------
    TieTransitions
        A 3 × 3 table over all pairs of members: no tie, weak, strong.

    Raises
    ------
    InvalidTypeError
        An argument is no TieStrength.
    MisalignedError
        They are of different members.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.network.strength import tie_strength
    >>> spring = tie_strength(InteractionGraph.from_ties([0, 1], [1, 2], n_members=4))
    >>> autumn = tie_strength(InteractionGraph.from_ties([0, 1, 2], [1, 0, 3], [9, 9, 1], n_members=4))
    >>> tie_transitions(spring, autumn).counts.tolist()
    [[3, 1, 0], [1, 0, 1], [0, 0, 0]]
    """
    for name, ties in (("before", before), ("after", after)):
        instance(name, ties, TieStrength, expected="a TieStrength")
    before.members.require_aligned(after.members, argument="after")
    n = len(before.members)
    keys = [ties.first * n + ties.second for ties in (before, after)]
    pairs = each_once(np.concatenate(keys))
    was, became = (np.zeros(len(pairs), dtype=np.int64) for _ in range(2))
    for state, key, ties in ((was, keys[0], before), (became, keys[1], after)):
        state[np.searchsorted(pairs, key)] = np.where(ties.strong, 2, 1)
    counts = np.bincount(was * 3 + became, minlength=9).reshape(3, 3)
    counts[0, 0] = n * (n - 1) // 2 - len(pairs)
    return TieTransitions(counts=counts)


def _square(counts: ArrayLike) -> IntArray:
    return counts_column("counts", counts, (3, 3), of="each of 3 × 3 states", most=_MOST_PAIRS)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TieTransitions(Tabular[Any]):
    """How many pairs went from no tie, weak or strong to each of these; made by `tie_transitions`.

    Parameters
    ----------
    counts : ndarray of int64, shape (3, 3)
        Rows: before, columns: after; none, weak, strong.

    Examples
    --------
    >>> print(TieTransitions(counts=[[80, 6, 0], [3, 5, 2], [0, 1, 3]]))
    before  none  weak  strong  pairs  of them strong
    ─────────────────────────────────────────────────
    none      80     6       0     86            0.0%
    weak       3     5       2     10           20.0%
    strong     0     1       3      4           75.0%
    """

    counts: IntArray = attrs.field(converter=_square)

    @property
    def rates(self) -> FloatArray:
        """Share of each row, shape (3, 3); NaN where nobody was."""
        base = self.counts.sum(axis=1, keepdims=True)
        nobody = np.full((3, 3), np.nan)
        return frozen(np.divide(self.counts, base, out=nobody, where=np.broadcast_to(base > 0, (3, 3))))

    @property
    def weak_to_strong(self) -> float:
        """Share of weak ties that became strong; NaN where there was none."""
        return float(self.rates[1, 2])

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        names = [(key, en, zh, self.counts[:, i]) for i, (key, en, zh) in enumerate(_STATES)]
        labels = [zh if lang == "zh" else en for _, en, zh in _STATES]
        return [
            Column(key="before", en="before", zh="之前", values=np.array(labels, dtype=object)),
            *(Column(key=key, en=en, zh=zh, values=values, format="count") for key, en, zh, values in names),
            Column(key="pairs", en="pairs", zh="关系对", values=self.counts.sum(axis=1), format="count"),
            Column(key="strong_rate", en="of them strong", zh="其中变强", values=self.rates[:, 2], format="rate"),
        ]

    def _tidy(self) -> Sequence[Column]:
        states = np.array([key for key, _, _ in _STATES], dtype=object)
        return [
            Column(key="before", en="before", zh="之前", values=np.repeat(states, 3)),
            Column(key="after", en="after", zh="之后", values=np.tile(states, 3)),
            Column(key="pairs", en="pairs", zh="关系对", values=self.counts.ravel(), format="count"),
            Column(key="rate", en="rate", zh="占比", values=self.rates.ravel(), format="rate"),
        ]

    def __repr__(self) -> str:
        """Show what became of weak ties."""
        weak = counted(int(self.counts[1].sum()), "weak tie")
        return f"TieTransitions({int(self.counts[1, 2]):,} of {weak} became strong)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_STATES = (("none", "none", "无"), ("weak", "weak", "弱"), ("strong", "strong", "强"))
